import io
import logging

from odoo import api, fields, models
from odoo.tools.pdf import PdfReader, PdfWriter

from ..rules.verdict import Mode
from .sales_followup_dispatcher import STATES, Order

_logger = logging.getLogger(__name__)

#: how many lines are locked, sent and committed at a time
BATCH_SIZE = 50


# Sending in batches is a subject of its own.
class SalesFollowupRun(models.Model):
    """How a run is sent; :mod:`.sales_followup_run_proposal` says what."""

    _inherit = "sales.followup.run"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _get_inline_limit(self):
        """Give up to how many lines a run is sent at once, while the user waits."""
        return BATCH_SIZE

    def _trigger(self):
        """Have the scheduled action go on as soon as this is committed."""
        # sudo: scheduled actions are for administrators
        self.env.ref("sales_followup.ir_cron_process_runs").sudo()._trigger()

    @api.model
    def _cron_process(self):
        """Send what running runs have left, batch by batch.

        Each batch is committed with what it sent. After a crash the next call goes on
        where the last commit was.
        """
        crons = self.env["ir.cron"]
        while (run := self.search([("state", "=", "running")], order="id", limit=1)):
            crons._commit_progress(remaining=run.waiting_count)
            done = run._process_batch()
            if not done and run.state == "running":
                # others hold the lines that are left; they, or the next call, go on
                break
            if not crons._commit_progress(done):
                break

    def _process_all(self):
        """Send all lines in this transaction, while the user waits."""
        while self.state == "running" and self._process_batch():
            pass

    def _process_batch(self):
        """Send some lines, and finish the run after the last one.

        :return: how many lines are done with
        """
        self.ensure_one()
        run = self._as_sender()
        lines = run.line_ids.search(
            [
                ("run_id", "=", run.id),
                ("state", "=", "waiting"),
                ("channel", "!=", "none"),
            ],
            order="id",
            limit=BATCH_SIZE,
        )
        locked = lines.try_lock_for_update()
        done = sum(
            run._process_lines(of_kind)
            for of_kind in locked._group_by_document_model().values()
        )
        if not run.waiting_count:
            run._finish()
        return done

    def _as_sender(self):
        """Give the run as superuser on behalf of who launched it.

        Templates were checked when they were written, and documents when they were
        proposed; the e-mails are that person's.
        """
        return self.with_user(self.user_id).with_company(self.company_id).sudo()

    def _process_lines(self, lines):
        """Send lines of one model of documents.

        :return: how many are done with; those somebody else holds are not
        """
        by_document = {line._get_document(): line for line in lines}
        outcomes = self.env["sales.followup.dispatcher"]._dispatch(
            [self._prepare_order(line) for line in lines], Mode.BULK
        )
        done = 0
        for document, outcome in outcomes.items():
            if outcome.state in STATES:
                by_document[document].write(
                    {
                        "state": STATES[outcome.state],
                        "reason": " ".join(outcome.reasons) or False,
                        "reminder_id": outcome.reminder and outcome.reminder.id,
                    }
                )
                done += 1
        return done

    def _prepare_order(self, line):
        """Give what a line wants sent.

        :rtype: Order
        """
        return Order(
            document=line._get_document(),
            template=line.template_id,
            channel=line.channel,
            values={
                "origin": "run",
                "run_id": self.id,
                "user_id": self.user_id.id,
                "next_date": line.next_date,
            },
            overruled=line._is_overruled(),
        )

    def _finish(self):
        """Close the run, with its letters in one file."""
        self._lock()
        if self.state != "running":
            return
        self._merge_letters()
        self.write({"state": "done"})
        # sudo: e-mails wait in Odoo's queue
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    # --- letters ----------------------------------------------------------------

    def _merge_letters(self):
        """Store all letters of the run as one PDF, customer by customer."""
        letters = self.reminder_ids.filtered(
            lambda reminder: reminder.channel == "letter" and reminder.attachment_id
        )
        if not letters:
            return
        letters = letters.sorted(lambda r: (r.partner_id.display_name or "", r.id))
        writer = PdfWriter()
        for letter in letters:
            self._append(writer, letter)
        buffer = io.BytesIO()
        writer.write(buffer)
        self.attachment_id = self.env["ir.attachment"].create(
            {
                "name": self._get_file_name(),
                "raw": buffer.getvalue(),
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )

    def _append(self, writer, letter):
        """Add the pages of one letter; one that cannot be read costs only itself."""
        try:
            reader = PdfReader(io.BytesIO(letter.attachment_id.raw), strict=False)
            for page in reader.pages:
                writer.add_page(page)
        except Exception:
            _logger.exception("Letter %s cannot be merged.", letter.name)
            line = self.line_ids.filtered(lambda line: line.reminder_id == letter)
            line.reason = self.env._("The PDF cannot be read, and is not in the file.")
        # a letter is read once: keep the memory for the next
        letter.attachment_id.invalidate_recordset(["raw", "datas"])

    def _get_file_name(self):
        """Give the name of the merged file: type, date and run."""
        types = self.line_ids.document_type_id.mapped("name")
        kind = types[0] if len(types) == 1 else self.env._("Letters")
        day = fields.Date.to_string(self.company_id._followup_local_day(self.date))
        return f"{kind} {day} {self.name}.pdf".replace("/", "-")
