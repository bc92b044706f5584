import re
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ..common_documents import DocumentsCommon


class DigestCommon(DocumentsCommon):
    """What each representative was told, in the words of the digest's tests."""

    @classmethod
    def default_env_context(cls):
        # messages and mails are what these tests are about
        return {"no_reset_password": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)

    def setUp(self):
        super().setUp()
        self._start_listening()

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_carols_orders(cls, number, **values):
        return cls.env["sale.order"].create(
            [
                {
                    "partner_id": cls.customer.id,
                    "user_id": cls.carol.id,
                    "followup_rep_ids": [Command.set(cls.carol.ids)],
                    **values,
                }
            ]
            * number
        )

    def _assign(self, partners, *users, user=None):
        wizard = (
            self.env["sales.followup.assign"]
            .with_user(user or self.editor)
            .create(
                {
                    "partner_ids": [Command.set(partners.ids)],
                    "operation": "assign",
                    "user_ids": [Command.set([user.id for user in users])],
                }
            )
        )
        wizard.action_apply()
        return wizard.change_id

    # --- what was sent ----------------------------------------------------------

    def _start_listening(self):
        """Forget what was sent so far."""
        self.env.flush_all()
        messages = self.env["mail.message"].search([], order="id desc", limit=1)
        mails = self.env["mail.mail"].search([], order="id desc", limit=1)
        self.heard = (messages.id, mails.id)

    def _get_notified(self):
        """Return the notifications sent: user → messages."""
        messages = self.env["mail.message"].search(
            [
                ("id", ">", self.heard[0]),
                ("message_type", "=", "user_notification"),
            ]
        )
        return {
            user: messages.filtered(
                lambda message, user=user: user.partner_id in message.partner_ids
            )
            for user in messages.partner_ids.user_ids
        }

    def _get_digest(self, user):
        """Return the only notification that a user got."""
        message = self._get_notified().get(user, self.env["mail.message"])
        self.assertEqual(len(message), 1, f"notifications of {user.login}")
        return message

    def _get_links(self, message, model):
        """Return the ids of the records of a model that a digest links, in order."""
        pattern = rf"/mail/view\?model={re.escape(model)}&amp;res_id=(\d+)"
        return [int(number) for number in re.findall(pattern, message.body)]

    def assertCounts(self, message, **counts):
        """Assert the counts per type that a digest tells, and no more of them."""
        found = re.findall(r"<strong>([^<]*)</strong>: (\d+)", message.body)
        expected = {name.replace("_", " "): count for name, count in counts.items()}
        self.assertEqual({name: int(count) for name, count in found}, expected)


