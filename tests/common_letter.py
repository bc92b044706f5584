import base64
import datetime
import io
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from markupsafe import Markup
from PIL import Image

from odoo.tools import pdf

from odoo.addons.base.models.ir_actions_report import _wkhtml

from .common_documents import DocumentsCommon

DAY = datetime.date(2026, 3, 12)
SENTENCE = "We should be glad to hear what you think of the offer we sent you. "


def _paint():
    """Return a red image, wider than high, in base64."""
    buffer = io.BytesIO()
    Image.new("RGB", (80, 8), "red").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue())


IMAGE = _paint()


#: the folder of a wkhtmltopdf with patched Qt: where it is given, what prints is tested
#: with it, too
PATCHED_FOLDER = os.environ.get("SALES_FOLLOWUP_PATCHED_WKHTMLTOPDF")


class PatchedBuild:
    """Mixed into a test class: it prints with the patched wkhtmltopdf."""

    @classmethod
    def setUpClass(cls):
        path = os.pathsep.join([PATCHED_FOLDER, os.environ["PATH"]])
        cls.enterClassContext(patch.dict(os.environ, PATH=path))
        _wkhtml.cache_clear()
        cls.addClassCleanup(_wkhtml.cache_clear)
        assert _wkhtml().is_patched_qt, f"no patched wkhtmltopdf in {PATCHED_FOLDER}"
        super().setUpClass()


class LetterCommon(DocumentsCommon):
    """Letters of a French company, and what can be read in the PDF they become."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renderer = cls.env["sales.followup.letter"]
        cls.printer = cls.env["sales.followup.document.printer"]
        cls.france = cls.env.ref("base.fr")
        cls.company = cls.env.company
        cls.company.partner_id.write(
            {
                "country_id": cls.france.id,
                "street": "14 rue de la République",
                "street2": False,
                "zip": "69003",
                "city": "Lyon",
                "state_id": False,
                "lang": "en_US",
            }
        )
        cls.company.write(
            {
                "paperformat_id": cls.env.ref("base.paperformat_euro").id,
                "followup_window": "country",
                "report_header": "<p>Desks since 1962</p>",
                "report_footer": "<p>Registered in Lyon under 402 117 832</p>",
                "company_details": "<p>Duvernay Desks<br>04 72 00 00 00</p>",
            }
        )
        cls.alice.partner_id.write(
            {"function": "Sales Manager", "phone": "+33 4 72 00 00 01"}
        )
        cls.customer = cls._create_customer(
            cls.alice,
            name="Martin & Fils",
            street="127 avenue Foch",
            zip="75016",
            city="Paris",
            country_id=cls.france.id,
        )
        cls.order = cls._create_order(
            cls.customer, "sent", user_id=cls.alice.id, client_order_ref="PO 118"
        )

    @classmethod
    def _prepare_letter(cls, body=SENTENCE, **values):
        """Return a letter to the customer about the order, as plain values."""
        return {
            "document": cls.order.with_user(cls.alice),
            "contact": cls.customer.with_user(cls.alice),
            "body": Markup(body),
            "user": cls.alice,
            "date": DAY,
            "lang": "en_US",
            **values,
        }

    @classmethod
    def _print(cls, *letters):
        """Print letters as a plain salesperson would; give what is on their pages."""
        results = cls.renderer.with_user(cls.alice)._render_pdf(letters)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [read_pdf(result) for result in results]

    @classmethod
    def _print_one(cls, body=SENTENCE, **values):
        return cls._print(cls._prepare_letter(body, **values))[0]

    @classmethod
    def _create_image(cls, **values):
        return cls.env["ir.attachment"].create(
            {"name": "Image", "datas": IMAGE, **values}
        )

    def assertInBox(self, pieces, box, tolerance=3):
        """Assert that text is printed inside a box, give or take some millimetres."""
        left, top, width, height = box
        for piece in pieces:
            with self.subTest(piece=piece):
                self.assertGreaterEqual(piece.left, left - tolerance)
                self.assertLessEqual(piece.right, left + width + tolerance)
                self.assertGreaterEqual(piece.top, top - tolerance)
                self.assertLessEqual(piece.bottom, top + height + tolerance)

    def assertInOrder(self, text, *parts):
        """Assert that a text has these parts, one after the other."""
        position = 0
        for part in parts:
            found = text.find(part, position)
            self.assertNotEqual(found, -1, f"{part!r} is not where it belongs:\n{text}")
            position = found + len(part)


# --- reading PDF files ----------------------------------------------------------


class Piece(NamedTuple):
    """Text printed in one go: in millimetres from the top left of the paper."""

    text: str
    left: float
    right: float  # of the last letter's left edge
    top: float
    bottom: float  # the line the letters stand on


class Page(NamedTuple):
    width: float
    height: float
    pieces: list
    images: int

    @property
    def text(self):
        """The lines from top to bottom."""
        lines = {}
        for piece in sorted(self.pieces, key=lambda piece: piece.left):
            lines.setdefault(round(piece.bottom), []).append(piece.text)
        return "\n".join(" ".join(lines[bottom]) for bottom in sorted(lines))

    def find(self, text):
        """Return the piece that holds a text."""
        return next(piece for piece in self.pieces if text in piece.text)

    def within(self, left, top, width, height):
        """Return the pieces that begin in a box."""
        return [
            piece
            for piece in self.pieces
            if left <= piece.left < left + width and top <= piece.bottom < top + height
        ]


def read_pdf(content):
    """Return the pages of a PDF with the text on them and where it stands."""
    reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
    return [_read_page(reader.getPage(n), reader) for n in range(reader.getNumPages())]


def paint_pages(content):
    """Return the pages of a PDF as pixels."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["pdftoppm", "-r", "50", "-gray", "-", f"{folder}/page"],
            input=content,
            check=True,
        )
        return [path.read_bytes() for path in sorted(Path(folder).iterdir())]


