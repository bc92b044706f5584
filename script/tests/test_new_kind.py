"""An example addon brings a new kind of document to chase, with tests of its own."""

import subprocess
import sys
from pathlib import Path

from inspection import loud_lines

from workbench import checkout
from workbench.databases import MINIMAL, Databases
from workbench.odoo import Odoo

EXAMPLES = Path(__file__).with_name("examples")
EXAMPLE = "followup_rental"


def test_example_of_a_new_kind_of_document(workbench):
    odoo = Odoo(
        workbench.odoo.home, workbench.server, addons=[checkout.addons(), EXAMPLES]
    )
    databases = Databases(odoo)
    with databases.reserved("new_kind") as database:
        databases.install(database, MINIMAL)
        log = odoo.load(database, "-i", EXAMPLE, title=f"Installing {EXAMPLE}")
        assert not loud_lines(log)
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", f"{EXAMPLE}/tests", "--odoo-http"),
                *("-p", "workbench.pytest_strict", "-p", "no:cacheprovider"),
                *("-c", str(checkout.ROOT / "pyproject.toml")),
                *("--rootdir", str(EXAMPLES)),
            ],
            env=odoo.environment(database),
            cwd=EXAMPLES,
            check=True,
        )
        databases.drop(database)
