"""A plugin for pytest: which tests a part runs, in which order, on which database."""

import os
import signal
from collections import Counter

import pytest

# In the environment of pytest: Odoo's configurations, one for each worker.
CONFIGURATIONS = "SALES_FOLLOWUP_WORKER_CONFIGURATIONS"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main():
    """Have each worker of pytest-xdist work on a database of its own.

    pytest-odoo would copy databases by PostgreSQL's programs, which need not be here,
    and share the stored files; without xdist's variable it leaves that alone.
    """
    worker = os.environ.pop("PYTEST_XDIST_WORKER", None)
    if worker:
        configurations = os.environ[CONFIGURATIONS].split(os.pathsep)
        os.environ["ODOO_RC"] = configurations[int(worker.removeprefix("gw"))]
    return (yield)


def pytest_sessionfinish(session):
    """Let a worker end in peace: xdist interrupts it when freeing memory takes long."""
    if hasattr(session.config, "workerinput"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def pytest_addoption(parser):
    parser.addoption(
        "--with-tag", help="run only the tests that carry this tag of Odoo's (@tagged)"
    )


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--with-tag")
    if wanted:
        left_out = [item for item in items if wanted not in _tags(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if wanted in _tags(item)]
    # A worker takes one scope after the other: what lasts longest comes first.
    sizes = Counter(map(_scope, items))
    items.sort(
        key=lambda item: (not _is_slow(item), -sizes[_scope(item)], _scope(item))
    )


def _tags(item):
    return getattr(item.cls, "test_tags", ())


def _scope(item):
    return item.nodeid.rpartition("::")[0]


def _is_slow(item):
    """Tell whether a test may start a browser, or print."""
    return hasattr(item.cls, "browser_js")
