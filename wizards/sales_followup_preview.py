from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html


class SalesFollowupPreview(models.TransientModel):
    """Shows what a template says of a real document, by e-mail and as a letter."""

    _name = "sales.followup.preview"
    _inherit = ["sales.followup.document.dialog"]
    _description = "Preview of a Follow-up Template"

    template_id = fields.Many2one("sales.followup.template", required=True)
    document_type_id = fields.Many2one(related="template_id.document_type_id")
    model = fields.Char(related="template_id.model")
    # nothing is sent about credit notes
    move_id = fields.Many2one(domain=[("move_type", "=", "out_invoice")])
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="Empty: the customer's.",
    )
    subject = fields.Char(compute="_compute_texts")
    email = fields.Html(string="E-mail", compute="_compute_texts", sanitize=False)
    letter = fields.Html(compute="_compute_texts", sanitize=False)

    @api.model
    def default_get(self, fields):
        """Start with a document the template would be used for."""
        # EXTENDS 'base'
        values = super().default_get(fields)
        return {**self._get_sample(values), **values}

    @api.model_create_multi
    def create(self, vals_list):
        """Start with a document the template would be used for, by RPC, too."""
        # EXTENDS 'base'
        return super().create(
            [{**self._get_sample(vals), **vals} for vals in vals_list]
        )

    def _get_sample(self, vals):
        """Return the link to a document to try a template on, as values.

        :param vals: of the dialog, maybe with a document
        """
        template = self.env["sales.followup.template"].browse(vals.get("template_id"))
        if not template or not vals.keys().isdisjoint(self._get_document_fields()):
            return {}
        sample = template._get_sample_document()
        return {self._get_document_field(sample._name): sample.id} if sample else {}

    @api.depends(lambda self: ("template_id", "lang", *self._get_document_fields()))
    def _compute_texts(self):
        for wizard in self:
            wizard.subject, wizard.email = wizard._try(wizard._render_email)
            _subject, wizard.letter = wizard._try(wizard._render_letter)

    def _get_link_modifiers(self, link):
        # EXTENDS 'sales_followup'
        return {"invisible": f"model != '{self._get_document_fields()[link]}'"}

    def _get_langs(self, channel):
        """Return the document's id with the language a text is shown in."""
        document, template = self._get_document(), self.template_id._origin
        if self.lang:
            return {document.id: template._get_text_lang(channel, self.lang)}
        return document._followup_get_langs(
            document._followup_get_recipients(channel), template, channel
        )

    def _try(self, render):
        """Render, or say why it cannot be."""
        if not self._get_document():
            return False, False
        try:
            return render()
        except UserError as error:
            return False, plaintext2html(error.args[0])

    def _render_email(self):
        template = self.template_id._origin
        if not template._has_text("email"):
            return False, False
        return template._render_email(self._get_langs("email"))[self._get_document().id]

    def _render_letter(self):
        template = self.template_id._origin
        if not template._has_text("letter"):
            return False, False
        return False, template._render_letter(self._get_langs("letter"))[
            self._get_document().id
        ]
