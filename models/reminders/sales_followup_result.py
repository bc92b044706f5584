from odoo import fields, models


class SalesFollowupResult(models.Model):
    """What came out of a reminder, in the words of the company."""

    _name = "sales.followup.result"
    _description = "Result of a Reminder"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _name_unique = models.Constraint(
        "UNIQUE(name)", "There is a result of this name already."
    )
