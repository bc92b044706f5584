from odoo import fields, models
from odoo.exceptions import UserError

from ..rules.bounds import shift


class SalesFollowupAmend(models.TransientModel):
    """Asks how several reminders are changed at once."""

    _name = "sales.followup.amend"
    _description = "Change Reminders"

    operation = fields.Selection(
        [
            ("postpone", "Postpone"),
            ("hand_over", "Hand Over"),
            ("result", "Set Result"),
        ],
        required=True,
        readonly=True,
        default="postpone",
    )
    reminder_ids = fields.Many2many("sales.followup.reminder", string="Reminders")
    next_date = fields.Date(
        string="Next Reminder",
        default=lambda self: shift(fields.Date.context_today(self), 1),
    )
    user_id = fields.Many2one(
        "res.users",
        string="Colleague",
        domain="[('share', '=', False), ('company_ids', 'in', allowed_company_ids)]",
    )
    result_id = fields.Many2one("sales.followup.result")

    def action_apply(self):
        """Change the reminders, as far as the user may.

        :return: action that tells what was done
        :raise UserError: where something is missing
        """
        self.ensure_one()
        reminders = self.reminder_ids
        if not reminders:
            raise UserError(self.env._("Select the reminders first, in a list."))
        if self.operation == "postpone":
            if not self.next_date:
                raise UserError(self.env._("Choose the day of the next reminder."))
            return reminders._postpone(self.next_date)
        if self.operation == "hand_over":
            if not self.user_id:
                raise UserError(self.env._("Choose the colleague who takes over."))
            return reminders._amend({"user_id": self.user_id.id})
        if not self.result_id:
            raise UserError(self.env._("Choose the result."))
        return reminders._amend({"result_id": self.result_id.id})
