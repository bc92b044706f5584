from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.mail.tests.common import MailCase

from ..common import FollowupCommon


class AssignCommon(FollowupCommon):
    """The wizard as an Editor gets it from the list of customers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nobody_s = cls._create_customer(name="Nobody's")
        cls.alice_s = cls._create_customer(cls.alice, name="Alice's")
        cls.both_s = cls._create_customer(cls.alice, cls.bob, name="Both's")
        cls.customers = cls.nobody_s + cls.alice_s + cls.both_s

    def _create_wizard(self, operation, customers=None, *users, user=None, **values):
        customers = self.customers if customers is None else customers
        if users:
            values["user_ids"] = [Command.set([user.id for user in users])]
        return (
            self.env["sales.followup.assign"]
            .with_user(user or self.editor)
            .create(
                {
                    "operation": operation,
                    "partner_ids": [Command.set(customers.ids)],
                    **values,
                }
            )
        )

    def _run(self, *args, **kwargs):
        """Create the wizard and apply it: the wizard."""
        wizard = self._create_wizard(*args, **kwargs)
        wizard.action_apply()
        return wizard

    def _open(self, operation, customers, user=None):
        """Choose an entry of the Actions menu: the form it opens."""
        names = {
            "assign": "res_partner_action_assign_reps",
            "unassign": "res_partner_action_unassign_reps",
            "replace": "res_partner_action_replace_rep",
            "clear": "res_partner_action_clear_reps",
        }
        user = user or self.editor
        action = (
            self.env.ref(f"sales_followup.{names[operation]}")
            .with_user(user)
            .with_context(
                active_model="res.partner",
                active_ids=customers.ids,
                active_id=customers[:1].id,
            )
            .run()
        )
        self.assertEqual(action["res_model"], "sales.followup.assign")
        return Form(
            self.env[action["res_model"]].with_user(user).browse(action["res_id"])
        )

    def assertCounts(self, wizard, change=0, right=0, following=0, own=0):
        """Assert what the wizard tells beforehand."""
        self.assertEqual(
            {
                "change": wizard.change_count,
                "right": wizard.right_count,
                "following": wizard.following_count,
                "own": wizard.own_contact_count,
            },
            {"change": change, "right": right, "following": following, "own": own},
        )


@tagged("post_install", "-at_install")
class TestOperations(AssignCommon):
    """R2, R3: what each operation does, and what it leaves."""

    def test_assign_adds_and_never_removes(self):
        self._run("assign", None, self.bob)
        self.assertReps(self.nobody_s, self.bob)
        self.assertReps(self.alice_s, self.alice, self.bob)
        self.assertReps(self.both_s, self.alice, self.bob)

    def test_first_of_several_assigned_leads_where_nobody_did(self):
        self._run("assign", None, self.carol, self.bob)
        self.assertIn(self.nobody_s.user_id, self.carol + self.bob)
        self.assertReps(self.nobody_s, self.bob, self.carol, lead=None)
        self.assertReps(self.both_s, self.alice, self.bob, self.carol)

    def test_assign_gives_the_lead_to_the_one_chosen(self):
        self._run("assign", None, self.carol, lead_id=self.bob.id)
        self.assertReps(self.nobody_s, self.bob, self.carol)
        self.assertReps(self.alice_s, self.bob, self.alice, self.carol)
        self.assertReps(self.both_s, self.bob, self.alice, self.carol)

    def test_assign_may_only_change_the_lead(self):
        wizard = self._create_wizard("assign", self.both_s, lead_id=self.bob.id)
        self.assertCounts(wizard, change=1)
        wizard.action_apply()
        self.assertReps(self.both_s, self.bob, self.alice)

    def test_unassign_lets_the_next_one_lead(self):
        self._run("unassign", None, self.alice)
        self.assertReps(self.nobody_s)
        self.assertReps(self.alice_s)
        self.assertReps(self.both_s, self.bob)

    def test_unassign_promotes_the_longest_in_place(self):
        customer = self._create_customer(self.alice, self.carol)
        customer.followup_rep_ids = [Command.link(self.bob.id)]
        self._run("unassign", customer, self.alice)
        self.assertReps(customer, self.carol, self.bob)

    def test_unassign_gives_the_lead_to_the_one_chosen_where_they_follow(self):
        customer = self._create_customer(self.alice, self.carol, self.bob)
        self._run("unassign", customer + self.alice_s, self.alice, lead_id=self.bob.id)
        self.assertReps(customer, self.bob, self.carol)
        self.assertReps(self.alice_s)

    def test_unassign_several_at_once(self):
        self._run("unassign", None, self.alice, self.bob)
        for customer in self.customers:
            self.assertReps(customer)

    def test_replace_puts_b_wherever_a_appears(self):
        led_by_bob = self._create_customer(self.bob, self.alice)
        self._run(
            "replace",
            self.customers + led_by_bob,
            old_user_id=self.alice.id,
            new_user_id=self.carol.id,
        )
        self.assertReps(self.nobody_s)
        self.assertReps(self.alice_s, self.carol)
        self.assertReps(self.both_s, self.carol, self.bob)
        self.assertReps(led_by_bob, self.bob, self.carol)

    def test_replace_by_one_who_already_follows_leaves_that_one(self):
        self._run("replace", None, old_user_id=self.alice.id, new_user_id=self.bob.id)
        self.assertReps(self.both_s, self.bob)

    def test_archived_user_can_be_replaced_and_unassigned(self):
        self.alice.active = False
        self._run(
            "replace",
            self.alice_s,
            old_user_id=self.alice.id,
            new_user_id=self.carol.id,
        )
        self.assertReps(self.alice_s, self.carol)
        self._run("unassign", self.both_s, self.alice)
        self.assertReps(self.both_s, self.bob)

    def test_archived_representatives_stay_when_others_are_assigned(self):
        self.alice.active = False
        self._run("assign", None, self.carol)
        self.assertReps(self.both_s, self.alice, self.bob, self.carol)

    def test_clear_removes_everybody_where_allowed(self):
        self.env.company.followup_allow_clear = True
        self._run("clear")
        for customer in self.customers:
            self.assertReps(customer)

    def test_archived_customers_change_too(self):
        self.alice_s.active = False
        self._run("assign", None, self.bob)
        self.assertReps(self.alice_s, self.alice, self.bob)

    def test_customers_not_selected_stay(self):
        self._run("assign", self.nobody_s, self.bob)
        self.assertReps(self.nobody_s, self.bob)
        self.assertReps(self.alice_s, self.alice)
        self.assertReps(self.both_s, self.alice, self.bob)

    def test_portal_user_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "than Portal User"):
            self._run("assign", None, self.portal)
        with self.assertRaisesRegex(ValidationError, "than Portal User"):
            self._run(
                "replace",
                None,
                old_user_id=self.alice.id,
                new_user_id=self.portal.id,
            )
        self.assertReps(self.alice_s, self.alice)

    def test_change_is_journalled_with_old_and_new_values(self):
        change = self._run("assign", None, self.bob).change_id
        self.assertEqual(change.operation, "assign")
        self.assertEqual(change.user_id, self.editor)
        self.assertEqual(change.state, "done")
        self.assertEqual(change.changed_count, 2)
        values = {
            (line.res_id, line.field): (line.old_ids, line.new_ids)
            for line in change.line_ids
        }
        a, b = self.alice.id, self.bob.id
        self.assertEqual(
            values,
            {
                (self.nobody_s.id, "user_id"): ([], [b]),
                (self.nobody_s.id, "followup_rep_ids"): ([], [b]),
                (self.alice_s.id, "followup_rep_ids"): ([a], [a, b]),
            },
        )

    def test_pressed_twice_does_nothing_more(self):
        wizard = self._run("assign", None, self.bob)
        change = wizard.change_id
        self.both_s.followup_rep_ids = [Command.unlink(self.bob.id)]
        wizard.action_apply()
        self.assertEqual(wizard.change_id, change)
        self.assertEqual(change.changed_count, 2)
        self.assertReps(self.both_s, self.alice)
        journal = self.env["sales.followup.change"].search_count(
            [("user_id", "=", self.editor.id)]
        )
        self.assertEqual(journal, 1)

    def test_nothing_to_change_leaves_no_journal_and_says_so(self):
        wizard = self._create_wizard("assign", self.both_s, self.alice)
        action = wizard.action_apply()
        self.assertFalse(wizard.change_id)
        self.assertIn("Nothing to change", action["params"]["message"])

    def test_result_is_told(self):
        action = self._create_wizard("assign", None, self.bob).action_apply()
        self.assertIn("2 customers", action["params"]["message"])

    def test_then_propagate_opens_the_documents_wizard_for_the_same_customers(self):
        wizard = self._create_wizard("assign", None, self.bob, then_propagate=True)
        action = wizard.action_apply()
        self.assertEqual(action["res_model"], "sales.followup.propagate")
        propagation = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(propagation.partner_ids, self.customers)
        self.assertReps(self.alice_s, self.alice, self.bob)


@tagged("post_install", "-at_install")
class TestContacts(AssignCommon):
    """R2, R3: contacts follow their company, or change on request."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.following = cls._create_contact(cls.alice_s)
        cls.own = cls._create_contact(cls.alice_s, user_id=cls.carol.id)

    def test_contacts_with_their_own_stay_and_are_counted(self):
        wizard = self._create_wizard("assign", self.alice_s, self.bob)
        self.assertCounts(wizard, change=1, following=1, own=1)
        wizard.action_apply()
        self.assertReps(self.alice_s, self.alice, self.bob)
        self.assertReps(self.following, self.alice, self.bob)
        self.assertReps(self.own, self.carol)

    def test_contacts_with_their_own_change_on_request(self):
        wizard = self._create_wizard(
            "assign", self.alice_s, self.bob, include_contacts=True
        )
        self.assertCounts(wizard, change=3)
        wizard.action_apply()
        self.assertReps(self.following, self.alice, self.bob)
        self.assertReps(self.own, self.carol, self.bob)

    def test_selected_contact_changes_without_its_company(self):
        self._run("assign", self.following, self.bob)
        self.assertReps(self.following, self.alice, self.bob)
        self.assertReps(self.alice_s, self.alice)

    def test_company_and_contact_selected_together_count_once(self):
        wizard = self._create_wizard("assign", self.alice_s + self.following, self.bob)
        self.assertCounts(wizard, change=2, own=1)
        wizard.action_apply()
        self.assertReps(self.following, self.alice, self.bob)

    def test_contact_without_any_is_not_counted_as_having_its_own(self):
        self.own.followup_rep_ids = False
        wizard = self._create_wizard("assign", self.alice_s, self.bob)
        self.assertCounts(wizard, change=1, following=1)

    def test_archived_contacts_follow_too(self):
        self.following.active = False
        self._run("unassign", self.alice_s, self.alice)
        self.assertReps(self.following)


