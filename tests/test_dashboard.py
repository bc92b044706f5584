from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestDashboard(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env.user)

    def _log(self, days=None, user=None, **values):
        """Log a call about a new quotation, with a next date so many days from now."""
        user = user or self.alice
        order = self._create_quotation(user_id=user.id)
        reminder = self.env["sales.followup.reminder"].create(
            {
                "order_id": order.id,
                "user_id": user.id,
                "channel": "phone",
                "next_date": days is not None and self.today + timedelta(days=days),
                **values,
            }
        )
        return reminder

    def _get_figures(self, user=None):
        """Give the dashboard of a user: (dict of key → card, people)."""
        self.env.flush_all()
        self.env.invalidate_all()
        user = user or self.alice
        dashboard = self.env["sales.followup.dashboard"].with_user(user)
        figures = dashboard.with_context(lang="en_US").get_figures()
        return {card["key"]: card for card in figures["cards"]}, figures["people"]

    def _count(self, key, user=None):
        return self._get_figures(user)[0][key]["count"]

    def _open(self, card, user=None):
        """Give the records behind a card, as the user sees them."""
        action = card["action"]
        return (
            self.env[action["res_model"]]
            .with_user(user or self.alice)
            .search(action["domain"])
        )

    def test_next_reminders_are_counted_by_their_day(self):
        before, _people = self._get_figures()
        for days in (-40, -1, 0, 60):
            self._log(days)
        cards, _people = self._get_figures()
        grown = {
            key: cards[key]["count"] - before[key]["count"]
            for key in ("overdue", "today", "week", "later")
        }
        self.assertEqual(grown, {"overdue": 2, "today": 1, "week": 0, "later": 1})

    def test_a_card_opens_what_it_counts(self):
        reminder = self._log(-3)
        cards, _people = self._get_figures()
        opened = self._open(cards["overdue"])
        self.assertIn(reminder.id, opened.ids)
        self.assertEqual(len(opened), cards["overdue"]["count"])

    def test_amounts_at_stake_are_in_company_currency(self):
        reminder = self._log(-3)
        cards, _people = self._get_figures()
        [stake] = cards["overdue"]["amounts"]
        self.assertEqual(stake["currency_id"], self.env.company.currency_id.id)
        self.assertGreaterEqual(stake["amount"], reminder.amount_company)

    def test_only_the_last_reminder_of_a_document_counts(self):
        first = self._log(-5)
        before = self._count("overdue")
        self.env["sales.followup.reminder"].create(
            {
                "order_id": first.order_id.id,
                "user_id": self.alice.id,
                "channel": "phone",
                "next_date": self.today + timedelta(days=30),
            }
        )
        self.assertEqual(self._count("overdue"), before - 1)

    def test_a_confirmed_quotation_does_not_count(self):
        reminder = self._log(-5)
        before = self._count("overdue")
        reminder.order_id._action_cancel()
        self.assertEqual(self._count("overdue"), before - 1)

    def test_documents_nobody_planned_to_get_back_to(self):
        before = self._count("forgotten_quotation")
        forgotten = self._create_quotation(user_id=self.alice.id)
        self._log(5)
        cards, _people = self._get_figures()
        card = cards["forgotten_quotation"]
        self.assertEqual(card["count"], before + 1)
        self.assertIn(forgotten.id, self._open(card).ids)

    def test_failed_reminders(self):
        before = self._count("failed")
        self._log(state="failed")
        self.assertEqual(self._count("failed"), before + 1)

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

    def test_salespeople_see_themselves_managers_see_everybody(self):
        self._log(-1)
        self._log(-1, user=self.bob)
        _cards, people = self._get_figures()
        self.assertFalse(people)
        self.editor.group_ids |= self.env.ref("sales_followup.group_manager")
        _cards, people = self._get_figures(self.editor)
        names = {person["name"] for person in people}
        self.assertLessEqual({self.alice.name, self.bob.name}, names)

    def test_without_the_right_there_is_nothing_to_see(self):
        with self.assertRaises(AccessError):
            self._get_figures(self.clerk)

    def test_queries_do_not_grow_with_the_reminders(self):
        def count_queries():
            self._get_figures()  # warm
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["sales.followup.dashboard"].with_user(self.alice).get_figures()
            return self.env.cr.sql_log_count - before

        self._log(-1)
        few = count_queries()
        for days in range(-10, 20):
            self._log(days)
        self.assertLessEqual(count_queries(), few)
