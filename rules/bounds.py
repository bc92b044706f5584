"""How far from today days and distances may lie, and days that cannot fall off the
calendar.

People enter 31 December 9999 to say "never", and imports bring ten million days. What
is entered is refused beyond the bounds; what is stored already must not break a page.
"""

from datetime import date, timedelta

#: ten years: no reminder is planned beyond, and none lies so many days apart
MOST_DAYS = 3660

#: before the trade had computers; nothing was sent or planned earlier
FIRST_DAY = date(1990, 1, 1)


def shift(day: date, days: int) -> date:
    """Return the day ``days`` later; the calendar's own ends are as far as it goes."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def last_day(today: date) -> date:
    """Return the last day that may be entered."""
    return shift(today, MOST_DAYS)


def is_day_within(day: date, today: date) -> bool:
    """Tell whether a day may be entered."""
    return FIRST_DAY <= day <= last_day(today)


def is_number_within(days: int) -> bool:
    """Tell whether a number of days may be entered; a negative one means before."""
    return abs(days) <= MOST_DAYS
