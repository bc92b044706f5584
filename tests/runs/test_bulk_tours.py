import io
from unittest.mock import patch

from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfReader

from ..common_bulk import BulkCommon

PROCESS = "odoo.addons.sales_followup.models.runs.sales_followup_run_process"


@tagged("post_install", "-at_install")
class TestBulkTours(BulkCommon, HttpCase):
    """A salesperson's bulk reminders, in the browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice.password = cls.alice.login

    def _create_named(self, name, **values):
        customer = self._create_customers(1, name=name, **values)
        return self._create_quotation(customer)

    def _find_letters(self, pdf, *names):
        """Return the pages of a PDF on which letters to customers begin, in order; the
        texts of documents cannot be read: some prints turn web fonts into outlines."""
        texts = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
        return [
            (name, number)
            for number, text in enumerate(texts)
            for name in names
            if name in text and "Reminder of" in text
        ]

    def test_salesperson_sends_emails_and_letters(self):
        orders = [
            self._create_named("First Customer"),
            self._create_named("Second Customer"),
            self._create_named("Postal Customer", email=False),
        ]
        stopped = self._create_named("Stopped Customer")
        stopped.followup_exclude = True
        with self.allow_pdf_render():
            self.start_tour(
                "/odoo/bulk-reminders", "sales_followup_bulk", login=self.alice.login
            )
        channels = [self._reminders(order).channel for order in orders]
        self.assertEqual(channels, ["letter", "email", "letter"])
        self.assertFalse(self._reminders(stopped))
        run = self._reminders(*orders).run_id
        self.assertEqual(run.user_id, self.alice)
        self.assertTrue(run.printed_date)
        self.assertFalse(run.posted_date)
        letters = self._find_letters(
            run.attachment_id.raw, "First Customer", "Postal Customer"
        )
        self.assertEqual(
            letters,
            [("First Customer", 0), ("Postal Customer", 2)],
            "each letter, then its document",
        )

    def test_progress_is_watched(self):
        self._create_quotations(2)
        with patch(f"{PROCESS}.INLINE_LIMIT", 0):
            run = self._propose()
            run.action_launch()
            self.start_tour(
                f"/odoo/bulk-reminders/{run.id}",
                "sales_followup_bulk_progress",
                login=self.alice.login,
            )
        self.assertEqual(run.state, "paused")
