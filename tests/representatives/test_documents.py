from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..common_documents import DocumentsCommon


class DocumentsOfCustomers(DocumentsCommon):
    """Orders that can be invoiced in any company of the tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        accounts, _journals = cls.accounting[cls.env.company]
        for name in ("receivable", "payable"):
            cls.env["ir.default"].set(
                "res.partner",
                f"property_account_{name}_id",
                accounts[name].id,
                company_id=cls.env.company.id,
            )
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    @classmethod
    def _make_invoices(cls, orders, user=None, **values):
        """Invoice confirmed orders by the wizard; the new invoices."""
        before = orders.invoice_ids
        cls.env["sale.advance.payment.inv"].with_user(user or cls.editor).create(
            {"sale_order_ids": [Command.set(orders.ids)], **values}
        ).create_invoices()
        orders.invalidate_recordset(["invoice_ids"])
        return orders.sudo().invoice_ids - before


@tagged("post_install", "-at_install", "depends_on_apps")
class TestQuotations(DocumentsOfCustomers):
    """R5: quotations take the customer's representatives."""

    def test_quotation_takes_its_customer_s_representatives(self):
        order = self._create_order(self.customer)
        self.assertReps(order, self.alice, self.bob)

    def test_quotation_of_a_contact_with_its_own_takes_those(self):
        contact = self._create_contact(self.customer, user_id=self.carol.id)
        self.assertReps(self._create_order(contact), self.carol)

    def test_quotation_of_a_contact_without_any_takes_the_company_s(self):
        contact = self._create_contact(self.customer)
        contact.followup_rep_ids = False
        self.assertReps(self._create_order(contact), self.alice, self.bob)

    def test_quotation_of_a_customer_nobody_follows_has_no_representative(self):
        order = self._create_order(self._create_customer())
        self.assertFalse(order.followup_rep_ids)

    def test_quotation_does_not_take_archived_representatives(self):
        self.bob.active = False
        self.assertReps(self._create_order(self.customer), self.alice)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_quotation_does_not_take_an_archived_salesperson(self):
        self.alice.active = False
        self.assertReps(self._create_order(self.customer), self.bob)

    def test_seller_makes_the_quotation_of_a_customer_whose_reps_have_all_left(self):
        customer = self._create_customer(self.alice)
        self.alice.active = False
        orders = self.env["sale.order"]
        order = orders.with_user(self.bob).create({"partner_id": customer.id})
        self.assertReps(order, lead=self.bob)
        self.assertReps(customer, self.alice)

    def test_archived_salesperson_in_place_stays(self):
        order = self._create_order(self.customer)
        self.alice.active = False
        order.with_user(self.editor).partner_id = self._create_customer(self.carol)
        self.assertReps(order, self.alice, self.bob)

    def test_archived_salesperson_given_is_passed_over(self):
        self.alice.active = False
        order = self._create_order(self.customer, user_id=self.alice.id)
        self.assertReps(order, self.bob)

    def test_quotation_does_not_take_who_is_internal_no_more(self):
        self.bob.group_ids = [Command.set(self.group_portal.ids)]
        self.assertReps(self._create_order(self.customer), self.alice)

    def test_quotation_takes_only_who_belongs_to_its_company(self):
        branch = self._create_company(name="Elsewhere")
        self.bob.company_ids = [Command.link(branch.id)]
        order = (
            self.env["sale.order"]
            .with_company(branch)
            .create({"partner_id": self.customer.id, "company_id": branch.id})
        )
        self.assertReps(order, self.bob)

    def test_representatives_given_are_kept(self):
        order = self._create_order(
            self.customer, followup_rep_ids=[Command.set(self.carol.ids)]
        )
        self.assertReps(order, self.carol, lead=self.alice)
        order = self._create_order(self.customer, followup_rep_ids=False)
        self.assertFalse(order.followup_rep_ids)

    def test_seller_need_not_be_a_representative(self):
        order = self._create_order(self.customer, user_id=self.carol.id)
        self.assertReps(order, self.alice, self.bob, lead=self.carol)

    def test_representatives_stay_when_the_customer_of_a_saved_quotation_changes(self):
        order = self._create_order(self.customer)
        order.partner_id = self._create_customer(self.carol)
        self.assertReps(order, self.alice, self.bob)

    def test_saved_quotation_without_any_takes_those_of_its_new_customer(self):
        order = self._create_order(self._create_customer())
        order.partner_id = self.customer
        self.assertReps(order, self.alice, self.bob, lead=None)

    def test_existing_quotations_stay_when_the_customer_s_representatives_change(self):
        order = self._create_order(self.customer)
        self.customer.followup_rep_ids = [Command.set(self.carol.ids)]
        self.assertReps(order, self.alice, self.bob)

    def test_form_shows_the_representatives_of_the_customer_chosen(self):
        other = self._create_customer(self.carol)
        form = Form(self.env["sale.order"].with_user(self.editor))
        form.partner_id = other
        self.assertEqual(form.followup_rep_ids[:], self.carol)
        form.partner_id = self.customer
        self.assertEqual(form.followup_rep_ids[:], self.alice + self.bob)
        self.assertReps(form.save(), self.alice, self.bob)

    def test_form_keeps_archived_representatives_of_the_document(self):
        order = self._create_order(self.customer)
        self.bob.active = False
        form = Form(order.with_user(self.editor))
        form.client_order_ref = "P-1"
        form.followup_rep_ids.add(self.carol)
        form.save()
        self.assertReps(order, self.alice, self.bob, self.carol)

    def test_salesperson_limited_to_own_documents_sells_to_a_colleague_s_customer(self):
        form = Form(self.env["sale.order"].with_user(self.bob))
        form.partner_id = self.customer
        with form.order_line.new() as line:
            line.product_id = self._create_order(self.customer).order_line.product_id
        order = form.save()
        self.assertReps(order, self.alice, self.bob)
        self.assertEqual(len(order.order_line), 1)

    def test_copy_has_the_document_s_representatives_not_the_customer_s(self):
        order = self._create_order(
            self.customer, followup_rep_ids=[Command.set((self.bob + self.carol).ids)]
        )
        copy = order.with_user(self.bob).copy()
        self.assertReps(copy, self.bob, self.carol, lead=self.alice)

    def test_copy_drops_archived_representatives(self):
        order = self._create_order(self.customer)
        self.bob.active = False
        self.assertReps(order.copy(), self.alice)
        self.assertReps(order, self.alice, self.bob)

    def test_copy_of_a_document_without_representatives_has_none(self):
        order = self._create_order(self.customer, followup_rep_ids=False)
        self.assertFalse(order.copy().followup_rep_ids)

    def test_copy_takes_the_representatives_it_is_told(self):
        order = self._create_order(self.customer)
        copy = order.copy({"followup_rep_ids": [Command.set(self.carol.ids)]})
        self.assertReps(copy, self.carol, lead=self.alice)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestPeopleWhoLeft(DocumentsOfCustomers):
    """R1: who is archived or not internal any more never goes onto new documents,
    whatever makes these."""

    @classmethod
    def default_env_context(cls):
        # messages and followers are what some of these are about
        return {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order(cls.customer, "sale")
        cls.invoice = cls._create_invoice(cls.customer, post=True)

    def _leave(self, user, way):
        if way == "archived":
            user.active = False
        else:
            user.group_ids = [Command.set(self.group_portal.ids)]

    def _each_way(self):
        """Yield twice, after Alice was archived or became a portal user."""
        for way in ("archived", "portal"):
            with self.subTest(way=way), self.env.cr.savepoint() as savepoint:
                self._leave(self.alice, way)
                yield way
                savepoint.rollback()
            self.env.invalidate_all()

    def assertWithoutAlice(self, document):
        self.assertReps(document, self.bob)
        self.assertNotIn(self.alice.partner_id, document.message_partner_ids)
        self.assertFalse(
            self.env["mail.mail"]
            .search([("model", "=", document._name), ("res_id", "=", document.id)])
            .recipient_ids
            & self.alice.partner_id
        )

    def test_copies_do_not_take_who_left(self):
        for _way in self._each_way():
            self.assertWithoutAlice(self.order.copy())
            self.assertWithoutAlice(self.invoice.copy())

    def test_quotation_of_an_opportunity_does_not_take_who_left(self):
        for _way in self._each_way():
            orders = self.env["sale.order"].with_user(self.editor)
            orders = orders.with_context(default_user_id=self.alice.id)
            self.assertWithoutAlice(orders.create({"partner_id": self.customer.id}))

    def test_values_given_by_code_do_not_bring_back_who_left(self):
        for _way in self._each_way():
            self.assertWithoutAlice(
                self._create_order(self.customer, user_id=self.alice.id)
            )
            self.assertWithoutAlice(
                self._create_invoice(self.customer, invoice_user_id=self.alice.id)
            )

    def test_import_does_not_bring_back_who_left(self):
        for _way in self._each_way():
            loaded = (
                self.env["sale.order"]
                .with_user(self.editor)
                .load(
                    ["partner_id/.id", "user_id/.id"],
                    [[str(self.customer.id), str(self.alice.id)]],
                )
            )
            self.assertFalse(loaded["messages"])
            self.assertWithoutAlice(self.env["sale.order"].browse(loaded["ids"]))

    def test_shop_that_names_the_salesperson_at_confirmation_passes_over_who_left(self):
        for _way in self._each_way():
            # a web shop writes with elevated rights, in a visitor's name
            order = self._create_order(self.customer, user_id=False)
            order.with_user(self.portal).sudo().user_id = self.alice
            self.assertWithoutAlice(order)

    def test_user_cannot_name_who_left_as_salesperson_of_an_order(self):
        order = self._create_order(self.customer, user_id=self.bob.id)
        for _way in self._each_way():
            with self.assertRaisesRegex(ValidationError, "Alice"):
                order.with_user(self.editor).user_id = self.alice

    def test_nobody_puts_who_left_onto_representatives(self):
        order = self._create_order(self.customer, followup_rep_ids=False)
        link = [Command.link(self.alice.id)]
        values = {"partner_id": self.customer.id}
        orders = self.env["sale.order"].with_user(self.editor)
        routes = (
            lambda: order.with_user(self.editor).write({"followup_rep_ids": link}),
            lambda: orders.create({**values, "followup_rep_ids": link}),
            lambda: orders.with_context(default_followup_rep_ids=link).create(values),
        )
        for _way in self._each_way():
            for route in routes:
                with (
                    self.assertRaisesRegex(ValidationError, "Alice"),
                    self.env.cr.savepoint(),
                ):
                    route()
            loaded = order.with_user(self.editor).load(
                [".id", "followup_rep_ids/.id"], [[str(order.id), str(self.alice.id)]]
            )
            self.assertIn("Alice", loaded["messages"][0]["message"])

    def test_representatives_in_place_do_not_hinder_other_changes(self):
        for _way in self._each_way():
            order = self.order.with_user(self.editor)
            order.followup_rep_ids = [Command.link(self.carol.id)]
            self.assertReps(order, self.alice, self.bob, self.carol)

    def test_visitor_is_not_the_salesperson_of_their_invoice(self):
        invoice = self._create_invoice(
            self._create_customer(), invoice_user_id=self.portal.id
        )
        self.assertFalse(invoice.invoice_user_id & self.portal)

    def test_cashier_sells_without_following(self):
        """What another app says of the seller stays; it makes nobody follow."""
        invoice = self._create_invoice(self.customer, invoice_user_id=self.carol.id)
        self.assertReps(invoice, self.alice, self.bob, lead=self.carol)
        self.assertReps(self.customer, self.alice, self.bob)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestInvoices(DocumentsOfCustomers):
    """R5: invoices take the representatives of the customer, or of their source."""

    def test_invoice_takes_its_customer_s_representatives(self):
        for move_type in ("out_invoice", "out_refund", "out_receipt"):
            with self.subTest(move_type=move_type):
                move = self._create_invoice(self.customer, move_type)
                self.assertReps(move, self.alice, self.bob)

    def test_invoice_does_not_take_archived_representatives(self):
        self.bob.active = False
        self.assertReps(self._create_invoice(self.customer), self.alice)

    def test_invoice_does_not_take_an_archived_salesperson(self):
        self.alice.active = False
        self.assertReps(self._create_invoice(self.customer), self.bob)

    def test_invoice_takes_only_who_belongs_to_its_company(self):
        branch = self._create_company(name="Elsewhere")
        self.env.user.company_ids += branch
        self._create_accounting(branch)
        self.bob.company_ids = [Command.link(branch.id)]
        move = self._create_invoice(self.customer, company_id=branch.id)
        self.assertReps(move, self.bob)

    def test_vendor_documents_and_entries_take_nobody(self):
        for move_type in ("in_invoice", "in_refund"):
            with self.subTest(move_type=move_type):
                move = self._create_invoice(self.customer, move_type)
                self.assertReps(move)
        entry = self.env["account.move"].create({"partner_id": self.customer.id})
        self.assertReps(entry)

    def test_vendor_bill_may_have_representatives(self):
        bill = self._create_invoice(self.customer, "in_invoice")
        bill.followup_rep_ids = self.carol
        bill.action_post() if bill.invoice_date else None
        self.assertReps(bill, self.carol, lead=self.env["res.users"])

    def test_invoice_of_an_order_takes_the_order_s(self):
        order = self._create_order(self.customer, "sale", user_id=self.carol.id)
        order.followup_rep_ids = self.bob + self.editor
        invoice = self._make_invoices(order)
        self.assertReps(invoice, self.bob, self.editor, lead=self.carol)

    def test_invoice_of_an_order_without_representatives_has_none(self):
        order = self._create_order(self.customer, "sale", followup_rep_ids=False)
        self.assertFalse(self._make_invoices(order).followup_rep_ids)

    def test_invoice_of_an_order_drops_archived_representatives(self):
        order = self._create_order(self.customer, "sale")
        self.bob.active = False
        self.assertReps(self._make_invoices(order), self.alice)
        self.assertReps(order, self.alice, self.bob)

    def test_invoice_of_several_orders_takes_those_of_all(self):
        orders = self._create_order(self.customer, "sale")
        orders += self._create_order(
            self.customer,
            "sale",
            followup_rep_ids=[Command.set((self.carol + self.editor).ids)],
        )
        self.carol.active = False
        invoice = self._make_invoices(orders)
        self.assertEqual(len(invoice), 1)
        self.assertReps(invoice, self.alice, self.bob, self.editor)

    def test_orders_invoiced_together_but_apart_keep_their_own(self):
        mine = self._create_order(self.customer, "sale")
        other = self._create_order(self._create_customer(self.carol), "sale")
        again = self._create_order(self.customer, "sale", followup_rep_ids=False)
        invoices = self._make_invoices(mine + other + again, consolidated_billing=False)
        self.assertEqual(len(invoices), 3)
        self.assertReps(mine.invoice_ids, self.alice, self.bob)
        self.assertReps(other.invoice_ids, self.carol)
        self.assertReps(again.invoice_ids, lead=self.alice)

    def test_down_payment_takes_the_order_s(self):
        order = self._create_order(self.customer, "sale")
        order.followup_rep_ids = self.bob + self.carol
        invoice = self._make_invoices(
            order, advance_payment_method="percentage", amount=30
        )
        self.assertReps(invoice, self.bob, self.carol, lead=self.alice)
        final = self._make_invoices(order)
        self.assertReps(final, self.bob, self.carol, lead=self.alice)

    def test_representative_limited_to_own_documents_invoices_an_order(self):
        order = self._create_order(self.customer, "sale")
        invoice = self._make_invoices(order, user=self.bob)
        self.assertReps(invoice, self.alice, self.bob)
        self.assertTrue(invoice.with_user(self.bob).has_access("read"))

    def _reverse(self, move, method="refund_moves"):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "Returned"})
        )
        getattr(wizard, method)()
        return wizard.new_move_ids

    def test_credit_note_takes_its_invoice_s(self):
        move = self._create_invoice(self.customer, post=True)
        move.followup_rep_ids = self.bob + self.carol
        self.carol.active = False
        note = self._reverse(move)
        self.assertEqual(note.move_type, "out_refund")
        self.assertReps(note, self.bob, lead=self.alice)
        self.assertReps(move, self.bob, self.carol, lead=self.alice)

    def test_invoice_that_takes_the_place_of_a_credited_one_takes_its(self):
        move = self._create_invoice(self.customer, post=True)
        move.followup_rep_ids = self.bob + self.carol
        moves = self._reverse(move, "modify_moves")
        self.assertTrue(moves)
        for new in moves:
            self.assertReps(new, self.bob, self.carol, lead=self.alice)

    def test_copy_has_the_invoice_s_representatives(self):
        move = self._create_invoice(self.customer, post=True)
        move.followup_rep_ids = self.bob + self.carol
        self.carol.active = False
        self.assertReps(move.copy(), self.bob, lead=self.alice)

    def test_documents_made_from_an_invoice_after_a_handover_keep_its_salesperson(self):
        move = self._create_invoice(self.customer, post=True)
        self.customer.followup_rep_ids = [Command.set(self.carol.ids)]
        self.assertReps(move.copy(), self.alice, self.bob)
        for new in self._reverse(move, "modify_moves") | move.reversal_move_ids:
            self.assertReps(new, self.alice, self.bob)

    def test_representatives_of_a_posted_invoice_can_change(self):
        move = self._create_invoice(self.customer, post=True)
        move.followup_rep_ids = self.carol
        self.assertReps(move, self.carol, lead=self.alice)
        self.assertEqual(move.state, "posted")


