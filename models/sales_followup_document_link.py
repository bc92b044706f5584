from odoo import api, models
from odoo.exceptions import UserError


class SalesFollowupDocumentLink(models.AbstractModel):
    """What is about one document that is chased: a link field for each kind of them.

    A new kind of document needs a field on each model that inherits this one, and an
    entry in :meth:`_get_document_fields`.
    """

    _name = "sales.followup.document.link"
    _description = "Link to a Document to Chase"

    @api.model
    def _get_document_fields(self):
        """Give the kinds of documents that are chased.

        :return: dict of link field → model; override it to add a kind
        """
        return {"order_id": "sale.order", "move_id": "account.move"}

    @api.model
    def _get_document_field(self, model):
        """Give the link field of a model of documents.

        :raise UserError: where its documents are not chased
        """
        for name, document_model in self._get_document_fields().items():
            if document_model == model:
                return name
        raise UserError(self.env._("%(model)s: nothing to remind of.", model=model))

    def _get_document(self):
        """Give the one document that is chased.

        :return: record of one of the models of :meth:`_get_document_fields`
        """
        self.ensure_one()
        for name in self._get_document_fields():
            if self[name]:
                return self[name]
        return self.env["sale.order"]

    def action_open_document(self):
        """Open the quotation, order or invoice; several of one kind as a list.

        :raise UserError: where they are of several kinds
        """
        by_field = self._group_by_document_model()
        if len(by_field) != 1:
            raise UserError(
                self.env._("Select documents of one kind: quotations, or invoices.")
            )
        [(name, records)] = by_field.items()
        documents = records[name]
        action = {"type": "ir.actions.act_window", "res_model": documents._name}
        if len(documents) == 1:
            return {**action, "res_id": documents.id, "view_mode": "form"}
        return {
            **action,
            "name": self.env._("Documents"),
            "domain": [("id", "in", documents.ids)],
            "view_mode": "list,form",
        }

    def _group_by_document_model(self):
        """Split records by the link field of their documents.

        :return: dict of link field → records
        """
        return {
            name: records
            for name in self._get_document_fields()
            if (records := self.filtered(name))
        }
