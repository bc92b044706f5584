"""Numbers of days that no earlier version refused."""

from odoo.tools.sql import column_exists

MOST_DAYS = 3660

#: not all of them were there in the first version
COLUMNS = (
    ("sales_followup_template", "next_days"),
    ("sales_followup_template", "offset_days"),
    ("res_company", "followup_next_days"),
    ("res_company", "followup_min_days"),
    ("res_company", "followup_keep_days"),
)


def migrate(cr, version):
    for table, column in COLUMNS:
        if column_exists(cr, table, column):
            cr.execute(
                f"UPDATE {table} SET {column} = SIGN({column}) * %s"
                f" WHERE ABS({column}) > %s",
                [MOST_DAYS, MOST_DAYS],
            )
