from functools import partial

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...rules import reps as rule
from ...rules.reps import NOBODY, Reps, Slots


class SalesFollowupPlanner(models.AbstractModel):
    """Works out what a propagation makes of documents, without writing anything.

    It fetches facts in sets and asks :mod:`~..rules.reps`; who shows the answers to the
    user, and who writes them, is somebody else's business.
    """

    _name = "sales.followup.propagation"
    _description = "Planner of Representatives on Documents"

    @api.model
    def _judge_documents(self, doc_type, ids, replacement=None):
        """Ask the rule about documents.

        :param doc_type: their ``sales.followup.document.type``
        :param ids: of documents that the user may read
        :param replacement: (id of the user who leaves, id of the one who joins), or
            ``None`` to align documents with their customers
        :return: generator of (document, :class:`~..rules.reps.Outcome`); a document is
            a dict of the facts about it, ``lead_held`` among them: whether its
            Salesperson would have changed, were it not kept
        """
        documents = self._fetch_documents(doc_type, ids)
        permitted = self.env["res.users"]._followup_permitted_by_company()
        customers = {}
        if not replacement:
            partners = self.env["res.partner"].browse(
                {document["partner"] for document in documents} - {None}
            )
            customers = partners._followup_get_document_reps()
        has_lead, has_reps = bool(doc_type.lead_field), bool(doc_type.reps_field)
        for document in documents:
            ask = partial(self._ask_rule, document, customers, permitted, replacement)
            kept = has_lead and document["lead_kept"]
            freely = ask(Slots(has_lead, has_reps))
            document["lead_held"] = kept and freely.new.lead != document["lead"]
            yield document, ask(Slots(False, has_reps)) if kept else freely

    @api.model
    def _ask_rule(self, document, customers, permitted, replacement, slots):
        """Ask the rule about one document; see :meth:`_judge_documents`."""
        users = permitted.get(document["company"], frozenset())
        if replacement:
            return rule.replace_on_document(
                document["reps"], *replacement, users, slots
            )
        customer = customers.get(document["partner"], NOBODY)
        return rule.align(document["reps"], customer, users, slots, permitted[None])

    @api.model
    def _fetch_documents(self, doc_type, ids):
        """Fetch the facts about some documents, in the order of ids.

        :param doc_type: their ``sales.followup.document.type``
        :param ids: of documents that the user may read
        :return: list of dicts
        """
        model = self.env[doc_type.model]
        model.flush_model()
        kept = (
            doc_type._get_documents_model()
            .sudo()
            ._search(doc_type._get_domain("keep_lead_domain") & Domain("id", "in", ids))
        )
        has_company = _is_column(model, "company_id")
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT doc.id, doc.%(partner)s AS partner, %(lead)s AS lead,
                       %(company)s AS company, %(amount)s AS amount,
                       company.currency_id AS currency,
                       doc.id IN %(kept)s AS lead_kept
                  FROM %(table)s doc
             LEFT JOIN res_company company ON company.id = %(company)s
                 WHERE doc.id = ANY(%(ids)s)
              ORDER BY doc.id
                """,
                partner=SQL.identifier(doc_type.partner_field),
                lead=_column(doc_type.lead_field),
                company=_column("company_id" if has_company else None),
                amount=self._get_amount_sql(doc_type),
                kept=kept.subselect(),
                table=SQL.identifier(model._table),
                ids=list(ids),
            )
        )
        target = self.env["sales.followup.change"]._get_target(
            doc_type.model, {doc_type.lead_field, doc_type.reps_field} - {False}
        )
        members = self.env["sales.followup.rep.writer"]._read_members(target, ids)
        for row in rows:
            row["reps"] = Reps(row["lead"], members.get(row["id"], ()))
        return rows

    @api.model
    def _get_amount_sql(self, doc_type):
        """Give the SQL of a document's amount in its company's currency."""
        model = self.env[doc_type.model]
        if not doc_type.amount_field:
            return SQL("NULL")
        amount = _column(doc_type.amount_field)
        if "move_type" in model._fields and _is_column(model, "move_type"):
            # a credit note takes away from what is at stake
            amount = SQL(
                "CASE WHEN doc.move_type IN ('out_refund', 'in_refund')"
                " THEN -%(amount)s ELSE %(amount)s END",
                amount=amount,
            )
        if not _is_column(model, "currency_id") or not _is_column(model, "company_id"):
            return amount
        day = SQL(
            "COALESCE(%s::date, doc.create_date::date)", _column(doc_type.date_field)
        )
        return SQL(
            "CASE WHEN doc.currency_id = company.currency_id THEN %(amount)s"
            " ELSE %(amount)s * %(to_rate)s / %(from_rate)s END",
            amount=amount,
            to_rate=_rate_sql(SQL("company.currency_id"), day),
            from_rate=_rate_sql(SQL("doc.currency_id"), day),
        )


def _is_column(model, name):
    """Tell whether a field of a model is a column of its own table."""
    field = model._fields.get(name)
    return bool(field and field.store and field.column_type and not field.inherited)


def _column(name):
    """Give the SQL of a document's column; ``NULL`` where there is none."""
    return SQL("doc.%s", SQL.identifier(name)) if name else SQL("NULL")


def _rate_sql(currency, day):
    """Give the SQL of a currency's rate on a day, as Odoo's conversion looks it up."""
    rates = SQL(
        "SELECT rate.rate FROM res_currency_rate rate"
        " WHERE rate.currency_id = %s AND (rate.company_id IS NULL OR rate.company_id"
        " = SPLIT_PART(company.parent_path, '/', 1)::int)",
        currency,
    )
    return SQL(
        "COALESCE((%(rates)s AND rate.name <= %(day)s"
        " ORDER BY rate.company_id, rate.name DESC LIMIT 1),"
        " (%(rates)s ORDER BY rate.company_id, rate.name LIMIT 1), 1)",
        rates=rates,
        day=day,
    )
