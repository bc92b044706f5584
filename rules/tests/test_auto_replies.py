"""Headers as mail programs really write them."""

from email.message import EmailMessage

import pytest

from rules.auto_replies import is_auto_reply

MACHINES = {
    "Gmail's vacation responder": {
        "Auto-Submitted": "auto-replied",
        "Precedence": "bulk",
        "X-Autoreply": "yes",
    },
    "Exchange": {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    "sieve's vacation": {"Auto-Submitted": "auto-replied (vacation)"},
    "a parameter follows": {
        "auto-submitted": 'Auto-Replied; owner-email="a@b.example"'
    },
    "notified": {"AUTO-SUBMITTED": " auto-notified "},
    "cPanel": {"X-Autorespond": "Re: your quotation", "Precedence": "auto_reply"},
    "a responder of its own": {"X-Autoresponder": "1"},
    "only a precedence": {"Precedence": "Junk"},
    "a null path, as RFC 3834 asks for": {"Return-Path": "<>"},
}

PEOPLE = {
    "no header at all": {},
    "said to be no machine": {"Auto-Submitted": "No"},
    "said so with a comment": {"Auto-Submitted": "no (really)"},
    "an empty header": {"Auto-Submitted": ""},
    "a mailing list of colleagues": {
        "Precedence": "list",
        "List-Id": "<sales.example>",
    },
    "a reply written in Odoo": {"X-Auto-Response-Suppress": "OOF"},
    "a path": {"Return-Path": "<customer@example.com>"},
    "a subject that looks like one": {"Subject": "Automatic reply: your quotation"},
}


@pytest.mark.parametrize("headers", MACHINES.values(), ids=MACHINES)
def test_machine(headers):
    assert is_auto_reply(headers)


@pytest.mark.parametrize("headers", PEOPLE.values(), ids=PEOPLE)
def test_person(headers):
    assert not is_auto_reply(headers)


def test_any_of_several_headers_counts():
    message = EmailMessage()
    message["Precedence"] = "bulk"
    message["Precedence"] = "list"
    assert is_auto_reply(message)
