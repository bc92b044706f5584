import logging
from contextlib import contextmanager
from datetime import timedelta

from psycopg2 import InterfaceError
from psycopg2.errors import OperationalError

from odoo import fields, models

from ...batches import find_conflict, halve, is_job_over, work_off
from ...rules.verdict import UNREACHABLE, Code
from .sales_followup_run_process import Paces

_logger = logging.getLogger(__name__)

#: how many documents are judged at a time
PLAN_SIZE = 500

#: when to ask again for what somebody else holds
COME_BACK = timedelta(minutes=5)

#: the first half of a key that only this addon locks
LOCK = 0x5A1E5

#: why a reminder that failed is not tried again, ever
OVER = frozenset({Code.NOT_OPEN, Code.ALREADY_SENT, Code.PASSED})


# What goes out automatically is planned before anything is sent.
class SalesFollowupRun(models.Model):
    """Automatic runs. A run of a company first plans: the database finds candidates, no
    document that is due is missing, and the verdict decides about each. What is to be
    sent then waits in the run's lines, and the engine sends it, the most urgent first.

    Each step is committed: what is interrupted goes on where the last commit was.
    """

    _inherit = "sales.followup.run"

    is_planned = fields.Boolean(
        string="Planned to the End",
        readonly=True,
        copy=False,
        help="All that is due is in the log.",
    )
    position = fields.Json(
        readonly=True,
        copy=False,
        help="Which template an interrupted run planned last, and where to go on.",
    )

    # --- the scheduled action ---------------------------------------------------

    def _cron_send(self):
        """Send what is due in all companies; it can be called at any time.

        What goes wrong in one company is logged and stops no other.
        """
        crons = self.env["ir.cron"]
        if is_job_over(self.env):
            crons._commit_progress(remaining=1)
            return
        companies = self.env["res.company"].search([("followup_automatic", "=", True)])
        for company in companies:
            if not self._in_company(company)._send_in_company():
                # time is over: there is more to do, so it is called again
                return
        crons._commit_progress(remaining=0)

    def _in_company(self, company):
        """Return this model as it works in one company: its days, its language."""
        return self.with_company(company).with_context(
            allowed_company_ids=company.ids,
            tz=company._followup_get_zone().zone,
            lang=company.partner_id.lang or self.env.lang,
        )

    def _send_in_company(self):
        """Send what is due in one company, unless another worker does.

        :return: whether there was time for all of it
        """
        with self._lock_company() as is_mine:
            if not is_mine:
                # the one that has it may be dead, and leave something undone
                self._come_back()
                return True
            try:
                return self._take_steps()
            except Exception as error:
                if self.env.cr.closed:
                    raise
                self.env.cr.rollback()
                _logger.exception(
                    "Automatic reminders of %s broke off", self.env.company.name
                )
                if isinstance(error, (OperationalError, InterfaceError)):
                    # nothing wrong with what is to be sent: others were in the way
                    self._come_back()
                return True

    @contextmanager
    def _lock_company(self):
        """Keep other workers from what this one does, for as long as it lives: two of
        them would not send twice, but log twice."""
        cr, key = self.env.cr, (LOCK, self.env.company.id)
        cr.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        [is_mine] = cr.fetchone()
        try:
            yield is_mine
        finally:
            if is_mine and not cr.closed:
                cr.execute("SELECT pg_advisory_unlock(%s, %s)", key)

    def _take_steps(self):
        """Plan and send, step by step.

        :return: whether there was time for all of it
        """
        paces = Paces()

        def set_aside():
            run = self._get_unfinished_run()
            return bool(run) and run._set_aside(paces)

        return work_off(
            self.env, lambda: self._send_due(paces), paces, set_aside, lambda: 1
        )

    def _send_due(self, paces=None):
        """Send what is due in one company, step by step.

        Generator, to be used up: each step is to be committed before the next one. It
        yields how many documents a step was about.

        :param paces: :class:`Paces`
        """
        paces = paces or Paces()
        run = self._get_unfinished_run()
        if not self._is_sending_day():
            return
        if not run.is_planned:
            run = yield from self._plan(run)
        if not run:
            return
        while count := run._process(paces):
            yield count
            if not run.exists() or run.state != "running":
                return
        # others hold what is left
        self._come_back()
        yield 0

    def _is_sending_day(self):
        """Tell whether the company sends today: maybe on business days only."""
        today = self.env.company._followup_today()
        is_business_day = self.env.company._followup_get_business_days(today)
        return is_business_day is None or is_business_day(today)

    def _come_back(self):
        """Have the scheduled action go on when others are done with the documents."""
        cron = self.env.ref("sales_followup.ir_cron_send_automatic")
        cron._trigger(fields.Datetime.now() + COME_BACK)

    def _change_state(self, former, state):
        """Leave the logs of the scheduled action alone: the setting stops it."""
        # EXTENDS 'sales_followup'
        runs = self.filtered(lambda run: run.origin == "run")
        return super(SalesFollowupRun, runs)._change_state(former, state)

    # --- planning ---------------------------------------------------------------

    def _get_unfinished_run(self):
        """Return today's run that was interrupted, to go on with; empty where there is
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

    def _plan(self, run):
        """Judge what may be due, and put it into the log, step by step.

        Generator like :meth:`_send_due`.

        :param run: the one to go on with; empty for a new one
        :return: the run; empty where there is nothing to say
        """
        position = run.position
        if not position:
            run = self._plan_retries(run)
        for template, after in self._get_stages(position):
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

    def _get_stages(self, position):
        """Return what is to be planned.

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

    def _walk_safely(self, template, position):
        """Find candidates; a template whose filters fail stops no other.

        Generator as :meth:`_walk_candidates`.
        """
        candidates = self._walk_candidates(template, position)
        while True:
            try:
                with self.env.cr.savepoint():
                    found = next(candidates, None)
            except Exception as error:
                if conflict := find_conflict(error):
                    raise conflict from None
                _logger.exception("No documents are found for “%s”", template.name)
                return
            if found is None:
                return
            yield found

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

    def _plan_batch(self, run, template, documents):
        """Put some candidates into the log of a run.

        :return: the run; a new one where there was none and there is something to say
        """
        documents -= self._get_planned(run, documents)
        notes = self._judge_candidates(template, documents)
        return self._add_lines(run, notes)

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

    def _get_note(self, verdict, document):
        """Return what the log says about a verdict, ``None`` for nothing.

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

    def _plan_retries(self, run):
        """Plan once more what failed in earlier runs, and may succeed now.

        :return: the run; a new one where there was none and there is something to say
        """
        failed = self.env["sales.followup.reminder"].search(
            [
                ("origin", "=", "auto"),
                ("state", "=", "failed"),
                ("company_id", "=", self.env.company.id),
                "|",
                ("is_unwritable", "=", True),
                ("is_final", "=", False),
                "|",
                ("retry_date", "=", False),
                ("retry_date", "<=", fields.Datetime.now()),
            ],
            order="id",
        )
        for link, of_kind in failed._group_by_document_model().items():
            reminders = {reminder[link]: reminder for reminder in of_kind}
            notes = self._judge_retries(reminders)
            run = self._add_lines(run, notes)
        return run

    def _judge_retries(self, reminders):
        """Judge documents whose reminder failed.

        A text that could not be written is tried: once it is mended, its reminders go
        out, unless a later level did meanwhile.

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
            if reminder.cycle != document.followup_cycle or verdict.codes & OVER:
                reminder.write({"is_final": True, "is_unwritable": False})
                continue
            if verdict.codes & UNREACHABLE:
                continue
            if reminder.is_unwritable:
                # that it failed is what is tried again
                left = [one for one in verdict.reasons if one.code is not Code.FAILED]
                verdict = verdict._replace(reasons=tuple(left))
            note = self._get_note(verdict, document)
            if not note:
                continue
            if note["state"] == "waiting":
                if reminder.is_unwritable and not reminder._is_writable():
                    continue
                reminder.is_final = False
                note["reminder_id"] = reminder.id
            notes[document] = {"template_id": template.id, **note}
        return notes

    # --- the log ----------------------------------------------------------------

    def _create_run(self):
        now = fields.Datetime.now()
        return self.env["sales.followup.run"].create(
            {"origin": "auto", "state": "running", "date": now, "launched_date": now}
        )

    def _get_planned(self, run, documents):
        """Return those documents that a run has in its log already."""
        if not run:
            return documents.browse()
        lines = self.env["sales.followup.run.line"]
        link = lines._get_document_field(documents._name)
        return lines.search([("run_id", "=", run.id), (link, "in", documents.ids)])[
            link
        ]

    def _add_lines(self, run, notes):
        """Put documents into the log of a run, but for what was said today already.

        :param notes: dict of document → values of its line
        :return: the run; a new one where there was none
        """
        notes = self._leave_out_repeated(notes)
        if not notes:
            return run
        run = run or self._create_run()
        halve(
            self.env.cr,
            list(notes.items()),
            run._create_lines,
            lambda one, error: (
                _logger.error("%s cannot be noted", one[0][0], exc_info=error) or {}
            ),
        )
        return run

    def _create_lines(self, notes):
        """Put documents into the log of this run.

        :param notes: list of (document, values of its line)
        """
        documents = notes[0][0].union(*(document for document, _note in notes))
        types = documents._followup_get_types()
        dates = documents._followup_get_dates(types)
        self.env["sales.followup.run.line"].create(
            [
                {
                    **self._prepare_line(document, types[document], dates[document][1]),
                    "urgency_date": dates[document][1] or dates[document][0],
                    "channel": "email",
                    **note,
                }
                for document, note in notes
            ]
        )
        self.env.flush_all()
        return {}

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

    def _close_log(self):
        """Close the log; one that tells nothing is not kept."""
        for run in self:
            if run.line_ids:
                run.write({"state": "done", "finished_date": fields.Datetime.now()})
            else:
                run.state = "draft"
                run.unlink()

    def _abandon_log(self):
        """Close an interrupted run: what it had still to send is planned by another."""
        self.line_ids.filtered(lambda line: line.state == "waiting").unlink()
        self._close_log()

    def _get_key(self, codes):
        """Return reasons as the log keeps them, to know them again.

        :param codes: some :class:`~..rules.verdict.Code`
        :rtype: str
        """
        return ",".join(code.value for code in codes)
