from contextlib import contextmanager

from goals import Queries, Ratio
from measure import Way
from product import FIRST_REMINDER, give_addresses, print_letter, write_letters
from wkhtmltopdf import noted

from . import Row

#: letters in each round, printed one after the other
RECORDS = 10


class OneLetter(Row):
    """Print letters one by one, as the dialog does.

    Ours lays out the letter, prints it with its stationery and page numbers, and puts
    them together. The floor is wkhtmltopdf alone, on the same HTML with the same
    options. The plain way is Odoo's, on the same HTML, with its default wait.
    """

    code = "6"
    title = "print one letter"
    tables = ()
    goals = (
        Ratio("ours", "floor", at_most=1.5),
        Ratio("plain", "ours"),
        Queries("ours"),
    )

    def ways(self):
        return [
            Way("ours", self.ours, RECORDS),
            Way("floor", self.floor, RECORDS),
            Way("plain", self.plain, RECORDS, slow=True),
        ]

    def ours(self, trial):
        with self._letters(trial) as letters, trial.lap():
            for letter in letters:
                print_letter(trial.env, letter)

    def floor(self, trial):
        runs = self._note_runs(trial)
        with trial.lap():
            for run in runs:
                run.repeat()

    def plain(self, trial):
        runs = self._note_runs(trial)
        reports = trial.env["ir.actions.report"]
        with trial.lap():
            for run in runs:
                reports._run_wkhtmltopdf(
                    run.sources, report_ref="sales_followup.letter_report_a4"
                )

    def _note_runs(self, trial):
        """Return the runs of wkhtmltopdf for the letters of a trial."""
        with self._letters(trial) as letters, noted() as runs:
            for letter in letters:
                print_letter(trial.env, letter)
        assert len(runs) == trial.records, len(runs)
        return runs

    @contextmanager
    def _letters(self, trial):
        ids = self.data.quotation_ids(trial.records, trial.turn)
        quotations = trial.env["sale.order"].browse(ids)
        give_addresses(quotations)
        letters = write_letters(quotations, trial.env.ref(FIRST_REMINDER))
        # how large wkhtmltopdf prints is found out once
        print_letter(trial.env, letters[0])
        yield letters
