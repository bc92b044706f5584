from odoo import api, models

from ...rules.auto_replies import is_auto_reply


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_parse(self, message, save_original=False):
        """Note of an incoming e-mail whether a machine wrote it: Odoo drops the headers
        that say so."""
        # EXTENDS 'mail'
        values = super().message_parse(message, save_original=save_original)
        if is_auto_reply(message):
            values["followup_auto_reply"] = True
        return values

    def _get_message_create_valid_field_names(self):
        # EXTENDS 'mail'
        return super()._get_message_create_valid_field_names() | {"followup_auto_reply"}
