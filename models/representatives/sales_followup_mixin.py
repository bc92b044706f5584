from odoo import SUPERUSER_ID, Command, api, models
from odoo.exceptions import ValidationError

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
        domain="[('share', '=', False), ('active', '=', True)]",
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

    # --- who may not go onto documents -------------------------------------------

    def _followup_prepare_creation(self, vals_list):
        """Leave out Salespeople who have left, so that they are not even subscribed.

        Documents then choose theirs as if none had been named.

        :param vals_list: as given to ``create``
        :return: (``self`` without such a default in its context, the values to create)
        """
        name = self._followup_lead_field
        default = f"default_{name}"
        named = {vals.get(name) for vals in vals_list}
        named.add(self.env.context.get(default))
        gone = self._followup_get_absent_users(
            user for user in named if isinstance(user, int)
        ).ids
        if self.env.context.get(default) in gone:
            context = dict(self.env.context)
            del context[default]
            # replaced, for a key cannot be removed otherwise
            # pylint: disable-next=context-overridden
            self = self.with_context(context)
        return self, [
            {key: value for key, value in vals.items() if key != name}
            if vals.get(name) in gone
            else vals
            for vals in vals_list
        ]

    def _followup_check_created(self):
        """Hold new documents to the rule, whatever defaults and computes gave them."""
        self.filtered(
            lambda document: self._followup_get_absent_users(
                document[self._followup_lead_field].ids
            )
        )._followup_pass_over_absent_leads()
        self._followup_refuse_absent_reps({})

    def _followup_write_checked(self, vals, write):
        """Write values, but put nobody onto these documents who has left.

        :param vals: as given to ``write``
        :param write: the function that writes
        :raise ValidationError: naming those a user tries to put there; what runs with
            elevated rights (a web shop, a scheduled action) passes them over instead
        """
        lead = vals.get(self._followup_lead_field)
        names = {self._followup_lead_field, "followup_rep_ids"} & vals.keys()
        if not names or self.env.su and self.env.context.get("followup_settled"):
            return write(vals)
        # sudo: users of another company are representatives nevertheless
        documents = self.sudo()
        before = {doc.id: set(doc.followup_rep_ids.ids) for doc in documents}
        gone = self._followup_get_absent_users([lead])
        taking = documents.filtered(lambda doc: doc[self._followup_lead_field] != gone)
        if gone and taking:
            if not (self.env.su or self.env.user.share):
                self._followup_refuse(gone)
            vals = {key: vals[key] for key in vals.keys() - {self._followup_lead_field}}
        result = write(vals) if vals else True
        if gone and taking:
            reps = taking._followup_get_customer_reps()
            for document in taking.filtered(
                lambda doc: not doc[self._followup_lead_field]
            ):
                document[self._followup_lead_field] = reps[document].lead
        if "followup_rep_ids" in names:
            self._followup_refuse_absent_reps(before)
        return result

    def _followup_refuse_absent_reps(self, before):
        """Refuse representatives who have left, except those who were there ``before``.

        :param before: dict of document id → set of user ids
        """
        # sudo: users of another company are representatives nevertheless
        for document in self.sudo():
            added = set(document.followup_rep_ids.ids) - before.get(document.id, set())
            if not (gone := self._followup_get_absent_users(added)):
                continue
            if not self.env.su:
                self._followup_refuse(gone)
            document.followup_rep_ids = [Command.unlink(id_) for id_ in gone.ids]

    def _followup_refuse(self, users):
        raise ValidationError(
            self.env._(
                "Archived users and users who are not internal cannot follow "
                "documents: %(users)s. Choose somebody else.",
                users=", ".join(users.mapped("name")),
            )
        )

    def _followup_get_absent_users(self, user_ids):
        """Return who of these users may not go onto documents.

        :return: ``res.users`` recordset of archived users and of users who are no
            longer internal; OdooBot, which is archived on purpose, is not among them
        """
        ids = {id_ for id_ in user_ids if id_} - {SUPERUSER_ID}
        # sudo: users of another company are representatives nevertheless
        users = self.env["res.users"].sudo().browse(ids)
        return users.filtered(lambda user: not user.active or user.share)

    def _followup_pass_over_absent_leads(self):
        """Replace a Salesperson who has left or is not of this company by the next
        representative, or by the current user."""
        absent = self.filtered(lambda document: document._followup_has_absent_lead())
        reps = absent._followup_get_customer_reps()
        sells = self.env.user.has_group("sales_team.group_sale_salesman")
        for document in absent:
            document[self._followup_lead_field] = reps[document].lead or (
                sells and self.env.user.id
            )

    def _followup_has_absent_lead(self):
        """Tell whether the Salesperson has left, or came from the customer without
        belonging to this document's company."""
        lead = self[self._followup_lead_field].sudo()
        if not lead or self._followup_get_absent_users(lead.ids):
            return bool(lead)
        if self.company_id <= lead.company_ids:
            return False
        customer = self.partner_id.sudo()
        return lead == (customer.user_id or customer.commercial_partner_id.user_id)

    def _followup_get_customer_reps(self):
        """Return who of their customers' representatives these new documents take.

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
        """Return the representatives that may go onto a document made from these.

        :return: ``res.users`` recordset, without archived and no longer internal ones
        """
        # sudo: users of another company are representatives nevertheless
        return self.sudo().followup_rep_ids.filtered(
            lambda user: user.active and not user.share
        )

    def copy_data(self, default=None):
        """Copy Salesperson and representatives together, except those who have left.

        Whatever is made from a document (a copy, a credit note, the invoice in place
        of a credited one) takes both from there, not one of them from the customer.
        """
        # EXTENDS 'base'
        vals_list = super().copy_data(default)
        given, name = default or {}, self._followup_lead_field
        for document, vals in zip(self, vals_list, strict=True):
            if "followup_rep_ids" in vals and "followup_rep_ids" not in given:
                reps = document._followup_active_reps()
                vals["followup_rep_ids"] = [Command.set(reps.ids)]
            lead = document[name]
            if name in given and not self._followup_get_absent_users([given[name]]):
                continue
            if not lead or not document._followup_takes_customer_reps():
                continue
            vals.pop(name, None)
            if lead := document._followup_get_copied_lead():
                vals[name] = lead.id
        return vals_list

    def _followup_get_copied_lead(self):
        """Return the Salesperson of a copy: this document's, or where that one has left
        the next of its representatives who belongs to its company."""
        lead = self[self._followup_lead_field].sudo()
        if not self._followup_get_absent_users(lead.ids):
            return lead
        return self._followup_active_reps().filtered(
            lambda user: self.company_id <= user.company_ids
        )[:1]
