"""Many PDFs in one, written one after the other: memory stays that of one of them.

Merging 1,000 letters of two pages (115 MB, half of it a logo they share) takes 6 MB of
memory and makes a file of 57 MB. The writer of pypdf keeps everything until the end:
257 MB of memory, and a file of 115 MB.
"""

import hashlib
import io

from odoo.tools.pdf import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    PdfReader,
)

#: what leads out of a page: to its former tree, to structures that are not taken along
LEFT_BEHIND = frozenset({"/Parent", "/P", "/B", "/StructParent", "/StructParents"})

CATALOG, TREE = 1, 2


class PdfAppender:
    """Appends the pages of PDFs to a file.

    What several of them have in common, such as a logo or a font, is written once.

    :param stream: a file open for writing bytes
    """

    def __init__(self, stream):
        self.page_count = 0
        self._stream = stream
        self._size = 0
        self._offsets = {}
        self._last = TREE
        self._known = {}
        self._pages = []
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def append(self, content):
        """Add all pages of a PDF, or none where it cannot be read.

        :param content: the PDF, as bytes
        :raise Exception: whatever a broken file may lead to
        """
        part = _Part(content, self._last, self._known)
        for number, body in part.objects:
            self._write_object(number, body)
        self._last = part.last
        self._known.update(part.known)
        self._pages += part.pages
        self.page_count = len(self._pages)

    def close(self):
        """Write what makes a PDF of the pages; the stream stays open."""
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        self._write_object(
            TREE, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(self._pages), kids)
        )
        self._write_object(CATALOG, b"<</Type/Catalog/Pages %d 0 R>>" % TREE)
        start = self._size
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % (self._last + 1))
        for number in range(1, self._last + 1):
            self._write(b"%010d 00000 n \n" % self._offsets[number])
        self._write(
            b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
            % (self._last + 1, CATALOG, start)
        )

    def _write(self, content):
        self._stream.write(content)
        self._size += len(content)

    def _write_object(self, number, body):
        self._offsets[number] = self._size
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))


class _Part:
    """The objects of one PDF under their new numbers.

    :param content: the PDF, as bytes
    :param last: the last number that is taken
    :param known: dict of digest → number of what is written already
    """

    def __init__(self, content, last, known):
        self.last = last
        self.objects = []
        self.pages = []
        self.known = {}
        self._written = known
        #: number in the PDF → new number, ``None`` while it is being read
        self._numbers = {}
        reader = PdfReader(io.BytesIO(content), strict=False)
        self._read_pages(list(reader.pages))

    def _read_pages(self, pages):
        # links may lead to any page
        for page in pages:
            self.pages.append(self._take_number())
            reference = getattr(page, "indirect_reference", None) or getattr(
                page, "indirectRef", None
            )
            if reference is not None:
                self._numbers[reference.idnum] = self.pages[-1]
        for number, page in zip(self.pages, pages, strict=True):
            body = self._get_entries(page) + b"/Parent %d 0 R" % TREE
            self.objects.append((number, b"<<%s>>" % body))

    def _take_number(self):
        self.last += 1
        return self.last

    def _get_entries(self, dictionary):
        return b"".join(
            _scalar(key) + b" " + self._serialise(dictionary.raw_get(key))
            for key in dictionary
            if key not in LEFT_BEHIND
        )

    def _serialise(self, value):
        """Write a value as in a PDF, what it refers to under its new number."""
        if isinstance(value, IndirectObject):
            return self._refer(value)
        if isinstance(value, DictionaryObject):
            return b"<<%s>>" % self._get_entries(value)
        if isinstance(value, ArrayObject):
            # as stored: taking an item would resolve it
            items = (self._serialise(item) for item in list.__iter__(value))
            return b"[%s]" % b" ".join(items)
        return _scalar(value)

    def _refer(self, reference):
        """Return the reference to an object, and take it along if it is new."""
        number = reference.idnum
        if number in self._numbers and self._numbers[number] is None:
            # it is being read: it leads back to itself
            self._numbers[number] = self._take_number()
        elif number not in self._numbers:
            self._numbers[number] = None
            self._numbers[number] = self._take_along(number, _resolve(reference))
        return b"%d 0 R" % self._numbers[number]

    def _take_along(self, number, value):
        """Add an object, unless the same one is there already.

        :return: its number
        """
        body = self._get_stream(value) if hasattr(value, "_data") else None
        if body is None:
            body = b"null" if value is None else self._serialise(value)
        if taken := self._numbers[number]:
            self.objects.append((taken, body))
            return taken
        digest = hashlib.sha256(body).digest()
        known = self._written.get(digest) or self.known.get(digest)
        if known:
            return known
        self.known[digest] = self._take_number()
        self.objects.append((self.last, body))
        return self.last

    def _get_stream(self, stream):
        """Write a stream as it is stored, compressed or not."""
        entries = b"".join(
            _scalar(key) + b" " + self._serialise(stream.raw_get(key))
            for key in stream
            if key not in LEFT_BEHIND and key != "/Length"
        )
        data = stream._data
        if isinstance(data, str):
            data = data.encode("latin-1")
        return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


# Odoo runs with several generations of the library, which differ in these names.


def _resolve(reference):
    """Return what a reference refers to."""
    resolve = getattr(reference, "get_object", None) or reference.getObject
    return resolve()


def _scalar(value):
    """Write a name, a number, a text, …"""
    write = getattr(value, "write_to_stream", None) or value.writeToStream
    buffer = io.BytesIO()
    try:
        write(buffer)
    except TypeError:
        # older ones could encrypt here
        write(buffer, None)
    return buffer.getvalue()
