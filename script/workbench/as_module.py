"""Run a checker on the addon under the module's name, whatever its folder's.

Started by pre-commit's hooks with the name, the checker and its arguments; the name
is added as the last one. The checkers resolve links, so they get a copy.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_LEFT_OUT = (".*", "__pycache__", "benchmarks", "script")


def main(module, *command):
    checkout = Path.cwd()
    # A file is meant from the checkout, where this was started.
    command = [
        str(checkout / word) if (checkout / word).is_file() else word
        for word in command
    ]
    with tempfile.TemporaryDirectory() as folder:
        ignore = shutil.ignore_patterns(*_LEFT_OUT)
        shutil.copytree(checkout, Path(folder, module), ignore=ignore)
        result = subprocess.run(
            [*command, module],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    # Whoever reads the findings knows these files by their paths in the checkout.
    shown = re.sub(rf"/?{folder[1:]}/|\b{module}/", "", result.stdout)
    print(shown, end="")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
