"""What holds for every verdict, searched for counter-examples.

The second half judges everything twice: by the rule, and by an oracle that is slow,
plainly wrong in nothing, and shares no line with it.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.cadence import DOCUMENT_DATE, DUE_DATE, PREVIOUS, Level, levels_sent
from rules.verdict import (
    EARLY,
    Address,
    Code,
    Customer,
    Document,
    Mode,
    Settings,
    Standing,
    forecast,
    judge,
    next_level,
    suggest,
)

START = date(2026, 3, 1)
#: longer than any pause, rest, offset and chain of levels below put together
HORIZON = 300


def day_number(number):
    return START + timedelta(days=number)


# --- the cases --------------------------------------------------------------------

days = st.sampled_from([day_number(number) for number in range(-30, 61)])
todays = st.sampled_from([day_number(number) for number in range(91)])
# few, so that they meet
INSTANTS = [datetime(2026, 3, day, hour) for day in (1, 2) for hour in (9, 15)]
instants = st.sampled_from(INSTANTS)


class Week:
    """Tells business days by the day of the week, and shows itself in reports."""

    def __init__(self, weekdays):
        self.weekdays = weekdays

    def __call__(self, day):
        return day.weekday() in self.weekdays

    def __repr__(self):
        return f"Week({sorted(self.weekdays)})"


weeks = st.sampled_from(
    [Week(weekdays) for weekdays in [range(5), {0, 3}, {6}, range(7), ()]]
)


def stop(where, **facts):
    """Draw facts that speak, or may speak, against sending."""
    return st.tuples(st.just(where), st.fixed_dictionaries(facts))


yes = st.just(True)
stops = st.one_of(
    stop("document", standing=st.sampled_from(list(Standing)[1:])),
    stop("document", address=st.sampled_from(list(Address)[1:])),
    stop("document", excluded=yes),
    stop("document", paused_until=days),
    stop("document", answered_at=instants),
    stop("document", objections=st.just(("In dispute.",))),
    stop("document", credit=st.just(120.0)),
    stop("document", payable_on=days),
    stop("document", delivery_on=days),
    stop("document", waits_for_us=yes),
    stop("document", planned_on=days),
    stop("customer", excluded=yes),
    stop("customer", paused_until=days),
    stop("customer", reminded_on=days),
    stop("settings", automatic=st.just(False)),
    stop("settings", conflict=yes),
    stop("settings", min_days=st.integers(-1, 20)),
    stop("settings", is_business_day=weeks),
)
# Series and documents come from two boxes, filled by throwing dice: drawing their facts
# one by one takes many times as long. The simple ones lie on top.
dice = Random(19)


def one_of_ten():
    return dice.random() < 0.1


def random_day():
    return day_number(dice.randint(-30, 60))


def random_level(template):
    """Return a level that may have its turn, or one that something is wrong with."""
    trigger = dice.choice([DUE_DATE, DUE_DATE, DOCUMENT_DATE, PREVIOUS])
    if template == 1 and not one_of_ten():
        trigger = dice.choice([DUE_DATE, DOCUMENT_DATE])
    offset = dice.randint(-5, 25)
    level = Level(template, trigger, offset, True, True, day_number(-60))
    flaws = [
        {"offset": None},
        {"complete": False},
        {"automatic": False},
        {"active_from": None},
        {"active_from": random_day()},
        {"active_from": random_day()},
        {"min_amount": 500.0},
        {"min_amount": 500.0},
    ]
    return replace(level, **(dice.choice(flaws) if dice.random() < 0.25 else {}))


def random_series():
    return tuple(random_level(rank + 1) for rank in range(dice.randint(1, 4)))


def random_document():
    """Return one that is chased; levels were sent to it by anyone, in any order."""
    count = dice.choice([0, 0, 0, 1, 1, 2, 3])
    return Document(
        document_date=random_day(),
        due_date=None if one_of_ten() else random_day(),
        amount=dice.choice([499.99, 500.0]),
        # the ninth is of another series
        sent={key: random_day() for key in dice.sample([1, 1, 2, 3, 4, 9], count)},
        failed={dice.randint(1, 4)} if one_of_ten() else (),
    )


series = st.sampled_from(sorted((random_series() for _ in range(1000)), key=len))
documents = st.sampled_from(
    sorted((random_document() for _ in range(1000)), key=lambda one: len(one.sent))
)


@st.composite
def cases(draw, modes=tuple(Mode)):
    """Return everything a verdict is asked with, as arguments by name."""
    drawn = draw(series)
    case = {
        "document": draw(documents),
        "customer": Customer(),
        "series": drawn,
        "level": draw(st.sampled_from(drawn)),
        "settings": Settings(),
        "today": draw(todays),
        "mode": draw(st.sampled_from(modes)),
        "by_email": draw(st.booleans()),
    }
    for where, facts in draw(st.lists(stops, max_size=2)):
        case[where] = replace(case[where], **facts)
    return case


automatic_cases = cases([Mode.AUTOMATIC])


@st.composite
def _due_cases(draw):
    """Return cases in which some level is sent automatically today."""
    case = draw(automatic_cases)
    level = next_level(case["document"], case["series"])
    assume(level)
    day = judge(**{**case, "level": level}).next_date
    assume(day)
    return {**case, "level": level, "today": day}


due_cases = _due_cases()


def claim(examples=200, **facts):
    """Search the same counter-examples in every run, on every machine."""
    steady = settings(
        max_examples=examples, derandomize=True, database=None, deadline=None
    )
    return lambda test: steady(given(**facts)(test))


# --- every verdict ----------------------------------------------------------------


@claim(case=cases())
def test_sent_exactly_if_there_is_no_reason(case):
    verdict = judge(**case)
    assert verdict.send is (not verdict.reasons)


@claim(case=cases())
def test_reasons_are_told_once_and_in_the_order_of_the_codes(case):
    codes = [reason.code for reason in judge(**case).reasons]
    assert codes == [code for code in Code if code in codes]


@claim(case=cases())
def test_reason_that_passes_speaks_until_its_day_and_no_longer(case):
    for reason in judge(**case).reasons:
        if reason.until is None:
            continue
        assert reason.until > case["today"]
        later = judge(**{**case, "today": reason.until})
        assert reason.code not in later.codes
        eve = judge(**{**case, "today": reason.until - timedelta(days=1)})
        assert reason.code in eve.codes


@claim(case=cases())
def test_next_date_is_the_first_day_on_which_the_verdict_is_yes(case):
    next_date = judge(**case).next_date
    last = next_date or case["today"] + timedelta(days=HORIZON)
    day = case["today"]
    while day < last:
        assert not judge(**{**case, "today": day}).send
        day += timedelta(days=1)
    assert judge(**{**case, "today": last}).send is (next_date is not None)


@claim(case=cases())
def test_next_date_is_none_exactly_if_a_reason_does_not_pass_with_time(case):
    verdict = judge(**case)
    stays = any(reason.until is None for reason in verdict.reasons)
    is_business_day = case["settings"].is_business_day
    if not is_business_day or is_business_day.weekdays:
        assert (verdict.next_date is None) is stays
    else:
        assert verdict.next_date is None


@claim(case=cases())
def test_person_is_refused_nothing_but_what_is_impossible(case):
    verdict = judge(**case)
    document = case["document"]
    impossible = document.standing is Standing.CLOSED or (
        case["by_email"] and document.address is Address.MISSING
    )
    assert any(reason.hard for reason in verdict.reasons) is impossible


@claim(case=cases())
def test_what_stops_a_person_stops_the_automatic_run(case):
    manual = judge(**{**case, "mode": Mode.MANUAL})
    bulk = judge(**{**case, "mode": Mode.BULK})
    automatic = judge(**{**case, "mode": Mode.AUTOMATIC})
    assert bulk.codes <= manual.codes
    assert manual.codes - EARLY <= automatic.codes


@claim(case=cases())
def test_a_person_is_never_told_a_later_day_for_a_level_than_the_series_says(case):
    manual = judge(**{**case, "mode": Mode.MANUAL})
    automatic = judge(**{**case, "mode": Mode.AUTOMATIC})
    day = {reason.code: reason.until for reason in automatic.reasons}
    for reason in manual.reasons:
        if reason.code is Code.NOT_DUE and Code.NOT_DUE in day:
            assert reason.until == day[Code.NOT_DUE]


@claim(case=cases(), data=st.data())
def test_order_of_facts_makes_no_difference(case, data):
    document = case["document"]
    shuffled = dict(data.draw(st.permutations(sorted(document.sent.items()))))
    failed = data.draw(st.permutations(sorted(document.failed)))
    other = replace(document, sent=shuffled, failed=failed)
    assert judge(**{**case, "document": other}) == judge(**case)


@claim(case=cases(), day=days)
def test_levels_of_other_series_make_no_difference(case, day):
    document = case["document"]
    other = replace(document, sent={**document.sent, 77: day})
    assert judge(**{**case, "document": other}) == judge(**case)


# --- the ends of the calendar -----------------------------------------------------

any_days = st.sampled_from([date.min, date.max, START]) | st.dates()
huge = st.sampled_from([10**7, -(10**7), 10**12, 0, 1])


@claim(
    dates=st.tuples(*[st.none() | any_days] * 6),
    dated=any_days,
    offsets=st.tuples(huge, huge),
    triggers=st.tuples(*[st.sampled_from([DUE_DATE, DOCUMENT_DATE, PREVIOUS])] * 2),
    sent=st.dictionaries(st.integers(1, 2), any_days),
    min_days=huge,
    today=any_days,
    mode=st.sampled_from(list(Mode)),
)
def test_no_date_and_no_number_of_days_is_too_far(
    dates, dated, offsets, triggers, sent, min_days, today, mode
):
    due, payable, delivery, planned, paused, reminded = dates
    document = Document(
        dated,
        due,
        payable_on=payable,
        delivery_on=delivery,
        planned_on=planned,
        paused_until=paused,
        sent=sent,
    )
    customer = Customer(paused_until=paused, reminded_on=reminded)
    levels = tuple(
        Level(rank, trigger, offset, True, True, date.min)
        for rank, (trigger, offset) in enumerate(zip(triggers, offsets, strict=True), 1)
    )
    company = Settings(min_days=min_days, is_business_day=Week(range(5)))
    for level in levels:
        judge(document, customer, levels, level, company, today, mode=mode)
    list(forecast(document, customer, levels, company, today, date.max))


# --- stops ------------------------------------------------------------------------


@claim(case=cases(), one=stops)
def test_turning_on_a_stop_never_makes_a_no_a_yes(case, one):
    where, facts = one
    # a stop that is on already is turned off first: it may have been a stricter one
    off = {"document": Document(START), "customer": Customer(), "settings": Settings()}
    without = {name: getattr(off[where], name) for name in facts}
    before = {**case, where: replace(case[where], **without)}
    after = {**case, where: replace(case[where], **facts)}
    assert judge(**before).codes <= judge(**after).codes
    assert judge(**before).send or not judge(**after).send


@claim(
    case=automatic_cases,
    stop=st.sampled_from(
        [
            {"automatic": False},
            {"active_from": None},
            {"active_from": date(2030, 1, 1)},
            {"complete": False},
            {"offset": None},
            {"min_amount": 10_000.0},
        ]
    ),
)
def test_level_that_is_stopped_is_not_sent(case, stop):
    stopped = replace(case["level"], **stop)
    case["series"] = tuple(
        stopped if level.template == stopped.template else level
        for level in case["series"]
    )
    assert not judge(**{**case, "level": stopped}).send


@claim(case=cases(), answer=instants)
def test_nothing_is_sent_after_an_answer(case, answer):
    document = replace(case["document"], answered_at=answer)
    verdict = judge(**{**case, "document": document})
    assert Code.ANSWERED in verdict.codes
    assert verdict.next_date is None


# --- levels -----------------------------------------------------------------------


@claim(case=automatic_cases)
def test_level_is_sent_once(case):
    document, level = case["document"], case["level"]
    document = replace(document, sent={**document.sent, level.template: case["today"]})
    verdict = judge(**{**case, "document": document})
    assert Code.ALREADY_SENT in verdict.codes
    assert verdict.next_date is None


@claim(case=automatic_cases, since=days)
def test_nothing_is_sent_before_active_from(case, since):
    level = replace(case["level"], active_from=since)
    case["series"] = tuple(
        level if other.template == level.template else other for other in case["series"]
    )
    next_date = judge(**{**case, "level": level}).next_date
    assert next_date is None or next_date >= since


@claim(case=automatic_cases)
def test_at_most_one_level_is_due_and_it_is_the_next_one(case):
    next_one = next_level(case["document"], case["series"])
    for level in case["series"]:
        if judge(**{**case, "level": level}).next_date is not None:
            assert level == next_one


@claim(case=automatic_cases)
def test_next_level_has_a_day_unless_somebody_stops_it(case):
    level = next_level(case["document"], case["series"])
    assume(level)
    free = {
        "document": replace(
            case["document"],
            standing=Standing.CHASED,
            address=Address.USABLE,
            excluded=False,
            paused_until=None,
            answered_at=None,
            objections=(),
            credit=0.0,
        ),
        "customer": Customer(),
        "settings": Settings(),
        "level": level,
    }
    verdict = judge(**{**case, **free})
    assert verdict.codes <= {Code.NOT_DUE}
    assert verdict.next_date


@claim(document=documents, drawn=series)
def test_suggestion_is_never_a_step_back(document, drawn):
    suggestion = suggest(document.sent, drawn)
    templates = [level.template for level in drawn]
    ranks = [templates.index(key) for key in document.sent if key in templates]
    wanted = min(max(ranks, default=-1) + 1, len(drawn) - 1)
    assert suggestion == drawn[wanted]


@claim(
    reminders=st.lists(st.tuples(st.integers(1, 3), days)),
    data=st.data(),
)
def test_levels_sent_forgets_the_order(reminders, data):
    levels = levels_sent(reminders)
    assert levels_sent(data.draw(st.permutations(reminders))) == levels
    assert set(levels) == {template for template, _day in reminders}
    for template, day in levels.items():
        assert day == max(one[1] for one in reminders if one[0] == template)


# --- day after day ----------------------------------------------------------------


def one_run(case, today):
    """Run once: give the case after it, and the template sent or ``None``."""
    level = next_level(case["document"], case["series"])
    if level is None or not judge(**{**case, "level": level, "today": today}).send:
        return case, None
    document = case["document"]
    after = {
        "document": replace(document, sent={**document.sent, level.template: today}),
        "customer": replace(case["customer"], reminded_on=today),
    }
    return {**case, **after}, level.template


@claim(case=due_cases)
def test_second_run_of_a_day_sends_nothing_more(case):
    case, template = one_run(case, case["today"])
    assert template
    again, nothing = one_run(case, case["today"])
    assert nothing is None
    assert again == case
    for level in case["series"]:
        assert not judge(**{**case, "level": level}).send


@claim(
    case=automatic_cases,
    runs=st.lists(st.integers(0, 2), min_size=20, max_size=80),
    by_hand=st.dictionaries(st.integers(0, 19), st.integers(1, 4), max_size=2),
)
def test_runs_with_outages_send_each_level_once_in_order_one_a_day(case, runs, by_hand):
    templates = {level.template for level in case["series"]}
    days_sent = []
    for number, times in enumerate(runs):
        today = day_number(number)
        for _time in range(times):
            done = templates.intersection(case["document"].sent)
            case, template = one_run(case, today)
            if template:
                assert template > max(done, default=0)
                days_sent.append(today)
        if number in by_hand:
            document = case["document"]
            sent = {**document.sent, by_hand[number]: today}
            case["document"] = replace(document, sent=sent)
    assert len(set(days_sent)) == len(days_sent)


@claim(
    offsets=st.lists(st.integers(-5, 40), min_size=2, max_size=5, unique=True).map(
        sorted
    ),
    trigger=st.sampled_from([DUE_DATE, DOCUMENT_DATE]),
    runs=st.lists(st.booleans(), min_size=20, max_size=150),
)
def test_late_levels_keep_the_difference_of_their_offsets(offsets, trigger, runs):
    drawn = tuple(
        Level(rank, trigger, offset, True, True, date(2020, 1, 1))
        for rank, offset in enumerate(offsets, 1)
    )
    case = {
        "document": Document(START, START),
        "customer": Customer(),
        "series": drawn,
        "settings": Settings(),
    }
    days_sent = []
    for number, runs_today in enumerate(runs):
        if runs_today:
            case, template = one_run(case, day_number(number))
            if template:
                days_sent.append(number)
    for offset, day in zip(offsets, days_sent, strict=False):
        assert day >= offset
    for rank in range(1, len(days_sent)):
        distance = days_sent[rank] - days_sent[rank - 1]
        assert distance >= offsets[rank] - offsets[rank - 1]


@claim(case=automatic_cases)
def test_forecast_is_what_daily_runs_send(case):
    last_day = case["today"] + timedelta(days=60)
    told = list(
        forecast(
            case["document"],
            case["customer"],
            case["series"],
            case["settings"],
            case["today"],
            last_day,
        )
    )
    case["by_email"] = True
    seen, day = [], case["today"]
    while day <= last_day:
        case, template = one_run(case, day)
        if template:
            seen.append((day, template))
        day += timedelta(days=1)
    assert [(item.day, item.level.template) for item in told] == seen


# --- the same, told differently ---------------------------------------------------


def sent_ranks(document, series, rank):
    """Return the places below ``rank`` whose level was sent."""
    return [low for low in range(rank) if series[low].template in document.sent]


def previous_day(document, series, rank):
    below = sent_ranks(document, series, rank)
    return max((document.sent[series[low].template] for low in below), default=None)


def planned_day(document, series, rank):
    """Return when a level would go out if all below it, that were sent, had in time."""
    level = series[rank]
    if level.offset is None:
        return None
    if level.trigger is PREVIOUS:
        below = sent_ranks(document, series, rank)
        base = planned_day(document, series, below[-1]) if below else None
    else:
        base = {
            DUE_DATE: document.due_date,
            DOCUMENT_DATE: document.document_date,
        }[level.trigger]
    return base and base + timedelta(days=level.offset)


def first_own_day(document, series, rank):
    level = series[rank]
    if level.trigger is not PREVIOUS or level.offset is None:
        return planned_day(document, series, rank)
    previous = previous_day(document, series, rank)
    return previous and previous + timedelta(days=level.offset)


def is_left_out(document, series, rank):
    level = series[rank]
    own = first_own_day(document, series, rank)
    return not (
        level.automatic
        and level.complete
        and own
        and level.active_from
        and own >= level.active_from
        and document.amount >= level.min_amount
        and level.template not in document.failed
    )


def has_its_turn(document, series, rank, today):
    """Tell whether it is this level's turn and day."""
    was_sent = [level.template in document.sent for level in series]
    if any(was_sent[rank:]) or is_left_out(document, series, rank):
        return False
    below = sent_ranks(document, series, rank)
    for low in range(below[-1] + 1 if below else 0, rank):
        if not is_left_out(document, series, low):
            return False
    if today < first_own_day(document, series, rank):
        return False
    if below:
        rest = (today - previous_day(document, series, rank)).days
        plans = [planned_day(document, series, one) for one in (below[-1], rank)]
        meant = (plans[1] - plans[0]).days if all(plans) else 1
        return rest >= 1 and rest >= meant
    return True


