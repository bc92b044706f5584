from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common_documents import DocumentsCommon

INVOICE_OPEN = (
    "['|', ('state', '=', 'draft'),"
    " '&', '&', ('state', '=', 'posted'), ('amount_residual', '!=', 0),"
    " ('payment_state', 'not in', ('in_payment', 'paid'))]"
)

#: code → what SPEC.md says about it
SHIPPED = {
    "quotation": {
        "model": "sale.order",
        "domain": "[('state', 'in', ('draft', 'sent', 'cancel'))]",
        "open_domain": "[('state', 'in', ('draft', 'sent'))]",
        "chase_domain": "[('state', '=', 'sent')]",
        "keep_lead_domain": False,
        "date_field": "date_order",
        "due_field": "validity_date",
        "amount_field": "amount_untaxed",
        "lead_field": "user_id",
        "reps_field": "followup_rep_ids",
        "default_checked": True,
    },
    "sale_order": {
        "model": "sale.order",
        "domain": "[('state', '=', 'sale')]",
        "open_domain": "[('invoice_status', '!=', 'invoiced')]",
        "chase_domain": "[('invoice_status', '!=', 'invoiced')]",
        "keep_lead_domain": "[('invoice_status', '=', 'invoiced')]",
        "date_field": "date_order",
        "due_field": "commitment_date",
        "amount_field": "amount_untaxed",
        "lead_field": "user_id",
        "reps_field": "followup_rep_ids",
        "default_checked": True,
    },
    "customer_invoice": {
        "model": "account.move",
        "domain": "[('move_type', 'in', ('out_invoice', 'out_refund'))]",
        "open_domain": INVOICE_OPEN,
        "chase_domain": (
            "[('move_type', '=', 'out_invoice'), ('state', '=', 'posted'),"
            " ('payment_state', 'in', ('not_paid', 'partial')),"
            " ('amount_residual', '>', 0)]"
        ),
        "keep_lead_domain": "[('state', '=', 'posted')]",
        "date_field": "invoice_date",
        "due_field": "invoice_date_due",
        "amount_field": "amount_untaxed",
        "lead_field": "invoice_user_id",
        "reps_field": "followup_rep_ids",
        "default_checked": True,
    },
    "vendor_bill": {
        "model": "account.move",
        "domain": "[('move_type', 'in', ('in_invoice', 'in_refund'))]",
        "open_domain": INVOICE_OPEN,
        "chase_domain": "[(0, '=', 1)]",
        "keep_lead_domain": False,
        "date_field": "invoice_date",
        "due_field": False,
        "amount_field": "amount_untaxed",
        "lead_field": False,
        "reps_field": "followup_rep_ids",
        "default_checked": False,
    },
    "purchase_order": {
        "model": "purchase.order",
        "domain": "[]",
        "open_domain": "[('state', '!=', 'cancel'), ('locked', '=', False)]",
        "chase_domain": "[(0, '=', 1)]",
        "keep_lead_domain": False,
        "date_field": "date_order",
        "due_field": "date_planned",
        "amount_field": "amount_untaxed",
        "lead_field": "user_id",
        "reps_field": False,
        "default_checked": False,
    },
    "opportunity": {
        "model": "crm.lead",
        "domain": "[('type', '=', 'opportunity')]",
        "open_domain": "[('active', '=', True), ('won_status', '!=', 'won')]",
        "chase_domain": "[(0, '=', 1)]",
        "keep_lead_domain": False,
        "date_field": "create_date",
        "due_field": "date_deadline",
        "amount_field": "expected_revenue",
        "lead_field": "user_id",
        "reps_field": False,
        "default_checked": False,
    },
    "delivery": {
        "model": "stock.picking",
        "domain": "[('picking_type_id.code', '=', 'outgoing')]",
        "open_domain": "[('state', 'not in', ('done', 'cancel'))]",
        "chase_domain": "[(0, '=', 1)]",
        "keep_lead_domain": False,
        "date_field": "scheduled_date",
        "due_field": False,
        "amount_field": False,
        "lead_field": "user_id",
        "reps_field": False,
        "default_checked": False,
    },
}


