from odoo import api, models

from .sales_followup_document_printer import Prints


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

    @api.model
    def _render_qweb_html(self, report_ref, docids, data=None):
        """Give what was rendered ahead, see the document printer: context
        key ``followup_prints``, which nobody can send over the network."""
        # EXTENDS 'base'
        prints = self.env.context.get("followup_prints")
        if isinstance(prints, Prints):
            # an id, an external id, or a record, as others hand it on
            report = self._get_report(report_ref)
            if html := prints.get_html(report, docids):
                return html, "html"
        return super()._render_qweb_html(report_ref, docids, data=data)

    @api.model
    def _run_wkhtmltopdf(self, bodies, *args, **kwargs):
        """Give what was printed ahead, as above."""
        # EXTENDS 'base'
        prints = self.env.context.get("followup_prints")
        if isinstance(prints, Prints) and (content := prints.get_content(bodies)):
            return content
        return super()._run_wkhtmltopdf(bodies, *args, **kwargs)
