import json
from dataclasses import dataclass, field

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from ...rules.reps import Reps
from .sales_followup_rep_writer import TEAM_FIELD, Target

#: how many records are locked, written and forgotten at a time
BATCH_SIZE = 5000

PARTNER_TARGET = Target("res.partner", "user_id", "followup_rep_ids")

LINE_COLUMNS = "change_id, type_id, model, res_id, company_id, field, old_ids, new_ids"


@dataclass
class Planned:
    """The journal lines of one record.

    :param company_id: company of the record, or ``None``
    :param line_ids: dict of field name → line id, as the two below
    :param old: dict of field name → user ids before the change
    :param new: dict of field name → user ids after the change
    :param teams: line id, old and new sales team id, where the change moved the team
    :param gone: ids of lines whose field does not exist any more
    """

    company_id: int | None
    line_ids: dict = field(default_factory=dict)
    old: dict = field(default_factory=dict)
    new: dict = field(default_factory=dict)
    teams: tuple | None = None
    gone: list = field(default_factory=list)

    def get_line_ids(self):
        """Give the ids of all lines of the record."""
        teams = [self.teams[0]] if self.teams else []
        return [*self.line_ids.values(), *teams, *self.gone]

    def has_living(self, name, living):
        """Tell whether a former value is empty or has users who are still there."""
        return not self.old[name] or not living.isdisjoint(self.old[name])


