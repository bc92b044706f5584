from odoo import Command
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from ..common_documents import DocumentsCommon

REFUSAL = "Representatives: Editor"


class RightsCommon(DocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)
        cls.contact = cls._create_contact(cls.customer, user_id=cls.carol.id)

    def _as(self, user, records=None):
        records = self.customer if records is None else records
        return records.with_user(user)

    def assertRefused(self, *routes):
        """Assert that each of these functions is refused, and nobody changes."""
        for route in routes:
            with (
                self.subTest(route=route),
                self.assertRaisesRegex(AccessError, REFUSAL),
                self.env.cr.savepoint(),
            ):
                route()
            self.assertReps(self.customer, self.alice, self.bob)
            self.assertReps(self.contact, self.carol)


@tagged("post_install", "-at_install")
class TestWithoutTheRight(RightsCommon):
    """R4: who is no Editor changes no representative, whatever the route."""

    def test_writes_are_refused(self):
        customer = self._as(self.clerk)
        self.assertRefused(
            lambda: customer.write({"user_id": self.carol.id}),
            lambda: customer.write({"user_id": self.bob.id}),
            lambda: customer.write({"user_id": False}),
            lambda: customer.write({"followup_rep_ids": False}),
            lambda: customer.write({"followup_rep_ids": [Command.link(self.carol.id)]}),
            lambda: customer.write({"followup_rep_ids": [Command.unlink(self.bob.id)]}),
            lambda: customer.write({"followup_rep_ids": self.carol}),
            lambda: setattr(customer, "user_id", self.carol),
        )

    def test_right_to_sell_is_not_enough(self):
        seller = self._create_user(
            "seller",
            "base.group_partner_manager",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_manager",
        )
        self.assertRefused(
            lambda: self._as(seller).write({"user_id": self.carol.id}),
        )

    def test_list_edits_are_refused(self):
        other = self._create_customer(self.carol)
        customers = self._as(self.clerk, self.customer + other)
        lead = {"user_id": self.carol.id}
        self.assertRefused(
            lambda: customers.web_save(lead, {}),
            lambda: customers.web_save({"followup_rep_ids": [[5]]}, {}),
            lambda: customers.web_save_multi([lead, {}], {}),
        )
        self.assertReps(other, self.carol)

    def test_calls_from_outside_are_refused(self):
        partners = self.env["res.partner"].with_user(self.clerk)
        ids, lead = self.customer.ids, {"user_id": self.carol.id}
        settled = {"context": {"followup_settled": True}}
        self.assertRefused(
            lambda: call_kw(partners, "write", [ids, lead], {}),
            lambda: call_kw(partners, "write", [ids, lead], settled),
            lambda: call_kw(partners, "web_save", [ids, lead, {}], {}),
        )

    def test_methods_that_do_the_work_cannot_be_called_from_outside(self):
        for model, method in (
            ("res.partner", "_followup_change_in_bulk"),
            ("res.partner", "_followup_store_reps"),
            ("sales.followup.rep.writer", "_write_reps"),
            ("sales.followup.rep.writer.sql", "_write_reps"),
            ("sales.followup.change", "_apply"),
            ("sales.followup.change", "_create_planned"),
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                call_kw(self.env[model].with_user(self.clerk), method, [[]], {})

    def test_import_over_existing_customers_is_refused(self):
        partners = self.env["res.partner"].with_user(self.clerk)
        for column, value in (
            ("user_id/.id", str(self.carol.id)),
            ("user_id/.id", ""),
            ("followup_rep_ids/.id", str(self.carol.id)),
        ):
            with self.subTest(column=column, value=value):
                loaded = partners.load(
                    [".id", "ref", column], [[str(self.customer.id), "C-1", value]]
                )
                self.assertFalse(loaded["ids"])
                self.assertIn(REFUSAL, loaded["messages"][0]["message"])
                self.assertReps(self.customer, self.alice, self.bob)
                self.assertFalse(self.customer.ref)

    def test_unchanged_columns_of_an_import_pass(self):
        reps = f"{self.bob.id},{self.alice.id}"
        loaded = (
            self.env["res.partner"]
            .with_user(self.clerk)
            .load(
                [".id", "ref", "user_id/.id", "followup_rep_ids/.id"],
                [[str(self.customer.id), "C-1", str(self.alice.id), reps]],
            )
        )
        self.assertEqual(loaded["ids"], self.customer.ids)
        self.assertEqual(self.customer.ref, "C-1")
        self.assertReps(self.customer, self.alice, self.bob)

    def test_unchanged_values_pass_beside_others(self):
        customer = self._as(self.clerk)
        for number, values in enumerate(
            (
                {"user_id": self.alice.id},
                {"followup_rep_ids": [Command.set((self.bob + self.alice).ids)]},
                {"followup_rep_ids": [Command.link(self.bob.id)]},
                {"followup_rep_ids": [Command.unlink(self.carol.id)]},
                {"followup_rep_ids": []},
                {"user_id": self.alice.id, "followup_rep_ids": [(4, self.bob.id)]},
            )
        ):
            with self.subTest(values=values):
                customer.write({**values, "ref": f"C-{number}"})
                self.assertEqual(self.customer.ref, f"C-{number}")
                self.assertReps(self.customer, self.alice, self.bob)

    def test_refused_write_changes_nothing_else(self):
        self.assertRefused(
            lambda: self._as(self.clerk).write({"user_id": self.carol.id, "ref": "C-1"})
        )
        self.assertFalse(self.customer.ref)

    def test_one_changed_customer_among_unchanged_ones_refuses_all(self):
        other = self._create_customer(self.carol)
        customers = self._as(self.clerk, self.customer + other)
        self.assertRefused(lambda: customers.write({"user_id": self.carol.id}))

    def test_wizards_and_menu_are_refused(self):
        action = self.env.ref("sales_followup.res_partner_action_assign_reps")
        action = action.with_context(
            active_model="res.partner", active_ids=self.customer.ids
        )
        for model in ("sales.followup.assign", "sales.followup.propagate"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                Form(self.env[model].with_user(self.clerk))
        with self.assertRaises(AccessError):
            action.with_user(self.clerk).run()
        with self.assertRaises(AccessError):
            self._as(self.clerk).action_followup_propagate()
        self.assertReps(self.customer, self.alice, self.bob)

    def test_form_is_read_only_but_for_the_rest(self):
        form = Form(self._as(self.clerk))
        with self.assertRaisesRegex(AssertionError, "readonly|not editable"):
            form.user_id = self.carol
        with self.assertRaisesRegex(AssertionError, "readonly|not editable"):
            form.followup_rep_ids.add(self.carol)
        form.ref = "C-1"
        form.save()
        self.assertEqual(self.customer.ref, "C-1")
        self.assertReps(self.customer, self.alice, self.bob)

    def test_list_is_read_only(self):
        view_id = self.env.ref("base.view_partner_tree").id
        arch = self._as(self.clerk).get_view(view_id, "list")["arch"]
        self.assertEqual(arch.count('readonly="not followup_can_edit_reps"'), 2)
        self.assertFalse(self._as(self.clerk).followup_can_edit_reps)
        self.assertTrue(self._as(self.editor).followup_can_edit_reps)

    def test_first_representatives_are_set_by_whoever_creates(self):
        form = Form(self.env["res.partner"].with_user(self.clerk))
        form.name = "New"
        form.user_id = self.bob
        form.followup_rep_ids.add(self.alice)
        customer = form.save()
        self.assertReps(customer, self.bob, self.alice)
        with self.assertRaisesRegex(AccessError, REFUSAL):
            customer.user_id = self.alice

    def test_contact_created_through_its_company_may_have_its_own(self):
        child = Command.create({"name": "New", "user_id": self.bob.id})
        customer = self._as(self.clerk)
        customer.write({"child_ids": [child]})
        self.assertReps(customer.child_ids - self.contact, self.bob)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_who_may_not_create_sets_nothing(self):
        reader = self._create_user("reader")
        with self.assertRaises(AccessError):
            self.env["res.partner"].with_user(reader).create(
                {"name": "New", "user_id": reader.id}
            )


@tagged("post_install", "-at_install")
class TestWithTheRight(RightsCommon):
    """R4: an Editor changes representatives, of the customers they may write."""

    def test_form_list_and_calls_pass(self):
        form = Form(self._as(self.editor))
        form.user_id = self.carol
        form.save()
        self.assertReps(self.customer, self.carol, self.bob)
        self._as(self.editor).web_save({"user_id": self.alice.id}, {})
        self.assertReps(self.customer, self.alice, self.bob)
        partners = self.env["res.partner"].with_user(self.editor)
        call_kw(
            partners,
            "write",
            [self.customer.ids, {"followup_rep_ids": [[4, self.carol.id]]}],
            {},
        )
        self.assertReps(self.customer, self.alice, self.bob, self.carol)

    def test_right_to_contacts_is_needed_too(self):
        limited = self._create_user("limited", "sales_followup.group_rep_editor")
        with self.assertRaises(AccessError):
            self._as(limited).user_id = self.carol
        self.assertReps(self.customer, self.alice, self.bob)

    def test_customer_of_another_company_is_refused(self):
        self.customer.company_id = self._create_company(name="Elsewhere")
        customer = self._as(self.editor)
        for values in (
            {"user_id": self.carol.id},
            {"followup_rep_ids": [Command.link(self.carol.id)]},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                customer.write(values)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_editor_of_two_companies_changes_customers_of_both(self):
        company = self._create_company(name="Elsewhere")
        self.editor.company_ids += company
        self.customer.company_id = company
        customer = self._as(self.editor).with_context(
            allowed_company_ids=self.editor.company_ids.ids
        )
        customer.user_id = self.carol
        self.assertReps(self.customer, self.carol, self.bob)

    def test_representative_the_editor_may_not_see_is_kept(self):
        company = self._create_company(name="Elsewhere")
        stranger = self._create_user(
            "stranger", company_id=company.id, company_ids=[Command.set(company.ids)]
        )
        self.customer.followup_rep_ids = [Command.link(stranger.id)]
        self.env.invalidate_all()
        form = Form(self._as(self.editor))
        form.followup_rep_ids.add(self.carol)
        form.save()
        self.assertReps(self.customer, self.alice, self.bob, stranger, self.carol)


@tagged("post_install", "-at_install")
class TestSystemFlows(RightsCommon):
    """R4: what the system does on behalf of somebody keeps working, and the rule."""

    def test_superuser_writes_for_anybody(self):
        for user in (self.clerk, self.portal):
            with self.subTest(user=user.name):
                customer = self._create_customer(self.alice, self.bob)
                customer.with_user(user).sudo().user_id = self.carol
                self.assertReps(customer, self.carol, self.bob)

    def test_sign_up_creates_the_partner_of_the_new_user(self):
        self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        login = "followup_signup@example.com"
        users = self.env["res.users"].with_user(self.env.ref("base.public_user"))
        users.sudo().signup({"login": login, "name": "Sign Up", "password": login})
        user = self.env["res.users"].search([("login", "=", login)])
        self.assertReps(user.partner_id)

    def test_sender_of_a_mail_becomes_a_partner(self):
        partner = (
            self.env["res.partner"]
            .with_user(self.clerk)
            .find_or_create("Somebody <followup_gateway@example.com>")
        )
        self.assertReps(partner)

    def test_company_of_a_person_is_created(self):
        person = self._create_customer(
            self.alice, is_company=False, company_name="Their Company"
        )
        person.with_user(self.clerk).create_company()
        self.assertEqual(person.parent_id.name, "Their Company")
        self.assertReps(person, self.alice)

    def test_parent_taken_over_passes(self):
        person = self.env["res.partner"].create({"name": "Person"})
        self._as(self.clerk, person).parent_id = self.customer
        self.assertReps(person, self.alice, self.bob)

    def test_archiving_and_restoring_a_customer_passes(self):
        customer = self._as(self.clerk)
        customer.action_archive()
        customer.action_unarchive()
        self.assertReps(self.customer, self.alice, self.bob)


@tagged("post_install", "-at_install")
class TestPortal(RightsCommon):
    """§7: customers read their documents, not who follows them."""

    def setUp(self):
        super().setUp()
        partner = self.portal.partner_id
        partner.write({"user_id": self.alice.id})
        order = self._create_order(partner, "sent")
        order.message_subscribe(partner.ids)
        invoice = self._create_invoice(partner, post=True)
        invoice.message_subscribe(partner.ids)
        self.records = (partner, order, invoice)

    def test_portal_user_cannot_read_representatives(self):
        for record in self.records:
            with self.subTest(record=record):
                record = self._as(self.portal, record)
                self.assertTrue(record.read(["display_name"]))
                self.assertNotIn("followup_rep_ids", record.fields_get())
                with self.assertRaises(AccessError):
                    record.read(["followup_rep_ids"])
                with self.assertRaises(AccessError):
                    record.mapped("followup_rep_ids")

    def test_portal_user_cannot_search_by_representatives(self):
        for record in self.records:
            with self.subTest(record=record), self.assertRaises(AccessError):
                self._as(self.portal, record).search(
                    [("followup_rep_ids", "in", self.alice.ids)]
                )

    def test_portal_user_cannot_write_representatives(self):
        for record in self.records:
            with self.subTest(record=record), self.assertRaises(AccessError):
                self._as(self.portal, record).write(
                    {"followup_rep_ids": [Command.set(self.bob.ids)]}
                )
            self.assertEqual(record.followup_rep_ids, self.alice)


@tagged("post_install", "-at_install")
class TestSettings(RightsCommon):
    """R4: the settings choose whose groups have the right."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls._create_user("admin", "base.group_system")
        cls.manager = cls._create_user("manager", "sales_team.group_sale_manager")
        cls.group = cls.env["res.groups"].create({"name": "Back Office"})
        cls.clerk.group_ids += cls.group

    def _save(self, *groups, user=None):
        ids = [group.id for group in groups]
        settings = self.env["res.config.settings"].with_user(user or self.admin)
        settings.create({"followup_editor_group_ids": [Command.set(ids)]}).execute()

    def _is_editor(self, user):
        return user.has_group("sales_followup.group_rep_editor")

    def test_sales_administrators_have_the_right_from_the_start(self):
        self.assertTrue(self._is_editor(self.manager))
        self.assertFalse(self._is_editor(self.clerk))
        settings = self.env["res.config.settings"].with_user(self.admin).new()
        self.assertIn(
            self.env.ref("sales_team.group_sale_manager"),
            settings.followup_editor_group_ids._origin,
        )

    def test_chosen_groups_get_the_right_and_the_others_lose_it(self):
        self._save(self.group)
        self.assertTrue(self._is_editor(self.clerk))
        self.assertFalse(self._is_editor(self.manager))
        self._as(self.clerk).user_id = self.carol
        self.assertReps(self.customer, self.carol, self.bob)

    def test_who_has_the_right_in_person_keeps_it(self):
        self._save(self.group)
        self.assertTrue(self._is_editor(self.editor))

    def test_saving_other_settings_changes_nothing(self):
        self._save(self.group)
        self.env["res.config.settings"].with_user(self.admin).create(
            {"followup_allow_clear": True}
        ).execute()
        self.assertTrue(self.env.company.followup_allow_clear)
        self.assertTrue(self._is_editor(self.clerk))
        self.assertFalse(self._is_editor(self.manager))

    def test_right_can_be_taken_from_all_groups(self):
        self._save()
        self.assertFalse(self._is_editor(self.manager))
        self.assertTrue(self._is_editor(self.editor))

    def test_only_administrators_choose(self):
        for user in (self.clerk, self.editor, self.manager):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._save(self.group, user=user)
        self.assertFalse(self._is_editor(self.clerk))


@tagged("post_install", "-at_install")
class TestModels(RightsCommon):
    """§7: who may do what on the addon's own records."""

    def assertOperations(self, user, records, allowed):
        for operation in ("read", "write", "create", "unlink"):
            with self.subTest(user=user.name, operation=operation):
                self.assertEqual(
                    records.with_user(user).has_access(operation),
                    operation in allowed,
                )

    def test_document_types_are_changed_by_administrators_only(self):
        admin = self._create_user("admin", "base.group_system")
        manager = self._create_user("manager", "sales_followup.group_manager")
        doc_type = self._type("quotation")
        self.assertOperations(admin, doc_type, ("read", "write", "create", "unlink"))
        for user in (self.clerk, self.editor, manager):
            self.assertOperations(user, doc_type, ("read",))
        self.assertOperations(self.portal, doc_type, ())

    def test_journal_is_read_by_editors_and_written_by_nobody(self):
        change = self.customer.with_user(self.editor)._followup_change_in_bulk(
            "assign", users=self.carol.ids
        )
        for records in (change, change.line_ids):
            self.assertOperations(self.editor, records, ("read",))
            for user in (self.clerk, self.alice, self.portal):
                self.assertOperations(user, records, ())

    def test_undo_needs_the_right(self):
        change = self.customer.with_user(self.editor)._followup_change_in_bulk(
            "assign", users=self.carol.ids
        )
        with self.assertRaises(AccessError):
            change.with_user(self.clerk).action_undo()
        self.assertReps(self.customer, self.alice, self.bob, self.carol)
        change.action_undo()
        self.assertReps(self.customer, self.alice, self.bob)


@tagged("post_install", "-at_install")
class TestOverHttp(RightsCommon, HttpCase):
    """R4: the same through the web client's calls."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in (cls.clerk, cls.editor, cls.portal):
            user.password = user.login

    def _call(self, user, method, *args):
        self.authenticate(user.login, user.login)
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/res.partner/{method}",
            {"model": "res.partner", "method": method, "args": args, "kwargs": {}},
        )

    def test_only_an_editor_changes_representatives(self):
        lead = {"user_id": self.carol.id}
        for user in (self.clerk, self.portal):
            for method, args in (
                ("write", [self.customer.ids, lead]),
                ("web_save", [self.customer.ids, lead, {}]),
            ):
                with (
                    self.subTest(user=user.name, method=method),
                    mute_logger("odoo.http"),
                    self.assertRaisesRegex(JsonRpcException, "AccessError"),
                ):
                    self._call(user, method, *args)
        self.assertReps(self.customer, self.alice, self.bob)
        self._call(self.editor, "web_save", self.customer.ids, lead, {})
        self.assertReps(self.customer, self.carol, self.bob)

    def test_contacts_are_not_changed_through_their_company_either(self):
        command = [1, self.contact.id, {"user_id": self.alice.id}]
        args = (self.customer.ids, {"child_ids": [command]}, {})
        with (
            mute_logger("odoo.http"),
            self.assertRaisesRegex(JsonRpcException, "AccessError"),
        ):
            self._call(self.clerk, "web_save", *args)
        self.assertReps(self.contact, self.carol)
        self._call(self.editor, "web_save", *args)
        self.assertReps(self.contact, self.alice, lead=self.alice)
