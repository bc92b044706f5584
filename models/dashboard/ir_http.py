from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the client who has reminders: the entry beside the activities then need
        not ask on every page."""
        # EXTENDS 'web'
        info = super().session_info()
        group = "sales_followup.group_user"
        is_user = bool(self.env.uid) and self.env.user.has_group(group)
        info.setdefault("groups", {})[group] = is_user
        return info
