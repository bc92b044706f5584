"""A user's days, in every zone whose clocks do something odd."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.periods import day_start_utc, days_utc, local_day

#: the two families of zones there are; Odoo hands out the first
FAMILIES = {"pytz": pytz.timezone, "zoneinfo": ZoneInfo}

# Each one leaves its days in one piece: clocks that go back over midnight (St. John's
# until 2011) make a day of two pieces, which no range can cover.
ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Atlantic/Azores",
    "America/Havana",
    "America/Nuuk",
    "Australia/Lord_Howe",
]


@pytest.fixture(params=FAMILIES, name="zone_named")
def _zone_named(request):
    return FAMILIES[request.param]


def test_both_days_are_included(zone_named):
    start, end = days_utc(date(2026, 3, 2), date(2026, 3, 4), zone_named("UTC"))
    assert start == datetime(2026, 3, 2)
    assert end == datetime(2026, 3, 5)


def test_one_day_is_a_period(zone_named):
    zone = zone_named("Europe/Paris")
    assert days_utc(date(2026, 1, 15), date(2026, 1, 15), zone) == (
        datetime(2026, 1, 14, 23),
        datetime(2026, 1, 15, 23),
    )


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (None, None)),
        (date(2026, 1, 15), None, (datetime(2026, 1, 14, 23), None)),
        (None, date(2026, 1, 15), (None, datetime(2026, 1, 15, 23))),
    ],
)
def test_side_without_a_day_is_open(zone_named, first, last, expected):
    assert days_utc(first, last, zone_named("Europe/Paris")) == expected


def test_last_day_there_is_leaves_its_side_open(zone_named):
    zone = zone_named("Europe/Paris")
    assert days_utc(None, date(9999, 12, 31), zone) == (None, None)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("UTC", datetime(2026, 7, 1)),
        ("Europe/Paris", datetime(2026, 6, 30, 22)),
        ("America/New_York", datetime(2026, 7, 1, 4)),
        ("Asia/Kolkata", datetime(2026, 6, 30, 18, 30)),
        ("Pacific/Kiritimati", datetime(2026, 6, 30, 10)),
        ("Pacific/Pago_Pago", datetime(2026, 7, 1, 11)),
    ],
)
def test_day_starts_at_the_users_midnight(zone_named, name, start):
    assert day_start_utc(date(2026, 7, 1), zone_named(name)) == start


def test_days_before_standard_time_start_at_midnight_too():
    # a pytz zone put straight into a datetime means local mean time (+0:09 in Paris)
    zone = pytz.timezone("Europe/Paris")
    assert day_start_utc(date(2026, 1, 1), zone) == datetime(2025, 12, 31, 23)


def test_zone_of_a_fixed_offset_is_a_zone():
    day, start = date(2026, 7, 1), datetime(2026, 6, 30, 18, 30)
    assert day_start_utc(day, timezone(timedelta(minutes=330))) == start
    assert day_start_utc(day, pytz.FixedOffset(330)) == start


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        pytest.param("Europe/Paris", date(2026, 3, 29), 23, id="Paris, forward"),
        pytest.param("Europe/Paris", date(2026, 10, 25), 25, id="Paris, back"),
        pytest.param("America/New_York", date(2026, 3, 8), 23, id="NY, forward"),
        pytest.param("America/New_York", date(2026, 11, 1), 25, id="NY, back"),
        pytest.param(
            "Australia/Lord_Howe", date(2026, 10, 4), 23.5, id="half an hour forward"
        ),
        pytest.param(
            "Australia/Lord_Howe", date(2026, 4, 5), 24.5, id="half an hour back"
        ),
        pytest.param(
            "America/Sao_Paulo", date(2018, 11, 4), 23, id="midnight does not exist"
        ),
        pytest.param(
            "America/Sao_Paulo", date(2018, 2, 17), 25, id="back to the day before"
        ),
        pytest.param("Asia/Beirut", date(2024, 3, 31), 23, id="Beirut, no midnight"),
        pytest.param("Asia/Beirut", date(2024, 10, 26), 25, id="Beirut, back"),
        pytest.param("Atlantic/Azores", date(2024, 10, 27), 25, id="midnight twice"),
        pytest.param("America/Havana", date(2024, 11, 3), 25, id="Havana, twice"),
        pytest.param("Pacific/Apia", date(2011, 12, 29), 24, id="before no day"),
        pytest.param("Pacific/Apia", date(2011, 12, 30), 0, id="no such day"),
        pytest.param("Pacific/Apia", date(2011, 12, 31), 24, id="after no day"),
    ],
)
def test_day_is_as_long_as_the_clocks_make_it(zone_named, name, day, hours):
    start, end = days_utc(day, day, zone_named(name))
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "day", "start"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3)),
        ("Asia/Beirut", date(2024, 3, 31), datetime(2024, 3, 30, 22)),
        ("America/Havana", date(2024, 3, 10), datetime(2024, 3, 10, 5)),
    ],
)
def test_day_whose_midnight_does_not_exist_starts_with_its_first_hour(
    zone_named, name, day, start
):
    assert day_start_utc(day, zone_named(name)) == start


@pytest.mark.parametrize(
    ("name", "day", "start"),
    [
        ("Atlantic/Azores", date(2024, 10, 27), datetime(2024, 10, 27)),
        ("America/Havana", date(2024, 11, 3), datetime(2024, 11, 3, 4)),
    ],
)
def test_day_with_two_midnights_starts_at_the_first(zone_named, name, day, start):
    assert day_start_utc(day, zone_named(name)) == start


days = st.dates(date(2012, 1, 1), date(2037, 12, 31))


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=60, derandomize=True, database=None, deadline=None)
@given(first=days, length=st.integers(0, 400), family=st.sampled_from([*FAMILIES]))
def test_period_covers_exactly_the_instants_of_its_days(name, first, length, family):
    zone = FAMILIES[family](name)
    last = first + timedelta(days=length)
    start, end = days_utc(first, last, zone)

    def day_of(instant):
        return instant.replace(tzinfo=timezone.utc).astimezone(zone).date()

    tick = timedelta(microseconds=1)
    assert day_of(start - tick) < first == day_of(start)
    assert day_of(end - tick) == last < day_of(end)


@pytest.mark.parametrize("name", ZONES)
def test_days_follow_each_other_without_gap_or_overlap_in_both_families(name):
    a_year = [date(2018, 1, 1) + timedelta(days=number) for number in range(366)]
    old, new = (zone_named(name) for zone_named in FAMILIES.values())
    for day in a_year:
        start, end = days_utc(day, day, old)
        assert (start, end) == days_utc(day, day, new)
        assert start < end == day_start_utc(day + timedelta(days=1), old)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("instant", [datetime.max, datetime.min])
def test_last_day_there_is_has_a_day_everywhere(zone_named, name, instant):
    day = local_day(instant, zone_named(name))
    assert abs((day - instant.date()).days) <= 1


def test_day_of_an_instant_is_the_zones(zone_named):
    evening = datetime(2026, 3, 2, 20)
    assert local_day(evening, zone_named("Asia/Kolkata")) == date(2026, 3, 3)
    assert local_day(evening, zone_named("America/New_York")) == date(2026, 3, 2)
