from datetime import date

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from ..common_documents import DocumentsCommon


class PropagationCommon(DocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    @classmethod
    def _create_carols_order(cls, customer=None, state="draft", **values):
        """Create an order that Carol sold and follows."""
        values = {
            "user_id": cls.carol.id,
            "followup_rep_ids": [Command.set(cls.carol.ids)],
            **values,
        }
        return cls._create_order(customer or cls.customer, state, **values)

    @classmethod
    def _create_carols_invoice(cls, customer=None, **values):
        values = {
            "invoice_user_id": cls.carol.id,
            "followup_rep_ids": [Command.set(cls.carol.ids)],
            **values,
        }
        return cls._create_invoice(customer or cls.customer, **values)

    @classmethod
    def _create_invoiced_order(cls):
        """Create an order of Carol's that is fully invoiced."""
        order = cls._create_carols_order(state="sale")
        accounts, _journals = cls.accounting[cls.env.company]
        order.order_line.product_id.write(
            {
                "property_account_income_id": accounts["sale"].id,
                "invoice_policy": "order",
                "taxes_id": [Command.clear()],
            }
        )
        order.order_line.tax_ids = [Command.clear()]
        cls.customer.property_account_receivable_id = accounts["receivable"]
        order._create_invoices()
        return order

    def _line(self, wizard, document):
        return wizard.line_ids.filtered(
            lambda line: (line.model, line.res_id) == (document._name, document.id)
        )

    def assertCarols(self, *documents):
        """Assert that documents are still as they were made."""
        for document in documents:
            self.assertReps(document, self.carol)

    def assertLeft(self, change, document, reason):
        """Assert that a change left a document alone, and says why."""
        lines = change.line_ids.filtered(
            lambda line: (line.model, line.res_id) == (document._name, document.id)
        )
        self.assertEqual(set(lines.mapped("state")), {"left"})
        for line in lines:
            self.assertIn(reason, line.reason)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestPropagationSelection(PropagationCommon):
    def _create_dated_orders(self, *moments):
        return [self._create_carols_order(date_order=moment) for moment in moments]

    def test_both_days_count_whole_in_auckland(self):
        self.editor.tz = "Pacific/Auckland"
        before, first, last, after = self._create_dated_orders(
            "2026-03-09 10:59:59",
            "2026-03-09 11:00:00",
            "2026-03-11 10:59:59",
            "2026-03-11 11:00:00",
        )
        wizard = self._preview(
            self.customer, date_from="2026-03-10", date_to="2026-03-11"
        )
        self.assertPreviewed(wizard, first, last)
        wizard.action_apply()
        self.assertCarols(before, after)
        self.assertReps(first, self.alice, self.bob)
        self.assertReps(last, self.alice, self.bob)

    def test_both_days_count_whole_in_new_york_when_clocks_go_forward(self):
        self.editor.tz = "America/New_York"
        _before, first, last, _after = self._create_dated_orders(
            "2026-03-08 04:59:59",
            "2026-03-08 05:00:00",
            "2026-03-09 03:59:59",
            "2026-03-09 04:00:00",
        )
        wizard = self._preview(
            self.customer, date_from="2026-03-08", date_to="2026-03-08"
        )
        self.assertPreviewed(wizard, first, last)

    def test_time_zone_of_the_session_counts_before_that_of_the_user(self):
        self.editor.tz = "UTC"
        order, other = self._create_dated_orders(
            "2026-03-09 11:00:00", "2026-03-10 11:00:00"
        )
        wizard = self._create_propagation(
            self.customer, date_from="2026-03-10", date_to="2026-03-10"
        ).with_context(tz="Pacific/Auckland")
        wizard.action_preview()
        self.assertPreviewed(wizard, order)
        self.assertCarols(other)

    def test_each_side_of_the_period_may_be_open(self):
        self.editor.tz = "UTC"
        old, new = self._create_dated_orders(
            "2026-03-09 23:59:59", "2026-03-10 00:00:00"
        )
        preview = self._preview(self.customer, date_from="2026-03-10")
        self.assertPreviewed(preview, new)
        preview = self._preview(self.customer, date_to="2026-03-09")
        self.assertPreviewed(preview, old)
        self.assertPreviewed(self._preview(self.customer), old, new)

    def test_invoice_dates_are_days_whatever_the_time_zone(self):
        self.editor.tz = "Pacific/Auckland"
        days = ("2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12")
        _before, first, last, _after = (
            self._create_carols_invoice(invoice_date=day) for day in days
        )
        wizard = self._preview(
            self.customer, date_from="2026-03-10", date_to="2026-03-11"
        )
        self.assertPreviewed(wizard, first, last)

    def test_invoice_without_date_counts_on_its_creation_day(self):
        self.editor.tz = "Pacific/Auckland"
        moments = (
            "2026-03-09 10:59:59",
            "2026-03-09 11:00:00",
            "2026-03-11 10:59:59",
            "2026-03-11 11:00:00",
        )
        invoices = [self._create_carols_invoice() for _moment in moments]
        for invoice, moment in zip(invoices, moments, strict=True):
            self._set_created(invoice, moment)
        dated = self._create_carols_invoice(invoice_date="2026-01-01")
        self._set_created(dated, "2026-03-10 12:00:00")
        wizard = self._preview(
            self.customer, date_from="2026-03-10", date_to="2026-03-11"
        )
        self.assertPreviewed(wizard, invoices[1], invoices[2])

    def test_scope_tells_open_from_closed_quotations_and_orders(self):
        opened = [
            self._create_carols_order(),
            self._create_carols_order(state="sent"),
            self._create_carols_order(state="sale"),
        ]
        closed = [
            self._create_carols_order(state="cancel"),
            self._create_invoiced_order(),
        ]
        types = ("quotation", "sale_order")
        self.assertPreviewed(
            self._preview(self.customer, types=types, scope="open"), *opened
        )
        self.assertPreviewed(
            self._preview(self.customer, types=types, scope="closed"), *closed
        )
        self.assertPreviewed(
            self._preview(self.customer, types=types), *opened, *closed
        )

    def test_scope_tells_open_from_closed_invoices(self):
        draft = self._create_carols_invoice()
        unpaid = self._create_carols_invoice(post=True)
        settled = self._create_carols_invoice(post=True, price_unit=0)
        cancelled = self._create_carols_invoice()
        cancelled.button_cancel()
        opened, closed = (draft, unpaid), (settled, cancelled)
        self.assertPreviewed(self._preview(self.customer, scope="open"), *opened)
        self.assertPreviewed(self._preview(self.customer, scope="closed"), *closed)
        self.assertPreviewed(self._preview(self.customer), *opened, *closed)

    def test_only_the_ticked_types_take_part(self):
        quotation = self._create_carols_order()
        order = self._create_carols_order(state="sale")
        invoice = self._create_carols_invoice()
        self._propagate(self.customer, types=("sale_order",))
        self.assertReps(order, self.alice, self.bob)
        self.assertCarols(quotation, invoice)

    def test_documents_of_contacts_take_part_and_those_of_subsidiaries_do_not(self):
        contact = self._create_contact(self.customer)
        archived = self._create_contact(self.customer, active=False)
        subsidiary = self._create_customer(
            self.alice, name="Subsidiary", parent_id=self.customer.id
        )
        stranger = self._create_customer(self.alice)
        theirs = [
            self._create_carols_order(partner)
            for partner in (self.customer, contact, archived)
        ]
        others = [
            self._create_carols_order(partner) for partner in (subsidiary, stranger)
        ]
        wizard = self._preview(self.customer)
        self.assertPreviewed(wizard, *theirs)
        wizard.action_apply()
        self.assertCarols(*others)

    def test_contact_alone_stands_for_itself(self):
        contact = self._create_contact(self.customer)
        theirs = self._create_carols_order(contact)
        self._create_carols_order()
        self.assertPreviewed(self._preview(contact), theirs)

    def test_archived_customer_takes_part(self):
        order = self._create_carols_order()
        self.customer.active = False
        self.assertPreviewed(self._preview(self.customer), order)

    def test_whole_selection_of_customers_takes_part(self):
        other = self._create_customer(self.bob)
        order, others = self._create_carols_order(), self._create_carols_order(other)
        self._propagate(self.customer | other)
        self.assertReps(order, self.alice, self.bob)
        self.assertReps(others, self.bob)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestPropagationAlign(PropagationCommon):
    def test_documents_take_their_customers_representatives_and_lead(self):
        documents = [
            self._create_carols_order(),
            self._create_carols_order(state="sale"),
            self._create_carols_order(state="cancel"),
            self._create_carols_invoice(),
            self._create_carols_invoice(move_type="out_refund"),
        ]
        self._propagate(self.customer)
        for document in documents:
            self.assertReps(document, self.alice, self.bob)

    def test_document_of_a_contact_with_representatives_of_its_own_takes_those(self):
        contact = self._create_contact(
            self.customer, followup_rep_ids=[Command.set(self.editor.ids)]
        )
        order = self._create_carols_order(contact)
        self._propagate(self.customer)
        self.assertReps(order, self.editor)

    def test_document_of_a_contact_without_any_takes_its_companys(self):
        contact = self._create_contact(
            self.customer, user_id=False, followup_rep_ids=[Command.clear()]
        )
        order = self._create_carols_order(contact)
        self._propagate(self.customer)
        self.assertReps(order, self.alice, self.bob)

    def test_archived_representatives_do_not_go_onto_documents(self):
        order = self._create_carols_order()
        self.alice.active = False
        self._propagate(self.customer)
        self.assertReps(order, self.bob)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_archived_representatives_leave_documents_that_are_aligned(self):
        order = self._create_order(self.customer)
        self.assertReps(order, self.alice, self.bob)
        self.bob.active = False
        self._propagate(self.customer)
        self.assertReps(order, self.alice)

    def test_customer_without_representatives_leaves_its_documents_alone(self):
        customer = self._create_customer()
        order = self._create_carols_order(customer)
        taken = self._create_carols_order()
        wizard = self._preview(customer | self.customer)
        self.assertSkipped(wizard, order, "no_rep")
        wizard.action_apply()
        self.assertCarols(order)
        self.assertReps(taken, self.alice, self.bob)

    def test_customer_of_archived_representatives_leaves_its_documents_alone(self):
        customer = self._create_customer(self.editor, self.bob)
        order = self._create_carols_order(customer)
        (self.bob | self.editor).active = False
        manager = self._create_user(
            "manager",
            "sales_team.group_sale_manager",
            "sales_followup.group_rep_editor",
        )
        wizard = self._preview(customer, user=manager)
        self.assertPreviewed(wizard, order, status="skip")
        self.assertCarols(order)

    def test_documents_already_right_are_counted_and_not_listed(self):
        right = self._create_order(self.customer)
        wrong = self._create_carols_order()
        wizard = self._preview(self.customer, types=("quotation",))
        self.assertPreviewed(wizard, wrong)
        self.assertPreviewed(wizard, status="skip")
        self.assertEqual(list(wizard.right_counts.values()), [1])
        change = wizard.action_apply() and wizard.change_id
        self.assertEqual(change.changed_count, 1)
        self.assertFalse(
            change.line_ids.filtered(
                lambda line: line.res_id == right.id and line.model == "sale.order"
            )
        )

    def test_preview_shows_old_and_new_lead_and_representatives(self):
        order = self._create_carols_order()
        line = self._line(self._preview(self.customer), order)
        self.assertEqual(line.document_name, order.display_name)
        self.assertEqual(line.partner_id, self.customer)
        self.assertEqual((line.old_lead_id, line.new_lead_id), (self.carol, self.alice))
        self.assertEqual(line.old_rep_ids, self.carol)
        self.assertEqual(line.new_rep_ids, self.alice | self.bob)

    def test_team_and_lines_follow_the_salesperson_as_in_a_plain_write(self):
        teams = self.env["crm.team"].create(
            [
                {"name": "Hers", "member_ids": [Command.set(self.alice.ids)]},
                {"name": "Carols", "member_ids": [Command.set(self.carol.ids)]},
            ]
        )
        order = self._create_carols_order(state="sale")
        invoice = self._create_carols_invoice()
        twins = (order.copy(), invoice.copy())
        self.assertEqual((order | twins[0]).team_id, teams[1])
        twins[0].user_id = self.alice
        twins[1].invoice_user_id = self.alice
        self._propagate(self.customer)
        self.assertEqual(order.team_id, teams[0])
        self.assertEqual(order.team_id, twins[0].team_id)
        self.assertEqual(invoice.team_id, teams[0])
        self.assertEqual(invoice.team_id, twins[1].team_id)
        self.assertEqual(order.order_line.salesman_id, self.alice)

    def test_vendor_bills_get_representatives_and_no_salesperson(self):
        accountant = self._create_user(
            "accountant",
            "account.group_account_invoice",
            "sales_followup.group_rep_editor",
        )
        bill = self._create_invoice(self.customer, "in_invoice")
        buyer = bill.invoice_user_id
        self.assertFalse(bill.followup_rep_ids)
        wizard = self._preview(self.customer, user=accountant, types=("vendor_bill",))
        self.assertIn("Vendor Bills", wizard.notes)
        self.assertPreviewed(wizard, bill)
        wizard.action_apply()
        self.assertReps(bill, self.alice, self.bob, lead=buyer)

    def test_purchase_orders_get_the_lead_only(self):
        if "purchase.order" not in self.env:
            self.skipTest("needs purchase")
        buyer = self._create_user(
            "buyer",
            "purchase.group_purchase_user",
            "sales_followup.group_rep_editor",
        )
        order, done = self.env["purchase.order"].create(
            [{"partner_id": self.customer.id, "user_id": self.carol.id}] * 2
        )
        done.write({"state": "purchase", "locked": True})
        types = ("purchase_order",)
        wizard = self._preview(self.customer, user=buyer, types=types, scope="open")
        self.assertIn("Purchase Orders", wizard.notes)
        self.assertPreviewed(wizard, order)
        wizard.action_apply()
        self.assertEqual(order.user_id, self.alice)
        self.assertEqual(done.user_id, self.carol)
        self._propagate(self.customer, user=buyer, types=types)
        self.assertEqual(done.user_id, self.alice)

    def test_opportunities_get_the_lead_lost_ones_included(self):
        if "crm.lead" not in self.env:
            self.skipTest("needs crm")
        values = {
            "name": "Opportunity",
            "type": "opportunity",
            "partner_id": self.customer.id,
            "user_id": self.carol.id,
        }
        lead, lost = self.env["crm.lead"].create([values] * 2)
        lost.active = False
        wizard = self._preview(self.customer, types=("opportunity",), scope="open")
        self.assertPreviewed(wizard, lead)
        self._propagate(self.customer, types=("opportunity",))
        self.assertEqual((lead | lost).user_id, self.alice)

    def test_outgoing_deliveries_get_the_lead(self):
        if "stock.picking" not in self.env:
            self.skipTest("needs stock")
        keeper = self._create_user(
            "keeper", "stock.group_stock_user", "sales_followup.group_rep_editor"
        )
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )
        out, receipt = self.env["stock.picking"].create(
            [
                {
                    "partner_id": self.customer.id,
                    "picking_type_id": picking_type.id,
                    "user_id": self.carol.id,
                }
                for picking_type in (warehouse.out_type_id, warehouse.in_type_id)
            ]
        )
        self._propagate(self.customer, user=keeper, types=("delivery",))
        self.assertEqual(out.user_id, self.alice)
        self.assertEqual(receipt.user_id, self.carol)


