"""The addon as a user of it sees it: its wizards, as the web client calls them."""

from odoo.fields import Command


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