class DocumentTypeCommon(DocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls._create_user("settings_admin", "base.group_system")

    def _create_type(self, user=None, **values):
        """Create a document type of orders, as a Settings administrator."""
        return (
            self.env["sales.followup.document.type"]
            .with_user(user or self.admin)
            .create(
                {
                    "name": "Custom",
                    "code": "custom",
                    "model": "sale.order",
                    "date_field": "date_order",
                    "amount_field": "amount_untaxed",
                    "lead_field": "user_id",
                    "reps_field": "followup_rep_ids",
                    **values,
                }
            )
        )

    def assertRefused(self, *culprits, **values):
        """Assert that no type of these values is created, and that the message names
        the culprits."""
        with self.assertRaises(ValidationError) as refused:
            self._create_type(**values)
        for culprit in culprits:
            self.assertIn(culprit, str(refused.exception))


@tagged("post_install", "-at_install", "depends_on_apps")
class TestShippedDocumentTypes(DocumentTypeCommon):
    def test_seven_types_are_shipped_as_specified(self):
        for code, values in SHIPPED.items():
            with self.subTest(code=code):
                doc_type = self._type(code)
                self.assertEqual(doc_type.code, code)
                self.assertEqual(doc_type.partner_field, "partner_id")
                self.assertTrue(doc_type.active)
                self.assertEqual(
                    {name: doc_type[name] for name in values},
                    values,
                )

    def test_shipped_types_come_in_the_order_of_the_table(self):
        types = self._types(*SHIPPED).sorted()
        self.assertEqual(types.mapped("code"), list(SHIPPED))

    def test_type_is_available_exactly_where_its_app_is_installed(self):
        for code, values in SHIPPED.items():
            with self.subTest(code=code):
                installed = values["model"] in self.env
                self.assertEqual(self._type(code).available, installed)

    def test_search_finds_the_available_types_only(self):
        types = self.env["sales.followup.document.type"].with_user(self.editor)
        absent = self._create_type(code="absent", model="some.absent.model")
        available = types.search([("available", "=", True)])
        hidden = types.search([("available", "=", False)])
        self.assertIn("quotation", available.mapped("code"))
        self.assertNotIn("absent", available.mapped("code"))
        self.assertIn("absent", hidden.mapped("code"))
        self.assertNotIn("quotation", hidden.mapped("code"))
        self.assertFalse(absent.available)

    def test_wizard_ticks_the_types_ticked_beforehand(self):
        wizard = self._create_propagation(self._create_customer(self.alice))
        self.assertEqual(
            wizard.type_ids, self._types("quotation", "sale_order", "customer_invoice")
        )

    def test_wizard_does_not_tick_a_type_whose_app_is_absent(self):
        absent = self._create_type(
            code="absent", model="some.absent.model", default_checked=True
        )
        wizard = self._create_propagation(self._create_customer(self.alice))
        self.assertNotIn(absent, wizard.type_ids)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestDocumentTypeSense(DocumentTypeCommon):
    def test_type_of_an_app_not_installed_is_kept_and_hidden(self):
        doc_type = self._create_type(
            model="some.absent.model",
            date_field="whatever",
            open_domain="[('a','=',1)]",
        )
        self.assertFalse(doc_type.available)

    def test_who_and_how_odoo_runs_is_refused(self):
        for model in (
            "res.users",
            "res.partner",
            "res.groups",
            "res.company",
            "ir.cron",
            "ir.rule",
            "ir.some.absent.model",
        ):
            with self.subTest(model=model):
                self.assertRefused(model, model=model)

    def test_model_without_chatter_is_refused(self):
        self.assertRefused(
            "sale.order.line", "mail.thread", model="sale.order.line", date_field=False
        )

    def test_missing_field_is_refused(self):
        for name in (
            "partner_field",
            "date_field",
            "due_field",
            "amount_field",
            "lead_field",
            "reps_field",
        ):
            with self.subTest(field=name):
                self.assertRefused(
                    "no_such_field", "sale.order", **{name: "no_such_field"}
                )

    def test_field_that_is_not_stored_is_refused(self):
        self.assertRefused("expected_date", due_field="expected_date")
        self.assertRefused("activity_user_id", lead_field="activity_user_id")

    def test_field_that_is_no_user_is_refused(self):
        self.assertRefused("partner_id", lead_field="partner_id")
        self.assertRefused("tag_ids", reps_field="tag_ids")

    def test_one_user_is_no_set_of_representatives(self):
        self.assertRefused("user_id", reps_field="user_id")
        self.assertRefused("followup_rep_ids", lead_field="followup_rep_ids")

    def test_field_of_another_kind_is_refused(self):
        self.assertRefused("amount_total", date_field="amount_total")
        self.assertRefused("date_order", amount_field="date_order")
        self.assertRefused("company_id", partner_field="company_id")

    def test_type_with_nothing_to_write_is_refused(self):
        self.assertRefused("Salesperson", lead_field=False, reps_field=False)

    def test_domain_that_does_not_evaluate_is_refused(self):
        for name in ("domain", "open_domain", "chase_domain", "keep_lead_domain"):
            for text in (
                "[('state', '=', ]",
                "[('state', '=', no_such_name)]",
                "1 / 0",
            ):
                with self.subTest(name=name, text=text):
                    self.assertRefused(text, "sale.order", **{name: text})

    def test_domain_with_an_unknown_field_is_refused(self):
        for text in ("[('nope', '=', 1)]", "[('partner_id.nope', '=', 1)]"):
            with self.subTest(text=text):
                self.assertRefused(text, "nope", open_domain=text)

    def test_domain_that_is_no_list_is_refused(self):
        for text in ("42", "'draft'", "{'state': 'draft'}", "[42]", "[('state',)]"):
            with self.subTest(text=text):
                self.assertRefused(text, domain=text)

    def test_domain_cannot_reach_the_database(self):
        for text in ("env['res.users'].search([])", "user.env.cr.commit()", "self"):
            with self.subTest(text=text):
                self.assertRefused(text, domain=text)

    def test_domain_may_use_dates_and_the_user(self):
        doc_type = self._create_type(
            domain="[('user_id', '=', user.id)]",
            open_domain=(
                "[('date_order', '>=', context_today() - relativedelta(days=9))]"
            ),
            chase_domain="[('date_order', '<', datetime.datetime(2026, 1, 1))]",
        )
        self.assertTrue(doc_type.available)

    def test_domain_of_the_user_is_that_of_who_asks(self):
        doc_type = self._create_type(domain="[('user_id', '=', user.id)]")
        customer = self._create_customer(self.alice)
        theirs = self._create_order(customer, user_id=self.editor.id)
        self._create_order(customer, user_id=self.carol.id)
        wizard = self._create_propagation(
            customer, type_ids=[Command.set(doc_type.ids)]
        )
        wizard.action_preview()
        self.assertPreviewed(wizard, theirs)

    def test_editing_into_nonsense_is_refused_too(self):
        doc_type = self._create_type()
        with self.assertRaises(ValidationError):
            doc_type.open_domain = "[('nope', '=', 1)]"
        with self.assertRaises(ValidationError):
            doc_type.model = "res.users"

    def test_code_is_unique(self):
        self._create_type()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.cr.savepoint(),
        ):
            self._create_type()


