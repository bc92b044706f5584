from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...bounds import check_bounds
from .sales_followup_template import CHANNELS


class SalesFollowupReminder(models.Model):
    """One act of chasing one document: done, outgoing or failed.

    Who may read the document may see its reminders, and remind.
    """

    _name = "sales.followup.reminder"
    _inherit = ["sales.followup.document.link", "sales.followup.guarded"]
    _description = "Follow-up Reminder"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", readonly=True, copy=False, default="/", index="trigram"
    )
    document_ref = fields.Reference(
        selection="_selection_document_ref",
        string="Document",
        compute="_compute_document_ref",
        search="_search_document_ref",
    )
    document_name = fields.Char(
        string="Document Number",
        compute="_compute_document_name",
        help="For views that cannot show a link to one of several models.",
    )
    calendar_label = fields.Char(compute="_compute_document_name")
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
    is_mine = fields.Boolean(
        string="Mine",
        compute="_compute_is_mine",
        search="_search_is_mine",
        help="I look after this reminder, or I am the Salesperson or a representative "
        "of its document.",
    )

    # the last e-mail or letter to a customer
    _partner_sent = models.Index(
        "(partner_id, date DESC) WHERE channel IN ('email', 'letter')"
    )

    # --- documents --------------------------------------------------------------

    @api.model
    def _get_document_indexes(self, link):
        # EXTENDS 'sales_followup'
        return {
            **super()._get_document_indexes(link),
            # exactly once, whatever happens: two workers, a restart, a run twice at a
            # time
            "level_once": models.UniqueIndex(
                f"({link}, template_id, cycle) WHERE origin = 'auto'"
                f" AND {link} IS NOT NULL",
                "This document got this reminder already.",
            ),
            # what the lists of a document show: its reminders, the newest first
            "date": models.Index(f"({link}, date DESC, id DESC)"),
        }

    @api.constrains(lambda self: tuple(self._get_document_fields()))
    def _check_one_document(self):
        # EXTENDS 'sales_followup'
        return super()._check_one_document()

    @api.constrains(lambda self: tuple(self._get_document_fields()))
    def _check_document_type(self):
        for reminder in self:
            if not reminder.document_type_id:
                raise ValidationError(
                    self.env._(
                        "%(document)s is not a document that customers are reminded "
                        "of.",
                        document=reminder._get_document().display_name,
                    )
                )

    @api.constrains("date", "next_date")
    def _check_dates(self):
        check_bounds(self, "date", "next_date")

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

    @api.depends(lambda self: ("partner_id", *self._get_document_fields()))
    @api.depends_context("lang")
    def _compute_document_name(self):
        for reminder in self:
            name = reminder._get_document().display_name
            reminder.document_name = name
            reminder.calendar_label = f"{reminder.partner_id.display_name}, {name}"

    def _get_paths(self, method):
        """Return the fields of all kinds of documents that a value depends on.

        :param method: of the documents: returns names of their fields
        :rtype: list of str
        """
        return [
            f"{link}.{name}"
            for link, model in self._get_document_fields().items()
            for name in getattr(self.env[model], method)()
        ]

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

    @api.depends(lambda self: self._get_paths("_followup_get_amount_fields"))
    def _compute_amount(self):
        for reminder in self:
            document = reminder._get_document()
            reminder.currency_id = document.currency_id
            reminder.amount = document._followup_get_amount()
            reminder.amount_company = document._followup_get_company_amount()

    @api.depends("attachment_id")
    def _compute_file_url(self):
        for reminder in self:
            attachment_id = reminder.attachment_id.id
            reminder.file_url = (
                attachment_id and f"/web/content/{attachment_id}?download=true"
            )

    @api.depends(lambda self: self._get_paths("_followup_get_standing_fields"))
    def _compute_is_open(self):
        # not kept: what is open is said by the document type, and may change
        for name, reminders in self._group_by_document_model().items():
            # sudo: whether it is open does not depend on who looks
            situations = reminders[name].sudo()._followup_get_situations()
            for reminder in reminders:
                situation = situations[reminder[name]]
                # a quotation that was confirmed is done with, though the order is open
                reminder.is_open = (
                    situation.is_open and situation.type == reminder.document_type_id
                )
        for reminder in self.filtered(lambda reminder: not reminder._get_document()):
            reminder.is_open = False

    def _search_is_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        doc_types = self.env["sales.followup.document.type"]
        is_open = Domain.OR(
            Domain("document_type_id", "=", doc_type.id)
            # any!: whether it is open does not depend on who looks
            & Domain(name, "any!", doc_type._get_open_domain())
            for name, model in self._get_document_fields().items()
            for doc_type in doc_types._get_chased(model)
        )
        return self._select_flagged(is_open, value)

    @api.depends(
        lambda self: [
            f"{link}.followup_last_reminder_id" for link in self._get_document_fields()
        ]
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

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        mine = self.filtered_domain(self._get_mine_domain())
        for reminder in self:
            reminder.is_mine = reminder in mine

    def _search_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._select_flagged(self._get_mine_domain(), value)

    def _get_mine_domain(self):
        """Select reminders the user looks after, or whose document they follow.

        :rtype: Domain
        """
        return Domain("user_id", "=", self.env.uid) | Domain.OR(
            Domain(name, "any", self.env[model]._followup_get_mine_domain())
            for name, model in self._get_document_fields().items()
            if self.env[model].has_access("read")
        )

    def _select_flagged(self, flagged, values):
        """Select by the values of a flag.

        :param flagged: Domain of those that have it
        :param values: any of ``True`` and ``False``
        :rtype: Domain
        """
        return Domain.OR(
            flagged if value else ~flagged for value in {bool(v) for v in values}
        )

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

    def action_download(self):
        """Download the letter, or the PDF that went with the e-mail."""
        if len(self) != 1:
            raise UserError(self.env._("Select one reminder to download its file."))
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
