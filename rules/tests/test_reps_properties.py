"""What holds for representatives whoever they are, searched for counter-examples."""

from functools import partial
from itertools import permutations, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.reps import (
    KEEP,
    NOBODY,
    Finding,
    Reps,
    Slots,
    align,
    assign,
    clear,
    on_document,
    replace,
    replace_on_document,
    restore,
    restore_customer,
    unassign,
    write,
)

# Few users, so that they meet often; the last one is never in place beforehand.
IN_PLACE = range(1, 5)
user = st.integers(1, 5)
maybe_user = st.none() | user
people = st.lists(user, max_size=4)
permitted = st.frozensets(user)
slots = st.sampled_from([Slots(*pair) for pair in product([True, False], repeat=2)])

LINES = [line for size in range(5) for line in permutations(IN_PLACE, size)]
members = st.sampled_from(LINES)

#: a customer's representatives
customer = st.sampled_from(
    [Reps(lead, line) for line in LINES for lead in line or [None]]
)
#: a document's: its seller need not be a follower
document = st.builds(Reps, maybe_user, members)


def is_coherent(reps):
    """Tell whether a customer may have these: a lead who is a member, or nobody."""
    return reps.lead in reps.members if reps.members else reps.lead is None


writes = st.builds(
    partial,
    st.just(write),
    lead=st.just(KEEP) | maybe_user,
    members=st.just(KEEP) | members,
    named=people,
)
assigns = st.builds(partial, st.just(assign), users=people, lead=maybe_user)
unassigns = st.builds(partial, st.just(unassign), users=people, lead=maybe_user)
replaces = st.builds(
    partial, st.just(replace), leaver=user, joiner=user, lead=maybe_user
)
bulk_changes = assigns | unassigns | replaces | st.just(clear)
changes = writes | bulk_changes

aligns = st.builds(
    partial, st.just(align), customer=customer, permitted=permitted, slots=slots
)
document_replaces = st.builds(
    partial,
    st.just(replace_on_document),
    leaver=user,
    joiner=user,
    permitted=permitted,
    slots=slots,
)
propagations = aligns | document_replaces


def claim(**facts):
    """Search the same counter-examples in every run, on every machine."""
    steady = settings(max_examples=60, derandomize=True, database=None, deadline=None)
    return lambda test: steady(given(**facts)(test))


# --- every change of a customer ---------------------------------------------------


@claim(old=customer, change=changes)
def test_every_change_leaves_a_lead_among_the_members_or_nobody(old, change):
    assert is_coherent(change(old))


@claim(old=customer, change=changes)
def test_nobody_is_a_member_twice(old, change):
    after = change(old).members
    assert len(after) == len(set(after))


@claim(old=customer, change=bulk_changes)
def test_who_stays_keeps_their_place_in_line(old, change):
    after = change(old).members
    stayed = [user for user in old.members if user in after]
    assert list(after[: len(stayed)]) == stayed


@claim(old=customer, change=bulk_changes)
def test_bulk_change_applied_twice_is_applied_once(old, change):
    once = change(old)
    assert change(once) == once


# --- write ------------------------------------------------------------------------


@claim(old=customer, lead=user)
def test_written_salesperson_leads(old, lead):
    assert write(old, lead=lead).lead == lead


@claim(old=customer, lead=user)
def test_written_salesperson_pushes_out_nobody_but_the_old_lead(old, lead):
    after = write(old, lead=lead)
    assert set(old.members) - set(after.members) <= {old.lead}
    assert set(after.members) - set(old.members) <= {lead}


@claim(old=customer)
def test_clearing_the_salesperson_removes_just_them(old):
    assert write(old, lead=None) == unassign(old, [old.lead])


@claim(old=customer, given=members, named=people)
def test_written_reps_are_exactly_those_given(old, given, named):
    assert write(old, members=given, named=named).members == given


