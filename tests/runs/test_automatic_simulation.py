from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from freezegun import freeze_time

from odoo.tests import tagged

from ...models.runs.sales_followup_run_process import Paces
from ..common_automatic import AutomaticCommon

#: what happens is thrown with dice; a failure names the seed
SEED = 2026

DAYS = 60
QUOTATIONS = 200
INVOICES = 100
CUSTOMERS = 70

#: how many things happen on a day, besides runs
EVENTS = 7

ZONE = ZoneInfo("Europe/Paris")
ONE_DAY = timedelta(days=1)


# --- the oracle -----------------------------------------------------------------------
# What ought to go out, told without any code of the addon: one document after the
# other, one day after the other.


@dataclass(frozen=True)
class Step:
    """One level of a series.

    :param base: ``due``, ``date`` or ``last``
    """

    name: str
    base: str
    offset: int
    since: date = date.min
    least: float = 0


@dataclass
class Party:
    """A customer."""

    marked: bool = False
    paused: date = date.min
    reached: bool = True
    written: date = date.min


@dataclass
class Paper:
    """A document.

    :param done: level → day, of the present cycle
    """

    key: int
    party: Party
    steps: list
    dated: date
    due: date | None
    amount: float
    living: bool = True
    marked: bool = False
    paused: date = date.min
    answered: bool = False
    done: dict = field(default_factory=dict)


class Oracle:
    """Knows what a run ought to send."""

    def __init__(self):
        self.papers = {}
        self.on = True
        self.rest = 0
        self.weekdays_only = False
        self.holidays = set()
        self.sent = set()

    def run(self, today):
        if not self.on:
            return
        if self.weekdays_only and (today.weekday() > 4 or today in self.holidays):
            return
        ready = []
        for paper in self.papers.values():
            step = self.find_step(paper, today)
            if step and self.may_write(paper, today):
                ready.append((paper.due or paper.dated, paper, step))
        for _urgency, paper, step in sorted(ready, key=lambda one: one[0]):
            if self.rest and today < paper.party.written + self.rest * ONE_DAY:
                continue
            self.write(paper, step, today)
            self.sent.add((paper.key, step.name, today))

    def may_write(self, paper, today):
        party = paper.party
        marked = paper.marked or party.marked
        paused = today < paper.paused or today < party.paused
        return (
            paper.living and party.reached and not (marked or paused or paper.answered)
        )

    def write(self, paper, step, today):  # pylint: disable=method-required-super
        """Somebody writes: the run, or a person."""
        paper.done[step.name] = today
        paper.party.written = today
        paper.answered = False

    def find_step(self, paper, today):
        """Return the step that is to be taken today, if any."""
        names = [step.name for step in paper.steps]
        taken = [names.index(name) for name in paper.done]
        left = paper.steps[max(taken, default=-1) + 1 :]
        for step in left:
            asked = self.ask_day(paper, step)
            if asked is None or asked < step.since or paper.amount < step.least:
                # never
                continue
            return step if today >= max(asked, self.keep_apart(paper, step)) else None
        return None

    def ask_day(self, paper, step):
        """Return the day a step asks for."""
        last = max(paper.done.values(), default=None)
        start = {"due": paper.due, "date": paper.dated, "last": last}[step.base]
        return start and start + step.offset * ONE_DAY

    def keep_apart(self, paper, step):
        """Return the first day that is far enough from what was sent before."""
        if not paper.done:
            return date.min
        before = [one for one in paper.steps if one.name in paper.done]
        ideal = None
        for one in before:
            ideal = self.dream(paper, one, ideal)
        wanted = self.dream(paper, step, ideal)
        gap = (wanted - ideal).days if wanted and ideal else 1
        return max(paper.done.values()) + max(gap, 1) * ONE_DAY

    def dream(self, paper, step, before):
        """Return the day of a step if everything had gone out in time."""
        start = {"due": paper.due, "date": paper.dated, "last": before}[step.base]
        return start and start + step.offset * ONE_DAY


# --- the season -----------------------------------------------------------------------


