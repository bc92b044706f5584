from random import Random

from freezegun import freeze_time

from odoo import Command
from odoo.fields import Date
from odoo.tests import tagged

from ..common_automatic import AutomaticCommon

#: the same documents every time; a failure names it
SEED = 19

#: how many documents of each kind there are
COUNT = 40

#: moments at which days begin somewhere, and others
TIMES = ("00:00:00", "09:59:59", "10:00:00", "10:59:59", "12:30:00", "23:59:59")
ZONES = (
    "Pacific/Pago_Pago",  # UTC-11
    "America/New_York",
    "UTC",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Pacific/Kiritimati",  # UTC+14
)


@tagged("post_install", "-at_install")
class TestCandidates(AutomaticCommon):
    """What the database selects is no less than what the verdict sends.

    Documents, levels, reminders and clocks are thrown with dice, near the edges.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dice = Random(SEED)
        cls.customers = cls.env["res.partner"].create(
            [
                {"name": f"Customer {number}", "email": f"c{number}@c.example.com"}
                for number in range(6)
            ]
        )

    # --- dice -------------------------------------------------------------------

    def _throw_day(self, first=-8, last=8):
        return self._day(self.dice.randint(first, last))

    def _throw_moment(self):
        return f"{self._throw_day()} {self.dice.choice(TIMES)}"

    def _throw_levels(self, code):
        """Create series of automatic levels; some follow a filter."""
        for _number in range(3):
            partner_id = self.dice.choice(self.customers).id
            series = self._create_series(
                code,
                sequence=self.dice.randint(-9, -1),
                domain=self.dice.choice(["[]", f"[('partner_id', '=', {partner_id})]"]),
            )
            for _level in range(self.dice.randint(1, 3)):
                self._create_level(
                    self.dice.randint(-4, 4) or 1,
                    self.dice.choice(["due_date", "document_date", "due_date"]),
                    code=code,
                    series=series,
                    active_from=self.dice.choice(["2020-01-01", self._throw_day()]),
                    min_amount=self.dice.choice([0, 0, 100]),
                )
            self._create_level(
                self.dice.randint(1, 4), "previous", code=code, series=series
            )

    def _throw_quotations(self):
        orders = self.env["sale.order"].create(
            [
                {
                    "partner_id": self.dice.choice(self.customers).id,
                    "date_order": self._throw_moment(),
                    "order_line": [
                        Command.create(
                            {"name": "Work", "price_unit": self.dice.choice([99, 100])}
                            | {"product_id": self.product.id}
                        )
                    ],
                }
                for _number in range(COUNT)
            ]
        )
        for order in orders:
            order.validity_date = self.dice.choice([False, *[self._throw_day()] * 9])
        orders.state = "sent"
        return orders

    def _throw_orders(self):
        orders = self._throw_quotations()
        # as confirming does, which would set the date
        orders.state = "sale"
        for order in orders:
            order.commitment_date = self.dice.choice([False, self._throw_moment()])
        return orders

    def _throw_invoices(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Three",
                "line_ids": [
                    Command.create(
                        {
                            "value": "percent",
                            "value_amount": share,
                            "nb_days": days,
                            "delay_type": "days_after",
                        }
                    )
                    for share, days in ((30, 0), (30, 5), (40, 60))
                ],
            }
        )
        invoices = self.env["account.move"]
        for _number in range(COUNT // 2):
            terms = self.dice.choice(
                [
                    {"invoice_payment_term_id": term.id},
                    {"invoice_date_due": self._throw_day()},
                ]
            )
            invoices |= self._create_invoice(
                self.dice.choice(self.customers),
                invoice_date=self._throw_day(-8, 0),
                **terms,
            )
        invoices.action_post()
        refunds = [
            self._create_invoice(
                invoice.partner_id, "out_refund", post=True, price_unit=30
            )
            for invoice in invoices[::3]
        ]
        for invoice, refund in zip(invoices[::3], refunds, strict=True):
            lines = (invoice | refund).line_ids
            lines.filtered(
                lambda line: line.account_id.account_type == "asset_receivable"
            ).reconcile()
        return invoices

    def _throw_reminders(self, documents, code):
        """Remind of some documents, by whatever way; some are sent anew after."""
        reminders = self.env["sales.followup.reminder"]
        link = reminders._get_document_field(documents._name)
        templates = self.env["sales.followup.template"].search(
            [("document_type_id", "=", self._type(code).id), ("automatic", "=", True)]
        )
        values = [
            {
                link: document.id,
                "template_id": self.dice.choice(templates).id,
                "channel": self.dice.choice(["email", "email", "letter", "phone"]),
                "origin": "manual",
                "state": self.dice.choice(["done", "done", "failed", "cancelled"]),
                "date": self._throw_moment(),
            }
            for document in documents
            for _number in range(self.dice.choice([0, 0, 1, 2]))
        ]
        values += [
            {
                link: document.id,
                "channel": "phone",
                "date": self._throw_moment(),
            }
            for document in documents[::5]
        ]
        reminders.create(values)
        self._send_anew(documents[::7])
        self._change_series(templates)

    def _send_anew(self, documents):
        """Take documents back, and give them to the customer again."""
        if documents._name == "account.move":
            documents.button_draft()
            documents.action_post()
            return
        [state] = set(documents.mapped("state"))
        documents.state = "draft"
        documents.state = state

    def _change_series(self, templates):
        """Archive a template and a series, and move a template to another series."""
        archived, moved, target = self.dice.sample(list(templates), 3)
        archived.active = False
        moved.series_id = target.series_id
        if self.dice.random() < 0.5:
            self.dice.choice(templates).series_id.active = False

    # --- the claim --------------------------------------------------------------

    def _count_sent(self, documents):
        """Assert that what the verdict sends is selected; count it."""
        count = 0
        for now in range(18):
            day, at = self.dice.randint(-6, 9), self.dice.choice(TIMES)
            zone = ZONES[now % len(ZONES)]
            self.env.company.resource_calendar_id.tz = zone
            with freeze_time(f"{self._day(day)} {at}"):
                count += self._check_selection(documents, f"{day} {at} {zone}")
        return count

    def _check_selection(self, documents, when):
        automatic = self.automatic._in_company(self.env.company)
        selected = {
            template: self._find_candidates(template)
            for template in automatic._get_templates()
            if template.model == documents._name
        }
        judged = self.env["sales.followup.judge"]._judge(documents)
        sent = [
            (document, judgement.template)
            for document, judgement in judged.items()
            if judgement.verdict and judgement.verdict.send
        ]
        for document, template in sent:
            self.assertIn(
                document,
                selected[template],
                f"seed {SEED}, {when}: {template.trigger} {template.offset_days}",
            )
        return len(sent)

    def _check(self, code, documents):
        self._throw_reminders(documents, code)
        self.env.flush_all()
        self.assertGreater(self._count_sent(documents), 20, "else it says little")

    @property
    def product(self):
        return self._create_order(self.customer).order_line.product_id

    def test_quotations_that_are_sent_are_selected(self):
        self._throw_levels("quotation")
        self._check("quotation", self._throw_quotations())

    def test_orders_that_are_sent_are_selected(self):
        self._throw_levels("sale_order")
        self._check("sale_order", self._throw_orders())

    def test_invoices_that_are_sent_are_selected(self):
        self._throw_levels("customer_invoice")
        self._check("customer_invoice", self._throw_invoices())

    def test_documents_without_a_date_count_from_their_creation(self):
        """A type may name a date that is empty on some."""
        self._type("quotation").date_field = "commitment_date"
        today = self.env.cr.now().date()
        [level] = self._create_levels(2, trigger="document_date")
        order = self._create_due(5)
        with freeze_time(f"{Date.add(today, days=2)} 12:00:00"):
            self.assertIn(order, self._find_candidates(level))
            self._run()
            self.assertSent(order, level)

    def test_type_without_due_date_has_no_candidates(self):
        self._type("quotation").due_field = False
        [level] = self._create_levels(0)
        self._create_due()
        self.assertFalse(self._run())
        self.assertFalse(self._find_candidates(level))

    # --- and not much more ------------------------------------------------------

    def test_what_is_done_with_is_not_looked_at(self):
        """However many there are."""
        first, second = self._create_levels(0, 5)
        first.series_id.domain = f"[('partner_id', '=', {self.customer.id})]"
        others = self._create_levels(0)
        others.series_id.write({"sequence": 99, "domain": first.series_id.domain})
        orders = [self._create_due() for _number in range(3)]
        for order in orders:
            order.validity_date = self._day(0)
        self._run()
        for template in first | second | others:
            self.assertFalse(self._find_candidates(template))

    # --- cost -------------------------------------------------------------------

    def _count_queries(self, method, *args):
        self.env.flush_all()
        self.env.invalidate_all()
        # what is known for good
        self.automatic._get_templates().series_id.document_type_id.mapped("domain")
        self.env.company.resource_calendar_id.mapped("tz")
        before = self.cr.sql_log_count
        result = method(*args)
        len(result)
        return self.cr.sql_log_count - before

    def _create_alive(self, count):
        """Create quotations and all that is looked at: answers, reminders, contacts."""
        orders = self.env["sale.order"]
        for number in range(count):
            customer = self._create_customer(email=f"q{number}@c.example.com")
            contact = self._create_contact(customer, email=f"k{number}@c.example.com")
            orders |= self._create_due(0, contact)
        for order in orders[::2]:
            self._answer(order)
        self.env["sales.followup.reminder"].create(
            [
                {
                    "order_id": order.id,
                    "channel": "email",
                    "template_id": self.env["sales.followup.template"]
                    .search([("automatic", "=", True)], limit=1)
                    .id,
                }
                for order in orders[::3]
            ]
        )
        return orders

    def test_selecting_takes_the_same_queries_for_more_documents(self):
        first, _second = self._create_levels(0, 5)
        counts = []
        for count in (4, 40):
            orders = self._create_alive(count)
            self._find_candidates(first)
            counts.append(self._count_queries(self._find_candidates, first))
            self.assertIn(orders[1], self._find_candidates(first))
        self.assertEqual(*counts)

    def test_facts_take_the_same_queries_for_more_documents(self):
        self._create_levels(0, 5)
        orders = self._create_alive(100)
        fetch = self.env["sales.followup.facts"]._fetch
        fetch(orders)
        few = self._count_queries(fetch, orders[:50])
        many = self._count_queries(fetch, orders)
        self.assertEqual(many, few)
        self.assertLessEqual(many, 100 * 0.2)
        judge = self.env["sales.followup.judge"]._judge
        # what is asked once is in the caches of the registry then
        judge(orders)
        self.assertEqual(
            self._count_queries(judge, orders), self._count_queries(judge, orders[:50])
        )
