from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .sales_followup_template import CHANNELS

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


#: the activities that come of reminders
ACTIVITY_TYPES = (
    "sales_followup.mail_activity_type_reminder",
    "sales_followup.mail_activity_type_failed",
)

#: what the agenda shows of a reminder
PLANNED = frozenset({"next_date", "user_id", "note", "result_id"})


class SalesFollowupReminder(models.Model):
    """One act of chasing one document: done, outgoing or failed.

    Who may read the document may see its reminders, and remind. A new kind of document
    needs the mixin, a field here and on the lines of runs, and an entry in
    :meth:`_get_document_fields`.
    """

    _name = "sales.followup.reminder"
    _inherit = ["sales.followup.document.link"]
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
    cycle = fields.Integer(
        compute="_compute_document_values",
        store=True,
        precompute=True,
        help="How many times the document had been sent to the customer anew by then.",
    )
    run_id = fields.Many2one(
        "sales.followup.run",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    failure_reason = fields.Text(readonly=True, copy=False)
    attempts = fields.Integer(
        readonly=True, copy=False, help="How often sending was tried."
    )
    is_final = fields.Boolean(
        string="Failed for Good",
        readonly=True,
        copy=False,
        help="Not tried again by itself: the address is wrong, the text cannot be "
        "rendered, or it was tried three times.",
    )
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
    log_message_id = fields.Many2one(
        "mail.message",
        string="Log",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="What the chatter of the document says about this reminder.",
    )
    is_sending = fields.Boolean(
        string="Sent by Us",
        readonly=True,
        copy=False,
        help="An e-mail or letter of ours, and no log of what was done otherwise.",
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

    _order_run_once = models.UniqueIndex(
        "(run_id, order_id) WHERE order_id IS NOT NULL",
        "This run reminded of this document already.",
    )
    _move_run_once = models.UniqueIndex(
        "(run_id, move_id) WHERE move_id IS NOT NULL",
        "This run reminded of this document already.",
    )
    # exactly once, whatever happens: two workers, a restart, a run twice at a time
    _order_level_once = models.UniqueIndex(
        "(order_id, template_id, cycle) WHERE origin = 'auto' AND order_id IS NOT NULL",
        "This document got this reminder already.",
    )
    _move_level_once = models.UniqueIndex(
        "(move_id, template_id, cycle) WHERE origin = 'auto' AND move_id IS NOT NULL",
        "This document got this reminder already.",
    )
    # once in a run, however often its batch is started
    _order_run_once = models.UniqueIndex(
        "(run_id, order_id) WHERE origin = 'run' AND order_id IS NOT NULL",
        "This run reminded of the document already.",
    )
    _move_run_once = models.UniqueIndex(
        "(run_id, move_id) WHERE origin = 'run' AND move_id IS NOT NULL",
        "This run reminded of the document already.",
    )
    # the last e-mail or letter to a customer
    _partner_sent = models.Index(
        "(partner_id, date DESC) WHERE channel IN ('email', 'letter')"
    )
    # what the lists of a document show: its reminders, the newest first
    _order_date = models.Index("(order_id, date DESC, id DESC)")
    _move_date = models.Index("(move_id, date DESC, id DESC)")

    # --- documents --------------------------------------------------------------

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

    @api.constrains("template_id")
    def _check_template(self):
        for reminder in self.filtered("template_id"):
            document = reminder._get_document()
            if document and reminder.template_id.model != document._name:
                raise ValidationError(
                    self.env._(
                        "Template “%(template)s” is not for %(document)s; choose "
                        "another one.",
                        template=reminder.template_id.name,
                        document=document.display_name,
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
            # any!: managers find reminders on documents they may not open
            Domain(name, "any!", Domain("display_name", operator, value))
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
                # sudo: the cycle is a fact of the document
                reminder.cycle = document.sudo().followup_cycle
        for reminder in self.filtered(lambda reminder: not reminder._get_document()):
            reminder.document_type_id = False
            reminder.partner_id = False
            reminder.company_id = self.env.company
            reminder.cycle = 0

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

    @api.depends(
        "order_id.state",
        "order_id.invoice_status",
        "move_id.state",
        "move_id.amount_residual",
        "move_id.payment_state",
    )
    def _compute_is_open(self):
        # not kept: what is open is said by the document type, and may change
        for name, reminders in self._group_by_document_model().items():
            # sudo: whether it is open does not depend on who looks
            open_documents = reminders[name].sudo()._followup_filter_open()
            for reminder in reminders:
                reminder.is_open = reminder[name] in open_documents
        for reminder in self.filtered(lambda reminder: not reminder._get_document()):
            reminder.is_open = False

    def _search_is_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        # any!: whether it is open does not depend on who looks
        is_open = Domain.OR(
            Domain(name, "any!", self.env[model]._followup_get_open_domain())
            for name, model in self._get_document_fields().items()
        )
        return self._select_flagged(is_open, value)

    @api.depends(
        "order_id.followup_last_reminder_id", "move_id.followup_last_reminder_id"
    )
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
        return self._select_flagged(is_last, value)

    @api.model
    def _select_flagged(self, flagged, values):
        """Select by the values of a flag.

        :param flagged: Domain of those that have it
        :param values: any of ``True`` and ``False``
        :rtype: Domain
        """
        return Domain.OR(
            flagged if value else ~flagged for value in {bool(v) for v in values}
        )

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

        Users log what they did; only methods of this addon send. Who is not told to
        get the reminder, and when the next one is due, is worked out.
        """
        # EXTENDS 'base'
        if not self.env.su:
            self._check_loggable(vals_list)
        numbers = self._draw_numbers(len(vals_list))
        vals_list = [
            {**vals, "name": number, "is_sending": vals.get("state") == "outgoing"}
            for vals, number in zip(vals_list, numbers, strict=True)
        ]
        for link in self._get_document_fields():
            self._complete([vals for vals in vals_list if vals.get(link)], link)
        reminders = super().create(vals_list)
        # not asked by itself where no document is mentioned at all
        reminders._check_one_document()
        for link, of_kind in reminders._group_by_document_model().items():
            of_kind[link]._followup_take_up()
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
        if vals.get("state") == "outgoing":
            vals = {**vals, "is_sending": True}
        result = super().write(vals)
        if PLANNED & vals.keys():
            # who did what was planned is not asked again because of a note
            self._plan_next(renew="next_date" in vals)
        return result

    def unlink(self):
        """Go back to what the reminder before had planned; send nothing any more."""
        # EXTENDS 'base'
        # sudo: emails and activities are technical, and the rights are asked below
        planned = [
            reminders[link]
            for link, reminders in self.sudo()._group_by_document_model().items()
        ]
        emails = self.sudo()._get_waiting_emails()
        result = super().unlink()
        emails.cancel()
        for documents in planned:
            self.env["sales.followup.agenda"]._plan(documents)
        return result

    @api.model
    def _complete(self, vals_list, link):
        """Say who gets new reminders, and when the next one is due, where nobody did.

        :param vals_list: values of new reminders, completed in place
        :param link: the field of their documents
        """
        model = self._get_document_fields()[link]
        # sudo: whether the document may be read is asked of the reminder
        documents = self.env[model].sudo().browse(vals[link] for vals in vals_list)
        default = self.default_get(["channel"]).get("channel")
        by_channel = {}
        for vals in vals_list:
            if "contact_id" not in vals:
                by_channel.setdefault(vals.get("channel", default), []).append(vals)
        for channel, alike in by_channel.items():
            chased = documents.browse(vals[link] for vals in alike)
            contacts = chased._followup_get_recipients(channel)
            for vals in alike:
                vals["contact_id"] = contacts[documents.browse(vals[link])].id
        undated = [vals for vals in vals_list if "next_date" not in vals]
        chased = documents.browse(vals[link] for vals in undated)
        open_documents = chased._followup_filter_open()
        templates = self.env["sales.followup.template"]
        for vals in undated:
            document = documents.browse(vals[link])
            vals["next_date"] = document in open_documents and (
                document._followup_count_days(templates.browse(vals.get("template_id")))
            )

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
        sequence_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "sales_followup.sequence_reminder", raise_if_not_found=True
        )
        # sudo: sequences are for administrators
        sequence = self.env["ir.sequence"].sudo().browse(sequence_id)
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
            lambda reminder: (
                reminder.is_sending
                and (reminder.state != "failed" or reminder._has_bounced())
            )
        )

    def _has_bounced(self):
        """Tell whether the e-mail went out, and came back."""
        # sudo: the state of delivery is a fact, whoever looks
        statuses = self.sudo().message_id.notification_ids.mapped("notification_status")
        return "bounce" in statuses

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

    def _get_waiting_emails(self):
        """Give the e-mails of reminders that may still leave.

        :return: ``mail.mail``, as superuser
        """
        # sudo: the queue of e-mails is technical
        mails = self.env["mail.mail"].sudo()
        return mails.search(
            [
                ("mail_message_id", "in", self.message_id.ids),
                ("state", "in", ("outgoing", "exception")),
            ]
        )

    def _cancel_emails(self):
        """Stop e-mails of cancelled reminders that have not left yet."""
        waiting = self._get_waiting_emails()
        waiting.cancel()
        # sudo: the state of delivery is technical
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
            # not "download": that would leave a dialog open
            "target": "new",
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
        self._anonymize_agenda()
        self._anonymize_messages()
        # what was made for the reminder, or came with an answer: files of documents and
        # templates that went with an e-mail are theirs
        files = self.attachment_id | self.answer_id.attachment_ids
        files.filtered(lambda file: not file.res_field).unlink()
        self.write(
            {
                "note": False,
                "contact_id": False,
                "failure_reason": False,
                "cancel_reason": False,
            }
        )

    def _anonymize_messages(self):
        """Empty the e-mails, what the chatter says of reminders, and the answers."""
        # nothing leaves any more: it would be empty
        self._get_waiting_emails().cancel()
        messages = self.message_id | self.log_message_id | self.answer_id
        messages.mail_ids.write(
            {"body_html": False, "email_to": False, "recipient_ids": [Command.clear()]}
        )
        messages.notification_ids.unlink()
        messages.write(
            {"body": False, "subject": False, "partner_ids": [Command.clear()]}
        )
        self.answer_id.write(
            {
                "email_from": False,
                "incoming_email_to": False,
                "incoming_email_cc": False,
            }
        )

    def _anonymize_agenda(self):
        """Take the notes off activities, and off what the chatter says of them."""
        data = self.env["ir.model.data"]
        found = (data._xmlid_to_res_id(name) for name in ACTIVITY_TYPES)
        type_ids = [type_id for type_id in found if type_id]
        for link, reminders in self._group_by_document_model().items():
            documents = reminders[link]
            activities = self.env["mail.activity"].with_context(active_test=False)
            activities.search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("activity_type_id", "in", type_ids),
                ]
            ).write({"note": False, "feedback": False})
            self.env["mail.message"].search(
                [
                    ("model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("mail_activity_type_id", "in", type_ids),
                ]
            ).write({"body": False})
