from odoo import api, fields, models


class SalesFollowupDocumentDialog(models.AbstractModel):
    """A dialog about one document, which is chosen in it."""

    _name = "sales.followup.document.dialog"
    _inherit = ["sales.followup.document.link"]
    _description = "Dialog About a Document to Chase"

    has_document = fields.Boolean(compute="_compute_has_document")

    @api.depends(lambda self: tuple(self._get_document_fields()))
    def _compute_has_document(self):
        for dialog in self:
            dialog.has_document = any(
                dialog[link] for link in dialog._get_document_fields()
            )

    def _get_document(self):
        """Return the document that was chosen; empty while there is none.

        :raise AccessError: where the user may not read it
        """
        # EXTENDS 'sales_followup'
        # in a form it stands for a stored one, whose reminders are asked for
        document = super()._get_document()._origin
        if document:
            # what a dialog tells of it is told with elevated rights, or by somebody
            # else's values that are at hand
            document.check_access("read")
        return document

    def _apply_onchange_methods(self, field_name, result):
        """Whoever chooses a document drops the one that was chosen before."""
        # EXTENDS 'base'
        # here, as the decorator wants the names of fields, which others add to
        if field_name in self._get_document_fields() and self[field_name]:
            self._onchange_document(field_name)
        return super()._apply_onchange_methods(field_name, result)

    def _onchange_document(self, link):
        """Adapt the dialog to the document that was chosen.

        :param link: its field
        """
        for other in self._get_document_fields().keys() - {link}:
            self[other] = False

    def _get_link_modifiers(self, link):
        # EXTENDS 'sales_followup'
        others = [name for name in self._get_document_fields() if name != link]
        return {"invisible": " or ".join(others)}
