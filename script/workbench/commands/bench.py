"""script/bench: the measurements in benchmarks/, on a database of their own."""

import argparse
import sys

from .. import checkout
from ..databases import MINIMAL
from ..problem import Problem
from ..process import run_foreground

_PROGRAM = checkout.ROOT / "benchmarks" / "run.py"


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Run benchmarks/run.py on a database of its own, with Odoo's"
        " configuration in ODOO_RC. Further arguments go to that program.",
        allow_abbrev=False,
    )
    parser.add_argument("--fresh", action="store_true", help="make the database anew")
    options, options.further = parser.parse_known_args(arguments)
    if not _PROGRAM.exists():
        raise Problem("There is no benchmarks/run.py in this checkout.")
    return options


def run(workbench, options):
    database = workbench.databases.name("bench")
    workbench.databases.ensure_current(database, MINIMAL, fresh=options.fresh)
    return run_foreground(
        [sys.executable, str(_PROGRAM), *options.further],
        env=workbench.odoo.environment(database),
    )
