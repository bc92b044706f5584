from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.migration import load_script
from odoo.tests import tagged
from odoo.tools import file_path

from .common_reminders import RemindersCommon

#: what the addon notes on documents, and a value to forge it with
DOCUMENT_FACTS = {
    "followup_cycle": 7,
    "followup_sent_date": "2020-01-01 00:00:00",
    "followup_seen_message": 999_999_999,
    "followup_seen_date": "2040-01-01 00:00:00",
    "followup_last_date": "2040-01-01 00:00:00",
    "followup_next_date": "2040-01-01",
}

#: fields people fill in on each model; all the other stored ones are the program's
OPEN_FIELDS = {
    "sales.followup.reminder": {
        "order_id",
        "move_id",
        "contact_id",
        "template_id",
        "channel",
        "date",
        "note",
        "next_date",
        "result_id",
        "user_id",
    },
    "sales.followup.run.line": {"template_id", "channel", "next_date"},
}


@tagged("post_install", "-at_install")
class TestGuards(RemindersCommon):
    """What only the addon writes is forged by no value and by no default."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.foreign = cls.env["res.partner"].create({"name": "Other"})
        cls.message = cls.foreign.message_post(body="Between us", subject="Secret")
        cls.file = cls.env["ir.attachment"].create({"name": "x.pdf", "raw": b"x"})
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_manager",
            "account.group_account_manager",
            "base.group_partner_manager",
            "sales_followup.group_manager",
        )
        cls.forged = {
            "message_id": cls.message.id,
            "log_message_id": cls.message.id,
            "answer_id": cls.message.id,
            "attachment_id": cls.file.id,
            "state": "outgoing",
            "origin": "auto",
            "is_sending": True,
            "is_final": True,
            "attempts": 3,
            "failure_reason": "Forged",
            "cancel_reason": "Forged",
            "name": "REM/FORGED",
        }

    def _log(self, user=None, context=None, **values):
        reminders = self.env["sales.followup.reminder"].with_user(user or self.alice)
        reminders = reminders.with_context(**(context or {}))
        return reminders.create(
            {"order_id": self.order.id, "channel": "phone", **values}
        )

    def assertGenuine(self, reminder):
        reminder = reminder.sudo()
        for name, value in self.forged.items():
            present = reminder._fields[name].convert_to_write(reminder[name], reminder)
            if name == "log_message_id" and present:
                self.assertNotEqual(present, value)
                continue
            self.assertNotEqual(present, value, name)

    # --- reminders ------------------------------------------------------------

    def test_defaults_of_the_context_forge_no_reminder(self):
        context = {f"default_{name}": value for name, value in self.forged.items()}
        for way, make in (
            ("log", lambda: self._log(context=context)),
            (
                "import",
                lambda: self.env["sales.followup.reminder"].browse(
                    self.env["sales.followup.reminder"]
                    .with_user(self.alice)
                    .with_context(**context)
                    .load(
                        ["order_id/.id", "channel"],
                        [[str(self.order.id), "phone"]],
                    )["ids"]
                ),
            ),
            (
                "dialog",
                lambda: self._remind(
                    self.order.with_context(**context), channel="phone"
                ),
            ),
            (
                "dialog of the same context",
                lambda: self._apply(self._open_remind(self.order), context),
            ),
        ):
            with self.subTest(way=way):
                reminder = make()
                self.assertEqual(len(reminder), 1)
                if way == "dialog of the same context":
                    self.assertNotEqual(reminder.message_id, self.message)
                    self.assertNotEqual(reminder.attachment_id, self.file)
                    self.assertEqual(reminder.origin, "manual")
                else:
                    self.assertGenuine(reminder)

    def _apply(self, wizard, context):
        before = self.order.sudo().followup_reminder_ids
        wizard.with_context(**context).action_apply()
        return self.order.sudo().followup_reminder_ids - before

    def test_defaults_that_a_user_keeps_forge_no_reminder(self):
        defaults = self.env["ir.default"].with_user(self.alice)
        for name, value in self.forged.items():
            defaults.set("sales.followup.reminder", name, value, user_id=True)
        self.assertGenuine(self._log())

    def test_no_value_forges_a_reminder(self):
        reminder = self._log()
        for name, value in self.forged.items():
            with self.subTest(name=name, way="create"):
                with self.assertRaises(AccessError):
                    self._log(**{name: value})
            with self.subTest(name=name, way="write"):
                with self.assertRaises(AccessError):
                    reminder.write({name: value})
            with self.subTest(name=name, way="manager"):
                with self.assertRaises(AccessError):
                    reminder.with_user(self.manager).write({name: value})
        self.assertGenuine(reminder)

    def test_every_stored_field_is_open_or_guarded(self):
        for model, free in OPEN_FIELDS.items():
            records = self.env[model]
            guarded = records._get_guarded_fields()
            stored = {
                name
                for name, field in records._fields.items()
                if field.store and name not in records._fields["id"].name
            }
            stored -= {"id", "create_uid", "create_date", "write_uid", "write_date"}
            with self.subTest(model=model):
                self.assertEqual(stored - guarded, free)

    # --- runs, changes, templates, dialogs -------------------------------------

    def test_defaults_forge_no_lines_of_a_run(self):
        self._create_template("quotation", automatic=False, name="First")
        run = self.env["sales.followup.run"].with_user(self.alice)
        run = run.with_context(
            default_state="done",
            default_origin="auto",
            default_reason="Forged",
            default_attachment_id=self.file.id,
            default_reminder_id=self._log().id,
            default_last_note="Forged",
        ).create({})
        self.assertEqual((run.state, run.origin), ("draft", "run"))
        self.assertFalse(run.attachment_id)
        run.action_propose()
        lines = run.line_ids
        self.assertTrue(lines)
        self.assertEqual(set(lines.mapped("state")), {"waiting"})
        self.assertFalse(lines.reminder_id)
        self.assertNotIn("Forged", lines.mapped("reason") + lines.mapped("last_note"))

    def test_defaults_forge_no_change(self):
        wizard = (
            self.env["sales.followup.assign"]
            .with_user(self.editor)
            .with_context(
                default_state="undone",
                default_changed_count=99,
                default_user_id=self.bob.id,
                default_undo_user_id=self.bob.id,
                default_change_id=self.env["sales.followup.change"]
                .search([], limit=1)
                .id,
            )
            .create(
                {
                    "operation": "assign",
                    "partner_ids": self.customer.ids,
                    "user_ids": self.bob.ids,
                }
            )
        )
        wizard.action_apply()
        change = wizard.change_id
        self.assertEqual(change.state, "done")
        self.assertEqual(change.changed_count, 1)
        self.assertEqual(change.user_id, self.editor)
        self.assertFalse(change.undo_user_id)

    def test_nobody_makes_another_e_mail_a_templates_own(self):
        email = self.env["mail.template"].create(
            {
                "name": "Of somebody else",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
            }
        )
        template = self._create_template(subject=False, email_body=False)
        values = {"mail_template_id": email.id, "is_email_own": True}
        with self.assertRaises(AccessError):
            template.with_user(self.manager).write(values)
        series = template.series_id
        with self.assertRaises(AccessError):
            template.with_user(self.manager).create(
                {"name": "New", "series_id": series.id, **values}
            )
        with self.assertRaises(AccessError):
            template.with_user(self.manager).copy(values)
        made = (
            template.with_user(self.manager)
            .with_context(default_is_email_own=True)
            .create(
                {
                    "name": "New",
                    "series_id": series.id,
                    "mail_template_id": email.id,
                }
            )
        )
        self.assertFalse(made.is_email_own)
        made.unlink()
        self.assertTrue(email.exists())

    def test_a_managers_template_still_has_its_own_e_mail(self):
        series = self._create_series()
        templates = self.env["sales.followup.template"].with_user(self.manager)
        made = templates.create(
            {"name": "Mine", "series_id": series.id, "subject": "Hello"}
        )
        self.assertTrue(made.is_email_own)
        copied = made.copy()
        self.assertTrue(copied.is_email_own)
        self.assertNotEqual(copied.mail_template_id, made.mail_template_id)
        bare = templates.create({"name": "Bare", "series_id": series.id})
        bare.subject = "Later"
        self.assertTrue(bare.is_email_own)

    # --- documents and customers ------------------------------------------------

    def _forge_document(self):
        template = self._get_template(self.order)
        reminder = self._remind(self._create_quotation(user_id=self.alice.id))
        return {
            **DOCUMENT_FACTS,
            "followup_template_id": template.id,
            "followup_last_reminder_id": reminder.id,
        }

    def test_no_value_forges_what_is_noted_on_a_document(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        accountant = self._create_user(
            "accountant",
            "account.group_account_manager",
            "sales_team.group_sale_manager",
            "sales_followup.group_manager",
        )
        for document, user in (
            (self.order, self.alice),
            (self.order, self.manager),
            (invoice, accountant),
        ):
            for name, value in self._forge_document().items():
                own = document.with_user(user)
                before = document[name]
                with self.subTest(name=name, way="write", user=user.login):
                    with self.assertRaises(AccessError):
                        own.write({name: value})
                        self.env.flush_all()
                    self.assertEqual(document[name], before)
                with self.subTest(name=name, way="create", user=user.login):
                    with self.assertRaises(AccessError):
                        own.create({"partner_id": self.customer.id, name: value})
                with self.subTest(name=name, way="import", user=user.login):
                    result = own.load(["partner_id/.id", name], [["1", str(value)]])
                    self.assertFalse(result["ids"])

    def test_no_default_forges_what_is_noted_on_a_document(self):
        for name, value in self._forge_document().items():
            orders = self.env["sale.order"].with_user(self.alice)
            orders = orders.with_context(**{f"default_{name}": value})
            with self.subTest(name=name):
                made = orders.create({"partner_id": self.customer.id}).sudo()
                made.invalidate_recordset()
                self.assertFalse(made[name])

    def test_writing_back_what_is_there_is_no_forgery(self):
        self._remind(self.order, channel="phone")
        self.env.flush_all()
        values = {
            name: self.order._fields[name].convert_to_write(
                self.order[name], self.order
            )
            for name in self._forge_document()
        }
        self.order.with_user(self.alice).write({**values, "client_order_ref": "A"})
        self.assertEqual(self.order.client_order_ref, "A")

    def test_sending_and_confirming_still_note_it(self):
        order = self._create_order(self.customer, user_id=self.alice.id)
        own = order.with_user(self.alice)
        own.action_quotation_sent()
        self.assertEqual(order.followup_cycle, 1)
        self.assertTrue(order.followup_sent_date)
        own.action_confirm()
        self.assertEqual(order.followup_cycle, 2)
        copied = own.copy()
        self.assertFalse(copied.sudo().followup_cycle)

    def test_nobody_says_when_a_customer_was_reminded(self):
        administrator = self._create_user(
            "administrator", "base.group_system", "base.group_partner_manager"
        )
        customer = self.customer.with_user(administrator)
        with self.assertRaises(AccessError):
            customer.write({"followup_touched": "2040-01-01 00:00:00"})
        with self.assertRaises(AccessError):
            customer.create({"name": "New", "followup_touched": "2040-01-01 00:00:00"})
        made = customer.with_context(
            default_followup_touched="2040-01-01 00:00:00"
        ).create({"name": "New"})
        self.assertFalse(made.followup_touched)
        self.assertLess(
            fields.Datetime.now(), fields.Datetime.to_datetime("2040-01-01")
        )

    # --- public methods -----------------------------------------------------------

    def test_only_who_may_remind_resumes(self):
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        self.customer.child_ids = self.portal.partner_id
        self.order.message_subscribe(self.portal.partner_id.ids)
        self.order.followup_pause_until = "2030-01-01"
        seen = self.order.followup_seen_message
        for user in (self.portal, seller, self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.order.with_user(user).action_followup_resume()
        self.assertTrue(self.order.followup_pause_until)
        self.assertEqual(self.order.followup_seen_message, seen)
        self.order.with_user(self.alice).action_followup_resume()
        self.assertFalse(self.order.followup_pause_until)

    # --- bookkeeping --------------------------------------------------------------

    def test_bookkeeping_does_not_pass_through_the_documents_write(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        written = []
        for model in (type(invoice), type(self.order)):
            self._record_writes(model, written)
        for document, act in (
            (invoice, invoice._followup_note_sent),
            (self.order, self.order._followup_note_sent),
            (invoice, invoice.with_user(self.alice).action_followup_resume),
            (self.order, self.order.with_user(self.alice).action_followup_resume),
            (invoice, lambda: self._remind(invoice, channel="phone")),
            (self.order, lambda: self._remind(self.order)),
            (self.order, lambda: self.order.with_user(self.alice).action_confirm()),
        ):
            document.followup_pause_until = "2030-01-01"
            self.env.flush_all()
            written.clear()
            act()
            self.env.flush_all()
            self.assertFalse({name for name in written if name.startswith("followup_")})
        self.env.invalidate_all()
        self.assertTrue(invoice.followup_sent_date)
        self.assertEqual(self.order.followup_cycle, 2)

    def test_resuming_is_kept(self):
        self.order.followup_pause_until = "2030-01-01"
        self.env.flush_all()
        self.order.with_user(self.alice).action_followup_resume()
        self.env.invalidate_all()
        self.assertFalse(self.order.followup_pause_until)

    def _record_writes(self, model, names):
        """Keep the names of fields that pass through ``write`` of a model, above all
        addons, as a guard of another one would see them."""
        original = model.write

        def write(records, vals):
            names.extend(vals)
            return original(records, vals)

        self.patch(model, "write", write)

    # --- days ---------------------------------------------------------------------

    def test_days_out_of_bounds_are_refused_where_they_are_entered(self):
        template = self._create_template()
        reminder = self._log()
        company = self.env.company
        for record, name in (
            (reminder, "next_date"),
            (self.order, "followup_pause_until"),
            (self.customer, "followup_pause_until"),
            (template, "active_from"),
        ):
            for day in ("9999-12-31", "0001-01-01"):
                with self.subTest(name=name, day=day):
                    with self.assertRaisesRegex(ValidationError, day):
                        record[name] = day
        for record, name in (
            (template, "next_days"),
            (template, "offset_days"),
            (company, "followup_next_days"),
            (company, "followup_min_days"),
            (company, "followup_keep_days"),
        ):
            with self.subTest(name=name):
                with self.assertRaisesRegex(ValidationError, "3660"):
                    record[name] = 10_000_000
        for day in ("9999-12-31 23:59:59", "0001-01-01 00:00:00"):
            with self.assertRaisesRegex(ValidationError, day[:10]):
                self._log(date=day)

    def test_pages_live_with_days_that_are_stored(self):
        template = self._create_template()
        reminder = self._log(template_id=template.id)
        self.env.flush_all()
        for days, day in (
            (2_000_000_000, "9999-12-31"),
            (-2_000_000_000, "0001-01-01"),
        ):
            self.env.cr.execute(
                "UPDATE sales_followup_template SET next_days = %s, offset_days = %s"
                " WHERE id = %s",
                [abs(days), days, template.id],
            )
            self.env.cr.execute(
                "UPDATE sales_followup_reminder SET date = %s, next_date = %s"
                " WHERE id = %s",
                [day, day, reminder.id],
            )
            self.env.cr.execute(
                "UPDATE sale_order SET followup_last_date = %s,"
                " followup_next_date = %s, followup_pause_until = %s WHERE id = %s",
                [day, day, day, self.order.id],
            )
            self.env.invalidate_all()
            with self.subTest(day=day):
                wizard = self._open_remind(self.order, template_id=template.id)
                self.assertTrue(wizard.next_date)
                own = reminder.with_user(self.alice)
                self.assertTrue(own._get_local_day())
                own.web_read({name: {} for name in ("date", "next_date", "is_open")})
                self.env["sales.followup.dashboard"].with_user(self.alice).get_figures()
                self.env["sales.followup.forecast"].with_user(self.alice).action_open()
                self.env["sales.followup.report"].with_user(self.alice).search_read(
                    [], ["date"]
                )
                run = self.env["sales.followup.run"].with_user(self.alice).create({})
                run.action_propose()

    def test_an_upgrade_cuts_days_that_are_stored(self):
        template = self._create_template()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sales_followup_template SET next_days = 10000000,"
            " offset_days = -10000000 WHERE id = %s",
            [template.id],
        )
        path = file_path("sales_followup/migrations/19.0.1.2.0/pre-bounds.py")
        migration = load_script(path, "followup_pre_bounds")
        migration.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertEqual((template.next_days, template.offset_days), (3660, -3660))
        # the first version had no templates
        with self.env.cr.savepoint():
            self.env.cr.execute("ALTER TABLE sales_followup_template RENAME TO gone")
            migration.migrate(self.env.cr, "19.0.1.0.0")
            self.env.cr.execute("ALTER TABLE gone RENAME TO sales_followup_template")

    # --- in whose name --------------------------------------------------------------

    def test_everybody_logs_in_their_own_name_managers_for_colleagues(self):
        self.order.followup_rep_ids |= self.bob
        with self.assertRaisesRegex(AccessError, "own name"):
            self._log(user_id=self.bob.id)
        with self.assertRaisesRegex(AccessError, "own name"):
            self._log(context={"default_user_id": self.bob.id})
        self.assertEqual(self._log(user_id=self.alice.id).user_id, self.alice)
        logged = self._log(self.manager, user_id=self.bob.id)
        self.assertEqual(logged.user_id, self.bob)

    def test_only_colleagues_look_after_a_reminder(self):
        stranger = self._create_salesperson(
            "stranger",
            company_id=(other := self.env["res.company"].create({"name": "Other"})).id,
            company_ids=[(6, 0, other.ids)],
        )
        gone = self._create_salesperson("gone", active=False)
        reminder = self._log()
        for user in (self.portal, stranger, gone):
            with self.subTest(user=user.login):
                with self.assertRaises(ValidationError):
                    reminder.with_user(self.alice).user_id = user
                with self.assertRaises(ValidationError):
                    self._log(self.manager, user_id=user.id)
        reminder.with_user(self.alice).user_id = self.bob
        self.assertEqual(reminder.user_id, self.bob)

    # --- the rest -------------------------------------------------------------------

    def test_the_analysis_tells_nothing_of_documents_one_may_not_read(self):
        reminder = self._log()
        reminder.with_user(self.alice).user_id = self.bob
        self.env.flush_all()
        rows = self.env["sales.followup.report"].with_user(self.bob)
        of_order = [("reminder_id", "=", reminder.id)]
        self.assertFalse(self.order.with_user(self.bob).has_access("read"))
        self.assertFalse(rows.search(of_order))
        self.assertEqual(rows._read_group(of_order, [], ["__count"]), [(0,)])
        with self.assertRaises(AccessError):
            rows.browse(reminder.id).read(["amount"])
        self.assertTrue(rows.with_user(self.manager).search(of_order))
        self.order.followup_rep_ids |= self.bob
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(rows.search(of_order).read(["amount"]))

    def test_a_template_needs_a_document_type(self):
        templates = self.env["sales.followup.template"].with_user(self.manager)
        with self.assertRaisesRegex(ValidationError, "needs a document type"):
            templates.create({"name": "Lost"})

    def test_several_at_a_time_open_as_a_list_or_say_why_not(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        one = self._log()
        two = self._log()
        other = self._create_quotation(user_id=self.alice.id)
        three = one | self._remind(other, channel="phone")
        self.assertEqual((one | two).action_open_document()["res_id"], self.order.id)
        self.assertEqual(
            three.action_open_document()["domain"],
            [("id", "in", (self.order | other).ids)],
        )
        mixed = one | self._remind(invoice, channel="phone")
        with self.assertRaisesRegex(UserError, "of one kind"):
            mixed.action_open_document()
        with self.assertRaisesRegex(UserError, "Select one"):
            three.action_download()
        runs = self.env["sales.followup.run"].create([{}, {}])
        with self.assertRaisesRegex(UserError, "Select one"):
            runs.action_download()

    def test_managers_anonymise_reminders_of_their_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        reminder = self._log(note="Here")
        there = self._log(note="There")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sales_followup_reminder SET company_id = %s WHERE id = %s",
            [other.id, there.id],
        )
        self.env.invalidate_all()
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertFalse(reminder.note)
        self.assertEqual(there.note, "There")

    def test_anonymising_finds_every_copy_of_a_note(self):
        reminder = self._log(note="Mrs Secret")
        self._get_template(self.order)
        run = self.env["sales.followup.run"].with_user(self.alice).create({})
        run.action_propose()
        line = run.sudo().line_ids.filtered(lambda line: line.order_id == self.order)
        self.assertEqual(line.last_note, "Mrs Secret")
        line.reason = "Mrs Secret is away"
        dialog = self._open_remind(self.order, note="Mrs Secret")
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertFalse(reminder.note or line.last_note or line.reason)
        self.assertFalse(dialog.exists())

    def test_a_letter_leaves_the_file_of_its_run(self):
        printed = self.env["ir.attachment"].create({"name": "all.pdf", "raw": b"all"})
        run = self.env["sales.followup.run"].create({"attachment_id": printed.id})
        letter = self.env["sales.followup.reminder"].create(
            {
                "order_id": self.order.id,
                "channel": "letter",
                "origin": "run",
                "run_id": run.id,
                "attachment_id": self.file.id,
            }
        )
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertFalse(printed.exists() or self.file.exists())
        self.assertFalse(letter.attachment_id or run.attachment_id)
