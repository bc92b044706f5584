"""A mail server that takes e-mails, or says why not."""

import asyncio
import email
import email.policy
import socket
import threading
from contextlib import contextmanager

from aiosmtpd.controller import Controller

HOST = "127.0.0.1"


class Mailbox:
    """
    :param port: where it listens
    :param refused: addresses it does not take e-mails for
    """

    def __init__(self, port):
        self.port = port
        self.refused = set()
        self.messages = []
        self._stops = {}

    @property
    def subjects(self):
        return [message["Subject"] for message in self.messages]

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 No such customer here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    @contextmanager
    def stop_at(self, word):
        """Take the e-mail whose subject has a word in it only when the block ends.

        Yield an event that tells when it is there.
        """
        stopped, go_on = threading.Event(), threading.Event()
        self._stops[word] = (stopped, go_on)
        try:
            yield stopped
        finally:
            del self._stops[word]
            go_on.set()

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        for word, (stopped, go_on) in list(self._stops.items()):
            if word in message["Subject"]:
                stopped.set()
                await asyncio.to_thread(go_on.wait)
        self.messages.append(message)
        return "250 OK"


@contextmanager
def receiving():
    """Yield a mailbox that takes e-mails meanwhile."""
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    mailbox = Mailbox(port)
    controller = Controller(mailbox, hostname=HOST, port=port, ready_timeout=10)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
