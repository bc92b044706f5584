"""The one verdict: would this document be sent this level, why not, and when.

Everybody asks here: the automatic run before it sends, bulk reminders for each line,
the dialog for its warning, *Would it be sent?* and the forecast. They differ only in
their :class:`Mode`, which says whom the reasons concern.

Whoever asks brings facts. Days are those of the document's company; instants are
naive UTC, for an answer and a reminder may meet on one day. A company's "today" is a
fact like any other.

Each reason stands or falls by itself, and once a date has lifted it, it stays lifted.
Hence the next date is the latest of theirs, moved on to a business day.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

from .cadence import (
    DUE_DATE,
    PREVIOUS,
    Level,
    Series,
    business_day_from,
    own_day,
    shift,
    spaced_day,
)

# --- facts ------------------------------------------------------------------------


class Standing(Enum):
    """How far a document has come; each excludes the others."""

    #: its type says to chase it now
    CHASED = "chased"
    #: open, but never given to the customer
    DRAFT = "draft"
    #: open, but not, or no longer, to be chased
    NOT_CHASED = "not_chased"
    #: not open: won, lost, paid, cancelled
    CLOSED = "closed"


class Address(Enum):
    """What the e-mail address of a document's recipient is worth."""

    USABLE = "usable"
    MISSING = "missing"
    INVALID = "invalid"
    #: all who have an address are archived
    ARCHIVED = "archived"
    BLACKLISTED = "blacklisted"
    BOUNCING = "bouncing"


