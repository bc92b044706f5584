from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

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

    is_followup_contact_wrong = fields.Boolean(
        string="Follow-up Contact to Correct",
        compute="_compute_is_followup_contact_wrong",
        search="_search_is_followup_contact_wrong",
        groups="base.group_user",
        help="The follow-up contact is archived, or not a contact of the customer, and "
        "is passed over.",
    )

    @api.depends("partner_id", "followup_contact_id")
    @api.depends_context("followup_contacts")
    def _compute_followup_recipient_id(self):
        """Take who gets the reminder being written, else who would get one."""
        # only people of the customer: anybody can send a context
        chosen = dict(self.env.context.get("followup_contacts") or ())
        partners = self.env["res.partner"].sudo()
        recipients = self._followup_get_recipients("email")
        for document in self:
            contact = partners.browse(chosen.get(document.id) or ())
            if not contact or not document.sudo()._followup_accepts(contact):
                contact = recipients[document]
            document.followup_recipient_id = contact

    @api.depends("partner_id.commercial_partner_id")
    def _compute_followup_customer_id(self):
        for document in self:
            document.followup_customer_id = document.partner_id.commercial_partner_id

    @api.depends(
        "partner_id.commercial_partner_id",
        "followup_contact_id.commercial_partner_id",
        "followup_contact_id.active",
    )
    def _compute_is_followup_contact_wrong(self):
        for document in self.sudo():
            contact = document.followup_contact_id
            document.is_followup_contact_wrong = bool(contact) and not (
                contact.active and document._followup_accepts(contact)
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
                SELECT document.id
                  FROM %s AS document
                  JOIN res_partner AS contact
                    ON contact.id = document.followup_contact_id
                  LEFT JOIN res_partner AS customer
                    ON customer.id = document.partner_id
                 WHERE contact.active IS NOT TRUE
                    OR contact.commercial_partner_id
                       IS DISTINCT FROM customer.commercial_partner_id
                )""",
                SQL.identifier(self._table),
            ),
        )
        return Domain.OR(wrong if flag else ~wrong for flag in set(value))

    # --- who may be chosen ------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse follow-up contacts who are not of the document's customer."""
        # EXTENDS 'base'
        documents = super().create(vals_list)
        name = "followup_contact_id"
        if any(vals.get(name) for vals in vals_list) or self.default_get([name]):
            documents._followup_check_contacts()
        return documents

    def write(self, vals):
        """Refuse follow-up contacts who are not of the document's customer."""
        # EXTENDS 'base'
        result = super().write(vals)
        if vals.get("followup_contact_id"):
            self._followup_check_contacts()
        return result

    def _followup_check_contacts(self):
        """Refuse documents whose follow-up contact may not get their reminders."""
        for document in self:
            # sudo: the field is for internal users, documents are made by others, too
            contact = document.sudo().followup_contact_id
            document._followup_check_recipient(contact.sudo(self.env.su))

    def _followup_check_recipient(self, contact):
        """Refuse a recipient who is not of the customer, or whom the user may not see.

        :param contact: ``res.partner``, maybe empty: who the rule says
        :raise ValidationError: naming contact, customer and the remedy
        """
        for document in self:
            if problem := document._followup_get_contact_problem(contact):
                raise ValidationError(problem)

    def _followup_get_contact_problem(self, contact):
        """Say why somebody may not get the reminders of this document.

        :param contact: ``res.partner`` of the user, maybe empty
        :return: a sentence with the remedy, ``None`` where all is well
        """
        self.ensure_one()
        if not contact:
            return None
        if not contact.has_access("read"):
            return self.env._(
                "You may not see the contact who is to get the reminders of "
                "%(document)s; choose another one.",
                document=self.display_name,
            )
        # sudo: whom the document is for is asked, not told
        document = self.sudo()
        if document._followup_accepts(contact.sudo()):
            return None
        return self.env._(
            "%(contact)s is not a contact of %(customer)s and cannot get the reminders "
            "of %(document)s. Choose one of the customer's contacts.",
            contact=contact.display_name,
            customer=document.partner_id.commercial_partner_id.display_name,
            document=document.display_name,
        )

    def _followup_accepts(self, contact):
        """Tell whether somebody may get the reminders of this document: a person of
        its customer, and of its company where they are of one company only.

        :param contact: one ``res.partner``, as superuser
        """
        self.ensure_one()
        customer = self.partner_id.commercial_partner_id
        if contact.commercial_partner_id != customer:
            return False
        companies = (self.company_id or self.env.company).parent_ids
        return (
            contact in (self.partner_id, customer)
            or not contact.company_id
            or contact.company_id in companies
        )

    def _followup_get_passed_over(self):
        """Say which follow-up contacts get no reminder, though they were chosen.

        :return: dict of document → list of sentences
        """
        # sudo: the customer's contacts may not be the user's; names are told below
        return {
            document: [
                document._followup_explain_passed_over(contact)
                for contact in document.sudo()._followup_get_chosen()
                if not (contact.active and document.sudo()._followup_accepts(contact))
            ]
            for document in self
        }

    def _followup_explain_passed_over(self, contact):
        """Say why a follow-up contact is passed over.

        :param contact: ``res.partner``, as superuser
        :rtype: str
        """
        seen = contact.sudo(False).has_access("read")
        name = contact.display_name if seen else self.env._("The follow-up contact")
        if not contact.active:
            return self.env._(
                "%(contact)s is archived and gets no reminders; choose another "
                "follow-up contact.",
                contact=name,
            )
        return self.env._(
            "%(contact)s is not a contact of the customer any more and gets no "
            "reminders; choose another follow-up contact.",
            contact=name,
        )

    # --- who gets them ----------------------------------------------------------

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

    def _followup_get_chosen(self):
        """Return the follow-up contacts of the document and of its customer."""
        self.ensure_one()
        company = self.partner_id.commercial_partner_id
        return self.followup_contact_id | company.followup_contact_id

    def _followup_get_candidates(self):
        """Return who may get the reminders, the preferred first: only people of the
        document's customer, whenever somebody else was chosen or left."""
        self.ensure_one()
        chosen = self._followup_get_chosen().filtered(self._followup_accepts)
        return chosen | self.partner_id | self.partner_id.commercial_partner_id

    def _followup_get_reachable(self, channel):
        """Return what tells whether a contact can be reached on a channel.

        :return: callable of a ``res.partner``
        """
        if channel == "email":
            return lambda contact: (
                contact.active and is_address(contact.email_normalized)
            )
        if channel == "letter":
            return lambda contact: contact.active and (contact.zip or contact.city)
        return lambda contact: contact.active

    def _followup_get_langs(self, contacts, template=None, channel=None):
        """Return the language to write to each recipient in.

        :param contacts: dict of document → ``res.partner``
        :param template: ``sales.followup.template`` that is written, where it matters:
            a text that is not translated keeps its own language, dates and all
        :param channel: ``email`` or ``letter``, with ``template``
        :return: dict of document id → code of an installed language
        """
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        langs = {
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
        if not template:
            return langs
        written = {
            lang: template._get_text_lang(channel, lang) for lang in set(langs.values())
        }
        return {document_id: written[lang] for document_id, lang in langs.items()}
