from odoo import models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def write(self, vals):
        """Tell reminders what became of their e-mails: sent, refused, bounced."""
        # EXTENDS 'mail'
        result = super().write(vals)
        decided = not self.env.context.get("followup_undecided")
        if "notification_status" in vals and decided:
            messages = self.sudo().mail_message_id
            self.env["sales.followup.reminder"]._sync_messages(messages)
        return result
