from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sales_followup.rules.verdict import Code, Mode

from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestJudge(AutomaticCommon):
    """One verdict for many documents, each for itself, and put into words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(0, 7)
        cls.first, cls.second = cls.levels
        cls.order = cls._create_due()

    # --- one that cannot be judged ----------------------------------------------

    def _break(self, *broken):
        """Let another addon's stop rule fail on some documents."""
        model = self.env.registry["sale.order"]
        present = model._followup_get_objections

        def fail(documents):
            if any(document.id in {one.id for one in broken} for document in documents):
                documents.env.cr.execute("SELECT 1 / 0")
            return present(documents)

        patcher = patch.object(model, "_followup_get_objections", fail)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _create_some(self):
        others = self.env["sale.order"].concat(
            *(
                self._create_due(
                    0,
                    self._create_customer(
                        self.alice, name=f"C{n}", email=f"c{n}@c.example.com"
                    ),
                )
                for n in range(4)
            )
        )
        self._break(self.order, others[2])
        return others[:2] | others[3], self.order | others[2]

    def test_document_that_cannot_be_judged_costs_only_itself(self):
        good, bad = self._create_some()
        for mode in Mode:
            with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
                judged = self.env["sales.followup.judge"]._judge(good | bad, mode=mode)
            self.assertEqual(list(judged), list(good | bad))
            for document in good:
                self.assertTrue(judged[document].verdict.send)
            for document in bad:
                self.assertEqual(judged[document].verdict.codes, {Code.NOT_JUDGED})
                [reason] = judged[document].verdict.reasons
                self.assertTrue(reason.hard)
                text = self.env["sales.followup.judge"]._explain(reason)
                self.assertIn("division by zero", text)

    def test_run_sends_the_others_and_says_why(self):
        good, bad = self._create_some()
        with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
            run = self._run()
        self.assertEqual(len(self._sent(*good)), 3)
        self.assertFalse(self._sent(*bad))
        for document in bad:
            self.assertLogged(run, document, "failed", "division by zero")

    def test_reminder_that_failed_about_one_stops_no_run(self):
        good, bad = self._create_some()
        reminder = self.env["sales.followup.reminder"].create(
            {
                "order_id": bad[0].id,
                "template_id": self.first.id,
                "channel": "email",
                "state": "failed",
                "origin": "auto",
            }
        )
        self.assertFalse(reminder.is_final)
        with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
            self._run()
        self.assertEqual(len(self._sent(*good)), 3)

    def test_bulk_page_shows_it_left_out(self):
        good, bad = self._create_some()
        run = self.env["sales.followup.run"].with_user(self.alice).create({})
        with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
            run.action_propose()
        lines = {line.order_id: line for line in run.line_ids}
        for document in good:
            self.assertEqual(lines[document].channel, "email")
        for document in bad:
            self.assertEqual(lines[document].channel, "none")
            self.assertIn("division by zero", lines[document].reason)

    def test_forecast_lists_the_others(self):
        good, bad = self._create_some()
        forecast = self.env["sales.followup.forecast"].with_user(self.alice)
        with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
            listed = forecast.search(forecast.action_open()["domain"]).order_id
        self.assertLessEqual(good, listed)
        self.assertFalse(bad & listed)

    def test_form_of_the_document_opens(self):
        _good, bad = self._create_some()
        with self.assertLogs("odoo.addons.sales_followup", "ERROR"):
            self.assertIn("division by zero", bad[0].followup_outlook)

    # --- days beyond the calendar -----------------------------------------------

    def test_days_at_the_ends_of_the_calendar_stop_nothing(self):
        never = "9999-12-31"
        self.env.company.followup_min_days = 30
        orders = self.env["sale.order"].concat(
            *(
                self._create_due(0),
                self._create_quotation(validity_date=never),
                self._create_quotation(validity_date="0001-01-01"),
                self._create_order(
                    self.customer, state="sale", commitment_date=f"{never} 23:59:59"
                ),
            )
        )
        reminder = self.env["sales.followup.reminder"].create(
            {
                "order_id": orders[0].id,
                "channel": "email",
                "template_id": self.first.id,
            }
        )
        # as earlier versions took them, and imports by SQL do
        orders[0]._followup_note({"followup_pause_until": never})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sales_followup_reminder SET date = %s, next_date = %s"
            " WHERE id = %s",
            [f"{never} 23:59:59", never, reminder.id],
        )
        self.env.invalidate_all()
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            self.env.company.resource_calendar_id.tz = zone
            for mode in Mode:
                with self.assertNoLogs("odoo.addons.sales_followup", "ERROR"):
                    judged = self.env["sales.followup.judge"]._judge(orders, mode=mode)
                self.assertEqual(len(judged), 4)
            self.env["sales.followup.forecast"].action_open()
            self._run()

    # --- why not ----------------------------------------------------------------

    def assertAnswers(self, document, *words):
        wizard = (
            self.env["sales.followup.verdict"]
            .with_user(self.alice)
            .create({"order_id": document.id})
        )
        self.assertFalse(wizard.send)
        # as a form that is opened again
        self.env.invalidate_all()
        for word in words:
            self.assertIn(word, f"{wizard.answer} {wizard.reasons}")
        outlook = document.with_user(self.alice).followup_outlook
        self.assertIn(words[-1], outlook)

    def test_answer_names_the_nearest_level_and_its_reasons(self):
        no_day = self._create_quotation(validity_date=False)
        self.assertAnswers(no_day, self.first.name, "no due date")
        self.levels.min_amount = 5000
        self.assertAnswers(self.order, self.first.name, "below $")
        self.levels.write({"min_amount": 0, "active_from": self._day(99)})
        self.assertAnswers(self.order, self.first.name, "switched on")

    def test_answer_names_a_level_that_failed(self):
        self.second.automatic = False
        self.env["sales.followup.reminder"].create(
            {
                "order_id": self.order.id,
                "template_id": self.first.id,
                "channel": "email",
                "state": "failed",
                "origin": "auto",
                "is_final": True,
            }
        )
        self.assertAnswers(self.order, self.first.name, "failed for good")

    def test_run_says_nothing_every_day_about_what_no_level_is_left_for(self):
        self.levels.min_amount = 5000
        self.assertFalse(self._run().line_ids)

    # --- how often it is asked --------------------------------------------------

    def _count_verdicts(self, act):
        judge = self.env.registry["sales.followup.judge"]
        present, asked = judge._judge, []

        def count(model, *args, **kwargs):
            asked.append(1)
            return present(model, *args, **kwargs)

        with patch.object(judge, "_judge", count):
            result = act()
        return result, len(asked)

    def test_dialog_asks_once_when_opened(self):
        dialog, asked = self._count_verdicts(
            lambda: (
                self.env["sales.followup.remind"]
                .with_user(self.alice)
                .with_context(default_order_id=self.order.id)
                .create({})
            )
        )
        self.assertEqual(dialog.template_id, self.first)
        self.assertFalse(dialog.warning)
        self.assertEqual(asked, 1)

    def test_every_reason_has_a_sentence(self):
        explanations = self.env["sales.followup.judge"]._get_explanations()
        self.assertEqual(set(Code) - set(explanations), {Code.OBJECTION})
