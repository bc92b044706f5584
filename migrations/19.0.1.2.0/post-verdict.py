from odoo.tools import SQL

#: shipped before: an invoice whose payment is not booked yet was left out by code
OPEN_BEFORE = (
    "['|', ('state', '=', 'draft'), '&', ('state', '=', 'posted'), "
    "('amount_residual', '!=', 0)]"
)
OPEN_NOW = (
    "['|', ('state', '=', 'draft'), '&', '&', ('state', '=', 'posted'), "
    "('amount_residual', '!=', 0), ('payment_state', 'not in', ('in_payment', 'paid'))]"
)

#: what the shipped texts of invoices ask for: with instalments, another one
EXPRESSIONS = {
    "object.invoice_date_due": "object.followup_due_date",
    "object.amount_residual": "object.followup_due_amount",
}
SHIPPED_TEXTS = {
    "mail.template": ("mail_template", "body_html", "mail_template_invoice_%"),
    "sales.followup.template": (
        "sales_followup_template",
        "letter_body",
        "template_invoice_%",
    ),
}


def migrate(cr, version):
    """Say in the data what is open and what is due; whatever users wrote stays."""
    cr.execute(
        """
        UPDATE sales_followup_document_type SET open_domain = %s
         WHERE code IN ('customer_invoice', 'vendor_bill') AND open_domain = %s
        """,
        (OPEN_NOW, OPEN_BEFORE),
    )
    for model, (table, column, names) in SHIPPED_TEXTS.items():
        for before, now in EXPRESSIONS.items():
            cr.execute(
                SQL(
                    """
                    UPDATE %(table)s SET %(column)s =
                           REPLACE(%(column)s::text, %(before)s, %(now)s)::jsonb
                     WHERE %(column)s::text LIKE '%%' || %(before)s || '%%'
                       AND id IN (SELECT res_id FROM ir_model_data
                                   WHERE module = 'sales_followup'
                                     AND model = %(model)s AND name LIKE %(names)s)
                    """,
                    table=SQL.identifier(table),
                    column=SQL.identifier(column),
                    before=before,
                    now=now,
                    model=model,
                    names=names,
                )
            )
