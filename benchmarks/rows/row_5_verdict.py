import statistics
import time

from goals import Queries, Value
from measure import Way
from product import REMINDERS, fetch_facts, prepare_decision, switch_on

from . import Row

RECORDS = 1_000
#: how often each is judged: once is over before the clock ticks
TIMES = 20


class Verdict(Row):
    """Judge quotations that were reminded once, and others that were not.

    The facts are fetched as a run of the scheduled action does, then the pure function
    finds the level whose turn it is and decides about it.
    """

    code = "5"
    title = "the verdict: its facts, and the decision"
    goals = (Queries("facts", at_most=0.1), Queries("decision", at_most=0))

    def ways(self):
        return [
            Way("facts", self.fetch, RECORDS, su=True),
            Way("decision", self.decide, RECORDS * TIMES, su=True),
        ]

    def measure(self):
        # of the processor's time: the goal is no ratio, and others may use it, too
        self.speeds = []
        results, goals = super().measure()
        speed = statistics.median(self.speeds)
        return results, [Value("decisions a second", speed, at_least=50_000), *goals]

    def fetch(self, trial):
        quotations = self._prepare(trial, trial.records)
        with trial.lap():
            fetch_facts(quotations)

    def decide(self, trial):
        quotations = self._prepare(trial, trial.records // TIMES)
        decide = prepare_decision(quotations)
        with trial.lap():
            start = time.process_time()
            for _time in range(TIMES):
                decide()
            self.speeds.append(trial.records / (time.process_time() - start))

    def _prepare(self, trial, count):
        """Return quotations on both sides of the last one that was reminded."""
        for level, xmlid in enumerate(REMINDERS):
            switch_on(trial.env, xmlid, days=10 * level)
        middle = self.data.quotation_ids(1)[0]
        ids = range(middle - count // 2, middle + count - count // 2)
        return trial.env["sale.order"].browse(ids)
