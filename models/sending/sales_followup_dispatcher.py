from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...rules import verdict as rule
from ...rules.verdict import Mode
from .sales_followup_reminder_delivery import MAX_ATTEMPTS

#: what is worth another try: the rest will fail again
TEMPORARY = (OSError,)


#: what becomes of a line of a run, by the state of its outcome
STATES = {"sent": "done", "failed": "failed", "refused": "skipped"}


@dataclass(frozen=True)
class Order:
    """One reminder that is to be sent.

    :param document: record that has the follow-up mixin
    :param template: ``sales.followup.template``
    :param channel: ``email`` or ``letter``
    :param values: further values of the reminder: ``origin``, ``run_id``, …
    :param overruled: keys of the reasons a person knew, and decided to send against
    :param reminder: ``sales.followup.reminder`` that failed, to send once more
    """

    document: models.BaseModel
    template: models.BaseModel
    channel: str
    values: Mapping = field(default_factory=dict)
    overruled: Collection[str] = ()
    reminder: models.BaseModel | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of an order.

    :param state: ``sent``; ``failed``, with a reminder that says so; ``refused`` by the
        verdict; ``busy``: somebody else works on the document, ask again later
    :param reasons: sentences, why it was refused or failed
    :param reminder: ``sales.followup.reminder``, empty unless sent or failed
    :param codes: of the reasons, where it was refused
    """

    state: str
    reasons: tuple = ()
    reminder: models.BaseModel | None = None
    codes: tuple = ()


def find_conflict(error):
    """Give the conflict with another transaction, or the loss of the connection, that
    is behind an error; ``None`` where something else is.

    Who renders texts and reports wraps what goes wrong into errors of its own. A
    document is not to be blamed for it.
    """
    while error and not isinstance(error, (OperationalError, InterfaceError)):
        error = error.__cause__
    return error


class SalesFollowupDispatcher(models.AbstractModel):
    """Sends reminders so that none goes out twice.

    Everybody who sends without a person at the dialog comes here; the dialog takes the
    same locks by :meth:`_wait_for`, and touches the customer, too. A transaction locks
    documents and customers first, then asks the verdict again, then makes reminder and
    e-mail: all of it is committed, or nothing is. Who comes second finds the rows
    locked, or changed since its snapshot, and the database refuses.
    """

    _name = "sales.followup.dispatcher"
    _description = "Dispatcher of Reminders"

    @api.model
    def _dispatch(self, orders, mode):
        """Send what may be sent.

        The caller commits afterwards, and starts with a transaction of its own: locks
        and snapshot hold until then.

        :param orders: list of :class:`Order` on one model of documents, the most urgent
            first
        :param mode: :class:`~..rules.verdict.Mode`
        :return: dict of document → :class:`Outcome`
        """
        documents = orders[0].document.union(*(order.document for order in orders))
        locked = self._lock(documents)
        outcomes = {
            order.document: Outcome("busy")
            for order in orders
            if order.document not in locked
        }
        free = [order for order in orders if order.document in locked]
        accepted = self._ask_again(free, mode, outcomes)
        outcomes.update(self._send(accepted))
        self._touch_customers([order.document for order in accepted])
        return outcomes

    @api.model
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

    @api.model
    def _wait_for(self, documents):
        """Lock documents and their customers for a person, who waits for those that
        have them.

        Where these sent something, the database refuses: the request is tried again,
        and knows of it then.
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

    @api.model
    def _ask_again(self, orders, mode, outcomes):
        """Ask the verdict of locked documents; refusals go into ``outcomes``.

        The minimum of days counts among the orders, too: the first of a customer's
        documents goes, the others wait.

        :return: the orders that may go
        """
        judge = self.env["sales.followup.judge"]
        accepted = set()
        for by_email in (True, False):
            alike = [o for o in orders if (o.channel == "email") == by_email]
            if not alike:
                continue
            judged = judge._judge(
                alike[0].document.union(*(order.document for order in alike)),
                mode=mode,
                templates={order.document: order.template for order in alike},
                by_email=by_email,
            )
            for order in alike:
                # a person overrules what they knew: what came up since counts
                reasons = tuple(
                    reason
                    for reason in judged[order.document].verdict.reasons
                    if reason.hard or reason.key not in order.overruled
                )
                if reasons:
                    outcomes[order.document] = self._refuse(order, reasons, mode)
                else:
                    accepted.add(order.document)
        # the most urgent first again
        urgent = [order for order in orders if order.document in accepted]
        return self._keep_distance(urgent, mode, outcomes)

    @api.model
    def _refuse(self, order, reasons, mode):
        """Say why an order is not sent.

        By itself nothing goes to who has no address: that is a failure, and somebody is
        to look after it.
        """
        codes = tuple(reason.code for reason in reasons)
        if mode is Mode.AUTOMATIC and rule.UNREACHABLE.issuperset(codes):
            return self._note_unreachable(order)
        judge = self.env["sales.followup.judge"]
        currency = order.document.sudo().company_id.currency_id
        texts = tuple(judge._explain(reason, currency) for reason in reasons)
        return Outcome("refused", texts, codes=codes)

    @api.model
    def _keep_distance(self, orders, mode, outcomes):
        """Leave out further documents of a customer where a minimum of days is set."""
        kept, reminded = [], set()
        for order in orders:
            document = order.document.sudo()
            company = document.company_id or self.env.company
            customer = document.partner_id.commercial_partner_id
            distance = company.followup_min_days
            reason = distance and rule.too_soon(company._followup_today(), distance)
            if reason and customer in reminded and reason.key not in order.overruled:
                outcomes[order.document] = self._refuse(order, (reason,), mode)
            else:
                reminded.add(customer)
                kept.append(order)
        return kept

    # --- sending ----------------------------------------------------------------

    @api.model
    def _send(self, orders):
        """Send all at once; where that fails, one by one, so that a bad document costs
        only itself.

        :return: dict of document → :class:`Outcome`
        """
        if not orders:
            return {}
        try:
            with self.env.cr.savepoint():
                return self._send_together(orders)
        except Exception as error:  # noqa: BLE001 whatever texts, PDF and addons may raise
            if conflict := find_conflict(error):
                # the caller starts anew
                raise conflict from None
            if len(orders) == 1:
                return {orders[0].document: self._send_alone(orders[0])}
        half = len(orders) // 2
        return {**self._send(orders[:half]), **self._send(orders[half:])}

    @api.model
    def _send_together(self, orders):
        """Make the reminders of orders, and their e-mails and letters."""
        reminders = self._make_reminders(orders)
        # the e-mails of those that failed are written already
        unwritten = reminders - reminders.filtered("message_id")._queue_once_more()
        for channel, send in self._get_senders().items():
            if of_channel := unwritten.filtered(lambda r, c=channel: r.channel == c):
                send(of_channel)
        self.env.flush_all()
        return {
            order.document: self._get_outcome(reminder)
            for order, reminder in zip(orders, reminders, strict=True)
        }

    @api.model
    def _get_senders(self):
        """Give how each channel is sent here: e-mails are left to Odoo's queue.

        :return: dict of channel → method taking outgoing reminders
        """
        return {
            "email": self.env["sales.followup.emailer"]._enqueue,
            "letter": self.env["sales.followup.letter.sender"]._send,
        }

    @api.model
    def _get_outcome(self, reminder):
        """Tell what became of a reminder: its address may be refused already."""
        if reminder.state == "failed":
            return Outcome("failed", (reminder.failure_reason,), reminder)
        return Outcome("sent", (), reminder)

    @api.model
    def _send_alone(self, order):
        """Send one order that failed among others, and note why if it fails again."""
        try:
            with self.env.cr.savepoint():
                return self._send_together([order])[order.document]
        except UniqueViolation:
            # somebody was quicker: it was sent, and that is what was wanted
            text = self.env._("Somebody else sent it meanwhile.")
            return Outcome("refused", (text,))
        except Exception as error:  # noqa: BLE001 as above
            if conflict := find_conflict(error):
                raise conflict from None
            return self._note_failure(order, error)

    @api.model
    def _note_failure(self, order, error):
        """Keep a reminder that failed, with the reason."""
        text = str(error) if isinstance(error, UserError) else repr(error)
        reminder = self._make_reminders([order], state="failed")
        attempts = reminder.attempts + 1
        reminder._fail(
            text,
            attempts=attempts,
            is_final=not isinstance(error, TEMPORARY) or attempts >= MAX_ATTEMPTS,
        )
        return Outcome("failed", (text,), reminder)

    @api.model
    def _note_unreachable(self, order):
        """Keep a reminder that nobody can get, until there is an address."""
        text = order.document._followup_get_unreachable_message(order.channel)
        reminder = self._make_reminders([order], state="failed")
        reminder._fail(text, attempts=reminder.attempts, is_final=False)
        return Outcome("failed", (text,), reminder)

    @api.model
    def _make_reminders(self, orders, state="outgoing"):
        """Make the reminders of orders, or take those that are sent once more.

        :return: ``sales.followup.reminder``, in the order of ``orders``
        """
        new = [order for order in orders if not order.reminder]
        created = iter(self._create_reminders(new, state) if new else ())
        reminders = self.env["sales.followup.reminder"].concat(
            *(order.reminder or next(created) for order in orders)
        )
        failed = reminders.filtered(lambda reminder: reminder.state == "failed")
        if state == "outgoing":
            failed._revive()
        return reminders

    @api.model
    def _create_reminders(self, orders, state):
        """Create the reminders of orders, in their order."""
        # sudo: what is sent is no user's to write
        reminders = self.env["sales.followup.reminder"].sudo()
        link = reminders._get_document_field(orders[0].document._name)
        documents = orders[0].document.union(*(order.document for order in orders))
        recipients = {
            channel: documents._followup_get_recipients(channel)
            for channel in {order.channel for order in orders}
        }
        created = reminders.create(
            [
                {
                    "contact_id": recipients[order.channel][order.document].id,
                    **order.values,
                    link: order.document.id,
                    "template_id": order.template.id,
                    "channel": order.channel,
                    "state": state,
                }
                for order in orders
            ]
        )
        return created.with_env(self.env)

    @api.model
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
