"""The PostgreSQL in use: the embedded one, or the one the PG* variables name."""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql

from . import cache, postgres_keeper
from .console import status, step
from .problem import Problem

EXTERNAL_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGSERVICE")
_OLDEST = 13
_PATIENCE = 90
_DROP_ATTEMPTS = 3


class Server:
    """Databases of one PostgreSQL server.

    :param variables: PG* variables by which libpq, and so Odoo, reaches it
    """

    def __init__(self, variables):
        self.variables = variables
        self.maintenance = os.environ.get("PGDATABASE", "postgres")

    @property
    def key(self):
        """Tell servers apart, for the file stores of their databases."""
        names = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE")
        text = repr([self.variables.get(name) for name in names])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def connect(self, database=None):
        parameters = {
            "host": self.variables.get("PGHOST"),
            "port": self.variables.get("PGPORT"),
            "user": self.variables.get("PGUSER"),
            "dbname": database or self.maintenance,
        }
        connection = psycopg2.connect(
            **{name: value for name, value in parameters.items() if value}
        )
        connection.autocommit = True
        return connection

    def query(self, statement, parameters=None, database=None):
        """Run one statement; return its rows, if it has any."""
        with closing(self.connect(database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

    def names(self):
        return {name for (name,) in self.query("SELECT datname FROM pg_database")}

    def drop(self, name):
        """Drop a database, whoever of ours is still connected to it."""
        # not "WITH (FORCE)": it is refused to whoever may not end an autovacuum worker,
        # which PostgreSQL itself sends away from a database that is dropped
        for attempts_left in reversed(range(_DROP_ATTEMPTS)):
            self._end_sessions(name)
            try:
                return self._administer("DROP DATABASE IF EXISTS {}", name)
            except psycopg2.errors.ObjectInUse:
                if not attempts_left:
                    raise

    def _end_sessions(self, name):
        self.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'MEMBER')",
            [name],
        )

    def copy(self, source, target):
        self._administer("CREATE DATABASE {} TEMPLATE {}", target, source)

    def create(self, name, **settings):
        """Make an empty database, with settings of its own."""
        self._administer("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
        for setting, value in settings.items():
            self.query(
                sql.SQL("ALTER DATABASE {} SET {} = %s").format(
                    sql.Identifier(name), sql.Identifier(setting)
                ),
                [value],
            )

    def rename(self, source, target):
        self._administer("ALTER DATABASE {} RENAME TO {}", source, target)

    def note(self, name):
        """Return what :meth:`write_note` last said about a database."""
        rows = self.query(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = %s",
            [name],
        )
        return rows and rows[0][0] or ""

    def write_note(self, name, text):
        """Keep a note with the database, so that both vanish together."""
        self.query(
            sql.SQL("COMMENT ON DATABASE {} IS %s").format(sql.Identifier(name)), [text]
        )

    def _administer(self, statement, *names):
        try:
            self.query(sql.SQL(statement).format(*map(sql.Identifier, names)))
        except psycopg2.errors.DiskFull as error:
            message = "The disk of PostgreSQL is full."
            raise Problem(message, "Free some space.") from error


@contextmanager
def serving():
    """Yield the server to use; an embedded one runs until its last user ends."""
    if any(os.environ.get(name) for name in EXTERNAL_VARIABLES):
        yield _external()
    else:
        with embedded() as server:
            yield server


def _external():
    server = Server({k: v for k, v in os.environ.items() if k.startswith("PG")})
    remedy = (
        "Check the PG* variables, or unset them to use the PostgreSQL that comes along."
    )
    try:
        [(user, may_create, version)] = server.query(
            "SELECT current_user, rolcreatedb OR rolsuper,"
            " current_setting('server_version_num')::int / 10000"
            " FROM pg_roles WHERE rolname = current_user"
        )
    except psycopg2.Error as error:
        raise Problem(
            f"The PostgreSQL of the PG* variables does not answer.\n{error}".rstrip(),
            remedy,
        ) from error
    if version < _OLDEST:
        raise Problem(
            f"PostgreSQL {version} is too old; Odoo 19 needs {_OLDEST}.", remedy
        )
    if user == "postgres":
        raise Problem(
            "Odoo refuses to work as PostgreSQL's user postgres.",
            "Make another role (createuser --createdb NAME) and set PGUSER to it.",
        )
    if not may_create:
        raise Problem(
            f"PostgreSQL's user {user} may not create databases.",
            f"As its superuser: ALTER ROLE {user} CREATEDB.",
        )
    step(f"Using PostgreSQL {version} as {user} (PG* variables)")
    return server


@contextmanager
def embedded(name="postgres-18"):
    """Yield a server that comes along; it runs until its last user ends.

    :param name: tells apart servers, and the folders of their data in the cache
    """
    home = cache.folder() / name
    home.mkdir(exist_ok=True)
    with (home / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield _wait_for(home)
        finally:
            if _is_last(users):
                fcntl.flock(users, fcntl.LOCK_UN)
                _wait_for_end(home)


def _is_last(users):
    """Tell whether nobody else uses the server."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_end(home):
    """Return when the keeper has ended: nothing runs on after the script."""
    deadline = time.monotonic() + _PATIENCE
    with (home / "keeper.lock").open("a") as keeper:
        while not _is_last(keeper) and time.monotonic() < deadline:
            time.sleep(0.1)


def _wait_for(home):
    """Return the embedded server, starting it and its keeper where none runs."""
    log = cache.logs() / "postgres.log"
    log.parent.mkdir(exist_ok=True)
    # Where a keeper is at work already, this one ends at once.
    keeper = _start_keeper(home, log)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not keeper.poll():
        server = _running(home)
        if server:
            return server
        if keeper.poll() == 0:
            keeper = _start_keeper(home, log)
        status("Starting PostgreSQL")
        time.sleep(0.3)
    raise Problem(
        "The embedded PostgreSQL does not start.",
        f"Read the log; removing the folder {home} begins anew.",
        log=log,
    )


def _running(home):
    try:
        socket_folder = (home / "endpoint").read_text()
        server = Server({"PGHOST": socket_folder, "PGUSER": postgres_keeper.ROLE})
        server.query("SELECT 1")
    except (FileNotFoundError, psycopg2.OperationalError):
        return None
    return server


def _start_keeper(home, log):
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, postgres_keeper.__file__, str(home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
        )
