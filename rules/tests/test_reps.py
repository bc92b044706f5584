"""Who follows a customer and its documents, told case by case."""

import pytest

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

ANNA, BRUNO, CARLA, DINA, ELIO = 11, 12, 13, 14, 15
EVERYBODY = {ANNA, BRUNO, CARLA, DINA, ELIO}

# Anna leads, Bruno is the longest in place: so "next" and "first" differ
TEAM = Reps(ANNA, (BRUNO, ANNA, CARLA))
ALONE = Reps(ANNA, (ANNA,))

BOTH = Slots()
LEAD_ONLY = Slots(members=False)
MEMBERS_ONLY = Slots(lead=False)
NEITHER = Slots(lead=False, members=False)


# --- what representatives are -----------------------------------------------------


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (TEAM, True),
        (Reps(ANNA, (ANNA, BRUNO, CARLA)), True),
        (Reps(BRUNO, TEAM.members), False),
        (Reps(ANNA, (ANNA, BRUNO)), False),
        (Reps(ANNA, (*TEAM.members, DINA)), False),
    ],
)
def test_same_people_means_same_lead_and_same_members_in_any_order(other, same):
    assert TEAM.same_people(other) is same
    assert other.same_people(TEAM) is same


@pytest.mark.parametrize(
    ("user", "stands"), [(DINA, True), (BRUNO, True), (ANNA, False)]
)
def test_user_stands_on_a_record_as_lead_or_as_member(user, stands):
    assert (user in Reps(DINA, (BRUNO,))) is stands


# --- R1: writing the Salesperson --------------------------------------------------


def test_new_salesperson_who_was_no_rep_replaces_the_old_lead():
    assert write(TEAM, lead=DINA) == Reps(DINA, (BRUNO, CARLA, DINA))


def test_new_salesperson_who_was_a_rep_only_moves_the_lead():
    assert write(TEAM, lead=CARLA) == Reps(CARLA, TEAM.members)


def test_clearing_the_salesperson_takes_them_off_and_the_next_one_leads():
    assert write(TEAM, lead=None) == Reps(BRUNO, (BRUNO, CARLA))


def test_clearing_the_only_representative_leaves_nobody():
    assert write(ALONE, lead=None) == NOBODY


def test_first_salesperson_is_the_first_representative():
    assert write(NOBODY, lead=DINA) == Reps(DINA, (DINA,))


@pytest.mark.parametrize("old", [NOBODY, ALONE, TEAM])
def test_writing_the_same_salesperson_changes_nothing(old):
    assert write(old, lead=old.lead) == old


@pytest.mark.parametrize("old", [NOBODY, ALONE, TEAM])
def test_write_that_mentions_neither_changes_nothing(old):
    assert write(old) == old
    assert write(old, KEEP, KEEP, named=[DINA]) == old


# --- R1: writing the representatives ----------------------------------------------


@pytest.mark.parametrize(
    ("members", "named", "after"),
    [
        pytest.param(
            (BRUNO, CARLA, DINA),
            (DINA, CARLA),
            Reps(DINA, (BRUNO, CARLA, DINA)),
            id="the one named first",
        ),
        pytest.param(
            (BRUNO, CARLA),
            (),
            Reps(BRUNO, (BRUNO, CARLA)),
            id="else the longest in place",
        ),
        pytest.param(
            (BRUNO, CARLA),
            (ELIO, CARLA),
            Reps(CARLA, (BRUNO, CARLA)),
            id="named but not a member does not lead",
        ),
        pytest.param((), (), NOBODY, id="nobody left to lead"),
    ],
)
def test_writing_reps_without_the_lead_hands_the_lead_to_one_of_them(
    members, named, after
):
    assert write(TEAM, members=members, named=named) == after


def test_writing_reps_with_the_lead_among_them_keeps_the_lead():
    after = write(TEAM, members=(BRUNO, DINA, ANNA), named=(DINA, ANNA))
    assert after == Reps(ANNA, (BRUNO, DINA, ANNA))


def test_first_reps_get_the_one_named_first_as_lead():
    after = write(NOBODY, members=(CARLA, BRUNO), named=(CARLA, BRUNO))
    assert after == Reps(CARLA, (CARLA, BRUNO))


def test_emptying_the_reps_clears_the_salesperson():
    assert write(TEAM, members=()) == NOBODY


def test_rep_written_twice_is_there_once():
    assert write(NOBODY, members=(BRUNO, BRUNO, ANNA)).members == (BRUNO, ANNA)


# --- R1: both in one write --------------------------------------------------------


