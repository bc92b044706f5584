"""script/lint: pre-commit's checks."""

import os
import shutil

from .. import cache, checkout, debian, virtualenv
from ..problem import Problem
from ..process import run_foreground


def parse(arguments):
    if not shutil.which("git"):
        raise Problem("Missing: git.", "As the superuser: apt-get install git")
    return arguments


def run(arguments):
    """Run the checks on all files; arguments go to ``pre-commit run``."""
    debian.require_programs(["nodejs", "npm"], "the checks of XML and JavaScript")
    venv = virtualenv.ensure("lint", virtualenv.SCRIPT / "requirements-lint.txt")
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(cache.folder() / "pre-commit"),
        "PATH": os.pathsep.join([str(venv / "bin"), os.environ["PATH"]]),
    }
    return run_foreground(
        [str(venv / "bin" / "pre-commit"), "run", *(arguments or ["--all-files"])],
        env=environment,
        cwd=checkout.ROOT,
    )
