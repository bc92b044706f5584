"""A database in which things go wrong, and what it shows afterwards."""

from collections import Counter
from contextlib import closing, contextmanager, suppress

import psycopg2

from . import process, scene

AUTOMATIC = "sales_followup.ir_cron_send_automatic"
RUNS = "sales_followup.ir_cron_process_runs"
QUEUE = "mail.ir_cron_mail_scheduler_action"

_ID = "(SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s)"

# Odoo counts whole seconds
_NOW = "DATE_TRUNC('second', NOW() AT TIME ZONE 'UTC')"

#: times; who asks for more as often never has enough
ENOUGH = 20

#: what was sent, or is about to be; not what the scene says was done before
_SENT = """
    SELECT quotation.name, template.name->>'en_US', reminder.cycle
      FROM sales_followup_reminder reminder
      JOIN sale_order quotation ON quotation.id = reminder.order_id
      JOIN sales_followup_template template ON template.id = reminder.template_id
     WHERE reminder.is_sending OR reminder.origin <> 'manual'
"""


def _split(xmlid):
    return xmlid.split(".")


class Stage:
    """One database, its mailbox and the Odoo that works on it."""

    def __init__(self, server, database, odoo, mailbox):
        self.server = server
        self.database = database
        self.mailbox = mailbox
        self.worker = odoo.worker
        self.query("UPDATE ir_mail_server SET smtp_port = %s", mailbox.port)

    def query(self, statement, *parameters):
        return self.server.query(statement, parameters, self.database)

    # --- scheduled actions --------------------------------------------------------

    def fire(self, xmlid):
        """Have a scheduled action be ready now."""
        self.query(
            f"INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES ({_ID}, {_NOW})",
            *_split(xmlid),
        )

    def let_time_pass(self):
        """Have be ready what asked to be called a little later."""
        self.query(
            f"UPDATE ir_cron_trigger SET call_at = {_NOW}"
            f" WHERE call_at < {_NOW} + INTERVAL '1 hour'"
        )

    def is_ready(self):
        """Tell whether a scheduled action asked to be called again."""
        return bool(
            self.query(
                "SELECT 1 FROM ir_cron_trigger trigger JOIN ir_cron cron"
                " ON cron.id = trigger.cron_id WHERE cron.active"
                f" AND trigger.call_at <= {_NOW}"
            )
        )

    def settle(self, worker):
        """Do scheduled actions for as long as they ask for more."""
        for _time in range(ENOUGH):
            self.let_time_pass()
            worker.do("jobs")
            self.let_time_pass()
            if not self.is_ready():
                return
        raise AssertionError("A scheduled action never has enough.")

    def deliver(self, worker):
        """Send what waits in the queue of e-mails."""
        self.start_delivery(worker)
        worker.finish()
        self.settle(worker)

    def start_delivery(self, worker):
        """Begin to send what waits in the queue of e-mails, which was off till now."""
        self.query(f"UPDATE ir_cron SET active = True WHERE id = {_ID}", *_split(QUEUE))
        self.fire(QUEUE)
        worker.start("jobs")

    # --- faults -------------------------------------------------------------------

    @contextmanager
    def hold(self, statement, *parameters):
        """Hold locks; yield who holds them, as PostgreSQL sees it."""
        connection = self.server.connect(self.database)
        connection.autocommit = False
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            yield Hold(self, connection)

    def hold_emails(self, level):
        """Let the e-mails of a level wait half-way, their reminders made already."""
        return self.hold("SELECT FROM ir_mail_server WHERE name = %s FOR UPDATE", level)

    def hold_person(self, login):
        """Let a person's e-mails wait half-way: they link to their author."""
        return self.hold(
            "SELECT FROM res_partner WHERE id ="
            " (SELECT partner_id FROM res_users WHERE login = %s) FOR UPDATE",
            login,
        )

    def hold_judges(self):
        """Let those wait who judge, the documents to judge found already: they ask the
        blacklist."""
        return self.hold("LOCK TABLE mail_blacklist IN ACCESS EXCLUSIVE MODE")

    def anybody_waits_but(self, hold):
        """Return what tells whether somebody waits for those who wait for a hold."""

        def somebody_waits():
            return self.query(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = %s AND pg_blocking_pids(pid) && %s",
                self.database,
                hold.waiting(),
            )

        return somebody_waits

    def wait_until_alone(self):
        """Wait until PostgreSQL noticed that those who were killed are gone."""
        process.wait_for(lambda: not self.count_connections(), "the end of the dead")

    def count_connections(self):
        """Count who else works on the database."""
        [[count]] = self.query(
            "SELECT COUNT(*) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            self.database,
        )
        return count

    # --- what is there ------------------------------------------------------------

    def quotations(self, ref):
        return [
            name
            for (name,) in self.query(
                "SELECT name FROM sale_order WHERE client_order_ref = %s ORDER BY id",
                ref,
            )
        ]

    def locked(self, ref):
        """Return those of the quotations that somebody has locked."""
        free = self.query(
            "SELECT name FROM sale_order WHERE client_order_ref = %s"
            " FOR NO KEY UPDATE SKIP LOCKED",
            ref,
        )
        return [name for name in self.quotations(ref) if (name,) not in free]

    def ids(self, quotation, level):
        """Return the ids of a quotation and of a template."""
        [row] = self.query(
            "SELECT quotation.id, template.id"
            " FROM sale_order quotation, sales_followup_template template"
            " WHERE quotation.name = %s AND template.name->>'en_US' = %s",
            quotation,
            level,
        )
        return row

    def address(self, quotation):
        [[address]] = self.query(
            "SELECT email FROM res_partner WHERE id ="
            " (SELECT partner_id FROM sale_order WHERE name = %s)",
            quotation,
        )
        return address

    def customers(self, sent):
        """Count by customer what :meth:`sent` or :meth:`due` returned."""
        customers = dict(self.query("SELECT name, partner_id FROM sale_order"))
        return Counter(customers[name] for name, _level, _cycle in sent.elements())

    def sent(self):
        """Return what is committed by now: (quotation, level, cycle), each as often as
        it was sent."""
        return Counter(self.query(_SENT))

    def due(self):
        """Return what is to be sent, as noted on the quotations."""
        rows = self.query(
            "SELECT name, client_order_ref, followup_cycle FROM sale_order"
            " WHERE client_order_ref = ANY(%s)",
            list(scene.LEVELS),
        )
        return Counter(rows)

    def assert_exactly_once(self, failed=None):
        """Assert that what is due was sent once, nothing else, and that all that tells
        about it agrees.

        :param failed: dict of the quotations whose e-mails could not go, with words of
            the reason
        """
        failed = failed or {}
        assert self.sent() == self.due()
        self._assert_states(failed)
        self._assert_messages(failed)
        self._assert_lines()
        self._assert_delivered(failed)

    def _assert_states(self, failed):
        rows = self.query(
            "SELECT quotation.name, reminder.state, reminder.failure_reason"
            " FROM sales_followup_reminder reminder"
            " JOIN sale_order quotation ON quotation.id = reminder.order_id"
            " WHERE reminder.is_sending OR reminder.origin <> 'manual'"
        )
        for name, state, reason in rows:
            if name in failed:
                assert state == "failed" and failed[name] in reason, (name, reason)
            else:
                assert state in ("outgoing", "done"), name

    def _assert_messages(self, failed):
        """One message a reminder, and none that belongs to no reminder."""
        rows = self.query(
            "SELECT quotation.name, COUNT(message.id), COUNT(reminder.id)"
            " FROM sale_order quotation"
            " LEFT JOIN mail_message message ON message.model = 'sale.order'"
            " AND message.res_id = quotation.id"
            " AND message.message_type = 'email_outgoing'"
            " LEFT JOIN sales_followup_reminder reminder"
            " ON reminder.message_id = message.id GROUP BY quotation.name"
        )
        due = {name for name, _level, _cycle in self.due()}
        for name, messages, owned in rows:
            assert messages == owned, name
            assert messages == (name in due) or name in failed, name

    def _assert_lines(self):
        """The log of the runs tells of each reminder, and of no other."""
        assert not self.query(
            "SELECT name FROM sales_followup_run WHERE state = 'running'"
        )
        told = self.query(
            "SELECT line.order_id, line.run_id, line.template_id, line.state,"
            " line.reminder_id FROM sales_followup_run_line line"
            " WHERE line.state <> 'skipped' AND line.channel <> 'none'"
        )
        happened = self.query(
            "SELECT order_id, run_id, template_id,"
            " CASE WHEN message_id IS NULL AND state = 'failed'"
            " THEN 'failed' ELSE 'done' END, id"
            " FROM sales_followup_reminder WHERE origin <> 'manual'"
        )
        assert Counter(told) == Counter(happened)

    def _assert_delivered(self, failed):
        """One e-mail reached the customer's server, or is about to."""
        waiting = self.query(
            "SELECT message.subject FROM mail_mail mail"
            " JOIN mail_message message ON message.id = mail.mail_message_id"
            " WHERE mail.state = 'outgoing'"
        )
        subjects = [subject for (subject,) in waiting] + self.mailbox.subjects
        expected = [
            f"Reminder of {name}: {level}"
            for name, level, _cycle in self.due()
            if name not in failed
        ]
        assert sorted(subjects) == sorted(expected)


class Hold:
    """Locks that somebody holds, until they are released or the block ends."""

    def __init__(self, stage, connection):
        self._stage = stage
        self._connection = connection

    def waiting(self):
        """Return the ids of those who wait for the locks, as PostgreSQL counts them."""
        rows = self._stage.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            " AND %s = ANY(pg_blocking_pids(pid))",
            self._stage.database,
            self._connection.info.backend_pid,
        )
        return [pid for (pid,) in rows]

    def wait_for_others(self, count=1):
        process.wait_for(
            lambda: len(self.waiting()) >= count, "somebody who needs the locks"
        )

    def release(self):
        with suppress(psycopg2.Error):
            self._connection.rollback()
