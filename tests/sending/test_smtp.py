import time
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_smtp import TIMEOUT, SmtpCommon

SENDING = (
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.base.models.ir_mail_server",
    "odoo.addons.sales_followup.models.sending.sales_followup_emailer",
    "mail.log",
)


@tagged("post_install", "-at_install")
class TestSmtp(SmtpCommon):
    """What becomes of a reminder when a real server has the e-mail."""

    def setUp(self):
        super().setUp()
        self.order = self._create_quotation()

    def _remind_silently(self, order=None, **values):
        with mute_logger(*SENDING):
            return self._remind(order or self.order, **values)

    def _retry(self, reminder):
        with mute_logger(*SENDING):
            reminder.with_user(self.alice).action_retry()

    # --- accepted ---------------------------------------------------------------

    def test_accepted(self):
        with self._serve() as mailbox:
            reminder = self._remind(self.order)
        self.assertState(reminder, "done")
        [message] = mailbox.messages
        self.assertEqual(mailbox.recipients, ["azure@customer.example.com"])
        self.assertEqual(message["Subject"], f"Reminder of {self.order.name}")
        self.assertEqual(message["Message-ID"], reminder.message_id.message_id)
        self.assertEqual(
            reminder.message_id.notification_ids.notification_status, "sent"
        )

    def test_success_never_looks_like_a_failure(self):
        """Odoo notes a failure of every e-mail before it tries."""
        states = []
        Reminder = self.env.registry["sales.followup.reminder"]
        take_state = Reminder._take_state

        def watch(reminder, notification):
            take_state(reminder, notification)
            states.append(reminder.state)

        self.patch(Reminder, "_take_state", watch)
        with self._serve():
            self._remind(self.order)
        self.assertEqual(states, ["outgoing", "done"])

    def test_slow_server(self):
        """The server takes its time, and takes the e-mail."""

        def slowly(envelope):
            time.sleep(TIMEOUT / 2)
            return "250 At last"

        with self._serve() as mailbox:
            mailbox.answer_data = slowly
            reminder = self._remind(self.order)
        self.assertState(reminder, "done")
        self.assertEqual(len(mailbox.messages), 1)

    # --- refused ----------------------------------------------------------------

    def test_refused_recipient(self):
        with self._serve() as mailbox:
            mailbox.answer_recipient = lambda address: "550 5.1.1 No such user here"
            reminder = self._remind_silently()
            self.assertState(reminder, "failed")
            self.assertEqual(
                reminder.failure_reason,
                "The mail server refused it: 550 5.1.1 No such user here",
            )
            notification = reminder.message_id.notification_ids
            self.assertEqual(notification.notification_status, "exception")
            self.assertTrue(notification.mail_mail_id, "kept to be sent again")
            mailbox.answer_recipient = lambda address: "250 OK"
            self._retry(reminder)
        self.assertState(reminder, "done")
        self.assertEqual(len(mailbox.messages), 1)
        self.assertEqual(notification.notification_status, "sent")

    def test_refusal_for_good_or_for_now(self):
        """Whether trying again by itself makes sense."""
        for reply, is_final in (("550 No such user", True), ("451 Greylisted", False)):
            with self.subTest(reply), self._serve() as mailbox:
                mailbox.answer_recipient = lambda address, reply=reply: reply
                reminder = self._remind_silently()
                self.assertState(reminder, "failed", reply)
                self.assertEqual(reminder.is_final, is_final)
        reminder = self._remind_silently()
        self.assertState(reminder, "failed", "Connection failed")
        self.assertFalse(reminder.is_final)

    def test_success_asks_nobody_to_look_after_it(self):
        with self._serve():
            reminder = self._remind(self.order)
        self.assertEqual(reminder.attempts, 0)
        warning = self.env.ref("sales_followup.mail_activity_type_failed")
        self.assertNotIn(warning, self.order.activity_ids.activity_type_id)

    def test_retry_is_outgoing_until_the_server_has_it(self):
        reminder = self._remind_silently()
        with patch.object(
            self.env.registry["sales.followup.emailer"], "_deliver_after_commit"
        ) as deliver:
            self._retry(reminder)
        self.assertState(reminder, "outgoing")
        notification = reminder.message_id.notification_ids
        self.assertEqual(notification.notification_status, "ready")
        self.assertEqual(deliver.call_args.args[0].state, "outgoing")

    def test_no_retry_on_a_closed_document(self):
        reminder = self._remind_silently()
        self.order._action_cancel()
        with self._serve() as mailbox, self.assertRaises(UserError) as refusal:
            self._retry(reminder)
        self.assertIn("not open any more", refusal.exception.args[0])
        self.assertFalse(mailbox.messages)
        self.assertState(reminder, "failed", "Connection failed")

    def test_nobody_retries_the_reminder_of_somebody_else(self):
        reminder = self._remind_silently()
        with self._serve() as mailbox, self.assertRaises(AccessError):
            reminder.with_user(self.bob).action_retry()
        self.assertFalse(mailbox.messages)

    def test_retry_goes_to_the_corrected_address(self):
        with self._serve() as mailbox:
            mailbox.answer_recipient = lambda address: (
                "250 OK" if address.startswith("right") else "550 No such user"
            )
            reminder = self._remind_silently()
            self.customer.email = "right@customer.example.com"
            self._retry(reminder)
        self.assertState(reminder, "done")
        self.assertEqual(mailbox.recipients, ["right@customer.example.com"])

    def test_refused_again(self):
        with self._serve() as mailbox:
            mailbox.answer_data = lambda envelope: "552 Mailbox full"
            reminder = self._remind_silently()
            self._retry(reminder)
        self.assertState(reminder, "failed", "Mailbox full")
        self.assertFalse(mailbox.messages)

    # --- no server --------------------------------------------------------------

    def test_no_server(self):
        reminder = self._remind_silently()
        self.assertState(reminder, "failed", "Connection failed", "refused")
        self.assertEqual(reminder.message_id.notification_ids.failure_type, "mail_smtp")
        with self._serve() as mailbox:
            self._retry(reminder)
        self.assertState(reminder, "done")
        self.assertEqual(len(mailbox.messages), 1)

    def test_server_that_never_speaks(self):
        with self._listen_only(), self.assertQuick(3 * TIMEOUT):
            reminder = self._remind_silently()
        self.assertState(reminder, "failed", "timed out")

    def test_server_that_never_decides(self):
        """It listens to the whole e-mail, then stays silent."""

        def never(envelope):
            time.sleep(2 * TIMEOUT)
            return "451 Too late"

        with self._serve() as mailbox:
            mailbox.answer_data = never
            with self.assertQuick(4 * TIMEOUT):
                reminder = self._remind_silently()
        self.assertState(reminder, "failed", "timed out")

    def test_server_goes_down_in_the_middle(self):
        """The e-mails that were taken stay taken; the others say what happened."""
        orders = self.order
        for _number in range(3):
            orders |= self._create_quotation()

        with self._serve() as mailbox:
            mailbox.answer_data = lambda envelope: (
                "250" if not mailbox.envelopes else None
            )
            reminders = self._remind_of_all(orders)
        self.assertEqual(len(mailbox.messages), 1)
        self.assertState(reminders[0], "done")
        for reminder in reminders[1:]:
            self.assertState(reminder, "failed", "Connection")
        with self._serve() as mailbox:
            self._retry(reminders)
        self.assertEqual(len(mailbox.messages), 3)
        self.assertEqual(set(reminders.mapped("state")), {"done"})

    def test_queue_keeps_the_reason_too(self):
        """E-mails of many are sent by Odoo's own queue."""
        deliver = patch.object(
            self.env.registry["sales.followup.emailer"], "_deliver_after_commit"
        )
        with deliver as delivered:
            reminder = self._remind(self.order)
        with self._serve() as mailbox, mute_logger(*SENDING):
            mailbox.answer_data = lambda envelope: None
            self.env["mail.mail"].process_email_queue(delivered.call_args.args[0].ids)
        self.assertState(reminder, "failed", "Connection unexpectedly closed")

    def test_server_comes_back_at_once(self):
        """One e-mail is lost; nobody else's waits for it."""
        orders = self.order
        for _number in range(3):
            orders |= self._create_quotation()
        replies = iter(["250 OK", None, "250 OK", "250 OK"])
        with self._serve() as mailbox:
            mailbox.answer_data = lambda envelope: next(replies)
            reminders = self._remind_of_all(orders)
        self.assertEqual(len(mailbox.messages), 3)
        self.assertEqual(reminders.mapped("state"), ["done", "failed", "done", "done"])

    def _remind_of_all(self, orders):
        template = self._get_template(orders[0])
        with mute_logger(*SENDING):
            reminders = (
                self.env["sales.followup.reminder"]
                .with_user(self.alice)
                ._remind(orders, {"channel": "email", "template_id": template.id})
            )
        return reminders.sudo()
