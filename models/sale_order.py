from odoo import Command, api, fields, models

from ..fields import Representatives

#: those that their document types say to chase, as they are shipped
_SENT = "WHERE state = 'sent'"
_TO_INVOICE = """
    WHERE state = 'sale' AND (invoice_status <> 'invoiced' OR invoice_status IS NULL)
"""


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "sales.followup.mixin"]

    _followup_sent_states = ("sent", "sale")

    followup_rep_ids = Representatives(
        relation="sale_order_followup_rep_rel",
        column1="order_id",
        column2="user_id",
    )
    followup_reminder_ids = fields.One2many(
        "sales.followup.reminder",
        "order_id",
        string="Reminders",
        copy=False,
        groups="sales_followup.group_user",
    )

    # where the next ones to chase are found, whatever was reminded before
    _followup_quotation_due = models.Index(
        f"(followup_template_id, validity_date, id) {_SENT}"
    )
    _followup_quotation_date = models.Index(
        f"(followup_template_id, date_order, id) {_SENT}"
    )
    _followup_order_due = models.Index(
        f"(followup_template_id, commitment_date, id) {_TO_INVOICE}"
    )
    _followup_order_date = models.Index(
        f"(followup_template_id, date_order, id) {_TO_INVOICE}"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Put nobody onto new documents who has left."""
        # EXTENDS 'sale'
        self, vals_list = self._followup_prepare_creation(vals_list)
        documents = super().create(vals_list)
        documents._followup_check_created()
        return documents

    def write(self, vals):
        """Put nobody onto documents who has left."""
        # EXTENDS 'sale'
        return self._followup_write_checked(vals, super().write)

    def _compute_user_id(self):
        # EXTENDS 'sale'
        fresh = self.filtered(lambda order: not (order._origin.id and order.user_id))
        result = super()._compute_user_id()
        fresh._followup_pass_over_absent_leads()
        return result

    def _prepare_invoice(self):
        """Hand the order's representatives to its invoice."""
        # EXTENDS 'sale'
        values = super()._prepare_invoice()
        values["followup_rep_ids"] = [Command.set(self._followup_active_reps().ids)]
        return values

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Give an invoice of several orders the representatives of all of them."""
        # EXTENDS 'sale'
        moves = super()._create_invoices(grouped=grouped, final=final, date=date)
        for move in moves.sudo():
            orders = move.line_ids.sale_line_ids.order_id
            if len(orders) > 1:
                move.followup_rep_ids |= orders._followup_active_reps()
        self._followup_close_finished()
        return moves

    def message_post(self, **kwargs):
        """Note that a quotation was sent to the customer again."""
        # EXTENDS 'sale'
        message = super().message_post(**kwargs)
        if self.env.context.get("mark_so_as_sent"):
            self._followup_note_sent()
        return message

    def _followup_get_circumstances(self, due_dates):
        """A confirmed order waits for us, unless it was to be paid in advance."""
        # EXTENDS 'sales.followup.mixin'
        return {
            order: {
                "delivery_on": due_dates[order],
                "waits_for_us": not order.require_payment
                or order._is_confirmation_amount_reached(),
            }
            for order in self
            if order.state == "sale"
        }

    @api.model
    def _followup_get_standing_fields(self):
        # EXTENDS 'sales.followup.mixin'
        return [*super()._followup_get_standing_fields(), "invoice_status"]