@tagged("post_install", "-at_install")
class TestPropagationReplace(PropagationCommon):
    def _replace(self, old, new, **values):
        return {
            "mode": "replace",
            "old_user_id": old.id,
            "new_user_id": new.id,
        } | values

    def _create_led_order(self, lead, *reps, **values):
        return self._create_order(
            self.customer,
            user_id=lead.id,
            followup_rep_ids=[Command.set([user.id for user in reps])],
            **values,
        )

    def test_only_where_the_old_one_appears(self):
        led = self._create_led_order(self.carol, self.carol, self.bob)
        followed = self._create_led_order(self.bob, self.bob, self.carol)
        sold = self._create_led_order(self.carol, self.bob)
        other = self._create_led_order(self.bob, self.bob)
        wizard = self._preview(self.customer, **self._replace(self.carol, self.alice))
        self.assertPreviewed(wizard, led, followed, sold)
        wizard.action_apply()
        self.assertReps(led, self.alice, self.bob)
        self.assertReps(followed, self.bob, self.alice)
        self.assertReps(sold, self.bob, lead=self.alice)
        self.assertReps(other, self.bob)

    def test_customers_representatives_do_not_matter(self):
        order = self._create_led_order(self.carol, self.carol)
        self._propagate(self.customer, **self._replace(self.carol, self.editor))
        self.assertReps(order, self.editor)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_new_one_who_follows_already_is_not_there_twice(self):
        order = self._create_led_order(self.carol, self.carol, self.bob)
        self._propagate(self.customer, **self._replace(self.carol, self.bob))
        self.assertReps(order, self.bob)

    def test_archived_one_is_replaced(self):
        order = self._create_led_order(self.carol, self.carol)
        self.carol.active = False
        self._propagate(self.customer, **self._replace(self.carol, self.bob))
        self.assertReps(order, self.bob)

    def test_seller_of_a_posted_invoice_is_kept_and_its_follower_replaced(self):
        invoice = self._create_carols_invoice(post=True)
        self._propagate(self.customer, **self._replace(self.carol, self.bob))
        self.assertReps(invoice, self.bob, lead=self.carol)

    def test_replacing_needs_two_different_active_internal_users(self):
        self._create_carols_order()
        nobody = self.env["res.users"]
        for old, new in (
            (self.carol, nobody),
            (nobody, self.carol),
            (self.carol, self.carol),
            (self.carol, self.portal),
        ):
            with self.subTest(old=old.login, new=new.login):
                with self.assertRaises(UserError):
                    self._preview(self.customer, **self._replace(old, new))
        self.bob.active = False
        with self.assertRaisesRegex(UserError, "Bob"):
            self._preview(self.customer, **self._replace(self.carol, self.bob))


