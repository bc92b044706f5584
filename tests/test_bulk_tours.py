from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .common_bulk import BulkCommon
from .test_bulk_pdf import make_pdf, read_widths

PROCESS = "odoo.addons.sales_followup.models.sales_followup_run_process"


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

    def _print_blank_pages(self):
        """Print one page for each letter and document: what they look like is told
        elsewhere."""
        renderer = self.env.registry["sales.followup.letter"]
        for name, replacement in (
            ("_render_pdf", lambda _self, letters: [make_pdf(100) for _l in letters]),
            (
                "_render_documents",
                lambda _self, documents: {doc: make_pdf(200) for doc in documents},
            ),
            (
                "_merge",
                lambda _self, letter, pdf, document=None: make_pdf(
                    *read_widths(letter), *read_widths(pdf)
                ),
            ),
        ):
            self.startPatcher(patch.object(renderer, name, replacement))

    def test_salesperson_sends_emails_and_letters(self):
        self._print_blank_pages()
        orders = [
            self._create_named("First Customer"),
            self._create_named("Second Customer"),
            self._create_named("Postal Customer", email=False),
        ]
        stopped = self._create_named("Stopped Customer")
        stopped.followup_exclude = True
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
        self.assertEqual(read_widths(run.attachment_id.raw), [100, 200] * 2)

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
