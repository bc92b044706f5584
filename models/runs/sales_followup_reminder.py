from odoo import fields, models


class SalesFollowupReminder(models.Model):
    """The run that made a reminder."""

    _inherit = "sales.followup.reminder"

    run_id = fields.Many2one(
        "sales.followup.run",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    # once in a run, however often its batch is started
    _order_run_once = models.UniqueIndex(
        "(run_id, order_id) WHERE origin = 'run' AND order_id IS NOT NULL",
        "This run reminded of the document already.",
    )
    _move_run_once = models.UniqueIndex(
        "(run_id, move_id) WHERE origin = 'run' AND move_id IS NOT NULL",
        "This run reminded of the document already.",
    )