@claim(old=customer, given=members, named=people)
def test_lead_among_the_written_reps_stays(old, given, named):
    assume(old.lead in given)
    assert write(old, members=given, named=named).lead == old.lead


@claim(old=customer, lead=user, given=members, named=people)
def test_lead_and_reps_written_together_both_hold(old, lead, given, named):
    after = write(old, lead, given, named)
    assert after.lead == lead
    assert set(after.members) == {*given, lead}


@claim(old=customer, other=customer, lead=maybe_user, given=members, named=people)
def test_lead_and_reps_written_together_forget_what_was(old, other, lead, given, named):
    assert write(old, lead, given, named) == write(other, lead, given, named)


# --- assign -----------------------------------------------------------------------


@claim(old=customer, users=people, lead=maybe_user)
def test_assign_never_removes_and_adds_only_who_is_named(old, users, lead):
    added = {*users, *([lead] if lead else [])}
    assert set(assign(old, users, lead).members) == {*old.members, *added}


@claim(old=customer, users=people)
def test_assign_without_a_chosen_lead_never_moves_the_lead(old, users):
    assume(old.lead)
    assert assign(old, users).lead == old.lead


@claim(old=customer, users=people, lead=user)
def test_assign_makes_the_chosen_lead_lead(old, users, lead):
    assert assign(old, users, lead).lead == lead


@claim(old=customer, data=st.data(), users=people, lead=maybe_user)
def test_assign_does_not_depend_on_the_order_unless_nobody_leads(
    old, data, users, lead
):
    assume(old.lead or lead)
    shuffled = data.draw(st.permutations(users))
    assert assign(old, users, lead).same_people(assign(old, shuffled, lead))


@claim(old=customer, first=people, second=people)
def test_assign_in_two_goes_is_assign_in_one(old, first, second):
    assert assign(assign(old, first), second) == assign(old, first + second)


# --- unassign ---------------------------------------------------------------------


@claim(old=customer, users=people, lead=maybe_user)
def test_unassign_only_removes_and_only_who_is_named(old, users, lead):
    after = unassign(old, users, lead).members
    assert set(after) == set(old.members) - set(users)


@claim(old=customer, users=people)
def test_unassign_never_moves_a_lead_who_stays(old, users):
    assume(old.lead not in users)
    assert unassign(old, users).lead == old.lead


@claim(old=customer, data=st.data(), users=people, lead=maybe_user)
def test_unassign_does_not_depend_on_the_order(old, data, users, lead):
    shuffled = data.draw(st.permutations(users))
    assert unassign(old, users, lead) == unassign(old, shuffled, lead)


@claim(old=customer, first=people, second=people)
def test_unassign_in_two_goes_is_unassign_in_one(old, first, second):
    assert unassign(unassign(old, first), second) == unassign(old, first + second)


@claim(old=customer, users=people)
def test_unassign_takes_back_what_assign_added(old, users):
    new = [user for user in users if user not in old]
    assert unassign(assign(old, new), new) == old


# --- replace ----------------------------------------------------------------------


@claim(old=customer, leaver=user, joiner=user, lead=maybe_user)
def test_replace_keeps_the_count_or_shrinks_by_one_if_the_joiner_was_in_place(
    old, leaver, joiner, lead
):
    met = leaver != joiner and leaver in old and joiner in old
    after = replace(old, leaver, joiner, lead)
    assert len(after.members) == len(old.members) - met


@claim(old=customer, leaver=user, joiner=user, lead=maybe_user)
def test_replace_puts_the_joiner_for_the_leaver_and_touches_nobody_else(
    old, leaver, joiner, lead
):
    after = replace(old, leaver, joiner, lead)
    others = {leaver, joiner}
    assert set(after.members) - others == set(old.members) - others
    if leaver in old:
        assert joiner in after
        assert leaver == joiner or leaver not in after


