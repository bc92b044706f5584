from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestReminderDesk(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.today = fields.Date.context_today(cls.env["sales.followup.reminder"])
        cls.bob.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def _log(self, user=None, order=None, **values):
        order = order or self._create_quotation(user_id=(user or self.alice).id)
        reminder = self._remind(order, user, channel="phone", **values)
        return reminder.with_user(user or self.alice)

    def _get_deadline(self, reminder):
        activities = reminder.order_id.sudo().activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id
                == self.env.ref("sales_followup.mail_activity_type_reminder")
            )
        )
        return activities.mapped("date_deadline")

    def test_postponing_moves_the_next_date_and_the_activity(self):
        reminder = self._log()
        for days in (1, 3, 7, 14):
            action = reminder.action_postpone(days)
            day = self.today + timedelta(days=days)
            self.assertEqual(reminder.next_date, day)
            self.assertEqual(self._get_deadline(reminder), [day])
        [link] = action["params"]["links"]
        self.assertEqual(link["label"], reminder.name)
        self.assertEqual(link["url"], f"/odoo/reminders/{reminder.id}")
        self.assertEqual(action["params"]["type"], "success")

    def test_days_are_a_number_of_days(self):
        reminder = self._log()
        before = reminder.next_date
        for days in (0, -1, 10**6, "3", None, 1.5, True):
            with self.subTest(days=days), self.assertRaisesRegex(UserError, "number"):
                reminder.action_postpone(days)
        self.assertEqual(reminder.next_date, before)

    def test_colleagues_reminders_stay_and_it_is_said(self):
        mine, theirs = self._log(), self._log(self.bob)
        before = theirs.next_date
        both = (mine | theirs).with_user(self.bob)
        self.assertEqual(both.filtered("may_change"), theirs)
        action = (mine | theirs).with_user(self.bob).action_postpone(3)
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("1 stay", action["params"]["message"])
        self.assertEqual(theirs.next_date, self.today + timedelta(days=3))
        self.assertNotEqual(theirs.next_date, before)
        with self.assertRaises(AccessError):
            mine.with_user(self.bob).action_postpone(3)
        manager = self._create_user(
            "manager",
            "sales_followup.group_manager",
            "sales_team.group_sale_salesman_all_leads",
        )
        both = both.with_user(manager)
        self.assertEqual(both.filtered("may_change"), both)
        both.action_postpone(7)
        self.assertEqual(
            set(both.mapped("next_date")), {self.today + timedelta(days=7)}
        )

    def test_only_where_a_document_stands_is_postponed(self):
        first = self._log(order=self.order)
        last = self._log(order=self.order)
        before = first.next_date
        with self.assertRaisesRegex(UserError, "latest"):
            first.action_postpone(3)
        (first | last).action_postpone(3)
        self.assertEqual(first.next_date, before)
        self.assertEqual(last.next_date, self.today + timedelta(days=3))
        self.order.action_cancel()
        with self.assertRaisesRegex(UserError, "open document"):
            last.action_postpone(7)

    def test_postponing_many_takes_no_query_for_each(self):
        def count(reminders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            reminders.action_postpone(3)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        reminders = self._log()
        for _number in range(11):
            reminders |= self._log()
        few = count(reminders[:2])
        many = count(reminders[2:])
        # what differs are the activities: Odoo writes those moved one by one
        self.assertLessEqual(many - few, 10 * 8)

    def test_several_are_amended_in_a_dialog(self):
        reminders = self._log() | self._log()
        day = self.today + timedelta(days=5)
        result = self.env.ref("sales_followup.result_wants_to_think")
        for method, name, value, is_done in (
            ("action_amend_date", "next_date", day, lambda r: r.next_date == day),
            ("action_amend_result", "result_id", result, lambda r: r.result_id),
            ("action_amend_user", "user_id", self.bob, lambda r: r.user_id == self.bob),
        ):
            with self.subTest(method=method):
                action = getattr(reminders, method)()
                wizard = (
                    self.env["sales.followup.amend"]
                    .with_user(self.alice)
                    .browse(action["res_id"])
                )
                with Form(wizard) as form:
                    setattr(form, name, value)
                toast = wizard.action_apply()
                self.assertEqual(toast["tag"], "display_notification")
                self.assertEqual(
                    toast["params"]["next"], {"type": "ir.actions.act_window_close"}
                )
                self.assertTrue(all(is_done(reminder) for reminder in reminders))

    def test_the_dialog_needs_what_it_asks_for(self):
        wizards = self.env["sales.followup.amend"].with_user(self.alice)
        reminder = self._log()
        with self.assertRaisesRegex(UserError, "Select"):
            wizards.create({}).action_apply()
        for values in (
            {"operation": "postpone", "next_date": False},
            {"operation": "hand_over"},
            {"operation": "result"},
        ):
            wizard = wizards.create(
                {**values, "reminder_ids": [Command.set(reminder.ids)]}
            )
            with self.subTest(values=values), self.assertRaises(UserError):
                wizard.action_apply()

    def test_reminding_again_and_logging_a_call_open_the_dialog_on_the_document(self):
        self._get_template(self.order)
        reminder = self._log(order=self.order)
        for method, channel in (
            ("action_remind", "email"),
            ("action_log_call", "phone"),
        ):
            with self.subTest(method=method):
                action = getattr(reminder, method)()
                wizards = self.env[action["res_model"]].with_user(self.alice)
                form = Form(wizards.with_context(**action["context"]))
                self.assertEqual(form.order_id, self.order)
                self.assertEqual(form.channel, channel)

    def test_the_telephone_is_the_recipients_else_the_customers(self):
        self.customer.phone = "+41 44 668 18 00"
        reminder = self._log()
        self.assertEqual(reminder.telephone, "+41 44 668 18 00")
        contact = self._create_contact(self.customer, phone="+41 44 668 18 01")
        other = self._log(contact_id=contact.id)
        self.assertEqual(other.telephone, "+41 44 668 18 01")