@pytest.mark.parametrize(
    ("lead", "members", "named", "after"),
    [
        pytest.param(
            DINA,
            (BRUNO, CARLA),
            (BRUNO, CARLA),
            Reps(DINA, (BRUNO, CARLA, DINA)),
            id="the lead is added to the reps given",
        ),
        pytest.param(
            CARLA,
            (BRUNO, CARLA),
            (BRUNO, CARLA),
            Reps(CARLA, (BRUNO, CARLA)),
            id="the lead leads, not the one named first",
        ),
        pytest.param(DINA, (), (), Reps(DINA, (DINA,)), id="a lead without reps"),
        pytest.param(
            None,
            (BRUNO, CARLA),
            (CARLA, BRUNO),
            Reps(CARLA, (BRUNO, CARLA)),
            id="no lead: the one named first",
        ),
        pytest.param(
            None,
            (BRUNO, CARLA),
            (),
            Reps(BRUNO, (BRUNO, CARLA)),
            id="no lead, none named: the longest in place",
        ),
        pytest.param(None, (), (), NOBODY, id="nobody"),
    ],
)
def test_lead_and_reps_in_one_write(lead, members, named, after):
    assert write(TEAM, lead, members, named) == after


# --- R2, R3: assign ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "users", "lead", "after"),
    [
        pytest.param(
            TEAM,
            [DINA, ELIO],
            None,
            Reps(ANNA, (BRUNO, ANNA, CARLA, DINA, ELIO)),
            id="adding keeps everybody and the lead",
        ),
        pytest.param(
            TEAM,
            [DINA],
            DINA,
            Reps(DINA, (BRUNO, ANNA, CARLA, DINA)),
            id="a chosen lead leads and the old one stays",
        ),
        pytest.param(
            TEAM,
            [DINA],
            ELIO,
            Reps(ELIO, (BRUNO, ANNA, CARLA, DINA, ELIO)),
            id="a chosen lead is added too",
        ),
        pytest.param(
            TEAM,
            [],
            CARLA,
            Reps(CARLA, TEAM.members),
            id="only a lead, who is there already",
        ),
        pytest.param(
            NOBODY,
            [CARLA, BRUNO],
            None,
            Reps(CARLA, (CARLA, BRUNO)),
            id="the one named first leads where nobody did",
        ),
        pytest.param(TEAM, [CARLA, ANNA], None, TEAM, id="already as asked"),
        pytest.param(TEAM, [], None, TEAM, id="nobody to add"),
        pytest.param(NOBODY, [], None, NOBODY, id="nobody to add to nobody"),
        pytest.param(
            ALONE,
            [DINA, DINA],
            None,
            Reps(ANNA, (ANNA, DINA)),
            id="somebody named twice is added once",
        ),
    ],
)
def test_assign_adds_and_never_removes(old, users, lead, after):
    assert assign(old, users, lead) == after


# --- R2, R3: unassign -------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "users", "lead", "after"),
    [
        pytest.param(
            TEAM, [CARLA], None, Reps(ANNA, (BRUNO, ANNA)), id="the lead stays"
        ),
        pytest.param(
            TEAM,
            [ANNA],
            None,
            Reps(BRUNO, (BRUNO, CARLA)),
            id="removing the lead promotes the longest in place",
        ),
        pytest.param(
            TEAM,
            [ANNA],
            CARLA,
            Reps(CARLA, (BRUNO, CARLA)),
            id="a chosen lead takes over",
        ),
        pytest.param(
            TEAM,
            [ANNA],
            DINA,
            Reps(BRUNO, (BRUNO, CARLA)),
            id="a chosen lead who is no rep here is not brought in",
        ),
        pytest.param(
            TEAM,
            [CARLA],
            DINA,
            Reps(ANNA, (BRUNO, ANNA)),
            id="a chosen lead who is no rep here leaves the lead where it is",
        ),
        pytest.param(
            TEAM,
            [ANNA, CARLA],
            CARLA,
            Reps(BRUNO, (BRUNO,)),
            id="a chosen lead who leaves does not lead",
        ),
        pytest.param(ALONE, [ANNA], None, NOBODY, id="the last one clears the lead"),
        pytest.param(TEAM, [*TEAM.members], None, NOBODY, id="everybody leaves"),
        pytest.param(TEAM, [DINA], None, TEAM, id="already as asked"),
        pytest.param(TEAM, [], None, TEAM, id="nobody to remove"),
        pytest.param(NOBODY, [ANNA], None, NOBODY, id="nobody to remove from"),
    ],
)
def test_unassign_removes_and_promotes_who_remains(old, users, lead, after):
    assert unassign(old, users, lead) == after


