"""script/test: all tests, in three runs of pytest."""

import argparse
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import checkout, debian
from ..console import step
from ..databases import BASES
from ..process import run_foreground

_NOTHING_RAN = 5
_PARTS = {
    "plain": "the rules, and installing, upgrading and uninstalling",
    "minimal": "the addon on sale and account alone, without demo data",
    "full": "the addon beside more apps, with demo data and the browser",
}


@dataclass
class Options:
    only: list
    reuse: bool
    paths: list  # inside the checkout, perhaps with ::names of tests
    further: list  # arguments for pytest

    @property
    def narrowed(self):
        return bool(self.paths or {"-k", "-m"} & set(self.further))


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/test",
        usage="script/test [--only PART] [--reuse] [PATH]... [PYTEST_OPTION]...",
        description="Run all tests. Other options go to pytest (-k NAME, -x, --pdb).",
        epilog="; ".join(f"part {name}: {what}" for name, what in _PARTS.items()),
        allow_abbrev=False,
    )
    parser.add_argument(
        "--only", action="append", choices=_PARTS, help="run this part only"
    )
    parser.add_argument(
        "--reuse",
        action="store_true",
        help="keep the databases, and upgrade those of the last time instead of"
        " making new ones",
    )
    known, further = parser.parse_known_args(arguments)
    paths = [argument for argument in further if _is_test_path(argument)]
    return Options(
        only=known.only or list(_PARTS),
        reuse=known.reuse,
        paths=[_inside_checkout(path) for path in paths],
        further=[argument for argument in further if argument not in paths],
    )


def _is_test_path(argument):
    file = Path(argument.partition("::")[0]).absolute()
    return file.exists() and checkout.ROOT in file.resolve().parents


def _inside_checkout(argument):
    file, colons, names = argument.partition("::")
    return f"{Path(file).resolve().relative_to(checkout.ROOT)}{colons}{names}"


def run(workbench, options):
    debian.require_programs(["chromium", "wkhtmltopdf", "poppler-utils"], "the tests")
    codes = []
    for part in options.only:
        if _paths_of(part, options) is None:
            continue
        if part == "plain":
            codes.append(_run_plain(options))
        else:
            codes.append(_run_in_odoo(workbench, BASES[part], options))
    return _exit_code(codes, options.narrowed)


def _exit_code(codes, narrowed):
    """Return the first failure; a part without tests is one unless asked for few."""
    if narrowed and 0 in codes:
        codes = [code for code in codes if code != _NOTHING_RAN]
    return next((code for code in codes if code), 0 if codes else _NOTHING_RAN)


def _paths_of(part, options):
    """Return the paths given that belong to a part, or None if it is not meant."""
    plain = ("rules", "script")
    own = [
        path for path in options.paths if path.startswith(plain) == (part == "plain")
    ]
    return own if own or not options.paths else None


def _run_plain(options):
    folder = checkout.plain_tests()
    paths = _paths_of("plain", options) or ["rules/tests", "script/tests"]
    return _run_pytest(
        "plain",
        folder,
        paths,
        ["-p", "no:odoo", *options.further],
        {**os.environ, "PYTHONPATH": str(folder / "script")},
    )


def _run_in_odoo(workbench, base, options):
    with _database(workbench.databases, base, options.reuse) as database:
        addons = checkout.addons()
        paths = _paths_of(base.name, options) or ["tests"]
        return _run_pytest(
            base.name,
            addons,
            [f"{checkout.MODULE}/{path}" for path in paths],
            [
                *("--odoo-http", "-p", "workbench.pytest_strict"),
                # The browser has more to show beside more apps; once is enough.
                *(() if base.demo else ("--without-tag", "browser")),
                *options.further,
            ],
            workbench.odoo.environment(database),
        )


@contextmanager
def _database(databases, base, reuse):
    """Yield the name of a database with the addon."""
    with databases.reserved(f"{'kept' if reuse else 'test'}_{base.name}") as name:
        if reuse:
            databases.ensure_current(name, base)
            yield name
            return
        try:
            databases.install(name, base)
            yield name
        finally:
            databases.drop(name)


def _run_pytest(part, root, paths, arguments, environment):
    """Run pytest on paths below ``root``, from where it shows them short."""
    step(f"Tests, part '{part}': {_PARTS[part]}")
    return run_foreground(
        [
            *(sys.executable, "-m", "pytest", *paths, *arguments),
            *("-c", str(checkout.ROOT / "pyproject.toml"), "--rootdir", str(root)),
            *("-o", f"cache_dir={checkout.folder() / 'pytest'}"),
        ],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=root,
    )
