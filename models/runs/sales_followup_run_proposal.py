import logging
from datetime import date
from functools import cache, partial

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, split_every

from ...batches import halve
from ...rules.cadence import shift
from ...rules.verdict import UNREACHABLE, Code, Mode, too_soon
from ..reminders.sales_followup_template import SENDING
from ..sending.sales_followup_dispatcher import explain_error

_logger = logging.getLogger(__name__)

#: how many documents are proposed at a time
BATCH_SIZE = 500

#: a time zone is not further from UTC than that
SLACK_DAYS = 1

#: the days on which anything may be due
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 30)

#: reasons that forbid an e-mail, and leave the letter
ADDRESS_CODES = frozenset({*UNREACHABLE, Code.BLACKLISTED, Code.BOUNCING})


# What a bulk run proposes is a subject of its own.
class SalesFollowupRun(models.Model):
    """What is proposed; :mod:`.sales_followup_run_process` sends it."""

    _inherit = "sales.followup.run"

    document_type_ids = fields.Many2many(
        "sales.followup.document.type",
        string="Document Types",
        domain="[('chases', '=', True)]",
        help="Empty: all that are chased.",
    )
    customer_rep_id = fields.Many2one(
        "res.users",
        string="Customer's Representative",
        domain="[('share', '=', False)]",
        help="Documents of customers this user follows.",
    )
    document_rep_id = fields.Many2one(
        "res.users",
        string="Document's Representative",
        domain="[('share', '=', False)]",
        help="Documents this user follows.",
    )
    team_id = fields.Many2one("crm.team", string="Sales Team")
    due_from = fields.Date(string="Due from")
    due_to = fields.Date(string="Due until")
    never_reminded = fields.Boolean()
    country_ids = fields.Many2many("res.country", string="Countries")
    category_ids = fields.Many2many("res.partner.category", string="Customer Tags")
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="The language in which the customer is written to.",
    )
    series_ids = fields.Many2many("sales.followup.series")
    my_series = fields.Boolean(
        help="Only documents whose latest reminder is mine: the series I am in the "
        "middle of.",
    )
    with_drafts = fields.Boolean(
        string="Drafts Too",
        help="Documents that were not sent to the customer yet are listed, too, and "
        "left out unless you decide otherwise.",
    )

    show_filters = fields.Boolean(
        default=True,
        copy=False,
        readonly=True,
        help="The filters fold away when there is something to adjust.",
    )
    filter_summary = fields.Char(string="Filters", compute="_compute_filter_summary")

    @api.constrains("due_from", "due_to")
    def _check_due_days(self):
        for run in self:
            if run.due_from and run.due_to and run.due_from > run.due_to:
                raise ValidationError(
                    self.env._(
                        "The period ends before it begins: from %(start)s to %(end)s.",
                        start=format_date(self.env, run.due_from),
                        end=format_date(self.env, run.due_to),
                    )
                )

    def _compute_filter_summary(self):
        for run in self:
            run.filter_summary = " · ".join(run._get_filter_texts()) or self.env._(
                "Everything that is to be chased"
            )

    def _get_filter_texts(self):
        """Say what the filters leave.

        :return: list of texts, one for each filter that is set
        """
        values = {
            "document_type_ids": ", ".join(self.document_type_ids.mapped("name")),
            "due_from": format_date(self.env, self.due_from),
            "due_to": format_date(self.env, self.due_to),
            # sudo: the users may be of another company
            "customer_rep_id": self.sudo().customer_rep_id.name,
            "document_rep_id": self.sudo().document_rep_id.name,
            "team_id": self.team_id.name,
            "country_ids": ", ".join(self.country_ids.mapped("name")),
            "category_ids": ", ".join(self.category_ids.mapped("name")),
            "lang": self.env["res.lang"]._get_data(code=self.lang).name,
            "series_ids": ", ".join(self.series_ids.mapped("name")),
        }
        labels = {
            name: self._fields[name]._description_string(self.env)
            for name in (*values, "never_reminded", "my_series", "with_drafts")
        }
        return [
            f"{labels[name]}: {value}" for name, value in values.items() if value
        ] + [labels[name] for name in labels if name not in values and self[name]]

    def action_show_filters(self):
        """Unfold the filters, to propose anew."""
        self.check_access("write")
        # sudo: what is shown is no user's to write otherwise
        self.sudo().show_filters = True
        return True

    def action_propose(self):
        """List the documents to chase, each with the reminder that is next.

        Done again, it starts anew; only while nothing has been sent.
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state != "draft":
            return True
        run = self.with_company(self.company_id)
        # sudo: lines are written by this method only
        lines = self.env["sales.followup.run.line"].sudo()
        lines.search([("run_id", "=", self.id)]).unlink()
        for documents in run._get_documents():
            for ids in split_every(BATCH_SIZE, documents.ids):
                run._propose(documents.browse(ids))
                # the next batch shall not need more memory
                self.env.invalidate_all()
        run._propose_one_per_customer()
        self.sudo().write(
            {
                "proposed_date": fields.Datetime.now(),
                "show_filters": not lines.search_count(
                    [("run_id", "=", self.id)], limit=1
                ),
            }
        )
        self._forget_figures()
        return True

    # --- which documents --------------------------------------------------------

    def _get_documents(self):
        """Find the documents to chase, as the user may see them.

        :return: list of recordsets, one of each model
        """
        doc_types = self.env["sales.followup.document.type"].search(
            [("chases", "=", True)]
        )
        if self.document_type_ids:
            doc_types &= self.document_type_ids
        return [
            self.env[model].search(
                Domain.OR(self._get_domain(doc_type) for doc_type in of_model)
            )
            for model, of_model in doc_types.grouped("model").items()
            if self.env[model].has_access("read")
        ]

    def _get_domain(self, doc_type):
        """Select the documents of one type that the filters leave: a superset, where
        the database does not know better.

        :rtype: Domain
        """
        chased = doc_type._get_domain("chase_domain")
        if self.with_drafts and "state" in self.env[doc_type.model]._fields:
            chased |= doc_type._get_domain("open_domain") & Domain(
                "state", "=", "draft"
            )
        return (
            doc_type._get_domain()
            & chased
            & Domain("company_id", "=", self.company_id.id)
            & self._get_filter_domain(doc_type)
            & self._get_customer_domain()
        )

    def _get_filter_domain(self, doc_type):
        """Select the documents of one type by what the page says of documents.

        :rtype: Domain
        """
        domain = Domain.TRUE
        if user := self.document_rep_id:
            domain &= Domain("followup_rep_ids", "in", user.ids)
        if self.team_id:
            has_team = "team_id" in self.env[doc_type.model]._fields
            domain &= (
                Domain("team_id", "=", self.team_id.id) if has_team else Domain.FALSE
            )
        if self.never_reminded:
            domain &= Domain("followup_last_reminder_id", "=", False)
        if self.my_series:
            # who may see the document may know who reminded of it last
            mine = [("user_id", "=", self.env.uid)]
            domain &= Domain("followup_last_reminder_id", "any!", mine)
        if self.due_from or self.due_to:
            domain &= self.env[doc_type.model]._followup_get_due_domain(
                doc_type,
                max(FIRST_DAY, shift(self.due_from or FIRST_DAY, -SLACK_DAYS)),
                min(LAST_DAY, shift(self.due_to or LAST_DAY, SLACK_DAYS)),
            )
        return domain

    def _get_customer_domain(self):
        """Select documents by what the page says of their customers.

        :rtype: Domain
        """
        domain = Domain.TRUE
        if user := self.customer_rep_id:
            domain &= self._get_anyone_domain("followup_rep_ids", user.ids)
        if self.category_ids:
            domain &= self._get_anyone_domain("category_id", self.category_ids.ids)
        if self.country_ids:
            domain &= self._get_anyone_domain("country_id", self.country_ids.ids)
        return domain

    def _get_anyone_domain(self, name, ids):
        """Select documents of which the contact or its company has one of the values.

        :rtype: Domain
        """
        return Domain(f"partner_id.{name}", "in", ids) | Domain(
            f"partner_id.commercial_partner_id.{name}", "in", ids
        )

    def _is_wanted(self, due_date, lang, template):
        """Tell whether the filters leave a document, by what its record does not say.

        :param due_date: where the company is, or ``None``
        :param lang: in which its customer is written to
        :param template: ``sales.followup.template`` that is suggested
        """
        if (self.due_from or self.due_to) and not due_date:
            return False
        return not (
            (self.due_from and due_date < self.due_from)
            or (self.due_to and due_date > self.due_to)
            or (self.lang and lang != self.lang)
            or (self.series_ids and template.series_id not in self.series_ids)
        )

    # --- what is proposed about them --------------------------------------------

    def _propose(self, documents):
        """Add lines for documents, with the reminder that is next and what speaks
        against it; a document that cannot be judged says so, and stops no other."""
        halve(self.env.cr, documents, self._propose_together, self._propose_unjudged)

    def _propose_unjudged(self, document, error):
        """Add the line of a document that cannot be judged."""
        _logger.error("%s cannot be proposed", document, exc_info=error)
        # sudo: lines are written by this method only
        lines = self.env["sales.followup.run.line"].sudo()
        customer = document.sudo().partner_id.commercial_partner_id
        lines.create(
            {
                "run_id": self.id,
                lines._get_document_field(document._name): document.id,
                "document_name": document.sudo().name,
                "partner_id": customer.id,
                "customer_name": customer.name,
                "reason": explain_error(self.env, error),
                "stops": "any",
            }
        )
        return {}

    def _propose_together(self, documents):
        """Add lines for documents that can be judged."""
        # sudo: facts of the document, whoever looks
        types = documents.sudo()._followup_get_types()
        dates = documents._followup_get_dates(types)
        judged = self.env["sales.followup.judge"]._judge(documents, mode=Mode.BULK)
        langs = documents._followup_get_langs(
            documents._followup_get_recipients("email")
        )
        documents = documents.filtered(
            lambda document: self._is_wanted(
                dates[document][1], langs[document.id], judged[document].template
            )
        )
        last = documents._followup_get_last_reminders()
        postal = documents._followup_get_recipients("letter")

        @cache
        def get_language_note(lang, template, channel):
            return template._explain_untranslated(channel, lang)

        # sudo: lines are written by this method only
        self.env["sales.followup.run.line"].sudo().create(
            [
                {
                    **self._prepare_line(document, types[document], dates[document][1]),
                    **self._prepare_last(last.get(document)),
                    **self._prepare_suggestion(
                        document,
                        judged[document],
                        bool(postal[document]),
                        partial(get_language_note, langs[document.id]),
                    ),
                }
                for document in documents
            ]
        )
        self.env.flush_all()
        return {}

    def _prepare_line(self, document, doc_type, due_date):
        """Return what a line tells of its document.

        :param due_date: where the company is, or ``None``
        """
        link = self.env["sales.followup.reminder"]._get_document_field(document._name)
        today = self.company_id._followup_today()
        # sudo: the customer may be one of somebody else's
        customer = document.sudo().partner_id.commercial_partner_id
        return {
            "run_id": self.id,
            link: document.id,
            "document_name": document.display_name,
            "document_type_id": doc_type.id,
            "partner_id": customer.id,
            "customer_name": customer.display_name,
            "due_date": due_date,
            "late_days": max(0, (today - due_date).days) if due_date else 0,
            "currency_id": document.currency_id.id,
            "amount": document._followup_get_amount(),
        }

    def _prepare_last(self, reminder):
        """Return what was done last about a document."""
        if not reminder:
            return {}
        return {
            "last_date": reminder.date,
            "last_template_id": reminder.template_id.id,
            "last_note": reminder.note,
            "planned_date": reminder.next_date,
        }

    def _prepare_suggestion(self, document, judgement, has_postal_address, get_note):
        """Return what a line suggests, and what speaks against it.

        :param get_note: callable of template and channel: what is to be known of it
        """
        template, verdict = judgement
        if verdict is None:
            return {"reason": self.env._("There is no template for this document.")}
        reasons = verdict.reasons
        explain = partial(
            self.env["sales.followup.judge"]._explain,
            currency=self.company_id.currency_id,
        )
        unreachable = [r for r in reasons if r.code in UNREACHABLE]
        values = {
            "email_problem": " ".join(map(explain, unreachable)) or False,
            "letter_problem": (
                False
                if has_postal_address
                else self.env._("The customer has no postal address.")
            ),
            "stops": self._get_stops(reasons),
            "known_reasons": [reason.key for reason in reasons],
            "reason": " ".join(map(explain, reasons)) or False,
        }
        channel = self._suggest_channel(template, values)
        if channel in SENDING:
            # to be known, and no reason against it
            note = get_note(template, channel)
            values["reason"] = " ".join(filter(None, (values["reason"], note))) or False
        next_date = document._followup_count_days(template)
        return {
            **values,
            "suggested_template_id": template.id,
            "template_id": template.id,
            "suggested_channel": channel,
            "channel": channel,
            "suggested_next_date": next_date,
            "next_date": next_date,
        }

    def _get_stops(self, reasons):
        """Tell what reasons speak against: ``any`` reminder, an ``email``, nothing."""
        if not reasons:
            return False
        return "email" if all(r.code in ADDRESS_CODES for r in reasons) else "any"

    def _suggest_channel(self, template, values):
        """Choose the template's channel, else the other one; none where something
        speaks against it that a person may overrule.

        :param values: of the line
        """
        if values["stops"] == "any" or (
            values["stops"] == "email" and not values["email_problem"]
        ):
            return "none"
        channels = ["email", "letter"]
        if template.channel == "letter":
            channels.reverse()
        for channel in channels:
            if template._has_text(channel) and not values[f"{channel}_problem"]:
                return channel
        return "none"

    def _propose_one_per_customer(self):
        """Where a customer is to be reminded once in some days, leave the oldest of its
        documents, and say so on the others."""
        # sudo: lines are written here only, and the settings are not for everybody
        distance = self.company_id.sudo().followup_min_days
        if not distance:
            return
        lines = self.env["sales.followup.run.line"].sudo()
        lines = lines.search([("run_id", "=", self.id), ("channel", "!=", "none")])
        reason = too_soon(self.company_id._followup_today(), distance)
        text = self.env._("Another document of this customer is reminded of first.")
        for _customer, of_customer in lines.grouped("partner_id").items():
            for line in of_customer[1:]:
                line.write(
                    {
                        "channel": "none",
                        "suggested_channel": "none",
                        "stops": "any",
                        "known_reasons": [*(line.known_reasons or ()), reason.key],
                        "reason": " ".join(filter(None, (line.reason, text))),
                    }
                )

    # --- setting all lines ------------------------------------------------------

    def action_all_email(self):
        """Send all by e-mail that can be, and against which nothing speaks."""
        self.line_ids.action_all_email()
        return True

    def action_all_letter(self):
        """Send all as letters that can be, and against which nothing speaks."""
        self.line_ids.action_all_letter()
        return True

    def action_none(self):
        """Send nothing."""
        self.line_ids.action_none()
        return True

    def action_suggested(self):
        """Put all lines back to what was suggested."""
        self.line_ids.action_suggested()
        return True
