from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _reconcile_post_hook(self, data):
        """Close the activities of invoices that nothing is owed of any more: paid,
        written off, or balanced by a credit note, of which no other hook tells."""
        # EXTENDS 'account'
        result = super()._reconcile_post_hook(data)
        self.move_id._followup_close_finished()
        self._followup_start_next_instalment()
        return result

    def _followup_start_next_instalment(self):
        """Once an instalment is paid, the next one starts at the first level."""
        # sudo: whoever books the payment
        lines = self.sudo().filtered(
            lambda line: (
                line.display_type == "payment_term"
                and line.move_id.followup_template_id
            )
        )
        paid = lines.filtered("reconciled").grouped("move_id")
        self.env["account.move"].union(
            *(
                move
                for move, of_move in paid.items()
                if move._followup_has_next_instalment(of_move)
            )
        )._followup_restart()