@tagged("post_install", "-at_install", "depends_on_apps")
class TestAccess(DocumentsOfCustomers):
    """R6: a representative gets the access of the Salesperson."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order(cls.customer)
        cls.invoice = cls._create_invoice(cls.customer, post=True)

    def assertAccess(self, user, records, *operations):
        """Assert that a user has exactly these operations on records."""
        records.invalidate_recordset()
        self.env.invalidate_all()
        for operation in ("read", "write", "unlink"):
            self.assertEqual(
                records.with_user(user).has_access(operation),
                operation in operations,
                f"{user.name} may {operation} {records}",
            )

    def test_representative_reads_and_changes_the_order_and_its_lines(self):
        self.assertAccess(self.bob, self.order, "read", "write")
        self.assertAccess(self.bob, self.order.order_line, "read", "write", "unlink")

    def test_representative_has_the_salesperson_s_access(self):
        for records in (
            self.order,
            self.order.order_line,
            self.invoice,
            self.invoice.invoice_line_ids,
        ):
            for operation in ("read", "write", "create", "unlink"):
                with self.subTest(records=records, operation=operation):
                    self.assertEqual(
                        records.with_user(self.bob).has_access(operation),
                        records.with_user(self.alice).has_access(operation),
                    )

    def test_representative_reads_the_invoice_and_its_lines(self):
        self.assertAccess(self.bob, self.invoice, "read")
        self.assertAccess(self.bob, self.invoice.line_ids, "read")

    def test_salesperson_who_is_no_representative_sees_nothing_of_it(self):
        for records in (
            self.order,
            self.order.order_line,
            self.invoice,
            self.invoice.line_ids,
        ):
            self.assertAccess(self.carol, records)

    def test_access_comes_and_goes_with_the_representative(self):
        self.order.followup_rep_ids = [Command.link(self.carol.id)]
        self.assertAccess(self.carol, self.order, "read", "write")
        self.assertEqual(
            self.env["sale.order"]
            .with_user(self.carol)
            .search([("partner_id", "=", self.customer.id)]),
            self.order,
        )
        self.order.followup_rep_ids = [Command.unlink(self.carol.id)]
        self.assertAccess(self.carol, self.order)

    def test_representative_of_the_customer_alone_has_no_access(self):
        self.customer.followup_rep_ids = [Command.link(self.carol.id)]
        self.assertAccess(self.carol, self.order)

    def test_representative_works_on_the_order(self):
        order = self.order.with_user(self.bob)
        form = Form(order)
        form.client_order_ref = "P-1"
        with form.order_line.edit(0) as line:
            line.product_uom_qty = 3
        form.save()
        order.order_line = [
            Command.create({"product_id": order.order_line.product_id.id})
        ]
        order.action_confirm()
        self.assertEqual(self.order.state, "sale")
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [3, 1])

    def test_representative_opens_the_sending_of_the_invoice(self):
        wizard = (
            self.env["account.move.send.wizard"]
            .with_user(self.bob)
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"move_id": self.invoice.id})
        )
        self.assertTrue(wizard.has_access("write"))
        with self.assertRaises(AccessError):
            wizard.with_user(self.carol).check_access("read")

    def test_representative_gets_no_access_to_vendor_bills(self):
        bill = self._create_invoice(self.customer, "in_invoice")
        bill.followup_rep_ids = self.bob
        self.assertAccess(self.bob, bill)
        self.assertAccess(self.bob, bill.line_ids)

    def test_representative_of_another_company_sees_nothing(self):
        branch = self._create_company(name="Elsewhere")
        order = (
            self.env["sale.order"]
            .with_company(branch)
            .create({"partner_id": self.customer.id, "company_id": branch.id})
        )
        order.followup_rep_ids = self.bob
        self.assertAccess(self.bob, self.order.browse(order.id))


@tagged("post_install", "-at_install", "depends_on_apps")
class TestLists(DocumentsOfCustomers):
    """R5: columns, filters and groups of representatives in the lists."""

    def test_lists_have_a_column_of_representatives(self):
        for view in (
            "base.view_partner_tree",
            "sale.view_quotation_tree",
            "sale.view_order_tree",
            "account.view_out_invoice_tree",
            "account.view_out_credit_note_tree",
        ):
            with self.subTest(view=view):
                view = self.env.ref(view)
                model = self.env[view.model].with_user(self.editor)
                arch = model.get_view(view.id, "list")["arch"]
                self.assertEqual(arch.count('name="followup_rep_ids"'), 1)

    def test_my_orders_are_those_of_any_representative(self):
        mine = self._create_order(self.customer)
        mine += self._create_order(self.customer, user_id=self.carol.id)
        sold = self._create_order(self._create_customer(), user_id=self.bob.id)
        self._create_order(self._create_customer(self.alice))
        for view in (
            "sale.sale_order_view_search_inherit_quotation",
            "sale.sale_order_view_search_inherit_sale",
        ):
            with self.subTest(view=view):
                domain = self._get_filter_domain(
                    view, "followup_my_documents", self.bob
                )
                found = self.env["sale.order"].with_user(self.bob).search(domain)
                self.assertEqual(found, mine + sold)

    def test_my_invoices_are_those_of_any_representative(self):
        mine = self._create_invoice(self.customer)
        self._create_invoice(self._create_customer(self.alice))
        domain = self._get_filter_domain(
            "account.view_account_invoice_filter", "followup_my_documents", self.bob
        )
        found = self.env["account.move"].with_user(self.bob).search(domain)
        self.assertEqual(found, mine)

    def test_documents_are_grouped_by_each_representative(self):
        self._create_order(self.customer)
        self._create_invoice(self.customer)
        for model in ("sale.order", "account.move"):
            with self.subTest(model=model):
                groups = (
                    self.env[model]
                    .with_user(self.editor)
                    .formatted_read_group(
                        [("partner_id", "=", self.customer.id)],
                        ["followup_rep_ids"],
                        ["__count"],
                    )
                )
                names = sorted(group["followup_rep_ids"][1] for group in groups)
                self.assertEqual(names, ["Alice", "Bob"])

    def test_bookkeeping_is_not_offered_to_group_by(self):
        for model in ("sale.order", "account.move"):
            fields = self.env[model].with_user(self.editor).fields_get()
            for name, description in fields.items():
                if name.startswith("followup_"):
                    self.assertFalse(
                        description["groupable"]
                        and description["string"].startswith(("Latest", "Answers")),
                        name,
                    )
