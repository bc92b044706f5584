import json
from functools import partial

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ...rules import reps as rule
from ...rules.changes import Premises
from ...rules.reps import NOBODY, Finding, Reps, Slots

#: how many documents are fetched, judged and put into a preview at a time
PLAN_SIZE = 5000


class SalesFollowupPlanner(models.AbstractModel):
    """Works out what a propagation makes of documents, without writing any of them.

    It fetches facts in sets and asks :mod:`~..rules.reps`. The answers become the lines
    of a *preview*: a record with ``line_ids`` such as the wizard's, of which the ticked
    ones are later copied into a change.
    """

    _name = "sales.followup.propagation"
    _description = "Planner of Representatives on Documents"

    # --- preview ----------------------------------------------------------------

    def _fill_preview(self, preview, doc_type, ids, replacement=None):
        """Put documents of a type into a preview.

        :param preview: record with ``line_ids``
        :param doc_type: their ``sales.followup.document.type``
        :param ids: of documents that the user may read
        :param replacement: as in :meth:`_judge_documents`
        :return: how many are already as asked, and have no line
        """
        right = 0
        for index in range(0, len(ids), PLAN_SIZE):
            lines = []
            for document, outcome in self._judge_documents(
                doc_type, ids[index : index + PLAN_SIZE], replacement
            ):
                if outcome.finding is Finding.RIGHT and not document["lead_held"]:
                    right += 1
                elif outcome.finding is not Finding.NOT_CONCERNED:
                    lines.append(self._prepare_line(doc_type, document, outcome))
            self._insert_lines(preview, lines)
        return right

    def _prepare_line(self, doc_type, document, outcome):
        """Return the column values of a preview line."""
        changes = outcome.finding is Finding.CHANGE
        reason = None if changes else outcome.finding.value
        if outcome.finding is Finding.RIGHT:
            reason = "kept"
        return {
            "type_id": doc_type.id,
            "model": doc_type.model,
            "res_id": document["id"],
            "partner_id": document["partner"],
            "company_id": document["company"],
            "currency_id": document["currency"],
            "amount": document["amount"],
            "status": "change" if changes else "skip",
            "reason": reason,
            "selected": changes,
            "is_kept": document["lead_kept"],
            "lead_kept": document["lead_held"],
            "old_lead_id": document["reps"].lead,
            "new_lead_id": outcome.new.lead,
            "old_ids": document["reps"].members,
            "new_ids": outcome.new.members,
        }

    def _insert_lines(self, preview, lines):
        """Insert preview lines in one statement."""
        if not lines:
            return
        columns = list(lines[0])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (wizard_id, create_uid, create_date, write_uid,
                                       write_date, %(columns)s)
                     SELECT %(preview)s, %(uid)s, %(now)s, %(uid)s, %(now)s, %(columns)s
                       FROM JSONB_POPULATE_RECORDSET(NULL::%(table)s, %(lines)s::jsonb)
                """,
                table=SQL.identifier(preview.line_ids._table),
                columns=SQL(", ").join(map(SQL.identifier, columns)),
                preview=preview.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
                lines=json.dumps(lines),
            )
        )

    def _clear_preview(self, previews):
        """Remove the lines of previews in one statement: there may be a hundred
        thousand."""
        lines = previews.line_ids.browse()
        lines.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM %s WHERE wizard_id = ANY(%s)",
                SQL.identifier(lines._table),
                previews.ids,
            )
        )
        lines.invalidate_model()
        previews.invalidate_recordset(["line_ids"])

    def _tick_preview(self, preview, selected):
        """Tick or untick all lines of a preview that change something."""
        lines = preview.line_ids.browse()
        lines.flush_model()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET selected = %s WHERE wizard_id = %s"
                " AND status = 'change'",
                SQL.identifier(lines._table),
                selected,
                preview.id,
            )
        )
        lines.invalidate_model()
        preview.invalidate_recordset()

    def _copy_preview(self, preview, change):
        """Copy the ticked lines of a preview into the plan of a change."""
        lines = preview.line_ids.browse()
        lines.flush_model()
        change._plan_documents(
            SQL(
                """
                SELECT ROW_NUMBER() OVER (ORDER BY line.type_id, line.res_id) AS number,
                       line.type_id, line.model, line.res_id, line.partner_id,
                       line.company_id, line.is_kept AS lead_kept,
                       NULLIF(type.lead_field, '') AS lead_field,
                       NULLIF(type.reps_field, '') AS reps_field,
                       %(old_lead)s AS old_lead, %(new_lead)s AS new_lead,
                       line.old_ids, line.new_ids
                  FROM %(table)s line
                  JOIN sales_followup_document_type type ON type.id = line.type_id
                 WHERE line.wizard_id = %(preview)s AND line.selected
                   AND line.status = 'change'
                """,
                table=SQL.identifier(lines._table),
                preview=preview.id,
                old_lead=_as_list_sql("old_lead_id"),
                new_lead=_as_list_sql("new_lead_id"),
            )
        )

    def _count_activities(self, preview, user_id):
        """Count the open activities of a user on the ticked documents of a preview."""
        lines = preview.line_ids.browse()
        lines.flush_model()
        records = SQL(
            "SELECT model, res_id, id AS position FROM %s"
            " WHERE wizard_id = %s AND selected AND status = 'change'",
            SQL.identifier(lines._table),
            preview.id or 0,
        )
        changes = self.env["sales.followup.change"]
        return len(
            self.env.execute_query(changes._select_activities(records, user_id or 0))
        )

    # --- judgement --------------------------------------------------------------

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

    def _ask_rule(self, document, customers, permitted, replacement, slots):
        """Ask the rule about one document; see :meth:`_judge_documents`."""
        users = permitted.get(document["company"], frozenset())
        if replacement:
            return rule.replace_on_document(
                document["reps"], *replacement, users, slots
            )
        customer = customers.get(document["partner"], NOBODY)
        return rule.align(document["reps"], customer, users, slots, permitted[None])

    # --- facts ------------------------------------------------------------------

    def _fetch_documents(self, doc_type, ids):
        """Fetch the facts about some documents, in the order of ids.

        :param doc_type: their ``sales.followup.document.type``
        :param ids: of documents that the user may read
        :return: list of dicts
        """
        model = self.env[doc_type.model]
        model.flush_model()
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
                company=_company_column(model),
                amount=self._get_amount_sql(doc_type),
                kept=self._select(
                    doc_type, doc_type._get_domain("keep_lead_domain"), ids
                ),
                table=SQL.identifier(model._table),
                ids=list(ids),
            )
        )
        writer = self.env["sales.followup.rep.writer"]
        members = writer._read_members(doc_type._get_target(), ids)
        for row in rows:
            row["reps"] = Reps(row["lead"], members.get(row["id"], ()))
        return rows

    def _fetch_premises(self, doc_type, ids, scope):
        """Fetch what documents are judged by, besides their representatives.

        :param doc_type: their ``sales.followup.document.type``
        :param ids: of documents, which the user need not see
        :param scope: ``open``, ``closed`` or ``all``
        :return: dict of id → :class:`~..rules.changes.Premises`
        """
        model = self.env[doc_type.model]
        model.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT doc.id, doc.%(partner)s, %(company)s, doc.id IN %(kept)s,
                       doc.id IN %(scope)s
                  FROM %(table)s doc
                 WHERE doc.id = ANY(%(ids)s)
                """,
                partner=SQL.identifier(doc_type.partner_field),
                company=_company_column(model),
                kept=self._select(
                    doc_type, doc_type._get_domain("keep_lead_domain"), ids
                ),
                scope=self._select(doc_type, doc_type._get_scope_domain(scope), ids),
                table=SQL.identifier(model._table),
                ids=list(ids),
            )
        )
        return {id_: Premises(*facts) for id_, *facts in rows}

    def _select(self, doc_type, domain, ids):
        """Return the SQL that selects those of some documents that a domain holds for,
        whatever the user may see."""
        model = doc_type._get_documents_model().sudo()
        return model._search(domain & Domain("id", "in", ids)).subselect()

    def _get_amount_sql(self, doc_type):
        """Return the SQL of a document's amount in its company's currency."""
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
    """Return the SQL of a document's column; ``NULL`` where there is none."""
    return SQL("doc.%s", SQL.identifier(name)) if name else SQL("NULL")


def _company_column(model):
    """Return the SQL of a document's company; ``NULL`` where it has none."""
    return _column("company_id" if _is_column(model, "company_id") else None)


def _as_list_sql(column):
    """Return the SQL of a preview line's user as a JSON list of at most one."""
    return SQL(
        "CASE WHEN %(column)s IS NULL THEN '[]' ELSE JSONB_BUILD_ARRAY(%(column)s) END",
        column=SQL.identifier("line", column),
    )


def _rate_sql(currency, day):
    """Return the SQL of a currency's rate on a day, as Odoo's conversion finds it."""
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
