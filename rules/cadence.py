"""When the levels of a series have their day: dates in, dates out.

A *level* is a template at its place in a *series*, which is a sequence of them from
the first reminder to the last. Days are those of the document's company. Nothing here
knows about stops or about today; that is the verdict's business.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from .bounds import shift

#: how far ahead a business day is looked for; a calendar without one gives up there
LONGEST_CLOSURE = 366

_ONE_DAY = timedelta(days=1)


class Trigger(Enum):
    """What a level's offset counts from."""

    DUE_DATE = "due_date"
    DOCUMENT_DATE = "document_date"
    PREVIOUS = "previous"


# reached through the class they cost more than the arithmetic
DUE_DATE, DOCUMENT_DATE, PREVIOUS = Trigger


@dataclass(frozen=True, slots=True)
class Level:
    """One template at its place in a series.

    :param template: its id
    :param offset: days after (or before, if negative) what the trigger names;
        ``None`` if nobody entered any
    :param complete: whether it has all the texts an e-mail needs
    :param automatic: whether it may go out without anybody pressing a button
    :param active_from: the day it was switched on; an automatic level without one
        counts as not switched on, for it would hit every old document
    :param min_amount: in company currency; 0 for no minimum
    """

    template: int
    trigger: Trigger = DUE_DATE
    offset: int | None = None
    complete: bool = True
    automatic: bool = False
    active_from: date | None = None
    min_amount: float = 0.0


Series = Sequence[Level]


def own_day(
    level: Level, document_date: date, due_date: date | None, previous: date | None
) -> date | None:
    """Return the day a level asks for, or ``None`` if what it counts from is missing.

    :param previous: the day of the level before it: the one it was sent for its real
        day, the one it asked for to learn the distance that was meant between them
    """
    if level.trigger is DUE_DATE:
        base = due_date
    elif level.trigger is DOCUMENT_DATE:
        base = document_date
    else:
        base = previous
    if base is None or level.offset is None:
        return None
    return shift(base, level.offset)


def spaced_day(
    own: date,
    planned: date | None,
    previous: date | None,
    previous_planned: date | None,
) -> date:
    """Return ``own``, or a later day that keeps the distance to the level before.

    :param planned: the day the level would have if everything had gone out in time
    :param previous: the day the level before it was sent, if one was
    :param previous_planned: the day that one was planned for

    The distance is the one between the planned days, which is the difference of the
    offsets where both count from the same date. It is never less than a day: whoever
    is late is not sent two levels at once.
    """
    if previous is None:
        return own
    distance = 1
    if planned is not None and previous_planned is not None:
        distance = max(1, (planned - previous_planned).days)
    return max(own, shift(previous, distance))


def business_day_from(
    day: date, is_business_day: Callable[[date], bool] | None
) -> date | None:
    """Return the first business day on or after ``day``.

    :param is_business_day: ``None`` if every day is one
    :return: ``None`` if there is none within :data:`LONGEST_CLOSURE` days
    """
    if is_business_day is None:
        return day
    for _attempt in range(LONGEST_CLOSURE):
        if is_business_day(day):
            return day
        if day == date.max:
            return None
        day += _ONE_DAY
    return None


def levels_sent(reminders: Iterable[tuple[int, date]]) -> dict[int, date]:
    """Return the levels that were sent, each with its last day.

    :param reminders: template and day (the company's) of each reminder that was sent in
        the document's present cycle, by whomever, in any order
    """
    sent: dict[int, date] = {}
    for template, day in reminders:
        sent[template] = max(day, sent.get(template, day))
    return sent
