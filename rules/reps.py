"""Arithmetic of representatives: who follows a record, and who leads.

Users are plain ids. ``members`` lists them longest in place first, so that "the
next one" always means the one who has been there the longest.
"""

from collections.abc import Collection, Iterable
from enum import Enum
from typing import NamedTuple


class Keep(Enum):
    """Stands for a value that a write does not mention (``None`` means "nobody")."""

    KEEP = "keep"


KEEP = Keep.KEEP


class Reps(NamedTuple):
    """Who follows one record.

    :param lead: id of the Salesperson, or ``None``
    :param members: ids of all representatives, longest in place first

    The lead of a customer is one of its members, where it has any, else nobody. A
    document may have a lead who is none of its representatives, for a seller is not
    always a follower.
    """

    lead: int | None = None
    members: tuple[int, ...] = ()

    def same_people(self, other: "Reps") -> bool:
        """Tell whether lead and members are the same, in whatever order."""
        return self.lead == other.lead and set(self.members) == set(other.members)

    def changes(self, before: "Reps") -> tuple:
        """Return (lead, members), with :data:`KEEP` for what is the same ``before``."""
        return (
            KEEP if self.lead == before.lead else self.lead,
            KEEP if set(self.members) == set(before.members) else self.members,
        )

    def __contains__(self, user: int) -> bool:
        return user == self.lead or user in self.members


NOBODY = Reps()


def _unique(users: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(users))


def _led(members: tuple[int, ...], lead: int | None, named: Iterable[int] = ()) -> Reps:
    """Return ``members`` with a lead: ``lead`` if a member, else the one named first,
    else the longest in place."""
    if lead not in members:
        lead = next((user for user in named if user in members), None)
    return Reps(lead if lead is not None else next(iter(members), None), members)


# --- what happens to a customer ---------------------------------------------------


def write(
    old: Reps,
    lead: int | None | Keep = KEEP,
    members: Iterable[int] | Keep = KEEP,
    named: Iterable[int] = (),
) -> Reps:
    """Apply a write of the Salesperson, of the representatives, or of both.

    :param old: who follows the customer now
    :param lead: the new Salesperson, ``None`` to clear it, :data:`KEEP` if not written
    :param members: the new representatives, :data:`KEEP` if not written
    :param named: the users the write names, in its order; the first of them leads
        where a lead is wanting
    """
    if members is not KEEP:
        members = _unique(members)
        if lead is KEEP:
            return _led(members, old.lead, named)
        if lead is not None and lead not in members:
            members += (lead,)
        return _led(members, lead, named)
    if lead is KEEP or lead == old.lead:
        return old
    if lead is None:
        return unassign(old, [old.lead])
    if lead in old.members:
        return Reps(lead, old.members)
    return replace(old, old.lead, lead) if old.members else Reps(lead, (lead,))


def assign(old: Reps, users: Iterable[int], lead: int | None = None) -> Reps:
    """Add ``users``; ``lead``, when given, is added too and leads. Never removes."""
    users = _unique(users)
    added = _unique([*old.members, *users, *([lead] if lead is not None else [])])
    return _led(added, old.lead if lead is None else lead, users)


def unassign(old: Reps, users: Iterable[int], lead: int | None = None) -> Reps:
    """Remove ``users``; ``lead`` takes over if among those who stay, else the longest
    in place where the lead left."""
    gone = set(users)
    rest = tuple(user for user in old.members if user not in gone)
    if rest == old.members:
        return old
    return _led(rest, lead if lead in rest else old.lead)


def replace(old: Reps, leaver: int, joiner: int, lead: int | None = None) -> Reps:
    """Put ``joiner`` where ``leaver`` is; nothing happens where ``leaver`` is not.

    ``lead`` takes over if among the representatives afterwards, else ``joiner`` where
    the lead left.
    """
    if leaver not in old or leaver == joiner:
        return old
    members = _unique(
        [*(user for user in old.members if user != leaver), joiner],
    )
    if lead not in members:
        lead = joiner if old.lead == leaver else old.lead
    return _led(members, lead)


