from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html


class SalesFollowupPreview(models.TransientModel):
    """Shows what a template says of a real document, by e-mail and as a letter."""

    _name = "sales.followup.preview"
    _description = "Preview of a Follow-up Template"

    template_id = fields.Many2one("sales.followup.template", required=True)
    document_type_id = fields.Many2one(related="template_id.document_type_id")
    model = fields.Char(related="template_id.model")
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation / Order",
        compute="_compute_document",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        domain=[("move_type", "=", "out_invoice")],
        compute="_compute_document",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="Empty: the customer's.",
    )
    subject = fields.Char(compute="_compute_texts")
    email = fields.Html(string="E-mail", compute="_compute_texts", sanitize=False)
    letter = fields.Html(compute="_compute_texts", sanitize=False)

    @api.depends("template_id")
    def _compute_document(self):
        """Start with a document the template would be used for."""
        fields_by_model = {
            model: name
            for name, model in self.env["sales.followup.reminder"]
            ._get_document_fields()
            .items()
        }
        for wizard in self:
            sample = wizard.template_id._get_sample_document()
            for name in fields_by_model.values():
                wizard[name] = False
            wizard[fields_by_model[sample._name]] = sample

    @api.depends("template_id", "order_id", "move_id", "lang")
    def _compute_texts(self):
        for wizard in self:
            wizard.subject, wizard.email = wizard._try(wizard._render_email)
            _subject, wizard.letter = wizard._try(wizard._render_letter)

    def _get_document(self):
        """Give the document that was chosen; empty while there is none."""
        document = (self.order_id or self.move_id)._origin
        if document:
            # values somebody else has read are at hand: ask before using them
            document.check_access("read")
        return document

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
