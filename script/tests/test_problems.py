"""What is wrong outside is said in one clear message, early."""

import os
import re
import socket
import subprocess
import sys

import pytest

from workbench import cache, patched_wkhtmltopdf, process
from workbench.commands import test as test_command
from workbench.problem import Problem
from workbench.virtualenv import SCRIPT


def start(name, *arguments, **variables):
    """Run a script that is expected to refuse; return what it says."""
    result = subprocess.run(
        [str(SCRIPT / name), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_port_taken(listening):
    port = listening.getsockname()[1]
    said = start("demo", "--port", str(port))
    assert f"Port {port} cannot be used" in said
    [proposed] = re.findall(r"script/demo --port (\d+)", said)
    socket.create_server(("127.0.0.1", int(proposed))).close()


def test_odoo_home_without_odoo(tmp_path):
    assert "holds no Odoo" in start("odoo", "shell", ODOO_HOME=str(tmp_path))


def test_odoo_home_of_another_version(tmp_path):
    release = tmp_path / "odoo" / "release.py"
    release.parent.mkdir()
    release.write_text("version_info = (17, 0, 0, FINAL, 0, '')\n")
    said = start("odoo", "shell", ODOO_HOME=str(tmp_path))
    assert "version 17.0" in said
    assert "needs 19.0" in said


def test_no_postgresql_where_the_variables_point(listening):
    port = listening.getsockname()[1]
    listening.close()
    said = start("odoo", "shell", PGHOST="127.0.0.1", PGPORT=str(port))
    assert "does not answer" in said
    assert "Check the PG* variables" in said


def test_cache_that_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.touch()
    said = start("lint", SALES_FOLLOWUP_CACHE=str(file / "cache"))
    assert "cannot be written" in said


def test_too_little_space():
    with pytest.raises(Problem, match="needs 1000000 GiB"):
        cache.require_space(1_000_000, "Everything")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Temporary failure resolving 'mirror'", "the network does not answer"),
        ("2026-01-01 10:00:00 1 INFO quiet\nValueError: no", "ValueError: no"),
    ],
)
def test_failed_command_is_explained(tmp_path, output, said):
    program = f"print({output!r}); raise SystemExit(3)"
    with pytest.raises(Problem, match=said) as caught:
        process.run_logged_or_fail(
            [sys.executable, "-c", program], tmp_path / "log", "Trying"
        )
    assert "INFO" not in caught.value.message


def test_a_build_that_fails_is_said_in_a_line_and_tests_go_without_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert patched_wkhtmltopdf.ensure() is None
    [line] = capsys.readouterr().err.splitlines()
    assert "cmake, make, cc not found" in line


def test_unfinished_folder_is_begun_anew(tmp_path):
    target = tmp_path / "target"
    with pytest.raises(RuntimeError), cache.building(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert not target.exists()
    with cache.building(target) as folder:
        (folder / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]


@pytest.mark.parametrize(
    ("codes", "narrowed", "expected"),
    [
        ([0, 0, 0], False, 0),
        ([0, 5, 0], False, 5),
        ([5, 0, 5], True, 0),
        ([5, 5, 5], True, 5),
        ([5, 1, 0], True, 1),
        ([], True, 5),
    ],
)
def test_a_part_without_tests_fails_unless_asked_for_few(codes, narrowed, expected):
    assert test_command._exit_code(codes, narrowed) == expected


def test_paths_go_to_the_parts_that_have_them():
    options = test_command.parse([str(SCRIPT / "tests" / "test_problems.py"), "-x"])
    assert options.further == ["-x"]
    assert test_command._paths_of("plain", options)
    assert test_command._paths_of("full", options) is None


def test_all_processors_test_unless_asked_for_few():
    assert test_command.parse([]).jobs == os.cpu_count()
    assert test_command.parse(["-k", "undo"]).jobs == 1
    assert test_command.parse(["-k", "undo", "--jobs", "3"]).jobs == 3
