"""script/demo: the addon at work on Odoo's demo data."""

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser

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
_TO_TRY = (
    "The dashboard: click on a figure, then on the document behind it",
    "A quotation, tab Reminders: see when it goes out, press Remind",
    "Contacts, tick some, Actions: Automatic contact update, look at the preview;"
    " then undo it in Representatives",
)
_PAGE = "odoo/followup"
_FIRST_PORT = 8069
_IS_DONE = (
    "SELECT 1 FROM ir_config_parameter WHERE key = 'sales_followup.demo_main_job'"
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
        "--port",
        type=int,
        help=f"of the web client; else the first free one from {_FIRST_PORT} on",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address only"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="make the demo database anew"
    )
    options = parser.parse_args(arguments)
    if options.port and not options.no_serve:
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
        code = _do_main_job(workbench, database)
        if code or options.no_serve:
            return code
        port = options.port or _find_port(_FIRST_PORT)
        address = f"http://localhost:{port}"
        code = _run(
            workbench.odoo, database, "make_ready", "languages", address, "pages"
        )
        return code or _serve(workbench.odoo, database, port, options.no_browser)


def _do_main_job(workbench, database):
    """Do it once: a second start shows what was left by those who tried things."""
    if workbench.server.query(_IS_DONE, database=database):
        step("The main job was done by an earlier start (--fresh begins anew)")
        return 0
    step("Doing the main job on Odoo's demo data")
    return _run(workbench.odoo, database, "main_job")


def _run(odoo, database, module, *arguments):
    """Run one of the workbench's programs inside Odoo; return its exit code."""
    return run_foreground(
        [sys.executable, "-m", f"workbench.{module}", *arguments],
        env=odoo.environment(database),
    )


def _offer_letters():
    try:
        debian.require_programs(["wkhtmltopdf"], "printing letters")
    except Problem as problem:
        say(f"{problem}\nGoing on without: letters cannot be printed.\n")


def _require_free_port(port):
    error = _why_not(port)
    if error:
        raise Problem(
            f"Port {port} cannot be used: {error.strerror}.",
            "Stop what uses it, or choose another one: script/demo --port"
            f" {_find_port(port + 1)}",
        )


def _find_port(first):
    """Return the first free port from one on."""
    return next(port for port in range(first, 65536) if not _why_not(port))


def _why_not(port):
    """Return the error that keeps a port from being used, or None."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def _serve(odoo, database, port, no_browser):
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
            if not no_browser:
                _open_browser(f"{address}/{_PAGE}")
            return process.wait()
        except KeyboardInterrupt:
            step("Stopping")
            return 0


def _open_browser(address):
    """Show the app where there is a screen, and somebody in front of it."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if (screen or sys.platform == "darwin") and sys.stdout.isatty():
        webbrowser.open(address)


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
    say(f"\nSales Follow-up is at {address}/{_PAGE}\n")
    for login, password, who in USERS:
        say(f"  {login:<8} password {password:<8} {who}")
    say("\nThree things to try:")
    for number, text in enumerate(_TO_TRY, 1):
        say(f"  {number}. {text}.")
    say("\nCtrl-C stops everything.")
