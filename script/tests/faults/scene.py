"""The documents that are chased while things go wrong.

Started as a program it puts them into an empty database with the addon. What each
quotation is to get is noted on it, in its customer reference, by who made it: the
addon is not asked.
"""

from datetime import datetime, timedelta

#: together more than a bulk run sends while a person waits
FIRST_LEVEL = 50
SECOND_LEVEL = 10

#: customers of two quotations, the last ones by name
SHARED = 8

NOTHING = "nothing"
LEVELS = ("first", "second")

#: how long after the quotation the levels are due
OFFSETS = {"first": 3, "second": 20}

#: texts that cannot be rendered where a field of the quotation is filled in
EMAIL = """
    <p>What about <t t-out="object.name"/>?</p>
    <t t-if="1 / (not object.reference)"/>
"""
REPORT = """
    <xpath expr="//div[@id='informations']" position="after">
        <t t-if="1 / (not doc.origin)"/>
    </xpath>
"""

PASSWORD = "a good one"
SALESPERSON, PERSON = "salesperson", "person"


def build(env):
    # these tests say when what runs
    env["ir.cron"].search([]).active = False
    for xmlid in (
        "sales_followup.ir_cron_send_automatic",
        "sales_followup.ir_cron_process_runs",
    ):
        env.ref(xmlid).write(
            {"active": True, "nextcall": datetime.now() + timedelta(days=1)}
        )
    env["ir.mail_server"].search([]).active = False
    users = {login: create_user(env, login) for login in (SALESPERSON, PERSON)}
    templates = create_templates(env)
    env["ir.ui.view"].create(
        {
            "name": "Faults",
            "type": "qweb",
            "inherit_id": env.ref("sale.report_saleorder_document").id,
            "arch": REPORT,
        }
    )
    create_quotations(env, users[SALESPERSON], templates)


def create_user(env, login):
    groups = (
        "base.group_user",
        "sales_team.group_sale_salesman_all_leads",
        "sales_followup.group_manager",
    )
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": login.title(),
                "login": login,
                "password": PASSWORD,
                "email": f"{login}@seller.example.com",
                "group_ids": [(6, 0, [env.ref(group).id for group in groups])],
            }
        )
    )


def create_templates(env):
    """Return a template for each level, each with a mail server of its own.

    An e-mail links to its server, so that whoever locks the server's row stops the
    e-mails of this level half-way.
    """
    series = env["sales.followup.series"].create(
        {
            "name": "Faults",
            "sequence": -1,
            "document_type_id": env.ref("sales_followup.document_type_quotation").id,
        }
    )
    templates = {}
    for level in LEVELS:
        template = env["sales.followup.template"].create(
            {
                "name": level,
                "sequence": 10 * (len(templates) + 1),
                "series_id": series.id,
                "subject": "Reminder of {{ object.name }}: " + level,
                "email_body": EMAIL,
                "attach_document": False,
                "automatic": True,
                "trigger": "document_date",
                "offset_days": OFFSETS[level],
                "active_from": datetime.now().date() - timedelta(days=60),
            }
        )
        template.mail_template_id.mail_server_id = env["ir.mail_server"].create(
            {"name": level, "smtp_host": "127.0.0.1", "smtp_encryption": "none"}
        )
        templates[level] = template
    return templates


def create_quotations(env, salesperson, templates):
    customers = env["res.partner"].create(
        [
            {
                "name": f"Customer {number:02}",
                "is_company": True,
                "email": f"customer{number}@customer.example.com",
                "user_id": salesperson.id,
            }
            for number in range(FIRST_LEVEL + SECOND_LEVEL - SHARED)
        ]
    )
    product = env["product.product"].create(
        {"name": "Product", "list_price": 100, "type": "service"}
    )
    wanted = [
        *(("first", customer) for customer in customers[:FIRST_LEVEL]),
        *(("second", customer) for customer in customers[-SECOND_LEVEL:]),
        *((NOTHING, customer) for customer in customers[:6]),
    ]
    quotations = env["sale.order"].create(
        [
            {
                "partner_id": customer.id,
                "client_order_ref": ref,
                "order_line": [(0, 0, {"product_id": product.id})],
            }
            for ref, customer in wanted
        ]
    )
    set_dates(quotations)
    refs = quotations.grouped("client_order_ref")
    second = refs["second"]
    log_first_level(second, templates["first"])
    too_young, excluded, won, paused, done, tomorrow = refs[NOTHING]
    too_young.date_order = datetime.now() - timedelta(days=1)
    excluded.followup_exclude = True
    won.action_confirm()
    paused.followup_pause_until = datetime.now() + timedelta(days=9)
    log_first_level(done, templates["first"], days=2)
    tomorrow.date_order = datetime.now() - timedelta(days=OFFSETS["first"] - 1)


def set_dates(quotations):
    """Send quotations to their customers some days ago, and not all on one day."""
    quotations.write({"state": "sent"})
    for number, quotation in enumerate(quotations):
        days = 21 if quotation.client_order_ref == "second" else 5 + number % 7
        quotation.date_order = datetime.now() - timedelta(days=days)


def log_first_level(quotations, template, days=18):
    """Say that a person had sent the first level, some days ago."""
    quotations.env["sales.followup.reminder"].create(
        [
            {
                "order_id": quotation.id,
                "template_id": template.id,
                "channel": "email",
                "date": datetime.now() - timedelta(days=days),
            }
            for quotation in quotations
        ]
    )


def main():
    from workbench.inside import odoo_environment

    with odoo_environment() as env:
        build(env)


if __name__ == "__main__":
    main()
