"""Installed base databases, kept as templates, and the copies that runs work on."""

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from . import cache, checkout
from .console import step
from .problem import Problem

# Debian's package leaves out this file, which the web client asks for.
_LEFT_OUT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass(frozen=True)
class Base:
    """Which of Odoo's own apps a database starts with."""

    name: str
    apps: tuple
    demo: bool

    @property
    def demo_options(self):
        return ("--with-demo",) if self.demo else ()

    @property
    def key(self):
        """Tell apart bases of this name with other apps in them."""
        return hashlib.sha256(" ".join(self.apps).encode()).hexdigest()[:6]


FULL = Base(
    "full",
    # base_automation: its rules decide how bulk changes are written, and have tests
    (
        "sale_management",
        "purchase",
        "account",
        "contacts",
        "crm",
        "stock",
        "base_automation",
    ),
    demo=True,
)
MINIMAL = Base("minimal", ("sale", "account"), demo=False)
BASES = {base.name: base for base in (FULL, MINIMAL)}
# Addons of others, which requirements-neighbours.txt pins, on the apps they are about.
NEIGHBOUR_ADDONS = (
    "account_credit_control",
    "account_move_tier_validation",
    "auditlog",
    "base_exception",
    "base_tier_validation",
    "mail_tracking",
    "partner_contact_sale_info_propagation",
    "sale_exception",
    "sale_tier_validation",
    "sales_team_security",
)
NEIGHBOURS = Base(
    "neighbours", ("sale_management", "crm", *NEIGHBOUR_ADDONS), demo=False
)


class Databases:
    def __init__(self, odoo):
        self.odoo = odoo
        self.server = odoo.server

    def name(self, purpose):
        """Return the name of this checkout's database for a purpose."""
        return f"sales_followup_{checkout.key()}_{purpose}"

    @contextmanager
    def reserved(self, purpose):
        """Yield the name of a database that no other run uses meanwhile."""
        for number in count(1):
            name = self.name(f"{purpose}_{number}")
            lock = cache.try_lock(name)
            if lock:
                with lock:
                    yield name
                return

    def exists(self, name):
        return name in self.server.names() and self._files(name).is_dir()

    def drop(self, name):
        self.server.drop(name)
        shutil.rmtree(self._files(name), ignore_errors=True)

    def create(self, name, base):
        """Make a fresh database of ``base``, without the addon."""
        self.copy(self.ensure_template(base), name)

    def copy(self, source, target):
        """Make a database like another one, which nobody uses meanwhile."""
        self.drop(target)
        self.server.copy(source, target)
        self.share_files(source, self, target)

    def share_files(self, source, databases, target):
        """Return the copy of a database its stored files.

        :param databases: those of the server on which the copy is
        """
        # Odoo never changes a stored file, so that the copies may share them.
        shutil.copytree(
            self._files(source), databases._files(target), copy_function=_link_or_copy
        )

    def install(self, name, base):
        """Make a fresh database of ``base`` with the addon; return Odoo's log."""
        self.create(name, base)
        step(f"Installing {checkout.MODULE} (on the base database '{base.name}')")
        return self.odoo.load(
            name,
            *("-i", checkout.MODULE, *base.demo_options),
            title=f"Installing {checkout.MODULE} ({base.name})",
        )

    def upgrade(self, name):
        return self.odoo.load(
            name, "-u", checkout.MODULE, title=f"Upgrading {checkout.MODULE}"
        )

    def uninstall(self, name):
        return self.odoo.run_logged(
            name,
            ["module", "uninstall", checkout.MODULE],
            f"Uninstalling {checkout.MODULE}",
        )

    def ensure_current(self, name, base, fresh=False):
        """Have a lasting database with the checkout's addon, as it is now.

        A note on the database says what it holds. It is written last, so that
        an interrupted installation or upgrade is done anew.
        """
        origin = f"{self.odoo.key} {base.name} {base.key}"
        files = checkout.fingerprint()
        noted = self.server.note(name).rpartition(" ") if self.exists(name) else None
        if fresh or not noted or noted[0] != origin:
            self.install(name, base)
        elif noted[2] != files:
            self.server.write_note(name, "")
            self._upgrade_or_install(name, base)
        self.server.write_note(name, f"{origin} {files}")

    def _upgrade_or_install(self, name, base):
        step(f"Upgrading {checkout.MODULE}: its files have changed")
        try:
            self.upgrade(name)
        except Problem as problem:
            step(f"{problem.message.splitlines()[0]} Making the database anew.")
            self.install(name, base)

    def _files(self, name):
        return self.odoo.data / "filestore" / name

    def ensure_template(self, base):
        """Return the name of an installed base database, made where missing."""
        name = f"sales_followup_base_{base.name}_{base.key}_{self.odoo.key}"
        if not self.exists(name):
            lock = f"{self.server.key}-{name}"
            with cache.locked(lock, f"making the base database '{base.name}'"):
                if not self.exists(name):
                    self._make_template(name, base)
        return name

    def _make_template(self, name, base):
        """Install under another name first, so that only a whole one has this."""
        cache.require_space(1, "A base database")
        step(f"Installing {', '.join(base.apps)} in a base database, 1 to 3 minutes")
        unfinished = f"{name}_unfinished"
        for database in (name, unfinished):
            self.drop(database)
        self.odoo.load(
            unfinished,
            *("-i", ",".join(base.apps), *base.demo_options),
            title=f"Installing the base database '{base.name}'",
        )
        self._adapt(unfinished)
        self._files(unfinished).rename(self._files(name))
        self.server.rename(unfinished, name)

    def _adapt(self, name):
        """Keep databases quiet where there is no outside, or a file is missing."""
        self.server.query(
            "UPDATE ir_cron SET active = false WHERE id IN (SELECT res_id FROM"
            " ir_model_data WHERE module = 'mail' AND"
            " name = 'ir_cron_module_update_notification')",
            database=name,
        )
        if not self.odoo.has(_LEFT_OUT):
            self.server.query(
                "INSERT INTO ir_asset (name, bundle, directive, path, active, sequence)"
                " VALUES (%s, 'web.assets_backend', 'remove', %s, true, 16)",
                ["Left out by the package", _LEFT_OUT],
                database=name,
            )


def _link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
