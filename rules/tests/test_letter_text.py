import pytest

from rules.letter_text import (
    find_unprintable,
    get_direction,
    group_iban,
    parse_coverage,
)

LATIN = parse_coverage("20-7e a0-17f 301\n391-3c9 2022")


def test_coverage_is_read_as_fontconfig_writes_it():
    assert parse_coverage("20-22 a9\n2a") == {0x20, 0x21, 0x22, 0xA9, 0x2A}
    assert parse_coverage("") == set()


@pytest.mark.parametrize(
    "text, missing",
    [
        ("Martin & Fils", ""),
        ("Łódź, Ærø", ""),
        ("李明 李", "李明"),
        ("Tōkyō 東京", "東京"),
        ("a\n\t\u200f\u00ad\ufe0f\u2028b", ""),
        ("e\u0301 \u1e31", ""),  # a letter and its accent
        ("😀", "😀"),
        ("", ""),
    ],
)
def test_characters_without_a_font_are_found(text, missing):
    assert find_unprintable(text, LATIN) == missing


@pytest.mark.parametrize(
    "text, direction",
    [
        ("Hello", "ltr"),
        ("שלום", "rtl"),
        ("مرحبا", "rtl"),
        ("12 – شارع", "rtl"),
        ("(123) €", ""),
        ("", ""),
        ("Hello שלום", "ltr"),
    ],
)
def test_direction_is_that_of_the_first_letter(text, direction):
    assert get_direction(text) == direction


@pytest.mark.parametrize(
    "number, written",
    [
        ("FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189"),
        ("be71 0961 2345 6769", "BE71 0961 2345 6769"),
        ("IT60-X054-2811-1010-0000-0123-456", "IT60 X054 2811 1010 0000 0123 456"),
        ("FR7630006000011234567890188", ""),  # a digit is wrong
        ("12345678", ""),
        ("", ""),
        (False, ""),
    ],
)
def test_iban_is_written_in_groups(number, written):
    assert group_iban(number) == written