@claim(old=customer, leaver=user, joiner=user, lead=maybe_user)
def test_replace_changes_nothing_where_the_leaver_is_not(old, leaver, joiner, lead):
    assume(leaver not in old)
    assert replace(old, leaver, joiner, lead) == old


@claim(old=customer, leaver=user, joiner=user, lead=maybe_user)
def test_replace_moves_the_lead_only_from_the_leaver_or_to_who_was_chosen(
    old, leaver, joiner, lead
):
    after = replace(old, leaver, joiner, lead)
    assert after.lead in {old.lead, lead, joiner}
    if after.lead != old.lead:
        assert after.lead == lead or old.lead == leaver


@claim(old=customer, leaver=user, joiner=user)
def test_replace_is_taken_back_by_the_contrary_if_the_joiner_is_new(
    old, leaver, joiner
):
    assume(joiner not in old)
    there = replace(old, leaver, joiner)
    assert replace(there, joiner, leaver).same_people(old)


# --- who goes onto a document -----------------------------------------------------


@claim(reps=customer, permitted=permitted)
def test_only_reps_who_are_permitted_go_onto_a_document(reps, permitted):
    after = on_document(reps, permitted)
    assert is_coherent(after)
    assert set(after.members) == set(reps.members) & permitted


@claim(reps=customer, permitted=permitted)
def test_lead_of_a_document_is_the_customers_else_the_longest_in_place(reps, permitted):
    line = [reps.lead, *reps.members]
    first = next((user for user in line if user in permitted), None)
    assert on_document(reps, permitted).lead == first


# --- every propagation ------------------------------------------------------------


@claim(document=document, propagate=propagations)
def test_verdict_is_change_exactly_where_people_change(document, propagate):
    finding, new = propagate(document)
    if finding is Finding.CHANGE:
        assert not new.same_people(document)
    else:
        assert new == document


@claim(document=document, propagate=propagations)
def test_closed_slot_never_changes(document, propagate):
    slots = propagate.keywords["slots"]
    new = propagate(document).new
    assert slots.lead or new.lead == document.lead
    assert slots.members or new.members == document.members


@claim(document=document, propagate=propagations)
def test_nobody_who_is_not_permitted_is_put_on_a_document(document, propagate):
    permitted = propagate.keywords["permitted"]
    new = propagate(document).new
    assert new.lead == document.lead or new.lead in permitted
    assert set(new.members) - set(document.members) <= permitted


@claim(document=document, propagate=propagations, data=st.data())
def test_order_of_a_documents_members_makes_no_difference(document, propagate, data):
    shuffled = Reps(document.lead, tuple(data.draw(st.permutations(document.members))))
    outcome, other = propagate(document), propagate(shuffled)
    assert outcome.finding is other.finding
    assert outcome.new.same_people(other.new)


@claim(document=document, propagate=propagations)
def test_propagation_applied_twice_is_applied_once(document, propagate):
    once = propagate(document)
    twice = propagate(once.new)
    assert twice.new == once.new
    assert twice.finding is not Finding.CHANGE


# --- align ------------------------------------------------------------------------


@claim(document=document, align=aligns)
def test_document_just_aligned_is_right(document, align):
    finding, new = align(document)
    assume(finding is Finding.CHANGE)
    assert align(new) == (Finding.RIGHT, new)


@claim(document=document, reps=customer, permitted=permitted)
def test_align_with_both_slots_open_gives_the_customers_permitted_reps(
    document, reps, permitted
):
    finding, new = align(document, reps, permitted, Slots())
    assume(finding in {Finding.CHANGE, Finding.RIGHT})
    assert new.same_people(on_document(reps, permitted))


@claim(document=document, permitted=permitted, slots=slots)
def test_customer_nobody_follows_leaves_documents_alone(document, permitted, slots):
    outcome = align(document, NOBODY, permitted, slots)
    assert outcome == (Finding.NO_REP, document)


