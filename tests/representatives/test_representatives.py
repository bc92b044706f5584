from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from ..common import FollowupCommon


@tagged("post_install", "-at_install")
class TestCreate(FollowupCommon):
    """R1: a new customer's Salesperson is one of its representatives."""

    def _create(self, **values):
        return (
            self.env["res.partner"]
            .with_user(self.clerk)
            .create({"name": "New", **values})
        )

    def test_salesperson_alone_becomes_the_representative(self):
        self.assertReps(self._create(user_id=self.alice.id), self.alice)

    def test_first_representative_named_leads(self):
        users = self.carol + self.alice
        customer = self._create(followup_rep_ids=[Command.set(users.ids)])
        self.assertReps(customer, self.carol, self.alice)

    def test_representatives_with_an_empty_salesperson_get_a_lead(self):
        customer = self._create(
            user_id=False, followup_rep_ids=[Command.link(self.bob.id)]
        )
        self.assertReps(customer, self.bob)

    def test_salesperson_is_added_to_the_representatives_given(self):
        customer = self._create(
            user_id=self.alice.id, followup_rep_ids=[Command.set(self.bob.ids)]
        )
        self.assertReps(customer, self.alice, self.bob)

    def test_nobody_follows_a_customer_created_without_anybody(self):
        for values in ({}, {"user_id": False}, {"followup_rep_ids": False}):
            with self.subTest(values=values):
                self.assertReps(self._create(**values))

    def test_defaults_of_the_context_are_made_to_agree(self):
        partners = self.env["res.partner"]
        by_lead = partners.with_context(default_user_id=self.alice.id)
        by_reps = partners.with_context(default_followup_rep_ids=self.bob.ids)
        self.assertReps(by_lead.create({"name": "Lead"}), self.alice)
        self.assertReps(by_reps.create({"name": "Representative"}), self.bob)
        both = by_lead.create(
            {"name": "Both", "followup_rep_ids": [Command.set(self.bob.ids)]}
        )
        self.assertReps(both, self.alice, self.bob)

    def test_default_set_by_a_user_is_made_to_agree(self):
        self.env["ir.default"].set("res.partner", "user_id", self.alice.id)
        self.assertReps(self._create(), self.alice)
        customer = self._create(followup_rep_ids=[Command.set(self.bob.ids)])
        self.assertReps(customer, self.alice, self.bob)

    def test_each_of_several_new_customers_gets_its_own(self):
        customers = self.env["res.partner"].create(
            [
                {"name": "One", "user_id": self.alice.id},
                {"name": "Two", "followup_rep_ids": [Command.set(self.bob.ids)]},
                {"name": "Three"},
            ]
        )
        self.assertReps(customers[0], self.alice)
        self.assertReps(customers[1], self.bob)
        self.assertReps(customers[2])

    def test_portal_user_cannot_follow_a_new_customer(self):
        for values in (
            {"user_id": self.portal.id},
            {"followup_rep_ids": [Command.set(self.portal.ids)]},
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(ValidationError, "than Portal User"),
            ):
                self._create(**values)

    def test_quick_create_by_name_works(self):
        partner_id, _name = (
            self.env["res.partner"].with_user(self.clerk).name_create("Quick")
        )
        self.assertReps(self.env["res.partner"].browse(partner_id))


