"""All that reminders can do, about a kind of document that another addon brings."""

from contextlib import contextmanager

import psycopg2

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.sales_followup.tests.common_automatic import AutomaticCommon

LINKS = ("order_id", "move_id", "rental_id")


@tagged("-at_install", "post_install")
class TestRental(AutomaticCommon):
    """Rentals are chased by the mixin, one link field and one entry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(0, 10, code="rental")
        cls.rental = cls._create_rental()
        cls.reminders = cls.env["sales.followup.reminder"]

    @classmethod
    def _create_rental(cls, customer=None, **values):
        """Create a rental that was offered to a customer."""
        return cls.env["followup.rental"].create(
            {
                "name": "R001",
                "partner_id": (customer or cls.customer).id,
                "user_id": cls.alice.id,
                "price": 300,
                "due_date": cls._day(0),
                "state": "offered",
                **values,
            }
        )

    @classmethod
    def _type(cls, code):
        return cls.env["sales.followup.document.type"].search([("code", "=", code)])

    def _sent(self, rental=None):
        return (rental or self.rental).followup_reminder_ids.filtered("is_sending")

    # --- one by one -------------------------------------------------------------

    def test_customer_representatives_follow_it(self):
        self.assertReps(self.rental, self.alice)

    def test_nobody_who_has_left_is_put_onto_it(self):
        self.bob.active = False
        rental = self._create_rental(user_id=self.bob.id)
        self.assertFalse(rental.user_id)
        with self.assertRaisesRegex(ValidationError, "Bob"):
            rental.with_user(self.alice).followup_rep_ids += self.bob

    def test_call_is_logged_by_rpc(self):
        reminder = self.reminders.with_user(self.alice).create(
            {"rental_id": self.rental.id, "channel": "phone", "note": "Tomorrow."}
        )
        self.assertEqual(reminder.partner_id, self.customer)
        self.assertEqual(reminder.document_ref, self.rental)
        self.assertEqual(reminder.amount, 300)
        self.assertEqual(reminder.amount_company, 300)
        self.assertTrue(reminder.is_open)
        self.assertTrue(reminder.is_mine)
        self.assertTrue(reminder.is_last)
        self.assertEqual(
            self.reminders.with_user(self.alice).search(
                [("document_ref", "=", "R001")]
            ),
            reminder,
        )

    def test_reminder_is_about_one_document(self):
        order = self._create_quotation()
        with self.assertRaises(ValidationError):
            self.reminders.create(
                {"rental_id": self.rental.id, "order_id": order.id, "channel": "phone"}
            )

    def test_dialog_shows_it_and_sends(self):
        remind = self.env["sales.followup.remind"].with_user(self.alice)
        with Form(remind) as form:
            form.rental_id = self.rental
            self.assertEqual(form.template_id, self.levels[0])
            self.assertIn("R001", form.subject)
        dialog = form.record
        dialog.action_apply()
        dialog.action_apply()
        self.assertEqual(len(self._sent()), 1, "pressed twice, sent once")
        self.assertEqual(self._sent().message_id.res_id, self.rental.id)

    def test_choosing_it_drops_another_document(self):
        order = self._create_quotation()
        for name in ("remind", "verdict"):
            answer = (
                self.env[f"sales.followup.{name}"]
                .with_user(self.alice)
                .onchange(
                    {"order_id": order.id, "rental_id": self.rental.id},
                    ["rental_id"],
                    {"order_id": {}, "rental_id": {}, "has_document": {}},
                )
            )
            self.assertFalse(answer["value"]["order_id"])

    def test_letter_is_printed(self):
        self._remind_of_rental(channel="letter")
        self.assertTrue(self._sent().attachment_id.raw.startswith(b"%PDF"))

    def _remind_of_rental(self, **values):
        dialog = self.env["sales.followup.remind"].with_user(self.alice)
        dialog.create(
            {
                "rental_id": self.rental.id,
                "template_id": self.levels[0].id,
                **values,
            }
        ).action_apply()

    def test_email_attaches_what_there_is(self):
        self.levels.attach_document = True
        self.env.company.followup_attach_files = True
        self.env["ir.attachment"].create(
            {
                "name": "terms.pdf",
                "raw": b"%PDF-1.4",
                "mimetype": "application/pdf",
                "res_model": self.rental._name,
                "res_id": self.rental.id,
            }
        )
        self._remind_of_rental(channel="email")
        self.assertEqual(
            self._sent().message_id.attachment_ids.mapped("name"), ["terms.pdf"]
        )

    # --- what would be sent -----------------------------------------------------

    def test_preview_begins_with_one(self):
        preview = self.env["sales.followup.preview"].with_user(self.alice)
        with Form(preview.with_context(default_template_id=self.levels[0].id)) as form:
            self.assertEqual(form.rental_id, self.rental)
            self.assertIn("R001", form.subject)
            self.assertTrue(form.letter)

    def test_verdict_tells(self):
        verdict = self.env["sales.followup.verdict"].with_user(self.alice)
        with Form(verdict) as form:
            form.rental_id = self.rental
            self.assertTrue(form.send)
            self.assertIn("R001", form.subject)

    def test_forecast_lists_it(self):
        forecast = self.env["sales.followup.forecast"].with_user(self.alice)
        forecast.action_open()
        lines = forecast.search([("rental_id", "=", self.rental.id)])
        self.assertEqual(lines.template_id, self.levels)
        self.assertEqual(lines.mapped("amount"), [300, 300])
        self.assertEqual(
            lines[0].action_open_document()["res_model"], "followup.rental"
        )
        self.assertEqual(
            lines[0].action_verdict()["context"]["default_rental_id"], self.rental.id
        )

    def test_dialogs_show_one_document_at_a_time(self):
        for name in ("remind", "verdict"):
            arch = self.env[f"sales.followup.{name}"].get_view(view_type="form")["arch"]
            for link in LINKS:
                others = [other for other in LINKS if other != link]
                self.assertIn(f'name="{link}"', arch)
                self.assertIn(f'invisible="{" or ".join(others)}"', arch)

    def test_lists_of_reminders_search_by_it(self):
        arch = self.reminders.get_view(view_type="search")["arch"]
        for link in LINKS:
            self.assertIn(f'name="{link}"', arch)

    # --- many, exactly once -----------------------------------------------------

    def test_bulk_reminds_once(self):
        run = self.env["sales.followup.run"].with_user(self.alice)
        run = run.create({"document_type_ids": [Command.set(self._type("rental").ids)]})
        run.action_propose()
        line = run.line_ids
        self.assertEqual(line.rental_id, self.rental)
        self.assertEqual(line.amount, 300)
        line.channel = "email"
        run.action_launch()
        run.action_launch()
        self.assertEqual(line.state, "done")
        self.assertEqual(self._sent().origin, "run")

    def test_bulk_filters_by_what_it_lacks(self):
        run = self.env["sales.followup.run"].with_user(self.alice)
        team = self.env["crm.team"].create({"name": "Rentals"})
        run = run.create(
            {
                "document_type_ids": [Command.set(self._type("rental").ids)],
                "team_id": team.id,
            }
        )
        run.action_propose()
        self.assertFalse(run.line_ids, "a rental has no team")

    def test_scheduled_action_sends_each_level_once(self):
        with self.enter_registry_test_mode():
            for day in (0, 0, 10, 10):
                self._stand_still(day)
                self.env.ref(
                    "sales_followup.ir_cron_send_automatic"
                ).method_direct_trigger()
        sent = self._sent().sorted("id")
        self.assertEqual(sent.template_id, self.levels)
        self.assertEqual(len(sent), 2)
        self.assertEqual(set(sent.mapped("origin")), {"auto"})

    def test_database_keeps_it_to_once(self):
        values = {
            "rental_id": self.rental.id,
            "template_id": self.levels[0].id,
            "channel": "email",
            "state": "done",
        }
        run = self.env["sales.followup.run"].sudo().create({})
        for once in ({"origin": "auto"}, {"origin": "run", "run_id": run.id}):
            self.reminders.sudo().create({**values, **once})
            with self.assertUnique():
                self.reminders.sudo().create({**values, **once})
        lines = self.env["sales.followup.run.line"].sudo()
        line = {"run_id": run.id, "rental_id": self.rental.id}
        lines.create(line)
        with self.assertUnique():
            lines.create(line)

    @contextmanager
    def assertUnique(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.cr.savepoint(),
        ):
            yield

    # --- what becomes of it -----------------------------------------------------

    def test_signing_closes_what_is_planned(self):
        self._remind_of_rental(channel="email")
        self.assertTrue(self.rental.followup_next_date)
        self.rental.state = "signed"
        self.assertFalse(self.rental.followup_next_date)
        self.assertFalse(self._sent().is_open)

    def test_dashboard_counts_it(self):
        figures = self.env["sales.followup.dashboard"].with_user(self.alice)
        before = figures.get_due()
        self._remind_of_rental(
            channel="phone", template_id=False, next_date=self._day(0)
        )
        self.assertNotEqual(figures.get_due(), before)
        self.assertTrue(figures.get_figures())
