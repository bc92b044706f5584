"""Databases to install, upgrade and uninstall the addon in."""

import pytest

from workbench.environment import prepared


@pytest.fixture(scope="session")
def workbench():
    with prepared() as workbench:
        yield workbench
