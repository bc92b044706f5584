"""Results as a table for people and as JSON for programs."""

import json
import platform
from datetime import datetime, timezone
from pathlib import Path

from odoo.tools import config

_MARKS = {True: "met", False: "NOT MET", None: ""}


class Report:
    """Prints each row when it is measured; writes all of them at the end."""

    def __init__(self, registry, data, options):
        self.path = options.json or Path(config["data_dir"], "benchmark-results.json")
        with registry.cursor() as cr:
            cr.execute("SELECT version()")
            server = cr.fetchone()[0].split(" on ")[0]
        self.document = {
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "server": server,
            "sizes": vars(data.sizes),
            "rounds": options.rounds,
            "rows": {},
        }
        print(f"{server}, Python {platform.python_version()}, {data.sizes}")

    def skip(self, row, reason):
        print(f"\n{row.code}  {row.title}\n    not measured: {reason}", flush=True)

    def add(self, row, results, goals):
        outcomes = [goal.judge(results) for goal in goals]
        print(f"\n{row.code}  {row.title}")
        for remark in row.remarks:
            print(f"    ({remark})")
        self._print_times(results)
        self._print_written(results)
        self._print_outcomes(outcomes)
        self.document["rows"][row.code] = {
            "title": row.title,
            "ways": {name: _describe(result) for name, result in results.items()},
            "goals": [vars(outcome) for outcome in outcomes],
        }

    def finish(self):
        self.path.write_text(json.dumps(self.document, indent=2) + "\n")
        outcomes = [
            outcome["met"]
            for row in self.document["rows"].values()
            for outcome in row["goals"]
            if outcome["met"] is not None
        ]
        print(f"\n{sum(outcomes)} of {len(outcomes)} goals met; written to {self.path}")

    def _print_times(self, results):
        print(f"    {'way':<28}{'records':>9}{'ms each':>11}{'queries each':>15}")
        for name, result in results.items():
            self._print_time(name, result, None)
            if len(result.laps) > 1:
                for lap in result.laps:
                    self._print_time(f"  {lap}", result, lap)

    def _print_time(self, name, result, lap):
        print(
            f"    {name:<28}{result.records:>9}{result.ms_each(lap):>11.3f}"
            f"{result.queries_each(lap):>15.4f}"
        )

    def _print_written(self, results):
        """Print rows written for each record, to see that the ways do the same."""
        names = sorted({name for result in results.values() for name in result.written})
        shown = [
            (name, [result.written.get(name, 0) for result in results.values()])
            for name in names
        ]
        shown = [(name, counts) for name, counts in shown if max(counts) >= 0.01]
        if not shown:
            return
        heads = "".join(f"{name[:12]:>13}" for name in results)
        print(f"    {'rows written per record':<48}{heads}")
        for name, counts in shown:
            print(f"    {name:<48}" + "".join(f"{count:>13.2f}" for count in counts))

    def _print_outcomes(self, outcomes):
        for outcome in outcomes:
            spread = f"({outcome.spread})" if outcome.spread else ""
            print(
                f"    {outcome.text:<44}{outcome.value:>9.3g} {spread:<14}"
                f"{outcome.limit:>10}  {_MARKS[outcome.met]}",
                flush=True,
            )


def _describe(result):
    return {
        "records": result.records,
        "ms_each": result.ms_each(),
        "queries_each": result.queries_each(),
        "written_each": result.written,
        "laps": {
            name: [vars(lap) for lap in laps] for name, laps in result.laps.items()
        },
    }
