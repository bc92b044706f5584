from odoo import SUPERUSER_ID, models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _followup_leave(self, customers):
        """Take deleted users off their customers by one change, with one digest."""
        # EXTENDS 'sales_followup'
        # as OdooBot: who deletes a user need not see all that this one followed
        everything = customers.with_user(SUPERUSER_ID)
        change = everything._followup_change_in_bulk(
            "unassign", wait=True, users=self.ids
        )
        # sudo: the journal is written by nobody
        change.sudo().user_id = self.env.user
        reps = customers._followup_get_reps()
        left = customers.filtered(
            lambda customer: not set(self.ids).isdisjoint(reps[customer.id].members)
        )
        return super()._followup_leave(left)
