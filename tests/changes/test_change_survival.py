from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import FollowupCommon


@tagged("post_install", "-at_install")
class TestSurvival(FollowupCommon):
    """Bulk changes when users, fields and teams go or move in between."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leaver = cls._create_salesperson("leaver")
        cls.customer = cls._create_customer(cls.leaver)
        cls.order = cls._create_order(cls.customer)

    def _preview(self, partners=None, **values):
        wizard = (
            self.env["sales.followup.propagate"]
            .with_user(self.editor)
            .create(
                {
                    "partner_ids": [Command.set((partners or self.customer).ids)],
                    **values,
                }
            )
        )
        wizard.action_preview()
        return wizard

    def _assign(self, operation, partners=None, **arguments):
        partners = (partners or self.customer).with_user(self.editor)
        return partners._followup_change_in_bulk(operation, **arguments)

    def _replace(self, partners=None):
        return self._assign(
            "replace", partners, leaver=self.leaver.id, joiner=self.carol.id
        )

    def test_undo_keeps_the_values_of_a_deleted_user(self):
        other = self._create_customer(self.leaver, self.alice)
        change = self._replace(self.customer | other)
        self.order.write(
            {"user_id": self.carol.id, "followup_rep_ids": [Command.clear()]}
        )
        self.leaver.unlink()
        change.action_undo()
        self.assertEqual(change.state, "undone")
        self.assertReps(self.customer, self.carol)
        # its former lead is gone, so the present one stays
        self.assertReps(other, self.carol, self.alice)

    def test_user_archived_since_the_preview_is_put_onto_no_document(self):
        self.customer.followup_rep_ids = self.carol
        wizard = self._preview()
        self.carol.active = False
        wizard.action_apply()
        self.assertReps(self.order, self.leaver)
        self.assertEqual(wizard.change_id.left_count, 1)
        self.assertEqual(wizard.change_id.changed_count, 0)

    def test_user_deleted_since_the_preview_leaves_its_documents_alone(self):
        self.customer.followup_rep_ids = self.carol
        stays = self._create_customer(self.alice)
        order = self._create_order(stays)
        stays.followup_rep_ids = self.bob
        wizard = self._preview(self.customer | stays)
        self.carol.unlink()
        wizard.action_apply()
        self.assertReps(self.order, self.leaver)
        self.assertReps(order, self.bob)

    def test_line_of_a_field_that_is_gone_is_kept_at_the_undo(self):
        change = self._replace()
        line = change.sudo().line_ids[0]
        line.copy({"field": "x_gone"})
        change.action_undo()
        self.assertEqual(change.state, "undone")
        self.assertReps(self.customer, self.leaver)
        gone = change.line_ids.filtered(lambda line: line.field == "x_gone")
        self.assertEqual(gone.state, "kept")
        self.assertEqual(gone.reason, "The field does not exist any more")

    def test_archived_user_cannot_take_over(self):
        self.carol.active = False
        with self.assertRaisesRegex(UserError, "Carol"):
            self._replace()
        with self.assertRaisesRegex(UserError, "Carol"):
            self._assign("assign", users=self.carol.ids)
        self.assertReps(self.customer, self.leaver)

    def test_archived_user_can_be_unassigned(self):
        self.leaver.active = False
        self._assign("unassign", users=self.leaver.ids)
        self.assertReps(self.customer)

    def test_undo_gives_back_a_team_chosen_by_hand(self):
        team = self.env["crm.team"].create({"name": "Special"})
        other = self.env["crm.team"].create(
            {"name": "Carol's", "member_ids": [Command.set(self.carol.ids)]}
        )
        self.order.team_id = team
        self.customer.followup_rep_ids = self.carol
        wizard = self._preview()
        wizard.action_apply()
        self.assertEqual(self.order.team_id, other)
        wizard.change_id.action_undo()
        self.assertReps(self.order, self.leaver)
        self.assertEqual(self.order.team_id, team)

    def test_undo_gives_an_opportunity_its_team_and_stage_back(self):
        if "crm.lead" not in self.env:
            self.skipTest("needs crm")
        special, other = self.env["crm.team"].create(
            [
                {"name": "Special"},
                {"name": "Carol's", "member_ids": [Command.set(self.carol.ids)]},
            ]
        )
        stage = self.env["crm.stage"].create(
            {"name": "Special", "team_ids": [Command.set(special.ids)]}
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "Opportunity",
                "type": "opportunity",
                "partner_id": self.customer.id,
                "user_id": self.leaver.id,
                "team_id": special.id,
                "stage_id": stage.id,
            }
        )
        self.customer.followup_rep_ids = self.carol
        wizard = self._preview(
            type_ids=[
                Command.set(
                    self.env.ref("sales_followup.document_type_opportunity").ids
                )
            ]
        )
        wizard.action_apply()
        self.assertEqual((lead.user_id, lead.team_id), (self.carol, other))
        self.assertEqual(lead.stage_id, stage)
        wizard.change_id.action_undo()
        self.assertEqual((lead.user_id, lead.team_id), (self.leaver, special))
        self.assertEqual(lead.stage_id, stage)

    def test_warehouse_stays_where_it_was(self):
        if "warehouse_id" not in self.order:
            self.skipTest("needs sale_stock")
        warehouse = self.env["stock.warehouse"].create({"name": "Far", "code": "FAR"})
        self.order.warehouse_id = warehouse
        self.customer.followup_rep_ids = self.carol
        self._preview().action_apply()
        self.assertReps(self.order, self.carol)
        self.assertEqual(self.order.warehouse_id, warehouse)

    def test_contact_out_of_sight_follows_its_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        contact = self._create_contact(self.customer, company_id=company.id)
        self._replace()
        self.assertReps(contact, self.carol)

    def test_customer_whose_representatives_all_left_is_told_as_such(self):
        self.customer.followup_rep_ids = self.bob
        self.bob.active = False
        self.assertEqual(self._preview().line_ids.reason, "no_rep")

    def test_user_who_changed_in_bulk_can_be_deleted(self):
        change = self._replace()
        self.editor.unlink()
        self.assertTrue(change.sudo().exists())

    def test_no_salesperson_written_with_a_parent_stays_none(self):
        contact = self.env["res.partner"].create({"name": "Contact"})
        contact.write({"parent_id": self.customer.id, "user_id": False})
        self.assertReps(contact)

    def test_what_the_new_parent_gives_may_be_written_with_it(self):
        contact = self.env["res.partner"].create({"name": "Contact"})
        contact.with_user(self.clerk).write(
            {
                "parent_id": self.customer.id,
                "user_id": self.leaver.id,
                "followup_rep_ids": [Command.set(self.leaver.ids)],
            }
        )
        self.assertReps(contact, self.leaver)