# --- R2: replace, clear -----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "leaver", "joiner", "lead", "after"),
    [
        pytest.param(
            TEAM,
            ANNA,
            DINA,
            None,
            Reps(DINA, (BRUNO, CARLA, DINA)),
            id="who replaces the lead leads",
        ),
        pytest.param(
            TEAM,
            CARLA,
            DINA,
            None,
            Reps(ANNA, (BRUNO, ANNA, DINA)),
            id="who replaces another does not",
        ),
        pytest.param(
            TEAM,
            BRUNO,
            DINA,
            None,
            Reps(ANNA, (ANNA, CARLA, DINA)),
            id="the new one is the shortest in place",
        ),
        pytest.param(
            TEAM,
            ANNA,
            BRUNO,
            None,
            Reps(BRUNO, (BRUNO, CARLA)),
            id="one who is there already takes over and keeps their place",
        ),
        pytest.param(
            TEAM,
            ANNA,
            DINA,
            CARLA,
            Reps(CARLA, (BRUNO, CARLA, DINA)),
            id="a chosen lead leads",
        ),
        pytest.param(
            TEAM,
            CARLA,
            DINA,
            DINA,
            Reps(DINA, (BRUNO, ANNA, DINA)),
            id="the new one may be the chosen lead",
        ),
        pytest.param(
            TEAM,
            CARLA,
            DINA,
            ELIO,
            Reps(ANNA, (BRUNO, ANNA, DINA)),
            id="a chosen lead who is no rep here leaves the lead where it is",
        ),
        pytest.param(
            TEAM,
            ANNA,
            DINA,
            ELIO,
            Reps(DINA, (BRUNO, CARLA, DINA)),
            id="a chosen lead who is no rep here leaves the lead to the new one",
        ),
        pytest.param(
            TEAM,
            ANNA,
            DINA,
            ANNA,
            Reps(DINA, (BRUNO, CARLA, DINA)),
            id="a chosen lead who leaves does not lead",
        ),
        pytest.param(TEAM, ANNA, ANNA, None, TEAM, id="by themselves"),
        pytest.param(TEAM, DINA, ELIO, None, TEAM, id="not there"),
        pytest.param(TEAM, DINA, ELIO, ELIO, TEAM, id="not there, a lead chosen"),
        pytest.param(TEAM, DINA, BRUNO, BRUNO, TEAM, id="only the new one is there"),
        pytest.param(NOBODY, ANNA, BRUNO, None, NOBODY, id="nobody to replace"),
    ],
)
def test_replace_puts_the_joiner_wherever_the_leaver_is(
    old, leaver, joiner, lead, after
):
    assert replace(old, leaver, joiner, lead) == after


@pytest.mark.parametrize("old", [NOBODY, ALONE, TEAM])
def test_clear_removes_everybody_and_the_salesperson(old):
    assert clear(old) == NOBODY


# --- P2, P10: who goes onto a document --------------------------------------------


@pytest.mark.parametrize(
    ("permitted", "after"),
    [
        pytest.param(EVERYBODY, TEAM, id="all of them"),
        pytest.param(
            {BRUNO, ANNA}, Reps(ANNA, (BRUNO, ANNA)), id="who is permitted stays lead"
        ),
        pytest.param(
            {BRUNO, CARLA},
            Reps(BRUNO, (BRUNO, CARLA)),
            id="the lead falls back to the next permitted rep",
        ),
        pytest.param({CARLA}, Reps(CARLA, (CARLA,)), id="one of them"),
        pytest.param({DINA}, NOBODY, id="none of them"),
        pytest.param((), NOBODY, id="nobody"),
    ],
)
def test_only_permitted_reps_go_onto_a_document(permitted, after):
    assert on_document(TEAM, permitted) == after


