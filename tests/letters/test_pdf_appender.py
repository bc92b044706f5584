import io

from odoo.tests import BaseCase, tagged
from odoo.tools.pdf import (
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfReader,
    PdfWriter,
)

from ...models.letters.pdf_appender import PdfAppender


def make_pdf(*widths, shared=b""):
    """Return a PDF of blank pages of these widths.

    :param shared: a stream all pages refer to, as a font or a logo
    """
    writer = PdfWriter()
    stream = DecodedStreamObject()
    stream._data = shared
    reference = writer._add_object(stream) if shared else None
    for width in widths:
        page = writer.add_blank_page(width=width, height=100)
        if reference:
            page[NameObject("/Resources")] = DictionaryObject(
                {
                    NameObject("/XObject"): DictionaryObject(
                        {NameObject("/Logo"): reference}
                    )
                }
            )
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def read_widths(content):
    """Return the widths of the pages of a PDF."""
    reader = PdfReader(io.BytesIO(content), strict=True)
    return [int(page.mediabox.width) for page in reader.pages]


@tagged("post_install", "-at_install")
class TestPdfAppender(BaseCase):
    """Many PDFs in one, written one after the other."""

    def _append(self, *contents):
        stream = io.BytesIO()
        appender = PdfAppender(stream)
        for content in contents:
            appender.append(content)
        appender.close()
        return stream.getvalue()

    def test_pages_follow_each_other(self):
        merged = self._append(make_pdf(100, 200), make_pdf(300), make_pdf(400, 500))
        self.assertEqual(read_widths(merged), [100, 200, 300, 400, 500])

    def test_what_is_shared_is_written_once(self):
        logo = b"q Q " * 5000
        contents = [make_pdf(100 + number, shared=logo) for number in range(10)]
        merged = self._append(*contents)
        self.assertEqual(read_widths(merged), [100 + number for number in range(10)])
        self.assertEqual(merged.count(logo), 1)
        for page in PdfReader(io.BytesIO(merged)).pages:
            stream = page["/Resources"]["/XObject"]["/Logo"].get_object()
            self.assertEqual(stream._data, logo)

    def test_different_streams_stay_different(self):
        merged = self._append(
            make_pdf(100, shared=b"first"), make_pdf(100, shared=b"second")
        )
        streams = [
            page["/Resources"]["/XObject"]["/Logo"].get_object()._data
            for page in PdfReader(io.BytesIO(merged)).pages
        ]
        self.assertEqual(streams, [b"first", b"second"])

    def test_broken_pdf_leaves_nothing(self):
        stream = io.BytesIO()
        appender = PdfAppender(stream)
        appender.append(make_pdf(100))
        for broken in (b"", b"no PDF", make_pdf(200, 300)[:150]):
            with self.subTest(broken[:10]), self.assertRaises(Exception):  # noqa: B017
                appender.append(broken)
        appender.append(make_pdf(400))
        appender.close()
        self.assertEqual(appender.page_count, 2)
        self.assertEqual(read_widths(stream.getvalue()), [100, 400])

    def test_objects_that_lead_back_to_themselves(self):
        writer = PdfWriter()
        page = writer.add_blank_page(width=100, height=100)
        loop = DictionaryObject({NameObject("/Number"): NumberObject(7)})
        reference = writer._add_object(loop)
        loop[NameObject("/Self")] = reference
        page[NameObject("/PieceInfo")] = reference
        buffer = io.BytesIO()
        writer.write(buffer)
        merged = self._append(buffer.getvalue(), make_pdf(200))
        self.assertEqual(read_widths(merged), [100, 200])
        found = PdfReader(io.BytesIO(merged)).pages[0]["/PieceInfo"]
        self.assertEqual(found["/Self"]["/Self"]["/Number"], 7)
