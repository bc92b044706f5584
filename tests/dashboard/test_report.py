from datetime import datetime, timedelta

from odoo.tests import tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestReport(RemindersCommon):
    """A hand-computed example: three quotations of 100, 200 and 300.

    The first is confirmed 10 days after its second reminder, the second 40 days after
    its only one, the third not at all.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = datetime(2026, 3, 2, 9)
        cls.orders = [
            cls._create_quotation(user_id=cls.alice.id, date_order=cls.start)
            for _number in range(3)
        ]
        for number, order in enumerate(cls.orders, start=1):
            order.order_line.price_unit = 100 * number
            order.order_line.tax_ids = False
        first, second, third = cls.orders
        cls._log(first, cls.alice, days=0)
        cls._log(first, cls.alice, days=7)
        cls._log(second, cls.bob, days=0)
        cls._log(third, cls.bob, days=0, channel="visit")
        cls._confirm(first, days=17)
        cls._confirm(second, days=40)

    @classmethod
    def _log(cls, order, user, days, channel="phone"):
        return cls.env["sales.followup.reminder"].create(
            {
                "order_id": order.id,
                "user_id": user.id,
                "channel": channel,
                "date": cls.start + timedelta(days=days),
            }
        )

    @classmethod
    def _confirm(cls, order, days):
        order.action_confirm()
        order.date_order = cls.start + timedelta(days=days)

    def _read(self, *groupby, user=None):
        report = self.env["sales.followup.report"].with_user(user or self.editor)
        self.env.flush_all()
        return report._read_group(
            [("partner_id", "=", self.customer.id)],
            groupby,
            [
                "__count",
                "quotations:sum",
                "won:sum",
                "conversion:avg",
                "days_to_confirm:avg",
                "amount_won:sum",
            ],
        )

    def setUp(self):
        super().setUp()
        self.editor.group_ids |= self.env.ref("sales_followup.group_manager")

    def test_figures_of_all(self):
        [(count, quotations, won, conversion, days, amount)] = self._read()
        self.assertEqual((count, quotations, won), (4, 3, 1))
        self.assertAlmostEqual(conversion, 100 / 3)
        self.assertAlmostEqual(days, 10)
        self.assertAlmostEqual(amount, 100)

    def test_figures_of_each_user(self):
        figures = {user: figures for user, *figures in self._read("user_id")}
        self.assertEqual(figures[self.alice][:3], [2, 1, 1])
        self.assertEqual(figures[self.alice][3], 100)
        self.assertEqual(figures[self.bob][:3], [2, 2, 0])
        self.assertEqual(figures[self.bob][3], 0)

    def test_reminders_of_each_channel_and_month(self):
        rows = self._read("date:month", "channel")
        self.assertEqual(
            {channel: count for _month, channel, count, *_figures in rows},
            {"phone": 3, "visit": 1},
        )

    def test_cancelled_and_failed_reminders_do_not_count(self):
        reminder = self._log(self.orders[2], self.alice, days=1)
        reminder.state = "failed"
        [(count, *_figures)] = self._read()
        self.assertEqual(count, 4)

    def test_salespeople_see_their_own_figures(self):
        rows = self._read("user_id", user=self.alice)
        self.assertEqual([user for user, *_figures in rows], [self.alice])

    def test_without_the_right_there_is_nothing_to_see(self):
        report = self.env["sales.followup.report"].with_user(self.clerk)
        self.assertFalse(report.has_access("read"))
