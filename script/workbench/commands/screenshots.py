"""script/screenshots: the pictures of the README and of the store page, anew."""

import argparse
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .. import cache, checkout, debian, virtualenv
from ..console import say, step
from ..databases import FULL
from ..problem import Problem
from ..process import die_with_parent, run_foreground, stopping
from .demo import _wait_until_ready

_TARGET = checkout.ROOT / "static" / "description"
_REQUIREMENTS = virtualenv.SCRIPT / "requirements-screenshots.txt"
_LAST_SEEN = "screenshots-problem.png"
_LARGEST = 250_000  # bytes; what is larger gets along with fewer colours
# The letters that come with Odoo, so that every machine makes the same pictures.
# Of the two folders, an Odoo has one.
_FONTS = """\
<?xml version="1.0"?>
<fontconfig>
    <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
    <dir>{home}/odoo/addons/web/static/fonts/google/Roboto</dir>
    <dir>{home}/addons/web/static/fonts/google/Roboto</dir>
</fontconfig>
"""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/screenshots",
        description="Make the pictures in static/description anew, in Chromium, from"
        " a demo database of their own.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=_TARGET,
        metavar="FOLDER",
        help="write them there instead",
    )
    return parser.parse_args(arguments)


def run(workbench, options):
    debian.require_programs(["chromium"], "the pictures")
    venv = virtualenv.ensure("screenshots", _REQUIREMENTS)
    with (
        _demo_database(workbench) as database,
        _serving(workbench.odoo, database) as address,
        tempfile.TemporaryDirectory() as folder,
    ):
        step("Taking the pictures")
        code = run_foreground(
            [
                *(str(venv / "bin" / "python"), "-m", "workbench.photographer"),
                *(address, _chromium(), folder),
            ],
            env=_photographer_environment(workbench.odoo),
        )
        if code:
            raise _problem(Path(folder))
        options.into.mkdir(parents=True, exist_ok=True)
        for picture in sorted(Path(folder).glob("*.png")):
            _save_small(picture, options.into / picture.name)
    return 0


@contextmanager
def _demo_database(workbench):
    """Yield a database like script/demo's before its main job.

    A new one each time, so that nothing anybody tried shows in the pictures. The
    main job would give one of their customers to somebody else.
    """
    databases = workbench.databases
    with databases.reserved("screenshots") as name:
        try:
            databases.install(name, FULL)
            yield name
        finally:
            databases.drop(name)


@contextmanager
def _serving(odoo, database):
    """Yield the address of a web client on a free port."""
    port = _free_port()
    log = cache.logs() / "screenshots-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            odoo.command("server", "-d", database, "--http-port", str(port)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=odoo.environment(database),
            preexec_fn=die_with_parent,
        )
    with stopping(process):
        address = f"http://localhost:{port}"
        _wait_until_ready(process, address, log)
        yield address


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _chromium():
    programs = debian.PROGRAMS["chromium"]
    return next(path for path in map(shutil.which, programs) if path)


def _photographer_environment(odoo):
    fonts = cache.folder() / "screenshots-fonts.conf"
    fonts.write_text(_FONTS.format(home=odoo.home))
    return {
        **os.environ,
        "PYTHONPATH": str(virtualenv.SCRIPT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FONTCONFIG_FILE": str(fonts),
    }


def _problem(folder):
    seen = cache.logs() / _LAST_SEEN
    if (folder / _LAST_SEEN).exists():
        shutil.copy(folder / _LAST_SEEN, seen)
    return Problem(
        "The pictures could not all be taken; none was replaced.",
        f"Look at what Chromium showed last: {seen}",
        log=cache.logs() / "screenshots-server.log",
    )


def _save_small(source, target):
    from PIL import Image

    with Image.open(source) as image:
        picture = image.convert("RGB")
    picture.save(target, optimize=True)
    if target.stat().st_size > _LARGEST:
        picture.quantize(256, Image.Quantize.MEDIANCUT).save(target, optimize=True)
    say(f"  {target.name:<24}{target.stat().st_size / 1000:>6.0f} kB")
