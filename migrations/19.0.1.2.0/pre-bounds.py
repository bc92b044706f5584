"""Numbers of days that no earlier version refused."""

MOST_DAYS = 3660

FIELDS = {
    "sales_followup_template": ("next_days", "offset_days"),
    "res_company": ("followup_next_days", "followup_min_days"),
}


def migrate(cr, version):
    for table, names in FIELDS.items():
        for name in names:
            cr.execute(
                f"UPDATE {table} SET {name} = SIGN({name}) * %s WHERE ABS({name}) > %s",
                [MOST_DAYS, MOST_DAYS],
            )
