"""Databases to install, upgrade and uninstall the addon in."""

import pytest

from workbench.environment import prepared

# Odoo loads these, see test_new_kind.
collect_ignore = ["examples"]


@pytest.fixture(scope="session")
def workbench():
    with prepared() as workbench:
        yield workbench
