import functools
import logging
import uuid
from typing import NamedTuple

import psycopg2
from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import file_open

from odoo.addons.base.models.ir_actions_report import _wkhtml

from ...rules import letter_paper
from . import letter_pages
from .printing import Printing

_logger = logging.getLogger(__name__)

#: The page numbers of letters of so many pages are printed along with them; those of
#: longer ones take a run of their own.
USUAL_PAGE_COUNTS = (2, 3)

#: How much larger than true to size pages must be laid out: wkhtmltopdf without
#: patched Qt shrinks them, and with it does not. Every run is measured, and a factor
#: that is wrong for the wkhtmltopdf in use put right here.
_scales = {False: 1.3, True: 1.0}
#: in percent
_TOLERANCE = 0.5


class Stationery(NamedTuple):
    """What the letters of a company in one language have in common.

    :param key: tells it from others
    :param parts: dict of ``letterhead``, ``continuation`` and ``footer`` → HTML
    """

    key: str
    parts: dict


class Sheet(NamedTuple):
    """A letter ready to be printed.

    :param paper: a key of ``letter_paper.PAPERS``
    :param title: of the PDF
    """

    paper: str
    lang: str
    title: str
    html: Markup
    stationery: Stationery


class SalesFollowupLetterPress(models.AbstractModel):
    """Turns letters into PDF files: many in one run of wkhtmltopdf.

    Starting wkhtmltopdf takes far longer than printing a letter. See
    ``report/letter_pages.py`` for how the run is taken apart again.
    """

    _name = "sales.followup.letter.press"
    _description = "Letter Press"

    def _print(self, sheets):
        """Print letters together; if that fails, in halves, to find the one to blame.

        :param sheets: list of :class:`Sheet` of the same paper
        :return: list of PDF files as bytes, or the exception in the place of one
        """
        try:
            return self._print_together(sheets)
        except psycopg2.Error:
            raise  # the transaction is lost
        except Exception as error:  # noqa: BLE001 whatever is wrong with one letter
            if len(sheets) == 1:
                return [error]
            _logger.info("Printing %s letters failed: %s", len(sheets), error)
        half = len(sheets) // 2
        return self._print(sheets[:half]) + self._print(sheets[half:])

    def _print_together(self, sheets):
        """Print letters, and put the stamps onto their pages: list of bytes."""
        paper = sheets[0].paper
        parts = {f"letter-{number}": sheet.html for number, sheet in enumerate(sheets)}
        for sheet in sheets:
            key, stationery = sheet.stationery
            parts.update({f"{name}-{key}": html for name, html in stationery.items()})
        usual = {(sheet.lang, count) for sheet in sheets for count in USUAL_PAGE_COUNTS}
        sections = self._run(paper, parts | self._prepare_numbers(paper, usual))
        letters = [sections[f"letter-{n}"].pages for n in range(len(sheets))]
        unusual = {
            (sheet.lang, len(pages))
            for sheet, pages in zip(sheets, letters, strict=True)
            if len(pages) > max(USUAL_PAGE_COUNTS)
        }
        if unusual:
            numbers = self._prepare_numbers(paper, unusual)
            sections.update(self._run(paper, numbers))
        stamps = self._get_stamps(paper, sections)
        return [
            letter_pages.write_letter(
                pages, self._choose_stamps(sheet, len(pages), stamps), sheet.title
            )
            for sheet, pages in zip(sheets, letters, strict=True)
        ]

    # --- stamps -----------------------------------------------------------------

    def _prepare_numbers(self, paper, wanted):
        """Return page numbers.

        :param wanted: tuples of a language and the number of pages of a letter
        :return: dict of name → HTML
        """
        content = self.env["sales.followup.letter.content"]
        values = {
            "layout": letter_paper.Layout(paper, "left"),
            "style": {"font": letter_paper.TYPEFACES},
        }
        numbers = {}
        for lang, count in wanted:
            env = self.with_context(lang=lang).env
            for page in range(1, count + 1):
                text = env._("Page %(page)s of %(count)s", page=page, count=count)
                numbers[f"number-{lang}-{page}-{count}"] = content._render(
                    "letter_number", {**values, "text": text}
                )
        return numbers

    def _get_stamps(self, paper, sections):
        """Return the stamps of a run: dict of name → ``letter_pages.Stamp``."""
        layout = letter_paper.Layout(paper, "left")
        boxes = layout.stamps
        return {
            name: letter_pages.Stamp(
                section.pages[0], layout.height, letter_paper.MARGIN_TOP, boxes[kind]
            )
            for name, section in sections.items()
            if (kind := name.partition("-")[0]) in boxes
        }

    def _choose_stamps(self, sheet, count, stamps):
        """Return the stamps of each page of a letter: list of lists."""
        key = sheet.stationery.key
        pages = []
        for page in range(1, count + 1):
            names = ["letterhead" if page == 1 else "continuation", "footer"]
            chosen = [stamps[f"{name}-{key}"] for name in names]
            if count > 1:
                chosen.append(stamps[f"number-{sheet.lang}-{page}-{count}"])
            pages.append(chosen)
        return pages

    # --- wkhtmltopdf ------------------------------------------------------------

    def _run(self, paper, parts):
        """Print parts, each from the top of a page, true to size.

        :param parts: dict of name → HTML
        :return: dict of name → ``letter_pages.Section``
        :raise UserError: where the parts cannot be told apart, or not be had in size
        """
        # what no text can know, so that none can pretend to be the start of a letter
        prefix = f"https://{uuid.uuid4().hex}.invalid/"
        patched = _wkhtml().is_patched_qt
        for _attempt in range(2):
            scale = _scales[patched]
            html = self.env["sales.followup.letter.content"]._render(
                "letter_run",
                {
                    "css": self._get_css(),
                    "scale": scale,
                    "parts": parts,
                    "prefix": prefix,
                    "marker_width": letter_pages.MARKER_WIDTH,
                },
            )
            content = self._run_wkhtmltopdf(paper, html)
            sections = letter_pages.read_sections(content, prefix)
            if sections.keys() != parts.keys():
                break
            size = next(iter(sections.values())).size
            if abs(size - 100) <= _TOLERANCE:
                return sections
            _scales[patched] = scale * 100 / size
        raise UserError(
            self.env._("The program wkhtmltopdf did not print the letter as it should.")
        )

    def _run_wkhtmltopdf(self, paper, html):
        """Turn HTML into a PDF: bytes.

        It loads nothing and has no scripts, so there is nothing to wait for.
        """
        report = self.env["ir.actions.report"].with_context(
            followup_printing=Printing(delay=1)
        )
        return report._run_wkhtmltopdf(
            [html],
            report_ref=self.env.ref(f"sales_followup.letter_report_{paper.lower()}"),
            landscape=False,
            specific_paperformat_args={
                "data-report-margin-top": letter_paper.MARGIN_TOP,
                "data-report-margin-bottom": letter_paper.MARGIN_BOTTOM,
                "data-report-dpi": 96,
            },
        )

    def _get_css(self):
        return _read_css()


@functools.cache
def _read_css():
    with file_open("sales_followup/static/src/letter/letter.css") as file:
        return Markup(file.read())
