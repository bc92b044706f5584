from email.message import Message

from odoo import api, models

from ...rules.auto_replies import is_auto_reply
from ...rules.delivery_notices import find_failed, says_failed


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

    @api.model
    def _message_parse_extract_bounce(self, email_message, message_dict):
        """Take read receipts, and notices that an e-mail is late or was delivered, for
        no return of it: Odoo takes every report for one, and drops it, too."""
        # EXTENDS 'mail'
        values = super()._message_parse_extract_bounce(email_message, message_dict)
        if values.get("is_bounce") and not says_failed(email_message):
            values |= {
                "bounced_email": False,
                "bounced_partner": self.env["res.partner"].sudo(),
                "bounced_msg_ids": False,
                "bounced_message": self.env["mail.message"].sudo(),
            }
        return values

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        """Note the return on a contact with several addresses, too: Odoo looks for the
        first one only."""
        # EXTENDS 'mail'
        result = super()._routing_handle_bounce(email_message, message_dict)
        recipients = message_dict["bounced_message"].notification_ids.res_partner_id
        # other addons report returns that their mail service told them, not an e-mail
        is_email = isinstance(email_message, Message)
        for address in find_failed(email_message) if is_email else ():
            others = recipients.filtered(
                lambda partner, address=address: (
                    address != partner.email_normalized
                    and address in partner._followup_get_addresses()
                )
            )
            others._message_receive_bounce(address, others)
        return result
