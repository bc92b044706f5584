import datetime
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

    def _as_letter(self, letter):
        letter = Letter(**letter) if isinstance(letter, dict) else letter
        return letter._replace(lang=get_lang(self.env, letter.lang).code)

    def _prepare_sheet(self, letter, stationeries):
        """Return a letter as ``Sheet``, ready to be printed.

        :param stationeries: dict of those known so far, added to
        """
        content = self.env["sales.followup.letter.content"]
        values = content._prepare_letter(letter)
        html = content._render("letter", values)
        stationery = self._get_stationery(letter, stationeries)
        content._check_fonts([html, *stationery.parts.values()])
        return Sheet(
            paper=values["layout"].paper,
            lang=letter.lang,
            title=values["subject"],
            html=html,
            stationery=stationery,
        )

    def _get_stationery(self, letter, known):
        """Return letterhead and footer of a letter as ``Stationery``."""
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
        """Return a letter as HTML for the screen, on one sheet as long as the text.

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

    def _merge(self, letter, document_pdf, document=None):
        """Put a letter and its document into one PDF.

        :param letter: what :meth:`_render_pdf` gave: bytes, or an exception, which is
            raised
        :param document_pdf: bytes, or ``None``
        :param document: whose PDF that is, for the message if it is broken
        :return: bytes
        """
        if isinstance(letter, Exception):
            raise letter
        if document_pdf is None:
            return letter
        printer = self.env["sales.followup.document.printer"]
        try:
            printer._check_pdf(document_pdf)
            return pdf.merge_pdf([letter, document_pdf])
        except Exception as error:  # noqa: BLE001 pypdf raises what it stumbles over
            raise printer._prepare_error(error, document) from error
