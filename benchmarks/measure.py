"""The stopwatch: several ways to do the same work, in turn, on comparable records."""

import gc
import resource
import statistics
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from session import clean_up, committed, rolled_back

#: what a measured round is called where it has no parts
WHOLE = ""
#: how many rounds the slow ways take part in
SLOW_ROUNDS = 2


@dataclass
class Lap:
    """One stretch of one round: its time and queries, for so many records."""

    seconds: float
    queries: int
    records: int

    @property
    def ms_each(self):
        return 1000 * self.seconds / self.records

    @property
    def queries_each(self):
        return self.queries / self.records


class Trial:
    """What a way gets for one round: an environment, a turn, and the stopwatch.

    :param env: environment of the editor, in a transaction that will be rolled back
    :param turn: number of the round, by which to choose other records each time
    :param records: how many records to work on
    """

    def __init__(self, env, data, turn, records):
        self.env = env
        self.data = data
        self.turn = turn
        self.records = records
        self.prepared = None
        self.laps = {}
        self.written = {}

    @contextmanager
    def lap(self, name=WHOLE):
        """Measure the block, with all that a commit would still have to do."""
        self.env.cr.flush()
        rows_before = _written_rows(self.env.cr)
        gc.collect()
        queries = self.env.cr.sql_log_count
        start = time.perf_counter()
        yield
        self.env.cr.flush()
        seconds = time.perf_counter() - start
        queries = self.env.cr.sql_log_count - queries
        self.laps[name] = Lap(seconds, queries, self.records)
        for table, count in (_written_rows(self.env.cr) - rows_before).items():
            self.written[table] = self.written.get(table, 0) + count


class _Rows(dict):
    def __sub__(self, other):
        rest = {name: count - other.get(name, 0) for name, count in self.items()}
        return _Rows({name: count for name, count in rest.items() if count})


def _written_rows(cr):
    """Return how many rows this transaction wrote: {"+table": inserted, ...}."""
    cr.execute(
        """
        SELECT verb || relname, rows
          FROM pg_stat_xact_user_tables,
               LATERAL (VALUES ('+', n_tup_ins), ('~', n_tup_upd), ('-', n_tup_del))
                    AS work (verb, rows)
         WHERE rows > 0
        """
    )
    return _Rows(cr.fetchall())


@dataclass
class Way:
    """One way to do the work of a row.

    :param name: ``ours``, ``floor``, or what it is
    :param run: called with a :class:`Trial`; prepares, then works in one or more laps
    :param records: how many records it gets; fewer for the slow ways
    :param slow: takes part in the first rounds only
    :param su: as superuser
    :param around: called with (bench, turn, records), gives a context manager that
        commits what the round needs, yields what it is to find in
        :attr:`Trial.prepared`, and undoes it afterwards
    """

    name: str
    run: callable
    records: int
    slow: bool = False
    su: bool = False
    around: callable = None


@dataclass
class Result:
    """What the rounds of one way gave."""

    records: int = 0
    laps: dict = field(default_factory=dict)
    written: dict = field(default_factory=dict)

    def add(self, trial):
        self.records = trial.records
        for name, lap in trial.laps.items():
            self.laps.setdefault(name, []).append(lap)
        self.written = {
            table: count / trial.records for table, count in trial.written.items()
        }

    def rounds(self, lap=None):
        """Return the laps of that name, or the sums of all laps, one for each round."""
        if lap is not None:
            return self.laps[lap]
        return [
            Lap(
                sum(part.seconds for part in parts),
                sum(part.queries for part in parts),
                parts[0].records,
            )
            for parts in zip(*self.laps.values(), strict=True)
        ]

    def ms_each(self, lap=None):
        return statistics.median(part.ms_each for part in self.rounds(lap))

    def queries_each(self, lap=None):
        return statistics.median(part.queries_each for part in self.rounds(lap))


class Bench:
    """Runs ways in rounds.

    :param registry: of the database
    :param data: a :class:`dataset.Data`
    :param rounds: how many times each way runs; one shorter round before warms up
    :param in_child: called with a row's code and a number of records, measures that in
        a process of its own
    """

    def __init__(self, registry, data, rounds, in_child):
        self.registry = registry
        self.data = data
        self.rounds = rounds
        self.in_child = in_child

    def compare(self, ways, tables, warm_up=50):
        """Run all ways, the order turning with each round.

        :param tables: names of the tables they write, cleaned up in between
        :return: dict of name → :class:`Result`
        """
        results = {way.name: Result() for way in ways}
        for way in ways:
            self.run_once(way, 0, tables, min(way.records, warm_up))
        for turn in range(self.rounds):
            first = turn % len(ways)
            for way in ways[first:] + ways[:first]:
                if way.slow and turn >= SLOW_ROUNDS:
                    continue
                results[way.name].add(self.run_once(way, turn, tables, way.records))
        return results

    def run_once(self, way, turn, tables, records):
        around = way.around(self, turn, records) if way.around else nullcontext()
        with around as prepared:
            clean_up(self.registry, tables)
            user = self.data.editor
            with rolled_back(self.registry, user, self.context()) as env:
                trial = Trial(env(su=way.su), self.data, turn, records)
                trial.prepared = prepared
                way.run(trial)
        return trial

    def as_editor(self):
        """Return a context manager: the editor's environment, committed at the end."""
        # mails are queued, not sent
        context = {**self.context(), "mail_notify_force_send": False}
        return committed(self.registry, self.data.editor, context)

    def context(self):
        """Return the context the web client sends along."""
        with rolled_back(self.registry) as env:
            editor = env["res.users"].browse(self.data.editor)
            return {
                "lang": editor.lang or "en_US",
                "tz": editor.tz or "UTC",
                "uid": editor.id,
                "allowed_company_ids": editor.company_ids.ids,
            }


def peak_memory():
    """Return the most memory this process ever held, in MB."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                # not ru_maxrss, which on Linux starts from the parent's
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except FileNotFoundError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
