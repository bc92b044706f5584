"""The addon as pip installs it, from a wheel that the project's own file builds."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from inspection import loud_lines

from workbench import checkout
from workbench.databases import MINIMAL


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a clone in a folder of another name."""
    folder = tmp_path_factory.mktemp("wheel")
    clone = folder / "any-name"
    ignored = shutil.ignore_patterns(".git", "__pycache__", "node_modules")
    shutil.copytree(checkout.ROOT, clone, ignore=ignored)
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(clone))
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_name_does_not_depend_on_the_clones_folder(wheel, names):
    assert wheel.name.startswith("odoo_addon_sales_followup-19.0.")
    assert {name.split("/")[2] for name in names if name.startswith("odoo/")} == {
        checkout.MODULE
    }


def test_wheel_holds_what_odoo_loads_and_nothing_for_developers(names):
    inside = {
        name.removeprefix(f"odoo/addons/{checkout.MODULE}/")
        for name in names
        if name.startswith("odoo/")
    }
    assert {"__manifest__.py", "models/__init__.py", "i18n/fr.po"} <= inside
    assert "static/description/index.html" in inside
    first = {name.split("/")[0] for name in inside}
    assert not {name for name in first if name.startswith(".")}
    assert not {"script", "benchmarks", "pyproject.toml", "eslint.config.cjs"} & first


def test_licence_and_description_come_along(wheel, names):
    [licence] = [name for name in names if name.endswith("dist-info/licenses/LICENSE")]
    with zipfile.ZipFile(wheel) as archive:
        original = (checkout.ROOT / "LICENSE").read_bytes()
        assert archive.read(licence) == original
        info = licence.removesuffix("licenses/LICENSE")
        metadata = Parser().parsestr(archive.read(info + "METADATA").decode())
    assert metadata["Name"] == "odoo-addon-sales_followup"
    assert "# Sales Follow-up" in metadata.get_payload()
    assert "](static/" not in metadata.get_payload()
    assert "](CHANGELOG" not in metadata.get_payload()


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel):
    """The Python of a fresh environment in which the wheel is beside Odoo."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True
    )
    python = str(folder / "bin" / "python")
    pip("--python", python, "install", "--no-deps", str(wheel))
    [packages] = folder.glob("lib/python*/site-packages")
    # what Odoo itself needs
    own = sysconfig.get_path("purelib")
    (packages / "odoo_needs.pth").write_text(f"{own}\n")
    return python


def test_addon_installs_from_the_wheel(workbench, python):
    databases, odoo = workbench.databases, workbench.odoo
    with databases.reserved("wheel") as database:
        databases.create(database, MINIMAL)
        addons = ",".join(map(str, odoo.own_addons()))
        result = subprocess.run(
            [
                *(python, "-m", "odoo", "server", "--addons-path", addons),
                *("-d", database, "-i", checkout.MODULE),
                *("--stop-after-init", "--no-http"),
            ],
            env=odoo.environment(database),
            cwd=Path(python).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        [(state,)] = workbench.server.query(
            "SELECT state FROM ir_module_module WHERE name = %s",
            [checkout.MODULE],
            database,
        )
        databases.drop(database)
    assert result.returncode == 0, result.stderr[-3000:]
    assert not loud_lines(result.stderr)
    assert state == "installed"
