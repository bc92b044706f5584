"""Exactly once, whatever goes wrong: with real processes, killed and cut off.

Nothing here waits for time to pass. Locks stop a process at a known point, the
database tells that it got there, and then the fault happens.
"""

import pytest
from faults import process, scene
from faults.mailbox import receiving
from faults.own_server import AT_ONCE, POLITELY, own_server
from faults.stage import AUTOMATIC, RUNS, Stage

from workbench import cache
from workbench.databases import MINIMAL, Databases


@pytest.fixture(scope="module")
def prepared(workbench):
    """A database with the quotations of the scene."""
    databases = workbench.databases
    with databases.reserved("faults") as database:
        databases.install(database, MINIMAL)
        process.run_program(workbench.odoo, database, scene)
        yield database
        databases.drop(database)


@pytest.fixture(scope="module")
def odoo(workbench, prepared):
    """An Odoo that has loaded the database each test has a copy of."""
    database = f"{prepared}_copy"
    workbench.databases.copy(prepared, database)
    log = cache.logs() / f"{database}.log"
    with process.loaded(workbench.odoo, database, log) as odoo:
        yield odoo
    workbench.databases.drop(database)


@pytest.fixture
def mailbox():
    with receiving() as mailbox:
        yield mailbox


@pytest.fixture
def stage(workbench, prepared, odoo, mailbox):
    database = f"{prepared}_copy"
    workbench.databases.copy(prepared, database)
    return Stage(workbench.server, database, odoo, mailbox)


def launch_automatic(stage, worker):
    stage.fire(AUTOMATIC)


def launch_run(stage, worker):
    worker.do("launch", scene.PERSON, scene.LEVELS)


LAUNCHES = pytest.mark.parametrize(
    "launch", [launch_automatic, launch_run], ids=["automatic", "bulk"]
)
ACTIONS = {launch_automatic: AUTOMATIC, launch_run: RUNS}
#: what the scheduled actions call
METHODS = {
    launch_automatic: ("sales.followup.run", "_cron_send"),
    launch_run: ("sales.followup.run", "_cron_process"),
}


def test_nothing_goes_wrong(stage):
    with stage.worker() as worker:
        launch_automatic(stage, worker)
        stage.settle(worker)
        stage.deliver(worker)
        stage.assert_exactly_once()
        # the next day's run finds nothing to do
        launch_automatic(stage, worker)
        stage.settle(worker)
    stage.assert_exactly_once()


# --- kill -9 ------------------------------------------------------------------------


@LAUNCHES
def test_kill_9_in_the_middle_of_a_batch(stage, launch):
    with stage.worker() as worker, stage.hold_emails("second") as hold:
        launch(stage, worker)
        worker.start("jobs")
        hold.wait_for_others()
        assert 0 < len(stage.sent()) < len(stage.due())
        worker.kill()
    stage.wait_until_alone()
    with stage.worker() as worker:
        stage.settle(worker)
        stage.deliver(worker)
    stage.assert_exactly_once()


@LAUNCHES
def test_kill_9_and_restart_before_the_database_notices(stage, launch):
    with stage.worker() as worker, stage.hold_emails("second") as hold:
        launch(stage, worker)
        worker.start("jobs")
        hold.wait_for_others()
        before = stage.sent()
        worker.kill()
        # the dead one's transaction waits on, and keeps its quotations locked
        process.wait_for(
            lambda: stage.count_connections() == 2, "the end of its other connection"
        )
        with stage.worker() as worker:
            worker.do("jobs")
            assert hold.waiting()
            assert stage.sent() == before
            hold.release()
            stage.settle(worker)
    stage.assert_exactly_once()


# --- several at once ----------------------------------------------------------------


@LAUNCHES
def test_two_workers_at_once(stage, launch):
    """Without the lock by which Odoo keeps workers from one scheduled action."""
    with stage.worker() as one, stage.worker() as other:
        launch(stage, one)
        with stage.hold_emails("first") as hold:
            one.start("call", *METHODS[launch])
            hold.wait_for_others()
            other.start("call", *METHODS[launch])
            process.wait_for(
                lambda: len(hold.waiting()) == 2 or other.is_idle(), "both at work"
            )
        one.finish()
        other.finish()
        stage.settle(one)
    stage.assert_exactly_once()


