"""Calendar days of a user, as the instants a database stores."""

from datetime import date, datetime, time, timedelta, timezone, tzinfo


def day_start_utc(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of ``day`` in ``zone``, as naive UTC.

    :param zone: any :class:`~datetime.tzinfo`; pytz zones are localised properly,
        and a day whose midnight does not exist starts when its first hour does
    """
    midnight = datetime.combine(day, time.min)
    if hasattr(zone, "localize"):
        local = _first_midnight(midnight, zone)
    else:
        local = midnight.replace(tzinfo=zone)
    return local.astimezone(timezone.utc).replace(tzinfo=None)


def local_day(instant: datetime, zone: tzinfo) -> date:
    """Return the day of an instant in ``zone``.

    Where the calendar ends (people enter 31 December 9999 for "never"), there is no
    other day than that of the instant.

    :param instant: naive UTC
    """
    try:
        return instant.replace(tzinfo=timezone.utc).astimezone(zone).date()
    except (OverflowError, ValueError):
        return instant.date()


def _first_midnight(midnight: datetime, zone: tzinfo) -> datetime:
    """Localise ``midnight`` in a pytz ``zone``, which has to be asked both ways.

    Where clocks go back to midnight (the Azores, Havana) the earlier answer is right;
    where there is none (São Paulo, Beirut) that one still belongs to the day before.
    """
    answers = (zone.localize(midnight, is_dst=is_dst) for is_dst in (True, False))
    return min(
        answer for answer in answers if zone.normalize(answer).date() >= midnight.date()
    )


def days_utc(
    first: date | None, last: date | None, zone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """Return the half-open range of naive UTC instants from ``first`` to ``last``.

    Both days are included; ``None`` leaves that side open, and so does the last day
    there is (31 December 9999), which people enter to say so.
    """
    ends = last and last < date.max
    return (
        day_start_utc(first, zone) if first else None,
        day_start_utc(last + timedelta(days=1), zone) if ends else None,
    )
