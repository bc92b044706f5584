"""wkhtmltopdf alone: its runs are noted, to be run again without anything around."""

import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from odoo.addons.base.models import ir_actions_report


@dataclass
class Run:
    """One run: its options, and what it was to print."""

    options: list
    sources: list

    def repeat(self):
        """Do it again; give the PDF as bytes."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, source in enumerate(self.sources):
                paths.append(Path(folder, f"{number}.html"))
                paths[-1].write_text(source)
            target = Path(folder, "target.pdf")
            subprocess.run(
                [ir_actions_report._wkhtml().bin, *self.options, *paths, target],
                capture_output=True,
                check=False,
            )
            return target.read_bytes()


@contextmanager
def noted():
    """Note the runs of the block: yields a list of :class:`Run`."""
    runs, start = [], ir_actions_report._run_wkhtmltopdf

    def note(arguments):
        *others, _target = arguments
        paths = [path for path in others if "report.body.tmp" in str(path)]
        options = [option for option in others if option not in paths]
        runs.append(Run(_drop_files(options), [Path(p).read_text() for p in paths]))
        return start(arguments)

    with patch.object(ir_actions_report, "_run_wkhtmltopdf", note):
        yield runs


def _drop_files(options):
    """Leave out the options that name a file, which is gone by then."""
    kept, skip = [], False
    for option in options:
        if option in ("--header-html", "--footer-html", "--cookie-jar"):
            skip = True
        elif skip:
            skip = False
        else:
            kept.append(option)
    return kept
