from odoo import Command
from odoo.tests import tagged

from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestInstalments(AutomaticCommon):
    """An invoice in instalments: what is due, everywhere, and one after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.levels = cls._create_levels(
            0,
            7,
            code="customer_invoice",
            email_body="<p>Due <t t-out='object.followup_due_date'/>: "
            "<t t-out='object.followup_due_amount'/></p>",
        )
        cls.first, cls.second = cls.levels
        cls.term = cls.env["account.payment.term"].create(
            {
                "name": "In three parts",
                "line_ids": [
                    Command.create(
                        {
                            "value": "percent",
                            "value_amount": share,
                            "nb_days": days,
                            "delay_type": "days_after",
                        }
                    )
                    for share, days in ((30, 10), (30, 40), (40, 70))
                ],
            }
        )
        cls.invoice = cls._create_invoice(
            cls.customer,
            post=True,
            price_unit=1000,
            invoice_date=cls._day(-12),
            invoice_payment_term_id=cls.term.id,
            invoice_user_id=cls.alice.id,
        )

    def _pay(self, amount):
        """Book a payment and match it with the earliest instalments."""
        accounts, journals = self.accounting[self.env.company]
        move = self.env["account.move"].create(
            {
                "journal_id": journals["sale"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": accounts["sale"].id,
                            "partner_id": self.customer.id,
                            "debit": amount,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": accounts["receivable"].id,
                            "partner_id": self.customer.id,
                            "credit": amount,
                        }
                    ),
                ],
            }
        )
        move.action_post()
        lines = (self.invoice | move).line_ids
        lines.filtered(
            lambda line: (
                line.account_id == accounts["receivable"] and not line.reconciled
            )
        ).reconcile()
        self.env.invalidate_all()

    def assertDue(self, day, due, total):
        self.assertEqual(self.invoice.followup_due_date, self._day(day))
        self.assertAlmostEqual(self.invoice.followup_due_amount, due)
        self.assertAlmostEqual(self.invoice.followup_open_amount, total)

    def test_due_is_what_fell_due(self):
        self.assertDue(-2, 300, 1000)
        self._pay(100)
        self.assertDue(-2, 200, 900)
        self._pay(200)
        self.assertDue(28, 300, 700)
        self._stand_still(30)
        self.env.invalidate_all()
        self.assertDue(28, 300, 700)
        self._stand_still(60)
        self.env.invalidate_all()
        self.assertDue(28, 700, 700)

    def test_verdict_texts_letter_and_lists_say_the_same(self):
        facts = self.env["sales.followup.facts"]._fetch(self.invoice)
        self.assertEqual(facts[self.invoice][0].due_date, self._day(-2))
        _subject, body = self.first._render_email({self.invoice.id: "en_US"})[
            self.invoice.id
        ]
        self.assertIn("2026-03-08: 300.0", body)
        letter = self.env["sales.followup.letter.content"]
        values = dict(letter._get_invoice_facts(self.invoice))
        self.assertEqual(values["Due date"], "03/08/2026")
        self.assertIn("300.00", values["Amount due"])
        self.assertIn("1,000.00", values["Total"])
        run = self.env["sales.followup.run"].with_user(self.alice).create({})
        run.action_propose()
        line = run.line_ids.filtered(lambda line: line.move_id == self.invoice)
        self.assertEqual(line.due_date, self._day(-2))
        self.assertEqual(line.late_days, 2)
        head = self.env["sales.followup.emailer"]._get_subtitles(self.invoice, "en_US")
        self.assertIn("300.00", head[1])

    def test_next_instalment_starts_at_the_first_level(self):
        self._run()
        self._run_on(7)
        self.assertSent(self.invoice, self.first, self.second)
        self._stand_still(8)
        self._pay(300)
        self._run_on(27)
        self.assertSent(self.invoice, self.first, self.second)
        self._run_on(28)
        self._run_on(35)
        self.assertSent(self.invoice, self.first, self.second, self.first, self.second)

    def test_part_of_an_instalment_is_no_new_start(self):
        self._run()
        self._pay(100)
        self._run_on(7)
        self.assertSent(self.invoice, self.first, self.second)

    def test_later_instalment_paid_first_is_no_new_start(self):
        self._run()
        cycle = self.invoice.followup_cycle
        accounts = self.accounting[self.env.company][0]
        last = self.invoice.line_ids.filtered(
            lambda line: line.date_maturity == self._day(58)
        )
        refund = self._create_invoice(
            self.customer, "out_refund", post=True, price_unit=400
        )
        (
            last
            | refund.line_ids.filtered(
                lambda line: line.account_id == accounts["receivable"]
            )
        ).reconcile()
        self.assertTrue(last.reconciled)
        self.assertEqual(self.invoice.followup_cycle, cycle)

    # --- corrections ------------------------------------------------------------

    def test_corrected_invoice_goes_on_where_it_was(self):
        self._run()
        self.invoice.button_draft()
        self.invoice.action_post()
        self._run()
        self.assertSent(self.invoice, self.first)
        self._run_on(7)
        self.assertSent(self.invoice, self.first, self.second)

    def test_correction_does_not_handle_what_the_customer_answered(self):
        self._run()
        self._answer(self.invoice)
        self.invoice.button_draft()
        self.invoice.action_post()
        self._run_on(7)
        self.assertSent(self.invoice, self.first)

    def test_quotation_sent_again_starts_anew(self):
        levels = self._create_levels(0)
        order = self._create_due()
        self._run()
        order.action_cancel()
        order.action_draft()
        order.action_quotation_sent()
        self._run_on(1)
        self.assertSent(order, *levels, *levels)
