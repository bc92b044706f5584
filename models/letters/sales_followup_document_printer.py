import io
import logging
import re
import uuid
from typing import NamedTuple

import psycopg2
from markupsafe import Markup

from odoo import api, models
from odoo.tools import pdf, split_every

from odoo.addons.base.models.ir_actions_report import _wkhtml

from . import letter_pages

_logger = logging.getLogger(__name__)

#: how many documents one run of wkhtmltopdf prints
BATCH_SIZE = 20

#: in characters: Odoo cuts the tables of what is larger than 4 MiB, for all of it
MAX_SIZE = 2_000_000

#: how large wkhtmltopdf without patched Qt prints what is no wider than the paper, in
#: percent; the one thing that is wider makes everything of its run smaller
USUAL_SIZE = 100 / 1.3
#: in percent of the size, and in points
_TOLERANCE = 0.5

_BODY = re.compile(r"(.*<body\b[^>]*>)(.*)(</body>.*)", re.DOTALL)


class Source(NamedTuple):
    """What Odoo would print of a document.

    :param html: what the report gave
    :param body: what of it goes to wkhtmltopdf
    :param arguments: what the report says of the paper
    """

    html: Markup
    body: str
    arguments: dict

    def split(self):
        """Give what comes before, in and after the body; ``None`` where there is none
        to be seen."""
        match = _BODY.fullmatch(self.body)
        return match and match.groups()


class Prints:
    """Documents that are printed already; ``ir.actions.report`` asks for them.

    :param report: ``ir.actions.report`` they are printed with
    :param sources: dict of document id → :class:`Source`
    :param contents: dict of body → PDF as bytes
    """

    def __init__(self, report, sources, contents):
        self._report_id = report.id
        self._sources = sources
        self._contents = contents

    def get_html(self, report, document_ids):
        if report.id != self._report_id or len(document_ids or ()) != 1:
            return None
        source = self._sources.get(document_ids[0])
        return source and source.html

    def get_content(self, bodies):
        if not isinstance(bodies, list) or len(bodies) != 1:
            return None
        return self._contents.get(bodies[0])


class SalesFollowupDocumentPress(models.AbstractModel):
    """Prints many documents in one run of wkhtmltopdf, as each would be by itself.

    Starting wkhtmltopdf and loading the style sheets take most of the time of a PDF.
    What is printed here ahead is given to Odoo when it prints the documents one by one,
    so that all that others add to a report is added to it.

    Whatever does not look as expected is not printed ahead. Nor is anything where
    wkhtmltopdf has patched Qt: there each document has headers of its own.
    """

    _name = "sales.followup.document.printer"
    _description = "Document Press"

    @api.model
    def _split(self, documents):
        """Give documents in the sets that are printed ahead together."""
        for ids in split_every(BATCH_SIZE, documents.ids):
            yield documents.browse(ids)

    @api.model
    def _print_ahead(self, reports, report_ref, documents):
        """Print documents.

        :param reports: ``ir.actions.report``, in the context they are printed with
        :param report_ref: external id of their report
        :return: :class:`Prints`, or ``None`` where nothing is printed ahead
        """
        if len(documents) < 2 or _wkhtml().is_patched_qt:
            return None
        # as Odoo does it, see _render_qweb_pdf_prepare_streams
        reports = reports.with_context(webp_as_jpg=True, debug=False)
        sources = {}
        for document in documents:
            if source := self._get_source(reports, report_ref, document):
                sources[document.id] = source
        contents = {}
        for alike in self._group(sources.values()):
            try:
                contents.update(self._print_together(reports, report_ref, alike))
            except psycopg2.Error:
                raise  # the transaction is lost
            except Exception:  # one by one, then, which shows what is wrong
                _logger.info("Not printed together", exc_info=True)
        return Prints(reports._get_report(report_ref), sources, contents)

    @api.model
    def _get_source(self, reports, report_ref, document):
        """Give what Odoo would print of a document; ``None`` where it is not simple."""
        report = reports._get_report(report_ref).with_context(**reports.env.context)
        data = {"report_type": "pdf", "debug": False}
        try:
            with self.env.cr.savepoint():
                html, _kind = reports._render_qweb_html(
                    report_ref, document.ids, data=data
                )
                bodies, _ids, _header, _footer, arguments = report._prepare_html(
                    html, report_model=report.model
                )
        except psycopg2.OperationalError:
            raise  # another transaction was in the way
        except Exception:  # printed by itself, it will say so
            _logger.info("%s is not printed ahead", document, exc_info=True)
            return None
        return Source(html, str(bodies[0]), arguments) if len(bodies) == 1 else None

    @api.model
    def _group(self, sources):
        """Give sources in the lists that can be printed together."""
        groups = {}
        for source in sources:
            if (parts := source.split()) and len(source.body) < MAX_SIZE:
                before, _body, after = parts
                key = (before, after, repr(source.arguments))
                groups.setdefault(key, []).append(source)
        for group in groups.values():
            part, size = [], 0
            for source in group:
                size += len(source.body)
                if part and size > MAX_SIZE:
                    yield part
                    part, size = [], len(source.body)
                part.append(source)
            if len(part) > 1:
                yield part

    @api.model
    def _print_together(self, reports, report_ref, sources):
        """Print sources in one run.

        :return: dict of body → PDF as bytes
        :raise ValueError: where they are not what each would be by itself
        """
        # what no document can know, so that none can pretend to be the start of one
        prefix = f"https://{uuid.uuid4().hex}.invalid/"
        before, _body, after = sources[0].split()
        parts = [
            f'<div style="position: relative;'
            f' page-break-before: {"always" if number else "auto"}">'
            f'<a href="{prefix}{number}" style="position: absolute; top: 0; left: 0;'
            f' width: {letter_pages.MARKER_WIDTH}mm; height: 1px"></a>'
            f"{source.split()[1]}</div>"
            for number, source in enumerate(sources)
        ]
        content = reports._run_wkhtmltopdf(
            ["".join([before, *parts, after])],
            report_ref=report_ref,
            landscape=reports.env.context.get("landscape"),
            specific_paperformat_args=sources[0].arguments,
            set_viewport_size=reports.env.context.get("set_viewport_size"),
        )
        sections = letter_pages.read_sections(content, prefix)
        if list(sections) != [str(number) for number in range(len(sources))]:
            raise ValueError("the documents cannot be told apart")
        self._check(sections.values())
        return {
            source.body: self._write(section.pages)
            for source, section in zip(sources, sections.values(), strict=True)
        }

    @api.model
    def _check(self, sections):
        """Raise where documents are not printed as each would be by itself.

        :param sections: ``letter_pages.Section``, one for each
        """
        first = next(iter(sections))
        for section in sections:
            if abs(section.size - USUAL_SIZE) > _TOLERANCE:
                raise ValueError(f"printed at {section.size:.1f} percent")
            # the first one stands where each does by itself
            if abs(section.top - first.top) > _TOLERANCE:
                raise ValueError("not at the top of the page")

    @api.model
    def _write(self, pages):
        """Make one PDF of pages: bytes."""
        writer = pdf.PdfFileWriter()
        for page in pages:
            writer.addPage(page)
        with io.BytesIO() as buffer:
            writer.write(buffer)
            return buffer.getvalue()
