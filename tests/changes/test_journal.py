from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_documents import DocumentsCommon


class JournalCommon(DocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    @classmethod
    def _create_carols_order(cls, **values):
        """Create an order that Carol sold and follows."""
        return cls._create_order(
            cls.customer,
            **{
                "user_id": cls.carol.id,
                "followup_rep_ids": [Command.set(cls.carol.ids)],
                **values,
            },
        )

    def _change_partners(self, partners, operation, user=None, **values):
        """Change representatives by the wizard: the change made."""
        wizard = (
            self.env["sales.followup.assign"]
            .with_user(user or self.editor)
            .create(
                {
                    "partner_ids": [Command.set(partners.ids)],
                    "operation": operation,
                    **values,
                }
            )
        )
        wizard.action_apply()
        return wizard.change_id

    def _assign(self, partners, *users, **values):
        user_ids = [Command.set([user.id for user in users])]
        return self._change_partners(partners, "assign", user_ids=user_ids, **values)

    def _journal(self, change):
        """Return a change's lines: (model, id, field) → (old, new) users."""
        change.line_ids.invalidate_recordset()
        return {
            (line.model, line.res_id, line.field): (
                self.env["res.users"].browse(line.old_ids or []),
                self.env["res.users"].browse(line.new_ids or []),
            )
            for line in change.line_ids
        }

    def assertStates(self, change, record, states):
        """Assert the states of a record's lines, by field."""
        change.line_ids.invalidate_recordset()
        lines = change.line_ids.filtered(
            lambda line: (line.model, line.res_id) == (record._name, record.id)
        )
        self.assertEqual({line.field: line.state for line in lines}, states)


@tagged("post_install", "-at_install")
class TestJournal(JournalCommon):
    def test_lines_hold_old_and_new_values_of_documents(self):
        order = self._create_carols_order()
        invoice = self._create_invoice(
            self.customer,
            invoice_user_id=self.alice.id,
            followup_rep_ids=[Command.set(self.carol.ids)],
        )
        change = self._propagate(self.customer)
        self.assertEqual(
            self._journal(change),
            {
                ("sale.order", order.id, "user_id"): (self.carol, self.alice),
                ("sale.order", order.id, "followup_rep_ids"): (
                    self.carol,
                    self.alice | self.bob,
                ),
                ("account.move", invoice.id, "followup_rep_ids"): (
                    self.carol,
                    self.alice | self.bob,
                ),
            },
        )
        self.assertEqual(set(change.line_ids.mapped("state")), {"done"})

    def test_lines_hold_old_and_new_values_of_customers_and_their_contacts(self):
        contact = self._create_contact(self.customer)
        own = self._create_contact(
            self.customer, followup_rep_ids=[Command.set(self.editor.ids)]
        )
        change = self._assign(self.customer, self.carol, lead_id=self.carol.id)
        values = {
            "user_id": (self.alice, self.carol),
            "followup_rep_ids": (
                self.alice | self.bob,
                self.alice | self.bob | self.carol,
            ),
        }
        self.assertEqual(
            self._journal(change),
            {
                ("res.partner", partner.id, name): value
                for partner in (self.customer, contact)
                for name, value in values.items()
            },
        )
        self.assertReps(own, self.editor)

    def test_every_operation_is_a_change_that_can_be_undone(self):
        self.env.company.followup_allow_clear = True
        for operation, values in (
            ("assign", {"user_ids": [Command.set(self.carol.ids)]}),
            ("unassign", {"user_ids": [Command.set(self.alice.ids)]}),
            ("replace", {"old_user_id": self.bob.id, "new_user_id": self.carol.id}),
            ("clear", {}),
        ):
            with self.subTest(operation=operation):
                change = self._change_partners(self.customer, operation, **values)
                self.assertEqual(change.operation, operation)
                self.assertEqual(change.user_id, self.editor)
                self.assertEqual(change.state, "done")
                self.assertEqual(change.changed_count, 1)
                self.assertNotEqual(
                    self.customer.followup_rep_ids, self.alice | self.bob
                )
                change.action_undo()
                self.assertReps(self.customer, self.alice, self.bob)

    def test_lines_name_their_record_to_those_who_may_see_it(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        line = change.line_ids[0]
        self.assertEqual(line.record_name, order.display_name)
        clerk = self._create_user(
            "editing_clerk",
            "base.group_partner_manager",
            "sales_followup.group_rep_editor",
        )
        self.assertEqual(line.with_user(clerk).record_name, f"#{order.id}")

    def test_nobody_writes_the_journal_by_hand(self):
        self._create_carols_order()
        change = self._propagate(self.customer)
        manager = self._create_user(
            "sales_admin",
            "sales_team.group_sale_manager",
            "sales_followup.group_manager",
            "sales_followup.group_rep_editor",
        )
        for record, values in (
            (change, {"state": "planned"}),
            (change.line_ids[0], {"old_ids": self.editor.ids}),
        ):
            with self.subTest(model=record._name):
                mine = record.with_user(manager)
                with self.assertRaises(AccessError):
                    mine.write(values)
                with self.assertRaises(AccessError):
                    mine.unlink()
                with self.assertRaises(AccessError):
                    mine.copy()

    def test_without_the_right_there_is_no_journal(self):
        self._create_carols_order()
        change = self._propagate(self.customer)
        for user in (self.alice, self.clerk, self.portal):
            with self.subTest(user=user.login):
                for record in (change, change.line_ids[0]):
                    with self.assertRaises(AccessError):
                        record.with_user(user).read(["state"])

    def test_changes_are_seen_in_their_company_only(self):
        second = self.env["res.company"].create({"name": "Second Company"})
        stranger = self._create_user(
            "stranger",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
            company_id=second.id,
            company_ids=[Command.set(second.ids)],
        )
        change = self._assign(self.customer, self.carol)
        for records in (change, change.line_ids):
            self.assertFalse(
                records.with_user(stranger).search([("id", "in", records.ids)])
            )
        with self.assertRaises(AccessError):
            change.with_user(stranger).action_undo()
        self.assertReps(self.customer, self.alice, self.bob, self.carol)

    def test_lines_are_seen_in_their_documents_company_only(self):
        second = self.env["res.company"].create({"name": "Second Company"})
        self.env.user.company_ids += second
        (self.carol | self.bob | self.editor).company_ids += second
        here = self._create_carols_order()
        there = self._create_carols_order(company_id=second.id)
        change = self._propagate(self.customer)
        self.assertEqual(change.changed_count, 2)
        colleague = self._create_user(
            "colleague",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
        )
        lines = (
            self.env["sales.followup.change.line"]
            .with_user(colleague)
            .search([("change_id", "=", change.id)])
        )
        self.assertEqual(set(lines.mapped("res_id")), {here.id})
        self.assertReps(there, self.bob)


@tagged("post_install", "-at_install")
class TestUndo(JournalCommon):
    def test_undo_restores_every_value(self):
        order = self._create_carols_order()
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_user_id=self.editor.id,
            followup_rep_ids=[Command.clear()],
        )
        change = self._propagate(self.customer)
        self.assertReps(order, self.alice, self.bob)
        self.assertReps(invoice, self.alice, self.bob, lead=self.editor)
        action = change.action_undo()
        self.assertReps(order, self.carol)
        self.assertReps(invoice, lead=self.editor)
        self.assertEqual(change.state, "undone")
        self.assertEqual((change.undone_count, change.kept_count), (2, 0))
        self.assertEqual(change.undo_user_id, self.editor)
        self.assertEqual(set(change.line_ids.mapped("state")), {"undone"})
        self.assertEqual(action["params"]["type"], "success")

    def test_undo_leaves_records_changed_since_and_reports_them(self):
        orders = [self._create_carols_order() for _number in range(4)]
        change = self._propagate(self.customer)
        for order in orders[:2]:
            order.write(
                {
                    "user_id": self.editor.id,
                    "followup_rep_ids": [Command.set(self.editor.ids)],
                }
            )
        action = change.action_undo()
        for order in orders[:2]:
            self.assertReps(order, self.editor)
            self.assertStates(
                change, order, {"user_id": "kept", "followup_rep_ids": "kept"}
            )
        for order in orders[2:]:
            self.assertReps(order, self.carol)
            self.assertStates(
                change, order, {"user_id": "undone", "followup_rep_ids": "undone"}
            )
        self.assertEqual((change.undone_count, change.kept_count), (2, 2))
        self.assertEqual(action["params"]["type"], "warning")
        for line in change.line_ids.filtered(lambda line: line.state == "kept"):
            self.assertIn("Changed since by somebody else", line.reason)

    def test_undo_restores_the_value_of_a_record_that_nobody_changed(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        order.user_id = self.editor
        change.action_undo()
        self.assertReps(order, self.carol, lead=self.editor)
        self.assertStates(
            change, order, {"user_id": "kept", "followup_rep_ids": "undone"}
        )

    def test_undo_leaves_a_customer_coherent(self):
        change = self._assign(self.customer, self.carol, lead_id=self.carol.id)
        self.customer.user_id = self.bob
        change.action_undo()
        self.assertReps(self.customer, self.bob, self.alice)

    def test_second_undo_does_nothing(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        change.action_undo()
        order.write(
            {
                "user_id": self.alice.id,
                "followup_rep_ids": [Command.set((self.alice | self.bob).ids)],
            }
        )
        undone_on = change.undo_date
        change.action_undo()
        self.assertReps(order, self.alice, self.bob)
        self.assertEqual((change.undone_count, change.kept_count), (1, 0))
        self.assertEqual(change.undo_date, undone_on)

    def test_undo_after_a_record_was_deleted_restores_the_others(self):
        order, deleted = self._create_carols_order(), self._create_carols_order()
        change = self._propagate(self.customer)
        deleted_id = deleted.id
        deleted.unlink()
        change.action_undo()
        self.assertReps(order, self.carol)
        gone = deleted.browse(deleted_id)
        self.assertStates(change, gone, {"user_id": "kept", "followup_rep_ids": "kept"})
        self.assertEqual((change.undone_count, change.kept_count), (1, 1))

    def test_undo_leaves_what_was_left_alone_when_applying(self):
        order, changed = self._create_carols_order(), self._create_carols_order()
        wizard = self._preview(self.customer)
        changed.followup_rep_ids = self.editor
        wizard.action_apply()
        wizard.change_id.action_undo()
        self.assertReps(order, self.carol)
        self.assertReps(changed, self.editor, lead=self.carol)

    def test_changes_undone_in_reverse_order_lead_back_to_the_start(self):
        order = self._create_carols_order()
        first = self._propagate(self.customer)
        second = self._propagate(
            self.customer,
            mode="replace",
            old_user_id=self.bob.id,
            new_user_id=self.editor.id,
        )
        self.assertReps(order, self.alice, self.editor)
        second.action_undo()
        self.assertReps(order, self.alice, self.bob)
        first.action_undo()
        self.assertReps(order, self.carol)

    def test_undo_of_an_earlier_change_leaves_the_later_one(self):
        order = self._create_carols_order()
        first = self._propagate(self.customer)
        self._propagate(
            self.customer,
            mode="replace",
            old_user_id=self.bob.id,
            new_user_id=self.editor.id,
        )
        first.action_undo()
        self.assertReps(order, self.alice, self.editor, lead=self.carol)

    def test_undo_brings_archived_representatives_back(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        self.carol.active = False
        change.action_undo()
        self.assertReps(order, self.carol)

    def test_undo_restores_the_sales_team_of_the_salesperson(self):
        teams = self.env["crm.team"].create(
            [
                {"name": "Hers", "member_ids": [Command.set(self.alice.ids)]},
                {"name": "Carols", "member_ids": [Command.set(self.carol.ids)]},
            ]
        )
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        self.assertEqual(order.team_id, teams[0])
        change.action_undo()
        self.assertEqual(order.team_id, teams[1])
        self.assertEqual(order.order_line.salesman_id, self.carol)

    def test_undo_of_a_customers_change_includes_its_contacts(self):
        contact = self._create_contact(self.customer)
        change = self._assign(self.customer, self.carol, lead_id=self.carol.id)
        self.assertReps(contact, self.carol, self.alice, self.bob)
        change.action_undo()
        self.assertReps(contact, self.alice, self.bob)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_only_editors_undo(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        for user in (self.alice, self.clerk):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                change.with_user(user).action_undo()
        self.assertReps(order, self.alice, self.bob)
        colleague = self._create_user(
            "colleague",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
        )
        change.with_user(colleague).action_undo()
        self.assertReps(order, self.carol)
        self.assertEqual(change.undo_user_id, colleague)

    def test_undo_leaves_what_the_user_may_not_see_to_somebody_else(self):
        order = self._create_carols_order()
        change = self._propagate(self.customer)
        seller = self._create_salesperson("selling_editor")
        seller.group_ids += self.env.ref("sales_followup.group_rep_editor")
        mine = self._assign(self.customer, self.carol)
        change.with_user(seller).action_undo()
        self.assertReps(order, self.alice, self.bob)
        self.assertStates(
            change, order, {"user_id": "done", "followup_rep_ids": "done"}
        )
        self.assertEqual((change.state, mine.state), ("done", "done"))
        change.action_undo()
        self.assertReps(order, self.carol)
        self.assertEqual(change.state, "undone")

    def test_undo_after_the_journal_was_removed_is_refused(self):
        self._create_carols_order()
        change = self._propagate(self.customer)
        change.sudo().line_ids.unlink()
        with self.assertRaisesRegex(UserError, "can no longer be undone"):
            change.action_undo()
        self.assertEqual(change.state, "done")

    def test_earlier_change_undone_first_stays_done_until_it_can_be(self):
        order = self._create_carols_order()
        first = self._propagate(self.customer)
        self.customer.followup_rep_ids = self.editor
        second = self._propagate(self.customer)
        action = first.action_undo()
        self.assertReps(order, self.editor)
        self.assertEqual((first.state, first.undone_count), ("done", 0))
        self.assertIn("0 of 1 records are as before", action["params"]["message"])
        self.assertEqual(action["params"]["type"], "warning")
        self.assertStates(first, order, {"user_id": "done", "followup_rep_ids": "done"})
        self.assertIn("Changed since", first.line_ids[0].reason)
        second.action_undo()
        action = first.action_undo()
        self.assertReps(order, self.carol)
        self.assertEqual(first.state, "undone")
        self.assertEqual((first.undone_count, first.kept_count), (1, 0))
        self.assertFalse(any(first.line_ids.mapped("reason")))
        self.assertEqual(action["params"]["message"], "1 of 1 records are as before.")

    def test_second_undo_says_that_there_is_nothing_to_undo(self):
        self._create_carols_order()
        change = self._propagate(self.customer)
        change.action_undo()
        action = change.action_undo()
        self.assertEqual(action["params"]["type"], "info")
        self.assertEqual(action["params"]["message"], "There is nothing to undo.")

    def test_undo_tells_why_each_record_stays(self):
        kept, deleted, moved, back = (self._create_carols_order() for _n in range(4))
        change = self._propagate(self.customer)
        kept.write({"user_id": self.editor.id, "followup_rep_ids": [Command.clear()]})
        deleted.unlink()
        moved.partner_id = self._create_customer(self.bob)
        expected = {
            "Changed since by somebody else (1)",
            "The record does not exist any more (1)",
            "It belongs to another customer now (1)",
        }
        outlook = change.undo_outlook
        self.assertIn("1 of 4 records come back", outlook)
        message = change.action_undo()["params"]["message"]
        self.assertIn("1 of 4 records are as before", message)
        for reason in expected:
            self.assertIn(reason, outlook)
            self.assertIn(reason, message)
        self.assertReps(back, self.carol)

    def test_undo_leaves_the_seller_of_an_invoice_posted_since(self):
        invoice = self._create_invoice(
            self.customer,
            invoice_user_id=self.carol.id,
            followup_rep_ids=[Command.set(self.carol.ids)],
        )
        change = self._propagate(self.customer)
        self.assertReps(invoice, self.alice, self.bob)
        invoice.invoice_date = fields.Date.today()
        invoice.action_post()
        change.action_undo()
        self.assertReps(invoice, self.carol, lead=self.alice)
        self.assertStates(
            change, invoice, {"invoice_user_id": "kept", "followup_rep_ids": "undone"}
        )

    def test_editor_of_own_documents_takes_back_what_they_handed_over(self):
        seller = self._create_salesperson("selling_editor")
        seller.group_ids += self.env.ref("sales_followup.group_rep_editor")
        order = self._create_order(
            self.customer,
            user_id=seller.id,
            followup_rep_ids=[Command.set(seller.ids)],
        )
        change = self._propagate(
            self.customer,
            user=seller,
            mode="replace",
            old_user_id=seller.id,
            new_user_id=self.carol.id,
        )
        self.assertReps(order, self.carol)
        self.assertFalse(order.with_user(seller).has_access("read"))
        change.with_user(seller).action_undo()
        self.assertReps(order, seller)
        self.assertEqual(change.state, "undone")

    def test_reason_stands_on_the_change(self):
        self._create_carols_order()
        self.assertEqual(
            self._propagate(self.customer, reason="Parental leave").reason,
            "Parental leave",
        )
        change = self._assign(self.customer, self.carol, reason="Fair")
        self.assertEqual(change.reason, "Fair")

    def test_several_changes_are_undone_at_once(self):
        other = self._create_customer(self.alice)
        changes = self._assign(self.customer, self.carol)
        changes |= self._assign(other, self.carol)
        changes.action_undo()
        self.assertReps(self.customer, self.alice, self.bob)
        self.assertReps(other, self.alice)


@tagged("post_install", "-at_install")
class TestJournalKeeping(JournalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what the database has already is no matter of these tests
        cls.env["sales.followup.change.line"].search([]).unlink()
        cls.env.company.followup_keep_days = 365

    def _create_change(self, days, **values):
        """Create a change with one line that many days ago."""
        return (
            self.env["sales.followup.change"]
            .sudo()
            .create(
                {
                    "operation": "assign",
                    "state": "done",
                    "date": fields.Datetime.now() - timedelta(days=days),
                    "line_ids": [
                        Command.create(
                            {
                                "model": "res.partner",
                                "res_id": self.customer.id,
                                "field": "user_id",
                            }
                        )
                    ],
                    **values,
                }
            )
        )

    def _vacuum(self):
        self.env.flush_all()
        answer = self.env["sales.followup.change.line"]._gc_old_lines()
        self.env.invalidate_all()
        return answer

    def test_default_is_a_year(self):
        company = self.env["res.company"].create({"name": "New Company"})
        self.assertEqual(company.followup_keep_days, 365)

    def test_lines_older_than_the_setting_are_removed(self):
        old, young = self._create_change(366), self._create_change(364)
        self.assertEqual(self._vacuum(), (1, False))
        self.assertFalse(old.line_ids)
        self.assertEqual(len(young.line_ids), 1)
        self.assertTrue(old.exists())

    def test_each_company_has_its_setting(self):
        strict = self.env["res.company"].create(
            {"name": "Strict Company", "followup_keep_days": 10}
        )
        theirs = self._create_change(11, company_id=strict.id)
        ours = self._create_change(11)
        self._vacuum()
        self.assertFalse(theirs.line_ids)
        self.assertTrue(ours.line_ids)

    def test_zero_keeps_for_ever(self):
        self.env.company.followup_keep_days = 0
        old = self._create_change(36500)
        self.assertEqual(self._vacuum(), (0, False))
        self.assertTrue(old.line_ids)

    def test_lines_are_removed_in_batches(self):
        change = self._create_change(366)
        self.env.flush_all()
        self.cr.execute(
            """
            INSERT INTO sales_followup_change_line
                        (change_id, model, res_id, field)
                 SELECT change_id, model, number, field
                   FROM sales_followup_change_line, GENERATE_SERIES(1, 10000) number
                  WHERE change_id = %s
            """,
            [change.id],
        )
        self.assertEqual(self._vacuum(), (10000, True))
        self.assertEqual(len(change.line_ids), 1)
        self.assertEqual(self._vacuum(), (1, False))
        self.assertEqual(self._vacuum(), (0, False))
