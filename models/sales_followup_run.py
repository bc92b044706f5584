from odoo import api, fields, models
from odoo.exceptions import UserError


class SalesFollowupRun(models.Model):
    """Many reminders sent at once: in bulk by a person, or by the scheduled action.

    A bulk run is proposed, adjusted and launched; its lines say what became of each
    document. It stays as history.
    """

    _name = "sales.followup.run"
    _description = "Reminder Run"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    origin = fields.Selection(
        [("run", "Bulk"), ("auto", "Automatic")],
        default="run",
        required=True,
        readonly=True,
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
    date = fields.Datetime(default=fields.Datetime.now, required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, readonly=True, required=True
    )
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        required=True,
        readonly=True,
    )
    line_ids = fields.One2many("sales.followup.run.line", "run_id", copy=False)
    reminder_ids = fields.One2many("sales.followup.reminder", "run_id", copy=False)

    line_count = fields.Integer(string="Documents", compute="_compute_counts")
    waiting_count = fields.Integer(string="To Send", compute="_compute_counts")
    sent_count = fields.Integer(string="Sent", compute="_compute_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_counts")
    skipped_count = fields.Integer(string="Not Sent", compute="_compute_counts")
    progress = fields.Float(compute="_compute_counts", help="In percent.")

    attachment_id = fields.Many2one(
        "ir.attachment",
        string="File",
        readonly=True,
        copy=False,
        help="All letters of the run, customer by customer.",
    )
    file_name = fields.Char(related="attachment_id.name")
    file_size = fields.Integer(related="attachment_id.file_size")
    printed_date = fields.Datetime(string="Printed on", readonly=True, copy=False)
    posted_date = fields.Datetime(string="Posted on", readonly=True, copy=False)

    @api.depends("line_ids.state", "line_ids.channel")
    def _compute_counts(self):
        rows = self.env["sales.followup.run.line"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state", "channel"], ["__count"]
        )
        counts = {}
        for run, state, channel, count in rows:
            kind = "none" if state == "waiting" and channel == "none" else state
            of_run = counts.setdefault(run.id, {})
            of_run[kind] = of_run.get(kind, 0) + count
        for run in self:
            of_run = counts.get(run.id, {})
            run.line_count = sum(of_run.values())
            run.waiting_count = of_run.get("waiting", 0)
            run.sent_count = of_run.get("done", 0)
            run.failed_count = of_run.get("failed", 0)
            run.skipped_count = of_run.get("skipped", 0) + of_run.get("none", 0)
            finished = run.sent_count + run.failed_count + of_run.get("skipped", 0)
            total = finished + run.waiting_count
            run.progress = 100 * finished / total if total else 0

    # --- create and delete ------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        for vals in vals_list:
            # sudo: sequences are for administrators
            vals["name"] = (
                self.env.ref("sales_followup.sequence_run").sudo().next_by_id()
            )
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_launched(self):
        if self.filtered(lambda run: run.state != "draft"):
            raise UserError(
                self.env._(
                    "A run that was launched stays in the history; you can delete its "
                    "file."
                )
            )

    # --- actions ----------------------------------------------------------------

    def action_launch(self):
        """Send what is ticked: at once, or many lines in the background.

        Pressed twice it does nothing more.

        :raise UserError: where nothing is to be sent
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state in ("running", "done"):
            return self._get_reload()
        if self.state not in ("draft", "paused"):
            raise UserError(
                self.env._("Run %(run)s was cancelled; make a new one.", run=self.name)
            )
        if not self.waiting_count:
            raise UserError(
                self.env._(
                    "Nothing to send: choose e-mail or letter on at least one line."
                )
            )
        self._set_state("running")
        if self.waiting_count <= self._get_inline_limit():
            self._process_all()
        else:
            self._trigger()
        return self._get_reload()

    def action_pause(self):
        """Stop after the batch that is being sent; the rest waits."""
        self._change_state({"running"}, "paused")
        return self._get_reload()

    def action_resume(self):
        """Go on with what waits."""
        if self._change_state({"paused"}, "running"):
            self._trigger()
        return self._get_reload()

    def action_cancel(self):
        """Send no more; what was sent stays sent."""
        self._change_state({"draft", "running", "paused"}, "cancelled")
        return self._get_reload()

    def action_delete_file(self):
        """Delete the merged PDF; the letters stay on their reminders."""
        self.check_access("write")
        # sudo: the file belongs to the run
        self.sudo().attachment_id.unlink()
        return self._get_reload()

    def action_download(self):
        """Download the merged PDF."""
        self.ensure_one()
        if not self.attachment_id:
            raise UserError(self.env._("Run %(run)s has no file.", run=self.name))
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.attachment_id.id}?download=true",
            "target": "download",
        }

    def action_confirm_printed(self):
        """Note that the letters were printed."""
        return self._confirm_letters("printed_date")

    def action_confirm_posted(self):
        """Note that the letters went to the post."""
        return self._confirm_letters("posted_date")

    def _confirm_letters(self, name):
        """Note a step of the letters' way, once."""
        self.check_access("write")
        if not self.sudo().reminder_ids.filtered(lambda r: r.channel == "letter"):
            raise UserError(self.env._("This run made no letters."))
        for run in self.filtered(lambda run: not run[name]):
            run[name] = fields.Datetime.now()
        return self._get_reload()

    def action_open_reminders(self):
        """Open the reminders of this run."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_reminder_action"
        )
        return {**action, "domain": [("run_id", "in", self.ids)], "context": {}}

    def _lock(self):
        """Wait for whoever changes the state of the run, and read it anew."""
        self.lock_for_update()
        self.invalidate_recordset()

    def _change_state(self, former, state):
        """Move runs from one of some states to another.

        :return: the runs that moved
        """
        self.check_access("write")
        self._lock()
        moving = self.filtered(lambda run: run.state in former)
        moving._set_state(state)
        return moving

    def _set_state(self, state):
        self.write({"state": state})

    @api.model
    def _get_reload(self):
        """Show the form anew."""
        return {"type": "ir.actions.client", "tag": "soft_reload"}
