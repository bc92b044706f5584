"""script/demo: the addon at work on Odoo's demo data."""

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from .. import cache, debian
from ..console import say, status, step
from ..databases import FULL
from ..problem import Problem
from ..process import die_with_parent, run_foreground, stopping

USERS = (
    ("admin", "admin", "Mitchell Admin, administrator"),
    ("demo", "demo", "Marc Demo, salesman"),
    ("ines", "ines", "Ines Costa, sales manager: may change representatives"),
    ("nora", "nora", "Nora Lind, saleswoman: sees them, own documents only"),
    ("portal", "portal", "Joel Willis, a customer in the portal"),
)
_PATIENCE = 120


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Install everything, do the addon's main job once on Odoo's demo"
        " data, then serve the web client.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--no-serve", action="store_true", help="stop after the main job"
    )
    parser.add_argument(
        "--port", type=int, default=8069, help="of the web client (%(default)s)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="make the demo database anew"
    )
    options = parser.parse_args(arguments)
    if not options.no_serve:
        _require_free_port(options.port)
    return options


def run(workbench, options):
    _offer_letters()
    database = workbench.databases.name("demo")
    lock = cache.try_lock(database)
    if not lock:
        raise Problem(
            "Another start is using the demo database of this checkout.",
            "Stop that script/demo first.",
        )
    with lock:
        workbench.databases.ensure_current(database, FULL, fresh=options.fresh)
        step("Doing the main job on Odoo's demo data")
        code = run_foreground(
            [sys.executable, "-m", "workbench.main_job"],
            env=workbench.odoo.environment(database),
        )
        if code or options.no_serve:
            return code
        return _serve(workbench.odoo, database, options.port)


def _offer_letters():
    try:
        debian.require_programs(["wkhtmltopdf"], "printing letters")
    except Problem as problem:
        say(f"{problem}\nGoing on without: letters cannot be printed.\n")


def _require_free_port(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"Port {port} cannot be used: {error.strerror}.",
                "Stop what uses it, or choose another one: script/demo --port 8070",
            ) from error


def _serve(odoo, database, port):
    """Serve until Ctrl-C or a signal; return the exit code."""
    log = cache.logs() / "demo-server.log"
    command = odoo.command(
        "server", "-d", database, "--http-port", str(port), "--max-cron-threads", "1"
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=odoo.environment(database),
            preexec_fn=_away_from_keyboard,
        )
    address = f"http://localhost:{port}"
    with stopping(process):
        try:
            _wait_until_ready(process, address, log)
            _introduce(address)
            return process.wait()
        except KeyboardInterrupt:
            step("Stopping")
            return 0


def _away_from_keyboard():
    # Ctrl-C is for this process alone, which then stops Odoo once. A second
    # signal would make Odoo drop what it is doing.
    os.setpgrp()
    die_with_parent()


def _wait_until_ready(process, address, log):
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/web/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            status("Starting the web client")
            time.sleep(0.3)
    raise Problem("The web client does not start.", "Read the log.", log=log)


def _introduce(address):
    say(f"\nOdoo with Sales Follow-up is at {address}\n")
    for login, password, who in USERS:
        say(f"  {login:<8} password {password:<8} {who}")
    say("\nCtrl-C stops everything.")
