from odoo import api, models

from .printing import get_printing


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
        """Shorten the wait for scripts, which is most of the time a PDF takes, where
        the code that prints knows that there is nothing to wait for."""
        # EXTENDS 'base'
        arguments = super()._build_wkhtmltopdf_args(
            paperformat_id,
            landscape,
            specific_paperformat_args=specific_paperformat_args,
            set_viewport_size=set_viewport_size,
        )
        delay = get_printing(self.env).delay
        if delay and "--javascript-delay" in arguments:
            arguments[arguments.index("--javascript-delay") + 1] = str(delay)
        return arguments

    @api.model
    def _render_qweb_html(self, report_ref, docids, data=None):
        """Return what was rendered ahead, see the document printer."""
        # EXTENDS 'base'
        if prints := get_printing(self.env).prints:
            # an id, an external id, or a record, as others hand it on
            report = self._get_report(report_ref)
            if html := prints.get_html(report, docids):
                return html, "html"
        return super()._render_qweb_html(report_ref, docids, data=data)

    @api.model
    def _run_wkhtmltopdf(self, bodies, *args, **kwargs):
        """Return what was printed ahead, as above."""
        # EXTENDS 'base'
        prints = get_printing(self.env).prints
        if prints and (content := prints.get_content(bodies, **kwargs)):
            return content
        return super()._run_wkhtmltopdf(bodies, *args, **kwargs)
