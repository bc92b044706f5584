from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _reconcile_post_hook(self, data):
        """Close the activities of invoices that nothing is owed of any more: paid,
        written off, or balanced by a credit note, of which no other hook tells."""
        # EXTENDS 'account'
        result = super()._reconcile_post_hook(data)
        self.move_id._followup_close_finished()
        return result
