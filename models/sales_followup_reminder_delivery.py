from odoo import api, models
from odoo.exceptions import UserError

#: what the status of an e-mail says of its reminder
STATES = {
    "ready": "outgoing",
    "process": "outgoing",
    "pending": "outgoing",
    "sent": "done",
    "bounce": "failed",
    "exception": "failed",
    "canceled": "failed",
}


# What becomes of an e-mail is told by Odoo's notifications.
class SalesFollowupReminder(models.Model):
    """What became of the e-mails; :mod:`.sales_followup_reminder_send` sends them."""

    _inherit = "sales.followup.reminder"  # pylint: disable=consider-merging-classes-inherited

    def _sync_delivery(self):
        """Take the state of reminders from the delivery status of their e-mails."""
        # sudo: the state of delivery is a fact, whoever looks
        living = self.sudo().filtered(
            lambda reminder: reminder.message_id and reminder.state != "cancelled"
        )
        for reminder in living:
            notifications = reminder.message_id.notification_ids.filtered(
                lambda notification: notification.notification_type == "email"
            )
            reminder._take_state(notifications[:1])

    def _take_state(self, notification):
        """Take the state of one e-mail's delivery."""
        state = STATES.get(notification.notification_status)
        if not state:
            return
        reason = False
        if state == "failed":
            reason = self._get_failure_reason(notification)
        if (state, reason) != (self.state, self.failure_reason):
            self.write({"state": state, "failure_reason": reason})

    @api.model
    def _get_failure_reason(self, notification):
        """Say why an e-mail did not arrive, with what the server said about it.

        :rtype: str
        """
        field = notification._fields["failure_type"]
        kinds = dict(field._description_selection(self.env))
        kind = kinds.get(notification.failure_type)
        return "\n".join(
            filter(None, (kind, notification.failure_reason))
        ) or self.env._("The e-mail was not sent.")

    def action_retry(self):
        """Send e-mails that failed once more."""
        self.check_access("write")
        failed = self.filtered(
            lambda reminder: reminder.state == "failed" and reminder.message_id
        )
        # sudo: the queue of e-mails is technical
        mails = self.env["mail.mail"].sudo()
        mails = mails.search(
            [
                ("mail_message_id", "in", failed.message_id.ids),
                ("state", "=", "exception"),
            ]
        )
        if not mails:
            raise UserError(
                self.env._(
                    "There is no e-mail left to send again. Correct the address, and "
                    "remind once more."
                )
            )
        mails.mark_outgoing()
        failed.sudo().write({"state": "outgoing", "failure_reason": False})
        mails.send_after_commit()
        return True
