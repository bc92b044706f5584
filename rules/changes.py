"""What a planned change still may do to a record, and what its undo gives back.

A plan holds what a record had (``old``) and shall have (``new``), as
:class:`~.reps.Reps` in which :data:`~.reps.KEEP` stands for a value the plan does not
touch; and the :class:`Premises` it was judged by.
"""

from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from .reps import KEEP, Reps, restore, restore_customer


class Stay(Enum):
    """Why a record, or a value of it, stays as it is."""

    GONE = "gone"
    FIELD_GONE = "field_gone"
    UNSEEN = "unseen"
    CUSTOMER = "customer"
    COMPANY = "company"
    SCOPE = "scope"
    SELLER = "seller"
    CHANGED = "changed"
    UNFIT = "unfit"
    FORMER_GONE = "former_gone"
    CLOSED = "closed"
    PARTED = "parted"


class Premises(NamedTuple):
    """What a record was judged by, besides its representatives.

    :param partner: id of a document's customer, of a contact's company, or ``None``
    :param company: id of its company, or ``None``
    :param lead_kept: whether the rule of its type keeps its Salesperson
    :param in_scope: whether it is one of the documents asked for
    """

    partner: int | None = None
    company: int | None = None
    lead_kept: bool = False
    in_scope: bool = True


def find_moved(planned: Premises, now: Premises) -> Stay | None:
    """Return which of the premises no longer holds, ``None`` where all do."""
    if now.partner != planned.partner:
        return Stay.CUSTOMER
    if now.company != planned.company:
        return Stay.COMPANY
    if not now.in_scope:
        return Stay.SCOPE
    if now.lead_kept != planned.lead_kept:
        return Stay.SELLER
    return None


def find_moved_since(planned: Premises, now: Premises) -> Stay | None:
    """Return which premise of a change that was done no longer holds for its undo.

    A document that closed or became an order since is given back all the same; only
    its Salesperson may be kept, see :func:`give_back`.
    """
    if now.partner != planned.partner:
        return Stay.CUSTOMER
    return Stay.COMPANY if now.company != planned.company else None


def is_as(current: Reps, planned: Reps) -> bool:
    """Tell whether a record has the values that a plan names."""
    return _has_lead(current, planned) and _has_members(current, planned)


def carry_out(current: Reps, new: Reps) -> Reps:
    """Return ``current`` with the values that a plan names."""
    return Reps(
        current.lead if new.lead is KEEP else new.lead,
        current.members if new.members is KEEP else new.members,
    )


class Undo(NamedTuple):
    """What an undo makes of one record.

    :param reps: what it shall have
    :param lead: whether the plan's Salesperson is given back
    :param members: whether the plan's representatives are given back
    :param why: why a value of the plan stays; ``None`` where all are given back
    """

    reps: Reps
    lead: bool
    members: bool
    why: Stay | None


def give_back(
    current: Reps,
    old: Reps,
    new: Reps,
    living: Collection[int],
    is_customer: bool = False,
    keeps_lead: bool = False,
) -> Undo:
    """Undo ``old → new`` on a record, value by value.

    :param living: users who still exist and are internal; others are not put back
    :param is_customer: whether what is left must have a lead among its members
    :param keeps_lead: whether the Salesperson may no longer be changed
    """
    same_lead = _has_lead(current, new)
    same_members = _has_members(current, new)
    old_members = old.members
    if old_members is not KEEP:
        old_members = tuple(user for user in old_members if user in living)
    lead_gone = old.lead is not KEEP and old.lead is not None and old.lead not in living
    members_gone = old_members is not KEEP and bool(old.members) and not old_members
    lead = new.lead is not KEEP and same_lead and not lead_gone and not keeps_lead
    members = new.members is not KEEP and same_members and not members_gone
    why = None
    if not (same_lead and same_members):
        why = Stay.CHANGED
    elif new.lead is not KEEP and keeps_lead:
        why = Stay.SELLER
    elif lead_gone or members_gone:
        why = Stay.FORMER_GONE
    # a value that stays counts as changed since, so that the rule leaves it
    taken = Reps(
        new.lead if lead else current.lead if new.lead is KEEP else 0,
        new.members if members else current.members if new.members is KEEP else (0,),
    )
    back = Reps(
        old.lead if lead else current.lead, old_members if members else current.members
    )
    apply_rule = restore_customer if is_customer else restore
    return Undo(apply_rule(current, back, taken), lead, members, why)


def _has_lead(current: Reps, planned: Reps) -> bool:
    return planned.lead is KEEP or current.lead == planned.lead


def _has_members(current: Reps, planned: Reps) -> bool:
    return planned.members is KEEP or set(current.members) == set(planned.members)
