from odoo import api, models


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    @api.model
    def _build_wkhtmltopdf_args(
        self,
        paperformat_id,
        landscape,
        specific_paperformat_args=None,
        set_viewport_size=False,
    ):
        """Let a caller shorten the wait for scripts, which is most of the time a PDF
        takes: context key ``followup_print_delay``, in milliseconds."""
        # EXTENDS 'base'
        arguments = super()._build_wkhtmltopdf_args(
            paperformat_id,
            landscape,
            specific_paperformat_args=specific_paperformat_args,
            set_viewport_size=set_viewport_size,
        )
        delay = self.env.context.get("followup_print_delay")
        if delay and "--javascript-delay" in arguments:
            arguments[arguments.index("--javascript-delay") + 1] = str(delay)
        return arguments
