from datetime import date, datetime, timedelta

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from rules.bounds import (
    FIRST_DAY,
    MOST_DAYS,
    is_day_within,
    is_number_within,
    last_day,
    local_day,
    shift,
)

TODAY = date(2026, 3, 9)


@given(st.dates(), st.integers())
def test_no_day_falls_off_the_calendar(day, days):
    shifted = shift(day, days)
    assert (shifted > day) == (days > 0 and day < date.max)
    assert (shifted < day) == (days < 0 and day > date.min)


@given(st.datetimes(), st.sampled_from(pytz.common_timezones))
def test_every_instant_has_a_day_everywhere(instant, zone):
    day = local_day(instant, pytz.timezone(zone))
    assert abs((day - instant.date()).days) <= 1


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        (datetime(2026, 3, 9, 23, 30), "Europe/Paris", date(2026, 3, 10)),
        (datetime(2026, 3, 9, 3, 30), "America/New_York", date(2026, 3, 8)),
        (datetime(2026, 3, 9, 12), "UTC", date(2026, 3, 9)),
        (datetime.max, "Asia/Tokyo", date.max),
        (datetime.min, "America/New_York", date.min),
    ],
)
def test_the_day_is_that_of_the_zone(instant, zone, day):
    assert local_day(instant, pytz.timezone(zone)) == day


@pytest.mark.parametrize(
    ("day", "within"),
    [
        (TODAY, True),
        (FIRST_DAY, True),
        (FIRST_DAY - timedelta(days=1), False),
        (TODAY + timedelta(days=MOST_DAYS), True),
        (TODAY + timedelta(days=MOST_DAYS + 1), False),
        (date.max, False),
        (date.min, False),
    ],
)
def test_days_far_from_today_are_not_entered(day, within):
    assert is_day_within(day, TODAY) is within


@given(st.dates())
def test_the_last_day_that_may_be_entered_is_within(today):
    assert is_day_within(last_day(today), today) or last_day(today) < FIRST_DAY


@pytest.mark.parametrize(
    ("days", "within"),
    [(0, True), (MOST_DAYS, True), (-MOST_DAYS, True), (MOST_DAYS + 1, False)]
    + [(-MOST_DAYS - 1, False), (10_000_000, False)],
)
def test_numbers_of_days_are_bounded_on_both_sides(days, within):
    assert is_number_within(days) is within
