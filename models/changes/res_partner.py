from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...rules import reps as rule

#: how many customers a bulk change works out at a time
PLAN_SIZE = 5000

#: how many records the web client sends of a *Select all*, where nothing else is set
SELECTION_LIMIT = 20000


class BulkPlan(NamedTuple):
    """What a bulk change does to some of its customers.

    :param before: partner id → reps, of the customers and their contacts
    :param after: partner id → reps, of the partners that change
    :param following: ids in ``after`` of contacts that merely follow their company
    :param selected: how many customers were asked about
    :param own: how many contacts with representatives of their own stay
    """

    before: dict
    after: dict
    following: set
    selected: int
    own: int


# Bulk changes are a subject of their own, and long enough for a file of theirs.
class ResPartner(models.Model):
    """Bulk changes of representatives; :mod:`.res_partner` has the single ones."""

    _inherit = "res.partner"

    def _followup_change_in_bulk(
        self,
        operation,
        include_contacts=False,
        reason=None,
        wait=False,
        move_activities=False,
        **arguments,
    ):
        """Change the representatives of these customers, journalled and undoable.

        :param operation: ``assign``, ``unassign``, ``replace`` or ``clear``
        :param include_contacts: whether contacts with representatives of their own are
            changed too, not only those that follow their company
        :param reason: why, for those who see the change later
        :param wait: whether it is done before this returns, whatever its size
        :param move_activities: whether open activities of who is replaced go along
        :param arguments: what the rule of that name takes, users as ids
        :return: the ``sales.followup.change``; empty where nothing had to change
        :raise AccessError: unless *Representatives: Editor*
        """
        self._followup_check_rep_editor()
        change = self.env["sales.followup.change"]
        self._followup_check_joiners(_get_joiners(operation, arguments))
        for plan in self._followup_plan(operation, include_contacts, **arguments):
            if plan.after and not change:
                change = change._create_planned(operation, reason=reason)
            if plan.after:
                change._plan_partners(plan.before, plan.after)
        if change and move_activities and operation == "replace":
            change._plan_activities(arguments["leaver"], arguments["joiner"])
        if change:
            change._apply(wait)
        return change.sudo(False)

    def _followup_count_plan(self, operation, include_contacts=False, **arguments):
        """Count beforehand what :meth:`_followup_change_in_bulk` would do.

        :return: dict with the numbers of partners that ``change``, that are ``right``
            already, of contacts that are ``following`` their company, and of contacts
            with representatives of their ``own`` that stay as they are
        """
        counts = dict.fromkeys(("change", "right", "following", "own"), 0)
        for plan in self._followup_plan(operation, include_contacts, **arguments):
            changed = len(plan.after) - len(plan.following)
            counts["change"] += changed
            counts["right"] += plan.selected - changed
            counts["following"] += len(plan.following)
            counts["own"] += plan.own
        return counts

    def _followup_count_activities(self, include_contacts, leaver, joiner):
        """Count beforehand the open activities that go along with a replacement."""
        changes = self.env["sales.followup.change"]
        count = 0
        for plan in self._followup_plan(
            "replace", include_contacts, leaver=leaver, joiner=joiner
        ):
            records = SQL(
                "SELECT 'res.partner' AS model, id AS res_id, 0 AS position"
                " FROM res_partner WHERE id = ANY(%s)",
                list(plan.after),
            )
            count += len(
                self.env.execute_query(changes._select_activities(records, leaver))
            )
        return count

    def _followup_plan(self, operation, include_contacts=False, **arguments):
        """Work out a bulk change of these customers, some thousands at a time.

        Only customers that the user may see take part; their contacts follow them
        whatever the user may see.

        :return: generator of :class:`BulkPlan`
        """
        customers = self._filtered_access("read")
        if include_contacts:
            contacts = customers._followup_get_contacts().sudo(self.env.su)
            customers |= contacts._filtered_access("read")
        apply_rule = getattr(rule, operation)
        selected = frozenset(customers.ids)
        for index in range(0, len(customers), PLAN_SIZE):
            batch = customers[index : index + PLAN_SIZE]
            contacts = batch._followup_get_contacts().filtered(
                lambda contact: contact.id not in selected
            )
            before = (batch.sudo() | contacts)._followup_get_reps()
            after = {id_: apply_rule(before[id_], **arguments) for id_ in batch.ids}
            after = {
                id_: reps
                for id_, reps in after.items()
                if not reps.same_people(before[id_])
            }
            company_of = {c.id: c.commercial_partner_id.id for c in contacts}
            alike = {
                id_
                for id_, company_id in company_of.items()
                if before[id_].same_people(before[company_id])
            }
            following = {id_ for id_ in alike if company_of[id_] in after}
            after |= {id_: after[company_of[id_]] for id_ in following}
            own = sum(bool(before[id_].members) for id_ in company_of.keys() - alike)
            yield BulkPlan(before, after, following, len(batch), own)

    def _followup_apply_write(self, before, after):
        """Journal what an Editor writes on several customers at once, as any change."""
        # EXTENDS 'sales_followup'
        if len(self) < 2 or self.env.su or not self._followup_is_rep_editor():
            return super()._followup_apply_write(before, after)
        contacts = self._followup_following_contacts(before)
        before = before | contacts._followup_get_reps()
        after = {id_: after[id_] for id_ in self.ids}
        after |= {c.id: after[c.commercial_partner_id.id] for c in contacts}
        self.env.flush_all()
        change = self.env["sales.followup.change"]._create_planned("edit")
        change._plan_partners(before, after)
        change._apply(wait=True)
        return None

    def _followup_get_selected(self):
        """Return what the user selected in a list of which these are the records that
        the client sent.

        Of a *Select all* it sends no more than a limit, without a word; the others are
        those of the list's domain.
        """
        # sudo: a limit of the web client is no secret
        limit = self.env["ir.config_parameter"].sudo().get_param("web.active_ids_limit")
        domain = self.env.context.get("active_domain")
        if not domain or len(self) < int(limit or SELECTION_LIMIT):
            return self
        return self | self.search(domain)

    def _followup_check_joiners(self, user_ids):
        """Refuse users whom a bulk change cannot put in charge.

        :param user_ids: ids of the users who are to be added
        :raise ValidationError: naming those who are no internal users
        :raise UserError: naming those who are archived
        """
        self._followup_check_internal(user_ids)
        users = self.env["res.users"].sudo().browse(user_ids)
        if archived := users.filtered(lambda user: not user.active):
            raise UserError(
                self.env._(
                    "Archived users cannot take over customers or documents: "
                    "%(users)s. Choose somebody else.",
                    users=", ".join(archived.mapped("name")),
                )
            )


def _get_joiners(operation, arguments):
    """Return the ids of the users whom an operation puts in charge."""
    users = arguments.get("users", ()) if operation == "assign" else ()
    named = (arguments.get("lead"), arguments.get("joiner"))
    return {id_ for id_ in (*users, *named) if id_}
