"""Processes of Odoo as seen from outside: told what to do, killed, waited for."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from workbench.process import die_with_parent, stopping

from . import worker

#: seconds; who waits this long waits for something that does not come
PATIENCE = 90


class Worker:
    """A process of Odoo on one database; see :mod:`.worker` for what it can do."""

    def __init__(self, connection):
        self._connection = connection
        self._answers = connection.makefile("r")
        self._pid = self.finish()

    def start(self, name, *arguments):
        """Have it begin something."""
        self._connection.sendall(json.dumps([name, *arguments]).encode() + b"\n")

    def finish(self):
        """Wait for the end of what was begun; return its result."""
        assert self.is_idle(PATIENCE), "Odoo does not come to an end"
        answer = json.loads(self._answers.readline() or '{"error": "Odoo is gone"}')
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def do(self, name, *arguments):
        self.start(name, *arguments)
        return self.finish()

    def is_idle(self, patience=0):
        """Tell whether what was begun has ended."""
        return bool(select.select([self._connection], [], [], patience)[0])

    def kill(self):
        """End it as a power cut would."""
        os.kill(self._pid, signal.SIGKILL)


class Odoo:
    """A loaded Odoo, from which processes are forked."""

    def __init__(self, address):
        self._address = address

    @contextmanager
    def worker(self):
        """Yield a new process of Odoo; it ends with the block."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._address)
            yield Worker(connection)


@contextmanager
def loaded(odoo, database, log):
    """Yield an :class:`Odoo` that has loaded a database of this name."""
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as output:
        address = str(Path(folder, "socket"))
        process = subprocess.Popen(
            [sys.executable, worker.__file__, address],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=odoo.environment(database),
            preexec_fn=die_with_parent,
        )
        with stopping(process):
            wait_for(
                lambda: Path(address).exists() or process.poll() is not None, "Odoo"
            )
            assert process.poll() is None, log.read_text()[-5000:]
            yield Odoo(address)


def run_program(odoo, database, module):
    """Run one of the modules here as a program inside Odoo."""
    subprocess.run(
        [sys.executable, module.__file__], env=odoo.environment(database), check=True
    )


def wait_for(condition, what):
    """Wait until something is so; return what ``condition`` returned."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"Waited in vain for {what}"
        time.sleep(0.05)
    return result
