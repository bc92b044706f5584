from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, plaintext2html

from ..models.reminders.sales_followup_template import CHANNELS, SENDING
from ..rules.verdict import Mode


def _sent(self):
    """Return the names of the fields that say whether and what is sent."""
    return (
        *self._get_document_fields(),
        *("template_id", "channel", "contact_id", "log_only"),
    )


class SalesFollowupRemind(models.TransientModel):
    """The dialog that reminds of one document: logs what was done, or sends it."""

    _name = "sales.followup.remind"
    _inherit = ["sales.followup.document.dialog", "sales.followup.guarded"]
    _description = "Remind"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        help="Only the documents of this customer are offered.",
    )
    document_type_id = fields.Many2one(
        "sales.followup.document.type", compute="_compute_document"
    )
    is_open = fields.Boolean(compute="_compute_document")
    channel = fields.Selection(
        CHANNELS,
        required=True,
        compute="_compute_channel",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    log_only = fields.Boolean(
        string="Only log it",
        help="It was sent otherwise already; nothing is sent now.",
    )
    template_id = fields.Many2one(
        "sales.followup.template",
        domain="[('document_type_id', '=', document_type_id)]",
        compute="_compute_template_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Recipient",
        compute="_compute_contact_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        domain="[('commercial_partner_id', '=', customer_id)]",
    )
    customer_id = fields.Many2one(
        "res.partner", string="Customer of the Document", compute="_compute_document"
    )
    result_id = fields.Many2one("sales.followup.result")
    note = fields.Text(string="Internal Note")
    date = fields.Datetime(string="Done on", default=fields.Datetime.now, required=True)
    next_date = fields.Date(
        string="Next Reminder",
        compute="_compute_next_date",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="An activity on this day. Nothing is sent because of it.",
    )
    reminder_id = fields.Many2one(
        "sales.followup.reminder",
        readonly=True,
        help="What this dialog made: pressed twice, it makes no second one.",
    )
    obstacle = fields.Char(compute="_compute_obstacle")
    warning = fields.Html(
        compute="_compute_warning",
        sanitize=False,
        help="Objections to sending it; you decide.",
    )
    known_reasons = fields.Char(
        compute="_compute_known_reasons",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="What the warning was made of, to tell what came up since.",
    )
    known_texts = fields.Text(
        compute="_compute_known_reasons",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="The same in sentences.",
    )
    subject = fields.Char(compute="_compute_preview")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    # --- defaults ---------------------------------------------------------------

    def _get_action(self, **values):
        """Open the dialog on a document or a customer.

        :param values: ``partner_id``, or a link to a document, as ids
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Reminder"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {f"default_{name}": value for name, value in values.items()},
        }

    def _onchange_document(self, link):
        # EXTENDS 'sales_followup'
        result = super()._onchange_document(link)
        self._onchange_channel()
        return result

    @api.onchange("channel")
    def _onchange_channel(self):
        """A call or a visit is no level of the series, a letter or an e-mail is."""
        document = self._get_document()
        if self.channel not in SENDING:
            if self.template_id.channel != self.channel:
                self.template_id = False
        elif document and not self.template_id:
            self.template_id = document._followup_get_next_template()

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return {"reminder_id"}

    # --- create -----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Take a call or a visit for no level of the series, as the form does."""
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        return super().create(
            [
                vals
                if vals.get("channel") in (None, False, *SENDING)
                else {"template_id": False, **vals}
                for vals in vals_list
            ]
        )

    # --- compute ----------------------------------------------------------------

    @api.depends(lambda self: (*self._get_document_fields(), "partner_id"))
    def _compute_document(self):
        for wizard in self:
            document = wizard._get_document()
            types = document._followup_get_types() if document else {}
            wizard.document_type_id = types.get(document, False)
            wizard.is_open = bool(document and document._followup_filter_open())
            customer = document.partner_id or wizard.partner_id
            wizard.customer_id = customer.commercial_partner_id

    @api.depends(lambda self: tuple(self._get_document_fields()))
    def _compute_template_id(self):
        """Suggest the next level of the series, the last one again after the last.

        Who came to log a call does not find an e-mail once the document is known.
        """
        wanted = self.env.context.get("default_channel") or "email"
        for wizard in self:
            document = wizard._get_document()
            wizard.template_id = (
                document._followup_get_next_template()
                if document and wanted in SENDING
                else False
            )

    @api.depends("template_id")
    def _compute_channel(self):
        for wizard in self:
            document = wizard._get_document()
            if wizard.channel and not wizard.template_id:
                wizard.channel = wizard.channel
                continue
            is_open = document and document._followup_filter_open()
            wizard.channel = is_open and wizard.template_id.channel or "phone"

    @api.depends(lambda self: (*self._get_document_fields(), "channel"))
    def _compute_contact_id(self):
        for wizard in self:
            document = wizard._get_document()
            recipients = (
                document._followup_get_recipients(wizard.channel) if document else {}
            )
            wizard.contact_id = recipients.get(document, False)

    @api.depends(lambda self: (*self._get_document_fields(), "template_id", "channel"))
    def _compute_next_date(self):
        for wizard in self:
            document = wizard._get_document()
            wizard.next_date = (
                document._followup_get_next_date(wizard.template_id)
                if document
                else False
            )

    @api.depends(_sent)
    def _compute_obstacle(self):
        for wizard in self:
            document = wizard._get_document()
            obstacles = {}
            if document and wizard._is_sending():
                obstacles = document._followup_get_obstacles(
                    wizard.channel, wizard.template_id, wizard.contact_id
                )
            wizard.obstacle = obstacles.get(document, False)

    @api.depends(_sent)
    def _compute_known_reasons(self):
        """Ask the one verdict, and note what the user is shown."""
        judge = self.env["sales.followup.judge"]
        for wizard in self:
            reasons = wizard._get_reasons()
            currency = wizard._get_document().sudo().company_id.currency_id
            wizard.known_reasons = "\n".join(reason.key for reason in reasons)
            wizard.known_texts = "\n".join(
                " ".join(judge._explain(reason, currency).split()) for reason in reasons
            )

    @api.depends(lambda self: ("known_texts", "obstacle", *_sent(self)))
    def _compute_warning(self):
        """Show what the one verdict says against it; only an obstacle forbids it."""
        judge = self.env["sales.followup.judge"]
        for wizard in self:
            known = wizard.known_texts if not wizard.obstacle else ""
            sentences = (known or "").splitlines()
            if note := wizard._get_language_note():
                sentences.append(note)
            wizard.warning = judge._render_sentences(
                sentences, wizard._get_document()._origin
            )

    def _get_language_note(self):
        """Say that the text is not in the customer's language, or ``None``."""
        document, template = self._get_document()._origin, self.template_id._origin
        if not (document and template and self._is_sending()):
            return None
        langs = document._followup_get_langs({document: self.contact_id})
        return template._explain_untranslated(self.channel, langs[document.id])

    def _get_reasons(self):
        """Return what the one verdict says against what would be sent.

        :return: some :class:`~..rules.verdict.Reason`
        """
        document, template = self._get_document()._origin, self.template_id._origin
        if not (document and template and self._is_sending()):
            return ()
        judgement = self.env["sales.followup.judge"]._judge(
            document,
            mode=Mode.MANUAL,
            templates={document: template},
            by_email=self.channel == "email",
            contacts={document: self.contact_id._origin},
        )[document]
        return judgement.verdict.reasons

    @api.depends(_sent)
    def _compute_preview(self):
        for wizard in self:
            wizard.subject, wizard.preview = wizard._render_preview()

    def _render_preview(self):
        """Write what would be sent: (subject, body), empty where nothing would be."""
        document, template = self._get_document(), self.template_id
        if not (document and template and self._is_sending()) or self.obstacle:
            return False, False
        document = document._origin
        langs = document._followup_get_langs(
            {document: self.contact_id}, template, self.channel
        )
        contacts = {document.id: self.contact_id.id}
        try:
            if self.channel == "email":
                return template._render_email(langs, contacts)[document.id]
            return False, template._render_letter(langs, contacts)[document.id]
        except UserError as error:
            return False, plaintext2html(error.args[0])

    def _is_sending(self):
        """Tell whether something will be sent."""
        return self.channel in SENDING and not self.log_only

    # --- actions ----------------------------------------------------------------

    def action_switch_to_letter(self):
        """Send a letter where there is no e-mail address."""
        self.channel = "letter"
        return self._get_reopening()

    def _get_reopening(self):
        """Show the dialog again, as it stands."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Reminder"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_apply(self):
        """Log or send the reminder, once.

        :return: the letter's download, else closing of the dialog
        :raise UserError: where it cannot be sent; nothing is made then
        """
        self.ensure_one()
        self._wait_for_turn()
        if not self.reminder_id:
            document = self._get_document()
            self._check_document(document)
            self._check_date()
            # two clicks at once: the second one's write conflicts with this one, is
            # tried again, and finds the reminder
            self.reminder_id = self.env["sales.followup.reminder"]._remind(
                document,
                self._prepare_reminder_values(),
                send=not self.log_only,
                # what came up since is not theirs to overrule: they never read it
                overruled=(self.known_reasons or "").splitlines(),
            )
        reminder = self.reminder_id
        if reminder.attachment_id and reminder.channel == "letter":
            return reminder.action_download()
        return {"type": "ir.actions.act_window_close"}

    def _wait_for_turn(self):
        """Wait until another click on this dialog is done with.

        The database then refuses the row as changed meanwhile, Odoo tries the click
        again, and it finds the reminder.
        """
        self.flush_recordset()
        self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE id = %s FOR UPDATE",
                SQL.identifier(self._table),
                self.id,
            )
        )

    def _check_document(self, document):
        """Refuse no document, and one of another customer."""
        if not document:
            raise UserError(
                self.env._("Choose the quotation, order or invoice to remind of.")
            )
        self._check_one_document()
        customer = self.partner_id.commercial_partner_id
        if customer and document.partner_id.commercial_partner_id != customer:
            raise UserError(
                self.env._(
                    "%(document)s is not a document of %(customer)s.",
                    document=document.display_name,
                    customer=customer.display_name,
                )
            )

    def _check_date(self):
        """Refuse to log what has not been done yet."""
        if self.date > fields.Datetime.now():
            raise UserError(
                self.env._(
                    "“Done on” lies in the future. Log what was done; for what is to "
                    "be done, enter the next reminder."
                )
            )

    def _prepare_reminder_values(self):
        """Return what the dialog says of the reminder."""
        values = {
            "channel": self.channel,
            "template_id": self.template_id.id,
            "contact_id": self.contact_id.id,
            "result_id": self.result_id.id,
            "note": self.note,
            "next_date": self.next_date,
        }
        if not self._is_sending():
            # what is sent is sent now, whatever a hidden field says
            values["date"] = self.date
        return values