@tagged("post_install", "-at_install")
class TestWrite(FollowupCommon):
    """R1: what a write of the Salesperson, of the representatives or of both does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)
        cls.as_editor = cls.customer.with_user(cls.editor)

    def test_new_salesperson_replaces_the_old_one(self):
        self.as_editor.user_id = self.carol
        self.assertReps(self.customer, self.carol, self.bob)

    def test_salesperson_who_already_follows_only_takes_the_lead(self):
        self.as_editor.user_id = self.bob
        self.assertReps(self.customer, self.bob, self.alice)

    def test_clearing_the_salesperson_lets_the_next_one_lead(self):
        self.as_editor.user_id = False
        self.assertReps(self.customer, self.bob)

    def test_clearing_the_only_salesperson_leaves_nobody(self):
        customer = self._create_customer(self.alice)
        customer.with_user(self.editor).user_id = False
        self.assertReps(customer)

    def test_first_salesperson_is_the_only_representative(self):
        customer = self._create_customer()
        customer.with_user(self.editor).user_id = self.bob
        self.assertReps(customer, self.bob)

    def test_longest_in_place_takes_the_lead_whatever_their_names_and_ids(self):
        customer = self._create_customer(self.carol).with_user(self.editor)
        customer.followup_rep_ids = [Command.link(self.bob.id)]
        customer.followup_rep_ids = [Command.link(self.alice.id)]
        customer.followup_rep_ids = [Command.unlink(self.carol.id)]
        self.assertReps(customer, self.bob, self.alice)

    def test_representatives_without_the_lead_hand_it_to_the_first_named(self):
        users = self.carol + self.bob
        self.as_editor.followup_rep_ids = [Command.set(users.ids)]
        self.assertReps(self.customer, self.carol, self.bob)

    def test_unlinking_the_lead_hands_it_to_one_who_stays(self):
        self.as_editor.followup_rep_ids = [Command.unlink(self.alice.id)]
        self.assertReps(self.customer, self.bob)

    def test_representatives_with_the_lead_keep_it(self):
        users = self.carol + self.alice
        self.as_editor.followup_rep_ids = [Command.set(users.ids)]
        self.assertReps(self.customer, self.alice, self.carol)

    def test_linking_a_representative_keeps_all_the_others(self):
        self.as_editor.followup_rep_ids = [Command.link(self.carol.id)]
        self.assertReps(self.customer, self.alice, self.bob, self.carol)

    def test_both_in_one_write_add_the_lead_to_the_representatives(self):
        self.as_editor.write(
            {
                "user_id": self.alice.id,
                "followup_rep_ids": [Command.set(self.carol.ids)],
            }
        )
        self.assertReps(self.customer, self.alice, self.carol)

    def test_clearing_the_lead_while_naming_representatives_hands_it_on(self):
        self.as_editor.write(
            {"user_id": False, "followup_rep_ids": [Command.set(self.carol.ids)]}
        )
        self.assertReps(self.customer, self.carol)

    def test_whatever_a_many2many_takes_is_understood(self):
        def reps(*users):
            return self._create_customer(self.alice, self.bob), users

        for value, (customer, users) in [
            (self.carol, reps(self.carol)),
            (self.env["res.users"], reps()),
            (self.carol.ids, reps(self.carol)),
            (tuple(self.carol.ids), reps(self.carol)),
            ((), reps()),
            ([(6, False, self.carol.ids)], reps(self.carol)),
            ([(5,)], reps()),
            (False, reps()),
            ([(5, 0, 0), (4, self.carol.id, 0)], reps(self.carol)),
            ([(3, self.carol.id, 0)], reps(self.alice, self.bob)),
            ([], reps(self.alice, self.bob)),
        ]:
            with self.subTest(value=value):
                customer.with_user(self.editor).write({"followup_rep_ids": value})
                self.assertReps(customer, *users)

    def test_users_are_neither_created_nor_changed_through_a_customer(self):
        for command in (
            Command.create({"name": "Eve", "login": "followup_eve"}),
            Command.update(self.alice.id, {"name": "Eve"}),
            Command.delete(self.alice.id),
        ):
            with self.subTest(command=command), self.assertRaises(ValidationError):
                self.as_editor.followup_rep_ids = [command]
        self.assertTrue(self.alice.exists())
        self.assertEqual(self.alice.name, "Alice")
        self.assertReps(self.customer, self.alice, self.bob)

    def test_portal_user_cannot_become_a_representative(self):
        for values in (
            {"user_id": self.portal.id},
            {"followup_rep_ids": [Command.link(self.portal.id)]},
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(ValidationError, "than Portal User"),
            ):
                self.as_editor.write(values)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_other_values_of_the_same_write_are_written(self):
        self.as_editor.write({"user_id": self.carol.id, "ref": "C-1"})
        self.assertEqual(self.customer.ref, "C-1")
        self.assertReps(self.customer, self.carol, self.bob)

    def test_each_customer_of_a_list_edit_follows_its_own_rule(self):
        alone = self._create_customer()
        led_by_carol = self._create_customer(self.carol, self.bob)
        customers = (self.customer + alone + led_by_carol).with_user(self.editor)
        customers.web_save({"user_id": self.carol.id}, {})
        self.assertReps(self.customer, self.carol, self.bob)
        self.assertReps(alone, self.carol)
        self.assertReps(led_by_carol, self.carol, self.bob)
        customers.web_save({"followup_rep_ids": [[3, self.carol.id]]}, {})
        self.assertReps(self.customer, self.bob)
        self.assertReps(alone)
        self.assertReps(led_by_carol, self.bob)

    def test_list_edit_with_values_for_each_line_keeps_the_rule(self):
        other = self._create_customer(self.alice)
        customers = (self.customer + other).with_user(self.editor)
        customers.web_save_multi(
            [{"user_id": False}, {"followup_rep_ids": [[4, self.bob.id]]}], {}
        )
        self.assertReps(self.customer, self.bob)
        self.assertReps(other, self.alice, self.bob)

    def test_writing_the_same_again_touches_nothing(self):
        self.env.flush_all()
        date = self.customer.write_date
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = write_date - interval '1 day'"
            " WHERE id = %s",
            [self.customer.id],
        )
        self.customer.invalidate_recordset()
        users = self.bob + self.alice
        self.as_editor.write(
            {"user_id": self.alice.id, "followup_rep_ids": [Command.set(users.ids)]}
        )
        self.env.flush_all()
        self.customer.invalidate_recordset()
        self.assertLess(self.customer.write_date, date)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_my_customers_are_those_of_any_representative(self):
        others = self._create_customer(self.carol)
        mine = self._get_filter_domain(
            "base.view_res_partner_filter", "followup_my_customers", self.bob
        )
        shown = [*mine, ("id", "in", (self.customer + others).ids)]
        found = self.env["res.partner"].with_user(self.bob).search(shown)
        self.assertEqual(found, self.customer)

    def test_customers_are_grouped_by_each_representative(self):
        partners = self.env["res.partner"].with_user(self.bob)
        groups = partners.formatted_read_group(
            [("id", "=", self.customer.id)], ["followup_rep_ids"], ["__count"]
        )
        names = [group["followup_rep_ids"][1] for group in groups]
        self.assertEqual(sorted(names), ["Alice", "Bob"])


@tagged("post_install", "-at_install")
class TestForm(FollowupCommon):
    """R1: the form shows at once what saving will make of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    def _form(self, partner=None):
        partners = self.env["res.partner"].with_user(self.editor)
        return Form(partner.with_user(self.editor) if partner else partners)

    def _shown(self, form):
        return set(form.followup_rep_ids[:].mapped("name"))

    def test_new_salesperson_is_shown_among_the_representatives(self):
        form = self._form(self.customer)
        form.user_id = self.carol
        self.assertEqual(self._shown(form), {"Bob", "Carol"})
        form.save()
        self.assertReps(self.customer, self.carol, self.bob)

    def test_salesperson_chosen_twice_before_saving_replaces_the_first_choice(self):
        form = self._form(self.customer)
        form.user_id = self.carol
        form.user_id = self.editor
        self.assertEqual(self._shown(form), {"Bob", "Editor"})
        form.save()
        self.assertReps(self.customer, self.editor, self.bob)

    def test_salesperson_changed_back_before_saving_changes_nothing(self):
        form = self._form(self.customer)
        form.user_id = self.carol
        form.user_id = self.alice
        form.save()
        self.assertReps(self.customer, self.alice, self.bob)

    def test_clearing_the_salesperson_shows_the_next_one(self):
        form = self._form(self.customer)
        form.user_id = self.env["res.users"]
        self.assertEqual(form.user_id, self.bob)
        self.assertEqual(self._shown(form), {"Bob"})
        form.save()
        self.assertReps(self.customer, self.bob)

    def test_removing_the_lead_from_the_representatives_shows_the_next_one(self):
        form = self._form(self.customer)
        form.followup_rep_ids.remove(self.alice.id)
        self.assertEqual(form.user_id, self.bob)
        form.save()
        self.assertReps(self.customer, self.bob)

    def test_adding_a_representative_keeps_the_salesperson(self):
        form = self._form(self.customer)
        form.followup_rep_ids.add(self.carol)
        self.assertEqual(form.user_id, self.alice)
        form.save()
        self.assertReps(self.customer, self.alice, self.bob, self.carol)

    def test_first_representative_of_a_new_customer_is_shown_as_salesperson(self):
        form = self._form()
        form.name = "New"
        form.followup_rep_ids.add(self.bob)
        self.assertEqual(form.user_id, self.bob)
        form.followup_rep_ids.add(self.alice)
        self.assertReps(form.save(), self.bob, self.alice)

    def test_salesperson_of_a_new_customer_is_shown_as_representative(self):
        form = self._form()
        form.name = "New"
        form.user_id = self.bob
        self.assertEqual(self._shown(form), {"Bob"})
        self.assertReps(form.save(), self.bob)

    def test_new_contact_takes_its_company_s_whole_set(self):
        form = self._form()
        form.name = "New Contact"
        form.parent_id = self.customer
        self.assertReps(form.save(), self.alice, self.bob)

    def test_saving_something_else_keeps_archived_representatives(self):
        self.bob.active = False
        form = self._form(self.customer)
        form.ref = "C-1"
        form.save()
        self.assertReps(self.customer, self.alice, self.bob)

    def test_changing_the_salesperson_keeps_archived_representatives(self):
        self.bob.active = False
        form = self._form(self.customer)
        form.user_id = self.carol
        form.save()
        self.assertReps(self.customer, self.carol, self.bob)