@tagged("post_install", "-at_install")
class TestForms(AssignCommon):
    """R2, R3: from the Actions menu, with the counts before anything is written."""

    def test_assign_from_the_menu(self):
        form = self._open("assign", self.customers)
        self.assertEqual(form.operation, "assign")
        form.user_ids.add(self.bob)
        self.assertCounts(form, change=2, right=1)
        self.assertReps(self.alice_s, self.alice)
        form.save().action_apply()
        self.assertReps(self.alice_s, self.alice, self.bob)

    def test_unassign_from_the_menu(self):
        form = self._open("unassign", self.customers)
        form.user_ids.add(self.alice)
        self.assertCounts(form, change=2, right=1)
        form.save().action_apply()
        self.assertReps(self.both_s, self.bob)

    def test_replace_from_the_menu(self):
        form = self._open("replace", self.customers)
        form.old_user_id = self.alice
        form.new_user_id = self.carol
        self.assertCounts(form, change=2, right=1)
        form.save().action_apply()
        self.assertReps(self.both_s, self.carol, self.bob)

    def test_clear_from_the_menu(self):
        self.env.company.followup_allow_clear = True
        form = self._open("clear", self.customers)
        self.assertCounts(form, change=2, right=1)
        form.save().action_apply()
        self.assertReps(self.both_s)

    def test_select_all_takes_all_customers_of_the_list(self):
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", 2)
        customers = self.env["res.partner"].concat(
            *(self._create_customer(self.alice, ref="Select all") for _n in range(5))
        )
        domain = [("ref", "=", "Select all")]
        for xmlid, model in (
            ("res_partner_action_assign_reps", "sales.followup.assign"),
            ("res_partner_action_propagate", "sales.followup.propagate"),
        ):
            for sent, selected in ((customers[:2], customers), (customers[:1],) * 2):
                with self.subTest(action=xmlid, sent=len(sent)):
                    action = (
                        self.env.ref(f"sales_followup.{xmlid}")
                        .with_user(self.editor)
                        .with_context(
                            active_model="res.partner",
                            active_id=sent[0].id,
                            active_ids=sent.ids,
                            active_domain=domain,
                        )
                        .run()
                    )
                    wizard = self.env[model].browse(action["res_id"])
                    self.assertEqual(wizard.partner_ids, selected)

    def test_customers_are_named_one_by_name_several_by_number(self):
        self.assertEqual(self._open("assign", self.alice_s).customers, "Alice's")
        self.assertEqual(self._open("assign", self.customers).customers, "3 customers")

    def test_menu_is_offered_to_editors_only(self):
        entries = {
            self.env.ref(f"sales_followup.res_partner_action_{name}").id
            for name in ("assign_reps", "unassign_reps", "replace_rep")
        }
        actions = self.env["ir.actions.actions"]
        for user, offered in ((self.editor, entries), (self.clerk, set())):
            bindings = actions.with_user(user).get_bindings("res.partner")
            found = {action["id"] for action in bindings.get("action", ())}
            self.assertEqual(found & entries, offered, user.name)


