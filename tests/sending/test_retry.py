from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_smtp import SmtpCommon

SENDING = (
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.base.models.ir_mail_server",
    "odoo.addons.sales_followup.models.sending.sales_followup_emailer",
    "mail.log",
)


class RetryCommon(SmtpCommon):
    def setUp(self):
        super().setUp()
        logger = mute_logger(*SENDING)
        logger.__enter__()
        self.addCleanup(logger.__exit__)
        self.order = self._create_quotation()
        self.template = self._get_template(self.order)

    def _retry(self, reminder):
        reminder.with_user(self.alice).action_retry()

    def _alert(self, document):
        failure = self.env.ref("sales_followup.mail_activity_type_failed")
        return document.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id == failure
        )

    def _answer(self, order):
        order.message_post(
            body="Let us talk.",
            message_type="email",
            author_id=self.customer.id,
            subtype_xmlid="mail.mt_comment",
        )

    def _queue(self, order):
        """Send a reminder by hand, and let its e-mail wait in Odoo's queue."""
        emailer = self.env.registry["sales.followup.emailer"]
        with patch.object(emailer, "_deliver_after_commit"):
            return self._remind(order)


@tagged("post_install", "-at_install")
class TestRetry(RetryCommon):
    """*Send Again* asks what every other sender asks."""

    def _fail(self):
        """Have a reminder fail: there is no server."""
        reminder = self._remind(self.order)
        self.assertState(reminder, "failed")
        return reminder

    def assertNotSentAgain(self, reminder, *words):
        with self._serve() as mailbox:
            with self.assertRaises(UserError) as refusal:
                self._retry(reminder)
            for word in words:
                self.assertIn(word, refusal.exception.args[0])
            self.assertFalse(mailbox.messages)
        self.assertState(reminder, "failed")

    def test_not_after_an_answer(self):
        reminder = self._fail()
        self._answer(self.order)
        self.assertNotSentAgain(reminder, "answered")

    def test_not_to_an_excluded_customer(self):
        reminder = self._fail()
        self.customer.followup_exclude = True
        self.assertNotSentAgain(reminder, "Do not remind")

    def test_not_to_a_blacklisted_address(self):
        reminder = self._fail()
        self.env["mail.blacklist"]._add(self.customer.email)
        self.assertNotSentAgain(reminder, "blacklisted")

    def test_no_level_twice(self):
        reminder = self._fail()
        with self._serve() as mailbox:
            self._remind(self.order)
            self.assertEqual(len(mailbox.messages), 1)
        self.assertNotSentAgain(reminder, "already")

    def test_what_was_overruled_stays_overruled(self):
        self.customer.followup_exclude = True
        reminder = self._fail()
        with self._serve() as mailbox:
            self._retry(reminder)
            self.assertEqual(len(mailbox.messages), 1)
        self.assertState(reminder, "done")

    def test_text_that_is_mended_goes_out(self):
        """There is no e-mail yet: it is written now."""
        self.template.email_body = (
            "<p><t t-out=\"1 / (object.client_order_ref != 'broken')\"/></p>"
        )
        self.order.client_order_ref = "broken"
        run = self.env["sales.followup.run"].with_user(self.alice).create({})
        run._propose(self.order)
        line = run.line_ids
        line.write({"template_id": self.template.id, "channel": "email"})
        run.action_launch()
        reminder = line.reminder_id
        self.assertState(reminder, "failed", "division")
        self.order.client_order_ref = False
        with self._serve() as mailbox:
            self._retry(reminder)
            self.assertEqual(len(mailbox.messages), 1)
        self.assertState(reminder, "done")

    def test_some_of_many(self):
        other = self._create_quotation()
        reminders = self._fail() | self._remind(other)
        other.followup_exclude = True
        with self._serve() as mailbox:
            answer = reminders.with_user(self.alice).action_retry()
            self.assertEqual(len(mailbox.messages), 1)
        self.assertIn("Do not remind", answer["params"]["message"])
        self.assertEqual(reminders.mapped("state"), ["done", "failed"])

    def test_code_asks_the_verdict(self):
        self.customer.followup_exclude = True
        reminders = self.env["sales.followup.reminder"].with_user(self.alice)
        values = {"channel": "email", "template_id": self.template.id}
        with self.assertRaisesRegex(UserError, "Do not remind"):
            reminders._remind(self.order, values)
        self.assertFalse(self.order.followup_reminder_ids)
        key = "customer_excluded" + 7 * "|"
        with self._serve() as mailbox:
            reminders._remind(self.order, values, overruled=[key])
            self.assertEqual(len(mailbox.messages), 1)

    # --- by itself --------------------------------------------------------------

    def test_temporary_failure_is_tried_again_at_growing_distances(self):
        reminder = self._fail()
        now = fields.Datetime.now()
        for number, delay in enumerate(
            (timedelta(minutes=15), timedelta(hours=2), timedelta(days=1)), 1
        ):
            self.assertFalse(reminder.is_final)
            self.assertEqual(reminder.attempts, number)
            with freeze_time(now + delay - timedelta(minutes=1)):
                self.assertFalse(list(self.env["sales.followup.reminder"]._retry_due()))
            now += delay + timedelta(seconds=5)
            with freeze_time(now):
                list(self.env["sales.followup.reminder"]._retry_due())
                self.assertState(reminder, "outgoing")
                self.env["sales.followup.emailer"]._deliver(
                    reminder.message_id.mail_ids
                )
                self.assertState(reminder, "failed")
        self.assertTrue(reminder.is_final)
        self.assertFalse(reminder.retry_date)

    def test_temporary_failure_is_not_tried_again_after_an_answer(self):
        reminder = self._fail()
        self._answer(self.order)
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            list(self.env["sales.followup.reminder"]._retry_due())
        self.assertState(reminder, "failed", "answered")
        self.assertTrue(reminder.is_final)


