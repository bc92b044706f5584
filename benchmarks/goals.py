"""What PERFORMANCE.md asks of a row, and whether a run reached it."""

import statistics
from dataclasses import dataclass


@dataclass
class Outcome:
    """A goal, the value measured, and whether it is met (``None``: only told)."""

    text: str
    value: float
    limit: str
    met: bool | None
    spread: str = ""


@dataclass
class Ratio:
    """``way`` takes so many times as long as ``base``.

    :param at_least: the goal, where more is better (the slow way over ours)
    :param at_most: the goal, where less is better (ours over the floor)
    :param way_lap: judge one lap of ``way`` only; likewise ``base_lap``
    """

    way: str
    base: str
    at_least: float = None
    at_most: float = None
    way_lap: str = None
    base_lap: str = None

    def judge(self, results):
        over, under = results[self.way], results[self.base]
        # of the rounds both took part in, as those were close to each other
        pairs = zip(
            over.rounds(self.way_lap), under.rounds(self.base_lap), strict=False
        )
        each = [a.ms_each / b.ms_each for a, b in pairs]
        value = statistics.median(each)
        return Outcome(
            f"{_called(self.way, self.way_lap)} / {_called(self.base, self.base_lap)}",
            value,
            *_judge(value, self.at_least, self.at_most, "×"),
            spread=f"{min(each):.3g}–{max(each):.3g}",
        )


@dataclass
class Queries:
    """``way`` makes at most so many queries for each record."""

    way: str
    at_most: float = None
    way_lap: str = None

    def judge(self, results):
        value = results[self.way].queries_each(self.way_lap)
        return Outcome(
            f"queries per record, {_called(self.way, self.way_lap)}",
            value,
            *_judge(value, None, self.at_most, ""),
        )


@dataclass
class Value:
    """A number that the row itself found."""

    text: str
    value: float
    at_least: float = None
    at_most: float = None
    unit: str = ""

    def judge(self, results):
        limit, met = _judge(self.value, self.at_least, self.at_most, self.unit)
        return Outcome(self.text, self.value, limit, met)


def _called(way, lap):
    return f"{way} ({lap})" if lap else way


def _judge(value, at_least, at_most, unit):
    if at_least is not None:
        return f"≥ {at_least:g}{unit}", value >= at_least
    if at_most is not None:
        return f"≤ {at_most:g}{unit}", value <= at_most
    return "", None
