from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .sales_followup_template import CHANNELS, SENDING

#: what users may write on a reminder; the rest is history
EDITABLE = frozenset({"note", "next_date", "result_id", "user_id"})

#: what users may say of a reminder they log themselves
LOGGABLE = EDITABLE | {
    "order_id",
    "move_id",
    "contact_id",
    "template_id",
    "channel",
    "date",
}


class SalesFollowupReminder(models.Model):
    """One act of chasing one document: done, outgoing or failed.

    Who may read the document may see its reminders, and remind. A new kind of document
    needs the mixin, a field here, and an entry in :meth:`_get_document_fields`.
    """

    _name = "sales.followup.reminder"
    _description = "Follow-up Reminder"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", readonly=True, copy=False, default="/", index="trigram"
    )
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation / Order",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        domain="[('move_type', 'in', ('out_invoice', 'out_refund'))]",
    )
    document_ref = fields.Reference(
        selection="_selection_document_ref",
        string="Document",
        compute="_compute_document_ref",
        search="_search_document_ref",
    )
    document_type_id = fields.Many2one(
        "sales.followup.document.type",
        compute="_compute_document_values",
        store=True,
        precompute=True,
        index=True,
        ondelete="restrict",
        help="What the document was when it was chased.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_document_values",
        store=True,
        precompute=True,
        index=True,
        ondelete="restrict",
    )
    contact_id = fields.Many2one(
        "res.partner", string="Recipient", ondelete="restrict", index="btree_not_null"
    )
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_document_values",
        store=True,
        precompute=True,
        index=True,
    )
    user_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        index=True,
        domain="[('share', '=', False)]",
        help="Who reminded, and looks after the next reminder.",
    )
    template_id = fields.Many2one(
        "sales.followup.template", index=True, ondelete="restrict", check_company=True
    )
    series_id = fields.Many2one(related="template_id.series_id")
    channel = fields.Selection(CHANNELS, required=True, default="phone")
    result_id = fields.Many2one("sales.followup.result", ondelete="restrict")
    note = fields.Text(
        string="Internal Note", help="Never in an e-mail, a letter or the portal."
    )
    date = fields.Datetime(
        string="Done on", default=fields.Datetime.now, required=True, index=True
    )
    next_date = fields.Date(string="Next Reminder", index=True)
    origin = fields.Selection(
        [("manual", "By hand"), ("run", "Bulk"), ("auto", "Automatic")],
        default="manual",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("outgoing", "Outgoing"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        default="done",
        required=True,
        readonly=True,
        index=True,
        copy=False,
    )
    failure_reason = fields.Text(readonly=True, copy=False)
    cancel_reason = fields.Text(readonly=True, copy=False)
    attachment_id = fields.Many2one(
        "ir.attachment",
        string="File",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The letter, or the PDF that went with the e-mail.",
    )
    file_url = fields.Char(string="Download", compute="_compute_file_url")
    message_id = fields.Many2one(
        "mail.message",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    answer_id = fields.Many2one(
        "mail.message",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The first message of the customer after this reminder.",
    )
    currency_id = fields.Many2one(
        "res.currency", compute="_compute_amount", store=True, precompute=True
    )
    amount = fields.Monetary(
        string="Untaxed Amount",
        compute="_compute_amount",
        store=True,
        precompute=True,
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Untaxed Amount in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_amount",
        store=True,
        precompute=True,
    )
    is_open = fields.Boolean(
        string="Document is Open", compute="_compute_is_open", search="_search_is_open"
    )

    is_last = fields.Boolean(
        string="Latest of its Document",
        compute="_compute_is_last",
        search="_search_is_last",
    )

    # what the lists of a document show: its reminders, the newest first
    _order_date = models.Index("(order_id, date DESC, id DESC)")
    _move_date = models.Index("(move_id, date DESC, id DESC)")

    # --- documents --------------------------------------------------------------

    @api.model
    def _get_document_fields(self):
        """Give the kinds of documents that are chased.

        :return: dict of link field → model; override it to add a kind
        """
        return {"order_id": "sale.order", "move_id": "account.move"}

    @api.model
    def _get_document_field(self, model):
        """Give the link field of a model of documents.

        :raise UserError: where its documents are not chased
        """
        for name, document_model in self._get_document_fields().items():
            if document_model == model:
                return name
        raise UserError(self.env._("%(model)s: nothing to remind of.", model=model))

    def _get_document(self):
        """Give the one document that is chased.

        :return: record of one of the models of :meth:`_get_document_fields`
        """
        self.ensure_one()
        for name in self._get_document_fields():
            if self[name]:
                return self[name]
        return self.env["sale.order"]

    def _group_by_document_model(self):
        """Split reminders by the link field of their documents.

        :return: dict of link field → reminders
        """
        return {
            name: reminders
            for name in self._get_document_fields()
            if (reminders := self.filtered(name))
        }

    @api.constrains("order_id", "move_id")
    def _check_one_document(self):
        names = self._get_document_fields()
        for reminder in self:
            if sum(bool(reminder[name]) for name in names) != 1:
                raise ValidationError(
                    self.env._(
                        "A reminder is about one document; choose a quotation, an "
                        "order or an invoice."
                    )
                )

    @api.constrains("order_id", "move_id")
    def _check_document_type(self):
        for reminder in self:
            if not reminder.document_type_id:
                raise ValidationError(
                    self.env._(
                        "%(document)s is no document that customers are reminded of.",
                        document=reminder._get_document().display_name,
                    )
                )

    @api.model
    def _selection_document_ref(self):
        return [
            (model, self.env["ir.model"]._get(model).name)
            for model in self._get_document_fields().values()
        ]

    @api.depends(lambda self: tuple(self._get_document_fields()))
    def _compute_document_ref(self):
        for reminder in self:
            document = reminder._get_document()
            reminder.document_ref = document and f"{document._name},{document.id}"

    @api.model
    def _search_document_ref(self, operator, value):
        if operator not in ("in", "ilike", "="):
            return NotImplemented
        return Domain.OR(
            Domain(f"{name}.display_name", operator, value)
            for name in self._get_document_fields()
        )

    @api.depends(lambda self: tuple(self._get_document_fields()))
    def _compute_document_values(self):
        """Take what the document is now: whom it was sent to stays true later."""
        for name, reminders in self._group_by_document_model().items():
            types = reminders[name]._followup_get_types()
            for reminder in reminders:
                document = reminder[name]
                reminder.document_type_id = types[document]
                reminder.partner_id = document.partner_id.commercial_partner_id
                reminder.company_id = document.company_id or self.env.company
        for reminder in self.filtered(lambda reminder: not reminder._get_document()):
            reminder.document_type_id = False
            reminder.partner_id = False
            reminder.company_id = self.env.company

    @api.depends(
        "order_id.amount_untaxed",
        "order_id.currency_rate",
        "move_id.amount_untaxed",
        "move_id.amount_untaxed_signed",
    )
    def _compute_amount(self):
        for reminder in self:
            document = reminder._get_document()
            reminder.currency_id = document.currency_id
            reminder.amount = document.amount_untaxed
            reminder.amount_company = document._followup_get_company_amount()

    @api.depends("attachment_id")
    def _compute_file_url(self):
        for reminder in self:
            attachment_id = reminder.attachment_id.id
            reminder.file_url = (
                attachment_id and f"/web/content/{attachment_id}?download=true"
            )

    @api.depends("order_id.state", "move_id.state")
    def _compute_is_open(self):
        # not kept: what is open is said by the document type, and may change
        for name, reminders in self._group_by_document_model().items():
            open_documents = reminders[name]._followup_filter_open()
            for reminder in reminders:
                reminder.is_open = reminder[name] in open_documents
        for reminder in self.filtered(lambda reminder: not reminder._get_document()):
            reminder.is_open = False

    def _search_is_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        doc_types = self.env["sales.followup.document.type"].search(
            [("chases", "=", True)]
        )
        is_open = Domain.OR(
            Domain(name, "any", doc_type._get_open_domain())
            for name, model in self._get_document_fields().items()
            for doc_type in doc_types
            if doc_type.model == model
        )
        return is_open if True in value else ~is_open

    def _compute_is_last(self):
        for reminder in self:
            # sudo: whether there is a later one does not depend on who looks
            document = reminder._get_document().sudo()
            reminder.is_last = document.followup_last_reminder_id == reminder

    def _search_is_last(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: as above; which documents may be seen is asked elsewhere
        last = SQL(" UNION ALL ").join(
            self.env[model]
            .sudo()
            ._search([("followup_last_reminder_id", "!=", False)], active_test=False)
            .select("followup_last_reminder_id")
            for model in self._get_document_fields().values()
        )
        is_last = Domain("id", "in", SQL("(%s)", last))
        return is_last if True in value else ~is_last

    # --- access -----------------------------------------------------------------

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Find only reminders on documents the user may read; managers find all."""
        # EXTENDS 'base'
        if not bypass_access and not self._sees_all():
            domain = Domain(domain) & self._get_readable_domain()
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _sees_all(self):
        """Tell whether no document is looked at to grant access."""
        return self.env.su or self.env.user.has_group("sales_followup.group_manager")

    @api.model
    def _get_readable_domain(self):
        """Select reminders on documents whose record rules let the user read them."""
        return Domain.OR(
            Domain(name, "any", Domain.TRUE)
            for name, model in self._get_document_fields().items()
            if self.env[model].has_access("read")
        )

    def _check_access(self, operation):
        """Ask the document: who may not read it has no reminder of it."""
        # EXTENDS 'base'
        result = super()._check_access(operation)
        if self._sees_all() or not self.ids:
            return result
        forbidden = result[0] if result else self.browse()
        asked = (self - forbidden).filtered("id")
        hidden = self.browse()
        for name, reminders in asked.sudo()._group_by_document_model().items():
            documents = reminders[name].sudo(False)
            readable = documents._filtered_access("read")
            hidden |= reminders.filtered(
                lambda reminder, name=name, readable=readable: (
                    reminder[name].id not in readable._ids
                )
            ).sudo(False)
        if not hidden:
            return result
        return forbidden | hidden, lambda: AccessError(
            self.env._("You may not see the documents of these reminders.")
        )

    # --- create, write, delete --------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Number new reminders, and plan the next ones.

        Users log what they did; only methods of this addon send.
        """
        # EXTENDS 'base'
        if not self.env.su:
            self._check_loggable(vals_list)
        numbers = self._draw_numbers(len(vals_list))
        for vals, number in zip(vals_list, numbers, strict=True):
            vals["name"] = number
        reminders = super().create(vals_list)
        reminders._plan_next()
        return reminders

    def write(self, vals):
        """Move the activity with the next date; refuse to rewrite history."""
        # EXTENDS 'base'
        if not self.env.su and (refused := vals.keys() - EDITABLE):
            raise AccessError(
                self.env._(
                    "What was done stays as it was: %(fields)s cannot be changed. "
                    "Cancel the reminder and log another one.",
                    fields=self._get_labels(refused),
                )
            )
        result = super().write(vals)
        if {"next_date", "user_id"} & vals.keys():
            self._plan_next()
        return result

    @api.model
    def _check_loggable(self, vals_list):
        """Refuse values that only this addon gives: nobody forges what was sent."""
        harmless = {"state": "done", "origin": "manual"}
        for vals in vals_list:
            refused = {
                name
                for name, value in vals.items()
                if name not in LOGGABLE and value and harmless.get(name) != value
            }
            if refused:
                raise AccessError(
                    self.env._(
                        "A reminder logged by hand cannot have %(fields)s.",
                        fields=self._get_labels(refused),
                    )
                )

    @api.model
    def _get_labels(self, names):
        """Give the labels of fields, for a message."""
        labels = [
            self._fields[name]._description_string(self.env)
            for name in sorted(names)
            if name in self._fields
        ]
        return ", ".join(labels)

    @api.model
    def _draw_numbers(self, count):
        """Draw the numbers of new reminders, by one query where the sequence can.

        :rtype: list of str
        """
        # sudo: sequences are for administrators
        sequence = self.env.ref("sales_followup.sequence_reminder").sudo()
        if sequence.implementation != "standard" or sequence.use_date_range:
            return [sequence.next_by_id() for _number in range(count)]
        rows = self.env.execute_query(
            SQL(
                "SELECT NEXTVAL(%s) FROM GENERATE_SERIES(1, %s)",
                f"ir_sequence_{sequence.id:03d}",
                count,
            )
        )
        return [sequence.get_next_char(number) for [number] in rows]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if self._filter_sent():
            raise UserError(
                self.env._(
                    "A reminder that was sent stays in the history. Cancel it, and "
                    "say why."
                )
            )

    def _filter_sent(self):
        """Give those that went out, or are about to: e-mails and letters."""
        return self.filtered(
            lambda reminder: reminder.state != "failed" and reminder._is_sending()
        )

    def _is_sending(self):
        """Tell whether this reminder sends something, and is no log of it."""
        self.ensure_one()
        return self.channel in SENDING and bool(
            self.message_id or self.attachment_id or self.state == "outgoing"
        )

    def copy_data(self, default=None):
        """Refuse: what was done once is not done twice by copying it."""
        # EXTENDS 'base'
        if self:
            raise UserError(
                self.env._("A reminder is not duplicated; make a new one instead.")
            )
        return super().copy_data(default)

    # --- cancel -----------------------------------------------------------------

    def _cancel(self, reason):
        """Cancel reminders: they stay in the history, and plan nothing any more.

        :param reason: why, shown on the reminder
        :raise UserError: without a reason
        """
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the reminder is cancelled."))
        self.check_access("write")
        living = self.filtered(lambda reminder: reminder.state != "cancelled")
        # sudo: users cannot write the state by themselves
        living.sudo().write({"state": "cancelled", "cancel_reason": reason.strip()})
        living._cancel_emails()
        living._plan_next()

    def _cancel_emails(self):
        """Stop e-mails of cancelled reminders that have not left yet."""
        # sudo: the queue of e-mails is technical
        mails = self.env["mail.mail"].sudo()
        waiting = mails.search(
            [
                ("mail_message_id", "in", self.message_id.ids),
                ("state", "in", ("outgoing", "exception")),
            ]
        )
        waiting.cancel()
        self.env["mail.notification"].sudo().search(
            [("mail_mail_id", "in", waiting.ids)]
        ).write({"notification_status": "canceled"})

    def action_cancel(self):
        """Ask for the reason, then cancel."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Reminders"),
            "res_model": "sales.followup.cancel",
            "view_mode": "form",
            "target": "new",
            "context": {"default_reminder_ids": self.ids},
        }

    # --- actions ----------------------------------------------------------------

    @api.model
    def action_new(self):
        """Open the dialog that makes a reminder, on what the list is about."""
        wizard = self.env["sales.followup.remind"]
        defaults = {
            name: value
            for name in (*self._get_document_fields(), "partner_id")
            if (value := self.env.context.get(f"default_{name}"))
        }
        return wizard._get_action(**defaults)

    def action_open_document(self):
        """Open the quotation, order or invoice."""
        document = self._get_document()
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "view_mode": "form",
        }

    def action_download(self):
        """Download the letter, or the PDF that went with the e-mail."""
        self.ensure_one()
        if not self.attachment_id:
            raise UserError(
                self.env._("Reminder %(number)s has no file.", number=self.name)
            )
        return {
            "type": "ir.actions.act_url",
            "url": self.file_url,
            "target": "download",
            "close": True,
        }

    @api.depends("name", "partner_id")
    def _compute_display_name(self):
        # EXTENDS 'base'
        for reminder in self:
            customer = reminder.partner_id.name
            reminder.display_name = (
                f"{reminder.name} – {customer}" if customer else reminder.name
            )

    # --- anonymize --------------------------------------------------------------

    def _anonymize(self):
        """Take off what tells about people: notes, files, texts, recipients.

        Dates, documents, channels, states and amounts stay: they are the statistics.
        """
        messages = self.message_id | self.answer_id
        (
            self.attachment_id
            | messages.attachment_ids.filtered(
                lambda file: file.res_model != "account.move" or not file.res_field
            )
        ).unlink()
        messages.write({"body": False, "subject": False})
        self.write(
            {
                "note": False,
                "contact_id": False,
                "failure_reason": False,
                "cancel_reason": False,
            }
        )
