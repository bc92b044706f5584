from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...bounds import check_bounds
from ...rules.bounds import shift
from ..reminders.sales_followup_template import SENDING

#: how many lines of old logs are removed at a time
GC_SIZE = 10000

#: what users decide about a line
EDITABLE_ON_LINES = frozenset({"template_id", "channel", "next_date"})

#: what becomes of a line, by the state of the outcome of its request
STATE_OF_OUTCOME = {"sent": "done", "failed": "failed", "refused": "skipped"}


class SalesFollowupRunLine(models.Model):
    """One document of a run: what shall be sent, and what became of it."""

    _name = "sales.followup.run.line"
    _inherit = ["sales.followup.document.link", "sales.followup.guarded"]
    _description = "Line of a Reminder Run"
    # as the letters are printed; of a customer's documents the oldest goes first
    _order = "customer_name, partner_id, due_date, id"
    _rec_name = "document_name"

    run_id = fields.Many2one(
        "sales.followup.run", required=True, index=True, ondelete="cascade"
    )
    run_state = fields.Selection(related="run_id.state", string="State of the Run")
    document_name = fields.Char(string="Document", readonly=True)
    document_type_id = fields.Many2one(
        "sales.followup.document.type", string="Type", readonly=True
    )
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    customer_name = fields.Char(readonly=True)
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    due_date = fields.Date(readonly=True)
    late_days = fields.Integer(string="Days Late", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(string="Untaxed Amount", readonly=True)
    last_date = fields.Datetime(string="Last Reminder", readonly=True)
    last_template_id = fields.Many2one("sales.followup.template", readonly=True)
    last_note = fields.Text(readonly=True)
    planned_date = fields.Date(string="Planned Next Reminder", readonly=True)
    suggested_template_id = fields.Many2one(
        "sales.followup.template", string="Suggested", readonly=True
    )
    template_id = fields.Many2one(
        "sales.followup.template",
        domain="[('document_type_id', '=', document_type_id),"
        " ('company_id', 'in', [False, company_id])]",
    )
    suggested_channel = fields.Selection(
        selection=lambda self: self._selection_channel(), readonly=True
    )
    channel = fields.Selection(
        selection=lambda self: self._selection_channel(),
        default="none",
        required=True,
    )
    suggested_next_date = fields.Date(string="Suggested Next Reminder", readonly=True)
    next_date = fields.Date(string="Next Reminder")
    email_problem = fields.Char(
        string="E-mail Problem",
        readonly=True,
        help="Why this document cannot go by e-mail.",
    )
    letter_problem = fields.Char(
        string="Why Not by Letter",
        readonly=True,
        help="Why this document cannot go as a letter.",
    )
    stops = fields.Selection(
        [("email", "An e-mail"), ("any", "Any reminder")],
        string="Objection",
        readonly=True,
        help="The channel that the reason objects to.",
    )
    known_reasons = fields.Json(
        readonly=True,
        help="Keys of what spoke against it when it was proposed: a person overrules "
        "what they know.",
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
    reason = fields.Char(readonly=True, help="The objection, or what failed.")
    reminder_id = fields.Many2one(
        "sales.followup.reminder", readonly=True, index=True, ondelete="set null"
    )
    reminder_state = fields.Selection(
        related="reminder_id.state", string="State of the Reminder"
    )
    failure_reason = fields.Text(related="reminder_id.failure_reason")
    urgency_date = fields.Date(
        readonly=True, help="The due date, or where there is none the document date."
    )
    codes = fields.Char(
        readonly=True, help="Why it was not sent, as the verdict knows it."
    )

    # what batches look for
    _waiting = models.Index("(run_id, id) WHERE state = 'waiting'")

    @api.model
    def _get_document_indexes(self, link):
        # EXTENDS 'sales_followup'
        return {
            **super()._get_document_indexes(link),
            "once": models.UniqueIndex(
                f"(run_id, {link}) WHERE {link} IS NOT NULL",
                "A run has each document once.",
            ),
        }

    def _selection_channel(self):
        return [
            ("email", self.env._("E-mail")),
            ("letter", self.env._("Letter")),
            ("none", self.env._("Left Out")),
        ]

    @api.depends("document_name", "customer_name")
    def _compute_display_name(self):
        # EXTENDS 'base'
        for line in self:
            line.display_name = f"{line.document_name} – {line.customer_name}"

    def _needs_pdf(self):
        """Tell whether a PDF is made for any of these lines."""
        return any(
            line.channel == "letter" or line.template_id.sudo().attach_document
            for line in self
        )

    # --- constraints ------------------------------------------------------------

    @api.constrains("channel", "template_id")
    def _check_channel(self):
        for line in self:
            if problem := line.state == "waiting" and line._get_problem(line.channel):
                raise ValidationError(problem)

    @api.constrains("next_date")
    def _check_next_date(self):
        check_bounds(self, "next_date")

    @api.constrains("template_id")
    def _check_template(self):
        for line in self:
            template = line.template_id.sudo()
            if template and (
                template.document_type_id != line.document_type_id
                or (template.company_id or line.company_id) != line.company_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(document)s: template “%(template)s” is for other documents; "
                        "choose one for %(type)s.",
                        document=line.document_name,
                        template=template.name,
                        type=line.document_type_id.name,
                    )
                )

    def _get_problem(self, channel):
        """Say why this line cannot be sent on a channel, or ``None``."""
        self.ensure_one()
        if channel not in SENDING:
            return None
        template = self.template_id.sudo()
        if not template:
            return self.env._(
                "%(document)s: choose a template first.", document=self.document_name
            )
        if channel == "email" and self.email_problem:
            return self.env._(
                "%(document)s cannot go by e-mail: %(problem)s",
                document=self.document_name,
                problem=self.email_problem,
            )
        if channel == "letter" and self.letter_problem:
            return self.env._(
                "%(document)s cannot go as a letter: %(problem)s",
                document=self.document_name,
                problem=self.letter_problem,
            )
        if not template._has_text(channel):
            return self.env._(
                "%(document)s: template “%(template)s” has no text for this channel; "
                "write one, or choose another template.",
                document=self.document_name,
                template=template.name,
            )
        return None

    # --- create, write ----------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        lines = super().create(vals_list)
        self.env["sales.followup.run"]._forget_figures()
        return lines

    def write(self, vals):
        """Let people adjust what has not been sent; the rest is history."""
        # EXTENDS 'base'
        self._check_guarded([vals], self)
        if not self.env.su and self.filtered(lambda line: line.run_id.state != "draft"):
            raise UserError(
                self.env._("The run was launched; its lines stay as they are.")
            )
        result = super().write(vals)
        self.env["sales.followup.run"]._forget_figures()
        return result

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return self._get_stored_fields_except(EDITABLE_ON_LINES)

    def _get_guarded_message(self, labels):
        # EXTENDS 'sales_followup'
        return self.env._("Only template, channel and next date can be changed.")

    @api.onchange("template_id")
    def _onchange_template_id(self):
        if self.template_id:
            # sudo: the settings of the company are not for everybody
            days = self.template_id.sudo()._get_next_days(self.company_id.sudo())
            self.next_date = shift(fields.Date.context_today(self), days)

    # --- setting many lines -----------------------------------------------------

    def action_all_email(self):
        """Send these lines by e-mail, where nothing speaks against it."""
        self._set_channel("email")
        return True

    def action_all_letter(self):
        """Send these lines as letters, where nothing speaks against it."""
        self._set_channel("letter")
        return True

    def action_none(self):
        """Send none of these lines."""
        self._set_channel("none")
        return True

    def action_suggested(self):
        """Put templates, channels and dates back to what was suggested."""
        self.check_access("write")
        for (channel, template, next_date), lines in self.grouped(
            lambda line: (
                line.suggested_channel,
                line.suggested_template_id,
                line.suggested_next_date,
            )
        ).items():
            lines.write(
                {
                    "channel": channel or "none",
                    "template_id": template.id,
                    "next_date": next_date,
                }
            )
        return True

    def _set_channel(self, channel):
        """Set the channel of those lines that can have it.

        What a reason speaks against is left alone: it is overruled line by line, by who
        read it.
        """
        self.check_access("write")
        self.filtered(
            lambda line: (
                line.state == "waiting"
                and (channel == "none" or line.stops not in ("any", channel))
                and not line._get_problem(channel)
            )
        ).write({"channel": channel})

    def action_back(self):
        """Go back from the list of lines to their run."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "sales.followup.run",
            "res_id": self.run_id[:1].id or self.env.context.get("followup_run_id"),
            "view_mode": "form",
        }

    # --- the log of automatic runs ---------------------------------------------

    @api.autovacuum
    def _gc_old_logs(self):
        """Remove the logs of the scheduled action that are older than their company's
        setting; the reminders stay.

        :return: (removed, whether more are waiting), as the vacuum expects
        """
        # plain SQL: a log may hold many thousand lines, and nothing hangs on them
        self.env.cr.execute(
            """
            DELETE FROM sales_followup_run_line WHERE id IN (
                SELECT line.id
                  FROM sales_followup_run_line line
                  JOIN sales_followup_run run ON run.id = line.run_id
                  JOIN res_company company ON company.id = run.company_id
                 WHERE run.origin = 'auto'
                   AND run.state = 'done'
                   AND company.followup_keep_days > 0
                   AND run.date < (NOW() AT TIME ZONE 'UTC')
                                  - MAKE_INTERVAL(days => company.followup_keep_days)
                 LIMIT %s)
            """,
            [GC_SIZE],
        )
        removed = self.env.cr.rowcount
        self.invalidate_model()
        return removed, removed == GC_SIZE
