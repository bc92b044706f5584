from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..rules.cadence import shift
from .sales_followup_automatic import PLAN_SIZE

#: no time zone is further from UTC than that
SLACK_DAYS = 1

#: there has to be a day after it
LAST_DAY = date(9999, 12, 30)


# What the database can tell of who is due is a subject of its own.
class SalesFollowupAutomatic(models.AbstractModel):
    """Which documents are judged; :mod:`.sales_followup_automatic` sends."""

    _inherit = "sales.followup.automatic"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _get_templates(self):
        """Give the automatic templates of this company, the earlier levels first."""
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

    @api.model
    def _find_candidates(self, template, after_id=0, limit=PLAN_SIZE):
        """Find documents that may be due for a template, and were not sent it yet.

        No document is missing for which the verdict says yes, unless its reminder
        failed and is tried again.

        :param after_id: the last document of the batch before
        :return: documents of the template's model, by id
        """
        documents = self.env[template.document_type_id.model].with_context(
            active_test=False
        )
        query = documents._search(
            self._get_candidates_domain(template) & Domain("id", ">", after_id),
            limit=limit,
            order="id",
        )
        query.add_where(self._get_not_sent(template, documents, query))
        return self.env[documents._name].browse(query)

    @api.model
    def _get_candidates_domain(self, template):
        """Select documents of this company that may be due for a template.

        :rtype: Domain
        """
        doc_type = template.document_type_id
        return (
            doc_type._get_domain()
            & doc_type._get_domain("chase_domain")
            & Domain("company_id", "=", self.env.company.id)
            & self._get_series_domain(template.series_id)
            & self._get_day_domain(template)
        )

    @api.model
    def _get_series_domain(self, series):
        """Select documents that may follow a series: they do already, or meet its
        filter and follow no other one.

        :rtype: Domain
        """
        last = "followup_last_reminder_id.template_id.series_id"
        # only these can be told apart here: after a call, say, it is not the last
        # reminder that tells the series
        other = Domain(last, "any", [("active", "=", True), ("id", "!=", series.id)])
        other &= Domain(
            last, "any", [("document_type_id", "=", series.document_type_id.id)]
        )
        had = Domain("followup_reminder_ids.template_id.series_id", "=", series.id)
        return ~other & (series._get_domain() | had)

    @api.model
    def _get_day_domain(self, template):
        """Select documents whose day for a template has come, a day of slack for time
        zones.

        :rtype: Domain
        """
        doc_type, offset = template.document_type_id, template.offset_days
        latest = shift(self.env.company._followup_today(), SLACK_DAYS - offset)
        latest = min(latest, LAST_DAY)
        if template.trigger == "previous":
            return self._get_reminded_domain(template, latest)
        earliest = shift(template.active_from, -SLACK_DAYS - offset)
        documents = self.env[doc_type.model]
        if template.trigger == "due_date":
            return documents._followup_get_due_domain(doc_type, earliest, latest)
        created = documents._followup_get_dated_domain("create_date", earliest, latest)
        if not doc_type.date_field:
            return created
        dated = documents._followup_get_dated_domain(
            doc_type.date_field, earliest, latest
        )
        return dated | (Domain(doc_type.date_field, "=", False) & created)

    @api.model
    def _get_reminded_domain(self, template, latest):
        """Select documents that were sent an earlier level by some day.

        :rtype: Domain
        """
        return Domain(
            "followup_reminder_ids",
            "any",
            Domain("template_id.series_id", "=", template.series_id.id)
            & Domain("date", "<=", fields.Date.add(latest, days=1)),
        )

    @api.model
    def _get_not_sent(self, template, documents, query):
        """Leave out documents that got this level in their present cycle.

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
                   AND (sent.state <> 'failed' OR sent.origin = 'auto'))
            """,
            link=SQL.identifier(link),
            document=SQL.identifier(documents._table, "id"),
            template=template.id,
            cycle=documents._field_to_sql(documents._table, "followup_cycle", query),
        )
