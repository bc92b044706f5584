from email.message import EmailMessage
from email.utils import make_msgid

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestAnswers(RemindersCommon):
    """What the customer answers is noted on the reminder, by whatever way it comes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation()

    # --- what comes in ----------------------------------------------------------

    def _receive(self, reminder=None, sender="azure@customer.example.com", **headers):
        """Let the gateway take an e-mail in, and give the message it became."""
        message = EmailMessage()
        message["From"] = sender
        message["To"] = "catchall@mycompany.example.com"
        message["Subject"] = "Re: Reminder"
        message["Message-ID"] = make_msgid(domain="customer.example.com")
        if reminder:
            message["In-Reply-To"] = reminder.message_id.message_id
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content("Let us talk about it next week.")
        # the catch-all of mails that reply to nothing
        res_id = False if reminder else self.order.id
        self.env["mail.thread"].message_process(
            "sale.order", message.as_string(), thread_id=res_id
        )
        return self.env["mail.message"].search(
            [("message_id", "=", message["Message-ID"])]
        )

    def _comment(self, author, **values):
        """Let somebody write in the thread of the order, as the portal does."""
        return self.order.message_post(
            body="Yes, please.",
            author_id=author.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            **values,
        )

    # --- e-mail -----------------------------------------------------------------

    def test_reply_is_the_answer_of_its_reminder(self):
        reminder = self._remind(self.order)
        message = self._receive(reminder)
        self.assertEqual(message.model, "sale.order")
        self.assertEqual(message.res_id, self.order.id)
        self.assertEqual(message.author_id, self.customer)
        self.assertEqual(reminder.answer_id, message)
        self.assertEqual(message.subtype_id, self.env.ref("mail.mt_comment"))

    def test_only_the_first_reply_is_the_answer(self):
        reminder = self._remind(self.order)
        first = self._receive(reminder)
        self._receive(reminder)
        self.assertEqual(reminder.answer_id, first)

    def test_answer_of_a_stranger_counts(self):
        """A colleague of the customer answers from an address nobody knows."""
        reminder = self._remind(self.order)
        message = self._receive(reminder, sender="ceo@customer.example.com")
        self.assertFalse(message.author_id)
        self.assertEqual(reminder.answer_id, message)

    def test_message_that_replies_to_nothing_answers_the_last_reminder(self):
        first = self._remind(self.order)
        letter = self._remind(self.order, channel="letter", log_only=True)
        self._remind(self.order, channel="phone")
        message = self._receive()
        self.assertFalse(first.answer_id)
        self.assertEqual(letter.answer_id, message)

    def test_late_answer_to_the_first_reminder_ends_the_waiting_for_the_second(self):
        first = self._remind(self.order)
        second = self._remind(self.order)
        message = self._receive(first)
        self.assertEqual(first.answer_id, message)
        self.assertEqual(second.answer_id, message)

    def test_failed_and_cancelled_reminders_wait_for_no_answer(self):
        failed = self._remind(self.order)
        failed.message_id.notification_ids.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        cancelled = self._remind(self.order)
        cancelled.with_user(self.alice)._cancel("wrong customer")
        self._receive()
        self.assertEqual(failed.state, "failed")
        self.assertFalse(failed.answer_id)
        self.assertFalse(cancelled.answer_id)

    def test_answer_stays_with_its_document(self):
        reminder = self._remind(self._create_quotation())
        self._remind(self.order)
        self._receive()
        self.assertFalse(reminder.answer_id)

    def test_answer_about_an_invoice(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        reminder = self._remind(invoice)
        message = self._receive(reminder)
        self.assertEqual(message.model, "account.move")
        self.assertEqual(reminder.answer_id, message)

    # --- no answers -------------------------------------------------------------

    def test_automatic_reply_is_no_answer(self):
        reminder = self._remind(self.order)
        message = self._receive(reminder, Auto_Submitted="auto-replied")
        self.assertEqual(message.res_id, self.order.id, "it shows in the chatter")
        self.assertTrue(message.followup_auto_reply)
        self.assertFalse(reminder.answer_id)
        answer = self._receive(reminder)
        self.assertFalse(answer.followup_auto_reply)
        self.assertEqual(reminder.answer_id, answer)

    def test_automatic_reply_from_an_unknown_address_to_no_document(self):
        """Such a mail goes elsewhere; the mark does not keep Odoo from taking it."""
        message = EmailMessage()
        message["From"] = "someone@elsewhere.example.com"
        message["To"] = "sales@mycompany.example.com"
        message["Message-ID"] = make_msgid(domain="elsewhere.example.com")
        message["Precedence"] = "bulk"
        message.set_content("I am away.")
        partner_id = self.env["mail.thread"].message_process(
            "res.partner", message.as_string()
        )
        self.assertTrue(
            self.env["res.partner"].browse(partner_id).message_ids.followup_auto_reply
        )

    def test_colleagues_do_not_answer(self):
        reminder = self._remind(self.order)
        self._comment(self.bob.partner_id)
        self._receive(reminder, sender="bob@example.com")
        self.order.with_user(self.alice).message_post(body="A note")
        self.assertFalse(reminder.answer_id)

    def test_colleague_who_left_did_not_answer(self):
        self._remind(self.order)
        written = self._comment(self.bob.partner_id)
        self.bob.active = False
        self.assertTrue(self.bob.partner_id.partner_share, "as Odoo sees it")
        self.assertNotIn(written, self.order._followup_get_answers())

    def test_what_odoo_logs_is_no_answer(self):
        """“Quotation viewed by customer” is written in the name of the customer."""
        reminder = self._remind(self.order)
        self.order.message_post(
            body="Quotation viewed by customer",
            author_id=self.customer.id,
            message_type="notification",
        )
        self.assertFalse(reminder.answer_id)

    # --- portal -----------------------------------------------------------------

    def test_comment_in_the_portal_is_an_answer(self):
        self.portal.partner_id.parent_id = self.customer
        self.order.message_subscribe(self.portal.partner_id.ids)
        reminder = self._remind(self.order)
        message = self.order.with_user(self.portal).message_post(
            body="Yes, please.",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self.assertEqual(message.author_id, self.portal.partner_id)
        self.assertEqual(reminder.answer_id, message.sudo())

    # --- in sets ----------------------------------------------------------------

    def test_answers_of_several_documents_since_a_message(self):
        others = self._create_quotation() | self._create_quotation()
        orders = self.order | others
        old = [
            order.message_post(
                body="Hm", author_id=self.customer.id, message_type="email"
            )
            for order in orders
        ]
        new = self._comment(self.customer)
        since = dict(zip(orders, (message.id for message in old), strict=True))
        self.assertEqual(orders._followup_get_answers(since), new)
        self.assertEqual(
            orders._followup_get_answers(),
            self.env["mail.message"].concat(*old, new).sorted("id"),
        )
        del since[others[0]]
        self.assertEqual(orders._followup_get_answers(since), old[1] | new)
        self.assertFalse(self.env["sale.order"]._followup_get_answers())

    def test_answers_take_the_same_queries_for_more_documents(self):
        orders = self.order
        for _number in range(20):
            order = self._create_quotation()
            order.message_post(
                body="Hm", author_id=self.customer.id, message_type="email"
            )
            orders |= order
        few = orders[:5]
        for documents in (few, orders):
            self.env.invalidate_all()
            with self.assertQueryCount(4):
                documents._followup_get_answers()

    def test_portal_cannot_read_the_mark(self):
        self.order.message_subscribe(self.portal.partner_id.ids)
        message = self._comment(self.customer).with_user(self.portal)
        message.check_access("read")
        self.assertNotIn("followup_auto_reply", message.fields_get())
        with self.assertRaises(AccessError):
            message.read(["followup_auto_reply"])
