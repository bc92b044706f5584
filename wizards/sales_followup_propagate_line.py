from odoo import api, fields, models
from odoo.exceptions import AccessError


class SalesFollowupPropagateLine(models.TransientModel):
    """One document of a preview: what it has, what it shall get, or why not."""

    _name = "sales.followup.propagate.line"
    _description = "Automatic Contact Update: Document"
    _order = "status, type_id, res_id"

    wizard_id = fields.Many2one(
        "sales.followup.propagate", required=True, index=True, ondelete="cascade"
    )
    selected = fields.Boolean(default=True, help="Untick to leave the document alone.")
    status = fields.Selection(
        [("change", "Will Change"), ("skip", "Skipped")], required=True, readonly=True
    )
    reason = fields.Selection(
        [
            ("no_rep", "The customer has no active representative"),
            ("not_permitted", "No representative belongs to the document's company"),
            ("kept", "The Salesperson of this document is kept"),
        ],
        readonly=True,
    )
    type_id = fields.Many2one(
        "sales.followup.document.type", string="Document Type", readonly=True
    )
    model = fields.Char(readonly=True, required=True)
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="model", readonly=True, required=True
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(help="In the currency of the company.", readonly=True)
    lead_kept = fields.Boolean(
        string="Salesperson Kept",
        readonly=True,
        help="The Salesperson stays, so that statistics and commissions stay true.",
    )
    is_kept = fields.Boolean(
        readonly=True,
        help="The rule of its type keeps the Salesperson of this document.",
    )
    # a line about a user who is deleted meanwhile goes too: without, it would read as
    # "nobody"
    old_lead_id = fields.Many2one(
        "res.users", string="Salesperson", readonly=True, ondelete="cascade"
    )
    new_lead_id = fields.Many2one(
        "res.users", string="New Salesperson", readonly=True, ondelete="cascade"
    )
    old_ids = fields.Json(readonly=True)
    new_ids = fields.Json(readonly=True)
    old_rep_ids = fields.Many2many(
        "res.users", string="Representatives", compute="_compute_reps"
    )
    new_rep_ids = fields.Many2many(
        "res.users", string="New Representatives", compute="_compute_reps"
    )

    @api.depends("model", "res_id")
    def _compute_document_name(self):
        for model_name, lines in self.grouped("model").items():
            documents = self.env[model_name].browse(lines.mapped("res_id")).exists()
            names = {document.id: document.display_name for document in documents}
            for line in lines:
                line.document_name = names.get(line.res_id, self.env._("Deleted"))

    @api.depends("old_ids", "new_ids")
    def _compute_reps(self):
        users = self.env["res.users"].with_context(active_test=False)
        for line in self:
            line.old_rep_ids = users.browse(line.old_ids or [])
            line.new_rep_ids = users.browse(line.new_ids or [])

    def write(self, vals):
        """Let users tick and untick, nothing else: applying trusts the other values.

        :raise AccessError: for any other value
        """
        if not self.env.su and vals.keys() - {"selected"}:
            raise AccessError(
                self.env._("A preview can be ticked and unticked, not rewritten.")
            )
        result = super().write(vals)
        self.wizard_id.invalidate_recordset(["summary", "selected_count"])
        return result

    def action_open_document(self):
        """Open the document of this line."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model,
            "res_id": self.res_id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_reopen_wizard(self):
        """Go back from the list of documents to the preview they belong to."""
        wizard_id = self.wizard_id[:1].id or self.env.context.get("followup_wizard_id")
        return self.env["sales.followup.propagate"].browse(wizard_id)._reopen()
