import io
import logging
import re
import uuid
from typing import NamedTuple

import lxml.html
import psycopg2
from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import pdf, split_every

from odoo.addons.base.models.ir_actions_report import _wkhtml

from . import letter_pages
from .printing import Printing

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
_STAMP = re.compile(
    r'(.*<div id="minimal_layout_report_(?:headers|footers)">)(.*)'
    r"(</div>\s*</body>.*)",
    re.DOTALL,
)

#: Documents on the pages of one run could paint on each other. The names of the markers
#: tell which of them reach beyond their own part, whatever style makes them do so;
#: without scripts there are no names, and nothing is printed together. Boxes and lines
#: are measured. What is painted beyond them is not, so that nothing that can do so is
#: allowed, but for shadows inside, which the tables of reports have.
_SCRIPT = r"""<script>(function () {
    function isSet(value) {
        return value && value !== "none" && !/^0(px)?( 0(px)?)*$/.test(value);
    }
    function isOutside(shadow) {
        return shadow.indexOf("inset") < 0;
    }
    function paintsOutside(style) {
        var shadows = style.boxShadow || style.webkitBoxShadow || "none";
        return (
            style.position === "absolute" || style.position === "fixed"
            || isSet(style.webkitTransform) || isSet(style.transform)
            || isSet(style.webkitFilter) || isSet(style.filter)
            || isSet(style.webkitBoxReflect) || isSet(style.textShadow)
            || isSet(style.webkitTextStrokeWidth) || isSet(style.borderImageOutset)
            || (isSet(style.outlineStyle) && isSet(style.outlineWidth))
            || (shadows !== "none"
                && shadows.replace(/\([^)]*\)/g, "").split(",").some(isOutside))
        );
    }
    var parts = document.querySelectorAll(".o_followup_part"), end = -1e9;
    for (var i = 0; i < parts.length; i++) {
        var part = parts[i], box = part.getBoundingClientRect(),
            inside = box.top > end - 1 && part.scrollHeight <= part.offsetHeight + 1,
            elements = part.getElementsByTagName("*"),
            range = document.createRange();
        range.setStartAfter(elements[0]);
        range.setEnd(part, part.childNodes.length);
        var shown = range.getClientRects();
        for (var j = 0; inside && j < shown.length; j++) {
            inside = !shown[j].height
                || (shown[j].top > box.top - 1 && shown[j].bottom < box.bottom + 1);
        }
        for (var k = 1; inside && k < elements.length; k++) {
            inside = !paintsOutside(getComputedStyle(elements[k], null));
        }
        end = box.bottom;
        var name = elements[0].getAttribute("data-name");
        elements[0].href = name + (inside ? "" : "-out");
    }
})();</script>"""


class Source(NamedTuple):
    """What Odoo would print of a document.

    :param html: what the report returned
    :param body: what of it goes to wkhtmltopdf
    :param header: printed on each page, by builds with patched Qt
    :param footer: likewise
    :param arguments: what the report says of the paper
    """

    html: Markup
    body: str
    header: str
    footer: str
    arguments: dict

    @property
    def key(self):
        return self.body, self.header, self.footer

    def split(self):
        """Return what comes before, in and after the body; ``None`` where there is none
        to be seen."""
        match = _BODY.fullmatch(self.body)
        return match and match.groups()

    def split_stamps(self):
        """Return the same of header and footer, which go together only where each has
        one part: Odoo counts them."""
        matches = [_STAMP.fullmatch(html) for html in (self.header, self.footer)]
        if not all(matches) or any(
            len(lxml.html.fragment_fromstring(match[2], create_parent="div")) != 1
            for match in matches
        ):
            return None
        return [match.groups() for match in matches]