@tagged("post_install", "-at_install")
class TestRefusals(AssignCommon):
    """R2, R4: wrong input and missing rights are told, and nothing changes."""

    def assertRefused(self, message, *args, error=UserError, **kwargs):
        wizard = self._create_wizard(*args, **kwargs)
        with self.assertRaisesRegex(error, message):
            wizard.action_apply()
        self.assertReps(self.nobody_s)
        self.assertReps(self.alice_s, self.alice)
        self.assertReps(self.both_s, self.alice, self.bob)

    def test_nobody_selected(self):
        self.assertRefused(
            "Select the customers", "assign", self.env["res.partner"], self.bob
        )

    def test_no_representative_chosen(self):
        self.assertRefused("at least one representative", "assign")
        self.assertRefused("at least one representative", "unassign")
        self.assertRefused(
            "at least one representative", "unassign", lead_id=self.bob.id
        )

    def test_half_a_replacement(self):
        message = "who is replaced, and by whom"
        self.assertRefused(message, "replace")
        self.assertRefused(message, "replace", old_user_id=self.alice.id)
        self.assertRefused(message, "replace", new_user_id=self.alice.id)

    def test_replacement_by_oneself(self):
        self.assertRefused(
            "Alice cannot be replaced by themselves",
            "replace",
            old_user_id=self.alice.id,
            new_user_id=self.alice.id,
        )

    def test_leaver_cannot_lead(self):
        self.assertRefused(
            "Alice cannot both leave and lead",
            "unassign",
            None,
            self.alice,
            lead_id=self.alice.id,
        )

    def test_wrong_input_counts_nothing(self):
        self.assertCounts(self._create_wizard("assign"))
        self.assertCounts(self._create_wizard("replace", old_user_id=self.alice.id))
        self.assertCounts(
            self._create_wizard("assign", self.env["res.partner"], self.bob)
        )

    def test_clear_is_refused_unless_the_setting_allows_it(self):
        self.assertRefused("does not allow removing all", "clear")

    def test_clear_is_offered_only_where_the_setting_allows_it(self):
        clear = self.env.ref("sales_followup.res_partner_action_clear_reps").id
        branch = self._create_company(name="Elsewhere")
        branch.followup_allow_clear = True
        self.editor.company_ids += branch
        actions = self.env["ir.actions.actions"].with_user(self.editor)
        for company, offered in ((self.env.company, False), (branch, True)):
            with self.subTest(company=company.name):
                bindings = actions.with_company(company).get_bindings("res.partner")
                found = {action["id"] for action in bindings["action"]}
                self.assertEqual(clear in found, offered)
        self.env.company.followup_allow_clear = True
        bindings = actions.get_bindings("res.partner")
        self.assertIn(clear, {action["id"] for action in bindings["action"]})

    def test_clear_is_allowed_by_the_company_the_user_works_in(self):
        branch = self._create_company(name="Elsewhere")
        self.editor.company_ids += branch
        branch.followup_allow_clear = True
        wizard = self._create_wizard("clear", self.alice_s)
        wizard.with_company(branch).action_apply()
        self.assertReps(self.alice_s)

    def test_wizard_is_closed_to_who_has_not_the_right(self):
        for user in (self.clerk, self.alice, self.portal):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._create_wizard("assign", None, self.bob, user=user)
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._create_wizard("assign", None, self.bob).with_user(
                    user
                ).action_apply()
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self._open("assign", self.customers, user=user)
        self.assertReps(self.alice_s, self.alice)

    def test_editor_without_right_on_contacts_can_assign(self):
        seller = self._create_user("seller", "sales_followup.group_rep_editor")
        self.assertFalse(self.alice_s.with_user(seller).has_access("write"))
        self._run("assign", None, self.bob, user=seller)
        self.assertReps(self.alice_s, self.alice, self.bob)

    def test_customers_of_another_company_stay(self):
        branch = self._create_company(name="Elsewhere")
        self.alice_s.company_id = branch
        wizard = self._create_wizard("assign", self.both_s, self.carol)
        wizard.sudo().partner_ids += self.alice_s
        self.env.invalidate_all()
        self.assertCounts(wizard, change=1)
        wizard.action_apply()
        self.assertReps(self.both_s, self.alice, self.bob, self.carol)
        self.assertReps(self.alice_s, self.alice)


