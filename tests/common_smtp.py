import email
import email.policy
import socket
import time
from contextlib import contextmanager
from unittest.mock import patch

from aiosmtpd.controller import Controller

from odoo.tools import config

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common_reminders import RemindersCommon

LOCALHOST = "127.0.0.1"

#: seconds Odoo waits for a server in these tests, instead of a minute
TIMEOUT = 2


class Mailbox:
    """What a mail server does: takes e-mails, or says why not.

    The callables may be replaced: ``answer_recipient`` and ``answer_data`` give the
    server's reply, and may take their time.
    """

    def __init__(self):
        self.envelopes = []
        self.answer_recipient = lambda address: "250 OK"
        self.answer_data = lambda envelope: "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.answer_recipient(address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = self.answer_data(envelope)
        if reply is None:
            # hang up in the middle
            server.transport.close()
            return "421 Bye"
        if reply.startswith("250"):
            self.envelopes.append(envelope)
        return reply

    @property
    def messages(self):
        """What was taken, parsed."""
        return [
            email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
            for envelope in self.envelopes
        ]

    @property
    def recipients(self):
        return [address for envelope in self.envelopes for address in envelope.rcpt_tos]


class SmtpCommon(RemindersCommon):
    """E-mails that go to a real server, on this machine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls._find_free_port()
        # the command line shall not name another server
        cls.startClassPatcher(patch.dict(config.options, {"smtp_server": ""}))
        cls.startClassPatcher(
            patch("odoo.addons.base.models.ir_mail_server.SMTP_TIMEOUT", TIMEOUT)
        )
        cls.startClassPatcher(
            patch.object(IrMail_Server, "_disable_send", classmethod(lambda cls: False))
        )
        cls.env["ir.mail_server"].search([]).active = False
        cls.env["ir.mail_server"].create(
            {
                "name": "Follow-up",
                "smtp_host": LOCALHOST,
                "smtp_port": cls.port,
                "smtp_encryption": "none",
                # it sends for the users, and takes what comes back
                "from_filter": "example.com,followup.example.com",
            }
        )
        cls.env.company.alias_domain_id = cls.env["mail.alias.domain"].create(
            {"name": "followup.example.com"}
        )

    @staticmethod
    def _find_free_port():
        with socket.socket() as sock:
            sock.bind((LOCALHOST, 0))
            return sock.getsockname()[1]

    @contextmanager
    def _serve(self, mailbox=None):
        """Run a mail server."""
        mailbox = mailbox or Mailbox()
        controller = Controller(
            mailbox, hostname=LOCALHOST, port=self.port, ready_timeout=10
        )
        controller.start()
        try:
            yield mailbox
        finally:
            controller.stop()

    @contextmanager
    def _listen_only(self):
        """Run a server that takes connections and never says a word."""
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((LOCALHOST, self.port))
            sock.listen()
            yield

    @contextmanager
    def assertQuick(self, seconds):
        """Assert that something does not hang."""
        start = time.monotonic()
        yield
        self.assertLess(time.monotonic() - start, seconds)

    def assertState(self, reminder, state, *words):
        """Assert what became of a reminder, and what its reason says."""
        self.assertEqual(reminder.state, state, reminder.failure_reason)
        for word in words:
            self.assertIn(word, reminder.failure_reason)
        if state != "failed":
            self.assertFalse(reminder.failure_reason)
