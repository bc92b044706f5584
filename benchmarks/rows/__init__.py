"""The rows of the table. A new one is a module ``row_*.py`` here with a ``Row``."""

import importlib
import pkgutil


class Row:
    """One line of PERFORMANCE.md: work that is done in several ways.

    A subclass says what it is in the class attributes, and gives the ways in
    :meth:`ways`; one that compares nothing side by side overrides :meth:`measure`.

    :cvar code: short name, chosen with ``--rows``
    :cvar title: what is measured
    :cvar tables: tables it writes, cleaned up between rounds
    :cvar goals: what is judged, from :mod:`goals`
    :cvar remarks: what a reader of the figures must know
    """

    code = None
    title = None
    tables = ()
    goals = ()
    remarks = ()

    def __init__(self, bench, options):
        self.bench = bench
        self.options = options
        self.data = bench.data

    def why_not(self):
        """Say why this row cannot be measured here, or ``None``."""
        return None

    def ways(self):
        """Return the ways to compare: list of :class:`measure.Way`."""
        raise NotImplementedError

    def measure(self):
        """Measure; give (dict of name → :class:`measure.Result`, list of goals)."""
        return self.bench.compare(self.ways(), self.tables), list(self.goals)


def all_rows():
    """Return all subclasses of :class:`Row` here that have a code, in its order."""
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("row_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_with_code(Row), key=lambda row: row.code)


def _with_code(row_class):
    for subclass in row_class.__subclasses__():
        if vars(subclass).get("code"):
            yield subclass
        yield from _with_code(subclass)