@tagged("post_install", "-at_install")
class TestPropagationPreview(PropagationCommon):
    def test_preview_writes_nothing(self):
        documents = [self._create_carols_order(), self._create_carols_invoice()]
        stamps = [document.write_date for document in documents]
        wizard = self._preview(self.customer)
        self.assertPreviewed(wizard, *documents)
        self.assertCarols(*documents)
        self.assertEqual([document.write_date for document in documents], stamps)
        self.assertFalse(wizard.change_id)

    def test_apply_writes_the_previewed_documents_and_no_others(self):
        previewed = self._create_carols_order()
        wizard = self._preview(self.customer)
        later = self._create_carols_order()
        wizard.action_apply()
        self.assertReps(previewed, self.alice, self.bob)
        self.assertCarols(later)

    def test_apply_writes_what_the_preview_showed(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer)
        self.customer.followup_rep_ids = self.editor
        wizard.action_apply()
        self.assertReps(order, self.alice, self.bob)

    def assertLeftAtApply(self, wizard, document, reason):
        """Assert that applying a preview leaves a document alone, and says why."""
        wizard.action_apply()
        change = wizard.change_id
        self.assertEqual((change.changed_count, change.left_count), (0, 1))
        self.assertLeft(change, document, reason)

    def test_document_that_left_the_scope_since_is_left_and_reported(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer, scope="open")
        order.action_cancel()
        self.assertLeftAtApply(
            wizard, order, "It is no longer one of the documents asked for"
        )
        self.assertReps(order, self.carol)

    def test_document_that_closed_since_is_written_where_all_were_asked_for(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer)
        order.action_cancel()
        wizard.action_apply()
        self.assertReps(order, self.alice, self.bob)

    def test_quotation_confirmed_since_is_left_where_quotations_were_asked_for(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer, types=("quotation",))
        order.action_confirm()
        self.assertLeftAtApply(
            wizard, order, "It is no longer one of the documents asked for"
        )
        self.assertReps(order, self.carol)

    def test_document_given_to_another_customer_since_is_left_and_reported(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer)
        order.partner_id = self._create_customer(self.carol)
        self.assertReps(order, self.carol)
        self.assertLeftAtApply(wizard, order, "It belongs to another customer now")
        self.assertReps(order, self.carol)

    def test_invoice_posted_since_is_left_for_its_seller_is_kept_now(self):
        invoice = self._create_invoice(
            self.customer,
            invoice_user_id=self.carol.id,
            followup_rep_ids=[Command.set(self.carol.ids)],
        )
        wizard = self._preview(self.customer)
        invoice.invoice_date = fields.Date.today()
        invoice.action_post()
        self.assertLeftAtApply(
            wizard, invoice, "Whether its Salesperson is kept changed since"
        )
        self.assertReps(invoice, self.carol)

    def test_order_fully_invoiced_since_is_left_for_its_seller_is_kept_now(self):
        order = self._create_carols_order()
        order.action_confirm()
        wizard = self._preview(self.customer, types=("sale_order",))
        order.invoice_status = "invoiced"
        self.assertLeftAtApply(
            wizard, order, "Whether its Salesperson is kept changed since"
        )
        self.assertReps(order, self.carol)

    def test_unticked_document_is_left_alone(self):
        ticked, unticked = self._create_carols_order(), self._create_carols_order()
        wizard = self._preview(self.customer)
        self._line(wizard, unticked).selected = False
        self.assertEqual(wizard.selected_count, 1)
        wizard.action_apply()
        self.assertReps(ticked, self.alice, self.bob)
        self.assertCarols(unticked)
        self.assertEqual(wizard.change_id.line_ids.mapped("res_id"), [ticked.id] * 2)

    def test_all_and_none_are_ticked_at_once(self):
        orders = [self._create_carols_order() for _number in range(3)]
        wizard = self._preview(self.customer)
        wizard.action_select_none()
        self.assertEqual(wizard.selected_count, 0)
        with self.assertRaisesRegex(UserError, "ticked"):
            wizard.action_apply()
        self.assertCarols(*orders)
        wizard.action_select_all()
        self.assertEqual(wizard.selected_count, 3)
        wizard.action_apply()
        for order in orders:
            self.assertReps(order, self.alice, self.bob)

    def test_skipped_document_cannot_be_ticked_into_the_change(self):
        customer = self._create_customer()
        skipped, order = (
            self._create_carols_order(customer),
            self._create_carols_order(),
        )
        wizard = self._preview(self.customer | customer)
        self._line(wizard, skipped).selected = True
        wizard.action_select_all()
        self.assertEqual(wizard.selected_count, 1)
        wizard.action_apply()
        self.assertCarols(skipped)
        self.assertReps(order, self.alice, self.bob)

    def test_document_whose_representatives_changed_since_is_left_and_reported(self):
        order, changed = self._create_carols_order(), self._create_carols_order()
        wizard = self._preview(self.customer)
        changed.followup_rep_ids = self.editor
        wizard.action_apply()
        change = wizard.change_id
        self.assertReps(changed, self.editor, lead=self.carol)
        self.assertReps(order, self.alice, self.bob)
        self.assertEqual((change.changed_count, change.left_count), (1, 1))
        self.assertLeft(change, changed, "Changed since")

    def test_document_whose_salesperson_changed_since_is_left_and_reported(self):
        changed = self._create_carols_order()
        wizard = self._preview(self.customer)
        changed.user_id = self.editor
        wizard.action_apply()
        self.assertReps(changed, self.carol, lead=self.editor)
        self.assertLeft(wizard.change_id, changed, "Changed since")

    def test_value_not_meant_to_change_is_part_of_what_was_previewed(self):
        order = self._create_order(self.customer, user_id=self.carol.id)
        self.assertReps(order, self.alice, self.bob, lead=self.carol)
        wizard = self._preview(self.customer)
        order.followup_rep_ids = self.editor
        wizard.action_apply()
        self.assertReps(order, self.editor, lead=self.carol)
        self.assertLeft(wizard.change_id, order, "Changed since")

    def test_document_deleted_since_is_reported_and_stops_nothing(self):
        order, deleted = self._create_carols_order(), self._create_carols_order()
        wizard = self._preview(self.customer)
        deleted_id = deleted.id
        deleted.unlink()
        self.assertEqual(
            self._line(wizard, deleted.browse(deleted_id)).document_name, "Deleted"
        )
        wizard.action_apply()
        change = wizard.change_id
        self.assertReps(order, self.alice, self.bob)
        self.assertEqual((change.changed_count, change.left_count), (1, 1))
        self.assertLeft(change, deleted.browse(deleted_id), "does not exist")

    def test_pressed_twice_it_does_nothing_more(self):
        order = self._create_carols_order()
        wizard = self._preview(self.customer)
        action = wizard.action_apply()
        self.assertEqual(action["res_id"], wizard.change_id.id)
        order.followup_rep_ids = self.editor
        changes = self.env["sales.followup.change"].search_count([])
        self.assertEqual(wizard.action_apply(), action)
        self.assertReps(order, self.editor, lead=self.alice)
        self.assertEqual(self.env["sales.followup.change"].search_count([]), changes)

    def test_nothing_is_applied_without_a_preview(self):
        order = self._create_carols_order()
        wizard = self._create_propagation(self.customer)
        with self.assertRaisesRegex(UserError, "preview"):
            wizard.action_apply()
        self.assertCarols(order)

    def test_criteria_changed_after_the_preview_throw_it_away(self):
        order = self._create_carols_order()
        for values in (
            {"partner_ids": [Command.link(self._create_customer().id)]},
            {"date_from": "2026-01-01"},
            {"date_to": "2030-01-01"},
            {"type_ids": [Command.unlink(self._type("sale_order").id)]},
            {"mode": "replace"},
            {"old_user_id": self.carol.id},
            {"new_user_id": self.bob.id},
            {"scope": "open"},
        ):
            with self.subTest(**values):
                wizard = self._preview(self.customer)
                self.assertTrue(wizard.line_ids)
                wizard.write(values)
                self.assertFalse(wizard.line_ids)
                self.assertEqual(wizard.state, "draft")
                with self.assertRaisesRegex(UserError, "preview"):
                    wizard.action_apply()
        self.assertCarols(order)

    def test_going_back_throws_the_preview_away(self):
        self._create_carols_order()
        wizard = self._preview(self.customer)
        wizard.action_back()
        self.assertFalse(wizard.line_ids)
        self.assertEqual(wizard.state, "draft")

    def test_second_preview_replaces_the_first(self):
        self._create_carols_order()
        wizard = self._preview(self.customer)
        wizard.action_preview()
        self.assertEqual(len(wizard.line_ids), 1)

    def test_criteria_without_sense_get_a_message(self):
        with self.assertRaisesRegex(UserError, "03/02/2026.*03/01/2026"):
            self._preview(self.customer, date_from="2026-03-02", date_to="2026-03-01")
        with self.assertRaisesRegex(UserError, "type"):
            self._preview(self.customer, type_ids=[Command.clear()])
        with self.assertRaisesRegex(UserError, "customers"):
            self._preview(self.env["res.partner"])

    def test_change_records_who_when_and_how_many(self):
        self._create_carols_order()
        self._create_carols_invoice()
        with freeze_time("2026-03-10 12:34:56"):
            change = self._propagate(self.customer)
        self.assertEqual(change.operation, "propagate")
        self.assertEqual(change.user_id, self.editor)
        self.assertEqual(str(change.date), "2026-03-10 12:34:56")
        self.assertEqual(change.state, "done")
        self.assertEqual((change.changed_count, change.left_count), (2, 0))


