import logging
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..rules.verdict import Code, Mode
from .sales_followup_dispatcher import STATES, Order
from .sales_followup_template import SENDING

_logger = logging.getLogger(__name__)

#: how many documents are judged, sent and committed at a time
BATCH_SIZE = 100

#: no time zone is further from another than that
SLACK_DAYS = 1


class SalesFollowupAutomatic(models.AbstractModel):
    """Sends what is due by itself.

    The database finds candidates: no document that is due is missing, some that are not
    due may be among them. The verdict decides about each, and the dispatcher sends.
    """

    _name = "sales.followup.automatic"
    _description = "Automatic Reminders"

    @api.model
    def _cron_send(self):
        """Send what is due in all companies; call it as often as you like.

        Each batch is committed with what it sent, in a transaction of its own.
        """
        for company in self.env["res.company"].search([("followup_automatic", "=", True)]):
            company_self = self.with_company(company).with_context(
                allowed_company_ids=company.ids
            )
            company_self._send_due()

    @api.model
    def _send_due(self):
        """Send what is due in one company, batch by batch."""
        crons = self.env["ir.cron"]
        run = self._get_run()
        self._retry_failed(run)
        crons._commit_progress()
        for template in self._get_templates():
            last_id = 0
            while documents := self._find_candidates(template, last_id):
                last_id = documents.ids[-1]
                self._send_batch(run, template, documents)
                if not crons._commit_progress(len(documents)):
                    return
        self._close_run(run)
        crons._commit_progress()

    # --- candidates -------------------------------------------------------------

    @api.model
    def _get_templates(self):
        """Give the automatic templates of this company, the earlier levels first."""
        return self.env["sales.followup.template"].search(
            [
                ("automatic", "=", True),
                ("series_id.active", "=", True),
                ("company_id", "in", [False, self.env.company.id]),
                ("series_id.company_id", "in", [False, self.env.company.id]),
            ]
        )

    @api.model
    def _find_candidates(self, template, after_id=0, limit=BATCH_SIZE):
        """Find documents that may be due for a template, and were not sent it yet.

        :param after_id: the last document of the batch before
        :return: documents of the template's model, by id
        """
        documents = self.env[template.document_type_id.model]
        query = documents._search(
            self._get_candidates_domain(template) & Domain("id", ">", after_id),
            limit=limit,
            order="id",
        )
        query.add_where(self._get_not_sent(template, documents))
        return documents.browse(query)

    @api.model
    def _get_candidates_domain(self, template):
        """Select documents of this company that may be due: what the verdict would say
        no to in any case is left out where the database sees it.

        :rtype: Domain
        """
        doc_type = template.document_type_id
        domain = (
            doc_type._get_domain()
            & doc_type._get_domain("chase_domain")
            & Domain("company_id", "=", self.env.company.id)
            & Domain("followup_exclude", "=", False)
        )
        return domain & self._get_day_domain(template)

    @api.model
    def _get_day_domain(self, template):
        """Select documents whose day for a template has come, a day of slack for time
        zones.

        :rtype: Domain
        """
        doc_type = template.document_type_id
        today = self.env.company._followup_today()
        latest = today - timedelta(days=template.offset_days - SLACK_DAYS)
        earliest = template.active_from - timedelta(
            days=template.offset_days + SLACK_DAYS
        )
        if template.trigger == "previous":
            return Domain("followup_last_reminder_id", "!=", False)
        documents = self.env[doc_type.model]
        if template.trigger == "due_date":
            return documents._followup_get_due_domain(doc_type, earliest, latest)
        return documents._followup_get_dated_domain(
            doc_type.date_field or "create_date", earliest, latest
        )

    @api.model
    def _get_not_sent(self, template, documents):
        """Leave out documents that got this level in their present cycle.

        :rtype: SQL
        """
        reminders = self.env["sales.followup.reminder"]
        link = reminders._get_document_field(documents._name)
        reminders.flush_model([link, "template_id", "cycle", "channel", "state"])
        return SQL(
            """
            NOT EXISTS (
                SELECT 1 FROM sales_followup_reminder sent
                 WHERE sent.%(link)s = %(document)s
                   AND sent.template_id = %(template)s
                   AND sent.cycle = COALESCE(%(cycle)s, 0)
                   AND sent.channel = ANY(%(channels)s)
                   AND (sent.state <> 'failed' OR sent.origin = 'auto'))
            """,
            link=SQL.identifier(link),
            document=SQL.identifier(documents._table, "id"),
            template=template.id,
            cycle=SQL.identifier(documents._table, "followup_cycle"),
            channels=list(SENDING),
        )

    # --- sending ----------------------------------------------------------------

    @api.model
    def _send_batch(self, run, template, documents):
        """Judge some candidates, and send what is due."""
        judged = self.env["sales.followup.judge"]._judge(documents)
        due = documents.filtered(
            # its turn may be another template's
            lambda document: (
                judged[document].template == template and judged[document].send
            )
        )
        due = self._sort_by_urgency(due)
        outcomes = {}
        if due:
            outcomes = self.env["sales.followup.dispatcher"]._dispatch(
                [self._prepare_order(run, template, document) for document in due],
                Mode.AUTOMATIC,
            )
        self._log(run, template, judged, outcomes)

    @api.model
    def _sort_by_urgency(self, documents):
        """Sort documents, the oldest due date first: where a customer is to be reminded
        once in some days, that one goes."""
        facts = self.env["sales.followup.facts"]
        dates = facts._get_dates(documents.sudo(), documents._followup_get_types())
        return documents.sorted(
            lambda document: (dates[document][1] or dates[document][0], document.id)
        )

    @api.model
    def _prepare_order(self, run, template, document):
        """Give what is sent, in the name of who sells the document.

        :rtype: Order
        """
        return Order(
            document=document,
            template=template,
            channel="email",
            values={
                "origin": "auto",
                "run_id": run.id,
                "user_id": document._followup_get_sender().id,
            },
        )

    @api.model
    def _retry_failed(self, run):
        """Send once more what failed and may succeed now, those of earlier runs."""
        reminders = self.env["sales.followup.reminder"].search(
            [
                ("origin", "=", "auto"),
                ("state", "=", "failed"),
                ("is_final", "=", False),
                ("company_id", "=", self.env.company.id),
                ("run_id", "!=", run.id),
            ]
        )
        for reminder in reminders.try_lock_for_update():
            reminder._retry_automatically()

    # --- the log ----------------------------------------------------------------

    @api.model
    def _get_run(self):
        """Give the log of today's run, which a second call goes on with."""
        runs = self.env["sales.followup.run"]
        unfinished = runs.search(
            [
                ("origin", "=", "auto"),
                ("state", "=", "running"),
                ("company_id", "=", self.env.company.id),
            ],
            limit=1,
        )
        return unfinished or runs.create({"origin": "auto", "state": "running"})

    @api.model
    def _close_run(self, run):
        """Close the log; one that tells nothing is not kept."""
        if run.line_ids:
            run.write({"state": "done"})
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
        else:
            run.write({"state": "draft"})
            run.unlink()

    @api.model
    def _log(self, run, template, judged, outcomes):
        """Note what was sent, and what was not and why."""
        notes = {
            document: note
            for document, judgement in judged.items()
            if (note := self._get_note(template, judgement, outcomes.get(document)))
        }
        if not notes:
            return
        documents = next(iter(notes)).union(*notes)
        types = documents._followup_get_types()
        facts = self.env["sales.followup.facts"]
        dates = facts._get_dates(documents.sudo(), types)
        self.env["sales.followup.run.line"].create(
            [
                {
                    **run._prepare_line(document, types[document], dates[document][1]),
                    "template_id": template.id,
                    "channel": "email",
                    **notes[document],
                }
                for document in documents - self._get_logged(run, documents)
            ]
        )

    @api.model
    def _get_note(self, template, judgement, outcome):
        """Give what is to be noted about one candidate, ``None`` where nothing is."""
        if outcome and outcome.state == "busy":
            return None
        if outcome:
            return {
                "state": STATES[outcome.state],
                "reason": " ".join(outcome.reasons) or False,
                "reminder_id": outcome.reminder and outcome.reminder.id,
            }
        if judgement.template != template or judgement.send:
            # another template's turn
            return None
        if Code.NOT_DUE in judgement.verdict.codes:
            return None
        explain = self.env["sales.followup.judge"]._explain
        reasons = map(explain, judgement.verdict.reasons)
        return {"state": "skipped", "reason": " ".join(reasons)}

    @api.model
    def _get_logged(self, run, documents):
        """Give documents the run has noted already, before it was interrupted."""
        link = self.env["sales.followup.reminder"]._get_document_field(documents._name)
        lines = self.env["sales.followup.run.line"].search(
            [("run_id", "=", run.id), (link, "in", documents.ids)]
        )
        return lines[link]
