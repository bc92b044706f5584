import json
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL

from ..rules import reps as rule
from ..rules.reps import Reps
from .sales_followup_writer import Target

#: how many records are locked, written and forgotten at a time
BATCH_SIZE = 5000

PARTNER_TARGET = Target("res.partner", "user_id", "followup_rep_ids")

LINE_COLUMNS = "change_id, type_id, model, res_id, company_id, field, old_ids, new_ids"


class Planned(NamedTuple):
    """The journal lines of one record: field name → value, and → line id."""

    line_ids: dict
    old: dict
    new: dict


class SalesFollowupChange(models.Model):
    """A bulk change of representatives: its journal, and how it is done and undone.

    A change is planned first: its lines hold, for each value, what it is and what it
    shall be. Doing it reads nothing but those lines, in batches; a record that is no
    longer as planned is left alone.
    """

    _name = "sales.followup.change"
    _description = "Change of Representatives"
    _order = "date desc, id desc"

    operation = fields.Selection(
        [
            ("assign", "Assign representatives"),
            ("unassign", "Unassign representatives"),
            ("replace", "Replace a representative"),
            ("clear", "Remove all representatives"),
            ("propagate", "Automatic contact update"),
        ],
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="By",
        default=lambda self: self.env.user,
        required=True,
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
    log_in_chatter = fields.Boolean(default=True, readonly=True)
    line_ids = fields.One2many("sales.followup.change.line", "change_id", readonly=True)
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

    def action_undo(self):
        """Restore every value of these changes that nobody changed since.

        Undoing twice does nothing more. What was left alone is told on the lines.

        :return: an action telling how many records were restored and left
        :raise AccessError: unless *Representatives: Editor*
        """
        self.env["res.partner"]._followup_check_rep_editor()
        self.check_access("read")
        for change in self:
            change._undo()
        return self._get_undo_notification()

    def action_open_lines(self):
        """Open the journal lines of this change in a list of their own."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sales_followup.sales_followup_change_line_action"
        )
        return {**action, "domain": [("change_id", "=", self.id)]}

    def _get_undo_notification(self):
        kept = sum(self.mapped("kept_count"))
        message = self.env._(
            "%(undone)s records are as they were before.",
            undone=sum(self.mapped("undone_count")),
        )
        if kept:
            message += " " + self.env._(
                "%(kept)s were changed since by somebody else and stay as they are.",
                kept=kept,
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if kept else "success",
                "message": message,
                "sticky": bool(kept),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

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

    def _undo(self):
        """Undo a change, once: another call finds nothing to do."""
        self.ensure_one()
        # sudo: nobody writes the journal by hand; action_undo checked the Editor
        change = self.sudo()
        try:
            change.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody is undoing this change right now; look again soon."
                )
            ) from error
        change.invalidate_recordset(["state"])
        if change.state != "done":
            return
        counts = change._process("done", change._undo_batch)
        change.write(
            {
                "state": "undone",
                "undone_count": counts["undone"],
                "kept_count": counts["kept"],
                "undo_user_id": self.env.uid,
                "undo_date": fields.Datetime.now(),
            }
        )
        self.env["sales.followup.digest"]._notify(change, undo=True)

    def _process(self, state, process_batch):
        """Work through the lines in a state, batch by batch.

        :param state: of the lines to process; each batch leaves none of its in it
        :param process_batch: method called with a target and a dict of record id →
            :class:`Planned`; answers (dict of line state → dict of record id → line
            ids, dict of record id → reason)
        :return: dict of line state → number of records
        """
        counts = dict.fromkeys(("done", "left", "undone", "kept"), 0)
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
        rows = self.env.execute_query(
            SQL(
                """
                WITH kind AS (
                    SELECT model, type_id FROM sales_followup_change_line
                     WHERE change_id = %(change)s AND state = %(state)s
                  ORDER BY model, type_id LIMIT 1
                ), record AS (
                    SELECT DISTINCT line.res_id
                      FROM sales_followup_change_line line, kind
                     WHERE line.change_id = %(change)s AND line.state = %(state)s
                       AND line.model = kind.model
                       AND line.type_id IS NOT DISTINCT FROM kind.type_id
                  ORDER BY line.res_id LIMIT %(limit)s
                )
                SELECT line.model, line.res_id, line.id, line.field,
                       line.old_ids, line.new_ids
                  FROM sales_followup_change_line line, kind, record
                 WHERE line.change_id = %(change)s AND line.state = %(state)s
                   AND line.model = kind.model
                   AND line.type_id IS NOT DISTINCT FROM kind.type_id
                   AND line.res_id = record.res_id
                """,
                change=self.id,
                state=state,
                limit=BATCH_SIZE,
            )
        )
        if not rows:
            return None
        planned = {}
        for _model, res_id, line_id, field, old, new in rows:
            plan = planned.setdefault(res_id, Planned({}, {}, {}))
            plan.line_ids[field] = line_id
            plan.old[field] = tuple(old or ())
            plan.new[field] = tuple(new or ())
        return self._get_target(rows[0][0], {row[3] for row in rows}), planned

    @api.model
    def _get_target(self, model_name, field_names):
        """Give the :class:`Target` that lines with these fields write to."""
        if model_name == "res.partner":
            return PARTNER_TARGET
        known = self.env[model_name]._fields if model_name in self.env else {}
        found = {known[name].type: name for name in field_names if name in known}
        return Target(model_name, found.get("many2one"), found.get("many2many"))

    def _apply_batch(self, target, planned):
        """Write the records that are as planned, leave the others alone."""
        current, reasons = self._read_writable(target, planned)
        after = {}
        for record_id, plan in planned.items():
            if record_id not in current:
                continue
            if _values(target, current[record_id], plan.old) != _sets(plan.old):
                reasons[record_id] = self.env._("Changed since the preview")
                continue
            after[record_id] = _merge(target, current[record_id], plan.new)
        reasons |= self._write_changed(target, current, after)
        self._forget_unchanged(planned)
        outcome = {"done": {}, "left": {}}
        for record_id, plan in planned.items():
            state = "left" if record_id in reasons else "done"
            outcome[state][record_id] = list(plan.line_ids.values())
        return outcome, reasons

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

    def _undo_batch(self, target, planned):
        """Restore each value that is still as this change left it."""
        current, reasons = self._read_writable(target, planned)
        after, restored = {}, {}
        for record_id, plan in planned.items():
            if record_id not in current:
                continue
            now = current[record_id]
            old, new = (_merge(target, now, values) for values in (plan.old, plan.new))
            restored[record_id] = [
                name
                for name in plan.new
                if _values(target, now, [name]) == _sets({name: plan.new[name]})
            ]
            if len(restored[record_id]) < len(plan.new):
                reasons[record_id] = self.env._("Changed since by somebody else")
            after[record_id] = (
                rule.restore_customer(now, old, new)
                if target == PARTNER_TARGET
                else rule.restore(now, old, new)
            )
        failures = self._write_changed(target, current, after)
        reasons |= failures
        outcome = {"undone": {}, "kept": {}}
        for record_id, plan in planned.items():
            names = restored.get(record_id, ()) if record_id not in failures else ()
            for name, line_id in plan.line_ids.items():
                state = "undone" if name in names else "kept"
                outcome[state].setdefault(record_id, []).append(line_id)
        return outcome, reasons

    def _read_writable(self, target, planned):
        """Lock the planned records that exist and that the user may see.

        :return: (dict of record id → current :class:`~..rules.reps.Reps`, dict of
            record id → why it cannot be written)
        """
        missing = self.env._("It does not exist any more")
        if target.model not in self.env or not target.fields:
            return {}, dict.fromkeys(planned, missing)
        current = self.env["sales.followup.writer"]._read_locked(target, planned)
        visible = self._get_visible(target.model, list(current))
        reasons = dict.fromkeys(planned.keys() - current.keys(), missing)
        hidden = self.env._("You may not see it")
        reasons |= dict.fromkeys(current.keys() - visible, hidden)
        return {id_: current[id_] for id_ in current if id_ in visible}, reasons

    def _get_visible(self, model_name, record_ids):
        """Give the ids among ``record_ids`` that the current user may read."""
        if self.env.uid == SUPERUSER_ID:
            return set(record_ids)
        model = self.env[model_name].sudo(False).with_context(active_test=False)
        if not model.has_access("read"):
            return set()
        return set(model._search([("id", "in", record_ids)]))

    def _write_changed(self, target, before, after):
        """Write what differs; answers dict of record id → why it was refused."""
        writer = self.env["sales.followup.writer"]
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
        """Note on the lines why their records were left alone."""
        rows = [
            (line_id, reason)
            for record_id, reason in reasons.items()
            for line_id in planned[record_id].line_ids.values()
        ]
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


def _sets(values):
    """Make planned values comparable: who, not in which order."""
    return {name: set(ids) for name, ids in values.items()}


def _values(target, reps, names):
    """Give the current values of the named fields, comparable with :func:`_sets`."""
    current = {
        target.lead_field: set(_ids(reps.lead)),
        target.reps_field: set(reps.members),
    }
    return {name: current[name] for name in names}


def _merge(target, reps, values):
    """Give ``reps`` with the values that the lines of a record name."""
    lead = values.get(target.lead_field)
    members = values.get(target.reps_field)
    return Reps(
        reps.lead if lead is None else next(iter(lead), None),
        reps.members if members is None else members,
    )
