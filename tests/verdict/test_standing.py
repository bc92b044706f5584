from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.sales_followup.models.account_move import _CHASED
from odoo.addons.sales_followup.models.sale_order import _SENT, _TO_INVOICE
from odoo.addons.sales_followup.rules.verdict import Standing

from ..common_automatic import AutomaticCommon

#: type → where its indexes are, by day
INDEXES = {
    "quotation": (_SENT, "sale_order", ("validity_date", "date_order")),
    "sale_order": (_TO_INVOICE, "sale_order", ("commitment_date", "date_order")),
    "customer_invoice": (_CHASED, "account_move", ("invoice_date_due", "invoice_date")),
}
NAMES = {
    "quotation": "quotation",
    "sale_order": "order",
    "customer_invoice": "invoice",
}


@tagged("post_install", "-at_install")
class TestStanding(AutomaticCommon):
    """What is open, and what is chased, is said by the document types alone."""

    def _create_everything(self):
        for state in ("draft", "sent", "sale", "cancel"):
            self._create_order(self.customer, state=state)
        for kind in ("out_invoice", "out_refund"):
            self._create_invoice(self.customer, kind)
            moves = [
                self._create_invoice(self.customer, kind, post=True) for _n in range(5)
            ]
            # as payments leave them that are not booked yet, or are
            for move, state in zip(
                moves,
                ("not_paid", "partial", "in_payment", "paid", "reversed"),
                strict=True,
            ):
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE account_move SET payment_state = %s WHERE id = %s",
                    [state, move.id],
                )
        self.env.invalidate_all()

    def test_search_and_compute_agree_on_what_is_open(self):
        self._create_everything()
        for model in ("sale.order", "account.move"):
            documents = self.env[model]
            searched = documents.search(documents._followup_get_open_domain())
            self.assertEqual(searched, documents.search([])._followup_filter_open())

    def test_invoice_in_payment_is_not_open(self):
        invoice = self._create_invoice(self.customer, post=True)
        reminder = self._remind(invoice, channel="phone")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET payment_state = 'in_payment' WHERE id = %s",
            [invoice.id],
        )
        self.env.invalidate_all()
        self.assertFalse(reminder.is_open)
        reminders = self.env["sales.followup.reminder"]
        self.assertNotIn(reminder, reminders.search([("is_open", "=", True)]))
        self.assertEqual(
            invoice._followup_get_situations()[invoice].standing, Standing.CLOSED
        )
        self.assertNotIn(
            invoice,
            self.env["account.move"].search(
                self._type("customer_invoice")._get_open_domain()
            ),
        )

    def test_what_is_chased_is_open(self):
        self._create_everything()
        for code in INDEXES:
            doc_type = self._type(code)
            chased = doc_type._get_domain() & doc_type._get_domain("chase_domain")
            documents = self.env[doc_type.model].search(chased)
            self.assertTrue(documents)
            self.assertEqual(documents._followup_filter_open(), documents)

    def test_indexes_select_what_the_types_chase(self):
        self._create_everything()
        for code, (predicate, table, _days) in INDEXES.items():
            doc_type = self._type(code)
            chased = doc_type._get_domain() & doc_type._get_domain("chase_domain")
            found = self.env[doc_type.model].search(chased)
            self.env.cr.execute(f"SELECT id FROM {table} {predicate}")
            indexed = self.env[doc_type.model].browse(
                row[0] for row in self.env.cr.fetchall()
            )
            self.assertFalse(found - indexed, code)
            self.assertFalse(
                (indexed - found).filtered(lambda d: d._followup_filter_open()), code
            )

    def test_database_can_use_the_indexes(self):
        """Else a search for what is due reads all documents."""
        # few rows, which sorting takes no time
        for other in ("seqscan", "bitmapscan", "sort"):
            self.env.cr.execute(f"SET LOCAL enable_{other} = off")
        for code, (_predicate, table, days) in INDEXES.items():
            doc_type = self._type(code)
            documents = self.env[doc_type.model].with_context(active_test=False)
            query = documents._search(
                doc_type._get_domain()
                & doc_type._get_domain("chase_domain")
                & Domain("followup_template_id", "=", False)
            )
            for day in days:
                columns = [
                    SQL.identifier(table, name)
                    for name in ("followup_template_id", day, "id")
                ]
                query.order = SQL(", ").join(columns)
                query.limit = 10
                [*rows] = self.env.execute_query(SQL("EXPLAIN %s", query.select()))
                plan = "\n".join(row[0] for row in rows)
                index = f"{table}_followup_{NAMES[code]}_"
                self.assertIn(index, plan, (code, day))
