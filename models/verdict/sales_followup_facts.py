from datetime import datetime, timedelta

from odoo import api, models

from ...rules.cadence import levels_sent
from ...rules.verdict import Address, Customer, Document, Settings, Standing
from ..reminders.sales_followup_template import SENDING

#: a message that was being received while the document was sent counts as later
SLACK = timedelta(minutes=1)


class SalesFollowupFacts(models.AbstractModel):
    """Fetches what a verdict has to know, for many documents at a time.

    Everything is read as superuser: whether a customer may be reminded does not depend
    on who asks.
    """

    _name = "sales.followup.facts"
    _description = "Facts about Documents to Chase"

    @api.model
    def _fetch(self, documents, contacts=None):
        """Fetch the facts about documents.

        :param documents: recordset of one model that has the follow-up mixin
        :param contacts: dict of document → ``res.partner`` to write to, where it is not
            who the rule says
        :return: dict of document → (:class:`~..rules.verdict.Document`,
            :class:`~..rules.verdict.Customer`)
        """
        documents = documents.sudo().with_context(active_test=False)
        by_type = documents._followup_group_by_type()
        types = documents._followup_get_types(by_type)
        dates = self._get_dates(documents, types)
        standings = self._get_standings(documents, by_type)
        addresses = self._get_addresses(documents, contacts or {})
        reminders = self._get_reminders(documents)
        answers = self._get_open_answers(documents)
        objections = documents._followup_get_objections()
        customers = self._get_customers(documents)
        facts = {}
        for document in documents:
            sent, failed = self._get_levels(document, reminders.get(document.id, ()))
            document_date, due_date = dates[document]
            facts[document] = (
                Document(
                    document_date=document_date,
                    due_date=due_date,
                    amount=document._followup_get_company_amount(),
                    standing=standings[document],
                    address=addresses[document],
                    excluded=document.followup_exclude,
                    paused_until=document.followup_pause_until or None,
                    # what was taken up is told by message, not by the clock
                    answered_at=answers.get(document.id),
                    objections=tuple(objections.get(document, ())),
                    sent=sent,
                    failed=failed,
                ),
                customers[document],
            )
        return facts

    @api.model
    def _get_settings(self, company, today, model):
        """Give the decisions of a company.

        :param model: of the documents; other dunning addons chase invoices only
        :rtype: Settings
        """
        # sudo: the settings of the company are not for everybody
        company = company.sudo()
        return Settings(
            automatic=company.followup_automatic,
            min_days=company.followup_min_days,
            is_business_day=company._followup_get_business_days(today),
            conflict=model == "account.move" and company._followup_has_other_dunning(),
        )

    # --- dates ------------------------------------------------------------------

    @api.model
    def _get_dates(self, documents, types):
        """Give document date and due date of each document, as its type says.

        :return: dict of document → (date, date or ``None``)
        """
        due = documents._followup_get_due_dates()
        dates = {}
        for document in documents:
            doc_type, company = types[document], self._get_company(document)
            name = doc_type.date_field
            value = (name and document[name]) or document.create_date
            due_value = due.get(document.id)
            if due_value is None and doc_type.due_field:
                due_value = document[doc_type.due_field]
            dates[document] = (
                self._get_day(company, value),
                self._get_day(company, due_value) if due_value else None,
            )
        return dates

    @api.model
    def _get_day(self, company, value):
        """Give a date, or the day of an instant where the company is."""
        if isinstance(value, datetime):
            return company._followup_local_day(value)
        return value

    @api.model
    def _get_company(self, document):
        return document.company_id or self.env.company

    # --- standing and address ---------------------------------------------------

    @api.model
    def _get_standings(self, documents, by_type):
        """Tell how far each document has come.

        :param by_type: dict of document type → its documents
        :return: dict of document → :class:`~..rules.verdict.Standing`
        """
        standings = dict.fromkeys(documents, Standing.CLOSED)
        for doc_type, of_type in by_type.items():
            is_open = of_type.filtered_domain(doc_type._get_domain("open_domain"))
            chased = of_type.filtered_domain(doc_type._get_domain("chase_domain"))
            drafts = of_type.filtered(lambda document: document.state == "draft")
            standings.update(dict.fromkeys(is_open, Standing.NOT_CHASED))
            standings.update(dict.fromkeys(is_open & drafts, Standing.DRAFT))
            standings.update(dict.fromkeys(chased, Standing.CHASED))
        return standings

    @api.model
    def _get_addresses(self, documents, contacts):
        """Tell what each recipient's e-mail address is worth.

        :return: dict of document → :class:`~..rules.verdict.Address`
        """
        recipients = documents._followup_get_recipients("email")
        recipients = {doc: contacts.get(doc) or recipients[doc] for doc in documents}
        everybody = self.env["res.partner"].sudo().union(*recipients.values())
        blacklist = set(
            self.env["mail.blacklist"]
            .sudo()
            .search([("email", "in", everybody.mapped("email_normalized"))])
            .mapped("email")
        )
        return {
            document: self._judge_address(document, recipient.sudo(), blacklist)
            for document, recipient in recipients.items()
        }

    @api.model
    def _judge_address(self, document, recipient, blacklist):
        if not recipient:
            typed = any(
                contact.email for contact in document._followup_get_candidates()
            )
            return Address.INVALID if typed else Address.MISSING
        if not recipient.email_normalized:
            return Address.INVALID if recipient.email else Address.MISSING
        if recipient.email_normalized in blacklist:
            return Address.BLACKLISTED
        return Address.BOUNCING if recipient.message_bounce else Address.USABLE

    # --- reminders and answers --------------------------------------------------

    @api.model
    def _get_reminders(self, documents):
        """Give what was sent about each document in its present cycle.

        :return: dict of document id → ``sales.followup.reminder``
        """
        reminders = self.env["sales.followup.reminder"].sudo()
        link = reminders._get_document_field(documents._name)
        found = reminders.search_fetch(
            [
                (link, "in", documents.ids),
                # a call is a level, too, if it was made as one
                ("template_id", "!=", False),
            ],
            [link, "template_id", "date", "state", "cycle", "is_final", "origin"],
            order="id",
        )
        cycles = {document.id: document.followup_cycle for document in documents}
        current = found.filtered(lambda r: r.cycle == cycles[r[link].id])
        return {
            document.id: reminders_of_document
            for document, reminders_of_document in current.grouped(link).items()
        }

    @api.model
    def _get_levels(self, document, reminders):
        """Split a document's reminders into levels sent and levels given up.

        One that failed and will be tried again is neither: its level is still to come.
        So is one a person failed to send.

        :return: (dict of template id → day, frozenset of template ids)
        """
        company = self._get_company(document)
        sent, failed = [], set()
        for reminder in reminders:
            if reminder.state != "failed":
                day = company._followup_local_day(reminder.date)
                sent.append((reminder.template_id.id, reminder.date, day))
            elif reminder.origin == "auto" and reminder.is_final:
                failed.add(reminder.template_id.id)
        return levels_sent(sent, None), frozenset(failed)

    @api.model
    def _get_open_answers(self, documents):
        """Give when the customer last answered, where nobody took it up yet.

        Messages tell by their ids which of them were known. One that was imported
        later is told by its date, by which it was written before.

        :return: dict of document id → naive UTC datetime
        """
        seen = {document: document.followup_seen_message for document in documents}
        answers = documents._followup_get_answers(seen)
        contacts = {doc.id: self._get_last_contact(doc) for doc in documents}
        open_answers = {}
        for answer in answers:
            last = contacts[answer.res_id]
            if last is None or answer.create_date >= last - SLACK:
                # the last one: whoever overrules an answer has read no later one
                open_answers[answer.res_id] = answer.create_date
        return open_answers

    @api.model
    def _get_last_contact(self, document):
        """Give when the document was last sent, reminded of or resumed.

        Where clocks differ the earliest counts: better an answer too many.

        :return: naive UTC datetime, ``None`` where it is not known
        """
        reminder = document.followup_last_reminder_id
        reminded = reminder and min(reminder.create_date, reminder.date)
        sent = max(filter(None, (document.followup_sent_date, reminded)), default=None)
        known = (sent, document.followup_seen_date)
        return min(filter(None, known), default=None)

    # --- customers --------------------------------------------------------------

    @api.model
    def _get_customers(self, documents):
        """Give the facts about the customers of documents.

        A contact may be marked, or its company for all of them.

        :return: dict of document → :class:`~..rules.verdict.Customer`
        """
        customers = documents.partner_id.commercial_partner_id
        reminded = self._get_last_reminded(customers)
        facts = {}
        for document in documents:
            contact = document.partner_id
            customer = contact.commercial_partner_id
            pauses = (contact | customer).mapped("followup_pause_until")
            last = reminded.get(customer.id)
            company = self._get_company(document)
            facts[document] = Customer(
                excluded=contact.followup_exclude or customer.followup_exclude,
                paused_until=max(filter(None, pauses), default=None),
                reminded_on=last and company._followup_local_day(last),
            )
        return facts

    @api.model
    def _get_last_reminded(self, customers):
        """Give when each customer was last sent an e-mail or a letter.

        :return: dict of partner id → naive UTC datetime
        """
        rows = (
            self.env["sales.followup.reminder"]
            .sudo()
            ._read_group(
                [
                    ("partner_id", "in", customers.ids),
                    ("channel", "in", SENDING),
                    ("state", "in", ("outgoing", "done")),
                ],
                ["partner_id"],
                ["date:max"],
            )
        )
        return {customer.id: last for customer, last in rows}
