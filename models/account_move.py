from collections import defaultdict
from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import Representatives
from ..rules.debts import owed, spread

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

    @api.model_create_multi
    def create(self, vals_list):
        """Put nobody onto new documents who has left."""
        # EXTENDS 'account'
        self, vals_list = self._followup_prepare_creation(vals_list)
        documents = super().create(vals_list)
        documents._followup_check_created()
        return documents

    def _followup_starts_cycle(self, state):
        """An invoice that is posted again was corrected: it goes on where it was."""
        # EXTENDS 'sales.followup.mixin'
        starting = super()._followup_starts_cycle(state)
        return starting.filtered(lambda move: not move.posted_before)

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
        """Put nobody onto invoices who has left, and close the activities of orders
        that are fully invoiced now."""
        # EXTENDS 'account'
        result = self._followup_write_checked(vals, super().write)
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

    @api.model
    def _followup_get_standing_fields(self):
        # EXTENDS 'sales.followup.mixin'
        names = super()._followup_get_standing_fields()
        return [*names, "amount_residual", "payment_state"]

    def _followup_get_amount_fields(self):
        # EXTENDS 'sales.followup.mixin'
        return [self._followup_amount_field, "amount_untaxed_signed"]

    def _followup_get_company_amount(self):
        # EXTENDS 'sales.followup.mixin'
        return abs(self.amount_untaxed_signed)

    def _followup_company_amount_to_sql(self, query):
        # EXTENDS 'sales.followup.mixin'
        signed = self._field_to_sql(query.table, "amount_untaxed_signed", query)
        return SQL("ABS(%s)", signed)

    def _followup_get_debts(self):
        """Look at the instalments that are not paid yet."""
        # EXTENDS 'sales.followup.mixin'
        return self._followup_add_up_instalments("amount_residual_currency")

    def _followup_has_next_instalment(self, paid):
        """Tell whether the earliest instalment that is left falls due after these.

        :param paid: ``account.move.line``, instalments of this invoice
        """
        left = self.line_ids.filtered(
            lambda line: line.display_type == "payment_term" and not line.reconciled
        )
        days = [day for day in left.mapped("date_maturity") if day]
        return bool(days) and min(days) > min(
            (day for day in paid.mapped("date_maturity") if day), default=date.max
        )

    def _followup_add_up_instalments(self, field):
        """Return what is owed on each invoice.

        :param field: ``amount_residual_currency``, or ``amount_residual`` for the
            company's currency
        :return: dict of invoice id → :class:`~..rules.debts.Debt`
        """
        # sudo: a salesperson need not see journal items
        lines = self.env["account.move.line"].sudo()
        rows = lines._read_group(
            [
                ("move_id", "in", self.ids),
                ("display_type", "=", "payment_term"),
                ("date_maturity", "!=", False),
                ("reconciled", "=", False),
            ],
            ["move_id", "date_maturity:day"],
            [f"{field}:sum"],
        )
        instalments = defaultdict(list)
        for move, day, amount in rows:
            instalments[move].append((day, -move.direction_sign * amount))
        return {
            move.id: owed(of_move, move.company_id._followup_today())
            for move, of_move in instalments.items()
        }

    def _followup_get_circumstances(self, due_dates):
        # EXTENDS 'sales.followup.mixin'
        credit = self._followup_get_credit()
        return {
            move: {
                "payable_on": due_dates[move],
                "credit": credit.get(move.id, 0.0),
            }
            for move in self
            if move.move_type == "out_invoice"
        }

    def _followup_get_credit(self):
        """Find invoices that the customer's open credit notes and payments cover.

        :return: dict of invoice id → all the credit of that customer, in the company's
            currency
        """
        # sudo: whether a customer is reminded does not depend on who looks
        moves = self.sudo().filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        if not moves:
            return {}
        credits_ = moves._followup_find_credits()
        if not credits_:
            return {}
        rivals = moves.search(
            [
                ("commercial_partner_id", "in", [key[0].id for key in credits_]),
                ("company_id", "in", [key[1].id for key in credits_]),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
            ]
        )
        debts = rivals._followup_add_up_instalments("amount_residual")
        owing = rivals.filtered(lambda move: move.id in debts)
        oldest_first = owing.sorted(lambda move: (debts[move.id].day, move.id))
        found = {}
        for key, of_customer in oldest_first.grouped(
            lambda move: (move.commercial_partner_id, move.company_id)
        ).items():
            amounts = credits_.get(key, ())
            claims = {move.id: debts[move.id].due for move in of_customer}
            covered = spread(amounts, claims, key[1].currency_id.rounding / 2)
            found.update(dict.fromkeys(covered, sum(amounts)))
        return found

    def _followup_find_credits(self):
        """Find what the customers of these invoices have with us.

        :return: dict of (customer, company) → list of amounts, in its currency
        """
        customers, companies = self.commercial_partner_id, self.company_id
        found = defaultdict(list)
        booked = self.env["account.move.line"].search_fetch(
            [
                ("partner_id.commercial_partner_id", "in", customers.ids),
                ("company_id", "in", companies.ids),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("amount_residual", "<", 0),
            ],
            ["partner_id", "company_id", "amount_residual"],
        )
        for line in booked:
            customer = line.partner_id.commercial_partner_id
            found[customer, line.company_id].append(-line.amount_residual)
        # those without an entry of their own, until the bank statement has them
        payments = self.env["account.payment"].search(
            [
                ("partner_id.commercial_partner_id", "in", customers.ids),
                ("company_id", "in", companies.ids),
                ("payment_type", "=", "inbound"),
                ("partner_type", "=", "customer"),
                ("state", "=", "in_process"),
                ("move_id", "=", False),
                ("invoice_ids", "=", False),
            ]
        )
        for payment in payments:
            customer = payment.partner_id.commercial_partner_id
            found[customer, payment.company_id].append(
                payment.amount_company_currency_signed
            )
        return found

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

    def _followup_get_instalments(self, earliest, latest):
        """Select unpaid instalments that are due between two days."""
        return [
            ("display_type", "=", "payment_term"),
            ("reconciled", "=", False),
            ("date_maturity", ">=", earliest),
            ("date_maturity", "<=", latest),
        ]
