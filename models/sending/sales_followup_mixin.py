from contextlib import contextmanager

from odoo import models
from odoo.tools.safe_eval import safe_eval, time


# What a document is called where it is sent is a subject of its own.
class SalesFollowupMixin(models.AbstractModel):
    """Names of documents and their files, in the language of who gets them."""

    _inherit = "sales.followup.mixin"

    def _followup_get_names(self, lang):
        """Return what an e-mail calls the document: its kind, and its name.

        :param lang: code of the language to say it in
        :return: (str, str)
        """
        self.ensure_one()
        with self._followup_speaking(lang) as document:
            # sudo: as the message has it
            return document._followup_get_kind(), document.sudo().display_name

    def _followup_get_report(self):
        """Return the report that prints these documents for a reminder.

        :return: ``ir.actions.report``, empty where none prints their kind
        """
        reports = self.env["sales.followup.document.printer"]._get_document_reports()
        report = reports.get(self._name)
        actions = self.env["ir.actions.report"]
        return actions._get_report(report) if report else actions

    def _followup_get_file_name(self, lang=None, report=None):
        """Return the name of the document's PDF.

        :param lang: code of the language to say it in; the user's, if not given
        :param report: what :meth:`_followup_get_report` returns, for many documents
        :rtype: str
        """
        self.ensure_one()
        with self._followup_speaking(lang or self.env.lang) as document:
            report = report or document._followup_get_report()
            name = document._followup_get_print_name(report)
        return " ".join(name.replace("/", "-").split()) + ".pdf"

    def _followup_get_print_name(self, report):
        """Return what a report calls its print of this document.

        :param report: ``ir.actions.report``
        :rtype: str
        """
        # sudo: reports are for everybody, their records are not
        report = report.sudo().with_context(lang=self.env.lang)
        if report.print_report_name:
            # sudo: names only, of a document the user reads
            values = {"object": self.sudo(), "time": time}
            name = safe_eval(report.print_report_name, values)
            if name:
                return str(name)
        return self._get_report_base_filename()

    def _get_report_base_filename(self):
        """Return what a print is called where its report does not say."""
        # Odoo asks all that are printed for it, and its own documents have it
        return self.display_name

    @contextmanager
    def _followup_speaking(self, lang):
        """Return the document in another language.

        Some of Odoo's names depend on the language without saying so: the cache keeps
        them as who asked first wanted them.
        """
        names = [
            name
            for name in ("type_name", "display_name")
            if name in self._fields and not self._fields[name].store
        ]
        document = self.with_context(lang=lang)
        document.invalidate_recordset(names, flush=False)
        try:
            yield document
        finally:
            document.invalidate_recordset(names, flush=False)
