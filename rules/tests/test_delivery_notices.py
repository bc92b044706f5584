"""Reports as mail servers and mail programs really write them."""

from email import message_from_string

import pytest

from rules.delivery_notices import find_failed, says_failed

REPORT = """\
Subject: Report
Content-Type: multipart/report; report-type={kind}; boundary="R"

--R
Content-Type: text/plain

Something about your message.

--R
{part}

--R--
"""
STATUS = """\
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {address}
Action: {action}
Status: 5.1.1
"""
RECEIPT = """\
Content-Type: message/disposition-notification

Final-Recipient: rfc822; a@b.example
Disposition: manual-action/MDN-sent-manually; displayed
"""


def write(part, kind="delivery-status"):
    return message_from_string(REPORT.format(kind=kind, part=part))


def write_status(action, address="A@b.example"):
    return write(STATUS.format(action=action, address=address))


@pytest.mark.parametrize(
    ("action", "failed"),
    [
        ("failed", True),
        ("Failed", True),
        ("failed (no such user)", True),
        ("delayed", False),
        ("delivered", False),
        ("relayed", False),
        ("expanded", False),
    ],
)
def test_notice_of_a_server(action, failed):
    notice = write_status(action)
    assert says_failed(notice) == failed
    assert find_failed(notice) == ({"a@b.example"} if failed else set())


def test_read_receipt():
    assert not says_failed(write(RECEIPT, "disposition-notification"))
    assert not says_failed(write(RECEIPT))
    assert not says_failed(
        write("Content-Type: text/plain\n\nRead.", "disposition-notification")
    )


def test_one_of_two_recipients_failed():
    late = "\nFinal-Recipient: rfc822; c@d.example\nAction: delayed\n"
    part = STATUS.format(action="failed", address="a@b.example") + late
    notice = write(part)
    assert says_failed(notice)
    assert find_failed(notice) == {"a@b.example"}


@pytest.mark.parametrize(
    "source",
    [
        "From: MAILER-DAEMON@mx.example.com\n\nNo such user here.",
        REPORT.format(kind="delivery-status", part="Content-Type: text/plain\n\nNo."),
        "Content-Type: message/delivery-status\n\nno blocks",
    ],
)
def test_what_names_nobody_is_a_return(source):
    message = message_from_string(source)
    assert says_failed(message)
    assert not find_failed(message)
