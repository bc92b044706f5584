"""The entry of all scripts.

This file is read by any Python 3, so that a wrong one gets a clear message.
"""

import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 10), (3, 13)


def main(command):
    """Run ``script/<command>`` and exit with its code."""
    use_supported_python()
    from .stages import run

    sys.exit(run(command, sys.argv[1:]))


def use_supported_python():
    """Start again with a Python that Odoo 19 supports, if this one is not."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        python = shutil.which("python3.%s" % minor)
        if python and _works(python):
            os.execv(python, [python] + sys.argv)
    sys.exit(
        "Problem: Odoo 19 needs Python 3.10 to 3.13, and this is Python %s.%s.\n"
        "What to do: install one of them (as python3.13, say) and start again."
        % sys.version_info[:2]
    )


def _works(python):
    """Tell a real Python from a version manager's stand-in."""
    with open(os.devnull, "w") as nowhere:
        command = [python, "-c", "import ssl"]
        return subprocess.call(command, stdout=nowhere, stderr=nowhere) == 0
