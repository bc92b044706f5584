from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common_reminders import RemindersCommon

FRENCH = "fr_FR"


class TemplatesCommon(RemindersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(FRENCH)
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_manager",
        )
        cls.template_editor = cls._create_user(
            "template_editor",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_manager",
            "mail.group_mail_template_editor",
        )
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.invoice = cls._create_invoice(
            cls.customer, post=True, invoice_user_id=cls.alice.id
        )


@tagged("post_install", "-at_install")
class TestSeries(TemplatesCommon):
    """Which template a document is sent next."""

    def _suggest(self, document, user=None):
        # levels are in order once they are read again
        self.env.invalidate_all()
        return document.with_user(user or self.alice)._followup_get_next_template()

    def test_levels_follow_each_other_and_the_last_one_stays(self):
        series = self._create_series()
        levels = [self._create_template(series=series) for _number in range(3)]
        for level in (*levels, levels[-1], levels[-1]):
            self.assertEqual(self._suggest(self.order), level)
            self._remind(self.order, template_id=level.id)

    def test_the_order_of_levels_is_their_sequence(self):
        series = self._create_series()
        last = self._create_template(series=series, sequence=30)
        first = self._create_template(series=series, sequence=5)
        self.assertEqual(self._suggest(self.order), first)
        last.with_user(self.manager).sequence = 1
        self.assertEqual(self._suggest(self.order), last)

    def test_a_level_that_was_passed_over_does_not_come_back(self):
        series = self._create_series()
        levels = [self._create_template(series=series) for _number in range(3)]
        self._remind(self.order, template_id=levels[1].id)
        self.assertEqual(self._suggest(self.order), levels[2])

    def test_a_level_somebody_else_sent_counts(self):
        series = self._create_series()
        levels = [self._create_template(series=series) for _number in range(2)]
        self._remind(self.order, self.manager, template_id=levels[0].id)
        self.assertEqual(self._suggest(self.order), levels[1])

    def test_calls_and_archived_levels_do_not_count(self):
        series = self._create_series()
        levels = [self._create_template(series=series) for _number in range(3)]
        self._remind(self.order, channel="phone")
        self.assertEqual(self._suggest(self.order), levels[0])
        levels[0].active = False
        self.assertEqual(self._suggest(self.order), levels[1])

    def test_the_first_series_whose_filter_is_met_is_followed(self):
        small = self._create_template(
            series=self._create_series(
                sequence=-3, domain="[('amount_untaxed', '<', 50)]"
            )
        )
        large = self._create_template(
            series=self._create_series(
                sequence=-2, domain="[('amount_untaxed', '>=', 50)]"
            )
        )
        rest = self._create_template(series=self._create_series(sequence=-1))
        self.assertEqual(self._suggest(self.order), large)
        self.order.order_line.price_unit = 10
        self.assertEqual(self._suggest(self.order), small)
        rest.series_id.sequence = -9
        self.assertEqual(self._suggest(self.order), rest)
        rest.series_id.active = False
        self.assertEqual(self._suggest(self.order), small)

    def test_a_document_stays_in_the_series_of_its_last_reminder(self):
        first = self._create_template(series=self._create_series(sequence=-2))
        other = self._create_series(sequence=-1)
        levels = [self._create_template(series=other) for _number in range(2)]
        self.assertEqual(self._suggest(self.order), first)
        self._remind(self.order, template_id=levels[0].id)
        self.assertEqual(self._suggest(self.order), levels[1])
        # a call is no reason to start again
        self._remind(self.order, channel="phone")
        self.assertEqual(self._suggest(self.order), levels[1])
        form = Form(
            self.env["sales.followup.remind"]
            .with_user(self.alice)
            .with_context(default_order_id=self.order.id)
        )
        self.assertEqual(form.template_id, levels[1])

    def test_a_confirmed_order_follows_a_series_of_orders(self):
        self._remind(self.order, template_id=self._create_template().id)
        self.order.action_confirm()
        level = self._create_template("sale_order")
        self.assertEqual(self._suggest(self.order), level)

    def test_a_series_of_another_company_is_not_followed(self):
        company = self.env["res.company"].create({"name": "Abroad"})
        self._create_template(
            series=self._create_series(sequence=-2, company_id=company.id)
        )
        ours = self._create_template(
            series=self._create_series(sequence=-1, company_id=self.env.company.id)
        )
        self.assertEqual(self._suggest(self.order), ours)

    def test_without_a_series_nothing_is_suggested(self):
        self.env["sales.followup.series"].search([]).active = False
        self.assertFalse(self._suggest(self.order))
        wizard = self._open_remind(self.order, template_id=False)
        with self.assertRaisesRegex(UserError, "Choose a template"):
            wizard.action_apply()

    def test_a_filter_that_does_not_evaluate_is_refused(self):
        for domain in ("[('nope', '=', 1)]", "nonsense(", "[('id', '=', secret)]"):
            with self.subTest(domain=domain):
                with self.assertRaisesRegex(ValidationError, "is not a valid filter"):
                    self._create_series(domain=domain)

    def test_a_filter_reaches_no_record(self):
        series = self._create_series()
        for domain in (
            "[('id', '=', user.id)]",
            "[('id', '=', user.sudo().write({'name': 'Hacked'}))]",
            "[('id', '=', context_today.__globals__)]",
            "[('id', '=', datetime.sys)]",
        ):
            with self.subTest(domain=domain):
                with self.assertRaises(ValidationError):
                    series.with_user(self.manager).domain = domain
        self.assertNotEqual(self.manager.name, "Hacked")
        series.with_user(self.manager).domain = (
            "[('user_id', '!=', uid), ('date_order', '<=', 'today +1d'),"
            " ('create_date', '<=', context_today().strftime('%Y-12-31'))]"
        )
        self._create_template(series=series)
        self.assertTrue(self._suggest(self.order))

    def test_a_series_is_of_documents_that_are_chased(self):
        with self.assertRaisesRegex(ValidationError, "are never chased"):
            self._create_series("vendor_bill")

    def test_a_series_with_templates_keeps_its_documents(self):
        series = self._create_template().series_id
        with self.assertRaisesRegex(ValidationError, "another document type"):
            series.document_type_id = self._type("sale_order")


