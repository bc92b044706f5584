"""Installing, upgrading and uninstalling, seen from outside Odoo."""

from dataclasses import dataclass

import pytest
from inspection import evaluate, loud_lines

from workbench.checkout import MODULE
from workbench.databases import BASES, MINIMAL

# What an addon may leave in a database, each as a query for names. Ids say
# nothing: rows of the same name may come and go.
LEFTOVERS = {
    "tables": "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S')",
    "columns": "SELECT table_name || '.' || column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass || '.' || conname FROM pg_constraint",
    "triggers": "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger"
    " WHERE NOT tgisinternal",
    # Odoo's list of modules names the addon as soon as it has seen it.
    "external ids": "SELECT module || '.' || name FROM ir_model_data"
    f" WHERE NOT (module = 'base' AND name = 'module_{MODULE}')",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model || '.' || name FROM ir_model_fields",
    "parameters": "SELECT key FROM ir_config_parameter",
    "defaults": "SELECT field.model || '.' || field.name FROM ir_default"
    " JOIN ir_model_fields field ON field.id = field_id",
    "scheduled actions": "SELECT cron_name FROM ir_cron",
    "actions": "SELECT type || ' ' || (name->>'en_US') FROM ir_actions",
    "menus": "SELECT name->>'en_US' FROM ir_ui_menu",
    "views": "SELECT name FROM ir_ui_view",
    "record rules": "SELECT name FROM ir_rule",
    "access rights": "SELECT name FROM ir_model_access",
    "groups": "SELECT name->>'en_US' FROM res_groups",
    "group implications": "SELECT a.name->>'en_US' || ' -> ' || (b.name->>'en_US')"
    " FROM res_groups_implied_rel JOIN res_groups a ON a.id = gid"
    " JOIN res_groups b ON b.id = hid",
    "activity types": "SELECT name->>'en_US' FROM mail_activity_type",
    "message subtypes": "SELECT name->>'en_US' FROM mail_message_subtype",
    "mail templates": "SELECT name->>'en_US' FROM mail_template",
    "sequences": "SELECT name FROM ir_sequence",
    "paper formats": "SELECT name FROM report_paperformat",
    "assets": "SELECT name FROM ir_asset",
    "filters": "SELECT name FROM ir_filters",
    "attachments": "SELECT concat_ws(' ', name, res_model, res_field, url)"
    " FROM ir_attachment WHERE res_model LIKE 'sales.followup%'"
    f" OR res_field LIKE 'followup%' OR url LIKE '%{MODULE}%'",
}


def snapshot(server, database):
    return {
        kind: {name for (name,) in server.query(statement, database=database)}
        for kind, statement in LEFTOVERS.items()
    }


def difference(before, after):
    """Return by kind the names that came (+) and went (-)."""
    changes = {
        kind: sorted(
            [f"+ {name}" for name in after[kind] - before[kind]]
            + [f"- {name}" for name in before[kind] - after[kind]]
        )
        for kind in LEFTOVERS
    }
    return {kind: names for kind, names in changes.items() if names}


@dataclass
class Life:
    """What was seen of the addon, from its installation to its end."""

    before: dict
    installation_log: str
    installed: dict
    upgrade_log: str
    upgraded: dict
    uninstallation_log: str
    after: dict


@pytest.fixture(scope="module", params=BASES)
def life(request, workbench):
    databases, server = workbench.databases, workbench.server
    base = BASES[request.param]
    with databases.reserved(f"life_{base.name}") as database:
        databases.create(database, base)
        yield Life(
            before=snapshot(server, database),
            installation_log=databases.install(database, base),
            installed=snapshot(server, database),
            upgrade_log=databases.upgrade(database),
            upgraded=snapshot(server, database),
            uninstallation_log=databases.uninstall(database),
            after=snapshot(server, database),
        )
        databases.drop(database)


def test_installation_logs_no_warning(life):
    assert not loud_lines(life.installation_log)


def test_installation_adds_something(life):
    assert MODULE in {name.split(".")[0] for name in life.installed["external ids"]}


def test_upgrade_logs_no_warning(life):
    assert not loud_lines(life.upgrade_log)


def test_upgrade_changes_no_structure(life):
    assert not difference(life.installed, life.upgraded)


def test_uninstallation_logs_no_warning(life):
    assert not loud_lines(life.uninstallation_log)


def test_uninstallation_leaves_nothing(life):
    assert not difference(life.before, life.after)


@pytest.fixture
def minimal(workbench):
    databases = workbench.databases
    with databases.reserved("life_apps") as database:
        databases.install(database, MINIMAL)
        yield database
        databases.drop(database)


def test_document_type_appears_with_its_app(workbench, minimal):
    available = (
        "env['sales.followup.document.type'].with_context(active_test=False)"
        ".search([('code', '=', 'purchase_order')]).mapped('available')"
    )
    assert not any(evaluate(workbench, minimal, available))
    workbench.odoo.load(minimal, "-i", "purchase", title="Installing purchase")
    assert evaluate(workbench, minimal, available) == [True]
