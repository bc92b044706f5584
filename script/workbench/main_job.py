"""The addon's main job once, on Odoo's own demo data, and what it changed.

A portfolio of customers gets a representative, who is then brought onto their
documents of the past year. Done a second time, it finds all of that right.
"""

import sys
from collections import Counter
from datetime import timedelta

from odoo import fields

from workbench.inside import odoo_environment

PORTFOLIO = 6
DAYS = 365
# Says in a database that the job was done there.
DONE = "sales_followup.demo_main_job"


def choose_portfolio(env):
    """Return the customers with most orders in Odoo's demo data."""
    counts = Counter()
    for partner, count in env["sale.order"]._read_group(
        [], ["partner_id"], ["__count"]
    ):
        counts[partner.commercial_partner_id.id] += count
    ranked = sorted(counts, key=lambda partner_id: (-counts[partner_id], partner_id))
    return env["res.partner"].browse(ranked[:PORTFOLIO])


def assign(env, partners, rep):
    wizard = env["sales.followup.assign"].create(
        {
            "operation": "assign",
            "partner_ids": partners.ids,
            "user_ids": rep.ids,
            "lead_id": rep.id,
            "include_contacts": True,
        }
    )
    print(
        f"  {wizard.change_count} customers and contacts change,"
        f" {wizard.right_count} already are so"
    )
    wizard.action_apply()


def preview(env, partners):
    """Return the propagation wizard with its preview, for all types there are."""
    today = fields.Date.context_today(env.user)
    types = env["sales.followup.document.type"].search([])
    wizard = env["sales.followup.propagate"].create(
        {
            "partner_ids": partners.ids,
            "date_from": today - timedelta(days=DAYS),
            "date_to": today,
            "type_ids": types.filtered("available").ids,
            "mode": "align",
            "scope": "all",
        }
    )
    wizard.action_preview()
    return wizard


def count_lines(wizard):
    """Return how many documents change, are right and are skipped, by type."""
    counts = {type_: Counter() for type_ in wizard.type_ids}
    for line in wizard.line_ids:
        counts[line.type_id][line.status] += 1
    for type_id, right in wizard.right_counts.items():
        counts[wizard.type_ids.browse(int(type_id))]["right"] = right
    return counts


def print_table(counts):
    print(f"\n{'Document type':<24}{'changed':>9}{'already right':>15}{'skipped':>9}")
    for type_, count in counts.items():
        print(
            f"{type_.name:<24}{count['change']:>9}{count['right']:>15}"
            f"{count['skip']:>9}"
        )


def main():
    with odoo_environment() as env:
        env = env(user=env.ref("base.user_admin"))
        partners, rep = choose_portfolio(env), env.ref("base.user_demo")
        print(f"\n{rep.name} takes over {len(partners)} customers:")
        print("  " + ", ".join(partners.mapped("name")))
        assign(env, partners, rep)
        wizard = preview(env, partners)
        counts = count_lines(wizard)
        if any(count["change"] for count in counts.values()):
            wizard.action_apply()
        print(f"Documents from {wizard.date_from} to {wizard.date_to}:")
        print_table(counts)
        left = count_lines(preview(env, partners))
        if not any(count["change"] for count in left.values()):
            env["ir.config_parameter"].set_param(DONE, "True")
    if any(count["change"] for count in left.values()):
        sys.exit("\nThe documents were not brought in step with their customers.")
    print("\nA second preview finds nothing left to change.\n")


if __name__ == "__main__":
    main()
