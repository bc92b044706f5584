"""An example addon brings a new kind of document to chase, with tests of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

from inspection import loud_lines

from workbench import checkout
from workbench.databases import MINIMAL, Databases
from workbench.odoo import Odoo

EXAMPLE = Path(__file__).parent / "examples" / "followup_rental"


def test_example_of_a_new_kind_of_document(workbench, tmp_path):
    # outside the checkout: pytest takes folders above it for packages of the tests
    shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name)
    odoo = Odoo(
        workbench.odoo.home, workbench.server, addons=[checkout.addons(), tmp_path]
    )
    databases = Databases(odoo)
    with databases.reserved("new_kind") as database:
        databases.install(database, MINIMAL)
        log = odoo.load(
            database, "-i", EXAMPLE.name, title=f"Installing {EXAMPLE.name}"
        )
        assert not loud_lines(log)
        subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "pytest",
                    f"{EXAMPLE.name}/tests",
                    "--odoo-http",
                ),
                *("-p", "workbench.pytest_strict", "-p", "no:cacheprovider"),
                *("-c", str(checkout.ROOT / "pyproject.toml")),
                *("--rootdir", str(tmp_path)),
            ],
            env=odoo.environment(database),
            cwd=tmp_path,
            check=True,
        )
        databases.drop(database)
