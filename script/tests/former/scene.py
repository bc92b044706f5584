"""What is in a database that the former version has been at work with.

Started as a program it puts it there, by what that version offers: everything is in
use, and half of it under way.
"""

from datetime import datetime, timedelta

#: together more than a run sends while a person waits
QUOTATIONS = 60
#: how many of them the run has sent when the upgrade comes
SENT = 20


def build(env):
    env["ir.cron"].search([]).active = False
    env["ir.mail_server"].search([]).active = False
    env.ref("sales_followup.ir_cron_send_automatic").write(
        {"active": True, "interval_number": 2, "interval_type": "hours"}
    )
    anna, bert = (create_user(env, login) for login in ("anna", "bert"))
    templates = create_templates(env)
    quotations = create_quotations(env, anna)
    change_representatives(env, quotations.partner_id[:10], anna, bert)
    log(quotations[0], channel="phone", note="Wants to think.", next_date=in_days(9))
    # the second of two levels
    log(quotations[1], channel="email", template_id=templates[0].id)
    won = log(quotations[2], channel="visit", date=in_days(-40))
    quotations[2].action_confirm()
    cancel(won)
    quotations[3].followup_exclude = True
    quotations[4].followup_pause_until = in_days(9).date()
    quotations[5].followup_contact_id = quotations[5].partner_id.create(
        {"name": "Pat", "parent_id": quotations[5].partner_id.id, "email": "p@x.com"}
    )
    invoice(env, quotations[6:8].partner_id)
    env["sales.followup.run"].with_user(anna).create({}).action_propose()
    launch(env, anna)
    company = env.company
    company.write({"followup_next_days": 11, "followup_business_days": True})
    env.ref("sales_followup.document_type_quotation").name = "Offer"


def in_days(number):
    return datetime.now() + timedelta(days=number)


def create_user(env, login):
    groups = (
        "base.group_user",
        "base.group_partner_manager",
        "sales_team.group_sale_salesman_all_leads",
        "sales_followup.group_manager",
        "sales_followup.group_rep_editor",
    )
    values = {
        "name": login.title(),
        "login": login,
        "email": f"{login}@seller.example.com",
        "group_ids": [(6, 0, [env.ref(group).id for group in groups])],
    }
    users = env["res.users"].with_context(no_reset_password=True)
    return users.create(values)


def create_templates(env):
    """Have two levels of a series of its own go out automatically."""
    series = env["sales.followup.series"].create(
        {
            "name": "Projects",
            "sequence": -1,
            "document_type_id": env.ref("sales_followup.document_type_quotation").id,
            "domain": "[('client_order_ref', '!=', False)]",
        }
    )
    return env["sales.followup.template"].create(
        [
            {
                "name": name,
                "sequence": sequence,
                "series_id": series.id,
                "subject": "About {{ object.name }}",
                "email_body": f"<p>{name}</p>",
                "letter_body": f"<p>{name}, on paper</p>",
                "attach_document": False,
                "automatic": True,
                "trigger": "document_date",
                "offset_days": 5 * sequence,
                "active_from": in_days(-60).date(),
                "next_days": 4,
            }
            for sequence, name in ((1, "Ask"), (2, "Ask Again"))
        ]
    )


def create_quotations(env, rep):
    customers = env["res.partner"].create(
        [
            {
                "name": f"Customer {number:02}",
                "is_company": True,
                "email": f"customer{number}@customer.example.com",
                "user_id": rep.id,
            }
            for number in range(QUOTATIONS)
        ]
    )
    product = env["product.product"].create(
        {"name": "Product", "list_price": 100, "type": "service"}
    )
    quotations = env["sale.order"].create(
        [
            {
                "partner_id": customer.id,
                "client_order_ref": "project",
                "order_line": [(0, 0, {"product_id": product.id})],
            }
            for customer in customers
        ]
    )
    quotations.write({"state": "sent"})
    quotations.write({"date_order": in_days(-21)})
    return quotations


def change_representatives(env, customers, old, new):
    """Have a change in the journal, then another with the documents, that is undone."""
    env = env(user=env.ref("base.user_admin"))
    assign = env["sales.followup.assign"].create(
        {
            "operation": "assign",
            "partner_ids": customers.ids,
            "user_ids": new.ids,
            "lead_id": new.id,
        }
    )
    assign.action_apply()
    for _time in range(2):
        propagate = env["sales.followup.propagate"].create(
            {
                "partner_ids": customers.ids,
                "date_from": in_days(-90).date(),
                "date_to": in_days(1).date(),
                "type_ids": env.ref("sales_followup.document_type_quotation").ids,
                "mode": "align",
                "scope": "all",
            }
        )
        propagate.action_preview()
        propagate.action_apply()
        if not _time:
            propagate.change_id.action_undo()


def log(quotation, **values):
    values.setdefault("date", in_days(-12))
    reminders = quotation.env["sales.followup.reminder"]
    return reminders.create({"order_id": quotation.id, **values})


def cancel(reminder):
    reminder.write({"state": "cancelled"})


def invoice(env, customers):
    """Have a posted and a draft invoice, the first of them chased."""
    env["account.chart.template"].try_loading("generic_coa", env.company)
    posted, _draft = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_date": in_days(-60).date(),
                "invoice_date_due": in_days(-30).date(),
                "invoice_line_ids": [(0, 0, {"name": "Work", "price_unit": 70})],
            }
            for customer in customers
        ]
    )
    posted.action_post()
    env["sales.followup.reminder"].create(
        {"move_id": posted.id, "channel": "phone", "next_date": in_days(2)}
    )


def launch(env, user):
    """Leave a run in the middle of its work."""
    run = env["sales.followup.run"].with_user(user).create({})
    run.action_propose()
    run.line_ids.filtered("move_id").channel = "none"
    run.line_ids.filtered("order_id").channel = "email"
    run.action_launch()
    run._as_sender()._step(SENT)


def main():
    from workbench.inside import odoo_environment

    with odoo_environment() as env:
        build(env)


if __name__ == "__main__":
    main()
