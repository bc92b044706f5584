from odoo import Command
from odoo.tests import HttpCase, tagged

from ..common import FollowupCommon


@tagged("post_install", "-at_install")
class TestTours(FollowupCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customers = cls.env["res.partner"].concat(
            *(
                cls._create_customer(cls.alice, name=f"Touring Customer {number}")
                for number in range(3)
            )
        )
        cls.editor.password = cls.editor.login
        cls.alice.write(
            {
                "password": cls.alice.login,
                "group_ids": [
                    Command.link(cls.env.ref(group).id)
                    for group in (
                        "base.group_partner_manager",
                        "sales_followup.group_rep_editor",
                    )
                ],
            }
        )

    def _start(self, tour, user):
        self.start_tour(
            "/odoo/action-base.action_partner_form?view_type=list",
            tour,
            login=user.login,
        )

    def test_salesperson_assigns_three_customers_from_the_list(self):
        self._start("sales_followup_assign", self.alice)
        for customer in self.customers:
            self.assertReps(customer, self.alice, self.bob)

    def test_editor_previews_unticks_applies_and_undoes(self):
        orders = self.env["sale.order"].concat(
            *(self._create_order(customer) for customer in self.customers)
        )
        self.customers.write({"followup_rep_ids": [Command.set(self.bob.ids)]})
        self._start("sales_followup_propagate", self.editor)
        for order in orders:
            self.assertReps(order, self.alice)
        change = self.env["sales.followup.change"].search([], limit=1)
        self.assertEqual(change.operation, "propagate")
        self.assertEqual(change.state, "undone")
        self.assertEqual(len(set(change.line_ids.mapped("res_id"))), 2)
        self.assertFalse(set(change.line_ids.mapped("res_id")) - set(orders.ids))