@tagged("post_install", "-at_install")
class TestTemplate(TemplatesCommon):
    def _create_as(self, user, **values):
        """Create a template as a manager does, of plain texts."""
        return (
            self.env["sales.followup.template"]
            .with_user(user)
            .create(
                {
                    "name": "Mine",
                    "document_type_id": self._type("quotation").id,
                    "subject": "About {{ object.name }}",
                    "email_body": '<p>Dear <t t-out="object.partner_id.name"/></p>',
                    "letter_body": "<p>Dear Sir or Madam</p>",
                    **values,
                }
            )
        )

    # --- defaults -------------------------------------------------------------

    def test_a_template_goes_into_its_types_first_series(self):
        first = self._create_series(sequence=-5)
        self.assertEqual(self._create_as(self.manager).series_id, first)

    def test_a_template_takes_its_series_documents(self):
        series = self._create_series("customer_invoice")
        template = self._create_as(
            self.manager, document_type_id=False, series_id=series.id
        )
        self.assertEqual(template.document_type_id, self._type("customer_invoice"))
        self.assertEqual(template.mail_template_id.model, "account.move")

    def test_the_form_keeps_type_and_series_together(self):
        series = self._create_series("customer_invoice")
        form = Form(self.env["sales.followup.template"].with_user(self.manager))
        form.name = "New"
        form.document_type_id = self._type("customer_invoice")
        self.assertEqual(form.series_id, series)
        form.document_type_id = self._type("quotation")
        self.assertNotEqual(form.series_id, series)
        form.subject = "Hello"
        form.email_body = "<p>Hello</p>"
        template = form.save()
        self.assertEqual(template.document_type_id, self._type("quotation"))
        self.assertEqual(template.subject, "Hello")

    def test_without_any_series_a_message_says_so(self):
        self.env["sales.followup.series"].search([]).active = False
        with self.assertRaisesRegex(ValidationError, "create one first"):
            self._create_as(self.manager)

    def test_series_type_and_email_are_about_the_same_documents(self):
        template = self._create_template()
        email = self._create_template("customer_invoice").mail_template_id
        series = self._create_series("customer_invoice")
        with self.assertRaisesRegex(ValidationError, "its series"):
            template.series_id = series
        template = self._create_template()
        with self.assertRaisesRegex(ValidationError, "is for account.move"):
            template.mail_template_id = email

    def test_days_are_not_negative(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_template(next_days=-1)

    # --- the right to write expressions ---------------------------------------

    def test_a_manager_writes_plain_texts(self):
        template = self._create_as(self.manager)
        template.write(
            {
                "subject": "Again: {{ object.name }}",
                "email_body": "<p>Hello</p>",
                "letter_body": '<p>Hello <t t-out="object.partner_id.name"/></p>',
            }
        )
        self.assertEqual(template.mail_template_id.subject, "Again: {{ object.name }}")
        self.assertTrue(template.can_write_email)
        self.assertTrue(template.can_write_letter)

    def test_a_manager_is_refused_expressions(self):
        unsafe = {
            "subject": "{{ object.company_id.name }}",
            "email_body": '<p t-if="object.name">Hello</p>',
            "letter_body": "<p><t t-out=\"env['res.users'].search([])\"/></p>",
        }
        template = self._create_as(self.manager)
        for name, text in unsafe.items():
            with self.subTest(created=name), self.assertRaises(AccessError):
                self._create_as(self.manager, **{name: text})
            with self.subTest(written=name), self.assertRaises(AccessError):
                template.write({name: text})
            with self.subTest(written=name, how="forged"):
                with self.assertRaises(AccessError):
                    template.with_context(followup_texts=True).write({name: text})
            with self.subTest(written=name, how="with something else"):
                with self.assertRaises(AccessError):
                    template.write({"sequence": 3, name: text})
            own = self._create_as(self.template_editor, **{name: text})
            self.assertTrue(own.exists())
        with self.assertRaises(AccessError):
            template.update_field_translations(
                "letter_body", {FRENCH: unsafe["letter_body"]}
            )
            template.with_context(lang=FRENCH).write(
                {"letter_body": unsafe["letter_body"]}
            )

    def test_a_refused_expression_is_not_evaluated(self):
        evaluated = "object.env['res.partner'].sudo().search([]).write({'ref': 'X'})"
        with patch.object(
            type(self.env["ir.qweb"]), "_render", side_effect=AssertionError
        ):
            for name in ("email_body", "letter_body"):
                with self.subTest(name=name), self.assertRaises(AccessError):
                    self._create_as(
                        self.manager, **{name: f'<p t-if="{evaluated}">Hello</p>'}
                    )

    def test_a_manager_orders_and_times_templates_with_expressions(self):
        for template in (
            self._create_as(
                self.template_editor,
                email_body='<p t-if="object.name">Hello</p>',
                letter_body='<p t-if="object.name">Hello</p>',
            ),
            self.env["sales.followup.template"].search(
                [("document_type_id", "=", self._type("quotation").id)], limit=1
            ),
        ):
            with self.subTest(template=template.name):
                own = template.with_user(self.manager)
                self.assertFalse(own.can_write_email)
                own.write({"sequence": 99, "next_days": 3, "name": "Renamed"})
                own.active = False
                self.assertEqual(
                    (own.sequence, own.next_days, own.active), (99, 3, False)
                )

    def test_the_letter_may_be_plain_where_the_email_is_not(self):
        template = self._create_as(
            self.template_editor, email_body='<p t-if="object.name">Hello</p>'
        ).with_user(self.manager)
        self.assertTrue(template.can_write_letter)
        self.assertFalse(template.can_write_email)
        template.letter_body = "<p>Plain</p>"
        self.assertIn("Plain", template.letter_body)
        with self.assertRaises(AccessError):
            template.email_body = "<p>Plain</p>"

    # --- texts that cannot render ---------------------------------------------

    def _refused(self):
        return mute_logger(
            "odoo.addons.mail.models.mail_render_mixin",
            "odoo.addons.mail.models.mail_template",
        )

    def test_a_text_that_cannot_render_is_refused_naming_field_and_expression(self):
        template = self._create_as(self.template_editor)
        for name, label, text, expression in (
            ("subject", "Subject", "Hi {{ object.nope }}", r"object\.nope"),
            ("subject", "Subject", "Hi {{ object. }}", r"object\."),
            ("email_body", "E-mail", '<p><t t-out="object.nope"/></p>', "object.nope"),
            ("email_body", "E-mail", '<p><t t-out="1 +"/></p>', r"1 \+"),
            ("letter_body", "Letter", '<p><t t-out="object.nope"/></p>', "object.nope"),
            ("letter_body", "Letter", '<p><t t-if="1/0">x</t></p>', "1/0"),
        ):
            with self.subTest(name=name, text=text), self._refused():
                with self.assertRaises(ValidationError) as refusal:
                    template.write({name: text})
                self.assertRegex(str(refusal.exception), f"{label}: .*{expression}")
                with self.assertRaises(ValidationError) as refusal:
                    self._create_as(self.template_editor, **{name: text})
                self.assertRegex(str(refusal.exception), f"{label}: .*{expression}")
        self.assertEqual(template.subject, "About {{ object.name }}")

    def test_a_translation_that_cannot_render_is_refused(self):
        template = self._create_as(self.template_editor)
        broken = '<p><t t-out="object.nope"/></p>'
        for name, label, text in (
            ("subject", "Subject", "{{ object.nope }}"),
            ("email_body", "E-mail", broken),
            ("letter_body", "Letter", broken),
        ):
            with self.subTest(name=name, how="write"), self._refused():
                with self.assertRaisesRegex(ValidationError, "object.nope"):
                    template.with_context(lang=FRENCH).write({name: text})
            with self.subTest(name=name, how="translate"), self._refused():
                with self.assertRaises(ValidationError) as refusal:
                    template.update_field_translations(name, {FRENCH: text})
                self.assertRegex(str(refusal.exception), f"{label}: .*object.nope")
        with self._refused(), self.assertRaisesRegex(ValidationError, "E-mail: .*nope"):
            template.mail_template_id.update_field_translations(
                "body_html", {FRENCH: '<t t-out="object.nope"/>'}
            )
        template.update_field_translations("letter_body", {FRENCH: "<p>Bonjour</p>"})
        self.assertIn("Bonjour", template.with_context(lang=FRENCH).letter_body)
        self.assertIn("Dear Sir", template.with_context(lang="en_US").letter_body)

    # --- deleting and copying -------------------------------------------------

    def test_an_unused_template_is_deleted(self):
        template = self._create_as(self.manager)
        template.unlink()
        self.assertFalse(template.exists())

    def test_a_deleted_template_takes_its_own_email_along(self):
        template, other = self._create_as(self.manager), self._create_as(self.manager)
        email, chosen = template.mail_template_id, other.mail_template_id
        template.mail_template_id = chosen
        self.assertFalse(template.is_email_own)
        other.unlink()
        self.assertTrue(chosen.exists(), "another template uses it")
        template.unlink()
        self.assertTrue(chosen.exists(), "it was chosen")
        template = self._create_as(self.manager)
        copy = template.copy()
        emails = template.mail_template_id | copy.mail_template_id
        (template | copy).unlink()
        self.assertFalse(emails.exists())
        self.assertTrue(email.exists(), "nobody said so")

    def test_a_used_template_is_archived_instead(self):
        template = self._create_template()
        reminder = self._remind(self.order, template_id=template.id)
        with self.assertRaisesRegex(UserError, f"{template.name}.*Archive it instead"):
            template.with_user(self.manager).unlink()
        template.with_user(self.manager).action_archive()
        self.assertFalse(template.active)
        self.assertEqual(reminder.template_id, template)
        self.assertNotIn(
            template, self.order._followup_get_next_template().series_id.template_ids
        )

    def test_a_template_used_where_one_may_not_look_is_kept_too(self):
        template = self._create_template()
        self._remind(self.order, template_id=template.id)
        company = self.env["res.company"].create({"name": "Abroad"})
        stranger = self._create_user(
            "stranger",
            "sales_followup.group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertEqual(template.with_user(stranger).reminder_count, 0)
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            template.with_user(stranger).unlink()

    def test_the_email_of_a_template_is_not_deleted(self):
        template = self._create_template()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            template.mail_template_id.unlink()
        self.assertTrue(template.mail_template_id.exists())

    def test_a_copy_has_an_email_of_its_own(self):
        template = self._create_as(self.manager)
        copy = template.copy()
        self.assertEqual(copy.name, "Mine (copy)")
        self.assertEqual(copy.series_id, template.series_id)
        self.assertNotEqual(copy.mail_template_id, template.mail_template_id)
        copy.subject = "Other"
        self.assertEqual(template.subject, "About {{ object.name }}")
        self.assertEqual(copy.email_body, template.email_body)
        self.assertEqual(copy.letter_body, template.letter_body)
        copy.unlink()
        self.assertTrue(template.mail_template_id.exists())

    def test_the_count_opens_the_reminders(self):
        template = self._create_template()
        reminder = self._remind(self.order, template_id=template.id)
        own = template.with_user(self.manager)
        self.assertEqual(own.reminder_count, 1)
        action = own.action_open_reminders()
        self.assertEqual(reminder.search(action["domain"]), reminder)

    # --- channels -------------------------------------------------------------

    def test_a_template_without_text_for_the_channel_is_refused(self):
        template = self._create_template(letter_body=False)
        with self.assertRaisesRegex(UserError, "has no text for this channel"):
            self._remind(self.order, channel="letter", template_id=template.id)
        template = self._create_template(subject=False)
        with self.assertRaisesRegex(UserError, "has no text for this channel"):
            self._remind(self.order, template_id=template.id)

    def test_the_templates_channel_is_the_dialogs_default(self):
        for channel in ("email", "letter", "visit"):
            template = self._create_template(channel=channel)
            template.series_id.sequence = -100
            with self.subTest(channel=channel):
                wizard = self.env["sales.followup.remind"].with_user(self.alice)
                wizard = wizard.create({"order_id": self.order.id})
                self.assertEqual(wizard.channel, channel)
                self.assertEqual(wizard.template_id, template)
            template.series_id.active = False


@tagged("post_install", "-at_install")
class TestPreview(TemplatesCommon):
    def _open(self, template, user=None, **values):
        wizard = self.env["sales.followup.preview"].with_user(user or self.manager)
        action = template.with_user(user or self.manager).action_preview()
        return wizard.with_context(**action["context"]).create(values)

    def _create_bilingual(self, code):
        template = self._create_template(
            code, letter_body='<p>Dear <t t-out="object.partner_id.name"/></p>'
        )
        french = template.with_context(lang=FRENCH)
        french.subject = "Relance {{ object.name }}"
        french.email_body = '<p>Bonjour <t t-out="object.partner_id.name"/></p>'
        french.letter_body = '<p>Cher <t t-out="object.partner_id.name"/></p>'
        return template

    def test_email_and_letter_are_shown_on_a_real_document(self):
        for code, document in (
            ("quotation", self.order),
            ("customer_invoice", self.invoice),
        ):
            template = self._create_bilingual(code)
            link = "order_id" if document == self.order else "move_id"
            for lang, words in (
                ("en_US", ("Reminder of", "Dear", "Dear")),
                (FRENCH, ("Relance", "Bonjour", "Cher")),
            ):
                with self.subTest(code=code, lang=lang):
                    wizard = self._open(template, lang=lang, **{link: document.id})
                    name = self.customer.name
                    self.assertEqual(wizard.subject, f"{words[0]} {document.name}")
                    self.assertIn(f"{words[1]} {name}", wizard.email)
                    self.assertIn(f"{words[2]} {name}", wizard.letter)

    def test_the_language_is_the_customers(self):
        self.customer.lang = FRENCH
        template = self._create_bilingual("quotation")
        wizard = self._open(template, order_id=self.order.id)
        self.assertEqual(wizard.subject, f"Relance {self.order.name}")

    def test_it_starts_with_a_document_to_chase(self):
        template = self._create_template("customer_invoice")
        wizard = self._open(template)
        self.assertTrue(wizard.move_id)
        self.assertEqual(wizard.move_id.state, "posted")
        self.assertFalse(wizard.order_id)

    def test_without_document_it_shows_nothing(self):
        template = self._create_template()
        wizard = self._open(template, order_id=False)
        self.assertFalse(wizard.subject or wizard.email or wizard.letter)

    def test_without_texts_it_shows_nothing(self):
        template = self._create_template(
            subject=False, email_body=False, letter_body=False
        )
        wizard = self._open(template, order_id=self.order.id)
        self.assertFalse(wizard.subject or wizard.email or wizard.letter)

    def test_it_shows_no_document_one_may_not_read(self):
        template = self._create_template()
        wizard = self._open(template, self.bob)
        self.assertFalse(wizard.order_id)
        self.assertFalse(wizard.email)
        self.order.with_user(self.alice).read(["name", "partner_id"])
        with self.assertRaises(AccessError):
            wizard = self._open(template, self.bob, order_id=self.order.id)
            self.assertFalse(wizard.email)

    def test_who_reads_no_invoices_is_shown_none(self):
        reader = self._create_user("reader", "sales_followup.group_user")
        self.assertFalse(self.env["account.move"].with_user(reader).has_access("read"))
        wizard = self._open(self._create_template("customer_invoice"), reader)
        self.assertFalse(wizard.move_id or wizard.email)

    def test_it_evaluates_with_the_rights_of_who_looks(self):
        secret = self.env["ir.config_parameter"].sudo()
        secret.set_param("followup.secret", "Swordfish")
        expression = (
            "object.env['ir.config_parameter'].get_param('followup.secret') or 'none'"
        )
        series = self._create_series()
        values = {
            "name": "Curious",
            "series_id": series.id,
            "document_type_id": series.document_type_id.id,
            "subject": "Hello",
            "email_body": "<p>Hello</p>",
        }
        with (
            mute_logger("odoo.addons.mail.models.mail_render_mixin"),
            self.assertRaisesRegex(ValidationError, "not allowed to access"),
        ):
            self.env["sales.followup.template"].with_user(self.template_editor).create(
                {**values, "letter_body": f'<p><t t-out="{expression}"/></p>'}
            )
        template = self.env["sales.followup.template"].create(
            {**values, "letter_body": f'<p><t t-out="{expression}"/></p>'}
        )
        with mute_logger("odoo.addons.mail.models.mail_render_mixin"):
            wizard = self._open(template, order_id=self.order.id)
            self.assertNotIn("Swordfish", str(wizard.letter))
