"""Progress on the terminal, kept short; details go to log files."""

import os
import sys
import threading
import time

# The clock goes on when a script starts again inside the virtual environment.
_started = float(os.environ.setdefault("SALES_FOLLOWUP_CLOCK", str(time.monotonic())))
_lock = threading.Lock()
_status_shown = False


def _stamp():
    return f"[{time.monotonic() - _started:4.0f}s]"


def _clear_status():
    global _status_shown
    if _status_shown:
        sys.stderr.write("\r\033[K")
        _status_shown = False


def step(text):
    """Print one line of progress, with the seconds since the start."""
    with _lock:
        _clear_status()
        print(_stamp(), text, file=sys.stderr, flush=True)


def say(text=""):
    """Print a result, for people and pipes."""
    with _lock:
        _clear_status()
        print(text, flush=True)


def status(text):
    """Show on a terminal what a long step is doing, replacing the line shown."""
    global _status_shown
    if not sys.stderr.isatty():
        return
    with _lock:
        sys.stderr.write(f"\r\033[K{_stamp()} {text}"[:110])
        sys.stderr.flush()
        _status_shown = True


class Heartbeat:
    """Tell that a long step is alive: at once on a terminal, seldom in a log."""

    INTERVAL = 20

    def __init__(self, title):
        self._title = title
        self._next = time.monotonic() + self.INTERVAL

    def beat(self, detail=""):
        text = f"{self._title}: {detail}" if detail else f"{self._title} …"
        status(text)
        if not sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next += self.INTERVAL
            step(text)


def say_problem(problem):
    """Print what is wrong and what to do about it."""
    with _lock:
        _clear_status()
        print(f"\n{problem}", file=sys.stderr, flush=True)
