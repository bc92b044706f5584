from odoo import api, fields, models
from odoo.fields import Domain


class SalesFollowupFollowed(models.AbstractModel):
    """A record with a Salesperson and representatives: a customer or a document."""

    _name = "sales.followup.followed"
    _description = "Record With Follow-up Representatives"

    #: the Salesperson field
    _followup_lead_field = "user_id"

    followup_is_mine = fields.Boolean(
        string="Followed by Me",
        compute="_compute_followup_is_mine",
        search="_search_followup_is_mine",
        groups="base.group_user",
        help="I am the Salesperson or one of the representatives.",
    )

    @api.depends_context("uid")
    @api.depends(lambda self: (self._followup_lead_field, "followup_rep_ids"))
    def _compute_followup_is_mine(self):
        # the user of an unsaved record would be another one than oneself
        uid = self.env.uid
        for record in self:
            followers = record.followup_rep_ids | record[record._followup_lead_field]
            record.followup_is_mine = uid in followers._origin.ids

    def _search_followup_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        mine = self._followup_get_mine_domain()
        return Domain.OR(mine if flag else ~mine for flag in {bool(v) for v in value})

    def _followup_get_mine_domain(self):
        """Select the records whose Salesperson or representative the user is.

        :rtype: Domain
        """
        uid = self.env.uid
        return Domain(self._followup_lead_field, "=", uid) | Domain(
            "followup_rep_ids", "in", [uid]
        )
