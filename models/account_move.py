from odoo import models

from ..fields import Representatives


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "sales.followup.mixin"]

    _followup_lead_field = "invoice_user_id"

    followup_rep_ids = Representatives(
        relation="account_move_followup_rep_rel",
        column1="move_id",
        column2="user_id",
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
