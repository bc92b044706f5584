from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestRecipients(RemindersCommon):
    """Reminders go to people of the document's customer, and to nobody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_customer(
            cls.alice, name="Brown Ltd", email="brown@other.example.com", city="Leeds"
        )
        cls.pat = cls._create_contact(
            cls.customer, name="Pat", email="pat@customer.example.com", city="Oslo"
        )
        cls.stranger = cls._create_contact(
            cls.other, name="Stranger", email="stranger@other.example.com", city="Bath"
        )
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.invoice = cls._create_invoice(
            cls.customer, post=True, invoice_user_id=cls.alice.id
        )

    @classmethod
    def _move_pat(cls):
        """Let Pat go and work for the other company, with another address."""
        cls.pat.write({"parent_id": cls.other.id, "email": "pat@other.example.com"})

    # --- setting ----------------------------------------------------------------

    def test_document_takes_contacts_of_its_customer_only(self):
        for document in (self.order.with_user(self.alice), self.order, self.invoice):
            document.followup_contact_id = self.pat
            with self.assertRaises(ValidationError) as refusal:
                document.followup_contact_id = self.stranger
            for name in ("Stranger", "Azure Interior", document.display_name):
                self.assertIn(name, refusal.exception.args[0])

    def test_new_document_takes_contacts_of_its_customer_only(self):
        orders = self.env["sale.order"].with_user(self.alice)
        values = {"partner_id": self.customer.id}
        with self.assertRaises(ValidationError):
            orders.create({**values, "followup_contact_id": self.stranger.id})
        with self.assertRaises(ValidationError):
            orders.with_context(default_followup_contact_id=self.stranger.id).create(
                values
            )
        result = orders.load(
            ["partner_id/.id", "followup_contact_id/.id"],
            [[str(self.customer.id), str(self.stranger.id)]],
        )
        self.assertIn("Stranger", result["messages"][0]["message"])
        order = orders.create({**values, "followup_contact_id": self.pat.id})
        self.assertEqual(order.followup_contact_id, self.pat)

    def test_customer_takes_own_contacts_only(self):
        partners = self.env["res.partner"].with_user(self.editor)
        self.customer.with_user(self.editor).followup_contact_id = self.pat
        with self.assertRaises(ValidationError) as refusal:
            self.customer.with_user(self.editor).followup_contact_id = self.stranger
        self.assertIn("Azure Interior", refusal.exception.args[0])
        for values, context in (
            ({"followup_contact_id": self.stranger.id}, {}),
            ({}, {"default_followup_contact_id": self.stranger.id}),
        ):
            with self.assertRaises(ValidationError):
                partners.with_context(**context).create({"name": "New", **values})

    def test_reminder_takes_contacts_of_its_customer_only(self):
        reminders = self.env["sales.followup.reminder"].with_user(self.alice)
        values = {"order_id": self.order.id, "channel": "phone"}
        with self.assertRaises(ValidationError):
            reminders.create({**values, "contact_id": self.stranger.id})
        reminders = reminders.with_context(default_contact_id=self.stranger.id)
        self.assertEqual(reminders.create(values).contact_id, self.customer)
        with self.assertRaises(ValidationError):
            self._remind(self.order, channel="phone").sudo().contact_id = self.stranger

    def test_dialog_and_code_take_contacts_of_the_customer_only(self):
        template = self._get_template(self.order)
        for channel in ("email", "letter", "phone"):
            with (
                self.subTest(channel),
                self.assertRaisesRegex(UserError, "Stranger"),
            ):
                self._remind(self.order, channel=channel, contact_id=self.stranger.id)
            with (
                self.subTest(channel),
                self.assertRaisesRegex(UserError, "Stranger"),
            ):
                self.env["sales.followup.reminder"].with_user(self.alice)._remind(
                    self.order,
                    {
                        "channel": channel,
                        "template_id": template.id,
                        "contact_id": self.stranger.id,
                    },
                )
        self.assertFalse(self.order.followup_reminder_ids)

    def test_nobody_else_is_shown_in_a_preview(self):
        template = self._create_template(
            email_body='<p>Dear <t t-out="object.followup_recipient_id.name"/></p>'
        )
        wizard = self._open_remind(
            self.order, template_id=template.id, contact_id=self.stranger.id
        )
        self.assertIn("Stranger", wizard.obstacle)
        self.assertFalse(wizard.preview)
        chosen = ((self.order.id, self.stranger.id),)
        order = self.order.with_user(self.alice).with_context(followup_contacts=chosen)
        self.assertEqual(order.followup_recipient_id, self.customer)

    def test_nobody_is_chosen_whom_the_user_may_not_see(self):
        theirs = self.env["res.company"].create({"name": "Theirs"})
        secret = self._create_contact(
            self.customer, name="Secret", email="secret@customer.example.com"
        )
        secret.company_id = theirs
        order = self.order.with_user(self.alice)
        with self.assertRaises(UserError) as refusal:
            order.followup_contact_id = secret
        self.assertNotIn("Secret", refusal.exception.args[0])
        with self.assertRaises(UserError) as refusal:
            self.env["sales.followup.reminder"].with_user(self.alice)._remind(
                self.order, {"channel": "phone", "contact_id": secret.id}
            )
        self.assertNotIn("Secret", refusal.exception.args[0])

    # --- leaving ----------------------------------------------------------------

    def test_who_left_is_passed_over(self):
        self.customer.followup_contact_id = self.pat
        self.order.followup_contact_id = self.pat
        self.assertEqual(self._remind(self.order).contact_id, self.pat)
        self._move_pat()
        for channel in ("email", "letter", "phone"):
            recipients = self.order._followup_get_recipients(channel)
            self.assertEqual(recipients[self.order], self.customer)
        self.assertEqual(self._remind(self.order).contact_id, self.customer)
        self.assertEqual(self._remind(self.invoice).contact_id, self.customer)

    def test_who_left_is_told(self):
        self.order.followup_contact_id = self.pat
        self._move_pat()
        dialog = self._open_remind(self.order)
        self.assertIn("Pat is not a contact of the customer any more", dialog.warning)
        verdict = (
            self.env["sales.followup.verdict"]
            .with_user(self.alice)
            .create({"order_id": self.order.id})
        )
        self.assertIn("Pat", verdict.reasons)

    def test_who_left_is_listed_for_mending(self):
        self.customer.followup_contact_id = self.pat
        self.order.followup_contact_id = self.pat
        self.invoice.followup_contact_id = self.pat
        everything = (self.customer, self.order, self.invoice)
        views = (
            "base.view_res_partner_filter",
            "sale.view_sales_order_filter",
            "account.view_account_invoice_filter",
        )

        def assert_listed(wrong):
            for record, view in zip(everything, views, strict=True):
                domain = self._get_filter_domain(
                    view, "followup_contact_wrong", self.alice
                )
                record.invalidate_recordset()
                self.assertEqual(record.is_followup_contact_wrong, wrong)
                self.assertEqual(bool(record.filtered_domain(domain)), wrong)
                listed = record.search([*domain, ("id", "=", record.id)])
                self.assertEqual(bool(listed), wrong)

        assert_listed(wrong=False)
        self.pat.active = False
        assert_listed(wrong=True)
        self.pat.active = True
        assert_listed(wrong=False)
        self._move_pat()
        assert_listed(wrong=True)

    def test_archived_is_called_archived(self):
        self.pat.active = False
        self.order.followup_contact_id = self.pat
        self.assertIn("Pat is archived", self._open_remind(self.order).warning)
        (self.customer | self.pat).active = False
        with self.assertRaisesRegex(UserError, "is archived"):
            self._remind(self.order)

    def test_failed_email_is_not_sent_again_to_who_left(self):
        self.order.followup_contact_id = self.pat
        reminder = self._remind(self.order)
        mail = self.env["mail.mail"].search(
            [("mail_message_id", "=", reminder.message_id.id)]
        )
        mail.state = "exception"
        reminder._fail("The mail server is down", attempts=1, is_final=False)
        self._move_pat()
        self.assertFalse(reminder._queue_again())
        self.assertEqual(mail.state, "exception")
        reminder._revive()
        self.assertEqual(reminder.contact_id, self.customer)

    # --- what is text -----------------------------------------------------------

    def test_errors_and_names_are_text_in_dialogs(self):
        """Raw errors, template names and references of customers are no HTML."""
        evil = "<img src=x onerror=alert(1)>"
        template = self._create_template(
            name=evil, email_body='<p t-out="int(object.client_order_ref or 0)"/>'
        )
        self.order.client_order_ref = evil
        preview = self.env["sales.followup.preview"].create(
            {"template_id": template.id, "order_id": self.order.id}
        )
        verdict = self.env["sales.followup.verdict"].create(
            {"order_id": self.order.id, "template_id": template.id}
        )
        dialog = self._open_remind(self.order, template_id=template.id)
        for source in (preview.email, verdict.preview, dialog.preview):
            self.assertIn("cannot be filled in", source)
            self.assertNotIn("<img", source)
            self.assertIn("&lt;img", source)

    def test_form_offers_contacts_of_the_customer(self):
        with Form(self.order.with_user(self.alice)) as form:
            form.followup_contact_id = self.pat
        self.assertEqual(self.order.followup_contact_id, self.pat)
        kim = Command.create({"name": "Kim", "email": "kim@new.example.com"})
        company = self.env["res.partner"].create({"name": "New", "child_ids": [kim]})
        company.followup_contact_id = company.child_ids
        self.assertFalse(company.is_followup_contact_wrong)
