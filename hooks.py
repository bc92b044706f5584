from odoo import Command
from odoo.tools import SQL

#: relation table → (its column of records, their table, their Salesperson's column)
REP_TABLES = {
    "res_partner_followup_rep_rel": ("partner_id", "res_partner", "user_id"),
    "sale_order_followup_rep_rel": ("order_id", "sale_order", "user_id"),
    "account_move_followup_rep_rel": ("move_id", "account_move", "invoice_user_id"),
}

#: stored values that no document has before its first reminder: column → its type
REMINDER_COLUMNS = {
    "followup_last_reminder_id": "int4",
    "followup_last_date": "timestamp",
    "followup_next_date": "date",
    "followup_template_id": "int4",
}


def add_reminder_columns(cr):
    """Add the columns of reminders, all empty, before the ORM would compute them.

    Finding them there, it does not go through each existing quotation and invoice.
    """
    for table in ("sale_order", "account_move"):
        for column, kind in REMINDER_COLUMNS.items():
            cr.execute(
                SQL(
                    "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    SQL(kind),
                )
            )


def pre_init_hook(env):
    """Make every Salesperson a representative, before the ORM makes the fields.

    The tables are made and filled here, by one statement each: finding them there, the
    ORM does not compute the representatives of each existing record.
    """
    add_reminder_columns(env.cr)
    for relation, (column, table, lead) in REP_TABLES.items():
        names = {
            "relation": SQL.identifier(relation),
            "column": SQL.identifier(column),
            "table": SQL.identifier(table),
            "lead": SQL.identifier(lead),
        }
        env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS %(relation)s (
                    %(column)s INTEGER NOT NULL,
                    user_id INTEGER NOT NULL,
                    PRIMARY KEY (%(column)s, user_id));
                CREATE INDEX ON %(relation)s (user_id, %(column)s);
                """,
                **names,
            )
        )
        env.cr.execute(
            SQL(
                """
                INSERT INTO %(relation)s (%(column)s, user_id)
                     SELECT id, %(lead)s FROM %(table)s WHERE %(lead)s IS NOT NULL
                ON CONFLICT DO NOTHING
                """,
                **names,
            )
        )


def uninstall_hook(env):
    """Take along what would stay otherwise: activities, whose types could not go
    without them, and the e-mails that were made for templates."""
    templates = env["sales.followup.template"].with_context(active_test=False)
    emails = templates.search([("is_email_own", "=", True)]).mail_template_id
    env.flush_all()
    # not written: an automatic template without e-mail is refused
    env.cr.execute("UPDATE sales_followup_template SET mail_template_id = NULL")
    env.invalidate_all()
    emails.unlink()
    types = env["mail.activity.type"]
    for name in ("mail_activity_type_reminder", "mail_activity_type_failed"):
        types |= env.ref(f"sales_followup.{name}", raise_if_not_found=False) or types
    env["mail.activity"].with_context(active_test=False).search(
        [("activity_type_id", "in", types.ids)]
    ).unlink()


def post_init_hook(env):
    """Give the people who sell today their rights; from then on it is per person."""
    salespeople = env.ref("sales_team.group_sale_salesman").all_user_ids
    managers = env.ref("sales_team.group_sale_manager").all_user_ids
    salespeople.write(
        {"group_ids": [Command.link(env.ref("sales_followup.group_user").id)]}
    )
    managers.write(
        {"group_ids": [Command.link(env.ref("sales_followup.group_manager").id)]}
    )
    # who edits representatives is chosen by group, in the settings
    env.ref("sales_followup.group_rep_editor").implied_by_ids = [
        Command.link(env.ref("sales_team.group_sale_manager").id)
    ]
