import io
import statistics
from contextlib import contextmanager

from goals import Queries, Ratio, Value
from measure import Way, peak_memory
from product import (
    FIRST_REMINDER,
    give_addresses,
    launch,
    print_document,
    print_letter,
    propose_letters,
    write_letters,
)
from stylesheets import served
from wkhtmltopdf import noted

from odoo.tools.pdf import merge_pdf

from odoo.addons.sales_followup.models.letters.pdf_appender import PdfAppender

from . import Row

RECORDS = 200
#: the plain way takes seconds for each
SAMPLE = 5
REPORT = "sale.action_report_saleorder"


class Letters(Row):
    """Remind by letter, the quotation behind it, and put all into one file.

    Ours is a bulk run from its launch to its file: the verdict once more, reminders and
    next activities, the PDFs stored and merged. The floor is what wkhtmltopdf takes for
    that, run again on the same HTML, and the merging of ready PDFs. The plain way makes
    the PDFs one by one through Odoo's reports, with their default wait, and merges
    them; it makes no reminder.
    """

    code = "8"
    title = "letters with their quotations, merged"
    tables = (
        "sale_order",
        "res_partner",
        "ir_attachment",
        "mail_activity",
        "mail_message",
        "sales_followup_reminder",
        "sales_followup_run_line",
    )
    goals = (
        Ratio("plain", "ours", at_least=10),
        Ratio("plain, no wait", "ours"),
        Ratio("ours", "floor"),
        Queries("ours"),
    )
    remarks = ("style sheets come from memory, over HTTP",)

    def ways(self):
        return [
            Way("ours", self.ours, RECORDS),
            Way("floor", self.floor, RECORDS, slow=True),
            Way("plain", self.plain, SAMPLE, slow=True),
            Way("plain, no wait", self.plain_quickly, SAMPLE, slow=True),
        ]

    def measure(self):
        results = self.bench.compare(self.ways(), self.tables, warm_up=3)
        small, large = (
            statistics.median(
                self.bench.in_child(self.code, records)["peak"] for _time in range(2)
            )
            for records in (RECORDS // 4, RECORDS)
        )
        more = Value(
            f"peak memory, {RECORDS} - {RECORDS // 4} letters",
            large - small,
            at_most=50,
            unit=" MB",
        )
        return results, [*self.goals, more]

    def in_child(self, records):
        """Measure once, in this process alone; give its peak memory."""
        self.bench.run_once(Way("ours", self.ours, records), 0, self.tables, records)
        return {"peak": peak_memory()}

    def ours(self, trial):
        with self._quotations(trial) as quotations:
            run = propose_letters(quotations)
            trial.env.flush_all()
            trial.env.invalidate_all()
            with trial.lap():
                launch(run)
        assert run.page_count >= 2 * trial.records, run.page_count

    def floor(self, trial):
        with self._quotations(trial) as quotations:
            with noted() as runs:
                run = launch(propose_letters(quotations))
            contents = [
                reminder.attachment_id.raw for reminder in run.line_ids.reminder_id
            ]
            with trial.lap():
                for each in runs:
                    each.repeat()
                appender = PdfAppender(io.BytesIO())
                for content in contents:
                    appender.append(content)
                appender.close()

    def plain(self, trial):
        with self._quotations(trial) as quotations:
            letters = write_letters(quotations, trial.env.ref(FIRST_REMINDER))
            with noted() as runs:
                for letter in letters:
                    print_letter(trial.env, letter)
            reports = trial.env["ir.actions.report"].with_context(
                force_report_rendering=True
            )
            with trial.lap():
                contents = []
                for quotation, run in zip(quotations, runs, strict=True):
                    contents.append(
                        reports._run_wkhtmltopdf(
                            run.sources, report_ref="sales_followup.letter_report_a4"
                        )
                    )
                    contents.append(print_document(quotation))
                merge_pdf(contents)

    def plain_quickly(self, trial):
        """As if somebody had found out about the wait."""
        settings = trial.env["ir.config_parameter"].sudo()
        settings.set_param("report.print_delay", "1")
        self.plain(trial)

    @contextmanager
    def _quotations(self, trial):
        ids = self.data.quotation_ids(trial.records, trial.turn)
        quotations = trial.env["sale.order"].browse(ids)
        give_addresses(quotations)
        with served(trial.env, REPORT, ids[0]):
            yield quotations
