import datetime
import io
from typing import NamedTuple

import psycopg2
from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import get_lang, pdf, split_every

from ...rules import letter_paper
from .sales_followup_letter_press import Sheet, Stationery

#: how many letters one run of wkhtmltopdf prints
BATCH_SIZE = 50


class Letter(NamedTuple):
    """What one letter needs. It is printed as it is: nothing in it is evaluated.

    :param document: the quotation, order or invoice it is about
    :param contact: the ``res.partner`` it goes to
    :param body: the text as sanitised HTML, from the salutation to the complimentary
        close
    :param user: the ``res.users`` who signs
    :param lang: code of the language of everything around the text
    :param subject: if empty, what the document is, with its number
    :param closing: a complimentary close, where the text has none
    """

    document: models.BaseModel
    contact: models.BaseModel
    body: Markup
    user: models.BaseModel
    date: datetime.date
    lang: str
    subject: str = ""
    closing: str = ""


class SalesFollowupLetter(models.AbstractModel):
    """Prints letters for window envelopes, and the documents that go with them.

    Whatever letters are about, they are made of plain values, see :class:`Letter`.
    ``sales.followup.letter.content`` decides what stands on them, and
    ``sales.followup.letter.press`` prints it.
    """

    _name = "sales.followup.letter"
    _description = "Letter"

    # --- letters ----------------------------------------------------------------

    @api.model
    def _render_pdf(self, letters):
        """Print letters.

        One that cannot be printed does not keep the others from it.

        :param letters: :class:`Letter`, or dicts of its fields
        :return: list in the order of ``letters``: each PDF as bytes, or the exception
            that kept it from being made
        :raise UserError: where there is no wkhtmltopdf
        """
        if self.env["ir.actions.report"].get_wkhtmltopdf_state() == "install":
            raise UserError(
                self.env._("Letters need the program wkhtmltopdf on the server.")
            )
        return [
            result
            for batch in split_every(BATCH_SIZE, letters)
            for result in self._render_batch(batch)
        ]

    @api.model
    def _render_batch(self, letters):
        """Print a few letters; see :meth:`_render_pdf`."""
        results, stationeries, numbers = [], {}, {}
        for number, letter in enumerate(letters):
            try:
                sheet = self._prepare_sheet(self._as_letter(letter), stationeries)
            except psycopg2.Error:
                raise  # the transaction is lost
            except Exception as error:  # noqa: BLE001 whatever is wrong with one letter
                results.append(error)
            else:
                results.append(sheet)
                numbers.setdefault(sheet.paper, []).append(number)
        for alike in numbers.values():
            sheets = [results[number] for number in alike]
            printed = self.env["sales.followup.letter.press"]._print(sheets)
            for number, result in zip(alike, printed, strict=True):
                results[number] = result
        return results

    @api.model
    def _as_letter(self, letter):
        letter = Letter(**letter) if isinstance(letter, dict) else letter
        return letter._replace(lang=get_lang(self.env, letter.lang).code)

    @api.model
    def _prepare_sheet(self, letter, stationeries):
        """Give a letter as ``Sheet``, ready to be printed.

        :param stationeries: dict of those known so far, added to
        """
        content = self.env["sales.followup.letter.content"]
        values = content._prepare_letter(letter)
        return Sheet(
            paper=values["layout"].paper,
            lang=letter.lang,
            title=values["subject"],
            html=content._render("letter", values),
            stationery=self._get_stationery(letter, stationeries),
        )

    @api.model
    def _get_stationery(self, letter, known):
        """Give letterhead and footer of a letter as ``Stationery``."""
        content = self.env["sales.followup.letter.content"]
        key = f"{content._get_company(letter).id}-{letter.lang}"
        if key not in known:
            values = content._prepare_stationery(letter)
            names = ("letterhead", "continuation", "footer")
            parts = {name: content._render(f"letter_{name}", values) for name in names}
            known[key] = Stationery(key, parts)
        return known[key]

    @api.model
    def _render_letter_html(self, letter):
        """Give a letter as HTML for the screen, on one sheet as long as the text.

        :param letter: see :meth:`_render_pdf`
        """
        letter = self._as_letter(letter)
        content = self.env["sales.followup.letter.content"]
        values = content._prepare_letter(letter)
        return content._render(
            "letter_preview",
            {
                "css": self.env["sales.followup.letter.press"]._get_css(),
                "layout": values["layout"],
                "margins": (letter_paper.MARGIN_TOP, letter_paper.MARGIN_BOTTOM),
                "letter": content._render("letter", values),
                **self._get_stationery(letter, {}).parts,
            },
        )

    # --- documents --------------------------------------------------------------

    @api.model
    def _get_document_reports(self):
        """Say which report prints a document: dict of model → external id."""
        return {
            "sale.order": "sale.action_report_saleorder",
            "account.move": "account.account_invoices",
        }

    @api.model
    def _get_stored_pdf(self, document):
        """Give the PDF a document was issued with, as bytes, if there is one."""
        if document._name == "account.move":
            return document.invoice_pdf_report_id.raw
        return None

    @api.model
    def _render_documents(self, documents):
        """Print documents as Odoo does, in the language of their customers.

        :param documents: a recordset
        :return: dict of document → PDF as bytes
        :raise UserError: naming the first document that cannot be printed
        """
        stored = {document: self._get_stored_pdf(document) for document in documents}
        press = self.env["sales.followup.document.printer"]
        contents = {}
        for some in press._split(documents):
            unprinted = some.filtered(lambda document: not stored[document])
            printer = self.with_context(followup_prints=self._print_ahead(unprinted))
            for document in some:
                contents[document] = printer._render_document(
                    document, stored[document]
                )
        return contents

    @api.model
    def _print_ahead(self, documents):
        """Print documents together, where that can be done.

        :return: what ``ir.actions.report`` asks for them then, or ``None``
        """
        if not documents:
            return None
        return self.env["sales.followup.document.printer"]._print_ahead(
            self._get_printer(),
            self._get_document_reports()[documents._name],
            documents,
        )

    @api.model
    def _render_document(self, document, stored=None):
        """Print one document, see :meth:`_render_documents`.

        :param stored: the PDF it was issued with, if there is one
        """
        try:
            content = stored or self._print_document(document)
            self._check_pdf(content)
        except psycopg2.Error:
            raise  # the transaction is lost
        except Exception as error:  # noqa: BLE001 whatever its report may raise
            raise self._prepare_error(error, document) from error
        return content

    @api.model
    def _get_printer(self):
        """Give ``ir.actions.report`` in the context that documents are printed with."""
        settings = self.env["ir.config_parameter"].sudo()
        return self.env["ir.actions.report"].with_context(
            # else tests would get HTML
            force_report_rendering=True,
            # who changed the time to wait had a reason; else there is none to wait
            followup_print_delay=not settings.get_param("report.print_delay") and 1,
        )

    @api.model
    def _print_document(self, document):
        report = self._get_document_reports()[document._name]
        # one by one: wkhtmltopdf without patched Qt cannot print several
        content, _kind = self._get_printer()._render_qweb_pdf(report, document.ids)
        return content

    @api.model
    def _merge(self, letter, document_pdf, document=None):
        """Put a letter and its document into one PDF.

        :param letter: what :meth:`_render_pdf` gave: bytes, or an exception, which is
            raised
        :param document_pdf: bytes
        :param document: whose PDF that is, for the message if it is broken
        :return: bytes
        """
        if isinstance(letter, Exception):
            raise letter
        try:
            self._check_pdf(document_pdf)
            return pdf.merge_pdf([letter, document_pdf])
        except Exception as error:  # noqa: BLE001 pypdf raises what it stumbles over
            raise self._prepare_error(error, document) from error

    @api.model
    def _check_pdf(self, content):
        """Raise where a PDF has no pages, or cannot be read."""
        reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
        if not reader.getNumPages():
            raise UserError(self.env._("it has no pages"))
        reader.getPage(0)

    @api.model
    def _prepare_error(self, error, document=None):
        """Give the error that says of which document the PDF is broken."""
        if not document:
            return UserError(
                self.env._(
                    "The PDF of the document cannot be used: %(reason)s", reason=error
                )
            )
        return UserError(
            self.env._(
                "The PDF of %(document)s cannot be used: %(reason)s",
                document=document.display_name,
                reason=error,
            )
        )
