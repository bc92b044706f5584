from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: what users may write on a run: the rest is said by its methods
EDITABLE_ON_RUNS = frozenset(
    {
        "document_type_ids",
        "customer_rep_id",
        "document_rep_id",
        "team_id",
        "due_from",
        "due_to",
        "never_reminded",
        "country_ids",
        "category_ids",
        "lang",
        "series_ids",
        "my_series",
        "with_drafts",
        "line_ids",
    }
)

#: days after which a run that nobody launched is thrown away
DRAFT_DAYS = 30


class SalesFollowupRun(models.Model):
    """Many reminders sent at once: in bulk by a person, or by the scheduled action.

    A bulk run is proposed, adjusted and launched; its lines say what became of each
    document. It stays as history.
    """

    _name = "sales.followup.run"
    _inherit = ["sales.followup.guarded"]
    _description = "Reminder Run"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number",
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
    )
    origin = fields.Selection(
        [("run", "Bulk"), ("auto", "Automatic")],
        default="run",
        required=True,
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        [
            ("draft", "To Adjust"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    date = fields.Datetime(
        default=fields.Datetime.now, required=True, readonly=True, copy=False
    )
    proposed_date = fields.Datetime(string="Proposed on", readonly=True, copy=False)
    launched_date = fields.Datetime(string="Launched on", readonly=True, copy=False)
    finished_date = fields.Datetime(string="Finished on", readonly=True, copy=False)
    user_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        readonly=True,
        required=True,
        copy=False,
    )
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        required=True,
        readonly=True,
        copy=False,
    )
    line_ids = fields.One2many(
        "sales.followup.run.line", "run_id", string="Lines", copy=False
    )
    reminder_ids = fields.One2many(
        "sales.followup.reminder", "run_id", string="Reminders Made", copy=False
    )

    # launched, and not closed yet: what the scheduled action looks for
    _unfinished = models.Index(
        "(id) WHERE finished_date IS NULL AND launched_date IS NOT NULL"
    )

    # --- create, write, delete --------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Number new runs; users say nothing but what shall be proposed."""
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        for vals in vals_list:
            # sudo: sequences are for administrators
            vals["name"] = (
                self.env.ref("sales_followup.sequence_run").sudo().next_by_id()
            )
        return super().create(vals_list)

    def write(self, vals):
        """Let users change what is proposed, while nothing is sent."""
        # EXTENDS 'base'
        self._check_guarded([vals], self)
        if vals and not self.env.su and self.filtered(lambda run: run.state != "draft"):
            raise UserError(
                self.env._("The run was launched; it stays as it is. Make a new one.")
            )
        return super().write(vals)

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return self._get_stored_fields_except(EDITABLE_ON_RUNS)

    def _get_guarded_message(self, labels):
        # EXTENDS 'sales_followup'
        return self.env._(
            "%(fields)s of a run cannot be written; use its buttons.", fields=labels
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_launched(self):
        if self.filtered(lambda run: run.state != "draft"):
            raise UserError(
                self.env._(
                    "A run that was launched stays in the history; you can delete its "
                    "file."
                )
            )

    @api.autovacuum
    def _gc_drafts(self):
        """Throw away runs that nobody launched: what they propose is out of date."""
        oldest = fields.Datetime.subtract(fields.Datetime.now(), days=DRAFT_DAYS)
        self.search([("state", "=", "draft"), ("date", "<", oldest)]).unlink()

    # --- actions ----------------------------------------------------------------

    def action_confirm_launch(self):
        """Say what would be sent, and ask whether to send it."""
        self.ensure_one()
        self._check_anything_to_send()
        view = self.env.ref("sales_followup.sales_followup_run_view_form_launch")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send these reminders?"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(view.id, "form")],
            "target": "new",
        }

    def action_launch(self):
        """Send what is chosen: at once, or many lines in the background.

        Pressed twice it does nothing more.

        :raise UserError: where nothing is to be sent
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state in ("running", "done"):
            return True
        if self.state == "cancelled":
            raise UserError(
                self.env._("Run %(run)s was cancelled; make a new one.", run=self.name)
            )
        self._check_anything_to_send()
        # sudo: the state is no user's to write
        self.sudo().write(
            {
                "state": "running",
                "launched_date": self.launched_date or fields.Datetime.now(),
            }
        )
        self._go_on()
        return True

    def action_pause(self):
        """Stop after the batch that is being sent; the rest waits."""
        self._change_state({"running"}, "paused")
        return True

    def action_resume(self):
        """Go on with what waits."""
        for run in self._change_state({"paused"}, "running"):
            run._go_on()
        return True

    def action_cancel(self):
        """Send no more; what was sent stays sent."""
        if self._change_state({"draft", "running", "paused"}, "cancelled"):
            # its letters still go into one file
            self._trigger()
        return True

    def action_open_reminders(self):
        """Open the reminders of this run."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_reminder_action"
        )
        return {**action, "domain": [("run_id", "in", self.ids)], "context": {}}

    def action_open_lines(self):
        """Open the documents of this run in a list of their own."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_run_line_action"
        )
        return {
            **action,
            "display_name": self.env._("Documents of %(run)s", run=self.name),
            "domain": [("run_id", "=", self.id)],
            "context": {
                "followup_run_id": self.id,
                "followup_run_draft": self.state == "draft",
                **{
                    name: value
                    for name, value in self.env.context.items()
                    if name.startswith("search_default_")
                },
            },
        }

    def _check_anything_to_send(self):
        """Refuse to send nothing.

        :raise UserError: where no line is to be sent
        """
        if self._count_waiting():
            return
        if not self.line_ids.search_count([("run_id", "=", self.id)], limit=1):
            raise UserError(
                self.env._("There is no document in it yet: press “Propose” first.")
            )
        raise UserError(
            self.env._("Nothing to send: choose e-mail or letter on at least one line.")
        )

    # --- state ------------------------------------------------------------------

    def _lock(self):
        """Wait for whoever changes the state of runs, and read them anew.

        Reminders that are being made for a run do not hinder.
        """
        self.env.execute_query(
            SQL(
                "SELECT id FROM sales_followup_run WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE",
                self.ids,
            )
        )
        self.invalidate_recordset()

    def _change_state(self, former, state):
        """Move runs from one of some states to another.

        :return: the runs that moved
        """
        self.check_access("write")
        self._lock()
        moving = self.filtered(lambda run: run.state in former)
        # sudo: the state is no user's to write
        moving.sudo().write({"state": state})
        return moving
