"""Everything downloaded or built is kept here, outside the checkout."""

import fcntl
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path

from .console import step
from .problem import Problem

VARIABLE = "SALES_FOLLOWUP_CACHE"
NAME = "sales_followup"


def folder():
    """Return the cache folder, created if need be.

    The superuser's cache is not in its home: the embedded PostgreSQL runs as a
    system user of its own, who must be able to reach it.
    """
    if os.environ.get(VARIABLE):
        path = Path(os.environ[VARIABLE]).expanduser().absolute()
    elif os.geteuid() == 0:
        path = Path("/var/cache") / NAME
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(home).absolute() / NAME
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / ".writable").touch()
    except OSError as error:
        raise Problem(
            f"The cache folder {path} cannot be written: {error.strerror}.",
            f"Choose another one in the environment variable {VARIABLE}.",
        ) from error
    if os.geteuid() == 0:
        _require_reachable(path)
    return path


def _require_reachable(path):
    """Refuse a folder which the system user of PostgreSQL could not enter."""
    for parent in (path, *path.parents):
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise Problem(
                f"The cache is in {parent}, which only its owner can enter, and"
                " PostgreSQL refuses to run as the superuser.",
                f"Choose another folder in the environment variable {VARIABLE},"
                " or start as an ordinary user.",
            )


def logs():
    return folder() / "logs"


def require_space(gibibytes, purpose):
    """Refuse to start what the disk has no room for."""
    path = folder()
    free = shutil.disk_usage(path).free / 2**30
    if free < gibibytes:
        raise Problem(
            f"{purpose} needs {gibibytes} GiB, but the disk of {path} has only"
            f" {free:.1f} GiB free.",
            f"Free some space, or choose another folder in {VARIABLE}.",
        )


@contextmanager
def building(target):
    """Yield an empty folder that becomes ``target`` if all goes well.

    A start that is interrupted leaves the unfinished folder behind; the next
    one begins it anew.
    """
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(target)


def _lock_file(name):
    path = folder() / "locks" / name
    path.parent.mkdir(exist_ok=True)
    return path.open("a")


@contextmanager
def locked(name, purpose):
    """Hold a lock that ends with this process; wait while another one has it."""
    with _lock_file(name) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step(f"Waiting for another start that is {purpose}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def try_lock(name):
    """Return an open, locked file, or None where another process holds it."""
    lock = _lock_file(name)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
