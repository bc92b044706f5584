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
        domain="[('share', '=', False), ('active', '=', True)]",
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

    followup_rep_warning = fields.Char(
        string="Representatives Without Access",
        compute="_compute_followup_rep_warning",
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

    @api.depends("company_id", "followup_rep_ids.company_ids")
    def _compute_followup_rep_warning(self):
        for partner in self:
            # sudo: users of another company are representatives nevertheless
            reps = partner.sudo().followup_rep_ids
            partner.followup_rep_warning = partner._followup_get_access_warning(reps)

    def _compute_followup_form_lead_id(self):
        for partner in self:
            partner.followup_form_lead_id = partner._origin.user_id

    def _followup_reps_for_lead(self, lead, parent):
        """Return the representatives of a partner that just got ``lead``.

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
        """Return the ids of the representatives in the form, longest in place first."""
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
        before, after, changed = self._followup_plan_write(
            dict.fromkeys(self._ids, vals)
        )
        others = {name: vals[name] for name in vals.keys() - REP_FIELDS}
        # protected: what is written of them wins over what a new parent would give
        with self.env.protecting([self._fields[name] for name in REP_FIELDS], self):
            result = super().write(others) if others else True
        changed._followup_apply_write(before, after)
        return result

    def web_save_multi(self, vals_list, specification):
        """Change the representatives of all edited rows at once, as one change."""
        # EXTENDS 'web'
        vals_by_id = dict(zip(self._ids, vals_list, strict=False))
        rows = self.filtered(lambda row: REP_FIELDS & vals_by_id.get(row.id, {}).keys())
        if len(rows) > 1 and len(self) == len(vals_list):
            before, after, changed = rows._followup_plan_write(
                {row.id: vals_by_id[row.id] for row in rows}
            )
            changed._followup_apply_write(before, after)
            vals_list = [
                {name: vals[name] for name in vals.keys() - REP_FIELDS}
                for vals in vals_list
            ]
        return super().web_save_multi(vals_list, specification)

    def _followup_plan_write(self, vals_by_id):
        """Work out what writing representatives makes of these partners.

        :param vals_by_id: dict of partner id → the values to write
        :return: (dict of partner id → :class:`~..rules.reps.Reps` as they are, the same
            as they shall be, the partners that change)
        :raise AccessError: where the user may not
        :raise ValidationError: naming users who cannot follow customers
        """
        before = self._followup_get_reps()
        after = {
            id_: self._followup_written_reps(before[id_], vals_by_id[id_])
            for id_ in self._ids
        }
        changed = self.filtered(
            lambda partner: not after[partner.id].same_people(before[partner.id])
        )
        if changed:
            if not changed._followup_merely_inherits(before, after, vals_by_id):
                self._followup_check_rep_editor()
            parent_ids = {vals_by_id[id_].get("parent_id") for id_ in changed._ids}
            parent_ids -= {None, False}
            self._followup_check_present(
                {
                    user_id
                    for partner in changed
                    for user_id in after[partner.id].members
                    if user_id not in before[partner.id].members
                },
                changed.parent_id | self.browse(parent_ids),
            )
            changed.check_access("write")
        return before, after, changed

    def _followup_apply_write(self, before, after):
        """Write the representatives that users gave to these partners.

        :param before: dict of partner id → :class:`~..rules.reps.Reps` as they are
        :param after: the same, as they shall be; coherent
        """
        self._followup_change_reps(before, after)

    def copy_data(self, default=None):
        """Name only who is still there: :meth:`copy` adds those who have left."""
        # EXTENDS 'base'
        vals_list = super().copy_data(default)
        for partner, vals in zip(self, vals_list, strict=True):
            if REP_FIELDS & (default or {}).keys():
                continue
            # sudo: users of another company are representatives nevertheless
            reps = partner.sudo().followup_rep_ids.filtered("active")
            lead = partner.sudo().user_id.filtered("active") or reps[:1]
            vals["user_id"] = lead.id
            vals["followup_rep_ids"] = [Command.set(reps.ids)]
        return vals_list

    def copy(self, default=None):
        # EXTENDS 'base'
        copies = super().copy(default)
        if not REP_FIELDS & (default or {}).keys():
            originals = self._followup_get_reps()
            after = {
                copy.id: originals[partner.id]
                for partner, copy in zip(self, copies, strict=True)
            }
            before = copies._followup_get_reps()
            copies.filtered(
                lambda copy: not after[copy.id].same_people(before[copy.id])
            )._followup_store_reps(before, after)
        return copies

    def _followup_merely_inherits(self, before, after, vals_by_id):
        """Tell whether a write says no more of representatives than the new parent,
        which it sets too, gives to these partners by itself."""
        parents = {id_: vals_by_id[id_].get("parent_id") for id_ in self._ids}
        if not all(parents.values()):
            return False
        inherited = self.browse(set(parents.values()))._followup_get_reps()
        return all(
            before[id_] == NOBODY and after[id_].same_people(inherited[parent_id])
            for id_, parent_id in parents.items()
        )

    def _followup_is_settled(self):
        """Tell whether a bulk change writes here what the rules have said already."""
        return self.env.su and self.env.context.get("followup_settled")

    # --- who may ----------------------------------------------------------------

    def _followup_is_rep_editor(self):
        """Tell whether the current user may change representatives."""
        return self.env.su or self.env.user.has_group("sales_followup.group_rep_editor")

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

    def _followup_check_present(self, user_ids, parents):
        """Refuse representatives who are not internal users, or archived.

        :param user_ids: ids of the users who are to be added
        :param parents: the partners' parents: contacts take over whoever follows these
        :raise ValidationError: naming them
        """
        self._followup_check_internal(user_ids)
        if self.env.su:
            # a migration, say, that brings the past along
            return
        users = self.env["res.users"].sudo().browse(user_ids)
        # sudo: who follows the company is not for its contact's editor to see
        gone = users.filtered(lambda u: not u.active) - parents.sudo().followup_rep_ids
        if gone:
            raise ValidationError(
                self.env._(
                    "Archived users cannot take over customers or documents: "
                    "%(users)s. Choose somebody else.",
                    users=", ".join(gone.mapped("name")),
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
        """Return what a write of ``vals`` makes of the representatives ``before``."""
        lead, members, named = KEEP, KEEP, ()
        if "user_id" in vals:
            lead = vals["user_id"] or None
        if "followup_rep_ids" in vals:
            members, named = self._followup_resolve_commands(
                before.members, vals["followup_rep_ids"]
            )
        return rule.write(before, lead, members, named)

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
        parent = self.browse(given.get("parent_id") or ())
        self._followup_check_present(reps.members, parent)
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
        # those who followed a merged company follow this one from now on
        moving = partners._followup_following_contacts(reps) - self
        if not after[self.id].same_people(reps[self.id]):
            self._followup_change_reps(reps, after)
        moving.with_context(mail_auto_subscribe_no_notify=True)._followup_store_reps(
            moving._followup_get_reps(), dict.fromkeys(moving._ids, after[self.id])
        )
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
        """Return whose representatives a new document of each of these customers takes.

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
        """Return the contacts, not in ``self``, that follow their company's changes.

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
        """Return all contacts of these customers not in ``self``, archived ones too."""
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

    def _create_contact_parent_company(self):
        """Give the company made from this person the person's representatives."""
        # EXTENDS 'base'
        company = super()._create_contact_parent_company()
        before = company._followup_get_reps()
        reps = self._followup_get_reps()[self.id]
        if company and reps.members and before[company.id] == NOBODY:
            # not a change, which only Editors make: first representatives are set by
            # whoever creates a partner
            company._followup_change_reps(before, {company.id: reps})
        return company

    def _followup_get_access_warning(self, users):
        """Say who of these users cannot open some of these customers, or ``False``.

        :param users: ``res.users`` recordset, the customers' representatives, or those
            who are to be
        """
        warnings = []
        # sudo: the companies of colleagues are read, and only to tell this
        for company in self.sudo().company_id._origin:
            outside = users.sudo()._origin.filtered(
                lambda user, company=company: company not in user.company_ids
            )
            if outside:
                warnings.append(
                    self.env._(
                        "%(users)s cannot open customers that belong to %(company)s.",
                        users=", ".join(outside.mapped("name")),
                        company=company.name,
                    )
                )
        return " ".join(warnings) or False

    def _followup_count_subsidiaries(self):
        """Count the companies below these ones, whose representatives are their own.

        :return: number of companies outside ``self`` that the user may see
        """
        return self.search_count(
            [
                ("id", "child_of", self.ids),
                ("id", "not in", self.ids),
                ("is_company", "=", True),
            ]
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
