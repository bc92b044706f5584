"""Looking into databases and logs from outside Odoo."""

import json
import re
import subprocess
import sys

_LOUD = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*$", re.MULTILINE)


def loud_lines(log):
    return _LOUD.findall(log)


def evaluate(workbench, database, expression):
    """Return what an expression on Odoo's ``env`` is worth."""
    program = (
        "import json; from workbench.inside import odoo_environment\n"
        f"with odoo_environment() as env: print(json.dumps({expression}))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env=workbench.odoo.environment(database),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return json.loads(printed)
