from odoo import api, fields, models

from ...bounds import check_bounds


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

    @api.constrains("followup_keep_days")
    def _check_followup_keep_days(self):
        check_bounds(self, "followup_keep_days")