def test_automatic_and_bulk_at_once(stage):
    launches = list(METHODS)
    with stage.worker() as one, stage.worker() as other:
        for worker, launch in zip((one, other), launches, strict=True):
            launch(stage, worker)
        with stage.hold_emails("first") as hold:
            for worker, launch in zip((one, other), launches, strict=True):
                worker.start("call", *METHODS[launch])
            process.wait_for(
                lambda: (
                    len(hold.waiting())
                    == sum(not worker.is_idle() for worker in (one, other))
                ),
                "both at work",
            )
        one.finish()
        other.finish()
        stage.settle(one)
    stage.assert_exactly_once()


def test_one_reminder_a_customer_in_some_days_from_several_at_once(stage):
    stage.query("UPDATE res_company SET followup_min_days = 2")
    with stage.worker() as one, stage.worker() as other:
        launch_run(stage, other)
        with stage.hold_emails("first") as hold:
            one.start("call", *METHODS[launch_automatic])
            hold.wait_for_others()
            other.start("call", *METHODS[launch_run])
            process.wait_for(
                lambda: len(hold.waiting()) == 2 or other.is_idle(), "both at work"
            )
        one.finish()
        other.finish()
        stage.settle(one)
    reminded = stage.customers(stage.sent())
    assert reminded
    assert set(reminded.values()) == {1}
    assert reminded.keys() == stage.customers(stage.due()).keys()


def test_the_same_action_fired_twice_at_once(stage):
    with stage.worker() as one, stage.worker() as other:
        stage.fire(AUTOMATIC)
        stage.fire(AUTOMATIC)
        with stage.hold_emails("first") as hold:
            one.start("jobs")
            hold.wait_for_others()
            assert not other.do("press", AUTOMATIC)
            other.do("jobs")
        one.finish()
        stage.settle(other)
    stage.assert_exactly_once()


def test_the_same_action_fired_twice_in_a_row(stage):
    with stage.worker() as one, stage.worker() as other:
        assert one.do("press", AUTOMATIC)
        assert other.do("press", AUTOMATIC)
        stage.fire(AUTOMATIC)
        stage.settle(one)
    stage.assert_exactly_once()


# --- a person and the scheduled action ----------------------------------------------


def remind(stage, worker, quotation, **values):
    """Have a person send the first level by hand; the answer comes by ``finish``."""
    order, template = stage.ids(quotation, "first")
    values = {"order_id": order, "template_id": template, "channel": "email", **values}
    login = (scene.PERSON, scene.PASSWORD, "sales.followup.remind")
    [wizard] = worker.do("rpc", *login, "create", [values])
    worker.start("rpc", *login, "action_apply", [wizard])


def test_person_sends_by_hand_while_the_action_sends(stage):
    with stage.worker() as cron, stage.worker() as person:
        with stage.hold_emails("first") as hold:
            cron.start("call", *METHODS[launch_automatic])
            hold.wait_for_others()
            remind(stage, person, stage.locked("first")[0])
            process.wait_for(stage.anybody_waits_but(hold), "the person to wait")
        cron.finish()
        assert "already" in person.finish()["refused"]
        stage.settle(cron)
    stage.assert_exactly_once()


def test_action_runs_while_a_person_sends_by_hand(stage):
    quotation = stage.quotations("first")[0]
    with stage.worker() as cron, stage.worker() as person:
        with stage.hold_person(scene.PERSON) as hold:
            remind(stage, person, quotation)
            hold.wait_for_others()
            cron.do("call", *METHODS[launch_automatic])
        assert "refused" not in person.finish()
        assert len(stage.sent()) > 1
        stage.settle(cron)
    stage.assert_exactly_once()


def test_person_logs_by_hand_what_the_action_has_just_judged(stage):
    quotation = stage.quotations("first")[0]
    with stage.worker() as cron, stage.worker() as person:
        with stage.hold_judges() as hold:
            cron.start("call", *METHODS[launch_automatic])
            hold.wait_for_others()
            remind(stage, person, quotation, log_only=True)
            assert "refused" not in person.finish()
        cron.finish()
        stage.settle(cron)
    assert not any(name == quotation for name, _level, _cycle in stage.sent())
    stage.query(
        "UPDATE sale_order SET client_order_ref = NULL WHERE name = %s", quotation
    )
    stage.assert_exactly_once()