@tagged("post_install", "-at_install")
class TestDocumentTypeRights(DocumentTypeCommon):
    def test_only_settings_administrators_edit_types(self):
        manager = self._create_user(
            "sales_admin",
            "sales_team.group_sale_manager",
            "sales_followup.group_manager",
            "sales_followup.group_rep_editor",
        )
        for user in (manager, self.editor, self.alice):
            doc_type = self._type("quotation").with_user(user)
            with self.subTest(user=user.login):
                self.assertEqual(doc_type.code, "quotation")
                with self.assertRaises(AccessError):
                    doc_type.name = "Mine"
                with self.assertRaises(AccessError):
                    doc_type.unlink()
                with self.assertRaises(AccessError):
                    self._create_type(user=user)

    def test_settings_administrator_edits_shipped_types(self):
        doc_type = self._type("quotation").with_user(self.admin)
        doc_type.write({"keep_lead_domain": "[('state', '=', 'sent')]"})
        self.assertEqual(doc_type.keep_lead_domain, "[('state', '=', 'sent')]")

    def test_portal_users_cannot_read_types(self):
        with self.assertRaises(AccessError):
            self._type("quotation").with_user(self.portal).read(["name"])

    def test_administrator_adds_a_type_in_the_form(self):
        types = self.env["sales.followup.document.type"].with_user(self.admin)
        with Form(types) as form:
            form.name = "All journal entries"
            form.code = "entries"
            form.model_id = self.env["ir.model"]._get("account.move")
            form.date_field = "date"
            form.lead_field = "invoice_user_id"
            form.reps_field = "followup_rep_ids"
        self.assertEqual(form.record.model, "account.move")
        self.assertTrue(form.record.available)

    def test_administrator_changes_the_model_with_the_fields_in_the_form(self):
        doc_type = self._create_type()
        with Form(doc_type) as form:
            form.model_id = self.env["ir.model"]._get("account.move")
            form.date_field = "invoice_date"
            form.lead_field = "invoice_user_id"
        self.assertEqual(doc_type.model, "account.move")
        self.assertEqual(doc_type.model_id.model, "account.move")
        self.assertTrue(doc_type.available)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestCustomDocumentType(DocumentTypeCommon):
    """A model of the user's own, as a Settings administrator may make and add one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        model = cls.env["ir.model"].create(
            {
                "name": "Follow-up Repair",
                "model": "x_followup_repair",
                "is_mail_thread": True,
                "field_id": [
                    Command.create({"name": name, "field_description": name, **values})
                    for name, values in {
                        "x_name": {"ttype": "char"},
                        "x_partner_id": {
                            "ttype": "many2one",
                            "relation": "res.partner",
                        },
                        "x_user_id": {"ttype": "many2one", "relation": "res.users"},
                        "x_rep_ids": {"ttype": "many2many", "relation": "res.users"},
                        "x_day": {"ttype": "date"},
                        "x_fee": {"ttype": "float"},
                        "x_done": {"ttype": "boolean"},
                        "x_active": {"ttype": "boolean"},
                    }.items()
                ],
                "access_ids": [
                    Command.create(
                        {
                            "name": "everybody reads repairs",
                            "group_id": cls.env.ref("base.group_user").id,
                            "perm_read": True,
                        }
                    )
                ],
            }
        )
        cls.repair_type = (
            cls.env["sales.followup.document.type"]
            .with_user(cls.admin)
            .create(
                {
                    "name": "Repairs",
                    "code": "repair",
                    "model": model.model,
                    "partner_field": "x_partner_id",
                    "open_domain": "[('x_done', '=', False)]",
                    "keep_lead_domain": "[('x_fee', '>', 1000)]",
                    "date_field": "x_day",
                    "amount_field": "x_fee",
                    "lead_field": "x_user_id",
                    "reps_field": "x_rep_ids",
                }
            )
        )
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    @classmethod
    def _create_repair(cls, **values):
        return cls.env["x_followup_repair"].create(
            {"x_name": "Repair", "x_partner_id": cls.customer.id, "x_active": True}
            | values
        )

    def _preview_repairs(self, **values):
        return self._preview(
            self.customer, type_ids=[Command.set(self.repair_type.ids)], **values
        )

    def assertRepair(self, repair, lead, *reps):
        self.assertEqual(repair.x_user_id, lead)
        self.assertEqual(repair.x_rep_ids, self.env["res.users"].union(*reps))

    def test_added_model_is_available(self):
        self.assertTrue(self.repair_type.available)
        self.assertEqual(self.repair_type.model_id.model, "x_followup_repair")

    def test_documents_take_their_customers_representatives(self):
        repair = self._create_repair(x_user_id=self.carol.id)
        other = self._create_repair(x_partner_id=self._create_customer(self.bob).id)
        wizard = self._preview_repairs()
        self.assertPreviewed(wizard, repair)
        wizard.action_apply()
        self.assertRepair(repair, self.alice, self.alice, self.bob)
        self.assertRepair(other, self.env["res.users"])

    def test_change_of_them_is_undone(self):
        repair = self._create_repair(x_user_id=self.carol.id)
        wizard = self._preview_repairs()
        wizard.action_apply()
        wizard.change_id.action_undo()
        self.assertRepair(repair, self.carol)

    def test_editor_needs_no_right_to_write_them(self):
        repair = self._create_repair()
        with self.assertRaises(AccessError):
            repair.with_user(self.editor).x_user_id = self.editor
        wizard = self._preview_repairs()
        wizard.action_apply()
        self.assertRepair(repair, self.alice, self.alice, self.bob)

    def test_open_and_closed_are_what_the_type_says(self):
        opened, closed = self._create_repair(), self._create_repair(x_done=True)
        self.assertPreviewed(self._preview_repairs(scope="open"), opened)
        self.assertPreviewed(self._preview_repairs(scope="closed"), closed)
        self.assertPreviewed(self._preview_repairs(scope="all"), opened, closed)

    def test_archived_documents_are_documents_too(self):
        archived = self._create_repair(x_active=False)
        self.assertPreviewed(self._preview_repairs(), archived)

    def test_seller_is_kept_where_the_type_says_archived_ones_included(self):
        repairs = self._create_repair(x_fee=2000, x_user_id=self.carol.id)
        repairs |= self._create_repair(
            x_fee=2000, x_user_id=self.carol.id, x_active=False
        )
        wizard = self._preview_repairs()
        self.assertPreviewed(wizard, *repairs)
        wizard.action_apply()
        for repair in repairs:
            self.assertRepair(repair, self.carol, self.alice, self.bob)

    def test_date_is_the_types_and_where_empty_the_creation_day(self):
        inside = self._create_repair(x_day="2026-03-31")
        undated = self._create_repair()
        self._create_repair(x_day="2026-04-01")
        before = self._create_repair()
        self.editor.tz = "UTC"
        self._set_created(undated, "2026-03-01 00:00:00")
        self._set_created(before, "2026-02-28 23:59:59")
        wizard = self._preview_repairs(date_from="2026-03-01", date_to="2026-03-31")
        self.assertPreviewed(wizard, inside, undated)

    def test_removed_app_leaves_a_hidden_type_that_cannot_be_ticked(self):
        self.repair_type.flush_recordset()
        self.cr.execute(
            "UPDATE sales_followup_document_type SET model = 'x_gone' WHERE id = %s",
            [self.repair_type.id],
        )
        self.repair_type.invalidate_recordset()
        self.assertFalse(self.repair_type.available)
        with self.assertRaisesRegex(UserError, "Repairs"):
            self._preview_repairs()