@tagged("post_install", "-at_install")
class TestPropagationSeller(PropagationCommon):
    def test_seller_of_a_posted_invoice_is_kept_and_its_followers_change(self):
        invoice = self._create_carols_invoice(post=True)
        wizard = self._preview(self.customer)
        self.assertTrue(self._line(wizard, invoice).lead_kept)
        wizard.action_apply()
        self.assertReps(invoice, self.alice, self.bob, lead=self.carol)
        self.assertEqual(invoice.state, "posted")

    def test_seller_of_a_fully_invoiced_order_is_kept_and_its_followers_change(self):
        order = self._create_invoiced_order()
        self.assertEqual(order.invoice_status, "invoiced")
        self._propagate(self.customer, types=("sale_order",))
        self.assertReps(order, self.alice, self.bob, lead=self.carol)
        self.assertEqual(order.order_line.salesman_id, self.carol)

    def test_seller_of_an_order_not_fully_invoiced_changes(self):
        order = self._create_carols_order(state="sale")
        self._propagate(self.customer)
        self.assertReps(order, self.alice, self.bob)

    def test_only_the_seller_differing_is_reported_as_kept(self):
        invoice = self._create_carols_invoice(
            post=True,
            followup_rep_ids=[Command.set((self.alice | self.bob).ids)],
        )
        wizard = self._preview(self.customer)
        self.assertSkipped(wizard, invoice, "kept")

    def test_without_a_keep_domain_everything_is_replaced(self):
        self._types("customer_invoice", "sale_order").keep_lead_domain = False
        invoice = self._create_carols_invoice(post=True)
        order = self._create_invoiced_order()
        self._propagate(self.customer)
        self.assertReps(invoice, self.alice, self.bob)
        self.assertReps(order, self.alice, self.bob)

    def test_inalterable_invoice_changes_and_stays_inalterable(self):
        _accounts, journals = self.accounting[self.env.company]
        journals["sale"].restrict_mode_hash_table = True
        self._type("customer_invoice").keep_lead_domain = False
        invoice = self._create_carols_invoice(post=True)  # and sealed by that
        sealed = invoice.inalterable_hash
        self.assertTrue(sealed)
        self._propagate(self.customer)
        self.assertReps(invoice, self.alice, self.bob)
        self.assertEqual(invoice.inalterable_hash, sealed)
        self.env.user.group_ids += self.env.ref("account.group_account_user")
        checks = self.env.company._check_hash_integrity()["results"]
        statuses = {
            check["status"]
            for check in checks
            if check["journal_name"].startswith(journals["sale"].name)
        }
        self.assertEqual(statuses, {"verified"})

    def test_locked_and_cancelled_orders_change_and_stay_so(self):
        locked = self._create_carols_order(state="sale")
        locked.locked = True
        cancelled = self._create_carols_order(state="cancel")
        self._propagate(self.customer)
        for order in (locked, cancelled):
            self.assertReps(order, self.alice, self.bob)
        self.assertTrue(locked.locked)
        self.assertEqual(cancelled.state, "cancel")

    def test_posted_invoice_keeps_all_but_its_followers(self):
        invoice = self._create_carols_invoice(post=True, invoice_date="2026-03-10")
        fields = (
            "name",
            "amount_total",
            "amount_residual",
            "invoice_date_due",
            "partner_id",
            "is_manually_modified",
            "payment_state",
        )
        before = {name: invoice[name] for name in fields}
        lines = invoice.line_ids.read(["balance", "account_id", "write_date"])
        self._propagate(self.customer)
        invoice.invalidate_recordset()
        self.assertEqual({name: invoice[name] for name in fields}, before)
        self.assertEqual(
            invoice.line_ids.read(["balance", "account_id", "write_date"]), lines
        )


