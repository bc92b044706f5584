from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import format_date

#: what a preview was made for: writing one of these makes it stale
CRITERIA = frozenset(
    {
        "partner_ids",
        "date_from",
        "date_to",
        "type_ids",
        "mode",
        "old_user_id",
        "new_user_id",
        "scope",
    }
)


class SalesFollowupPropagate(models.TransientModel):
    """Brings representatives onto existing documents: preview, then apply.

    The preview is stored in lines, worked out with the user's own access; applying
    copies the ticked ones into a :class:`~..models.sales_followup_change` and never
    looks for documents again.
    """

    _name = "sales.followup.propagate"
    _inherit = ["sales.followup.guarded"]
    _description = "Automatic Contact Update"

    partner_ids = fields.Many2many(
        "res.partner",
        string="Customers",
        required=True,
        context={"active_test": False},
    )
    customers = fields.Char(string="Selected Customers", compute="_compute_customers")
    date_from = fields.Date(string="From date")
    date_to = fields.Date(string="To date")
    type_ids = fields.Many2many(
        "sales.followup.document.type",
        string="Document Types",
        default=lambda self: self._default_type_ids(),
        domain=[("available", "=", True)],
    )
    mode = fields.Selection(
        [
            ("align", "Align: documents take their customer's representatives"),
            ("replace", "Replace one representative by another"),
        ],
        default="align",
        required=True,
    )
    subsidiary_count = fields.Integer(
        string="Subsidiaries Not Covered", compute="_compute_subsidiary_count"
    )
    old_user_id = fields.Many2one(
        "res.users",
        string="Representative to Replace",
        domain="[('followup_may_be_replaced', '=', True)]",
        context={"active_test": False},
    )
    new_user_id = fields.Many2one(
        "res.users", string="Replace With", domain="[('share', '=', False)]"
    )
    scope = fields.Selection(
        [("open", "Open documents"), ("closed", "Closed documents"), ("all", "All")],
        default="all",
        required=True,
    )
    log_in_chatter = fields.Boolean(
        string="Log in the Chatter",
        default=True,
        help="Note the change on each document. The journal of changes has it anyway.",
    )
    move_activities = fields.Boolean(
        string="Move open activities",
        help="Give the open activities on these documents to the successor, too.",
    )
    activity_count = fields.Integer(
        string="Open Activities", compute="_compute_activity_count"
    )
    reason = fields.Char(help="Why, for those who see the change later.")
    state = fields.Selection(
        [("draft", "Choose"), ("preview", "Preview"), ("done", "Done")],
        default="draft",
        readonly=True,
    )
    line_ids = fields.One2many(
        "sales.followup.propagate.line", "wizard_id", string="Lines"
    )
    right_counts = fields.Json(string="Already Right", readonly=True)
    notes = fields.Text(readonly=True)
    summary = fields.Html(compute="_compute_summary", sanitize=False)
    selected_count = fields.Integer(string="Ticked", compute="_compute_selected_count")
    change_id = fields.Many2one("sales.followup.change", readonly=True)

    # --- defaults and computes --------------------------------------------------

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return {"state", "line_ids", "right_counts", "notes", "change_id"}

    @api.model
    def default_get(self, fields):
        # EXTENDS 'base'
        self.env["res.partner"]._followup_check_rep_editor()
        return super().default_get(fields)

    def _default_type_ids(self):
        return self.env["sales.followup.document.type"].search(
            [("default_checked", "=", True), ("available", "=", True)]
        )

    def _get_action(self, partners):
        """Return the action that opens this wizard for customers."""
        # created here: see sales.followup.assign._get_action
        return self.create({"partner_ids": [Command.set(partners.ids)]})._reopen()

    @api.depends("partner_ids")
    def _compute_subsidiary_count(self):
        for wizard in self:
            partners = wizard.partner_ids._origin
            wizard.subsidiary_count = partners._followup_count_subsidiaries()

    @api.depends("partner_ids")
    def _compute_customers(self):
        for wizard in self:
            wizard.customers = wizard.partner_ids._origin._followup_get_label()

    # Not on the lines: the form would send a hundred thousand of them to and fro with
    # every tick. Writing lines invalidates both.
    @api.depends("state", "right_counts")
    def _compute_selected_count(self):
        counts = dict(
            self.env["sales.followup.propagate.line"]._read_group(
                [
                    ("wizard_id", "in", self._origin.ids),
                    ("selected", "=", True),
                    ("status", "=", "change"),
                ],
                ["wizard_id"],
                ["__count"],
            )
        )
        for wizard in self:
            wizard.selected_count = counts.get(wizard._origin, 0)

    @api.depends("state", "right_counts", "mode", "old_user_id")
    def _compute_activity_count(self):
        for wizard in self:
            wizard.activity_count = self.env[
                "sales.followup.propagation"
            ]._count_activities(wizard._origin, wizard.old_user_id.id)

    @api.depends("state", "right_counts")
    def _compute_summary(self):
        for wizard in self:
            wizard.summary = (
                self.env["ir.qweb"]._render(
                    "sales_followup.propagate_summary",
                    wizard._prepare_summary(),
                )
                if wizard.state != "draft"
                else False
            )

    # --- CRUD -------------------------------------------------------------------

    def write(self, vals):
        """Throw a preview away when what it was made for changes."""
        if CRITERIA & vals.keys():
            stale = self.filtered(lambda wizard: wizard.state == "preview")
            stale._reset()
        return super().write(vals)

    # --- actions ----------------------------------------------------------------

    def action_preview(self):
        """Work out what applying would do, and show it; nothing else is written.

        :return: the action that shows this wizard again
        :raise AccessError: unless *Representatives: Editor*
        :raise UserError: where the dates, users or types make no sense
        """
        self.ensure_one()
        self.env["res.partner"]._followup_check_rep_editor()
        self._check_criteria()
        self._reset()
        notes, right_counts = [], {}
        for doc_type in self.type_ids:
            if note := self._get_type_note(doc_type):
                notes.append(note)
            if self._can_read(doc_type):
                right_counts[str(doc_type.id)] = self._plan_type(doc_type)
        self.write(
            {
                "state": "preview",
                "notes": "\n".join(notes),
                "right_counts": right_counts,
            }
        )
        self.invalidate_recordset()
        return self._reopen()

    def action_back(self):
        """Go back from the preview to the choices."""
        self.ensure_one()
        self._reset()
        return self._reopen()

    def action_select_all(self):
        """Tick every document of the preview."""
        return self._select(True)

    def action_select_none(self):
        """Untick every document of the preview."""
        return self._select(False)

    def action_open_lines(self):
        """Open the previewed documents in a list with search and grouping."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sales_followup.sales_followup_propagate_line_action"
        )
        return {
            **action,
            "domain": [("wizard_id", "=", self.id)],
            "context": {"search_default_change": 1, "followup_wizard_id": self.id},
        }

    def action_apply(self):
        """Write the previewed, ticked documents; pressed twice it does nothing more.

        A document whose representatives are no longer as previewed is left alone and
        reported on the change.

        :return: the action that shows the change
        :raise AccessError: unless *Representatives: Editor*
        :raise UserError: where there is no preview, or nothing is ticked
        """
        self.ensure_one()
        self.env["res.partner"]._followup_check_rep_editor()
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._("This update is being applied already; wait for it to end.")
            ) from error
        self.invalidate_recordset(["change_id", "state"])
        if not self.change_id:
            self._check_previewed()
            change = self.env["sales.followup.change"]._create_planned(
                "propagate",
                log_in_chatter=self.log_in_chatter,
                scope=self.scope,
                reason=self.reason,
            )
            self.env["sales.followup.propagation"]._copy_preview(self, change)
            if self.move_activities and self.mode == "replace":
                change._plan_activities(self.old_user_id.id, self.new_user_id.id)
            change._apply()
            self.write({"change_id": change.id, "state": "done"})
        return {
            "type": "ir.actions.act_window",
            "res_model": "sales.followup.change",
            "res_id": self.change_id.id,
            "views": [(False, "form")],
        }

    # --- checks -----------------------------------------------------------------

    def _check_criteria(self):
        """Refuse criteria that make no sense.

        :raise UserError: saying which, and what to do
        """
        if not self.partner_ids:
            raise UserError(
                self.env._("Select the customers first, in the list of contacts.")
            )
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(
                self.env._(
                    "The period ends before it begins: from %(start)s to %(end)s.",
                    start=format_date(self.env, self.date_from),
                    end=format_date(self.env, self.date_to),
                )
            )
        if not self.type_ids:
            raise UserError(self.env._("Tick at least one document type."))
        hidden = self.type_ids.filtered(lambda doc_type: not doc_type.available)
        if hidden:
            raise UserError(
                self.env._(
                    "%(types)s cannot be updated: the app is not installed, or the "
                    "type's settings no longer fit it.",
                    types=", ".join(hidden.mapped("name")),
                )
            )
        if self.mode == "replace":
            self._check_replacement()

    def _check_replacement(self):
        if not (self.old_user_id and self.new_user_id):
            raise UserError(self.env._("Choose who is replaced, and by whom."))
        if self.old_user_id == self.new_user_id:
            raise UserError(
                self.env._(
                    "%(user)s cannot be replaced by themselves; choose somebody else.",
                    user=self.old_user_id.name,
                )
            )
        self.env["res.partner"]._followup_check_joiners(self.new_user_id.ids)

    def _check_previewed(self):
        if self.state != "preview":
            raise UserError(
                self.env._("Look at the preview first; nothing is written without.")
            )
        if not self.selected_count:
            raise UserError(
                self.env._("Nothing to change: no document of the preview is ticked.")
            )

    def _can_read(self, doc_type):
        """Tell whether the user may read documents of a type at all."""
        return self.env[doc_type.model].has_access("read")

    def _get_type_note(self, doc_type):
        """Return a remark about a type for the preview, or ``None``."""
        if not self._can_read(doc_type):
            return self.env._(
                "%(type)s: you may not read these documents, none is changed.",
                type=doc_type.name,
            )
        if not doc_type.lead_field:
            return self.env._(
                "%(type)s: these have no Salesperson to write.", type=doc_type.name
            )
        if not doc_type.reps_field:
            return self.env._(
                "%(type)s: only the Salesperson is written, these have no "
                "representatives.",
                type=doc_type.name,
            )
        return None

    # --- planning ---------------------------------------------------------------

    def _reset(self):
        """Throw the preview away."""
        if not self:
            return
        self.env["sales.followup.propagation"]._clear_preview(self)
        self.write({"state": "draft", "right_counts": False, "notes": False})

    def _select(self, selected):
        self.ensure_one()
        self.env["sales.followup.propagation"]._tick_preview(self, selected)
        return self._reopen()

    def _plan_type(self, doc_type):
        """Put the documents of a type into the preview.

        :return: how many are already as asked
        """
        customers = self.partner_ids | self.partner_ids._followup_get_contacts()
        domain = doc_type._get_documents_domain(
            customers, self.date_from, self.date_to, self.scope
        )
        model = doc_type._get_documents_model()
        return self.env["sales.followup.propagation"]._fill_preview(
            self,
            doc_type,
            model._search(domain, order="id").get_result_ids(),
            (self.old_user_id.id, self.new_user_id.id)
            if self.mode == "replace"
            else None,
        )

    # --- showing ----------------------------------------------------------------

    def _reopen(self):
        """Return the action that shows this wizard as it is now."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Automatic contact update"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "dialog_size": "large" if self.state == "draft" else "extra-large"
            },
        }

    def _prepare_summary(self):
        """Return the values of the summary's template: counts per type, and amounts
        that move from one Salesperson to another, each in its company's currency."""
        self.ensure_one()
        line_model = self.env["sales.followup.propagate.line"]
        line_model.flush_model()
        domain = [("wizard_id", "=", self._origin.id)]
        types = {
            int(type_id): {"right": right, "change": 0, "unticked": 0, "skips": []}
            for type_id, right in (self.right_counts or {}).items()
        }
        for doc_type, status, reason, selected, count in line_model._read_group(
            domain, ["type_id", "status", "reason", "selected"], ["__count"]
        ):
            row = types[doc_type.id]
            if status == "change":
                row["change" if selected else "unticked"] += count
            else:
                row["skips"].append(
                    self.env._(
                        "%(reason)s: %(count)s",
                        reason=self._get_reason_label(reason),
                        count=count,
                    )
                )
        names = self.env["sales.followup.document.type"].browse(types)
        return {
            "types": [{"name": t.name, **types[t.id]} for t in names],
            "moves": self._get_moved_amounts(domain),
            "notes": (self.notes or "").splitlines(),
        }

    def _get_reason_label(self, reason):
        reasons = self.env["sales.followup.propagate.line"]._fields["reason"]
        return dict(reasons._description_selection(self.env)).get(reason, "")

    def _get_moved_amounts(self, domain):
        """Sum what moves from one Salesperson to another.

        :return: list of dicts with the names ``old`` and ``new``, ``count``, and the
            formatted ``amount``
        """
        line_model = self.env["sales.followup.propagate.line"]
        groups = line_model._read_group(
            [*domain, ("status", "=", "change"), ("selected", "=", True)],
            ["old_lead_id", "new_lead_id", "currency_id"],
            ["__count", "amount:sum"],
        )
        moves = defaultdict(list)
        for old, new, currency, count, amount in groups:
            if old != new:
                moves[old, new].append((currency, count, amount))
        return [
            {
                "old": old.name or self.env._("nobody"),
                "new": new.name or self.env._("nobody"),
                "count": sum(count for _currency, count, _amount in sums),
                "amounts": [
                    currency.format(amount)
                    for currency, _count, amount in sums
                    if currency
                ],
            }
            for (old, new), sums in moves.items()
        ]
