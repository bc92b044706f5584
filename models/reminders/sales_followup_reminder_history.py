from odoo import Command, api, models
from odoo.exceptions import UserError

from .sales_followup_agenda import ACTIVITY_TYPE, FAILURE_TYPE


# What stays, and what may be taken off it, is a subject of its own.
class SalesFollowupReminder(models.Model):
    """How reminders are kept: cancelled rather than deleted, anonymized on demand."""

    _inherit = "sales.followup.reminder"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if self._filter_sent():
            raise UserError(
                self.env._(
                    "A reminder that was sent stays in the history. Cancel it, and "
                    "say why."
                )
            )

    def _filter_sent(self):
        """Return those that went out, or are about to: e-mails and letters."""
        return self.filtered(
            lambda reminder: (
                reminder.is_sending
                and (reminder.state != "failed" or reminder._has_bounced())
            )
        )

    def _has_bounced(self):
        """Tell whether the e-mail went out, and came back."""
        # sudo: the state of delivery is a fact, whoever looks
        statuses = self.sudo().message_id.notification_ids.mapped("notification_status")
        return "bounce" in statuses

    def copy_data(self, default=None):
        """Refuse: what was done once is not done twice by copying it."""
        # EXTENDS 'base'
        if self:
            raise UserError(
                self.env._("A reminder is not duplicated; make a new one instead.")
            )
        return super().copy_data(default)

    # --- cancel -----------------------------------------------------------------

    def _cancel(self, reason):
        """Cancel reminders: they stay in the history, and plan nothing any more.

        :param reason: why, shown on the reminder
        :raise UserError: without a reason
        """
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the reminder is cancelled."))
        self.check_access("write")
        living = self.filtered(lambda reminder: reminder.state != "cancelled")
        # sudo: users cannot write the state by themselves
        living.sudo().write({"state": "cancelled", "cancel_reason": reason.strip()})
        living._cancel_emails()
        living._plan_next()

    def _get_waiting_emails(self):
        """Return the e-mails of reminders that may still leave.

        :return: ``mail.mail``, as superuser
        """
        # sudo: the queue of e-mails is technical
        mails = self.env["mail.mail"].sudo()
        return mails.search(
            [
                ("mail_message_id", "in", self.message_id.ids),
                ("state", "in", ("outgoing", "exception")),
            ]
        )

    def _cancel_emails(self):
        """Stop e-mails of cancelled reminders that have not left yet."""
        waiting = self._get_waiting_emails()
        waiting.cancel()
        # sudo: the state of delivery is technical
        self.env["mail.notification"].sudo().search(
            [("mail_mail_id", "in", waiting.ids)]
        ).write({"notification_status": "canceled"})

    def action_cancel(self):
        """Ask for the reason, then cancel."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Reminders"),
            "res_model": "sales.followup.cancel",
            "view_mode": "form",
            "target": "new",
            "context": {"default_reminder_ids": self.ids},
        }

    # --- anonymize --------------------------------------------------------------

    def _anonymize(self):
        """Take off what tells about people: notes, files, texts, recipients.

        Dates, documents, channels, states and amounts stay: they are the statistics.
        """
        self._anonymize_agenda()
        self._anonymize_messages()
        # the dialogs that made them are kept for a while
        self.env["sales.followup.cancel"].search(
            [("reminder_ids", "in", self.ids)]
        ).unlink()
        for link, reminders in self._group_by_document_model().items():
            self.env["sales.followup.remind"].search(
                [(link, "in", reminders[link].ids)]
            ).unlink()
        # what was made for the reminder, or came with an answer: files of documents and
        # templates that went with an e-mail are theirs
        files = self.attachment_id | self.answer_id.attachment_ids
        files.filtered(lambda file: not file.res_field).unlink()
        self.write(
            {
                "note": False,
                "contact_id": False,
                "failure_reason": False,
                "cancel_reason": False,
            }
        )

    def _anonymize_messages(self):
        """Empty the e-mails, what the chatter says of reminders, and the answers."""
        # nothing leaves any more: it would be empty
        waiting = self._get_waiting_emails()
        # what becomes of the reminders is not told: they stay as they are
        waiting.with_context(followup_undecided=True).cancel()
        messages = self.message_id | self.log_message_id | self.answer_id
        messages.mail_ids.write(
            {"body_html": False, "email_to": False, "recipient_ids": [Command.clear()]}
        )
        messages.notification_ids.unlink()
        messages.write(
            {"body": False, "subject": False, "partner_ids": [Command.clear()]}
        )
        self.answer_id.write(
            {
                "email_from": False,
                "incoming_email_to": False,
                "incoming_email_cc": False,
            }
        )

    def _anonymize_agenda(self):
        """Take the notes off activities, and off what the chatter says of them."""
        data = self.env["ir.model.data"]
        found = (data._xmlid_to_res_id(name) for name in (ACTIVITY_TYPE, FAILURE_TYPE))
        type_ids = [type_id for type_id in found if type_id]
        for link, reminders in self._group_by_document_model().items():
            documents = reminders[link]
            activities = self.env["mail.activity"].with_context(active_test=False)
            activities.search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("activity_type_id", "in", type_ids),
                ]
            ).write({"note": False, "feedback": False})
            self.env["mail.message"].search(
                [
                    ("model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("mail_activity_type_id", "in", type_ids),
                ]
            ).write({"body": False})