@tagged("post_install", "-at_install")
class TestDigest(DigestCommon):
    def test_each_new_representative_gets_one_notification_for_the_whole_change(self):
        orders = self._create_carols_orders(3)
        confirmed = self._create_carols_orders(2)
        confirmed.write({"state": "sale"})
        invoice = self._create_invoice(
            self.customer,
            invoice_user_id=self.carol.id,
            followup_rep_ids=[Command.set(self.carol.ids)],
        )
        self._start_listening()
        self._propagate(self.customer)
        self.assertEqual(set(self._get_notified()), {self.alice, self.bob})
        for user in (self.alice, self.bob):
            message = self._get_digest(user)
            self.assertEqual(message.author_id, self.editor.partner_id)
            self.assertCounts(
                message, Quotations=3, Sales_Orders=2, Customer_Invoices=1
            )
            self.assertEqual(
                set(self._get_links(message, "sale.order")),
                set((orders | confirmed).ids),
            )
            self.assertEqual(self._get_links(message, "account.move"), invoice.ids)
            self.assertIn(orders[0].display_name, message.body)

    def test_one_mail_goes_to_each_of_them_and_none_for_any_document(self):
        self._create_carols_orders(3)
        self._start_listening()
        self._propagate(self.customer)
        mails = self.env["mail.mail"].search([("id", ">", self.heard[1])])
        self.assertEqual(
            sorted(mail for m in mails for mail in m.recipient_ids.mapped("email")),
            ["alice@example.com", "bob@example.com"],
        )

    def test_none_for_any_document_where_written_through_the_orm(self):
        self._create_carols_orders(3)
        self._start_listening()
        writer = type(self.env["sales.followup.rep.writer.sql"])
        with patch.object(writer, "_get_obstacle", lambda self, target: "for a test"):
            self._propagate(self.customer)
        self.assertEqual(set(self._get_notified()), {self.alice, self.bob})
        for user in (self.alice, self.bob):
            self.assertCounts(self._get_digest(user), Quotations=3)
        mails = self.env["mail.mail"].search([("id", ">", self.heard[1])])
        self.assertEqual(
            sorted(mail for m in mails for mail in m.recipient_ids.mapped("email")),
            ["alice@example.com", "bob@example.com"],
        )

    def test_at_most_twenty_records_are_linked_and_all_are_counted(self):
        self._create_carols_orders(25)
        self._start_listening()
        self._propagate(self.customer)
        message = self._get_digest(self.alice)
        self.assertCounts(message, Quotations=25)
        self.assertEqual(len(self._get_links(message, "sale.order")), 20)

    def test_twenty_links_are_those_of_all_types_together(self):
        self._create_carols_orders(18)
        self._create_carols_orders(7).write({"state": "sale"})
        self._start_listening()
        self._propagate(self.customer)
        message = self._get_digest(self.alice)
        self.assertCounts(message, Quotations=18, Sales_Orders=7)
        self.assertEqual(len(self._get_links(message, "sale.order")), 20)

    def test_who_did_it_gets_none(self):
        customer = self._create_customer(self.editor, self.bob)
        self._create_carols_orders(1, partner_id=customer.id)
        self._start_listening()
        self._propagate(customer)
        self.assertEqual(set(self._get_notified()), {self.bob})

    def test_who_was_in_charge_before_and_who_left_get_none(self):
        self._create_carols_orders(
            1, followup_rep_ids=[Command.set((self.alice | self.carol).ids)]
        )
        self._create_carols_orders(1, user_id=self.alice.id)
        self._start_listening()
        change = self._assign(self.customer, self.alice, self.bob)
        self.assertFalse(change)
        self.assertFalse(self._get_notified())
        self._propagate(self.customer)
        self.assertNotIn(self.carol, self._get_notified())

    def test_new_representative_is_told_only_what_is_new(self):
        followed = self._create_carols_orders(
            1, followup_rep_ids=[Command.set((self.bob | self.carol).ids)]
        )
        new = self._create_carols_orders(1)
        self._start_listening()
        self._propagate(self.customer)
        message = self._get_digest(self.bob)
        self.assertCounts(message, Quotations=1)
        self.assertEqual(self._get_links(message, "sale.order"), new.ids)
        self.assertReps(followed, self.alice, self.bob)

    def test_document_left_alone_is_not_in_the_digest(self):
        order, changed = self._create_carols_orders(2)
        wizard = self._preview(self.customer)
        changed.followup_rep_ids = self.editor
        self._start_listening()
        wizard.action_apply()
        message = self._get_digest(self.alice)
        self.assertCounts(message, Quotations=1)
        self.assertEqual(self._get_links(message, "sale.order"), order.ids)

    def test_customers_are_counted_and_linked(self):
        contact = self._create_contact(self.customer)
        self._start_listening()
        self._assign(self.customer, self.carol)
        self.assertEqual(set(self._get_notified()), {self.carol})
        message = self._get_digest(self.carol)
        self.assertCounts(message, Customers=2)
        self.assertEqual(
            set(self._get_links(message, "res.partner")), {self.customer.id, contact.id}
        )

    def test_documents_that_the_representative_may_not_see_are_not_named(self):
        clerk = self._create_user("office_clerk")
        customer = self._create_customer(clerk)
        order = self._create_carols_orders(1, partner_id=customer.id)
        self._start_listening()
        self._propagate(customer)
        message = self._get_digest(clerk)
        self.assertCounts(message, Quotations=1)
        self.assertFalse(self._get_links(message, "sale.order"))
        self.assertNotIn(order.name, message.body)

    def test_undo_tells_those_who_are_in_charge_again_once(self):
        orders = self._create_carols_orders(3)
        change = self._propagate(self.customer)
        self._start_listening()
        change.action_undo()
        self.assertEqual(set(self._get_notified()), {self.carol})
        message = self._get_digest(self.carol)
        self.assertCounts(message, Quotations=3)
        self.assertEqual(set(self._get_links(message, "sale.order")), set(orders.ids))
        self.assertIn("again", message.body)
        self._start_listening()
        change.action_undo()
        self.assertFalse(self._get_notified())

    def test_undo_tells_nothing_of_what_it_kept(self):
        order = self._create_carols_orders(1)
        change = self._propagate(self.customer)
        order.write(
            {
                "user_id": self.editor.id,
                "followup_rep_ids": [Command.set(self.editor.ids)],
            }
        )
        self._start_listening()
        change.action_undo()
        self.assertFalse(self._get_notified())

    def test_archived_representative_who_returns_by_undo_gets_none(self):
        self._create_carols_orders(1)
        change = self._propagate(self.customer)
        self.carol.active = False
        self._start_listening()
        change.action_undo()
        self.assertFalse(self._get_notified())

    def test_digest_is_in_the_language_of_the_representative(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self._type("quotation").with_context(lang="fr_FR").name = "Devis français"
        self.alice.lang = "fr_FR"
        self._create_carols_orders(1)
        self._start_listening()
        self._propagate(self.customer)
        self.assertIn("Devis français", self._get_digest(self.alice).body)
        self.assertCounts(self._get_digest(self.bob), Quotations=1)

    def test_representative_of_another_company_is_told_too(self):
        second = self.env["res.company"].create({"name": "Second Company"})
        self.env.user.company_ids += second
        (self.editor | self.carol).company_ids += second
        stranger = self._create_salesperson(
            "stranger", company_id=second.id, company_ids=[Command.set(second.ids)]
        )
        customer = self._create_customer(self.alice, stranger)
        order = self._create_carols_orders(
            1, partner_id=customer.id, company_id=second.id
        )
        self._start_listening()
        self._propagate(customer)
        self.assertEqual(set(self._get_notified()), {stranger})
        message = self._get_digest(stranger)
        self.assertEqual(self._get_links(message, "sale.order"), order.ids)
