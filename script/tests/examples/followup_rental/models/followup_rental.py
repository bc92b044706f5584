from odoo import api, fields, models

from odoo.addons.sales_followup.fields import Representatives


class FollowupRental(models.Model):
    """A document that customers are reminded of until they sign it."""

    _name = "followup.rental"
    _inherit = ["mail.thread", "sales.followup.mixin"]
    _description = "Rental"

    _followup_amount_field = "price"
    _followup_sent_states = ("offered",)

    name = fields.Char(required=True)
    partner_id = fields.Many2one("res.partner", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="Salesperson")
    price = fields.Monetary()
    due_date = fields.Date(string="Signature Expected")
    state = fields.Selection(
        [("draft", "Draft"), ("offered", "Offered"), ("signed", "Signed")],
        default="draft",
        required=True,
    )
    followup_rep_ids = Representatives(
        relation="followup_rental_followup_rep_rel",
        column1="rental_id",
        column2="user_id",
    )
    followup_reminder_ids = fields.One2many(
        "sales.followup.reminder",
        "rental_id",
        string="Reminders",
        copy=False,
        groups="sales_followup.group_user",
    )

    @api.model_create_multi
    def create(self, vals_list):
        self, vals_list = self._followup_prepare_creation(vals_list)
        rentals = super().create(vals_list)
        rentals._followup_check_created()
        return rentals

    def write(self, vals):
        return self._followup_write_checked(vals, super().write)
