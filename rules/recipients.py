"""Who gets a reminder."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Contact = TypeVar("Contact")


def is_address(address: str | None) -> bool:
    """Tell whether an e-mail can go to an address, as Odoo normalized it.

    Odoo takes what has no name before the sign for an address, too.

    >>> is_address("azure@customer.example.com"), is_address("@customer.example.com")
    (True, False)
    >>> is_address(False)
    False
    """
    name, _at, domain = (address or "").partition("@")
    return bool(name and domain)


def choose(
    candidates: Iterable[Contact], reachable: Callable[[Contact], bool]
) -> Contact | None:
    """Return the first of some contacts that can be reached.

    :param candidates: in the order of preference: the document's follow-up contact,
        the customer's, the contact of the document, its company; empty ones pass
    :param reachable: tells whether a contact has the address that is needed
    :return: ``None`` where nobody can be reached
    """
    return next(
        (contact for contact in candidates if contact and reachable(contact)), None
    )
