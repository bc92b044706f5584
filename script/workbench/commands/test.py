"""script/test: all tests, in a run of pytest for each part."""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import checkout, debian, patched_wkhtmltopdf
from ..console import step
from ..databases import BASES, FULL, NEIGHBOURS
from ..process import run_foreground

_NOTHING_RAN = 5
_PARTS = {
    "plain": "the rules, and installing, upgrading and uninstalling",
    "minimal": "what depends on which apps there are, and every screen, with the addon"
    " on sale and account alone, without demo data",
    "full": "the addon beside more apps, with demo data and the browser",
    "neighbours": "some of its tests, Odoo's and others' beside addons of others",
}
# What runs where nothing else is asked for.
_USUAL = ("plain", "minimal", "full")
# Tests of classes with this tag of Odoo's run in the part "minimal", too.
_MINIMAL_TAG = "depends_on_apps"
_SLOWEST = 15


@dataclass
class Options:
    only: list
    reuse: bool
    jobs: int  # workers that run tests at once
    paths: list  # inside the checkout, perhaps with ::names of tests
    further: list  # arguments for pytest

    @property
    def narrowed(self):
        return _is_narrowed(self.paths, self.further)


def _is_narrowed(paths, further):
    return bool(paths or {"-k", "-m"} & set(further))


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/test",
        usage="script/test [--only PART] [--reuse] [--jobs N] [PATH]..."
        " [PYTEST_OPTION]...",
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
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="run so many tests at once, each worker on a database of its own; one"
        " for each processor, or one where paths or names are given",
    )
    known, further = parser.parse_known_args(arguments)
    paths = [argument for argument in further if _is_test_path(argument)]
    further = [argument for argument in further if argument not in paths]
    alone = _is_narrowed(paths, further) or "--pdb" in further
    return Options(
        only=known.only or list(_USUAL),
        reuse=known.reuse,
        jobs=known.jobs or (1 if alone else os.cpu_count()),
        paths=[_inside_checkout(path) for path in paths],
        further=further,
    )


def _is_test_path(argument):
    file = Path(argument.partition("::")[0]).absolute()
    return file.exists() and checkout.ROOT in file.resolve().parents


def _inside_checkout(argument):
    file, colons, names = argument.partition("::")
    return f"{Path(file).resolve().relative_to(checkout.ROOT)}{colons}{names}"


def run(workbench, options):
    debian.require_programs(["chromium", "wkhtmltopdf", "poppler-utils"], "the tests")
    parts = [part for part in options.only if _paths_of(part, options) is not None]
    _ensure_templates(workbench.databases, parts)
    codes = [_run_part(workbench, part, options) for part in parts]
    return _exit_code(codes, options.narrowed)


def _ensure_templates(databases, parts):
    """Make the base databases that are missing, all at once."""
    bases = [BASES[part] for part in parts if part in BASES]
    with ThreadPoolExecutor() as pool:
        list(pool.map(databases.ensure_template, bases))


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


def _run_part(workbench, part, options):
    if part == "plain":
        return _run_plain(options)
    if part == NEIGHBOURS.name:
        from .. import neighbours

        workbench = neighbours.beside(workbench)
        return _run_in_odoo(workbench, NEIGHBOURS, options)
    return _run_in_odoo(workbench, BASES[part], options)


def _run_plain(options):
    folder = checkout.plain_tests()
    # What lasts longest comes first.
    paths = _paths_of("plain", options) or ["script/tests", "rules/tests"]
    return _run_pytest(
        "plain",
        folder,
        paths,
        ["-p", "no:odoo"],
        options,
        {**os.environ, "PYTHONPATH": str(folder / "script")},
    )


def _run_in_odoo(workbench, base, options):
    from .. import pytest_parts

    with _databases(workbench, base, options) as names:
        configurations = [str(workbench.odoo.configuration(name)) for name in names]
        return _run_pytest(
            base.name,
            checkout.addons(),
            _test_paths(workbench, base, options),
            [
                *("--odoo-http", "-p", "workbench.pytest_parts"),
                *_arguments(base, options),
            ],
            options,
            {
                **workbench.odoo.environment(names[0]),
                pytest_parts.CONFIGURATIONS: os.pathsep.join(configurations),
                **_patched_program(base),
            },
        )


def _patched_program(base):
    """Return the variable that has letters printed with the other build, too."""
    if base is not FULL or os.environ.get(patched_wkhtmltopdf.VARIABLE):
        return {}
    folder = patched_wkhtmltopdf.ensure()
    return {patched_wkhtmltopdf.VARIABLE: str(folder)} if folder else {}


def _test_paths(workbench, base, options):
    if base is NEIGHBOURS and not options.paths:
        from .. import neighbours

        return neighbours.test_paths(workbench)
    paths = _paths_of(base.name, options) or ["tests"]
    return [f"{checkout.MODULE}/{path}" for path in paths]


def _arguments(base, options):
    """Return the arguments for pytest that say what a part is about."""
    if base is NEIGHBOURS:
        # Others may skip tests.
        return ("-p", "workbench.pytest_neighbours")
    strict = ("-p", "workbench.pytest_strict")
    asked_for = options.paths and options.only == [base.name]
    return strict if base.demo or asked_for else (*strict, "--with-tag", _MINIMAL_TAG)


@contextmanager
def _databases(workbench, base, options):
    """Yield the names of databases with the addon, one for each worker."""
    databases = workbench.databases
    purpose = f"{'kept' if options.reuse else 'test'}_{base.name}"
    with databases.reserved(purpose) as name:
        copies = [f"{name}_worker_{number}" for number in range(1, options.jobs)]
        try:
            if options.reuse:
                databases.ensure_current(name, base)
            else:
                databases.install(name, base)
            if copies and base.demo:
                # Once for all workers, and not while a tour waits for its first page.
                _build_pages(workbench.odoo, name)
            for copy in copies:
                databases.copy(name, copy)
            yield [name, *copies]
        finally:
            for unwanted in copies if options.reuse else [name, *copies]:
                databases.drop(unwanted)


def _build_pages(odoo, database):
    run_foreground(
        [sys.executable, "-m", "workbench.make_ready", "pages"],
        env=odoo.environment(database),
    )


def _run_pytest(part, root, paths, arguments, options, environment):
    """Run pytest on paths below ``root``, from where it shows them short."""
    step(f"Tests, part '{part}': {_PARTS[part]}")
    workers = (
        *("--numprocesses", str(options.jobs), "--max-worker-restart", "0"),
        *("--dist", "loadscope", "--no-loadscope-reorder"),
    )
    return run_foreground(
        [
            *(sys.executable, "-m", "pytest", *paths, *arguments),
            *("--durations", str(_SLOWEST), "--durations-min", "1"),
            *(workers if options.jobs > 1 else ()),
            *options.further,
            *("-c", str(checkout.ROOT / "pyproject.toml"), "--rootdir", str(root)),
            *("-o", f"cache_dir={checkout.folder() / 'pytest'}"),
        ],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=root,
    )
