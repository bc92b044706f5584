import logging
from smtplib import SMTPServerDisconnected

from odoo import models
from odoo.tools import split_every

from ...batches import find_conflict

_logger = logging.getLogger(__name__)

#: how many e-mails are looked at before they are handed over
CHECK_SIZE = 50


class MailMail(models.Model):
    _inherit = "mail.mail"

    # --- before it leaves -------------------------------------------------------

    def _send(self, *args, **kwargs):
        """Hand e-mails to the server, but for reminders that are out of date by now:
        the invoice was paid, the quotation confirmed, or the customer answered while
        they waited.

        Reminders hear of an e-mail only when the server has decided. Odoo notes a
        failure of every e-mail before it tries, so that none goes out twice; and of an
        e-mail during which the connection breaks off it keeps that note, which says
        nothing: here, what happened.
        """
        # EXTENDS 'mail'
        result = True
        for ids in split_every(CHECK_SIZE, self.ids):
            mails = self.browse(ids)
            mails -= mails._followup_withdraw_outdated()
            trying = mails.with_context(followup_undecided=True)
            try:
                result = super(MailMail, trying)._send(*args, **kwargs)
            except SMTPServerDisconnected as error:
                # e-mails are sent in this order, and those not reached yet are outgoing
                reached = mails.exists().filtered(
                    lambda mail: mail.state == "exception"
                )
                reached[-1:]._followup_note_disconnection(error)
                raise
        return result

    def _followup_withdraw_outdated(self):
        """Cancel the e-mails of reminders that should not leave any more.

        :return: these e-mails
        """
        reminders = self._followup_get_reminders([("state", "=", "outgoing")])
        if not reminders:
            return self.browse()
        reasons = reminders._get_outdated()
        mails = self.filtered(lambda mail: mail.mail_message_id in reasons)
        try:
            with self.env.cr.savepoint():
                for reminder in reminders.filtered(lambda r: r.message_id in reasons):
                    of_reminder = mails.filtered(
                        lambda mail, r=reminder: mail.mail_message_id == r.message_id
                    )
                    of_reminder._followup_withdraw(
                        reminder, *reasons[reminder.message_id]
                    )
        except Exception as error:
            if self.env.cr.closed or not find_conflict(error):
                raise
            # somebody works on the document: they wait for the next time
            _logger.info("Reminders are withdrawn later", exc_info=True)
        return mails

    def _followup_withdraw(self, reminder, reason, is_final):
        """Cancel the e-mail of one reminder quietly: somebody acted, who need not be
        told."""
        reminder._fail(reason, reminder.attempts, is_final=is_final, alert=False)
        quiet = self.with_context(followup_undecided=True)
        quiet.write({"state": "cancel", "failure_reason": reason})
        quiet._followup_cancel_notifications(reason)

    # --- cancelled or deleted in the queue --------------------------------------

    def write(self, vals):
        """Tell reminders when somebody cancels their e-mails."""
        # EXTENDS 'mail'
        result = super().write(vals)
        if vals.get("state") == "cancel" and self._followup_is_telling():
            self._followup_cancel_notifications(
                self.env._("The e-mail was cancelled in the queue before it left.")
            )
        return result

    def unlink(self):
        """Tell reminders when somebody deletes their e-mails that have not left."""
        # EXTENDS 'mail'
        if self._followup_is_telling():
            waiting = self.filtered(lambda mail: mail.state == "outgoing")
            waiting._followup_cancel_notifications(
                self.env._("The e-mail was deleted from the queue before it left.")
            )
        return super().unlink()

    def _followup_is_telling(self):
        """Tell whether what happens to e-mails is news to their reminders."""
        return not self.env.context.get("followup_undecided")

    def _followup_cancel_notifications(self, reason):
        """Note on the messages of reminders that their e-mails do not leave, which
        Odoo does not."""
        reminders = self._followup_get_reminders(
            [("state", "in", ("outgoing", "failed"))]
        )
        # sudo: the state of delivery is technical
        self.env["mail.notification"].sudo().search(
            [
                ("mail_message_id", "in", reminders.message_id.ids),
                ("mail_mail_id", "in", self.ids),
                ("notification_status", "not in", ("sent", "bounce", "canceled")),
            ]
        ).write({"notification_status": "canceled", "failure_reason": reason})

    def _followup_get_reminders(self, domain):
        """Return the reminders that these e-mails are about, as superuser."""
        # sudo: the state of delivery is a fact, whoever looks
        reminders = self.env["sales.followup.reminder"].sudo()
        messages = self.mail_message_id
        if not messages:
            return reminders
        return reminders.search([("message_id", "in", messages.ids), *domain])

    # --- after it left ----------------------------------------------------------

    def _prepare_outgoing_list(self, *args, **kwargs):
        """Keep addresses on one line: a line break in a customer's name would keep the
        e-mail from being sent."""
        # EXTENDS 'mail'
        emails = super()._prepare_outgoing_list(*args, **kwargs)
        for email in emails:
            for name in ("email_to", "email_cc"):
                email[name] = [" ".join(text.split()) for text in email[name] or ()]
        return emails

    def _followup_note_disconnection(self, error):
        """Keep what broke off the sending of a reminder's e-mail."""
        if not self._followup_get_reminders([]):
            return
        reason = str(error)
        self.write({"failure_type": "mail_smtp", "failure_reason": reason})
        self._postprocess_sent_message(
            success_pids=[],
            success_emails=[],
            failure_reason=reason,
            failure_type="mail_smtp",
        )

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        """Say on the message, too, why no server could be reached, and tell the
        reminders."""
        # EXTENDS 'mail'
        if failure_type and not failure_reason:
            failure_reason = self[:1].failure_reason
        messages = self.mail_message_id
        quiet = self.with_context(followup_undecided=True)
        result = super(MailMail, quiet)._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )
        self._followup_tell_reminders(messages)
        return result

    def _followup_tell_reminders(self, messages):
        """Tell reminders what became of their e-mails, now or a little later.

        An e-mail may have left. Whatever happens here must not undo what Odoo noted of
        it, or it would leave once more: somebody who changes the document meanwhile is
        enough for the database to refuse what belongs to the reminder.
        """
        # sudo: whether an e-mail is a reminder is a fact, whoever sends it
        reminders = self.env["sales.followup.reminder"].sudo()
        if not reminders.search_count([("message_id", "in", messages.ids)], limit=1):
            # a savepoint flushes, which posts pending changes before their time
            return
        try:
            with self.env.cr.savepoint():
                self.env["sales.followup.reminder"]._sync_messages(messages)
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.info("Reminders hear later of their e-mails", exc_info=True)
            # sudo: scheduled actions are for administrators
            self.env.ref("sales_followup.ir_cron_process_runs").sudo()._trigger()