def get_links(content):
    """Return the targets of a PDF's links."""
    reader = pdf.PdfFileReader(io.BytesIO(content), strict=False)
    return [
        link.getObject()["/A"]["/URI"]
        for number in range(reader.getNumPages())
        for link in reader.getPage(number).get("/Annots") or ()
    ]


def _read_page(page, reader):
    width, height = (_to_mm(float(edge)) for edge in page.mediaBox[2:])
    sight = _Sight(reader, float(page.mediaBox[3]))
    sight.look(page["/Contents"], page["/Resources"], _UNITY)
    return Page(width, height, sight.get_pieces(), sight.images)


_UNITY = (1, 0, 0, 1, 0, 0)


def _to_mm(points):
    return points * 25.4 / 72


def _multiply(first, second):
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


class _Sight:
    """Follows the operators of a page as a printer would, as far as text goes."""

    def __init__(self, reader, height):
        self.reader = reader
        self.height = height
        self.letters = []
        self.images = 0

    def look(self, contents, resources, matrix):
        stack, fonts, position, decode, size = [], {}, _UNITY, {}, 0
        stream = pdf.generic.ContentStream(contents.getObject(), self.reader)
        for operands, operator in stream.operations:
            if operator == b"q":
                stack.append(matrix)
            elif operator == b"Q":
                matrix = stack.pop()
            elif operator == b"cm":
                matrix = _multiply([float(value) for value in operands], matrix)
            elif operator == b"Tf":
                name, size = operands[0], float(operands[1])
                if name not in fonts:
                    fonts[name] = _read_font(resources["/Font"][name])
                decode = fonts[name]
            elif operator == b"Tm":
                position = [float(value) for value in operands]
            elif operator == b"Td":
                shift = (1, 0, 0, 1, *(float(value) for value in operands))
                position = _multiply(shift, position)
            elif operator == b"Tj":
                self._note(operands[0], decode, size, _multiply(position, matrix))
            elif operator == b"Do":
                self._enter(resources["/XObject"][operands[0]].getObject(), matrix)

    def _enter(self, thing, matrix):
        if thing["/Subtype"] == "/Form":
            self.look(thing, thing["/Resources"], matrix)
        else:
            self.images += 1

    def _note(self, codes, decode, size, matrix):
        codes = getattr(codes, "original_bytes", codes)
        for start in range(0, len(codes), 2):
            letter = decode.get(int.from_bytes(codes[start : start + 2], "big"), "?")
            self.letters.append(
                (letter, matrix[4], self.height - matrix[5], size * abs(matrix[0]))
            )

    def get_pieces(self):
        """Join letters that follow each other on a line."""
        pieces, run = [], []
        for letter in self.letters:
            if run and not _follows(run[-1], letter):
                pieces.append(_join(run))
                run = []
            run.append(letter)
        if run:
            pieces.append(_join(run))
        return [piece for piece in pieces if piece.text]


def _follows(before, letter):
    _char, left, bottom, size = letter
    return abs(bottom - before[2]) < 0.5 and -0.5 < left - before[1] < 1.6 * size


def _join(run):
    text = re.sub(r"[\s\xa0]+", " ", "".join(letter[0] for letter in run)).strip()
    size = max(letter[3] for letter in run)
    bottom = run[0][2]
    return Piece(
        text,
        _to_mm(run[0][1]),
        _to_mm(run[-1][1]),
        _to_mm(bottom - 0.75 * size),
        _to_mm(bottom),
    )


def _read_font(font):
    """Return the characters of a font's codes."""
    source = font["/ToUnicode"].getData().decode()
    characters = {}
    for start, _end, codes in re.findall(
        r"<(\w+)> <(\w+)> \[([^]]*)\]", source, re.DOTALL
    ):
        for number, code in enumerate(re.findall(r"<(\w+)>", codes)):
            character = bytes.fromhex(code).decode("utf-16-be")
            characters[int(start, 16) + number] = character
    return characters
