from odoo import fields, models


class SalesFollowupDocumentLink(models.AbstractModel):
    _inherit = "sales.followup.document.link"

    rental_id = fields.Many2one(
        "followup.rental", index="btree_not_null", ondelete="cascade"
    )

    def _get_document_fields(self):
        return {**super()._get_document_fields(), "rental_id": "followup.rental"}
