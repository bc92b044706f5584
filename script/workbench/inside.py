"""Odoo's environment in a process started with ``Odoo.environment(database)``."""

from contextlib import contextmanager


@contextmanager
def odoo_environment():
    """Yield an ``env`` of the superuser; what it did is committed at the end."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["--log-level=warn"], setup_logging=True)
    [database] = config["db_name"]
    with Registry(database).cursor() as cursor:
        yield api.Environment(cursor, SUPERUSER_ID, {})
