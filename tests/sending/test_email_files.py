from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ..common_reminders import RemindersCommon

PDF = b"%PDF-1.4\n%made for a test: "


@tagged("post_install", "-at_install")
class TestEmailFiles(RemindersCommon):
    """Which files go with an e-mail; :mod:`.test_letter` has what is in them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation()
        cls.env.company.followup_attach_files = True

    def setUp(self):
        super().setUp()
        # printing takes a browser, and what is printed is not the point here
        self.rendered = []
        renderer = self.env.registry["sales.followup.document.printer"]
        patcher = patch.object(renderer, "_render_documents", self._render_documents)
        self.startPatcher(patcher)

    def _render_documents(self, documents):
        self.rendered.append(documents)
        return {doc: PDF + doc.display_name.encode() for doc in documents}

    def _attach(self, document=None, name="drawing.pdf", raw=None, **values):
        document = document or self.order
        return self.env["ir.attachment"].create(
            {
                "name": name,
                "raw": raw or PDF + name.encode(),
                "res_model": document._name,
                "res_id": document.id,
                **values,
            }
        )

    def _remind_with(self, document=None, attach_document=False, **values):
        """Remind with a template of certain files."""
        document = document or self.order
        code = "quotation" if document._name == "sale.order" else "customer_invoice"
        template = self._create_template(code, attach_document=attach_document)
        template.mail_template_id.write(values)
        return self._remind(document, template_id=template.id)

    def assertFiles(self, reminder, *names):
        """Assert which files went with a reminder, in whatever order, each once."""
        files = reminder.message_id.attachment_ids
        self.assertEqual(sorted(files.mapped("name")), sorted(names))

    # --- the document -----------------------------------------------------------

    def test_document_goes_along_once(self):
        reminder = self._remind_with(attach_document=True)
        name = self.order._followup_get_file_name()
        self.assertFiles(reminder, name)
        self.assertEqual(reminder.attachment_id, reminder.message_id.attachment_ids)
        self.assertEqual(reminder.attachment_id.raw, PDF + self.order.name.encode())
        self.assertEqual(self.rendered, [self.order])
        self.assertTrue(name.endswith(f"{self.order.name}.pdf"), name)

    def test_document_stays_at_home(self):
        reminder = self._remind_with(attach_document=False)
        self.assertFiles(reminder)
        self.assertFalse(reminder.attachment_id)
        self.assertFalse(self.rendered)

    def test_file_names_have_no_slashes(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        self.assertIn("/", invoice.name)
        reminder = self._remind_with(invoice, attach_document=True)
        self.assertNotIn("/", reminder.attachment_id.name)

    def test_salesperson_can_open_the_file(self):
        reminder = self._remind_with(attach_document=True)
        self.assertTrue(reminder.attachment_id.with_user(self.alice).raw)

    def test_documents_of_a_batch_are_rendered_together(self):
        orders = self.order | self._create_quotation()
        template = self._create_template(attach_document=True)
        reminders = (
            self.env["sales.followup.reminder"]
            .with_user(self.alice)
            ._remind(orders, {"channel": "email", "template_id": template.id})
        )
        self.assertEqual(self.rendered, [orders])
        for reminder in reminders.sudo():
            self.assertFiles(reminder, reminder.order_id._followup_get_file_name())

    # --- the template -----------------------------------------------------------

    def test_files_of_the_template(self):
        terms = self.env["ir.attachment"].create({"name": "terms.txt", "raw": b"Pay!"})
        reminder = self._remind_with(
            attach_document=True, attachment_ids=[Command.set(terms.ids)]
        )
        self.assertFiles(reminder, "terms.txt", self.order._followup_get_file_name())

    # --- the document's own files -----------------------------------------------

    def test_own_pdf_files_and_nothing_else(self):
        self._attach(name="drawing.pdf")
        self._attach(name="margin.xlsx", raw=b"PK")
        self._attach(name="photo.png", raw=b"\x89PNG")
        self._attach(self._create_quotation(), name="other.pdf")
        self.assertFiles(self._remind_with(), "drawing.pdf")

    def test_own_files_only_where_the_company_wants_them(self):
        self._attach()
        self.env.company.followup_attach_files = False
        self.assertFiles(self._remind_with())

    def test_the_documents_company_decides(self):
        other = self.env["res.company"].create({"name": "Thrifty"})
        self.alice.company_ids |= other
        order = self._create_quotation(company_id=other.id, user_id=self.alice.id)
        self._attach(order)
        self.assertFiles(self._remind_with(order))
        other.followup_attach_files = True
        self.assertFiles(self._remind_with(order), "drawing.pdf")

    def test_earlier_reminders_are_not_sent_again(self):
        self._remind_with(attach_document=True)
        self._attach()
        name = self.order._followup_get_file_name()
        self.assertFiles(self._remind_with(attach_document=True), name, "drawing.pdf")
        self.assertFiles(self._remind_with(), "drawing.pdf")

    def test_prints_that_odoo_sent_are_not_sent_again(self):
        name = self.order.name
        for print_name in (
            f"Quotation - {name}.pdf",
            f"{name}.pdf",
            f"PRO-FORMA - {name}.pdf",
        ):
            self._attach(name=print_name)
        self._attach(name=f"drawing {name}.pdf")
        self.assertFiles(self._remind_with(), f"drawing {name}.pdf")

    def test_prints_that_a_report_saved_are_not_sent_again(self):
        """Whatever the document was then, and in whatever language."""
        self.env["res.lang"]._activate_lang("fr_FR")
        report = self.env.ref("sale.action_report_saleorder")
        report.attachment = "'QUOTE_' + object.name + '.pdf'"
        report.with_context(
            lang="fr_FR"
        ).print_report_name = (
            "object.state == 'sent' and 'Devis - %s' % object.name or 'x'"
        )
        order = self.order
        for name in (f"QUOTE_{order.name}", f"Devis - {order.name}"):
            self._attach(name=f"{name}.pdf")
        self._attach(name=f"Quotation - {order.name}.pdf")
        order.state = "sale"
        template = self._create_template("sale_order", attach_document=False)
        self.assertFiles(self._remind(order, template_id=template.id))

    def test_file_is_named_in_the_customers_language(self):
        """Not in that of who sends, nor of who looked at the document first."""
        self.env["res.lang"]._activate_lang("fr_FR")
        report = self.env.ref("sale.action_report_saleorder")
        report.print_report_name = "'Offer of %s' % object.name"
        report.with_context(
            lang="fr_FR"
        ).print_report_name = "'Devis de %s' % object.name"
        self.customer.lang = "fr_FR"
        self.order.with_context(lang="en_US").read(["type_name", "display_name"])
        reminder = self._remind_with(attach_document=True)
        self.assertFiles(reminder, f"Devis de {self.order.name}.pdf")
        self.customer.lang = "en_US"
        reminder = self._remind_with(attach_document=True)
        self.assertFiles(reminder, f"Offer of {self.order.name}.pdf")

    def test_reports_of_the_email_template_go_along(self):
        proforma = self.env.ref("sale.action_report_pro_forma_invoice")
        own = self.env.ref("sale.action_report_saleorder")
        names = []

        def render(reports, report, ids, data=None):
            names.append(report.id)
            return PDF + b"report", "pdf"

        actions = self.env.registry["ir.actions.report"]
        self.startPatcher(patch.object(actions, "_render_qweb_pdf", render))
        reminder = self._remind_with(
            attach_document=True,
            report_template_ids=[Command.set((proforma | own).ids)],
        )
        self.assertEqual(names, proforma.ids, "the document goes once")
        self.assertFiles(
            reminder,
            self.order._followup_get_file_name(),
            f"PRO-FORMA - {self.order.name}.pdf",
        )

    def test_same_content_goes_once(self):
        """The customer's copy of the document, saved and attached again."""
        self._attach(name="my copy.pdf", raw=PDF + self.order.name.encode())
        reminder = self._remind_with(attach_document=True)
        self.assertFiles(reminder, self.order._followup_get_file_name())

    def test_legal_pdf_of_an_invoice_goes_once(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        self._attach(
            invoice,
            name=f"{invoice.name.replace('/', '_')}.pdf",
            raw=PDF + invoice.display_name.encode(),
            res_field="invoice_pdf_report_file",
        )
        invoice.invalidate_recordset()
        self.assertTrue(invoice.invoice_pdf_report_id)
        reminder = self._remind_with(invoice, attach_document=True)
        self.assertFiles(reminder, invoice._followup_get_file_name())
        self.assertFiles(self._remind_with(invoice))

    def test_files_of_internal_notes_stay_inside(self):
        order = self.order.with_user(self.alice)
        order.message_post(
            body="Our costs",
            attachments=[("costs.pdf", PDF + b"costs")],
            subtype_xmlid="mail.mt_note",
        )
        order.message_post(
            body="The drawing, as promised",
            attachments=[("drawing.pdf", PDF + b"drawing")],
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.customer.ids,
        )
        self.assertFiles(self._remind_with(), "drawing.pdf")

    def test_files_that_were_sent_to_others_stay_with_them(self):
        supplier = self.env["res.partner"].create(
            {"name": "Supplier", "email": "supplier@example.com"}
        )
        for author, recipients, name in (
            (supplier, self.env["res.partner"], "supplier price.pdf"),
            (supplier, self.customer, "supplier to customer.pdf"),
            (self.customer, self.env["res.partner"], "purchase order.pdf"),
            (self.alice.partner_id, self.bob.partner_id, "to a colleague.pdf"),
            (self.alice.partner_id, supplier, "to the supplier.pdf"),
            (self.alice.partner_id, self.customer, "to the customer.pdf"),
        ):
            is_mail = author not in self.alice.partner_id
            self.order.message_post(
                body="Please see the file",
                author_id=author.id,
                partner_ids=recipients.ids,
                message_type="email" if is_mail else "comment",
                subtype_xmlid="mail.mt_comment",
                attachments=[(name, PDF + name.encode())],
            )
        self._attach(name="uploaded.pdf")
        portal = self._attach(name="from the portal.pdf")
        self.env.cr.execute(
            "UPDATE ir_attachment SET create_uid = %s WHERE id = %s",
            [self.portal.id, portal.id],
        )
        portal.invalidate_recordset()
        self.assertFiles(self._remind_with(), "to the customer.pdf", "uploaded.pdf")

    def test_files_that_were_sent_to_another_customer_stay_there(self):
        self.order.with_user(self.alice).message_post(
            body="The drawing",
            partner_ids=self.customer.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("drawing.pdf", PDF)],
        )
        other = self._create_customer(name="Other", email="other@example.com")
        self.order.partner_id = other
        self.assertFiles(self._remind_with())
