from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval


class SalesFollowupSeries(models.Model):
    """Reminders that follow each other, from the first to the last.

    A document follows the series of its last reminder, else the first series whose
    filter it meets.
    """

    _name = "sales.followup.series"
    _description = "Series of Reminders"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    document_type_id = fields.Many2one(
        "sales.followup.document.type",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('chases', '=', True)]",
    )
    model = fields.Char(related="document_type_id.model")
    domain = fields.Char(
        string="Documents",
        default="[]",
        required=True,
        help="Which documents of the type follow this series; the first series that "
        "fits is taken.",
    )
    company_id = fields.Many2one("res.company", help="Empty: for all companies.")
    template_ids = fields.One2many(
        "sales.followup.template", "series_id", string="Templates"
    )
    template_count = fields.Integer(string="Levels", compute="_compute_template_count")

    @api.depends("template_ids")
    def _compute_template_count(self):
        for series in self:
            series.template_count = len(series.template_ids)

    @api.constrains("domain", "document_type_id")
    def _check_domain(self):
        for series in self:
            model = series.document_type_id.model
            try:
                series._get_domain().validate(self.env[model])
            except Exception as error:
                # whatever a user's text may raise
                raise ValidationError(
                    self.env._(
                        "Series “%(series)s”: %(domain)s is not a valid filter of "
                        "%(model)s (%(error)s).",
                        series=series.name,
                        domain=series.domain,
                        model=model,
                        error=error,
                    )
                ) from error

    @api.constrains("document_type_id")
    def _check_document_type(self):
        for series in self:
            if not series.document_type_id.chases:
                raise ValidationError(
                    self.env._(
                        "Series “%(series)s”: documents of type “%(type)s” are never "
                        "chased; choose another type, or say in it which documents "
                        "to chase.",
                        series=series.name,
                        type=series.document_type_id.name,
                    )
                )
            if series.template_ids.document_type_id - series.document_type_id:
                raise ValidationError(
                    self.env._(
                        "Series “%(series)s” has templates of another document type; "
                        "move them to another series first.",
                        series=series.name,
                    )
                )

    def _get_domain(self):
        """Evaluate the filter of the series, with dates and ``uid`` at hand.

        Follow-up managers write it, not administrators: there is no record in reach,
        from which they would get to all the others.

        :rtype: Domain
        """
        self.ensure_one()
        context = self.document_type_id._get_eval_context()
        del context["user"]
        return Domain(safe_eval(self.domain or "[]", context))

    def _get_levels(self, company, archived=False):
        """Return the series as the rules of cadence know it: its levels, in order.

        :param company: whose documents are chased; templates of others are left out
        :param archived: whether archived templates count
        :return: tuple of :class:`~..rules.cadence.Level`
        """
        series = self.with_context(active_test=not archived)
        return tuple(
            template._get_level()
            for template in series.template_ids
            if template.company_id in (company, company.browse())
        )

    def _get_of_documents(self, documents):
        """Return the series each document follows.

        :param documents: recordset of one model that has the follow-up mixin
        :return: dict of document → series, empty where none fits
        """
        # a call between two levels does not end a series
        last = documents._followup_get_last_reminders([("template_id", "!=", False)])
        types = documents._followup_get_types()
        found = {}
        for document, reminder in last.items():
            series = reminder.template_id.series_id
            # a quotation that became an order follows another one
            if series.active and series.document_type_id == types[document]:
                found[document] = series
        waiting = documents.filtered(lambda document: document not in found)
        for doc_type, of_type in waiting._followup_group_by_type().items():
            for series in self.search([("document_type_id", "=", doc_type.id)]):
                fitting = of_type.filtered_domain(series._get_domain())
                if series.company_id:
                    fitting = fitting.filtered_domain(
                        [("company_id", "=", series.company_id.id)]
                    )
                found.update(dict.fromkeys(fitting, series))
                of_type -= fitting
        return {document: found.get(document, self.browse()) for document in documents}
