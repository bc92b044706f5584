from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged

from ...models.runs.sales_followup_run_process import Paces
from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestAutomaticStops(AutomaticCommon):
    """Whom nothing is sent to by itself, and when it goes on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(0, 7, 14)
        cls.first, cls.second, cls.third = cls.levels
        cls.order = cls._create_due()

    def assertGoesOn(self, *levels):
        """Assert that the next run sends, and nothing but this."""
        self._run()
        self.assertSent(self.order, *(levels or (self.first,)))

    # --- marks and pauses -------------------------------------------------------

    def test_document_that_is_marked(self):
        self.order.followup_exclude = True
        self.assertNotSent(self.order, "document is marked")
        self.order.followup_exclude = False
        self.assertGoesOn()

    def test_customer_who_is_marked(self):
        self.customer.followup_exclude = True
        self.assertNotSent(self.order, "customer is marked")
        self.customer.followup_exclude = False
        self.assertGoesOn()

    def test_company_that_is_marked_stands_for_its_contacts(self):
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_due(0, contact)
        self.customer.followup_exclude = True
        self.assertNotSent(order, "customer is marked")

    def test_contact_who_is_marked_stands_for_nobody_else(self):
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_due(0, contact)
        contact.followup_exclude = True
        self.assertNotSentBut(self.order, order, "customer is marked")

    def assertNotSentBut(self, sent, order, words):
        """Assert that one document goes out and another one does not."""
        run = self._run()
        self.assertSent(sent, self.first)
        self.assertSent(order)
        self.assertLogged(run, order, "skipped", words)

    def test_document_that_is_paused(self):
        """On the day itself it goes on."""
        self.order.followup_pause_until = self._day(3)
        self.assertNotSent(self.order, "paused until")
        self._run_on(2)
        self.assertSent(self.order)
        self._run_on(3)
        self.assertSent(self.order, self.first)

    def test_customer_who_is_paused(self):
        self.customer.followup_pause_until = self._day(3)
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_due(0, contact)
        self.assertNotSent(order, "paused until")
        self._run_on(2)
        self.assertSent(self.order)
        self._run_on(3)
        self.assertSent(self.order, self.first)
        self.assertSent(order, self.first)

    def test_pause_of_contact_and_company(self):
        """The later one counts."""
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_due(0, contact)
        self.customer.followup_pause_until = self._day(1)
        contact.followup_pause_until = self._day(4)
        self._run_on(1)
        self.assertSent(self.order, self.first)
        self._run_on(3)
        self.assertSent(order)
        self._run_on(4)
        self.assertSent(order, self.first)

    def test_pause_for_ever(self):
        self.env.company.followup_business_days = True
        # as earlier versions took it, and imports by SQL do
        self.order._followup_note({"followup_pause_until": "9999-12-31"})
        self.assertNotSent(self.order, "paused until")

    def test_pause_that_is_over(self):
        self.order.followup_pause_until = self._day(0)
        self.customer.followup_pause_until = self._day(-1)
        self.assertGoesOn()

    def test_document_that_is_done_with(self):
        for finish in ("action_confirm", "action_cancel"):
            order = self._create_due()
            getattr(order, finish)()
            self._run()
            self.assertSent(order)

    def test_stop_rule_of_another_addon(self):
        """A person is told, and may overrule it."""
        customer = self._create_customer(self.alice, email="o@customer.example.com")
        other = self._create_due(customer=customer)

        def object_to(orders):
            return {
                order: ["There is 100 % a dispute about it.\nAsk legal."]
                for order in orders
                if order == self.order
            }

        self.patch(
            self.env.registry["sale.order"], "_followup_get_objections", object_to
        )
        run = self._run()
        self.assertLogged(run, self.order, "skipped", "There is 100 % a dispute")
        self.assertSent(self.order)
        self.assertSent(other, self.first)
        self.assertTrue(self._remind(self.order, template_id=self.first.id))

    # --- answers ----------------------------------------------------------------

    def test_answer_stops_until_a_reminder_is_logged(self):
        self.assertGoesOn()
        self._answer(self.order)
        self._stand_still(7)
        run = self._run()
        self.assertSent(self.order, self.first)
        self.assertLogged(run, self.order, "skipped", "customer answered")
        self._stand_still(9)
        self._remind(self.order, channel="phone")
        self.assertGoesOn(self.first, self.second)

    def test_answer_stops_until_somebody_resumes(self):
        self._answer(self.order)
        self.assertNotSent(self.order, "customer answered")
        self._run_on(5)
        self.assertSent(self.order)
        self.order.with_user(self.alice).action_followup_resume()
        self.assertGoesOn()

    def test_answer_stops_until_the_quotation_is_sent_again(self):
        self._answer(self.order)
        self.assertNotSent(self.order, "customer answered")
        self.order.action_cancel()
        self.order.action_draft()
        self.order.action_quotation_sent()
        self.assertGoesOn()

    def test_answer_stops_until_the_quotation_is_sent_once_more(self):
        self._answer(self.order)
        self.order.with_context(mark_so_as_sent=True).message_post(body="Again")
        self.assertGoesOn()

    def test_second_answer_stops_again(self):
        self._answer(self.order)
        self.order.action_followup_resume()
        self._answer(self.order)
        self.assertNotSent(self.order, "customer answered")

    def test_answer_to_a_reminder_by_hand(self):
        self._remind(self.order, template_id=self.first.id)
        self._answer(self.order)
        self._stand_still(7)
        self.assertNotSent(self.order, "customer answered")

    def test_answer_by_email(self):
        self._answer(self.order, message_type="email")
        self.assertNotSent(self.order, "customer answered")

    def test_answer_of_a_stranger(self):
        self._answer(
            self.order, message_type="email", author_id=False, email_from="x@x.example"
        )
        self.assertNotSent(self.order, "customer answered")

    def test_comment_in_the_portal(self):
        self.order.message_subscribe(self.portal.partner_id.ids)
        self.order.with_user(self.portal).message_post(
            body="Too dear", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.assertNotSent(self.order, "customer answered")

    def test_signature(self):
        """Signed, and not paid yet: it is still a quotation."""
        self._answer(
            self.order,
            body="Order signed by Azure Interior",
            attachments=[("signed.pdf", b"%PDF-")],
        )
        self.assertEqual(self.order.state, "sent")
        self.assertNotSent(self.order, "customer answered")

    def test_out_of_office_is_no_answer(self):
        self._answer(self.order, message_type="email", followup_auto_reply=True)
        self.assertGoesOn()

    def test_what_odoo_says_in_the_customers_name_is_no_answer(self):
        self._answer(self.order, message_type="notification", body="Viewed")
        self.assertGoesOn()

    def test_colleagues_do_not_answer(self):
        self._answer(self.order, author_id=self.bob.partner_id.id)
        self.order.with_user(self.alice).message_post(body="A note")
        self.assertGoesOn()

    def test_answer_before_it_was_sent(self):
        """What was discussed while it was a draft is no answer to it."""
        order = self._create_order(self.customer, validity_date=self._day(0))
        self._answer(order)
        order.action_quotation_sent()
        self._run()
        self.assertSent(order, self.first)

    def test_answer_on_another_document(self):
        other = self._create_due()
        self._answer(other)
        self.assertNotSentBut(self.order, other, "customer answered")

    def test_answer_on_an_invoice(self):
        [level] = self._create_levels(0, code="customer_invoice")
        quiet, answered = (
            self._create_invoice(
                self.customer, post=True, invoice_date_due=self._day(0)
            )
            for _n in "ab"
        )
        self._answer(answered, message_type="email")
        self._run()
        self.assertSent(quiet, level)
        self.assertSent(answered)

    def test_answer_is_known_by_its_number_whatever_the_clocks_say(self):
        """A transaction shows one time, and tests stop other clocks, in the past or in
        the future: an answer to what was sent is one all the same."""
        for day in (-1000, 0, 1000):
            with self.subTest(day=day):
                self._stand_still(day)
                order = self._create_due(day)
                self._run()
                self.assertSent(order, self.first)
                self._answer(order)
                self._run_on(day + 7)
                self.assertSent(order, self.first)

    def test_message_that_is_older_than_the_reminder_is_no_answer(self):
        """It was imported later."""
        self.assertGoesOn()
        message = self._answer(self.order)
        self._date(message, self._sent(self.order).date - timedelta(hours=2))
        self._run_on(7)
        self.assertSent(self.order, self.first, self.second)

    def test_message_that_is_older_than_the_quotation_is_no_answer(self):
        message = self._answer(self.order)
        self._date(message, self.order.followup_sent_date - timedelta(hours=2))
        self.assertGoesOn()

    def test_message_written_after_the_reminder_is_an_answer(self):
        """Also where everything is dated back, as an import does."""
        reminder = self._remind(self.order, template_id=self.first.id)
        message = self._answer(self.order)
        long_ago = fields.Datetime.now() - timedelta(days=30)
        self._date(reminder, long_ago, "date")
        self._date(reminder, long_ago)
        self._date(message, long_ago + timedelta(days=1))
        for name in ("followup_sent_date", "followup_seen_date"):
            self._date(self.order, long_ago, name)
        self._stand_still(7)
        self.assertNotSent(self.order, "customer answered")

    def _date(self, record, moment, name="create_date"):
        """Say when something happened; no ``write`` can."""
        record.flush_recordset()
        self.env.cr.execute(
            f"UPDATE {record._table} SET {name} = %s WHERE id = %s", [moment, record.id]
        )
        record.invalidate_recordset()

    # --- addresses --------------------------------------------------------------

    def test_blacklisted_address(self):
        """No reminder, no activity: the customer asked for it."""
        self.env["mail.blacklist"]._add(self.customer.email)
        self.assertNotSent(self.order, "blacklisted")
        self.assertFalse(self.order.followup_reminder_ids)
        self.assertFalse(self.order.activity_ids)
        self.env["mail.blacklist"]._remove(self.customer.email)
        self.assertGoesOn()

    def test_bouncing_address(self):
        self.customer.message_bounce = 1
        self.assertNotSent(self.order, "came back")
        self.assertFalse(self.order.followup_reminder_ids)
        self.customer.message_bounce = 0
        self.assertGoesOn()

    def test_follow_up_contact_is_who_counts(self):
        """Whether the address of somebody else bounces does not matter."""
        self.customer.message_bounce = 1
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        self.customer.followup_contact_id = contact
        self.assertGoesOn()
        self.assertEqual(self._sent(self.order).contact_id, contact)

    # --- minimum of days --------------------------------------------------------

    def test_customer_is_reminded_once_in_some_days(self):
        """Of all that is due the oldest due date goes first."""
        self.env.company.followup_min_days = 3
        older, oldest = self._create_due(-1), self._create_due(-2)
        run = self._run()
        self.assertSent(oldest, self.first)
        self.assertSent(older)
        self.assertLogged(run, older, "skipped", "not again before")
        self.assertFalse(self._run(), "once more, nothing new")
        self._run_on(2)
        self.assertSent(older)
        self._run_on(3)
        self.assertSent(older, self.first)
        self.assertSent(self.order)
        self._run_on(6)
        self.assertSent(self.order, self.first)

    def test_oldest_due_date_goes_first_whatever_level_it_is(self):
        self.env.company.followup_min_days = 3
        old = self._create_due(-7)
        self._remind(old, template_id=self.first.id)
        self._stand_still(7)
        self.order.validity_date = self._day(6)
        self._run()
        self.assertSent(old, self.second)
        self.assertSent(self.order)

    def test_oldest_due_date_goes_first_whatever_kind_it_is(self):
        self.env.company.followup_min_days = 3
        [level] = self._create_levels(2, code="customer_invoice")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_date_due=self._day(-2)
        )
        self._run()
        self.assertSent(invoice, level)
        self.assertSent(self.order)

    def test_oldest_due_date_goes_first_whatever_batch_it_is_in(self):
        self.env.company.followup_min_days = 3
        customers = [
            self._create_customer(email=f"c{number}@customer.example.com")
            for number in range(4)
        ]
        new = [self._create_due(0, customer) for customer in customers]
        old = [self._create_due(-1, customer) for customer in reversed(customers)]
        module = "odoo.addons.sales_followup.models.runs.sales_followup_run"
        with (
            patch(f"{module}_planning.PLAN_SIZE", 3),
            patch(f"{module}_candidates.PLAN_SIZE", 3),
        ):
            for _step in self.automatic._in_company(self.env.company)._send_due(
                Paces(2)
            ):
                self.env.flush_all()
        for order in old:
            self.assertSent(order, self.first)
        for order in new:
            self.assertSent(order)

    def test_any_email_or_letter_counts_for_the_minimum_of_days(self):
        self.env.company.followup_min_days = 3
        other = self._create_due(50)
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        for channel, values in [("letter", {"log_only": True}), ("email", {})]:
            with self.subTest(channel):
                self._remind(other, channel=channel, contact_id=contact.id, **values)
                self.assertNotSent(self.order, "not again before")
                self._stand_still(2 if channel == "letter" else 3)
        self._stand_still(5)
        self.assertGoesOn()

    def test_call_does_not_count_for_the_minimum_of_days(self):
        self.env.company.followup_min_days = 3
        self._remind(self._create_due(50), channel="phone")
        self.assertGoesOn()

    def test_next_in_line_goes_where_the_oldest_cannot(self):
        self.env.company.followup_min_days = 3
        oldest = self._create_due(-2)
        oldest.followup_exclude = True
        self.assertGoesOn()

    # --- days -------------------------------------------------------------------

    def test_business_days(self):
        """Due on Saturday, and Monday is a holiday: it goes out on Tuesday."""
        company = self.env.company
        company.followup_business_days = True
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Public holiday",
                "company_id": company.id,
                "calendar_id": company.resource_calendar_id.id,
                "date_from": f"{self._day(6)} 00:00:00",
                "date_to": f"{self._day(6)} 23:59:59",
            }
        )
        saturday = self._create_due(4)
        for day in (4, 5, 6):
            self.assertFalse(self._run_on(day).line_ids)
        self.assertSent(saturday)
        self._run_on(7)
        self.assertSent(saturday, self.first)
        self.assertSent(self.order, self.first)

    def test_verdict_names_the_next_business_day(self):
        self.env.company.followup_business_days = True
        self._stand_still(4)
        judge = self.env["sales.followup.judge"]
        verdict = judge._judge(self.order)[self.order].verdict
        self.assertEqual(verdict.next_date, self._day(6))
        self.assertRefused(self.order, self.first, "not a business day", "03/16/2026")

    def test_half_a_holiday_is_a_business_day(self):
        self.env.company.followup_business_days = True
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Afternoon off",
                "company_id": self.env.company.id,
                "calendar_id": self.env.company.resource_calendar_id.id,
                "date_from": f"{self._day(0)} 13:00:00",
                "date_to": f"{self._day(0)} 23:59:59",
            }
        )
        self.assertGoesOn()

    def test_absence_of_one_person_is_no_holiday(self):
        self.env.company.followup_business_days = True
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Alice is away",
                "company_id": self.env.company.id,
                "calendar_id": self.env.company.resource_calendar_id.id,
                "resource_id": self.env["resource.resource"]
                .create({"name": "Alice"})
                .id,
                "date_from": f"{self._day(0)} 00:00:00",
                "date_to": f"{self._day(0)} 23:59:59",
            }
        )
        self.assertGoesOn()

    def test_weekend_is_a_day_as_any_other_unless_set(self):
        self._run_on(4)
        self.assertSent(self.order, self.first)

    def test_calendar_without_a_working_day_sends_nothing(self):
        self.env.company.followup_business_days = True
        self.env.company.resource_calendar_id.attendance_ids = [Command.clear()]
        self.assertFalse(self._run())
        judge = self.env["sales.followup.judge"]
        verdict = judge._judge(self.order)[self.order].verdict
        self.assertFalse(verdict.send)
        self.assertIsNone(verdict.next_date)

    # --- others -----------------------------------------------------------------

    def test_invoices_are_left_to_another_dunning_addon(self):
        [level] = self._create_levels(0, code="customer_invoice")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_date_due=self._day(0)
        )
        companies = type(self.env["res.company"])
        with patch.object(companies, "_followup_has_other_dunning", lambda self: True):
            self._run()
            self.assertRefused(invoice, level, "Another app chases invoices")
        self.assertSent(invoice)
        self.assertSent(self.order, self.first)

    def test_all_reasons_are_told(self):
        self.order.followup_exclude = True
        self.customer.followup_pause_until = self._day(4)
        self._answer(self.order)
        self.assertNotSent(
            self.order, "document is marked", "paused until", "customer answered"
        )

    def test_what_is_not_due_is_no_news(self):
        later = self._create_due(1)
        self._answer(later)
        run = self._run()
        self.assertNotIn(later, run.line_ids.order_id)

    def test_log_says_the_same_once_a_day(self):
        self._answer(self.order)
        runs = self._run()
        self.assertEqual(len(runs.line_ids), 1)
        self.assertFalse(self._run(), "nothing new, no log")
        self.customer.followup_exclude = True
        run = self._run()
        self.assertLogged(run, self.order, "skipped", "answered", "customer is marked")
        again = self._run_on(1)
        self.assertLogged(again, self.order, "skipped", "customer is marked")
