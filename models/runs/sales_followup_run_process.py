import logging
import time
from datetime import timedelta
from itertools import takewhile

from psycopg2.errors import OperationalError

from odoo import fields, models
from odoo.tools import SQL

from ...batches import halve, is_job_over, work_off
from ...rules.pace import Pace
from ...rules.verdict import Code, Mode
from ..sending.sales_followup_dispatcher import Outcome, Request, explain_error
from .sales_followup_run_line import STATE_OF_OUTCOME

_logger = logging.getLogger(__name__)

#: how many lines are locked, sent and committed at a time, at most and at first
BATCH_SIZE = 500
START_SIZE = 50

#: how many where PDFs are made: others wait for the documents meanwhile
PDF_BATCH_SIZE = 50
PDF_START_SIZE = 5

#: up to how many lines a bulk run is sent at once, while the user waits
INLINE_LIMIT = 50
PDF_INLINE_LIMIT = 10

#: how many lines that always conflict are set aside before a run is left for later
MAX_ASIDE = 10

#: when to look again for lines that somebody else held
PATIENCE = timedelta(minutes=1)


class Paces:
    """How many lines a step takes: fewer where PDFs are made.

    :param most: how many at most
    """

    def __init__(self, most=None):
        most = most or BATCH_SIZE
        self.plain = Pace(START_SIZE, most)
        self.pdf = Pace(PDF_START_SIZE, min(PDF_BATCH_SIZE, most))
        #: ids of the lines to leave for a later call
        self.aside = set()

    def __iter__(self):
        return iter((self.plain, self.pdf))

    def pick(self, lines):
        """Return the pace of some lines, and those of them that the next step takes."""
        pace = self.pdf if lines._needs_pdf() else self.plain
        return pace, lines[: pace.size]


