from odoo import Command, api, models

from ...fields import Representatives
from ...rules import reps as rule
from ...rules.reps import NOBODY


class SalesFollowupMixin(models.AbstractModel):
    """What a document that is followed up has in common with the others.

    A model opts in by inheriting it, naming its Salesperson field, and giving
    ``followup_rep_ids`` a relation table of its own.
    """

    _name = "sales.followup.mixin"
    _inherit = ["sales.followup.followed"]
    _description = "Sales Follow-up Mixin"

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
        taking = self.filtered(
            lambda document: not (document._origin.id and document.followup_rep_ids)
        )
        reps = taking._followup_get_customer_reps()
        for document in taking:
            document.followup_rep_ids = [Command.set(reps[document].members)]

    def _followup_pass_over_absent_leads(self):
        """Give these new documents another Salesperson where their customer's has left
        or does not belong to their company: its next representative, else who makes
        the document, as for a customer without Salesperson."""
        absent = self.filtered(lambda document: document._followup_has_absent_lead())
        reps = absent._followup_get_customer_reps()
        sells = self.env.user.has_group("sales_team.group_sale_salesman")
        for document in absent:
            document[self._followup_lead_field] = reps[document].lead or (
                sells and self.env.user.id
            )

    def _followup_has_absent_lead(self):
        """Tell whether the customer's Salesperson cannot be this document's."""
        lead = self[self._followup_lead_field].sudo()
        present = lead.active and not lead.share
        if not lead or (present and self.company_id <= lead.company_ids):
            return False
        customer = self.partner_id.sudo()
        return lead == (customer.user_id or customer.commercial_partner_id.user_id)

    def _followup_get_customer_reps(self):
        """Give who of their customers' representatives these new documents take.

        :return: dict of document → :class:`~..rules.reps.Reps`
        """
        documents = self.filtered(lambda doc: doc._followup_takes_customer_reps())
        if not documents:
            return dict.fromkeys(self, NOBODY)
        customers = documents.partner_id._origin._followup_get_document_reps()
        permitted = self.env["res.users"]._followup_permitted_by_company()
        taken = {
            document: rule.on_document(
                customers[document.partner_id._origin.id],
                permitted.get(document.company_id.id or None, ()),
            )
            for document in documents
        }
        return {document: taken.get(document, NOBODY) for document in self}

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
