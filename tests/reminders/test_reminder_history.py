from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestKeeping(RemindersCommon):
    """M9: what was sent stays, and what about a person must go can go."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(user_id=cls.alice.id)
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_manager",
            "account.group_account_manager",
            "base.group_partner_manager",
            "sales_followup.group_manager",
        )

    @classmethod
    def _print(cls, document):
        """Return a letter as it is once it is printed, without printing it."""
        link = cls.env["sales.followup.reminder"]._get_document_field(document._name)
        letter = (
            cls.env["sales.followup.reminder"]
            .with_user(cls.alice)
            .sudo()
            .create(
                {
                    link: document.id,
                    "template_id": cls._get_template(document).id,
                    "channel": "letter",
                    "state": "outgoing",
                }
            )
        )
        file = cls.env["ir.attachment"].create(
            {
                "name": "letter.pdf",
                "raw": b"Dear Mrs Secret",
                "res_model": letter._name,
                "res_id": letter.id,
            }
        )
        letter.write({"state": "done", "attachment_id": file.id})
        return letter

    @classmethod
    def _deliver(cls, reminder, status):
        """Let an e-mail's delivery end in a status."""
        reminder.message_id.notification_ids.write({"notification_status": status})

    # --- deleting reminders ---------------------------------------------------

    def test_what_was_sent_is_never_deleted(self):
        waiting, sent, bounced = (self._remind(self.order) for _number in range(3))
        self._deliver(sent, "sent")
        self._deliver(bounced, "bounce")
        cancelled = self._remind(self.order)
        cancelled.with_user(self.alice)._cancel("Too early")
        self.assertEqual(bounced.state, "failed")
        for reminder in (waiting, sent, bounced, cancelled, self._print(self.order)):
            for user in (self.alice, self.manager, self.env.user):
                with self.subTest(state=reminder.state, user=user.login):
                    with self.assertRaisesRegex(UserError, "stays in the history"):
                        reminder.with_user(user).unlink()
        self.assertEqual(len(self.order.followup_reminder_ids), 5)

    def test_a_letter_without_its_file_was_sent_nevertheless(self):
        letter = self._print(self.order)
        letter.attachment_id.with_user(self.alice).unlink()
        with self.assertRaisesRegex(UserError, "stays in the history"):
            letter.with_user(self.alice).unlink()

    def test_an_email_without_its_message_was_sent_nevertheless(self):
        reminder = self._remind(self.order)
        self._deliver(reminder, "sent")
        reminder.message_id.unlink()
        with self.assertRaisesRegex(UserError, "stays in the history"):
            reminder.with_user(self.alice).unlink()

    def test_a_log_is_deleted_by_who_made_it(self):
        for channel in ("phone", "email"):
            with self.subTest(channel=channel):
                log = self._remind(self.order, channel=channel, log_only=True)
                with self.assertRaises(AccessError):
                    log.with_user(self.bob).unlink()
                log.with_user(self.alice).unlink()
                self.assertFalse(log.exists())
        log = self._remind(self.order, channel="phone")
        log.with_user(self.manager).unlink()
        self.assertFalse(self.order.followup_reminder_ids)

    def test_what_never_left_is_deleted_and_does_not_leave_any_more(self):
        reminder = self._remind(self.order)
        mail = self.env["mail.mail"].search(
            [("mail_message_id", "=", reminder.message_id.id)]
        )
        mail.write({"state": "exception", "failure_type": "mail_smtp"})
        self._deliver(reminder, "exception")
        self.assertEqual(reminder.state, "failed")
        reminder.with_user(self.alice).unlink()
        self.assertFalse(reminder.exists())
        self.assertEqual(mail.state, "cancel")

    # --- cancelling -----------------------------------------------------------

    def _cancel(self, reminders, reason, user=None):
        """Cancel by the dialog, as the button of the list does."""
        action = reminders.with_user(user or self.alice).action_cancel()
        self.env[action["res_model"]].with_user(user or self.alice).with_context(
            **action["context"]
        ).create({"reason": reason}).action_apply()

    def test_cancelling_needs_a_reason_and_keeps_the_reminder(self):
        reminder = self._remind(self.order, note="Note")
        for reason in ("", "  \n "):
            with self.assertRaisesRegex(UserError, "Say why"):
                reminder.with_user(self.alice)._cancel(reason)
        self._cancel(reminder, " Sent to the wrong customer ")
        self.assertEqual(reminder.state, "cancelled")
        self.assertEqual(reminder.cancel_reason, "Sent to the wrong customer")
        self.assertEqual(reminder.note, "Note")
        self.assertTrue(reminder.message_id)

    def test_cancelling_several_cancels_what_is_not_yet(self):
        first, second = (
            self._remind(self.order, channel="phone") for _number in range(2)
        )
        self._cancel(first, "First")
        self._cancel(first | second, "Both")
        self.assertEqual(first.cancel_reason, "First")
        self.assertEqual(second.cancel_reason, "Both")

    def test_an_email_in_the_queue_is_not_sent_any_more(self):
        reminder = self._remind(self.order)
        mail = self.env["mail.mail"].search(
            [("mail_message_id", "=", reminder.message_id.id)]
        )
        self.assertEqual(mail.state, "outgoing")
        self._cancel(reminder, "Customer has called")
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(
            reminder.message_id.notification_ids.notification_status, "canceled"
        )
        self.assertEqual(reminder.state, "cancelled")
        self.assertNotIn(
            mail,
            mail.search([("state", "=", "outgoing")]),
        )
        # what becomes of it later revives nothing
        self._deliver(reminder, "sent")
        self.assertEqual(reminder.state, "cancelled")
        with self.assertRaises(UserError):
            reminder.with_user(self.alice).action_retry()

    def test_a_cancelled_reminder_is_not_the_last(self):
        first = self._remind(self.order, channel="phone")
        second = self._remind(self.order)
        self.assertEqual(self.order.followup_last_reminder_id, second)
        self._cancel(second, "Wrong")
        self.assertEqual(self.order.followup_last_reminder_id, first)
        self.assertFalse(second.is_last)
        self._cancel(first, "Wrong, too")
        self.assertFalse(self.order.followup_last_reminder_id)
        self.assertFalse(self.order.followup_last_date)

    # --- deleting documents ---------------------------------------------------

    def test_a_document_with_a_sent_reminder_is_cancelled_not_deleted(self):
        invoice = self._create_invoice(self.customer, invoice_user_id=self.alice.id)
        quotation = self._create_order(self.customer, user_id=self.alice.id)
        for document in (quotation, invoice):
            reminder = self._remind(document)
            self._deliver(reminder, "sent")
            with self.subTest(document=document):
                for user in (self.manager, self.env.user):
                    with self.assertRaisesRegex(UserError, "cancel instead"):
                        document.with_user(user).unlink()
                    with self.assertRaisesRegex(UserError, "cancel instead"):
                        # of several, too
                        (document.copy() | document).with_user(user).unlink()
                cancel = (
                    getattr(document, "action_cancel", None) or document.button_cancel
                )
                cancel()
                self.assertEqual(document.state, "cancel")
                with self.assertRaisesRegex(UserError, "cancel instead"):
                    document.with_user(self.manager).unlink()

    def test_a_letter_or_a_cancelled_reminder_keeps_the_document_too(self):
        quotation = self._create_order(self.customer)
        self._print(quotation)
        with self.assertRaisesRegex(UserError, "cancel instead"):
            quotation.with_user(self.manager).unlink()
        other = self._create_order(self.customer, user_id=self.alice.id)
        self._cancel(self._remind(other), "Wrong")
        with self.assertRaisesRegex(UserError, "cancel instead"):
            other.with_user(self.manager).unlink()

    def test_who_sees_no_reminders_cannot_delete_it_either(self):
        seller = self._create_user("seller", "sales_team.group_sale_manager")
        quotation = self._create_order(self.customer, user_id=self.alice.id)
        self._remind(quotation)
        with self.assertRaisesRegex(UserError, "cancel instead"):
            quotation.with_user(seller).unlink()

    def test_a_document_with_logs_only_is_deleted_with_them(self):
        invoice = self._create_invoice(self.customer, invoice_user_id=self.alice.id)
        quotation = self._create_order(self.customer, user_id=self.alice.id)
        for document in (quotation, invoice):
            with self.subTest(document=document):
                log = self._remind(document, channel="phone")
                activities = document.activity_ids
                self.assertTrue(activities)
                document.with_user(self.manager).unlink()
                self.assertFalse(document.exists())
                self.assertFalse(log.exists())
                self.assertFalse(activities.exists())

    def test_a_customer_with_reminders_is_not_deleted(self):
        reminder = self._remind(self.order, channel="phone")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.customer.unlink()
        self.assertEqual(reminder.partner_id, self.customer)

    # --- merging customers ----------------------------------------------------

    def _merge(self, kept, *others):
        self.env["base.partner.merge.automatic.wizard"].with_user(self.clerk).create(
            {
                "partner_ids": [Command.set(kept.union(*others).ids)],
                "dst_partner_id": kept.id,
                "state": "selection",
            }
        ).action_merge()
        self.env.invalidate_all()
        self.assertFalse(self.env["res.partner"].union(*others).exists())

    def test_merging_customers_keeps_their_reminders(self):
        kept = self._create_customer(self.alice, email=self.customer.email)
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        self.customer.followup_contact_id = contact
        self.order.followup_contact_id = contact
        reminders = self._remind(self.order) | self._remind(
            self._create_quotation(kept, user_id=self.alice.id), channel="phone"
        )
        self.customer.write(
            {"followup_exclude": True, "followup_pause_until": "2031-02-01"}
        )
        kept.followup_pause_until = "2031-01-01"
        self._merge(kept, self.customer)
        self.assertEqual(kept.followup_reminder_ids, reminders)
        self.assertEqual(kept.followup_reminder_count, 2)
        self.assertEqual(reminders.partner_id, kept)
        self.assertEqual(self.order.followup_reminder_ids.contact_id, contact)
        self.assertEqual(kept.followup_contact_id, contact)
        self.assertEqual(self.order.followup_contact_id, contact)
        self.assertTrue(kept.followup_exclude)
        self.assertEqual(kept.followup_pause_until, date(2031, 2, 1))
        self.assertEqual(contact.parent_id, kept)

    def test_merging_keeps_the_longer_pause_of_the_kept_customer(self):
        kept = self._create_customer(
            email=self.customer.email, followup_pause_until="2031-05-01"
        )
        self.customer.followup_pause_until = "2031-02-01"
        self._merge(kept, self.customer)
        self.assertEqual(kept.followup_pause_until, date(2031, 5, 1))

    def test_merging_contacts_keeps_who_got_the_reminder(self):
        former, kept = (
            self._create_contact(self.customer, email="c@customer.example.com")
            for _number in range(2)
        )
        self.customer.followup_contact_id = former
        reminder = self._remind(self.order)
        self.assertEqual(reminder.contact_id, former)
        self._merge(kept, former)
        self.assertEqual(reminder.contact_id, kept)
        self.assertEqual(reminder.partner_id, self.customer)
        self.assertEqual(self.customer.followup_contact_id, kept)
        self.assertEqual(reminder.message_id.notification_ids.res_partner_id, kept)

    def test_a_customer_who_becomes_a_contact_brings_the_reminders_along(self):
        person = self._create_customer(self.alice, is_company=False)
        reminder = self._remind(
            self._create_quotation(person, user_id=self.alice.id), channel="phone"
        )
        person.parent_id = self.customer
        self.env.invalidate_all()
        self.assertEqual(reminder.partner_id, person)
        for partner in (person, self.customer):
            partner = partner.with_user(self.alice)
            self.assertEqual(partner.followup_reminder_count, 1)
            action = partner.action_followup_reminders()
            self.assertEqual(reminder.search(action["domain"]), reminder)

    # --- anonymising ----------------------------------------------------------

    def _write_about_a_person(self):
        """Make one reminder of each kind, all telling of Mrs Secret."""
        contact = self._create_contact(
            self.customer, name="Mrs Secret", email="secret@customer.example.com"
        )
        template = self._get_template(self.order)
        template.email_body = "<p>Dear Mrs Secret</p>"
        template.subject = "To Mrs Secret"
        values = {"contact_id": contact.id, "note": "Secret: her dog is called Rex"}
        email = self._remind(self.order, **values)
        call = self._remind(self.order, channel="phone", **values)
        letter = self._print(self.order)
        letter.write(values)
        failed = self._remind(self.order, **values)
        self.env["mail.mail"].search(
            [("mail_message_id", "=", failed.message_id.id)]
        ).write({"state": "exception", "failure_reason": "No secret@customer here"})
        failed.message_id.notification_ids.write(
            {
                "notification_status": "exception",
                "failure_type": "unknown",
                "failure_reason": "No secret@customer.example.com here",
            }
        )
        answer = self.order.message_post(
            body="I am Mrs Secret",
            author_id=contact.id,
            email_from="secret@customer.example.com",
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            attachments=[("secret.pdf", b"%PDF-1.4 Mrs Secret")],
        )
        email.answer_id = answer
        done = self._remind(self.order, channel="phone", **values)
        self.order.activity_ids.action_feedback(feedback="Mrs Secret was out")
        return contact, email | call | letter | failed | done

    def _find_secrets(self, documents):
        """Return where on documents Mrs Secret is still told of."""
        self.env.flush_all()
        reminders = documents.followup_reminder_ids
        messages = self.env["mail.message"].search(
            [("model", "=", documents._name), ("res_id", "in", documents.ids)]
        )
        mails = self.env["mail.mail"].search([("mail_message_id", "in", messages.ids)])
        activities = (
            self.env["mail.activity"]
            .with_context(active_test=False)
            .search(
                [("res_model", "=", documents._name), ("res_id", "in", documents.ids)]
            )
        )
        files = self.env["ir.attachment"].search(
            [
                "|",
                ("id", "in", reminders.attachment_id.ids),
                "&",
                ("res_model", "=", documents._name),
                ("res_id", "in", documents.ids),
            ]
        )
        texts = {
            **{reminder: reminder.read()[0] for reminder in reminders},
            **{
                message: message.read(
                    [
                        "body",
                        "subject",
                        "email_from",
                        "incoming_email_to",
                        "partner_ids",
                        "notified_partner_ids",
                    ]
                )
                for message in messages
            },
            **{mail: mail.read(["body_html", "email_to", "headers"]) for mail in mails},
            **{
                activity: activity.read(["note", "summary", "feedback"])
                for activity in activities
            },
            **{file: file.raw for file in files},
        }
        return [
            record for record, text in texts.items() if "secret" in str(text).lower()
        ]

    def test_anonymising_takes_away_what_was_written(self):
        contact, reminders = self._write_about_a_person()
        self.assertTrue(self._find_secrets(self.order))
        kept = {
            reminder: reminder.read(["name", "date", "state", "channel", "amount"])
            for reminder in reminders
        }
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.env.invalidate_all()
        self.assertEqual(self._find_secrets(self.order), [])
        self.assertFalse(reminders.contact_id)
        self.assertFalse(reminders.attachment_id)
        self.assertFalse(
            self.env["mail.notification"].search([("res_partner_id", "=", contact.id)])
        )
        for reminder, values in kept.items():
            self.assertEqual(
                reminder.read(["name", "date", "state", "channel", "amount"]), values
            )
        self.assertFalse(
            self.env["mail.mail"].search(
                [
                    ("mail_message_id", "in", reminders.message_id.ids),
                    ("state", "in", ("outgoing", "exception")),
                ]
            )
        )

    def test_anonymising_leaves_files_of_documents_and_templates(self):
        template = self._get_template(self.order)
        flyer, contract = self.env["ir.attachment"].create(
            [
                {
                    "name": "flyer.pdf",
                    "raw": b"%PDF-1.4 flyer",
                    "mimetype": "application/pdf",
                    "res_model": "mail.template",
                    "res_id": template.mail_template_id.id,
                },
                {
                    "name": "contract.pdf",
                    "raw": b"%PDF-1.4 contract",
                    "mimetype": "application/pdf",
                    "res_model": "sale.order",
                    "res_id": self.order.id,
                },
            ]
        )
        template.mail_template_id.attachment_ids = flyer
        self.env.company.followup_attach_files = True
        reminder = self._remind(self.order)
        self.assertEqual(
            set(reminder.message_id.attachment_ids.mapped("name")),
            {"flyer.pdf", "contract.pdf"},
        )
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertTrue(flyer.exists())
        self.assertTrue(contract.exists())

    def test_anonymising_leaves_other_customers_alone(self):
        other = self._create_customer(self.alice, email="other@customer.example.com")
        reminder = self._remind(
            self._create_quotation(other, user_id=self.alice.id), note="Other"
        )
        self._remind(self.order, note="Ours")
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertEqual(reminder.note, "Other")
        self.assertIn("what about", str(reminder.message_id.body))

    def test_only_managers_anonymise(self):
        reminder = self._remind(self.order, note="Note")
        for user in (self.alice, self.clerk):
            with self.subTest(user=user.login):
                with self.assertRaisesRegex(UserError, "Only follow-up managers"):
                    self.customer.with_user(user).action_followup_anonymize()
        self.assertEqual(reminder.note, "Note")
        action = self.env.ref("sales_followup.res_partner_action_anonymize")
        self.assertEqual(action.group_ids, self.env.ref("sales_followup.group_manager"))

    def test_anonymising_asks_first(self):
        reminder = self._remind(self.order, note="Note")
        contact = self._create_contact(self.customer)
        action = (
            self.env.ref("sales_followup.res_partner_action_anonymize")
            .with_user(self.manager)
            .with_context(active_model="res.partner", active_ids=contact.ids)
            .run()
        )
        self.assertEqual(reminder.note, "Note")
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.manager)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(wizard.partner_ids, contact)
        self.assertEqual(wizard.reminder_count, 1)
        wizard.action_apply()
        self.assertFalse(reminder.note)
        with self.assertRaises(AccessError):
            self.env[action["res_model"]].with_user(self.alice).create({})

    def test_nothing_more_is_sent_after_anonymising(self):
        later = fields.Date.today() + timedelta(days=3)
        reminder = self._remind(self.order, next_date=later)
        self.customer.with_user(self.manager).action_followup_anonymize()
        self.assertEqual(self.order.followup_next_date, later)
        with self.assertRaises(UserError):
            reminder.with_user(self.alice).action_retry()
