"""What a customer owes on a document, and what they have with us: amounts and days."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Debt(NamedTuple):
    """What a customer owes on one document, in one currency.

    :param day: when the earliest instalment that is not paid falls, or fell, due
    :param due: what is due by today; where nothing is yet, what falls due first
    :param total: all that is not paid
    """

    day: date
    due: float
    total: float


def owed(instalments: Iterable[tuple[date, float]], today: date) -> Debt | None:
    """Return what is owed on a document of which these instalments are not paid.

    :param instalments: the day each falls due, and what is left of it; in any order
    :return: ``None`` where there is none
    """
    instalments = list(instalments)
    if not instalments:
        return None
    first = min(day for day, _amount in instalments)
    last = max(first, today)
    return Debt(
        first,
        sum(amount for day, amount in instalments if day <= last),
        sum(amount for _day, amount in instalments),
    )


def spread(
    credits_: Iterable[float], claims: Mapping[Key, float], tolerance: float = 0.005
) -> set[Key]:
    """Return the claims that are covered by what a customer has with us.

    A credit of exactly a claim's amount is meant for that claim. The rest is used for
    the oldest claims first; one that is too big for what is left is passed over.

    :param credits_: open credit notes and payments
    :param claims: what is due, the oldest first
    :param tolerance: less than the smallest coin
    """
    left = [amount for amount in credits_ if amount > tolerance]
    covered = set()
    for key, claim in claims.items():
        match = next((one for one in left if abs(one - claim) <= tolerance), None)
        if match is not None and claim > tolerance:
            left.remove(match)
            covered.add(key)
    rest = sum(left)
    for key, claim in claims.items():
        if key not in covered and tolerance < claim <= rest + tolerance:
            rest -= claim
            covered.add(key)
    return covered
