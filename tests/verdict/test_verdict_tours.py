from datetime import timedelta
from email.message import EmailMessage

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestVerdictTours(RemindersCommon, HttpCase):
    """*Would it be sent?* in the browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.name = "Touring Customer"
        today = fields.Date.context_today(cls.env.user)
        cls.template = cls._create_template(
            "quotation",
            name="First",
            email_body='<p>Dear <t t-out="object.partner_id.name"/></p>',
            automatic=True,
            trigger="due_date",
            offset_days=3,
            active_from=today - timedelta(days=30),
        )
        cls.order = cls._create_quotation(
            user_id=cls.alice.id, validity_date=today - timedelta(days=5)
        )
        cls.alice.password = cls.alice.login

    def _ask(self, tour):
        path = f"action-sale.action_quotations_with_onboarding/{self.order.id}"
        self.start_tour(f"/odoo/{path}", tour, login=self.alice.login)

    def _reply(self):
        """Let the gateway take in what the customer writes back."""
        message = self.order.with_user(self.alice).message_post(
            body="Here is our offer",
            partner_ids=self.customer.ids,
            subtype_xmlid="mail.mt_comment",
        )
        reply = EmailMessage()
        reply["From"] = self.customer.email_formatted
        reply["To"] = "catchall@example.com"
        reply["Subject"] = "Re: our offer"
        reply["Message-ID"] = "<reply@customer.example.com>"
        reply["In-Reply-To"] = message.message_id
        reply.set_content("We take it. When can you start?")
        self.env["mail.thread"].message_process(False, reply.as_string())

    def test_yes_and_after_a_reply_no(self):
        self._ask("sales_followup_verdict_yes")
        self._reply()
        self._ask("sales_followup_verdict_no")
        self.assertFalse(self.order.followup_reminder_ids, "it merely tells")
