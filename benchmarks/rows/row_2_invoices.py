from goals import Queries, Ratio

from .documents import DocumentsRow


class Invoices(DocumentsRow):
    """Posted invoices, their Salesperson included: *keep the Salesperson* is cleared,
    for otherwise most of the work of the plain way would have no counterpart."""

    code = "2c"
    title = "propagate to posted invoices, journal and chatter"
    tables = (
        "account_move",
        "account_move_followup_rep_rel",
        "mail_message",
        "mail_tracking_value",
        "sales_followup_change_line",
        "sales_followup_propagate_line",
    )
    goals = (
        Ratio("plain", "ours", at_least=12),
        Ratio("plain", "ours", at_least=12, base_lap="apply"),
        Ratio("ours", "floor", at_most=2.5, way_lap="apply"),
        Ratio("ours", "floor"),
        Queries("ours"),
    )
    kind = "invoices"
    model = "account.move"
    type_code = "customer_invoice"
    lead_field = "invoice_user_id"

    def ways(self):
        # Odoo sends no assignment mails for invoices
        return [way for way in super().ways() if way.name != "plain, no mails"]

    def prepare(self, env):
        document_type = (
            env["sales.followup.document.type"]
            .sudo()
            .search([("code", "=", self.type_code)])
        )
        document_type.keep_lead_domain = False
        env.flush_all()
        env.invalidate_all()
