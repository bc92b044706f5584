"""How many records a step of a long job takes: as many as a second or two allow.

People who click wait for what a step has locked, and a worker that is killed loses
one step. Hence steps are measured by time; what conflicts is tried again with fewer
records.
"""

from dataclasses import dataclass

#: how long a step shall take, in seconds
TARGET = 1.5

#: a step grows to at most so many times the one before
GROWTH = 4


@dataclass
class Pace:
    """
    :param size: how many records the next step takes
    :param most: how many any step takes

    >>> pace = Pace(10, most=500)
    >>> pace.took(10, 0.3)
    >>> pace.size
    40
    >>> pace.took(40, 6.0)
    >>> pace.size
    10
    >>> pace.conflicted()
    >>> pace.size
    5
    """

    size: int
    most: int

    def __post_init__(self):
        self.size = max(1, min(self.size, self.most))

    def took(self, count: int, seconds: float) -> None:
        """Learn from a step how many records the next one takes."""
        if count <= 0:
            return
        fitting = int(count * TARGET / max(seconds, 0.001))
        self.size = max(1, min(fitting, GROWTH * max(self.size, count), self.most))

    def conflicted(self) -> None:
        """Take half as many after a conflict."""
        self.size = max(1, self.size // 2)


def is_time_to_end(seconds: float, limit: float) -> bool:
    """Tell whether a job that has run for some time ends itself: at half of the limit
    at which the server would.

    :param limit: in seconds; 0 for none

    >>> is_time_to_end(59, 120), is_time_to_end(60, 120), is_time_to_end(9999, 0)
    (False, True, False)
    """
    return limit > 0 and seconds >= limit / 2
