import logging
from dataclasses import replace
from typing import NamedTuple

from odoo import api, models
from odoo.tools import LazyTranslate, format_amount, format_date

from ...batches import halve
from ...rules import verdict as rule
from ...rules.verdict import Code, Mode, Standing, Verdict

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

EXPLANATIONS = {
    Code.NOT_JUDGED: _lt("Whether it may be sent cannot be told: %(text)s"),
    Code.NOT_OPEN: _lt("The document is not open any more."),
    Code.NOT_SENT_YET: _lt("It has not been sent to the customer yet."),
    Code.NOT_CHASED: _lt("Its document type says not to chase it."),
    Code.NO_ADDRESS: _lt("The customer has no e-mail address."),
    Code.INVALID_ADDRESS: _lt("The e-mail address of the customer is not valid."),
    Code.ARCHIVED_ADDRESS: _lt("The contact who has the e-mail address is archived."),
    Code.BLACKLISTED: _lt("The e-mail address is blacklisted."),
    Code.BOUNCING: _lt("E-mails to this address came back."),
    Code.DOCUMENT_EXCLUDED: _lt(
        "The document is marked “Do not remind automatically”."
    ),
    Code.DOCUMENT_PAUSED: _lt("The document is paused until %(until)s."),
    Code.ANSWERED: _lt(
        "The customer answered on %(at)s, and nobody has dealt with it yet: log a "
        "reminder, or resume."
    ),
    Code.COVERED: _lt(
        "The customer has %(amount)s in open credit notes or payments, which covers it."
    ),
    Code.PAYMENT_NOT_DUE: _lt("Too early: payment is not due before %(until)s."),
    Code.DELIVERY_TO_COME: _lt("Too early: delivery is promised for %(until)s."),
    Code.WAITS_FOR_US: _lt(
        "The order waits for us: the customer has nothing to confirm or to pay."
    ),
    Code.PLANNED: _lt("Too early: the next reminder is planned for %(until)s."),
    Code.CUSTOMER_EXCLUDED: _lt(
        "The customer is marked “Do not remind automatically”."
    ),
    Code.CUSTOMER_PAUSED: _lt("The customer is paused until %(until)s."),
    Code.TOO_SOON: _lt(
        "The customer was reminded on %(day)s; not again before %(until)s."
    ),
    Code.NOT_BUSINESS_DAY: _lt("Today is not a business day; the next is %(until)s."),
    Code.ALREADY_SENT: _lt("This reminder was sent on %(day)s already."),
    Code.SWITCHED_OFF: _lt("Automatic reminders are switched off."),
    Code.DUNNING_CONFLICT: _lt("Another app chases invoices automatically."),
    Code.NOT_AUTOMATIC: _lt("The template is not automatic."),
    Code.INCOMPLETE: _lt("The template is not complete."),
    Code.FAILED: _lt("Sending failed for good."),
    Code.BELOW_MINIMUM: _lt("The amount is below %(amount)s."),
    Code.NO_DUE_DATE: _lt("The document has no due date."),
    Code.NO_PREVIOUS: _lt("No reminder was sent before it."),
    Code.BEFORE_ACTIVE_FROM: _lt(
        "Its day, %(day)s, lies before the template was switched on (%(since)s)."
    ),
    Code.PASSED: _lt("A later one, “%(template)s”, was sent on %(day)s."),
    Code.WAITING: _lt("“%(template)s” goes first."),
    Code.NOT_DUE: _lt("Its day is %(until)s."),
}


class Judgement(NamedTuple):
    """What was decided about one document.

    :param template: ``sales.followup.template`` it is about; empty where its series
        has nothing more
    :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` without a template
    """

    template: models.BaseModel
    verdict: Verdict | None


