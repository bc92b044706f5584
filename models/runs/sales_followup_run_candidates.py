from datetime import date

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...rules.cadence import shift
from .sales_followup_run_planning import PLAN_SIZE

#: no time zone is further from UTC than that
SLACK_DAYS = 1

#: there has to be a day after it
LAST_DAY = date(9999, 12, 30)


# What the database can tell of who is due is a subject of its own.
class SalesFollowupRun(models.Model):
    """Which documents are judged; :mod:`.sales_followup_run_planning` judges.

    A search reads what it finds and hardly more, however many documents there are and
    however many were reminded before: each part of it fixes the latest level of the
    documents, and goes on in the order of an index that begins with that.
    """

    _inherit = "sales.followup.run"

    def _get_templates(self):
        """Return the automatic templates of this company, the earlier levels first."""
        templates = self.env["sales.followup.template"].search(
            [
                ("automatic", "=", True),
                ("active_from", "!=", False),
                ("document_type_id.active", "=", True),
                ("series_id.active", "=", True),
                ("company_id", "in", [False, self.env.company.id]),
                ("series_id.company_id", "in", [False, self.env.company.id]),
            ]
        )
        if self.env["res.company"]._followup_has_other_dunning():
            templates = templates.filtered(lambda t: t.model != "account.move")
        return templates

    def _walk_candidates(self, template, position=None, size=PLAN_SIZE):
        """Find documents that may be due for a template, and were not sent it yet.

        No document is missing for which the verdict says yes, unless its reminder
        failed and is tried again.

        :param position: where to go on, as it was given before
        :return: generator of (some documents of the template's model, position after
            them: a list that JSON can keep)
        """
        documents = self.env[template.document_type_id.model]
        start, *last = position or (0,)
        parts = self._get_parts(template)
        for number, (domain, keys) in list(enumerate(parts))[start:]:
            while rows := self._find_rows(template, domain, keys, last, size):
                *_others, (value, last_id) = rows
                last = [str(value), last_id]
                yield documents.browse(id_ for _value, id_ in rows), [number, *last]
            last = []

    def _find_rows(self, template, domain, keys, last, limit):
        """Find the next documents of one part.

        :param keys: names of the fields by which they are sorted: maybe one they have
            in common, then the day, then the id
        :param last: day and id of the last one found before, or nothing
        :return: list of (day, id)
        """
        documents = self.env[template.document_type_id.model].with_context(
            active_test=False
        )
        query = documents._search(domain, limit=limit)
        columns = [SQL.identifier(query.table, name) for name in keys]
        query.order = SQL(", ").join(columns)
        if last:
            query.add_where(SQL("(%s, %s) > (%s, %s)", *columns[-2:], *last))
        query.add_where(self._get_not_sent(template, documents, query))
        if template.trigger == "previous":
            query.add_where(self._get_reminded(template, documents))
        return self.env.execute_query(query.select(*columns[-2:]))

    # --- parts ------------------------------------------------------------------

    def _get_parts(self, template):
        """Split the documents that may be due for a template by their latest level, and
        by the field that says the day.

        :return: list of (:class:`Domain`, names of the fields that sort them)
        """
        doc_type = template.document_type_id
        common = (
            doc_type._get_domain()
            & doc_type._get_domain("chase_domain")
            & Domain("company_id", "=", self.env.company.id)
        )
        days = self._get_days(template)
        return [
            (common & level & day, (*prefix, key, "id"))
            for level, prefix in self._get_levels(template)
            for day, key in days
        ]

    def _get_levels(self, template):
        """Select the documents that may follow the series of a template and stand below
        it, by their latest level.

        Where the latest one comes after it in the series, its turn is over; where it is
        of another series of the same kind, the document follows that one.

        :return: list of (:class:`Domain`, names of the fields that begin their index)
        """
        series = template.series_id
        # sudo: documents were reminded with templates of all companies
        templates = (
            self.env["sales.followup.template"]
            .sudo()
            .with_context(active_test=False)
            .search([("model", "=", template.model)])
        )
        levels = series.sudo().template_ids
        passed = levels[levels.ids.index(template.id) :]
        own = templates.filtered(lambda t: t.series_id == series) - passed
        # what is left of series that are none any more, or of another kind
        others = templates.filtered(
            lambda t: (
                t.series_id != series
                and not (
                    t.series_id.active
                    and t.series_id.document_type_id == series.document_type_id
                )
            )
        )
        indexed = ("followup_template_id",)
        found = [(self._get_beginning(template), indexed)]
        for level in own:
            found.append((Domain("followup_template_id", "=", level.id), indexed))
        if others:
            found.append((Domain("followup_template_id", "in", others.ids), ()))
        return found

    def _get_beginning(self, template):
        """Select documents that got no level in their present cycle: by the filter of
        the series, unless they followed some series before.

        :rtype: Domain
        """
        series = template.series_id
        domain = Domain("followup_template_id", "=", False) & (
            series._get_domain() | Domain("followup_last_reminder_id", "!=", False)
        )
        if template.trigger == "previous":
            # a level that was sent and cancelled counts as sent
            domain &= Domain("followup_reminder_ids.state", "=", "cancelled")
        return domain

    def _get_days(self, template):
        """Select documents whose day for a template has come, a day of slack for time
        zones.

        :return: list of (:class:`Domain`, name of the field that says the day)
        """
        doc_type = template.document_type_id
        documents = self.env[doc_type.model]
        dated = doc_type.date_field or "create_date"
        if template.trigger == "previous":
            # their day is told by reminders; the date merely sorts
            return [
                (Domain(dated, "!=", False), dated),
                (Domain(dated, "=", False), "id"),
            ]
        latest = self._get_latest(template)
        earliest = shift(template.active_from, -SLACK_DAYS - template.offset_days)
        if template.trigger == "due_date":
            return documents._followup_split_due_domain(doc_type, earliest, latest)
        created = documents._followup_get_dated_domain("create_date", earliest, latest)
        return [
            (documents._followup_get_dated_domain(dated, earliest, latest), dated),
            (Domain(dated, "=", False) & created, "create_date"),
        ]

    def _get_latest(self, template):
        """Return the last day from which a template may be due by now."""
        today = self.env.company._followup_today()
        return min(shift(today, SLACK_DAYS - template.offset_days), LAST_DAY)

    # --- reminders --------------------------------------------------------------

    def _get_reminded(self, template, documents):
        """Select documents that were sent a level of the series early enough.

        :rtype: SQL
        """
        levels = template.series_id.sudo().with_context(active_test=False).template_ids
        reminders = self.env["sales.followup.reminder"]
        link = reminders._get_document_field(documents._name)
        reminders.flush_model([link, "template_id", "date"])
        return SQL(
            """
            EXISTS (
                SELECT 1 FROM sales_followup_reminder reminded
                 WHERE reminded.%(link)s = %(document)s
                   AND reminded.template_id = ANY(%(templates)s)
                   AND reminded.date < %(end)s
                OFFSET 0)
            """,
            link=SQL.identifier(link),
            document=SQL.identifier(documents._table, "id"),
            templates=levels.ids,
            end=fields.Date.add(self._get_latest(template), days=1),
        )

    def _get_not_sent(self, template, documents, query):
        """Leave out documents that got this level in their present cycle.

        They are asked one by one (hence ``OFFSET 0``), so that the search stops as soon
        as it found enough, instead of going through all reminders.

        :param query: the one that selects ``documents``
        :rtype: SQL
        """
        reminders = self.env["sales.followup.reminder"]
        link = reminders._get_document_field(documents._name)
        reminders.flush_model([link, "template_id", "cycle", "state", "origin"])
        return SQL(
            """
            NOT EXISTS (
                SELECT 1 FROM sales_followup_reminder sent
                 WHERE sent.%(link)s = %(document)s
                   AND sent.template_id = %(template)s
                   AND sent.cycle = COALESCE(%(cycle)s, 0)
                   AND (sent.state <> 'failed' OR sent.origin = 'auto')
                OFFSET 0)
            """,
            link=SQL.identifier(link),
            document=SQL.identifier(documents._table, "id"),
            template=template.id,
            cycle=documents._field_to_sql(documents._table, "followup_cycle", query),
        )
