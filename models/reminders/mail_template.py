from odoo import models

#: field of the e-mail's template → its name on the follow-up template
TEXTS = {"subject": "subject", "body_html": "email_body"}


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def _update_field_translations(
        self, field_name, translations, digest=None, source_lang=""
    ):
        """Refuse translations of reminders that cannot render, wherever they are
        typed; Odoo itself looks at the text in the user's language only."""
        # EXTENDS 'mail'
        result = super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )
        if field_name in TEXTS:
            # sudo: the e-mail may be used in another company
            ours = self.env["sales.followup.template"].sudo()
            used = ours.with_context(active_test=False).search(
                [("mail_template_id", "in", self.ids)]
            )
            # as the user: they typed the expression that is evaluated
            for template in used.sudo(False):
                template._check_translations(TEXTS[field_name], translations)
        return result
