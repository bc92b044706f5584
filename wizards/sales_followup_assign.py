from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class SalesFollowupAssign(models.TransientModel):
    """Collects what a bulk change of representatives shall do, and tells beforehand
    what it will."""

    _name = "sales.followup.assign"
    _inherit = ["sales.followup.guarded"]
    _description = "Change Representatives"

    partner_ids = fields.Many2many(
        "res.partner", string="Customers", context={"active_test": False}
    )
    customers = fields.Char(string="Selected Customers", compute="_compute_customers")
    operation = fields.Selection(
        [
            ("assign", "Assign representatives"),
            ("unassign", "Unassign representatives"),
            ("replace", "Replace a representative"),
            ("clear", "Remove all representatives"),
        ],
        default="assign",
        required=True,
    )
    user_ids = fields.Many2many(
        "res.users",
        relation="sales_followup_assign_user_rel",
        string="Representatives",
        domain="[('share', '=', False)]",
        context={"active_test": False},
    )
    lead_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        domain="[('share', '=', False)]",
        help="Who leads afterwards. Empty: the Salesperson stays, and where there is "
        "none or it leaves, the next representative leads.",
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
    include_contacts = fields.Boolean(
        string="Contacts too",
        help="Change the contacts of these customers even where they have "
        "representatives of their own.",
    )
    then_propagate = fields.Boolean(
        string="Then update their documents",
        help="Go on to bring the representatives onto existing documents.",
    )
    move_activities = fields.Boolean(
        string="Move open activities",
        help="Give the open activities on these customers to the successor, too.",
    )
    activity_count = fields.Integer(
        string="Open Activities", compute="_compute_activity_count"
    )
    reason = fields.Char(help="Why, for those who see the change later.")
    missing = fields.Char(compute="_compute_counts")
    outlook = fields.Char(compute="_compute_outlook")
    change_count = fields.Integer(string="To Change", compute="_compute_counts")
    right_count = fields.Integer(string="Already Right", compute="_compute_counts")
    following_count = fields.Integer(
        string="Contacts That Follow", compute="_compute_counts"
    )
    own_contact_count = fields.Integer(
        string="Contacts with Their Own", compute="_compute_counts"
    )
    subsidiary_count = fields.Integer(
        string="Subsidiaries Not Covered", compute="_compute_subsidiary_count"
    )
    access_warning = fields.Char(compute="_compute_access_warning")
    change_id = fields.Many2one("sales.followup.change", readonly=True)

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return {"change_id"}

    @api.model
    def default_get(self, fields):
        # EXTENDS 'base'
        self.env["res.partner"]._followup_check_rep_editor()
        return super().default_get(fields)

    def _get_action(self, operation, partners):
        """Open the wizard for customers.

        It is created here: a form that gets ten thousand customers as default values
        sends them to and fro with every keystroke.

        :param operation: what to do with their representatives
        :param partners: ``res.partner`` recordset
        :return: window action
        """
        wizard = self.create(
            {"operation": operation, "partner_ids": [Command.set(partners.ids)]}
        )
        operations = dict(self._fields["operation"]._description_selection(self.env))
        return {
            "type": "ir.actions.act_window",
            "name": operations[operation],
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.depends("partner_ids")
    def _compute_customers(self):
        for wizard in self:
            wizard.customers = wizard.partner_ids._origin._followup_get_label()

    @api.depends(
        "partner_ids",
        "operation",
        "user_ids",
        "lead_id",
        "old_user_id",
        "new_user_id",
        "include_contacts",
    )
    def _compute_counts(self):
        for wizard in self:
            counts = {}
            wizard.missing = wizard._get_missing()
            if not wizard.missing:
                counts = wizard.partner_ids._origin._followup_count_plan(
                    wizard.operation,
                    wizard.include_contacts,
                    **wizard._prepare_arguments(),
                )
            wizard.change_count = counts.get("change", 0)
            wizard.right_count = counts.get("right", 0)
            wizard.following_count = counts.get("following", 0)
            wizard.own_contact_count = counts.get("own", 0)

    @api.depends("partner_ids", "operation", "old_user_id", "new_user_id")
    def _compute_activity_count(self):
        for wizard in self:
            wizard.activity_count = 0
            if wizard.operation == "replace" and not wizard._get_missing():
                partners = wizard.partner_ids._origin
                wizard.activity_count = partners._followup_count_activities(
                    wizard.include_contacts, **wizard._prepare_arguments()
                )

    @api.depends("partner_ids")
    def _compute_subsidiary_count(self):
        for wizard in self:
            partners = wizard.partner_ids._origin
            wizard.subsidiary_count = partners._followup_count_subsidiaries()

    @api.depends("partner_ids", "operation", "user_ids", "lead_id", "new_user_id")
    def _compute_access_warning(self):
        for wizard in self:
            joiners = self.env["res.users"]
            if wizard.operation == "assign":
                joiners = wizard.user_ids | wizard.lead_id
            elif wizard.operation == "replace":
                joiners = wizard.new_user_id
            partners = wizard.partner_ids._origin
            wizard.access_warning = partners._followup_get_access_warning(
                joiners._origin
            )

    @api.depends(
        "change_count",
        "right_count",
        "following_count",
        "own_contact_count",
        "subsidiary_count",
    )
    def _compute_outlook(self):
        for wizard in self:
            counts = {
                self.env._("To change"): wizard.change_count,
                self.env._("Already as asked"): wizard.right_count,
                self.env._("Contacts following"): wizard.following_count or None,
                self.env._("Contacts that keep their own"): wizard.own_contact_count
                or None,
                self.env._("Subsidiaries not covered"): wizard.subsidiary_count or None,
            }
            wizard.outlook = " · ".join(
                self.env._("%(label)s: %(count)s", label=label, count=count)
                for label, count in counts.items()
                if count is not None
            )

    def action_apply(self):
        """Change the representatives; pressed twice it does nothing more.

        :return: the action to go on with: the documents' wizard where asked for, else a
            notification of what changed
        :raise AccessError: unless *Representatives: Editor*
        :raise UserError: where something needed is missing
        """
        self.ensure_one()
        self.env["res.partner"]._followup_check_rep_editor()
        if missing := self._get_missing():
            raise UserError(missing)
        self._check_clear_allowed()
        if not self.change_id:
            self.change_id = self.partner_ids._followup_change_in_bulk(
                self.operation,
                self.include_contacts,
                self.reason,
                move_activities=self.move_activities,
                **self._prepare_arguments(),
            )
        if self.then_propagate:
            return self.env["sales.followup.propagate"]._get_action(self.partner_ids)
        return self._get_notification()

    def _get_missing(self):
        """Say what is missing to do the operation, or ``None``."""
        self.ensure_one()
        if not self.partner_ids:
            return self.env._("Select the customers first, in the list of contacts.")
        if self.operation in ("assign", "unassign") and not (
            self.user_ids or (self.operation == "assign" and self.lead_id)
        ):
            return self.env._("Choose at least one representative.")
        if self.operation == "replace":
            if not (self.old_user_id and self.new_user_id):
                return self.env._("Choose who is replaced, and by whom.")
            if self.old_user_id == self.new_user_id:
                return self.env._(
                    "%(user)s cannot be replaced by themselves; choose somebody else.",
                    user=self.old_user_id.name,
                )
        if self.operation == "unassign" and self.lead_id in self.user_ids:
            return self.env._(
                "%(user)s cannot both leave and lead; choose another Salesperson.",
                user=self.lead_id.name,
            )
        return None

    def _check_clear_allowed(self):
        """Refuse to remove everybody where the company's settings do not allow it."""
        if self.operation == "clear" and not self.env.company.followup_allow_clear:
            raise UserError(
                self.env._(
                    "%(company)s does not allow removing all representatives. An "
                    "administrator can allow it in the settings of Sales Follow-up.",
                    company=self.env.company.name,
                )
            )

    def _prepare_arguments(self):
        """Return the arguments of the rule that does the operation, users as ids."""
        lead = self.lead_id._origin.id or None
        if self.operation in ("assign", "unassign"):
            return {"users": self.user_ids._origin.ids, "lead": lead}
        if self.operation == "replace":
            return {
                "leaver": self.old_user_id._origin.id,
                "joiner": self.new_user_id._origin.id,
            }
        return {}

    def _get_notification(self):
        # sudo: the journal; the wizard's user made the change
        change = self.change_id.sudo()
        changed = change.changed_count
        if not change:
            kind = "info"
            message = self.env._("Nothing to change: all customers are as asked.")
        elif change.state == "running":
            kind = "info"
            message = self.env._(
                "%(count)s customers and contacts are being changed in the background; "
                "you will be told when it is done.",
                count=change.planned_count,
            )
        else:
            kind = "success" if changed else "info"
            message = self.env._(
                "%(changed)s customers and contacts changed.", changed=changed
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
