from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import Form, tagged

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestEmail(RemindersCommon):
    """What an e-mail reminder says, to whom, and what it leaves behind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation()

    @classmethod
    def _get_mail(cls, reminder):
        """Return the e-mail that waits to be sent: tests send none."""
        return cls.env["mail.mail"].search(
            [("mail_message_id", "=", reminder.message_id.id)]
        )

    @classmethod
    def _render(cls, email_body, document=None, contact=None, **values):
        """Remind with a text, and give the e-mail's source."""
        document = document or cls.order
        code = "quotation" if document._name == "sale.order" else "customer_invoice"
        template = cls._create_template(code, email_body=email_body, **values)
        reminder = cls._remind(
            document,
            template_id=template.id,
            **({"contact_id": contact.id} if contact else {}),
        )
        return cls._get_mail(reminder).body_html

    def _get_buttons(self, source):
        """Return the links of an e-mail as a dict of text → address."""
        return {
            " ".join(link.text_content().split()): link.get("href")
            for link in html.fromstring(source).iter("a")
        }

    # --- the thread -------------------------------------------------------------

    def test_message_stays_in_the_chatter(self):
        reminder = self._remind(self.order)
        message = reminder.message_id
        self.assertIn(message, self.order.message_ids)
        self.assertEqual(message.subtype_id, self.env.ref("mail.mt_comment"))
        self.assertFalse(message.is_internal)
        self.assertEqual(message.subject, f"Reminder of {self.order.name}")
        self.assertIn("Dear Azure Interior", message.body)
        [notification] = message.notification_ids
        self.assertEqual(notification.res_partner_id, self.customer)
        self.assertEqual(notification.notification_type, "email")
        self.assertEqual(notification.notification_status, "ready")

    def test_done_when_the_server_has_it(self):
        reminder = self._remind(self.order)
        self.assertEqual(reminder.state, "outgoing")
        self._get_mail(reminder)._postprocess_sent_message([self.customer], [])
        self.assertEqual(reminder.state, "done")
        self.assertFalse(self._get_mail(reminder), "it is not kept twice")
        self.assertTrue(reminder.message_id.exists())

    def test_e_mails_that_are_no_reminders_are_left_to_odoo(self):
        """Nothing pending, the tracking of a change say, is posted before its time."""
        posted = []
        mail = self.env["mail.mail"].create({"body_html": "Hello", "email_to": "a@b.c"})
        self.env.cr.precommit.add(lambda: posted.append(True))
        mail._postprocess_sent_message([], ["a@b.c"])
        self.assertFalse(posted)

    def test_followers_get_no_copy(self):
        self.order.message_subscribe((self.bob | self.carol).partner_id.ids)
        reminder = self._remind(self.order)
        self.assertEqual(self._get_mail(reminder).recipient_ids, self.customer)
        self.assertEqual(reminder.message_id.notified_partner_ids, self.customer)

    def test_sending_changes_no_state_of_the_document(self):
        draft = self._create_order(self.customer, user_id=self.alice.id)
        self._remind(draft)
        self.assertEqual(draft.state, "draft")

    def test_invoice(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        reminder = self._remind(invoice)
        self.assertIn(reminder.message_id, invoice.message_ids)
        self.assertEqual(self._get_mail(reminder).recipient_ids, self.customer)

    # --- sender -----------------------------------------------------------------

    def test_sender_is_the_user_of_the_reminder(self):
        self.alice.signature = "<p>Alice, your contact</p>"
        reminder = self._remind(self.order)
        mail = self._get_mail(reminder)
        self.assertEqual(mail.author_id, self.alice.partner_id)
        self.assertEqual(mail.email_from, '"Alice" <alice@example.com>')
        self.assertEqual(mail.reply_to, '"Alice" <alice@example.com>')
        self.assertIn("Alice, your contact", mail.body_html)

    def test_signature_is_the_senders_not_the_salespersons(self):
        self.alice.signature = "<p>Alice, your contact</p>"
        self.bob.signature = "<p>Bob, for Alice</p>"
        self.order.followup_rep_ids = self.alice | self.bob
        source = self._get_mail(self._remind(self.order, user=self.bob)).body_html
        self.assertIn("Bob, for Alice", source)
        self.assertNotIn("Alice, your contact", source)

    def test_user_without_address_writes_from_the_company(self):
        self.alice.partner_id.email = False
        self.env.company.email = "office@mycompany.example.com"
        mail = self._get_mail(self._remind(self.order))
        self.assertIn("office@mycompany.example.com", mail.email_from)

    def test_replies_go_to_the_catchall(self):
        self.env.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {"name": "followup.example.com", "catchall_alias": "answers"}
        )
        mail = self._get_mail(self._remind(self.order))
        self.assertIn("<answers@followup.example.com>", mail.reply_to)
        self.assertEqual(mail.email_from, '"Alice" <alice@example.com>')
        self.assertEqual(mail.references, mail.message_id)

    # --- recipient --------------------------------------------------------------

    def test_recipient_is_the_first_who_has_an_address(self):
        company = self.customer
        buyer, clerk, boss = [
            self._create_contact(
                company, name=name, email=f"{name}@customer.example.com"
            )
            for name in ("buyer", "clerk", "boss")
        ]
        order = self._create_quotation(buyer)
        order.followup_contact_id = clerk
        company.followup_contact_id = boss
        for expected in (clerk, boss, buyer, company):
            with self.subTest(expected=expected.name):
                reminder = self._remind(order)
                self.assertEqual(reminder.contact_id, expected)
                self.assertEqual(self._get_mail(reminder).recipient_ids, expected)
            # nobody's wish any more, or nobody to write to
            expected.email = False

    def test_archived_contact_is_passed_over(self):
        contact = self._create_contact(self.customer, email="gone@customer.example.com")
        self.order.followup_contact_id = contact
        contact.active = False
        self.assertEqual(self._remind(self.order).contact_id, self.customer)

    def test_archived_contact_cannot_be_chosen(self):
        contact = self._create_contact(self.customer, email="gone@customer.example.com")
        contact.active = False
        with self.assertRaises(UserError):
            self._remind(self.order, contact_id=contact.id)

    def test_chosen_recipient_gets_it(self):
        contact = self._create_contact(self.customer, email="you@customer.example.com")
        reminder = self._remind(self.order, contact_id=contact.id)
        self.assertEqual(self._get_mail(reminder).recipient_ids, contact)

    # --- no address -------------------------------------------------------------

    def assertNothingMade(self, order, **values):
        """Assert that a reminder is refused and leaves no trace; give the message."""
        self.env.cr.flush()
        traces = {
            model: self.env[model].search_count([])
            for model in (
                "sales.followup.reminder",
                "mail.mail",
                "mail.message",
                "mail.notification",
                "mail.activity",
                "ir.attachment",
            )
        }
        wizard = self._open_remind(order, **values)
        with self.assertRaises(UserError) as refusal:
            wizard.action_apply()
        for model, count in traces.items():
            self.assertEqual(self.env[model].search_count([]), count, model)
        return refusal.exception.args[0]

    def test_missing_and_invalid_address(self):
        for address in (False, "azure", "azure@", "a b", "@customer.example.com"):
            with self.subTest(address=address):
                self.customer.email = address
                message = self.assertNothingMade(self.order)
                self.assertIn("Azure Interior", message)
                self.assertIn(self.order.name, message)
                self.assertIn("Enter one on the contact", message)
                self.assertIn("letter", message)

    def test_missing_address_of_many(self):
        """One customer without address keeps the others from being written to."""
        self.customer.email = False
        other = self._create_quotation(
            self._create_customer(self.alice, email="other@example.com")
        )
        template = self._get_template(other)
        mails = self.env["mail.mail"].search_count([])
        with self.assertRaises(UserError) as refusal:
            self.env["sales.followup.reminder"].with_user(self.alice)._remind(
                self.order | other, {"channel": "email", "template_id": template.id}
            )
        self.assertIn("Azure Interior", refusal.exception.args[0])
        self.assertFalse((self.order | other).followup_reminder_ids)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_letter_is_offered_where_there_is_no_address(self):
        self.customer.email = False
        form = Form(
            self.env["sales.followup.remind"]
            .with_user(self.alice)
            .with_context(default_order_id=self.order.id)
        )
        form.template_id = self._get_template(self.order)
        form.channel = "email"
        self.assertIn("send a letter instead", form.obstacle)
        wizard = form.save()
        wizard.action_switch_to_letter()
        self.assertEqual(wizard.channel, "letter")
        self.assertFalse(wizard.obstacle)

    def test_blacklisted_address(self):
        self.env["mail.blacklist"]._add("azure@customer.example.com")
        reminder = self._remind(self.order)
        self.assertEqual(reminder.state, "failed")
        self.assertIn("Blacklisted", reminder.failure_reason)
        self.assertEqual(
            reminder.message_id.notification_ids.notification_status, "canceled"
        )
        mail = self._get_mail(reminder)
        self.assertEqual(mail.state, "cancel")
        with self.assertRaises(UserError):
            reminder.with_user(self.alice).action_retry()

    # --- language, company, currency --------------------------------------------

    @classmethod
    def _translate(cls, template, lang, subject, email_body):
        """Write the e-mail of a template in another language."""
        email = template.mail_template_id.with_context(lang=lang)
        email.write({"subject": subject, "body_html": email_body})

    def test_recipients_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self._create_template(subject="Reminder", email_body="<p>Hello</p>")
        self._translate(template, "fr_FR", "Relance", "<p>Bonjour</p>")
        self.customer.lang = "en_US"
        contact = self._create_contact(
            self.customer, email="vous@customer.example.com", lang="fr_FR"
        )
        self.order.followup_contact_id = contact
        reminder = self._remind(self.order, template_id=template.id)
        mail = self._get_mail(reminder)
        self.assertEqual(mail.subject, "Relance")
        self.assertEqual(reminder.message_id.body, "<p>Bonjour</p>")
        self.assertIn("Bonjour", mail.body_html)
        self.assertIn('lang="fr_FR"', mail.body_html)
        self.order.followup_contact_id = False
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        self.assertEqual(mail.subject, "Reminder")
        self.assertIn('lang="en_US"', mail.body_html)

    def test_uninstalled_language_falls_back_to_the_customers(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self._create_template(subject="Reminder", email_body="<p>Hello</p>")
        self._translate(template, "fr_FR", "Relance", "<p>Bonjour</p>")
        self.customer.lang = "fr_FR"
        contact = self._create_contact(self.customer, email="sie@customer.example.com")
        self.env.cr.execute(
            "UPDATE res_partner SET lang = 'de_DE' WHERE id = %s", contact.ids
        )
        contact.invalidate_recordset()
        self.order.followup_contact_id = contact
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        self.assertEqual(mail.subject, "Relance")

    def test_amounts_in_the_documents_currency(self):
        currency = self.env.ref("base.EUR")
        currency.active = True
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        invoice = self._create_invoice(
            self.customer,
            post=True,
            currency_id=currency.id,
            price_unit=1234.5,
            invoice_user_id=self.alice.id,
        )
        body = (
            "<p>Due: <t "
            't-out="format_amount(object.amount_total, object.currency_id)"/></p>'
        )
        template = self._create_template("customer_invoice", email_body=body)
        self._translate(template, "fr_FR", "Relance", body.replace("Due", "Dû"))
        reminder = self._remind(invoice, template_id=template.id)
        source = self._get_mail(reminder).body_html
        text = " ".join(html.fromstring(source).text_content().split())
        self.assertIn("Dû: 1 234,50 €", text)

    def test_layout_of_the_documents_company(self):
        ours, theirs = self.env.company, self._create_company("Theirs")
        ours.email_secondary_color = "#111111"
        theirs.email_secondary_color = "#abcdef"
        self.alice.company_ids = ours | theirs
        order = self._create_quotation(company_id=theirs.id, user_id=self.alice.id)
        template = self._create_template(
            email_body='<p>From <t t-out="object.company_id.name"/></p>',
        )
        template.mail_template_id.email_layout_xmlid = "mail.mail_notification_light"
        reminder = self._remind(order, template_id=template.id)
        mail = self._get_mail(reminder)
        self.assertEqual(mail.record_company_id, theirs)
        self.assertIn("#abcdef", mail.body_html)
        self.assertNotIn("#111111", mail.body_html)
        self.assertNotIn(ours.name, mail.body_html)

    def test_head_says_what_is_still_due(self):
        """Odoo says the total, of an invoice paid in part, too."""
        invoice, refund = [
            self._create_invoice(
                self.customer,
                move_type,
                post=True,
                price_unit=amount,
                invoice_user_id=self.alice.id,
            )
            for move_type, amount in (("out_invoice", 100), ("out_refund", 30))
        ]
        self.assertIn("100.00", self._render("<p>Hello</p>", invoice))
        lines = (invoice | refund).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(invoice.payment_state, "partial")
        source = self._render("<p>Hello</p>", invoice)
        self.assertIn("70.00", source)
        self.assertNotIn("100.00", source)

    @classmethod
    def _create_company(cls, name):
        company = cls.env["res.company"].create({"name": name})
        cls.env.user.company_ids |= company
        return company

    # --- the button -------------------------------------------------------------

    def test_customer_may_open_the_document(self):
        self.order.write({"require_signature": False, "require_payment": False})
        buttons = self._get_buttons(self._render("<p>Hello</p>"))
        address = buttons["View Quotation"]
        self.assertIn(f"access_token={self.order.access_token}", address)
        self.assertIn("pid=", address)

    def test_other_contact_may_open_the_document_but_not_sign_up_as_the_customer(self):
        contact = self._create_contact(self.customer, email="you@customer.example.com")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        for document, title in (
            (self.order, "View Quotation"),
            (invoice, "View Invoice"),
        ):
            with self.subTest(title):
                source = self._render("<p>Hello</p>", document, contact)
                address = self._get_buttons(source)[title]
                self.assertIn(f"access_token={document.access_token}", address)
                self.assertNotIn("signup", address)
                self.assertNotIn("auth", address)
                self.assertNotIn("hash", address)

    # --- what is escaped, what is kept back -------------------------------------

    def test_names_are_text(self):
        self.customer.name = "<script>alert(1)</script><b>Bold</b> & Sons"
        source = self._render('<p>Dear <t t-out="object.partner_id.name"/>,</p>')
        self.assertNotIn("<script>", source)
        self.assertNotIn("<b>Bold", source)
        self.assertIn("&lt;b&gt;Bold&lt;/b&gt; &amp; Sons", source)

    def test_subject_is_one_line(self):
        self.order.client_order_ref = "first\r\nBcc: everybody@example.com"
        template = self._create_template(subject="Your {{ object.client_order_ref }}")
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        [values] = mail._prepare_outgoing_list()
        message = self.env["ir.mail_server"]._build_email__(
            mail.email_from, values["email_to"], values["subject"], values["body"]
        )
        self.assertFalse(message["Bcc"])
        self.assertEqual(message["Subject"], "Your first Bcc: everybody@example.com")

    def test_log_escapes_the_note(self):
        self._remind(self.order, channel="phone", note='<img src=x onerror="alert(1)">')
        body = self.order.message_ids[0].body
        self.assertIn("onerror", body)
        self.assertFalse(html.fromstring(f"<div>{body}</div>").xpath("//img"))

    def test_note_is_not_in_the_email(self):
        reminder = self._remind(self.order, note="Pays late, be firm")
        mail = self._get_mail(reminder)
        for text in (mail.body_html, mail.body, mail.subject, mail.headers):
            self.assertNotIn("firm", text)
        self.assertNotIn("firm", reminder.message_id.body)

    def test_portal_sees_the_email_and_nothing_else(self):
        self.portal.partner_id.parent_id = self.customer
        self.order.message_subscribe(self.portal.partner_id.ids)
        reminder = self._remind(self.order, note="Pays late, be firm")
        self._remind(self.order, channel="phone", note="Was not firm")
        order = self.order.with_user(self.portal)
        order.check_access("read")
        messages = order.env["mail.message"].search(
            Domain("model", "=", "sale.order") & Domain("res_id", "=", order.id)
        )
        self.assertIn(reminder.message_id, messages.sudo())
        for message in messages:
            self.assertNotIn("firm", message.body)
        self.assertFalse(
            [name for name in order.fields_get() if name.startswith("followup_")]
        )
        for name in ("followup_reminder_ids", "followup_last_date"):
            with self.assertRaises(AccessError):
                order.read([name])
        with self.assertRaises(AccessError):
            order.env["sales.followup.reminder"].search([])
        with self.assertRaises(AccessError):
            reminder.with_user(self.portal).read(["note"])

    # --- rights -----------------------------------------------------------------

    def _forbid(self, user, operation, orders):
        """Let a rule keep a user's group from doing something to orders."""
        group = self.env["res.groups"].create(
            {"name": "Readers", "user_ids": [Command.link(user.id)]}
        )
        self.env["ir.rule"].create(
            {
                "name": "Follow-up readers",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "domain_force": repr([("id", "not in", orders.ids)]),
                **{
                    f"perm_{name}": name in operation
                    for name in ("read", "write", "create", "unlink")
                },
            }
        )
        return group

    def test_who_may_only_read_sends_and_logs(self):
        self._forbid(self.alice, ("write", "unlink"), self.order)
        with self.assertRaises(AccessError):
            self.order.with_user(self.alice).write({"client_order_ref": "mine"})
        reminder = self._remind(self.order, note="Asked")
        self.assertEqual(self._get_mail(reminder).recipient_ids, self.customer)
        call = self._remind(self.order, channel="phone", note="Called")
        self.assertEqual(call.state, "done")
        self.assertIn("Called", self.order.message_ids[0].body)
        self.assertTrue(self.order.activity_ids)

    def test_who_may_not_read_cannot_remind(self):
        template = self._get_template(self.order)
        self.order.followup_rep_ids = self.alice
        bobs = self.order.with_user(self.bob)
        with self.assertRaises(AccessError):
            bobs.read(["name"])
        reminders = bobs.env["sales.followup.reminder"]
        for channel in ("email", "phone"):
            with self.subTest(channel=channel), self.assertRaises(AccessError):
                self._remind(self.order, user=self.bob, channel=channel)
            with self.subTest(channel=channel), self.assertRaises(AccessError):
                reminders._remind(
                    bobs, {"channel": channel, "template_id": template.id}
                )
            with self.subTest(channel=channel), self.assertRaises(AccessError):
                reminders.create({"order_id": bobs.id, "channel": channel})
        self.assertFalse(self.order.followup_reminder_ids)

    def test_nobody_sends_by_creating_a_reminder(self):
        """By RPC, a reminder is a log."""
        reminders = self.env["sales.followup.reminder"].with_user(self.alice)
        values = {"order_id": self.order.id, "channel": "email"}
        for forged in (
            {"state": "outgoing"},
            {"state": "failed"},
            {"message_id": self.order.message_ids[:1].id},
            {"origin": "auto"},
            {"failure_reason": "The server said no"},
        ):
            with self.subTest(forged), self.assertRaises(AccessError):
                reminders.create({**values, **forged})
        log = reminders.create(values)
        self.assertEqual(log.state, "done")
        self.assertFalse(log.message_id)

    def test_without_the_group_nobody_reminds(self):
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        self.order.with_user(seller).check_access("read")
        for channel in ("email", "phone"):
            with self.assertRaises(AccessError):
                self._remind(self.order, user=seller, channel=channel)
        order = self.order.with_user(seller)
        with self.assertRaises(AccessError):
            order.env["sales.followup.reminder"].create({"order_id": order.id})
        self.assertFalse(self.order.followup_reminder_ids)

    def test_emailer_is_not_for_rpc(self):
        names = [
            name
            for name in dir(self.env["sales.followup.emailer"])
            if "deliver" in name or "enqueue" in name or name == "send"
        ]
        self.assertTrue(names)
        self.assertTrue(all(name.startswith("_") for name in names), names)

    # --- in sets ----------------------------------------------------------------

    def test_queries_do_not_grow_with_the_number(self):
        template = self._get_template(self.order)
        counts = []
        for number in (10, 20):
            orders = self.env["sale.order"].concat(
                *(
                    self._create_quotation(
                        self._create_customer(
                            self.alice, email=f"{number}.{index}@example.com"
                        )
                    )
                    for index in range(number)
                )
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            reminders = (
                self.env["sales.followup.reminder"]
                .with_user(self.alice)
                ._remind(orders, {"channel": "email", "template_id": template.id})
            )
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(reminders.message_id), number)
        more = (counts[1] - counts[0]) / 10
        self.assertLessEqual(more, 0.2, f"{counts} queries for 10 and 20")

    # --- who writes -------------------------------------------------------------

    def _make_nobodys(self):
        """Let a reminder go out by itself, of a document that nobody follows."""
        company = self.env.company
        company.write({"name": "Ours & Sons", "email": "info@ours.example.com"})
        customer = self._create_customer(name="Nobody's", email="n@example.com")
        order = self._create_quotation(customer, user_id=False)
        order.followup_rep_ids = False
        template = self._create_template()
        reminders = self.env["sales.followup.reminder"].sudo()
        reminder = reminders._remind(
            order,
            {"channel": "email", "template_id": template.id, "user_id": False},
        )
        return self._get_mail(reminder)

    def test_company_signs_where_nobody_does(self):
        domain = self.env["mail.alias.domain"].create(
            {"name": "ours.example.com", "company_ids": self.env.company.ids}
        )
        self.env.company.alias_domain_id = domain
        mail = self._make_nobodys()
        text = html.fromstring(mail.body_html).text_content()
        self.assertIn("-- Ours & Sons", " ".join(text.split()))
        self.assertEqual(mail.author_id, self.env.company.partner_id)
        self.assertIn("info@ours.example.com", mail.email_from)
        self.assertIn("Ours & Sons", mail.reply_to)
        self.assertIn("catchall@ours.example.com", mail.reply_to)
        for text in (mail.reply_to, mail.email_from, mail.body_html):
            self.assertNotIn("OdooBot", text)

    def test_empty_signature_leaves_nothing(self):
        self.alice.signature = False
        source = self._render("<p>Hello</p>")
        self.assertNotIn("False", source)
        self.assertNotIn("-- ", source)

    def test_company_is_named_at_the_foot(self):
        self.env.company.write({"phone": "+1 555 0100", "website": "ours.example.com"})
        source = self._render("<p>Hello</p>")
        for text in ("+1 555 0100", "ours.example.com", self.env.company.name):
            self.assertIn(text, html.fromstring(source).text_content())
        self.assertNotIn("unfollow", source)

    def test_duplicate_keeps_the_layout(self):
        template = self._create_template()
        layout = template.mail_template_id.email_layout_xmlid
        self.assertTrue(layout)
        self.assertEqual(template.copy().mail_template_id.email_layout_xmlid, layout)

    def test_names_of_two_lines_break_no_header(self):
        self.customer.name = "Azure\nInterior"
        self.alice.partner_id.name = "Alice\r\nBcc: everybody@example.com"
        mail = self._get_mail(self._remind(self.order))
        [values] = mail._prepare_outgoing_list()
        message = self.env["ir.mail_server"]._build_email__(
            mail.email_from,
            values["email_to"],
            values["subject"],
            values["body"],
            reply_to=mail.reply_to,
        )
        self.assertFalse(message["Bcc"])
        self.assertEqual(message["To"], '"Azure Interior" <azure@customer.example.com>')

    def test_email_template_says_sender_and_copies(self):
        template = self._create_template()
        template.mail_template_id.write(
            {
                "email_from": "sales@example.com",
                "reply_to": "answers@example.com",
                "email_cc": "{{ object.user_id.email }}, boss@example.com",
            }
        )
        self.order.user_id = self.bob
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        self.assertEqual(mail.email_from, "sales@example.com")
        self.assertEqual(mail.reply_to, "answers@example.com")
        self.assertEqual(mail.email_cc, f"{self.bob.email}, boss@example.com")

    def test_threads_with_the_documents_earlier_messages(self):
        sent = self.order.with_user(self.alice).message_post(
            body="Our quotation",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.customer.ids,
        )
        note = self.order.message_post(body="Costs", subtype_xmlid="mail.mt_note")
        first = self._get_mail(self._remind(self.order))
        second = self._get_mail(self._remind(self.order))
        self.assertEqual(
            second.references.split(),
            [sent.message_id, first.message_id, second.message_id],
        )
        self.assertIn(first.message_id, second.headers)
        self.assertNotIn(note.message_id, second.references)

    # --- addresses --------------------------------------------------------------

    def test_every_address_counts_for_the_blacklist(self):
        self.customer.email = "a@customer.example.com; b@customer.example.com"
        self.env["mail.blacklist"]._add("b@customer.example.com")
        reminder = self._remind(self.order)
        self.assertEqual(reminder.state, "failed")
        self.assertEqual(self._get_mail(reminder).state, "cancel")
        self.assertIn("blacklisted", self._open_remind(self.order).warning)

    def test_corrected_address_is_none_that_came_back(self):
        judge = self.env["sales.followup.judge"]

        def has_bounced():
            return "bouncing" in {
                reason.code.value
                for reason in judge._judge(
                    self.order,
                    templates={self.order: self._get_template(self.order)},
                )[self.order].verdict.reasons
            }

        self.customer.email = "a@customer.example.com, b@customer.example.com"
        self.assertFalse(has_bounced())
        self.customer._message_receive_bounce("b@customer.example.com", self.customer)
        self.assertTrue(has_bounced())
        self.customer.email = "c@customer.example.com, b@customer.example.com"
        self.assertTrue(has_bounced(), "the wrong one was corrected")
        self.customer.email = "c@customer.example.com"
        self.assertFalse(has_bounced())
        self.customer.email = "b@customer.example.com"
        self.assertTrue(has_bounced())
        self.customer._message_reset_bounce("b@customer.example.com")
        self.assertFalse(has_bounced())

    def test_archived_contact_is_called_archived(self):
        self.customer.email = False
        self.order.followup_contact_id = self._create_contact(
            self.customer, email="x@customer.example.com", active=False
        )
        template = self._get_template(self.order)
        judged = self.env["sales.followup.judge"]._judge(
            self.order, templates={self.order: template}
        )
        codes = {reason.code.value for reason in judged[self.order].verdict.reasons}
        self.assertIn("archived_address", codes)

    # --- languages --------------------------------------------------------------

    def test_button_is_in_the_customers_language(self):
        """Also where somebody looked at the document in another one before."""
        for lang in ("fr_FR", "it_IT"):
            self.env["res.lang"]._activate_lang(lang)
        template = self._create_template(email_body="<p>Hello</p>")
        self._translate(template, "fr_FR", "Relance", "<p>Bonjour</p>")
        self.customer.lang = "fr_FR"
        self.order.write({"require_signature": False, "require_payment": False})
        self.order.with_context(lang="it_IT").read(["type_name", "display_name"])
        self.assertEqual(self.order.type_name, "Preventivo", "the cache has one only")
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        buttons = self._get_buttons(mail.body_html)
        self.assertTrue([text for text in buttons if "devis" in text], buttons)
        self.assertNotIn("Preventivo", mail.body_html)
        self.assertEqual(self.order.with_context(lang="en_US").type_name, "Quotation")

    def test_untranslated_text_keeps_its_language(self):
        """Dates and buttons of another language are not mixed into it."""
        self.env["res.lang"]._activate_lang("de_DE")
        template = self._create_template(
            email_body="<p>Of <t t-out=\"format_date(object.date_order, 'long')\"/></p>"
        )
        self.customer.lang = "de_DE"
        self.order.date_order = "2026-03-05 12:00:00"
        dialog = self._open_remind(self.order, template_id=template.id)
        self.assertIn("has no text in German", dialog.warning)
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        self.assertIn("March", mail.body_html)
        self.assertNotIn("März", mail.body_html)
        self.assertIn('lang="en_US"', mail.body_html)
        self._translate(template, "de_DE", "Erinnerung", template.email_body)
        dialog = self._open_remind(self.order, template_id=template.id)
        self.assertNotIn("has no text in German", dialog.warning)
        mail = self._get_mail(self._remind(self.order, template_id=template.id))
        self.assertIn("März", mail.body_html)

    def test_settings_warn_without_alias_domain(self):
        settings = self.env["res.config.settings"]
        self.env.company.alias_domain_id = False
        self.assertIn("no alias domain", settings.create({}).followup_alias_warning)
        self.env.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {"name": "ours.example.com"}
        )
        self.assertFalse(settings.create({}).followup_alias_warning)
