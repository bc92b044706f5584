import contextlib
from contextlib import contextmanager
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo import api, fields, sql_db
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_cron import IrCron
from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ...models.runs.sales_followup_run_process import Paces
from ..common_automatic import AutomaticCommon

MODULE = "odoo.addons.sales_followup.models"
LOGGERS = (
    f"{MODULE}.runs.sales_followup_run_process",
    "odoo.addons.sales_followup.batches",
    f"{MODULE}.runs.sales_followup_run_planning",
    "odoo.addons.base.models.ir_qweb",
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.mail.models.mail_render_mixin",
)
#: cannot be divided by a price of 99
DIVISION = '<p><t t-out="1 / (object.amount_untaxed - 99)"/></p>'


class FailuresCommon(AutomaticCommon):
    def setUp(self):
        super().setUp()
        logger = mute_logger(*LOGGERS)
        logger.__enter__()
        self.addCleanup(logger.__exit__)

    @classmethod
    def _create_many(cls, count, day=0, **values):
        """Create quotations that are due, each for a customer of its own."""
        return cls.env["sale.order"].concat(
            *(
                cls._create_due(
                    day,
                    cls._create_customer(
                        cls.alice, email=f"c{number}@customer.example.com"
                    ),
                    **values,
                )
                for number in range(count)
            )
        )

    @classmethod
    def _get_alerts(cls, document):
        """Return the activities that tell of a failure."""
        alert = cls.env.ref("sales_followup.mail_activity_type_failed")
        return document.activity_ids.filtered(
            lambda activity: activity.activity_type_id == alert
        )

    def _failed(self, document):
        """Return the one reminder of a document that failed."""
        [reminder] = document.followup_reminder_ids.filtered(
            lambda reminder: reminder.state == "failed"
        )
        return reminder


