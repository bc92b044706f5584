"""What a customer owes, and how what they have with us goes to what is due."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.debts import Debt, owed, spread


def march(day):
    return date(2026, 3, day)


INSTALMENTS = [(march(20), 300), (march(10), 200), (march(30), 600)]


@pytest.mark.parametrize(
    ("instalments", "today", "debt"),
    [
        pytest.param([], 15, None, id="nothing"),
        pytest.param(INSTALMENTS, 15, (10, 200, 1100), id="one is due"),
        pytest.param(INSTALMENTS, 20, (10, 500, 1100), id="the second falls due"),
        pytest.param(INSTALMENTS, 31, (10, 1100, 1100), id="all are due"),
        pytest.param(INSTALMENTS, 1, (10, 200, 1100), id="none is: the first"),
        pytest.param(
            [*INSTALMENTS, (march(10), 50)], 1, (10, 250, 1150), id="two in a day"
        ),
    ],
)
def test_what_is_owed(instalments, today, debt):
    if debt:
        debt = Debt(march(debt[0]), *debt[1:])
    assert owed(instalments, march(today)) == debt


@pytest.mark.parametrize(
    ("credit", "claims", "covered"),
    [
        pytest.param([], {"a": 100}, "", id="none"),
        pytest.param([100], {"a": 100}, "a", id="all of it"),
        pytest.param([99.99], {"a": 100}, "", id="a cent is missing"),
        pytest.param([60, 40], {"a": 100}, "a", id="together"),
        pytest.param([100], {"a": 100, "b": 100}, "a", id="the oldest first"),
        pytest.param([80], {"a": 50, "b": 80}, "b", id="of exactly that amount"),
        pytest.param([120], {"a": 150, "b": 80}, "b", id="too big is passed over"),
        pytest.param([80, 50], {"a": 50, "b": 80, "c": 1}, "ab", id="each its own"),
        pytest.param([100], {"a": 0, "b": 30, "c": 60}, "bc", id="nothing is due"),
        pytest.param([-20, 10], {"a": 10}, "a", id="a debt is no credit"),
        pytest.param([0.1, 0.2], {"a": 0.3}, "a", id="as computers count"),
    ],
)
def test_credit_covers(credit, claims, covered):
    assert spread(credit, claims) == set(covered)


amounts = st.integers(0, 500)


@given(st.lists(amounts, max_size=5), st.lists(amounts, max_size=6))
def test_no_coin_covers_twice(credit, claims):
    covered = spread(credit, dict(enumerate(claims)))
    assert sum(claims[number] for number in covered) <= sum(credit)


@given(st.lists(amounts, max_size=5), st.lists(amounts, max_size=6))
def test_what_all_of_it_pays_for_is_covered_whole(credit, claims):
    covered = spread(credit, dict(enumerate(claims)))
    if sum(claims) <= sum(credit):
        assert covered == {number for number, claim in enumerate(claims) if claim}
