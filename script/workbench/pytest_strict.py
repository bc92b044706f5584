"""A plugin for pytest: what was not tested counts as failed.

A skipped test looks like success, so that a browser which does not start, say,
would go unnoticed. Only a reason that begins with "needs " is accepted, by which
a test says that it is about an app which is not installed here.
"""

import pytest

_ACCEPTED = "needs "


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _fail_if_skipped((yield))


def _fail_if_skipped(report):
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(_ACCEPTED):
            report.outcome = "failed"
            report.longrepr = f"Skipped, which counts as a failure here: {reason}"
    return report
