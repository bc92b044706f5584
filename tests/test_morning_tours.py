import io
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfReader

from .common_bulk import BulkCommon


@tagged("post_install", "-at_install")
class TestMorningTours(BulkCommon, HttpCase):
    """How each of them begins the day, in the browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env.user)
        cls.bookkeeper = cls._create_user(
            "bookkeeper", "account.group_account_invoice", "sales_followup.group_user"
        )
        for user in (cls.alice, cls.manager, cls.bookkeeper):
            user.password = user.login

    def _create_overdue_call(self, user, **values):
        """Log a call whose next date has passed, about a quotation of a user."""
        customer = self._create_customer(user, **values)
        order = self._create_quotation(customer, user_id=user.id)
        return self.env["sales.followup.reminder"].create(
            {
                "order_id": order.id,
                "user_id": user.id,
                "channel": "phone",
                "next_date": self.today - timedelta(days=3),
            }
        )

    def _create_due_invoice(self, name, days):
        """Create an invoice that is due so many days from now."""
        customer = self._create_customers(1, name=name)
        return self._create_invoice(
            customer,
            post=True,
            invoice_date=self.today - timedelta(days=60),
            invoice_date_due=self.today + timedelta(days=days),
        )

    def test_salesperson_calls_who_is_overdue(self):
        late = self._create_overdue_call(self.alice, name="Waiting Customer")
        self._create_overdue_call(self.bob, name="Customer of Bob")
        failed = self._create_quotation(user_id=self.alice.id)
        self.env["sales.followup.reminder"].create(
            {
                "order_id": failed.id,
                "user_id": self.alice.id,
                "channel": "email",
                "template_id": self.first.id,
                "state": "failed",
                "next_date": False,
            }
        )
        self.start_tour(
            "/odoo/followup",
            "sales_followup_morning_salesperson",
            login=self.alice.login,
        )
        self.env.invalidate_all()
        call = late.order_id.followup_reminder_ids - late
        self.assertEqual((call.channel, call.user_id), ("phone", self.alice))
        self.assertEqual(call.note, "Signs on Friday")
        self.assertGreater(call.next_date, self.today)

    def test_manager_looks_after_the_team(self):
        self._create_overdue_call(self.alice, name="Waiting Customer")
        self._create_overdue_call(self.bob, name="Customer of Bob")
        self.start_tour(
            "/odoo/followup", "sales_followup_morning_manager", login=self.manager.login
        )

    def test_back_office_writes_to_who_does_not_pay(self):
        self._create_template("customer_invoice")
        late = self._create_due_invoice("Late Customer", -20)
        self._create_due_invoice("Prompt Customer", 20)
        printed = self._create_due_invoice("Printed Customer", -30)
        run = self._propose_of(printed, user=self.bookkeeper)
        self._get_lines(run, printed).channel = "letter"
        with self.allow_pdf_render():
            run.action_launch()
            self.assertTrue(run.attachment_id)
            self.start_tour(
                "/odoo/action-account.action_move_out_invoice_type",
                "sales_followup_morning_back_office",
                login=self.bookkeeper.login,
            )
        self.env.invalidate_all()
        reminder = self._reminders(late)
        self.assertEqual((reminder.channel, reminder.state), ("letter", "done"))
        self.assertEqual(reminder.user_id, self.bookkeeper)
        letter = PdfReader(io.BytesIO(reminder.attachment_id.raw)).pages[0]
        self.assertIn("Late Customer", letter.extract_text())
