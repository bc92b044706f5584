from odoo import api, models
from odoo.fields import Domain

from .sales_followup_template import SENDING


# Answers are one more thing documents have in common.
class SalesFollowupMixin(models.AbstractModel):
    """Customers' answers to reminders."""

    _inherit = "sales.followup.mixin"

    @api.model
    def _followup_take_answers(self, messages):
        """Note messages of customers on the reminders they answer, the first one only.

        That is the reminder whose e-mail was replied to, and the last one that was
        sent: a late answer to the first reminder ends the waiting for the second, too.

        :param messages: ``mail.message`` on documents of this model, as superuser
        """
        if not messages:
            return
        reminders = self.env["sales.followup.reminder"].sudo()
        replied = reminders.search(
            [
                ("message_id", "in", messages.parent_id.ids),
                ("state", "in", ("outgoing", "done")),
            ]
        ).grouped("message_id")
        last = self._followup_get_last_sent(messages.mapped("res_id"))
        for message in messages.sorted("id"):
            answered = replied.get(message.parent_id, reminders) | last.get(
                message.res_id, reminders
            )
            waiting = answered.filtered(lambda r: not r.answer_id)
            waiting.write({"answer_id": message.id})

    @api.model
    def _followup_get_last_sent(self, document_ids):
        """Return the last e-mail or letter about each document.

        :return: dict of document id → ``sales.followup.reminder``, as superuser
        """
        reminders = self.env["sales.followup.reminder"].sudo()
        link = reminders._get_document_field(self._name)
        sent = reminders.search_fetch(
            [
                (link, "in", document_ids),
                ("channel", "in", SENDING),
                ("state", "in", ("outgoing", "done")),
            ],
            [link, "answer_id"],
            order="date, id",
        )
        return {reminder[link].id: reminder for reminder in sent}

    def _followup_get_answers(self, since=None):
        """Find what customers answered on these documents.

        An answer is whatever somebody from outside wrote on the document's thread: by
        e-mail, in the portal, when signing or declining; no automatic reply.

        :param since: dict of document → id of a message; only later ones count, all of
            a document that is not in it. Ids tell the order: ``date`` is what the
            sender's clock said
        :return: ``mail.message``, the first one first, as superuser; group them by
            ``res_id``
        """
        seen = {doc.id: since.get(doc, 0) for doc in self} if since else {}
        # sudo: that the customer answered does not depend on who looks
        messages = self.env["mail.message"].sudo()
        messages = messages.search_fetch(
            messages._followup_get_answer_domain()
            & Domain("model", "=", self._name)
            & Domain("res_id", "in", self.ids)
            & Domain("id", ">", min(seen.values(), default=0)),
            ["res_id", "message_type", "author_id", "create_date"],
            order="id",
        )
        later = messages.filtered(lambda m: m.id > seen.get(m.res_id, 0))
        return later._followup_filter_answers()
