"""Where our time goes: Python by function, SQL by statement."""

import cProfile
import pstats
import re
import threading
from collections import Counter
from contextlib import contextmanager

_SHOWN = 25
_WIDTH = 150


def profile(row):
    """Run our way once without and once with the profiler, and print what it took.

    The times of the statements come from the first run, which the profiler does not
    slow down.
    """
    for way in row.ways():
        if way.name == "ours":
            row.bench.run_once(way, 0, row.tables, min(50, way.records))
            with _statements() as (seconds, calls):
                trial = row.bench.run_once(way, 0, (), way.records)
            _print_laps(row, trial, seconds, calls)
            profiler = cProfile.Profile()
            profiler.runcall(row.bench.run_once, way, 0, row.tables, way.records)
            stats = pstats.Stats(profiler)
            stats.sort_stats("cumulative").print_stats("sales_followup|main", _SHOWN)
            stats.sort_stats("tottime").print_stats(_SHOWN)


def _print_laps(row, trial, seconds, calls):
    print(f"\n{row.code}  {row.title}: {trial.records} records")
    for name, lap in trial.laps.items():
        print(f"    {name:<10}{lap.seconds:8.3f} s{lap.queries:8} queries")
    print(f"    in SQL    {sum(seconds.values()):8.3f} s, set-up included; of which")
    for statement, spent in seconds.most_common(_SHOWN):
        print(f"    {spent:8.3f} s{calls[statement]:7} × {statement[:_WIDTH]}")


@contextmanager
def _statements():
    """Yield (seconds by statement, calls by statement) of this thread's cursors."""
    seconds, calls = Counter(), Counter()

    def note(cursor, query, params, start, delay):
        if isinstance(query, bytes):
            query = query.decode(errors="replace")
        statement = re.sub(r"\(\s*%s(, %s)*\s*\)|\d+", "?", " ".join(query.split()))
        seconds[statement] += delay
        calls[statement] += 1

    thread = threading.current_thread()
    thread.query_hooks = [*getattr(thread, "query_hooks", ()), note]
    try:
        yield seconds, calls
    finally:
        thread.query_hooks.remove(note)
