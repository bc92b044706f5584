"""Errors as ``smtplib`` really raises and Odoo really wraps them."""

import smtplib

import pytest

from rules.smtp_replies import Reply, find_replies

ERRORS = {
    "recipient": (
        smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"5.1.1 No such user")}),
        [Reply(550, "5.1.1 No such user")],
    ),
    "two recipients, one reason": (
        smtplib.SMTPRecipientsRefused(
            {"a@b.example": (554, b"Denied"), "c@d.example": (554, b"Denied")}
        ),
        [Reply(554, "Denied")],
    ),
    "two reasons": (
        smtplib.SMTPRecipientsRefused(
            {"a@b.example": (451, b"Greylisted"), "c@d.example": (550, b"Unknown")}
        ),
        [Reply(451, "Greylisted"), Reply(550, "Unknown")],
    ),
    "sender": (
        smtplib.SMTPSenderRefused(553, b"5.7.1 Not yours", "a@b.example"),
        [Reply(553, "5.7.1 Not yours")],
    ),
    "data, several lines": (
        smtplib.SMTPDataError(552, b"5.2.2 Mailbox\nfull"),
        [Reply(552, "5.2.2 Mailbox full")],
    ),
    "quotes": (
        smtplib.SMTPDataError(550, b'Don\'t "spam" us \\o/'),
        [Reply(550, 'Don\'t "spam" us \\o/')],
    ),
    "another alphabet": (
        smtplib.SMTPDataError(550, "Boîte pleine".encode()),
        [Reply(550, "Boîte pleine")],
    ),
    "no text at all": (smtplib.SMTPDataError(421, b""), [Reply(421, "")]),
    "broken off": (smtplib.SMTPServerDisconnected("Connection closed"), []),
    "unreachable": (ConnectionRefusedError(111, "Connection refused"), []),
}


@pytest.mark.parametrize(("error", "replies"), ERRORS.values(), ids=ERRORS)
def test_replies(error, replies):
    text = f"Mail Delivery Failed\n{error.__class__.__name__}: {error}"
    assert find_replies(text) == replies


def test_nothing_said():
    assert find_replies(None) == []
    assert find_replies("") == []


@pytest.mark.parametrize(
    ("code", "final"), [(421, False), (451, False), (500, True), (554, True)]
)
def test_final(code, final):
    assert Reply(code, "").is_final is final


def test_one_line():
    assert str(Reply(421, "")) == "421"
