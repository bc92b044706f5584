from odoo import api, fields, models

from ...rules.recipients import choose, is_address


# Whom to write to, and in which language, is a subject of its own.
class SalesFollowupMixin(models.AbstractModel):
    """Who gets the reminders of a document."""

    _inherit = "sales.followup.mixin"

    followup_customer_id = fields.Many2one(
        "res.partner",
        string="Follow-up Customer",
        compute="_compute_followup_customer_id",
        groups="base.group_user",
    )
    followup_contact_id = fields.Many2one(
        "res.partner",
        string="Follow-up Contact",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('commercial_partner_id', '=', followup_customer_id)]",
        groups="base.group_user",
        help="Who gets the reminders of this document. Empty: the follow-up contact of "
        "the customer, else the contact of the document.",
    )
    followup_recipient_id = fields.Many2one(
        "res.partner",
        string="Recipient of Reminders",
        compute="_compute_followup_recipient_id",
        groups="base.group_user",
        help="Whom an e-mail or a letter of reminder greets.",
    )

    @api.depends("partner_id", "followup_contact_id")
    @api.depends_context("followup_contacts")
    def _compute_followup_recipient_id(self):
        """Give whom the reminder being written goes to, else whom it would."""
        chosen = dict(self.env.context.get("followup_contacts") or ())
        recipients = self._followup_get_recipients("email")
        for document in self:
            document.followup_recipient_id = (
                chosen.get(document.id) or recipients[document]
            )

    @api.depends("partner_id.commercial_partner_id")
    def _compute_followup_customer_id(self):
        for document in self:
            document.followup_customer_id = document.partner_id.commercial_partner_id

    def _followup_get_recipients(self, channel):
        """Choose who gets the reminders of these documents.

        The document's follow-up contact, else the customer's, else the contact of the
        document, else its company: the first of them that can be reached.

        :param channel: of the reminder; an e-mail wants an address
        :return: dict of document → ``res.partner``, empty where nobody can be reached
        """
        reachable = self._followup_get_reachable(channel)
        nobody = self.env["res.partner"]
        return {
            # sudo: the recipient may be a contact the user does not look after
            document: choose(document.sudo()._followup_get_candidates(), reachable)
            or nobody
            for document in self
        }

    def _followup_get_candidates(self):
        """Give whom a reminder may go to, the preferred first."""
        self.ensure_one()
        company = self.partner_id.commercial_partner_id
        return (
            self.followup_contact_id,
            company.followup_contact_id,
            self.partner_id,
            company,
        )

    @api.model
    def _followup_get_reachable(self, channel):
        """Give what tells whether a contact can be reached on a channel.

        :return: callable of a ``res.partner``
        """
        if channel == "email":
            return lambda contact: (
                contact.active and is_address(contact.email_normalized)
            )
        if channel == "letter":
            return lambda contact: contact.active and (contact.zip or contact.city)
        return lambda contact: contact.active

    def _followup_get_langs(self, contacts):
        """Give the language to write to each recipient in.

        :param contacts: dict of document → ``res.partner``
        :return: dict of document id → code of an installed language
        """
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        return {
            document.id: choose(
                (
                    contacts[document].lang,
                    document.partner_id.lang,
                    document.partner_id.commercial_partner_id.lang,
                    self.env.lang,
                ),
                installed.__contains__,
            )
            or "en_US"
            for document in self.sudo()
        }
