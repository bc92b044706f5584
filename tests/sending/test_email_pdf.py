from io import BytesIO
from unittest.mock import patch

from pypdf import PdfReader

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from ..common_smtp import SmtpCommon


@tagged("post_install", "-at_install")
class TestEmailPdf(HttpCase, SmtpCommon):
    """The document that really arrives with an e-mail."""

    def _send(self, document, code):
        """Remind of a document with its PDF, and give reminder and PDF received."""
        template = self._create_template(code, attach_document=True)
        with self.allow_pdf_render(), self._serve() as mailbox:
            reminder = self._remind(document, template_id=template.id)
        self.assertState(reminder, "done")
        [message] = mailbox.messages
        [attachment] = message.iter_attachments()
        self.assertEqual(attachment.get_content_type(), "application/pdf")
        self.assertEqual(attachment.get_filename(), document._followup_get_file_name())
        return reminder, attachment.get_content()

    def _watch_printing(self):
        """Note the source of everything that is printed from now on.

        Fonts from the web become outlines in the PDF: its text cannot be read back.
        """
        report = self.env.registry["ir.actions.report"]
        print_it, sources = report._run_wkhtmltopdf, []

        def watch(self, bodies, *args, **kwargs):
            sources.extend(map(str, bodies))
            return print_it(self, bodies, *args, **kwargs)

        self.patch(report, "_run_wkhtmltopdf", watch)
        return sources

    def assertIsPdf(self, content):
        self.assertGreaterEqual(len(PdfReader(BytesIO(content)).pages), 1)

    def test_quotation(self):
        order = self._create_quotation()
        sources = self._watch_printing()
        reminder, content = self._send(order, "quotation")
        self.assertIsPdf(content)
        [source] = sources
        self.assertIn(order.name, source)
        self.assertIn("Azure Interior", source)
        self.assertEqual(reminder.attachment_id.raw, content)
        self.assertEqual(reminder.message_id.attachment_ids, reminder.attachment_id)

    def test_invoice(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        sources = self._watch_printing()
        _reminder, content = self._send(invoice, "customer_invoice")
        self.assertIsPdf(content)
        self.assertIn(invoice.name, sources[0])

    def test_legal_pdf_of_an_invoice_goes_as_it_is(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        with self.allow_pdf_render():
            prints = self.env["sales.followup.document.printer"]._render_documents(
                invoice
            )
        legal = self.env["ir.attachment"].create(
            {
                "name": "FUS_2026_00001.pdf",
                "raw": prints[invoice],
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        invoice.invalidate_recordset()
        self.assertEqual(invoice.invoice_pdf_report_id, legal)
        sources = self._watch_printing()
        _reminder, content = self._send(invoice, "customer_invoice")
        self.assertEqual(content, legal.raw)
        self.assertFalse(sources, "nothing was printed")
        self.env.company.followup_attach_files = True
        _reminder, content = self._send(invoice, "customer_invoice")
        self.assertEqual(content, legal.raw, "and it goes once")

    def test_second_reminder_prints_it_again(self):
        """What was changed since is in the second PDF."""
        order = self._create_quotation()
        self._send(order, "quotation")
        order.client_order_ref = "LATER-42"
        sources = self._watch_printing()
        self._send(order, "quotation")
        self.assertIn("LATER-42", sources[0])

    def test_document_that_cannot_be_printed(self):
        """Nothing goes out without the document, and nothing is left behind."""
        order = self._create_quotation()
        template = self._create_template("quotation", attach_document=True)
        report = self.env.registry["ir.actions.report"]
        refuse = patch.object(
            report, "_run_wkhtmltopdf", side_effect=UserError("The printer is on fire")
        )
        with refuse, self.allow_pdf_render(), self._serve() as mailbox:
            with self.assertRaises(UserError) as refusal:
                self._remind(order, template_id=template.id)
        self.assertIn("The printer is on fire", refusal.exception.args[0])
        self.assertIn(order.name, refusal.exception.args[0])
        self.assertFalse(mailbox.messages)
        self.assertFalse(order.followup_reminder_ids)
