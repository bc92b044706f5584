import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from psycopg2.errors import UniqueViolation

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...batches import halve
from ...rules import verdict as rule
from ...rules.verdict import Mode


@dataclass(frozen=True)
class Request:
    """One reminder that is to be sent.

    :param document: record that has the follow-up mixin
    :param template: ``sales.followup.template``
    :param channel: ``email`` or ``letter``
    :param values: more values of the reminder: ``origin``, ``run_id``, ``contact_id``
    :param overruled: keys of the reasons a person knew, and decided to send against
    :param reminder: ``sales.followup.reminder`` that failed, to be sent again
    """

    document: models.BaseModel
    template: models.BaseModel
    channel: str
    values: Mapping = field(default_factory=dict)
    overruled: Collection[str] = ()
    reminder: models.BaseModel | None = None

    @property
    def contact(self):
        """Return the recipient who was chosen; empty for the one the rule says."""
        partners = self.document.env["res.partner"]
        if self.reminder:
            return self.reminder._get_kept_contact()
        return partners.browse(self.values.get("contact_id") or ())


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    :param state: ``sent``; ``failed``, with a reminder that says so; ``refused`` by the
        verdict; ``busy``: somebody else works on the document, ask again later
    :param reasons: sentences, why it was refused or failed
    :param reminder: ``sales.followup.reminder``; ``None`` where none was made
    :param codes: of the reasons, where it was refused
    """

    state: str
    reasons: tuple = ()
    reminder: models.BaseModel | None = None
    codes: tuple = ()


def is_temporary_error(error):
    """Tell whether the same reminder may succeed later: a full disk, a network."""
    return isinstance(error, OSError)


def explain_error(env, error):
    """Say in a sentence what went wrong while a reminder was made."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return env._(
                "The server's disk is full. The reminder is sent again when there is "
                "room."
            )
        return env._(
            "The server could not read or write a file: %(problem)s.",
            problem=error.strerror or str(error),
        )
    return repr(error)


