from odoo import models

GROUP = "sales_followup.group_user"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the client who has reminders, so that it need not ask on every page."""
        # EXTENDS 'web'
        info = super().session_info()
        is_user = bool(self.env.uid) and self.env.user.has_group(GROUP)
        info.setdefault("groups", {})[GROUP] = is_user
        return info
