import logging
from datetime import timedelta

from psycopg2.errors import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...rules.verdict import Mode
from ..sending.sales_followup_dispatcher import Request
from .sales_followup_run_line import STATE_OF_OUTCOME

_logger = logging.getLogger(__name__)

#: how many lines are locked, sent and committed at a time
BATCH_SIZE = 50

#: up to how many lines a run is sent at once, while the user waits
INLINE_LIMIT = 50

#: how often a batch is tried again when the database refuses it: with half the lines
#: each time, at last with a single one
MAX_CONFLICTS = 5

#: how many lines that always conflict are put aside before a run is left for later
MAX_ASIDE = 10

#: when to look again for lines that somebody else held
PATIENCE = timedelta(minutes=1)


# Sending in batches is a subject of its own.
class SalesFollowupRun(models.Model):
    """How a run is sent; :mod:`.sales_followup_run_proposal` says what."""

    _inherit = "sales.followup.run"

    def _go_on(self):
        """Send what waits: few lines at once, many in the background."""
        if self._count_waiting() > INLINE_LIMIT:
            self._trigger()
            return
        run = self._as_sender()
        while run._step():
            pass
        if run.state == "running":
            # somebody else holds what is left
            self._trigger(PATIENCE)
        self._forget_figures()

    def _trigger(self, delay=None):
        """Have the scheduled action go on as soon as this is committed.

        :param delay: ``timedelta`` from now
        """
        # sudo: scheduled actions are for administrators
        cron = self.env.ref("sales_followup.ir_cron_process_runs").sudo()
        cron._trigger(delay and fields.Datetime.now() + delay)

    @api.model
    def _cron_process(self):
        """Send what launched runs have left, batch by batch.

        Each batch is committed with what it sent. After a crash the next call goes on
        where the last commit was.
        """
        crons = self.env["ir.cron"]
        self._sync_missed()
        held, conflicts = self.browse(), 0
        aside = self.env["sales.followup.run.line"]
        while run := self._find_unfinished(held):
            crons._commit_progress(remaining=self._count_unfinished(held))
            try:
                done = run._as_sender()._step(BATCH_SIZE >> conflicts, aside)
                left = crons._commit_progress(done)
            except OperationalError:
                # somebody changed what the batch was about: nothing of it was sent
                self.env.cr.rollback()
                _logger.info("A batch of run %s starts anew", run.id, exc_info=True)
                conflicts += 1
                left, done = True, True
                if conflicts > MAX_CONFLICTS:
                    stuck = run._find_waiting(1, aside)
                    aside |= stuck
                    done = stuck and len(aside & run.line_ids) <= MAX_ASIDE
                    conflicts = 0
            else:
                conflicts = 0
            if not done:
                # others hold what is left: they send it, or it is looked at later
                held |= run
                conflicts = 0
            if not left:
                return
        if held:
            self._trigger(PATIENCE)
            crons._commit_progress(remaining=0)

    @api.model
    def _sync_missed(self):
        """Let reminders hear of their e-mails, those that could not before."""
        try:
            self.env["sales.followup.reminder"]._sync_missed()
            self.env["ir.cron"]._commit_progress()
        except OperationalError:
            # somebody changes the documents again: they hear of it next time
            self.env.cr.rollback()

    @api.model
    def _find_unfinished(self, held):
        """Give the next run to go on with.

        :param held: runs to leave alone
        """
        return self.search(
            [*self._get_unfinished_domain(), ("id", "not in", held.ids)],
            order="id",
            limit=1,
        )

    @api.model
    def _get_unfinished_domain(self):
        """Select bulk runs that were launched, and have something left to do."""
        return [
            ("origin", "=", "run"),
            ("state", "in", ("running", "cancelled")),
            ("launched_date", "!=", False),
            ("finished_date", "=", False),
        ]

    @api.model
    def _count_unfinished(self, held):
        """Count what is left to do: lines to send, and runs to close."""
        runs = self.search([*self._get_unfinished_domain(), ("id", "not in", held.ids)])
        return runs.filtered(lambda r: r.state == "running")._count_waiting() + len(
            runs
        )

    def _as_sender(self):
        """Give the run as superuser on behalf of who launched it.

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

    # --- a batch ----------------------------------------------------------------

    def _step(self, size=BATCH_SIZE, aside=None):
        """Send the next lines, or close the run after the last one.

        :param size: how many lines
        :param aside: lines to leave for later
        :return: how much was done; nothing where others hold what is left
        """
        self.ensure_one()
        if self.finished_date or self.state not in ("running", "cancelled"):
            return 0
        if self.state == "running":
            if lines := self._find_waiting(size, aside):
                return self._process_batch(lines.try_lock_for_update())
            if aside and self._count_waiting():
                return 0
        self._finish()
        return 1

    def _find_waiting(self, limit=None, aside=None):
        """Give the lines that are to be sent, customer by customer.

        :param aside: lines to pass over
        """
        domain = self._get_waiting_domain()
        if aside:
            domain.append(("id", "not in", aside.ids))
        return self.env["sales.followup.run.line"].search(domain, limit=limit)

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

    def _process_batch(self, lines):
        """Send lines that are locked.

        :return: how many are done with; those whose document somebody else holds are
            not
        """
        return sum(self._process_safely(alike) for alike in self._split(lines))

    def _split(self, lines):
        """Split lines by the model of their documents.

        Where a customer is to be reminded once in some days, the order of all lines is
        kept: the oldest due date goes first, whatever it is about.
        """
        if not self.company_id.followup_min_days:
            return list(lines._group_by_document_model().values())
        parts = []
        for line in lines:
            model = line._get_document()._name
            if parts and parts[-1][-1]._get_document()._name == model:
                parts[-1] += line
            else:
                parts.append(line)
        return parts

    def _process_safely(self, lines):
        """Send lines of one model of documents; whatever fails, fails for its own line.

        :return: how many are done with
        """
        if not lines:
            return 0
        try:
            with self.env.cr.savepoint():
                return self._process_lines(lines)
        except OperationalError:
            # a conflict with another transaction: the batch starts anew
            raise
        except Exception as error:
            if len(lines) == 1:
                _logger.exception("Line %s of a run cannot be sent", lines.id)
                text = str(error) if isinstance(error, UserError) else repr(error)
                lines.write({"state": "failed", "reason": text})
                return 1
        half = len(lines) // 2
        return self._process_safely(lines[:half]) + self._process_safely(lines[half:])

    def _process_lines(self, lines):
        """Send lines of one model of documents.

        :return: how many are done with; those somebody else holds are not
        """
        by_document = {line._get_document(): line for line in lines}
        outcomes = self.env["sales.followup.dispatcher"]._dispatch(
            [self._prepare_request(line) for line in lines], Mode.BULK
        )
        done = 0
        for document, outcome in outcomes.items():
            if outcome.state in STATE_OF_OUTCOME:
                by_document[document].write(self._prepare_outcome(outcome))
                done += 1
        self.env.flush_all()
        return done

    @api.model
    def _prepare_outcome(self, outcome):
        """Give what a line says of what became of it.

        What was overruled stays to be read on a line that was sent.
        """
        values = {
            "state": STATE_OF_OUTCOME[outcome.state],
            "reminder_id": outcome.reminder and outcome.reminder.id,
        }
        if outcome.reasons:
            values["reason"] = " ".join(outcome.reasons)
        return values

    def _prepare_request(self, line):
        """Give what a line wants sent.

        :rtype: Request
        """
        return Request(
            document=line._get_document(),
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

    # --- the end ----------------------------------------------------------------

    def _finish(self):
        """Close a run after its last line, with its letters in one file."""
        self._lock()
        if self.finished_date or self.state not in ("running", "cancelled"):
            return
        self._give_up_the_rest()
        self._merge_letters()
        values = {"finished_date": fields.Datetime.now()}
        if self.state == "running":
            values["state"] = "done"
        self.write(values)
        # sudo: e-mails wait in Odoo's queue
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

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
