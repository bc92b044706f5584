"""Processes of Odoo that do what they are told, a line at a time.

The program loads Odoo and a database once, and listens on a socket. Each connection
gets a process of its own, as Odoo's server forks its workers when all is loaded. It
first tells its id; then each line it reads is a JSON list, a method below and its
arguments, and each line it writes a JSON object with either ``result`` or ``error``.
"""

import json
import os
import signal
import socket
import sys
import traceback
from contextlib import contextmanager

#: few documents make many batches
BATCH_SIZE = 20


class Worker:
    def __init__(self, database):
        self.database = database

    @contextmanager
    def environment(self):
        from odoo import SUPERUSER_ID, api
        from odoo.modules.registry import Registry

        with Registry(self.database).cursor() as cursor:
            yield api.Environment(cursor, SUPERUSER_ID, {})

    def jobs(self):
        """Do the scheduled actions that are ready, as a worker for them does: it logs
        what goes wrong, and lives on."""
        from odoo.addons.base.models.ir_cron import IrCron

        try:
            IrCron._process_jobs(self.database)
        except Exception:
            traceback.print_exc()

    def press(self, xmlid):
        """Run a scheduled action by its button; return whether it ran."""
        from odoo.exceptions import UserError

        with self.environment() as env:
            try:
                return env.ref(xmlid).method_direct_trigger() is True
            except UserError:
                return False

    def call(self, model, method):
        """Call what a scheduled action calls, but beside it."""
        with self.environment() as env:
            getattr(env[model], method)()

    def launch(self, login, refs):
        """Launch a bulk run as a person does, on quotations of some references."""
        with self.environment() as env:
            user = env["res.users"].search([("login", "=", login)])
            run = env["sales.followup.run"].with_user(user).create({})
            run.action_propose()
            unwanted = run.line_ids.filtered(
                lambda line: line.order_id.client_order_ref not in refs
            )
            unwanted.write({"channel": "none"})
            # what was planned for a later day is sent all the same: a person decides
            (run.line_ids - unwanted).write({"channel": "email"})
            run.action_launch()

    def rpc(self, login, password, model, method, *arguments):
        """Do what a call by RPC does, tries again included.

        :return: what was returned, or a dict whose ``refused`` is the message
        """
        from odoo.exceptions import UserError
        from odoo.http import dispatch_rpc

        uid = dispatch_rpc("common", "login", [self.database, login, password])
        try:
            return dispatch_rpc(
                "object",
                "execute_kw",
                [self.database, uid, password, model, method, arguments],
            )
        except UserError as error:
            return {"refused": str(error)}


def load(database):
    from odoo import sql_db
    from odoo.modules.registry import Registry

    Registry(database)
    from odoo.addons.sales_followup.models.runs import sales_followup_run_process

    sales_followup_run_process.BATCH_SIZE = BATCH_SIZE
    # processes do not share connections
    sql_db.close_all()


def serve(listener, database):
    # nobody waits for those who end
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _address = listener.accept()
        with connection:
            if os.fork() == 0:
                listener.close()
                obey(connection, Worker(database))
                return


def obey(connection, worker):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("r") as orders, connection.makefile("w") as answers:

        def answer(**content):
            print(json.dumps(content), file=answers, flush=True)

        answer(result=os.getpid())
        for line in orders:
            name, *arguments = json.loads(line)
            try:
                answer(result=getattr(worker, name)(*arguments))
            except Exception:
                answer(error=traceback.format_exc())


def main(address):
    from odoo.tools import config

    config.parse_config(["--log-level=info"], setup_logging=True)
    [database] = config["db_name"]
    load(database)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        serve(listener, database)


if __name__ == "__main__":
    main(sys.argv[1])
