from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

#: a quotation confirmed so many days after its last reminder was won by it
WON_WITHIN_DAYS = 30


class SalesFollowupReport(models.Model):
    """What reminders led to: one row a reminder that was done.

    A quotation counts once, with its last reminder; the figures of the other reminders
    are empty, so that averages leave them out.
    """

    _name = "sales.followup.report"
    _description = "Follow-up Analysis"
    _auto = False
    _rec_name = "reminder_id"
    _order = "date desc, id desc"

    reminder_id = fields.Many2one("sales.followup.reminder", readonly=True)
    date = fields.Datetime(string="Done on", readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    document_type_id = fields.Many2one("sales.followup.document.type", readonly=True)
    series_id = fields.Many2one("sales.followup.series", readonly=True)
    template_id = fields.Many2one("sales.followup.template", readonly=True)
    channel = fields.Selection(
        selection=lambda self: self._selection_channel(), readonly=True
    )
    origin = fields.Selection(
        selection=lambda self: self._selection_origin(), readonly=True
    )
    amount = fields.Monetary(
        string="Amount at Stake",
        currency_field="company_currency_id",
        readonly=True,
        help="Untaxed amount of the document, in the company's currency at the "
        "document's rate.",
    )
    quotations = fields.Integer(
        string="Quotations Reminded",
        readonly=True,
        help="1 on the last reminder of each quotation.",
    )
    won = fields.Integer(
        string="Quotations Won",
        readonly=True,
        help="1 where the quotation was confirmed within 30 days after its last "
        "reminder.",
    )
    conversion = fields.Float(
        string="Conversion (%)",
        readonly=True,
        aggregator="avg",
        help="Of the quotations reminded, those confirmed within 30 days after their "
        "last reminder.",
    )
    days_to_confirm = fields.Float(
        string="Days to Confirmation",
        readonly=True,
        aggregator="avg",
        help="Days from the last reminder to the confirmation, of the quotations won.",
    )
    amount_won = fields.Monetary(
        currency_field="company_currency_id",
        readonly=True,
        help="Untaxed amount of the quotations won, in the company's currency at their "
        "rate.",
    )

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Find only what is about reminders the user may see."""
        # EXTENDS 'base'
        if not bypass_access and not self._sees_all():
            domain = Domain(domain) & Domain("reminder_id", "any", Domain.TRUE)
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _sees_all(self):
        return self.env["sales.followup.reminder"]._sees_all()

    def _check_access(self, operation):
        """Ask the reminder: who may not read its document has no row of it."""
        # EXTENDS 'base'
        result = super()._check_access(operation)
        if self._sees_all() or not self.ids:
            return result
        reminders = self.env["sales.followup.reminder"].browse(self.ids)
        readable = set(reminders._filtered_access("read")._ids)
        hidden = self.filtered(lambda row: row.id not in readable)
        if not hidden:
            return result
        forbidden = result[0] if result else self.browse()
        return forbidden | hidden, lambda: AccessError(
            self.env._("You may not see the documents of these reminders.")
        )

    def _selection_channel(self):
        reminder = self.env["sales.followup.reminder"]
        return reminder._fields["channel"]._description_selection(self.env)

    def _selection_origin(self):
        reminder = self.env["sales.followup.reminder"]
        return reminder._fields["origin"]._description_selection(self.env)

    @property
    def _table_query(self):
        """Look at each reminder, and at the quotation it was the last one of."""
        return SQL(
            """
            WITH reminded AS (
                SELECT reminder.*, template.series_id AS template_series_id,
                       reminder.order_id IS NOT NULL
                       AND doc_type.code = 'quotation'
                       AND ROW_NUMBER() OVER (
                               PARTITION BY reminder.order_id, doc_type.code
                               ORDER BY reminder.date DESC, reminder.id DESC) = 1
                           AS is_last_of_quotation
                  FROM sales_followup_reminder reminder
             LEFT JOIN sales_followup_document_type doc_type
                    ON doc_type.id = reminder.document_type_id
             LEFT JOIN sales_followup_template template
                    ON template.id = reminder.template_id
                 WHERE reminder.state = 'done'
            ), judged AS (
                SELECT reminded.*,
                       sale.state = 'sale'
                       AND sale.date_order >= reminded.date
                       AND sale.date_order < reminded.date + %(within)s AS is_won,
                       EXTRACT(EPOCH FROM sale.date_order - reminded.date) / 86400
                           AS days
                  FROM reminded
             LEFT JOIN sale_order sale
                    ON sale.id = reminded.order_id AND reminded.is_last_of_quotation
            )
            SELECT id, id AS reminder_id, date, user_id, partner_id, company_id,
                   document_type_id, template_series_id AS series_id, template_id,
                   channel, origin, amount_company AS amount,
                   is_last_of_quotation::int AS quotations,
                   COALESCE(is_won, FALSE)::int AS won,
                   CASE WHEN is_last_of_quotation
                        THEN COALESCE(is_won, FALSE)::int * 100.0 END AS conversion,
                   CASE WHEN is_won THEN days END AS days_to_confirm,
                   CASE WHEN is_won THEN amount_company ELSE 0 END AS amount_won
              FROM judged
            """,
            within=SQL("INTERVAL '%s days'", SQL(str(WON_WITHIN_DAYS))),
        )
