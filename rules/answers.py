"""Which answer of a customer nobody has handled yet.

A database and its servers have clocks of their own, and a transaction shows the time
at which it began. Hence messages are told apart by their ids first, and by time with
slack: better a reminder too few.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

#: a message that was being received while the document was sent counts as later
SLACK = timedelta(minutes=1)


class Answer(NamedTuple):
    """A message of the customer.

    :param id: later messages have higher ones
    :param at: when it was received, naive UTC
    """

    id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """When a document and its customer last met. Instants are naive UTC.

    :param seen: id of the last message that was known then
    :param seen_at: when somebody last handled the answers: by sending the document,
        reminding of it or *Resume*
    :param sent_at: when the customer last got the document
    :param reminded_at: when the last reminder was made, and when it was done: by two
        clocks, the earlier one counts
    """

    seen: int = 0
    seen_at: datetime | None = None
    sent_at: datetime | None = None
    reminded_at: tuple[datetime, ...] = ()


def open_answer(answers: Iterable[Answer], contact: Contact) -> Answer | None:
    """Return the last answer that nobody has handled, ``None`` where there is none.

    It is one that came after the last message that was known. Such a message may have
    been imported: then it was written before the document was last sent, reminded of or
    resumed, and is no answer.
    """
    last = _last_contact(contact)
    later = (
        answer
        for answer in answers
        if answer.id > contact.seen and (last is None or last - answer.at <= SLACK)
    )
    # the last one: whoever overrules an answer has read no later one
    return max(later, default=None)


def _last_contact(contact: Contact) -> datetime | None:
    reminded = min(contact.reminded_at, default=None)
    sent = max(filter(None, (contact.sent_at, reminded)), default=None)
    return min(filter(None, (sent, contact.seen_at)), default=None)