@tagged("post_install", "-at_install")
class TestSeason(AutomaticCommon):
    """Sixty days of an office: what goes out is what ought to, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.resource_calendar_id.tz = ZONE.key
        # demo documents are not of this office
        cls.env["sale.order"].search([("state", "=", "sent")]).followup_exclude = True
        cls.env["account.move"].search([]).followup_exclude = True
        cls.dice = Random(SEED)
        cls.oracle = Oracle()
        cls.documents, cls.parties, cls.templates = {}, {}, {}
        with freeze_time(f"{cls._day(-10)} 08:00:00"):
            cls._open_office()

    @classmethod
    def _open_office(cls):
        cls.env["resource.calendar.leaves"].create(
            [
                {
                    "name": "Public holiday",
                    "company_id": cls.env.company.id,
                    "calendar_id": cls.env.company.resource_calendar_id.id,
                    "date_from": f"{day - ONE_DAY} 22:00:00",
                    "date_to": f"{day} 23:00:00",
                }
                for day in (cls._day(34), cls._day(41))
            ]
        )
        cls.oracle.holidays = {cls._day(34), cls._day(41)}
        mild = cls._create_steps(
            "quotation",
            "[]",
            Step("mild 1", "due", -2),
            Step("mild 2", "due", 3, since=cls._day(12)),
            Step("mild 3", "last", 4),
        )
        busy = cls._create_steps(
            "quotation",
            "[('client_order_ref', '=', 'busy')]",
            Step("busy 1", "date", 9),
            Step("busy 2", "last", 2, least=300),
            Step("busy 3", "date", 15),
        )
        money = cls._create_steps(
            "customer_invoice",
            "[]",
            Step("money 1", "due", 0),
            Step("money 2", "due", 5, least=500),
            Step("money 3", "due", 12),
            Step("money 4", "last", 6, since=cls._day(30)),
        )
        cls._create_parties()
        cls._create_quotations(mild, busy)
        cls._create_invoices(money)
        cls.env.flush_all()

    @classmethod
    def _create_steps(cls, code, domain, *steps):
        """Create a series; the last one that is created comes first."""
        sequence = -len(cls.templates) - 1
        series = cls._create_series(code, domain=domain, sequence=sequence)
        bases = {"due": "due_date", "date": "document_date", "last": "previous"}
        for step in steps:
            cls.templates[step.name] = cls._create_level(
                step.offset,
                bases[step.base],
                code=code,
                series=series,
                name=step.name,
                active_from=max(step.since, date(2020, 1, 1)),
                min_amount=step.least,
            )
        return list(steps)

    @classmethod
    def _create_parties(cls):
        partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Customer {number}",
                    "is_company": True,
                    "email": f"season{number}@customer.example.com",
                    "property_account_receivable_id": cls.accounting[cls.env.company][
                        0
                    ]["receivable"].id,
                }
                for number in range(CUSTOMERS)
            ]
        )
        cls.parties = {partner: Party() for partner in partners}

    @classmethod
    def _throw_due(cls, partner, first=-6, last=DAYS):
        """Return a day that no other document of the customer is due on."""
        party = cls.parties[partner]
        taken = {
            paper.due or paper.dated
            for paper in cls.oracle.papers.values()
            if paper.party is party
        }
        days = [cls._day(number) for number in range(first, last)]
        return cls.dice.choice([day for day in days if day not in taken])

    @classmethod
    def _note_paper(cls, document, steps, dated, due, amount):
        key = (document._name, document.id)
        cls.documents[key] = document
        cls.oracle.papers[key] = Paper(
            key, cls.parties[document.partner_id], steps, dated, due, amount
        )

    @classmethod
    def _create_quotations(cls, mild, busy):
        product = cls._create_order(cls.customer).order_line.product_id
        for _number in range(QUOTATIONS):
            partner = cls.dice.choice(list(cls.parties))
            is_busy = cls.dice.random() < 0.3
            dated = due = cls._throw_due(partner, -9, 30)
            if not is_busy or cls.dice.random() < 0.5:
                due = cls._throw_due(partner)
                while due == dated:
                    due = cls._throw_due(partner)
            else:
                due = None
            price = cls.dice.choice([100, 299, 300, 800])
            order = cls.env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "user_id": cls.alice.id,
                    "client_order_ref": "busy" if is_busy else False,
                    "date_order": f"{dated} 10:00:00",
                    "order_line": [
                        (0, 0, {"product_id": product.id, "price_unit": price})
                    ],
                }
            )
            order.write({"validity_date": due, "state": "sent"})
            cls._note_paper(order, busy if is_busy else mild, dated, due, price)

    @classmethod
    def _create_invoices(cls, money):
        invoices = cls.env["account.move"]
        for _number in range(INVOICES):
            partner = cls.dice.choice(list(cls.parties))
            due = cls._throw_due(partner)
            price = cls.dice.choice([100, 499, 500, 900])
            invoice = cls._create_invoice(
                partner,
                invoice_date=cls._day(-10),
                invoice_date_due=due,
                price_unit=price,
                invoice_user_id=cls.alice.id,
            )
            invoices |= invoice
            cls._note_paper(invoice, money, cls._day(-10), due, price)
        invoices.action_post()

    # --- what happens -----------------------------------------------------------

    def _pick(self, only_living=True):
        papers = self.oracle.papers.values()
        paper = self.dice.choice([p for p in papers if p.living or not only_living])
        return paper, self.documents[paper.key]

    def _pick_partner(self):
        return self.dice.choice(list(self.parties.items()))

    def happen_answer(self, today):
        paper, document = self._pick(only_living=False)
        self._answer(document, message_type=self.dice.choice(["email", "comment"]))
        paper.answered = True

    def happen_out_of_office(self, today):
        _paper, document = self._pick(only_living=False)
        self._answer(document, message_type="email", followup_auto_reply=True)

    def happen_colleague(self, today):
        _paper, document = self._pick(only_living=False)
        self._answer(document, author_id=self.bob.partner_id.id)

    def happen_call(self, today):
        paper, document = self._pick()
        self._remind(document, channel="phone")
        paper.answered = False

    def happen_resume(self, today):
        papers = [paper for paper in self.oracle.papers.values() if paper.answered]
        if papers:
            paper = self.dice.choice(papers)
            self.documents[paper.key].with_user(self.alice).action_followup_resume()
            paper.answered = False
            paper.paused = date.min

    def happen_letter(self, today):
        """A person takes a step of the series, whichever."""
        paper, document = self._pick()
        step = self.dice.choice(paper.steps)
        self._remind(
            document,
            channel="letter",
            log_only=True,
            template_id=self.templates[step.name].id,
        )
        self.oracle.write(paper, step, today)

    def happen_end(self, today):
        """Confirmed, cancelled or paid."""
        paper, document = self._pick()
        if document._name == "account.move":
            if document.payment_state == "not_paid":
                document.button_draft()
                document.button_cancel()
        elif self.dice.random() < 0.5:
            document.action_confirm()
        else:
            document.action_cancel()
        paper.living = False

    def happen_sent_anew(self, today):
        """Taken back, and given to the customer again, with another date: an invoice
        was corrected and goes on, a quotation starts anew."""
        paper, document = self._pick()
        due = paper.due and self._throw_due(document.partner_id, 0)
        paper.due = due
        if document._name == "account.move":
            document.button_draft()
            document.invoice_date_due = due
            document.action_post()
            return
        document.action_cancel()
        document.action_draft()
        document.validity_date = due
        document.action_quotation_sent()
        paper.answered = False
        paper.done.clear()

    def happen_pause(self, today):
        paper, document = self._pick()
        until = today + self.dice.randint(0, 9) * ONE_DAY
        document.followup_pause_until = paper.paused = until

    def happen_customer_pause(self, today):
        partner, party = self._pick_partner()
        until = today + self.dice.randint(0, 9) * ONE_DAY
        partner.followup_pause_until = party.paused = until

    def happen_mark(self, today):
        paper, document = self._pick()
        document.followup_exclude = paper.marked = not paper.marked

    def happen_customer_mark(self, today):
        partner, party = self._pick_partner()
        partner.followup_exclude = party.marked = not party.marked

    def happen_address(self, today):
        """An address is lost, or found."""
        partner, party = self._pick_partner()
        party.reached = not party.reached
        number = self.dice.randint(1000, 9999)
        email = party.reached and f"new{number}@customer.example.com"
        partner.email = email

    # --- the office -------------------------------------------------------------

    def _decide(self, day):
        """Change the settings of the company, now and then."""
        oracle = self.oracle
        oracle.on = day % 13 not in (6, 7)
        oracle.rest = 4 if 20 <= day < 40 else 0
        oracle.weekdays_only = day >= 30
        self.env.company.write(
            {
                "followup_automatic": oracle.on,
                "followup_min_days": oracle.rest,
                "followup_business_days": oracle.weekdays_only,
            }
        )

    def _throw_moments(self, day):
        """Return what happens on a day, in order: (moment, method)."""
        happenings = [name for name in dir(self) if name.startswith("happen_")]
        # answers come more often than anything else
        happenings += ["happen_answer"] * 4
        names = [self.dice.choice(happenings) for _number in range(EVENTS)]
        # nobody is there, or the scheduled action is started several times
        names += ["_run_once"] * self.dice.choice([0, 1, 1, 1, 2, 3])
        start = datetime.combine(self._day(day), datetime.min.time())
        minutes = sorted(self.dice.sample(range(24 * 60), len(names)))
        self.dice.shuffle(names)
        return [
            (start + timedelta(minutes=minute), getattr(self, name))
            for minute, name in zip(minutes, names, strict=True)
        ]

    def _run_once(self, today):
        """Run, maybe interrupted and started anew."""
        if self.oracle.on and self.dice.random() < 0.3:
            steps = self.automatic._in_company(self.env.company)._send_due(Paces(7))
            for _step, _number in zip(steps, range(3), strict=False):
                self.env.flush_all()
            steps.close()
        self._run(self.env.company if self.oracle.on else None)
        self.oracle.run(today)

    def test_season(self):
        sent = self._live()
        self.assertEqual(
            sorted(sent - self.oracle.sent),
            [],
            f"seed {SEED}: they ought not to have gone out",
        )
        self.assertEqual(
            sorted(self.oracle.sent - sent),
            [],
            f"seed {SEED}: they ought to have gone out",
        )
        self.assertGreater(len(sent), QUOTATIONS, "a season in which little happened")
        self.assertEqual({name for _key, name, _day in sent}, set(self.templates))
        self._check_emails()
        self._check_log()

    def _live(self):
        """Let the season pass.

        :return: set of (document, level, day) that went out by themselves
        """
        with freeze_time(f"{self._day(0)} 00:00:00") as clock:
            for day in range(DAYS):
                self._decide(day)
                for moment, happen in self._throw_moments(day):
                    clock.move_to(moment)
                    happen(self._get_day(moment))
        return {
            (self._get_key(one), one.template_id.name, self._get_day(one.date))
            for one in self._get_reminders()
        }

    @classmethod
    def _get_day(cls, moment):
        """Return the day of a moment in Paris."""
        return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZONE).date()

    @classmethod
    def _get_key(cls, reminder):
        document = reminder._get_document()
        return (document._name, document.id)

    def _get_reminders(self):
        return self.env["sales.followup.reminder"].search(
            [
                ("origin", "=", "auto"),
                ("state", "!=", "failed"),
                ("template_id", "in", [one.id for one in self.templates.values()]),
            ]
        )

    def _check_emails(self):
        """Each reminder has one e-mail of its own."""
        reminders = self._get_reminders()
        mails = reminders.message_id.mail_ids
        self.assertEqual(len(reminders.message_id), len(reminders))
        self.assertEqual(len(mails), len(reminders))

    def _check_log(self):
        """The log tells of each reminder that was sent, once, and nothing waits."""
        lines = self.env["sales.followup.run.line"].search(
            [("run_id.origin", "=", "auto"), ("reminder_id.state", "!=", "failed")]
        )
        told = lines.filtered(lambda line: line.state == "done").reminder_id
        self.assertLessEqual(self._get_reminders(), told)
        self.assertNotIn("waiting", lines.mapped("state"))
