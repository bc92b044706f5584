from odoo import api, fields, models
from odoo.exceptions import UserError


class SalesFollowupRunLine(models.Model):
    """One document of a run: what shall be sent, and what became of it."""

    _name = "sales.followup.run.line"
    _inherit = ["sales.followup.document.link"]
    _description = "Line of a Reminder Run"
    _order = "customer_name, due_date, id"

    run_id = fields.Many2one(
        "sales.followup.run", required=True, index=True, ondelete="cascade"
    )
    run_state = fields.Selection(related="run_id.state", string="State of the Run")
    order_id = fields.Many2one(
        "sale.order", string="Quotation / Order", index=True, ondelete="cascade"
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", index=True, ondelete="cascade"
    )
    document_name = fields.Char(string="Document", readonly=True)
    document_type_id = fields.Many2one("sales.followup.document.type", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    customer_name = fields.Char(readonly=True)
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    due_date = fields.Date(readonly=True)
    late_days = fields.Integer(string="Days Late", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(string="Untaxed Amount", readonly=True)
    last_date = fields.Datetime(string="Last Reminder", readonly=True)
    last_template_id = fields.Many2one(
        "sales.followup.template", string="Last Template", readonly=True
    )
    last_note = fields.Text(readonly=True)
    planned_date = fields.Date(string="Planned Next Date", readonly=True)
    suggested_template_id = fields.Many2one(
        "sales.followup.template", string="Suggested", readonly=True
    )
    template_id = fields.Many2one(
        "sales.followup.template",
        domain="[('document_type_id', '=', document_type_id)]",
    )
    suggested_channel = fields.Selection(
        selection=lambda self: self._selection_channel(), readonly=True
    )
    channel = fields.Selection(
        selection=lambda self: self._selection_channel(),
        default="none",
        required=True,
    )
    next_date = fields.Date(string="Next Reminder")
    email_problem = fields.Char(
        readonly=True, help="Why this document cannot go by e-mail."
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("done", "Sent"),
            ("failed", "Failed"),
            ("skipped", "Not Sent"),
        ],
        default="waiting",
        required=True,
        readonly=True,
        index=True,
    )
    reason = fields.Char(readonly=True, help="What speaks against it, or what failed.")
    reminder_id = fields.Many2one(
        "sales.followup.reminder", readonly=True, ondelete="set null"
    )

    _order_once = models.UniqueIndex(
        "(run_id, order_id) WHERE order_id IS NOT NULL",
        "A run has each document once.",
    )
    _move_once = models.UniqueIndex(
        "(run_id, move_id) WHERE move_id IS NOT NULL", "A run has each document once."
    )
    # what batches look for
    _waiting = models.Index("(run_id, id) WHERE state = 'waiting'")

    @api.model
    def _selection_channel(self):
        return [
            ("email", self.env._("E-mail")),
            ("letter", self.env._("Letter")),
            ("none", self.env._("None")),
        ]

    @api.depends("document_name", "customer_name")
    def _compute_display_name(self):
        # EXTENDS 'base'
        for line in self:
            line.display_name = f"{line.document_name} – {line.customer_name}"

    @api.constrains("channel")
    def _check_email(self):
        for line in self:
            if line.channel == "email" and line.email_problem:
                raise UserError(
                    self.env._(
                        "%(document)s cannot go by e-mail: %(problem)s",
                        document=line.document_name,
                        problem=line.email_problem,
                    )
                )

    def write(self, vals):
        """Let people adjust what has not been sent; the rest is history."""
        # EXTENDS 'base'
        if not self.env.su:
            if vals.keys() - {"template_id", "channel", "next_date"}:
                raise UserError(
                    self.env._("Only template, channel and next date can be changed.")
                )
            if self.filtered(lambda line: line.run_id.state != "draft"):
                raise UserError(
                    self.env._("The run was launched; its lines stay as they are.")
                )
        return super().write(vals)

    # --- setting many lines -----------------------------------------------------

    def action_all_email(self):
        """Send all these lines by e-mail, those that have an address."""
        self._set_channel("email")

    def action_all_letter(self):
        """Send all these lines as letters."""
        self._set_channel("letter")

    def action_none(self):
        """Send none of these lines."""
        self._set_channel("none")

    def action_suggested(self):
        """Put templates and channels back to what was suggested."""
        self.check_access("write")
        for (channel, template), lines in self.grouped(
            lambda line: (line.suggested_channel, line.suggested_template_id)
        ).items():
            lines.write({"channel": channel or "none", "template_id": template.id})

    def _set_channel(self, channel):
        """Set the channel of those lines that can have it."""
        possible = self.filtered(lambda line: line.state == "waiting")
        if channel == "email":
            possible = possible.filtered(lambda line: not line.email_problem)
        if channel != "none":
            # what is not open cannot be sent at all
            possible = possible.filtered("template_id")
        possible.write({"channel": channel})

    def _is_overruled(self):
        """Tell whether a person decided to send in spite of the reasons shown."""
        self.ensure_one()
        return bool(self.reason) and self.channel != "none"
