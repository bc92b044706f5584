from odoo import api, fields, models
from odoo.exceptions import UserError

from ...bounds import check_bounds


# Reminders are a subject of their own; res_partner.py has who follows a customer.
class ResPartner(models.Model):
    """How a customer is reminded, and what it was reminded of."""

    _name = "res.partner"
    _inherit = ["res.partner", "sales.followup.guarded"]

    followup_exclude = fields.Boolean(
        string="Do not remind automatically", copy=False, groups="base.group_user"
    )
    followup_pause_until = fields.Date(
        string="Pause Reminders Until",
        copy=False,
        groups="base.group_user",
        help="No automatic reminder before this day.",
    )
    followup_touched = fields.Datetime(
        string="Last Sent a Reminder",
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="When the customer was last sent a reminder; see the dispatcher.",
    )
    followup_reminder_ids = fields.One2many(
        "sales.followup.reminder",
        "partner_id",
        string="Reminders",
        copy=False,
        groups="sales_followup.group_user",
    )
    followup_reminder_count = fields.Integer(
        string="Reminder Count",
        compute="_compute_followup_reminder_count",
        groups="sales_followup.group_user",
    )

    @api.constrains("followup_pause_until")
    def _check_followup_pause_until(self):
        check_bounds(self, "followup_pause_until")

    @api.model
    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return super()._get_guarded_fields() | {"followup_touched"}

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        # EXTENDS 'base'
        self._check_guarded([vals], self)
        return super().write(vals)

    @api.depends_context("uid")
    def _compute_followup_reminder_count(self):
        companies = self.commercial_partner_id
        counts = dict.fromkeys(companies.ids, 0)
        # who became a contact of a company brought their reminders along
        for customer, count in self.env["sales.followup.reminder"]._read_group(
            [("partner_id.commercial_partner_id", "in", companies.ids)],
            ["partner_id"],
            ["__count"],
        ):
            counts[customer.sudo().commercial_partner_id.id] += count
        for partner in self:
            company = partner.commercial_partner_id
            partner.followup_reminder_count = counts.get(company._origin.id, 0)

    def signup_prepare(self, signup_type="signup"):
        """Leave alone who may sign up already: every e-mail with a button asks for it
        again, one customer at a time, and writing a customer takes long."""
        # EXTENDS 'auth_signup'
        others = self.filtered(lambda partner: partner.signup_type != signup_type)
        if self and not others:
            return True
        return super(ResPartner, others).signup_prepare(signup_type)

    def action_followup_remind(self):
        """Open the dialog that reminds of one of the customer's documents."""
        self.ensure_one()
        customer = self.commercial_partner_id
        return self.env["sales.followup.remind"]._get_action(partner_id=customer.id)

    def action_followup_reminders(self):
        """Open the reminders of this customer, whatever became of the documents."""
        self.ensure_one()
        customer = self.commercial_partner_id
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_reminder_action"
        )
        return {
            **action,
            "domain": [("partner_id.commercial_partner_id", "=", customer.id)],
            "context": {"default_partner_id": customer.id},
        }

    def _followup_get_reminders_to_anonymize(self):
        """Return the reminders of these customers in all companies of the user, not
        only those that are ticked.

        :return: ``sales.followup.reminder``, as superuser
        """
        domain = [
            ("partner_id.commercial_partner_id", "in", self.commercial_partner_id.ids)
        ]
        if not self.env.su:
            domain.append(("company_id", "in", self.env.user.company_ids.ids))
        # sudo: texts no user may change, on documents the manager may not open
        return self.env["sales.followup.reminder"].sudo().search(domain)

    def action_followup_anonymize(self):
        """Take what was written about and to these customers off their reminders.

        The reminders stay, as numbers, dates and amounts; notes, files, texts of
        e-mails and the customers' answers go. Those of companies the user does not
        belong to are for a manager there.

        :raise UserError: unless the user is a follow-up manager
        """
        if not self.env.user.has_group("sales_followup.group_manager"):
            raise UserError(
                self.env._("Only follow-up managers may anonymize reminders.")
            )
        self.commercial_partner_id.check_access("write")
        reminders = self._followup_get_reminders_to_anonymize()
        reminders._anonymize()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(count)s reminders are anonymous now.", count=len(reminders)
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
