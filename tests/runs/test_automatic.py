from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tests.common import new_test_user

from ...rules.bounds import MOST_DAYS
from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestAutomaticTemplates(AutomaticCommon):
    """Which templates go out by themselves."""

    def test_shipped_templates_are_not_automatic(self):
        shipped = self.env["ir.model.data"].search(
            [
                ("module", "=", "sales_followup"),
                ("model", "=", "sales.followup.template"),
                ("name", "=like", "template_%"),
                ("name", "not like", "demo"),
            ]
        )
        templates = self.env["sales.followup.template"].browse(shipped.mapped("res_id"))
        self.assertEqual(len(templates), 9)
        self.assertFalse(templates.filtered("automatic"))

    def test_incomplete_template_cannot_go_out_by_itself(self):
        """What is missing is named."""
        complete = {"trigger": "due_date", "automatic": True}
        for values, missing in [
            ({"subject": False}, "no subject"),
            ({"email_body": "<p><br></p>"}, "no text"),
            ({"trigger": False}, "from which date its days are counted"),
            ({"trigger": "previous"}, "how many days after the previous reminder"),
        ]:
            with (
                self.subTest(missing),
                self.assertRaisesRegex(ValidationError, missing),
            ):
                self._create_template(**{**complete, **values})
        template = self._create_template(**complete)
        for values, missing in [
            ({"subject": False}, "no subject"),
            ({"email_body": False}, "no text"),
            ({"trigger": False}, "from which date"),
            ({"active_from": False}, "from which day on"),
        ]:
            with (
                self.subTest(missing),
                self.assertRaisesRegex(ValidationError, missing),
            ):
                with self.env.cr.savepoint():
                    template.write(values)

    def test_letter_only_template_cannot_be_switched_on(self):
        template = self._create_template(
            subject=False, email_body=False, trigger="due_date"
        )
        with self.assertRaisesRegex(ValidationError, template.name):
            template.automatic = True

    def test_text_that_was_emptied_elsewhere_is_not_sent(self):
        [level] = self._create_levels(0)
        order = self._create_due()
        level.mail_template_id.body_html = False
        self.assertFalse(self._run())
        self.assertSent(order)
        self.assertRefused(order, level, "not complete")

    # --- switching on -----------------------------------------------------------

    def test_switching_on_notes_the_day(self):
        template = self._create_template(trigger="due_date")
        self.assertFalse(template.active_from)
        template.automatic = True
        self.assertEqual(template.active_from, self._day(0))
        self._stand_still(5)
        template.automatic = True
        self.assertEqual(template.active_from, self._day(0), "it was on already")
        template.automatic = False
        template.automatic = True
        self.assertEqual(template.active_from, self._day(5), "switched on anew")

    def test_a_day_that_is_given_stays(self):
        template = self._create_template(trigger="due_date")
        template.write({"automatic": True, "active_from": "2026-01-01"})
        self.assertEqual(str(template.active_from), "2026-01-01")
        created = self._create_template(
            trigger="due_date", automatic=True, active_from="2026-02-02"
        )
        self.assertEqual(str(created.active_from), "2026-02-02")

    def test_new_template_is_active_from_today_where_its_company_is(self):
        self.env.company.resource_calendar_id.tz = "Pacific/Auckland"
        template = self._create_template(trigger="due_date", automatic=True)
        self.assertEqual(template.active_from, self._day(1), "it is tomorrow there")

    def test_switching_on_leaves_old_documents_alone(self):
        """Only those whose day falls on or after the day it was switched on."""
        level = self._create_template(trigger="due_date", offset_days=3)
        old, today, later = (self._create_due(day) for day in (-4, -3, -2))
        level.automatic = True
        self._run()
        self._run_on(1)
        self._run_on(9)
        self.assertSent(old)
        self.assertSent(today, level)
        self.assertSent(later, level)
        self.assertEqual(self._get_days(later), [1])
        self.assertRefused(old, level, "lies before")

    def test_old_document_stays_out_though_spacing_would_bring_it_in(self):
        """Its own day decides, however late the level before went out."""
        first, second = self._create_levels(0, 5)
        second.active_from = self._day(8)
        order = self._create_due(0)
        self._run_on(6)
        self._run_on(20)
        self.assertSent(order, first)

    def test_switching_on_an_earlier_day_brings_old_documents_in(self):
        [level] = self._create_levels(0, active_from=self._day(0))
        order = self._create_due(-10)
        self._run()
        self.assertSent(order)
        level.active_from = self._day(-10)
        self._run()
        self.assertSent(order, level)

    def _get_days(self, document):
        """Return the days on which reminders went out, counted from the first one."""
        sent = self._sent(document)
        return [(reminder.date.date() - self.FIRST_DAY).days for reminder in sent]

    # --- days -------------------------------------------------------------------

    def _send_for_days(self, first, last, document):
        """Run every day, and give the days on which something went out."""
        for day in range(first, last + 1):
            self._run_on(day)
        return self._get_days(document)

    def test_days_after_the_due_date(self):
        self._create_levels(0, 7, 14)
        order = self._create_due(2)
        self.assertEqual(self._send_for_days(0, 20, order), [2, 9, 16])

    def test_days_before_the_due_date(self):
        self._create_levels(-3)
        order = self._create_due(5)
        self.assertEqual(self._send_for_days(0, 6, order), [2])

    def test_days_after_the_document_date(self):
        self._create_levels(4, 6, trigger="document_date")
        order = self._create_due(30, date_order=f"{self._day(-1)} 08:00:00")
        self.assertEqual(self._send_for_days(0, 8, order), [3, 5])

    def test_days_after_the_previous_reminder(self):
        series = self._create_series()
        self._create_level(0, series=series)
        self._create_level(3, trigger="previous", series=series)
        self._create_level(5, trigger="previous", series=series)
        order = self._create_due(1)
        self.assertEqual(self._send_for_days(0, 12, order), [1, 4, 9])

    def test_previous_reminder_by_hand_starts_it(self):
        series = self._create_series()
        first = self._create_template(series=series)
        second = self._create_level(3, trigger="previous", series=series)
        order = self._create_due(100)
        self.assertEqual(self._send_for_days(0, 2, order), [])
        self._remind(order, template_id=first.id)
        self._send_for_days(0, 5, order)
        self.assertSent(order, second)
        self.assertEqual(self._get_days(order), [3])

    def test_previous_reminder_that_was_cancelled_counts(self):
        """It went out, or nearly."""
        series = self._create_series()
        first = self._create_template(series=series)
        second = self._create_level(3, trigger="previous", series=series)
        order = self._create_due(100)
        self._remind(order, template_id=first.id)._cancel("Wrong text")
        self._run_on(3)
        self.assertSent(order, second)

    def test_different_dates_in_one_series(self):
        series = self._create_series()
        self._create_level(1, trigger="document_date", series=series)
        self._create_level(-1, series=series)
        self._create_level(2, trigger="previous", series=series)
        order = self._create_due(10, date_order=f"{self._day(0)} 08:00:00")
        self.assertEqual(self._send_for_days(0, 15, order), [1, 9, 11])

    def test_without_due_date_the_rule_does_not_apply(self):
        """The verdict says so, and a level counted otherwise goes out."""
        series = self._create_series()
        due = self._create_level(0, series=series)
        dated = self._create_level(2, trigger="document_date", series=series)
        order = self._create_due(0, date_order=f"{self._day(0)} 08:00:00")
        order.validity_date = False
        self.assertEqual(self._send_for_days(0, 5, order), [2])
        self.assertSent(order, dated)
        self.assertRefused(order, due, "no due date")

    def test_huge_offsets_stop_nothing(self):
        self._create_levels(MOST_DAYS)
        self._create_levels(-MOST_DAYS, code="sale_order")
        [level] = self._create_levels(1, code="customer_invoice")
        order = self._create_due()
        confirmed = self._create_order(self.customer, state="sale")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_date_due=self._day(-1)
        )
        self._run()
        self.assertSent(order)
        self.assertSent(invoice, level)
        self.assertSent(confirmed)

    def test_missed_days_are_caught_up(self):
        self._create_levels(0)
        order = self._create_due(1)
        self.assertEqual(self._send_for_days(6, 9, order), [6])

    def test_late_levels_keep_their_distance(self):
        self._create_levels(0, 3, 10)
        order = self._create_due(1)
        self.assertEqual(self._send_for_days(8, 25, order), [8, 11, 18])

    def test_a_level_that_is_in_time_again_needs_no_more_distance(self):
        self._create_levels(0, 3, 20)
        order = self._create_due(1)
        self.assertEqual(self._send_for_days(5, 25, order), [5, 8, 25])

    def test_two_levels_never_go_out_on_one_day(self):
        self._create_levels(0, 0)
        order = self._create_due(0)
        self.assertEqual(self._send_for_days(0, 3, order), [0, 1])

    # --- amounts ----------------------------------------------------------------

    def test_minimum_amount(self):
        [level] = self._create_levels(0, min_amount=100)
        exact = self._create_due()
        small = self._create_due()
        small.order_line.price_unit = 99.99
        self._run()
        self.assertSent(exact, level)
        self.assertSent(small)
        self.assertRefused(small, level, "below", "100.00")

    def test_minimum_amount_is_in_the_currency_of_the_company(self):
        """100 of a currency that is worth half are 50."""
        currency = self.env["res.currency"].create(
            {
                "name": "FUX",
                "symbol": "X",
                "rate_ids": [Command.create({"name": "2020-01-01", "rate": 2.0})],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": currency.id}
        )
        [level] = self._create_levels(0, min_amount=100)
        [invoice_level] = self._create_levels(
            0, min_amount=100, code="customer_invoice"
        )
        small, large = (self._create_due(pricelist_id=pricelist.id) for _n in "ab")
        small.order_line.price_unit = 199
        large.order_line.price_unit = 200
        self.assertEqual(small.currency_id, currency)
        invoices = [
            self._create_invoice(
                self.customer,
                post=True,
                currency_id=currency.id,
                price_unit=price,
                invoice_date_due=self._day(0),
            )
            for price in (199, 200)
        ]
        self._run()
        self.assertSent(small)
        self.assertSent(large, level)
        self.assertSent(invoices[0])
        self.assertSent(invoices[1], invoice_level)

    def test_a_level_left_out_for_its_amount_does_not_block_the_next(self):
        first, second, third = self._create_levels(0, 2, 4)
        second.min_amount = 1000
        order = self._create_due()
        self.assertEqual(self._send_for_days(0, 8, order), [0, 4])
        self.assertSent(order, first, third)


@tagged("post_install", "-at_install")
class TestAutomaticDocuments(AutomaticCommon):
    """Which documents are chased, and which level is theirs."""

    def test_scheduled_action_runs_daily(self):
        cron = self.env.ref("sales_followup.ir_cron_send_automatic")
        self.assertTrue(cron.active)
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "days"))

    def test_scheduled_action(self):
        """Once as Odoo runs it: it commits, and is done."""
        [level] = self._create_levels(0)
        order = self._create_due()
        cron = self.env.ref("sales_followup.ir_cron_send_automatic")
        for _time in range(2):
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.assertSent(order, level)
        [reminder] = self._sent(order)
        self.assertEqual(reminder.date.date(), self._day(0))
        self.assertEqual(reminder.state, "outgoing")
        progress = self.env["ir.cron.progress"].search([("cron_id", "=", cron.id)])
        self.assertEqual(set(progress.mapped("remaining")), {0})

    def test_one_reminder_and_one_email(self):
        [level] = self._create_levels(0)
        order = self._create_due(user_id=self.bob.id)
        run = self._run()
        [reminder] = self._sent(order)
        self.assertRecordValues(
            reminder,
            [
                {
                    "order_id": order.id,
                    "template_id": level.id,
                    "partner_id": self.customer.id,
                    "contact_id": self.customer.id,
                    "channel": "email",
                    "origin": "auto",
                    "state": "outgoing",
                    "user_id": self.bob.id,
                    "run_id": run.id,
                    "attempts": 0,
                }
            ],
        )
        [mail] = reminder.message_id.mail_ids
        self.assertEqual(mail.state, "outgoing", "Odoo's queue sends it")
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertIn("bob@example.com", mail.email_from)
        self.assertIn(order.name, mail.subject)

    def test_email_is_sent_whatever_channel_the_template_prefers(self):
        [level] = self._create_levels(0, channel="letter")
        order = self._create_due()
        self._run()
        self.assertSent(order, level)
        self.assertEqual(self._sent(order).channel, "email")

    def test_next_reminder_is_planned(self):
        [level] = self._create_levels(0, next_days=9)
        order = self._create_due(user_id=self.bob.id)
        self._run()
        self.assertEqual(self._sent(order).next_date, self._day(9))
        activity = order.activity_ids.filtered(lambda one: one.summary == level.name)
        self.assertEqual(activity.date_deadline, self._day(9))
        self.assertEqual(activity.user_id, self.bob)

    # --- documents --------------------------------------------------------------

    def test_only_quotations_that_were_sent(self):
        [level] = self._create_levels(0)
        sent = self._create_due()
        others = [
            self._create_order(self.customer, state, validity_date=self._day(0))
            for state in ("draft", "cancel", "sale")
        ]
        self._run()
        self.assertSent(sent, level)
        for other in others:
            self.assertSent(other)

    def test_orders_until_they_are_invoiced(self):
        [level] = self._create_levels(2, code="sale_order", trigger="document_date")
        open_order, invoiced = (
            self._create_order(self.customer, state="sale") for _n in "ab"
        )
        invoiced.order_line.qty_delivered = 1
        invoiced._force_lines_to_invoice_policy_order()
        invoiced._create_invoices()
        self.assertEqual(invoiced.invoice_status, "invoiced")
        self._run_on(2)
        self.assertSent(open_order, level)
        self.assertSent(invoiced)

    def test_orders_by_their_delivery_date(self):
        [level] = self._create_levels(-1, code="sale_order")
        order = self._create_order(
            self.customer, state="sale", commitment_date=f"{self._day(3)} 10:00:00"
        )
        self._run_on(1)
        self.assertSent(order)
        self._run_on(2)
        self.assertSent(order, level)

    def test_only_posted_invoices_that_are_not_paid(self):
        [level] = self._create_levels(0, code="customer_invoice")
        values = {"invoice_date_due": self._day(0), "invoice_date": self._day(-9)}
        posted = self._create_invoice(self.customer, post=True, **values)
        draft = self._create_invoice(self.customer, **values)
        # an open one would cover the invoices of its customer
        other = self._create_customer(self.alice, email="other@customer.example.com")
        refund = self._create_invoice(other, "out_refund", post=True, **values)
        cancelled = self._create_invoice(self.customer, **values)
        cancelled.button_cancel()
        paid = self._create_invoice(self.customer, post=True, **values)
        self._pay(paid, 100)
        self._run()
        self.assertSent(posted, level)
        for document in (draft, refund, cancelled, paid):
            self.assertSent(document)

    def _pay(self, invoice, amount):
        """Pay an invoice by a credit note."""
        refund = self._create_invoice(
            invoice.partner_id, "out_refund", post=True, price_unit=amount
        )
        lines = (invoice | refund).line_ids
        lines.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ).reconcile()

    def test_partly_paid_invoice(self):
        [level] = self._create_levels(0, code="customer_invoice")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_date_due=self._day(0)
        )
        self._pay(invoice, 60)
        self.assertEqual(invoice.payment_state, "partial")
        self._run()
        self.assertSent(invoice, level)

    def test_first_instalment_that_is_not_paid_is_due(self):
        """The second one is due in 30 days, and the invoice with it."""
        first, second = self._create_levels(0, 5, code="customer_invoice")
        term = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": 50, "nb_days": days}
                    )
                    for days in (0, 30)
                ],
            }
        )
        invoices = [
            self._create_invoice(
                self.customer,
                post=True,
                invoice_date=self._day(0),
                invoice_payment_term_id=term.id,
            )
            for _number in range(2)
        ]
        unpaid, begun = invoices
        self.assertEqual(unpaid.invoice_date_due, self._day(30))
        self._pay(begun, 50)
        self._run()
        self.assertSent(unpaid, first)
        self.assertSent(begun)
        self._run_on(29)
        self.assertSent(begun)
        self.assertSent(unpaid, first, second)
        self._run_on(30)
        self.assertSent(begun, first)

    # --- levels -----------------------------------------------------------------

    def test_level_sent_by_hand_counts(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        self._remind(order, template_id=first.id)
        self._run()
        self.assertSent(order)
        self._run_on(7)
        self.assertSent(order, second)

    def test_level_sent_as_a_letter_counts(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        self._remind(order, channel="letter", template_id=first.id, log_only=True)
        self._run()
        self._run_on(7)
        self.assertSent(order, second)

    def test_level_sent_in_bulk_counts(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        run = self.env["sales.followup.run"].create({})
        run.action_propose()
        line = run.line_ids.filtered(lambda line: line.order_id == order)
        self.assertEqual(line.template_id, first)
        line.channel = "email"
        (run.line_ids - line).channel = "none"
        run.action_launch()
        self.assertEqual(line.state, "done")
        self._run()
        self.assertSent(order)
        self._run_on(7)
        self.assertSent(order, second)

    def test_late_level_by_hand_keeps_its_distance_to_the_next(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        self._stand_still(5)
        self._remind(order, template_id=first.id)
        self._run_on(11)
        self.assertSent(order)
        self._run_on(12)
        self.assertSent(order, second)

    def test_higher_level_by_hand_ends_the_milder_ones(self):
        first, second, third = self._create_levels(0, 7, 14)
        order = self._create_due()
        self._remind(order, template_id=second.id)
        for day in (0, 6, 7, 13, 14):
            self._run_on(day)
        self.assertSent(order, third)

    def test_level_that_failed_by_hand_does_not_count(self):
        [level] = self._create_levels(0)
        order = self._create_due()
        reminder = self._remind(order, template_id=level.id)
        reminder.message_id.notification_ids.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self._run()
        self.assertSent(order, level)

    def test_call_is_no_level(self):
        [level] = self._create_levels(0)
        order = self._create_due()
        self._remind(order, channel="phone")
        self._run()
        self.assertSent(order, level)

    def test_call_does_not_lead_out_of_a_series(self):
        """A document stays in the series of its last reminder."""
        special = self._create_levels(0, 7)
        ordinary = self._create_levels(0, 7)
        ordinary.series_id.sequence = special.series_id.sequence - 1
        order = self._create_due()
        self._remind(order, template_id=special[0].id)
        self._remind(order, channel="phone")
        self._run()
        self._run_on(7)
        self.assertSent(order, special[1])

    def test_first_series_whose_filter_fits(self):
        other = self._create_levels(0)
        mine = self._create_levels(0)
        mine.series_id.write(
            {"sequence": -5, "domain": "[('client_order_ref', '=', 'mine')]"}
        )
        order, special = self._create_due(), self._create_due(client_order_ref="mine")
        self._run()
        self.assertSent(order, other)
        self.assertSent(special, mine)

    def test_series_changed_by_a_reminder(self):
        """Who was sent a reminder of another series follows that one from now on."""
        first, second = self._create_levels(0, 7)
        others = self._create_levels(1, 3, 5)
        others.series_id.sequence = 99
        order = self._create_due()
        self._run()
        self._stand_still(1)
        self._remind(order, template_id=others[0].id)
        for day in range(1, 9):
            self._run_on(day)
        self.assertSent(order, first, others[1], others[2])

    def test_template_moved_to_another_series(self):
        first, second = self._create_levels(0, 7)
        others = self._create_levels(5)
        others.series_id.sequence = 99
        order = self._create_due()
        self._run()
        first.write({"series_id": others.series_id.id, "sequence": 1})
        self._run_on(5)
        self._run_on(7)
        self.assertSent(order, first, others)

    def test_archived_template_does_not_go_out(self):
        first, second = self._create_levels(0, 7)
        first.active = False
        order = self._create_due()
        self._run()
        self.assertSent(order)
        self._run_on(7)
        self.assertSent(order, second)

    def test_level_archived_after_it_was_sent_keeps_its_distance(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        self._run_on(5)
        first.active = False
        self._run_on(7)
        self.assertSent(order, first)
        self._run_on(12)
        self.assertSent(order, first, second)

    def test_archived_series_does_not_go_out(self):
        [level] = self._create_levels(0)
        level.series_id.active = False
        order = self._create_due()
        self.assertFalse(self._run())
        self.assertSent(order)

    def test_series_archived_halfway_gives_way_to_the_next(self):
        first, second = self._create_levels(0, 7)
        others = self._create_levels(3)
        others.series_id.sequence = 99
        order = self._create_due()
        self._run()
        first.series_id.active = False
        self._run_on(3)
        self._run_on(7)
        self.assertSent(order, first, others)

    # --- cycles -----------------------------------------------------------------

    def test_quotation_sent_again_starts_anew(self):
        first, second = self._create_levels(0, 2)
        order = self._create_due()
        self._run()
        self._run_on(2)
        self.assertSent(order, first, second)
        order.action_cancel()
        self._run_on(3)
        order.action_draft()
        self._run_on(3)
        self.assertSent(order, first, second)
        order.validity_date = self._day(10)
        order.action_quotation_sent()
        self._run_on(9)
        self.assertSent(order, first, second)
        for day in range(10, 14):
            self._run_on(day)
        self.assertSent(order, first, second, first, second)
        self.assertEqual(self._sent(order).mapped("cycle"), [1, 1, 2, 2])

    def test_quotation_sent_once_more_goes_on(self):
        """Nobody took it back: it is the same quotation."""
        first, second = self._create_levels(0, 2)
        order = self._create_due()
        self._run()
        order.with_context(mark_so_as_sent=True).message_post(
            body="Here it is again", message_type="comment"
        )
        self._run()
        self.assertSent(order, first)
        self._run_on(2)
        self.assertSent(order, first, second)

    def test_quotation_that_became_an_order(self):
        """It is done with as a quotation, and follows a series of orders."""
        first, second = self._create_levels(0, 2)
        series = self._create_series("sale_order")
        values = {"code": "sale_order", "series": series}
        after = self._create_level(1, "previous", **values)
        dated = self._create_level(3, "document_date", **values)
        order = self._create_due()
        self._run()
        order.action_confirm()
        for day in range(1, 6):
            self._run_on(day)
        self.assertSent(order, first, dated)
        self.assertRefused(order, after, "No reminder was sent before")

    def test_copy_starts_with_nothing(self):
        [level] = self._create_levels(0)
        order = self._create_due()
        self._run()
        copy = order.copy()
        self.assertEqual(copy.followup_cycle, 0)
        self.assertFalse(copy.followup_seen_message)
        copy.write({"validity_date": self._day(0), "state": "sent"})
        self._run()
        self.assertSent(copy, level)

    # --- days of the company ----------------------------------------------------

    def test_today_is_that_of_the_company(self):
        [level] = self._create_levels(0)
        order = self._create_due(1)
        for tz, at, is_due in [
            ("UTC", "23:30:00", False),
            ("America/New_York", "23:30:00", False),
            ("Pacific/Pago_Pago", "23:59:59", False),
            ("Pacific/Kiritimati", "09:59:00", False),
            ("Pacific/Kiritimati", "10:00:00", True),
        ]:
            with self.subTest(tz=tz, at=at):
                self.env.company.resource_calendar_id.tz = tz
                self._run_on(0, at=at)
                self.assertSent(order, *(level if is_due else ()))

    def test_half_past_eleven_at_night_is_tomorrow_in_paris(self):
        [level] = self._create_levels(0)
        order = self._create_due(1)
        self.env.company.resource_calendar_id.tz = "Europe/Paris"
        self._run_on(0, at="22:59:59")
        self.assertSent(order)
        self._run_on(0, at="23:30:00")
        self.assertSent(order, level)

    def test_document_date_is_a_day_of_the_company(self):
        """Ordered at eleven at night UTC: that is the next day in Auckland."""
        self.env.company.resource_calendar_id.tz = "Pacific/Auckland"
        [level] = self._create_levels(1, trigger="document_date")
        order = self._create_due(60, date_order=f"{self._day(0)} 23:00:00")
        self._run_on(1, at="10:00:00")
        self.assertSent(order)
        self._run_on(1, at="11:30:00")
        self.assertSent(order, level)

    def test_without_calendar_the_companys_address_tells_the_zone(self):
        self.env.company.resource_calendar_id = False
        self.env.company.partner_id.tz = "Pacific/Auckland"
        self.assertEqual(self.env.company._followup_today(), self._day(1))

    # --- companies --------------------------------------------------------------

    def _create_other_company(self, **values):
        company = self.env["res.company"].create(
            {"name": "Other Company", "currency_id": self.env.company.currency_id.id}
            | values
        )
        self.env.user.company_ids |= company
        self.alice.company_ids |= company
        return company

    def test_two_companies_with_settings_of_their_own(self):
        here = self.env.company
        there = self._create_other_company()
        here.followup_min_days = 10
        there.resource_calendar_id.tz = "Pacific/Auckland"
        [level] = self._create_levels(0)
        mine = self._create_due(0) | self._create_due(0)
        customer = self._create_customer(email="there@customer.example.com")
        theirs = self._create_due(1, customer, company_id=there.id)
        theirs |= self._create_due(1, customer, company_id=there.id)
        runs = self._run()
        self.assertEqual(len(runs), 2)
        self.assertEqual(runs.company_id, here | there)
        self.assertEqual(len(self._sent(*mine)), 1, "not twice in ten days")
        self.assertEqual(len(self._sent(*theirs)), 2, "it is their day already")
        self.assertEqual(self._sent(*theirs).run_id.company_id, there)
        self.assertEqual(self._sent(*theirs).template_id, level)

    def test_kill_switch_is_the_companys(self):
        there = self._create_other_company()
        [level] = self._create_levels(0)
        mine = self._create_due()
        theirs = self._create_due(company_id=there.id)
        self.env.company.followup_automatic = False
        run = self._run()
        self.assertEqual(run.company_id, there)
        self.assertSent(mine)
        self.assertSent(theirs, level)
        self.assertRefused(mine, level, "switched off")
        self.env.company.followup_automatic = True
        self._run()
        self.assertSent(mine, level)

    def test_series_and_templates_of_another_company(self):
        """They neither go out here nor stand in the way."""
        there = self._create_other_company()
        first, second = self._create_levels(0, 2)
        first.company_id = there
        theirs = self._create_levels(0)
        theirs.series_id.write({"sequence": -9, "company_id": there.id})
        mine = self._create_due()
        elsewhere = self._create_due(company_id=there.id)
        for day in range(3):
            self._run_on(day)
        self.assertSent(mine, second)
        self.assertSent(elsewhere, theirs)

    # --- who sends --------------------------------------------------------------

    def test_sender_is_the_salesperson(self):
        self._create_levels(0)
        order = self._create_due(user_id=self.carol.id)
        self._run()
        self.assertEqual(self._sent(order).user_id, self.carol)

    def test_representative_stands_in_for_a_salesperson_who_left(self):
        self._create_levels(0)
        order = self._create_due(
            user_id=self.carol.id,
            followup_rep_ids=[Command.set((self.carol | self.bob).ids)],
        )
        self.carol.active = False
        self._run()
        self.assertEqual(self._sent(order).user_id, self.bob)
        self.assertIn("bob@example.com", self._sent(order).message_id.email_from)

    def test_company_sends_where_nobody_is_left(self):
        self.env.company.email = "hello@company.example.com"
        self._create_levels(0)
        leaving = new_test_user(self.env, "followup_leaving", email="l@example.com")
        customer = self._create_customer(email="new@customer.example.com")
        order = self._create_due(0, customer, user_id=leaving.id)
        order.followup_rep_ids = False
        leaving.active = False
        self._run()
        [reminder] = self._sent(order)
        self.assertFalse(reminder.user_id)
        self.assertIn("hello@company.example.com", reminder.message_id.email_from)
        self.assertEqual(reminder.state, "outgoing")


@tagged("post_install", "-at_install")
class TestAutomaticSettings(AutomaticCommon):
    """What Settings warns of."""

    def _get_warning(self):
        return self.env["res.config.settings"].create({}).followup_warning or ""

    def test_warns_of_a_scheduled_action_that_is_off(self):
        self.env["ir.mail_server"].create({"name": "Out", "smtp_host": "localhost"})
        self.assertNotIn("switched off", self._get_warning())
        self.env.ref("sales_followup.ir_cron_send_automatic").active = False
        self.assertIn("scheduled action", self._get_warning())

    def test_warns_where_no_mail_server_is_there(self):
        self.env["ir.mail_server"].search([]).active = False
        self.assertIn("no outgoing mail server", self._get_warning())

    def test_does_not_warn_where_nothing_is_sent(self):
        self.env.ref("sales_followup.ir_cron_send_automatic").active = False
        self.env.company.followup_automatic = False
        self.assertFalse(self._get_warning())

    def test_today_of_a_run_is_dated(self):
        self._create_levels(0)
        self._create_due()
        run = self._run()
        self.assertEqual(run.date, fields.Datetime.now())
        self.assertEqual((run.origin, run.state), ("auto", "done"))
