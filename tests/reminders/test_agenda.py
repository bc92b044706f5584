from datetime import timedelta

from odoo import Command, fields
from odoo.tests import new_test_user, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestAgenda(RemindersCommon):
    """The next reminder: its date, its activity, and when that goes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env.user)
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.dave = cls._create_salesperson("dave")
        cls.dave.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")
        cls.activity_type = cls.env.ref("sales_followup.mail_activity_type_reminder")

    def _in_days(self, days):
        return self.today + timedelta(days=days)

    def _activities(self, document):
        """Return the activities of our type on a document, done ones left out."""
        document.invalidate_recordset(["activity_ids"])
        return document.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.activity_type
        )

    def assertPlanned(self, document, days, user):
        """Assert that one activity is due in so many days, for a user."""
        activity = self._activities(document)
        self.assertEqual(len(activity), 1, "one activity")
        self.assertEqual(activity.date_deadline, self._in_days(days))
        self.assertEqual(activity.user_id, user)
        self.assertEqual(document.sudo().followup_next_date, self._in_days(days))

    def assertNothingPlanned(self, document):
        self.assertFalse(self._activities(document))
        self.assertFalse(document.sudo().followup_next_date)

    # --- the date -------------------------------------------------------------

    def test_the_next_date_is_the_dialogs_else_the_templates_else_the_companys(self):
        self._remind(self.order, channel="phone")
        self.assertPlanned(self.order, 15, self.alice)
        self.env.company.followup_next_days = 20
        self._remind(self.order, channel="phone")
        self.assertPlanned(self.order, 20, self.alice)
        template = self._create_template(next_days=8)
        self._remind(self.order, template_id=template.id)
        self.assertPlanned(self.order, 8, self.alice)
        self._remind(self.order, template_id=template.id, next_date=self._in_days(3))
        self.assertPlanned(self.order, 3, self.alice)

    def test_an_emptied_next_date_plans_nothing(self):
        self._remind(self.order, channel="phone")
        reminder = self._remind(self.order, channel="phone", next_date=False)
        self.assertFalse(reminder.next_date)
        self.assertFalse(self.order.followup_next_date)
        self.assertNothingPlanned(self.order)

    def test_a_date_that_has_passed_is_kept(self):
        self._remind(self.order, channel="phone", next_date=self._in_days(-2))
        self.assertPlanned(self.order, -2, self.alice)

    def test_a_closed_document_has_no_next_date(self):
        self.order.state = "cancel"
        reminder = self._remind(self.order, channel="phone")
        self.assertFalse(reminder.next_date)
        self._remind(self.order, channel="phone", next_date=self._in_days(5))
        self.assertNothingPlanned(self.order)

    # --- one activity ---------------------------------------------------------

    def test_there_is_one_activity_of_its_own_type_that_moves(self):
        self._remind(self.order, channel="phone", note="Call her back")
        activity = self._activities(self.order)
        self.assertIn("Call her back", activity.note)
        self._remind(self.order, channel="visit", next_date=self._in_days(30))
        self.assertPlanned(self.order, 30, self.alice)
        self.assertEqual(self._activities(self.order), activity)
        self.assertFalse(activity.note)

    def test_reminders_of_a_colleague_move_it_to_them(self):
        self._remind(self.order, channel="phone")
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        self._remind(self.order, self.bob, channel="phone", next_date=self._in_days(4))
        self.assertPlanned(self.order, 4, self.bob)

    def test_nobody_is_notified_by_mail_of_the_activity(self):
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        before = self.env["mail.mail"].search_count([])
        reminder = self._remind(self.order, channel="phone")
        reminder.with_user(self.alice).user_id = self.bob
        self.assertPlanned(self.order, 15, self.bob)
        self.assertEqual(self.env["mail.mail"].search_count([]), before)

    def test_it_shows_in_the_clock_list_and_calendar_of_the_user(self):
        self._remind(self.order, channel="phone", next_date=self.today)
        order = self.order.with_user(self.alice)
        self.assertEqual(order.my_activity_date_deadline, self.today)
        self.assertEqual(order.activity_state, "today")
        groups = self.env["res.users"].with_user(self.alice)._get_activity_groups()
        [clock] = [group for group in groups if group["model"] == "sale.order"]
        self.assertEqual(clock["today_count"], 1)

    def test_who_may_only_read_the_document_sees_it_nevertheless(self):
        reader = new_test_user(
            self.env,
            "followup_reader",
            "base.group_user,account.group_account_readonly,sales_followup.group_user",
        )
        invoice = self._create_invoice(self.customer, post=True)
        self.assertFalse(invoice.with_user(reader).has_access("write"))
        self._remind(invoice, reader, channel="phone", next_date=self.today)
        self.assertPlanned(invoice, 0, reader)
        activity = self._activities(invoice).with_user(reader)
        self.assertEqual(
            self.env["mail.activity"]
            .with_user(reader)
            .search([("res_model", "=", "account.move"), ("user_id", "=", reader.id)]),
            activity,
        )
        self.assertTrue(activity.read(["summary", "note", "date_deadline"]))

    def test_somebody_else_takes_over_from_a_user_who_left(self):
        reminder = self._remind(self.order, channel="phone")
        dora = self._create_salesperson("dora")
        self.order.user_id = dora
        (self.alice | dora).active = False
        self.order.followup_rep_ids = [Command.set(self.carol.ids)]
        reminder.next_date = self._in_days(2)
        self.assertPlanned(self.order, 2, self.carol)
        self.order.user_id = self.bob
        reminder.next_date = self._in_days(3)
        self.assertPlanned(self.order, 3, self.bob)

    def test_an_activity_of_nobody_is_no_error(self):
        reminder = self._remind(self.order, channel="phone")
        self.alice.active = False
        self.order.with_context(mail_auto_subscribe_no_notify=True).user_id = False
        self.order.followup_rep_ids = [Command.clear()]
        root = self.env.ref("base.user_root")
        reminder.with_user(root).next_date = self._in_days(2)
        self.assertPlanned(self.order, 2, self.env["res.users"])

    # --- moved by the user ----------------------------------------------------

    def test_a_date_written_in_the_list_moves_it(self):
        reminder = self._remind(self.order, channel="phone").with_user(self.alice)
        reminder.next_date = self._in_days(1)
        self.assertPlanned(self.order, 1, self.alice)
        reminder.next_date = False
        self.assertNothingPlanned(self.order)
        reminder.next_date = self._in_days(9)
        self.assertPlanned(self.order, 9, self.alice)

    def test_an_older_reminders_date_moves_nothing(self):
        older = self._remind(self.order, channel="phone").with_user(self.alice)
        self._remind(self.order, channel="phone", next_date=self._in_days(6))
        older.next_date = self._in_days(1)
        self.assertPlanned(self.order, 6, self.alice)

    def test_a_note_written_later_shows_in_it(self):
        reminder = self._remind(self.order, channel="phone").with_user(self.alice)
        reminder.note = "Prefers mornings"
        reminder.result_id = self.env.ref("sales_followup.result_promised")
        activity = self._activities(self.order)
        self.assertIn("Prefers mornings", activity.note)
        self.assertEqual(activity.summary, "Promised")

    def test_what_was_done_is_not_asked_again_because_of_a_note(self):
        reminder = self._remind(self.order, channel="phone").with_user(self.alice)
        self._activities(self.order).with_user(self.alice).action_feedback("Done")
        reminder.note = "She was friendly"
        self.assertFalse(self._activities(self.order))
        reminder.next_date = self._in_days(7)
        self.assertPlanned(self.order, 7, self.alice)

    def test_cancelling_the_last_reminder_goes_back_to_the_one_before(self):
        self._remind(self.order, channel="phone", next_date=self._in_days(5))
        last = self._remind(self.order, channel="visit", next_date=self._in_days(50))
        last.with_user(self.alice)._cancel("Wrong document")
        self.assertPlanned(self.order, 5, self.alice)
        self.order.followup_reminder_ids.with_user(self.alice)._cancel("All of them")
        self.assertNothingPlanned(self.order)
        self.assertFalse(self.order.followup_next_date)

    def test_deleting_the_last_reminder_goes_back_to_the_one_before(self):
        first = self._remind(self.order, channel="phone", next_date=self._in_days(5))
        last = self._remind(self.order, channel="phone", next_date=self._in_days(50))
        last.with_user(self.alice).unlink()
        self.assertPlanned(self.order, 5, self.alice)
        self.assertEqual(self.order.followup_last_reminder_id, first)
        first.with_user(self.alice).unlink()
        self.assertNothingPlanned(self.order)
        self.assertFalse(self.order.followup_last_reminder_id)

    # --- done with ------------------------------------------------------------

    def _chase(self, document):
        """Remind of a document, so that there is an activity."""
        self._remind(document, self.dave, channel="phone")
        self.assertPlanned(document, 15, self.dave)
        return document

    def test_it_goes_with_the_answer_to_a_quotation(self):
        for action in ("action_confirm", "action_cancel"):
            with self.subTest(action=action):
                order = self._chase(self._create_quotation())
                getattr(order, action)()
                self.assertNothingPlanned(order)

    def test_it_goes_with_an_order_that_is_cancelled_or_invoiced(self):
        order = self._chase(self._create_order(self.customer, "sale"))
        order._action_cancel()
        self.assertNothingPlanned(order)
        order.action_draft()
        self.assertNothingPlanned(order)
        order = self._create_order(self.customer, "sale")
        order.order_line.product_id.invoice_policy = "order"
        other = self._create_order(self.customer, "sale")
        other.order_line.product_uom_qty = 3
        other.order_line.product_id.invoice_policy = "order"
        for chased in (order, other):
            self._chase(chased)
        self._set_income_account(order.order_line.product_id)
        invoice = order._create_invoices()
        self.assertNothingPlanned(order)
        self.assertPlanned(other, 15, self.dave)
        # a part of it: the order stays open
        lines = other._create_invoices().invoice_line_ids
        self.assertNothingPlanned(other)
        self.assertTrue(invoice and lines)

    def _set_income_account(self, product):
        accounts, journals = self.accounting[self.env.company]
        product.property_account_income_id = accounts["sale"]
        self.customer.property_account_receivable_id = accounts["receivable"]
        return journals["sale"]

    def test_it_stays_while_an_order_is_invoiced_in_part(self):
        product = self.env["product.product"].create(
            {"name": "Plank", "type": "consu", "invoice_policy": "delivery"}
        )
        self._set_income_account(product)
        order = self._create_order(self.customer)
        order.order_line = [
            Command.create(
                {"product_id": product.id, "product_uom_qty": 2, "price_unit": 10}
            )
        ]
        order.action_confirm()
        self._chase(order)
        order.order_line.filtered(
            lambda line: line.product_id == product
        ).qty_delivered = 1
        order._create_invoices()
        self.assertEqual(order.invoice_status, "no")
        self.assertPlanned(order, 15, self.dave)

    def test_it_goes_with_an_invoice_that_is_cancelled(self):
        invoice = self._chase(self._create_invoice(self.customer))
        invoice.button_cancel()
        self.assertNothingPlanned(invoice)
        invoice.button_draft()
        self.assertFalse(self._activities(invoice))

    def _create_bank(self, booked=True):
        """Create a bank journal whose payments have journal entries, or not."""
        accounts = self.env["account.account"].create(
            [
                {
                    "name": "Bank",
                    "code": f"FUB{booked}",
                    "account_type": "asset_cash",
                },
                {
                    "name": "Outstanding",
                    "code": f"FUO{booked}",
                    "account_type": "asset_current",
                    "reconcile": True,
                },
            ]
        )
        journal = self.env["account.journal"].create(
            {
                "name": f"Bank {booked}",
                "type": "bank",
                "code": f"FB{booked:d}",
                "default_account_id": accounts[0].id,
            }
        )
        lines = journal.inbound_payment_method_line_ids
        lines.payment_account_id = booked and accounts[1]
        return journal

    def _pay(self, invoice, journal, amount=None):
        """Register a payment by the wizard, as an accountant does."""
        accountant = self._create_user(
            f"accountant_{amount}_{invoice.id}", "account.group_account_invoice"
        )
        wizard = (
            self.env["account.payment.register"]
            .with_user(accountant)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": journal.id})
        )
        if amount:
            wizard.amount = amount
        wizard.action_create_payments()

    def test_it_goes_with_the_payment_of_an_invoice(self):
        for booked in (True, False):
            with self.subTest(booked=booked):
                invoice = self._chase(self._create_invoice(self.customer, post=True))
                self._pay(invoice, self._create_bank(booked))
                self.assertIn(invoice.payment_state, ("in_payment", "paid"))
                self.assertNothingPlanned(invoice)
                reminder = invoice.followup_reminder_ids
                self.assertFalse(reminder.is_open)
                self.assertFalse(
                    reminder.search(
                        [("id", "in", reminder.ids), ("is_open", "=", True)]
                    )
                )

    def test_it_stays_while_something_is_owed(self):
        invoice = self._chase(self._create_invoice(self.customer, post=True))
        bank = self._create_bank()
        self._pay(invoice, bank, amount=40)
        self.assertEqual(invoice.payment_state, "partial")
        self.assertPlanned(invoice, 15, self.dave)
        self._pay(invoice, bank)
        self.assertNothingPlanned(invoice)

    def test_it_goes_with_a_credit_note_that_balances_the_invoice(self):
        invoice = self._chase(self._create_invoice(self.customer, post=True))
        refund = invoice._reverse_moves(
            [{"date": self.today, "invoice_date": self.today}], cancel=True
        )
        self.assertEqual(invoice.payment_state, "reversed")
        self.assertTrue(refund)
        self.assertNothingPlanned(invoice)

    def test_it_stays_when_an_invoice_is_corrected(self):
        invoice = self._chase(self._create_invoice(self.customer, post=True))
        invoice.button_draft()
        self.assertPlanned(invoice, 15, self.dave)
        invoice.action_post()
        self.assertPlanned(invoice, 15, self.dave)

    def test_it_stays_when_other_activities_are_done(self):
        self._chase(self.order)
        self.order.activity_schedule("mail.mail_activity_data_todo")
        # as the upsell of an order does
        self.order.activity_unlink(["mail.mail_activity_data_todo"])
        self.assertPlanned(self.order, 15, self.dave)

    def test_it_stays_when_another_document_is_done_with(self):
        other = self._chase(self._create_quotation())
        self._chase(self.order)
        other.action_cancel()
        self.assertPlanned(self.order, 15, self.dave)

    def test_a_reminder_of_a_quotation_is_done_with_when_it_is_confirmed(self):
        """Nobody is to call about the quotation any more, though the order is open."""
        reminder = self._remind(self.order, channel="phone")
        found = self.env["sales.followup.reminder"].with_user(self.alice)
        domain = [("id", "=", reminder.id), ("is_open", "=", True)]
        self.assertTrue(reminder.is_open)
        self.assertTrue(found.search(domain))
        self.order.with_user(self.alice).action_confirm()
        self.assertNothingPlanned(self.order)
        reminder.invalidate_recordset()
        self.assertFalse(reminder.is_open)
        self.assertFalse(found.search(domain))
        self.assertTrue(reminder.next_date, "what was planned then is history")

    def test_a_quotation_that_is_taken_up_again_has_its_next_date(self):
        self._remind(self.order, channel="phone", next_date=self._in_days(4))
        self.order._action_cancel()
        self.assertNothingPlanned(self.order)
        self.order.action_draft()
        self.assertEqual(self.order.followup_next_date, self._in_days(4))

    def test_an_order_chased_after_its_quotation_has_its_own(self):
        self._chase(self.order)
        self.order.action_confirm()
        self.assertNothingPlanned(self.order)
        self._remind(self.order, channel="phone", next_date=self._in_days(2))
        self.assertPlanned(self.order, 2, self.alice)

    def test_the_daily_sweep_closes_what_no_event_told_of(self):
        stays = self._chase(self._create_quotation())
        self._chase(self.order)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET state = 'cancel' WHERE id = %s", [self.order.id]
        )
        self.env.invalidate_all()
        todo = self.order.activity_schedule("mail.mail_activity_data_todo")
        self.env["sales.followup.agenda"]._close_left_over()
        self.assertNothingPlanned(self.order)
        self.assertPlanned(stays, 15, self.dave)
        self.assertTrue(todo.exists())

    # --- merely informative ---------------------------------------------------

    def test_nothing_is_ever_sent_because_of_it(self):
        self._remind(self.order, next_date=self._in_days(-10))
        before = (
            self.order.followup_reminder_ids,
            self.env["mail.mail"].search_count([]),
        )
        for cron in ("ir_cron_send_automatic", "ir_cron_process_runs"):
            with self.enter_registry_test_mode():
                self.env.ref(f"sales_followup.{cron}").method_direct_trigger()
        self.assertEqual(
            before,
            (
                self.order.followup_reminder_ids,
                self.env["mail.mail"].search_count([]),
            ),
        )

    def test_without_its_type_reminders_do_without_activities(self):
        todo = self.order.activity_schedule("mail.mail_activity_data_todo")
        untyped = self.order.activity_schedule(activity_type_id=False, summary="Mine")
        self._remind(self.order, channel="phone")
        self._activities(self.order).unlink()
        self.activity_type.unlink()
        reminder = self._remind(self.order, channel="phone")
        self.order.action_cancel()
        self.env["sales.followup.agenda"]._close_left_over()
        self.assertTrue(reminder.next_date)
        self.assertEqual(self.order.activity_ids, todo | untyped)
