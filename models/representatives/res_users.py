from odoo import api, models
from odoo.tools import SQL


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.depends("active")
    @api.depends_context("followup_mark_archived")
    def _compute_display_name(self):
        """Tell archived representatives apart where a view asks for it."""
        # EXTENDS 'base'
        result = super()._compute_display_name()
        if self.env.context.get("followup_mark_archived"):
            for user in self.filtered(lambda user: not user.active):
                user.display_name = self.env._(
                    "%(user)s (archived)", user=user.display_name
                )
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_hand_over_customers(self):
        """Let the next representative lead where a deleted user did."""
        # sudo: deleting a user must leave no customer with representatives but no lead
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        followed = partners.search([("followup_rep_ids", "in", self.ids)])
        for user in self:
            followed.filtered(
                lambda partner, user=user: user in partner.followup_rep_ids
            ).write({"followup_rep_ids": [(3, user.id)]})

    @api.model
    def _followup_permitted_by_company(self):
        """Give who may be put onto documents, by company.

        :return: dict of company id → frozenset of the ids of its active internal
            users; the key ``None`` holds those of any company
        """
        # plain SQL: record rules would hide the users of other companies, and a
        # permitted representative is a fact of the document, not of who looks
        self.flush_model(["active", "share", "company_ids"])
        permitted = {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rel.cid, ARRAY_AGG(users.id)
                  FROM res_users users
                  JOIN res_company_users_rel rel ON rel.user_id = users.id
                 WHERE users.active AND NOT users.share
              GROUP BY rel.cid
                """
            )
        )
        for company_id, user_ids in rows:
            permitted[company_id] = frozenset(user_ids)
        permitted[None] = frozenset().union(*permitted.values())
        return permitted
