from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .sales_followup_template import SENDING

#: what is noted on documents; people decide about pause, exclusion and contact
FACTS = frozenset(
    {
        "followup_cycle",
        "followup_sent_date",
        "followup_seen_message",
        "followup_seen_date",
        "followup_last_reminder_id",
        "followup_last_date",
        "followup_next_date",
        "followup_template_id",
    }
)


# When a document was given to the customer, and what came back.
class SalesFollowupMixin(models.AbstractModel):
    """The cycle of a document: from being sent to the customer's answer.

    Reminders count by cycle, and answers by message: both hold within a transaction,
    where all clocks show the same time.
    """

    _name = "sales.followup.mixin"
    _inherit = ["sales.followup.mixin", "sales.followup.guarded"]

    #: the states in which the customer has got the document
    _followup_sent_states = ()

    followup_cycle = fields.Integer(
        string="Follow-up Cycle",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="How many times the document was sent to the customer, resets between. "
        "Each time its series starts again.",
    )
    followup_sent_date = fields.Datetime(
        string="Sent to the Customer on",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )
    followup_seen_message = fields.Integer(
        string="Answers Handled",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="Id of the customer's last message when the document was last sent, "
        "reminded of or resumed; later ones are answers nobody has handled yet.",
    )
    followup_seen_date = fields.Datetime(
        string="Answers Handled on",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Start the cycle of documents that are created as sent."""
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        for vals in vals_list:
            if vals.get("state") in self._followup_sent_states:
                vals.update(self._followup_prepare_cycle())
        return super().create(vals_list)

    def write(self, vals):
        """Start a new cycle when the customer gets the document, or gets it again."""
        # EXTENDS 'base'
        self._check_guarded([vals], self)
        starting = self._followup_starts_cycle(vals.get("state"))
        if starting:
            if unchanged := self - starting:
                unchanged.write(vals)
                starting.write(vals)
                return True
        cycle = starting and self._followup_prepare_cycle()
        result = super().write(vals)
        if starting:
            starting._followup_note(cycle)
            starting._followup_take_up()
        return result

    def _followup_starts_cycle(self, state):
        """Return those documents that start a new cycle by getting into this state."""
        if state not in self._followup_sent_states:
            return self.browse()
        return self.filtered(lambda document: document.state != state)

    @api.model
    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return super()._get_guarded_fields() | FACTS

    def _followup_prepare_cycle(self):
        """Return the values with which a new cycle starts.

        :rtype: dict
        """
        # sudo: who sends a document need not see how it was chased
        cycles = self.sudo().mapped("followup_cycle")
        return {
            # the same for all: what counts is that it is a new one
            "followup_cycle": max(cycles, default=0) + 1,
            "followup_sent_date": self._followup_now(),
            # known without asking for reminders: there is none in a new cycle
            "followup_template_id": False,
        }

    def _followup_check_may_remind(self):
        """Refuse who may not remind of these documents.

        Reading them is not enough: customers read theirs in the portal, and may call
        any public method.

        :raise AccessError: without *Follow-up: User*, or where a document may not be
            read
        """
        self.env["sales.followup.reminder"].check_access("create")
        self.check_access("read")

    def _followup_now(self):
        """Return the earlier of the database's current time, by which messages are
        dated, and the server's.

        A transaction shows the time at which it began.
        """
        [[now]] = self.env.execute_query(SQL("SELECT NOW() AT TIME ZONE 'UTC'"))
        return min(now, self.env.cr.now(), fields.Datetime.now()).replace(microsecond=0)

    def _followup_take_up(self):
        """Mark all answers so far as handled, so that they no longer hold back
        reminders."""
        if not self:
            return
        # sudo: whoever sends or reminds, takes up
        documents = self.sudo()
        now = self._followup_now()
        last = {document.id: document.followup_seen_message for document in documents}
        for answer in documents._followup_get_answers(
            {document: last[document.id] for document in documents}
        ):
            last[answer.res_id] = answer.id
        documents._followup_note({"followup_seen_date": now})
        for document in documents:
            seen = last[document.id]
            if seen != document.followup_seen_message:
                document._followup_note({"followup_seen_message": seen})

    def _followup_note(self, values):
        """Note facts of ours on documents, as superuser.

        Not by their ``write()``: other addons take it for a change of the document.
        OCA's ``account_move_tier_validation`` refuses it on a validated invoice, so
        that no e-mail could be sent, and Odoo works invoices out once more and marks
        them as changed by hand. The values wait in the cache like any other, and reach
        the database together with what was written.

        :param values: dict of stored, plain fields of the mixin → value
        """
        # sudo: who sends or reminds need not be allowed to change the document
        documents = self.sudo()
        for name, value in values.items():
            documents._fields[name].write(documents, value)
        documents.modified(values)

    def _followup_restart(self):
        """Start a new cycle of documents that the customer has already got."""
        if self:
            self._followup_note(self._followup_prepare_cycle())

    def _followup_note_sent(self):
        """Note that the customer got the document once more."""
        self._followup_note({"followup_sent_date": self._followup_now()})
        self._followup_take_up()

    def action_followup_resume(self):
        """Take up the customer's answer: automatic reminders may go on.

        A pause ends, too.

        :raise AccessError: without *Follow-up: User*, or where a document may not be
            read
        """
        self._followup_check_may_remind()
        self._followup_note({"followup_pause_until": False})
        self._followup_take_up()
        for document in self.sudo():
            document._message_log(
                body=self.env._("Reminders go on."),
                author_id=self.env.user.partner_id.id,
            )
        return True

    # --- answers ----------------------------------------------------------------

    def _followup_take_answers(self, messages):
        """Note messages of customers on the reminders they answer, the first one only.

        That is the reminder whose e-mail was replied to, and the last one that was
        sent: a late answer to the first reminder ends the waiting for the second, too.

        :param messages: ``mail.message`` on documents of this model, as superuser
        """
        if not messages:
            return
        # sudo: a customer's message is noted whoever may see the reminder
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

    def _followup_get_last_sent(self, document_ids):
        """Return the last e-mail or letter about each document.

        :return: dict of document id → ``sales.followup.reminder``, as superuser
        """
        # sudo: the last one, whoever may see it
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
