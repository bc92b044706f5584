from datetime import date, datetime, timedelta

from freezegun import freeze_time
from lxml import etree

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from ..common_reminders import RemindersCommon

SEARCH = "sales_followup.sales_followup_reminder_view_search"

#: the columns of every list of reminders, in this order; file is a button, and what is
#: done in two clicks follows
COLUMNS = [
    "name",
    "partner_id",
    "document_ref",
    "note",
    "template_id",
    "date",
    "next_date",
    "user_id",
    "action_download",
    "followup_desk",
]
OPTIONAL = {"channel", "result_id", "state", "amount", "origin"}


@tagged("post_install", "-at_install")
class TestReminderViews(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.reminders = cls.env["sales.followup.reminder"].with_user(cls.alice)

    # --- columns --------------------------------------------------------------

    def _get_columns(self, tree):
        """Return the shown and the optional columns of a list, in their order."""
        shown, optional = [], set()
        for column in tree.xpath("./field | ./button | ./widget"):
            if column.get("column_invisible"):  # always, or unless it is asked for
                continue
            if column.get("optional"):
                optional.add(column.get("name"))
            else:
                shown.append(column.get("name"))
        return shown, optional

    def test_the_columns_of_the_lists_are_in_order(self):
        for action in ("", "_open", "_next"):
            actions = self.env["ir.actions.act_window"].with_user(self.alice)
            action = actions._for_xml_id(
                f"sales_followup.sales_followup_reminder_action{action}"
            )
            with self.subTest(action=action["name"]):
                views = {kind: view_id for view_id, kind in action["views"]}
                arch = self.reminders.get_view(views["list"], "list")["arch"]
                shown, optional = self._get_columns(etree.fromstring(arch))
                self.assertEqual(shown, COLUMNS)
                self.assertLessEqual(OPTIONAL, optional)

    def test_the_columns_of_the_tabs_are_in_order(self):
        for form, left_out in (
            ("sale.view_order_form", {"partner_id", "document_ref"}),
            ("account.view_move_form", {"partner_id", "document_ref"}),
            ("base.view_partner_form", {"partner_id"}),
        ):
            with self.subTest(form=form):
                view = self.env.ref(form)
                arch = (
                    self.env[view.model]
                    .with_user(self.alice)
                    .get_view(view.id, "form")["arch"]
                )
                [tree] = etree.fromstring(arch).xpath(
                    "//field[@name='followup_reminder_ids']/list"
                )
                shown, optional = self._get_columns(tree)
                self.assertEqual(
                    shown, [name for name in COLUMNS if name not in left_out]
                )
                self.assertLessEqual(OPTIONAL, optional)

    def test_every_list_and_tab_makes_a_new_reminder(self):
        arch = self.reminders.get_view(
            self.env.ref("sales_followup.sales_followup_reminder_view_list").id, "list"
        )["arch"]
        [button] = etree.fromstring(arch).xpath("//header/button[@name='action_new']")
        self.assertEqual(button.get("display"), "always")
        for defaults in (
            {},
            {"partner_id": self.customer.id},
            {"order_id": self.order.id},
        ):
            context = {f"default_{name}": value for name, value in defaults.items()}
            action = self.reminders.with_context(**context).action_new()
            self.assertEqual(action["res_model"], "sales.followup.remind")
            self.assertEqual(action["context"], context)
        for form in (
            "sale.view_order_form",
            "account.view_move_form",
            "base.view_partner_form",
        ):
            view = self.env.ref(form)
            model = self.env[view.model].with_user(self.alice)
            arch = etree.fromstring(model.get_view(view.id, "form")["arch"])
            self.assertTrue(
                arch.xpath(
                    "//page[@name='followup_reminders']"
                    "//button[@name='action_followup_remind']"
                )
            )

    def test_only_what_users_may_change_is_edited_in_the_list(self):
        arch = self.reminders.get_view(
            self.env.ref("sales_followup.sales_followup_reminder_view_list").id, "list"
        )["arch"]
        tree = etree.fromstring(arch)
        self.assertEqual(tree.get("multi_edit"), "1")
        fields_info = self.reminders.fields_get()
        editable = {
            column.get("name")
            for column in tree.xpath("./field[not(@column_invisible='1')]")
            if column.get("readonly") != "1"
            and not fields_info[column.get("name")]["readonly"]
        }
        self.assertEqual(editable, {"note", "next_date", "user_id", "result_id"})

    def test_all_views_load_without_a_warning(self):
        actions = self.env["ir.actions.act_window"].search(
            [
                ("res_model", "=like", "sales.followup.%"),
                ("res_model", "!=", "sales.followup.change"),
            ]
        )
        manager = self._create_user("manager", "sales_followup.group_manager")
        for action in actions:
            with (
                self.subTest(action=action.name),
                self.assertNoLogs("odoo.addons.base.models", level="WARNING"),
            ):
                model = self.env[action.res_model].with_user(manager)
                if model.has_access("read"):
                    views = [(view_id, kind) for view_id, kind in action.views]
                    loaded = model.get_views([*views, (False, "search")])
                    self.assertEqual(
                        loaded["views"].keys(),
                        {kind for _id, kind in views} | {"search"},
                    )
        [action] = actions.filtered(lambda a: a.path == "reminders")
        self.assertEqual(
            action.view_mode.split(","),
            ["list", "form", "kanban", "calendar", "pivot", "graph"],
        )

    # --- lists ----------------------------------------------------------------

    def _get_found(self, action):
        """Return what a list shows when it opens, its default filters applied."""
        domain = (
            safe_eval(action["domain"] or "[]")
            if isinstance(action["domain"], str)
            else action["domain"] or []
        )
        context = action["context"]
        if isinstance(context, str):
            context = safe_eval(context)
        for name in context:
            if name.startswith("search_default_"):
                domain = domain + self._get_filter_domain(
                    SEARCH, name.removeprefix("search_default_"), self.alice
                )
        return self.reminders.search([*domain, ("partner_id", "=", self.customer.id)])

    def test_the_lists_show_what_they_are_for(self):
        closed = self._create_quotation(user_id=self.alice.id)
        on_closed = self._remind(closed, channel="phone")
        closed.action_cancel()
        first = self._remind(self.order, channel="phone")
        last = self._remind(self.order, channel="phone")
        both = first | last
        xmlid = "sales_followup.sales_followup_reminder_action"
        for suffix, found in (
            ("", both | on_closed),
            ("_open", last),
            ("_next", last),
        ):
            action = self.env.ref(f"{xmlid}{suffix}").read(["domain", "context"])[0]
            with self.subTest(list=suffix):
                self.assertEqual(self._get_found(action), found)
        for record, found in (
            (self.order, both),
            (closed, on_closed),
            (self.customer, both | on_closed),
            (self._create_contact(self.customer), both | on_closed),
        ):
            with self.subTest(record=record):
                action = record.with_user(self.alice).action_followup_reminders()
                self.assertEqual(self._get_found(action), found)

    # --- filters --------------------------------------------------------------

    def _filter(self, name, user=None):
        domain = self._get_filter_domain(SEARCH, name, user or self.alice)
        reminders = self.reminders.with_user(user or self.alice)
        return reminders.search([*domain, ("id", "in", self.mine.ids)])

    def test_mine_are_those_i_made_or_follow(self):
        own = self._remind(self.order, channel="phone")
        self.order.followup_rep_ids = [Command.link(self.bob.id)]
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.bob.id
        )
        invoice.followup_rep_ids = [Command.link(self.alice.id)]
        followed = self._remind(invoice, self.bob, channel="phone")
        dave = self._create_salesperson("dave")
        dave.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        other = self._create_quotation(user_id=dave.id)
        other.followup_rep_ids = [Command.set(dave.ids)]
        foreign = self._remind(other, dave, channel="phone")
        self.mine = own | followed | foreign
        self.assertEqual(self._filter("mine"), own | followed)
        self.assertEqual(self._filter("mine", self.bob), own | followed)
        self.assertEqual(self._filter("mine", dave), foreign)

    def test_my_customers_are_those_i_follow(self):
        others = self._create_customer(self.bob)
        followed = self._create_customer(self.bob, self.alice)
        reminders = [
            self._remind(
                self._create_quotation(customer, user_id=self.alice.id), channel="phone"
            )
            for customer in (self.customer, others, followed)
        ]
        self.mine = reminders[0].union(*reminders)
        self.assertEqual(self._filter("my_customers"), reminders[0] | reminders[2])

    def test_next_dates_are_filtered_by_day_and_week(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        days = {date(2026, 5, 25) + timedelta(days=day) for day in range(22)}
        self.mine = self.reminders.browse().union(
            *(
                self._remind(
                    self._create_quotation(user_id=self.alice.id),
                    channel="phone",
                    next_date=day,
                )
                for day in sorted(days)
            )
        )
        # days of one week in France; in the United States the last one begins another
        for lang, first_weekday in (("fr_FR", 0), ("en_US", 6)):
            self.alice.lang = lang
            for today in (date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 7)):
                start = today - timedelta(days=(today.weekday() - first_weekday) % 7)
                week = {start + timedelta(days=day) for day in range(7)}
                found = {
                    "next_overdue": {day for day in days if day < today},
                    "next_this_week": week,
                }
                for name, expected in found.items():
                    with (
                        self.subTest(filter=name, today=today, lang=lang),
                        freeze_time(datetime(today.year, today.month, today.day, 12)),
                    ):
                        self.assertEqual(
                            set(self._filter(name).mapped("next_date")), expected
                        )

    def test_what_was_followed_up_or_is_done_with_is_not_overdue(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        values = {"channel": "phone", "next_date": yesterday}
        overdue = self._remind(self.order, **values)
        chased_again = self._create_quotation(user_id=self.alice.id)
        followed_up = self._remind(chased_again, **values)
        again = self._remind(chased_again, channel="phone")
        lost = self._create_quotation(user_id=self.alice.id)
        on_lost = self._remind(lost, **values)
        lost.action_cancel()
        taken_back = self._remind(
            self._create_quotation(user_id=self.alice.id), **values
        )
        taken_back.with_user(self.alice)._cancel("Wrong")
        self.mine = overdue | followed_up | again | on_lost | taken_back
        self.assertEqual(self._filter("next_overdue"), overdue)

    def test_states_and_channels_are_filtered(self):
        by_channel = {
            channel: self._remind(self.order, channel=channel, log_only=True)
            for channel in ("email", "letter", "phone", "visit", "other")
        }
        failed = self._remind(self.order)
        failed.message_id.notification_ids.notification_status = "bounce"
        cancelled = self._remind(self.order)
        cancelled.with_user(self.alice)._cancel("Wrong")
        self.mine = failed.union(cancelled, *by_channel.values())
        for channel, reminder in by_channel.items():
            more = failed | cancelled if channel == "email" else failed.browse()
            with self.subTest(channel=channel):
                self.assertEqual(self._filter(f"by_{channel}"), reminder | more)
        self.assertEqual(self._filter("failed"), failed)
        self.assertEqual(self._filter("cancelled"), cancelled)

    def test_open_documents_are_those_their_type_says(self):
        documents = [
            self._create_order(self.customer, state, user_id=self.alice.id)
            for state in ("draft", "sent", "sale", "cancel")
        ] + [
            self._create_invoice(
                self.customer, move_type, post, invoice_user_id=self.alice.id
            )
            for move_type in ("out_invoice", "out_refund")
            for post in (False, True)
        ]
        paid = self._create_invoice(
            self.customer, post=True, price_unit=0, invoice_user_id=self.alice.id
        )
        reminders = {
            document: self._remind(document, channel="phone")
            for document in [*documents, paid]
        }
        self.mine = self.reminders.browse().union(*reminders.values())
        is_open = self.mine.browse().union(
            *(
                reminder
                for document, reminder in reminders.items()
                if document.state != "cancel" and document != paid
            )
        )
        self.assertEqual(self._filter("open_documents"), is_open)
        self.assertOracle("is_open", is_open)

    def test_the_latest_of_a_document_is_what_counts(self):
        others = [self._create_quotation(user_id=self.alice.id) for _number in range(3)]
        kept = self._remind(self.order, channel="phone")
        earlier = self._remind(self.order, channel="phone", date="2020-01-01 10:00:00")
        only = self._remind(others[0], channel="phone")
        first = self._remind(others[1], channel="phone")
        taken_back = self._remind(others[1], channel="phone")
        taken_back.with_user(self.alice)._cancel("Wrong")
        none = self._remind(others[2], channel="phone")
        none.with_user(self.alice)._cancel("Wrong")
        self.mine = kept | earlier | only | first | taken_back | none
        self.assertOracle("is_last", kept | only | first)

    def assertOracle(self, name, expected):
        """Assert which of the reminders have a computed flag, and how it is found."""
        among = [("id", "in", self.mine.ids)]
        self.env.invalidate_all()
        mine = self.mine.with_user(self.alice)
        self.assertEqual(mine.filtered(name), expected)
        for operator, value, found in (
            ("=", True, expected),
            ("!=", True, self.mine - expected),
            ("=", False, self.mine - expected),
            ("!=", False, expected),
            ("in", [True], expected),
            ("in", [True, False], self.mine),
        ):
            with self.subTest(name=name, operator=operator, value=value):
                self.assertEqual(
                    self.reminders.search([(name, operator, value), *among]), found
                )

    # --- grouping -------------------------------------------------------------

    def test_reminders_are_grouped_by_everything_offered(self):
        self._remind(self.order, channel="phone")
        self._remind(self.order, channel="visit")
        view = self.env.ref(SEARCH)
        arch = etree.fromstring(self.reminders.get_view(view.id, "search")["arch"])
        contexts = arch.xpath("//filter[contains(@context, 'group_by')]/@context")
        self.assertGreaterEqual(len(contexts), 9)
        mine = [("partner_id", "=", self.customer.id)]
        for context in contexts:
            groupby = safe_eval(context)["group_by"]
            with self.subTest(groupby=groupby):
                groups = self.reminders.formatted_read_group(
                    mine, [groupby], ["__count", "amount_company:sum"]
                )
                self.assertEqual(sum(group["__count"] for group in groups), 2)
                self.assertAlmostEqual(
                    sum(group["amount_company:sum"] for group in groups), 200
                )

    def test_typed_words_find_customer_document_and_note(self):
        reminder = self._remind(self.order, channel="phone", note="Rex barked")
        self.mine = reminder
        view = self.env.ref(SEARCH)
        arch = etree.fromstring(self.reminders.get_view(view.id, "search")["arch"])
        names = arch.xpath("//search/field/@name")
        for name, word in (
            ("name", reminder.name),
            ("partner_id", self.customer.name),
            ("order_id", self.order.name),
            ("note", "barked"),
            ("user_id", "Alice"),
            ("document_ref", self.order.name),
        ):
            with self.subTest(name=name):
                self.assertIn(name, {*names, "document_ref"})
                self.assertIn(reminder, self.reminders.search([(name, "ilike", word)]))
                self.assertNotIn(
                    reminder, self.reminders.search([(name, "not ilike", word)])
                )
        contact = self._create_contact(self.customer, name="A person of theirs")
        self.assertIn(
            reminder,
            self.reminders.search([("partner_id", "child_of", self.customer.name)]),
        )
        self.assertTrue(contact)
