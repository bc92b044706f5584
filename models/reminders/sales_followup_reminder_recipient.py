from odoo import api, models


# Who may get a reminder is a subject of its own.
class SalesFollowupReminder(models.Model):
    """Recipients of reminders: people of the document's customer only."""

    _inherit = "sales.followup.reminder"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        reminders = super().create(vals_list)
        reminders._check_recipients()
        return reminders

    def write(self, vals):
        # EXTENDS 'base'
        result = super().write(vals)
        if vals.get("contact_id"):
            self._check_recipients()
        return result

    def _check_recipients(self):
        """Refuse recipients who are not of the document's customer, or whom the user
        may not see: nobody else is written to, by e-mail or by letter."""
        for reminder in self:
            if reminder.contact_id:
                document = reminder._get_document()
                document._followup_check_recipient(reminder.contact_id)

    def _filter_rightful(self):
        """Keep the reminders whose recipient still is of the document's customer."""
        # sudo: who gets it does not depend on who looks
        return self.filtered(
            lambda reminder: (
                (contact := reminder.sudo().contact_id)
                and contact.active
                and reminder._get_document().sudo()._followup_accepts(contact)
            )
        )

    def _resume_after_correction(self, contacts):
        """Try automatic reminders again that came back from an address which was
        corrected: their level is still to come, where the verdict agrees.

        :param contacts: ``res.partner``
        """
        if not contacts:
            return
        # sudo: who corrects an address need not see reminders
        returned = self.sudo().search(
            [
                ("contact_id", "in", contacts.ids),
                ("origin", "=", "auto"),
                ("state", "=", "failed"),
                ("is_final", "=", True),
                ("message_id.notification_ids.notification_status", "=", "bounce"),
            ]
        )
        returned.write({"is_final": False, "attempts": 0})
