from odoo import api, fields, models
from odoo.fields import Domain

#: what people write; the other types are written by Odoo, or sent by this addon
WRITTEN = ("comment", "email")


class MailMessage(models.Model):
    _inherit = "mail.message"

    followup_auto_reply = fields.Boolean(
        string="Automatic Reply",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="A machine wrote this e-mail: an absence, an acknowledgement.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Note the answers of customers on the reminders they answer: by e-mail, in the
        portal, or however else a message gets onto a document."""
        # EXTENDS 'mail'
        messages = super().create(vals_list)
        # sudo: the customer writes, who sees no reminders
        written = messages.sudo().filtered(lambda m: m.message_type in WRITTEN)
        kinds = self.env["sales.followup.reminder"]._get_document_fields()
        for model in kinds.values():
            if of_model := written.filtered(lambda m, model=model: m.model == model):
                answers = of_model._followup_filter_answers()
                self.env[model]._followup_take_answers(answers)
        return messages

    def _followup_get_answer_domain(self):
        """Select what somebody from outside wrote; :meth:`_followup_filter_answers`
        looks closer.

        :rtype: Domain
        """
        outside = Domain("author_id", "=", False) | Domain(
            "author_id.partner_share", "=", True
        )
        return (
            Domain("message_type", "in", WRITTEN)
            & Domain("followup_auto_reply", "=", False)
            & outside
        )

    def _followup_filter_answers(self):
        """Return those of these messages that somebody from outside wrote by hand.

        Not what a colleague wrote who has left since: without a user left, the author
        looks like a customer.
        """
        return self.filtered(
            lambda message: (
                message.message_type in WRITTEN
                and not message.followup_auto_reply
                and message._followup_is_from_outside()
            )
        )

    def _followup_is_from_outside(self):
        """Tell whether the author is no colleague, and was none."""
        author = self.author_id.with_context(active_test=False)
        return not author or (
            author.partner_share and all(author.user_ids.mapped("share"))
        )