def clear(old: Reps) -> Reps:
    """Remove everybody."""
    return NOBODY


# --- what happens to a document ---------------------------------------------------


class Finding(Enum):
    """What a propagation finds about one document: whether it changes, else why not."""

    CHANGE = "change"
    RIGHT = "right"
    NO_REP = "no_rep"
    NOT_PERMITTED = "not_permitted"
    NOT_CONCERNED = "not_concerned"


class Slots(NamedTuple):
    """Which of a document's two fields a change may write."""

    lead: bool = True
    members: bool = True


class Outcome(NamedTuple):
    """What a propagation makes of one document: ``new`` is what it shall have."""

    finding: Finding
    new: Reps


def on_document(customer: Reps, permitted: Collection[int]) -> Reps:
    """Return who of a customer's representatives goes onto a document.

    :param permitted: the active internal users of the document's company
    """
    members = tuple(user for user in customer.members if user in permitted)
    return _led(members, customer.lead)


def _settle(document: Reps, wanted: Reps, slots: Slots) -> Outcome:
    new = Reps(
        wanted.lead if slots.lead else document.lead,
        wanted.members if slots.members else document.members,
    )
    if new.same_people(document):
        return Outcome(Finding.RIGHT, document)
    return Outcome(Finding.CHANGE, new)


def align(
    document: Reps,
    customer: Reps,
    permitted: Collection[int],
    slots: Slots,
    active: Collection[int] | None = None,
) -> Outcome:
    """Bring a customer's representatives onto its document.

    :param permitted: the active internal users of the document's company
    :param active: those of any company, to tell "nobody" from "nobody of this company"

    A customer whom nobody follows leaves its documents alone: emptying the
    Salesperson of a history of documents is never what "align" was meant for.
    """
    members = set(customer.members)
    if not members or (active is not None and members.isdisjoint(active)):
        return Outcome(Finding.NO_REP, document)
    wanted = on_document(customer, permitted)
    if not wanted.members:
        return Outcome(Finding.NOT_PERMITTED, document)
    return _settle(document, wanted, slots)


def replace_on_document(
    document: Reps,
    leaver: int,
    joiner: int,
    permitted: Collection[int],
    slots: Slots,
) -> Outcome:
    """Put ``joiner`` wherever ``leaver`` stands on a document and may be replaced."""
    leads = document.lead == leaver and slots.lead
    follows = leaver in document.members and slots.members
    if not (leads or follows):
        finding = Finding.RIGHT if leaver in document else Finding.NOT_CONCERNED
        return Outcome(finding, document)
    if joiner not in permitted:
        return Outcome(Finding.NOT_PERMITTED, document)
    members = [user for user in document.members if user != leaver]
    wanted = Reps(
        joiner if leads else document.lead,
        _unique([*members, joiner]) if follows else document.members,
    )
    return _settle(document, wanted, slots)


# --- journal and undo -------------------------------------------------------------


def restore(current: Reps, old: Reps, new: Reps) -> Reps:
    """Undo ``old → new`` value by value, leaving what somebody changed since.

    Lead and members are judged each on its own. The answer is what is asked for:
    a customer's own write rules may still have to make it coherent.
    """
    return Reps(
        old.lead if current.lead == new.lead else current.lead,
        old.members if set(current.members) == set(new.members) else current.members,
    )


def restore_customer(current: Reps, old: Reps, new: Reps) -> Reps:
    """Undo ``old → new`` on a customer; what is left of it stays coherent.

    Where only one of the two values can be restored, it is written as anybody would
    write it: a lead whom somebody chose since stays, and stays a member.
    """
    lead = old.lead if current.lead == new.lead else KEEP
    if set(current.members) != set(new.members):
        return write(current, lead)
    return write(current, current.lead if lead is KEEP else lead, old.members)
