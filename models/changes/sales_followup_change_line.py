from odoo import api, fields, models


class SalesFollowupChangeLine(models.Model):
    """One value of one record that a bulk change writes, as it was and as it became.

    A line is written once. Whether its value was done or undone follows from how far
    the change has come; only an exception is noted on the line itself.
    """

    _name = "sales.followup.change.line"
    _description = "Change of Representatives: Line"
    _order = "change_id desc, position, id"

    change_id = fields.Many2one(
        "sales.followup.change", required=True, ondelete="cascade"
    )
    position = fields.Integer(
        help="Number of the record within its change; lines of one record share it."
    )
    owner_position = fields.Integer(
        help="Position of the record that this one goes along with, if any."
    )
    type_id = fields.Many2one(
        "sales.followup.document.type",
        string="Document Type",
        ondelete="set null",
        help="Empty for customers.",
    )
    kind = fields.Char(compute="_compute_kind")
    model = fields.Char(required=True)
    res_id = fields.Many2oneReference(
        string="Record ID", model_field="model", required=True
    )
    record_name = fields.Char(string="Record", compute="_compute_record_name")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        ondelete="set null",
        # for partners that are deleted or merged
        index="btree_not_null",
        help="Customer of a document, company of a contact, when it was planned.",
    )
    company_id = fields.Many2one("res.company")
    lead_kept = fields.Boolean(
        string="Salesperson Kept",
        help="Whether the rule of its type kept the Salesperson when it was planned.",
    )
    field = fields.Char(required=True)
    field_label = fields.Char(string="Field Changed", compute="_compute_field_label")
    old_ids = fields.Json(string="Old IDs")
    new_ids = fields.Json(string="New IDs")
    expected = fields.Json(
        help="Values that stay, but that the record must still have: field → ids."
    )
    old_value = fields.Char(string="Before", compute="_compute_values")
    new_value = fields.Char(string="After", compute="_compute_values")
    outcome = fields.Selection(
        [
            ("left", "Left Alone"),
            ("kept", "Kept at Undo"),
            ("hidden", "Out of Sight at Undo"),
            ("unseen", "Still Out of Sight at Undo"),
            ("undone", "Undone Later"),
        ],
        string="Exception",
        help="What became of this value where it is not what became of the change.",
    )
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("done", "Changed"),
            ("left", "Left Alone"),
            ("undone", "Undone"),
            ("kept", "Kept at Undo"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
    )
    reason = fields.Char(help="Why the record was left alone, or kept at the undo.")

    _batch_idx = models.Index("(change_id, position)")

    # --- compute ----------------------------------------------------------------

    @api.depends(
        "outcome",
        "position",
        "change_id.state",
        "change_id.progress_ids.applied",
        "change_id.progress_ids.undone",
        "change_id.progress_ids.is_undo",
        "change_id.progress_ids.is_stopped",
    )
    def _compute_state(self):
        for change, lines in self.grouped("change_id").items():
            # sudo: bookkeeping, of changes that the user may read
            progress = change.sudo().progress_ids
            for line in lines:
                line.state = line._get_state(change, progress)

    def _get_state(self, change, progress):
        """Return what became of the value, see :attr:`state`."""
        if self.outcome in ("left", "kept"):
            return self.outcome
        if progress.is_stopped and self.position > progress.applied:
            return "cancelled"
        if self.outcome == "undone" or change.state == "undone":
            return "undone"
        if self.outcome in ("hidden", "unseen"):
            return "done"
        if progress.undone and self.position <= progress.undone:
            return "undone"
        if change.state == "done" or progress.is_undo:
            return "done"
        if change.state != "planned" and self.position <= progress.applied:
            return "done"
        return "planned"

    @api.depends("type_id", "model")
    def _compute_kind(self):
        for line in self:
            if line.model == "res.partner":
                line.kind = self.env._("Customers")
            else:
                known = self.env.get(line.model)
                line.kind = line.type_id.name or (
                    line.model if known is None else known._description
                )

    @api.depends("model", "res_id")
    def _compute_record_name(self):
        for model_name, lines in self.grouped("model").items():
            names = {}
            if model_name in self.env:
                records = self.env[model_name].browse(lines.mapped("res_id")).exists()
                # what the reader may not see keeps its number only
                readable = records._filtered_access("read")
                names = {record.id: record.display_name for record in readable}
            for line in lines:
                line.record_name = names.get(line.res_id, f"#{line.res_id}")

    @api.depends("model", "field")
    def _compute_field_label(self):
        for (model_name, name), lines in self.grouped(
            lambda line: (line.model, line.field)
        ).items():
            # sudo: labels of fields are no secret
            info = self.env["ir.model.fields"].sudo()._get(model_name, name)
            lines.field_label = info.field_description or name

    @api.depends("model", "field", "old_ids", "new_ids")
    def _compute_values(self):
        for (model_name, name), lines in self.grouped(
            lambda line: (line.model, line.field)
        ).items():
            known = self.env[model_name]._fields if model_name in self.env else {}
            comodel = known[name].comodel_name if name in known else "res.users"
            ids = {id_ for line in lines for id_ in line._get_value_ids()}
            # sudo: those who read the journal may know the names of those it is about
            records = self.env[comodel].sudo().browse(ids).exists()
            names = {
                record.id: record.display_name
                for record in records.with_context(followup_mark_archived=True)
            }
            for line in lines:
                line.old_value = line._format_ids(line.old_ids, names)
                line.new_value = line._format_ids(line.new_ids, names)

    def _get_value_ids(self):
        """Return all ids of users (or teams) that the line knows."""
        self.ensure_one()
        return [*(self.old_ids or []), *(self.new_ids or [])]

    def _format_ids(self, ids, names):
        return ", ".join(names.get(id_, f"#{id_}") for id_ in ids or [])

    # --- removal ----------------------------------------------------------------

    @api.autovacuum
    def _gc_old_lines(self):
        """Remove the lines of changes older than their company's setting.

        :return: (removed, whether more are waiting), as the vacuum expects
        """
        limit = 10000
        # plain SQL: a journal may hold millions of lines, and nothing hangs on them
        self.env.cr.execute(
            """
            DELETE FROM sales_followup_change_line WHERE id IN (
                SELECT line.id
                  FROM sales_followup_change_line line
                  JOIN sales_followup_change change ON change.id = line.change_id
                  JOIN res_company company ON company.id = change.company_id
                 WHERE company.followup_keep_days > 0
                   AND change.state NOT IN ('planned', 'running', 'paused')
                   AND change.date < (NOW() AT TIME ZONE 'UTC')
                                     - MAKE_INTERVAL(days => company.followup_keep_days)
                 LIMIT %s)
            """,
            [limit],
        )
        removed = self.env.cr.rowcount
        self.invalidate_model()
        return removed, removed == limit
