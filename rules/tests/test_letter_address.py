import pytest

from rules.letter_address import ODOO_DEFAULT, format_address, get_format

PLACE = {
    "street": "1 Main Street",
    "street2": "",
    "city": "Town",
    "zip": "12345",
    "state_code": "PR",
    "state_name": "Province",
    "country_name": "",
}


@pytest.mark.parametrize(
    "country, lines",
    [
        ("IT", ["1 Main Street", "12345 Town PR"]),
        ("GR", ["1 Main Street", "12345 Town"]),
        ("RU", ["1 Main Street", "Town", "Province", "12345"]),
        ("PT", ["1 Main Street", "12345 Town"]),
        ("UA", ["1 Main Street", "Town", "Province", "12345"]),
        ("HU", ["Town", "1 Main Street", "12345"]),
        ("LV", ["1 Main Street", "Town, 12345"]),
        ("ZZ", ["1 Main Street", "Town PR 12345"]),
        (False, ["1 Main Street", "Town PR 12345"]),
    ],
)
def test_address_is_in_the_order_of_its_post(country, lines):
    for odoo_format in (ODOO_DEFAULT, ODOO_DEFAULT.replace("\n", "\n "), "", False):
        assert format_address(get_format(country, odoo_format), PLACE) == lines


def test_format_that_somebody_chose_is_kept():
    chosen = "%(zip)s %(city)s\n%(street)s"
    assert get_format("IT", chosen) == chosen


@pytest.mark.parametrize(
    "country, lines", [("IT", ["12345"]), ("LV", ["12345"]), ("RU", ["12345"])]
)
def test_what_is_unknown_leaves_no_trace(country, lines):
    values = {**dict.fromkeys(PLACE, ""), "zip": "12345"}
    assert format_address(get_format(country, ODOO_DEFAULT), values) == lines
