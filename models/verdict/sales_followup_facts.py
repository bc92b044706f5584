from collections import defaultdict

from odoo import models

from ...rules.answers import Answer, Contact, open_answer
from ...rules.cadence import levels_sent
from ...rules.verdict import Address, Customer, Document, Settings
from ..reminders.sales_followup_template import SENDING


class SalesFollowupFacts(models.AbstractModel):
    """Fetches what a verdict has to know, for many documents at a time.

    Everything is read as superuser: whether a customer may be reminded does not depend
    on who asks.
    """

    _name = "sales.followup.facts"
    _description = "Facts about Documents to Chase"

    def _fetch(self, documents, contacts=None):
        """Fetch the facts about documents.

        :param documents: recordset of one model that has the follow-up mixin
        :param contacts: dict of document → ``res.partner`` to write to, where it is not
            who the rule says
        :return: dict of document → (:class:`~..rules.verdict.Document`,
            :class:`~..rules.verdict.Customer`)
        """
        documents = documents.sudo().with_context(active_test=False)
        situations = documents._followup_get_situations()
        dates = documents._followup_get_dates(
            {document: situation.type for document, situation in situations.items()}
        )
        circumstances = documents._followup_get_circumstances(
            {document: due for document, (_dated, due) in dates.items()}
        )
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
                    planned_on=document.followup_next_date or None,
                    **circumstances.get(document, {}),
                    standing=situations[document].standing,
                    address=addresses[document],
                    excluded=document.followup_exclude,
                    paused_until=document.followup_pause_until or None,
                    answered_at=answers.get(document.id),
                    objections=tuple(objections.get(document, ())),
                    sent=sent,
                    failed=failed,
                ),
                customers[document],
            )
        return facts

    def _get_settings(self, company, today, model):
        """Return the decisions of a company.

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

    def _get_company(self, document):
        return document.company_id or self.env.company

    # --- address ----------------------------------------------------------------

    def _get_addresses(self, documents, contacts):
        """Tell what each recipient's e-mail address is worth.

        :return: dict of document → :class:`~..rules.verdict.Address`
        """
        recipients = documents._followup_get_recipients("email")
        recipients = {doc: contacts.get(doc) or recipients[doc] for doc in documents}
        everybody = self.env["res.partner"].sudo().union(*recipients.values())
        blacklist = everybody._followup_get_blacklisted()
        return {
            document: self._judge_address(document, recipient.sudo(), blacklist)
            for document, recipient in recipients.items()
        }

    def _judge_address(self, document, recipient, blacklist):
        if not recipient:
            candidates = document._followup_get_candidates().filtered("email")
            if not candidates:
                return Address.MISSING
            # archived ones are candidates who cannot be reached
            return (
                Address.INVALID
                if any(candidates.mapped("active"))
                else (Address.ARCHIVED)
            )
        if not recipient.email_normalized:
            return Address.INVALID if recipient.email else Address.MISSING
        if recipient._followup_get_addresses() & blacklist:
            return Address.BLACKLISTED
        bounced = recipient._followup_get_bounced()
        return Address.BOUNCING if bounced else Address.USABLE

    # --- reminders and answers --------------------------------------------------

    def _get_reminders(self, documents):
        """Return what was sent about each document in its present cycle.

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
                sent.append((reminder.template_id.id, day))
            elif reminder.origin == "auto" and reminder.is_final:
                failed.add(reminder.template_id.id)
        return levels_sent(sent), frozenset(failed)

    def _get_open_answers(self, documents):
        """Return when the customer last answered, where nobody has handled it yet.

        :return: dict of document id → naive UTC datetime
        """
        seen = {document: document.followup_seen_message for document in documents}
        answers = defaultdict(list)
        for message in documents._followup_get_answers(seen):
            answers[message.res_id].append(Answer(message.id, message.create_date))
        found = {}
        for document in documents:
            if of_document := answers.get(document.id):
                contact = self._get_contact(document)
                if answer := open_answer(of_document, contact):
                    found[document.id] = answer.at
        return found

    def _get_contact(self, document):
        """Return what tells which answers are known."""
        reminder = document.followup_last_reminder_id
        return Contact(
            seen=document.followup_seen_message,
            seen_at=document.followup_seen_date or None,
            sent_at=document.followup_sent_date or None,
            reminded_at=(reminder.create_date, reminder.date) if reminder else (),
        )

    # --- customers --------------------------------------------------------------

    def _get_customers(self, documents):
        """Return the facts about the customers of documents.

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

    def _get_last_reminded(self, customers):
        """Return when each customer was last sent an e-mail or a letter.

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
