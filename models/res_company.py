from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    followup_allow_clear = fields.Boolean(string="Allow removing all representatives")
    followup_keep_days = fields.Integer(
        string="Keep the journal of representatives (days)",
        default=365,
    )

    followup_next_days = fields.Integer(
        string="Days to the next reminder",
        default=15,
    )
    followup_attach_files = fields.Boolean(
        string="Attach the document's own PDF files",
    )

    _followup_next_days_positive = models.Constraint(
        "CHECK(followup_next_days >= 0)",
        "The next reminder comes after a number of days, 0 or more.",
    )
    _followup_keep_days_positive = models.Constraint(
        "CHECK(followup_keep_days >= 0)",
        "The journal is kept for a number of days, or 0 to keep it for ever.",
    )
