"""Addons of others beside this one, and which of their tests and ours run then."""

import hashlib
import sys

from . import cache, checkout, virtualenv
from .console import step
from .databases import NEIGHBOUR_ADDONS, Databases
from .environment import Workbench
from .odoo import Odoo
from .process import run_logged_or_fail

_REQUIREMENTS = virtualenv.SCRIPT / "requirements-neighbours.txt"
# What of ours meets theirs most: documents and customers that others change, too.
_OURS = (
    "tests/representatives/test_documents.py",
    "tests/representatives/test_representatives.py",
    "tests/changes/test_journal.py",
    "tests/reminders/test_reminder.py",
    "tests/sending/test_dispatcher.py",
)
# Tests of theirs that leave fields of a model of their own behind, without the model:
# in the same process, whatever loads the registry later fails.
_LEFT_OUT = ("base_exception",)
# Of Odoo's own tests.
_ODOO = (
    "sale/tests/test_sale_order.py",
    "sale/tests/test_sale_refund.py",
    "sale/tests/test_access_rights.py",
    "sales_team/tests",
    "crm/tests/test_crm_lead_convert.py",
    "account/tests/test_tracking.py",
    "account/tests/test_account_payment_register.py",
)


def beside(workbench):
    """Return a workbench whose Odoo finds the neighbours."""
    addons = [_ensure_addons(), checkout.addons()]
    odoo = Odoo(workbench.odoo.home, workbench.server, addons=addons)
    return Workbench(odoo, workbench.server, Databases(odoo))


def test_paths(workbench):
    """Return the paths of their tests, ours, and a selection of Odoo's."""
    theirs, ours = workbench.odoo.addons
    files = [
        *(
            theirs / addon / "tests"
            for addon in NEIGHBOUR_ADDONS
            if addon not in _LEFT_OUT
        ),
        *(ours / checkout.MODULE / path for path in _OURS),
        *(addons / path for addons in workbench.odoo.own_addons() for path in _ODOO),
    ]
    return [str(path) for path in files if path.exists()]


def _ensure_addons():
    """Return a folder with the neighbours, made where missing."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:10]
    target = cache.folder() / f"neighbours-{digest}"
    with cache.locked(target.name, "installing neighbours"):
        if not target.exists():
            step("Installing addons of others")
            with cache.building(target) as folder:
                _install(folder)
    return target / "odoo" / "addons"


def _install(folder):
    run_logged_or_fail(
        [
            *(sys.executable, "-m", "pip", "install", "--no-input", "--no-deps"),
            *("--disable-pip-version-check", "--target", str(folder)),
            *("--requirement", str(_REQUIREMENTS)),
        ],
        cache.logs() / f"{folder.name}.log",
        "Installing addons of others",
    )
