from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize_all


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
    followup_bounced = fields.Char(
        string="Addresses That Came Back",
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="Odoo counts on the contact how often e-mails came back; this is from "
        "where. A corrected address is not among them.",
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
        """Refuse a follow-up contact who works for somebody else; note which addresses
        e-mails came back from, and what was corrected."""
        # EXTENDS 'base'
        if "email" in vals:
            # counted before this addon was there
            self.filtered("message_bounce")._followup_note_bounce()
            before = {partner: partner._followup_get_bounced() for partner in self}
        result = super().write(vals)
        if vals.get("followup_contact_id"):
            self._followup_check_contact()
        if "message_bounce" in vals:
            self._followup_note_bounce()
        if "email" in vals:
            corrected = self.filtered(
                lambda partner: before[partner] and not partner._followup_get_bounced()
            )
            reminders = self.env["sales.followup.reminder"]
            reminders._resume_after_correction(corrected)
        return result

    # --- addresses --------------------------------------------------------------

    def _followup_get_addresses(self):
        """Return all addresses of these contacts, each of whom may have several.

        :return: set of normalized addresses
        """
        # sudo: whether somebody can be written to does not depend on who looks
        return {
            address
            for partner in self.sudo()
            for address in email_normalize_all(partner.email or "")
        }

    def _followup_get_blacklisted(self):
        """Return which addresses of these contacts are blacklisted.

        :return: set of normalized addresses
        """
        addresses = self._followup_get_addresses()
        # sudo: the blacklist is for administrators
        blacklist = self.env["mail.blacklist"].sudo()
        return set(blacklist.search([("email", "in", list(addresses))]).mapped("email"))

    def _followup_get_bounced(self):
        """Return which present addresses of these contacts e-mails came back from.

        :return: set of normalized addresses
        """
        bounced = set()
        # sudo: as above
        for partner in self.sudo().filtered("message_bounce"):
            addresses = partner._followup_get_addresses()
            known = (partner.followup_bounced or "").split()
            bounced |= addresses.intersection(known) if known else addresses
        return bounced

    def _message_receive_bounce(self, email, partner):
        # EXTENDS 'mail'
        bounced = self.with_context(followup_bounced=email)
        return super(ResPartner, bounced)._message_receive_bounce(email, partner)

    def _followup_note_bounce(self):
        """Note which addresses of contacts e-mails came back from: the one that is
        known, else all of them."""
        returned = email_normalize_all(self.env.context.get("followup_bounced") or "")
        # sudo: a fact that no user writes
        for partner in self.sudo():
            known = set((partner.followup_bounced or "").split())
            addresses = partner._followup_get_addresses()
            if not partner.message_bounce:
                known = set()
            elif here := addresses.intersection(returned):
                known |= here
            elif not known:
                known = addresses
            noted = " ".join(sorted(known)) or False
            if noted != partner.followup_bounced:
                partner.followup_bounced = noted

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
