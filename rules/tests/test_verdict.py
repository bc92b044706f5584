"""Who is sent what and when, told case by case."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from rules.cadence import (
    DOCUMENT_DATE,
    DUE_DATE,
    PREVIOUS,
    Level,
    Trigger,
    business_day_from,
    levels_sent,
    own_day,
    shift,
    spaced_day,
)
from rules.verdict import (
    EARLY,
    HARD,
    Address,
    Code,
    Customer,
    Document,
    Mode,
    Reason,
    Settings,
    Standing,
    Verdict,
    forecast,
    judge,
    nearest_level,
    next_level,
    suggest,
)


def march(day):
    """Return a day of March 2026; the 1st is a Sunday."""
    return date(2026, 3, 1) + timedelta(days=day - 1)


def at(day, hour=12):
    return datetime.combine(march(day), datetime.min.time()).replace(hour=hour)


LONG_AGO = date(2020, 1, 1)
DUE_DAY = march(10)
PEOPLE = [Mode.BULK, Mode.MANUAL]


def level(template, offset, trigger=DUE_DATE, **facts):
    """Return a level that is switched on since long ago."""
    return Level(
        template,
        trigger,
        offset,
        **{"automatic": True, "active_from": LONG_AGO, **facts},
    )


# three levels, a week apart, from the due date on
FRIENDLY, FIRM, LAST = level(1, 0), level(2, 7), level(3, 14)
SERIES = (FRIENDLY, FIRM, LAST)
QUOTATION = Document(
    document_date=date(2026, 2, 10),
    due_date=DUE_DAY,
    amount=500.0,
)
ANYBODY = Customer()
OPEN_HOUSE = Settings()


def ask(
    document=QUOTATION,
    wanted=FRIENDLY,
    today=DUE_DAY,
    *,
    customer=ANYBODY,
    series=SERIES,
    settings=OPEN_HOUSE,
    **how,
):
    """Judge one case; whatever is not named speaks for sending."""
    return judge(document, customer, series, wanted, settings, today, **how)


def with_sent(days, document=QUOTATION):
    """Return ``document`` after levels were sent, as template → day of March."""
    return replace(document, sent={key: march(day) for key, day in days.items()})


def yes(today):
    return Verdict(True, (), today)


def no(*reasons, on=None):
    return Verdict(False, reasons, on)


# --- facts and answers ------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (FRIENDLY, "offset"),
        (QUOTATION, "sent"),
        (ANYBODY, "excluded"),
        (OPEN_HOUSE, "min_days"),
        (Reason(Code.ANSWERED), "until"),
        (Verdict(True), "send"),
    ],
)
def test_facts_and_answers_are_for_reading(facts, name):
    with pytest.raises(AttributeError):
        setattr(facts, name, None)
    assert not hasattr(facts, "__dict__")


def test_triggers_are_named_as_in_the_templates():
    assert [one.value for one in Trigger] == ["due_date", "document_date", "previous"]


def test_codes_can_be_kept_in_a_log():
    assert [code.value for code in Code] == [code.name.lower() for code in Code]


def test_level_is_not_automatic_unless_somebody_switched_it_on():
    assert ask(wanted=Level(1, DUE_DATE, 0)).codes == {Code.NOT_AUTOMATIC}


def test_company_that_decided_nothing_sends_on_any_day():
    assert ask(customer=Customer(reminded_on=march(10)), settings=Settings()).send


def test_what_nothing_speaks_against_is_sent_today():
    assert ask() == yes(march(10))


def test_all_reasons_are_told_in_the_order_of_the_codes():
    document = replace(
        QUOTATION,
        standing=Standing.CLOSED,
        address=Address.BLACKLISTED,
        excluded=True,
        paused_until=march(20),
        answered_at=at(9),
        objections=("In dispute.",),
    )
    customer = Customer(True, march(21), march(9))
    settings = Settings(False, 5, lambda day: day == march(11), conflict=True)
    wanted = level(1, 5, automatic=False, complete=False, min_amount=501)
    verdict = ask(document, wanted, customer=customer, settings=settings)
    codes = [reason.code for reason in verdict.reasons]
    assert codes == [
        Code.NOT_OPEN,
        Code.BLACKLISTED,
        Code.DOCUMENT_EXCLUDED,
        Code.DOCUMENT_PAUSED,
        Code.ANSWERED,
        Code.OBJECTION,
        Code.CUSTOMER_EXCLUDED,
        Code.CUSTOMER_PAUSED,
        Code.TOO_SOON,
        Code.NOT_BUSINESS_DAY,
        Code.SWITCHED_OFF,
        Code.DUNNING_CONFLICT,
        Code.NOT_AUTOMATIC,
        Code.INCOMPLETE,
        Code.BELOW_MINIMUM,
        Code.NOT_DUE,
    ]
    assert codes == [code for code in Code if code in verdict.codes]
    assert verdict.next_date is None


def test_next_date_is_when_the_last_of_the_reasons_has_passed():
    document = replace(QUOTATION, paused_until=march(12))
    verdict = ask(
        document,
        customer=Customer(reminded_on=march(9)),
        settings=Settings(min_days=6),
    )
    assert verdict == no(
        Reason(Code.DOCUMENT_PAUSED, until=march(12)),
        Reason(Code.TOO_SOON, until=march(15), day=march(9)),
        on=march(15),
    )


def test_next_date_is_none_if_one_reason_does_not_pass():
    document = replace(QUOTATION, paused_until=march(12), excluded=True)
    assert ask(document).next_date is None


@pytest.mark.parametrize("code", Code)
def test_only_a_closed_document_and_a_missing_address_cannot_be_overruled(code):
    hard = code in (Code.NOT_JUDGED, Code.NOT_OPEN, Code.NO_ADDRESS)
    assert Reason(code).hard is hard
    assert (code in HARD) is hard


def test_a_reason_is_known_again_by_its_key():
    answered = Reason(Code.ANSWERED, at=at(3))
    assert answered.key == Reason(Code.ANSWERED, at=at(3)).key
    others = [
        Reason(Code.ANSWERED, at=at(3, hour=13)),
        Reason(Code.ANSWERED),
        Reason(Code.CUSTOMER_PAUSED, until=march(3)),
        Reason(Code.DOCUMENT_PAUSED, until=march(3)),
        Reason(Code.ALREADY_SENT, day=march(3)),
        Reason(Code.ALREADY_SENT, until=march(3)),
        Reason(Code.OBJECTION, text="In dispute."),
        Reason(Code.OBJECTION, text="Insolvent."),
    ]
    assert len({reason.key for reason in (answered, *others)}) == len(others) + 1


def test_a_key_is_one_line_whatever_an_addon_says():
    key = Reason(Code.OBJECTION, text="In dispute.\nAsk legal.").key
    assert key.splitlines() == [key]


# --- A1: a level's own day --------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "offset", "day"),
    [
        pytest.param(DUE_DATE, 0, march(10), id="on the due date"),
        pytest.param(DUE_DATE, 5, march(15), id="after it"),
        pytest.param(DUE_DATE, -3, march(7), id="before it"),
        pytest.param(DOCUMENT_DATE, 30, march(12), id="after the document date"),
        pytest.param(PREVIOUS, 7, march(27), id="after the previous reminder"),
        pytest.param(PREVIOUS, -7, march(13), id="before the previous reminder"),
        pytest.param(DUE_DATE, None, None, id="no offset, no day"),
    ],
)
def test_own_day_counts_from_what_the_trigger_names(trigger, offset, day):
    wanted = level(1, offset, trigger)
    assert own_day(wanted, date(2026, 2, 10), march(10), march(20)) == day


@pytest.mark.parametrize("trigger", [DUE_DATE, PREVIOUS])
def test_own_day_is_none_without_what_it_counts_from(trigger):
    assert own_day(level(1, 5, trigger), march(1), None, None) is None


@pytest.mark.parametrize(
    ("day", "days", "shifted"),
    [
        (march(1), 10, march(11)),
        (date.max, 5, date.max),
        (date.max, -1, date(9999, 12, 30)),
        (date.min, -1, date.min),
        (march(1), 10**12, date.max),
        (march(1), -(10**12), date.min),
    ],
)
def test_days_end_where_the_calendar_ends(day, days, shifted):
    assert shift(day, days) == shifted


def test_level_waits_for_its_day():
    reason = Reason(Code.NOT_DUE, until=march(10))
    assert ask(today=march(9)) == no(reason, on=march(10))


def test_reminder_before_the_due_date_goes_out_before_it():
    early = level(1, -3)
    assert ask(wanted=early, series=(early,), today=march(7)) == yes(march(7))


def test_empty_due_date_is_said_and_its_rules_do_not_apply():
    document = replace(QUOTATION, due_date=None)
    assert ask(document) == no(Reason(Code.NO_DUE_DATE))


def test_level_without_due_date_does_not_block_one_on_the_document_date():
    document = replace(QUOTATION, due_date=None)
    wanted = level(2, 10, DOCUMENT_DATE)
    assert ask(document, wanted, series=(FRIENDLY, wanted)) == yes(march(10))


@pytest.mark.parametrize(
    ("amount", "minimum", "sent"),
    [(500, 500, True), (499.99, 500, False), (-10, 0, True), (0, 0.01, False)],
)
def test_minimum_amount_is_the_least_that_is_chased(amount, minimum, sent):
    wanted = level(1, 0, min_amount=minimum)
    verdict = ask(replace(QUOTATION, amount=amount), wanted, series=(wanted,))
    reason = Reason(Code.BELOW_MINIMUM, amount=minimum)
    assert verdict == (yes(march(10)) if sent else no(reason))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"automatic": False}, Code.NOT_AUTOMATIC),
        ({"active_from": None}, Code.NOT_AUTOMATIC),
        ({"complete": False}, Code.INCOMPLETE),
    ],
)
def test_level_not_ready_to_go_out_by_itself_does_not(facts, code):
    wanted = level(1, 0, **facts)
    assert ask(wanted=wanted, series=(wanted,)) == no(Reason(code))


def test_level_without_offset_is_incomplete():
    wanted = level(1, None)
    assert ask(wanted=wanted, series=(wanted,)) == no(Reason(Code.INCOMPLETE))


# --- A1: after the previous reminder ----------------------------------------------

AFTERWARDS = level(2, 5, PREVIOUS)


def test_level_after_the_previous_counts_from_the_day_that_was_sent():
    series = (FRIENDLY, AFTERWARDS)
    document = with_sent({1: 14})
    assert ask(document, AFTERWARDS, march(19), series=series) == yes(march(19))
    verdict = ask(document, AFTERWARDS, march(18), series=series)
    assert verdict == no(Reason(Code.NOT_DUE, until=march(19)), on=march(19))


def test_level_after_the_previous_is_never_before_a_first_one():
    verdict = ask(wanted=AFTERWARDS, series=(FRIENDLY, AFTERWARDS), today=march(30))
    assert verdict == no(
        Reason(Code.NO_PREVIOUS), Reason(Code.WAITING, template=FRIENDLY.template)
    )


def test_level_after_the_previous_has_no_day_at_the_head_of_its_series():
    head = level(1, 5, PREVIOUS)
    assert ask(wanted=head, series=(head, FIRM)) == no(Reason(Code.NO_PREVIOUS))


def test_level_after_the_previous_at_the_head_blocks_nobody():
    head = level(1, 5, PREVIOUS)
    assert ask(wanted=FIRM, series=(head, FIRM), today=march(17)) == yes(march(17))


def test_level_after_the_previous_counts_from_one_sent_by_hand():
    by_hand = level(1, 0, automatic=False)
    series = (by_hand, AFTERWARDS)
    assert ask(with_sent({1: 3}), AFTERWARDS, march(10), series=series).send
    assert ask(QUOTATION, AFTERWARDS, march(10), series=series) == no(
        Reason(Code.NO_PREVIOUS)
    )


@pytest.mark.parametrize("offset", [0, -4])
def test_level_right_after_the_previous_still_waits_a_day(offset):
    wanted = level(2, offset, PREVIOUS)
    verdict = ask(with_sent({1: 10}), wanted, series=(FRIENDLY, wanted))
    assert verdict == no(Reason(Code.NOT_DUE, until=march(11)), on=march(11))


# --- A2: once, in order, with their spacing ---------------------------------------


def test_level_is_sent_once():
    assert ask(with_sent({1: 10})) == no(Reason(Code.ALREADY_SENT, day=march(10)))


def test_level_does_not_overtake_the_one_before_it():
    verdict = ask(wanted=FIRM, today=march(17))
    assert verdict == no(Reason(Code.WAITING, template=FRIENDLY.template))


def test_series_does_not_go_back_behind_a_level_that_was_sent():
    document = with_sent({3: 2})
    reason = Reason(Code.PASSED, day=march(2), template=LAST.template)
    assert ask(document) == no(reason)
    assert ask(document, FIRM, march(17)).codes == {Code.PASSED, Code.WAITING}
    assert next_level(document, SERIES) is None


def test_level_left_out_below_one_that_was_sent_blocks_nobody():
    assert ask(with_sent({2: 17}), LAST, march(24)) == yes(march(24))


@pytest.mark.parametrize(
    ("sent_on", "day"),
    [
        pytest.param(10, 17, id="in time: its own day"),
        pytest.param(12, 19, id="late: the distance is kept"),
        pytest.param(25, 32, id="very late: still"),
        pytest.param(5, 17, id="sent early by hand: not before its own day"),
    ],
)
def test_late_level_keeps_its_distance(sent_on, day):
    document = with_sent({1: sent_on})
    verdict = ask(document, FIRM, march(5))
    assert verdict.reasons == (Reason(Code.NOT_DUE, until=march(day)),)
    assert ask(document, FIRM, march(day)) == yes(march(day))


def test_catching_up_sends_one_level_at_a_time():
    today = march(31)
    assert ask(today=today).send
    document = with_sent({1: 31})
    assert ask(document, FIRM, today).next_date == march(38)
    document = with_sent({1: 31, 2: 38})
    assert ask(document, LAST, march(38)).next_date == march(45)


def test_levels_of_the_same_day_go_out_on_two_days():
    twin = level(2, 0)
    verdict = ask(with_sent({1: 10}), twin, series=(FRIENDLY, twin))
    assert verdict == no(Reason(Code.NOT_DUE, until=march(11)), on=march(11))


def test_distance_counts_from_the_last_reminder_where_levels_were_sent_out_of_order():
    document = with_sent({1: 20, 2: 17})
    assert ask(document, LAST, march(24)).next_date == march(27)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"automatic": False}, id="by hand only"),
        pytest.param({"complete": False}, id="incomplete"),
        pytest.param({"min_amount": 1000}, id="below its minimum"),
        pytest.param({"active_from": march(20)}, id="switched on after its day"),
    ],
)
def test_level_skipped_for_good_neither_blocks_nor_counts_for_spacing(facts):
    series = (FRIENDLY, replace(FIRM, **facts), LAST)
    document = with_sent({1: 10})
    assert next_level(document, series) == LAST
    assert ask(document, LAST, march(24), series=series) == yes(march(24))


def test_level_given_up_after_a_failure_is_not_tried_again_and_blocks_nobody():
    document = replace(QUOTATION, failed=frozenset({1}))
    assert ask(document) == no(Reason(Code.FAILED))
    assert ask(document, mode=Mode.MANUAL) == yes(march(10))
    assert ask(document, FIRM, march(17)) == yes(march(17))


def test_level_of_another_kind_that_was_sent_counts_for_spacing():
    series = (level(1, 0, automatic=False), FIRM)
    assert ask(with_sent({1: 13}), FIRM, march(5), series=series).next_date == march(20)


@pytest.mark.parametrize(
    ("second_sent", "day"),
    [
        pytest.param(15, 30, id="all in time"),
        pytest.param(25, 40, id="the second late by ten days"),
    ],
)
def test_distance_is_between_planned_days_where_triggers_differ(second_sent, day):
    # planned for the 10th, the 15th and the 30th
    third = level(3, 20)
    series = (FRIENDLY, AFTERWARDS, third)
    document = with_sent({1: 10, 2: second_sent})
    assert ask(document, third, march(5), series=series).next_date == march(day)


def test_distance_to_a_level_that_had_no_day_is_a_day():
    series = (level(9, 5, PREVIOUS), FRIENDLY)
    assert ask(with_sent({9: 10}), series=series).next_date == march(11)


@pytest.mark.parametrize(
    ("previous", "previous_planned", "day"),
    [
        (None, None, march(17)),
        (march(12), march(10), march(19)),
        (march(17), march(20), march(18)),
        (march(17), None, march(18)),
        (date.max, march(10), date.max),
    ],
)
def test_spaced_day(previous, previous_planned, day):
    assert spaced_day(march(17), march(17), previous, previous_planned) == day


def test_template_of_another_series_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="99"):
        ask(wanted=level(99, 0))


def test_due_date_that_means_never_stays_away_for_ever():
    document = replace(QUOTATION, due_date=date.max)
    assert ask(document).next_date == date.max
    assert ask(with_sent({1: 10}, document), FIRM).next_date == date.max


# --- A2: cycles -------------------------------------------------------------------


def test_level_that_was_sent_again_counts_by_its_last_day():
    reminders = [(2, march(5)), (1, march(3)), (2, march(9)), (1, march(2))]
    assert levels_sent(reminders) == {1: march(3), 2: march(9)}
    assert levels_sent([]) == {}


# --- A3: old documents ------------------------------------------------------------


@pytest.mark.parametrize(("day", "sent"), [(9, True), (10, True), (11, False)])
def test_switching_on_reaches_documents_whose_day_has_not_been(day, sent):
    wanted = level(1, 0, active_from=march(day))
    verdict = ask(wanted=wanted, series=(wanted,), today=march(15))
    reason = Reason(Code.BEFORE_ACTIVE_FROM, day=march(10), since=march(day))
    assert verdict == (yes(march(15)) if sent else no(reason))


def test_distance_to_the_level_before_does_not_drag_an_old_document_in():
    # sent on the 15th, the firm level would come on the 22nd; its own day is the 17th
    firm = replace(FIRM, active_from=march(18))
    verdict = ask(with_sent({1: 15}), firm, march(22), series=(FRIENDLY, firm))
    assert verdict == no(
        Reason(Code.BEFORE_ACTIVE_FROM, day=march(17), since=march(18))
    )


def test_level_after_the_previous_spares_old_reminders():
    wanted = replace(AFTERWARDS, active_from=march(10))
    series = (FRIENDLY, wanted)
    assert not ask(with_sent({1: 4}), wanted, march(20), series=series).send
    assert ask(with_sent({1: 5}), wanted, march(20), series=series).send


# --- A4: stops --------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"standing": Standing.CLOSED}, Reason(Code.NOT_OPEN)),
        ({"standing": Standing.DRAFT}, Reason(Code.NOT_SENT_YET)),
        ({"standing": Standing.NOT_CHASED}, Reason(Code.NOT_CHASED)),
        ({"address": Address.MISSING}, Reason(Code.NO_ADDRESS)),
        ({"address": Address.INVALID}, Reason(Code.INVALID_ADDRESS)),
        ({"address": Address.ARCHIVED}, Reason(Code.ARCHIVED_ADDRESS)),
        ({"address": Address.BLACKLISTED}, Reason(Code.BLACKLISTED)),
        ({"address": Address.BOUNCING}, Reason(Code.BOUNCING)),
        ({"excluded": True}, Reason(Code.DOCUMENT_EXCLUDED)),
        ({"answered_at": at(9)}, Reason(Code.ANSWERED, at=at(9))),
        ({"objections": ("Lost.",)}, Reason(Code.OBJECTION, text="Lost.")),
    ],
)
def test_document_is_stopped_whoever_sends(mode, facts, reason):
    assert ask(replace(QUOTATION, **facts), mode=mode) == no(reason)


@pytest.mark.parametrize("mode", Mode)
def test_customer_not_to_be_reminded_is_left_alone(mode):
    verdict = ask(customer=Customer(excluded=True), mode=mode)
    assert verdict == no(Reason(Code.CUSTOMER_EXCLUDED))


@pytest.mark.parametrize("address", Address)
def test_letter_needs_no_email_address(address):
    document = replace(QUOTATION, address=address)
    assert ask(document, mode=Mode.BULK, by_email=False) == yes(march(10))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("until", "paused"), [(9, False), (10, False), (11, True)])
def test_pause_ends_on_its_day(mode, until, paused):
    day = march(until)
    on_document = ask(replace(QUOTATION, paused_until=day), mode=mode)
    on_customer = ask(customer=Customer(paused_until=day), mode=mode)
    if paused:
        assert on_document == no(Reason(Code.DOCUMENT_PAUSED, until=day), on=day)
        assert on_customer == no(Reason(Code.CUSTOMER_PAUSED, until=day), on=day)
    else:
        assert on_document == on_customer == yes(march(10))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("reminded", "min_days", "until"),
    [
        pytest.param(10, 0, None, id="no minimum"),
        pytest.param(None, 7, None, id="never reminded"),
        pytest.param(10, 1, 11, id="today, a day apart"),
        pytest.param(9, 1, None, id="yesterday, a day apart"),
        pytest.param(5, 7, 12, id="five days ago, a week apart"),
        pytest.param(3, 7, None, id="a week ago, a week apart"),
    ],
)
def test_customer_has_a_rest_between_reminders(mode, reminded, min_days, until):
    verdict = ask(
        customer=Customer(reminded_on=reminded and march(reminded)),
        settings=Settings(min_days=min_days),
        mode=mode,
    )
    if until is None:
        assert verdict == yes(march(10))
    else:
        day = march(until)
        reason = Reason(Code.TOO_SOON, until=day, day=march(reminded))
        assert verdict == no(reason, on=day)


# --- A4: business days ------------------------------------------------------------


def is_weekday(day):
    return day.weekday() < 5


WEEKDAYS = Settings(is_business_day=is_weekday)


@pytest.mark.parametrize("mode", Mode)
def test_nothing_goes_out_at_weekends_if_so_set(mode):
    # the 14th is a Saturday
    verdict = ask(today=march(14), settings=WEEKDAYS, mode=mode)
    assert verdict == no(Reason(Code.NOT_BUSINESS_DAY, until=march(16)), on=march(16))
    assert ask(today=march(13), settings=WEEKDAYS, mode=mode) == yes(march(13))


def test_day_on_a_weekend_is_made_up_for_on_the_next_business_day():
    document = replace(QUOTATION, due_date=march(14))
    verdict = ask(document, today=march(12), settings=WEEKDAYS)
    assert verdict == no(Reason(Code.NOT_DUE, until=march(14)), on=march(16))


def test_calendar_without_business_days_has_no_next_date():
    verdict = ask(settings=Settings(is_business_day=lambda day: False))
    assert verdict == no(Reason(Code.NOT_BUSINESS_DAY))


@pytest.mark.parametrize(
    ("day", "is_business_day", "first"),
    [
        (march(14), None, march(14)),
        (march(14), is_weekday, march(16)),
        (march(13), is_weekday, march(13)),
        (date.max, lambda day: False, None),
        (march(1), lambda day: day >= march(366), march(366)),
        (march(1), lambda day: day >= march(367), None),
    ],
)
def test_business_day_is_looked_for_within_a_year(day, is_business_day, first):
    assert business_day_from(day, is_business_day) == first


# --- A4: switches, and what people need not hear ----------------------------------


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(automatic=False), Code.SWITCHED_OFF),
        (Settings(conflict=True), Code.DUNNING_CONFLICT),
    ],
)
def test_switch_of_the_company_stops_what_is_automatic_only(settings, code):
    assert ask(settings=settings) == no(Reason(code))
    for mode in PEOPLE:
        assert ask(settings=settings, mode=mode) == yes(march(10))


@pytest.mark.parametrize("mode", PEOPLE)
@pytest.mark.parametrize(
    ("document", "wanted", "series"),
    [
        pytest.param(QUOTATION, LAST, SERIES, id="its turn"),
        pytest.param(with_sent({3: 1}), FIRM, SERIES, id="a later level was sent"),
        pytest.param(replace(QUOTATION, due_date=None), FIRM, SERIES, id="due date"),
        pytest.param(QUOTATION, Level(9), SERIES, id="a level of another series"),
        pytest.param(QUOTATION, Level(9), (), id="a template of no series"),
        pytest.param(
            QUOTATION,
            level(1, 0, active_from=march(30), min_amount=1000),
            SERIES,
            id="active from, minimum",
        ),
    ],
)
def test_person_chooses_level_and_day(mode, document, wanted, series):
    assert ask(document, wanted, march(30), series=series, mode=mode) == yes(march(30))


# --- A5: too early ----------------------------------------------------------------


@pytest.mark.parametrize("mode", PEOPLE)
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"planned_on": march(12)}, Code.PLANNED),
        ({"payable_on": march(12)}, Code.PAYMENT_NOT_DUE),
        ({"delivery_on": march(12)}, Code.DELIVERY_TO_COME),
        ({"due_date": march(12)}, Code.NOT_DUE),
    ],
)
def test_person_hears_until_when_it_is_too_early(mode, facts, code):
    document = replace(QUOTATION, **facts)
    verdict = ask(document, today=march(11), mode=mode)
    assert verdict == no(Reason(code, until=march(12)), on=march(12))
    assert not verdict.reasons[0].hard
    assert ask(document, today=march(12), mode=mode) == yes(march(12))


@pytest.mark.parametrize("mode", PEOPLE)
def test_person_hears_that_an_order_waits_for_us(mode):
    document = replace(QUOTATION, waits_for_us=True)
    assert ask(document, mode=mode) == no(Reason(Code.WAITS_FOR_US))


@pytest.mark.parametrize("mode", Mode)
def test_whoever_sends_hears_that_the_customer_has_credit(mode):
    document = replace(QUOTATION, credit=120.0)
    assert ask(document, mode=mode) == no(Reason(Code.COVERED, amount=120.0))


def test_series_alone_says_what_is_too_early_automatically():
    early = level(1, -3)
    document = replace(
        QUOTATION,
        planned_on=march(30),
        payable_on=DUE_DAY,
        delivery_on=march(30),
        waits_for_us=True,
    )
    assert ask(document, early, march(7), series=(early,)) == yes(march(7))


@pytest.mark.parametrize("mode", PEOPLE)
def test_level_meant_for_the_days_before_payment_is_due_is_not_too_early(mode):
    early = level(1, -3)
    document = replace(QUOTATION, payable_on=DUE_DAY)
    assert ask(document, early, march(7), series=(early,), mode=mode) == yes(march(7))
    reason = Reason(Code.NOT_DUE, until=march(7))
    verdict = ask(document, early, march(6), series=(early,), mode=mode)
    assert verdict == no(reason, on=march(7))


@pytest.mark.parametrize("mode", PEOPLE)
@pytest.mark.parametrize(
    ("wanted", "day"),
    [
        pytest.param(FIRM, 19, id="late: the distance is kept"),
        pytest.param(Level(2), 13, id="without days: not twice a day"),
        pytest.param(Level(9), 13, id="of another series"),
    ],
)
def test_person_hears_of_the_distance_to_the_level_before(mode, wanted, day):
    series = (FRIENDLY, wanted) if wanted.template == 2 else SERIES
    document = with_sent({1: 12})
    verdict = ask(document, wanted, march(12), series=series, mode=mode)
    assert verdict == no(Reason(Code.NOT_DUE, until=march(day)), on=march(day))
    assert ask(document, wanted, march(day), series=series, mode=mode).send


@pytest.mark.parametrize("code", Code)
def test_too_early_can_be_overruled(code):
    if code in EARLY:
        assert code not in HARD


@pytest.mark.parametrize("mode", PEOPLE)
def test_person_hears_that_a_level_was_sent_already(mode):
    verdict = ask(with_sent({1: 3}), mode=mode)
    assert verdict == no(Reason(Code.ALREADY_SENT, day=march(3)))


def test_last_level_is_repeated_in_bulk_but_not_the_same_day():
    verdict = ask(with_sent({3: 10}), LAST, mode=Mode.BULK)
    assert verdict == no(
        Reason(Code.ALREADY_SENT, day=march(10), until=march(11)), on=march(11)
    )
    assert ask(with_sent({3: 9}), LAST, mode=Mode.BULK) == yes(march(10))


def test_dialog_always_warns_of_a_repetition():
    verdict = ask(with_sent({3: 9}), LAST, mode=Mode.MANUAL)
    assert verdict == no(Reason(Code.ALREADY_SENT, day=march(9)))


# --- which level ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "automatic", "suggested"),
    [
        ({}, FRIENDLY, FRIENDLY),
        ({1: 10}, FIRM, FIRM),
        ({2: 10}, LAST, LAST),
        ({1: 10, 2: 17}, LAST, LAST),
        ({3: 10}, None, LAST),
        ({1: 10, 2: 17, 3: 24}, None, LAST),
        ({99: 10}, FRIENDLY, FRIENDLY),
    ],
)
def test_next_level_is_the_one_after_the_highest_sent(sent, automatic, suggested):
    document = with_sent(sent)
    assert next_level(document, SERIES) == automatic
    assert suggest(document.sent, SERIES) == suggested


def test_person_is_suggested_what_is_not_automatic():
    series = (replace(FRIENDLY, automatic=False), FIRM)
    assert suggest({}, series).template == FRIENDLY.template
    assert next_level(QUOTATION, series) == FIRM


@pytest.mark.parametrize(
    ("document", "series", "codes"),
    [
        pytest.param(
            replace(QUOTATION, due_date=None), SERIES, {Code.NO_DUE_DATE}, id="no day"
        ),
        pytest.param(
            QUOTATION,
            tuple(replace(one, active_from=date(2027, 1, 1)) for one in SERIES),
            {Code.BEFORE_ACTIVE_FROM},
            id="old",
        ),
        pytest.param(
            replace(QUOTATION, amount=10),
            tuple(replace(one, min_amount=100) for one in SERIES),
            {Code.BELOW_MINIMUM},
            id="too small",
        ),
        pytest.param(
            replace(QUOTATION, failed={1, 2, 3}), SERIES, {Code.FAILED}, id="failed"
        ),
    ],
)
def test_nearest_level_tells_why_there_is_no_next_one(document, series, codes):
    assert next_level(document, series) is None
    nearest = nearest_level(document, series)
    assert nearest.template == FRIENDLY.template
    assert ask(document, nearest, series=series).codes == codes


def test_nothing_is_nearest_after_the_last_or_where_nothing_is_automatic():
    assert nearest_level(with_sent({3: 1}), SERIES) is None
    assert nearest_level(with_sent({1: 1}), SERIES) == FIRM
    by_hand = tuple(replace(one, automatic=False) for one in SERIES)
    assert nearest_level(QUOTATION, by_hand) is None


def test_empty_series_has_no_next_level():
    assert next_level(QUOTATION, ()) is None
    assert suggest({}, ()) is None


# --- forecast ---------------------------------------------------------------------


def foretell(document=QUOTATION, customer=ANYBODY, settings=OPEN_HOUSE, last=60):
    days = forecast(document, customer, SERIES, settings, march(5), march(last))
    return [(day, level.template) for day, level in days]


def test_forecast_tells_each_level_on_its_day():
    assert foretell() == [(march(10), 1), (march(17), 2), (march(24), 3)]


def test_forecast_ends_on_its_last_day():
    assert foretell(last=17) == [(march(10), 1), (march(17), 2)]
    assert foretell(last=16) == [(march(10), 1)]


def test_forecast_goes_on_from_what_was_sent_and_keeps_pauses_and_rests():
    document = replace(with_sent({1: 4}), paused_until=march(20))
    assert foretell(document) == [(march(20), 2), (march(27), 3)]
    customer = Customer(reminded_on=march(4))
    settings = Settings(min_days=10, is_business_day=is_weekday)
    assert foretell(customer=customer, settings=settings) == [
        (march(16), 1),
        (march(26), 2),
        (march(37), 3),
    ]


def test_forecast_is_empty_for_who_answered():
    assert foretell(replace(QUOTATION, answered_at=at(1))) == []