@tagged("post_install", "-at_install")
class TestPropagationRights(PropagationCommon):
    def test_only_editors_open_preview_or_apply(self):
        order = self._create_carols_order()
        manager = self._create_user("sales_admin", "sales_team.group_sale_manager")
        manager.group_ids -= self.env.ref("sales_followup.group_rep_editor")
        for user in (self.alice, self.clerk):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self._create_propagation(self.customer, user=user)
                with self.assertRaises(AccessError):
                    self.customer.with_user(user).action_followup_propagate()
        wizard = self._preview(self.customer)
        with self.assertRaises(AccessError):
            wizard.with_user(self.alice).action_preview()
        with self.assertRaises(AccessError):
            wizard.with_user(self.alice).action_apply()
        self.assertCarols(order)

    def test_editor_opens_it_on_the_customers_chosen(self):
        other = self._create_customer(self.bob)
        action = (
            (self.customer | other).with_user(self.editor).action_followup_propagate()
        )
        self.assertEqual(action["res_model"], "sales.followup.propagate")
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.partner_ids, self.customer | other)

    def test_documents_that_the_user_cannot_read_are_left_out(self):
        seller = self._create_salesperson("selling_editor")
        seller.group_ids += self.env.ref("sales_followup.group_rep_editor")
        theirs = self._create_order(
            self.customer,
            user_id=seller.id,
            followup_rep_ids=[Command.set(seller.ids)],
        )
        hidden = self._create_carols_order()
        wizard = self._preview(self.customer, user=seller)
        self.assertPreviewed(wizard, theirs)
        wizard.action_apply()
        self.assertReps(theirs, self.alice, self.bob)
        self.assertCarols(hidden)

    def test_type_that_the_user_cannot_read_is_noted(self):
        clerk = self._create_user(
            "editing_clerk",
            "base.group_partner_manager",
            "sales_followup.group_rep_editor",
        )
        order = self._create_carols_order()
        wizard = self._preview(self.customer, user=clerk)
        self.assertPreviewed(wizard)
        self.assertIn("Quotations: you may not read", wizard.notes)
        self.assertCarols(order)

    def test_document_that_the_user_sees_no_more_is_left_and_reported(self):
        seller = self._create_salesperson("selling_editor")
        seller.group_ids += self.env.ref("sales_followup.group_rep_editor")
        order, mine = (
            self._create_order(
                self.customer,
                user_id=seller.id,
                followup_rep_ids=[Command.set(self.carol.ids)],
            )
            for _number in range(2)
        )
        wizard = self._preview(self.customer, user=seller)
        self.env["ir.rule"].create(
            {
                "name": "one is secret now",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "domain_force": f"[('id', '!=', {order.id})]",
            }
        )
        wizard.action_apply()
        self.assertReps(order, self.carol, lead=seller)
        self.assertReps(mine, self.alice, self.bob)
        self.assertLeft(wizard.change_id.sudo(), order, "may not see")

    def test_no_accounting_right_is_needed(self):
        invoice = self._create_carols_invoice(post=True)
        draft = self._create_carols_invoice()
        with self.assertRaises(AccessError):
            invoice.with_user(self.editor).write(
                {"followup_rep_ids": [Command.set(self.bob.ids)]}
            )
        self._propagate(self.customer)
        self.assertReps(invoice, self.alice, self.bob, lead=self.carol)
        self.assertReps(draft, self.alice, self.bob)

    def test_vendor_bills_stay_hidden_from_who_sells(self):
        bill = self._create_invoice(
            self.customer, "in_invoice", followup_rep_ids=[Command.set(self.carol.ids)]
        )
        wizard = self._preview(self.customer, types=("vendor_bill", "quotation"))
        self.assertPreviewed(wizard)
        self.assertReps(bill, self.carol, lead=None)


