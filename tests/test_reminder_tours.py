from odoo.tests import HttpCase, tagged

from .common_reminders import RemindersCommon


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
