from odoo import Command, fields
from odoo.tests import tagged

from .test_journal import JournalCommon


@tagged("post_install", "-at_install")
class TestHandover(JournalCommon):
    """P5: what goes along with a replacement, and comes back with its undo."""

    def _plan_activity(self, record, user):
        return self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                "user_id": user.id,
                "date_deadline": fields.Date.today(),
            }
        )

    def _preview_replacement(self, **values):
        return self._preview(
            self.customer,
            mode="replace",
            old_user_id=self.carol.id,
            new_user_id=self.bob.id,
            **values,
        )

    def test_open_activities_go_along_and_come_back(self):
        order = self._create_carols_order()
        hers, others, done = (
            self._plan_activity(order, user)
            for user in (self.carol, self.alice, self.carol)
        )
        elsewhere = self._plan_activity(self.customer, self.carol)
        done.action_done()
        wizard = self._preview_replacement(move_activities=True)
        self.assertEqual(wizard.activity_count, 1)
        before = self.env["mail.mail"].search_count([])
        wizard.action_apply()
        # the digest, and none for an activity
        self.assertEqual(self.env["mail.mail"].search_count([]), before + 1)
        self.assertEqual(hers.user_id, self.bob)
        self.assertEqual(others.user_id, self.alice)
        self.assertEqual((done | elsewhere).user_id, self.carol)
        wizard.change_id.action_undo()
        self.assertEqual(hers.user_id, self.carol)
        self.assertEqual(wizard.change_id.state, "undone")

    def test_without_the_option_activities_stay(self):
        order = self._create_carols_order()
        activity = self._plan_activity(order, self.carol)
        self._preview_replacement().action_apply()
        self.assertReps(order, self.bob)
        self.assertEqual(activity.user_id, self.carol)

    def test_activity_of_a_document_that_is_left_stays(self):
        order = self._create_carols_order()
        activity = self._plan_activity(order, self.carol)
        wizard = self._preview_replacement(move_activities=True)
        order.followup_rep_ids = [Command.set(self.editor.ids)]
        wizard.action_apply()
        self.assertEqual(activity.user_id, self.carol)

    def test_activity_done_since_stays_with_who_did_it(self):
        order = self._create_carols_order()
        activity = self._plan_activity(order, self.carol)
        wizard = self._preview_replacement(move_activities=True)
        wizard.action_apply()
        activity.action_done()
        wizard.change_id.action_undo()
        self.assertReps(order, self.carol)
        self.assertEqual(activity.user_id, self.bob)

    def test_customers_activities_go_along(self):
        activity = self._plan_activity(self.customer, self.alice)
        wizard = (
            self.env["sales.followup.assign"]
            .with_user(self.editor)
            .create(
                {
                    "partner_ids": [Command.set(self.customer.ids)],
                    "operation": "replace",
                    "old_user_id": self.alice.id,
                    "new_user_id": self.carol.id,
                    "move_activities": True,
                }
            )
        )
        self.assertEqual(wizard.activity_count, 1)
        wizard.action_apply()
        self.assertReps(self.customer, self.carol, self.bob)
        self.assertEqual(activity.user_id, self.carol)
        wizard.change_id.action_undo()
        self.assertEqual(activity.user_id, self.alice)
