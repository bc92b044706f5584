from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...bounds import check_bounds
from ...rules.bounds import shift
from ...rules.verdict import Standing

FOLLOWUP_GROUP = "sales_followup.group_user"

#: kept for the verdict, of no use to group documents by
BOOKKEEPING_FIELDS = frozenset(
    {
        "followup_cycle",
        "followup_last_reminder_id",
        "followup_seen_date",
        "followup_seen_message",
        "followup_sent_date",
        "followup_template_id",
    }
)


class Situation(NamedTuple):
    """What a document is now.

    :param type: ``sales.followup.document.type``, empty where it is never chased
    :param standing: how far it has come
    """

    type: models.BaseModel
    standing: Standing

    @property
    def is_open(self):
        """Tell whether something is still to come of it."""
        return self.standing is not Standing.CLOSED


# Reminders are the other half of what documents have in common.
class SalesFollowupMixin(models.AbstractModel):
    """Reminders of a document; :mod:`.sales_followup_mixin` has who follows it."""

    _inherit = "sales.followup.mixin"

    #: the untaxed amount, in the document's currency
    _followup_amount_field = "amount_untaxed"

    followup_exclude = fields.Boolean(
        string="Do not remind automatically",
        copy=False,
        groups="base.group_user",
    )
    followup_pause_until = fields.Date(
        string="Pause Reminders Until",
        copy=False,
        groups="base.group_user",
        help="No automatic reminder before this day.",
    )
    followup_reminder_count = fields.Integer(
        string="Reminder Count",
        compute="_compute_followup_reminder_count",
        groups=FOLLOWUP_GROUP,
    )
    followup_last_reminder_id = fields.Many2one(
        "sales.followup.reminder",
        string="Latest Reminder",
        compute="_compute_followup_dates",
        store=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups=FOLLOWUP_GROUP,
    )
    followup_last_date = fields.Datetime(
        string="Last Reminder",
        compute="_compute_followup_dates",
        store=True,
        copy=False,
        groups=FOLLOWUP_GROUP,
    )
    followup_next_date = fields.Date(
        string="Next Reminder",
        compute="_compute_followup_dates",
        store=True,
        copy=False,
        groups=FOLLOWUP_GROUP,
        help="When the last reminder said to get back to the customer, until the "
        "document is done with. Nothing is sent because of it.",
    )
    followup_template_id = fields.Many2one(
        "sales.followup.template",
        string="Latest Level",
        compute="_compute_followup_dates",
        store=True,
        copy=False,
        ondelete="set null",
        groups="base.group_user",
        help="The last template the customer was reminded with since the document was "
        "sent. The database finds by it what is due next.",
    )

    followup_due_date = fields.Date(
        string="Earliest Due Date",
        compute="_compute_followup_debt",
        groups="base.group_user",
        help="With instalments, that of the earliest one that is not paid.",
    )
    followup_due_amount = fields.Float(
        string="Due Amount",
        compute="_compute_followup_debt",
        groups="base.group_user",
        help="What is due by today; where nothing is yet, what falls due first.",
    )
    followup_open_amount = fields.Float(
        string="Open Amount",
        compute="_compute_followup_debt",
        groups="base.group_user",
        help="All that is not paid, due or not.",
    )

    @api.constrains("followup_pause_until")
    def _check_followup_pause_until(self):
        check_bounds(self, "followup_pause_until")

    # --- reminders --------------------------------------------------------------

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Do not offer bookkeeping in the menus of groups."""
        # EXTENDS 'base'
        descriptions = super().fields_get(allfields, attributes)
        for name in BOOKKEEPING_FIELDS & descriptions.keys():
            if "groupable" in descriptions[name]:
                descriptions[name]["groupable"] = False
        return descriptions

    @api.depends("followup_reminder_ids")
    @api.depends_context("uid")
    def _compute_followup_reminder_count(self):
        link = self.env["sales.followup.reminder"]._get_document_field(self._name)
        counts = dict(
            self.env["sales.followup.reminder"]._read_group(
                [(link, "in", self.ids)], [link], ["__count"]
            )
        )
        for document in self:
            document.followup_reminder_count = counts.get(document._origin, 0)

    @api.depends(
        "followup_reminder_ids.date",
        "followup_reminder_ids.next_date",
        "followup_reminder_ids.state",
        "followup_reminder_ids.template_id",
    )
    def _compute_followup_dates(self):
        reminders = self._followup_get_reminders()
        last = self._followup_get_last(reminders)
        levels = self._followup_get_last(reminders.filtered("template_id"))
        agenda = self.env["sales.followup.agenda"]
        # sudo: where a document stands does not depend on who looks
        pending = last and agenda._filter_pending(self._origin.sudo(), last)
        for document in self:
            reminder = last.get(document._origin)
            document.followup_last_reminder_id = reminder
            document.followup_last_date = reminder and reminder.date
            document.followup_next_date = (
                reminder and document._origin in pending and reminder.next_date
            )
            level = levels.get(document._origin)
            # a new cycle begins without a level, and empties the field by itself
            is_present = level and level.cycle == document.followup_cycle
            document.followup_template_id = is_present and level.template_id

    def _followup_get_last_reminders(self, domain=()):
        """Return the last reminder of each document that was done or is going out.

        :param domain: of the reminders that count, besides
        :return: dict of document → ``sales.followup.reminder``, as superuser; documents
            without reminders are not in it
        """
        return self._followup_get_last(self._followup_get_reminders(domain))

    def _followup_get_reminders(self, domain=()):
        """Return the reminders of documents that were done or are going out.

        :param domain: of the reminders that count, besides
        :return: ``sales.followup.reminder``, the last ones last, as superuser
        """
        # sudo: where a document stands does not depend on who looks
        reminders = self.env["sales.followup.reminder"].sudo()
        link = reminders._get_document_field(self._name)
        return reminders.search_fetch(
            [
                (link, "in", self._origin.ids),
                ("state", "in", ("done", "outgoing")),
                *domain,
            ],
            [link, "date", "next_date", "template_id", "cycle", "state"],
            order="date, id",
        )

    def _followup_get_last(self, reminders):
        """Return the last one of these reminders for each document that has any.

        :return: dict of document → ``sales.followup.reminder``
        """
        link = reminders._get_document_field(self._name)
        by_id = {reminder[link].id: reminder for reminder in reminders}
        return {
            document: by_id[document.id]
            for document in self._origin
            if document.id in by_id
        }

    # --- what it is -------------------------------------------------------------

    def _followup_group_by_type(self):
        """Split documents by the document type they belong to now.

        :return: dict of ``sales.followup.document.type`` → documents; those of no type
            whose documents are chased are left out
        """
        doc_types = self.env["sales.followup.document.type"]._get_chased(self._name)
        grouped, waiting = {}, self
        for doc_type in doc_types:
            if of_type := waiting.filtered_domain(doc_type._get_domain()):
                grouped[doc_type] = of_type
                waiting -= of_type
        return grouped

    def _followup_get_types(self):
        """Return the document type of each document.

        :return: dict of document → ``sales.followup.document.type``, empty where its
            kind is never chased
        """
        none = self.env["sales.followup.document.type"]
        found = {
            document: doc_type
            for doc_type, documents in self._followup_group_by_type().items()
            for document in documents
        }
        return {document: found.get(document, none) for document in self}

    def _followup_get_open_domain(self):
        """Select the documents that are open, as their types say.

        :rtype: Domain
        """
        doc_types = self.env["sales.followup.document.type"]._get_chased(self._name)
        return Domain.OR(doc_type._get_open_domain() for doc_type in doc_types)

    def _followup_get_situations(self):
        """Return what kind of document each is now, and how far it has come.

        :return: dict of document → :class:`Situation`
        """
        none = self.env["sales.followup.document.type"]
        closed = Situation(none, Standing.CLOSED)
        situations = dict.fromkeys(self, closed)
        for doc_type, documents in self._followup_group_by_type().items():
            opened = documents.filtered_domain(doc_type._get_domain("open_domain"))
            chased = opened.filtered_domain(doc_type._get_domain("chase_domain"))
            for document in documents:
                if document in chased:
                    standing = Standing.CHASED
                elif document not in opened:
                    standing = Standing.CLOSED
                elif "state" in self._fields and document.state == "draft":
                    standing = Standing.DRAFT
                else:
                    standing = Standing.NOT_CHASED
                situations[document] = Situation(doc_type, standing)
        return situations

    def _followup_filter_open(self):
        """Return those documents that are open, as their type says."""
        situations = self._followup_get_situations()
        return self.filtered(lambda document: situations[document].is_open)

    # --- what is due ------------------------------------------------------------

    # Without dependencies: it changes with the day, and with other records.
    @api.depends_context("uid")
    def _compute_followup_debt(self):
        documents = self._origin
        dates = documents._followup_get_dates() if documents else {}
        debts = documents._followup_get_debts()
        for document in self:
            _dated, due_date = dates.get(document._origin, (None, None))
            debt = debts.get(document._origin.id)
            document.followup_due_date = due_date
            document.followup_due_amount = debt and debt.due
            document.followup_open_amount = debt and debt.total

    def _followup_get_debts(self):
        """Return what the customer owes on these documents, in their currency.

        Verdict, texts, letters and lists take due dates and amounts from here.

        :return: dict of document id → :class:`~..rules.debts.Debt`; of documents that
            are not in it nothing is owed, and the due field of their type counts
        """
        return {}

    def _followup_get_dates(self, types=None):
        """Return document date and due date of each document, where its company is.

        :param types: what :meth:`_followup_get_types` gave, if it was asked
        :return: dict of document → (date, date or ``None``)
        """
        documents = self.sudo()
        types = types or documents._followup_get_types()
        debts = documents._followup_get_debts()
        dates = {}
        for document in documents:
            company = document.company_id or self.env.company
            doc_type, debt = types[document], debts.get(document.id)
            name = doc_type.date_field
            dated = (name and document[name]) or document.create_date
            due = debt.day if debt else None
            if due is None and doc_type.due_field:
                due = document[doc_type.due_field]
            dates[document] = (
                company._followup_get_day(dated),
                company._followup_get_day(due) if due else None,
            )
        return dates

    def _followup_get_dated_domain(self, name, earliest, latest):
        """Select documents by a date field, both days included.

        :param name: a date or datetime field; of a datetime the UTC day counts, so give
            a day of slack
        :rtype: Domain
        """
        domain = Domain(name, ">=", earliest)
        if self._fields[name].type == "datetime":
            return domain & Domain(name, "<", fields.Date.add(latest, days=1))
        return domain & Domain(name, "<=", latest)

    def _followup_get_due_domain(self, doc_type, earliest, latest):
        """Select documents that may be due between two days: a superset will do.

        :param doc_type: ``sales.followup.document.type`` of the documents
        :rtype: Domain
        """
        if not doc_type.due_field:
            return Domain.FALSE
        return self._followup_get_dated_domain(doc_type.due_field, earliest, latest)

    def _followup_split_due_domain(self, doc_type, earliest, latest):
        """Split :meth:`_followup_get_due_domain` into parts that do not overlap, by the
        field that says when the documents are due.

        :return: list of (:class:`Domain`, name of the field, by which a search goes on)
        """
        domain = self._followup_get_due_domain(doc_type, earliest, latest)
        return [(domain, doc_type.due_field or "id")]

    def _followup_get_sender(self):
        """Return in whose name a reminder goes out by itself: the Salesperson, else the
        first representative who is there, else nobody's: the company's.

        :rtype: res.users
        """
        self.ensure_one()
        # sudo: the representatives may be of another company
        lead = self.sudo()[self._followup_lead_field]
        return lead.filtered("active") or self._followup_active_reps()[:1]

    def _followup_get_amount(self):
        """Return the untaxed amount in the document's currency.

        :rtype: float
        """
        return self[self._followup_amount_field]

    def _followup_get_amount_fields(self):
        """Return the names of the fields that tell the amounts of a document."""
        names = [self._followup_amount_field, "currency_rate"]
        return [name for name in names if name in self._fields]

    def _followup_get_standing_fields(self):
        """Return the names of the fields that tell whether a document is open."""
        return [name for name in ("state",) if name in self._fields]

    def _followup_get_company_amount(self):
        """Return the untaxed amount in the company's currency, at the document's rate.

        That is its ``currency_rate``; a document without this field is in the company's
        currency. :meth:`_followup_company_amount_to_sql` must tell the same.

        :rtype: float
        """
        rate = self.currency_rate if "currency_rate" in self._fields else 1.0
        return self._followup_get_amount() / (rate or 1.0)

    def _followup_company_amount_to_sql(self, query):
        """Return :meth:`_followup_get_company_amount` as an expression.

        :param query: Query of documents of this model
        :rtype: SQL
        """
        amount = self._field_to_sql(query.table, self._followup_amount_field, query)
        if "currency_rate" not in self._fields:
            return amount
        rate = self._field_to_sql(query.table, "currency_rate", query)
        return SQL("%s / COALESCE(NULLIF(%s, 0), 1)", amount, rate)

    def _followup_get_kind(self):
        """Return what the document is called, as on the button of an e-mail.

        :rtype: str
        """
        if "type_name" in self._fields:
            return self.type_name
        return self._followup_get_types()[self].name

    # --- reminding --------------------------------------------------------------

    def _followup_get_next_date(self, template):
        """Return when to get back to the customer if a reminder is done today.

        :param template: ``sales.followup.template``, maybe empty
        :return: a date in the user's time zone, or ``False`` on a closed document
        """
        self.ensure_one()
        if not self._followup_filter_open():
            return False
        return self._followup_count_days(template)

    def _followup_count_days(self, template):
        """Return when to get back to the customer of this open document.

        :param template: ``sales.followup.template``, maybe empty
        :return: a date in the user's time zone
        """
        company = self.company_id or self.env.company
        # sudo: the settings of the company are not for everybody
        days = template.sudo()._get_next_days(company.sudo())
        return shift(fields.Date.context_today(self), days)

    def action_followup_remind(self):
        """Open the dialog that reminds of this document."""
        self.ensure_one()
        link = self.env["sales.followup.reminder"]._get_document_field(self._name)
        return self.env["sales.followup.remind"]._get_action(**{link: self.id})

    def action_followup_verdict(self):
        """Open *Would it be sent?* on this document."""
        self.ensure_one()
        link = self.env["sales.followup.reminder"]._get_document_field(self._name)
        return self.env["sales.followup.verdict"]._get_action(**{link: self.id})

    def action_followup_reminders(self):
        """Open the reminders of this document."""
        self.ensure_one()
        link = self.env["sales.followup.reminder"]._get_document_field(self._name)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_reminder_action"
        )
        return {
            **action,
            "domain": [(link, "=", self.id)],
            "context": {f"default_{link}": self.id},
        }

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Offer open documents first where a dialog asks for it."""
        # EXTENDS 'base'
        if not self.env.context.get("followup_open_first"):
            return super().name_search(name, domain, operator, limit)
        is_open = self._followup_get_open_domain()
        domain = Domain(domain or Domain.TRUE)
        found = super().name_search(name, list(domain & is_open), operator, limit)
        left = limit and limit - len(found)
        if limit and not left:
            return found
        return found + super().name_search(
            name, list(domain & ~is_open), operator, left
        )

    # --- documents that are done with -------------------------------------------

    def write(self, vals):
        """Close the activity of a document that is done with."""
        # EXTENDS 'base'
        result = super().write(vals)
        if not vals.keys().isdisjoint(self._followup_get_standing_fields()):
            self._followup_close_finished()
        return result

    def _followup_close_finished(self):
        """Close the next-reminder activities of documents that are not open."""
        self.env["sales.followup.agenda"]._close_finished(self)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reminded(self):
        link = self.env["sales.followup.reminder"]._get_document_field(self._name)
        # sudo: reminders that the user may not see count, too
        reminders = self.env["sales.followup.reminder"].sudo()
        sent = reminders.search([(link, "in", self.ids)])._filter_sent()
        if sent:
            raise UserError(
                self.env._(
                    "The customer was reminded of %(documents)s; cancel instead of "
                    "deleting, so that the history stays.",
                    documents=", ".join(sent[link].mapped("display_name")),
                )
            )
