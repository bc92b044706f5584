import logging

from psycopg2.errors import OperationalError

from odoo import api, fields, models

from ...rules.verdict import UNREACHABLE, Code
from .sales_followup_automatic import PLAN_SIZE

_logger = logging.getLogger(__name__)

#: why a reminder that failed is not tried again, ever
OVER = frozenset({Code.NOT_OPEN, Code.ALREADY_SENT, Code.PASSED})


# What goes into the log before anything is sent is a subject of its own.
class SalesFollowupAutomatic(models.AbstractModel):
    """Planning a run: what is due waits in its log, what is not sent says why there;
    :mod:`.sales_followup_automatic` sends."""

    _inherit = "sales.followup.automatic"

    @api.model
    def _get_unfinished_run(self):
        """Give today's run that was interrupted, to go on with; empty where there is
        none. Those of other days are closed: what they planned is planned anew."""
        company = self.env.company
        today = company._followup_today()
        runs = self.env["sales.followup.run"].search(
            [
                ("origin", "=", "auto"),
                ("state", "=", "running"),
                ("company_id", "=", company.id),
            ]
        )
        old = runs.filtered(lambda run: company._followup_local_day(run.date) != today)
        for run in old:
            run._abandon_log()
        return (runs - old)[:1]

    @api.model
    def _plan(self, run):
        """Judge what may be due, and put it into the log, step by step.

        Generator as :meth:`_send_due`.

        :param run: the one to go on with; empty for a new one
        :return: the run; empty where there is nothing to say
        """
        position = run.position
        if not position:
            run = self._plan_retries(run)
        for template, after in self._get_stops(position):
            pages = self._walk_safely(template, after)
            for documents, reached in self._gather(pages):
                run = self._plan_batch(run, template, documents)
                if not run and len(documents) >= PLAN_SIZE:
                    # whoever is interrupted shall not judge these again
                    run = self._create_run()
                if run:
                    run.position = [template.id, reached]
                yield len(documents)
        if run:
            run.is_planned = True
            # locks and snapshot of what is sent are not to be older than this
            yield 0
        return run

    @api.model
    def _get_stops(self, position):
        """Give what is to be planned.

        :param position: what an interrupted run had planned last: id of the template,
            position among its candidates
        :return: list of (template, where to go on among its candidates)
        """
        templates = self._get_templates()
        template_id, reached = position or (0, None)
        if template_id not in templates.ids:
            return [(template, None) for template in templates]
        left = templates[templates.ids.index(template_id) :]
        return [
            (template, reached if template.id == template_id else None)
            for template in left
        ]

    @api.model
    def _walk_safely(self, template, position):
        """Find candidates; a template whose filters fail stops no other.

        Generator as :meth:`_walk_candidates`.
        """
        candidates = self._walk_candidates(template, position)
        while True:
            try:
                with self.env.cr.savepoint():
                    found = next(candidates, None)
            except OperationalError:
                raise
            except Exception:
                _logger.exception("No documents are found for “%s”", template.name)
                return
            if found is None:
                return
            yield found

    @api.model
    def _gather(self, pages):
        """Put small pages together: to judge one document takes as many queries as to
        judge many.

        :param pages: as of :meth:`_walk_candidates`
        :return: generator of the same
        """
        gathered = reached = None
        for documents, reached in pages:
            gathered = documents if gathered is None else gathered | documents
            if len(gathered) >= PLAN_SIZE:
                yield gathered, reached
                gathered = None
        if gathered:
            yield gathered, reached

    @api.model
    def _plan_batch(self, run, template, documents):
        """Put some candidates into the log of a run.

        :return: the run; a new one where there was none and there is something to say
        """
        documents -= self._get_planned(run, documents)
        notes = self._judge_candidates(template, documents)
        return self._add_lines(run, notes)

    @api.model
    def _judge_candidates(self, template, documents):
        """Judge candidates of a template.

        :return: dict of document → values of its line, of those there is something to
            say about
        """
        judged = self.env["sales.followup.judge"]._judge(documents)
        notes = {}
        for document, (its_template, verdict) in judged.items():
            # else it is another template's turn, if anybody can tell
            if its_template == template or (verdict and not its_template):
                if note := self._get_note(verdict, document):
                    notes[document] = {"template_id": template.id, **note}
        return notes

    @api.model
    def _get_note(self, verdict, document):
        """Give what the log says about a verdict, ``None`` for nothing.

        That somebody has no address is a failure, which the dispatcher notes.
        """
        codes = verdict.codes
        if not codes or codes <= UNREACHABLE:
            return {"state": "waiting"}
        if Code.NOT_DUE in codes:
            return None
        explain = self.env["sales.followup.judge"]._explain
        currency = document.company_id.currency_id
        return {
            "state": "failed" if Code.NOT_JUDGED in codes else "skipped",
            "reason": " ".join(explain(reason, currency) for reason in verdict.reasons),
            "codes": self._get_key(reason.code for reason in verdict.reasons),
        }

    # --- what failed ------------------------------------------------------------

    @api.model
    def _plan_retries(self, run):
        """Plan once more what failed in earlier runs, and may succeed now.

        :return: the run; a new one where there was none and there is something to say
        """
        failed = self.env["sales.followup.reminder"].search(
            [
                ("origin", "=", "auto"),
                ("state", "=", "failed"),
                ("is_final", "=", False),
                ("company_id", "=", self.env.company.id),
            ],
            order="id",
        )
        for link, of_kind in failed._group_by_document_model().items():
            reminders = {reminder[link]: reminder for reminder in of_kind}
            run = self._add_lines(run, self._judge_retries(reminders))
        return run

    @api.model
    def _judge_retries(self, reminders):
        """Judge documents whose reminder failed.

        :param reminders: dict of document → reminder that failed
        :return: dict of document → values of its line
        """
        judged = self.env["sales.followup.judge"]._judge(
            next(iter(reminders)).union(*reminders),
            templates={
                doc: reminder.template_id for doc, reminder in reminders.items()
            },
        )
        notes = {}
        for document, (template, verdict) in judged.items():
            reminder = reminders[document]
            anew = reminder.cycle != document.followup_cycle
            if anew or verdict.codes & OVER:
                reminder.is_final = True
            elif not verdict.codes & UNREACHABLE:
                note = self._get_note(verdict, document)
                if note and note["state"] == "waiting":
                    note["reminder_id"] = reminder.id
                if note:
                    notes[document] = {"template_id": template.id, **note}
        return notes

    # --- the log ----------------------------------------------------------------

    @api.model
    def _create_run(self):
        now = fields.Datetime.now()
        return self.env["sales.followup.run"].create(
            {"origin": "auto", "state": "running", "date": now, "launched_date": now}
        )

    @api.model
    def _get_planned(self, run, documents):
        """Give those documents that a run has in its log already."""
        if not run:
            return documents.browse()
        lines = self.env["sales.followup.run.line"]
        link = lines._get_document_field(documents._name)
        return lines.search([("run_id", "=", run.id), (link, "in", documents.ids)])[
            link
        ]

    @api.model
    def _add_lines(self, run, notes):
        """Put documents into the log of a run, but for what was said today already.

        :param notes: dict of document → values of its line
        :return: the run; a new one where there was none
        """
        notes = self._leave_out_repeated(notes)
        if not notes:
            return run
        run = run or self._create_run()
        documents = next(iter(notes)).union(*notes)
        types = documents._followup_get_types()
        dates = documents._followup_get_dates(types)
        self.env["sales.followup.run.line"].create(
            [
                {
                    **run._prepare_line(document, types[document], dates[document][1]),
                    "urgency_date": dates[document][1] or dates[document][0],
                    "channel": "email",
                    **note,
                }
                for document, note in notes.items()
            ]
        )
        return run

    @api.model
    def _leave_out_repeated(self, notes):
        """Leave out what an earlier run of this day said in the same words.

        :param notes: dict of document → values of its line
        :return: those that are news
        """
        if not notes:
            return {}
        documents = next(iter(notes)).union(*notes)
        lines = self.env["sales.followup.run.line"]
        link = lines._get_document_field(documents._name)
        company = self.env.company
        today = company._followup_today()
        rows = lines.search_fetch(
            [
                ("run_id.origin", "=", "auto"),
                ("run_id.date", ">=", company._followup_get_start(today)),
                ("state", "!=", "waiting"),
                (link, "in", documents.ids),
            ],
            [link, "template_id", "codes"],
        )
        said = {(line[link].id, line.template_id.id, line.codes) for line in rows}
        return {
            document: note
            for document, note in notes.items()
            if (document.id, note["template_id"], note.get("codes", "")) not in said
        }
