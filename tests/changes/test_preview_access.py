from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import FollowupCommon


@tagged("post_install", "-at_install")
class TestPreviewAccess(FollowupCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice)
        cls.order = cls._create_order(cls.customer)
        cls.customer.followup_rep_ids = cls.bob
        cls.wizard = (
            cls.env["sales.followup.propagate"]
            .with_user(cls.editor)
            .create({"partner_ids": [Command.set(cls.customer.ids)]})
        )
        cls.wizard.action_preview()

    def test_preview_line_can_be_unticked(self):
        self.wizard.line_ids.write({"selected": False})
        self.assertEqual(self.wizard.selected_count, 0)

    def test_preview_line_cannot_be_forged(self):
        for values in (
            {"model": "res.partner"},
            {"res_id": 1},
            {"new_lead_id": self.editor.id},
            {"new_ids": [self.editor.id], "selected": True},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                self.wizard.line_ids.write(values)
            with self.subTest(values), self.assertRaises(AccessError):
                self.wizard.write(
                    {"line_ids": [Command.update(self.wizard.line_ids.id, values)]}
                )

    def test_preview_line_cannot_be_added(self):
        with self.assertRaises(AccessError):
            self.wizard.line_ids.copy()

    def test_preview_of_somebody_else_is_out_of_reach(self):
        other = self._create_user(
            "other_editor",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
        )
        with self.assertRaises(AccessError):
            self.wizard.with_user(other).action_apply()
        self.assertReps(self.order, self.alice)
