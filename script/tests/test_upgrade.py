"""What the former version kept is still there, and goes on, with this one."""

from collections import defaultdict
from dataclasses import dataclass

import former
import pytest
from faults import process
from former import scene
from inspection import evaluate, loud_lines

from workbench.databases import MINIMAL, Databases
from workbench.odoo import Odoo

# Ours, and what we keep on others' records; dialogs forget by themselves.
_COLUMNS = """
    SELECT columns.table_name, columns.column_name
      FROM information_schema.columns
      JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
       AND (columns.table_name LIKE 'sales\\_followup\\_%%'
            OR columns.table_name LIKE '%%\\_followup\\_%%\\_rel'
            OR columns.column_name LIKE 'followup\\_%%')
       AND columns.table_name <> ALL(%s)
"""
_TRANSIENT = "SELECT replace(model, '.', '_') FROM ir_model WHERE transient"
_CRONS = """
    SELECT data.name, cron.id, cron.active, cron.interval_number, cron.interval_type
      FROM ir_cron cron
      JOIN ir_model_data data ON data.res_id = cron.id AND data.model = 'ir.cron'
     WHERE data.module = 'sales_followup'
"""

# What an upgrade may say otherwise than before in what was shipped: table.column → why.
CHANGED = {
    "sales_followup_document_type.open_domain": "a paid invoice is not open, though its"
    " payment is not booked yet",
    "sales_followup_template.letter_body": "with instalments, what is due is asked for",
}
# Columns that go: table.column → where their content is.
GONE = {
    "sales_followup_change_line.state": "its exception, and the change's progress",
}


@dataclass
class Upgrade:
    database: str
    before: dict
    after: dict
    shipped: dict  # of table → ids of what the addon brought
    crons: list
    crons_after: list
    log: str


def read_shipped(server, database):
    """Return dict of table → ids of the addon's own records."""
    shipped = defaultdict(set)
    for model, res_id in server.query(
        "SELECT model, res_id FROM ir_model_data WHERE module = 'sales_followup'",
        database=database,
    ):
        shipped[model.replace(".", "_")].add(res_id)
    return shipped


def read(server, database):
    """Return dict of table → column → list of (key of the row, value)."""
    transient = [name for (name,) in server.query(_TRANSIENT, database=database)]
    found = {}
    for table, column in server.query(_COLUMNS, [transient], database):
        if column in ("id", "write_date", "write_uid"):
            continue
        found.setdefault(table, {})[column] = None
    for table, columns in found.items():
        # a table of a many2many relation has no id
        is_relation = table.endswith("_rel")
        for column in columns:
            key = "0" if is_relation else "id"
            rows = server.query(
                f'SELECT {key}, "{column}"::text FROM "{table}" ORDER BY 1, 2',
                database=database,
            )
            columns[column] = rows
    return found


@pytest.fixture(scope="module")
def upgrade(workbench, tmp_path_factory):
    folder = former.unpack(tmp_path_factory.mktemp("former"))
    old = Odoo(workbench.odoo.home, workbench.server, addons=[folder])
    databases, server = workbench.databases, workbench.server
    with databases.reserved("upgrade") as database:
        Databases(old).install(database, MINIMAL)
        process.run_program(old, database, scene)
        before, crons = read(server, database), server.query(_CRONS, database=database)
        log = databases.upgrade(database)
        yield Upgrade(
            database=database,
            before=before,
            after=read(server, database),
            shipped=read_shipped(server, database),
            crons=crons,
            crons_after=server.query(_CRONS, database=database),
            log=log,
        )
        databases.drop(database)


def test_everything_was_in_use(upgrade):
    """Else it would prove little that nothing is lost."""
    filled = {
        table for table, columns in upgrade.before.items() if any(columns.values())
    }
    assert filled >= {
        "sales_followup_change",
        "sales_followup_change_line",
        "sales_followup_document_type",
        "sales_followup_reminder",
        "sales_followup_result",
        "sales_followup_run",
        "sales_followup_run_line",
        "sales_followup_series",
        "sales_followup_template",
    }


def test_upgrade_logs_no_warning(upgrade):
    assert not loud_lines(upgrade.log)


def test_nothing_is_lost(upgrade):
    lost = {}
    for table, columns in upgrade.before.items():
        for column, rows in columns.items():
            name = f"{table}.{column}"
            after = upgrade.after.get(table, {}).get(column)
            if after is None:
                if name not in GONE and any(value for _key, value in rows):
                    lost[name] = "gone"
                continue
            may_change = upgrade.shipped[table] if name in CHANGED else set()
            missing = [
                row for row in set(rows) - set(after) if row[0] not in may_change
            ]
            if missing:
                lost[name] = sorted(missing, key=str)[:3]
    assert not lost


def test_what_may_change_does(upgrade):
    """No exception is kept longer than it is needed."""
    for name in GONE:
        table, _dot, column = name.partition(".")
        assert column not in upgrade.after.get(table, {}), name
    for name in CHANGED:
        table, _dot, column = name.partition(".")
        assert upgrade.before[table][column] != upgrade.after[table][column], name


def test_scheduled_actions_stay_as_they_were(upgrade):
    assert upgrade.crons
    assert set(upgrade.crons) <= set(upgrade.crons_after)


def test_run_in_the_middle_goes_on(workbench, upgrade):
    """Each line once, whether it was sent before or is sent after."""
    database = f"{upgrade.database}_run"
    workbench.databases.copy(upgrade.database, database)
    evaluate(workbench, database, "env['sales.followup.run']._cron_process()")
    counts = workbench.server.query(
        "SELECT run.state, count(DISTINCT line.id), count(reminder.id),"
        " count(DISTINCT reminder.order_id)"
        " FROM sales_followup_run run"
        " JOIN sales_followup_run_line line ON line.run_id = run.id"
        " AND line.channel = 'email'"
        " LEFT JOIN sales_followup_reminder reminder ON reminder.run_id = run.id"
        " AND reminder.order_id = line.order_id"
        " WHERE run.launched_date IS NOT NULL AND run.origin = 'run' GROUP BY run.id",
        database=database,
    )
    workbench.databases.drop(database)
    [(state, lines, reminders, quotations)] = counts
    assert state == "done"
    assert lines == reminders == quotations > scene.SENT


def test_former_changes_can_be_undone(workbench, upgrade):
    database = f"{upgrade.database}_undo"
    workbench.databases.copy(upgrade.database, database)
    states = evaluate(
        workbench,
        database,
        "[(change.action_undo(), change.state)[1] for change in env"
        "['sales.followup.change'].search([('state', '=', 'done')], order='id desc')]",
    )
    reps = workbench.server.query(
        "SELECT DISTINCT users.login FROM res_partner partner"
        " JOIN res_users users ON users.id = partner.user_id"
        " WHERE partner.name LIKE 'Customer %%'",
        database=database,
    )
    workbench.databases.drop(database)
    assert states == ["undone", "undone"]
    assert reps == [("anna",)]
