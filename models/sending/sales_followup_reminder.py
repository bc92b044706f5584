from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, plaintext2html

from ..reminders.sales_followup_template import SENDING


# Sending is a subject of its own, and long enough for a file of its own.
class SalesFollowupReminder(models.Model):
    """How reminders go out; :mod:`.sales_followup_reminder` has what they are."""

    _inherit = "sales.followup.reminder"

    @api.model
    def _remind(self, documents, values, send=True):
        """Remind of documents: log what was done, or send it.

        :param documents: recordset of one kind of documents the user may read
        :param values: dict of ``channel`` and any of ``template_id``, ``contact_id``,
            ``note``, ``result_id``, ``date``, ``next_date``, ``user_id``, the same for
            all; the next date is worked out where it is not given
        :param send: whether an e-mail or letter is sent, or was sent otherwise and is
            merely logged
        :return: the reminders
        :raise UserError: where one of them cannot be sent; nothing is made then
        """
        documents.check_access("read")
        self.check_access("create")
        contact = self.env["res.partner"].browse(values.get("contact_id") or ())
        documents._followup_check_recipient(contact)
        sending = send and values["channel"] in SENDING
        if sending:
            self._check_sendable(documents, values)
        prepared = self._prepare_values(values)
        name = self._get_document_field(documents._name)
        # sudo: the rights were checked above, and what was sent is no user's to write
        reminders = self.sudo().create(
            [
                {
                    **prepared,
                    name: document.id,
                    "state": "outgoing" if sending else "done",
                }
                for document in documents
            ]
        )
        reminders = reminders.sudo(False)
        if sending:
            reminders._send()
        else:
            reminders._log_in_chatter()
            if values["channel"] in SENDING:
                reminders._settle_alerts()
        if values["channel"] in SENDING:
            self.env["sales.followup.dispatcher"]._touch_customers(documents)
        return reminders

    @api.model
    def _prepare_values(self, values):
        """Give the values of new reminders; nobody named: who the rule says gets it."""
        prepared = {"user_id": self.env.uid, **values}
        if not prepared.get("contact_id"):
            prepared.pop("contact_id", None)
        return prepared

    @api.model
    def _check_sendable(self, documents, values):
        """Say what keeps an e-mail or a letter from going out.

        :raise UserError: naming document or customer, and the remedy
        """
        template = self.env["sales.followup.template"].browse(values.get("template_id"))
        problems = [
            problem
            for document, problem in documents._followup_get_obstacles(
                values["channel"],
                template,
                self.env["res.partner"].browse(values.get("contact_id") or ()),
            ).items()
            if problem
        ]
        if problems:
            raise UserError("\n".join(problems))

    def _send(self):
        """Send outgoing reminders, those of a channel together.

        :raise UserError: where one cannot be rendered
        """
        for channel, send in self._get_senders().items():
            if reminders := self.filtered(lambda r, c=channel: r.channel == c):
                send(reminders)

    @api.model
    def _get_senders(self):
        """Give how each channel is sent: the seam for another one.

        :return: dict of channel → method taking outgoing reminders
        """
        return {
            "email": self.env["sales.followup.emailer"]._send,
            "letter": self.env["sales.followup.letter.sender"]._send,
        }

    # --- what follows -----------------------------------------------------------

    def _plan_next(self, renew=True):
        """Bring the agenda of the documents into line with these reminders.

        :param renew: whether what is not in the agenda is entered there
        """
        for link, reminders in self._group_by_document_model().items():
            self.env["sales.followup.agenda"]._plan(reminders[link], renew)

    def _log_in_chatter(self):
        """Note on the documents what was done, for everybody who works there."""
        for link, reminders in self._group_by_document_model().items():
            bodies = {
                reminder[link].id: reminder._get_log_body() for reminder in reminders
            }
            # sudo: reading the document is enough to remind
            messages = (
                reminders[link]
                .sudo()
                ._message_log_batch(
                    bodies=bodies, author_id=self.env.user.partner_id.id
                )
            )
            logs = {message.res_id: message.id for message in messages}
            for reminder in reminders.sudo():
                reminder.log_message_id = logs[reminder[link].id]

    def _get_log_body(self):
        """Say in the chatter what was done, and when the next reminder is due.

        :rtype: markupsafe.Markup
        """
        channels = dict(self._fields["channel"]._description_selection(self.env))
        parts = [
            self.env._(
                "Reminder %(number)s: %(channel)s",
                number=self.name,
                channel=channels[self.channel],
            )
        ]
        if self.result_id:
            parts.append(self.result_id.name)
        if self.next_date:
            parts.append(
                self.env._(
                    "next reminder on %(date)s",
                    date=format_date(self.env, self.next_date),
                )
            )
        body = escape(", ".join(parts))
        if self.note:
            body += Markup("<br/>") + plaintext2html(self.note)
        return body

    def _get_local_day(self):
        """Give the day of the reminder where its user is.

        :rtype: datetime.date
        """
        return fields.Datetime.context_timestamp(self, self.date).date()
