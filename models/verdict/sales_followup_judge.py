from dataclasses import replace
from typing import NamedTuple

from odoo import api, models
from odoo.tools import format_amount, format_date

from ...rules import verdict as rule
from ...rules.verdict import Code, Mode, Standing, Verdict


class Judgement(NamedTuple):
    """What was decided about one document.

    :param template: ``sales.followup.template`` it is about; empty where its series
        has nothing more
    :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` without a template
    """

    template: models.BaseModel
    verdict: Verdict | None

    @property
    def send(self):
        """Tell whether it is sent today."""
        return self.verdict is not None and self.verdict.send


class _Ladders:
    """The levels of series, worked out once."""

    def __init__(self):
        self._all = {}

    def get_levels(self, series, company, document, mode):
        """Give the levels that count for a document.

        Automatically, an archived one keeps its distance to the next if it was sent;
        nobody is offered it.

        :param document: its facts
        """
        key = (series, company)
        if key not in self._all:
            series = series.sudo()
            active = series._get_levels(company)
            self._all[key] = active, series._get_levels(company, archived=True)
        active, ever = self._all[key]
        if mode is not Mode.AUTOMATIC or len(active) == len(ever):
            return active
        return tuple(
            level
            for level in ever
            if level in active or level.template in document.sent
        )


