"""Where things stand on a letter: millimetres from the top left corner of the paper.

Type sizes are in points. What is placed by these numbers is printed true to size,
whichever wkhtmltopdf prints it.
"""

import math
import unicodedata
from typing import NamedTuple


class Box(NamedTuple):
    left: float
    top: float
    width: float
    height: float


#: width and height
PAPERS = {"A4": (210, 297), "Letter": (215.9, 279.4)}

#: the address, where the window of the envelope shows it
WINDOWS = {"left": Box(20, 45, 85, 45), "right": Box(110, 50, 90, 40)}
#: the strip of that box that names the sender, should the letter come back
_SENDER_HEIGHT = 5
#: from the edge of the box to the text in it
_WINDOW_INSET = 2.5

_MARGIN_LEFT = 22.5
_MARGIN_RIGHT = 20
#: where text begins on the pages after the first, and how far from the end of the
#: paper it ends on all
MARGIN_TOP = 25
MARGIN_BOTTOM = 33
#: where the text begins on the first page
_TEXT_TOP = 97
#: what faces the address
_REFERENCE_TOP = 50
_REFERENCE_WIDTH = 72

#: where the paper is folded for an envelope of a third of its size
_FOLDS = {"A4": (105, 210), "Letter": (93, 186)}

_LETTERHEAD_HEIGHT = 43
_CONTINUATION_HEIGHT = 20
_FOOTER_HEIGHT = 26
_NUMBER_HEIGHT = 5

#: After the company's own typeface: only those of the system are used, for web fonts
#: are printed as outlines, which neither search nor screen readers can read.
TYPEFACES = (
    "'Liberation Sans', Arial, Helvetica,"
    " 'DejaVu Sans Condensed', 'DejaVu Sans', sans-serif"
)

#: The window is on the right where companies usually buy such envelopes, or where the
#: post's own example has it there: the countries of French tradition, and of the
#: south and the east of Europe. The Swiss post takes both, and SN 010130 describes
#: the right one first. Elsewhere it is on the left: DIN 5008 (DE, AT), SFS 2488 (FI),
#: and what is sold in GB, IE, NL, the north of Europe, the US and Canada.
_RIGHT_WINDOW = frozenset(
    """
    AD BE CH CZ DZ ES FR GF GP GR HR HU IT LI LU MA MC MQ NC PF PL PM PT RE RO RU SI
    SK SM TN VA WF YT
    """.split()
)

#: where paper is of the size US Letter, as Unicode's CLDR lists them
_LETTER_PAPER = frozenset("BZ CA CL CO CR GT MX NI PA PH PR SV US VE".split())


def window_side(country_code: str) -> str:
    """Return the side of the window: ``left`` or ``right``."""
    return "right" if country_code in _RIGHT_WINDOW else "left"


def paper_of_country(country_code: str) -> str:
    """Return the paper in use: a key of :data:`PAPERS`."""
    return "Letter" if country_code in _LETTER_PAPER else "A4"


class Layout(NamedTuple):
    """One kind of letter: where its parts are on the paper."""

    paper: str
    side: str

    @property
    def width(self):
        return PAPERS[self.paper][0]

    @property
    def height(self):
        return PAPERS[self.paper][1]

    @property
    def sender(self):
        """The strip at the top of the window."""
        window = WINDOWS[self.side]
        return Box(
            window.left + _WINDOW_INSET,
            window.top,
            window.width - 2 * _WINDOW_INSET,
            _SENDER_HEIGHT,
        )

    @property
    def address(self):
        """The rest of the window."""
        window = WINDOWS[self.side]
        return self.sender._replace(
            top=window.top + _SENDER_HEIGHT, height=window.height - _SENDER_HEIGHT
        )

    @property
    def text(self):
        """The text on the first page, if it is short."""
        return Box(
            _MARGIN_LEFT,
            _TEXT_TOP,
            self.width - _MARGIN_LEFT - _MARGIN_RIGHT,
            self.height - _TEXT_TOP - MARGIN_BOTTOM,
        )

    @property
    def reference(self):
        """The column that faces the address."""
        left = _MARGIN_LEFT
        if self.side == "left":
            left = self.width - _MARGIN_RIGHT - _REFERENCE_WIDTH
        height = _TEXT_TOP - _REFERENCE_TOP
        return Box(left, _REFERENCE_TOP, _REFERENCE_WIDTH, height)

    @property
    def folds(self):
        """How far from the top the paper is folded."""
        return _FOLDS[self.paper]

    @property
    def stamps(self):
        """The parts that pages have in common, by name."""
        footer_top = self.height - _FOOTER_HEIGHT
        number_top = footer_top - _NUMBER_HEIGHT
        return {
            "letterhead": Box(0, 0, self.width, _LETTERHEAD_HEIGHT),
            "continuation": Box(0, 0, self.width, _CONTINUATION_HEIGHT),
            "footer": Box(0, footer_top, self.width, _FOOTER_HEIGHT),
            "number": Box(0, number_top, self.width, _NUMBER_HEIGHT),
        }


# --- sizes of type --------------------------------------------------------------

_MM_PER_POINT = 25.4 / 72
#: widths of characters, in parts of the type size, of a rather wide typeface
_NARROW = frozenset("fijlrtI.,:;'|!()[]- /")
_WIDE = frozenset("mwMW@%&—…")


def _char_width(char: str) -> float:
    if char in _NARROW:
        return 0.4
    if char in _WIDE or unicodedata.east_asian_width(char) in "WF":
        return 1
    return 0.75 if char.isupper() else 0.64


def _measure(text: str, size: float) -> float:
    """Estimate the width of a text."""
    return sum(map(_char_width, text)) * size * _MM_PER_POINT


def count_lines(text: str, size: float, width: float) -> int:
    """Estimate how many lines a text takes, long words broken."""
    lines, used = 1, 0.0
    space = _measure(" ", size)
    for word in text.split():
        length = _measure(word, size)
        if used and used + space + length > width:
            lines, used = lines + 1, 0.0
        if length > width:
            extra = math.ceil(length / width) - 1
            lines, length = lines + extra, length - extra * width
        used += length + (space if used else 0)
    return lines


def fitting_size(lines, width, height, largest, smallest, line_height=1.25):
    """Return the largest type size in which lines of text fit a box.

    :param lines: the texts, each on a line of its own
    :param width: of the box
    :param height: of the box
    :return: a size between ``largest`` and ``smallest``, in steps of half a point
    """
    size = largest
    while size > smallest:
        count = sum(count_lines(line, size, width) for line in lines)
        if count * size * line_height * _MM_PER_POINT <= height:
            break
        size -= 0.5
    return max(size, smallest)


def fit_sender(name, address, box):
    """Return the line that names the sender, and its type size in points.

    It says where a letter goes back to: a name that is too long is cut, the address
    never is, and a long one becomes small.

    :param address: list of the lines of the address
    """
    where = " · ".join(address)
    largest, smallest = 6, 4
    for size in (largest, 5.5, 5, 4.5, smallest):
        line = " · ".join(filter(None, (name, where)))
        if _measure(line, size) <= box.width:
            return line, size
    cut = name
    while cut and _measure(f"{cut}… · {where}", smallest) > box.width:
        cut = cut[:-1].rstrip()
    if cut:
        return f"{cut}… · {where}", smallest
    return where, min(smallest, smallest * box.width / _measure(where, smallest))