# --- P2, P4, P10: align -----------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "slots", "finding", "after"),
    [
        pytest.param(
            Reps(DINA, (DINA,)), BOTH, Finding.CHANGE, TEAM, id="other people"
        ),
        pytest.param(NOBODY, BOTH, Finding.CHANGE, TEAM, id="nobody yet"),
        pytest.param(
            Reps(BRUNO, TEAM.members), BOTH, Finding.CHANGE, TEAM, id="another lead"
        ),
        pytest.param(TEAM, BOTH, Finding.RIGHT, TEAM, id="already right"),
        pytest.param(
            Reps(ANNA, (CARLA, ANNA, BRUNO)),
            BOTH,
            Finding.RIGHT,
            Reps(ANNA, (CARLA, ANNA, BRUNO)),
            id="already right in another order",
        ),
        pytest.param(
            Reps(DINA, (DINA,)),
            MEMBERS_ONLY,
            Finding.CHANGE,
            Reps(DINA, TEAM.members),
            id="the seller is kept, the followers change",
        ),
        pytest.param(
            Reps(DINA, TEAM.members),
            MEMBERS_ONLY,
            Finding.RIGHT,
            Reps(DINA, TEAM.members),
            id="the seller is kept, the followers are right",
        ),
        pytest.param(
            Reps(DINA), LEAD_ONLY, Finding.CHANGE, Reps(ANNA), id="only a lead field"
        ),
        pytest.param(
            Reps(ANNA),
            LEAD_ONLY,
            Finding.RIGHT,
            Reps(ANNA),
            id="only a lead field, already right",
        ),
        pytest.param(
            Reps(None, (DINA,)),
            MEMBERS_ONLY,
            Finding.CHANGE,
            Reps(None, TEAM.members),
            id="only a representatives field",
        ),
    ],
)
def test_align_brings_the_customers_reps_onto_the_document(
    document, slots, finding, after
):
    assert align(document, TEAM, EVERYBODY, slots) == (finding, after)


@pytest.mark.parametrize("document", [NOBODY, ALONE, TEAM, Reps(DINA, (ELIO,))])
def test_align_leaves_documents_of_a_customer_nobody_follows_alone(document):
    assert align(document, NOBODY, EVERYBODY, BOTH) == (Finding.NO_REP, document)


@pytest.mark.parametrize("document", [NOBODY, ALONE, TEAM, Reps(DINA, (ELIO,))])
def test_align_leaves_a_document_alone_where_no_rep_is_permitted(document):
    outcome = align(document, TEAM, {DINA, ELIO}, BOTH)
    assert outcome == (Finding.NOT_PERMITTED, document)


def test_align_leads_with_the_next_permitted_rep_and_leaves_others_out():
    outcome = align(Reps(DINA, (DINA,)), TEAM, {CARLA, BRUNO, DINA}, BOTH)
    assert outcome == (Finding.CHANGE, Reps(BRUNO, (BRUNO, CARLA)))


def test_align_where_no_slot_is_open_changes_nothing():
    document = Reps(DINA, (ELIO,))
    assert align(document, TEAM, EVERYBODY, NEITHER).new == document


# --- P2, P4, P10: replace on a document -------------------------------------------


@pytest.mark.parametrize(
    ("document", "slots", "after"),
    [
        pytest.param(
            TEAM, BOTH, Reps(DINA, (BRUNO, CARLA, DINA)), id="as lead and as rep"
        ),
        pytest.param(
            Reps(BRUNO, (BRUNO, ANNA)),
            BOTH,
            Reps(BRUNO, (BRUNO, DINA)),
            id="as rep only: the lead stays",
        ),
        pytest.param(
            Reps(ANNA, (BRUNO,)),
            BOTH,
            Reps(DINA, (BRUNO,)),
            id="as lead only: the reps stay",
        ),
        pytest.param(
            Reps(ANNA, (ANNA, DINA)),
            BOTH,
            Reps(DINA, (DINA,)),
            id="by one who is there already",
        ),
        pytest.param(
            TEAM,
            MEMBERS_ONLY,
            Reps(ANNA, (BRUNO, CARLA, DINA)),
            id="the seller is kept, the follower changes",
        ),
        pytest.param(
            TEAM, LEAD_ONLY, Reps(DINA, TEAM.members), id="only a lead to write"
        ),
    ],
)
def test_replace_touches_only_where_the_leaver_stands(document, slots, after):
    outcome = replace_on_document(document, ANNA, DINA, EVERYBODY, slots)
    assert outcome == (Finding.CHANGE, after)


@pytest.mark.parametrize("slots", [BOTH, LEAD_ONLY, MEMBERS_ONLY, NEITHER])
@pytest.mark.parametrize("document", [NOBODY, Reps(BRUNO, (BRUNO, DINA)), Reps(DINA)])
def test_replace_does_not_concern_a_document_without_the_leaver(document, slots):
    outcome = replace_on_document(document, ANNA, DINA, EVERYBODY, slots)
    assert outcome == (Finding.NOT_CONCERNED, document)


