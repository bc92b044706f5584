from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ...batches import find_conflict
from ...rules import verdict as rule
from ...rules.smtp_replies import find_replies
from ...rules.verdict import Code, Mode
from ..reminders.sales_followup_template import SENDING
from .sales_followup_dispatcher import Request

#: what the delivery status of an e-mail says of its reminder
STATE_OF_DELIVERY = {
    "ready": "outgoing",
    "process": "outgoing",
    "pending": "outgoing",
    "sent": "done",
    "bounce": "failed",
    "exception": "failed",
    "canceled": "failed",
}

#: failures of an e-mail that the server may get over; the others would fail again
TEMPORARY_FAILURES = ("mail_smtp", "unknown")

#: how long after each failure sending is tried again, before it is given up
RETRY_DELAYS = (timedelta(minutes=15), timedelta(hours=2), timedelta(days=1))

#: what the verdict says of an address: it may be another one by the next attempt
ADDRESS_KEYS = (Code.BLACKLISTED.value, Code.BOUNCING.value)

#: how many failed reminders are sent again at a time
RETRY_SIZE = 20


# What becomes of an e-mail is told by Odoo's notifications.
class SalesFollowupReminder(models.Model):
    """What became of the e-mails, and sending again what failed."""

    _inherit = "sales.followup.reminder"

    retry_date = fields.Datetime(
        string="Next Attempt",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="When sending is tried again after a temporary failure.",
    )
    is_unwritable = fields.Boolean(
        string="Cannot Be Written",
        readonly=True,
        copy=False,
        help="Its text or its PDF could not be made. Once the template is mended, an "
        "automatic reminder goes out after all.",
    )
    overruled = fields.Json(
        readonly=True,
        copy=False,
        help="Keys of the reasons against it that a person knew.",
    )

    def _sync_messages(self, messages):
        """Take the state of the reminders that these messages belong to."""
        # sudo: the state of delivery is a fact, whoever looks
        reminders = self.sudo().search([("message_id", "in", messages.ids)])
        reminders._sync_delivery()

    def _sync_missed(self):
        """Take the state of reminders that could not hear of their e-mails when these
        went, see :meth:`mail.mail._followup_tell_reminders`."""
        decided = [
            status for status, state in STATE_OF_DELIVERY.items() if state != "outgoing"
        ]
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
        state = STATE_OF_DELIVERY.get(notification.notification_status)
        if not state:
            return
        reason = False
        if state == "failed":
            reason = self._get_failure_reason(notification)
        if (state, reason) == (self.state, self.failure_reason):
            return
        if state == "failed":
            self._fail_again(reason, self._is_refused_for_good(notification))
        else:
            self.write({"state": state, "failure_reason": False, "retry_date": False})

    def _fail_again(self, reason, is_final, is_unwritable=False):
        """Note that one more attempt failed.

        :param is_final: whether trying again is of no use
        :param is_unwritable: whether it is the text or the PDF that could not be made
        """
        attempts = self.attempts + 1
        given_up = attempts > len(RETRY_DELAYS)
        self._fail(
            reason,
            attempts,
            is_final or given_up,
            is_unwritable=is_unwritable and not given_up,
        )
        if is_final or given_up:
            return
        due = fields.Datetime.now() + RETRY_DELAYS[attempts - 1]
        # sudo: what became of it is no user's to write
        self.sudo().retry_date = due
        name = "send_automatic" if self.origin == "auto" else "process_runs"
        cron = self.env.ref(f"sales_followup.ir_cron_{name}", raise_if_not_found=False)
        if cron:
            # sudo: scheduled actions are for administrators
            cron.sudo()._trigger(due)

    def _fail(self, reason, attempts, is_final, is_unwritable=False, alert=True):
        """Note that sending failed.

        :param attempts: how often it was tried by now
        :param is_final: whether it is not tried again automatically
        :param is_unwritable: whether its text or its PDF could not be made
        :param alert: whether somebody is asked to look after it
        """
        # sudo: what became of it is no user's to write
        self.sudo().write(
            {
                "state": "failed",
                "failure_reason": reason,
                "attempts": attempts,
                "is_final": is_final,
                "is_unwritable": is_unwritable,
                "retry_date": False,
                "next_date": False,
            }
        )
        if alert and (is_final or attempts <= 1):
            self._alert()

    def _is_refused_for_good(self, notification):
        """Tell whether sending the same e-mail again is of no use."""
        if notification.failure_type not in TEMPORARY_FAILURES:
            return True
        replies = find_replies(notification.failure_reason)
        unreachable = notification.failure_type == "mail_smtp"
        return not unreachable and any(reply.is_final for reply in replies)

    def _get_failure_reason(self, notification):
        """Say why an e-mail did not arrive, with what the server said about it.

        :rtype: str
        """
        if replies := find_replies(notification.failure_reason):
            return self.env._(
                "The mail server refused it: %(words)s",
                words="; ".join(map(str, replies)),
            )
        if notification.notification_status == "canceled" and not (
            notification.failure_type
        ):
            return notification.failure_reason or self.env._(
                "The e-mail was cancelled before it left."
            )
        field = notification._fields["failure_type"]
        kinds = dict(field._description_selection(self.env))
        kind = kinds.get(notification.failure_type)
        return "\n".join(
            filter(None, (kind, notification.failure_reason))
        ) or self.env._("The e-mail was not sent.")

    def _get_outdated(self):
        """Tell which reminders that wait in the queue should not leave any more.

        What a person overruled when they sent it stands: only what came up since
        counts. Taking up answers is part of making a reminder.

        :return: dict of message → (sentence, whether it is so for good)
        """
        outdated = {}
        facts = self.env["sales.followup.facts"]
        judge = self.env["sales.followup.judge"]
        # sudo: the facts do not depend on who looks
        for link, reminders in self.sudo()._group_by_document_model().items():
            documents = reminders[link]
            # nothing is known of a document that cannot be judged
            known, _problems = judge._isolate(facts._fetch, documents)
            types = documents._followup_get_types()
            for reminder in reminders:
                if reminder[link] not in known:
                    continue
                document, _customer = known[reminder[link]]
                is_changed = types[reminder[link]] != reminder.document_type_id
                reason = rule.get_news(document, is_changed)
                if reason:
                    outdated[reminder.message_id] = (
                        judge._explain(reason),
                        reason.code is Code.NOT_OPEN,
                    )
        return outdated

    # --- once more --------------------------------------------------------------

    def action_retry(self):
        """Send e-mails and letters that failed once more, unless something speaks
        against them by now.

        :raise UserError: where none of them can be sent, saying why
        """
        self.check_access("write")
        failed = self.filtered(
            lambda reminder: reminder.state == "failed" and reminder.channel in SENDING
        )
        if not failed:
            raise UserError(
                self.env._("There is no failed e-mail or letter to send again.")
            )
        refusals = failed._send_again(wait=True)
        texts = [
            f"{reminder.name}: {' '.join(reasons)}"
            for reminder, reasons in refusals.items()
        ]
        if len(refusals) == len(failed):
            raise UserError("\n".join(texts))
        if not refusals:
            return True
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("Not all of them are sent again"),
                "message": "\n".join(texts),
                "sticky": True,
            },
        }

    def _send_again(self, wait=False):
        """Send failed reminders once more; the verdict is asked again.

        :param wait: as of :meth:`~.SalesFollowupDispatcher._dispatch`
        :return: dict of reminder → sentences, of those that are refused
        """
        dispatcher, refusals = self.env["sales.followup.dispatcher"], {}
        for link, of_kind in self._group_by_document_model().items():
            # one document at a time: each may have several that failed
            latest = {reminder[link]: reminder for reminder in of_kind.sorted("id")}
            requests = [
                Request(
                    document=document,
                    template=reminder.template_id,
                    channel=reminder.channel,
                    overruled=reminder._get_overruled(),
                    reminder=reminder,
                )
                for document, reminder in latest.items()
            ]
            outcomes = dispatcher._dispatch(requests, Mode.MANUAL, wait=wait)
            for reminder in of_kind:
                outcome = outcomes[reminder[link]]
                if reminder != latest[reminder[link]]:
                    refusals[reminder] = (
                        self.env._("A later one of this document is sent instead."),
                    )
                elif outcome.state == "refused" or (
                    outcome.state == "failed" and not outcome.reminder
                ):
                    refusals[reminder] = outcome.reasons
        return refusals

    def _get_overruled(self):
        """Return the keys of the reasons a person sent this reminder against.

        What is wrong with an address is asked again each time.
        """
        # sudo: technical, and the reminder may be read
        keys = self.sudo().overruled or ()
        return frozenset(key for key in keys if not key.startswith(ADDRESS_KEYS))

    def _retry_due(self):
        """Send again what people and bulk runs could not send because of a temporary
        failure; automatic ones are planned by their own run.

        Generator, to be used up: each step is to be committed before the next one.
        """
        domain = [
            ("state", "=", "failed"),
            ("is_final", "=", False),
            ("origin", "!=", "auto"),
            ("retry_date", "<=", fields.Datetime.now()),
        ]
        seen = []
        while due := self.search(
            [*domain, ("id", "not in", seen)], order="retry_date, id", limit=RETRY_SIZE
        ):
            alike = due._get_alike_first()
            seen += alike.ids
            refusals = alike._as_sender()._send_again()
            for reminder, reasons in refusals.items():
                # a person decides about it now
                reminder._fail(
                    "\n".join((reminder.failure_reason or "", *reasons)).strip(),
                    reminder.attempts,
                    is_final=True,
                )
            yield len(alike)

    def _get_alike_first(self):
        """Return the first reminder, and those that can be sent together with it."""

        def get_kind(reminder):
            model = reminder._get_document()._name
            return model, reminder.user_id, reminder.company_id

        return self.filtered(lambda reminder: get_kind(reminder) == get_kind(self[0]))

    def _as_sender(self):
        """Return reminders as superuser on behalf of the person who sent them."""
        user = self[0].user_id or self.env.user
        return (
            self.with_user(user)
            .with_company(self[0].company_id)
            .with_context(lang=user.lang, tz=user.tz)
            # sudo: their rights were checked when they sent it
            .sudo()
        )

    def _is_writable(self):
        """Tell whether the text of this reminder, which could not be written, can be by
        now."""
        document = self._get_document()
        contact = document._followup_get_recipients(self.channel)[document]
        langs = document._followup_get_langs({document: contact})
        render = self.template_id._render_email
        if self.channel == "letter":
            render = self.template_id._render_letter
        try:
            with self.env.cr.savepoint():
                render(langs, {document.id: contact.id})
        except Exception as error:  # noqa: BLE001 whatever a text may raise
            if conflict := find_conflict(error):
                raise conflict from None
            return False
        return True

    def _get_kept_contact(self):
        """Return the recipient of the e-mail that is written already, if there is one.

        :return: ``res.partner``
        """
        written = self.filtered("message_id")
        return written._filter_rightful().contact_id

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
                ("state", "in", ("exception", "cancel")),
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

    def _revive(self):
        """Make reminders that failed outgoing once more, as of now: distances are
        counted from the day on which they go out."""
        for link, reminders in self._group_by_document_model().items():
            recipients = {
                channel: reminders[link]._followup_get_recipients(channel)
                for channel in set(reminders.mapped("channel"))
            }
            # sudo: what became of it is no user's to write
            for reminder in reminders.sudo():
                document = reminder[link].sudo(False)
                contact = reminder._get_kept_contact()
                rule_says = recipients[reminder.channel][document]
                reminder.write(
                    {
                        "state": "outgoing",
                        "failure_reason": False,
                        "is_final": False,
                        "is_unwritable": False,
                        "retry_date": False,
                        "date": fields.Datetime.now(),
                        "next_date": document._followup_get_next_date(
                            reminder.template_id
                        ),
                        "contact_id": (contact or rule_says).id,
                    }
                )
