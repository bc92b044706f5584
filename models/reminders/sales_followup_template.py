from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import is_html_empty

from ...bounds import check_bounds
from ...rendering import describe, find_problem
from ...rules.bounds import MOST_DAYS

#: the ways to remind; those of :data:`SENDING` send something
CHANNELS = [
    ("email", "E-mail"),
    ("letter", "Letter"),
    ("phone", "Phone"),
    ("visit", "Visit"),
    ("other", "Other"),
]
SENDING = ("email", "letter")

#: the texts of the e-mail, which its ``mail.template`` keeps
EMAIL_TEXTS = frozenset({"subject", "email_body"})
TEXTS = EMAIL_TEXTS | {"letter_body"}

#: with the signature of who sends, and a button to the document
LAYOUT = "mail.mail_notification_layout"

#: says in the context that no text is written; nobody can send it over the network
UNCHANGED = object()

#: says in the context that the e-mail was made for the template; likewise
OWN = object()


class SalesFollowupTemplate(models.Model):
    """A level of a series: what is written to the customer, and what comes next.

    The e-mail is a ``mail.template`` of the documents' model, shown and edited here;
    the letter is a text of this model. Both render in Odoo's sandbox, with the rights
    of who sends, and only members of *Mail Template Editor* may put more than plain
    field names into them.
    """

    _name = "sales.followup.template"
    _inherit = ["mail.render.mixin", "sales.followup.guarded"]
    _description = "Follow-up Template"
    _order = "series_id, sequence, id"
    _check_company_auto = True
    _unrestricted_rendering = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="Levels of a series go out in this order."
    )
    active = fields.Boolean(default=True)
    series_id = fields.Many2one(
        "sales.followup.series",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        help="Empty on a new template: the first series of its document type.",
    )
    document_type_id = fields.Many2one(
        "sales.followup.document.type",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('chases', '=', True)]",
    )
    model = fields.Char(related="document_type_id.model")
    channel = fields.Selection(CHANNELS, default="email", required=True)
    next_days = fields.Integer(
        string="Next Reminder After",
        aggregator=None,
        help="Days to the next reminder; 0: as the settings of the company say.",
    )
    company_id = fields.Many2one(
        "res.company", help="Empty: for all companies that may use the series."
    )

    mail_template_id = fields.Many2one(
        "mail.template",
        string="E-mail Template",
        ondelete="restrict",
        domain="[('model', '=', model)]",
        copy=False,
    )
    is_email_own = fields.Boolean(
        string="Own E-mail",
        readonly=True,
        copy=False,
        help="The e-mail template was made for this one, and is deleted with it.",
    )
    subject = fields.Char(related="mail_template_id.subject", readonly=False)
    email_body = fields.Html(
        string="E-mail",
        related="mail_template_id.body_html",
        readonly=False,
        render_engine="qweb",
        render_options={"post_process": True},
        sanitize="email_outgoing",
    )
    can_write_email = fields.Boolean(
        string="May Write the E-mail", compute="_compute_can_write_email"
    )
    can_write_letter = fields.Boolean(
        string="May Write the Letter", compute="_compute_can_write_letter"
    )
    attach_document = fields.Boolean(
        string="Attach the Document",
        default=True,
        help="The PDF of the quotation, order or invoice goes with the e-mail.",
    )
    letter_body = fields.Html(
        string="Letter",
        translate=True,
        render_engine="qweb",
        render_options={"post_process": True},
        sanitize="email_outgoing",
        help="From the salutation to the complimentary close; address, subject, date "
        "and signature are put around it.",
    )
    reminder_count = fields.Integer(
        string="Reminders", compute="_compute_reminder_count"
    )

    _next_days_positive = models.Constraint(
        "CHECK(next_days >= 0)",
        "The next reminder comes after a number of days, or 0 for the company's.",
    )

    # --- compute ----------------------------------------------------------------

    @api.depends("document_type_id.model")
    def _compute_render_model(self):
        # EXTENDS 'mail'
        for template in self:
            template.render_model = template.document_type_id.model

    @api.depends("mail_template_id")
    @api.depends_context("uid")
    def _compute_can_write_email(self):
        for template in self:
            mail_template = template.mail_template_id
            template.can_write_email = not mail_template or mail_template.can_write

    @api.depends("letter_body")
    @api.depends_context("uid")
    def _compute_can_write_letter(self):
        is_editor = self.env.user.has_group("mail.group_mail_template_editor")
        for template in self:
            template.can_write_letter = is_editor or not (
                template._origin._has_unsafe_expression()
            )

    @api.depends_context("uid")
    def _compute_reminder_count(self):
        counts = dict(
            self.env["sales.followup.reminder"]._read_group(
                [("template_id", "in", self.ids)], ["template_id"], ["__count"]
            )
        )
        for template in self:
            template.reminder_count = counts.get(template, 0)

    @api.onchange("document_type_id")
    def _onchange_document_type_id(self):
        if self.series_id.document_type_id != self.document_type_id:
            self.series_id = self._get_first_series(self.document_type_id)

    @api.onchange("series_id")
    def _onchange_series_id(self):
        if self.series_id:
            self.document_type_id = self.series_id.document_type_id
            self.company_id = self.company_id or self.series_id.company_id

    # --- constraints ------------------------------------------------------------

    @api.constrains("document_type_id", "series_id", "mail_template_id")
    def _check_same_documents(self):
        for template in self:
            mail_model = template.mail_template_id.model
            if template.series_id.document_type_id != template.document_type_id:
                raise ValidationError(
                    self.env._(
                        "Template “%(template)s” is for %(type)s, its series is for "
                        "%(other)s; choose a series of the same document type.",
                        template=template.name,
                        type=template.document_type_id.name,
                        other=template.series_id.document_type_id.name,
                    )
                )
            if mail_model and mail_model != template.model:
                raise ValidationError(
                    self.env._(
                        "Template “%(template)s”: the e-mail template is for "
                        "%(other)s, not for %(model)s.",
                        template=template.name,
                        other=mail_model,
                        model=template.model,
                    )
                )

    @api.constrains("next_days")
    def _check_next_days(self):
        check_bounds(self, "next_days")

    def _check_letter_renders(self):
        """Refuse letters that cannot render.

        No constraint, which Odoo checks as superuser: a text is evaluated with the
        rights of who typed it, and only after it was asked whether they may.
        """
        for template in self.filtered("letter_body"):
            template._raise_problem("letter_body", template.letter_body)

    def _raise_problem(self, name, source):
        """Refuse a text that cannot render, naming its field and expression.

        :param name: one of :data:`TEXTS`
        :param source: the text, as typed
        :raise ValidationError: where it cannot render
        """
        engine = getattr(self._fields[name], "render_engine", "inline_template")
        sample = self._get_sample_document()
        if problem := find_problem(self, source, engine, sample):
            raise ValidationError(
                self.env._(
                    "%(field)s: %(expression)s cannot be filled in (%(problem)s). "
                    "Correct it, or choose a placeholder from the list.",
                    field=self._fields[name]._description_string(self.env),
                    expression=problem.expression,
                    problem=problem.message,
                )
            )

    @contextmanager
    def _explaining(self, vals_list, templates=None):
        """Name field and expression where Odoo refuses an e-mail's text as a whole.

        :param vals_list: the values being written
        :param templates: the records they are written to; ``None`` for new ones
        """
        try:
            yield
        except ValidationError as refusal:
            if not isinstance(refusal.__cause__, UserError):
                raise
            for vals in vals_list:
                template = templates or self.new(
                    {"document_type_id": vals.get("document_type_id")}
                )
                # the letter was not looked at yet, whether its author may write it
                for name in EMAIL_TEXTS & vals.keys():
                    template[:1]._raise_problem(name, vals[name])
            raise

    def _update_field_translations(
        self, field_name, translations, digest=None, source_lang=""
    ):
        # EXTENDS 'mail': a translation has to render, too; mail.template.py has those
        # of the e-mail
        result = super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )
        if field_name == "letter_body":
            self._check_translations(field_name, translations)
        return result

    def _check_translations(self, name, langs):
        """Refuse translations of a text that cannot render.

        :param name: one of :data:`TEXTS`
        :param langs: codes of the languages it was translated to
        """
        for lang in langs:
            self._raise_problem(name, self.with_context(lang=lang)[name])

    def _get_sample_document(self):
        """Return a document of the type to try texts on: one to chase, else any.

        :return: at most one record, of those the user may read
        """
        doc_type = self.document_type_id
        if not doc_type:
            return self.env["sale.order"]
        documents = self.env[doc_type.model]
        if not documents.has_access("read"):
            return documents
        domain = doc_type._get_domain()
        to_chase = domain & doc_type._get_domain("chase_domain")
        return documents.search(to_chase, limit=1) or documents.search(domain, limit=1)

    # --- create, write, copy ----------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Complete series, document type and e-mail template."""
        # EXTENDS 'mail'
        self.check_access("create")
        if self.env.context.get("followup_email") is not OWN:
            self._check_guarded(vals_list)
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._complete_series(vals)
        # the texts as they were typed: those of the e-mail move to its own template
        typed = [dict(vals) for vals in vals_list]
        with self._explaining(typed):
            for vals in vals_list:
                self._complete_email(vals)
            templates = super().create(vals_list)
        templates._check_letter_renders()
        return templates

    def write(self, vals):
        """Make an e-mail template where there is none for the texts written.

        Whoever may not write expressions may still order, time and archive templates
        that have some.
        """
        # EXTENDS 'mail'
        self._check_guarded([vals], self)
        if "letter_body" not in vals:
            self = self.with_context(followup_texts=UNCHANGED)
        with self._explaining([vals], self):
            if EMAIL_TEXTS & vals.keys() and "mail_template_id" not in vals:
                for template in self.filtered(lambda t: not t.mail_template_id):
                    mail_template = template._create_email(
                        template.name, template.document_type_id, vals
                    )
                    # past the guard: this is the e-mail that was made for it
                    super(SalesFollowupTemplate, template).write(
                        self._prepare_own_email(mail_template)
                    )
            if "mail_template_id" in vals:
                vals = {"is_email_own": False, **vals}
            result = super().write(vals)
        if {"letter_body", "document_type_id"} & vals.keys():
            self._check_letter_renders()
        return result

    def _check_access_right_dynamic_template(self):
        # EXTENDS 'mail'
        if self.env.context.get("followup_texts") is UNCHANGED:
            return None
        return super()._check_access_right_dynamic_template()

    def _has_unsafe_expression(self):
        """Look at the letter only: the e-mail's own template looks after itself."""
        # OVERRIDES 'mail'
        return any(
            template._has_unsafe_expression_template_qweb(
                template.letter_body, template.render_model, "letter_body"
            )
            for template in self.sudo()
        )

    def _complete_series(self, vals):
        """Fill series from document type, or document type from series."""
        series = self.env["sales.followup.series"].browse(vals.get("series_id") or ())
        if series:
            vals["document_type_id"] = (
                vals.get("document_type_id") or series.document_type_id.id
            )
            vals.setdefault("company_id", series.company_id.id)
        elif vals.get("document_type_id"):
            doc_type = self.env["sales.followup.document.type"].browse(
                vals["document_type_id"]
            )
            series = self._get_first_series(doc_type, vals.get("company_id"))
            if not series:
                raise ValidationError(
                    self.env._(
                        "There is no series of reminders for %(type)s yet; create "
                        "one first.",
                        type=doc_type.name,
                    )
                )
            vals["series_id"] = series.id
            vals.setdefault("company_id", series.company_id.id)
        else:
            raise ValidationError(
                self.env._(
                    "Template “%(template)s” needs a document type or a series; choose "
                    "one.",
                    template=vals.get("name") or "",
                )
            )

    def _get_first_series(self, doc_type, company_id=False):
        """Return the series a new template of a document type goes into."""
        return self.env["sales.followup.series"].search(
            [
                ("document_type_id", "=", doc_type.id),
                ("company_id", "in", [False, company_id or self.env.company.id]),
            ],
            limit=1,
        )

    def _complete_email(self, vals):
        """Make the e-mail template of a new template's texts."""
        if EMAIL_TEXTS & vals.keys() and not vals.get("mail_template_id"):
            doc_type = self.env["sales.followup.document.type"].browse(
                vals.get("document_type_id")
            )
            texts = {name: vals.pop(name) for name in EMAIL_TEXTS & vals.keys()}
            if any(texts.values()):
                mail_template = self._create_email(vals.get("name"), doc_type, texts)
                vals.update(self._prepare_own_email(mail_template))

    def _prepare_own_email(self, mail_template):
        """Return the values of a template whose e-mail was made for it."""
        return {"mail_template_id": mail_template.id, "is_email_own": True}

    def _create_email(self, name, doc_type, texts):
        """Create the ``mail.template`` that carries the e-mail's texts.

        Reminders know their language; the template's own is for other uses of it, and
        an expression, which not everybody may write.
        """
        is_editor = self.env.su or self.env.user.has_group(
            "mail.group_mail_template_editor"
        )
        return self.env["mail.template"].create(
            {
                "name": name,
                "model_id": self.env["ir.model"]._get_id(doc_type.model),
                "subject": texts.get("subject"),
                "body_html": texts.get("email_body"),
                "lang": is_editor and "{{ object.partner_id.lang }}",
                "use_default_to": False,
                "auto_delete": False,
                "email_layout_xmlid": LAYOUT,
            }
        )

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return {"is_email_own"}

    def copy(self, default=None):
        # EXTENDS 'base'
        self._check_guarded([default or {}])
        # the e-mails of the copies are made in copy_data
        return super(SalesFollowupTemplate, self.with_context(followup_email=OWN)).copy(
            default
        )

    def copy_data(self, default=None):
        # EXTENDS 'base'
        vals_list = super().copy_data(default)
        for template, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%(name)s (copy)", name=template.name)
            if template.mail_template_id and "mail_template_id" not in (default or {}):
                email = template.mail_template_id
                # Odoo's copy has no layout
                email = email.copy({"email_layout_xmlid": email.email_layout_xmlid})
                vals.update(self._prepare_own_email(email))
        return vals_list

    def unlink(self):
        """Take the e-mails along that were made for these templates, but for those
        that another template uses, or that are not the user's to delete."""
        # EXTENDS 'base'
        emails = self.filtered("is_email_own").mail_template_id
        result = super().unlink()
        # sudo: it may be used in another company
        templates = self.sudo().with_context(active_test=False)
        used = templates.search([("mail_template_id", "in", emails.ids)])
        (emails - used.mail_template_id)._filtered_access("unlink").unlink()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: a reminder of another company uses it, too
        if used := self.sudo().filtered("reminder_count"):
            raise UserError(
                self.env._(
                    "%(templates)s: reminders were made with it. Archive it instead.",
                    templates=", ".join(used.mapped("name")),
                )
            )

    # --- rendering --------------------------------------------------------------

    def _has_text(self, channel):
        """Tell whether there is something to send on a channel."""
        self.ensure_one()
        if channel == "email":
            return bool(self.subject) and _is_written(self.email_body)
        return _is_written(self.letter_body)

    def _get_text_lang(self, channel, lang):
        """Return the language that a customer of some language is written in: that of
        the text there is.

        Where there is no translation Odoo shows the source, which counts as English; it
        is another language's where both are the same text.

        :param channel: ``email`` or ``letter``
        :param lang: code of the customer's language
        :rtype: str
        """
        self.ensure_one()
        if lang.startswith("en"):
            return lang
        # sudo: the text is the company's, whoever sends it
        template = self.sudo()
        record, name = (
            (template.mail_template_id, "body_html")
            if channel == "email"
            else (template, "letter_body")
        )
        texts = record and record._fields[name]._get_stored_translations(record)
        if not texts or lang in texts:
            return lang
        source = texts.get("en_US")
        return next(
            (
                code
                for code, text in texts.items()
                if code != "en_US" and text == source
            ),
            "en_US",
        )

    def _explain_untranslated(self, channel, lang):
        """Say that a customer is written in another language than theirs.

        :param channel: ``email`` or ``letter``
        :param lang: code of the customer's language
        :rtype: str, or ``None`` where the text is in their language
        """
        other = self._get_text_lang(channel, lang)
        if other == lang:
            return None
        names = dict(self.env["res.lang"].get_installed())
        return self.env._(
            "“%(template)s” has no text in %(language)s; it is sent in %(other)s.",
            template=self.sudo().name,
            language=names.get(lang, lang),
            other=names.get(other, other),
        )

    def _get_next_days(self, company):
        """Return the number of days from a reminder of this template to the next one.

        :param company: whose setting counts where the template says nothing
        """
        # an earlier version took ten million days
        return min(self.next_days or company.followup_next_days, MOST_DAYS)

    def _render_email(self, langs, contacts=None):
        """Write the e-mails of this template.

        :param langs: dict of document id → language code, of the template's model
        :param contacts: dict of document id → id of the recipient, where it is not
            who the rule says
        :return: dict of document id → (subject, body)
        :raise UserError: where a text cannot render, naming the expression
        """
        self.ensure_one()
        email = self.mail_template_id
        subjects = self._render_text(email, "subject", "subject", langs, contacts)
        bodies = self._render_text(email, "body_html", "email_body", langs, contacts)
        return {res_id: (subjects[res_id], bodies[res_id]) for res_id in langs}

    def _render_email_headers(self, langs, contacts=None):
        """Write what the e-mail's template says of sender and copies.

        :param langs: dict of document id → language code
        :param contacts: as of :meth:`_render_email`
        :return: dict of document id → dict of those of ``email_from``, ``reply_to`` and
            ``email_cc`` that it sets
        :raise UserError: where one cannot render
        """
        self.ensure_one()
        # sudo: whom an e-mail is from is the company's matter, whoever sends it
        email = self.mail_template_id.sudo()
        headers = {res_id: {} for res_id in langs}
        for name in ("email_from", "reply_to", "email_cc"):
            if not email[name]:
                continue
            texts = self._render_text(email.sudo(False), name, name, langs, contacts)
            for res_id, text in texts.items():
                # a header is one line, whatever people call themselves
                if line := " ".join((text or "").split()):
                    headers[res_id][name] = line
        return headers

    def _render_letter(self, langs, contacts=None):
        """Write the letters of this template.

        :param langs: dict of document id → language code
        :param contacts: as of :meth:`_render_email`
        :return: dict of document id → body
        :raise UserError: where the text cannot render, naming the expression
        """
        self.ensure_one()
        return self._render_text(self, "letter_body", "letter_body", langs, contacts)

    def _render_subject(self, langs, contacts=None):
        """Write the subjects of letters: those of the e-mails.

        :param langs: dict of document id → language code
        :param contacts: as of :meth:`_render_email`
        :return: dict of document id → subject, empty where the template has none
        """
        self.ensure_one()
        if not self.subject:
            return dict.fromkeys(langs, "")
        email = self.mail_template_id
        return self._render_text(email, "subject", "subject", langs, contacts)

    def _render_text(self, renderer, field, name, langs, contacts):
        """Render one text for many documents, each in its language.

        :param renderer: the record that has the text in ``field``
        :param name: the text's name here, for a message
        """
        # a tuple, for computed fields depend on it
        chosen = tuple((contacts or {}).items())
        # days as they are where the company is, whoever sends
        company = self.env[self.model].browse(list(langs)[:1]).sudo().company_id
        zone = (company or self.env.company)._followup_get_zone()
        renderer = renderer.with_context(
            followup_contacts=chosen, followup_compile_once=True, tz=zone.zone
        )
        try:
            return renderer._render_field(field, list(langs), res_ids_lang=langs)
        except UserError as error:
            # Odoo shows the whole text and a traceback; say where it is
            raise UserError(self._get_render_message(name, error)) from error

    def _get_render_message(self, name, error):
        """Say which text of this template cannot render, and why.

        :rtype: str
        """
        problem = describe(error)
        fields_by_name = {**self.mail_template_id._fields, **self._fields}
        return self.env._(
            "Template “%(template)s”, %(field)s: %(expression)s cannot be filled in "
            "(%(problem)s).",
            template=self.name,
            field=fields_by_name[name]._description_string(self.env),
            expression=problem.expression,
            problem=problem.message,
        )

    # --- actions ----------------------------------------------------------------

    def action_open_email(self):
        """Open the e-mail template, with all that Odoo has for it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.template",
            "res_id": self.mail_template_id.id,
            "view_mode": "form",
        }

    def action_preview(self):
        """Show what the template says of a real document."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview of “%(template)s”", template=self.name),
            "res_model": "sales.followup.preview",
            "view_mode": "form",
            "target": "new",
            "context": {"default_template_id": self.id},
        }

    def action_open_reminders(self):
        """Open the reminders made with this template."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sales_followup.sales_followup_reminder_action"
        )
        return {**action, "domain": [("template_id", "in", self.ids)], "context": {}}


def _is_written(html):
    """Tell whether there is a text, or what will put one in its place."""
    return not is_html_empty(html) or "t-out" in (html or "")
