"""Whether a plan still holds and what its undo gives back, told case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.changes import (
    Premises,
    Stay,
    carry_out,
    find_moved,
    find_moved_since,
    give_back,
    is_as,
)
from rules.reps import KEEP, Reps

ANNA, BRUNO, CARLA = 11, 12, 13
EVERYBODY = {ANNA, BRUNO, CARLA}

PLANNED = Premises(partner=1, company=2, lead_kept=False)


@pytest.mark.parametrize(
    ("now", "at_apply", "at_undo"),
    [
        (PLANNED, None, None),
        (PLANNED._replace(partner=9), Stay.CUSTOMER, Stay.CUSTOMER),
        (PLANNED._replace(company=None), Stay.COMPANY, Stay.COMPANY),
        (PLANNED._replace(in_scope=False), Stay.SCOPE, None),
        (PLANNED._replace(lead_kept=True), Stay.SELLER, None),
    ],
)
def test_every_premise_is_looked_at_again(now, at_apply, at_undo):
    assert find_moved(PLANNED, now) is at_apply
    assert find_moved_since(PLANNED, now) is at_undo


def test_seller_that_is_kept_no_more_is_another_premise_too():
    kept = PLANNED._replace(lead_kept=True)
    assert find_moved(kept, PLANNED) is Stay.SELLER


def test_plan_names_only_what_it_changes():
    current = Reps(ANNA, (ANNA, BRUNO))
    assert is_as(current, Reps(KEEP, (BRUNO, ANNA)))
    assert not is_as(current, Reps(BRUNO, KEEP))
    assert carry_out(current, Reps(CARLA, KEEP)) == Reps(CARLA, (ANNA, BRUNO))
    assert carry_out(current, Reps(KEEP, (CARLA,))) == Reps(ANNA, (CARLA,))
    assert carry_out(current, Reps(None, ())) == Reps(None, ())


OLD, NEW = Reps(ANNA, (ANNA,)), Reps(BRUNO, (BRUNO,))


@pytest.mark.parametrize(
    ("current", "living", "kept", "undo"),
    [
        pytest.param(NEW, EVERYBODY, False, (OLD, True, True, None), id="untouched"),
        pytest.param(
            Reps(CARLA, (BRUNO,)),
            EVERYBODY,
            False,
            (Reps(CARLA, (ANNA,)), False, True, Stay.CHANGED),
            id="lead changed since",
        ),
        pytest.param(
            Reps(BRUNO, (CARLA,)),
            EVERYBODY,
            False,
            (Reps(ANNA, (CARLA,)), True, False, Stay.CHANGED),
            id="members changed since",
        ),
        pytest.param(
            NEW,
            EVERYBODY,
            True,
            (Reps(BRUNO, (ANNA,)), False, True, Stay.SELLER),
            id="seller kept since",
        ),
        pytest.param(
            NEW, {BRUNO}, False, (NEW, False, False, Stay.FORMER_GONE), id="former gone"
        ),
    ],
)
def test_undo_of_a_document_gives_back_value_by_value(current, living, kept, undo):
    assert give_back(current, OLD, NEW, living, keeps_lead=kept) == undo


def test_undo_of_a_value_puts_back_those_who_are_still_there():
    undo = give_back(NEW, Reps(ANNA, (ANNA, CARLA)), NEW, {ANNA})
    assert undo == (Reps(ANNA, (ANNA,)), True, True, None)


def test_undo_of_one_value_leaves_the_other():
    current = Reps(CARLA, (BRUNO,))
    undo = give_back(current, Reps(KEEP, (ANNA,)), Reps(KEEP, (BRUNO,)), EVERYBODY)
    assert undo == (Reps(CARLA, (ANNA,)), False, True, None)


users = st.integers(1, 4)
reps = st.builds(
    Reps, st.none() | users, st.lists(users, max_size=3, unique=True).map(tuple)
)
plans = st.builds(
    Reps,
    st.just(KEEP) | st.none() | users,
    st.just(KEEP) | st.lists(users, max_size=3, unique=True).map(tuple),
)


@given(current=reps, new=plans)
def test_plan_carried_out_is_as_it_was_planned(current, new):
    assert is_as(carry_out(current, new), new)


@given(current=reps, plan=st.tuples(reps, reps), living=st.frozensets(users))
def test_undo_says_why_exactly_where_a_value_stays(current, plan, living):
    old, new = plan
    undo = give_back(current, old, new, living)
    assert (undo.why is None) == (undo.lead and undo.members)
    if not (undo.lead or undo.members):
        assert undo.reps == current
