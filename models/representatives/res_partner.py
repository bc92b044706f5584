from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from ...fields import Representatives
from ...rules import reps as rule
from ...rules.reps import KEEP, NOBODY, Reps

REP_FIELDS = frozenset({"user_id", "followup_rep_ids"})


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sales.followup.followed"]

    followup_rep_ids = Representatives(
        "res.users",
        relation="res_partner_followup_rep_rel",
        column1="partner_id",
        column2="user_id",
        string="Representatives",
        # one compute for lead and representatives, so that a contact never takes the
        # one from its parent without the other
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        copy=True,
        tracking=5,
        domain="[('share', '=', False)]",
        context={"active_test": False},
        groups="base.group_user",
        help="The users in charge of this customer; the Salesperson is one of them.",
    )
    followup_can_edit_reps = fields.Boolean(
        string="Can Edit Representatives",
        compute="_compute_followup_can_edit_reps",
        groups="base.group_user",
    )
    followup_form_lead_id = fields.Many2one(
        "res.users",
        string="Salesperson in the Form",
        # an onchange is told the new Salesperson only, yet it is the one shown before
        # who is replaced
        compute="_compute_followup_form_lead_id",
        groups="base.group_user",
    )

    def init(self):
        # Order of arrival, which a many2many does not keep: when a lead leaves, the
        # representative longest in place takes over.
        self.env.cr.execute(
            SQL(
                "ALTER TABLE %s ADD COLUMN IF NOT EXISTS arrival BIGSERIAL",
                SQL.identifier(self._fields["followup_rep_ids"].relation),
            )
        )

    # --- compute ----------------------------------------------------------------

    @api.depends("parent_id")
    def _compute_user_id(self):
        """Take the parent's whole set of representatives with its Salesperson."""
        # EXTENDS 'base'
        leaderless = set(self.filtered(lambda partner: not partner.user_id)._ids)
        result = super()._compute_user_id()
        for partner in self:
            if not partner.user_id or partner.user_id in partner.followup_rep_ids:
                continue
            if partner.id in leaderless or not partner.followup_rep_ids:
                partner.followup_rep_ids = self._followup_reps_for_lead(
                    partner.user_id, partner.parent_id
                )
        return result

    @api.depends_context("uid")
    def _compute_followup_can_edit_reps(self):
        self.followup_can_edit_reps = self._followup_is_rep_editor()

    def _compute_followup_form_lead_id(self):
        for partner in self:
            partner.followup_form_lead_id = partner._origin.user_id

    @api.model
    def _followup_reps_for_lead(self, lead, parent):
        """Give the representatives of a partner that just got ``lead``.

        :param lead: the ``res.users`` record it got
        :param parent: its parent, or none
        :return: the parent's representatives where that one has the same lead, else
            ``lead`` alone
        """
        parent = parent.sudo()
        return parent.followup_rep_ids if parent.user_id == lead else lead

    @api.onchange("user_id")
    def _onchange_followup_user_id(self):
        before = Reps(
            self.followup_form_lead_id.id or None, self._followup_form_members()
        )
        self._followup_show(rule.write(before, lead=self.user_id.id or None))

    @api.onchange("followup_rep_ids")
    def _onchange_followup_rep_ids(self):
        members = self._followup_form_members()
        self._followup_show(rule.write(Reps(self.user_id.id), members=members))

    def _followup_form_members(self):
        """Give the ids of the representatives in the form, longest in place first."""
        shown = self.followup_rep_ids._origin.ids
        saved = self._origin._followup_get_reps().get(self._origin.id, NOBODY)
        stay = [user_id for user_id in saved.members if user_id in shown]
        return tuple(dict.fromkeys([*stay, *shown]))

    def _followup_show(self, reps):
        """Show in the form at once what saving makes of the representatives."""
        self.user_id = self.followup_form_lead_id = reps.lead
        self.followup_rep_ids = [Command.set(reps.members)]

    # --- CRUD -------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        parents = self.browse({vals.get("parent_id") for vals in vals_list} - {None})
        return super().create(
            [self._followup_prepare_create_values(vals, parents) for vals in vals_list]
        )

    def write(self, vals):
        # EXTENDS 'base'
        if not REP_FIELDS & vals.keys() or self._followup_is_settled():
            return super().write(vals)
        before = self._followup_get_reps()
        after = {
            partner.id: self._followup_written_reps(before[partner.id], vals)
            for partner in self
        }
        changed = self.filtered(
            lambda partner: not after[partner.id].same_people(before[partner.id])
        )
        if changed:
            if not changed._followup_merely_inherits(before, after, vals):
                self._followup_check_rep_editor()
            self._followup_check_internal(
                {
                    user_id
                    for partner in changed
                    for user_id in after[partner.id].members
                    if user_id not in before[partner.id].members
                }
            )
            changed.check_access("write")
        others = {name: vals[name] for name in vals.keys() - REP_FIELDS}
        # protected: what is written of them wins over what a new parent would give
        with self.env.protecting([self._fields[name] for name in REP_FIELDS], self):
            result = super().write(others) if others else True
        changed._followup_change_reps(before, after)
        return result

    def _followup_merely_inherits(self, before, after, vals):
        """Tell whether a write says no more of representatives than the new parent,
        which it sets too, gives to these partners by itself."""
        if not vals.get("parent_id"):
            return False
        inherited = self.browse(vals["parent_id"])._followup_get_reps()
        return all(
            before[partner.id] == NOBODY
            and after[partner.id].same_people(inherited[vals["parent_id"]])
            for partner in self
        )

    def _followup_is_settled(self):
        """Tell whether a bulk change writes here what the rules have said already."""
        return self.env.su and self.env.context.get("followup_settled")

    # --- who may ----------------------------------------------------------------

    @api.model
    def _followup_is_rep_editor(self):
        """Tell whether the current user may change representatives."""
        return self.env.su or self.env.user.has_group("sales_followup.group_rep_editor")

    @api.model
    def _followup_check_rep_editor(self):
        """Refuse who may not change representatives.

        :raise AccessError: unless superuser or *Representatives: Editor*
        """
        if not self._followup_is_rep_editor():
            raise AccessError(
                self.env._(
                    "Only users of the group “Representatives: Editor” can change who "
                    "follows a customer, its Salesperson included. Ask one of them, "
                    "or your administrator for the right."
                )
            )

    @api.model
    def _followup_check_internal(self, user_ids):
        """Refuse representatives who are no internal users.

        :param user_ids: ids of the users who are to be added
        :raise ValidationError: naming them
        """
        users = self.env["res.users"].sudo().browse(user_ids).filtered("share")
        if users:
            raise ValidationError(
                self.env._(
                    "Only internal users can follow customers: choose another "
                    "representative than %(users)s.",
                    users=", ".join(users.mapped("name")),
                )
            )

    # --- reading and writing representatives ------------------------------------

    def _followup_get_reps(self):
        """Read who follows each of these partners, whatever the user may see.

        :return: dict of partner id → :class:`~..rules.reps.Reps`, members longest in
            place first
        """
        if not self.ids:
            return {}
        self.sudo().flush_recordset(REP_FIELDS)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.id, partner.user_id,
                       ARRAY_REMOVE(ARRAY_AGG(rel.user_id ORDER BY rel.arrival), NULL)
                  FROM res_partner partner
             LEFT JOIN res_partner_followup_rep_rel rel ON rel.partner_id = partner.id
                 WHERE partner.id = ANY(%s)
              GROUP BY partner.id
                """,
                self.ids,
            )
        )
        found = {id_: Reps(lead, tuple(members)) for id_, lead, members in rows}
        return {id_: found.get(id_, NOBODY) for id_ in self.ids}

    def _followup_written_reps(self, before, vals):
        """Give what a write of ``vals`` makes of the representatives ``before``."""
        lead, members, named = KEEP, KEEP, ()
        if "user_id" in vals:
            lead = vals["user_id"] or None
        if "followup_rep_ids" in vals:
            members, named = self._followup_resolve_commands(
                before.members, vals["followup_rep_ids"]
            )
        return rule.write(before, lead, members, named)

    @api.model
    def _followup_resolve_commands(self, members, value):
        """Apply many2many commands to user ids.

        :param members: ids in place, longest first
        :param value: whatever a many2many takes: commands, ids, a recordset, ``False``
        :return: (ids afterwards, ids the commands name, in their order)
        :raise ValidationError: on a command that would create or change a user
        """
        if isinstance(value, models.BaseModel):
            value = tuple(value.ids)
        if value is False or value is None:
            value = [Command.clear()]
        elif isinstance(value, tuple) or (value and isinstance(value[0], int)):
            value = [Command.set(value)]
        members, named = list(members), []
        for command in value:
            match command:
                case (Command.LINK, user_id, *_):
                    members, named = [*members, user_id], [*named, user_id]
                case (Command.UNLINK, user_id, *_):
                    members = [user for user in members if user != user_id]
                case (Command.CLEAR, *_):
                    members = []
                case (Command.SET, _, user_ids):
                    stay = set(user_ids)
                    kept = [user for user in members if user in stay]
                    members, named = [*kept, *user_ids], [*named, *user_ids]
                case _:
                    raise ValidationError(
                        self.env._(
                            "Representatives are chosen among the existing users; "
                            "they cannot be created or changed from here."
                        )
                    )
        return tuple(dict.fromkeys(members)), tuple(dict.fromkeys(named))

    def _followup_prepare_create_values(self, vals, parents):
        """Make lead and representatives of a new partner agree.

        :param vals: values given to ``create``; where neither they nor the defaults
            name one of the two, the compute takes them from the parent
        :param parents: the parents of all partners being created, to be read at once
        """
        missing = {*REP_FIELDS, "parent_id"} - vals.keys()
        given = {**self.default_get(list(missing)), **vals}
        if not REP_FIELDS & given.keys():
            return vals
        if "followup_rep_ids" in given:
            reps = self._followup_written_reps(NOBODY, given)
        elif lead := self.env["res.users"].browse(given["user_id"] or ()):
            parent = self.browse(given.get("parent_id") or ())
            parent = parent.with_prefetch(parents._prefetch_ids)
            members = self._followup_reps_for_lead(lead, parent).ids
            reps = rule.write(NOBODY, lead.id, members)
        else:
            reps = NOBODY
        self._followup_check_internal(reps.members)
        return {
            **vals,
            "user_id": reps.lead,
            "followup_rep_ids": [Command.set(reps.members)],
        }

    def _followup_change_reps(self, before, after):
        """Write new representatives, on the contacts that follow their company too.

        :param before: dict of partner id → :class:`~..rules.reps.Reps` as they are
        :param after: the same, as they shall be; coherent
        """
        contacts = self._followup_following_contacts(before)
        self._followup_store_reps(before, after)
        # one company is news for its new Salesperson; its contacts are not
        contacts.with_context(mail_auto_subscribe_no_notify=True)._followup_store_reps(
            contacts._followup_get_reps(),
            {
                contact.id: after[contact.commercial_partner_id.id]
                for contact in contacts
            },
        )

    def _followup_absorb_reps(self, partners):
        """Take over the representatives of partners about to be merged into this one.

        The union follows; the Salesperson stays, where there is one.
        """
        self.ensure_one()
        reps = (self | partners)._followup_get_reps()
        users = [
            user_id
            for partner in partners
            for user_id in (reps[partner.id].lead, *reps[partner.id].members)
            if user_id
        ]
        after = {self.id: rule.assign(reps[self.id], users)}
        if not after[self.id].same_people(reps[self.id]):
            self._followup_change_reps(reps, after)
        # the merge moves rows of relation tables one by one and stumbles over a
        # representative that both partners have
        self.env.execute_query(
            SQL(
                "DELETE FROM res_partner_followup_rep_rel WHERE partner_id = ANY(%s)"
                " RETURNING partner_id",
                partners.ids,
            )
        )
        partners.invalidate_recordset(["followup_rep_ids"])

    def _followup_store_reps(self, before, after):
        """Write representatives that the rules have settled already, where they differ.

        :param before: dict of partner id → :class:`~..rules.reps.Reps`
        :param after: dict of partner id → :class:`~..rules.reps.Reps`
        """
        alike = defaultdict(list)
        for partner in self:
            # a Salesperson written again, though the same, would be notified again
            changes = after[partner.id].changes(before[partner.id])
            alike[changes].append(partner.id)
        for (lead, members), partner_ids in alike.items():
            values = {}
            if lead is not KEEP:
                values["user_id"] = lead
            if members is not KEEP:
                values["followup_rep_ids"] = [Command.set(members)]
            # sudo: whoever may write gets here; a user of another company whom the
            # current one does not see must not be lost from the representatives
            partners = self.sudo().with_context(followup_settled=True)
            partners.browse(partner_ids).write(values)

    def _followup_get_document_reps(self):
        """Give whose representatives a new document of each of these customers takes.

        A contact without representatives of its own counts as its company.

        :return: dict of partner id → :class:`~..rules.reps.Reps`; ``False`` is nobody's
        """
        customers = self.sudo()
        reps = (customers | customers.commercial_partner_id)._followup_get_reps()
        found = {
            partner.id: reps[partner.id]
            if reps[partner.id].members
            else reps[partner.commercial_partner_id.id]
            for partner in customers
        }
        return {False: NOBODY, **found}

    def _followup_following_contacts(self, before):
        """Give the contacts, outside of ``self``, that follow these companies' changes.

        They are the ones whose representatives are the same as their company's.

        :param before: dict of partner id → what :class:`~..rules.reps.Reps` it had
        """
        contacts = self._followup_get_contacts()
        theirs = contacts._followup_get_reps()
        return contacts.filtered(
            lambda contact: theirs[contact.id].same_people(
                before[contact.commercial_partner_id.id]
            )
        )

    def _followup_get_contacts(self):
        """Give all contacts of these customers not in ``self``, archived ones too."""
        companies = self.filtered(lambda p: p.commercial_partner_id == p)
        if not companies:
            return self.sudo().browse()
        # sudo: a contact follows its company whatever the user may see of it
        return (
            self.sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("commercial_partner_id", "in", companies.ids),
                    ("id", "not in", self.ids),
                ]
            )
        )

    # --- actions ------------------------------------------------------------------

    def action_followup_propagate(self):
        """Open the automatic contact update for these customers.

        :raise AccessError: unless *Representatives: Editor*
        """
        return self.env["sales.followup.propagate"]._get_action(self)

    def _followup_get_label(self):
        """Name these customers in a few words: by name, or how many they are."""
        if len(self) == 1:
            return self.display_name
        return self.env._("%(count)s customers", count=len(self))