@tagged("post_install", "-at_install")
class TestPropagationCompanies(PropagationCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.main = cls.env.company
        cls.branch, cls.foreign = cls.env["res.company"].create(
            [{"name": "Second Company"}, {"name": "Foreign Company"}]
        )
        both = [Command.set((cls.main | cls.branch).ids)]
        (cls.bob | cls.editor | cls.carol).company_ids = both
        cls.env.user.company_ids += cls.branch | cls.foreign

    @classmethod
    def _create_carols_order(cls, customer=None, state="draft", **values):
        company = values.pop("company", cls.main)
        return super()._create_carols_order(
            customer, state, company_id=company.id, **values
        )

    def test_representative_goes_only_onto_documents_of_own_companies(self):
        here, there = (
            self._create_carols_order(company=company)
            for company in (self.main, self.branch)
        )
        self._propagate(self.customer)
        self.assertReps(here, self.alice, self.bob)
        self.assertReps(there, self.bob)

    def test_document_without_a_permitted_representative_is_skipped(self):
        customer = self._create_customer(self.alice)
        here, there = (
            self._create_carols_order(customer, company=company)
            for company in (self.main, self.branch)
        )
        wizard = self._preview(customer)
        self.assertSkipped(wizard, there, "not_permitted")
        wizard.action_apply()
        self.assertReps(here, self.alice)
        self.assertCarols(there)

    def test_replacement_goes_only_onto_documents_of_own_companies(self):
        here, there = (
            self._create_carols_order(company=company)
            for company in (self.main, self.branch)
        )
        wizard = self._preview(
            self.customer,
            mode="replace",
            old_user_id=self.carol.id,
            new_user_id=self.alice.id,
        )
        self.assertSkipped(wizard, there, "not_permitted")
        wizard.action_apply()
        self.assertReps(here, self.alice)
        self.assertCarols(there)

    def test_company_not_allowed_is_untouched(self):
        self.carol.company_ids += self.foreign
        foreign = self._create_carols_order(company=self.foreign)
        order = self._create_carols_order(company=self.branch)
        wizard = self._preview(self.customer)
        self.assertPreviewed(wizard, order)
        wizard.action_apply()
        self.assertCarols(foreign)

    def test_company_not_switched_on_is_untouched(self):
        here, there = (
            self._create_carols_order(company=company)
            for company in (self.main, self.branch)
        )
        wizard = self._create_propagation(self.customer).with_context(
            allowed_company_ids=self.main.ids
        )
        wizard.action_preview()
        self.assertPreviewed(wizard, here)
        wizard.action_apply()
        self.assertCarols(there)


@tagged("post_install", "-at_install")
class TestPropagationAmounts(PropagationCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2026-01-01", 2.0), ("2026-03-01", 4.0)]
        )
        cls.dollar = cls.env.company.currency_id

    def _create_order_in_euro(self, amount, **values):
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.euro.id}
        )
        order = self._create_carols_order(pricelist_id=pricelist.id, **values)
        order.order_line.write({"price_unit": amount, "tax_ids": [Command.clear()]})
        self.assertEqual(order.currency_id, self.euro)
        self.assertEqual(order.amount_untaxed, amount)
        return order

    def test_foreign_currency_counts_at_the_rate_of_the_documents_day(self):
        winter = self._create_order_in_euro(100, date_order="2026-02-10 12:00:00")
        spring = self._create_order_in_euro(100, date_order="2026-03-10 12:00:00")
        wizard = self._preview(self.customer)
        self.assertEqual(self._line(wizard, winter).currency_id, self.dollar)
        for order, day, amount in (
            (winter, date(2026, 2, 10), 50),
            (spring, date(2026, 3, 10), 25),
        ):
            converted = self.euro._convert(
                100, self.dollar, self.env.company, day, round=False
            )
            self.assertAlmostEqual(converted, amount)
            self.assertAlmostEqual(self._line(wizard, order).amount, amount)

    def test_credit_note_takes_away_from_what_moves(self):
        invoice = self._create_carols_invoice(price_unit=300)
        refund = self._create_carols_invoice(move_type="out_refund", price_unit=80)
        wizard = self._preview(self.customer)
        self.assertEqual(self._line(wizard, invoice).amount, 300)
        self.assertEqual(self._line(wizard, refund).amount, -80)
        self.assertIn(self.dollar.format(220), wizard.summary)

    def test_amounts_move_from_lead_to_lead(self):
        bobs = self._create_customer(self.bob)
        self._create_order_in_euro(100, date_order="2026-02-10 12:00:00")
        self._create_carols_invoice(price_unit=300)
        self._create_carols_invoice(bobs, price_unit=70)
        unticked = self._create_carols_invoice(bobs, price_unit=5)
        wizard = self._preview(self.customer | bobs)
        self._line(wizard, unticked).selected = False
        moves = {
            (move["old"], move["new"]): (move["count"], move["amounts"])
            for move in wizard._prepare_summary()["moves"]
        }
        self.assertEqual(
            moves,
            {
                ("Carol", "Alice"): (2, [self.dollar.format(350)]),
                ("Carol", "Bob"): (1, [self.dollar.format(70)]),
            },
        )

    def test_kept_seller_moves_no_amount(self):
        self._create_carols_invoice(post=True, price_unit=300)
        wizard = self._preview(self.customer)
        self.assertEqual(wizard.selected_count, 1)
        self.assertEqual(wizard._prepare_summary()["moves"], [])

    def test_summary_counts_per_type(self):
        self._create_order(self.customer)
        self._create_carols_order()
        unticked = self._create_carols_order()
        self._create_carols_order(self._create_customer())
        self._create_carols_invoice()
        wizard = self._preview(
            self.env["res.partner"].search([("id", ">=", self.customer.id)])
        )
        self._line(wizard, unticked).selected = False
        types = {row["name"]: row for row in wizard._prepare_summary()["types"]}
        quotations = types["Quotations"]
        self.assertEqual(
            (quotations["change"], quotations["unticked"], quotations["right"]),
            (1, 1, 1),
        )
        self.assertEqual(
            quotations["skips"], ["The customer has no active representative: 1"]
        )
        self.assertEqual(types["Customer Invoices"]["change"], 1)
        self.assertEqual(types["Sales Orders"]["change"], 0)
        self.assertIn("Quotations", wizard.summary)
