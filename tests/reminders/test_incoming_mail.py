from email.message import EmailMessage
from email.utils import make_msgid

from odoo.tests import tagged

from ..common_smtp import SmtpCommon

BOUNCE = """\
Return-Path: <>
From: MAILER-DAEMON@mx.customer.example.com (Mail Delivery System)
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: {id}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="REPORT"

--REPORT
Content-Type: text/plain; charset=us-ascii

This is the mail system. Your message could not be delivered.

<{recipient}>: host mx.customer.example.com said: 550 5.1.1 No such person here.

--REPORT
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example.com
Arrival-Date: Mon, 15 Apr 2019 15:40:24 +0200 (CEST)

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such person here.

--REPORT
Content-Type: {kind}

{returned}

--REPORT--
"""


@tagged("post_install", "-at_install")
class TestReplies(SmtpCommon):
    """What comes back to the e-mail that a server really got."""

    def setUp(self):
        super().setUp()
        self.order = self._create_quotation()
        with self._serve() as mailbox:
            self.reminder = self._remind(self.order, note="Be firm")
        [self.sent] = mailbox.messages
        [self.envelope] = mailbox.envelopes
        self.assertState(self.reminder, "done")

    def _write_reply(self, **headers):
        """Write what a mail program makes of pressing “Reply”."""
        reply = EmailMessage()
        reply["From"] = self.sent["To"]
        reply["To"] = self.sent["Reply-To"]
        reply["Subject"] = f"Re: {self.sent['Subject']}"
        reply["Message-ID"] = make_msgid(domain="customer.example.com")
        reply["In-Reply-To"] = self.sent["Message-ID"]
        reply["References"] = f"{self.sent['References']} {self.sent['Message-ID']}"
        for name, value in headers.items():
            del reply[name.replace("_", "-")]
            if value:
                reply[name.replace("_", "-")] = value
        reply.set_content("We take it. When can you start?")
        return reply

    def _receive(self, text):
        """Let the gateway take a message in."""
        self.env["mail.thread"].message_process(False, text)

    def assertAnswered(self, reply):
        """Assert that a reply became the customer's message on the order."""
        message = self.order.message_ids[0]
        self.assertEqual(message.message_id, reply["Message-ID"])
        self.assertEqual(message.message_type, "email")
        self.assertEqual(message.author_id, self.customer)
        self.assertEqual(message.subtype_id, self.env.ref("mail.mt_comment"))
        self.assertFalse(message.is_internal)
        self.assertEqual(message.parent_id, self.reminder.message_id)
        self.assertIn("We take it", message.body)
        self.assertEqual(self.reminder.answer_id, message)

    # --- what went out ----------------------------------------------------------

    def test_headers(self):
        self.assertEqual(self.sent["From"], "Alice <alice@example.com>")
        self.assertIn("<catchall@followup.example.com>", self.sent["Reply-To"])
        self.assertEqual(self.sent["To"], "Azure Interior <azure@customer.example.com>")
        self.assertEqual(self.sent["References"], self.sent["Message-ID"])
        self.assertEqual(self.envelope.mail_from, "bounce@followup.example.com")
        self.assertEqual(self.envelope.rcpt_tos, ["azure@customer.example.com"])
        self.assertFalse(self.sent["Cc"] or self.sent["Bcc"])

    def test_content(self):
        text = self.sent.get_body(("plain",)).get_content()
        source = self.sent.get_body(("html",)).get_content()
        for part in (text, source):
            self.assertIn("Dear Azure Interior", part)
            self.assertIn(f"what about {self.order.name}?", part)
            self.assertNotIn("firm", part)
        self.assertNotIn("firm", self.sent.as_string())

    # --- replies ----------------------------------------------------------------

    def test_reply(self):
        reply = self._write_reply()
        self._receive(reply.as_string())
        self.assertAnswered(reply)

    def test_reply_by_references_alone(self):
        reply = self._write_reply(In_Reply_To=None)
        self._receive(reply.as_string())
        self.assertAnswered(reply)

    def test_reply_to_an_id_the_provider_made(self):
        """Some servers give e-mails an id of their own."""
        other = make_msgid(domain="provider.example.com")
        reply = self._write_reply(
            In_Reply_To=other, References=f"{self.sent['References']} {other}"
        )
        self._receive(reply.as_string())
        self.assertAnswered(reply)

    def test_same_reply_twice(self):
        reply = self._write_reply()
        self._receive(reply.as_string())
        count = len(self.order.message_ids)
        self._receive(reply.as_string())
        self.assertEqual(len(self.order.message_ids), count)

    def test_absence(self):
        reply = self._write_reply(Auto_Submitted="auto-replied")
        self._receive(reply.as_string())
        message = self.order.message_ids[0]
        self.assertEqual(message.message_id, reply["Message-ID"])
        self.assertTrue(message.followup_auto_reply)
        self.assertFalse(self.reminder.answer_id)
        self.assertState(self.reminder, "done")

    # --- bounces ----------------------------------------------------------------

    def _bounce(self, kind="message/rfc822"):
        """Let the e-mail come back, as a whole or its headers."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.sent.items())
        returned = self.sent.as_string() if kind == "message/rfc822" else headers
        self._receive(
            BOUNCE.format(
                sender=self.envelope.mail_from,
                recipient=self.envelope.rcpt_tos[0],
                id=make_msgid(domain="mx.customer.example.com"),
                kind=kind,
                returned=returned,
            )
        )

    def test_bounce(self):
        for kind in ("message/rfc822", "text/rfc822-headers"):
            with self.subTest(kind):
                self._bounce(kind)
                self.assertState(
                    self.reminder, "failed", "Bounce", "550 5.1.1 No such person here."
                )
                self.assertTrue(self.reminder.is_final)
                self.assertFalse(self.reminder.answer_id)
                self.assertEqual(
                    self.reminder.message_id.notification_ids.notification_status,
                    "bounce",
                )

    def test_bounce_asks_somebody_to_look_after_it(self):
        self._bounce()
        activity = self.order.activity_ids.filtered(
            lambda activity: self.reminder.name in (activity.summary or "")
        )
        self.assertEqual(activity.user_id, self.alice)
        self.assertIn("No such person", activity.note)

    def test_bounce_that_another_addon_tells_without_an_email(self):
        """A mail service reports returns in a form of its own."""
        message = self.reminder.message_id
        self.env["mail.thread"]._routing_handle_bounce(
            message,
            {
                "bounced_email": self.customer.email_normalized,
                "bounced_message": message,
                "bounced_msg_ids": [message.message_id],
                "bounced_partner": self.customer,
                "body": "No such person",
                "email_from": "returns@service.example.com",
                "message_id": make_msgid(domain="service.example.com"),
                "to": "bounce@followup.example.com",
            },
        )
        self.assertState(self.reminder, "failed", "Bounce")

    def test_bounce_of_a_cancelled_reminder_changes_nothing(self):
        self.reminder.with_user(self.alice)._cancel("by mistake")
        self._bounce()
        self.assertEqual(self.reminder.state, "cancelled")

    def test_bounce_of_another_message_changes_nothing(self):
        other = self.sent["Message-ID"]
        del self.sent["Message-ID"]
        self.sent["Message-ID"] = make_msgid(domain="elsewhere.example.com")
        del self.sent["References"]
        self._bounce()
        self.assertState(self.reminder, "done")
        self.assertEqual(self.reminder.message_id.message_id, other)

    def test_remind_again_after_a_bounce(self):
        """The next reminder goes to the address that was corrected."""
        self._bounce()
        self.customer.email = "right@customer.example.com"
        with self._serve() as mailbox:
            reminder = self._remind(self.order)
        self.assertState(reminder, "done")
        self.assertEqual(mailbox.recipients, ["right@customer.example.com"])
        self.assertState(self.reminder, "failed", "Bounce")

    def _report(self, source, **values):
        """Let the gateway take a report about the e-mail in."""
        self._receive(
            source.format(
                sender=self.envelope.mail_from,
                recipient=self.envelope.rcpt_tos[0],
                id=make_msgid(domain="mx.customer.example.com"),
                kind="message/rfc822",
                returned=self.sent.as_string(),
                **values,
            )
        )

    def test_notice_of_a_delay_is_no_bounce(self):
        count = len(self.order.message_ids)
        for action in ("delayed", "delivered", "relayed"):
            self._report(BOUNCE.replace("Action: failed", f"Action: {action}"))
        self.assertState(self.reminder, "done")
        self.assertFalse(self.customer.message_bounce)
        self.assertFalse(self.reminder.answer_id)
        self.assertEqual(len(self.order.message_ids), count)

    def test_read_receipt_is_no_bounce(self):
        receipt = BOUNCE.replace("delivery-status", "disposition-notification")
        self._report(
            receipt.replace("Action: failed", "Disposition: manual; displayed")
        )
        self.assertState(self.reminder, "done")
        self.assertFalse(self.customer.message_bounce)
        self.assertFalse(self.reminder.answer_id)

    def test_second_address_that_comes_back_is_noted(self):
        self.customer.email = "azure@customer.example.com, b@customer.example.com"
        self.envelope.rcpt_tos[0] = "b@customer.example.com"
        self._bounce()
        self.assertState(self.reminder, "failed", "Bounce")
        self.assertEqual(
            self.customer._followup_get_bounced(), {"b@customer.example.com"}
        )
        self.customer.email = "azure@customer.example.com"
        self.assertFalse(self.customer._followup_get_bounced())

    def test_automatic_reminder_goes_on_once_the_address_is_corrected(self):
        self.reminder.sudo().origin = "auto"
        self._bounce()
        self.assertTrue(self.reminder.is_final)
        self.customer.phone = "+1 555 0100"
        self.assertTrue(self.reminder.is_final)
        self.customer.email = "right@customer.example.com"
        self.assertFalse(self.reminder.is_final)
        self.assertFalse(self.customer._followup_get_bounced())
