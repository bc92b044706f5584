"""Who gets a reminder, among those who could."""

import doctest

import pytest

from rules import auto_replies, recipients, smtp_replies
from rules.recipients import choose


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (("document", "customer", "contact", "company"), "document"),
        ((None, "customer", "contact", "company"), "customer"),
        (("", None, "unreachable", "company"), "company"),
        (("unreachable",), None),
        ((), None),
    ],
)
def test_first_who_can_be_reached(candidates, expected):
    assert choose(candidates, lambda contact: contact != "unreachable") == expected


@pytest.mark.parametrize("module", [auto_replies, recipients, smtp_replies])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0
