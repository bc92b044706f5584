"""The build of wkhtmltopdf that Odoo recommends: tests print with it, too."""

import shutil
import sys

from . import cache, debian, virtualenv
from .console import step
from .problem import Problem
from .process import run_logged_or_fail

# Tests read here in which folder the program is.
VARIABLE = "SALES_FOLLOWUP_PATCHED_WKHTMLTOPDF"
_NAME = "patched-wkhtmltopdf-0.12.6.1"
_REQUIREMENTS = virtualenv.SCRIPT / "requirements-patched-wkhtmltopdf.txt"
_TOOLS = ("cmake", "make", "cc")
# It was linked with this version of the library, which Debian does not build.
_LIBRARY = "libjpeg.so.8"
_START = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/lib" exec "$here/wkhtmltopdf.bin" "$@"
"""


def ensure():
    """Return the folder that holds the program, made where missing, or ``None``.

    The tests go without it where it cannot be made, which is said in one line.
    """
    target = cache.folder() / _NAME
    try:
        with cache.locked(_NAME, "building wkhtmltopdf with patched Qt"):
            if not target.exists():
                _require_tools()
                step("Building wkhtmltopdf with patched Qt, half a minute")
                with cache.building(target) as folder:
                    _build(folder)
    except Problem as problem:
        reason = problem.message.splitlines()[0].rstrip(":")
        details = f" ({problem.log})" if problem.log else ""
        step(f"Without the tests that print with patched Qt: {reason}{details}")
        return None
    return target


def _require_tools():
    missing = [tool for tool in _TOOLS if not shutil.which(tool)]
    if missing:
        raise Problem(f"{', '.join(missing)} not found.")


def _build(folder):
    log = cache.logs() / f"{_NAME}.log"
    work = folder / "work"
    work.mkdir()
    _take_program(folder, work, log)
    _build_library(folder / "lib", work, log)
    shutil.rmtree(work)
    start = folder / "wkhtmltopdf"
    start.write_text(_START)
    start.chmod(0o755)
    run_logged_or_fail([str(start), "--version"], log, "Starting wkhtmltopdf")
    if "with patched qt" not in log.read_text(errors="replace"):
        raise Problem("The wkhtmltopdf downloaded has no patched Qt.")


def _take_program(folder, work, log):
    run_logged_or_fail(
        [
            *(sys.executable, "-m", "pip", "install", "--no-input", "--no-deps"),
            *("--disable-pip-version-check", "--target", str(work / "python")),
            *("--requirement", str(_REQUIREMENTS)),
        ],
        log,
        "Downloading wkhtmltopdf",
    )
    program = folder / "wkhtmltopdf.bin"
    shutil.copy(work / "python/pydf/bin/wkhtmltopdf", program)
    program.chmod(0o755)


def _build_library(target, work, log):
    debian.download_source("libjpeg-turbo", work, log)
    [source] = work.glob("libjpeg-turbo-*/")
    build = work / "build"
    for command in (
        [
            *("cmake", "-S", str(source), "-B", str(build)),
            *("-DWITH_JPEG8=1", "-DWITH_SIMD=0", "-DENABLE_STATIC=0"),
            *("-DWITH_TURBOJPEG=0", "-DCMAKE_BUILD_TYPE=Release"),
        ],
        ["make", "-C", str(build), "jpeg"],
    ):
        run_logged_or_fail(command, log, f"Building {_LIBRARY}")
    target.mkdir()
    for file in build.glob(f"{_LIBRARY}*"):
        shutil.copy2(file, target, follow_symlinks=False)
