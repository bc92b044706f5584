#!/usr/bin/env python3
"""Measure the addon beside the plain Odoo way, its peers and the floor.

Started by ``script/bench``, or with any Python that can import ``odoo``, on a database
where the addon is installed. See README.md.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from dataset import Sizes, prepare
from measure import Bench
from profiling import profile
from results import Report
from rows import all_rows
from session import committed, open_registry


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="script/bench", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--database", help="instead of the configuration's")
    parser.add_argument("--rows", help="only these, as in 1,2b")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--records", type=int, default=10_000, help="in each round (%(default)s)"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=1_000,
        help="for the slow ways (%(default)s); they are slower still on more records",
    )
    sizes = parser.add_argument_group("what is in the database, when it is filled")
    sizes.add_argument("--scale", type=float, default=1.0, help="times all the sizes")
    for size in fields(Sizes):
        sizes.add_argument(
            f"--{size.name}", type=int, help=f"default: {size.default} × scale"
        )
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument(
        "--profile", action="store_true", help="tell where our time goes instead"
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main():
    options = parse()
    registry = open_registry(options.database)
    with committed(registry) as env:
        data = prepare(env, _wanted_sizes(options))
    bench = Bench(registry, data, options.rounds, in_child=_run_child)
    rows = [row_class(bench, options) for row_class in all_rows()]
    if options.child:
        code, records = options.child
        [row] = [row for row in rows if row.code == code]
        print(json.dumps(row.in_child(int(records))))
        return
    report = Report(registry, data, options)
    for row in rows:
        if options.rows and row.code not in options.rows.split(","):
            continue
        if reason := row.why_not():
            report.skip(row, reason)
        elif options.profile:
            profile(row)
        else:
            report.add(row, *row.measure())
    if not options.profile:
        report.finish()


def _wanted_sizes(options):
    sizes = Sizes().scaled(options.scale)
    for size in fields(sizes):
        if getattr(options, size.name) is not None:
            setattr(sizes, size.name, getattr(options, size.name))
    return sizes


def _run_child(code, records):
    """Measure a row once in a fresh process; give what it found."""
    command = [sys.executable, *sys.argv, "--child", code, str(records)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
