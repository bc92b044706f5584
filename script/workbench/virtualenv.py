"""Virtual environments in the cache, one per Python version and list of packages."""

import hashlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from . import cache, debian
from .console import step
from .problem import Problem
from .process import run_logged_or_fail

SCRIPT = Path(__file__).resolve().parents[1]
_STAMP = ".complete"


def ensure(purpose, requirements):
    """Return the folder of a virtual environment with ``requirements`` installed.

    A virtual environment cannot be moved once made, so it is built in place and
    a stamp, written last, tells a whole one from an interrupted one.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:10]
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = cache.folder() / f"venv-{purpose}-py{python}-{digest}"
    if not _is_complete(folder):
        with cache.locked(folder.name, "installing Python packages"):
            if not _is_complete(folder):
                _build(folder, requirements, purpose)
    return folder


def _is_complete(folder):
    return (folder / _STAMP).exists() and (folder / "bin" / "python").exists()


def _build(folder, requirements, purpose):
    _require_venv()
    cache.require_space(1, "Installing the Python packages")
    step(f"Installing Python packages ({purpose}), about a minute")
    shutil.rmtree(folder, ignore_errors=True)
    log = cache.logs() / f"{folder.name}.log"
    run_logged_or_fail(
        [sys.executable, "-m", "venv", str(folder)], log, "Making a virtual environment"
    )
    run_logged_or_fail(
        [
            str(folder / "bin" / "python"),
            *("-m", "pip", "install", "--no-input", "--disable-pip-version-check"),
            *("--requirement", str(requirements)),
        ],
        log,
        "Installing Python packages",
        describe=_pip_progress,
    )
    (folder / _STAMP).touch()


def _pip_progress(line):
    words = line.split()
    if words and words[0] in ("Collecting", "Downloading", "Building", "Installing"):
        return " ".join(words[:2])
    return None


def _require_venv():
    """Debian keeps the standard library's venv in a package of its own."""
    if importlib.util.find_spec("ensurepip"):
        return
    package = f"python3.{sys.version_info[1]}-venv"
    if os.path.realpath(sys.executable).startswith("/usr/bin/"):
        debian.install([package], "virtual environments")
    else:
        raise Problem(
            f"{sys.executable} cannot make virtual environments (no ensurepip).",
            "Use a complete Python 3.10 to 3.13.",
        )


def enter(venv):
    """Start this script again with the virtual environment's Python."""
    if Path(sys.prefix) == venv:
        return
    python = str(venv / "bin" / "python")
    try:
        os.execv(python, [python, *sys.argv])
    except OSError as error:
        raise Problem(
            f"{python} does not start: {error.strerror}.",
            f"Remove the folder {venv}, then start again.",
        ) from error
