from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


# Who gets a customer's reminders is a subject of its own.
class ResPartner(models.Model):
    """The contact who gets a customer's reminders."""

    _inherit = "res.partner"

    followup_contact_id = fields.Many2one(
        "res.partner",
        string="Follow-up Contact",
        ondelete="set null",
        index="btree_not_null",
        domain="[('commercial_partner_id', '=', commercial_partner_id)]",
        groups="base.group_user",
        help="Who gets the reminders, where the document does not name somebody else.",
    )
    is_followup_contact_wrong = fields.Boolean(
        string="Follow-up Contact to Correct",
        compute="_compute_is_followup_contact_wrong",
        search="_search_is_followup_contact_wrong",
        groups="base.group_user",
        help="The follow-up contact is archived, or works for somebody else, and is "
        "passed over.",
    )

    @api.depends(
        "commercial_partner_id",
        "followup_contact_id.commercial_partner_id",
        "followup_contact_id.active",
    )
    def _compute_is_followup_contact_wrong(self):
        for partner in self:
            # sudo: the contact may not be the user's to see
            contact = partner.sudo().followup_contact_id
            partner.is_followup_contact_wrong = bool(contact) and not (
                contact.active
                and contact.commercial_partner_id == partner.commercial_partner_id
            )

    @api.model
    def _search_is_followup_contact_wrong(self, operator, value):
        if operator != "in":
            return NotImplemented
        wrong = Domain(
            "id",
            "in",
            SQL(
                """(
                SELECT customer.id
                  FROM res_partner AS customer
                  JOIN res_partner AS contact
                    ON contact.id = customer.followup_contact_id
                 WHERE contact.active IS NOT TRUE
                    OR contact.commercial_partner_id
                       IS DISTINCT FROM customer.commercial_partner_id
                )"""
            ),
        )
        return Domain.OR(wrong if flag else ~wrong for flag in set(value))

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse a follow-up contact who works for somebody else."""
        # EXTENDS 'base'
        partners = super().create(vals_list)
        name = "followup_contact_id"
        if any(vals.get(name) for vals in vals_list) or self.default_get([name]):
            partners._followup_check_contact()
        return partners

    def write(self, vals):
        """Refuse a follow-up contact who works for somebody else."""
        # EXTENDS 'base'
        result = super().write(vals)
        if vals.get("followup_contact_id"):
            self._followup_check_contact()
        return result

    def _followup_check_contact(self):
        """Refuse follow-up contacts who are not of the customer, or whom the user may
        not see.

        :raise ValidationError: naming contact, customer and the remedy
        """
        for partner in self:
            # sudo: the field is for internal users; the right to see is asked below
            contact = partner.sudo().followup_contact_id
            if not contact:
                continue
            if not contact.sudo(self.env.su).has_access("read"):
                raise ValidationError(
                    self.env._(
                        "You may not see the contact who is to get the reminders of "
                        "%(customer)s; choose another one.",
                        customer=partner.display_name,
                    )
                )
            if contact.commercial_partner_id != partner.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is not a contact of %(customer)s and cannot get "
                        "its reminders. Choose one of the customer's contacts.",
                        contact=contact.display_name,
                        customer=partner.commercial_partner_id.display_name,
                    )
                )