def may_bother(document, customer, company, today, by_email):
    """Tell whether document, customer and day allow a reminder at all."""
    quiet = document.answered_at is None
    rested = (
        customer.reminded_on is None
        or company.min_days <= 0
        or (today - customer.reminded_on).days >= company.min_days
    )
    pauses = [document.paused_until, customer.paused_until]
    return (
        document.standing is Standing.CHASED
        and (document.address is Address.USABLE or not by_email)
        and not document.excluded
        and not document.objections
        and not document.credit
        and not customer.excluded
        and all(pause is None or pause <= today for pause in pauses)
        and quiet
        and rested
        and (company.is_business_day is None or company.is_business_day(today))
    )


def is_early(document, series, rank, today):
    """Tell whether a person would call it too early."""
    level = series[rank]
    coming = [document.delivery_on, document.planned_on]
    if level.trigger is not DUE_DATE or level.offset is None or level.offset >= 0:
        coming.append(document.payable_on)
    if level.template not in document.sent:
        coming.append(first_own_day(document, series, rank))
        if below := sent_ranks(document, series, rank):
            plans = [planned_day(document, series, one) for one in (below[-1], rank)]
            meant = (plans[1] - plans[0]).days if all(plans) else 1
            last = previous_day(document, series, rank)
            coming.append(last + timedelta(days=max(1, meant)))
    return document.waits_for_us or any(day and day > today for day in coming)


def oracle(document, customer, series, level, settings, today, mode, by_email):
    """Tell whether to send, with everything looked up anew and no reason given."""
    if not may_bother(document, customer, settings, today, by_email):
        return False
    rank = [one.template for one in series].index(level.template)
    sent_on = document.sent.get(level.template)
    if mode is not Mode.AUTOMATIC and is_early(document, series, rank, today):
        return False
    if mode is Mode.MANUAL:
        return sent_on is None
    if mode is Mode.BULK:
        return sent_on is None or (rank == len(series) - 1 and sent_on < today)
    allowed = settings.automatic and not settings.conflict
    return allowed and has_its_turn(document, series, rank, today)


@claim(examples=2000, case=cases())
def test_verdict_is_the_oracles(case):
    assert judge(**case).send is oracle(**case)


@claim(examples=500, case=automatic_cases)
def test_next_date_is_the_first_the_oracle_says_yes_to(case):
    coming = (case["today"] + timedelta(days=number) for number in range(HORIZON))
    first = next((day for day in coming if oracle(**{**case, "today": day})), None)
    assert judge(**case).next_date == first
