from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_digest import DigestCommon


@tagged("post_install", "-at_install")
class TestSeveralCustomersAtOnce(DigestCommon):
    """P6, P7: what is written on several customers at once is a change like others,
    whatever the route."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_customer(cls.alice)
        cls.contact = cls._create_contact(cls.other)
        cls.customers = (cls.customer + cls.other).with_user(cls.editor)

    def _get_change(self):
        change = self.env["sales.followup.change"].search([], limit=1)
        self.assertEqual((change.operation, change.state), ("edit", "done"))
        self.assertEqual(change.user_id, self.editor)
        return change

    def assertJournalled(self):
        """Assert one change, one digest for Carol, and that an undo restores all."""
        self.assertReps(self.customer, self.carol)
        self.assertReps(self.other, self.carol)
        self.assertReps(self.contact, self.carol)
        change = self._get_change()
        self.assertEqual(change.changed_count, 3)
        self.assertEqual(set(self._get_notified()), {self.carol})
        self._get_digest(self.carol)
        change.with_user(self.editor).action_undo()
        self.assertReps(self.customer, self.alice, self.bob)
        self.assertReps(self.other, self.alice)
        self.assertReps(self.contact, self.alice)

    def test_write_on_several_customers_is_journalled(self):
        self.customers.write({"followup_rep_ids": [Command.set(self.carol.ids)]})
        self.assertJournalled()

    def test_edit_of_several_rows_is_journalled(self):
        values = {"followup_rep_ids": [Command.set(self.carol.ids)], "ref": "C-1"}
        rows = self.customers.web_save_multi(
            [dict(values), dict(values)], {"ref": {}, "user_id": {}}
        )
        self.assertEqual([row["user_id"] for row in rows], [self.carol.id] * 2)
        self.assertEqual(self.customers.mapped("ref"), ["C-1", "C-1"])
        self.assertJournalled()

    def test_rows_may_get_different_representatives(self):
        self.customers.web_save_multi(
            [{"user_id": self.carol.id}, {"followup_rep_ids": [Command.clear()]}], {}
        )
        self.assertReps(self.customer, self.carol, self.bob)
        self.assertReps(self.other)
        self.assertEqual(self._get_change().changed_count, 3)

    def test_one_customer_is_not_journalled(self):
        count = self.env["sales.followup.change"].search_count([])
        self.customers[0].user_id = self.carol
        self.customers.write({"ref": "C-1"})
        self.assertEqual(self.env["sales.followup.change"].search_count([]), count)

    def test_who_is_no_editor_is_refused(self):
        with self.assertRaises(AccessError):
            self.customers.with_user(self.clerk).web_save_multi(
                [{"user_id": self.carol.id}] * 2, {}
            )

    def test_deleting_a_user_tells_the_next_one_once(self):
        second = self._create_customer(self.alice, self.bob)
        self._start_listening()
        self.alice.unlink()
        for customer in (self.customer, second):
            self.assertReps(customer, self.bob)
        self.assertReps(self.other)
        self.assertEqual(set(self._get_notified()), {self.bob})
        self.assertCounts(self._get_digest(self.bob), Customers=2)
        change = self.env["sales.followup.change"].search([], limit=1)
        self.assertEqual(change.operation, "unassign")
        self.assertEqual(change.user_id, self.env.user)

    def test_wizards_tell_of_subsidiaries_that_they_do_not_cover(self):
        self._create_contact(self.other, is_company=True, name="Subsidiary")
        for model in ("sales.followup.assign", "sales.followup.propagate"):
            wizard = (
                self.env[model]
                .with_user(self.editor)
                .create({"partner_ids": [Command.set(self.customers.ids)]})
            )
            self.assertEqual(wizard.subsidiary_count, 1)

    def test_wizard_tells_who_cannot_open_the_customers(self):
        self.other.company_id = self._create_company(name="Elsewhere")
        wizard = self.env["sales.followup.assign"].create(
            {
                "partner_ids": [Command.set(self.customers.ids)],
                "user_ids": [Command.set(self.carol.ids)],
            }
        )
        self.assertRegex(wizard.access_warning, "Carol.*Elsewhere")
        self.other.company_id = False
        wizard.invalidate_recordset()
        self.assertFalse(wizard.access_warning)
