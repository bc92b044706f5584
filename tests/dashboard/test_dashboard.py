import ast
from datetime import date, timedelta

from freezegun import freeze_time
from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import SQL

from ..common_reminders import RemindersCommon

#: copy a row, without what the ORM would do about it
COPY = """
    INSERT INTO {table}
    SELECT copied.*
    FROM {table} AS model,
         (
             SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id
             FROM generate_series(1, %s)
         ) AS fresh,
         jsonb_populate_record(model, jsonb_build_object('id', fresh.id)) AS copied
    WHERE model.id = %s
    RETURNING id
"""
ORDERS_COPY = COPY.format(table="sale_order")
REMINDERS_COPY = COPY.format(table="sales_followup_reminder")


@tagged("post_install", "-at_install")
class TestDashboard(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env.user)
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_manager",
            "sales_followup.group_manager",
        )

    def _log(self, days=None, user=None, order=None, **values):
        """Log a call about a new quotation, with a next date so many days from now."""
        user = user or self.alice
        order = order or self._create_quotation(user_id=user.id)
        return self.env["sales.followup.reminder"].create(
            {
                "order_id": order.id,
                "user_id": user.id,
                "channel": "phone",
                "next_date": days is not None and self.today + timedelta(days=days),
                **values,
            }
        )

    def _get_dashboard(self, user=None, companies=None):
        self.env.flush_all()
        self.env.invalidate_all()
        user = user or self.alice
        companies = companies or user.company_id
        return (
            self.env["sales.followup.dashboard"]
            .with_user(user)
            .with_context(lang="en_US", allowed_company_ids=companies.ids)
        )

    def _get_cards(self, user=None, **kwargs):
        """Return the cards of a user: dict of key → card."""
        figures = self._get_dashboard(user, **kwargs).get_figures()
        return {card["key"]: card for card in figures["cards"]}

    def _count(self, key, user=None):
        return self._get_cards(user)[key]["count"]

    def _get_people(self, user=None):
        """Return the rows of a manager's table: dict of user id → row."""
        people = self._get_dashboard(user or self.manager).get_figures()["people"]
        return {row["id"]: row for row in people["rows"]}

    def _open(self, key, user=None, whose="mine"):
        """Return the records behind a figure, as the user sees them."""
        dashboard = self._get_dashboard(user)
        action = dashboard.get_action(key, whose)
        return dashboard.env[action["res_model"]].search(action["domain"])

    # --- days -------------------------------------------------------------------

    def test_next_reminders_are_counted_by_their_day(self):
        before = self._get_cards()
        for days in (-40, -1, 0, 60):
            self._log(days)
        cards = self._get_cards()
        grown = {
            key: cards[key]["count"] - before[key]["count"]
            for key in ("overdue", "today", "week", "later")
        }
        self.assertEqual(grown, {"overdue": 2, "today": 1, "week": 0, "later": 1})

    def test_the_week_ends_as_in_the_calendar_of_the_user(self):
        wednesday = date(2031, 3, 12)
        for day in (13, 15, 16, 17):
            self._log(next_date=date(2031, 3, day))
        language = self.env["res.lang"]._lang_get(self.alice.lang)
        with freeze_time(wednesday):
            language.week_start = "1"
            self.assertEqual(self._count("week"), 3, "to Sunday, the 16th")
            self.assertEqual(len(self._open("week")), 3)
            self.assertEqual(self._count("later"), 1)
            language.week_start = "7"
            self.assertEqual(self._count("week"), 2, "to Saturday, the 15th")
            self.assertEqual(self._count("later"), 2)
            self.assertEqual(len(self._open("later")), 2)

    # --- whose, and what --------------------------------------------------------

    def test_a_figure_opens_what_it_counts(self):
        for days in (-3, 0, 3, 90):
            self._log(days)
        self._log(state="failed")
        self._create_quotation(user_id=self.alice.id)
        for user in (self.alice, self.manager):
            for key, card in self._get_cards(user).items():
                with self.subTest(user=user.name, key=key):
                    self.assertEqual(len(self._open(key, user)), card["count"])

    def test_a_list_begins_with_what_is_due_first(self):
        action = self._get_dashboard().get_action("overdue")
        self.assertEqual(action["name"], "Overdue Reminders")
        [[view_id, kind], *_others] = action["views"]
        self.assertEqual(kind, "list")
        view = self.env["sales.followup.reminder"].get_view(view_id, kind)
        self.assertIn('default_order="next_date, id"', view["arch"])

    def test_a_list_of_invoices_names_the_customer(self):
        action = self._get_dashboard().get_action("forgotten_customer_invoice")
        self.assertEqual(action["name"], "Customer Invoices Without a Next Date")
        view = self.env.ref("account.view_out_invoice_tree")
        self.assertEqual(action["views"], [[view.id, "list"], [False, "form"]])
        self.assertEqual(action["context"], {"default_move_type": "out_invoice"})

    def test_mine_is_the_same_in_figures_and_filters(self):
        """A Salesperson who is no representative, a representative, the user."""
        # somebody who may read all documents, theirs or not
        me = self._create_user(
            "me",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_user",
        )
        orders = {
            "leads": self._create_quotation(user_id=me.id),
            "follows": self._create_quotation(user_id=self.bob.id),
            "reminds": self._create_quotation(user_id=self.bob.id),
            "neither": self._create_quotation(user_id=self.bob.id),
        }
        for order in orders.values():
            order.followup_rep_ids = self.bob
        orders["follows"].followup_rep_ids |= me
        reminders = {
            key: self._log(-1, user=self.bob, order=order)
            for key, order in orders.items()
        }
        reminders["reminds"].user_id = me
        mine = reminders["leads"] | reminders["follows"] | reminders["reminds"]
        made = self.env["sales.followup.reminder"].concat(*reminders.values())
        view = self.env["sales.followup.reminder"].get_view(view_type="search")
        [condition] = etree.fromstring(view["arch"]).xpath(
            "//filter[@name='mine']/@domain"
        )
        for user in (me, self.manager):
            with self.subTest(user=user.name):
                expected = mine if user == me else made.browse()
                found = made.with_user(user).search(
                    Domain("id", "in", made.ids) & Domain(ast.literal_eval(condition))
                )
                self.assertEqual(found, expected.with_user(user).sorted())
                self.assertEqual(
                    made.with_user(user).filtered("is_mine"), expected.with_user(user)
                )
                self.assertEqual(
                    self._open("overdue", user) & made.with_user(user),
                    expected.with_user(user),
                )
        self.assertEqual(self._get_cards(me)["overdue"]["count"], len(mine))

    def test_documents_tell_their_amount_alike_in_python_and_sql(self):
        documents = [self._create_quotation(), self._create_invoice(self.customer)]
        currency = self.env.ref("base.CHF")
        currency.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "rate": 3, "name": "2001-01-01"}
        )
        for document in documents:
            abroad = document.copy({"currency_id": currency.id})
            refund = abroad.browse()
            if document._name == "account.move":
                refund = document.copy({"move_type": "out_refund"})
            for case in document | abroad | refund:
                with self.subTest(document=case._name, currency=case.currency_id.name):
                    case.flush_recordset()
                    query = case._search([("id", "=", case.id)])
                    amount = case._followup_company_amount_to_sql(query)
                    [[told]] = self.env.execute_query(query.select(amount))
                    self.assertTrue(told)
                    self.assertAlmostEqual(
                        float(told), case._followup_get_company_amount(), 2
                    )

    def test_mine_is_what_i_did_and_what_i_follow(self):
        before = self._count("overdue")
        order = self._create_quotation(user_id=self.bob.id)
        order.followup_rep_ids = self.bob
        self._log(-1, user=self.bob, order=order)
        self.assertEqual(self._count("overdue"), before, "Bob's")
        order.followup_rep_ids |= self.alice
        self.assertEqual(self._count("overdue"), before + 1, "its representative")
        order.write({"user_id": self.alice.id, "followup_rep_ids": [Command.clear()]})
        self.assertEqual(self._count("overdue"), before + 1, "its Salesperson")

    def test_only_the_last_reminder_of_a_document_counts(self):
        first = self._log(-5)
        before = self._count("overdue")
        self._log(30, order=first.order_id)
        self.assertEqual(self._count("overdue"), before - 1)

    def test_a_cancelled_quotation_does_not_count(self):
        reminder = self._log(-5)
        before = self._count("overdue")
        reminder.order_id._action_cancel()
        self.assertEqual(self._count("overdue"), before - 1)

    def test_documents_nobody_planned_to_get_back_to(self):
        before = self._count("forgotten_quotation")
        forgotten = self._create_quotation(user_id=self.alice.id)
        self._log(5)
        self.assertEqual(self._count("forgotten_quotation"), before + 1)
        self.assertIn(forgotten.id, self._open("forgotten_quotation").ids)

    def test_failed_reminders_are_not_counted_twice(self):
        before = self._get_cards()
        self._log(-1, state="failed")
        cards = self._get_cards()
        self.assertEqual(cards["failed"]["count"], before["failed"]["count"] + 1)
        self.assertEqual(cards["overdue"]["count"], before["overdue"]["count"])

    def test_what_waits_for_an_answer(self):
        before = self._count("waiting")
        template = self._create_template("quotation")
        waiting = self._log(5, channel="email", template_id=template.id)
        self._log(-5, channel="email", template_id=template.id)
        self._log(5)
        self.assertEqual(self._count("waiting"), before + 1)
        waiting.order_id.with_context(mail_create_nolog=True).message_post(
            body="Yes",
            author_id=self.customer.id,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
        )
        self.assertEqual(self._count("waiting"), before)

    def test_what_is_due_is_told_from_everywhere(self):
        self._log(-1)
        self._log(0)
        self._log(state="failed")
        cards = self._get_cards()
        self.assertEqual(
            self._get_dashboard().get_due(),
            {key: cards[key]["count"] for key in ("overdue", "today", "failed")},
        )

    # --- amounts ----------------------------------------------------------------

    def test_amounts_at_stake_are_added_up_in_company_currency(self):
        first, second = self._log(-3), self._log(-4)
        [stake] = self._get_cards()["overdue"]["amounts"]
        self.assertEqual(stake["currency_id"], self.env.company.currency_id.id)
        self.assertAlmostEqual(
            stake["amount"], first.amount_company + second.amount_company
        )

    def test_documents_without_a_next_date_count_at_their_own_rate(self):
        foreign = self._create_foreign_currency()
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": foreign.id}
        )
        order = self._create_quotation(user_id=self.alice.id, pricelist_id=pricelist.id)
        order.order_line.price_unit = 400
        self.assertEqual(order.amount_untaxed, 400)
        # a later rate changes nothing
        foreign.rate_ids.rate = 1000
        [stake] = self._get_cards()["forgotten_quotation"]["amounts"]
        self.assertEqual(stake["currency_id"], self.env.company.currency_id.id)
        self.assertAlmostEqual(stake["amount"], 100)

    def _create_foreign_currency(self):
        return self.env["res.currency"].create(
            {
                "name": "FOR",
                "symbol": "F",
                "rate_ids": [
                    Command.create(
                        {
                            "name": "2001-01-01",
                            "rate": 4,
                            "company_id": self.env.company.id,
                        }
                    )
                ],
            }
        )

    def test_currencies_of_companies_are_not_mixed(self):
        currency = self._create_foreign_currency()
        abroad = self.env["res.company"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        self.alice.company_ids |= abroad
        self.manager.company_ids |= abroad
        here = self._log(-1)
        order = self._create_quotation(user_id=self.alice.id, company_id=abroad.id)
        there = self._log(-1, order=order)
        expected = {
            self.env.company.currency_id.id: here.amount_company,
            currency.id: there.amount_company,
        }
        both = self.env.company | abroad
        card = self._get_cards(companies=both)["overdue"]
        self.assertEqual(self._read_amounts(card), expected)
        self.assertEqual(card["count"], 2)
        people = self._get_dashboard(self.manager, both).get_figures()["people"]
        [row] = [row for row in people["rows"] if row["id"] == self.alice.id]
        self.assertEqual(self._read_amounts(row), expected)

    def _read_amounts(self, figure):
        return {stake["currency_id"]: stake["amount"] for stake in figure["amounts"]}

    def test_other_companies_do_not_count(self):
        abroad = self.env["res.company"].create({"name": "Abroad"})
        self.alice.company_ids |= abroad
        before = self._get_cards()
        order = self._create_quotation(user_id=self.alice.id, company_id=abroad.id)
        self._log(-1, order=order)
        self._create_quotation(user_id=self.alice.id, company_id=abroad.id)
        self.assertEqual(self._get_cards(), before)

    # --- rights -----------------------------------------------------------------

    def test_salespeople_see_themselves_managers_see_everybody(self):
        self._log(-1)
        self._log(-1, user=self.bob)
        self.assertFalse(self._get_dashboard().get_figures()["people"])
        people = self._get_people()
        self.assertLessEqual({self.alice.id, self.bob.id}, people.keys())
        self.assertEqual(self._count("overdue", self.manager), 0, "none of her own")

    def test_a_manager_reads_who_has_what_to_do(self):
        for days in (-2, -1, 0, 60):
            self._log(days, user=self.bob)
        self._log(user=self.bob, state="failed")
        template = self._create_template("quotation")
        self._log(60, user=self.bob, channel="letter", template_id=template.id)
        row = self._get_people()[self.bob.id]
        self.assertEqual(row["name"], self.bob.name)
        self.assertEqual(
            row["cells"],
            {
                "overdue": 2,
                "today": 1,
                "week": 0,
                "later": 2,
                "failed": 1,
                "waiting": 1,
            },
        )
        [stake] = row["amounts"]
        self.assertEqual(stake["amount"], 5 * self._log().amount_company)

    def test_a_manager_opens_the_reminders_of_a_colleague(self):
        self._log(-1)
        of_bob = self._log(-1, user=self.bob)
        self.assertEqual(self._open("overdue", self.manager, self.bob.id), of_bob)
        everybody = self._open("overdue", self.manager, "all")
        people = self._get_dashboard(self.manager).get_figures()["people"]
        self.assertEqual(len(everybody), people["total"]["cells"]["overdue"])
        self.assertIn(of_bob, everybody)
        action = self._get_dashboard(self.manager).get_action("overdue", self.bob.id)
        self.assertEqual(action["name"], "Bob: Overdue Reminders")

    def test_reminders_of_nobody_are_not_lost(self):
        reminder = self._log(-1)
        reminder.user_id = False
        row = self._get_people()[False]
        self.assertEqual(row["name"], "Nobody")
        self.assertEqual(row["cells"]["overdue"], 1)
        self.assertEqual(self._open("overdue", self.manager, False), reminder)

    def test_a_bookkeeper_follows_invoices_without_selling(self):
        bookkeeper = self._create_user(
            "bookkeeper", "account.group_account_invoice", "sales_followup.group_user"
        )
        self.assertIn("forgotten_customer_invoice", self._get_cards(bookkeeper))

    def test_without_the_right_there_is_nothing_to_see(self):
        for method in ("get_figures", "get_due"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self._get_dashboard(self.clerk), method)()

    # --- cost -------------------------------------------------------------------

    def _add_reminders(self, reminder, count):
        """Log a call about so many copies of a quotation, by plain SQL."""
        self.env.flush_all()
        orders = [
            order_id
            for [order_id] in self.env.execute_query(
                SQL(ORDERS_COPY, count, reminder.order_id.id)
            )
        ]
        reminders = [
            reminder_id
            for [reminder_id] in self.env.execute_query(
                SQL(REMINDERS_COPY, count, reminder.id)
            )
        ]
        pairs = SQL("unnest(%s::int[], %s::int[])", orders, reminders)
        self.env.cr.execute(
            SQL(
                "UPDATE sales_followup_reminder SET order_id = pair.o "
                "FROM %s AS pair(o, r) WHERE id = pair.r",
                pairs,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE sale_order SET followup_last_reminder_id = pair.r "
                "FROM %s AS pair(o, r) WHERE id = pair.o",
                pairs,
            )
        )
        self.env.invalidate_all()

    def _count_queries(self, user):
        dashboard = self._get_dashboard(user)
        dashboard.get_figures()  # fill the caches of the registry
        self.env.invalidate_all()
        # who asks is known to every request
        dashboard.env.user.lang  # noqa: B018 pylint: disable=pointless-statement
        before = self.env.cr.sql_log_count
        dashboard.get_figures()
        return self.env.cr.sql_log_count - before

    def test_ten_thousand_reminders_cost_the_queries_of_a_hundred(self):
        reminder = self._log(-1)
        users = (self.alice, self.manager)
        self._add_reminders(reminder, 99)
        few = [self._count_queries(user) for user in users]
        self._add_reminders(reminder, 9900)
        many = [self._count_queries(user) for user in users]
        self.assertEqual(self._count("overdue"), 10_000)
        self.assertEqual(many, few)
        self.assertLess(max(many), 10)