@pytest.mark.parametrize(
    ("document", "slots"),
    [
        (Reps(ANNA, (BRUNO,)), MEMBERS_ONLY),
        (Reps(BRUNO, (BRUNO, ANNA)), LEAD_ONLY),
        (TEAM, NEITHER),
    ],
)
def test_leaver_who_stands_only_in_a_closed_slot_stays(document, slots):
    outcome = replace_on_document(document, ANNA, DINA, EVERYBODY, slots)
    assert outcome.finding is not Finding.CHANGE
    assert outcome.new == document
    # nor does it matter then who would have joined
    assert outcome == replace_on_document(document, ANNA, DINA, {BRUNO}, slots)


def test_joiner_who_is_not_permitted_does_not_go_onto_the_document():
    outcome = replace_on_document(TEAM, ANNA, DINA, EVERYBODY - {DINA}, BOTH)
    assert outcome == (Finding.NOT_PERMITTED, TEAM)


def test_leaver_need_not_be_permitted_to_be_replaced():
    outcome = replace_on_document(ALONE, ANNA, DINA, {DINA}, BOTH)
    assert outcome == (Finding.CHANGE, Reps(DINA, (DINA,)))


def test_replacing_somebody_by_themselves_leaves_the_document_right():
    outcome = replace_on_document(TEAM, ANNA, ANNA, EVERYBODY, BOTH)
    assert outcome == (Finding.RIGHT, TEAM)


# --- P7: undo ---------------------------------------------------------------------

DONE = Reps(DINA, (BRUNO, CARLA, DINA))  # Anna replaced by Dina in TEAM


@pytest.mark.parametrize(
    ("current", "restored"),
    [
        pytest.param(DONE, TEAM, id="untouched"),
        pytest.param(
            Reps(DINA, (DINA, CARLA, BRUNO)), TEAM, id="untouched, in another order"
        ),
        pytest.param(
            Reps(BRUNO, DONE.members),
            Reps(BRUNO, TEAM.members),
            id="another lead since: the lead stays, the reps come back",
        ),
        pytest.param(
            Reps(DINA, (*DONE.members, ELIO)),
            Reps(ANNA, (*DONE.members, ELIO)),
            id="another rep since: the reps stay, the lead comes back",
        ),
        pytest.param(
            Reps(ELIO, (ELIO,)), Reps(ELIO, (ELIO,)), id="both since: both stay"
        ),
        pytest.param(NOBODY, NOBODY, id="cleared since"),
        pytest.param(TEAM, TEAM, id="undone by hand since"),
    ],
)
def test_undo_restores_each_value_that_nobody_changed_since(current, restored):
    assert restore(current, TEAM, DONE) == restored


def test_undo_gives_back_who_was_the_longest_in_place():
    assert restore(NOBODY, TEAM, NOBODY).members == TEAM.members


def test_undo_of_a_lead_that_moved_leaves_reps_of_since_alone():
    old, new = ALONE, Reps(BRUNO, (BRUNO, ANNA))
    current = Reps(BRUNO, (BRUNO, ANNA, CARLA))
    assert restore(current, old, new) == Reps(ANNA, current.members)


@pytest.mark.parametrize(
    ("current", "restored"),
    [
        pytest.param(DONE, TEAM, id="untouched"),
        pytest.param(
            Reps(BRUNO, DONE.members),
            Reps(BRUNO, TEAM.members),
            id="another lead since, who was a rep before: the reps come back",
        ),
        pytest.param(
            Reps(DINA, (*DONE.members, ELIO)),
            Reps(ANNA, (BRUNO, CARLA, ELIO, ANNA)),
            id="another rep since stays; the old lead replaces the new one again",
        ),
        pytest.param(
            Reps(DINA, (DINA, ANNA)),
            Reps(ANNA, (DINA, ANNA)),
            id="the old lead is a rep again since, and only takes the lead back",
        ),
        pytest.param(
            Reps(ELIO, (ELIO, BRUNO)), Reps(ELIO, (ELIO, BRUNO)), id="both since"
        ),
        pytest.param(NOBODY, NOBODY, id="cleared since"),
        pytest.param(TEAM, TEAM, id="undone by hand since"),
    ],
)
def test_undo_on_a_customer_keeps_lead_and_reps_in_agreement(current, restored):
    assert restore_customer(current, TEAM, DONE) == restored


def test_undo_of_a_first_lead_hands_over_to_the_rep_added_since():
    current = Reps(DINA, (DINA, ELIO))
    restored = restore_customer(current, NOBODY, Reps(DINA, (DINA,)))
    assert restored == Reps(ELIO, (ELIO,))
