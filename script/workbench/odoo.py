"""The Odoo in use, and the commands run with it."""

import hashlib
import os
import re
import sys
from pathlib import Path

from . import cache, checkout, debian
from .console import step
from .problem import Problem
from .process import output, run_logged_or_fail

SERIES = "19.0"
_VERSION_INFO = re.compile(r"^version_info = \((\d+|'[^']*'), (\d+)", re.MULTILINE)
_LOADING = re.compile(r"Loading module (\S+) \((\d+/\d+)\)")


class Odoo:
    """One Odoo, working on the databases of one PostgreSQL server.

    :param home: the folder that holds the package ``odoo``
    :param addons: folders of addons beside Odoo's own; without it, this checkout
    """

    def __init__(self, home, server, addons=None):
        self.home = home
        self.server = server
        self.addons = addons or [checkout.addons()]
        self.version = _require_series(home)
        self.data = cache.folder() / "data" / server.key
        self.data.mkdir(parents=True, exist_ok=True)

    @property
    def key(self):
        """Tell apart the Odoos whose installed databases must not be mixed."""
        commit = output(["git", "-C", str(self.home), "rev-parse", "HEAD"])
        text = f"{self.home} {commit}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def has(self, path):
        """Tell whether a file of one of Odoo's own addons exists."""
        return any((addons / path).exists() for addons in self.own_addons())

    def own_addons(self):
        """Return Odoo's addons folders: a checkout of its sources has two."""
        inside = self.home / "odoo" / "addons"
        whole = (inside / "sale" / "__manifest__.py").exists()
        return [inside] if whole else [inside, self.home / "addons"]

    def environment(self, database=None):
        """Return the environment variables under which Odoo's commands run."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "ODOO_"))
        }
        environment.update(self.server.variables)
        environment.pop("PGDATABASE", None)
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(self._import_folder()), str(Path(__file__).parents[1])]
        )
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["ODOO_RC"] = str(self.configuration(database))
        return environment

    def _import_folder(self):
        """Return a folder from which nothing but ``odoo`` can be imported.

        The folder of a system-wide Odoo also holds the system's own versions of
        packages which the virtual environment pins.
        """
        folder = cache.folder() / "imports" / self.key
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "odoo"
        if not link.is_symlink():
            link.symlink_to(self.home / "odoo")
        return folder

    def configuration(self, database=None):
        """Return the file of Odoo's options for a database."""
        addons = [*self.own_addons(), *self.addons]
        options = {
            "addons_path": ",".join(map(str, addons)),
            "data_dir": self.data,
            "http_interface": "127.0.0.1",
            "max_cron_threads": 0,
            **({"db_name": database} if database else {}),
        }
        path = checkout.folder() / f"{database or 'odoo'}.conf"
        lines = [f"{name} = {value}" for name, value in options.items()]
        text = "\n".join(["[options]", *lines, ""])
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        return path

    def command(self, *arguments):
        return [sys.executable, "-m", "odoo", *arguments]

    def run_logged(self, database, arguments, title):
        """Run one of Odoo's commands on a database; return its log."""
        log = cache.logs() / f"{database}.log"
        run_logged_or_fail(
            self.command(*arguments),
            log,
            title,
            remedy="Read the log.",
            env=self.environment(database),
            describe=_loading_progress,
        )
        return log.read_text(errors="replace")

    def load(self, database, *options, title):
        """Load a database once, to install or upgrade; return the log."""
        arguments = ("server", "-d", database, "--stop-after-init", "--no-http")
        return self.run_logged(database, [*arguments, *options], title)


def _loading_progress(line):
    match = _LOADING.search(line)
    return match and f"{match[2]} {match[1]}"


def find_home():
    """Return the folder holding ``odoo``: the one ODOO_HOME names, or Debian's."""
    given = os.environ.get("ODOO_HOME")
    if not given:
        return debian.ensure_odoo()
    folder = Path(given).expanduser().absolute()
    for home in (folder, folder / "usr/lib/python3/dist-packages"):
        if (home / "odoo" / "release.py").exists():
            step(f"Using Odoo in {home} (ODOO_HOME)")
            return home
    raise Problem(
        f"ODOO_HOME={given} holds no Odoo: there is no odoo/release.py in it.",
        f"Let it name the folder of an Odoo {SERIES}, or unset it to download one.",
    )


def _require_series(home):
    match = _VERSION_INFO.search((home / "odoo" / "release.py").read_text())
    series = match and f"{match[1]}.{match[2]}".replace("'", "")
    if series != SERIES:
        raise Problem(
            f"The Odoo in {home} is version {series}; this addon needs {SERIES}.",
            f"Let ODOO_HOME name the folder of an Odoo {SERIES}, or unset it.",
        )
    return series
