from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from ..common_bulk import BulkCommon

MODULE = "odoo.addons.sales_followup.models"
PROCESS = f"{MODULE}.runs.sales_followup_run_process"

BATCHES = "odoo.addons.sales_followup.batches"

#: a text that cannot be written about documents whose reference is “broken”
FRAGILE = "<p><t t-out=\"1 / (object.client_order_ref != 'broken')\"/></p>"


@tagged("post_install", "-at_install")
class TestBulkLaunch(BulkCommon):
    """What becomes of the lines of a run that is launched in the request."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(validity_date="2020-03-31")

    def _line(self, run, document=None):
        return self._get_lines(run, document or self.order)

    def _launch(self, run):
        run.action_launch()
        return run

    def _mails(self, *documents):
        """Return the e-mails of the reminders of documents."""
        return self._reminders(*documents).message_id.mail_ids

    # --- sent -------------------------------------------------------------------

    def test_launch_makes_reminders_and_queues_their_emails(self):
        others = self._create_quotations(2)
        run = self._propose()
        self._line(run).next_date = "2031-01-01"
        self._launch(run)
        self.assertEqual(run.state, "done")
        self.assertTrue(run.finished_date)
        for line in run.line_ids:
            self.assertLine(line, "done")
        reminder = self._line(run).reminder_id
        self.assertEqual(reminder, self._reminders(self.order))
        self.assertRecordValues(
            reminder,
            [
                {
                    "origin": "run",
                    "run_id": run.id,
                    "user_id": self.alice.id,
                    "template_id": self.first.id,
                    "channel": "email",
                    "state": "outgoing",
                    "next_date": fields.Date.to_date("2031-01-01"),
                    "contact_id": self.customer.id,
                }
            ],
        )
        mails = self._mails(self.order, *others)
        self.assertEqual(mails.mapped("state"), ["outgoing"] * 3)
        self.assertEqual(mails.recipient_ids, (self.order + others).partner_id)
        self.assertEqual(
            (run.sent_count, run.failed_count, run.skipped_count), (3, 0, 0)
        )
        self.assertEqual(run.progress, 100)

    def test_reminder_plans_the_next_one(self):
        run = self._propose()
        self._line(run).next_date = "2031-01-01"
        self._launch(run)
        self.assertEqual(str(self.order.followup_next_date), "2031-01-01")
        activity = self.order.sudo().activity_ids
        self.assertEqual(activity.user_id, self.alice)
        self.assertEqual(str(activity.date_deadline), "2031-01-01")

    def test_chosen_template_is_sent(self):
        run = self._propose()
        self._line(run).template_id = self.last
        self._launch(run)
        self.assertEqual(self._reminders(self.order).template_id, self.last)

    def test_orders_and_invoices_go_in_one_run(self):
        sale = self._create_order(self.customer, state="sale", require_payment=True)
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        for document in (sale, invoice):
            self._get_template(document)
        run = self._launch(self._propose())
        self.assertEqual(set(run.line_ids.mapped("state")), {"done"})
        self.assertEqual(len(self._reminders(self.order, sale, invoice)), 3)

    def test_what_is_left_out_is_not_sent(self):
        run = self._propose()
        self._line(run).channel = "none"
        other = self._create_quotation()
        other.followup_exclude = True
        run.action_propose()
        self._line(run).channel = "none"
        third = self._create_quotation()
        run.action_propose()
        self._line(run).channel = "none"
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "Left out")
        self.assertLine(self._line(run, other), "skipped", "Do not remind")
        self.assertLine(self._line(run, third), "done")
        self.assertFalse(self._reminders(self.order, other))
        self.assertEqual((run.sent_count, run.skipped_count), (1, 2))

    # --- nothing twice ----------------------------------------------------------

    def test_nothing_chosen_is_refused(self):
        run = self._propose()
        run.action_none()
        for launch in (run.action_launch, run.action_confirm_launch):
            with self.assertRefused("Nothing to send"):
                launch()
        self.assertEqual(run.state, "draft")

    def test_launched_twice_sends_once(self):
        run = self._launch(self._propose())
        self._launch(run)
        run.action_propose()
        run.action_resume()
        self.assertEqual(len(self._reminders(self.order)), 1)
        self.assertLine(self._line(run), "done")

    def test_second_run_does_not_repeat_the_level(self):
        first, second = self._propose(), self._propose()
        self._launch(first)
        self._launch(second)
        self.assertEqual(len(self._reminders(self.order)), 1)
        self.assertLine(self._line(second), "skipped", "was sent on")

    def test_launched_run_stays_as_it_is(self):
        run = self._launch(self._propose())
        for change in (
            lambda: self._line(run).write({"channel": "none"}),
            lambda: run.write({"never_reminded": True}),
            run.action_suggested,
            run.unlink,
        ):
            with self.assertRefused("launched"):
                change()
        run.action_cancel()
        run.action_pause()
        self.assertEqual(run.state, "done")
        with self.assertRefused("launched"):
            run.with_user(self.manager).unlink()

    def test_cancelled_run_is_not_launched(self):
        run = self._propose()
        run.action_cancel()
        with self.assertRefused("cancelled"):
            run.action_launch()
        self.assertFalse(self._reminders(self.order))

    # --- the verdict is asked again ---------------------------------------------

    def test_document_that_is_not_open_any_more_is_not_sent(self):
        sale = self._create_order(self.customer, state="sale", require_payment=True)
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        lost = self._create_quotation()
        for document in (sale, invoice):
            self._get_template(document)
        run = self._propose()
        self.order.action_confirm()
        lost._action_cancel()
        sale.with_context(disable_cancel_warning=True)._action_cancel()
        invoice.button_draft()
        invoice.button_cancel()
        self._launch(run)
        for line in run.line_ids:
            self.assertLine(line, "skipped", "not open any more")
        self.assertFalse(self._reminders(self.order, lost, sale, invoice))

    def test_not_open_cannot_be_overruled(self):
        self.order.followup_exclude = True
        run = self._propose()
        self._line(run).channel = "email"
        self.order._action_cancel()
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "not open any more")

    def test_address_that_is_gone_cannot_be_overruled(self):
        self.order.followup_exclude = True
        run = self._propose()
        self._line(run).channel = "email"
        self.customer.email = False
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "no e-mail address")
        self.assertFalse(self._reminders(self.order))

    def test_answer_after_proposing_stops(self):
        other = self._create_quotation()
        run = self._propose()
        self._answer(self.order)
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "answered")
        self.assertLine(self._line(run, other), "done")

    def test_what_was_overruled_goes(self):
        self.order.followup_exclude = True
        self._answer(self.order)
        run = self._propose()
        self._line(run).channel = "email"
        self._launch(run)
        self.assertLine(self._line(run), "done", "Do not remind", "answered")
        self.assertEqual(len(self._reminders(self.order)), 1)

    def test_what_came_up_after_overruling_stops(self):
        self._answer(self.order)
        run = self._propose()
        self._line(run).channel = "email"
        stops = (
            lambda: self.order.write({"followup_exclude": True}),
            lambda: self.customer.write({"message_bounce": 1}),
            # another answer than the one that was read
            lambda: self._set_created(
                self._answer(self.order), fields.Datetime.now().replace(year=2040)
            ),
        )
        for stop in stops:
            with self.subTest(stop), self.env.cr.savepoint() as savepoint:
                stop()
                self._launch(run)
                self.assertEqual(self._line(run).state, "skipped")
                self.assertFalse(self._reminders(self.order))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_draft_that_was_overruled_goes(self):
        draft = self._create_order(self.customer)
        run = self._propose(with_drafts=True)
        self._line(run, draft).channel = "email"
        self._launch(run)
        self.assertEqual(self._line(run, draft).state, "done")

    def test_template_archived_meanwhile_is_not_sent(self):
        run = self._propose()
        self.first.active = False
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "First", "archived")
        self.assertFalse(self._reminders(self.order))

    def test_template_emptied_meanwhile_is_not_sent(self):
        run = self._propose()
        self.first.email_body = False
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "no text")

    def test_postal_address_that_is_gone_is_noticed(self):
        run = self._propose()
        run.action_all_letter()
        self.customer.write({"zip": False, "city": False})
        self._launch(run)
        self.assertLine(self._line(run), "skipped", "no postal address")

    def test_with_a_minimum_of_days_a_customer_gets_one(self):
        """Whatever the documents are, the one that is due longest goes."""
        sale = self._create_order(self.customer, state="sale", require_payment=True)
        sale.commitment_date = "2020-03-01 12:00:00"
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_user_id=self.alice.id,
            invoice_date="2020-01-01",
            invoice_date_due="2020-04-30",
        )
        for document in (sale, invoice):
            self._get_template(document)
        run = self._propose()
        # set after proposing: all three are still chosen
        self._set_company(followup_min_days=3)
        self._launch(run)
        self.assertLine(self._line(run, sale), "done")
        for line in run.line_ids - self._line(run, sale):
            self.assertLine(line, "skipped", "not again before")
        self.assertEqual(len(self._reminders(self.order, sale, invoice)), 1)

    def test_distance_can_be_overruled(self):
        self._set_company(followup_min_days=3)
        other = self._create_quotation(validity_date="2020-05-01")
        run = self._propose()
        self.assertEqual(self._line(run, other).channel, "none")
        self._line(run, other).channel = "email"
        self._launch(run)
        self.assertEqual(set(run.line_ids.mapped("state")), {"done"})

    # --- a failing line stops nothing else --------------------------------------

    def _assert_only_this_fails(self, run, document, *words):
        for line in run.line_ids - self._line(run, document):
            self.assertLine(line, "done")
        self.assertLine(self._line(run, document), "failed", *words)
        self.assertEqual(run.state, "done")
        self.assertEqual(run.failed_count, 1)

    def test_text_that_cannot_be_written(self):
        others = self._create_quotations(5)
        self.first.email_body = FRAGILE
        others[2].client_order_ref = "broken"
        run = self._launch(self._propose())
        self._assert_only_this_fails(run, others[2], "First")
        reminder = self._line(run, others[2]).reminder_id
        self.assertEqual(reminder.state, "failed")
        self.assertIn("First", reminder.failure_reason)
        self.assertEqual(len(self._mails(self.order, *others)), 5)

    def test_verdict_that_cannot_be_asked(self):
        others = self._create_quotations(5)
        run = self._propose()
        judge = self.env.registry["sales.followup.judge"]
        ask = judge._judge

        def fail(self, documents, **kwargs):
            if others[3] in documents:
                raise ValueError("no verdict")
            return ask(self, documents, **kwargs)

        with (
            patch.object(judge, "_judge", fail),
            mute_logger(PROCESS, BATCHES),
        ):
            self._launch(run)
        self._assert_only_this_fails(run, others[3], "no verdict")
        self.assertFalse(self._reminders(others[3]))

    def test_blacklisted_address_that_was_overruled(self):
        self._blacklist(self.customer)
        others = self._create_quotations(2)
        run = self._propose()
        self._line(run).channel = "email"
        self._launch(run)
        self.assertEqual(self._line(run).state, "failed")
        self.assertEqual(self._reminders(self.order).state, "failed")
        for line in self._get_lines(run, others):
            self.assertLine(line, "done")

    def test_email_that_comes_back_counts_as_failed(self):
        run = self._launch(self._propose())
        self.assertEqual((run.sent_count, run.failed_count), (1, 0))
        reminder = self._reminders(self.order)
        reminder.message_id.notification_ids.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        reminder._sync_delivery()
        self.env.invalidate_all()
        self.assertEqual((run.sent_count, run.failed_count), (0, 1))
        self.assertEqual(self._line(run).reminder_state, "failed")

    # --- cost -------------------------------------------------------------------

    def test_queries_do_not_grow_fast_with_the_lines(self):
        few = self._count_queries(10)
        many = self._count_queries(20)
        # what Odoo itself asks for each e-mail
        self.assertLessEqual((many - few) / 10, 6)

    def _count_queries(self, number):
        orders = self._create_quotations(number)
        run = self._propose_of(orders)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self._launch(run)
        self.env.flush_all()
        count = self.env.cr.sql_log_count - before
        self.assertEqual(run.sent_count, number)
        return count


@tagged("post_install", "-at_install")
class TestBulkBackground(BulkCommon, CronMixinCase):
    """Runs of many lines, which the scheduled action sends in batches."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls._create_quotations(5)

    def setUp(self):
        super().setUp()
        self.startPatcher(patch(f"{PROCESS}.BATCH_SIZE", 2))
        self.startPatcher(patch(f"{PROCESS}.INLINE_LIMIT", 2))

    def _launch(self, **values):
        run = self._propose(**values)
        run.action_launch()
        return run

    def _patch_batch(self, replacement):
        """Replace how the lines of a step are sent, for this test.

        :param replacement: method given the original, the run and its lines
        """
        runs = self.env.registry["sales.followup.run"]
        original = runs._send_lines

        def process(run, lines):
            return replacement(original, run, lines)

        self.patch(runs, "_send_lines", process)

    def assertEachOnce(self, orders):
        for order in orders:
            self.assertEqual(len(self._reminders(order)), 1, order.name)
            self.assertEqual(len(self._reminders(order).message_id.mail_ids), 1)

    def test_many_lines_wait_for_the_scheduled_action(self):
        cron = self.env.ref("sales_followup.ir_cron_process_runs")
        with self.capture_triggers(cron.id) as captured:
            run = self._launch()
        self.assertEqual(len(captured.records), 1)
        self.assertEqual(run.state, "running")
        self.assertEqual(run.waiting_count, 5)
        self.assertFalse(self._reminders(*self.orders))
        self._process_in_background()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.sent_count, 5)
        self.assertEachOnce(self.orders)
        # a second time there is nothing to do
        self._process_in_background()
        self.assertEachOnce(self.orders)

    def test_pause_ends_after_the_batch_and_resume_goes_on(self):
        run = self._launch()

        def pause(process, running, lines):
            done = process(running, lines)
            if len(lines) > 1:
                running.sudo(False).action_pause()
            return done

        self._patch_batch(pause)
        self._process_in_background()
        self.assertEqual(run.state, "paused")
        self.assertEqual((run.sent_count, run.waiting_count), (2, 3))
        self.assertEqual(run.progress, 40)
        self._process_in_background()
        self.assertEqual(run.sent_count, 2)
        run.action_resume()
        self._process_in_background()
        self.assertEqual((run.sent_count, run.waiting_count), (4, 1))
        # what is left is so little that it goes at once
        run.action_resume()
        self.assertEqual(run.state, "done")
        self.assertEachOnce(self.orders)

    def test_cancelled_run_sends_no_more_and_says_so(self):
        run = self._launch()

        def cancel(process, running, lines):
            done = process(running, lines)
            running.sudo(False).action_cancel()
            return done

        self._patch_batch(cancel)
        self._process_in_background()
        self.assertEqual(run.state, "cancelled")
        self.assertTrue(run.finished_date)
        self.assertEqual((run.sent_count, run.skipped_count), (2, 3))
        waiting = run.line_ids.filtered(lambda line: line.state == "skipped")
        for line in waiting:
            self.assertLine(line, "skipped", "cancelled")
        run.action_resume()
        self._process_in_background()
        self.assertEqual(run.state, "cancelled")
        self.assertFalse(self._reminders(*waiting.order_id))

    def test_conflict_starts_the_batch_anew_with_less(self):
        run = self._launch()
        calls = []

        def conflict(process, running, lines):
            done = process(running, lines)
            calls.append(lines)
            if len(calls) == 2:
                raise SerializationFailure()
            return done

        self._patch_batch(conflict)
        with mute_logger(PROCESS, BATCHES):
            self._process_in_background()
        self.assertEqual(run.state, "done")
        self.assertEqual(calls[1][:1], calls[2])
        self.assertEachOnce(self.orders)

    def test_document_that_always_conflicts_hinders_no_other(self):
        run = self._launch()
        bad = held = self.orders[0]

        def conflict(process, running, lines):
            if held & lines.order_id:
                raise SerializationFailure()
            return process(running, lines)

        self._patch_batch(conflict)
        cron = self.env.ref("sales_followup.ir_cron_process_runs")
        with mute_logger(PROCESS, BATCHES), self.capture_triggers(cron.id) as later:
            self._process_in_background()
        self.assertEqual((run.state, run.waiting_count), ("running", 1))
        self.assertFalse(self._reminders(bad))
        self.assertEachOnce(self.orders - bad)
        self.assertEqual(len(later.records), 1)
        held = bad.browse()
        self._process_in_background()
        self.assertEqual(run.state, "done")
        self.assertEachOnce(self.orders)

    def test_run_that_always_conflicts_hinders_no_other(self):
        first, second = self._launch(), self._launch(with_drafts=True)

        def conflict(process, running, lines):
            if running == first:
                raise SerializationFailure()
            return process(running, lines)

        self._patch_batch(conflict)
        cron = self.env.ref("sales_followup.ir_cron_process_runs")
        with mute_logger(PROCESS, BATCHES), self.capture_triggers(cron.id) as captured:
            self._process_in_background()
        self.assertEqual(first.state, "running")
        self.assertEqual(second.state, "done")
        self.assertEachOnce(self.orders)
        # it is looked at again
        self.assertEqual(len(captured.records), 1)

    def test_document_somebody_works_on_waits(self):
        dispatcher = self.env.registry["sales.followup.dispatcher"]
        lock = dispatcher._lock
        held = self.orders[1]
        with patch.object(
            dispatcher, "_lock", lambda self, documents: lock(self, documents) - held
        ):
            run = self._launch()
            self._process_in_background()
            self.assertEqual(run.state, "running")
            self.assertEqual((run.sent_count, run.waiting_count), (4, 1))
        self._process_in_background()
        self.assertEqual(run.state, "done")
        self.assertEachOnce(self.orders)

    def test_user_who_left_has_still_launched_it(self):
        run = self._launch()
        self.alice.active = False
        self._process_in_background()
        self.assertEqual(run.with_user(self.manager).state, "done")
        self.assertEachOnce(self.orders)
        self.assertEqual(self._reminders(*self.orders).user_id, self.alice)

    def test_runs_of_two_companies(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        self.alice.company_ids = [Command.link(other.id)]
        foreign = self.env["sale.order"].concat(
            *(
                self._create_quotation(customer, company_id=other.id)
                for customer in self._create_customers(3)
            )
        )
        here = self._launch()
        runs = self.env["sales.followup.run"].with_user(self.alice)
        there = runs.with_context(allowed_company_ids=other.ids).create({})
        there.action_propose()
        there.action_launch()
        self._process_in_background()
        self.assertEqual(here.state, "done")
        self.assertEqual(there.state, "done")
        self.assertEachOnce(self.orders + foreign)
        self.assertEqual(self._reminders(*foreign).company_id, other)

    def test_reasons_are_in_the_language_of_who_launched(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.alice.lang = "fr_FR"
        run = self._launch()
        self.first.active = False
        self._process_in_background()
        self.assertNotIn("archived", run.line_ids[0].reason)
        self.assertIn("archivé", run.line_ids[0].reason)

    def test_automatic_run_is_not_its_business(self):
        run = self.env["sales.followup.run"].create(
            {"origin": "auto", "state": "running", "launched_date": "2020-01-01"}
        )
        self._process_in_background()
        self.assertEqual(run.state, "running")

    def test_launch_is_refused_for_runs_of_others(self):
        run = self._propose()
        bobs = run.with_user(self.bob)
        for action in (
            bobs.action_launch,
            bobs.action_pause,
            bobs.action_cancel,
            bobs.action_delete_file,
        ):
            with self.assertRaises(UserError):
                action()
