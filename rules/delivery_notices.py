"""What a report about an e-mail says: returned for good, late, delivered, read."""

from email.message import Message


def says_failed(message: Message) -> bool:
    """Tell whether a report says that an e-mail did not arrive.

    A read receipt (RFC 8098) says that it did; a notice may say that it is late, was
    passed on or was delivered (RFC 3464). A report that tells nothing of the kind is
    what most servers send when they return an e-mail.
    """
    actions = set()
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/disposition-notification":
            return False
        if (
            kind == "multipart/report"
            and part.get_param("report-type") == "disposition-notification"
        ):
            return False
        if kind == "message/delivery-status":
            actions |= {_read(block, "Action") for block in _get_blocks(part)} - {""}
    return not actions or "failed" in actions


def find_failed(message: Message) -> set[str]:
    """Return the addresses that a report says an e-mail did not reach, in small
    letters; none where it does not name any."""
    return {
        _read(block, "Final-Recipient").rpartition(";")[2].strip()
        for part in message.walk()
        if part.get_content_type() == "message/delivery-status"
        for block in _get_blocks(part)
        if _read(block, "Action") == "failed"
    } - {""}


def _get_blocks(part: Message) -> list[Message]:
    """Return what a report says of the e-mail and of each of its recipients."""
    payload = part.get_payload()
    return payload if isinstance(payload, list) else []


def _read(block: Message, name: str) -> str:
    """Return the value of a header in small letters, without comments at its end."""
    return str(block.get(name) or "").partition("(")[0].strip().lower()