class SalesFollowupDispatcher(models.AbstractModel):
    """The only way out: sends reminders so that none goes out twice.

    The dialog, code, *Send Again*, bulk and automatic runs all come here. A
    transaction locks documents and customers first, then asks the verdict again, then
    makes reminder and e-mail: all of it is committed, or nothing is. The second one to
    come finds the rows locked, or changed since its snapshot, and the database refuses.
    """

    _name = "sales.followup.dispatcher"
    _description = "Dispatcher of Reminders"

    def _dispatch(self, requests, mode, wait=False):
        """Send what may be sent.

        The caller commits afterwards, and starts with a transaction of its own: locks
        and snapshot hold until then. Nothing expensive is done before the locks are
        taken.

        :param requests: list of :class:`Request` on one model of documents, the most
            urgent first
        :param mode: :class:`~..rules.verdict.Mode`
        :param wait: a person is waiting: wait for documents that somebody else holds,
            and deliver e-mails right after the commit instead of leaving them to Odoo's
            queue
        :return: dict of document → :class:`Outcome`
        """
        documents = requests[0].document.union(*(one.document for one in requests))
        locked = self._wait_for(documents) if wait else self._lock(documents)
        outcomes = {
            request.document: Outcome("busy")
            for request in requests
            if request.document not in locked
        }
        free = [request for request in requests if request.document in locked]
        fit = self._refuse_unfit(free, outcomes)
        accepted = self._ask_again(fit, mode, outcomes)
        outcomes.update(self._send(accepted, at_once=wait))
        self._touch_customers([request.document for request in accepted])
        return outcomes

    def _lock(self, documents):
        """Lock documents and their customers, those that nobody else has.

        :return: the documents that are locked together with their customer
        """
        # what was read in an earlier transaction may be stale; and what this one reads
        # is true once it is locked: the database refuses to lock what changed meanwhile
        self.env.invalidate_all()
        # sudo: locking is not changing
        documents = documents.sudo()
        mine = documents.try_lock_for_update(allow_referencing=True)
        customers = mine.partner_id.commercial_partner_id
        customers = customers.try_lock_for_update(allow_referencing=True)
        return mine.filtered(lambda d: d.partner_id.commercial_partner_id in customers)

    def _wait_for(self, documents):
        """Lock documents and their customers for a person, who waits for those that
        have them.

        Where these sent something, the database refuses: the request is tried again,
        and knows of it then.

        :return: the documents
        """
        # sudo: locking is not changing
        customers = documents.sudo().partner_id.commercial_partner_id
        for records in (documents, customers):
            self.env.execute_query(
                SQL(
                    "SELECT id FROM %s WHERE id = ANY(%s) ORDER BY id"
                    " FOR NO KEY UPDATE",
                    SQL.identifier(records._table),
                    records.ids,
                )
            )
        self.env.invalidate_all()
        return documents

    # --- the verdict ------------------------------------------------------------

    def _refuse_unfit(self, requests, outcomes):
        """Refuse requests that cannot be written or addressed; the verdict decides
        about the others. Refusals go into ``outcomes``.

        :return: the requests that are left
        """
        fit = []
        for request in requests:
            if problem := self._get_problem(request):
                outcomes[request.document] = Outcome("refused", (problem,))
            else:
                fit.append(request)
        return self._refuse_unaddressed(fit, outcomes)

    def _get_problem(self, request):
        """Say why a request has no text, or ``None``."""
        template = request.template.sudo()
        if not template:
            return self.env._("There is no template for this document.")
        if request.reminder:
            return None
        if not template.active:
            return self.env._(
                "Template “%(template)s” was archived.", template=template.name
            )
        if not template._has_text(request.channel):
            return self.env._(
                "Template “%(template)s” has no text for this channel; write one, or "
                "choose another template.",
                template=template.name,
            )
        return None

    def _refuse_unaddressed(self, requests, outcomes):
        """Refuse letters to customers without a postal address.

        :return: the requests that are left
        """
        letters = [
            one for one in requests if one.channel != "email" and not one.contact
        ]
        if not letters:
            return requests
        documents = letters[0].document.union(*(one.document for one in letters))
        recipients = {}
        for channel in {one.channel for one in letters}:
            found = documents._followup_get_recipients(channel)
            recipients.update({(channel, doc): found[doc] for doc in documents})
        refused = set()
        for request in letters:
            document = request.document
            if not recipients[request.channel, document]:
                text = document._followup_get_unreachable_message(request.channel)
                outcomes[document] = Outcome("refused", (text,))
                refused.add(document)
        return [request for request in requests if request.document not in refused]

    def _ask_again(self, requests, mode, outcomes):
        """Ask the verdict of locked documents; refusals go into ``outcomes``.

        The minimum of days counts among the requests, too: the first of a customer's
        documents goes, the others wait.

        :return: the requests that may go
        """
        judge = self.env["sales.followup.judge"]
        accepted = set()
        for by_email in (True, False):
            alike = [one for one in requests if (one.channel == "email") == by_email]
            if not alike:
                continue
            judged = judge._judge(
                alike[0].document.union(*(one.document for one in alike)),
                mode=mode,
                templates={one.document: one.template for one in alike},
                by_email=by_email,
                contacts={one.document: one.contact for one in alike},
            )
            for request in alike:
                # a person overrules what they knew: what came up since counts
                reasons = tuple(
                    reason
                    for reason in judged[request.document].verdict.reasons
                    if reason.hard or not self._is_overruled(reason, request, mode)
                )
                if reasons:
                    outcomes[request.document] = self._refuse(request, reasons, mode)
                else:
                    accepted.add(request.document)
        # the most urgent first again
        urgent = [request for request in requests if request.document in accepted]
        return self._keep_distance(urgent, mode, outcomes)

    def _is_overruled(self, reason, request, mode):
        """Tell whether a person decided to send against a reason. Who sends once more
        what failed decided before that it was not too early."""
        is_again = request.reminder and mode is not Mode.AUTOMATIC
        return reason.key in request.overruled or (
            is_again and reason.code in rule.EARLY
        )

    def _refuse(self, request, reasons, mode):
        """Say why a request is refused.

        Where an automatic reminder has no address, that is a failure, which somebody is
        to look after.
        """
        codes = tuple(reason.code for reason in reasons)
        if mode is Mode.AUTOMATIC and rule.UNREACHABLE.issuperset(codes):
            return self._note_unreachable(request)
        judge = self.env["sales.followup.judge"]
        currency = request.document.sudo().company_id.currency_id
        texts = tuple(judge._explain(reason, currency) for reason in reasons)
        # a document that cannot be judged is broken: that is no decision
        state = "failed" if rule.Code.NOT_JUDGED in codes else "refused"
        return Outcome(state, texts, codes=codes)

    def _keep_distance(self, requests, mode, outcomes):
        """Leave out further documents of a customer where a minimum of days is set."""
        kept, reminded = [], set()
        for request in requests:
            document = request.document.sudo()
            company = document.company_id or self.env.company
            customer = document.partner_id.commercial_partner_id
            distance = company.followup_min_days
            reason = distance and rule.too_soon(company._followup_today(), distance)
            if reason and customer in reminded and reason.key not in request.overruled:
                outcomes[request.document] = self._refuse(request, (reason,), mode)
            else:
                reminded.add(customer)
                kept.append(request)
        return kept

    # --- sending ----------------------------------------------------------------

    def _send(self, requests, at_once):
        """Send all at once; where that fails, one by one, so that a bad document costs
        only itself.

        :param at_once: see :meth:`_get_senders`
        :return: dict of document → :class:`Outcome`
        """
        return halve(
            self.env.cr,
            requests,
            lambda some: self._send_together(some, at_once),
            lambda one, error: {one[0].document: self._note_failure(one[0], error)},
        )

    def _send_together(self, requests, at_once):
        """Make the reminders of requests, and their e-mails and letters."""
        reminders = self._make_reminders(requests)
        for channel, send in self._get_senders().items():
            if of_channel := reminders.filtered(lambda r, c=channel: r.channel == c):
                send(of_channel, at_once)
        self.env.flush_all()
        return {
            request.document: self._get_outcome(reminder)
            for request, reminder in zip(requests, reminders, strict=True)
        }

    def _get_senders(self):
        """Return how each channel is sent: the seam for another one.

        :return: dict of channel → method taking outgoing reminders, and whether they
            are to leave right after the commit (a person is waiting) or may be left to
            a queue
        """
        return {
            "email": self.env["sales.followup.emailer"]._send,
            "letter": self.env["sales.followup.letter.sender"]._send,
        }

    def _get_outcome(self, reminder):
        """Tell what became of a reminder: its address may be refused already."""
        if reminder.state == "failed":
            return Outcome("failed", (reminder.failure_reason,), reminder)
        return Outcome("sent", (), reminder)

    def _note_failure(self, request, error):
        """Keep a reminder that failed, with the reason."""
        if isinstance(error, UniqueViolation):
            # somebody was quicker: it was sent, and that is what was wanted
            text = self.env._("Somebody else sent it meanwhile.")
            return Outcome("refused", (text,))
        text = explain_error(self.env, error)
        reminder = self._make_reminders([request], state="failed")
        for_good = not is_temporary_error(error)
        reminder._fail_again(text, is_final=for_good, is_unwritable=for_good)
        return Outcome("failed", (text,), reminder)

    def _note_unreachable(self, request):
        """Record a failed reminder until the customer has an address."""
        text = request.document._followup_get_unreachable_message(request.channel)
        reminder = self._make_reminders([request], state="failed")
        reminder._fail(text, attempts=reminder.attempts, is_final=False)
        return Outcome("failed", (text,), reminder)

    def _make_reminders(self, requests, state="outgoing"):
        """Make the reminders of requests, or take those that are sent again.

        :return: ``sales.followup.reminder``, in the order of ``requests``
        """
        new = [request for request in requests if not request.reminder]
        created = iter(self._create_reminders(new, state) if new else ())
        reminders = self.env["sales.followup.reminder"].concat(
            *(
                one.reminder.with_env(self.env) if one.reminder else next(created)
                for one in requests
            )
        )
        failed = reminders.filtered(lambda reminder: reminder.state == "failed")
        if state == "outgoing":
            failed._revive()
        return reminders

    def _create_reminders(self, requests, state):
        """Create the reminders of requests, in their order."""
        # sudo: what is sent is no user's to write
        reminders = self.env["sales.followup.reminder"].sudo()
        link = reminders._get_document_field(requests[0].document._name)
        documents = requests[0].document.union(*(one.document for one in requests))
        recipients = {
            channel: documents._followup_get_recipients(channel)
            for channel in {request.channel for request in requests}
        }
        created = reminders.create(
            [
                {
                    "contact_id": recipients[request.channel][request.document].id,
                    **request.values,
                    link: request.document.id,
                    "template_id": request.template.id,
                    "channel": request.channel,
                    "state": state,
                    "overruled": sorted(request.overruled) or False,
                }
                for request in requests
            ]
        )
        return created.with_env(self.env)

    def _touch_customers(self, documents):
        """Change the row of each customer that was reminded.

        A transaction that read the customer before, and sends later, is refused by the
        database then: it would not know of this reminder.
        """
        customers = {
            doc.sudo().partner_id.commercial_partner_id.id for doc in documents
        }
        if customers:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE res_partner SET followup_touched = NOW() AT TIME ZONE 'UTC'
                     WHERE id = ANY(%s)
                    """,
                    sorted(customers),
                )
            )
