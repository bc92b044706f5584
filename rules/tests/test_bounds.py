from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.bounds import (
    FIRST_DAY,
    MOST_DAYS,
    is_day_within,
    is_number_within,
    last_day,
    shift,
)

TODAY = date(2026, 3, 9)


@given(st.dates(), st.integers())
def test_no_day_falls_off_the_calendar(day, days):
    shifted = shift(day, days)
    assert (shifted > day) == (days > 0 and day < date.max)
    assert (shifted < day) == (days < 0 and day > date.min)


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
