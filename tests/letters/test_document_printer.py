import io
import re
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger, pdf

from odoo.addons.base.models import ir_actions_report
from odoo.addons.base.models.ir_actions_report import _wkhtml

from ...models.letters import sales_followup_document_printer
from ..common_letter import LetterCommon, paint_pages

REPORT = "sale.action_report_saleorder"
PRESS = "odoo.addons.sales_followup.models.letters.sales_followup_document_printer"


def _get_drawings(content):
    """Return what is drawn on each page, however its fonts are called: how many letters
    and curves, which letters of web fonts become, and the size of the page."""
    reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
    pages = [reader.getPage(number) for number in range(reader.getNumPages())]
    return [
        (
            len(re.findall(rb"\b(?:c|Tj)\n", page["/Contents"].getObject().getData())),
            [float(edge) for edge in page.mediaBox],
        )
        for page in pages
    ]


@tagged("post_install", "-at_install")
class TestDocumentPrinter(LetterCommon, HttpCase):
    """Documents that are printed together are those that Odoo prints."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls.order | cls.env["sale.order"].concat(
            *(
                cls._create_order(cls.customer, "sent", client_order_ref="REF" * number)
                for number in (1, 3)
            )
        )
        # one of them has several pages
        cls.long_order = cls.orders[1]
        product = cls.order.order_line.product_id
        cls.long_order.order_line = [
            Command.create({"product_id": product.id, "name": f"Line {number}"})
            for number in range(60)
        ]
        cls.env.flush_all()

    def setUp(self):
        super().setUp()
        # a server that does not answer would be another matter
        self.starts = []
        run = ir_actions_report._run_wkhtmltopdf

        def count(arguments):
            self.starts.append(arguments)
            return run(arguments)

        self.startPatcher(patch.object(ir_actions_report, "_run_wkhtmltopdf", count))

    def _print(self, orders=None):
        """Return the PDFs of orders, and how often wkhtmltopdf was started for them."""
        self.starts.clear()
        orders = self.orders if orders is None else orders
        printed = self.printer.with_user(self.alice)._render_documents(orders)
        self.assertEqual(list(printed), list(orders))
        return list(printed.values()), len(self.starts)

    def _print_one_by_one(self, orders=None):
        printer = self.printer.with_user(self.alice)
        return [printer._print_document(order) for order in orders or self.orders]

    def assertSameDrawings(self, contents, others):
        for content, other in zip(contents, others, strict=True):
            self.assertEqual(_get_drawings(content), _get_drawings(other))

    def assertPrintedAhead(self, prints, orders):
        """Assert that some of all orders were printed ahead."""
        for order in self.orders:
            report = self.env["ir.actions.report"]._get_report(REPORT)
            html = prints.get_html(report, order.ids)
            self.assertEqual(bool(html), order in orders)

    def assertSamePixels(self, contents, others):
        for content, other in zip(contents, others, strict=True):
            self.assertEqual(paint_pages(content), paint_pages(other))

    # --- together ---------------------------------------------------------------

    def test_prints_are_those_of_odoo(self):
        contents, starts = self._print()
        self.assertEqual(starts, 1)
        expected = self._print_one_by_one()
        self.assertSameDrawings(contents, expected)
        self.assertGreater(len(_get_drawings(contents[1])), 1)
        for index in (0, 2):
            self.assertEqual(len(_get_drawings(contents[index])), 1)
        self.assertEqual(len({str(_get_drawings(content)) for content in contents}), 3)

    def test_nothing_of_the_run_is_left_in_them(self):
        contents, _starts = self._print()
        for content in contents:
            self.assertNotIn(b".invalid/", content)

    def test_sets_are_small(self):
        with patch.object(sales_followup_document_printer, "BATCH_SIZE", 2):
            _contents, starts = self._print()
        # two together, and one left
        self.assertEqual(starts, 2)

    def test_one_document_is_printed_once(self):
        _contents, starts = self._print(self.order)
        self.assertEqual(starts, 1)

    # --- whatever is not as it should be ----------------------------------------

    @mute_logger(PRESS)
    def test_document_wider_than_the_paper_makes_no_other_smaller(self):
        self.orders[2].note = '<div style="width: 3000px">As wide as <b>that</b></div>'
        contents, starts = self._print()
        if not _wkhtml().is_patched_qt:  # there each is a file, of its own size
            self.assertGreater(starts, len(self.orders) - 1)
        self.assertSamePixels(contents, self._print_one_by_one())

    @mute_logger(PRESS)
    def test_document_that_cannot_be_rendered_costs_only_itself(self):
        reports = self.env.registry["ir.actions.report"]
        render = reports._render_qweb_html

        def refuse(report, report_ref, docids, data=None):
            if list(docids) == self.long_order.ids:
                raise UserError("It is on fire")  # pylint: disable=translation-required
            return render(report, report_ref, docids, data=data)

        with patch.object(reports, "_render_qweb_html", refuse):
            prints = self.printer._print_ahead(self.orders)
            self.assertPrintedAhead(prints, self.orders - self.long_order)
            with self.assertRaisesRegex(UserError, "on fire") as refusal:
                self._print()
            self.assertIn(self.long_order.name, str(refusal.exception))
            contents, _starts = self._print(self.orders - self.long_order)
        for content in contents:
            self.assertEqual(len(_get_drawings(content)), 1)

    @mute_logger(PRESS)
    def test_run_that_fails_is_done_one_by_one(self):
        press = self.env.registry["sales.followup.document.printer"]
        with patch.object(press, "_print_together", side_effect=ValueError("torn")):
            _contents, starts = self._print()
        self.assertEqual(starts, len(self.orders))

    @mute_logger(PRESS)
    def test_documents_that_cannot_be_told_apart_are_printed_one_by_one(self):
        with patch(f"{PRESS}.letter_pages.read_sections", lambda *_args: {}):
            _contents, starts = self._print()
        self.assertGreaterEqual(starts, len(self.orders))

    def test_nothing_of_one_document_is_on_the_pages_of_another(self):
        """Whatever shifts itself, and however: pixels are what each prints alone."""
        ink = '<div style="%s; color: red; font-size: 40px">IN THE WAY</div>'
        shifts = [
            "position: absolute; top: -300px",
            "margin-top: -600px",
            "position: fixed; top: 0",
            "position: relative; top: 900px",
            "-webkit-transform: translateY(-400px)",
            "text-shadow: 0 -600px red",
            "height: 0; padding-top: 700px; margin-bottom: -900px",
            "box-shadow: inset 0 0 1px red, 0 -600px red",
            "outline: 300px solid red",
            "height: 0; line-height: 0; font-size: 900px !important",
        ]
        others = self.orders[0] | self.orders[2]
        for other in others:
            other.note = "<p>Terms as they are.</p>"
        expected = self._print_one_by_one(others)
        shifted = self.order.copy({"user_id": self.alice.id})
        for shift in shifts:
            with self.subTest(shift=shift):
                shifted.note = ink % shift
                documents = self.orders[0] | shifted | self.orders[2]
                [first, alone, last], _starts = self._print(documents)
                self.assertSamePixels([first, last], expected)
                self.assertSamePixels([alone], self._print_one_by_one(shifted))

    def test_pixels_are_those_of_single_prints(self):
        contents, starts = self._print()
        self.assertEqual(starts, 1)
        self.assertSamePixels(contents, self._print_one_by_one())

    def test_nothing_of_printing_comes_over_the_network(self):
        forged = {"get_html": "<p>forged</p>", "delay": 3_600_000}
        reports = self.env["ir.actions.report"].with_context(
            followup_printing=forged, followup_print_delay=3_600_000
        )
        content, _kind = reports.with_context(
            force_report_rendering=True
        )._render_qweb_pdf(REPORT, self.order.ids)
        self.assertSameDrawings([content], self._print_one_by_one(self.order))
        for arguments in self.starts:
            self.assertNotIn("3600000", arguments)
