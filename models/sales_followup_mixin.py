from odoo import Command, api, models

from ..fields import Representatives
from ..rules import reps as rule


class SalesFollowupMixin(models.AbstractModel):
    """What a document that is followed up has in common with the others.

    A model opts in by inheriting it, naming its Salesperson field, and giving
    ``followup_rep_ids`` a relation table of its own.
    """

    _name = "sales.followup.mixin"
    _description = "Sales Follow-up Mixin"

    #: the Salesperson field of the document
    _followup_lead_field = "user_id"

    followup_rep_ids = Representatives(
        "res.users",
        string="Representatives",
        compute="_compute_followup_rep_ids",
        store=True,
        readonly=False,
        precompute=True,
        copy=True,
        tracking=3,
        domain="[('share', '=', False)]",
        context={"active_test": False},
        groups="base.group_user",
        help="The users who follow this document. New documents take them from "
        "their customer.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_followup_rep_ids(self):
        """Take the customer's representatives, as documents take its Salesperson:
        while the document is new, or has none yet."""
        permitted = None
        for document in self:
            if document._origin.id and document.followup_rep_ids:
                continue
            if not document._followup_takes_customer_reps():
                document.followup_rep_ids = False
                continue
            if permitted is None:
                permitted = self.env["res.users"]._followup_permitted_by_company()
            reps = document._followup_customer_reps(permitted)
            document.followup_rep_ids = [Command.set(reps.members)]

    def _followup_pass_over_absent_leads(self):
        """Give these new documents another Salesperson where their customer's has left
        or does not belong to their company: its next representative, else who makes
        the document, as for a customer without Salesperson."""
        for document in self:
            lead = document[self._followup_lead_field].sudo()
            present = lead.active and not lead.share
            if not lead or (present and document.company_id <= lead.company_ids):
                continue
            customer = document.partner_id.sudo()
            if lead != (customer.user_id or customer.commercial_partner_id.user_id):
                continue
            permitted = self.env["res.users"]._followup_permitted_by_company()
            reps = document._followup_customer_reps(permitted)
            sells = self.env.user.has_group("sales_team.group_sale_salesman")
            document[self._followup_lead_field] = reps.lead or (
                sells and self.env.user.id
            )

    def _followup_customer_reps(self, permitted):
        """Give who of its customer's representatives this new document takes.

        :param permitted: who may be put onto documents, by company
        :return: :class:`~..rules.reps.Reps`
        """
        customer = self.partner_id._origin
        reps = customer._followup_get_document_reps()[customer.id]
        return rule.on_document(reps, permitted.get(self.company_id.id or None, ()))

    def _followup_takes_customer_reps(self):
        """Tell whether this new document takes its customer's representatives.

        :rtype: bool
        """
        self.ensure_one()
        return bool(self.partner_id)

    def _followup_active_reps(self):
        """Give the representatives that may go onto a document made from these.

        :return: ``res.users`` recordset, without archived and no longer internal ones
        """
        # sudo: users of another company are representatives nevertheless
        return self.sudo().followup_rep_ids.filtered(
            lambda user: user.active and not user.share
        )

    def copy_data(self, default=None):
        """Copy the representatives, except those who left."""
        # EXTENDS 'base'
        vals_list = super().copy_data(default)
        for document, vals in zip(self, vals_list, strict=True):
            if "followup_rep_ids" in vals and "followup_rep_ids" not in (default or {}):
                reps = document._followup_active_reps()
                vals["followup_rep_ids"] = [Command.set(reps.ids)]
        return vals_list
