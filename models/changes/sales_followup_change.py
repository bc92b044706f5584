import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..sales_followup_document_type import Target

PARTNER_TARGET = Target("res.partner", "user_id", "followup_rep_ids")


class SalesFollowupChange(models.Model):
    """A bulk change of representatives: its journal, and how it is done and undone.

    A change is planned first: its lines hold, for each value, what it is and what it
    shall be. Doing it (:mod:`.sales_followup_change_process`) reads nothing but those
    lines, in batches; a record that is no longer as planned is left alone.

    To make a change from code: :meth:`_create_planned`, then :meth:`_plan_partners` as
    often as needed (or :meth:`_plan_documents`), then ``_apply()``.
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
            ("paused", "Paused"),
            ("done", "Done"),
            ("undone", "Undone"),
            ("cancelled", "Cancelled"),
        ],
        default="planned",
        required=True,
        readonly=True,
    )
    reason = fields.Char(
        readonly=True, help="Why the change was made, for those who see it later."
    )
    scope = fields.Selection(
        [("open", "Open documents"), ("closed", "Closed documents"), ("all", "All")],
        default="all",
        required=True,
        readonly=True,
        help="Which documents were asked for; one that is no longer among them when "
        "the change is done is left alone.",
    )
    log_in_chatter = fields.Boolean(
        string="Log in the Chatter", default=True, readonly=True
    )
    line_ids = fields.One2many(
        "sales.followup.change.line", "change_id", string="Lines", readonly=True
    )
    progress_ids = fields.One2many(
        "sales.followup.change.progress", "change_id", string="Bookkeeping"
    )
    is_undo = fields.Boolean(
        string="Being Undone", compute="_compute_progress", help="It is being undone."
    )
    is_background = fields.Boolean(
        string="In the Background", compute="_compute_progress"
    )
    progress = fields.Integer(
        compute="_compute_progress", help="How far it has come, in percent."
    )
    failure_reason = fields.Char(readonly=True)
    planned_count = fields.Integer(string="Records Planned", readonly=True)
    changed_count = fields.Integer(string="Records Changed", readonly=True)
    left_count = fields.Integer(
        string="Records Left Alone",
        readonly=True,
        help="Records that were no longer as planned, or could not be written.",
    )
    undone_count = fields.Integer(
        string="Records Undone",
        readonly=True,
        help="Records that the undo left exactly as they were before the change.",
    )
    kept_count = fields.Integer(
        string="Records Kept at Undo",
        readonly=True,
        help="Records of which the undo left a value alone: somebody changed it "
        "since, or it could not be written.",
    )
    undo_user_id = fields.Many2one("res.users", string="Undone By", readonly=True)
    undo_date = fields.Datetime(string="Undone On", readonly=True)

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

    @api.depends(
        "state",
        "planned_count",
        "progress_ids.applied",
        "progress_ids.undone",
        "progress_ids.is_undo",
        "progress_ids.queued",
    )
    def _compute_progress(self):
        # sudo: bookkeeping of changes that the user may read
        for change, progress in zip(self, self.sudo(), strict=True):
            progress = progress.progress_ids
            change.is_undo = progress.is_undo
            change.is_background = bool(progress.queued)
            done, total = progress.applied, change.planned_count
            if change.is_undo:
                done, total = progress.undone, progress.applied
            if change.state in ("done", "undone"):
                change.progress = 100
            else:
                change.progress = 100 * done // total if total else 0

    # --- actions ----------------------------------------------------------------

    def action_open_lines(self):
        """Open the journal lines of this change in a list of their own."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sales_followup.sales_followup_change_line_action"
        )
        return {**action, "domain": [("change_id", "=", self.id)]}

    # --- planning ---------------------------------------------------------------

    def _create_planned(self, operation, **values):
        """Create a change whose lines are still to be added.

        :param operation: one of the operations
        :param values: more values of the change
        """
        # sudo: nobody writes the journal by hand; callers have checked the Editor
        return self.sudo().create({"operation": operation, **values})

    def _plan_partners(self, before, after):
        """Add the lines that change customers.

        May be called several times, each customer once. What a customer has when the
        change is done is compared with ``before``, value by value.

        :param before: dict of partner id → :class:`~..rules.reps.Reps` as they are
        :param after: dict of partner id → what they shall be; those that are so
            already are passed over
        """
        self.ensure_one()
        rows = []
        position = self.planned_count
        for partner_id, new in after.items():
            old = before[partner_id]
            values = []
            if new.lead != old.lead:
                values.append(("user_id", as_list(old.lead), as_list(new.lead)))
            if set(new.members) != set(old.members):
                values.append(("followup_rep_ids", old.members, new.members))
            position += bool(values)
            rows += [(partner_id, position, *value) for value in values]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sales_followup_change_line
                            (change_id, model, res_id, position, field, old_ids,
                             new_ids, company_id, partner_id)
                     SELECT %(change)s, 'res.partner', (row->>0)::int, (row->>1)::int,
                            row->>2, row->3, row->4, partner.company_id,
                            NULLIF(partner.commercial_partner_id, partner.id)
                       FROM JSONB_ARRAY_ELEMENTS(%(rows)s::jsonb) AS row
                       JOIN res_partner partner ON partner.id = (row->>0)::int
                """,
                change=self.id,
                rows=json.dumps(rows),
            )
        )
        self.planned_count = position
        self.invalidate_recordset(["line_ids"])

    def _plan_documents(self, lines):
        """Add the lines that change documents.

        Both values of a document count when the change is done, changed or not: it is
        written only if all that was shown of it is still true.

        :param lines: SQL of a query with the columns ``number`` (1 to the number of
            documents, one row each), ``type_id``, ``model``, ``res_id``,
            ``partner_id``, ``company_id``, ``lead_kept``, ``lead_field``,
            ``reps_field``, and as JSON lists ``old_lead``, ``new_lead``, ``old_ids``,
            ``new_ids``
        """
        self.ensure_one()
        [(count,)] = self.env.execute_query(
            SQL(
                """
                WITH document AS MATERIALIZED (
                    SELECT *,
                           lead_field IS NOT NULL AND old_lead <> new_lead AS leads,
                           reps_field IS NOT NULL
                           AND NOT (old_ids @> new_ids AND new_ids @> old_ids)
                           AS follows
                      FROM (%(lines)s) AS line
                ), planned AS (
                    INSERT INTO sales_followup_change_line
                                (change_id, position, type_id, model, res_id,
                                 partner_id, company_id, lead_kept, field, old_ids,
                                 new_ids, expected)
                         SELECT %(change)s, %(start)s + number, type_id, model, res_id,
                                partner_id, company_id, lead_kept, value.*
                           FROM document,
                                LATERAL (VALUES
                                    (lead_field, old_lead, new_lead,
                                     CASE WHEN reps_field IS NOT NULL AND NOT follows
                                     THEN JSONB_BUILD_OBJECT(reps_field, old_ids) END),
                                    (reps_field, old_ids, new_ids,
                                     CASE WHEN lead_field IS NOT NULL AND NOT leads
                                     THEN JSONB_BUILD_OBJECT(lead_field, old_lead) END)
                                ) AS value (field, old_ids, new_ids, expected)
                          WHERE (value.field = lead_field AND leads)
                             OR (value.field = reps_field AND follows)
                )
                SELECT COALESCE(MAX(number), 0) FROM document
                """,
                lines=lines,
                change=self.id,
                start=self.planned_count,
            )
        )
        self.planned_count += count
        self.invalidate_recordset(["line_ids"])

    def _get_progress(self):
        """Return how far this change has come, locked by nobody.

        :rtype: sales.followup.change.progress
        """
        self.ensure_one()
        # sudo: bookkeeping of this model
        progress = self.env["sales.followup.change.progress"].sudo()
        return progress.search([("change_id", "=", self.id)]) or progress.create(
            {"change_id": self.id}
        )


def as_list(lead):
    """Return a lead the way lines hold values: as a list of ids."""
    return [lead] if lead else []