@dataclass(frozen=True, slots=True)
class Document:
    """What a verdict has to know of one document.

    :param amount: in company currency
    :param payable_on: the day from which payment is due, ``None`` where none is asked
    :param delivery_on: the day for which we promised delivery
    :param waits_for_us: the customer has nothing to confirm or to pay
    :param credit: what the customer has with us in open credit notes and payments,
        where that covers what is due; in company currency
    :param planned_on: the day on which somebody planned to get back to the customer
    :param excluded: marked "Do not remind automatically"
    :param paused_until: the day its reminders start again
    :param answered_at: when the customer last answered, if nobody has handled it since;
        see :mod:`rules.answers`
    :param objections: what other addons have against a reminder, in sentences
    :param sent: the levels sent in this cycle, by whomever, with the day of each (the
        last one, where a person sent a level again)
    :param failed: the levels given up in this cycle, after a failure for good
    """

    document_date: date
    due_date: date | None = None
    amount: float = 0.0
    payable_on: date | None = None
    delivery_on: date | None = None
    waits_for_us: bool = False
    credit: float = 0.0
    planned_on: date | None = None
    standing: Standing = Standing.CHASED
    address: Address = Address.USABLE
    excluded: bool = False
    paused_until: date | None = None
    answered_at: datetime | None = None
    objections: tuple[str, ...] = ()
    sent: Mapping[int, date] = field(default_factory=dict)
    failed: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """What a verdict has to know of the document's customer.

    :param excluded: marked "Do not remind automatically"
    :param paused_until: the day reminders start again
    :param reminded_on: the day of the last e-mail or letter reminder about any
        document
    """

    excluded: bool = False
    paused_until: date | None = None
    reminded_on: date | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the document's company decided.

    :param automatic: the kill switch; ``False`` stops everything automatic
    :param min_days: days between two reminders to one customer; 0 for no minimum
    :param is_business_day: tells the days on which to send; ``None`` for any day
    :param conflict: whether another dunning addon chases this kind of document
    """

    automatic: bool = True
    min_days: int = 0
    is_business_day: Callable[[date], bool] | None = None
    conflict: bool = False


class Mode(Enum):
    """Who wants to send.

    Automatically, the series alone says when, and every reason counts. A person chooses
    the level and the day, so switches are not theirs to hear; they hear the stops, and
    whether it is too early (:data:`EARLY`), and may overrule all but the hard ones. The
    last level of a series may be repeated in bulk, as nothing comes after it, but not
    twice in a day.
    """

    AUTOMATIC = "automatic"
    BULK = "bulk"
    MANUAL = "manual"


# --- answers ----------------------------------------------------------------------


class Code(Enum):
    """Why something is not sent, in the order in which it is told.

    Behind each code, what its :class:`Reason` carries.
    """

    NOT_JUDGED = "not_judged"  # hard; text: what went wrong
    # the document and its recipient
    NOT_OPEN = "not_open"  # hard
    NOT_SENT_YET = "not_sent_yet"  # a draft
    NOT_CHASED = "not_chased"
    NO_ADDRESS = "no_address"  # hard; this and the next four for e-mail only
    INVALID_ADDRESS = "invalid_address"
    ARCHIVED_ADDRESS = "archived_address"
    BLACKLISTED = "blacklisted"
    BOUNCING = "bouncing"
    DOCUMENT_EXCLUDED = "document_excluded"
    DOCUMENT_PAUSED = "document_paused"  # until
    ANSWERED = "answered"  # at
    OBJECTION = "objection"  # text: of another addon
    COVERED = "covered"  # amount: of the customer's open credit
    # people only: too early
    PAYMENT_NOT_DUE = "payment_not_due"  # until
    DELIVERY_TO_COME = "delivery_to_come"  # until
    WAITS_FOR_US = "waits_for_us"
    PLANNED = "planned"  # until
    # the customer and the company's calendar
    CUSTOMER_EXCLUDED = "customer_excluded"
    CUSTOMER_PAUSED = "customer_paused"  # until
    TOO_SOON = "too_soon"  # day of the last reminder, until
    NOT_BUSINESS_DAY = "not_business_day"  # until
    # once per level
    ALREADY_SENT = "already_sent"  # day; until, where it may be repeated
    # automatic only: switches
    SWITCHED_OFF = "switched_off"
    DUNNING_CONFLICT = "dunning_conflict"
    NOT_AUTOMATIC = "not_automatic"
    INCOMPLETE = "incomplete"
    # automatic only: the level's turn
    FAILED = "failed"
    BELOW_MINIMUM = "below_minimum"  # amount: the minimum
    NO_DUE_DATE = "no_due_date"
    NO_PREVIOUS = "no_previous"
    BEFORE_ACTIVE_FROM = "before_active_from"  # day of the level, since: active from
    PASSED = "passed"  # template: the later level, day it was sent
    WAITING = "waiting"  # template: the level that goes first
    # whoever sends
    NOT_DUE = "not_due"  # until: the day of the level


#: what even a person cannot overrule
HARD = frozenset({Code.NOT_JUDGED, Code.NOT_OPEN, Code.NO_ADDRESS})

#: what tells a person that it is too early
EARLY = frozenset(
    {
        Code.PAYMENT_NOT_DUE,
        Code.DELIVERY_TO_COME,
        Code.WAITS_FOR_US,
        Code.PLANNED,
        Code.NOT_DUE,
    }
)

#: there is no e-mail to send: no rule stops it, it fails
UNREACHABLE = frozenset({Code.NO_ADDRESS, Code.INVALID_ADDRESS, Code.ARCHIVED_ADDRESS})


class Reason(NamedTuple):
    """One reason not to send; :class:`Code` tells which details come with which.

    :param until: the first day on which this reason no longer speaks; ``None`` if
        waiting does not help
    """

    code: Code
    until: date | None = None
    day: date | None = None
    since: date | None = None
    at: datetime | None = None
    template: int | None = None
    amount: float | None = None
    text: str | None = None

    @property
    def hard(self) -> bool:
        """Tell whether not even a person can overrule it."""
        return self.code in HARD

    @property
    def key(self) -> str:
        """Return one line that identifies this reason: dialogs keep a line for each."""
        details = ("" if detail is None else str(detail) for detail in self[1:])
        return " ".join("|".join((self.code.value, *details)).splitlines())


class Verdict(NamedTuple):
    """Whether to send.

    :param reasons: all there are against it, in the order of :class:`Code`
    :param next_date: the first day, from today on, on which it would be sent if
        nothing but time happens; ``None`` if waiting does not help
    """

    send: bool
    reasons: tuple[Reason, ...] = ()
    next_date: date | None = None

    @property
    def codes(self) -> frozenset[Code]:
        """Return the codes of the reasons."""
        return frozenset(reason.code for reason in self.reasons)


def judge(
    document: Document,
    customer: Customer,
    series: Series,
    level: Level,
    settings: Settings,
    today: date,
    *,
    mode: Mode = Mode.AUTOMATIC,
    by_email: bool = True,
) -> Verdict:
    """Decide whether ``document`` is sent ``level`` on ``today``.

    :param series: the series of ``level``, all of it, in order; automatic sending
        needs the levels before and after it to know whose turn it is
    :param by_email: ``False`` for a letter, which needs no e-mail address
    """
    people = mode is not Mode.AUTOMATIC
    reasons = (
        *_against_document(document, today, by_email),
        *(_too_early(document, level, today) if people else ()),
        *_against_customer(customer, settings, today),
        *_against_repeating(document, series, level, today, mode),
    )
    if people:
        reasons += (*_before_its_day(document, series, level, today),)
    else:
        reasons += (
            *_against_automatic(settings),
            *_against_level(document, series, level, today),
        )
    if not reasons:
        return Verdict(True, (), today)
    return Verdict(False, reasons, _next_date(reasons, settings, today))


def _next_date(
    reasons: tuple[Reason, ...], settings: Settings, today: date
) -> date | None:
    day = today
    for reason in reasons:
        if reason.until is None:
            return None
        if reason.until > day:
            day = reason.until
    return business_day_from(day, settings.is_business_day)


def judge_customer(
    customer: Customer, settings: Settings, today: date
) -> tuple[Reason, ...]:
    """Tell what keeps all documents of ``customer`` from being sent by themselves."""
    return (
        *_against_automatic(settings),
        *_against_customer(customer, settings, today),
    )


# --- stops ------------------------------------------------------------------------

_STANDING_REASONS = {
    Standing.CLOSED: Reason(Code.NOT_OPEN),
    Standing.DRAFT: Reason(Code.NOT_SENT_YET),
    Standing.NOT_CHASED: Reason(Code.NOT_CHASED),
}
_ADDRESS_REASONS = {
    Address.MISSING: Reason(Code.NO_ADDRESS),
    Address.INVALID: Reason(Code.INVALID_ADDRESS),
    Address.ARCHIVED: Reason(Code.ARCHIVED_ADDRESS),
    Address.BLACKLISTED: Reason(Code.BLACKLISTED),
    Address.BOUNCING: Reason(Code.BOUNCING),
}


def get_news(document: Document, is_changed: bool) -> Reason | None:
    """Return why a reminder that waits to leave is out of date, or ``None``.

    :param is_changed: whether the document is of another type by now: a quotation that
        became an order
    """
    if is_changed or document.standing is Standing.CLOSED:
        return Reason(Code.NOT_OPEN)
    if document.answered_at is not None:
        return Reason(Code.ANSWERED, at=document.answered_at)
    return None


def _against_document(
    document: Document, today: date, by_email: bool
) -> Iterator[Reason]:
    if document.standing is not Standing.CHASED:
        yield _STANDING_REASONS[document.standing]
    if by_email and document.address is not Address.USABLE:
        yield _ADDRESS_REASONS[document.address]
    if document.excluded:
        yield Reason(Code.DOCUMENT_EXCLUDED)
    if document.paused_until is not None and today < document.paused_until:
        yield Reason(Code.DOCUMENT_PAUSED, until=document.paused_until)
    if document.answered_at is not None:
        yield Reason(Code.ANSWERED, at=document.answered_at)
    for text in document.objections:
        yield Reason(Code.OBJECTION, text=text)
    if document.credit:
        yield Reason(Code.COVERED, amount=document.credit)


def _too_early(document: Document, level: Level, today: date) -> Iterator[Reason]:
    """Say what has to happen before a person would chase this document.

    A level that is meant for the days before the due date may go out then.
    """
    payable = document.payable_on
    if payable is not None and today < payable and not _is_before_due(level):
        yield Reason(Code.PAYMENT_NOT_DUE, until=payable)
    delivery = document.delivery_on
    if delivery is not None and today < delivery:
        yield Reason(Code.DELIVERY_TO_COME, until=delivery)
    if document.waits_for_us:
        yield Reason(Code.WAITS_FOR_US)
    if document.planned_on is not None and today < document.planned_on:
        yield Reason(Code.PLANNED, until=document.planned_on)


def _is_before_due(level: Level) -> bool:
    return level.trigger is DUE_DATE and level.offset is not None and level.offset < 0


def _against_customer(
    customer: Customer, settings: Settings, today: date
) -> Iterator[Reason]:
    if customer.excluded:
        yield Reason(Code.CUSTOMER_EXCLUDED)
    if customer.paused_until is not None and today < customer.paused_until:
        yield Reason(Code.CUSTOMER_PAUSED, until=customer.paused_until)
    last = customer.reminded_on
    if last is not None and settings.min_days > 0:
        if today < shift(last, settings.min_days):
            yield too_soon(last, settings.min_days)
    is_business_day = settings.is_business_day
    if is_business_day is not None and not is_business_day(today):
        until = business_day_from(today, is_business_day)
        yield Reason(Code.NOT_BUSINESS_DAY, until=until)


def too_soon(last: date, min_days: int) -> Reason:
    """Return the reason that a customer was reminded only lately, on ``last``."""
    return Reason(Code.TOO_SOON, until=shift(last, min_days), day=last)


def _against_repeating(
    document: Document, series: Series, level: Level, today: date, mode: Mode
) -> Iterator[Reason]:
    day = document.sent.get(level.template)
    if day is None:
        return
    if mode is Mode.BULK and series and series[-1].template == level.template:
        if today <= day:
            yield Reason(Code.ALREADY_SENT, day=day, until=shift(day, 1))
        return
    yield Reason(Code.ALREADY_SENT, day=day)


def _against_automatic(settings: Settings) -> Iterator[Reason]:
    if not settings.automatic:
        yield Reason(Code.SWITCHED_OFF)
    if settings.conflict:
        yield Reason(Code.DUNNING_CONFLICT)


# --- the level's turn and day -----------------------------------------------------


class _Trail(NamedTuple):
    """What the levels of a series leave to the one after them.

    :param previous: the last day one of them was sent
    :param planned: the day the highest one sent was planned for
    :param waiting: the first one above it whose turn has still to come
    """

    previous: date | None
    planned: date | None
    waiting: Level | None


def _trail(document: Document, series: Series, end: Level | None = None) -> _Trail:
    """Follow ``series`` up to ``end``, or to the end where it is not part of it."""
    previous = planned = waiting = None
    for level in series:
        if end is not None and level.template == end.template:
            return _Trail(previous, planned, waiting)
        day = document.sent.get(level.template)
        if day is not None:
            # whatever was left out below a level that was sent is past
            waiting = None
            planned = _own_day(document, level, planned)
            previous = day if previous is None else max(previous, day)
        elif waiting is None and not any(_skips(document, level, previous)):
            waiting = level
    return _Trail(previous, planned, waiting)


def _own_day(document: Document, level: Level, previous: date | None) -> date | None:
    return own_day(level, document.document_date, document.due_date, previous)


def _skips(document: Document, level: Level, previous: date | None) -> Iterator[Reason]:
    """Say why a level is left out for good, so that the next need not wait for it.

    Its own day decides whether it is older than its template's start, however late
    the distance to the level before makes it: a document that was old when the
    template was switched on stays out of it.
    """
    if not level.automatic or level.active_from is None:
        yield Reason(Code.NOT_AUTOMATIC)
    if not level.complete or level.offset is None:
        yield Reason(Code.INCOMPLETE)
    if level.template in document.failed:
        yield Reason(Code.FAILED)
    if level.min_amount and document.amount < level.min_amount:
        yield Reason(Code.BELOW_MINIMUM, amount=level.min_amount)
    own = _own_day(document, level, previous)
    since = level.active_from
    if own is None:
        if level.trigger is DUE_DATE and document.due_date is None:
            yield Reason(Code.NO_DUE_DATE)
        elif level.trigger is PREVIOUS and previous is None:
            yield Reason(Code.NO_PREVIOUS)
    elif since is not None and own < since:
        yield Reason(Code.BEFORE_ACTIVE_FROM, day=own, since=since)


def _against_level(
    document: Document, series: Series, level: Level, today: date
) -> Iterator[Reason]:
    if not any(one.template == level.template for one in series):
        raise ValueError(f"Template {level.template} is not part of the series.")
    trail = _trail(document, series, level)
    yield from _skips(document, level, trail.previous)
    if level.template in document.sent:
        return
    yield from _passed(document, series, level)
    if trail.waiting is not None:
        yield Reason(Code.WAITING, template=trail.waiting.template)
    day = _day(document, level, trail)
    if day is not None and today < day:
        yield Reason(Code.NOT_DUE, until=day)


def _before_its_day(
    document: Document, series: Series, level: Level, today: date
) -> Iterator[Reason]:
    """Tell a person that the level's day, or its distance to the one before, is still
    to come. A level of another series comes after all that were sent of this one."""
    if level.template in document.sent:
        return
    trail = _trail(document, series, level)
    day = _day(document, level, trail)
    if day is None and trail.previous is not None:
        # nobody entered any days: two levels do not go out at once all the same
        day = shift(trail.previous, 1)
    if day is not None and today < day:
        yield Reason(Code.NOT_DUE, until=day)


def _day(document: Document, level: Level, trail: _Trail) -> date | None:
    """Return the day of a level after the others, ``None`` where it has none."""
    own = _own_day(document, level, trail.previous)
    if own is None:
        return None
    planned = _own_day(document, level, trail.planned)
    return spaced_day(own, planned, trail.previous, trail.planned)


def _passed(document: Document, series: Series, level: Level) -> Iterator[Reason]:
    """Say so if a later level was sent; a series never goes back to milder ones."""
    for later in reversed(series):
        if later.template == level.template:
            return
        day = document.sent.get(later.template)
        if day is not None:
            yield Reason(Code.PASSED, template=later.template, day=day)
            return


# --- which level, and what is to come ---------------------------------------------


def next_level(document: Document, series: Series) -> Level | None:
    """Return the level whose turn it is automatically, be its day today or in a year.

    It is the first one above the highest sent that is not left out for good. All
    others are refused in any case, so only this one need be judged.

    :return: ``None`` if the series has nothing more for this document
    """
    return _trail(document, series).waiting


def nearest_level(document: Document, series: Series) -> Level | None:
    """Return the level that comes closest to being next, to tell why it does not.

    It is the first automatic one above the highest sent.

    :return: ``None`` if there is none
    """
    nearest = None
    for level in series:
        if level.template in document.sent:
            nearest = None
        elif nearest is None and level.automatic:
            nearest = level
    return nearest


def suggest(sent: Collection[int], series: Series) -> Level | None:
    """Return the level to propose to a person: the one after the highest sent.

    After the last level it is the last one again; ``None`` if the series is empty.

    :param sent: the levels that were sent in the document's present cycle
    """
    suggestion = None
    for level in reversed(series):
        if level.template in sent:
            return suggestion or level
        suggestion = level
    return suggestion


class Forecast(NamedTuple):
    """One reminder to come: on ``day`` this ``level`` goes out."""

    day: date
    level: Level


def forecast(
    document: Document,
    customer: Customer,
    series: Series,
    settings: Settings,
    today: date,
    last_day: date,
) -> Iterator[Forecast]:
    """Foretell what is sent automatically to ``document`` until ``last_day``.

    It holds if the run is made every day, each reminder succeeds and nothing else
    happens: no answer, no other document of the customer being reminded.
    """
    day = today
    while (level := next_level(document, series)) is not None:
        verdict = judge(document, customer, series, level, settings, day)
        if verdict.next_date is None or verdict.next_date > last_day:
            return
        day = verdict.next_date
        yield Forecast(day, level)
        document = replace(document, sent={**document.sent, level.template: day})
        customer = replace(customer, reminded_on=day)
