from odoo import fields, models
from odoo.exceptions import UserError


class SalesFollowupCancel(models.TransientModel):
    """Asks why reminders are cancelled."""

    _name = "sales.followup.cancel"
    _description = "Cancel Reminders"

    reminder_ids = fields.Many2many(
        "sales.followup.reminder", string="Reminders", required=True
    )
    reason = fields.Text(required=True)

    def action_apply(self):
        """Cancel the reminders.

        :raise UserError: without a reminder or a reason
        """
        if not self.reminder_ids:
            raise UserError(self.env._("Select the reminders to cancel."))
        self.reminder_ids._cancel(self.reason)
        return {"type": "ir.actions.act_window_close"}