@claim(document=document, align=aligns)
def test_align_never_takes_everybody_off_a_document(document, align):
    new = align(document).new
    assert new.lead or not document.lead
    assert new.members or not document.members


# --- replace on a document --------------------------------------------------------


@claim(document=document, replace=document_replaces)
def test_replace_touches_only_where_the_leaver_stands(document, replace):
    leaver, joiner = replace.keywords["leaver"], replace.keywords["joiner"]
    new = replace(document).new
    if new.lead != document.lead:
        assert (document.lead, new.lead) == (leaver, joiner)
    if set(new.members) != set(document.members):
        assert leaver in document.members
        assert set(new.members) == {*document.members, joiner} - {leaver}


@claim(document=document, replace=document_replaces)
def test_replace_is_not_concerned_exactly_where_the_leaver_is_not(document, replace):
    absent = replace.keywords["leaver"] not in document
    assert (replace(document).finding is Finding.NOT_CONCERNED) is absent


@claim(document=document, leaver=user, joiner=user, permitted=permitted)
def test_leaver_is_gone_from_a_document_with_both_slots_open(
    document, leaver, joiner, permitted
):
    assume(leaver != joiner)
    finding, new = replace_on_document(document, leaver, joiner, permitted, Slots())
    assert (leaver in new) is (finding is Finding.NOT_PERMITTED)


@claim(old=customer, leaver=user, joiner=user, permitted=permitted)
def test_replace_on_an_aligned_document_does_as_on_its_customer(
    old, leaver, joiner, permitted
):
    assume(joiner in permitted)
    outcome = replace_on_document(old, leaver, joiner, permitted, Slots())
    assert outcome.new.same_people(replace(old, leaver, joiner))


# --- undo -------------------------------------------------------------------------


@claim(old=customer, change=changes)
def test_undoing_what_nobody_touched_gives_back_what_was(old, change):
    new = change(old)
    assert restore(new, old, new).same_people(old)


@claim(old=customer, change=changes)
def test_undoing_on_a_customer_nobody_touched_gives_back_what_was(old, change):
    new = change(old)
    assert restore_customer(new, old, new) == old


@claim(document=document, propagate=propagations)
def test_undoing_a_propagation_nobody_touched_gives_back_what_was(document, propagate):
    new = propagate(document).new
    assert restore(new, document, new) == document


@claim(old=customer, change=changes, since=changes)
def test_undo_leaves_the_values_that_changed_since(old, change, since):
    new = change(old)
    current = since(new)
    restored = restore(current, old, new)
    if current.lead != new.lead:
        assert restored.lead == current.lead
    if set(current.members) != set(new.members):
        assert restored.members == current.members


@claim(old=customer, change=changes, since=changes)
def test_undo_restores_the_values_that_did_not_change_since(old, change, since):
    new = change(old)
    current = since(new)
    restored = restore(current, old, new)
    if current.lead == new.lead:
        assert restored.lead == old.lead
    if set(current.members) == set(new.members):
        assert restored.members == old.members


@claim(old=document, new=document, current=document)
def test_undo_pressed_twice_does_nothing_more(old, new, current):
    once = restore(current, old, new)
    assert restore(once, old, new) == once


@claim(old=customer, new=customer, current=customer)
def test_undo_on_a_customer_leaves_a_lead_among_the_members_or_nobody(
    old, new, current
):
    assert is_coherent(restore_customer(current, old, new))


@claim(old=customer, new=customer, current=customer)
def test_undo_on_a_customer_changed_in_both_since_changes_nothing(old, new, current):
    assume(current.lead != new.lead)
    assume(set(current.members) != set(new.members))
    assert restore_customer(current, old, new) == current


@claim(old=customer, new=customer, current=customer)
def test_undo_on_a_customer_does_what_undo_asks_where_that_is_coherent(
    old, new, current
):
    asked = restore(current, old, new)
    assume(is_coherent(asked))
    assert restore_customer(current, old, new) == asked