@tagged("post_install", "-at_install")
class TestAutomaticFailures(FailuresCommon):
    """What fails is told, and costs only itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(0, 2)
        cls.first, cls.second = cls.levels
        cls.order = cls._create_due(user_id=cls.alice.id)

    # --- texts ------------------------------------------------------------------

    def _break_text(self):
        """Have the text of the first level fail for one of several quotations."""
        self.first.email_body = DIVISION
        self.order.order_line.price_unit = 99
        return self._create_many(4)

    def test_text_that_cannot_render_costs_only_itself(self):
        others = self._break_text()
        run = self._run()
        for other in others:
            self.assertSent(other, self.first)
        self.assertSent(self.order)
        reminder = self._failed(self.order)
        self.assertIn("division by zero", reminder.failure_reason)
        self.assertIn(self.first.name, reminder.failure_reason)
        self.assertFalse(reminder.message_id)
        self.assertTrue(reminder.is_final)
        self.assertLogged(run, self.order, "failed", "division by zero")
        self.assertEqual(run.line_ids.mapped("state").count("done"), 4)

    def test_text_that_cannot_render_is_told_once(self):
        self._break_text()
        self._run()
        alert = self._get_alerts(self.order)
        self.assertEqual(alert.user_id, self.alice)
        self.assertIn("division by zero", alert.note)
        self.assertIn(self._failed(self.order).name, alert.summary)
        self._run()
        self._run_on(1)
        self.assertEqual(self._get_alerts(self.order), alert)

    def test_text_that_cannot_render_is_not_tried_again_nor_blocks_the_next(self):
        self._break_text()
        self._run()
        self._run_on(1)
        reminder = self._failed(self.order)
        self.assertEqual(reminder.attempts, 1)
        self._run_on(2)
        self.assertSent(self.order, self.second)
        self.assertEqual(self._failed(self.order), reminder)

    def test_text_that_broke_for_a_day(self):
        """What was due then goes out once it is mended, each once; one activity asks to
        mend it."""
        others = self._create_many(3)
        orders = self.order | others
        self.first.email_body = (
            "<p><t t-out=\"1 / (object.client_order_ref != 'broken')\"/></p>"
        )
        orders.client_order_ref = "broken"
        self._run()
        for order in orders:
            self.assertTrue(self._failed(order).is_unwritable)
        alerts = self.env["mail.activity"].concat(*map(self._get_alerts, orders))
        self.assertEqual(len(alerts), 1)
        self.assertIn(self.first.name, alerts.summary)
        self._run_on(0, at="13:00:00")
        for order in orders:
            self.assertSent(order)
        self.first.email_body = "<p>Mended</p>"
        self._run_on(1)
        self._run_on(1)
        self._deliver(*orders)
        for order in orders:
            self.assertSent(order, self.first)
            self.assertEqual(len(order.followup_reminder_ids), 1)
            self.assertFalse(self._get_alerts(order))

    def test_failed_reminder_that_cannot_be_judged_stops_no_other(self):
        self._run()
        self._fail(self.order)
        [other] = self._create_many(1, day=1)
        with self._break_amount(self.order):
            run = self._run_on(1)
        self.assertSent(other, self.first)
        self.assertLogged(run, self.order, "failed", "broken amount")

    def test_text_that_cannot_render_is_told_by_the_verdict(self):
        self._break_text()
        self._run()
        self.assertRefused(self.order, self.first, "failed for good")

    # --- addresses --------------------------------------------------------------

    def test_no_address(self):
        """A failure on the reminder, with the remedy, told once and not every day."""
        self.customer.email = False
        others = self._create_many(2)
        run = self._run()
        for other in others:
            self.assertSent(other, self.first)
        reminder = self._failed(self.order)
        self.assertIn("Azure Interior", reminder.failure_reason)
        self.assertIn("send a letter", reminder.failure_reason)
        self.assertFalse(reminder.message_id)
        self.assertFalse(reminder.next_date)
        self.assertLogged(run, self.order, "failed", "no valid e-mail address")
        alert = self._get_alerts(self.order)
        self.assertEqual(alert.user_id, self.alice)
        for day in (0, 1, 2, 3):
            run = self._run_on(day)
            self.assertNotIn(self.order, run.line_ids.order_id)
        self.assertEqual(self.order.followup_reminder_ids, reminder)
        self.assertEqual(self._get_alerts(self.order), alert)
        self.assertRefused(self.order, self.first, "no e-mail address")

    def test_address_that_is_none(self):
        self.customer.email = "call him"
        self._run()
        self.assertIn("no valid e-mail", self._failed(self.order).failure_reason)
        self.assertEqual(len(self._get_alerts(self.order)), 1)

    def test_address_that_is_entered_later(self):
        """The same reminder goes out, and distances are counted from then."""
        self.customer.email = False
        self._run()
        reminder = self._failed(self.order)
        self.customer.email = "new@customer.example.com"
        run = self._run_on(3)
        self.assertSent(self.order, self.first)
        self.assertEqual(self._sent(self.order), reminder)
        self.assertEqual(reminder.date.date(), self._day(3))
        self.assertEqual(reminder.contact_id, self.customer)
        self.assertFalse(reminder.failure_reason)
        self.assertEqual(len(reminder.message_id.mail_ids), 1)
        self.assertLogged(run, self.order, "done")
        self._run_on(4)
        self.assertSent(self.order, self.first)
        self._run_on(5)
        self.assertSent(self.order, self.first, self.second)

    def test_no_address_is_no_failure_where_nothing_would_be_sent(self):
        self.customer.email = False
        self.order.followup_exclude = True
        self.assertNotSent(self.order, "no e-mail address", "is marked")
        self.assertFalse(self.order.followup_reminder_ids)
        self.assertFalse(self._get_alerts(self.order))

    def test_letter_that_goes_out_settles_the_failure(self):
        self.customer.email = False
        other = self._create_due(customer=self.customer)
        self._run()
        self._remind(self.order, channel="phone")
        self.assertTrue(self._get_alerts(self.order), "the address is still missing")
        self._remind(self.order, template_id=self.first.id, channel="letter")
        self.assertFalse(self._get_alerts(self.order))
        self.assertTrue(self._get_alerts(other))

    def test_document_that_is_done_with_settles_the_failure(self):
        self.customer.email = False
        other = self._create_due(customer=self.customer)
        self._run()
        self.assertTrue(self._get_alerts(self.order))
        self.order.with_user(self.alice).action_confirm()
        self.assertFalse(self._get_alerts(self.order))
        self.assertTrue(self._get_alerts(other))

    def test_level_sent_as_a_letter_ends_the_waiting_for_an_address(self):
        self.customer.email = False
        self._run()
        reminder = self._failed(self.order)
        self._remind(
            self.order, channel="letter", template_id=self.first.id, log_only=True
        )
        self.customer.email = "new@customer.example.com"
        self._run()
        self.assertEqual(reminder.state, "failed")
        self.assertTrue(reminder.is_final)
        self._run_on(2)
        self.assertSent(self.order, self.second)

    # --- the server -------------------------------------------------------------

    def _deliver(self, *documents, error=None):
        """Let Odoo's queue hand over what is outgoing to a server.

        :param error: what the server says, if it does not take them
        """
        mails = self._sent(*documents).message_id.mail_ids.filtered(
            lambda mail: mail.state == "outgoing"
        )
        with (
            patch.object(IrMail_Server, "_connect__", side_effect=error),
            patch.object(IrMail_Server, "send_email", return_value="<id>"),
            patch.object(IrMail_Server, "_disable_send", lambda *args: False),
        ):
            mails.send()
        self.env.invalidate_all()

    def _fail(self, *documents):
        self._deliver(*documents, error=OSError("Connection refused"))

    def test_server_that_is_down_is_tried_again_three_times(self):
        """By later runs, with the same reminder and the same message."""
        self._run()
        [reminder] = self._sent(self.order)
        message, mail = reminder.message_id, reminder.message_id.mail_ids
        for attempt in (1, 2, 3, 4):
            self._fail(self.order)
            self.assertEqual(reminder.state, "failed")
            self.assertIn("Connection refused", reminder.failure_reason)
            self.assertEqual(reminder.attempts, attempt)
            self.assertEqual(reminder.is_final, attempt == 4)
            self.assertEqual(len(self._get_alerts(self.order)), 1)
            self._run_on(attempt)
            if attempt < 4:
                self.assertEqual(reminder.state, "outgoing")
                self.assertEqual(mail.state, "outgoing")
        self.assertEqual(reminder.state, "failed")
        self.assertEqual(reminder.message_id, message)
        self.assertEqual(message.mail_ids, mail)
        self._run_on(10)
        self.assertEqual(reminder.attempts, 4)
        self.assertSent(self.order, self.second)

    def test_server_that_comes_back(self):
        self._run()
        [reminder] = self._sent(self.order)
        self._fail(self.order)
        self.assertTrue(self._get_alerts(self.order))
        run = self._run_on(3)
        self.assertLogged(run, self.order, "done")
        self._deliver(self.order)
        self.assertEqual(reminder.state, "done")
        self.assertFalse(reminder.failure_reason)
        self.assertFalse(self._get_alerts(self.order), "nobody need look after it")
        self.assertSent(self.order, self.first)
        self._run_on(4)
        self.assertSent(self.order, self.first)
        self._run_on(5)
        self.assertSent(self.order, self.first, self.second)

    def test_failure_somebody_looked_after_is_told_anew_when_it_is_for_good(self):
        self._run()
        [reminder] = self._sent(self.order)
        self._fail(self.order)
        self._get_alerts(self.order).action_feedback(feedback="Our server was down")
        for day in (1, 2, 3):
            self._run_on(day)
            self._fail(self.order)
        self.assertTrue(reminder.is_final)
        self.assertEqual(len(self._get_alerts(self.order)), 1)

    def test_failure_is_not_tried_again_before_its_time(self):
        self._run()
        [reminder] = self._sent(self.order)
        self._fail(self.order)
        self._run_on(0, at="12:14:00")
        self.assertEqual(reminder.state, "failed")
        self._run_on(0, at="12:16:00")
        self.assertEqual(reminder.state, "outgoing")
        self.assertEqual(reminder.attempts, 1)

    def test_failure_is_not_tried_again_after_an_answer(self):
        self._run()
        self._fail(self.order)
        reminder = self._failed(self.order)
        self._answer(self.order)
        run = self._run_on(1)
        self.assertEqual(reminder.state, "failed")
        self.assertLogged(run, self.order, "skipped", "customer answered")
        self.order.action_followup_resume()
        self._run_on(1)
        self.assertEqual(reminder.state, "outgoing")

    def test_failure_is_not_tried_again_on_a_document_that_is_done_with(self):
        self._run()
        self._fail(self.order)
        reminder = self._failed(self.order)
        self.order.action_confirm()
        self._run_on(1)
        self.assertEqual(reminder.state, "failed")
        self.assertTrue(reminder.is_final)

    def test_failure_is_not_tried_again_where_the_level_was_sent_by_hand(self):
        self._run()
        self._fail(self.order)
        reminder = self._failed(self.order)
        self._remind(self.order, template_id=self.first.id)
        self._run_on(1)
        self.assertEqual(reminder.state, "failed")
        self.assertEqual(
            self.order.followup_reminder_ids.sorted("id").mapped("origin"),
            ["auto", "manual"],
        )

    def test_failure_is_not_tried_again_in_a_new_cycle(self):
        """The level itself goes out there."""
        self._run()
        self._fail(self.order)
        reminder = self._failed(self.order)
        self.order.action_cancel()
        self.order.action_draft()
        self.order.action_quotation_sent()
        self._run_on(1)
        self.assertEqual(reminder.state, "failed")
        self.assertTrue(reminder.is_final)
        self.assertSent(self.order, self.first)
        self.assertEqual(self._sent(self.order).cycle, 2)

    def test_failure_keeps_the_minimum_of_days(self):
        self._run()
        self._fail(self.order)
        self.env.company.followup_min_days = 3
        other = self._create_due(0)
        self._remind(other, template_id=self.first.id)
        run = self._run_on(1)
        self.assertLogged(run, self.order, "skipped", "not again before")
        self._run_on(3)
        self.assertSent(self.order, self.first)

    def test_email_that_was_deleted_is_written_anew(self):
        self._run()
        self._fail(self.order)
        reminder = self._failed(self.order)
        reminder.message_id.mail_ids.unlink()
        self._run_on(1)
        self.assertEqual(reminder.state, "outgoing")
        self.assertEqual(len(reminder.message_id.mail_ids), 1)

    def test_bounce(self):
        """It went out, and came back: for good."""
        self._run()
        [reminder] = self._sent(self.order)
        self._deliver(self.order)
        reminder.message_id.notification_ids.write(
            {
                "notification_status": "bounce",
                "failure_type": "mail_bounce",
                "failure_reason": "550 No such user",
            }
        )
        self.assertEqual(reminder.state, "failed")
        self.assertIn("No such user", reminder.failure_reason)
        self.assertTrue(reminder.is_final)
        self.assertEqual(self._get_alerts(self.order).user_id, self.alice)
        self._run_on(1)
        self.assertEqual(reminder.state, "failed")
        self._run_on(2)
        self.assertSent(self.order, self.second)

    # --- whom it is told --------------------------------------------------------

    def test_representative_of_the_customer_looks_after_failures(self):
        self.env.company.email = "hello@company.example.com"
        customer = self._create_customer(name="Orphan")
        order = self._create_due(0, customer)
        order.write({"user_id": False, "followup_rep_ids": False})
        customer.followup_rep_ids = self.carol
        self._run()
        self.assertEqual(self._get_alerts(order).user_id, self.carol)

    def test_failure_nobody_looks_after_is_on_the_document(self):
        customer = self._create_customer(name="Orphan")
        order = self._create_due(0, customer)
        order.write({"user_id": False, "followup_rep_ids": False})
        self._run()
        self.assertFalse(self._get_alerts(order).user_id)
        self.assertEqual(len(self._get_alerts(order)), 1)

    # --- what nobody expects ----------------------------------------------------

    def _break_amount(self, document):
        """Have whatever asks for the amount of a document fail."""
        model = type(document)
        amount = model._followup_get_company_amount

        def fail(self):
            if self == document:
                raise ZeroDivisionError("broken amount")
            return amount(self)

        return patch.object(model, "_followup_get_company_amount", fail)

    def test_document_that_cannot_be_judged_costs_only_itself(self):
        others = self._create_many(5)
        with self._break_amount(self.order):
            run = self._run()
            self.assertFalse(self._run(), "told once a day")
        for other in others:
            self.assertSent(other, self.first)
        self.assertLogged(run, self.order, "failed", "broken amount")
        self._run()
        self.assertSent(self.order, self.first)

    def test_document_that_breaks_while_it_is_sent_costs_only_itself(self):
        others = self._create_many(5)
        steps = self.automatic._in_company(self.env.company)._send_due()
        next(steps)
        with self._break_amount(self.order):
            for _step in steps:
                pass
        self.env.invalidate_all()
        for other in others:
            self.assertSent(other, self.first)
        self.assertSent(self.order)
        lines = self.env["sales.followup.run.line"]
        line = lines.search([("order_id", "=", self.order.id)])
        self.assertEqual(line.state, "failed")
        self.assertIn("broken amount", line.reason)

    def test_series_whose_filter_fails_stops_no_other(self):
        [broken] = self._create_levels(0)
        broken.series_id.sequence = 99
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sales_followup_series SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", broken.series_id.id],
        )
        self.env.invalidate_all()
        self._run()
        self.assertSent(self.order, self.first)


@tagged("post_install", "-at_install")
class TestAutomaticInterruptions(FailuresCommon):
    """Each level goes out once, whatever comes in between."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(0, 7)
        cls.first, cls.second = cls.levels
        cls.orders = cls._create_many(7)
        cls.order = cls.orders[3]

    def _cron_send(self, batch_size=2):
        """Do what the scheduled action does, commits and all."""
        self.env.flush_all()
        with (
            patch(f"{MODULE}.runs.sales_followup_run_process.BATCH_SIZE", batch_size),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            env["sales.followup.run"]._cron_send()

    def assertAllSentOnce(self, *but):
        for order in self.orders:
            self.assertSent(order, *(() if order in but else self.first))
        reminders = self._sent(*self.orders)
        self.assertEqual(len(reminders.message_id.mail_ids), len(reminders))

    def _get_runs(self):
        """Return the logs of the scheduled action, without those of demo data."""
        runs = self.env["sales.followup.run"].search(
            [("origin", "=", "auto"), ("company_id", "=", self.env.company.id)]
        )
        return runs.filtered(lambda run: not run.get_external_id()[run.id])

    def _interrupt(self, owner, name, times=1, before=0, error=KeyboardInterrupt):
        """Have a method of a model break off.

        :param before: how often it works before that
        """
        model = type(self.env[owner])
        method, calls = getattr(model, name), []

        def interrupted(self, *args, **kwargs):
            calls.append(args)
            result = method(self, *args, **kwargs)
            if before < len(calls) <= before + times:
                raise error
            return result

        return patch.object(model, name, interrupted)

    @contextmanager
    def _killed(self):
        """Take it that a worker ends; ``assertRaises`` would undo what it committed."""
        with contextlib.suppress(KeyboardInterrupt):
            yield
            self.fail("Nobody ended it.")

    # --- killed -----------------------------------------------------------------

    def test_killed_while_planning(self):
        with self._interrupt("sales.followup.run", "_add_lines"):
            with self._killed():
                self._cron_send()
        self.assertAllSentOnce(*self.orders)
        self._cron_send()
        self.assertAllSentOnce()
        self.assertEqual(len(self._get_runs()), 1)

    def test_killed_in_each_batch(self):
        """What was committed stays, what was not starts anew, and the log is one."""
        for before in range(3):
            with self._interrupt(
                "sales.followup.dispatcher", "_touch_customers", before=before and 1
            ):
                with self._killed():
                    self._cron_send()
            self.assertEqual(len(self._sent(*self.orders)), 2 * before)
            self.assertEqual(self._get_runs().state, "running")
        self._cron_send()
        self.assertAllSentOnce()
        [run] = self._get_runs()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.line_ids.order_id, self.orders)
        self.assertEqual(set(run.line_ids.mapped("state")), {"done"})
        self.assertEqual(run.line_ids.reminder_id, self._sent(*self.orders))

    def test_killed_on_the_day_before(self):
        """Yesterday's log is closed; today's says what happened today."""
        with self._interrupt("sales.followup.dispatcher", "_touch_customers", before=1):
            with self._killed():
                self._cron_send()
        self.assertEqual(len(self._sent(*self.orders)), 2)
        self.order.action_confirm()
        if self.order in self._sent(*self.orders).order_id:
            self.order = self.orders[-1]
            self.order.action_confirm()
        with freeze_time(f"{self._day(1)} 12:00:00"):
            self._cron_send()
        self.assertAllSentOnce(self.order)
        today, yesterday = self._get_runs()
        self.assertEqual((today.state, yesterday.state), ("done", "done"))
        self.assertEqual(len(yesterday.line_ids), 2)
        self.assertEqual(len(today.line_ids), 4)

    def test_killed_before_anything_was_planned_leaves_no_log(self):
        with self._interrupt("sales.followup.run", "_walk_candidates"):
            with self._killed():
                self._cron_send()
        self.assertFalse(self._get_runs())
        self._cron_send()
        self.assertAllSentOnce()

    # --- time -------------------------------------------------------------------

    @contextmanager
    def _hurried(self):
        """Have time be over after each step.

        :return: what is told to be left, one after the other
        """
        told = []

        def commit(crons, processed=0, *, remaining=None):
            told.append(remaining)
            crons.env.cr.commit()
            return 0

        with patch.object(IrCron, "_commit_progress", commit):
            yield told

    def test_time_that_is_over(self):
        """It says that there is more to do, and goes on when it is called again."""
        with self._hurried() as told:
            while not told or told[-1]:
                self._cron_send()
        self.assertEqual(told, [1] * (len(told) - 1) + [0])
        self.assertGreater(len(told), 4)
        self.assertAllSentOnce()
        [run] = self._get_runs()
        self.assertEqual(run.state, "done")

    def test_time_that_is_over_while_planning(self):
        """What was judged is not judged again."""
        judged = []
        model = type(self.env["sales.followup.run"])
        judge = model._judge_candidates

        def note(self, template, documents):
            judged.extend(documents.ids)
            return judge(self, template, documents)

        with (
            self._hurried() as told,
            patch.object(model, "_judge_candidates", note),
            patch(f"{MODULE}.runs.sales_followup_run_planning.PLAN_SIZE", 2),
            patch.object(
                model,
                "_walk_candidates",
                lambda self, template, position=None, walk=model._walk_candidates: walk(
                    self, template, position, size=2
                ),
            ),
        ):
            while not told or told[-1]:
                self._cron_send()
        self.assertEqual(sorted(judged), self.orders.ids)
        self.assertAllSentOnce()

    def test_documents_found_in_small_pages_are_judged_together(self):
        """Half of them were sent the first level, the others wait for it."""
        for order in self.orders[:3]:
            self._remind(order, template_id=self.first.id)
        third = self._create_level(14, series=self.first.series_id)
        for order in self.orders[3:]:
            self._remind(order, template_id=self.second.id)
        judge, judged = type(self.automatic)._judge_candidates, []

        def note(self, template, documents):
            judged.append(template)
            return judge(self, template, documents)

        with patch.object(type(self.automatic), "_judge_candidates", note):
            self._run_on(20)
        self.assertLessEqual(judged.count(third), 1)
        self.assertLessEqual(judged.count(self.second), 1)
        for order in self.orders[3:]:
            self.assertSent(order, third)
        for order in self.orders[:3]:
            self.assertSent(order, self.second)

    # --- others at work ---------------------------------------------------------

    def test_conflict_is_tried_again(self):
        """Somebody wrote on a document meanwhile: the batch starts anew."""
        with self._interrupt(
            "sales.followup.dispatcher",
            "_dispatch",
            times=3,
            before=1,
            error=SerializationFailure,
        ):
            self._cron_send()
        self.assertAllSentOnce()
        [run] = self._get_runs()
        self.assertEqual(run.state, "done")
        self.assertEqual(len(run.line_ids), 7)

    def test_conflict_that_never_ends_stops_no_other_company(self):
        there = self.env["res.company"].create(
            {"name": "ZZ", "currency_id": self.env.company.currency_id.id}
        )
        theirs = self._create_due(company_id=there.id)
        model = type(self.env["sales.followup.dispatcher"])
        dispatch = model._dispatch

        def conflict(self, orders, mode):
            if self.env.company != there:
                raise SerializationFailure
            return dispatch(self, orders, mode)

        with (
            patch.object(model, "_dispatch", conflict),
            patch("odoo.addons.sales_followup.batches.time.sleep"),
        ):
            self._cron_send()
        self.assertSent(theirs, self.first)
        self.assertAllSentOnce(*self.orders)
        self._cron_send()
        self.assertAllSentOnce()

    def test_document_that_always_conflicts_stops_no_other(self):
        bad = self.orders[0]
        model = type(self.env["sales.followup.dispatcher"])
        dispatch = model._dispatch

        def conflict(self, orders, mode):
            if bad in [order.document for order in orders]:
                raise SerializationFailure
            return dispatch(self, orders, mode)

        with (
            patch.object(model, "_dispatch", conflict),
            patch("odoo.addons.sales_followup.batches.time.sleep"),
        ):
            self._cron_send()
        self.assertAllSentOnce(bad)
        self._cron_send()
        self.assertAllSentOnce()

    def test_error_in_one_company_stops_no_other(self):
        there = self.env["res.company"].create(
            {"name": "ZZ", "currency_id": self.env.company.currency_id.id}
        )
        theirs = self._create_due(company_id=there.id)
        model = type(self.env["sales.followup.run"])
        plan = model._plan

        def fail(self, run):
            if self.env.company != there:
                raise ZeroDivisionError
            return plan(self, run)

        with patch.object(model, "_plan", fail):
            self._cron_send()
        self.assertSent(theirs, self.first)
        self.assertAllSentOnce(*self.orders)

    def test_documents_somebody_else_holds_are_asked_for_again(self):
        cron = self.env.ref("sales_followup.ir_cron_send_automatic")
        triggers = self.env["ir.cron.trigger"]
        triggers.search([("cron_id", "=", cron.id)]).unlink()
        model = type(self.env["sales.followup.dispatcher"])
        lock, held = model._lock, self.orders[2:4]

        def lock_others(self, documents):
            return lock(self, documents).filtered(lambda one: one.id not in held.ids)

        with patch.object(model, "_lock", lock_others):
            self._cron_send()
            self.assertAllSentOnce(*held)
            [run] = self._get_runs()
            self.assertEqual(run.state, "running")
            self.assertGreater(
                triggers.search([("cron_id", "=", cron.id)]).call_at,
                fields.Datetime.now(),
            )
        self._cron_send()
        self.assertAllSentOnce()
        self.assertEqual(self._get_runs(), run)
        self.assertEqual(run.state, "done")

    def test_another_worker_in_the_same_company(self):
        """It does the work, so there is nothing to do; when it is gone there is."""
        lock = f"{MODULE}.runs.sales_followup_run_planning.LOCK"
        with patch(lock, 4711), sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            key = [4711, self.env.company.id]
            cr.execute("SELECT pg_advisory_lock(%s, %s)", key)
            self._cron_send()
            self.assertFalse(self._get_runs())
            cr.execute("SELECT pg_advisory_unlock(%s, %s)", key)
            self._cron_send()
        self.assertAllSentOnce()

    def test_what_changed_after_planning_is_asked_again(self):
        steps = self.automatic._in_company(self.env.company)._send_due()
        next(steps)
        self.order.followup_exclude = True
        self._answer(self.orders[0])
        self._remind(self.orders[1], template_id=self.first.id)
        self.orders[2].action_confirm()
        for _step in steps:
            pass
        self.env.invalidate_all()
        self.assertAllSentOnce(*self.orders[:4])
        run = self._get_runs()
        self.assertLogged(run, self.order, "skipped", "is marked")
        self.assertLogged(run, self.orders[0], "skipped", "answered")
        self.assertNotIn(self.orders[1], run.line_ids.order_id)
        self.assertLogged(run, self.orders[2], "skipped", "not open")

    def test_switched_off_in_the_middle(self):
        steps = self.automatic._in_company(self.env.company)._send_due(Paces(3))
        while not self._sent(*self.orders):
            next(steps)
        self.env.company.followup_automatic = False
        for _step in steps:
            pass
        self.assertEqual(len(self._sent(*self.orders)), 3)

    def test_database_refuses_a_second_one(self):
        self._cron_send()
        [reminder] = self._sent(self.order)
        with (
            self.assertRaises(UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env["sales.followup.reminder"].create(
                {
                    "order_id": self.order.id,
                    "template_id": self.first.id,
                    "channel": "email",
                    "origin": "auto",
                    "state": "failed",
                }
            )
        self.assertEqual(self._sent(self.order), reminder)

    # --- the log ----------------------------------------------------------------

    def test_log_is_no_users_to_stop(self):
        """The setting stops it; pressing “Pause” on its log would not."""
        steps = self.automatic._in_company(self.env.company)._send_due()
        next(steps)
        run = self._get_runs()
        run.action_pause()
        run.action_cancel()
        self.assertEqual(run.state, "running")

    def test_run_that_did_nothing_leaves_no_log(self):
        self._cron_send()
        runs = self._get_runs()
        lines = runs.line_ids
        self._cron_send()
        self.assertEqual(self._get_runs(), runs)
        self.assertEqual(runs.line_ids, lines)

    def _create_old_log(self, real_days):
        """Make a log that is older, by the clock of the database."""
        run = self._run()
        self.env.cr.execute(
            """
            UPDATE sales_followup_run
               SET date = NOW() AT TIME ZONE 'UTC' - MAKE_INTERVAL(days => %s)
             WHERE id = %s
            """,
            [real_days, run.id],
        )
        run.invalidate_recordset()
        return run

    def test_old_logs_are_removed(self):
        """Their lines only: runs and reminders stay."""
        self.env.company.followup_keep_days = 30
        young, old = self._create_old_log(29), None
        self.assertEqual(len(young.line_ids), 7)
        self._stand_still(7)
        old = self._create_old_log(31)
        reminders = old.reminder_ids
        self.env["sales.followup.run.line"]._gc_old_logs()
        self.env.invalidate_all()
        self.assertEqual(len(young.line_ids), 7)
        self.assertFalse(old.line_ids)
        self.assertEqual(len(reminders.exists()), 7)
        self.assertEqual(old.reminder_ids, reminders)

    def test_old_logs_are_removed_in_batches(self):
        self.env.company.followup_keep_days = 30
        self._create_old_log(31)
        lines = self.env["sales.followup.run.line"]
        with patch(f"{MODULE}.runs.sales_followup_run_line.GC_SIZE", 4):
            self.assertEqual(lines._gc_old_logs(), (4, True))
            self.assertEqual(lines._gc_old_logs(), (3, False))

    def test_logs_are_kept_for_ever_where_set(self):
        self.env.company.followup_keep_days = 0
        run = self._create_old_log(10000)
        self.env["sales.followup.run.line"]._gc_old_logs()
        self.assertEqual(len(run.line_ids), 7)

    def test_lines_of_bulk_runs_are_kept(self):
        self.env.company.followup_keep_days = 30
        run = self.env["sales.followup.run"].create({})
        run.action_propose()
        count = len(run.line_ids)
        self.assertTrue(count)
        run.write({"state": "done", "date": "2020-01-01"})
        self.env["sales.followup.run.line"]._gc_old_logs()
        self.assertEqual(len(run.line_ids), count)
