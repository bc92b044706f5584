"""The addon as a user of it sees it: its wizards, as the web client calls them."""

from datetime import date

from dataset import TODAY

from odoo.fields import Command

FIRST_REMINDER = "sales_followup.template_quotation_1"


def assign(env, partner_ids, user_id):
    """Make a user a representative and the Salesperson of customers."""
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


def is_installed(env):
    return "sales.followup.propagate" in env


def switch_on(env, xmlid):
    """Have a reminder go out by itself on the due date, as if it were the last day of
    the data, and always had been.

    :return: the template, as a run of the scheduled action has it at hand
    """
    template = env.ref(xmlid)
    template.write(
        {
            "automatic": True,
            "trigger": "due_date",
            "offset_days": (template._get_today() - TODAY).days,
            "active_from": date(2000, 1, 1),
        }
    )
    env.flush_all()
    env.invalidate_all()
    automatic = env["sales.followup.automatic"]
    automatic._is_sending_day()
    return automatic._get_templates()


def find_due(template, count, page):
    """Find documents that may be due for a template, so many at a time.

    :return: list of ids, at least ``count``
    """
    automatic, found = template.env["sales.followup.automatic"], []
    for documents, _position in automatic._walk_candidates(template, size=page):
        found += documents.ids
        if len(found) >= count:
            break
    return found
