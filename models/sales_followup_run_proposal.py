from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

from ..rules.verdict import Code, Mode

#: how many documents are proposed at a time
BATCH_SIZE = 1000

#: reasons that forbid an e-mail, and leave the letter
ADDRESS_CODES = frozenset(
    {Code.NO_ADDRESS, Code.INVALID_ADDRESS, Code.BLACKLISTED, Code.BOUNCING}
)


# What a bulk run proposes is a subject of its own.
class SalesFollowupRun(models.Model):
    """What is proposed; :mod:`.sales_followup_run_process` sends it."""

    _inherit = "sales.followup.run"  # pylint: disable=consider-merging-classes-inherited

    document_type_ids = fields.Many2many(
        "sales.followup.document.type",
        string="Document Types",
        domain="[('chases', '=', True)]",
        help="Empty: all that are chased.",
    )
    customer_rep_id = fields.Many2one(
        "res.users", string="Customer's Representative", domain="[('share', '=', False)]"
    )
    document_rep_id = fields.Many2one(
        "res.users", string="Document's Representative", domain="[('share', '=', False)]"
    )
    team_id = fields.Many2one("crm.team", string="Sales Team")
    due_from = fields.Date(string="Due From")
    due_to = fields.Date()
    never_reminded = fields.Boolean(string="Never Reminded Only")
    country_ids = fields.Many2many("res.country", string="Countries")
    category_ids = fields.Many2many("res.partner.category", string="Customer Tags")
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(), string="Language"
    )
    series_ids = fields.Many2many("sales.followup.series", string="Series")
    with_drafts = fields.Boolean(
        string="Drafts Too", help="Documents that were not sent to the customer yet."
    )

    def action_propose(self):
        """List the documents to chase, each with the reminder that is next.

        Done again, it starts anew; only while nothing has been sent.
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state != "draft":
            return self._get_reload()
        # sudo: lines are written by this method only
        self.line_ids.sudo().unlink()
        for documents in self._get_documents():
            for ids in split_every(BATCH_SIZE, documents.ids):
                self._propose(documents.browse(ids))
        return self._get_reload()

    def _get_documents(self):
        """Find the documents to chase, as the user may see them.

        :return: list of recordsets, one of each model
        """
        doc_types = self.document_type_ids or self.env[
            "sales.followup.document.type"
        ].search([("chases", "=", True)])
        return [
            self.env[model].search(
                Domain.OR(self._get_domain(doc_type) for doc_type in of_model)
            )
            for model, of_model in doc_types.grouped("model").items()
        ]

    def _get_domain(self, doc_type):
        """Select the documents of one type that the filters leave.

        :rtype: Domain
        """
        chased = doc_type._get_domain("chase_domain")
        if self.with_drafts:
            chased |= doc_type._get_domain("open_domain") & Domain("state", "=", "draft")
        domain = doc_type._get_domain() & chased
        domain &= Domain("company_id", "=", self.company_id.id)
        return domain & self._get_filter_domain(doc_type)

    def _get_filter_domain(self, doc_type):
        """Select what the filters of the page leave.

        :rtype: Domain
        """
        domain = Domain.TRUE
        if user := self.customer_rep_id:
            domain &= Domain("partner_id.followup_rep_ids", "in", user.ids)
        if user := self.document_rep_id:
            domain &= Domain("followup_rep_ids", "in", user.ids)
        if self.team_id:
            domain &= Domain("team_id", "=", self.team_id.id)
        if doc_type.due_field and self.due_from:
            domain &= Domain(doc_type.due_field, ">=", self.due_from)
        if doc_type.due_field and self.due_to:
            domain &= Domain(doc_type.due_field, "<=", self.due_to)
        if self.never_reminded:
            domain &= Domain("followup_last_reminder_id", "=", False)
        if self.country_ids:
            domain &= Domain("partner_id.country_id", "in", self.country_ids.ids)
        if self.category_ids:
            domain &= Domain("partner_id.category_id", "in", self.category_ids.ids)
        if self.lang:
            domain &= Domain("partner_id.lang", "=", self.lang)
        return domain

    def _propose(self, documents):
        """Add lines for documents, with the reminder that is next and what speaks
        against it."""
        facts = self.env["sales.followup.facts"]
        judged = self.env["sales.followup.judge"]._judge(documents, mode=Mode.BULK)
        if self.series_ids:
            documents = documents.filtered(
                lambda document: judged[document].template.series_id in self.series_ids
            )
        types = documents._followup_get_types()
        dates = facts._get_dates(documents.sudo(), documents.sudo()._followup_get_types())
        last = documents._followup_get_last_reminders()
        postal = documents._followup_get_recipients("letter")
        # sudo: lines are written by this method only
        self.env["sales.followup.run.line"].sudo().create(
            [
                {
                    **self._prepare_line(document, types[document], dates[document][1]),
                    **self._prepare_last(last.get(document)),
                    **self._prepare_suggestion(
                        document, judged[document], bool(postal[document])
                    ),
                }
                for document in documents
            ]
        )

    def _prepare_line(self, document, doc_type, due_date):
        """Give what a line tells of its document.

        :param due_date: where the company is, or ``None``
        """
        link = self.env["sales.followup.reminder"]._get_document_field(document._name)
        today = self.company_id._followup_today()
        return {
            "run_id": self.id,
            link: document.id,
            "document_name": document.display_name,
            "document_type_id": doc_type.id,
            "partner_id": document.partner_id.id,
            "customer_name": document.partner_id.display_name,
            "due_date": due_date,
            "late_days": max(0, (today - due_date).days) if due_date else 0,
            "currency_id": document.currency_id.id,
            "amount": document.amount_untaxed,
        }

    @api.model
    def _prepare_last(self, reminder):
        """Give what was done last about a document."""
        if not reminder:
            return {}
        return {
            "last_date": reminder.date,
            "last_template_id": reminder.template_id.id,
            "last_note": reminder.note,
            "planned_date": reminder.next_date,
        }

    @api.model
    def _prepare_suggestion(self, document, judgement, has_postal_address):
        """Give template, channel and next date of a line, and what speaks against it."""
        template, verdict = judgement
        if verdict is None:
            return {"reason": self.env._("There is no template for this document.")}
        address, others = [], []
        for reason in verdict.reasons:
            (address if reason.code in ADDRESS_CODES else others).append(reason)
        channel = template.channel if template.channel in ("email", "letter") else "email"
        if address and channel == "email":
            channel = "letter" if has_postal_address else "none"
        if others:
            channel = "none"
        explain = self.env["sales.followup.judge"]._explain
        return {
            "suggested_template_id": template.id,
            "template_id": template.id,
            "suggested_channel": channel,
            "channel": channel,
            "next_date": document._followup_get_next_date(template),
            "email_problem": " ".join(map(explain, address)) or False,
            "reason": " ".join(map(explain, others)) or False,
        }
