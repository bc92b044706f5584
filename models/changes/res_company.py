from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    followup_background_from = fields.Integer(
        string="Work in the background above (records)",
        default=2000,
    )

    _followup_background_from_positive = models.Constraint(
        "CHECK(followup_background_from >= 0)",
        "Work in the background above a number of records; 0 waits for everything.",
    )