@tagged("post_install", "-at_install")
class TestMessages(AssignCommon, MailCase):
    """R2, P6: each customer's chatter tells, each new representative hears once."""

    @classmethod
    def default_env_context(cls):
        return {}

    def _run_and_listen(self, *args, **kwargs):
        """Apply a wizard: (its change, messages on customers, others, mails)."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        last = self.env["mail.message"].search([], order="id desc", limit=1)
        with self.mock_mail_gateway():
            wizard = self._run(*args, **kwargs)
            self.env.flush_all()
            self.env.cr.precommit.run()
        new = self.env["mail.message"].search([("id", ">", last.id)])
        notes = new.filtered(lambda m: m.model == "res.partner" and m.res_id)
        return wizard.change_id, notes, new - notes, self._new_mails

    def test_chatter_of_each_changed_customer_tells_who_follows(self):
        change, notes, _others, _mails = self._run_and_listen("assign", None, self.bob)
        self.assertEqual(
            sorted(notes.mapped("res_id")), sorted((self.nobody_s + self.alice_s).ids)
        )
        note = notes.filtered(lambda note: note.res_id == self.nobody_s.id)
        self.assertIn(change.display_name, note.body)
        self.assertEqual(note.author_id, self.editor.partner_id)
        tracked = {
            value.field_id.name: (value.old_value_char, value.new_value_char)
            for value in note.sudo().tracking_value_ids
        }
        self.assertEqual(set(tracked), {"user_id", "followup_rep_ids"})
        self.assertEqual(tracked["user_id"][1], "Bob")
        self.assertEqual(tracked["followup_rep_ids"][1], "Bob")

    def test_new_representative_gets_one_digest_and_no_mail_per_customer(self):
        customers = self.customers.create(
            [{"name": f"Customer {number}"} for number in range(30)]
        )
        _change, notes, others, mails = self._run_and_listen(
            "assign", customers + self.customers, self.bob, self.carol
        )
        self.assertEqual(len(notes), 33)
        self.assertFalse(notes.notified_partner_ids)
        self.assertEqual(len(others), 2)
        self.assertEqual(
            others.notified_partner_ids, (self.bob + self.carol).partner_id
        )
        for digest in others:
            self.assertEqual(digest.message_type, "user_notification")
            self.assertEqual(len(digest.notified_partner_ids), 1)
        self.assertLessEqual(len(mails), 2)
        to_carol = others.filtered(
            lambda digest: digest.notified_partner_ids == self.carol.partner_id
        )
        self.assertIn("33", to_carol.body)
        self.assertIn("Editor", to_carol.body)

    def test_digest_links_what_its_reader_may_see(self):
        _change, _notes, digest, _mails = self._run_and_listen(
            "assign", self.alice_s, self.bob
        )
        self.assertIn("Alice's</a>", digest.body)
        self.assertIn(f"res_id={self.alice_s.id}", digest.body.replace("&amp;", "&"))

    def test_who_assigns_themselves_gets_no_digest(self):
        _change, notes, others, mails = self._run_and_listen(
            "assign", None, self.editor
        )
        self.assertEqual(len(notes), 3)
        self.assertFalse(others)
        self.assertFalse(mails)

    def test_representatives_who_leave_or_stay_get_no_digest(self):
        for operation, user in (("assign", self.editor), ("unassign", self.editor)):
            with self.subTest(operation=operation):
                _change, notes, others, mails = self._run_and_listen(
                    operation, self.both_s, user
                )
                self.assertTrue(notes)
                self.assertFalse(others)
                self.assertFalse(mails)

    def test_who_takes_the_lead_over_gets_one_digest(self):
        _change, _notes, others, _mails = self._run_and_listen(
            "unassign", None, self.alice
        )
        self.assertEqual(others.notified_partner_ids, self.bob.partner_id)
        self.assertEqual(len(others), 1)

    def test_who_replaces_gets_one_digest(self):
        _change, _notes, others, _mails = self._run_and_listen(
            "replace", None, old_user_id=self.alice.id, new_user_id=self.carol.id
        )
        self.assertEqual(others.notified_partner_ids, self.carol.partner_id)
        self.assertEqual(len(others), 1)

    def test_undo_tells_who_got_customers_back_once(self):
        change = self._run("unassign", None, self.alice).change_id
        last = self.env["mail.message"].search([], order="id desc", limit=1)
        change.action_undo()
        new = self.env["mail.message"].search(
            [("id", ">", last.id), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(new.notified_partner_ids, self.alice.partner_id)
        self.assertEqual(len(new), 1)
        self.assertReps(self.both_s, self.alice, self.bob)

    def _create_customers(self, number):
        """Create customers of Alice's with a contact each, quickly."""
        return (
            self.env["res.partner"]
            .with_context(tracking_disable=True, mail_create_nolog=True)
            .create(
                [
                    {
                        "name": f"Customer {index}",
                        "is_company": True,
                        "user_id": self.alice.id,
                        "child_ids": [Command.create({"name": f"Contact {index}"})],
                    }
                    for index in range(number)
                ]
            )
        )

    def _count_queries(self, customers, operation, *users, **values):
        wizard = self._create_wizard(operation, customers, *users, **values)
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        wizard.action_apply()
        self.env.flush_all()
        self.env.cr.precommit.run()
        count = self.env.cr.sql_log_count - before
        self.assertEqual(wizard.change_id.changed_count, 2 * len(customers))
        return count

    def test_queries_do_not_grow_with_the_number_of_customers(self):
        self.env.company.followup_allow_clear = True
        replacement = {"old_user_id": self.alice.id, "new_user_id": self.carol.id}
        warm, few, many = (self._create_customers(number) for number in (1, 20, 200))
        for operation, users, values in (
            ("assign", [self.bob], {}),
            ("replace", [], replacement),
            ("unassign", [self.carol], {}),
            ("clear", [], {}),
        ):
            with self.subTest(operation=operation):
                self._count_queries(warm, operation, *users, **values)
                queries = self._count_queries(few, operation, *users, **values)
                self.assertLessEqual(
                    self._count_queries(many, operation, *users, **values),
                    queries + 5,
                    f"{queries} queries for 20 customers",
                )
