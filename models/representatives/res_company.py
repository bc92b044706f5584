from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    followup_allow_clear = fields.Boolean(string="Allow removing all representatives")
    followup_keep_days = fields.Integer(
        string="Keep the journal of representatives (days)",
        default=365,
    )

    _followup_keep_days_positive = models.Constraint(
        "CHECK(followup_keep_days >= 0)",
        "The journal is kept for a number of days, or 0 to keep it for ever.",
    )
