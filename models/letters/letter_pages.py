"""What happens to the pages of letters between wkhtmltopdf and the envelope.

One run of wkhtmltopdf prints many letters, and with them the *stamps*: letterhead,
footer and page numbers, each on a page of its own. Links that lead nowhere tell where
each begins, and how true to size it was printed. Here the run is taken apart again,
and every page gets its stamps. So letterheads and numbers do not need the headers and
footers of wkhtmltopdf, which its builds without patched Qt cannot print.
"""

import io
import re
from typing import NamedTuple

from odoo.tools import pdf

_POINTS_PER_MM = 72 / 25.4
#: how wide a marker is meant to be, in millimetres
MARKER_WIDTH = 100


class Section(NamedTuple):
    """The pages between one marker and the next."""

    pages: list
    size: float  # in percent of what it should be
    top: float  # of the marker, in points above the lower edge of the paper


def read_sections(content, prefix):
    """Take a run of wkhtmltopdf apart.

    :param content: the PDF
    :param prefix: what the links of its markers begin with
    :return: dict of what follows the prefix → :class:`Section`
    """
    sections = {}
    section = None
    mended = set()
    reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
    for number in range(reader.getNumPages()):
        page = reader.getPage(number)
        _mend_spaces(page, mended)
        for name, width, top in _take_markers(page, prefix):
            section = sections[name] = Section([], width / MARKER_WIDTH * 100, top)
        if section:
            section.pages.append(page)
    return sections


def _take_markers(page, prefix):
    """Remove the markers of a page.

    :return: list of tuples: what follows the prefix, the width in millimetres, and the
        upper edge in points
    """
    markers, others = [], pdf.ArrayObject()
    for annotation in page.get("/Annots") or ():
        link = annotation.getObject()
        target = str((link.get("/A") or {}).get("/URI", ""))
        if target.startswith(prefix):
            left, lower, right, upper = (float(edge) for edge in link["/Rect"])
            width = abs(right - left) / _POINTS_PER_MM
            markers.append((target.removeprefix(prefix), width, max(lower, upper)))
        else:
            others.append(annotation)
    if markers:
        page[pdf.NameObject("/Annots")] = others
    return markers


def _mend_spaces(page, mended):
    """Let spaces be spaces: Qt says of them that they are tabs, so that neither
    searching nor copying finds two words together.

    :param mended: set of the objects that were mended on pages before, added to
    """
    fonts = (page.get("/Resources") or {}).get("/Font") or {}
    for name in list(fonts):
        stream = fonts[name].get("/ToUnicode")
        if stream is None or id(stream) in mended:
            continue
        mended.add(id(stream))
        codes = re.sub(
            rb"\[[^]]*]",
            lambda codes: codes[0].replace(b"<0009>", b"<0020>"),
            stream.getData(),
        )
        stream._data = codes
        stream.pop("/Filter", None)


class Stamp:
    """A part that pages have in common, to be put onto them.

    :param page: the page on which it was printed, at the top of the printed area
    :param height: of the paper, in millimetres
    :param top: where that area begins, in millimetres
    :param box: where the stamp belongs, in millimetres; it is cut to that size
    """

    def __init__(self, page, height, top, box):
        self.page = page
        self.rectangle = [
            box.left,
            height - top - box.height,
            box.left + box.width,
            height - top,
        ]
        self.offset = (top - box.top) * _POINTS_PER_MM

    def add_to(self, writer):
        """Put it into a PDF.

        :return: reference of a form, which pages can show
        """
        form = pdf.DecodedStreamObject()
        form.setData(_get_content(self.page))
        resources = self.page["/Resources"]
        if hasattr(resources, "clone"):
            resources = resources.clone(writer)
        form.update(
            {
                pdf.NameObject("/Type"): pdf.NameObject("/XObject"),
                pdf.NameObject("/Subtype"): pdf.NameObject("/Form"),
                pdf.NameObject("/BBox"): pdf.ArrayObject(
                    pdf.generic.FloatObject(edge * _POINTS_PER_MM)
                    for edge in self.rectangle
                ),
                pdf.NameObject("/Resources"): resources,
            }
        )
        return writer._addObject(form)


def _get_content(page):
    """Return the drawing operators of a page."""
    contents = page["/Contents"]
    streams = contents if isinstance(contents, pdf.ArrayObject) else [contents]
    return b"\n".join(stream.getObject().getData() for stream in streams)


def write_letter(pages, stamps_of_page, title):
    """Make one PDF of the pages of a letter.

    :param pages: the pages, as printed
    :param stamps_of_page: list of lists: the stamps of each page
    :param title: of the PDF
    :return: the PDF as bytes
    """
    writer = pdf.PdfFileWriter()
    forms = {}
    for number, (printed, stamps) in enumerate(zip(pages, stamps_of_page, strict=True)):
        writer.addPage(printed)
        for stamp in stamps:
            if stamp not in forms:
                forms[stamp] = stamp.add_to(writer)
        shown = [(forms[stamp], stamp.offset) for stamp in stamps]
        _show_forms(writer, writer.getPage(number), shown)
    writer.add_metadata({"/Title": title})
    with io.BytesIO() as buffer:
        writer.write(buffer)
        return buffer.getvalue()


def _show_forms(writer, page, forms):
    """Draw forms over a page.

    :param forms: list of tuples: reference of a form, how far to move it up, in points
    """
    resources = page["/Resources"]
    shown = pdf.DictionaryObject(resources.get("/XObject") or {})
    operators = ["Q"]
    for number, (form, offset) in enumerate(forms):
        name = f"/Stamp{number}"
        shown[pdf.NameObject(name)] = form
        operators.append(f"q 1 0 0 1 0 {offset:.3f} cm {name} Do Q")
    # pages may share their resources, but not the stamps
    own = pdf.DictionaryObject(resources)
    own[pdf.NameObject("/XObject")] = shown
    page[pdf.NameObject("/Resources")] = own

    contents = dict.__getitem__(page, "/Contents")
    parts = contents.getObject()
    if not isinstance(parts, pdf.ArrayObject):
        parts = [contents]
    page[pdf.NameObject("/Contents")] = pdf.ArrayObject(
        [
            _add_operators(writer, "q"),
            *parts,
            _add_operators(writer, " ".join(operators)),
        ]
    )


def _add_operators(writer, operators):
    stream = pdf.DecodedStreamObject()
    stream.setData(operators.encode())
    return writer._addObject(stream)