class SalesFollowupJudge(models.AbstractModel):
    """Asks the one verdict, and puts it into words."""

    _name = "sales.followup.judge"
    _description = "Verdict on Reminders"

    @api.model
    def _judge(
        self,
        documents,
        mode=Mode.AUTOMATIC,
        templates=None,
        by_email=True,
        contacts=None,
    ):
        """Decide for documents whether they would be sent a reminder today.

        :param documents: recordset of one model that has the follow-up mixin
        :param mode: who wants to send, see :class:`~..rules.verdict.Mode`
        :param templates: dict of document → the template to send; where there is none,
            the level whose turn it is, or that is to be suggested
        :param by_email: ``False`` for a letter
        :param contacts: dict of document → ``res.partner`` to write to, where it is not
            who the rule says
        :return: dict of document → :class:`Judgement`
        """
        templates = templates or {}
        facts = self.env["sales.followup.facts"]._fetch(documents, contacts)
        for document in self._get_changed(documents, templates):
            known, customer = facts[document]
            facts[document] = (replace(known, standing=Standing.CLOSED), customer)
        series = self.env["sales.followup.series"]._get_of_documents(documents)
        ladders = _Ladders()
        by_company = documents.sudo().grouped(
            lambda document: document.company_id or self.env.company
        )
        judged = {}
        for company, of_company in by_company.items():
            today = company._followup_today()
            settings = self.env["sales.followup.facts"]._get_settings(
                company, today, documents._name
            )
            for document in of_company:
                template = templates.get(document)
                its_series = template.series_id if template else series[document]
                known, customer = facts[document]
                judged[document.id] = self._judge_one(
                    known,
                    customer,
                    settings,
                    today,
                    levels=ladders.get_levels(its_series, company, known, mode),
                    template=template,
                    mode=mode,
                    by_email=by_email,
                )
        return {document: judged[document.id] for document in documents}

    @api.model
    def _get_changed(self, documents, templates):
        """Give documents that are not what a template is about any more: a quotation
        that became an order is done with as a quotation."""
        if not templates:
            return documents.browse()
        types = documents.sudo()._followup_get_types()
        return documents.filtered(
            lambda document: (
                document in templates
                and templates[document].sudo().document_type_id != types[document]
            )
        )

    @api.model
    def _judge_one(
        self, document, customer, settings, today, levels, template, mode, by_email
    ):
        """Decide for one document whose facts are known.

        :rtype: Judgement
        """
        templates = self.env["sales.followup.template"].sudo()
        if template:
            level = next((one for one in levels if one.template == template.id), None)
            if level is None:
                level = template.sudo()._get_level()
                levels = (*levels, level)
        elif mode is Mode.AUTOMATIC:
            level = rule.next_level(document, levels)
        else:
            level = rule.suggest(document, levels)
        if level is None:
            return Judgement(templates, None)
        verdict = rule.judge(
            document,
            customer,
            levels,
            level,
            settings,
            today,
            mode=mode,
            by_email=by_email,
        )
        return Judgement(templates.browse(level.template), verdict)

    # --- in words ---------------------------------------------------------------

    @api.model
    def _answer(self, template, verdict):
        """Say yes or no in one sentence.

        :param template: ``sales.followup.template`` it is about
        :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` where no template is
            automatic for it
        :rtype: str
        """
        if verdict is None:
            return self.env._("No: its series has no automatic reminder for it.")
        if verdict.send:
            return self.env._(
                "Yes: “%(template)s” goes out with the next run.",
                template=template.name,
            )
        if verdict.next_date:
            return self.env._(
                "Not today: “%(template)s” goes out on %(date)s if nothing happens.",
                template=template.name,
                date=format_date(self.env, verdict.next_date),
            )
        return self.env._("No: “%(template)s” is not sent.", template=template.name)

    @api.model
    def _explain(self, reason, currency=None):
        """Put one reason into a sentence.

        :param reason: :class:`~..rules.verdict.Reason`
        :param currency: ``res.currency`` of its amount
        :rtype: str
        """
        texts = self._get_explanations()
        templates = self.env["sales.followup.template"].sudo()
        return texts[reason.code] % {
            "until": format_date(self.env, reason.until),
            "day": format_date(self.env, reason.day),
            "since": format_date(self.env, reason.since),
            "at": format_date(self.env, reason.at and reason.at.date()),
            "template": templates.browse(reason.template or ()).name,
            "text": reason.text,
            "amount": (
                format_amount(self.env, reason.amount, currency)
                if reason.amount and currency
                else reason.amount
            ),
        }

    @api.model
    def _render_reasons(self, reasons, document):
        """Put reasons into a list, as dialogs show it, and who is passed over.

        :param document: the one they are about, maybe empty
        :rtype: markupsafe.Markup, or ``False`` where there is none
        """
        currency = document.sudo().company_id.currency_id
        sentences = [self._explain(reason, currency) for reason in reasons]
        for passed_over in document._followup_get_passed_over().values():
            sentences += passed_over
        if not sentences:
            return False
        return self.env["ir.qweb"]._render(
            "sales_followup.verdict_reasons",
            {"reasons": sentences},
            minimal_qcontext=True,
        )

    @api.model
    def _get_explanations(self):
        """Give a sentence for each reason there is; a new stop rule adds its own.

        :return: dict of :class:`~..rules.verdict.Code` → text with placeholders
        """
        return {
            Code.NOT_OPEN: self.env._("The document is not open any more."),
            Code.NOT_SENT_YET: self.env._("It has not been sent to the customer yet."),
            Code.NOT_CHASED: self.env._("Its document type says not to chase it."),
            Code.NO_ADDRESS: self.env._("The customer has no e-mail address."),
            Code.INVALID_ADDRESS: self.env._(
                "The e-mail address of the customer is not valid."
            ),
            Code.BLACKLISTED: self.env._("The e-mail address is blacklisted."),
            Code.BOUNCING: self.env._("E-mails to this address came back."),
            Code.DOCUMENT_EXCLUDED: self.env._(
                "The document is marked “Do not remind automatically”."
            ),
            Code.DOCUMENT_PAUSED: self.env._("The document is paused until %(until)s."),
            Code.ANSWERED: self.env._(
                "The customer answered on %(at)s, and nobody took it up yet: log a "
                "reminder, or resume."
            ),
            # in the language of who asks already
            Code.OBJECTION: "%(text)s",
            Code.COVERED: self.env._(
                "The customer has %(amount)s in open credit notes or payments, which "
                "covers it."
            ),
            Code.PAYMENT_NOT_DUE: self.env._(
                "Too early: payment is not due before %(until)s."
            ),
            Code.DELIVERY_TO_COME: self.env._(
                "Too early: delivery is promised for %(until)s."
            ),
            Code.WAITS_FOR_US: self.env._(
                "The order waits for us: the customer has nothing to confirm or to pay."
            ),
            Code.PLANNED: self.env._(
                "Too early: the next reminder is planned for %(until)s."
            ),
            Code.CUSTOMER_EXCLUDED: self.env._(
                "The customer is marked “Do not remind automatically”."
            ),
            Code.CUSTOMER_PAUSED: self.env._("The customer is paused until %(until)s."),
            Code.TOO_SOON: self.env._(
                "The customer was reminded on %(day)s; not again before %(until)s."
            ),
            Code.NOT_BUSINESS_DAY: self.env._(
                "Today is no business day; the next is %(until)s."
            ),
            Code.ALREADY_SENT: self.env._("This reminder was sent on %(day)s already."),
            Code.SWITCHED_OFF: self.env._("Automatic reminders are switched off."),
            Code.DUNNING_CONFLICT: self.env._("Another app chases invoices by itself."),
            Code.NOT_AUTOMATIC: self.env._("The template is not automatic."),
            Code.INCOMPLETE: self.env._("The template is not complete."),
            Code.FAILED: self.env._("Sending failed for good."),
            Code.BELOW_MINIMUM: self.env._("The amount is below %(amount)s."),
            Code.NO_DUE_DATE: self.env._("The document has no due date."),
            Code.NO_PREVIOUS: self.env._("No reminder was sent before it."),
            Code.BEFORE_ACTIVE_FROM: self.env._(
                "Its day, %(day)s, lies before the template was switched on "
                "(%(since)s)."
            ),
            Code.PASSED: self.env._(
                "A later one, “%(template)s”, was sent on %(day)s."
            ),
            Code.WAITING: self.env._("“%(template)s” goes first."),
            Code.NOT_DUE: self.env._("Its day is %(until)s."),
        }
