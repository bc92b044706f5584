from odoo import fields, models


class SalesFollowupCancel(models.TransientModel):
    """Asks why reminders are cancelled."""

    _name = "sales.followup.cancel"
    _description = "Cancel Reminders"

    reminder_ids = fields.Many2many("sales.followup.reminder", required=True)
    reason = fields.Text(required=True)

    def action_apply(self):
        """Cancel the reminders."""
        self.reminder_ids._cancel(self.reason)
        return {"type": "ir.actions.act_window_close"}
