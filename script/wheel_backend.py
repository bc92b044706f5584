"""Build the addon's wheel: whool's, of what an installed addon needs.

whool takes the module's name from its folder, and packs all files of the repository;
here it gets a copy, whose folder has the right name, without what is for developers.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from whool import buildapi

MODULE = "sales_followup"
_LEFT_OUT = (
    *(".*", "script", "benchmarks", "build", "node_modules", "*.cjs", "pyproject.toml"),
    *("*.egg-info", "*.pyc", "__pycache__"),
)
# A source distribution is built into a wheel by whool alone.
_PYPROJECT = """\
[build-system]
requires = ["whool"]
build-backend = "whool.buildapi"
"""


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    target = Path(wheel_directory).resolve()
    with _in_copy() as addon:
        name = buildapi.build_wheel(str(target))
        _complete(target / name, addon)
    return name


def build_sdist(sdist_directory, config_settings=None):
    target = Path(sdist_directory).resolve()
    with _in_copy() as addon:
        (addon / "pyproject.toml").write_text(_PYPROJECT)
        return buildapi.build_sdist(target)


@contextmanager
def _in_copy():
    """Work in a copy of the addon; yield its folder."""
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        addon = Path(folder, MODULE)
        shutil.copytree(checkout, addon, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        os.chdir(addon)
        try:
            yield addon
        finally:
            os.chdir(checkout)


def _complete(wheel, addon):
    """Put the licence into the wheel, and take out of its description what leads
    nowhere outside the repository."""
    with tempfile.TemporaryDirectory() as folder:
        _wheel("unpack", "--dest", folder, str(wheel))
        [content] = Path(folder).iterdir()
        [info] = content.glob("*.dist-info")
        (info / "licenses").mkdir()
        shutil.copy(addon / "LICENSE", info / "licenses")
        metadata = info / "METADATA"
        metadata.write_text(without_relative_links(metadata.read_text("utf-8")))
        wheel.unlink()
        _wheel("pack", "--dest-dir", str(wheel.parent), str(content))


def without_relative_links(markdown):
    """Return a text without pictures and links of this repository."""
    markdown = re.sub(r"!\[[^]]*\]\((?!\w+:)[^)]*\)\n*", "", markdown)
    return re.sub(r"\[([^]]*)\]\((?!\w+:|#)[^)]*\)", r"\1", markdown)


def _wheel(*arguments):
    command = [sys.executable, "-m", "wheel", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
