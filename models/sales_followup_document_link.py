from copy import deepcopy

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import frozendict


class SalesFollowupDocumentLink(models.AbstractModel):
    """What is about one document that is chased: a link field for each kind of them.

    A new kind of document needs a field here, which all that inherit this one get, and
    an entry in :meth:`_get_document_fields`.
    """

    _name = "sales.followup.document.link"
    _description = "Link to a Document to Chase"

    order_id = fields.Many2one(
        "sale.order",
        string="Quotation / Order",
        index="btree_not_null",
        ondelete="cascade",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        index="btree_not_null",
        ondelete="cascade",
        domain=[("move_type", "in", ("out_invoice", "out_refund"))],
    )

    def _get_document_fields(self):
        """Return the kinds of documents that are chased.

        :return: dict of link field → model; override it to add a kind
        """
        return {"order_id": "sale.order", "move_id": "account.move"}

    def _get_document_field(self, model):
        """Return the link field of a model of documents.

        :raise UserError: where its documents are not chased
        """
        for name, document_model in self._get_document_fields().items():
            if document_model == model:
                return name
        raise UserError(self.env._("%(model)s: nothing to remind of.", model=model))

    def _get_document(self):
        """Return the one document that is chased.

        :return: record of one of the models of :meth:`_get_document_fields`
        """
        self.ensure_one()
        for name in self._get_document_fields():
            if self[name]:
                return self[name]
        return self.env["sale.order"]

    def _check_one_document(self):
        """Refuse what is about no document, or about several.

        :raise ValidationError: naming the remedy
        """
        names = self._get_document_fields()
        for record in self:
            if sum(bool(record[name]) for name in names) != 1:
                raise ValidationError(
                    self.env._(
                        "A reminder is about one document; choose a quotation, an "
                        "order or an invoice."
                    )
                )

    # --- indexes of each link ---------------------------------------------------

    def _get_document_indexes(self, link):
        """Return the indexes that each link has on this model: override it.

        :param link: name of the link field
        :return: dict of name → ``models.Index`` or ``models.UniqueIndex``; the index of
            ``order_id`` that is named ``once`` is ``_order_once``
        """
        return {}

    def _post_model_setup__(self):
        """Index every link, those of other addons, too: exactly once holds for all."""
        # EXTENDS 'base'
        result = super()._post_model_setup__()
        # Class attributes would name the links of this addon only. Here, all fields are
        # known, and neither the database nor the table of constraints was asked yet.
        indexes = {}
        for link in self._get_document_fields():
            for name, index in self._get_document_indexes(link).items():
                index.name = f"{link.removesuffix('_id')}_{name}"
                # so that it goes with the addon that brings the link
                index._module = (
                    self.env["sales.followup.document.link"]._fields[link]._module
                )
                indexes[index.full_name(self)] = index
        if indexes:
            model_class = self.env.registry[self._name]
            model_class._table_objects = frozendict(
                {**model_class._table_objects, **indexes}
            )
        return result

    # --- views ------------------------------------------------------------------

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Show the links of other addons where a view shows those of this one."""
        # EXTENDS 'base'
        arch, view = super()._get_view(view_id, view_type, **options)
        links = self._get_document_fields()
        shown = {
            node.get("name"): node
            for node in arch.iter("field")
            if node.get("name") in links
            and not any(parent.tag == "field" for parent in node.iterancestors())
        }
        if not shown:
            return arch, view
        first, model_node = next(iter(shown.items()))
        *_others, last_node = shown.values()
        for link in links.keys() - shown.keys():
            # as the first one is shown, in its own words
            node = deepcopy(model_node)
            for name, value in node.attrib.items():
                node.set(name, value.replace(first, link))
            last_node.addnext(node)
            shown[link] = node
        for link, node in shown.items():
            for name, value in self._get_link_modifiers(link).items():
                node.set(name, value)
        return arch, view

    def _get_link_modifiers(self, link):
        """Return attributes of a link's field in views, by the other links there are.

        :rtype: dict
        """
        return {}

    # --- opening documents ------------------------------------------------------

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
