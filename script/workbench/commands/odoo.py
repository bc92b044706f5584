"""script/odoo: any of Odoo's commands, on this checkout's demo database."""

import argparse

from .. import cache
from ..databases import FULL
from ..problem import Problem
from ..process import run_foreground

_DATABASE_OPTIONS = ("-d", "--database", "--db", "-h", "--help", "--version")


def parse(arguments):
    if arguments[:1] in ([], ["--help"], ["-h"]):
        argparse.ArgumentParser(
            prog="script/odoo",
            usage="script/odoo COMMAND [OPTION]...",
            description="Run one of Odoo's commands (shell, i18n, module, db, server,"
            " upgrade_code, ...) with this checkout's addon and the demo database of"
            " script/demo, or the database given with -d.",
            epilog="script/odoo help lists Odoo's commands.",
        ).parse_args(["--help"])
    return arguments


def run(workbench, arguments):
    if arguments[0] == "help" or _names_database(arguments):
        environment = workbench.odoo.environment()
        return run_foreground(workbench.odoo.command(*arguments), env=environment)
    database = workbench.databases.name("demo")
    lock = cache.try_lock(database)
    if lock:
        with lock:
            workbench.databases.ensure_current(database, FULL)
    elif not workbench.databases.exists(database):
        raise Problem("script/demo is making the demo database; wait for it.")
    environment = workbench.odoo.environment(database)
    return run_foreground(workbench.odoo.command(*arguments), env=environment)


def _names_database(arguments):
    return any(
        argument == option or argument.startswith(f"{option}=")
        for argument in arguments
        for option in _DATABASE_OPTIONS
    )
