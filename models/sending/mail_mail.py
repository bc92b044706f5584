import logging
from smtplib import SMTPServerDisconnected

from odoo import api, models

_logger = logging.getLogger(__name__)


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _send(self, *args, **kwargs):
        """Hand e-mails to the server; reminders hear of it only when it has decided.

        Odoo notes a failure of every e-mail before it tries, so that none goes out
        twice. And of an e-mail during which the connection breaks off it keeps that
        note, which says nothing: here, what happened.
        """
        # EXTENDS 'mail'
        try:
            trying = self.with_context(followup_undecided=True)
            return super(MailMail, trying)._send(*args, **kwargs)
        except SMTPServerDisconnected as error:
            # e-mails are sent in this order, and those not reached yet are outgoing
            reached = self.exists().filtered(lambda mail: mail.state == "exception")
            reached[-1:]._followup_note_disconnection(error)
            raise

    def _followup_note_disconnection(self, error):
        """Keep what broke off the sending of a reminder's e-mail."""
        reminders = self.env["sales.followup.reminder"].sudo()
        if not reminders.search_count([("message_id", "in", self.mail_message_id.ids)]):
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

    @api.model
    def _followup_tell_reminders(self, messages):
        """Tell reminders what became of their e-mails, now or a little later.

        An e-mail may have left. Whatever happens here must not undo what Odoo noted of
        it, or it would leave once more: somebody who changes the document meanwhile is
        enough for the database to refuse what belongs to the reminder.
        """
        try:
            with self.env.cr.savepoint():
                self.env["sales.followup.reminder"]._sync_messages(messages)
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.info("Reminders hear later of their e-mails", exc_info=True)
            # sudo: scheduled actions are for administrators
            self.env.ref("sales_followup.ir_cron_process_runs").sudo()._trigger()
