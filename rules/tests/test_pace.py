from hypothesis import given
from hypothesis import strategies as st

from rules.pace import GROWTH, TARGET, Pace, is_time_to_end

sizes = st.integers(1, 1000)
seconds = st.floats(0, 1000)


@given(sizes, sizes, st.lists(st.tuples(st.integers(0, 1000), seconds)))
def test_a_step_is_never_empty_nor_too_large(size, most, steps):
    pace = Pace(size, most)
    for count, time in steps:
        pace.took(count, time)
        assert 1 <= pace.size <= most
        pace.conflicted()
        assert 1 <= pace.size <= most


@given(sizes, st.floats(0.001, 10))
def test_steps_come_to_take_as_long_as_they_should(size, each):
    pace = Pace(size, 10**9)
    for _step in range(30):
        pace.took(pace.size, pace.size * each)
    assert pace.size == 1 or pace.size * each <= TARGET * (1 + 1e-6)
    assert (pace.size + 2) * each >= TARGET * (1 - 1e-6)


def test_steps_grow_slowly_and_shrink_at_once():
    pace = Pace(10, 500)
    pace.took(10, 0.001)
    assert pace.size == 10 * GROWTH
    pace.took(40, 60)
    assert pace.size == 1


def test_conflicts_shrink_to_one():
    pace = Pace(50, 50)
    for _time in range(10):
        pace.conflicted()
    assert pace.size == 1


def test_a_step_that_did_nothing_teaches_nothing():
    pace = Pace(7, 50)
    pace.took(0, 100)
    assert pace.size == 7


def test_a_job_ends_itself_before_it_is_killed():
    assert not is_time_to_end(10, 120)
    assert is_time_to_end(60, 120)
    assert not is_time_to_end(10**6, 0)