@tagged("post_install", "-at_install")
class TestQueue(RetryCommon):
    """What happens to e-mails that wait in Odoo's queue."""

    def setUp(self):
        super().setUp()
        self.reminder = self._queue(self.order)
        self.mail = self.reminder.message_id.mail_ids
        self.assertEqual(self.mail.state, "outgoing")

    def _process_queue(self):
        with self._serve() as mailbox:
            self.env["mail.mail"].process_email_queue(self.mail.ids)
            return mailbox.messages

    def _assert_told_and_sent_again(self, *words):
        self.assertState(self.reminder, "failed", *words)
        self.assertEqual(self._alert(self.order).user_id, self.alice)
        with self._serve() as mailbox:
            self._retry(self.reminder)
            self.assertEqual(len(mailbox.messages), 1)
        self.assertState(self.reminder, "done")
        self.assertFalse(self._alert(self.order))

    def test_cancelled_in_the_queue(self):
        self.mail.cancel()
        self._assert_told_and_sent_again("cancelled")

    def test_deleted_from_the_queue(self):
        self.mail.unlink()
        self._assert_told_and_sent_again("deleted")

    def test_e_mails_of_others_are_left_alone(self):
        message = self.order.message_post(body="Hello", partner_ids=self.customer.ids)
        self.env["mail.notification"].search(
            [("mail_message_id", "=", message.id)]
        ).write({"notification_status": "ready"})
        message.mail_ids.cancel()
        self.assertNotIn(
            "canceled", message.notification_ids.mapped("notification_status")
        )

    def test_confirmed_while_it_waits(self):
        self.order.action_confirm()
        self.assertFalse(self._process_queue())
        self.assertEqual(self.mail.state, "cancel")
        self.assertState(self.reminder, "failed", "not open")
        self.assertTrue(self.reminder.is_final)
        self.assertFalse(self._alert(self.order), "somebody acted already")

    def test_answered_while_it_waits(self):
        self._answer(self.order)
        self.assertFalse(self._process_queue())
        self.assertEqual(self.mail.state, "cancel")
        self.assertState(self.reminder, "failed", "answered")

    def test_paid_while_it_waits(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        reminder = self._queue(invoice)
        self.mail |= reminder.message_id.mail_ids
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()
        self.assertEqual(len(self._process_queue()), 1, "the other one leaves")
        self.assertState(reminder, "failed", "not open")
        self.assertState(self.reminder, "done")

    def test_nothing_happened_while_it_waits(self):
        self.assertEqual(len(self._process_queue()), 1)
        self.assertState(self.reminder, "done")

    def test_what_was_overruled_leaves(self):
        other = self._create_quotation(self.customer)
        self._answer(other)
        reminder = self._queue(other)
        self.mail |= reminder.message_id.mail_ids
        self.assertEqual(len(self._process_queue()), 2)
        self.assertState(reminder, "done")
        self.assertEqual(self.mail.exists(), self.mail.browse())