def test_both_actions_and_many_clicks_at_once(stage):
    """Nobody gets an error but that it was sent already, and no level goes twice."""
    with stage.worker() as cron, stage.worker() as bulk, stage.worker() as person:
        login = (scene.PERSON, scene.PASSWORD, "sales.followup.remind")
        ids = [stage.ids(name, "first") for name in stage.quotations("first")]
        dialogs = person.do(
            "rpc",
            *login,
            "create",
            [
                {"order_id": order, "template_id": template, "channel": "email"}
                for order, template in reversed(ids)
            ],
        )
        launch_run(stage, bulk)
        cron.start("call", *METHODS[launch_automatic])
        bulk.start("call", *METHODS[launch_run])
        refused = 0
        for dialog in dialogs:
            answer = person.do("rpc", *login, "action_apply", [dialog])
            if message := (answer or {}).get("refused"):
                assert "already" in message
                refused += 1
        assert refused
        cron.finish()
        bulk.finish()
        stage.settle(cron)
        stage.deliver(cron)
    stage.assert_exactly_once()


# --- bad ones among good ones -------------------------------------------------------


def break_text(stage, quotation):
    stage.query("UPDATE sale_order SET reference = 'bad' WHERE name = %s", quotation)


def break_report(stage, quotation):
    stage.query(
        "UPDATE sales_followup_template SET attach_document = name->>'en_US' = 'second'"
    )
    stage.query("UPDATE sale_order SET origin = 'bad' WHERE name = %s", quotation)


@LAUNCHES
@pytest.mark.parametrize(
    ("level", "break_document"),
    [("first", break_text), ("second", break_report)],
    ids=["render_error", "broken_pdf"],
)
def test_one_that_cannot_be_written_among_good_ones(
    stage, launch, level, break_document
):
    quotation = stage.quotations(level)[3]
    break_document(stage, quotation)
    with stage.worker() as worker:
        launch(stage, worker)
        stage.settle(worker)
        stage.deliver(worker)
    stage.assert_exactly_once(failed={quotation: "division by zero"})


@LAUNCHES
def test_smtp_refusal_among_good_ones(stage, mailbox, launch):
    quotation = stage.quotations("first")[3]
    mailbox.refused.add(stage.address(quotation))
    with stage.worker() as worker:
        launch(stage, worker)
        stage.settle(worker)
        stage.deliver(worker)
        # refused for good is not tried again
        stage.fire(ACTIONS[launch])
        stage.settle(worker)
        stage.deliver(worker)
    stage.assert_exactly_once(failed={quotation: "No such customer here"})


def test_person_changes_the_quotation_while_its_email_is_handed_over(stage, mailbox):
    quotation = stage.quotations("first")[0]
    with stage.worker() as cron, stage.worker() as person:
        launch_automatic(stage, cron)
        stage.settle(cron)
        with mailbox.stop_at(quotation) as stopped:
            stage.start_delivery(cron)
            process.wait_for(stopped.is_set, "the e-mail")
            order, _template = stage.ids(quotation, "first")
            login = (scene.PERSON, scene.PASSWORD, "sale.order")
            assert person.do("rpc", *login, "write", [order], {"origin": "changed"})
        cron.finish()
        stage.deliver(cron)
    stage.assert_exactly_once()
    assert not stage.query(
        "SELECT id FROM sales_followup_reminder WHERE is_sending AND state <> 'done'"
    )


# --- PostgreSQL ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(workbench, prepared):
    """A PostgreSQL of these tests alone, with the database of the scene."""
    with own_server(f"{prepared}_postgres", workbench.odoo.home) as own:
        own.take_over(workbench.databases, prepared, f"{prepared}_own")
        yield own


@pytest.fixture(params=[POLITELY, AT_ONCE], ids=["stopped", "crashed"])
def stop(request, own):
    return lambda: own.stop(request.param)


@pytest.fixture
def own_stage(prepared, own, mailbox):
    databases, database = Databases(own.odoo), f"{prepared}_own_copy"
    databases.copy(f"{prepared}_own", database)
    log = cache.logs() / f"{database}.log"
    with process.loaded(own.odoo, database, log) as odoo:
        yield Stage(own.server, database, odoo, mailbox)
    databases.drop(database)


@LAUNCHES
def test_postgresql_stops_in_the_middle_of_a_batch(own, stop, own_stage, launch):
    stage = own_stage
    with stage.worker() as worker:
        launch(stage, worker)
        with stage.hold_emails("second") as hold:
            worker.start("jobs")
            hold.wait_for_others()
            before = stage.sent()
            stop()
        worker.finish()
        # in vain
        worker.do("jobs")
        own.start()
        assert 0 < len(before) < len(stage.due())
        assert stage.sent() == before
        stage.settle(worker)
        stage.deliver(worker)
    stage.assert_exactly_once()
