from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestReminder(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.invoice = cls._create_invoice(
            cls.customer, post=True, invoice_user_id=cls.alice.id
        )
        cls.reminders = cls.env["sales.followup.reminder"].with_user(cls.alice)

    @classmethod
    def _log(cls, document, **values):
        """Log a reminder as an integration does: by ``create``, as Alice."""
        link = cls.reminders._get_document_field(document._name)
        return cls.reminders.create({link: document.id, "channel": "phone", **values})

    # --- one document ---------------------------------------------------------

    def test_a_reminder_is_about_exactly_one_document(self):
        for links in (
            {},
            {"order_id": self.order.id, "move_id": self.invoice.id},
        ):
            with self.subTest(links=links), self.assertRaises(ValidationError):
                self.reminders.create({"channel": "phone", **links})
        self.assertFalse((self.order | self._create_quotation()).followup_reminder_ids)

    def test_the_document_is_reached_whatever_its_kind(self):
        for document in (self.order, self.invoice):
            with self.subTest(document=document):
                reminder = self._log(document)
                self.assertEqual(reminder._get_document(), document)
                self.assertEqual(reminder.document_ref, document)
                action = reminder.action_open_document()
                self.assertEqual(
                    (action["res_model"], action["res_id"]),
                    (document._name, document.id),
                )

    def test_a_document_that_is_never_chased_has_no_reminders(self):
        bill = self._create_invoice(self.customer, move_type="in_invoice", post=True)
        with self.assertRaisesRegex(
            ValidationError, "is not a document that customers"
        ):
            self.env["sales.followup.reminder"].create({"move_id": bill.id})
        with self.assertRaisesRegex(
            ValidationError, "is not a document that customers"
        ):
            self._remind(bill, user=self.env.user, channel="phone")

    # --- numbers --------------------------------------------------------------

    def test_numbers_are_unique_and_in_order(self):
        reminders = self._log(self.order) + self.reminders.create(
            [{"order_id": self.order.id}, {"move_id": self.invoice.id}] * 5
        )
        names = reminders.mapped("name")
        self.assertEqual(len(set(names)), 11)
        self.assertEqual(sorted(names), names)
        self.assertNotIn("/", names)

    def test_a_hundred_numbers_are_drawn_by_one_query(self):
        self.reminders._draw_numbers(1)
        with self.assertQueryCount(1):
            numbers = self.reminders._draw_numbers(100)
        self.assertEqual(len(set(numbers)), 100)

    def test_numbers_without_gaps_or_by_year_are_drawn_one_by_one(self):
        sequence = self.env.ref("sales_followup.sequence_reminder")
        sequence.prefix = "R%(year)s/"
        sequence.use_date_range = True
        numbers = self.reminders._draw_numbers(3)
        self.assertEqual(len(set(numbers)), 3)
        for number in numbers:
            self.assertTrue(number.startswith(f"R{fields.Date.today().year}/"))

    # --- created by code ------------------------------------------------------

    def test_a_reminder_created_by_a_salesperson_is_a_log(self):
        reminder = self._log(self.order, channel="email", note="Sent from my phone")
        self.assertEqual(reminder.state, "done")
        self.assertEqual(reminder.origin, "manual")
        self.assertEqual(reminder.user_id, self.alice)
        self.assertFalse(reminder.message_id)
        self.assertFalse(
            self.env["mail.mail"].search([("recipient_ids", "in", self.customer.ids)])
        )

    def test_a_log_created_by_code_has_recipient_and_next_date(self):
        self.env.company.followup_next_days = 9
        template = self._create_template(next_days=4)
        days = {"due": {}, "template": {"template_id": template.id}}
        days = {
            key: (self._log(self.order, **values).next_date - fields.Date.today()).days
            for key, values in days.items()
        }
        self.assertEqual(days, {"due": 9, "template": 4})
        reminder = self._log(self.order, next_date=False, contact_id=False)
        self.assertFalse(reminder.next_date)
        self.assertFalse(reminder.contact_id)
        self.assertEqual(self._log(self.order).contact_id, self.customer)
        closed = self._create_quotation(user_id=self.alice.id)
        closed.state = "cancel"
        self.assertFalse(self._log(closed).next_date)

    def test_history_is_imported(self):
        self.order.action_cancel()
        names = ["order_id/.id", "channel", "date", "note", "user_id"]
        rows = [
            [str(self.order.id), "phone", "2024-03-01 09:00:00", "Called", "Alice"],
            [str(self.order.id), "Visit", "2024-04-01 09:00:00", "Was there", "Alice"],
        ]
        result = self.reminders.load(names, rows)
        self.assertFalse(result["messages"])
        imported = self.reminders.browse(result["ids"])
        self.assertEqual(imported.mapped("channel"), ["phone", "visit"])
        self.assertEqual(self.order.followup_last_reminder_id, imported[1])
        self.assertFalse(any(imported.mapped("next_date")))

    def test_nobody_forges_what_was_sent(self):
        message = self.order.message_post(body="Hello")
        attachment = self.env["ir.attachment"].create({"name": "letter", "raw": b"x"})
        other = self._create_customer(self.alice)
        company = self.env["res.company"].create({"name": "Other"})
        forged = {
            "state": "failed",
            "origin": "auto",
            "message_id": message.id,
            "attachment_id": attachment.id,
            "is_sending": True,
            "failure_reason": "No such address",
            "cancel_reason": "Oops",
            "answer_id": message.id,
            "log_message_id": message.id,
            "partner_id": other.id,
            "company_id": company.id,
            "amount": 1e6,
            "name": "R1",
            "document_type_id": self._type("sale_order").id,
        }
        for name, value in forged.items():
            with self.subTest(field=name), self.assertRaises(AccessError):
                self._log(self.order, **{name: value})
        reminder = self._log(self.order)
        for name, value in {**forged, "date": "2020-01-01", "channel": "visit"}.items():
            with self.subTest(written=name), self.assertRaises(AccessError):
                reminder.write({name: value})
        self.assertEqual(self.order.followup_reminder_ids, reminder)

    def test_a_reminder_is_not_duplicated(self):
        reminder = self._log(self.order)
        with self.assertRaisesRegex(UserError, "not duplicated"):
            reminder.copy()
        self.assertFalse(self.order.copy().followup_reminder_ids)

    # --- what it keeps of the document ----------------------------------------

    def test_it_keeps_customer_type_and_company_as_they_were(self):
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_quotation(contact, user_id=self.alice.id)
        reminder = self._log(order)
        self.assertEqual(reminder.partner_id, self.customer)
        self.assertEqual(reminder.contact_id, contact)
        self.assertEqual(reminder.company_id, order.company_id)
        self.assertEqual(reminder.document_type_id, self._type("quotation"))
        order.action_confirm()
        contact.parent_id = self._create_customer(name="New employer")
        self.assertEqual(reminder.document_type_id, self._type("quotation"))
        self.assertEqual(reminder.partner_id, self.customer)
        self.assertEqual(self._log(order).document_type_id, self._type("sale_order"))

    def test_amounts_are_in_both_currencies_at_the_documents_rate(self):
        currency = self.env["res.currency"].create({"name": "FUC", "symbol": "F"})
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "rate": 4.0,
                "name": fields.Date.today() - timedelta(days=1),
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": currency.id}
        )
        order = self._create_quotation(user_id=self.alice.id, pricelist_id=pricelist.id)
        order.order_line.price_unit = 1000
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_user_id=self.alice.id,
            currency_id=currency.id,
            price_unit=600,
        )
        for document, amount, company_amount in (
            (order, 1000, 250),
            (invoice, 600, 150),
        ):
            reminder = self._log(document)
            self.assertEqual(reminder.currency_id, currency)
            self.assertEqual(reminder.company_currency_id, self.env.company.currency_id)
            self.assertAlmostEqual(reminder.amount, amount)
            self.assertAlmostEqual(reminder.amount_company, company_amount)
        # today's rate is not the document's
        currency.rate_ids.rate = 8.0
        reminder = self._log(invoice)
        self.assertAlmostEqual(reminder.amount_company, 150)

    # --- documents in any state -----------------------------------------------

    def _create_documents(self):
        """Return a document of Alice's in each state."""
        orders = {
            state: self._create_order(self.customer, state, user_id=self.alice.id)
            for state in ("draft", "sent", "sale", "cancel")
        }
        values = {"invoice_user_id": self.alice.id}
        invoices = {
            "draft invoice": self._create_invoice(self.customer, **values),
            "posted": self._create_invoice(self.customer, post=True, **values),
            "cancelled": self._create_invoice(self.customer, **values),
            "paid": self._create_invoice(
                self.customer, post=True, price_unit=0, **values
            ),
            "credit note": self._create_invoice(
                self.customer, "out_refund", post=True, **values
            ),
        }
        invoices["cancelled"].button_cancel()
        return orders | invoices

    def test_a_call_is_logged_on_documents_in_any_state(self):
        for state, document in self._create_documents().items():
            with self.subTest(state=state):
                reminder = self._remind(document, channel="phone", note="Called")
                self.assertEqual(reminder.state, "done")
                self.assertEqual(document.followup_reminder_count, 1)
                self.assertEqual(document.followup_last_reminder_id, reminder)
                self.assertIn("Called", str(document.message_ids[0].body))
                self.assertEqual(reminder.log_message_id, document.message_ids[0])

    def test_only_open_documents_are_written_about(self):
        documents = self._create_documents()
        closed = {"cancel", "cancelled", "paid", "credit note"}
        for state in closed:
            document = documents[state]
            for channel in ("email", "letter"):
                with self.subTest(state=state, channel=channel):
                    before = self._count_traces(document)
                    wizard = self._open_remind(document, channel=channel)
                    self.assertTrue(wizard.obstacle)
                    with self.assertRaises(UserError) as refusal:
                        wizard.action_apply()
                    self.assertIn(document.display_name, str(refusal.exception))
                    self.assertEqual(self._count_traces(document), before)
        for state in documents.keys() - closed:
            with self.subTest(state=state):
                self.assertEqual(self._remind(documents[state]).channel, "email")

    def _count_traces(self, document):
        """Count all that a reminder leaves behind."""
        self.env.flush_all()
        return (
            len(document.followup_reminder_ids),
            len(document.message_ids),
            len(document.activity_ids),
            self.env["mail.mail"].search_count([]),
            self.env["ir.attachment"].search_count([("res_id", "=", document.id)]),
        )

    def test_a_letter_that_was_sent_otherwise_is_logged_on_closed_documents(self):
        self.order.state = "cancel"
        yesterday = fields.Datetime.now() - timedelta(days=1)
        reminder = self._remind(
            self.order, channel="letter", log_only=True, date=yesterday
        )
        self.assertEqual(
            (reminder.state, reminder.date, reminder.is_sending),
            ("done", yesterday, False),
        )

    # --- the dialog -----------------------------------------------------------

    def _open(self, **defaults):
        """Open the dialog as the web client does."""
        context = {f"default_{name}": value for name, value in defaults.items()}
        wizard = self.env["sales.followup.remind"].with_user(self.alice)
        return Form(wizard.with_context(**context))

    def test_the_dialog_is_filled_from_the_document(self):
        template = self._create_template(next_days=6)
        action = self.order.with_user(self.alice).action_followup_remind()
        self.assertEqual(action["res_model"], "sales.followup.remind")
        self.assertEqual(action["context"], {"default_order_id": self.order.id})
        form = self._open(order_id=self.order.id)
        self.assertEqual(form.template_id, template)
        self.assertEqual(form.channel, "email")
        self.assertEqual(form.contact_id, self.customer)
        self.assertEqual((form.next_date - fields.Date.today()).days, 6)
        self.assertIn("Reminder of", form.subject)
        form.channel = "phone"
        self.assertFalse(form.template_id)
        form.note = "Will order on Friday"
        form.result_id = self.env.ref("sales_followup.result_promised")
        form.save().action_apply()
        reminder = self.order.followup_reminder_ids
        self.assertEqual(reminder.note, "Will order on Friday")
        self.assertEqual(reminder.channel, "phone")
        self.assertEqual(
            reminder.result_id, self.env.ref("sales_followup.result_promised")
        )

    def test_the_dialog_says_what_keeps_it_from_sending_as_soon_as_it_does(self):
        self.customer.email = False
        form = self._open(order_id=self.order.id)
        self.assertIn("e-mail address", form.obstacle)
        self.assertIn(self.customer.name, form.obstacle)
        form.log_only = True
        self.assertFalse(form.obstacle)
        form.log_only = False
        self.assertTrue(form.obstacle)
        form.channel = "letter"
        self.assertFalse(form.obstacle)

    def test_who_came_to_log_a_call_finds_no_email(self):
        template = self._get_template(self.order)
        dialogs = self.env["sales.followup.remind"].with_user(self.alice)
        with Form(dialogs) as dialog:
            dialog.order_id = self.order
            self.assertEqual(dialog.channel, "email")
        dialogs = dialogs.with_context(default_channel="phone")
        with Form(dialogs) as dialog:
            dialog.order_id = self.order
            self.assertEqual(dialog.channel, "phone")
            self.assertFalse(dialog.template_id)
            dialog.channel = "email"
            self.assertEqual(dialog.template_id, template)
        with Form(dialogs) as dialog:
            dialog.channel = "email"
            dialog.order_id = self.order
            self.assertEqual(dialog.channel, "email")
            self.assertEqual(dialog.template_id, template)

    def test_a_level_that_is_a_call_stays_the_level(self):
        call = self._create_template(channel="phone", next_days=2)
        letter = self._create_template(series=call.series_id, channel="letter")
        form = self._open(order_id=self.order.id)
        self.assertEqual((form.channel, form.template_id), ("phone", call))
        form.save().action_apply()
        self.assertEqual(self.order.followup_reminder_ids.template_id, call)
        form = self._open(order_id=self.order.id)
        self.assertEqual((form.channel, form.template_id), ("letter", letter))

    def test_a_call_by_code_is_no_level_unless_it_says_so(self):
        template = self._create_template()
        self.assertFalse(self._remind(self.order, channel="phone").template_id)
        reminder = self._remind(self.order, channel="phone", template_id=template.id)
        self.assertEqual(reminder.template_id, template)

    def test_a_customers_dialog_offers_its_documents_open_ones_first(self):
        contact = self._create_contact(self.customer)
        action = contact.with_user(self.alice).action_followup_remind()
        self.assertEqual(action["context"], {"default_partner_id": self.customer.id})
        orders = self.env["sale.order"].with_user(self.alice)
        (self.order | self._create_quotation(user_id=self.alice.id)).state = "cancel"
        still_open = self._create_quotation(contact, user_id=self.alice.id)
        for _number in range(3):
            self._create_order(self.customer, "cancel", user_id=self.alice.id)
        self._create_quotation(self._create_customer(self.alice), user_id=self.alice.id)
        mine = [("partner_id.commercial_partner_id", "=", self.customer.id)]
        found = orders.with_context(followup_open_first=True).name_search("", mine)
        self.assertEqual(len(found), 6)
        self.assertEqual(found[0][0], still_open.id)
        few = orders.with_context(followup_open_first=True).name_search(
            "", mine, limit=1
        )
        self.assertEqual([row[0] for row in few], still_open.ids)
        names = orders.with_context(followup_open_first=True).name_search(
            still_open.name, mine
        )
        self.assertEqual([row[0] for row in names], still_open.ids)

    def test_the_dialog_refuses_what_makes_no_sense(self):
        other = self._create_customer(self.alice, name="Somebody Else")
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        for values, message in (
            ({"order_id": False}, "Choose the quotation, order or invoice"),
            ({"move_id": self.invoice.id}, "about one document"),
            ({"partner_id": other.id}, "is not a document of Somebody Else"),
            ({"date": tomorrow}, "lies in the future"),
        ):
            with self.subTest(values=values):
                wizard = self._open_remind(self.order, channel="phone")
                wizard.write(values)
                with self.assertRaisesRegex(UserError, message):
                    wizard.action_apply()
        self.assertFalse(self.order.followup_reminder_ids)

    def test_the_documents_contact_belongs_to_the_customer(self):
        contact = self._create_contact(self.customer)
        order = self._create_quotation(contact, user_id=self.alice.id)
        wizard = self._open_remind(order, channel="phone", partner_id=self.customer.id)
        wizard.action_apply()
        self.assertEqual(order.followup_reminder_ids.partner_id, self.customer)

    def test_an_email_is_sent_now_whatever_the_dialogs_date(self):
        last_year = fields.Datetime.now() - timedelta(days=365)
        reminder = self._remind(self.order, channel="email", date=last_year)
        self.assertAlmostEqual(
            reminder.date, fields.Datetime.now(), delta=timedelta(minutes=1)
        )

    def test_a_template_of_other_documents_is_refused(self):
        template = self._create_template("customer_invoice", name="Dunning")
        wizard = self._open_remind(self.order, template_id=template.id)
        with self.assertRaisesRegex(UserError, "“Dunning” is for Customer Invoices"):
            wizard.action_apply()
        with self.assertRaises(ValidationError):
            self._log(self.order, template_id=template.id)

    def test_a_credit_note_is_never_chased(self):
        refund = self._create_invoice(
            self.customer, "out_refund", post=True, invoice_user_id=self.alice.id
        )
        with self.assertRaisesRegex(UserError, "is a credit note"):
            self._remind(refund)

    # --- the recipient --------------------------------------------------------

    def test_the_recipient_is_the_documents_contact_else_the_customers(self):
        company, person, clerk, boss = (
            self.customer,
            *(
                self._create_contact(
                    self.customer, name=name, email=f"{name}@customer.example.com"
                )
                for name in ("person", "clerk", "boss")
            ),
        )
        order = self._create_quotation(person, user_id=self.alice.id)
        self.assertEqual(self._open_remind(order).contact_id, person)
        company.followup_contact_id = clerk
        self.assertEqual(self._open_remind(order).contact_id, clerk)
        order.followup_contact_id = boss
        self.assertEqual(self._open_remind(order).contact_id, boss)
        (boss | clerk | person).email = False
        self.assertEqual(self._open_remind(order).contact_id, company)
        self.assertEqual(self._open_remind(order, channel="phone").contact_id, boss)

    # --- pressed twice, nobody there ------------------------------------------

    def test_pressed_twice_the_dialog_reminds_once(self):
        for channel in ("phone", "email"):
            with self.subTest(channel=channel):
                wizard = self._open_remind(self.order, channel=channel)
                before = self.order.followup_reminder_ids
                first = wizard.action_apply()
                again = wizard.action_apply()
                self.assertEqual(first, again)
                self.assertEqual(len(self.order.followup_reminder_ids - before), 1)

    def test_a_document_without_customer_is_no_trap(self):
        move = self._create_invoice(self.customer, invoice_user_id=self.alice.id)
        move.partner_id = False
        reminder = self._remind(move, channel="phone")
        self.assertFalse(reminder.partner_id)
        self.assertFalse(reminder.contact_id)
        self.assertTrue(reminder.display_name)
        with self.assertRaisesRegex(UserError, "no customer"):
            self._remind(move, channel="email")

    def test_reminders_of_somebody_who_left_stay(self):
        dora = new_test_user(
            self.env,
            "dora",
            "sales_team.group_sale_salesman_all_leads,sales_followup.group_user",
        )
        reminder = self._remind(self.order, user=dora, channel="phone")
        dora.active = False
        self.assertEqual(reminder.user_id, dora)
        [values] = reminder.with_user(self.alice).web_read({"user_id": {"fields": {}}})
        self.assertEqual(values["user_id"]["id"], dora.id)
        self.assertEqual(self._remind(self.order, channel="phone").user_id, self.alice)

    def test_nothing_is_selected(self):
        none = self.reminders.browse()
        self.assertFalse(none.action_cancel()["context"]["default_reminder_ids"])
        with self.assertRaises(UserError):
            self.env["sales.followup.cancel"].with_user(self.alice).create(
                {"reason": "None"}
            ).action_apply()
        with self.assertRaises(UserError):
            none.action_retry()

    # --- cost -----------------------------------------------------------------

    def _count_queries(self, work):
        """Count the queries of some work, with nothing in the cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _read_customer(self):
        """Open a customer's form, with the first reminders of its tab."""
        values = self.customer.with_user(self.alice).web_read(
            {
                "followup_reminder_count": {},
                "followup_reminder_ids": {
                    "limit": 40,
                    "fields": {
                        "name": {},
                        "document_ref": {"fields": {"display_name": {}}},
                        "note": {},
                        "template_id": {"fields": {"display_name": {}}},
                        "date": {},
                        "next_date": {},
                        "user_id": {"fields": {"display_name": {}}},
                        "file_url": {},
                        "is_open": {},
                        "is_last": {},
                    },
                },
            }
        )
        return values[0]

    def test_the_form_of_a_customer_with_many_reminders_opens(self):
        orders = self.order | self._create_quotation(user_id=self.alice.id)
        vals = [{"order_id": order.id} for order in orders for _i in range(50)]
        self.reminders.create(vals)
        self.assertEqual(self._read_customer()["followup_reminder_count"], 100)
        few = self._count_queries(self._read_customer)
        self.reminders.create(vals * 19)
        many = self._count_queries(self._read_customer)
        self.assertEqual(self._read_customer()["followup_reminder_count"], 2000)
        self.assertEqual(many, few)

    def test_creating_many_costs_queries_for_all_together(self):
        def create(count):
            orders = self.env["sale.order"].union(
                *(self._create_quotation(user_id=self.alice.id) for _i in range(count))
            )
            return self._count_queries(
                lambda: self.reminders.create(
                    [{"order_id": order.id} for order in orders]
                )
            )

        create(2)
        few = create(5)
        many = create(25)
        # what mail does for each activity it makes is not ours
        self.assertLessEqual(many - few, 20 * 3)

    def test_state_changes_of_documents_ask_once_for_all(self):
        for count in (2, 20):
            with self.subTest(count=count):
                orders = self.env["sale.order"].union(
                    *(self._create_quotation() for _number in range(count))
                )
                asked = self._collect_queries(
                    lambda orders=orders: orders.write({"state": "cancel"}),
                )
                self.assertEqual(len(asked), 1, asked)
                invoices = self.env["account.move"].union(
                    *(
                        self._create_invoice(
                            self.customer, invoice_date=fields.Date.today()
                        )
                        for _number in range(count)
                    )
                )
                asked = self._collect_queries(invoices.action_post)
                self.assertLessEqual(len(asked), 2, asked)

    def test_new_documents_ask_once_for_all(self):
        for count in (1, 20):
            with self.subTest(count=count):
                vals_list = [{"partner_id": self.customer.id}] * count
                asked = self._collect_queries(
                    lambda vals_list=vals_list: self.env["sale.order"].create(vals_list)
                )
                self.assertLessEqual(len(asked), 1, asked)

    def test_who_does_not_follow_up_creates_documents_as_before(self):
        seller = self._create_user(
            "seller",
            "sales_team.group_sale_salesman_all_leads",
            "account.group_account_invoice",
        )
        order = (
            self.env["sale.order"]
            .with_user(seller)
            .create({"partner_id": self.customer.id})
        )
        order.action_confirm()
        invoice = self._create_invoice(self.customer).with_user(seller)
        invoice.copy().write({"invoice_date": fields.Date.today()})
        self.assertTrue(order.exists())

    def _collect_queries(self, work):
        """Return the queries of some work that ask for reminders or activities."""
        asked = []
        cursor = type(self.env.cr)
        execute = cursor.execute

        def spy(self, query, *args, **kwargs):
            code = str(getattr(query, "code", query))
            if 'FROM "sales_followup' in code or 'FROM "mail_activity"' in code:
                asked.append(code)
            return execute(self, query, *args, **kwargs)

        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(cursor, "execute", spy):
            work()
            self.env.flush_all()
        return asked
