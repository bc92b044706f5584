from odoo import Command
from odoo.tests import tagged

from odoo.addons.sales_followup.rules.verdict import Code, Mode

from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestTooEarly(AutomaticCommon):
    """What a person hears before they chase what is not to be chased yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for code in ("quotation", "sale_order", "customer_invoice"):
            series = cls._create_series(code)
            for _number in range(2):
                cls._create_template(code, series)

    def _codes(self, document, mode=Mode.MANUAL):
        judge = self.env["sales.followup.judge"]
        return judge._judge(document, mode=mode)[document].verdict.codes

    def assertTooEarly(self, document, code, *words):
        """Assert that dialog and bulk say so, that a bulk line waits, and that it may
        be overruled."""
        for mode in (Mode.MANUAL, Mode.BULK):
            self.assertEqual(self._codes(document, mode), {code})
        dialog = self._open_remind(document, template_id=self._suggested(document).id)
        line = self._propose_line(document)
        self.assertEqual(line.channel, "none")
        for word in words:
            self.assertIn(word, dialog.warning)
            self.assertIn(word, line.reason)
        dialog.action_apply()
        self.assertEqual(dialog.reminder_id.state, "outgoing")

    def _suggested(self, document):
        judge = self.env["sales.followup.judge"]
        return judge._judge(document, mode=Mode.MANUAL)[document].template

    def _propose_line(self, document):
        run = self.env["sales.followup.run"].with_user(self.alice).create({})
        run.action_propose()
        link = run.line_ids._get_document_field(document._name)
        return run.line_ids.filtered(lambda line: line[link] == document)

    def _create_sold_invoice(self, **values):
        return self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id, **values
        )

    # --- what is not due yet ----------------------------------------------------

    def test_planned_next_date_is_still_to_come(self):
        order = self._create_due()
        self._remind(order, channel="phone", next_date=self._day(5))
        self.assertTooEarly(order, Code.PLANNED, "planned", "03/15/2026")

    def test_planned_next_date_has_come(self):
        order = self._create_due()
        self._remind(order, channel="phone", next_date=self._day(0))
        self.assertFalse(self._codes(order))

    def test_level_right_after_another_one(self):
        order = self._create_due()
        self._remind(order, template_id=self._suggested(order).id, next_date=False)
        self.assertTooEarly(order, Code.NOT_DUE, "03/11/2026")

    def test_day_of_the_level_is_still_to_come(self):
        order = self._create_due()
        self._suggested(order).write({"trigger": "due_date", "offset_days": 3})
        self.assertTooEarly(order, Code.NOT_DUE, "03/13/2026")

    def test_payment_is_not_due_yet(self):
        invoice = self._create_sold_invoice(invoice_date_due=self._day(9))
        self.assertTooEarly(invoice, Code.PAYMENT_NOT_DUE, "03/19/2026")

    def test_payment_due_today_may_be_asked_for(self):
        invoice = self._create_sold_invoice(invoice_date_due=self._day(0))
        self.assertFalse(self._codes(invoice))

    # --- orders -----------------------------------------------------------------

    def test_order_waits_for_us(self):
        order = self._create_order(self.customer, state="sale", require_payment=False)
        self.assertTooEarly(order, Code.WAITS_FOR_US, "nothing to confirm or to pay")

    def test_delivery_is_still_to_come(self):
        order = self._create_order(
            self.customer,
            state="sale",
            require_payment=True,
            commitment_date=f"{self._day(4)} 08:00:00",
        )
        self.assertTooEarly(order, Code.DELIVERY_TO_COME, "03/14/2026")

    def test_order_to_be_paid_in_advance_may_be_chased(self):
        order = self._create_order(self.customer, state="sale", require_payment=True)
        self.assertFalse(self._codes(order))

    # --- three launches within a minute -----------------------------------------

    def test_second_launch_sends_nothing(self):
        order = self._create_due()
        line = self._propose_line(order)
        self.assertEqual(line.channel, "email")
        self._remind(order, template_id=line.template_id.id)
        again = self._propose_line(order)
        self.assertEqual(again.channel, "none")
        self.assertIn("planned", again.reason)

    # --- what the customer has with us ------------------------------------------

    def test_open_credit_note_covers_the_invoice(self):
        invoice = self._create_sold_invoice()
        self._create_invoice(self.customer, "out_refund", post=True)
        for mode in Mode:
            self.assertIn(Code.COVERED, self._codes_of(invoice, mode))
        self.assertTooEarly(invoice, Code.COVERED, "100.00")

    def _codes_of(self, document, mode):
        template = self._suggested(document)
        judge = self.env["sales.followup.judge"]
        judged = judge._judge(document, mode=mode, templates={document: template})
        return judged[document].verdict.codes

    def test_credit_that_is_too_small_covers_nothing(self):
        invoice = self._create_sold_invoice()
        self._create_invoice(self.customer, "out_refund", post=True, price_unit=99)
        self.assertFalse(self._codes(invoice))

    def test_credit_covers_the_oldest_invoice_only(self):
        new = self._create_sold_invoice(invoice_date_due=self._day(-1))
        old = self._create_sold_invoice(invoice_date_due=self._day(-9))
        self._create_invoice(self.customer, "out_refund", post=True)
        self.assertIn(Code.COVERED, self._codes(old))
        self.assertFalse(self._codes(new))

    def test_credit_of_another_customer_covers_nothing(self):
        invoice = self._create_sold_invoice()
        other = self._create_customer(self.alice, name="Other")
        self._create_invoice(other, "out_refund", post=True)
        self.assertFalse(self._codes(invoice))

    def test_payment_that_is_not_matched_covers_the_invoice(self):
        invoice = self._create_sold_invoice()
        self._book_payment(self.customer, 100)
        self.assertIn(Code.COVERED, self._codes(invoice))

    def _book_payment(self, customer, amount):
        accounts, journals = self.accounting[self.env.company]
        bank = self.env["account.account"].create(
            {"name": "Bank", "code": "FUBANK", "account_type": "asset_cash"}
        )
        line = {"partner_id": customer.id}
        move = self.env["account.move"].create(
            {
                "journal_id": journals["sale"].id,
                "move_type": "entry",
                "line_ids": [
                    Command.create({**line, "account_id": bank.id, "debit": amount}),
                    Command.create(
                        {
                            **line,
                            "account_id": accounts["receivable"].id,
                            "credit": amount,
                        }
                    ),
                ],
            }
        )
        move.action_post()
        return move
