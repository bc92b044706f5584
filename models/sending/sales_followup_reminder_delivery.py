from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ...rules.recipients import choose
from ...rules.smtp_replies import find_replies
from ..reminders.sales_followup_agenda import FAILURE_TYPE

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

    _inherit = "sales.followup.reminder"

    alert_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="Asks somebody to look after the failure.",
    )

    @api.model
    def _sync_messages(self, messages):
        """Take the state of the reminders that these messages belong to."""
        # sudo: the state of delivery is a fact, whoever looks
        reminders = self.sudo().search([("message_id", "in", messages.ids)])
        reminders._sync_delivery()

    @api.model
    def _sync_missed(self):
        """Take the state of reminders that could not hear of their e-mails when these
        went, see :meth:`mail.mail._followup_tell_reminders`."""
        decided = [status for status, state in STATES.items() if state != "outgoing"]
        missed = self.search(
            [
                ("state", "=", "outgoing"),
                ("message_id.notification_ids.notification_status", "in", decided),
            ]
        )
        missed._sync_delivery()

    def _sync_delivery(self):
        """Take the state of reminders from the delivery status of their e-mails."""
        # sudo: the state of delivery is a fact, whoever looks
        living = self.sudo().filtered(
            lambda reminder: reminder.message_id and reminder.state != "cancelled"
        )
        waiting = living.filtered(lambda reminder: reminder.state != "done")
        for reminder in living:
            notifications = reminder.message_id.notification_ids.filtered(
                lambda notification: notification.notification_type == "email"
            )
            reminder._take_state(notifications[:1])
        waiting.filtered(lambda reminder: reminder.state == "done")._settle_alerts()

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
        if state == "failed":
            attempts = self.attempts + 1
            is_final = self._is_refused_for_good(notification)
            self._fail(reason, attempts, is_final or attempts >= MAX_ATTEMPTS)
        else:
            self.write({"state": state, "failure_reason": False})

    def _fail(self, reason, attempts, is_final):
        """Note that sending failed.

        :param attempts: how often it was tried by now
        :param is_final: whether it is not tried again by itself
        """
        self.write(
            {
                "state": "failed",
                "failure_reason": reason,
                "attempts": attempts,
                "is_final": is_final,
                "next_date": False,
            }
        )
        if is_final or attempts <= 1:
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
        """Ask somebody to look after reminders that failed: one activity each, on the
        document."""
        for reminder in self:
            note = plaintext2html(reminder.failure_reason or "")
            # sudo: reading the document is enough to remind
            activity = reminder.sudo().alert_id
            if activity.active:
                activity.note = note
                continue
            document = reminder._get_document().sudo()
            document = document.with_context(mail_activity_quick_update=True)
            reminder.sudo().alert_id = document.activity_schedule(
                FAILURE_TYPE,
                user_id=reminder._get_responsible().id,
                summary=self.env._("Reminder %(number)s failed", number=reminder.name),
                note=note,
            )

    def _settle_alerts(self):
        """Ask nobody any more to look after failures on the documents of these
        reminders, which went out after all."""
        for link, reminders in self._group_by_document_model().items():
            self._find_alerted(link, reminders[link])._withdraw_alerts()

    @api.model
    def _settle_finished(self, documents):
        """Ask nobody any more to look after failures on documents that are done with:
        a quotation that was confirmed is, though the order is open.

        :param documents: recordset of one model that has the follow-up mixin
        """
        link = self._get_document_field(documents._name)
        alerted = self._find_alerted(link, documents)
        if not alerted:
            return
        chased = alerted[link]
        still_open, types = chased._followup_filter_open(), chased._followup_get_types()
        alerted.filtered(
            lambda reminder: (
                reminder[link] not in still_open
                or reminder.document_type_id != types[reminder[link]]
            )
        )._withdraw_alerts()

    @api.model
    def _find_alerted(self, link, documents):
        """Give reminders that failed, and that somebody was asked to look after.

        :param link: the field of the documents
        """
        # sudo: reminders that the user may not see count, too
        return self.sudo().search(
            [(link, "in", documents.ids), ("alert_id", "!=", False)]
        )

    def _withdraw_alerts(self):
        """Take the activities away that nobody has done yet."""
        # sudo: as above
        self.sudo().alert_id.filtered("active").unlink()

    def _get_responsible(self):
        """Give who looks after this reminder when it failed.

        :return: ``res.users``, empty where nobody follows document and customer
        """
        document = self._get_document().sudo()
        customer = document.partner_id.commercial_partner_id
        return (
            choose(
                (
                    self.user_id,
                    document._followup_get_sender(),
                    customer.user_id,
                    *customer.followup_rep_ids,
                ),
                lambda user: user.active and not user.share,
            )
            or self.env["res.users"]
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
                # nothing goes to who left the customer meanwhile
                ("mail_message_id", "in", self._filter_rightful().message_id.ids),
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

    def _queue_once_more(self):
        """Put the e-mails of reminders that failed back into the queue.

        :return: the reminders whose e-mail there is
        """
        messages = self._queue_again().mail_message_id
        return self.filtered(lambda reminder: reminder.message_id in messages)

    def _revive(self):
        """Make reminders that failed outgoing once more, as of now: distances are
        counted from the day on which they go out."""
        for link, reminders in self._group_by_document_model().items():
            recipients = reminders[link]._followup_get_recipients("email")
            for reminder in reminders:
                document = reminder[link]
                contact = reminder.message_id and reminder._filter_rightful().contact_id
                reminder.write(
                    {
                        "state": "outgoing",
                        "failure_reason": False,
                        "date": fields.Datetime.now(),
                        "next_date": document._followup_get_next_date(
                            reminder.template_id
                        ),
                        "contact_id": (contact or recipients[document]).id,
                    }
                )
