import statistics

from goals import Value
from measure import Lap, Result, Way, peak_memory

from .row_2_orders import Orders


class Large(Orders):
    """Ten times as many orders: as fast for each, in hardly more memory.

    Each measurement has a process of its own, whose peak memory is compared.
    """

    code = "2d"
    title = "propagate to ten times as many sale orders, journal and chatter"

    def why_not(self):
        if self.options.records * 10 > self.data.sizes.orders:
            return f"there are not {self.options.records * 10} orders"
        return super().why_not()

    def measure(self):
        results, memory = {}, {}
        for times in (1, 10) * min(2, self.bench.rounds):
            name = f"{times * self.options.records} orders"
            found = self.bench.in_child(self.code, times * self.options.records)
            result = results.setdefault(name, Result())
            result.records = found["records"]
            for lap, values in found["laps"].items():
                result.laps.setdefault(lap, []).append(Lap(**values))
            memory.setdefault(name, []).append(found["peak"])
        small, large = results
        linear = results[large].ms_each() / results[small].ms_each()
        more = statistics.median(memory[large]) - statistics.median(memory[small])
        return results, [
            Value(
                f"time per record, {large} / {small}", linear, at_most=1.15, unit="×"
            ),
            Value(f"peak memory, {large} - {small}", more, at_most=100, unit=" MB"),
        ]

    def in_child(self, records):
        """Measure once, in this process alone; give what can be sent to the parent."""
        way = Way("ours", self.ours, records)
        trial = self.bench.run_once(way, 0, self.tables, records)
        return {
            "records": trial.records,
            "laps": {name: vars(lap) for name, lap in trial.laps.items()},
            "peak": peak_memory(),
        }
