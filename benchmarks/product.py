"""The addon as a user of it sees it: its wizards, as the web client calls them."""

from datetime import date

from dataset import TODAY

from odoo.fields import Command
from odoo.tools import split_every

from odoo.addons.sales_followup.models.runs.sales_followup_run_process import (
    BATCH_SIZE,
    Paces,
)
from odoo.addons.sales_followup.models.sending.sales_followup_dispatcher import Request
from odoo.addons.sales_followup.rules import verdict

REMINDERS = tuple(f"sales_followup.template_quotation_{level}" for level in (1, 2, 3))
FIRST_REMINDER = REMINDERS[0]


def _wait_for_everything(env):
    """Have big changes done in the request, where they are measured."""
    env.company.sudo().followup_background_from = 0


def assign(env, partner_ids, user_id):
    """Make a user a representative and the Salesperson of customers."""
    _wait_for_everything(env)
    wizard = env["sales.followup.assign"].create(
        {
            "partner_ids": [Command.set(partner_ids)],
            "operation": "assign",
            "user_ids": [Command.set([user_id])],
            "lead_id": user_id,
            "include_contacts": False,
        }
    )
    wizard.action_apply()
    return wizard


def preview_replace(env, partner_ids, type_code, old_user_id, new_user_id, chatter):
    """Open the propagation wizard on customers and let it show what would change.

    :param type_code: code of the document type, the only one ticked
    :return: the wizard, to be applied
    """
    _wait_for_everything(env)
    document_type = env["sales.followup.document.type"].search(
        [("code", "=", type_code)]
    )
    wizard = env["sales.followup.propagate"].create(
        {
            "partner_ids": [Command.set(partner_ids)],
            "date_from": False,
            "date_to": False,
            "type_ids": [Command.set(document_type.ids)],
            "mode": "replace",
            "old_user_id": old_user_id,
            "new_user_id": new_user_id,
            "scope": "all",
            "log_in_chatter": chatter,
        }
    )
    wizard.action_preview()
    return wizard


def switch_on(env, xmlid, days=0):
    """Have a reminder go out by itself some days after the due date, as if it were the
    last day of the data, and always had been.

    :return: the automatic templates, as a run of the scheduled action has them at hand
    """
    template = env.ref(xmlid)
    template.write(
        {
            "automatic": True,
            "trigger": "due_date",
            "offset_days": (template._get_today() - TODAY).days + days,
            "active_from": date(2000, 1, 1),
        }
    )
    env.flush_all()
    env.invalidate_all()
    automatic = env["sales.followup.run"]
    automatic._is_sending_day()
    return automatic._get_templates()


def find_due(template, count, page):
    """Find documents that may be due for a template, so many at a time.

    :return: list of ids, at least ``count``
    """
    automatic, found = template.env["sales.followup.run"], []
    for documents, _position in automatic._walk_candidates(template, size=page):
        found += documents.ids
        if len(found) >= count:
            break
    return found


def fetch_facts(documents):
    """Fetch what the verdict has to know of documents."""
    return documents.env["sales.followup.facts"]._fetch(documents)


def prepare_decision(documents):
    """Fetch all that is known about documents of one series.

    :return: function that decides about them, by the pure rules alone
    """
    env = documents.env
    company, facts = env.company, env["sales.followup.facts"]
    today = company._followup_today()
    settings = facts._get_settings(company, today, documents._name)
    [series] = set(env["sales.followup.series"]._get_of_documents(documents).values())
    levels = series._get_levels(company)
    known = list(facts._fetch(documents).values())

    def decide():
        for document, customer in known:
            level = verdict.next_level(document, levels)
            if level:
                verdict.judge(document, customer, levels, level, settings, today)

    return decide


def write_without_files(env, xmlid):
    """Have a template send no PDF, and to whom Odoo's own ways would send it, too.

    :return: the template
    """
    template = env.ref(xmlid)
    template.attach_document = False
    template.mail_template_id.use_default_to = True
    env.flush_all()
    env.invalidate_all()
    return template


def remind_by_email(documents, template, user_id):
    """Remind of documents in the name of a user, as the scheduled action does.

    :return: the reminders
    """
    env = documents.env
    dispatcher = env["sales.followup.dispatcher"]
    reminders = env["sales.followup.reminder"]
    for ids in split_every(BATCH_SIZE, documents.ids):
        outcomes = dispatcher._dispatch(
            [
                Request(
                    document=document,
                    template=template,
                    channel="email",
                    values={"origin": "auto", "user_id": user_id},
                )
                for document in documents.browse(ids)
            ],
            verdict.Mode.BULK,
        )
        for outcome in outcomes.values():
            assert outcome.state == "sent", outcome
            reminders |= outcome.reminder
        # a batch is committed
        env.flush_all()
    return reminders


def give_addresses(documents):
    """Return the customers of documents a postal address."""
    documents.partner_id.write(
        {"street": "1 Main Street", "zip": "94538", "city": "Fremont"}
    )
    documents.env.flush_all()
    documents.env.invalidate_all()


def write_letters(documents, template):
    """Write a letter about each document, ready to be printed.

    :return: list of what :func:`print_letter` takes
    """
    texts = template._render_letter(dict.fromkeys(documents.ids, "en_US"))
    return [
        {
            "document": document,
            "contact": document.partner_id,
            "subject": document.name,
            "body": texts[document.id],
            "user": document.user_id,
            "date": TODAY,
            "lang": "en_US",
        }
        for document in documents
    ]


def print_letter(env, letter):
    """Print one letter.

    :return: the PDF as bytes
    """
    [content] = env["sales.followup.letter"]._render_pdf([letter])
    assert isinstance(content, bytes), content
    return content


def print_document(document):
    """Print a document as Odoo does: the PDF as bytes."""
    report = document.env["sales.followup.document.printer"]._get_document_reports()
    reports = document.env["ir.actions.report"]
    content, _kind = reports._render_qweb_pdf(report[document._name], document.ids)
    return content


def propose_letters(documents):
    """Make a bulk run that sends a letter about each document, not launched yet."""
    run = documents.env["sales.followup.run"].create({})
    run._propose(documents)
    run.line_ids.action_all_letter()
    return run


def launch(run):
    """Launch a bulk run, and send all of it as the scheduled action does.

    :return: the run
    """
    run.action_launch()
    sender = run._as_sender()
    paces = Paces()
    while sender._process(paces):
        # as the commit after each batch does
        run.env.flush_all()
        run.env.invalidate_all()
    states = set(run.line_ids.mapped("state"))
    assert states == {"done"}, run.line_ids.mapped("reason")
    return run
