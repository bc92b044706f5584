from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.changes import sales_followup_change_background as background
from .test_journal import JournalCommon


@tagged("post_install", "-at_install")
class TestBackground(JournalCommon):
    """Changes too big to wait for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.followup_background_from = 3
        cls.orders = cls.env["sale.order"].concat(
            *(cls._create_carols_order() for _number in range(5))
        )
        cls.cron = cls.env.ref("sales_followup.ir_cron_process_changes")

    def _run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()

    def _queue(self):
        """Apply to five orders, which is too big to wait for."""
        change = self._propagate(self.customer)
        self.assertEqual(change.state, "running")
        return change

    def _step(self, change, size):
        """Do a batch as the scheduled action does."""
        change.sudo()._as_author()._process_queued(size)
        self.env.flush_all()
        self.env.invalidate_all()

    def assertDone(self, number):
        done = self.orders.filtered(lambda order: order.user_id == self.alice)
        self.assertEqual(len(done), number)

    # --- doing ------------------------------------------------------------------

    def test_small_change_is_done_while_the_user_waits(self):
        self.env.company.followup_background_from = 5
        self.assertEqual(self._propagate(self.customer).state, "done")
        self.assertDone(5)

    def test_zero_waits_for_everything(self):
        self.env.company.followup_background_from = 0
        self.assertEqual(self._propagate(self.customer).state, "done")

    def test_big_change_is_done_by_the_scheduled_action(self):
        change = self._queue()
        self.assertDone(0)
        self.assertEqual((change.progress, change.is_background), (0, True))
        self.assertEqual(set(change.line_ids.mapped("state")), {"planned"})
        self._run_cron()
        self.assertDone(5)
        self.assertEqual((change.state, change.progress), ("done", 100))
        self.assertEqual((change.changed_count, change.left_count), (5, 0))
        self.assertEqual(set(change.line_ids.mapped("state")), {"done"})
        self._run_cron()
        self.assertEqual(change.changed_count, 5)

    def test_customers_are_changed_in_the_background_too(self):
        customers = self.env["res.partner"].concat(
            *(self._create_customer(self.alice) for _number in range(4))
        )
        change = self._assign(customers, self.carol)
        self.assertEqual(change.state, "running")
        self._run_cron()
        for customer in customers:
            self.assertReps(customer, self.alice, self.carol)

    def test_progress_shows_how_far_it_has_come(self):
        change = self._queue()
        self._step(change, 2)
        self.assertDone(2)
        self.assertEqual((change.state, change.progress), ("running", 40))
        self.assertEqual(set(change.line_ids.mapped("state")), {"done", "planned"})

    def test_batch_that_was_killed_is_done_again_and_no_other(self):
        change = self._queue()
        self._step(change, 2)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self._step(change, 2)
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertDone(2)
        self._run_cron()
        self.assertDone(5)
        self.assertEqual((change.changed_count, change.left_count), (5, 0))
        teams = change.line_ids.filtered(lambda line: line.field == "team_id")
        self.assertEqual(len(teams), len(set(teams.mapped("res_id"))))

    def test_author_is_told_at_the_end(self):
        before = self.env["mail.message"].search([], order="id desc", limit=1).id
        self._queue()
        self._run_cron()
        message = self.env["mail.message"].search(
            [
                ("id", ">", before),
                ("partner_ids", "in", self.editor.partner_id.ids),
            ]
        )
        self.assertEqual(len(message), 1)
        self.assertIn("5 of 5 records changed", message.body)

    def test_second_change_of_the_same_records_writes_what_is_as_it_planned(self):
        first = self._propagate(self.customer)
        second = self._propagate(
            self.customer,
            mode="replace",
            old_user_id=self.carol.id,
            new_user_id=self.bob.id,
        )
        self._run_cron()
        self.assertEqual((first.changed_count, first.left_count), (5, 0))
        self.assertEqual((second.changed_count, second.left_count), (0, 5))
        self.assertDone(5)

    def test_record_that_nobody_foresaw_is_left_alone(self):
        change = self._queue()
        writer = self.registry["sales.followup.rep.writer"]
        write, refusing = writer._write_reps, self.orders[2].id

        def refuse(self, target, before, after, *args):
            if refusing in after:
                raise ZeroDivisionError("Nobody foresaw this")
            return write(self, target, before, after, *args)

        logger = "odoo.addons.sales_followup.models.changes"
        with patch.object(writer, "_write_reps", refuse), self.assertLogs(logger):
            self._run_cron()
        self.assertDone(4)
        self.assertEqual((change.changed_count, change.left_count), (4, 1))
        lines = change.line_ids.filtered(lambda line: line.res_id == refusing)
        self.assertEqual(set(lines.mapped("reason")), {"Nobody foresaw this"})

    # --- pausing, cancelling ----------------------------------------------------

    def test_paused_change_waits_and_goes_on(self):
        change = self._queue()
        self._step(change, 2)
        change.action_pause()
        self.assertEqual((change.state, change.changed_count), ("paused", 2))
        self._run_cron()
        self.assertDone(2)
        change.action_resume()
        self._run_cron()
        self.assertDone(5)
        self.assertEqual(change.changed_count, 5)

    def test_cancelled_change_stays_where_it_was_and_can_be_undone(self):
        change = self._queue()
        self._step(change, 2)
        change.action_cancel()
        self._run_cron()
        self.assertDone(2)
        self.assertEqual((change.state, change.changed_count), ("cancelled", 2))
        self.assertEqual(set(change.line_ids.mapped("state")), {"done", "cancelled"})
        message = change.action_undo()["params"]["message"]
        self.assertIn("2 of 2 records", message)
        self.assertDone(0)
        self.assertEqual(change.state, "undone")
        self.assertEqual(set(change.line_ids.mapped("state")), {"undone", "cancelled"})

    def test_only_editors_manage_a_change(self):
        change = self._queue()
        for action in ("action_pause", "action_resume", "action_cancel"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(change.with_user(self.alice), action)()
        self.assertEqual(change.state, "running")

    def test_change_whose_author_lost_the_right_stops_and_an_editor_resumes_it(self):
        change = self._queue()
        self.editor.group_ids -= self.env.ref("sales_followup.group_rep_editor")
        self._run_cron()
        self.assertDone(0)
        self.assertEqual(change.sudo().state, "paused")
        self.assertIn("may no longer change", change.sudo().failure_reason)
        colleague = self._create_user(
            "colleague",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
        )
        change.with_user(colleague).action_resume()
        self._run_cron()
        self.assertDone(5)
        self.assertFalse(change.sudo().failure_reason)

    # --- undoing ----------------------------------------------------------------

    def test_big_change_is_undone_in_the_background(self):
        change = self._queue()
        self._run_cron()
        action = change.action_undo()
        self.assertIn("in the background", action["params"]["message"])
        self.assertTrue(change.is_undo)
        self.assertDone(5)
        self._step(change, 2)
        self.assertDone(3)
        self.assertEqual(set(change.line_ids.mapped("state")), {"done", "undone"})
        self._run_cron()
        self.assertDone(0)
        self.assertEqual((change.state, change.undone_count), ("undone", 5))

    def test_cancelled_undo_can_be_taken_up_again(self):
        change = self._queue()
        self._run_cron()
        change.action_undo()
        self._step(change, 2)
        change.action_cancel()
        self._run_cron()
        self.assertDone(3)
        self.assertEqual((change.state, change.undone_count), ("done", 2))
        change.action_undo()
        self._run_cron()
        self.assertDone(0)
        self.assertEqual((change.state, change.undone_count), ("undone", 5))

    def test_work_in_batches_ends_as_it_would_at_once(self):
        change = self._queue()
        with patch.object(background, "BATCH_SIZE", 2):
            self._run_cron()
        self.assertDone(5)
        self.assertEqual(change.changed_count, 5)

    def test_untouched_orders_come_back_and_others_stay(self):
        change = self._queue()
        self._run_cron()
        self.orders[0].followup_rep_ids = [Command.set(self.bob.ids)]
        self.orders[0].user_id = self.bob
        change.action_undo()
        self._run_cron()
        self.assertEqual((change.undone_count, change.kept_count), (4, 1))
        self.assertReps(self.orders[0], self.bob)
