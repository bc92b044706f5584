"""The database that is measured: customers, orders, invoices and purchase orders.

A few records are made by the ORM, then copied inside the database by set-based SQL, so
that a hundred thousand orders take seconds. Everything is made once and kept; what is
measured is rolled back.

Everybody's Salesperson is the *leaver*, and every third customer has a colleague as
second representative. Documents agree with their customer. The *joiner* follows nobody
yet, and is in another sales team than the leaver.

Each record has a chatter: one message with one tracking value, and its Salesperson as
follower. On empty tables PostgreSQL would choose plans that no database in use has.

Quotations are for customers of their own, the *prospects*, and wait for an answer. The
oldest ones got the first reminder, by e-mail; the others have to be chased.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta

from odoo.fields import Command

#: raise it when data made by an older version will not do any more
VERSION = 4
PARAMETER = "sales_followup.benchmark_data"

#: no document is younger; the oldest is three years older
TODAY = date(2026, 11, 21)
DAYS = 3 * 365
#: quotations are valid that long
VALIDITY = 30


@dataclass
class Sizes:
    """How many of each to make; a company stands for a customer."""

    partners: int = 20_000
    contacts: int = 2_000
    orders: int = 100_000
    invoices: int = 50_000
    purchases: int = 20_000
    prospects: int = 4_000
    quotations: int = 40_000
    reminders: int = 20_000

    def scaled(self, factor):
        return Sizes(*(round(size * factor) for size in asdict(self).values()))


@dataclass
class Data:
    """Where everything is; ids of one kind are consecutive, from ``first_...`` on."""

    version: int
    sizes: Sizes
    editor: int
    leaver: int
    colleague: int
    joiner: int
    first_partner: int
    first_contact: int
    first_order: int
    first_invoice: int
    first_purchase: int
    first_prospect: int
    first_quotation: int

    @classmethod
    def load(cls, text):
        values = json.loads(text)
        if values["version"] != VERSION:
            raise SystemExit(
                "This database was filled by another version of the benchmarks; make"
                " it anew."
            )
        return cls(**{**values, "sizes": Sizes(**values["sizes"])})

    def dump(self):
        return json.dumps(asdict(self))

    def partner_ids(self, count, turn=0):
        """Return ``count`` customers, others at every turn until all had theirs."""
        count = min(count, self.sizes.partners)
        start = (turn % (self.sizes.partners // count)) * count
        return list(
            range(self.first_partner + start, self.first_partner + start + count)
        )

    def partner_ids_with(self, kind, documents, turn=0):
        """Return customers that have about that many ``orders`` or ``invoices``."""
        count = documents * self.sizes.partners // getattr(self.sizes, kind)
        return self.partner_ids(max(1, count), turn)

    def quotation_ids(self, count, turn=0):
        """Return ``count`` quotations to chase, others at every turn until all had
        theirs."""
        waiting = self.sizes.quotations - self.sizes.reminders
        count = min(count, waiting)
        start = self.sizes.reminders + (turn % (waiting // count)) * count
        return list(
            range(self.first_quotation + start, self.first_quotation + start + count)
        )


def prepare(env, sizes):
    """Return the data in this database, made now where there is none.

    :param env: the superuser's environment, to be committed
    :param sizes: the least there must be
    """
    parameters = env["ir.config_parameter"]
    if text := parameters.get_param(PARAMETER):
        data = Data.load(text)
        for size in fields(Sizes):
            if getattr(data.sizes, size.name) < getattr(sizes, size.name):
                raise SystemExit(
                    f"This database holds {getattr(data.sizes, size.name)} {size.name},"
                    f" {getattr(sizes, size.name)} are asked for: make it anew."
                )
        return data
    print("Filling the database ...", flush=True)
    data = _Generator(env, sizes).run()
    parameters.set_param(PARAMETER, data.dump())
    return data


class _Generator:
    def __init__(self, env, sizes):
        self.env = env(context={"tracking_disable": True, "mail_notrack": True})
        self.sizes = sizes

    def run(self):
        self._load_chart()
        self._create_users()
        seed_partner = self._create_partner()
        product = self.env["product.product"].create(
            {
                "name": "Benchmark",
                "type": "service",
                "invoice_policy": "order",
                "taxes_id": False,
                "supplier_taxes_id": False,
            }
        )
        self.order = self._create_order(seed_partner, product)
        self.invoice = self._create_invoice(seed_partner, product)
        self.purchase = self._create_purchase(seed_partner, product)
        self.quotation = self._create_quotation(seed_partner, product)
        self.env.flush_all()

        self.first_partner = self._copy_partners(seed_partner, self.sizes.partners)
        self.first_prospect = self._copy_partners(
            seed_partner, self.sizes.prospects, signup_type="'signup'"
        )
        self.first_contact = self._copy_contacts(seed_partner)
        first_order = self._copy_orders()
        first_invoice = self._copy_invoices()
        first_purchase = self._copy_purchases()
        first_quotation = self._copy_quotations()
        self._chat(seed_partner, self.first_partner, self.sizes.partners)
        self._chat(self.order, first_order, self.sizes.orders)
        self._chat(self.invoice, first_invoice, self.sizes.invoices)
        self._chat(self.quotation, first_quotation, self.sizes.quotations)
        self.env.cr.execute("ANALYZE")
        self.env.invalidate_all()
        return Data(
            version=VERSION,
            sizes=self.sizes,
            editor=self.editor.id,
            leaver=self.leaver.id,
            colleague=self.colleague.id,
            joiner=self.joiner.id,
            first_partner=self.first_partner,
            first_contact=self.first_contact,
            first_order=first_order,
            first_invoice=first_invoice,
            first_purchase=first_purchase,
            first_prospect=self.first_prospect,
            first_quotation=first_quotation,
        )

    # --- made by the ORM --------------------------------------------------------

    def _load_chart(self):
        company = self.env.company
        if not company.chart_template:
            self.env["account.chart.template"].try_loading(
                "generic_coa", company, install_demo=False
            )

    def _create_users(self):
        editor_groups = ["sales_team.group_sale_manager"]
        for name in ("group_rep_editor", "group_manager"):
            if self.env.ref(f"sales_followup.{name}", raise_if_not_found=False):
                editor_groups.append(f"sales_followup.{name}")
        self.editor = self._create_user("editor", editor_groups)
        rep_groups = ["sales_team.group_sale_salesman"]
        self.leaver = self._create_user("leaver", rep_groups)
        self.colleague = self._create_user("colleague", rep_groups)
        self.joiner = self._create_user("joiner", rep_groups)
        self.team = self._create_team("Old", self.leaver | self.colleague)
        self._create_team("New", self.joiner)

    def _create_user(self, login, group_xmlids):
        return self.env["res.users"].create(
            {
                "name": f"Benchmark {login.title()}",
                "login": f"benchmark-{login}",
                "email": f"{login}@benchmark.example",
                "notification_type": "email",
                "group_ids": [
                    Command.link(self.env.ref(xmlid).id)
                    for xmlid in ("base.group_user", *group_xmlids)
                ],
            }
        )

    def _create_team(self, name, members):
        return self.env["crm.team"].create(
            {"name": f"Benchmark {name}", "member_ids": [Command.set(members.ids)]}
        )

    def _create_partner(self):
        return self.env["res.partner"].create(
            {
                "name": "Benchmark Customer",
                "is_company": True,
                "user_id": self.leaver.id,
                "email": "customer@benchmark.example",
            }
        )

    def _create_order(self, partner, product):
        order = self._create_draft(partner, product)
        order.action_confirm()
        return order

    def _create_quotation(self, partner, product):
        """A quotation that was sent, and that the customer was reminded of once."""
        quotation = self._create_draft(partner, product)
        quotation.action_quotation_sent()
        quotation.validity_date = TODAY
        self.reminder = self.env["sales.followup.reminder"].create(
            {
                "order_id": quotation.id,
                "template_id": self._get_template().id,
                "channel": "email",
                "origin": "auto",
                "user_id": self.leaver.id,
                "next_date": TODAY,
            }
        )
        return quotation

    def _get_template(self):
        return self.env.ref("sales_followup.template_quotation_1")

    def _create_draft(self, partner, product):
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "user_id": self.leaver.id,
                "team_id": self.team.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for price in (100, 250)
                ],
            }
        )

    def _create_invoice(self, partner, product):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_user_id": self.leaver.id,
                "team_id": self.team.id,
                "invoice_date": TODAY,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for price in (100, 250)
                ],
            }
        )
        invoice.action_post()
        return invoice

    def _create_purchase(self, partner, product):
        if "purchase.order" not in self.env:
            return None
        return self.env["purchase.order"].create(
            {
                "partner_id": partner.id,
                "user_id": self.leaver.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "price_unit": 50, "tax_ids": False}
                    )
                ],
            }
        )

    # --- copied inside the database ---------------------------------------------

    def _copy_partners(self, seed, count, **columns):
        first = self._copy(
            "res_partner",
            seed.id,
            count,
            id="{first} + n",
            commercial_partner_id="{first} + n",
            name="'Benchmark Customer ' || n",
            complete_name="'Benchmark Customer ' || n",
            commercial_company_name="'Benchmark Customer ' || n",
            email="'customer' || n || '@benchmark.example'",
            email_normalized="'customer' || n || '@benchmark.example'",
            **columns,
        )
        self._follow("res.partner", first, count, "{first} + n")
        return first

    def _copy_contacts(self, seed):
        """Give some companies a contact that has the same representatives."""
        company = f"{self.first_partner} + n * {self._contact_step()}"
        first = self._copy(
            "res_partner",
            seed.id,
            self.sizes.contacts,
            id="{first} + n",
            parent_id=company,
            commercial_partner_id=company,
            is_company="false",
            name="'Benchmark Contact ' || n",
            complete_name="'Benchmark Customer, Benchmark Contact ' || n",
            email="'contact' || n || '@benchmark.example'",
            email_normalized="'contact' || n || '@benchmark.example'",
        )
        self._follow("res.partner", first, self.sizes.contacts, company)
        return first

    def _contact_step(self):
        return max(1, self.sizes.partners // max(1, self.sizes.contacts))

    def _copy_orders(self):
        count = self.sizes.orders
        day = self._date_of(count)
        first = self._copy(
            "sale_order",
            self.order.id,
            count,
            id="{first} + n",
            name="'BENCH' || n",
            access_token="NULL",
            partner_id=self._recipient(),
            partner_invoice_id=self._customer(),
            partner_shipping_id=self._customer(),
            date_order=day,
        )
        self._copy_lines(self.order, count, first, self._recipient())
        self._follow("sale.order", first, count, self._customer())
        return first

    def _copy_lines(self, order, count, first, customer):
        """Copy the lines of an order onto its copies."""
        for line in order.order_line:
            self._copy(
                "sale_order_line",
                line.id,
                count,
                id="{first} + n",
                order_id=f"{first} + n",
                order_partner_id=customer,
            )

    def _copy_invoices(self):
        count = self.sizes.invoices
        day = f"({self._date_of(count)})::date"
        name = "'BENCH/2026/' || LPAD(n::text, 6, '0')"
        first = self._copy(
            "account_move",
            self.invoice.id,
            count,
            id="{first} + n",
            name=name,
            payment_reference=name,
            sequence_prefix="'BENCH/2026/'",
            sequence_number="n",
            access_token="NULL",
            partner_id=self._customer(),
            commercial_partner_id=self._customer(),
            partner_shipping_id=self._customer(),
            invoice_partner_display_name=f"'Benchmark Customer ' || {self._customer()}",
            invoice_date=day,
            date=day,
            invoice_date_due=f"{day} + 30",
        )
        for line in self.invoice.line_ids:
            self._copy(
                "account_move_line",
                line.id,
                count,
                id="{first} + n",
                move_id=f"{first} + n",
                move_name=name,
                partner_id=self._customer(),
                date=day,
                invoice_date=day,
                **({"date_maturity": f"{day} + 30"} if line.date_maturity else {}),
            )
        self._follow("account.move", first, count, self._customer())
        return first

    def _copy_purchases(self):
        if not self.purchase:
            return 0
        count = self.sizes.purchases
        first = self._copy(
            "purchase_order",
            self.purchase.id,
            count,
            id="{first} + n",
            name="'BENCHPO' || n",
            access_token="NULL",
            partner_id=self._customer(),
            date_order=self._date_of(count),
        )
        for line in self.purchase.order_line:
            self._copy(
                "purchase_order_line",
                line.id,
                count,
                id="{first} + n",
                order_id=f"{first} + n",
                partner_id=self._customer(),
            )
        return first

    def _copy_quotations(self):
        count = self.sizes.quotations
        day = self._date_of(count)
        customer = f"({self.first_prospect} + n %% {self.sizes.prospects})"
        first = self._copy(
            "sale_order",
            self.quotation.id,
            count,
            id="{first} + n",
            name="'BENCHQ' || n",
            # it was sent by e-mail, with a link
            access_token="MD5(n::text)",
            partner_id=customer,
            partner_invoice_id=customer,
            partner_shipping_id=customer,
            date_order=day,
            validity_date=f"({day})::date + {VALIDITY}",
            followup_sent_date=day,
            followup_last_reminder_id="NULL",
            followup_last_date="NULL",
            followup_next_date="NULL",
            followup_template_id="NULL",
        )
        self._copy_lines(self.quotation, count, first, customer)
        self._follow("sale.order", first, count, customer)
        self._remind(first, day, customer)
        return first

    def _remind(self, first, day, customer):
        """Copy the reminder for the oldest quotations, with what it leaves behind.

        :param first: id of the first quotation
        :param day: SQL of the date of quotation ``n``; likewise ``customer``
        """
        count = self.sizes.reminders
        reminded = f"({day})::date + {VALIDITY}"
        self._copy(
            "sales_followup_reminder",
            self.reminder.id,
            count,
            id="{first} + n",
            name="'BENCHR' || n",
            order_id=f"{first} + n",
            partner_id=customer,
            contact_id=customer,
            date=f"{reminded} + INTERVAL '9 hours'",
            next_date=f"{reminded} + 7",
        )
        self._copy(
            "mail_activity",
            self.quotation.activity_ids.id,
            count,
            id="{first} + n",
            res_id=f"{first} + n",
            res_name="'BENCHQ' || n",
            date_deadline=f"{reminded} + 7",
        )
        self.env.cr.execute(
            """
            UPDATE sale_order quotation
               SET followup_last_reminder_id = reminder.id,
                   followup_last_date = reminder.date,
                   followup_next_date = reminder.next_date,
                   followup_template_id = reminder.template_id
              FROM sales_followup_reminder reminder
             WHERE reminder.order_id = quotation.id AND quotation.id >= %s
            """,
            [first],
        )

    def _customer(self):
        """SQL: the company of document ``n``; a company's documents lie far apart, as
        they do when they come over the years."""
        return f"({self.first_partner} + n %% {self.sizes.partners})"

    def _recipient(self):
        """SQL: that company's contact, where it has one, for half of its documents."""
        step, partners = self._contact_step(), self.sizes.partners
        index = f"(n %% {partners})"
        return (
            f"CASE WHEN n / {partners} %% 2 = 1 AND {index} %% {step} = 0"
            f" AND {index} / {step} < {self.sizes.contacts}"
            f" THEN {self.first_contact} + {index} / {step}"
            f" ELSE {self._customer()} END"
        )

    def _date_of(self, count):
        """SQL: document dates evenly over the days, oldest first."""
        oldest = TODAY - timedelta(days=DAYS)
        return f"TIMESTAMP '{oldest} 09:00' + n * INTERVAL '{DAYS} days' / {count}"

    def _copy(self, table, seed_id, count, **columns):
        """Insert copies of a row.

        :param columns: SQL of the columns that differ from the row's, in terms of the
            copy's number ``n``, from 0, and of ``{first}``, the id of the first copy
        :return: the id of the first copy
        """
        cr = self.env.cr
        # foreign keys are still checked the way that was best for an almost empty table
        cr.execute("DISCARD PLANS")
        cr.execute(f"SELECT nextval('{table}_id_seq')")
        first = cr.fetchone()[0]
        cr.execute(f"SELECT setval('{table}_id_seq', {first + count})")
        cr.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema AND table_name = %s",
            [table],
        )
        existing = {name for (name,) in cr.fetchall()}
        values = {
            name: columns[name].format(first=first)
            if name in columns
            else f'seed."{name}"'
            for name in existing
        }
        cr.execute(
            f"""
            INSERT INTO {table} ({", ".join(f'"{name}"' for name in values)})
                 SELECT {", ".join(values.values())}
                   FROM {table} seed, generate_series(0, %s - 1) n
                  WHERE seed.id = %s
               ORDER BY n
            """,
            [count, seed_id],
        )
        return first

    def _follow(self, model, first, count, partner):
        """Make the leaver a representative of each copy, and the colleague of every
        third customer and its documents."""
        field = self.env[model]._fields.get("followup_rep_ids")
        if not field:
            return
        partner = partner.format(first=first)
        condition = f"WHERE (({partner}) - {self._first_customer(first)}) %% 3 = 0"
        for user, where in ((self.leaver, ""), (self.colleague, condition)):
            self.env.cr.execute(
                f"""
                INSERT INTO {field.relation} ({field.column1}, {field.column2})
                     SELECT {first} + n, %s FROM generate_series(0, %s - 1) n {where}
                """,
                [user.id, count],
            )

    def _first_customer(self, first):
        return getattr(self, "first_partner", first)

    def _chat(self, seed, first, count):
        """Return each copy the chatter of a record made in the web client."""
        message = seed._message_log(body="Created")
        tracking = self.env["mail.tracking.value"].create(
            {
                "mail_message_id": message.id,
                "field_id": self.env["ir.model.fields"]._get(seed._name, "user_id").id,
                "new_value_integer": self.leaver.id,
                "new_value_char": self.leaver.name,
            }
        )
        seed.message_subscribe(self.leaver.partner_id.ids)
        [follower] = seed.message_follower_ids.filtered(
            lambda follower: follower.partner_id == self.leaver.partner_id
        )
        self.env.flush_all()
        first_message = self._copy(
            "mail_message",
            message.id,
            count,
            id="{first} + n",
            res_id=f"{first} + n",
            message_id="'<' || {first} + n || '@benchmark.example>'",
        )
        self._copy(
            "mail_tracking_value",
            tracking.id,
            count,
            id="{first} + n",
            mail_message_id=f"{first_message} + n",
        )
        first_follower = self._copy(
            "mail_followers",
            follower.id,
            count,
            id="{first} + n",
            res_id=f"{first} + n",
        )
        self.env.cr.execute(
            """
            INSERT INTO mail_followers_mail_message_subtype_rel
                        (mail_followers_id, mail_message_subtype_id)
                 SELECT %s + n, subtype_id
                   FROM generate_series(0, %s - 1) n, UNNEST(%s::int[]) subtype_id
            """,
            [first_follower, count, follower.subtype_ids.ids],
        )