class SalesFollowupChange(models.Model):
    """A bulk change of representatives: its journal, and how it is done and undone.

    A change is planned first: its lines hold, for each value, what it is and what it
    shall be. Doing it reads nothing but those lines, in batches; a record that is no
    longer as planned is left alone.
    """

    _name = "sales.followup.change"
    _inherit = ["sales.followup.guarded"]
    _description = "Change of Representatives"
    _order = "date desc, id desc"

    operation = fields.Selection(
        [
            ("assign", "Assign representatives"),
            ("unassign", "Unassign representatives"),
            ("replace", "Replace a representative"),
            ("clear", "Remove all representatives"),
            ("propagate", "Automatic contact update"),
            ("edit", "Edited in a list"),
        ],
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Done By",
        default=lambda self: self.env.user,
        ondelete="set null",
        readonly=True,
    )
    date = fields.Datetime(default=fields.Datetime.now, required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", default=lambda self: self.env.company, required=True
    )
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("running", "Running"),
            ("done", "Done"),
            ("undone", "Undone"),
        ],
        default="planned",
        required=True,
        readonly=True,
    )
    log_in_chatter = fields.Boolean(
        string="Log in the Chatter", default=True, readonly=True
    )
    line_ids = fields.One2many(
        "sales.followup.change.line", "change_id", string="Lines", readonly=True
    )
    changed_count = fields.Integer(string="Records Changed", readonly=True)
    left_count = fields.Integer(
        string="Records Left Alone",
        readonly=True,
        help="Records that were no longer as planned, or could not be written.",
    )
    undone_count = fields.Integer(string="Records Undone", readonly=True)
    kept_count = fields.Integer(
        string="Records Kept at Undo",
        readonly=True,
        help="Records whose values somebody changed since, or that could not be "
        "written; the undo left those values alone.",
    )
    undo_user_id = fields.Many2one("res.users", string="Undone By", readonly=True)
    undo_date = fields.Datetime(string="Undone On", readonly=True)

    @api.model
    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return self._get_stored_fields_except(())

    @api.depends("operation", "date")
    def _compute_display_name(self):
        operations = dict(self._fields["operation"]._description_selection(self.env))
        for change in self:
            change.display_name = self.env._(
                "%(operation)s no. %(number)s",
                operation=operations.get(change.operation, ""),
                number=change.id or "",
            )

    # --- actions ----------------------------------------------------------------

    def action_open_lines(self):
        """Open the journal lines of this change in a list of their own."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sales_followup.sales_followup_change_line_action"
        )
        return {**action, "domain": [("change_id", "=", self.id)]}

    # --- planning ---------------------------------------------------------------

    @api.model
    def _create_planned(self, operation, **values):
        """Create a change whose lines are still to be added.

        :param operation: one of the operations
        :param values: more values of the change
        """
        # sudo: nobody writes the journal by hand; callers have checked the Editor
        return self.sudo().create({"operation": operation, **values})

    def _plan_partners(self, before, after):
        """Add the lines that change customers.

        :param before: dict of partner id → :class:`~..rules.reps.Reps` as they are
        :param after: dict of partner id → what they shall be
        """
        self.ensure_one()
        rows = []
        for partner_id, new in after.items():
            old = before[partner_id]
            if new.lead != old.lead:
                rows.append((partner_id, "user_id", _ids(old.lead), _ids(new.lead)))
            if set(new.members) != set(old.members):
                rows.append((partner_id, "followup_rep_ids", old.members, new.members))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sales_followup_change_line (%(columns)s, state)
                     SELECT %(change)s, NULL, 'res.partner', (row->>0)::int,
                            partner.company_id, row->>1, row->2, row->3, 'planned'
                       FROM JSONB_ARRAY_ELEMENTS(%(rows)s::jsonb) AS row
                       JOIN res_partner partner ON partner.id = (row->>0)::int
                """,
                columns=SQL(LINE_COLUMNS),
                change=self.id,
                rows=json.dumps(rows),
            )
        )
        self.invalidate_recordset(["line_ids"])

    # --- doing ------------------------------------------------------------------

    def _apply(self):
        """Do a planned change, once: another call finds nothing to do."""
        self.ensure_one()
        if self.state not in ("planned", "running"):
            return
        self.state = "running"
        counts = self._process("planned", self._apply_batch)
        self.write(
            {
                "state": "done",
                "changed_count": self.changed_count + counts["done"],
                "left_count": self.left_count + counts["left"],
            }
        )
        self.env["sales.followup.digest"]._notify(self)

    def _count_lines(self, state):
        """Count the lines of this change in a state."""
        return self.env["sales.followup.change.line"].search_count(
            [("change_id", "=", self.id), ("state", "=", state)]
        )

    def _process(self, state, process_batch):
        """Work through the lines in a state, batch by batch.

        :param state: of the lines to process; each batch leaves none of its in it
        :param process_batch: method called with a target and a dict of record id →
            :class:`Planned`; answers (dict of line state → dict of record id → line
            ids, dict of record id → reason)
        :return: dict of line state → number of records
        """
        counts = dict.fromkeys(("done", "left", "undone", "kept", "hidden"), 0)
        while batch := self._next_batch(state):
            target, planned = batch
            outcome, reasons = process_batch(target, planned)
            for new_state, lines in outcome.items():
                counts[new_state] += len(lines)
                self._mark([id_ for ids in lines.values() for id_ in ids], new_state)
            self._explain(planned, reasons)
            self.env.flush_all()
            # what is written is not needed any more: memory stays that of one batch
            self.env.invalidate_all(flush=False)
        return counts

    def _next_batch(self, state):
        """Fetch the next records of one model and type with lines in ``state``.

        :return: (target, dict of record id → :class:`Planned`), or ``None``
        """
        # Three plain range scans rather than one clever join: a table that grew by ten
        # thousand lines a moment ago has no statistics yet to plan a join by.
        waiting = SQL("change_id = %s AND state = %s", self.id, state)
        kinds = self.env.execute_query(
            SQL(
                "SELECT model, type_id FROM sales_followup_change_line WHERE %s"
                " ORDER BY model, type_id LIMIT 1",
                waiting,
            )
        )
        if not kinds:
            return None
        [(model_name, type_id)] = kinds
        of_kind = SQL(
            "%s AND model = %s AND %s",
            waiting,
            model_name,
            SQL("type_id = %s", type_id) if type_id else SQL("type_id IS NULL"),
        )
        [(last_id,)] = self.env.execute_query(
            SQL(
                "SELECT MAX(res_id) FROM (SELECT DISTINCT res_id"
                " FROM sales_followup_change_line WHERE %s"
                " ORDER BY res_id LIMIT %s) AS batch",
                of_kind,
                BATCH_SIZE,
            )
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT model, res_id, company_id, id, field, old_ids, new_ids"
                " FROM sales_followup_change_line WHERE %s AND res_id <= %s",
                of_kind,
                last_id,
            )
        )
        target = self._get_target(rows[0][0], {row[4] for row in rows})
        planned = {}
        for _model, res_id, company_id, line_id, name, old, new in rows:
            plan = planned.setdefault(res_id, Planned(company_id))
            if name in target.fields:
                plan.line_ids[name] = line_id
                plan.old[name] = tuple(old or ())
                plan.new[name] = tuple(new or ())
            elif name == TEAM_FIELD:
                plan.teams = (line_id, *(next(iter(ids), None) for ids in (old, new)))
            else:
                plan.gone.append(line_id)
        return target, planned

    @api.model
    def _get_target(self, model_name, field_names):
        """Give the :class:`Target` that lines with these fields write to."""
        if model_name == "res.partner":
            return PARTNER_TARGET
        known = self.env[model_name]._fields if model_name in self.env else {}
        found = {
            known[name].type: name
            for name in field_names
            if name in known and known[name].comodel_name == "res.users"
        }
        return Target(model_name, found.get("many2one"), found.get("many2many"))

    def _apply_batch(self, target, planned):
        """Write the records that are as planned, leave the others alone."""
        current, reasons, _hidden = self._read_writable(target, planned)
        reasons |= self._get_unfit(target, planned)
        after = {}
        for record_id, plan in planned.items():
            if record_id not in current or record_id in reasons:
                continue
            if get_values(target, current[record_id], plan.old) != to_sets(plan.old):
                reasons[record_id] = self.env._("Changed since the preview")
                continue
            after[record_id] = merge(target, current[record_id], plan.new)
        fast = self.env["sales.followup.rep.writer.sql"]
        teams = fast._read_teams(target, after)
        reasons |= self._write_changed(target, current, after)
        self._journal_teams(planned, teams, fast._read_teams(target, after))
        self._forget_unchanged(planned)
        outcome = {"done": {}, "left": {}}
        for record_id, plan in planned.items():
            state = "left" if record_id in reasons or plan.gone else "done"
            outcome[state][record_id] = [*plan.line_ids.values(), *plan.gone]
        return outcome, reasons

    def _get_unfit(self, target, planned):
        """Say whom a plan would put onto records though they may not be there any more.

        :return: dict of record id → reason
        """
        permitted = self.env["res.users"]._followup_permitted_by_company()
        reasons = {}
        for record_id, plan in planned.items():
            # a customer is everybody's; a document belongs to its company
            company_id = plan.company_id if target != PARTNER_TARGET else None
            added = {id_ for ids in plan.new.values() for id_ in ids}
            added -= {id_ for ids in plan.old.values() for id_ in ids}
            if added - permitted.get(company_id, frozenset()):
                reasons[record_id] = self.env._(
                    "A representative was archived or left the company since"
                )
        return reasons

    def _journal_teams(self, planned, before, after):
        """Note the sales teams that moved with the Salesperson, for the undo.

        :param before: dict of record id → (team id, company id) before writing
        :param after: the same, after writing
        """
        rows = [
            (min(planned[id_].line_ids.values()), _ids(before[id_][0]), _ids(team_id))
            for id_, (team_id, _company_id) in after.items()
            if team_id != before[id_][0]
        ]
        if rows:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO sales_followup_change_line (%(columns)s, state)
                         SELECT line.change_id, line.type_id, line.model, line.res_id,
                                line.company_id, %(team)s, row->1, row->2, 'done'
                           FROM JSONB_ARRAY_ELEMENTS(%(rows)s::jsonb) AS row
                           JOIN sales_followup_change_line line
                             ON line.id = (row->>0)::int
                    """,
                    columns=SQL(LINE_COLUMNS),
                    team=TEAM_FIELD,
                    rows=json.dumps(rows),
                )
            )

    def _forget_unchanged(self, planned):
        """Remove the lines of values that were planned to stay as they are: they have
        served to tell whether a record is still as planned."""
        unchanged = [
            plan.line_ids.pop(name)
            for plan in planned.values()
            for name in plan.new
            if set(plan.old[name]) == set(plan.new[name])
        ]
        if unchanged:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM sales_followup_change_line WHERE id = ANY(%s)",
                    unchanged,
                )
            )

    def _read_writable(self, target, planned):
        """Lock the planned records that exist and that the user may see.

        :return: (dict of record id → current :class:`~..rules.reps.Reps`, dict of
            record id → why it cannot be written, ids of those the user may not see)
        """
        missing = self.env._("The record does not exist any more")
        if target.model not in self.env or not target.fields:
            return {}, dict.fromkeys(planned, missing), set()
        current = self.env["sales.followup.rep.writer"]._read_locked(target, planned)
        visible = self._get_visible(target.model, list(current))
        reasons = dict.fromkeys(planned.keys() - current.keys(), missing)
        hidden = current.keys() - visible
        reasons |= dict.fromkeys(hidden, self.env._("You may not see this record"))
        return {id_: current[id_] for id_ in visible}, reasons, hidden

    def _get_visible(self, model_name, record_ids):
        """Give the ids among ``record_ids`` that the current user may read.

        Contacts follow their company whatever the user may see of them: who may read
        the company counts as reading them.
        """
        if self.env.uid == SUPERUSER_ID:
            return set(record_ids)
        model = self.env[model_name].sudo(False).with_context(active_test=False)
        if not model.has_access("read"):
            return set()
        if model_name != "res.partner":
            return set(model._search([("id", "in", record_ids)]))
        companies = {
            partner.id: partner.commercial_partner_id.id
            for partner in model.sudo().browse(record_ids)
        }
        ids = {*companies.keys(), *companies.values()}
        readable = set(model._search([("id", "in", list(ids))]))
        return {id_ for id_, company in companies.items() if {id_, company} & readable}

    def _write_changed(self, target, before, after):
        """Write what differs; answers dict of record id → why it was refused."""
        writer = self.env["sales.followup.rep.writer"]
        note = self.display_name if self.log_in_chatter else None
        return writer._write_reps(target, before, writer._diff(before, after), note)

    def _mark(self, line_ids, state):
        self.env.cr.execute(
            SQL(
                "UPDATE sales_followup_change_line SET state = %s WHERE id = ANY(%s)",
                state,
                line_ids,
            )
        )

    def _explain(self, planned, reasons):
        """Note on the lines why their values were left alone."""
        rows = [
            (line_id, reason)
            for record_id, reason in reasons.items()
            for line_id in planned[record_id].line_ids.values()
        ]
        gone = self.env._("The field does not exist any more")
        rows += [(line_id, gone) for p in planned.values() for line_id in p.gone]
        if rows:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE sales_followup_change_line line SET reason = new.reason
                      FROM UNNEST(%s::int[], %s::text[]) AS new (id, reason)
                     WHERE line.id = new.id AND line.state IN ('left', 'kept')
                    """,
                    [row[0] for row in rows],
                    [row[1] for row in rows],
                )
            )


def _ids(lead):
    """Give a lead the way lines hold values: as a list of ids."""
    return [lead] if lead else []


def to_sets(values):
    """Make planned values comparable: who, not in which order."""
    return {name: set(ids) for name, ids in values.items()}


def get_values(target, reps, names):
    """Give the current values of the named fields, comparable with :func:`to_sets`."""
    current = {
        target.lead_field: set(_ids(reps.lead)),
        target.reps_field: set(reps.members),
    }
    return {name: current[name] for name in names}


def merge(target, reps, values):
    """Give ``reps`` with the values that the lines of a record name."""
    lead = values.get(target.lead_field)
    members = values.get(target.reps_field)
    return Reps(
        reps.lead if lead is None else next(iter(lead), None),
        reps.members if members is None else members,
    )
