from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_reminders import RemindersCommon

MODELS = (
    "sales.followup.reminder",
    "sales.followup.template",
    "sales.followup.series",
    "sales.followup.result",
    "sales.followup.remind",
    "sales.followup.cancel",
    "sales.followup.preview",
)


@tagged("post_install", "-at_install")
class TestReminderAccess(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.invoice = cls._create_invoice(
            cls.customer, post=True, invoice_user_id=cls.alice.id
        )
        cls.on_order = cls._remind(cls.order, channel="phone", note="Secret of Alice")
        cls.on_invoice = cls._remind(cls.invoice, channel="visit")
        cls.manager = cls._create_user(
            "manager", "sales_team.group_sale_salesman", "sales_followup.group_manager"
        )
        cls.seller = cls._create_user(
            "seller",
            "sales_team.group_sale_salesman_all_leads",
            "account.group_account_invoice",
        )

        for user in (cls.alice, cls.bob, cls.manager):
            user.group_ids += cls.env.ref("base.group_allow_export")

    def _reminders(self, user):
        return self.env["sales.followup.reminder"].with_user(user)

    # --- without the right ----------------------------------------------------

    def test_without_the_right_there_is_no_menu(self):
        root = self.env.ref("sales_followup.sales_followup_menu")
        ours = set(self.env["ir.ui.menu"].search([("id", "child_of", root.id)]).ids)
        for user, sees in ((self.seller, False), (self.alice, True)):
            menus = self.env["ir.ui.menu"].with_user(user).load_menus(False)
            self.assertEqual(bool(ours & menus.keys()), sees, user.login)

    def test_without_the_right_no_view_tells_of_reminders(self):
        views = {
            "sale.order": ("sale.view_order_form", "sale.view_quotation_tree"),
            "account.move": ("account.view_move_form", "account.view_invoice_tree"),
            "res.partner": ("base.view_partner_form", "base.view_partner_tree"),
        }
        secret = (
            "followup_reminder_ids",
            "followup_reminder_count",
            "followup_last_reminder_id",
            "followup_last_date",
            "followup_next_date",
            "action_followup_remind",
            "action_followup_reminders",
        )
        for model, (form, tree) in views.items():
            for user, sees in ((self.seller, False), (self.alice, True)):
                with self.subTest(model=model, user=user.login):
                    records = self.env[model].with_user(user)
                    result = records.get_views(
                        [
                            (self.env.ref(form).id, "form"),
                            (self.env.ref(tree).id, "list"),
                            (False, "search"),
                        ]
                    )
                    archs = " ".join(v["arch"] for v in result["views"].values())
                    self.assertEqual("followup_reminder_ids" in archs, sees)
                    self.assertEqual("New Reminder" in archs, sees)
                    fields = records.fields_get()
                    if not sees:
                        for name in secret:
                            self.assertNotIn(name, archs)
                            self.assertNotIn(name, fields)
                            self.assertNotIn(name, result["models"][model]["fields"])

    def test_without_the_right_nothing_can_be_asked_for(self):
        for user in (self.seller, self.portal, self.env.ref("base.public_user")):
            for model in MODELS:
                records = self.env[model].with_user(user)
                with self.subTest(user=user.login, model=model):
                    for operation in ("read", "write", "create", "unlink"):
                        self.assertFalse(records.has_access(operation))
                    with self.assertRaises(AccessError):
                        records.search([])
            for record in (
                self.on_order,
                self._create_template(),
                self.env["sales.followup.series"].search([], limit=1),
            ):
                with self.subTest(user=user.login, record=record):
                    with self.assertRaises(AccessError):
                        record.with_user(user).read(["display_name"])

    def test_without_the_right_the_documents_fields_are_refused(self):
        for name in ("followup_reminder_ids", "followup_next_date"):
            for user in (self.seller, self.portal):
                with self.subTest(name=name, user=user.login):
                    with self.assertRaises(AccessError):
                        self.order.with_user(user).read([name])
        with self.assertRaises(AccessError):
            self.customer.with_user(self.seller).read(["followup_reminder_count"])
        with self.assertRaises(AccessError):
            self._open_remind(self.order, self.seller, channel="phone")

    def test_the_portal_reads_orders_but_not_who_follows_them(self):
        self.customer.child_ids = self.portal.partner_id
        self.order.message_subscribe(self.portal.partner_id.ids)
        order = self.order.with_user(self.portal)
        self.assertTrue(order.read(["name"]))
        for name in ("followup_contact_id", "followup_exclude", "followup_rep_ids"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                order.read([name])

    # --- own documents --------------------------------------------------------

    def test_reminders_are_seen_on_documents_one_may_read(self):
        both = self.on_order | self.on_invoice
        for user, seen in (
            (self.alice, both),
            (self.bob, both.browse()),
            (self.manager, both),
        ):
            with self.subTest(user=user.login):
                self.assertSees(user, both, seen)

    def test_a_representative_sees_the_reminders_of_the_document(self):
        both = self.on_order | self.on_invoice
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        self.assertSees(self.bob, both, self.on_order)
        self.invoice.followup_rep_ids = [Command.link(self.bob.id)]
        self.assertSees(self.bob, both, both)

    def test_who_may_not_read_the_document_any_more_does_not_see_them(self):
        self.order.user_id = self.bob
        self.order.followup_rep_ids = [Command.set(self.bob.ids)]
        self.env.flush_all()
        self.assertSees(self.alice, self.on_order, self.on_order.browse())
        self.assertSees(self.bob, self.on_order, self.on_order)

    def assertSees(self, user, reminders, seen):
        """Assert which of some reminders a user sees, by every way there is."""
        self.env.invalidate_all()
        mine = self._reminders(user)
        among = [("id", "in", reminders.ids)]
        self.assertEqual(mine.search(among), seen)
        self.assertEqual(mine.search_count(among), len(seen))
        found = mine.web_search_read(among, {"note": {}, "document_ref": {}})
        self.assertEqual({row["id"] for row in found["records"]}, set(seen.ids))
        self.assertEqual(
            {row["id"] for row in mine.search_read(among, ["note"])}, set(seen.ids)
        )
        [count] = mine._read_group(among, aggregates=["__count"])[0]
        self.assertEqual(count, len(seen))
        for groupby in ("user_id", "partner_id", "order_id", "channel", "date:month"):
            groups = mine.formatted_read_group(among, [groupby], ["__count"])
            self.assertEqual(sum(group["__count"] for group in groups), len(seen))
        names = {row[0] for row in mine.name_search("", among)}
        self.assertEqual(names, set(seen.ids))
        self.assertEqual(
            {row[0] for row in mine.name_search(reminders[0].name)},
            set((reminders[0] & seen).ids),
        )
        for reminder in reminders:
            self.env.invalidate_all()
            own = mine.browse(reminder.id)
            if reminder in seen:
                self.assertTrue(own.read(["note", "partner_id", "document_ref"]))
                self.assertEqual(own.export_data(["name"])["datas"], [[reminder.name]])
            else:
                for ask in (
                    lambda own=own: own.read(["note"]),
                    lambda own=own: own.note,
                    lambda own=own: own.display_name,
                    lambda own=own: own.web_read({"note": {}}),
                    lambda own=own: own.export_data(["name", "note"]),
                    lambda own=own: own.action_open_document(),
                    lambda own=own: own.write({"note": "x"}),
                    lambda own=own: own.unlink(),
                ):
                    with self.assertRaises(AccessError):
                        ask()
                        # reading what may be in the cache is checked, too
                        self.env.flush_all()
                    self.env.invalidate_all()
        if not user.has_group("sales_followup.group_manager"):
            documents = seen.order_id | seen.order_id
            self.assertEqual(
                self.env["sale.order"]
                .with_user(user)
                .search([("followup_reminder_ids", "in", reminders.ids)]),
                documents,
            )
        customer = self.customer.with_user(user)
        self.assertEqual(customer.followup_reminder_ids & reminders, seen)

    def test_the_customers_count_is_of_what_one_sees(self):
        for user, count in ((self.alice, 2), (self.bob, 0), (self.manager, 2)):
            with self.subTest(user=user.login):
                self.env.invalidate_all()
                customer = self.customer.with_user(user)
                self.assertEqual(customer.followup_reminder_count, count)
                self.assertEqual(len(customer.followup_reminder_ids), count)

    def test_a_manager_reads_reminders_on_documents_they_may_not_open(self):
        self.assertFalse(self.order.with_user(self.manager).has_access("read"))
        self.env.invalidate_all()
        [values] = self.on_order.with_user(self.manager).web_read(
            {
                "name": {},
                "document_ref": {"fields": {"display_name": {}}},
                "order_id": {"fields": {"display_name": {}}},
                "partner_id": {"fields": {"display_name": {}}},
                "amount": {},
                "is_open": {},
                "is_last": {},
                "note": {},
            }
        )
        self.assertEqual(values["note"], "Secret of Alice")
        self.assertEqual(values["order_id"]["display_name"], self.order.display_name)
        self.assertTrue(values["is_open"])
        self.assertTrue(values["is_last"])
        open_ones = self._reminders(self.manager).search(
            [("is_open", "=", True), ("partner_id", "=", self.customer.id)]
        )
        self.assertEqual(open_ones, self.on_order | self.on_invoice)
        self.assertEqual(
            self._reminders(self.manager).search(
                [("document_ref", "ilike", self.order.name)]
            ),
            self.on_order,
        )
        self.assertFalse(
            self._reminders(self.bob).search(
                [("document_ref", "ilike", self.order.name)]
            )
        )

    # --- creating -------------------------------------------------------------

    def test_nobody_reminds_of_a_document_they_may_not_read(self):
        for document in (self.order, self.invoice):
            link = self.on_order._get_document_field(document._name)
            with self.subTest(document=document, by="create"):
                with self.assertRaises(AccessError):
                    self._reminders(self.bob).create(
                        {link: document.id, "channel": "phone"}
                    )
            with self.subTest(document=document, by="dialog"):
                with self.assertRaises(AccessError):
                    self._remind(document, self.bob, channel="phone")
            with self.subTest(document=document, by="dialog"):
                with self.assertRaises(AccessError):
                    self._remind(document, self.bob, channel="email")
            with self.subTest(document=document, by="the list of another document"):
                with self.assertRaises(AccessError):
                    self.on_order.with_user(self.alice).write({link: document.id})
        self.assertEqual(
            self.customer.sudo().followup_reminder_ids, self.on_invoice | self.on_order
        )

    def test_the_dialog_tells_nothing_of_documents_one_may_not_read(self):
        for ask in (
            lambda: self._open_remind(self.order, self.bob, channel="phone").contact_id,
            lambda: self._open_remind(self.order, self.bob).subject,
            lambda: (
                self.env["sales.followup.remind"]
                .with_user(self.bob)
                .onchange(
                    {"order_id": self.order.id},
                    ["order_id"],
                    {"order_id": {}, "contact_id": {"fields": {"display_name": {}}}},
                )
            ),
        ):
            with self.assertRaises(AccessError):
                ask()

    def test_reading_is_enough_to_log_and_to_send(self):
        reader = self._create_user(
            "reader", "account.group_account_readonly", "sales_followup.group_user"
        )
        self.assertFalse(self.invoice.with_user(reader).has_access("write"))
        for channel in ("phone", "email"):
            with self.subTest(channel=channel):
                reminder = self._remind(self.invoice, reader, channel=channel)
                self.assertEqual(reminder.create_uid, reader)
                self.assertTrue(reminder.with_user(reader).read(["name"]))

    # --- changing -------------------------------------------------------------

    def test_users_change_their_own_managers_everybodys(self):
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        for user, may in ((self.alice, True), (self.bob, False), (self.manager, True)):
            reminder = self.on_order.with_user(user)
            with self.subTest(user=user.login):
                self.assertTrue(reminder.read(["note"]))
                for values in ({"note": user.name}, {"next_date": "2030-01-01"}):
                    if may:
                        reminder.write(values)
                    else:
                        with self.assertRaises(AccessError):
                            reminder.write(values)
        self.assertEqual(self.on_order.note, self.manager.name)

    def test_users_cancel_and_delete_their_own_managers_everybodys(self):
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        for act in (
            lambda reminder: reminder._cancel("Why not"),
            lambda reminder: reminder.unlink(),
        ):
            with self.assertRaises(AccessError):
                act(self.on_order.with_user(self.bob))
        self.assertEqual(self.on_order.state, "done")
        other = self._remind(self.order, self.bob, channel="phone")
        other.with_user(self.manager)._cancel("Wrong")
        self.assertEqual(other.state, "cancelled")
        self.on_order.with_user(self.alice).unlink()
        self.assertFalse(self.on_order.exists())

    def test_handing_a_reminder_to_a_colleague_lets_them_change_it(self):
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        self.on_order.with_user(self.alice).user_id = self.bob
        self.on_order.with_user(self.bob).note = "Mine now"
        self.on_order.with_user(self.alice).note = "I made it"

    def test_templates_series_and_results_are_the_managers(self):
        template = self._create_template()
        result = self.env.ref("sales_followup.result_promised")
        for record in (template, template.series_id, result):
            with self.subTest(record=record):
                own = record.with_user(self.alice)
                self.assertTrue(own.name)
                for act in (
                    lambda own=own: own.write({"sequence": 1}),
                    lambda own=own: own.unlink(),
                    lambda own=own: own.create({"name": "New"}),
                ):
                    with self.assertRaises(AccessError):
                        act()
                record.with_user(self.manager).sequence = 3

    # --- companies ------------------------------------------------------------

    def test_reminders_of_another_company_are_not_seen(self):
        company = self.env["res.company"].create({"name": "Abroad"})
        self.env.user.company_ids += company
        abroad = self._create_user(
            "abroad",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        order = self._create_order(
            self.customer, "sent", company_id=company.id, user_id=abroad.id
        )
        reminder = self._remind(order, abroad, channel="phone")
        self.assertEqual(reminder.company_id, company)
        self.assertEqual(
            self._reminders(abroad).search([("partner_id", "=", self.customer.id)]),
            reminder,
        )
        with self.assertRaises(AccessError):
            self.on_order.with_user(abroad).read(["note"])
        with self.assertRaises(AccessError):
            reminder.with_user(self.manager).read(["note"])
        template = self._create_template(company_id=company.id)
        with self.assertRaises(AccessError):
            template.with_user(self.alice).read(["name"])
        series = self._create_series(company_id=company.id)
        self.assertNotIn(
            series, self.env["sales.followup.series"].with_user(self.alice).search([])
        )

    def test_both_companies_are_seen_by_who_works_in_both(self):
        company = self.env["res.company"].create({"name": "Abroad"})
        self.manager.company_ids += company
        self.env.user.company_ids += company
        order = self._create_order(self.customer, "sent", company_id=company.id)
        reminder = self.env["sales.followup.reminder"].create({"order_id": order.id})
        reminders = self._reminders(self.manager)
        mine = [("partner_id", "=", self.customer.id)]
        here = self.on_order | self.on_invoice
        for companies, seen in (
            (self.env.company, here),
            (company, reminder),
            (self.env.company | company, here | reminder),
        ):
            among = reminders.with_context(allowed_company_ids=companies.ids)
            self.assertEqual(among.search(mine), seen)

    # --- wizards --------------------------------------------------------------

    def test_nobody_reads_the_dialogs_of_others(self):
        template = self._create_template()
        dialogs = (
            self._open_remind(self.order, channel="phone", note="Secret"),
            self.env["sales.followup.cancel"]
            .with_user(self.alice)
            .create({"reminder_ids": self.on_order.ids, "reason": "Secret"}),
            self.env["sales.followup.preview"]
            .with_user(self.alice)
            .create({"template_id": template.id, "order_id": self.order.id}),
        )
        for dialog in dialogs:
            for user in (self.bob, self.manager):
                with self.subTest(dialog=dialog, user=user.login):
                    own = dialog.with_user(user)
                    self.env.invalidate_all()
                    self.assertFalse(own.search([("id", "=", dialog.id)]))
                    with self.assertRaises(AccessError):
                        own.read()
                    with self.assertRaises(AccessError):
                        own.write({"create_uid": user.id})
        with self.assertRaises(AccessError):
            dialogs[0].with_user(self.bob).action_apply()

    def test_the_search_view_works_for_everybody_who_sees_it(self):
        view = self.env.ref("sales_followup.sales_followup_reminder_view_search")
        for user in (self.alice, self.bob, self.manager):
            arch = etree.fromstring(
                self._reminders(user).get_view(view.id, "search")["arch"]
            )
            for name in arch.xpath("//filter[@domain]/@name"):
                with self.subTest(user=user.login, filter=name):
                    domain = self._get_filter_domain(
                        "sales_followup.sales_followup_reminder_view_search", name, user
                    )
                    found = self._reminders(user).search(domain)
                    self.assertLessEqual(found, self._reminders(user).search([]))