@tagged("post_install", "-at_install")
class TestImport(FollowupCommon):
    """R1: an import keeps the rule too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Odoo copies a company's credit limit onto contacts while importing
        cls.editor.group_ids = [
            Command.link(cls.env.ref("account.group_account_invoice").id)
        ]

    def _load(self, fields, *rows):
        """Load rows as an Editor and give the partners."""
        loaded = (
            self.env["res.partner"]
            .with_user(self.editor)
            .load(fields, [list(row) for row in rows])
        )
        self.assertEqual(loaded["messages"], [])
        return self.env["res.partner"].browse(loaded["ids"])

    def test_imported_salesperson_becomes_the_representative(self):
        partner = self._load(["name", "user_id/.id"], ["New", str(self.alice.id)])
        self.assertReps(partner, self.alice)

    def test_first_imported_representative_leads(self):
        partner = self._load(
            ["name", "followup_rep_ids/.id"], ["New", f"{self.carol.id},{self.bob.id}"]
        )
        self.assertReps(partner, self.carol, self.bob)

    def test_representatives_are_imported_by_name(self):
        self.alice.name, self.bob.name = "Alice Followup", "Bob Followup"
        partner = self._load(
            ["name", "user_id", "followup_rep_ids"],
            ["New", "Alice Followup", "Bob Followup,Alice Followup"],
        )
        self.assertReps(partner, self.alice, self.bob)

    def test_empty_columns_leave_a_new_customer_to_nobody(self):
        partner = self._load(
            ["name", "user_id/.id", "followup_rep_ids/.id"], ["New", "", ""]
        )
        self.assertReps(partner)

    def test_import_over_existing_customers_keeps_the_rule(self):
        replaced = self._create_customer(self.alice, self.bob)
        moved = self._create_customer(self.alice, self.bob)
        self._load(
            [".id", "user_id/.id"],
            [str(replaced.id), str(self.carol.id)],
            [str(moved.id), str(self.bob.id)],
        )
        self.assertReps(replaced, self.carol, self.bob)
        self.assertReps(moved, self.bob, self.alice)

    def test_imported_representatives_take_the_place_of_the_old_ones(self):
        customer = self._create_customer(self.alice, self.bob)
        self._load(
            [".id", "followup_rep_ids/.id"], [str(customer.id), str(self.carol.id)]
        )
        self.assertReps(customer, self.carol)

    def test_imported_contact_takes_its_company_s_whole_set(self):
        customer = self._create_customer(self.alice, self.bob)
        contact = self._load(["name", "parent_id/.id"], ["New", str(customer.id)])
        self.assertReps(contact, self.alice, self.bob)


@tagged("post_install", "-at_install")
class TestCopyAndMerge(FollowupCommon):
    """R1: copies and merged customers keep the rule."""

    def _merge(self, kept, *others, user=None):
        partners = kept.union(*others)
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(
            user or self.clerk
        )
        wizard.create(
            {
                "partner_ids": [Command.set(partners.ids)],
                "dst_partner_id": kept.id,
                "state": "selection",
            }
        ).action_merge()
        self.assertEqual(partners.exists(), kept)

    def test_copy_has_the_same_representatives_and_lead(self):
        customer = self._create_customer(self.carol, self.alice)
        copy = customer.with_user(self.clerk).copy()
        self.assertReps(copy, self.carol, self.alice)

    def test_copy_keeps_an_archived_lead_visible(self):
        customer = self._create_customer(self.carol, self.alice)
        self.carol.active = False
        self.assertReps(customer.with_user(self.clerk).copy(), self.carol, self.alice)

    def test_merge_unites_the_representatives_under_the_kept_lead(self):
        kept = self._create_customer(self.alice, self.bob)
        self._merge(kept, self._create_customer(self.carol, self.bob))
        self.assertReps(kept, self.alice, self.bob, self.carol)

    def test_merge_gives_the_kept_customer_without_lead_the_other_one_s(self):
        kept = self._create_customer()
        self._merge(kept, self._create_customer(self.carol, self.bob))
        self.assertReps(kept, self.carol, self.bob)

    def test_merge_of_three_customers_unites_all(self):
        kept = self._create_customer(self.bob)
        others = [self._create_customer(user) for user in (self.alice, self.carol)]
        self._merge(kept, *others)
        self.assertReps(kept, self.bob, self.alice, self.carol)

    def test_merge_keeps_archived_representatives(self):
        kept = self._create_customer(self.alice)
        other = self._create_customer(self.carol, self.bob)
        self.bob.active = False
        self._merge(kept, other)
        self.assertReps(kept, self.alice, self.bob, self.carol)

    def test_merge_of_customers_nobody_follows_leaves_nobody(self):
        kept = self._create_customer()
        self._merge(kept, self._create_customer())
        self.assertReps(kept)

    def test_merge_brings_the_union_to_contacts_that_follow(self):
        kept = self._create_customer(self.alice)
        contact = self._create_contact(kept)
        own = self._create_contact(kept, user_id=self.editor.id)
        self._merge(kept, self._create_customer(self.bob))
        self.assertReps(contact, self.alice, self.bob)
        self.assertReps(own, self.editor)

    def test_contacts_of_a_merged_company_follow_the_kept_one(self):
        kept = self._create_customer(self.alice)
        other = self._create_customer(self.bob)
        contact = self._create_contact(other)
        self._merge(kept, other)
        self.assertEqual(contact.parent_id, kept)
        self.assertReps(contact, self.alice, self.bob)
        kept.followup_rep_ids = [Command.set(self.carol.ids)]
        self.assertReps(contact, self.carol)

    def test_merge_leaves_the_moved_contacts_with_their_own(self):
        kept = self._create_customer(self.alice)
        other = self._create_customer(self.bob)
        contact = self._create_contact(other, user_id=self.carol.id)
        self._merge(kept, other)
        self.assertReps(contact, self.carol)

    def test_company_made_from_a_person_gets_their_representatives(self):
        person = self._create_customer(
            self.bob, self.alice, is_company=False, company_name="Made Inc."
        )
        person.with_user(self.clerk).create_company()
        self.assertReps(person.parent_id, self.bob, self.alice)
        person.parent_id.followup_rep_ids = [Command.set(self.carol.ids)]
        self.assertReps(person, self.carol)


@tagged("post_install", "-at_install")
class TestUsersWhoLeave(FollowupCommon):
    """R1: what becomes of representatives who are archived, demoted or deleted."""

    def test_archived_representatives_stay_visible_as_such(self):
        customer = self._create_customer(self.alice, self.bob)
        self.bob.active = False
        customer.invalidate_recordset()
        reps = customer.with_user(self.alice).followup_rep_ids
        self.assertEqual(reps, self.alice + self.bob)
        marked = reps.with_context(followup_mark_archived=True)
        self.assertEqual(marked.mapped("display_name"), ["Alice", "Bob (archived)"])
        self.assertEqual(reps.mapped("display_name"), ["Alice", "Bob"])

    def test_web_client_reads_archived_representatives(self):
        customer = self._create_customer(self.alice, self.bob)
        self.bob.active = False
        view = (
            self.env["res.partner"]
            .with_user(self.alice)
            .get_view(self.env.ref("base.view_partner_form").id, "form")
        )
        self.assertIn("followup_mark_archived", view["arch"])
        [values] = customer.with_user(self.alice).web_read(
            {
                "followup_rep_ids": {
                    "fields": {"display_name": {}},
                    "context": {"active_test": False, "followup_mark_archived": True},
                }
            }
        )
        names = [rep["display_name"] for rep in values["followup_rep_ids"]]
        self.assertEqual(names, ["Alice", "Bob (archived)"])

    def test_archived_users_cannot_follow_customers(self):
        customer = self._create_customer(self.alice)
        self.bob.active = False
        partners = self.env["res.partner"].with_user(self.editor)
        link = [Command.link(self.bob.id)]
        for route in (
            lambda: customer.with_user(self.editor).write({"followup_rep_ids": link}),
            lambda: customer.with_user(self.editor).write({"user_id": self.bob.id}),
            lambda: partners.create({"name": "New", "user_id": self.bob.id}),
            lambda: partners.with_context(default_followup_rep_ids=link).create(
                {"name": "New"}
            ),
        ):
            with (
                self.subTest(route=route),
                self.assertRaisesRegex(ValidationError, "Bob"),
                self.env.cr.savepoint(),
            ):
                route()
        self.assertReps(customer, self.alice)
        offered = self.env["res.users"].with_context(active_test=False)
        for model in ("res.partner", "sale.order", "account.move"):
            domain = safe_eval(self.env[model]._fields["followup_rep_ids"].domain)
            self.assertNotIn(self.bob, offered.search(domain))

    def test_contact_of_a_company_whose_lead_left_is_created_in_the_form(self):
        customer = self._create_customer(self.alice, self.bob)
        self.alice.active = False
        form = Form(
            self.env["res.partner"]
            .with_user(self.editor)
            .with_context(default_parent_id=customer.id)
        )
        form.name = "New"
        self.assertReps(form.save(), self.alice, self.bob)

    def test_representative_who_became_a_portal_user_can_be_replaced(self):
        self._create_customer(self.alice)
        self.alice.group_ids = [Command.set(self.group_portal.ids)]
        users = self.env["res.users"].search([("followup_may_be_replaced", "=", True)])
        self.assertIn(self.alice, users)
        self.assertIn(self.bob, users)
        self.assertNotIn(self.portal, users)

    def test_representatives_who_cannot_open_the_customer_are_named(self):
        branch = self._create_company(name="Elsewhere")
        customer = self._create_customer(self.alice, self.bob, company_id=branch.id)
        self.bob.company_ids += branch
        self.assertIn("Alice", customer.followup_rep_warning)
        self.assertNotIn("Bob", customer.followup_rep_warning)
        self.alice.company_ids += branch
        self.assertFalse(customer.followup_rep_warning)

    def test_archived_lead_stays_until_replaced(self):
        customer = self._create_customer(self.alice, self.bob)
        self.alice.active = False
        self.assertReps(customer, self.alice, self.bob)
        customer.with_user(self.editor).user_id = self.carol
        self.assertReps(customer, self.carol, self.bob)

    def test_archived_representatives_survive_a_change_of_the_others(self):
        customer = self._create_customer(self.alice, self.bob)
        self.bob.active = False
        customer.invalidate_recordset()
        customer.with_user(self.editor).followup_rep_ids = [Command.link(self.carol.id)]
        self.assertReps(customer, self.alice, self.bob, self.carol)

    def test_user_who_is_internal_no_more_stays_until_taken_off(self):
        customer = self._create_customer(self.alice, self.bob)
        self.bob.group_ids = [Command.set(self.group_portal.ids)]
        self.assertTrue(self.bob.share)
        customer = customer.with_user(self.editor)
        customer.write({"ref": "C-1"})
        customer.followup_rep_ids = [Command.link(self.carol.id)]
        self.assertReps(customer, self.alice, self.bob, self.carol)
        customer.followup_rep_ids = [Command.unlink(self.bob.id)]
        self.assertReps(customer, self.alice, self.carol)

    def test_deleted_lead_hands_over_to_the_next_one(self):
        customer = self._create_customer(self.alice, self.carol)
        customer.followup_rep_ids = [Command.link(self.bob.id)]
        other = self._create_customer(self.bob, self.carol)
        self.alice.unlink()
        self.assertReps(customer, self.carol, self.bob)
        self.assertReps(other, self.bob, self.carol)

    def test_deleted_only_representative_leaves_nobody(self):
        customer = self._create_customer(self.alice)
        self.alice.unlink()
        self.assertReps(customer)

    def test_deleted_user_is_taken_off_archived_customers_and_contacts(self):
        customer = self._create_customer(self.alice, self.bob)
        contact = self._create_contact(customer)
        customer.active = False
        self.alice.unlink()
        self.assertReps(customer, self.bob)
        self.assertReps(contact, self.bob)

    def test_several_deleted_users_leave_the_ones_who_stay(self):
        customer = self._create_customer(self.alice, self.bob, self.carol)
        (self.alice + self.bob).unlink()
        self.assertReps(customer, self.carol)


@tagged("post_install", "-at_install")
class TestContacts(FollowupCommon):
    """R1b: contacts follow their company until they have their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)
        cls.contact = cls._create_contact(cls.customer)

    def _give_to_carol(self, customer=None):
        customer = (customer or self.customer).with_user(self.editor)
        customer.followup_rep_ids = [Command.set(self.carol.ids)]

    def test_new_contact_takes_the_whole_set(self):
        self.assertReps(self.contact, self.alice, self.bob)

    def test_contact_created_with_its_company_takes_the_whole_set(self):
        customer = self._create_customer(
            self.alice,
            self.bob,
            child_ids=[
                Command.create({"name": "Contact"}),
                Command.create({"name": "Deliveries", "type": "delivery"}),
            ],
        )
        self.assertEqual(len(customer.child_ids), 2)
        for contact in customer.child_ids:
            self.assertReps(contact, self.alice, self.bob)

    def test_contact_of_a_contact_created_with_its_company_takes_the_whole_set(self):
        person = Command.create({"name": "Person"})
        customer = self._create_customer(
            self.alice,
            self.bob,
            child_ids=[Command.create({"name": "Desk", "child_ids": [person]})],
        )
        self.assertReps(customer.child_ids.child_ids, self.alice, self.bob)

    def test_contacts_created_in_the_form_of_a_new_company_take_the_whole_set(self):
        form = Form(self.env["res.partner"].with_user(self.editor))
        form.name = "New"
        form.company_type = "company"
        form.followup_rep_ids.add(self.bob)
        form.followup_rep_ids.add(self.alice)
        with form.child_ids.new() as contact:
            contact.name = "Contact"
        customer = form.save()
        self.assertReps(customer, self.bob, self.alice)
        self.assertReps(customer.child_ids, self.bob, self.alice)

    def test_contact_created_with_its_company_keeps_its_own(self):
        customer = self._create_customer(
            self.alice,
            self.bob,
            child_ids=[
                Command.create({"name": "Lead", "user_id": self.carol.id}),
                Command.create(
                    {
                        "name": "Representatives",
                        "followup_rep_ids": [Command.set(self.alice.ids)],
                    }
                ),
            ],
        )
        by_name = {contact.name: contact for contact in customer.child_ids}
        self.assertReps(by_name["Lead"], self.carol)
        self.assertReps(by_name["Representatives"], self.alice)

    def test_contact_named_with_its_company_s_lead_takes_the_whole_set(self):
        contact = self._create_contact(self.customer, user_id=self.alice.id)
        self.assertReps(contact, self.alice, self.bob)

    def test_contact_created_with_its_own_salesperson_has_only_that_one(self):
        contact = self._create_contact(self.customer, user_id=self.carol.id)
        self.assertReps(contact, self.carol)

    def test_contact_of_a_lead_by_default_of_the_context_takes_the_whole_set(self):
        contact = (
            self.env["res.partner"]
            .with_context(
                default_parent_id=self.customer.id, default_user_id=self.alice.id
            )
            .create({"name": "Contact"})
        )
        self.assertReps(contact, self.alice, self.bob)

    def test_child_company_takes_nothing_as_in_odoo(self):
        child = self._create_contact(self.customer, is_company=True)
        self.assertReps(child)

    def test_person_who_gets_a_company_takes_its_whole_set(self):
        person = self.env["res.partner"].create({"name": "Person"})
        person.with_user(self.clerk).parent_id = self.customer
        self.assertReps(person, self.alice, self.bob)

    def test_person_with_a_salesperson_who_gets_a_company_keeps_their_own(self):
        person = self.env["res.partner"].create(
            {"name": "Person", "user_id": self.carol.id}
        )
        person.with_user(self.clerk).parent_id = self.customer
        self.assertReps(person, self.carol)

    def test_contact_that_changes_company_keeps_its_representatives(self):
        other = self._create_customer(self.carol)
        self.contact.with_user(self.clerk).parent_id = other
        self.assertReps(self.contact, self.alice, self.bob)

    def test_contact_follows_a_new_salesperson(self):
        self.customer.with_user(self.editor).user_id = self.carol
        self.assertReps(self.contact, self.carol, self.bob)

    def test_contact_follows_a_moved_lead(self):
        self.customer.with_user(self.editor).user_id = self.bob
        self.assertReps(self.contact, self.bob, self.alice)

    def test_contact_follows_until_nobody_is_left(self):
        self.customer.with_user(self.editor).followup_rep_ids = False
        self.assertReps(self.customer)
        self.assertReps(self.contact)

    def test_contact_without_anybody_follows_a_company_that_gets_its_first_ones(self):
        customer = self._create_customer()
        contact = self._create_contact(customer)
        self._give_to_carol(customer)
        self.assertReps(contact, self.carol)

    def test_contact_with_its_own_stays(self):
        own = self._create_contact(self.customer, user_id=self.alice.id)
        own.followup_rep_ids = [Command.set(self.alice.ids)]
        self._give_to_carol()
        self.assertReps(own, self.alice)
        self.assertReps(self.contact, self.carol)

    def test_contact_with_another_lead_of_the_same_set_stays(self):
        self.contact.user_id = self.bob
        self._give_to_carol()
        self.assertReps(self.contact, self.bob, self.alice)

    def test_contact_brought_in_line_by_hand_follows_again(self):
        own = self._create_contact(self.customer, user_id=self.carol.id)
        own.write(
            {"user_id": self.alice.id, "followup_rep_ids": [Command.link(self.bob.id)]}
        )
        own.followup_rep_ids = [Command.unlink(self.carol.id)]
        self._give_to_carol()
        self.assertReps(own, self.carol)

    def test_change_of_a_contact_leaves_its_company_alone(self):
        self._give_to_carol(self.contact)
        self.assertReps(self.contact, self.carol)
        self.assertReps(self.customer, self.alice, self.bob)

    def test_contact_of_a_contact_follows_the_company(self):
        below = self._create_contact(self.contact)
        self._give_to_carol()
        self.assertReps(below, self.carol)

    def test_archived_contact_follows(self):
        self.contact.active = False
        self._give_to_carol()
        self.assertReps(self.contact, self.carol)

    def test_child_company_does_not_follow(self):
        child = self._create_contact(
            self.customer,
            is_company=True,
            followup_rep_ids=[Command.set((self.alice + self.bob).ids)],
        )
        below = self._create_contact(child)
        self._give_to_carol()
        self.assertReps(child, self.alice, self.bob)
        self.assertReps(below, self.alice, self.bob)

    def test_contact_the_user_may_not_see_follows(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.contact.company_id = company
        self.assertFalse(self.contact.with_user(self.editor).has_access("read"))
        self._give_to_carol()
        self.assertReps(self.contact, self.carol)

    def test_company_and_contact_written_together_both_change(self):
        both = (self.customer + self.contact).with_user(self.editor)
        both.user_id = self.carol
        self.assertReps(self.customer, self.carol, self.bob)
        self.assertReps(self.contact, self.carol, self.bob)
