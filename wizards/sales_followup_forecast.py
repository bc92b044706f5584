from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

from ..rules import verdict as rule

#: how many days ahead are foretold
HORIZON_DAYS = 14

#: how many documents are looked at a time, and listed at most
BATCH_SIZE = 1000
LINE_LIMIT = 5000


class SalesFollowupForecast(models.TransientModel):
    """One automatic reminder that will be sent, if nothing happens until then."""

    _name = "sales.followup.forecast"
    _inherit = ["sales.followup.document.link"]
    _description = "Forecast of Automatic Reminders"
    _order = "date, customer_name, id"

    date = fields.Date(readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    customer_name = fields.Char(readonly=True)
    template_id = fields.Many2one("sales.followup.template", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(string="Untaxed Amount", readonly=True)

    @api.model
    def action_open(self):
        """Foretell what goes out in the next days, of the documents the user may see.

        :return: action that lists it
        """
        self.search([("create_uid", "=", self.env.uid)]).unlink()
        for company in self.env.companies:
            self.with_company(company)._foretell(company)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "sales_followup.sales_followup_forecast_action_list"
            ),
            "domain": [("create_uid", "=", self.env.uid)],
        }

    def _foretell(self, company):
        """List what goes out in one company."""
        if not company.sudo().followup_automatic:
            return
        automatic = self.env["sales.followup.run"]
        templates = automatic.sudo()._get_templates()
        doc_types = templates.document_type_id
        left = LINE_LIMIT
        for doc_type in doc_types:
            documents = self.env[doc_type.model].search(
                doc_type._get_domain()
                & doc_type._get_domain("chase_domain")
                & Domain("company_id", "=", company.id)
                & Domain("followup_exclude", "=", False)
            )
            for ids in split_every(BATCH_SIZE, documents.ids):
                if left <= 0:
                    return
                vals_list = self._foretell_documents(company, documents.browse(ids))
                self.create(vals_list[:left])
                left -= len(vals_list)

    def _foretell_documents(self, company, documents):
        """Return what goes out about some documents, as values of lines; of one that
        cannot be judged nothing does."""
        told, _problems = self.env["sales.followup.judge"]._isolate(
            lambda some: self._foretell_together(company, some), documents
        )
        return [values for document in documents for values in told.get(document, ())]

    def _foretell_together(self, company, documents):
        """Return what goes out about documents of which none fails.

        :return: dict of document → list of values of lines
        """
        facts = self.env["sales.followup.facts"]
        today = company._followup_today()
        last_day = today + timedelta(days=HORIZON_DAYS)
        settings = facts._get_settings(company, today, documents._name)
        known = facts._fetch(documents)
        series = self.env["sales.followup.series"]._get_of_documents(documents)
        levels = {one: one.sudo()._get_levels(company) for one in set(series.values())}
        return {
            document: [
                self._prepare_line(document, day, level)
                for day, level in rule.forecast(
                    *known[document],
                    levels[series[document]],
                    settings,
                    today,
                    last_day,
                )
            ]
            for document in documents
        }

    def _prepare_line(self, document, day, level):
        """Return the values of one line."""
        link = self._get_document_field(document._name)
        return {
            "date": day,
            link: document.id,
            "document_name": document.display_name,
            "partner_id": document.partner_id.id,
            "customer_name": document.partner_id.display_name,
            "template_id": level.template,
            "user_id": document._followup_get_sender().id,
            "company_id": document.company_id.id,
            "currency_id": document.currency_id.id,
            "amount": document._followup_get_amount(),
        }

    def action_verdict(self):
        """Show what would go, and what speaks against it."""
        return self._get_document().action_followup_verdict()
