from odoo import api, fields, models


class SalesFollowupAnonymize(models.TransientModel):
    """Asks before what was written about customers is gone for good."""

    _name = "sales.followup.anonymize"
    _description = "Anonymize Reminders"

    partner_ids = fields.Many2many("res.partner", string="Customers", required=True)
    reminder_count = fields.Integer(
        string="Reminders", compute="_compute_reminder_count"
    )

    @api.depends("partner_ids")
    def _compute_reminder_count(self):
        for wizard in self:
            wizard.reminder_count = len(
                wizard.partner_ids._origin._followup_get_reminders_to_anonymize()
            )

    def _get_action(self, partners):
        """Open the question about customers."""
        return {
            "type": "ir.actions.act_window",
            "name": self._description,
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_ids": partners.ids},
        }

    def action_apply(self):
        """Anonymize, and tell how many reminders there were."""
        return self.partner_ids.action_followup_anonymize()
