from psycopg2.errors import OperationalError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ..rules.smtp_replies import find_replies

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

#: what the server may get over: the rest fails again
TEMPORARY = ("mail_smtp", "unknown")

#: how often sending is tried altogether
MAX_ATTEMPTS = 3


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
        if (state, reason) == (self.state, self.failure_reason):
            return
        values = {"state": state, "failure_reason": reason}
        if state == "failed":
            values["attempts"] = self.attempts + 1
            values["is_final"] = (
                self._is_refused_for_good(notification)
                or values["attempts"] >= MAX_ATTEMPTS
            )
        self.write(values)
        if state == "failed" and (values["is_final"] or values["attempts"] == 1):
            self._alert()

    @api.model
    def _is_refused_for_good(self, notification):
        """Tell whether sending the same e-mail again is of no use."""
        if notification.failure_type not in TEMPORARY:
            return True
        replies = find_replies(notification.failure_reason)
        unreachable = notification.failure_type == "mail_smtp"
        return not unreachable and any(reply.is_final for reply in replies)

    def _alert(self):
        """Ask the representative to look after reminders that failed: an activity on
        the document."""
        for reminder in self:
            # sudo: reading the document is enough to remind
            document = reminder._get_document().sudo()
            lead = document[document._followup_lead_field]
            user = reminder.user_id if reminder.user_id.active else lead
            if user._is_superuser():
                user = lead
            document.with_context(mail_activity_quick_update=True).activity_schedule(
                "sales_followup.mail_activity_type_failed",
                user_id=(user or self.env.user).id,
                summary=self.env._("Reminder %(number)s failed", number=reminder.name),
                note=plaintext2html(reminder.failure_reason or ""),
            )

    @api.model
    def _get_failure_reason(self, notification):
        """Say why an e-mail did not arrive, with what the server said about it.

        :rtype: str
        """
        if replies := find_replies(notification.failure_reason):
            return self.env._(
                "The mail server refused it: %(words)s",
                words="; ".join(map(str, replies)),
            )
        field = notification._fields["failure_type"]
        kinds = dict(field._description_selection(self.env))
        kind = kinds.get(notification.failure_type)
        return "\n".join(
            filter(None, (kind, notification.failure_reason))
        ) or self.env._("The e-mail was not sent.")

    def action_retry(self):
        """Send e-mails that failed once more, where the document is still open."""
        self.check_access("write")
        failed = self.filtered(
            lambda reminder: reminder.state == "failed" and reminder.message_id
        )
        waiting = failed.filtered("is_open")
        if failed and not waiting:
            raise UserError(failed[0]._get_document()._followup_get_closed_message())
        mails = waiting._queue_again()
        if not mails:
            raise UserError(
                self.env._(
                    "There is no e-mail left to send again. Correct the address, and "
                    "remind once more."
                )
            )
        self.env["sales.followup.emailer"]._deliver_after_commit(mails)
        return True

    def _queue_again(self):
        """Put the e-mails that failed back into the queue: message and reminder are
        outgoing again.

        :return: ``mail.mail``, as superuser; those that are not kept are missing
        """
        # sudo: the queue of e-mails is technical
        mails = self.env["mail.mail"].sudo()
        mails = mails.search(
            [
                ("mail_message_id", "in", self.message_id.ids),
                ("state", "=", "exception"),
            ]
        )
        mails.mark_outgoing()
        self.env["mail.notification"].sudo().search(
            [("mail_mail_id", "in", mails.ids)]
        ).write(
            {
                "notification_status": "ready",
                "failure_type": False,
                "failure_reason": False,
            }
        )
        return mails

    def _retry_automatically(self):
        """Try once more what failed by itself: the same reminder, the same e-mail."""
        self.ensure_one()
        if not self.message_id:
            self._send_anew()
        else:
            self._queue_again()

    def _send_anew(self):
        """Write the e-mail that could not be written."""
        try:
            with self.env.cr.savepoint():
                self.write({"state": "outgoing", "failure_reason": False})
                self.env["sales.followup.emailer"]._enqueue(self)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 whatever texts and PDF may raise
            attempts = self.attempts + 1
            self.write(
                {
                    "state": "failed",
                    "failure_reason": str(error),
                    "attempts": attempts,
                    "is_final": attempts >= MAX_ATTEMPTS,
                }
            )
