"""Child processes that never outlive this one."""

import ctypes
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager

from .console import Heartbeat
from .problem import Problem

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; unwinds the stack so that everything stops."""


def _on_terminate(signum, _frame):
    raise Terminated(signum)


def guard():
    """Make this process answer for its whole family.

    Orphaned grandchildren (Chromium's helpers, Odoo's workers) are handed to
    this process, so that :func:`stop_descendants` finds them.
    """
    # A shell starts background jobs with SIGINT ignored; asked for, it counts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _on_terminate)
    signal.signal(signal.SIGHUP, _on_terminate)
    if _prctl:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent():
    """Run in a child: be terminated when the parent is killed outright."""
    if _prctl:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _descendants(pid):
    """Return the process ids of the descendants of ``pid`` in its session.

    Daemons (the embedded PostgreSQL and its keeper) live in sessions of their
    own: they are shared with other runs and end by themselves.
    """
    parents = {}
    for entry in os.scandir("/proc") if os.path.isdir("/proc") else ():
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/stat", encoding="utf-8") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            state, parent, session = fields[0], int(fields[1]), int(fields[3])
            if session == os.getsid(0) and state != "Z":
                parents.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def stop_descendants(patience=8):
    """End every process started by this one, politely, then not."""
    for signum, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 2)):
        deadline = time.monotonic() + wait
        for pid in _descendants(os.getpid()):
            _signal(pid, signum)
        while _descendants(os.getpid()) and time.monotonic() < deadline:
            time.sleep(0.1)


def _signal(pid, signum):
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


@contextmanager
def stopping(process, patience=8):
    """Terminate ``process`` on the way out, if it still runs."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_logged(command, log, title, env=None, cwd=None, describe=None):
    """Run a long command with its output in ``log``, showing progress.

    :param describe: turns a line of output into a short progress text, or None
    :return: the exit code
    """
    heartbeat = Heartbeat(title)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, log.open("rb") as follower:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            preexec_fn=die_with_parent,
        )
        detail = ""
        with stopping(process):
            while process.poll() is None:
                for line in follower.read().decode(errors="replace").splitlines():
                    detail = (describe and describe(line)) or detail
                heartbeat.beat(detail)
                time.sleep(0.25)
    return process.returncode


def run_logged_or_fail(command, log, title, remedy="", **options):
    """Like :func:`run_logged`; a failure becomes a :class:`Problem`."""
    code = run_logged(command, log, title, **options)
    if code:
        raise Problem(*_explain(title, code, log, remedy), log=log)


# What tools say when something outside is missing, and what to say of it.
_KNOWN_CAUSES = (
    (
        re.compile(r"No space left on device|Errno 28"),
        "the disk is full",
        "Free some space, then start again.",
    ),
    (
        re.compile(
            r"NewConnectionError|Temporary failure (in name resolution|resolving)"
            r"|Could not (resolve|connect)|Network is unreachable|Connection timed out"
        ),
        "the network does not answer",
        "Check the connection and the proxies configured for apt and pip, then start"
        " again.",
    ),
)


def _explain(title, code, log, remedy):
    """Return a message and a remedy for a failed command, from its output."""
    text = log.read_text(errors="replace")
    for pattern, cause, cure in _KNOWN_CAUSES:
        if pattern.search(text):
            return f"{title} failed: {cause}.", " ".join(filter(None, [cure, remedy]))
    lines = [line for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(r"\d{4}-\S+ \S+ \d+ INFO", line)]
    tail = (telling or lines)[-8:]
    return f"{title} failed (exit code {code}):\n    " + "\n    ".join(tail), remedy


def output(command):
    """Return what a short command prints, or an empty text where it fails."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run_foreground(command, env=None, cwd=None):
    """Run a command that owns the terminal; return its exit code.

    Ctrl-C reaches the child directly; it decides how to end, and this process
    only waits for it.
    """
    process = subprocess.Popen(
        command, env=env, cwd=cwd, preexec_fn=_prepare_foreground
    )
    interrupted = []
    previous = signal.signal(signal.SIGINT, lambda *args: interrupted.append(args))
    try:
        with stopping(process):
            code = process.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    if interrupted and code:
        raise KeyboardInterrupt
    return code


def _prepare_foreground():
    die_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
