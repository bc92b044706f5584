from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html


class SalesFollowupVerdict(models.TransientModel):
    """Tells whether a document would be sent an automatic reminder, why not, when, and
    what would be in it."""

    _name = "sales.followup.verdict"
    _inherit = ["sales.followup.document.dialog"]
    _description = "Would It Be Sent?"

    # nothing is sent about credit notes
    move_id = fields.Many2one(domain=[("move_type", "=", "out_invoice")])
    document_type_id = fields.Many2one(
        "sales.followup.document.type", compute="_compute_document_type_id"
    )
    template_id = fields.Many2one(
        "sales.followup.template",
        domain="[('document_type_id', '=', document_type_id)]",
        help="Empty: the reminder whose turn it is.",
    )
    judged_template_id = fields.Many2one(
        "sales.followup.template", string="Reminder", compute="_compute_verdict"
    )
    send = fields.Boolean(compute="_compute_verdict")
    answer = fields.Char(compute="_compute_verdict")
    reasons = fields.Html(compute="_compute_verdict", sanitize=False)
    next_date = fields.Date(string="Next Possible Day", compute="_compute_verdict")
    subject = fields.Char(compute="_compute_preview")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    def _get_action(self, **values):
        """Open the question on a document.

        :param values: a link to a document, as id
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Would It Be Sent?"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {f"default_{name}": value for name, value in values.items()},
        }

    def _onchange_document(self, link):
        # EXTENDS 'sales_followup'
        result = super()._onchange_document(link)
        self.template_id = False
        return result

    @api.depends(lambda self: tuple(self._get_document_fields()))
    def _compute_document_type_id(self):
        for wizard in self:
            document = wizard._get_document()
            types = document._followup_get_types() if document else {}
            wizard.document_type_id = types.get(document, False)

    @api.depends(lambda self: (*self._get_document_fields(), "template_id"))
    def _compute_verdict(self):
        for wizard in self:
            document = wizard._get_document()
            wizard.update(
                {
                    "judged_template_id": False,
                    "send": False,
                    "answer": False,
                    "reasons": False,
                    "next_date": False,
                }
            )
            if document:
                wizard._take_judgement(wizard._judge(document))

    def _judge(self, document):
        """Ask the one verdict, as the scheduled action does."""
        template = self.template_id._origin
        templates = {document: template} if template else None
        judge = self.env["sales.followup.judge"]
        return judge._judge(document, templates=templates, explain=True)[document]

    def _take_judgement(self, judgement):
        """Show a judgement."""
        template, verdict = judgement
        judge = self.env["sales.followup.judge"]
        self.answer = judge._answer(template, verdict)
        reasons = verdict.reasons if verdict else ()
        document = self._get_document()
        langs = document._followup_get_langs(document._followup_get_recipients("email"))
        note = template and template._explain_untranslated("email", langs[document.id])
        self.reasons = judge._render_reasons(reasons, document, [note])
        if verdict is None:
            return
        self.judged_template_id = template
        self.send = verdict.send
        self.next_date = verdict.next_date

    @api.depends(lambda self: (*self._get_document_fields(), "template_id"))
    def _compute_preview(self):
        for wizard in self:
            wizard.subject, wizard.preview = wizard._render_preview()

    def _render_preview(self):
        """Write the e-mail that would go: (subject, body)."""
        document, template = self._get_document(), self.judged_template_id._origin
        if not document or not template or not template._has_text("email"):
            return False, False
        langs = document._followup_get_langs(
            document._followup_get_recipients("email"), template, "email"
        )
        try:
            return template._render_email(langs)[document.id]
        except UserError as error:
            return False, plaintext2html(error.args[0])
