import re

from odoo import api, models
from odoo.tools.safe_eval import safe_eval, time


# Files are a subject of their own.
class SalesFollowupEmailer(models.AbstractModel):
    """The files that go with reminders; :mod:`.sales_followup_emailer` sends them."""

    _inherit = "sales.followup.emailer"

    @api.model
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
        if template.attach_document:
            pdfs = self._make_pdfs(reminders, link)
        if not own and not pdfs:
            return dict.fromkeys(reminders, fixed)
        files = {}
        for reminder in reminders:
            pdf = pdfs.get(reminder, fixed.browse())
            others = own.get(reminder[link].id, fixed.browse())
            known = {file.checksum for file in pdf | fixed}
            files[reminder] = (
                pdf | fixed | others.filtered(lambda f, k=known: f.checksum not in k)
            )
        return files

    @api.model
    def _make_pdfs(self, reminders, link):
        """Store the PDF of each document, and note it on the reminder.

        :return: dict of reminder → ``ir.attachment``
        """
        rendered = self.env["sales.followup.letter"]._render_documents(reminders[link])
        # sudo: who may read a document may send it
        pdfs = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": reminder[link]._followup_get_file_name(),
                        "raw": rendered[reminder[link]],
                        "mimetype": "application/pdf",
                        "res_model": reminder[link]._name,
                        "res_id": reminder[link].id,
                    }
                    for reminder in reminders
                ]
            )
        )
        for reminder, pdf in zip(reminders.sudo(), pdfs, strict=True):
            reminder.attachment_id = pdf
        return dict(zip(reminders, pdfs, strict=True))

    # --- the document's own files -----------------------------------------------

    @api.model
    def _get_own_files(self, documents):
        """Give the PDF files people attached to the documents, where that is wanted.

        Not what was made of the document itself, which goes along afresh, and not what
        colleagues attached to their notes.

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
        attachments -= self._get_note_files(attachments)
        if not attachments:
            return {}
        prints = self._get_print_names(wanted)
        own = attachments.filtered(
            lambda file: self._simplify(file.name) not in prints[file.res_id]
        )
        return dict(own.grouped("res_id"))

    @api.model
    def _get_reminder_files(self, attachments):
        """Give those of these files that went with earlier reminders."""
        reminders = self.env["sales.followup.reminder"].sudo()
        sent = reminders.search([("attachment_id", "in", attachments.ids)])
        return sent.attachment_id

    @api.model
    def _get_note_files(self, attachments):
        """Give those of these files that belong to internal notes."""
        notes = (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("attachment_ids", "in", attachments.ids),
                    "|",
                    ("is_internal", "=", True),
                    ("subtype_id.internal", "=", True),
                ]
            )
        )
        return notes.attachment_ids & attachments

    @api.model
    def _get_print_names(self, documents):
        """Give what prints of the documents are called: what Odoo attached when it sent
        one of them.

        :return: dict of document id → set of names, simplified
        """
        # sudo: reports are for everybody, their records are not
        reports = (
            self.env["ir.actions.report"]
            .sudo()
            .search(
                [
                    ("model", "=", documents._name),
                    ("print_report_name", "!=", False),
                ]
            )
        )
        return {
            document.id: {
                self._simplify(name)
                for name in (
                    document.name,
                    document._followup_get_file_name(),
                    *(self._get_print_name(report, document) for report in reports),
                )
            }
            for document in documents.sudo()
        }

    @api.model
    def _get_print_name(self, report, document):
        """Give what a print of a document is called, as Odoo works it out."""
        try:
            return safe_eval(
                report.print_report_name, {"object": document, "time": time}
            )
        except Exception:  # a report of others that is not for this document
            return ""

    @api.model
    def _simplify(self, name):
        """Give a file's name without what differs between ways to write it."""
        stem = (name or "").lower().removesuffix(".pdf")
        return re.sub(r"[\s/_-]+", " ", stem).strip()
