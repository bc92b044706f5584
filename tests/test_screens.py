import re
from pathlib import Path

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import file_path
from odoo.tools.safe_eval import safe_eval
from odoo.tools.translate import xml_translate

from .common_reminders import RemindersCommon

MODULE = "sales_followup"
LANGUAGES = ("en_US", "fr_FR", "it_IT")

#: kinds of views that get_views gives; the other ones are parts of pages and e-mails
KINDS = ("form", "list", "kanban", "calendar", "pivot", "graph", "search")

#: what every internal user may see of ours on documents and customers: who follows them
COMMON_FIELDS = {
    "followup_rep_ids",
    "followup_can_edit_reps",
    "followup_form_lead_id",
}


@tagged("post_install", "-at_install", "depends_on_apps")
class TestScreens(RemindersCommon):
    """Every screen opens in every language for whom it is meant, and for them alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_manager",
            "account.group_account_invoice",
            "sales_followup.group_manager",
        )
        cls.admin = cls._create_user(
            "administrator",
            "base.group_system",
            "sales_team.group_sale_manager",
            "account.group_account_manager",
            "sales_followup.group_manager",
            "sales_followup.group_rep_editor",
        )
        # sells, but has no right of ours
        cls.dave = cls._create_user(
            "dave",
            "base.group_partner_manager",
            "sales_team.group_sale_salesman_all_leads",
            "account.group_account_invoice",
        )
        for lang in LANGUAGES:
            cls.env["res.lang"]._activate_lang(lang)
        cls.env["ir.module.module"]._load_module_terms([MODULE], list(LANGUAGES))

    # --- menus ------------------------------------------------------------------

    def _get_menus(self, user):
        """Return the menu items of ours that a user sees and that open something."""
        ours = self.env["ir.model.data"].search(
            [("module", "=", MODULE), ("model", "=", "ir.ui.menu")]
        )
        menus = self.env["ir.ui.menu"].with_user(user)
        reached = {id_ for id_ in menus.load_menus(False) if isinstance(id_, int)}
        return menus.sudo().browse(reached & set(ours.mapped("res_id")))

    def _get_names(self, user):
        return {
            menu.get_external_id()[menu.id].removeprefix(f"{MODULE}.")
            for menu in self._get_menus(user).filtered("action")
        }

    def _get_opened(self, action, user):
        """Return what opens when a user clicks on a menu item: an action, as a dict."""
        if action._name == "ir.actions.server":
            return action.with_user(user).run()
        return action.with_user(user)._get_action_dict()

    def test_each_role_has_its_menus(self):
        users = self._get_names(self.alice)
        self.assertLessEqual(
            {
                "sales_followup_dashboard_menu",
                "sales_followup_remind_menu",
                "sales_followup_reminder_next_menu",
                "sales_followup_reminder_open_menu",
                "sales_followup_reminder_all_menu",
                "sales_followup_run_new_menu",
                "sales_followup_run_all_menu",
                "sales_followup_run_files_menu",
                "sales_followup_forecast_menu",
                "sales_followup_automatic_log_menu",
                "sales_followup_verdict_menu",
                "sales_followup_report_menu",
            },
            users,
        )
        # the app Sales shows with Sales Management, without it only its parts do
        if self.env.ref("sale.sale_menu_root").active:
            self.assertLessEqual(
                {"sale_order_followup_menu", "sale_order_reminder_menu"}, users
            )
        configuration = {
            "sales_followup_template_menu",
            "sales_followup_series_menu",
            "sales_followup_result_menu",
            "sales_followup_document_type_menu",
        }
        self.assertFalse(configuration & users)
        self.assertLessEqual(configuration | users, self._get_names(self.manager))
        self.assertNotIn("sales_followup_change_menu", users)
        self.assertEqual(self._get_names(self.editor), {"sales_followup_change_menu"})
        self.assertIn("res_config_settings_menu", self._get_names(self.admin))
        self.assertNotIn("res_config_settings_menu", self._get_names(self.manager))
        for user in (self.clerk, self.dave):
            self.assertFalse(self._get_menus(user), user.name)

    def test_every_screen_is_two_clicks_away(self):
        for menu in self._get_menus(self.admin) | self._get_menus(self.manager):
            # the app, and one menu that unfolds
            self.assertLessEqual(len(menu.complete_name.split("/")), 3, menu.name)

    def test_every_menu_opens_for_whom_it_is_shown(self):
        for user in (self.alice, self.manager, self.editor, self.admin):
            for menu in self._get_menus(user).filtered("action"):
                with (
                    self.subTest(user=user.name, menu=menu.complete_name),
                    self.assertNoLogs("odoo.addons.base.models", level="WARNING"),
                ):
                    action = self._get_opened(menu.sudo().action, user)
                    if action["type"] == "ir.actions.client":
                        self.assertEqual(action["tag"], "sales_followup.dashboard")
                        continue
                    self._assert_opens(action, user)

    def _assert_opens(self, action, user):
        """Assert that a window shows its views, and what its domain selects."""
        model = self.env[action["res_model"]].with_user(user)
        views = [tuple(view) for view in action["views"]]
        if {"list", "kanban", "pivot"} & {kind for _id, kind in views}:
            views.append((False, "search"))
        loaded = model.get_views(views, {"toolbar": True})
        self.assertEqual(loaded["views"].keys(), {kind for _id, kind in views})
        if model._transient and action["view_mode"] == "form":
            return
        domain = action.get("domain") or []
        if isinstance(domain, str):
            domain = safe_eval(domain, {"uid": user.id})
        model.web_search_read(domain, {"display_name": {}}, limit=1)

    # --- addresses and empty states ---------------------------------------------

    def _get_actions(self):
        """Return the actions of our menus, and the list behind the forecast."""
        menus = self._get_menus(self.admin) | self._get_menus(self.manager)
        actions = {menu.action for menu in menus if menu.action}
        return [*actions, self.env.ref(f"{MODULE}.sales_followup_change_action")]

    def test_every_screen_has_an_address_of_its_own(self):
        paths = {}
        for action in self._get_actions():
            if action._name == "ir.actions.act_window" and action.target == "new":
                continue  # a dialog has none
            with self.subTest(action=action.name):
                self.assertTrue(action.path)
                self.assertEqual(paths.setdefault(action.path, action), action)

    def test_every_list_says_what_to_do_when_it_is_empty(self):
        forecast = self.env.ref(f"{MODULE}.sales_followup_forecast_action_list")
        for action in [*self._get_actions(), forecast]:
            if (
                action._name != "ir.actions.act_window"
                or action.view_mode.split(",")[0] == "form"
            ):
                continue
            with self.subTest(action=action.name):
                title, *rest = etree.fromstring(f"<div>{action.help}</div>")
                self.assertEqual(title.get("class"), "o_view_nocontent_smiling_face")
                self.assertTrue(title.text.strip())
                self.assertTrue(rest, "it says nothing of what to do")

    # --- views ------------------------------------------------------------------

    def _get_views(self):
        """Return the views of ours that a client shows."""
        data = self.env["ir.model.data"].search(
            [("module", "=", MODULE), ("model", "=", "ir.ui.view")]
        )
        return (
            self.env["ir.ui.view"]
            .browse(data.mapped("res_id"))
            .filtered(lambda view: view.type in KINDS)
        )

    def test_every_view_opens_in_every_language(self):
        for view in self._get_views():
            user = self.admin
            root = view
            while root.mode == "extension":
                root = root.inherit_id
            for lang in LANGUAGES:
                with (
                    self.subTest(view=view.name, lang=lang),
                    self.assertNoLogs("odoo.addons.base.models", level="WARNING"),
                ):
                    model = self.env[root.model].with_user(user).with_context(lang=lang)
                    arch = model.get_view(root.id, root.type)["arch"]
                    self.assertEqual(etree.fromstring(arch).tag, root.type)

    def test_buttons_and_titles_are_in_the_language_of_the_user(self):
        """What is said in one place in English is said in French."""
        run = self.env["sales.followup.run"].with_user(self.alice)
        arches = {
            lang: etree.fromstring(
                run.with_context(lang=lang).get_view(view_type="form")["arch"]
            )
            for lang in LANGUAGES
        }
        for xpath in (
            "//button[@name='action_propose']/@string",
            "//button[@name='action_open_document']/@title",
        ):
            said = {lang: arches[lang].xpath(xpath)[0] for lang in LANGUAGES}
            self.assertEqual(len(set(said.values())), 3, said)

    def test_every_icon_that_is_a_button_says_what_it_does(self):
        for view in self._get_views():
            arch = etree.fromstring(view.arch_db)
            for button in arch.xpath("//button[@icon and not(@string)]"):
                with self.subTest(view=view.name, button=button.get("name")):
                    has_text = button.xpath(".//field | .//span")
                    self.assertTrue(button.get("title") or has_text)
            for icon in arch.xpath("//i[contains(@class, 'fa')]"):
                with self.subTest(view=view.name, icon=icon.get("class")):
                    # not on the icon: it would be a term with markup in it
                    self.assertTrue(icon.xpath("ancestor::*[@title]"))

    def test_no_term_to_translate_is_markup_alone(self):
        for view in self._get_views():
            terms = []
            xml_translate(terms.append, view.with_context(lang=None).arch_db)
            with self.subTest(view=view.name):
                self.assertFalse([term for term in terms if term.startswith("<i ")])

    def test_parts_of_our_views_have_names(self):
        """So that others can put theirs beside them."""
        for view in self._get_views():
            arch = etree.fromstring(view.arch_db)
            for part in arch.xpath("//page | //filter | //form//group"):
                with self.subTest(view=view.name):
                    self.assertTrue(part.get("name"), etree.tostring(part)[:200])

    def test_every_picture_that_is_shown_exists(self):
        folder = Path(file_path(f"{MODULE}/static/description"))
        taken = {picture.name for picture in folder.glob("*.png")}
        readme = Path(file_path(f"{MODULE}/README.md")).read_text()
        in_readme = set(re.findall(r"\(static/description/([\w.]+)\)", readme))
        page = etree.HTML((folder / "index.html").read_text())
        in_store = set(page.xpath("//img/@src"))
        self.assertTrue(in_readme)
        self.assertTrue(in_store)
        self.assertLessEqual(in_readme | in_store, taken)
        # and none is left of what is not shown any more
        self.assertLessEqual(taken - {"icon.png", "banner.png"}, in_readme | in_store)
        for image in page.xpath("//img"):
            self.assertTrue(image.get("alt"), image.get("src"))

    # --- who has no right of ours -----------------------------------------------

    def test_without_the_group_there_is_no_field_button_or_tab(self):
        for view_ref in (
            "sale.view_order_form",
            "sale.sale_order_tree",
            "sale.view_sales_order_filter",
            "account.view_move_form",
            "account.view_invoice_tree",
            "account.view_account_invoice_filter",
            "base.view_partner_form",
            "base.view_partner_tree",
            "base.view_res_partner_filter",
        ):
            view = self.env.ref(view_ref)
            with self.subTest(view=view_ref):
                model = self.env[view.model].with_user(self.dave)
                arch = etree.fromstring(model.get_view(view.id, view.type)["arch"])
                shown = {
                    node.get("name")
                    for node in arch.xpath("//field | //button | //page")
                    if "followup" in (node.get("name") or "")
                }
                self.assertLessEqual(shown, COMMON_FIELDS)

    def test_without_the_group_no_action_is_offered(self):
        names = {
            view["name"]
            for view in self.env["ir.actions.server"].search_read(
                [
                    ("binding_model_id.model", "=", "res.partner"),
                    ("id", "in", self._get_server_action_ids()),
                ],
                ["name"],
            )
        }
        self.assertIn("Assign representatives", names)
        for user, offered in ((self.dave, False), (self.editor, True)):
            actions = self.env["ir.actions.actions"].with_user(user)
            bound = actions.get_bindings("res.partner").get("action", [])
            found = names & {action["name"] for action in bound}
            self.assertEqual("Assign representatives" in found, offered)
            if not offered:
                self.assertFalse(found)

    def _get_server_action_ids(self):
        return (
            self.env["ir.model.data"]
            .search([("module", "=", MODULE), ("model", "=", "ir.actions.server")])
            .mapped("res_id")
        )

    def test_without_the_group_no_record_is_read(self):
        for model in (
            "sales.followup.reminder",
            "sales.followup.run",
            "sales.followup.run.line",
            "sales.followup.report",
            "sales.followup.change",
        ):
            for user in (self.clerk, self.dave):
                with (
                    self.subTest(model=model, user=user.name),
                    self.assertRaises(AccessError),
                ):
                    self.env[model].with_user(user).search([])

    # --- at a glance ------------------------------------------------------------

    def test_a_quotation_tells_when_its_reminder_goes_out(self):
        series = self._create_series()
        template = self._create_template(
            series=series,
            name="Nudge",
            automatic=True,
            trigger="document_date",
            offset_days=5,
        )
        order = self._create_quotation(self.customer, user_id=self.alice.id)
        seen = order.with_user(self.alice).with_context(lang="en_US")
        self.assertIn("Not today: “Nudge” goes out on", seen.followup_outlook)
        order.followup_exclude = True
        self.env.invalidate_all()
        self.assertIn("Do not remind automatically", seen.followup_outlook)
        order.followup_exclude = False
        template.automatic = False
        self.env.invalidate_all()
        self.assertIn("No:", seen.followup_outlook)

    def test_what_is_never_chased_tells_nothing(self):
        entry = self.env["account.move"].create({"move_type": "entry"})
        self.assertFalse(entry.followup_outlook)
        self.assertFalse(self.env["sale.order"].new({}).followup_outlook)

    def test_a_customer_tells_when_it_was_and_will_be_reminded(self):
        orders = [
            self._create_quotation(self.customer, user_id=self.alice.id)
            for _number in range(3)
        ]
        days = ("2031-03-09", "2031-02-03", "2031-01-02")
        reminders = [
            self._remind(order, channel="phone", next_date=day)
            for order, day in zip(orders, days, strict=True)
        ]
        orders[2].action_cancel()
        contact = self._create_contact(self.customer)
        for partner in (self.customer, contact):
            seen = partner.with_user(self.alice).with_context(lang="en_US")
            self.assertEqual(seen.followup_last_date, reminders[2].date)
            # the third quotation is done with
            self.assertEqual(str(seen.followup_next_date), days[1])
            self.assertEqual(seen.followup_outlook, "As each document says.")
        self.customer.followup_exclude = True
        self.env.invalidate_all()
        self.assertIn("Do not remind", contact.with_user(self.alice).followup_outlook)

    def test_forms_alone_ask_for_the_outlook(self):
        for model in ("sale.order", "account.move", "res.partner"):
            for view in self.env["ir.ui.view"].search(
                [("model", "=", model), ("type", "!=", "form")]
            ):
                self.assertNotIn("followup_outlook", view.arch_db, view.name)

    def test_the_glance_costs_the_same_with_many_documents(self):
        def count(customer):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            seen = customer.with_user(self.alice)
            seen.read(["followup_last_date", "followup_next_date", "followup_outlook"])
            return self.env.cr.sql_log_count - before

        few = self._create_customer(self.alice)
        many = self._create_customer(self.alice)
        for customer, number in ((few, 1), (many, 12)):
            for _number in range(number):
                order = self._create_quotation(customer, user_id=self.alice.id)
                self._remind(order, channel="phone")
        count(few)  # warm up
        self.assertEqual(count(few), count(many))
