from odoo import fields, models


class SalesFollowupChangeProgress(models.Model):
    """How far a change has come: the row that each batch locks and writes.

    It is kept apart from the change so that a user can pause or cancel one while a
    batch is under way: two transactions that write the same row cannot both succeed.
    """

    _name = "sales.followup.change.progress"
    _description = "Change of Representatives: Progress"

    change_id = fields.Many2one(
        "sales.followup.change", required=True, ondelete="cascade"
    )
    applied = fields.Integer(help="Position of the last record that was done.")
    undone = fields.Integer(help="Position of the last record that was undone.")
    is_undo = fields.Boolean(help="The work under way is the undo.")
    is_late = fields.Boolean(
        help="The undo is of records that those who undid before could not see."
    )
    queued = fields.Datetime(
        help="Since when the work waits for the scheduled action; empty where the user "
        "waits for it."
    )
    user_id = fields.Many2one(
        "res.users",
        ondelete="set null",
        help="On whose behalf the work is done in the background.",
    )
    company_ids = fields.Json(help="The companies that user had switched on.")
    is_stopped = fields.Boolean(help="The change was cancelled before its end.")
    changed_count = fields.Integer()
    left_count = fields.Integer()
    undone_count = fields.Integer()
    kept_count = fields.Integer()
    hidden_count = fields.Integer()
    restored_count = fields.Integer(help="Values that the undo gave back.")

    _change_unique = models.Constraint("UNIQUE(change_id)", "One row a change.")
