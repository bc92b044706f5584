from odoo import models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def write(self, vals):
        """Tell reminders what became of their e-mails: sent, refused, bounced."""
        # EXTENDS 'mail'
        result = super().write(vals)
        decided = not self.env.context.get("followup_undecided")
        if "notification_status" in vals and decided:
            reminders = self.env["sales.followup.reminder"].sudo()
            messages = self.sudo().mail_message_id
            reminders.search([("message_id", "in", messages.ids)])._sync_delivery()
        return result
