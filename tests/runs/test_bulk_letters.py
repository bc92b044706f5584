from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_bulk import BulkCommon
from ..letters.test_pdf_appender import make_pdf, read_widths

FILE = "odoo.addons.sales_followup.models.runs.sales_followup_run_file"


@tagged("post_install", "-at_install")
class TestBulkLetters(BulkCommon):
    """The letters of a run, in one file and each by itself.

    What the letters look like is told elsewhere: here each is one page whose width says
    which document it is about, and its document is one page of half that width.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.beta = cls._create_letter_customer("Beta")
        cls.alpha = cls._create_letter_customer("alpha")
        cls.orders = cls.env["sale.order"].concat(
            *(
                cls._create_quotation(customer, validity_date=date)
                for customer, date in (
                    (cls.beta, "2020-02-01"),
                    (cls.alpha, "2020-03-01"),
                    (cls.beta, "2020-01-01"),
                )
            )
        )
        cls.widths = {order.id: 1000 + 100 * n for n, order in enumerate(cls.orders)}

    @classmethod
    def _create_letter_customer(cls, name):
        return cls._create_customer(cls.alice, name=name, zip="69003", city="Lyon")

    def setUp(self):
        super().setUp()
        renderer = self.env.registry["sales.followup.letter"]
        printer = self.env.registry["sales.followup.document.printer"]
        widths, self.broken = self.widths, set()

        def render_letters(_self, letters):
            return [make_pdf(widths[letter["document"].id]) for letter in letters]

        def render_documents(_self, documents):
            return {
                document: make_pdf(widths[document.id] // 2) for document in documents
            }

        def merge(_self, letter, document_pdf, document=None):
            if document.id in self.broken:
                # pylint: disable-next=translation-required
                raise UserError("The document cannot be printed.")
            return make_pdf(*read_widths(letter), *read_widths(document_pdf))

        for model, name, replacement in (
            (renderer, "_render_pdf", render_letters),
            (printer, "_render_documents", render_documents),
            (renderer, "_merge", merge),
        ):
            self.startPatcher(patch.object(model, name, replacement))

    def _launch(self):
        run = self._propose_of(self.orders)
        self._get_lines(run, self.orders).action_all_letter()
        run.action_launch()
        return run

    def _get_pages(self, *orders):
        """Return the widths of the pages of these orders' letters."""
        return [
            width
            for order in orders
            for width in (self.widths[order.id], self.widths[order.id] // 2)
        ]

    # --- the file ---------------------------------------------------------------

    def test_letters_are_in_one_file_customer_by_customer(self):
        run = self._launch()
        first, second, third = self.orders
        self.assertEqual(run.state, "done")
        self.assertEqual(run.sent_count, 3)
        # as in the list: the oldest of a customer's documents first
        lines = self._get_lines(run, self.orders)
        listed = run.line_ids.search([("id", "in", lines.ids)]).order_id
        self.assertIn(list(listed), ([second, third, first], [third, first, second]))
        self.assertEqual(run.page_count, 6)
        pages = read_widths(run.sudo().attachment_id.raw)
        self.assertEqual(pages, self._get_pages(*listed))

    def test_each_reminder_has_its_own_letter(self):
        self._launch()
        for order in self.orders:
            reminder = self._reminders(order)
            self.assertEqual(reminder.state, "done")
            self.assertEqual(
                read_widths(reminder.sudo().attachment_id.raw), self._get_pages(order)
            )

    def test_file_is_named_by_type_date_and_run(self):
        run = self._launch()
        day = self.company._followup_today().isoformat()
        self.assertEqual(run.file_name, f"Quotations {day} {run.name}.pdf")
        self.assertTrue(run.file_size)
        self.assertTrue(run.file_date)
        self.assertTrue(run.file_size_text)
        self.assertEqual(run.action_download()["url"], run.file_url)

    def test_emails_and_letters_go_in_one_run(self):
        self.alpha.email = "alpha@customer.example.com"
        run = self._propose_of(self.orders)
        lines = self._get_lines(run, self.orders)
        lines.action_all_letter()
        email = self._get_lines(run, self.orders[1])
        email.channel = "email"
        run.action_launch()
        self.assertEqual(run.sent_count, 3)
        self.assertEqual(run.page_count, 4)
        self.assertEqual(self._reminders(self.orders[1]).state, "outgoing")

    def test_run_of_emails_has_no_file(self):
        self.beta.email = "beta@customer.example.com"
        run = self._propose_of(self.orders[0])
        run.action_launch()
        self.assertFalse(run.attachment_id)
        self.assertFalse(run.has_letters)
        for action in (
            run.action_download,
            run.action_confirm_printed,
            run.action_confirm_posted,
        ):
            with self.assertRaises(UserError):
                action()

    # --- failures ---------------------------------------------------------------

    def test_document_that_cannot_be_printed_costs_only_itself(self):
        self.broken.add(self.orders[1].id)
        run = self._launch()
        self.assertLine(
            self._get_lines(run, self.orders[1]), "failed", "cannot be printed"
        )
        self.assertEqual((run.sent_count, run.failed_count), (2, 1))
        self.assertEqual(run.page_count, 4)
        self.assertEqual(self._reminders(self.orders[1]).state, "failed")

    def test_letter_that_cannot_be_read_costs_only_itself(self):
        run = self._propose_of(self.orders)
        self._get_lines(run, self.orders).action_all_letter()
        finish = self.env.registry["sales.followup.run"]._finish
        damaged = self.orders[0]

        def damage(running):
            self._reminders(damaged).sudo().attachment_id.raw = b"no PDF"
            return finish(running)

        self.patch(self.env.registry["sales.followup.run"], "_finish", damage)
        with mute_logger(FILE):
            run.action_launch()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.page_count, 4)
        line = self._get_lines(run, damaged)
        self.assertLine(line, "done", "cannot be read")

    # --- what becomes of it -----------------------------------------------------

    def test_printed_and_posted_are_confirmed_separately_and_once(self):
        run = self._launch()
        self.assertFalse(run.printed_date or run.posted_date)
        run.action_confirm_printed()
        printed = run.printed_date
        self.assertTrue(printed)
        self.assertFalse(run.posted_date)
        run.action_confirm_posted()
        self.assertTrue(run.posted_date)
        run.sudo().printed_date = "2020-01-01 00:00:00"
        run.action_confirm_printed()
        self.assertEqual(run.printed_date.year, 2020)

    def test_file_is_deleted_and_the_history_stays(self):
        run = self._launch()
        attachment = run.sudo().attachment_id
        run.action_delete_file()
        self.assertFalse(attachment.exists())
        self.assertFalse(run.attachment_id)
        self.assertTrue(run.has_letters)
        self.assertTrue(run.exists())
        for order in self.orders:
            self.assertTrue(self._reminders(order).sudo().attachment_id.exists())

    def test_file_is_for_who_sees_the_run(self):
        attachment = self._launch().sudo().attachment_id
        self.assertTrue(attachment.with_user(self.alice).has_access("read"))
        self.assertTrue(attachment.with_user(self.manager).has_access("read"))
        self.assertFalse(attachment.with_user(self.bob).has_access("read"))

    def test_generated_files_are_listed_below_the_page(self):
        run = self._launch()
        runs = self.env["sales.followup.run"]
        self.assertIn(run, self._create_run().recent_ids)
        self.assertNotIn(run, runs.with_user(self.bob).create({}).recent_ids)
        page = runs.with_user(self.alice).new({})
        self.assertIn("Quotations", page.recent_ids.mapped("type_names"))
        run.action_delete_file()
        self.assertNotIn(run, self._create_run().recent_ids)
