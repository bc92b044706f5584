"""A plugin for pytest: tests beside others' addons that are known to go otherwise."""

import pytest

# The end of a test's id → why it fails here. A test that passes again is a failure, so
# that no line stays longer than it is true.
DIFFERENCES = {}


def pytest_collection_modifyitems(items):
    for item in items:
        for name, reason in DIFFERENCES.items():
            if item.nodeid.endswith(name):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
