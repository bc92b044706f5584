"""What a command works with: Odoo, PostgreSQL and their databases."""

from contextlib import contextmanager
from dataclasses import dataclass

from . import postgres
from .databases import Databases
from .odoo import Odoo, find_home


@dataclass
class Workbench:
    odoo: Odoo
    server: postgres.Server
    databases: Databases


@contextmanager
def prepared():
    """Yield a workbench; its embedded PostgreSQL ends with the last one."""
    home = find_home()
    with postgres.serving() as server:
        odoo = Odoo(home, server)
        yield Workbench(odoo, server, Databases(odoo))