class Prints:
    """Documents that are printed already; ``ir.actions.report`` asks for them.

    :param report: ``ir.actions.report`` they are printed with
    :param sources: dict of document id → :class:`Source`
    :param contents: dict of the key of a source → PDF as bytes
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

    def get_content(self, bodies, header=None, footer=None, **_options):
        if not isinstance(bodies, list) or len(bodies) != 1:
            return None
        return self._contents.get((str(bodies[0]), str(header), str(footer)))


class SalesFollowupDocumentPrinter(models.AbstractModel):
    """Prints many documents in one run of wkhtmltopdf, each as it would be alone.

    Starting wkhtmltopdf and loading the style sheets take most of the time of a PDF.
    What is printed here ahead is handed to Odoo when it prints the documents one by
    one, so that all that others add to a report is added to it. Anything that does not
    look as expected is not printed ahead.

    With patched Qt, wkhtmltopdf prints several files in one run, each with its own
    header and footer; without, they become the parts of one.
    """

    _name = "sales.followup.document.printer"
    _description = "Document Printer"

    # --- documents --------------------------------------------------------------

    def _get_document_reports(self):
        """Return the report that prints a document: dict of model → external id."""
        return {
            "sale.order": "sale.action_report_saleorder",
            "account.move": "account.account_invoices",
        }

    def _get_stored_pdf(self, document):
        """Return the PDF a document was issued with, as bytes, if there is one."""
        if document._name == "account.move":
            return document.invoice_pdf_report_id.raw
        return None

    @api.model
    def _render_documents(self, documents):
        """Print documents as Odoo does, in the language of their customers.

        :param documents: a recordset
        :return: dict of document → PDF as bytes, ``None`` where no report prints its
            kind
        :raise UserError: naming the first document that cannot be printed
        """
        if documents._name not in self._get_document_reports():
            return dict.fromkeys(documents)
        stored = {document: self._get_stored_pdf(document) for document in documents}
        contents = {}
        for some in self._split(documents):
            unprinted = some.filtered(lambda document: not stored[document])
            prints = self._print_ahead(unprinted)
            for document in some:
                contents[document] = self._render_document(
                    document, stored[document], prints
                )
        return contents

    @api.model
    def _render_document(self, document, stored=None, prints=None):
        """Print one document, see :meth:`_render_documents`.

        :param stored: the PDF it was issued with, if there is one
        :param prints: :class:`Prints`, what was printed ahead
        """
        try:
            content = stored or self._print_document(document, prints)
            self._check_pdf(content)
        except psycopg2.Error:
            raise  # the transaction is lost
        except Exception as error:  # noqa: BLE001 whatever its report may raise
            raise self._prepare_error(error, document) from error
        return content

    def _get_printer(self, prints=None):
        """Return ``ir.actions.report`` in the context documents are printed with."""
        settings = self.env["ir.config_parameter"].sudo()
        return self.env["ir.actions.report"].with_context(
            # else tests would get HTML
            force_report_rendering=True,
            # who changed the time to wait had a reason; else there is none to wait
            followup_printing=Printing(
                delay=None if settings.get_param("report.print_delay") else 1,
                prints=prints,
            ),
        )

    def _print_document(self, document, prints=None):
        report = self._get_document_reports()[document._name]
        content, _kind = self._get_printer(prints)._render_qweb_pdf(
            report, document.ids
        )
        return content

    # --- ahead ------------------------------------------------------------------

    def _split(self, documents):
        """Yield documents in the sets that are printed ahead together."""
        for ids in split_every(BATCH_SIZE, documents.ids):
            yield documents.browse(ids)

    def _print_ahead(self, documents):
        """Print documents of one model.

        :return: :class:`Prints`, or ``None`` where nothing is printed ahead
        """
        if len(documents) < 2:
            return None
        # as Odoo does it, see _render_qweb_pdf_prepare_streams
        reports = self._get_printer().with_context(webp_as_jpg=True, debug=False)
        report_ref = self._get_document_reports()[documents._name]
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

    def _get_source(self, reports, report_ref, document):
        """Return what Odoo would print of a document; ``None`` where it is not
        simple."""
        report = reports._get_report(report_ref).with_context(**reports.env.context)
        data = {"report_type": "pdf", "debug": False}
        try:
            with self.env.cr.savepoint():
                html, _kind = reports._render_qweb_html(
                    report_ref, document.ids, data=data
                )
                bodies, _ids, header, footer, arguments = report._prepare_html(
                    html, report_model=report.model
                )
        except psycopg2.OperationalError:
            raise  # another transaction was in the way
        except Exception:  # printed alone, it will say so
            _logger.info("%s is not printed ahead", document, exc_info=True)
            return None
        if len(bodies) != 1:
            return None
        return Source(html, str(bodies[0]), str(header), str(footer), arguments)

    def _group(self, sources):
        """Yield sources in the lists that can be printed together."""
        groups = {}
        for source in sources:
            if not (parts := source.split()) or len(source.body) >= MAX_SIZE:
                continue
            key = [parts[0], parts[2]]
            if _wkhtml().is_patched_qt:
                if not (stamps := source.split_stamps()):
                    continue
                key = [(before, after) for before, _html, after in stamps]
            groups.setdefault(repr((key, source.arguments)), []).append(source)
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

    def _print_together(self, reports, report_ref, sources):
        """Print sources in one run.

        :return: dict of the key of a source → PDF as bytes, without those that reach
            into others
        :raise ValueError: where they are not what each would be alone
        """
        # what no document can know, so that none can pretend to be the start of one
        prefix = f"https://{uuid.uuid4().hex}.invalid/"
        patched = _wkhtml().is_patched_qt
        prepare = self._prepare_files if patched else self._prepare_parts
        bodies, stamps = prepare(sources, prefix)
        content = reports._run_wkhtmltopdf(
            bodies,
            report_ref=report_ref,
            landscape=reports.env.context.get("landscape"),
            specific_paperformat_args=sources[0].arguments,
            set_viewport_size=reports.env.context.get("set_viewport_size"),
            **stamps,
        )
        sections = letter_pages.read_sections(content, prefix)
        if [name.removesuffix("-out") for name in sections] != [
            str(number) for number in range(len(sources))
        ]:
            raise ValueError("the documents cannot be told apart")
        alone = [name for name in sections if name.endswith("-out")]
        if alone:
            inside = [s for n, s in enumerate(sources) if f"{n}-out" not in alone]
            if len(inside) < 2:
                return {}
            return self._print_together(reports, report_ref, inside)
        if not patched:
            self._check(sections.values())
        return {
            source.key: self._write(section.pages)
            for source, section in zip(sources, sections.values(), strict=True)
        }

    def _get_marker(self, attribute, name):
        return (
            f'<a {attribute}="{name}" style="position: absolute; top: 0; left: 0;'
            f' width: {letter_pages.MARKER_WIDTH}mm; height: 1px"></a>'
        )

    def _prepare_files(self, sources, prefix):
        """Prepare sources as the files of a run, with their headers and footers."""
        bodies = []
        for number, source in enumerate(sources):
            before, body, after = source.split()
            marker = self._get_marker("href", f"{prefix}{number}")
            bodies.append("".join([before, marker, body, after]))
        stamps = zip(*(source.split_stamps() for source in sources), strict=True)
        header, footer = (
            "".join([alike[0][0], *(html for _before, html, _after in alike), after])
            for alike in stamps
            for after in [alike[0][2]]
        )
        return bodies, {"header": header, "footer": footer}

    def _prepare_parts(self, sources, prefix):
        """Prepare sources as the parts of one file."""
        before, _body, after = sources[0].split()
        parts = [
            f'<div class="o_followup_part" style="position: relative;'
            f' page-break-before: {"always" if number else "auto"}">'
            f"{self._get_marker('data-name', f'{prefix}{number}')}"
            f"{source.split()[1]}</div>"
            for number, source in enumerate(sources)
        ]
        return ["".join([before, *parts, _SCRIPT, after])], {}

    def _check(self, sections):
        """Raise where documents are not printed as each would be alone.

        :param sections: ``letter_pages.Section``, one for each
        """
        first = next(iter(sections))
        for section in sections:
            if abs(section.size - USUAL_SIZE) > _TOLERANCE:
                raise ValueError(f"printed at {section.size:.1f} percent")
            # the first one stands where each would alone
            if abs(section.top - first.top) > _TOLERANCE:
                raise ValueError("not at the top of the page")

    def _write(self, pages):
        """Make one PDF of pages: bytes."""
        writer = pdf.PdfFileWriter()
        for page in pages:
            writer.addPage(page)
        with io.BytesIO() as buffer:
            writer.write(buffer)
            return buffer.getvalue()

    # --- what came out ----------------------------------------------------------

    def _check_pdf(self, content):
        """Raise where a PDF has no pages, or cannot be read."""
        reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
        if not reader.getNumPages():
            raise UserError(self.env._("it has no pages"))
        reader.getPage(0)

    def _prepare_error(self, error, document=None):
        """Return the error that says of which document the PDF is broken."""
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
