"""A running Odoo, and transactions that leave no trace in it."""

from contextlib import contextmanager

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config


def open_registry(database=None):
    """Load a database: the one named, else the configuration's (``ODOO_RC``)."""
    arguments = ["--log-level=warn", "--no-http"]
    if database:
        arguments += ["--database", database]
    config.parse_config(arguments, setup_logging=True)
    if len(config["db_name"]) != 1:
        raise SystemExit("Name one database: --database NAME, or db_name in ODOO_RC.")
    return Registry(config["db_name"][0])


@contextmanager
def committed(registry, user_id=SUPERUSER_ID, context=None):
    """Yield a user's environment; what it did is kept."""
    with registry.cursor() as cr:
        yield api.Environment(cr, user_id, context or {})


@contextmanager
def rolled_back(registry, user_id=SUPERUSER_ID, context=None):
    """Yield a user's environment with an empty cache; what it did is undone.

    A commit inside would end that promise, so it only flushes.
    """
    cr = registry.cursor()
    cr.commit = cr.flush
    try:
        yield api.Environment(cr, user_id, context or {})
    finally:
        cr.rollback()
        cr.close()


def clean_up(registry, tables):
    """Remove the dead rows that rolled back transactions left, and renew statistics.

    Otherwise each measurement would be slower than the one before it.
    """
    cr = registry.cursor()
    try:
        cr.rollback()
        cr._cnx.autocommit = True
        for table in tables:
            cr.execute(f'VACUUM (ANALYZE) "{table}"')
    finally:
        cr._cnx.autocommit = False
        cr.close()