# Sending in steps is a subject of its own.
class SalesFollowupRun(models.Model):
    """The one engine of bulk and automatic runs: the origin decides which lines are
    next, what is requested for them and what is noted.

    A step is one dispatch, and is committed before the next one: locks and snapshot
    never are older than the documents it is about.
    """

    _inherit = "sales.followup.run"

    # --- a step -----------------------------------------------------------------

    def _process(self, paces=None):
        """Send the next lines; where there are none, close the run.

        :param paces: :class:`Paces`; lines that somebody else holds are set aside there
        :return: how many lines this was about; 0 where others hold what is left
        """
        self.ensure_one()
        paces = paces or Paces()
        if self.finished_date or self.state not in ("running", "cancelled"):
            return 0
        if self.state == "running":
            lines = self._get_next_lines(paces.aside, paces.plain.size)
            if lines:
                pace, lines = paces.pick(lines)
                started = time.monotonic()
                mine = lines.try_lock_for_update()
                busy = (lines - mine) | self._send_lines(mine)
                pace.took(len(lines), time.monotonic() - started)
                paces.aside.update(busy.ids)
                return len(lines)
            if paces.aside and self._count_waiting():
                return 0
        self._finish()
        return 1

    def _send_lines(self, lines):
        """Send what some lines say, and note what became of it.

        What goes wrong costs only the document it is about.

        :param lines: on one model of documents, the most urgent first
        :return: lines whose documents somebody else holds
        """
        outcomes = halve(
            self.env.cr, lines, self._dispatch_lines, self._note_line_failure
        )
        busy = lines.filtered(lambda line: outcomes[line.id].state == "busy")
        self._note_outcomes(lines - busy, outcomes)
        return busy

    def _dispatch_lines(self, lines):
        """Have the dispatcher send some lines.

        :return: dict of line id → outcome
        """
        requests = {line.id: self._prepare_request(line) for line in lines}
        outcomes = self.env["sales.followup.dispatcher"]._dispatch(
            list(requests.values()), self._get_mode()
        )
        self.env.flush_all()
        return {line: outcomes[request.document] for line, request in requests.items()}

    def _note_line_failure(self, line, error):
        """Return what is noted on a line that not even a reminder could be made of."""
        _logger.error("No reminder of %s", line.document_name, exc_info=error)
        reason = explain_error(self.env, error)
        return {line.id: Outcome("failed", (reason,))}

    # --- by origin --------------------------------------------------------------

    def _get_mode(self):
        """Return who asks the verdict."""
        return Mode.AUTOMATIC if self.origin == "auto" else Mode.BULK

    def _get_next_lines(self, aside, limit):
        """Return what is to be sent next.

        :param aside: ids of lines to pass over
        :return: lines on one model of documents, the most urgent first
        """
        if self.origin == "auto":
            return self._get_urgent_lines(aside, limit)
        lines = self.env["sales.followup.run.line"].search(
            [*self._get_waiting_domain(), ("id", "not in", list(aside))], limit=limit
        )
        if not lines:
            return lines
        model = lines[0]._get_document()._name
        if self.company_id.followup_min_days:
            # the oldest due date of a customer goes first, whatever it is about
            kinds = [line._get_document()._name for line in lines]
            return lines[: len(list(takewhile(lambda kind: kind == model, kinds)))]
        return lines.filtered(lambda line: line._get_document()._name == model)

    def _get_urgent_lines(self, aside, limit):
        """Return what an automatic run sends next, see :meth:`_get_next_lines`.

        One document of each customer comes first, that with the oldest due date:
        where a customer is reminded once in some days, that one goes.
        """
        lines = self.env["sales.followup.run.line"]
        lines.flush_model()
        links = [
            SQL("line.%s IS NULL", SQL.identifier(link))
            for link in lines._get_document_fields()
        ]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id
                  FROM sales_followup_run_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.run_id = %(run)s
                   AND line.state = 'waiting'
                   AND line.id <> ALL(%(aside)s)
              ORDER BY ROW_NUMBER() OVER (
                            PARTITION BY partner.commercial_partner_id
                            ORDER BY line.urgency_date, line.id),
                       %(kinds)s, line.urgency_date, line.id
                 LIMIT %(limit)s
                """,
                run=self.id,
                aside=list(aside),
                kinds=SQL(", ").join(links),
                limit=limit,
            )
        )
        found = lines.browse(id_ for [id_] in rows)
        kinds = [line._get_document()._name for line in found]
        alike = list(takewhile(lambda kind: kind == kinds[0], kinds))
        return found[: len(alike)]

    def _prepare_request(self, line):
        """Return what a line wants sent: in the name of the person who launched the
        run, or automatically in that of the document's Salesperson.

        :rtype: Request
        """
        document = line._get_document()
        if self.origin == "auto":
            return Request(
                document=document,
                template=line.template_id,
                channel="email",
                values={
                    "origin": "auto",
                    "run_id": self.id,
                    "user_id": document._followup_get_sender().id,
                },
                reminder=line.reminder_id,
            )
        return Request(
            document=document,
            template=line.template_id,
            channel=line.channel,
            values={
                "origin": "run",
                "run_id": self.id,
                "user_id": self.user_id.id,
                "next_date": line.next_date,
            },
            overruled=frozenset(line.known_reasons or ()),
        )

    def _note_outcomes(self, lines, outcomes):
        """Note on lines what became of them.

        :param outcomes: dict of line id → outcome
        """
        needless = lines.browse()
        for line in lines:
            outcome = outcomes[line.id]
            if self.origin == "auto" and Code.ALREADY_SENT in outcome.codes:
                # a person was quicker: it was sent, and that is what was wanted
                needless |= line
                continue
            values = {"state": STATE_OF_OUTCOME[outcome.state]}
            # a line that failed stays linked to its reminder
            values["reminder_id"] = outcome.reminder and outcome.reminder.id
            if outcome.reasons or self.origin == "auto":
                # what a person overruled stays to be read
                values["reason"] = " ".join(outcome.reasons) or False
            if self.origin == "auto":
                values["codes"] = self._get_key(outcome.codes) or False
            line.write(values)
        needless.unlink()
        if any(outcome.state == "sent" for outcome in outcomes.values()):
            # sudo: e-mails wait in Odoo's queue, whose action is for administrators
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _finish(self):
        """Close a run after its last line."""
        if self.origin == "auto":
            self._close_log()
            return
        self._lock()
        if self.finished_date or self.state not in ("running", "cancelled"):
            return
        self._give_up_the_rest()
        self._merge_letters()
        values = {"finished_date": fields.Datetime.now()}
        if self.state == "running":
            values["state"] = "done"
        self.write(values)

    # --- bulk runs --------------------------------------------------------------

    def _go_on(self):
        """Send what waits: few lines at once, many in the background."""
        if not self._is_quick():
            self._trigger()
            return
        run, paces = self._as_sender(), Paces()
        while run._process(paces):
            pass
        if run.state == "running":
            # somebody else holds what is left
            self._trigger(PATIENCE)
        self._forget_figures()

    def _is_quick(self):
        """Tell whether the lines that wait are sent while the user waits."""
        if self._count_waiting() > INLINE_LIMIT:
            return False
        lines = self.env["sales.followup.run.line"].search(self._get_waiting_domain())
        printed = lines.filtered(lambda line: line._needs_pdf())
        return len(printed) <= PDF_INLINE_LIMIT

    def _trigger(self, delay=None):
        """Have the scheduled action go on as soon as this is committed.

        :param delay: ``timedelta`` from now
        """
        # sudo: scheduled actions are for administrators
        cron = self.env.ref("sales_followup.ir_cron_process_runs").sudo()
        cron._trigger(delay and fields.Datetime.now() + delay)

    def _cron_process(self):
        """Send what launched runs have left, and again what failed for a while.

        After a crash the next call goes on where the last commit was.
        """
        crons = self.env["ir.cron"]
        if is_job_over(self.env):
            crons._commit_progress(remaining=1)
            return
        self._sync_missed()
        if not self._retry_failed():
            return
        held = self.browse()
        while run := self._find_unfinished(held):
            crons._commit_progress(remaining=self._count_unfinished(held))
            try:
                if not run._work_off(held):
                    return
            except OperationalError:
                if self.env.cr.closed:
                    raise
                self.env.cr.rollback()
                _logger.info("Run %s is left for later", run.id, exc_info=True)
            if run.exists() and run in self._find_unfinished(held):
                # others hold what is left: they send it, or it is looked at later
                held |= run
        if held:
            self._trigger(PATIENCE)
        crons._commit_progress(remaining=0)

    def _work_off(self, held):
        """Send what this run has left, as far as others do not hold it.

        :param held: runs that are left for later
        :return: whether there was time for all of it
        """
        run, paces = self._as_sender(), Paces()

        def steps():
            while count := run._process(paces):
                yield count

        return work_off(
            self.env,
            steps,
            paces,
            lambda: run._set_aside(paces),
            lambda: self._count_unfinished(held),
        )

    def _set_aside(self, paces):
        """Set the next line aside, which always conflicts.

        :return: whether there is one, and not too many before
        """
        stuck = self._get_next_lines(paces.aside, 1)
        if not stuck or len(paces.aside) >= MAX_ASIDE:
            return False
        _logger.info("%s is set aside", stuck.document_name, exc_info=True)
        paces.aside.add(stuck.id)
        return True

    def _retry_failed(self):
        """Send again what failed for a while.

        :return: whether there was time for all of it
        """
        try:
            return work_off(
                self.env,
                self.env["sales.followup.reminder"]._retry_due,
                [],
                lambda: False,
                lambda: 1,
            )
        except OperationalError:
            if self.env.cr.closed:
                raise
            self.env.cr.rollback()
            return True

    def _sync_missed(self):
        """Let reminders hear of their e-mails, those that could not before."""
        try:
            self.env["sales.followup.reminder"]._sync_missed()
            self.env["ir.cron"]._commit_progress()
        except OperationalError:
            # somebody changes the documents again: they hear of it next time
            self.env.cr.rollback()

    def _find_unfinished(self, held):
        """Return the next run to go on with.

        :param held: runs to leave alone
        """
        return self.search(
            [*self._get_unfinished_domain(), ("id", "not in", held.ids)],
            order="id",
            limit=1,
        )

    def _get_unfinished_domain(self):
        """Select bulk runs that were launched, and have something left to do."""
        return [
            ("origin", "=", "run"),
            ("state", "in", ("running", "cancelled")),
            ("launched_date", "!=", False),
            ("finished_date", "=", False),
        ]

    def _count_unfinished(self, held):
        """Count what is left to do: lines to send, and runs to close."""
        runs = self.search([*self._get_unfinished_domain(), ("id", "not in", held.ids)])
        return runs.filtered(lambda r: r.state == "running")._count_waiting() + len(
            runs
        )

    def _as_sender(self):
        """Return the run as superuser on behalf of the person who launched it.

        Templates were checked when they were written, and documents when they were
        proposed; the e-mails are that person's.
        """
        user = self.user_id
        return (
            self.with_user(user)
            .with_company(self.company_id)
            .with_context(lang=user.lang, tz=user.tz)
            .sudo()
        )

    def _count_waiting(self):
        """Count the lines that are to be sent."""
        return self.env["sales.followup.run.line"].search_count(
            self._get_waiting_domain()
        )

    def _get_waiting_domain(self):
        return [
            ("run_id", "in", self.ids),
            ("state", "=", "waiting"),
            ("channel", "!=", "none"),
        ]

    def _give_up_the_rest(self):
        """Say of lines that were not to be sent that they were not."""
        lines = self.env["sales.followup.run.line"].search(
            [("run_id", "=", self.id), ("state", "=", "waiting")]
        )
        left_out = lines.filtered(lambda line: line.channel == "none")
        left_out.write({"state": "skipped"})
        left_out.filtered(lambda line: not line.reason).write(
            {"reason": self.env._("Left out.")}
        )
        (lines - left_out).write(
            {"state": "skipped", "reason": self.env._("The run was cancelled before.")}
        )
