from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import Representatives

#: nobody is chased any more, whatever is booked
PAID_STATES = ("in_payment", "paid")

#: those that their document type says to chase, as it is shipped
_CHASED = """
    WHERE move_type = 'out_invoice' AND state = 'posted'
      AND payment_state IN ('not_paid', 'partial')
"""


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "sales.followup.mixin"]

    _followup_lead_field = "invoice_user_id"
    _followup_sent_states = ("posted",)

    followup_rep_ids = Representatives(
        relation="account_move_followup_rep_rel",
        column1="move_id",
        column2="user_id",
    )
    followup_reminder_ids = fields.One2many(
        "sales.followup.reminder",
        "move_id",
        string="Reminders",
        copy=False,
        groups="sales_followup.group_user",
    )

    # where the next ones to chase are found, whatever was reminded before
    _followup_invoice_due = models.Index(
        f"(followup_template_id, invoice_date_due, id) {_CHASED}"
    )
    _followup_invoice_date = models.Index(
        f"(followup_template_id, invoice_date, id) {_CHASED}"
    )

    def _compute_invoice_default_sale_person(self):
        # EXTENDS 'account'
        fresh = self.filtered(lambda move: not move.invoice_user_id)
        result = super()._compute_invoice_default_sale_person()
        fresh._followup_pass_over_absent_leads()
        return result

    def _followup_takes_customer_reps(self):
        """Only sales documents do, as only they take the customer's Salesperson."""
        # EXTENDS 'sales.followup.mixin'
        return super()._followup_takes_customer_reps() and self.is_sale_document(
            include_receipts=True
        )

    def write(self, vals):
        """Close the activities of orders that are fully invoiced now, too."""
        # EXTENDS 'account'
        result = super().write(vals)
        if vals.get("is_move_sent"):
            self._followup_note_sent()
        if "matched_payment_ids" in vals:
            # a payment without journal entries: nothing is reconciled yet
            self._followup_close_finished()
        if "state" in vals:
            # sudo: who invoices need not see the order
            orders = self.sudo().line_ids.sale_line_ids.order_id
            orders._followup_close_finished()
        return result

    def _invoice_paid_hook(self):
        # EXTENDS 'account'
        result = super()._invoice_paid_hook()
        self._followup_close_finished()
        return result

    @api.model
    def _followup_get_open_domain(self):
        """Leave out invoices that are paid, though their payment is not booked yet."""
        # EXTENDS 'sales.followup.mixin'
        paid = Domain("payment_state", "in", PAID_STATES)
        return super()._followup_get_open_domain() & ~paid

    def _followup_filter_open(self):
        # EXTENDS 'sales.followup.mixin'
        return (
            super()
            ._followup_filter_open()
            .filtered(lambda move: move.payment_state not in PAID_STATES)
        )

    def _followup_get_refusals(self, template):
        """Chase nobody about money they get back; a call about it may be logged."""
        # EXTENDS 'sales.followup.mixin'
        refusals = super()._followup_get_refusals(template)
        for move in self.filtered(lambda move: move.move_type == "out_refund"):
            refusals[move] = self.env._(
                "%(document)s is a credit note, so nothing is sent about it. You can "
                "still log what you did by phone or otherwise.",
                document=move.display_name,
            )
        return refusals

    def _followup_get_company_amount(self):
        # EXTENDS 'sales.followup.mixin'
        return abs(self.amount_untaxed_signed)

    @api.model
    def _followup_company_amount_to_sql(self, query):
        # EXTENDS 'sales.followup.mixin'
        signed = self._field_to_sql(query.table, "amount_untaxed_signed", query)
        return SQL("ABS(%s)", signed)

    def _followup_get_due_dates(self):
        """Give the earliest instalment of each invoice that is not paid yet."""
        # EXTENDS 'sales.followup.mixin'
        # sudo: a salesperson need not see journal items
        rows = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    ("move_id", "in", self.ids),
                    ("display_type", "=", "payment_term"),
                    ("date_maturity", "!=", False),
                    ("reconciled", "=", False),
                ],
                ["move_id"],
                ["date_maturity:min"],
            )
        )
        return {move.id: due for move, due in rows}

    def _followup_get_due_domain(self, doc_type, earliest, latest):
        """Look at unpaid instalments: the last one is due on the invoice's due date."""
        # EXTENDS 'sales.followup.mixin'
        due = super()._followup_get_due_domain(doc_type, earliest, latest)
        instalments = Domain(
            "line_ids", "any", self._followup_get_instalments(earliest, latest)
        )
        return due | instalments

    def _followup_split_due_domain(self, doc_type, earliest, latest):
        """Look at instalments only where the invoice's due date does not tell it."""
        # EXTENDS 'sales.followup.mixin'
        # without the instalments, which are the other part
        # pylint: disable-next=super-method-mismatch
        due = super()._followup_get_due_domain(doc_type, earliest, latest)
        instalments = Domain(
            "line_ids", "any", self._followup_get_instalments(earliest, latest)
        )
        return [(due, doc_type.due_field or "id"), (instalments & ~due, "id")]

    @api.model
    def _followup_get_instalments(self, earliest, latest):
        """Select unpaid instalments that are due between two days."""
        return [
            ("display_type", "=", "payment_term"),
            ("reconciled", "=", False),
            ("date_maturity", ">=", earliest),
            ("date_maturity", "<=", latest),
        ]
