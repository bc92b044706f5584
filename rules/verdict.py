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
    BLACKLISTED = "blacklisted"
    BOUNCING = "bouncing"


@dataclass(frozen=True, slots=True)
class Document:
    """What a verdict has to know of one document.

    :param amount: in company currency
    :param excluded: marked "Do not remind automatically"
    :param paused_until: the day its reminders start again
    :param sent_at: when it was (last) sent to the customer: its cycle starts here
    :param reminded_at: when its last reminder was sent or logged, by anyone, on any
        channel
    :param resumed_at: when a user last pressed *Resume*
    :param answered_at: when the customer last answered
    :param objections: what other addons have against a reminder, in sentences
    :param sent: the levels sent in this cycle, by whomever, with the day of each (the
        last one, where a person sent a level again)
    :param failed: the levels given up in this cycle, after a failure for good
    """

    document_date: date
    due_date: date | None = None
    amount: float = 0.0
    standing: Standing = Standing.CHASED
    address: Address = Address.USABLE
    excluded: bool = False
    paused_until: date | None = None
    sent_at: datetime | None = None
    reminded_at: datetime | None = None
    resumed_at: datetime | None = None
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

    Automatically, every reason counts. A person chooses the level and the day, so
    offsets and switches are not theirs to hear; they hear the stops and may overrule
    all but the hard ones. The last level of a series may be repeated in bulk, as
    nothing comes after it, but not twice in a day.
    """

    AUTOMATIC = "automatic"
    BULK = "bulk"
    MANUAL = "manual"


# --- answers ----------------------------------------------------------------------


class Code(Enum):
    """Why something is not sent, in the order in which it is told.

    Behind each code, what its :class:`Reason` carries.
    """

    # the document and its recipient
    NOT_OPEN = "not_open"  # hard
    NOT_SENT_YET = "not_sent_yet"  # a draft
    NOT_CHASED = "not_chased"
    NO_ADDRESS = "no_address"  # hard; this and the next three for e-mail only
    INVALID_ADDRESS = "invalid_address"
    BLACKLISTED = "blacklisted"
    BOUNCING = "bouncing"
    DOCUMENT_EXCLUDED = "document_excluded"
    DOCUMENT_PAUSED = "document_paused"  # until
    ANSWERED = "answered"  # at
    OBJECTION = "objection"  # text: of another addon
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
    # automatic only: the level's turn and day
    FAILED = "failed"
    BELOW_MINIMUM = "below_minimum"  # amount: the minimum
    NO_DUE_DATE = "no_due_date"
    NO_PREVIOUS = "no_previous"
    BEFORE_ACTIVE_FROM = "before_active_from"  # day of the level, since: active from
    PASSED = "passed"  # template: the later level, day it was sent
    WAITING = "waiting"  # template: the level that goes first
    NOT_DUE = "not_due"  # until: the day of the level


#: what even a person cannot overrule
HARD = frozenset({Code.NOT_OPEN, Code.NO_ADDRESS})

#: there is no e-mail to send: no rule stops it, it fails
UNREACHABLE = frozenset({Code.NO_ADDRESS, Code.INVALID_ADDRESS})


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
        """Give a text by which this reason, and no other one, is known again: one line,
        as dialogs keep a line for each."""
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
    def possible(self) -> bool:
        """Tell whether a person may send it, be it against reasons."""
        return self.send or not any(reason.hard for reason in self.reasons)

    @property
    def codes(self) -> frozenset[Code]:
        """Give the codes of the reasons."""
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
    reasons = (
        *_against_document(document, today, by_email),
        *_against_customer(customer, settings, today),
        *_against_repeating(document, series, level, today, mode),
    )
    if mode is Mode.AUTOMATIC:
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
    Address.BLACKLISTED: Reason(Code.BLACKLISTED),
    Address.BOUNCING: Reason(Code.BOUNCING),
}


def is_answered(document: Document) -> bool:
    """Tell whether the customer answered and nobody took it up since.

    Sending the document, reminding of it and *Resume* each take it up. An answer of
    the very same instant counts as the later one: better a reminder too few.
    """
    answer = document.answered_at
    if answer is None:
        return False
    taken_up = (document.sent_at, document.reminded_at, document.resumed_at)
    return all(instant is None or instant <= answer for instant in taken_up)


def get_news(document: Document, is_changed: bool) -> Reason | None:
    """Return why a reminder that waits to leave is out of date, or ``None``.

    :param is_changed: whether the document is of another type by now: a quotation that
        became an order
    """
    if is_changed or document.standing is Standing.CLOSED:
        return Reason(Code.NOT_OPEN)
    if is_answered(document):
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
    if is_answered(document):
        yield Reason(Code.ANSWERED, at=document.answered_at)
    for text in document.objections:
        yield Reason(Code.OBJECTION, text=text)


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
    """Give the reason that a customer was reminded only lately, on ``last``."""
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
    """Follow ``series`` up to ``end``, or to the end of it all."""
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
    if end is not None:
        raise ValueError(f"Template {end.template} is not part of the series.")
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
    trail = _trail(document, series, level)
    yield from _skips(document, level, trail.previous)
    if level.template in document.sent:
        return
    yield from _passed(document, series, level)
    if trail.waiting is not None:
        yield Reason(Code.WAITING, template=trail.waiting.template)
    own = _own_day(document, level, trail.previous)
    if own is not None:
        planned = _own_day(document, level, trail.planned)
        day = spaced_day(own, planned, trail.previous, trail.planned)
        if today < day:
            yield Reason(Code.NOT_DUE, until=day)


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
    """Give the level whose turn it is automatically, be its day today or in a year.

    It is the first one above the highest sent that is not left out for good. All
    others are refused in any case, so only this one need be judged.

    :return: ``None`` if the series has nothing more for this document
    """
    return _trail(document, series).waiting


def suggest(document: Document, series: Series) -> Level | None:
    """Give the level to propose to a person: the one after the highest sent.

    After the last level it is the last one again; ``None`` if the series is empty.
    """
    suggestion = None
    for level in reversed(series):
        if level.template in document.sent:
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
