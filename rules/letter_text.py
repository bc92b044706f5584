"""The characters of a letter: whether they can be printed, and which way they run."""

import re
import unicodedata

#: what is seen as nothing: no font needs to have it
_INVISIBLE = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
_VARIATIONS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))


def parse_coverage(charsets):
    """Read what fontconfig says of the characters of fonts.

    :param charsets: lines of ranges as hexadecimal numbers, as in ``20-7e a0 2022``
    :return: set of code points
    """
    covered = set()
    for item in charsets.split():
        first, _dash, last = item.partition("-")
        covered.update(range(int(first, 16), int(last or first, 16) + 1))
    return covered


def find_unprintable(text, covered):
    """Return the characters of a text that no font has, each once, in their order.

    A letter with an accent is printable where a font has both on their own.

    :param covered: set of code points
    :rtype: str
    """
    return "".join(
        char for char in dict.fromkeys(text) if not _is_printable(char, covered)
    )


def _is_printable(char, covered):
    if ord(char) in covered or ord(char) in _VARIATIONS:
        return True
    if unicodedata.category(char) in _INVISIBLE:
        return True
    parts = unicodedata.normalize("NFD", char)
    return parts != char and all(ord(part) in covered for part in parts)


def get_direction(text):
    """Return the direction of a text, that of its first letter: ``ltr`` or ``rtl``;
    an empty string where it has none."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return ""


def group_iban(number):
    """Return an IBAN in groups of four, as it is written on paper; ``""`` where the
    account number is none."""
    number = re.sub(r"[\s-]", "", number or "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", number):
        return ""
    digits = "".join(str(int(char, 36)) for char in number[4:] + number[:4])
    if int(digits) % 97 != 1:
        return ""
    return " ".join(re.findall(".{1,4}", number))
