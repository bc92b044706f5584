"""How the post of a country wants addresses, where Odoo's data do not know.

The Universal Postal Union publishes these formats (*Postal addressing systems*).
"""

import re

#: what Odoo uses for a country it has no format for
ODOO_DEFAULT = (
    "%(street)s\n%(street2)s\n%(city)s %(state_code)s %(zip)s\n%(country_name)s"
)

_STREET = "%(street)s\n%(street2)s\n"
_ZIP_CITY = _STREET + "%(zip)s %(city)s\n%(country_name)s"
_ZIP_CITY_PROVINCE = _STREET + "%(zip)s %(city)s %(state_code)s\n%(country_name)s"
_CITY_ZIP = _STREET + "%(city)s %(zip)s\n%(country_name)s"
_CITY_REGION_ZIP = _STREET + "%(city)s\n%(state_name)s\n%(country_name)s\n%(zip)s"
_CITY_STATE_NAME_ZIP = _STREET + "%(city)s\n%(state_name)s %(zip)s\n%(country_name)s"

FORMATS = {
    **dict.fromkeys(
        """
        AL AX BA BG CY CZ DZ EE GE GL GR HR IC IL IS KW LI LT LU MA MC MD ME MK MQ NC
        PF PT RE RO RS SI SK SM SN TN VA XK
        """.split(),
        _ZIP_CITY,
    ),
    "IT": _ZIP_CITY_PROVINCE,
    "LV": _STREET + "%(city)s, %(zip)s\n%(country_name)s",
    "IE": _STREET + "%(city)s\n%(state_name)s\n%(zip)s\n%(country_name)s",
    "HU": "%(city)s\n%(street)s\n%(street2)s\n%(zip)s\n%(country_name)s",
    "KZ": _CITY_REGION_ZIP,
    "RU": _CITY_REGION_ZIP,
    "BY": _STREET + "%(zip)s %(city)s\n%(state_name)s\n%(country_name)s",
    "UA": _STREET + "%(city)s\n%(state_name)s\n%(zip)s\n%(country_name)s",
    "SG": _CITY_ZIP,
    "VN": _CITY_STATE_NAME_ZIP,
    "ID": _CITY_STATE_NAME_ZIP,
    "TH": _CITY_STATE_NAME_ZIP,
}


def get_format(country_code, odoo_format):
    """Return the format of a country's addresses.

    :param odoo_format: the country's in Odoo; it is used where somebody chose it
    """
    if _simplify(odoo_format or "") in ("", _simplify(ODOO_DEFAULT)):
        return FORMATS.get(country_code, odoo_format or ODOO_DEFAULT)
    return odoo_format


def _simplify(address_format):
    return re.sub(r"\s+", " ", address_format).strip()


def format_address(address_format, values):
    """Return the lines of an address, without those that would be empty.

    :param values: dict of everything the format may name
    """
    lines = (address_format % values).splitlines()
    cleaned = (re.sub(r"\s+", " ", line).strip(" ,") for line in lines)
    return [line for line in cleaned if line]
