import io

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfReader

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestReminderTours(RemindersCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.name = "Touring Customer"
        cls.template = cls._create_template(
            "quotation",
            name="First",
            email_body='<p>Dear <t t-out="object.partner_id.name"/></p>',
            letter_body='<p>Dear <t t-out="object.partner_id.name"/></p>',
        )
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        stranger = cls._create_customer(cls.alice, name="Stranger")
        cls._create_quotation(stranger, user_id=cls.alice.id)
        cls.alice.password = cls.alice.login

    def _start(self, tour, path):
        self.start_tour(f"/odoo/{path}", tour, login=self.alice.login)
        self.env.invalidate_all()
        return self.order.followup_reminder_ids

    def test_salesperson_looks_into_the_calendar(self):
        self.env["sales.followup.reminder"].with_user(self.alice).create(
            {
                "order_id": self.order.id,
                "channel": "phone",
                "next_date": fields.Date.context_today(self.env.user),
            }
        )
        self._start("sales_followup_calendar", "next-reminders")

    def test_salesperson_logs_a_call_from_a_quotation(self):
        reminder = self._start(
            "sales_followup_log_call",
            f"action-sale.action_quotations_with_onboarding/{self.order.id}",
        )
        self.assertEqual(reminder.channel, "phone")
        self.assertEqual(reminder.user_id, self.alice)
        self.assertEqual(reminder.note, "Decides after the fair")
        self.assertEqual(
            reminder.result_id, self.env.ref("sales_followup.result_wants_to_think")
        )

    def test_salesperson_sends_an_email_from_the_customer(self):
        reminder = self._start(
            "sales_followup_email_customer",
            f"action-base.action_partner_form/{self.customer.id}",
        )
        self.assertEqual(reminder.channel, "email")
        self.assertEqual(reminder.template_id, self.template)
        self.assertEqual(reminder.message_id.subject, f"Reminder of {self.order.name}")

    def test_salesperson_prints_a_letter_from_the_menu(self):
        with self.allow_pdf_render():
            reminder = self._start(
                "sales_followup_letter",
                "action-sales_followup.sales_followup_reminder_action",
            )
            self.assertEqual((reminder.channel, reminder.state), ("letter", "done"))
            self.authenticate(self.alice.login, self.alice.login)
            answer = self.url_open(reminder.file_url)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        reader = PdfReader(io.BytesIO(answer.content))
        letter = reader.pages[0].extract_text()
        self.assertIn("Dear Touring Customer", letter)
        self.assertIn(f"Reminder of {self.order.name}", letter)
        # its texts cannot be read: some prints turn web fonts into outlines
        self.assertGreater(len(reader.pages), 1, "the document follows")