class _Ladders:
    """The levels of series, worked out once."""

    def __init__(self):
        self._all = {}

    def get_levels(self, series, company, document, mode):
        """Return the levels that count for a document.

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

    def _judge(
        self,
        documents,
        mode=Mode.AUTOMATIC,
        templates=None,
        by_email=True,
        contacts=None,
        explain=False,
    ):
        """Decide for documents whether they would be sent a reminder today.

        A document that cannot be judged costs only itself: it is not sent, and its
        verdict says why.

        :param documents: recordset of one model that has the follow-up mixin
        :param mode: who wants to send, see :class:`~..rules.verdict.Mode`
        :param templates: dict of document → the template to send; where there is none,
            the level whose turn it is, or that is to be suggested
        :param by_email: ``False`` for a letter
        :param contacts: dict of document → ``res.partner`` to write to, where it is not
            who the rule says
        :param explain: whether a document that no level is left for is judged by the
            nearest one, for its reasons
        :return: dict of document → :class:`Judgement`
        """
        templates = templates or {}
        facts = self.env["sales.followup.facts"]

        def judge(some):
            known = facts._fetch(some, contacts)
            return self._judge_known(some, known, mode, templates, by_email, explain)

        judged, problems = self._isolate(judge, documents)
        for document, error in problems.items():
            template = templates.get(document, self.env["sales.followup.template"])
            reason = rule.Reason(Code.NOT_JUDGED, text=str(error) or repr(error))
            verdict = Verdict(False, (reason,))
            judged[document] = Judgement(template.sudo(), verdict)
        return {document: judged[document] for document in documents}

    def _isolate(self, ask, documents):
        """Ask something about all documents at once; where that fails, about halves of
        them, until those that fail are alone.

        :param ask: callable of documents, returns a dict of document → answer
        :return: (dict of document → answer, dict of document → error)
        """
        problems = {}

        def note(document, error):
            _logger.error("%s cannot be judged", document, exc_info=error)
            problems[document] = error
            return {}

        return halve(self.env.cr, documents, ask, note), problems

    def _judge_known(self, documents, facts, mode, templates, by_email, explain):
        """Judge documents whose facts were fetched; see :meth:`_judge`."""
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
                    explain=explain,
                )
        return {document: judged[document.id] for document in documents}

    def _suggest(self, documents):
        """Return the level to propose to a person, whatever speaks against it.

        :return: dict of document → ``sales.followup.template``, empty where no series
            fits
        """
        facts = self.env["sales.followup.facts"]
        templates = self.env["sales.followup.template"]
        reminders = facts._get_reminders(documents.sudo())
        series = self.env["sales.followup.series"]._get_of_documents(documents)
        suggested = {}
        for document in documents:
            known = document.sudo()
            sent, _failed = facts._get_levels(known, reminders.get(document.id, ()))
            company = known.company_id or self.env.company
            levels = series[document].sudo()._get_levels(company)
            level = rule.suggest(sent, levels)
            suggested[document] = templates.browse(level.template if level else ())
        return suggested

    def _get_changed(self, documents, templates):
        """Return documents that are not what a template is about any more: a quotation
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

    def _judge_one(
        self,
        document,
        customer,
        settings,
        today,
        levels,
        template,
        mode,
        by_email,
        explain,
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
            if level is None and explain:
                level = rule.nearest_level(document, levels)
        else:
            level = rule.suggest(document.sent, levels)
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

    def _answer(self, template, verdict):
        """Say yes or no in one sentence.

        :param template: ``sales.followup.template`` it is about
        :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` where no template is
            automatic for it
        :rtype: str
        """
        if verdict is None:
            return self.env._("No: its series has no automatic reminder left for it.")
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

    def _explain(self, reason, currency=None):
        """Put one reason into a sentence.

        :param reason: :class:`~..rules.verdict.Reason`
        :param currency: ``res.currency`` of its amount
        :rtype: str
        """
        if reason.code is Code.OBJECTION:
            # in the language of who asks already
            return reason.text
        templates = self.env["sales.followup.template"].sudo()
        values = {
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
        # lazy texts take their values after the translation
        text = self.env._(self._get_explanations()[reason.code])
        return text % values

    def _get_explanations(self):
        """Return a sentence for each reason; a new stop rule adds its own.

        :return: dict of :class:`~..rules.verdict.Code` → text with placeholders, to be
            translated
        """
        return EXPLANATIONS

    @api.model
    def _render_reasons(self, reasons, document, notes=()):
        """Put reasons into a list, as dialogs show it, and who is passed over.

        :param document: the one they are about, maybe empty
        :param notes: what else is to be known, in sentences
        :rtype: markupsafe.Markup, or ``False`` where there is none
        """
        currency = document.sudo().company_id.currency_id
        sentences = [self._explain(reason, currency) for reason in reasons]
        return self._render_sentences([*sentences, *filter(None, notes)], document)

    @api.model
    def _render_sentences(self, sentences, document):
        """Put what reasons say into a list, and who is passed over.

        :param document: the one they are about, maybe empty
        :rtype: markupsafe.Markup, or ``False`` where there is nothing to say
        """
        sentences = list(sentences)
        for passed_over in document._followup_get_passed_over().values():
            sentences += passed_over
        if not sentences:
            return False
        return self.env["ir.qweb"]._render(
            "sales_followup.verdict_reasons",
            {"reasons": sentences},
            minimal_qcontext=True,
        )
