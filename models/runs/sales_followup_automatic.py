import logging
import random
import time
from contextlib import contextmanager
from datetime import timedelta

from psycopg2.errors import OperationalError

from odoo import api, fields, models

from ...rules.verdict import Code, Mode
from ..sending.sales_followup_dispatcher import Request
from .sales_followup_run_line import STATE_OF_OUTCOME

_logger = logging.getLogger(__name__)

#: how many documents are locked, sent and committed at a time
BATCH_SIZE = 500

#: how many where PDFs are made: others wait for the documents meanwhile
PDF_BATCH_SIZE = 50

#: how many are judged at a time
PLAN_SIZE = 500

#: how often one batch is tried while others write what it needs
MAX_CONFLICTS = 10

#: how many documents that always conflict are put aside before a run breaks off
MAX_ASIDE = 10

#: when to ask again for what somebody else holds
COME_BACK = timedelta(minutes=5)

#: the first half of a key that only this addon locks
LOCK = 0x5A1E5


class SalesFollowupAutomatic(models.AbstractModel):
    """Sends what is due by itself.

    A run of a company first plans: the database finds candidates, no document that is
    due is missing, and the verdict decides about each. What is to be sent waits in the
    run's log then, and the dispatcher sends it, the most urgent first.

    Each step is committed. Whoever is interrupted goes on where the last commit was.
    """

    _name = "sales.followup.automatic"
    _description = "Automatic Reminders"

    @api.model
    def _cron_send(self):
        """Send what is due in all companies; call it as often as you like.

        What goes wrong in one company is logged and stops no other.
        """
        crons = self.env["ir.cron"]
        companies = self.env["res.company"].search([("followup_automatic", "=", True)])
        for company in companies:
            if not self._in_company(company)._send_in_company():
                # time is over: there is more to do, so it is called again
                return
        crons._commit_progress(remaining=0)

    @api.model
    def _in_company(self, company):
        """Give this model as it works in one company: its days, its language."""
        return self.with_company(company).with_context(
            allowed_company_ids=company.ids,
            tz=company._followup_get_zone().zone,
            lang=company.partner_id.lang or self.env.lang,
        )

    @api.model
    def _send_in_company(self):
        """Send what is due in one company, unless another worker does.

        :return: whether there was time for all of it
        """
        with self._lock_company() as is_mine:
            if not is_mine:
                # whoever has it may be dead, and leave something undone
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
                if isinstance(error, OperationalError):
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

    @api.model
    def _take_steps(self):
        """Commit step by step; where somebody changed meanwhile what a step needs, take
        it again, with fewer documents. One that is in the way even alone is put aside,
        for a later call.

        :return: whether there was time for all of it
        """
        crons, conflicts = self.env["ir.cron"], 0
        aside = self.env["sales.followup.run.line"]
        while True:
            try:
                for processed in self._send_due(max(1, BATCH_SIZE >> conflicts), aside):
                    if not crons._commit_progress(processed, remaining=1):
                        return False
                    if conflicts:
                        break
                else:
                    return True
                conflicts = 0
            except OperationalError:
                conflicts += 1
                if self.env.cr.closed:
                    raise
                self.env.cr.rollback()
                if conflicts > MAX_CONFLICTS:
                    run = self._get_unfinished_run()
                    stuck = run and run._get_next_lines(aside, 1)
                    if not stuck or len(aside) >= MAX_ASIDE:
                        raise
                    _logger.info("%s is put aside", stuck.document_name, exc_info=True)
                    aside |= stuck
                    conflicts = 0
                time.sleep(random.uniform(0, 0.05) * conflicts)

    @api.model
    def _send_due(self, batch_size=BATCH_SIZE, aside=None):
        """Send what is due in one company, step by step.

        Generator, to be used up: each step is to be committed before the next one. It
        yields how many documents a step was about.

        :param aside: lines of the run's log to leave for a later call
        """
        run = self._get_unfinished_run()
        if not self._is_sending_day():
            return
        if not run.is_planned:
            run = yield from self._plan(run)
        if run:
            yield from self._send_planned(run, batch_size, aside)

    @api.model
    def _is_sending_day(self):
        """Tell whether the company sends today: maybe on business days only."""
        today = self.env.company._followup_today()
        is_business_day = self.env.company._followup_get_business_days(today)
        return is_business_day is None or is_business_day(today)

    # --- sending ----------------------------------------------------------------

    @api.model
    def _send_planned(self, run, batch_size, aside=None):
        """Send what waits in the log of a run, and close it.

        :param aside: lines to leave for a later call
        """
        busy = aside or run.line_ids.browse()
        while lines := run._get_next_lines(busy, batch_size):
            if any(lines.template_id.mapped("attach_document")):
                lines = lines[:PDF_BATCH_SIZE]
            busy |= self._send_lines(run, lines)
            yield len(lines)
        if busy:
            self._come_back()
        else:
            run._close_log()
        yield 0

    @api.model
    def _come_back(self):
        """Have the scheduled action go on when others are done with the documents."""
        cron = self.env.ref("sales_followup.ir_cron_send_automatic")
        cron._trigger(fields.Datetime.now() + COME_BACK)

    @api.model
    def _send_lines(self, run, lines):
        """Send what some lines say, and note what became of it.

        Whatever goes wrong costs only the document it is about.

        :param lines: on one model of documents, the most urgent first
        :return: lines whose documents somebody else holds
        """
        try:
            with self.env.cr.savepoint():
                outcomes = self.env["sales.followup.dispatcher"]._dispatch(
                    [self._prepare_request(run, line) for line in lines], Mode.AUTOMATIC
                )
        except OperationalError:
            raise
        except Exception as error:
            if len(lines) == 1:
                _logger.exception("No reminder of %s", lines.document_name)
                lines.write({"state": "failed", "reason": repr(error)})
                return lines.browse()
            half = len(lines) // 2
            busy = self._send_lines(run, lines[:half])
            return busy | self._send_lines(run, lines[half:])
        return self._note(lines, outcomes)

    @api.model
    def _prepare_request(self, run, line):
        """Give what is sent, in the name of who sells the document.

        :rtype: Request
        """
        document = line._get_document()
        return Request(
            document=document,
            template=line.template_id,
            channel="email",
            values={
                "origin": "auto",
                "run_id": run.id,
                "user_id": document._followup_get_sender().id,
            },
            reminder=line.reminder_id,
        )

    @api.model
    def _note(self, lines, outcomes):
        """Note what became of some lines.

        :param outcomes: dict of document → :class:`Outcome`
        :return: lines whose documents somebody else holds
        """
        busy = needless = lines.browse()
        for line in lines:
            outcome = outcomes[line._get_document()]
            if outcome.state == "busy":
                busy |= line
            elif Code.ALREADY_SENT in outcome.codes:
                # a person was quicker: it was sent, and that is what was wanted
                needless |= line
            else:
                line.write(
                    {
                        "state": STATE_OF_OUTCOME[outcome.state],
                        "reason": " ".join(outcome.reasons) or False,
                        "codes": self._get_key(outcome.codes) or False,
                        "reminder_id": outcome.reminder and outcome.reminder.id,
                    }
                )
        needless.unlink()
        if any(outcome.state == "sent" for outcome in outcomes.values()):
            # e-mails wait in Odoo's queue
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
        return busy

    @api.model
    def _get_key(self, codes):
        """Give reasons as the log keeps them, to know them again.

        :param codes: some :class:`~..rules.verdict.Code`
        :rtype: str
        """
        return ",".join(code.value for code in codes)
