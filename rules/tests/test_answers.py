"""Which answer holds reminders back, told case by case and searched."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.answers import SLACK, Answer, Contact, open_answer


def at(day, hour=12, minute=0):
    return datetime(2026, 3, day, hour, minute)


REMINDED = Contact(seen=10, seen_at=at(5), sent_at=at(1), reminded_at=(at(5), at(5)))


@pytest.mark.parametrize(
    ("answers", "contact", "expected"),
    [
        pytest.param([], REMINDED, None, id="none"),
        pytest.param([Answer(11, at(6))], REMINDED, 11, id="after the reminder"),
        pytest.param([Answer(10, at(6))], REMINDED, None, id="known"),
        pytest.param([Answer(9, at(6))], REMINDED, None, id="before what is known"),
        pytest.param([Answer(11, at(4))], REMINDED, None, id="imported later"),
        pytest.param([Answer(11, at(5))], REMINDED, 11, id="in that very instant"),
        pytest.param([Answer(11, at(5) - SLACK)], REMINDED, 11, id="being received"),
        pytest.param(
            [Answer(12, at(6)), Answer(11, at(7))], REMINDED, 12, id="the last one"
        ),
        pytest.param([Answer(1, at(1))], Contact(), 1, id="never met"),
        pytest.param(
            [Answer(11, at(4))],
            Contact(seen=10, seen_at=at(5), sent_at=at(1), reminded_at=(at(5), at(3))),
            11,
            id="a reminder of yesterday, logged today: the earlier clock counts",
        ),
        pytest.param(
            [Answer(11, at(4))],
            Contact(seen=10, seen_at=at(5), sent_at=at(6), reminded_at=(at(2), at(2))),
            None,
            id="sent since",
        ),
        pytest.param(
            [Answer(11, at(4))],
            Contact(seen=10, seen_at=at(3), sent_at=at(6), reminded_at=()),
            11,
            id="handled before it was sent, by a clock that is behind",
        ),
        pytest.param(
            [Answer(1, datetime.min)],
            Contact(seen_at=datetime.min),
            1,
            id="where the calendar begins",
        ),
    ],
)
def test_answer_is_open(answers, contact, expected):
    answer = open_answer(answers, contact)
    assert (answer and answer.id) == expected


hours = st.integers(0, 48).map(lambda hour: at(1, 0) + timedelta(hours=hour))
answers = st.lists(st.builds(Answer, st.integers(1, 20), hours), max_size=5)
contacts = st.builds(
    Contact,
    seen=st.integers(0, 20),
    seen_at=st.none() | hours,
    sent_at=st.none() | hours,
    reminded_at=st.just(()) | st.tuples(hours, hours),
)


@given(answers, contacts)
def test_handled_answers_never_come_back(answers, contact):
    seen = max((answer.id for answer in answers), default=0)
    handled = Contact(max(seen, contact.seen), contact.seen_at, contact.sent_at)
    assert open_answer(answers, handled) is None


@given(answers, contacts, st.integers(21, 30))
def test_message_after_every_clock_is_always_an_answer(answers, contact, number):
    late = Answer(number, at(4))
    assert open_answer([*answers, late], contact) == late
