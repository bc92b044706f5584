from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...rules import reps as rule


class ResUsers(models.Model):
    _inherit = "res.users"

    followup_may_be_replaced = fields.Boolean(
        string="May Be Replaced as Representative",
        compute="_compute_followup_may_be_replaced",
        search="_search_followup_may_be_replaced",
        groups="base.group_user",
        help="Internal users, and those who follow customers though they are not "
        "internal any more.",
    )

    @api.depends("share")
    def _compute_followup_may_be_replaced(self):
        replaceable = self.with_context(active_test=False).search(
            [("followup_may_be_replaced", "=", True), ("id", "in", self.ids)]
        )
        for user in self:
            user.followup_may_be_replaced = user in replaceable

    def _search_followup_may_be_replaced(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        relations = [
            self.env[model]._fields["followup_rep_ids"]
            for model in self.env.registry.descendants(
                ["sales.followup.followed"], "_inherit"
            )
            if not self.env[model]._abstract
        ]
        following = SQL(" UNION ").join(
            SQL(
                "SELECT %s FROM %s",
                SQL.identifier(field.column2),
                SQL.identifier(field.relation),
            )
            for field in relations
        )
        return Domain("share", "=", False) | Domain("id", "in", SQL("(%s)", following))

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
        if followed := partners.search([("followup_rep_ids", "in", self.ids)]):
            self._followup_leave(followed)

    def _followup_leave(self, customers):
        """Take these users off customers."""
        before = customers._followup_get_reps()
        after = {id_: rule.unassign(before[id_], self.ids) for id_ in before}
        quiet = customers.with_context(mail_auto_subscribe_no_notify=True)
        quiet._followup_store_reps(before, after)

    def _followup_permitted_by_company(self):
        """Return who may be put onto documents, by company.

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
