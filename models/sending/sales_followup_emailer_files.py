import logging
import re

from odoo import models
from odoo.tools.safe_eval import safe_eval, time

_logger = logging.getLogger(__name__)


# Files are a subject of their own.
class SalesFollowupEmailer(models.AbstractModel):
    """The files that go with reminders; :mod:`.sales_followup_emailer` sends them."""

    _inherit = "sales.followup.emailer"

    def _get_attachments(self, reminders, link, template):
        """Make and gather the files that go with each e-mail.

        The document's PDF, the template's own files, and where the setting is on the
        document's own PDF files; each of them once.

        :return: dict of reminder → ``ir.attachment``
        """
        # sudo: who may read a document may send what is attached to it
        fixed = template.mail_template_id.sudo().attachment_ids
        own = self._get_own_files(reminders[link])
        pdfs = {}
        if template.attach_document and reminders[link]._followup_get_report():
            names = self._get_file_names(reminders, link)
            pdfs = self._make_pdfs(reminders, link, names)
        reports = self._make_reports(reminders, link, template)
        if not own and not pdfs and not reports:
            return dict.fromkeys(reminders, fixed)
        files = {}
        for reminder in reminders:
            pdf = pdfs.get(reminder, fixed.browse())
            pdf |= reports.get(reminder, fixed.browse())
            others = own.get(reminder[link].id, fixed.browse())
            known = {file.checksum for file in pdf | fixed}
            files[reminder] = (
                pdf | fixed | others.filtered(lambda f, k=known: f.checksum not in k)
            )
        return files

    def _get_file_names(self, reminders, link):
        """Return what the PDF of each document is called: in the language it is in,
        that of its customer.

        :return: dict of reminder → str
        """
        contacts = {reminder[link]: reminder.contact_id for reminder in reminders}
        langs = reminders[link]._followup_get_langs(contacts)
        report = reminders[link]._followup_get_report()
        return {
            reminder: reminder[link]._followup_get_file_name(
                langs[reminder[link].id], report
            )
            for reminder in reminders
        }

    def _make_reports(self, reminders, link, template):
        """Print the reports that the e-mail's template names, but the document itself
        where that goes along anyway.

        :return: dict of reminder → ``ir.attachment``
        """
        # sudo: reports are for everybody, their records are not
        reports = template.mail_template_id.sudo().report_template_ids
        printers = self.env["sales.followup.document.printer"]
        if template.attach_document:
            reports -= reminders[link]._followup_get_report()
        if not reports:
            return {}
        contacts = {reminder[link]: reminder.contact_id for reminder in reminders}
        langs = reminders[link]._followup_get_langs(contacts)
        files = {}
        for reminder in reminders:
            document, lang = reminder[link], langs[reminder[link].id]
            vals_list = []
            for report in reports:
                printer = printers._get_printer().with_context(lang=lang)
                content, _kind = printer._render_qweb_pdf(report, document.ids)
                with document._followup_speaking(lang) as translated:
                    name = translated._followup_get_print_name(report)
                vals_list.append(self._prepare_file(document, name, content))
            # sudo: who may read a document may send it
            files[reminder] = self.env["ir.attachment"].sudo().create(vals_list)
        return files

    def _prepare_file(self, document, name, content):
        """Return the values of a PDF that is stored on a document."""
        stem = " ".join(name.replace("/", "-").split()).removesuffix(".pdf")
        return {
            "name": f"{stem}.pdf",
            "raw": content,
            "mimetype": "application/pdf",
            "res_model": document._name,
            "res_id": document.id,
        }

    def _make_pdfs(self, reminders, link, names):
        """Store the PDF of each document, and note it on the reminder.

        :param names: dict of reminder → name of the file
        :return: dict of reminder → ``ir.attachment``
        """
        rendered = self.env["sales.followup.document.printer"]._render_documents(
            reminders[link]
        )
        # sudo: who may read a document may send it
        pdfs = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    self._prepare_file(
                        reminder[link], names[reminder], rendered[reminder[link]]
                    )
                    for reminder in reminders
                ]
            )
        )
        for reminder, pdf in zip(reminders.sudo(), pdfs, strict=True):
            reminder.attachment_id = pdf
        return dict(zip(reminders, pdfs, strict=True))

    # --- the document's own files -----------------------------------------------

    def _get_own_files(self, documents):
        """Return the documents' own PDF files, where these are wanted: what colleagues
        uploaded to the document, or sent to its customer already.

        Not what was made of the document itself, which goes along afresh, not what
        colleagues wrote among themselves, and nothing that came from outside.

        :return: dict of document id → ``ir.attachment``, as superuser
        """
        wanted = documents.filtered(
            lambda document: (
                (document.company_id or self.env.company).sudo().followup_attach_files
            )
        )
        if not wanted:
            return {}
        # sudo: who may read a document may read what is attached to it
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", wanted._name),
                    ("res_id", "in", wanted.ids),
                    ("res_field", "=", False),
                    ("mimetype", "=", "application/pdf"),
                ],
                order="id",
            )
        )
        attachments -= self._get_reminder_files(attachments)
        attachments = self._filter_meant(attachments, wanted)
        if not attachments:
            return {}
        prints = self._get_print_names(wanted.browse(set(attachments.mapped("res_id"))))
        own = attachments.filtered(
            lambda file: self._simplify(file.name) not in prints[file.res_id]
        )
        return dict(own.grouped("res_id"))

    def _filter_meant(self, attachments, documents):
        """Keep the files that are meant for the customers of their documents.

        A file of a message is what the message is: a colleague's to the customer, or
        nothing that is sent on. One of no message was uploaded.

        :param attachments: ``ir.attachment`` of ``documents``, as superuser
        """
        if not attachments:
            return attachments
        customers = {
            document.id: document.partner_id.commercial_partner_id
            for document in documents.sudo()
        }
        messages = self.env["mail.message"].sudo()
        messages = messages.search([("attachment_ids", "in", attachments.ids)])
        sent = attachments.browse()
        for message in messages:
            if message.is_internal or message.subtype_id.internal:
                continue
            if message._followup_is_from_outside():
                continue
            recipients = message.partner_ids | message.notification_ids.res_partner_id
            companies = recipients.commercial_partner_id
            sent |= message.attachment_ids.filtered(
                lambda file, companies=companies: (
                    customers.get(file.res_id) in companies
                )
            )
        uploaded = (attachments - messages.attachment_ids).filtered(
            lambda file: not file.create_uid.share
        )
        return attachments & (sent | uploaded)

    def _get_reminder_files(self, attachments):
        """Return those of these files that went with earlier reminders."""
        reminders = self.env["sales.followup.reminder"].sudo()
        sent = reminders.search([("attachment_id", "in", attachments.ids)])
        return sent.attachment_id

    def _get_print_names(self, documents):
        """Return what prints of the documents are called: what Odoo attached when it
        sent one of them, or a report saved, in any language, as whatever the document
        was then.

        :return: dict of document id → set of names, simplified
        """
        # sudo: reports are for everybody, their records are not
        reports = self.env["ir.actions.report"].sudo()
        reports = reports.search([("model", "=", documents._name)])
        langs = [code for code, _name in self.env["res.lang"].get_installed()]
        names = {document.id: {document.name} for document in documents.sudo()}
        for document in documents.sudo():
            for lang in langs:
                with document._followup_speaking(lang) as spoken:
                    names[document.id].add(spoken._get_report_base_filename())
                    for report in reports.with_context(lang=lang):
                        names[document.id].update(
                            self._get_report_names(report, spoken)
                        )
        return {
            document_id: set(map(self._simplify, filter(None, found)))
            for document_id, found in names.items()
        }

    def _get_report_names(self, report, document):
        """Return what a report calls its prints of a document, and its saved ones."""
        values = {"object": document, "time": time}
        names = set()
        for expression in (report.print_report_name, report.attachment):
            if not expression:
                continue
            # what it is called in another state: “Quotation - %s”, now that it is sold
            names.update(
                text.replace("%s", document.name or "")
                for text in re.findall(r"""["']([^"'%]*%s[^"'%]*)["']""", expression)
            )
            try:
                names.add(str(safe_eval(expression, values) or ""))
            except Exception:  # a report of others that is not for this document
                _logger.debug("%s names no print of %s", report, document)
        return names

    def _simplify(self, name):
        """Return a file's name without what differs between ways to write it."""
        stem = (name or "").lower().removesuffix(".pdf")
        return re.sub(r"[\s/_-]+", " ", stem).strip()
