from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from .rules.bounds import (
    FIRST_DAY,
    MOST_DAYS,
    is_day_within,
    is_number_within,
    last_day,
)


def check_bounds(records, *names):
    """Refuse days and numbers of days that are out of all bounds.

    What is stored nevertheless may come from an earlier version: pages live with it.

    :param names: of date, datetime and integer fields; empty ones pass
    :raise ValidationError: naming field, value and bound
    """
    env = records.env
    today = fields.Date.context_today(records)
    for name in names:
        field = records._fields[name]
        for value in set(records.mapped(name)) - {False, None}:
            if field.type == "integer":
                if not is_number_within(value):
                    raise ValidationError(
                        env._(
                            "%(field)s: %(days)s days are too many; enter %(most)s at "
                            "most.",
                            field=field._description_string(env),
                            days=value,
                            most=MOST_DAYS,
                        )
                    )
                continue
            day = fields.Date.to_date(value)
            if not is_day_within(day, today):
                raise ValidationError(
                    env._(
                        "%(field)s: %(day)s is too far away; enter a day from "
                        "%(first)s to %(last)s.",
                        field=field._description_string(env),
                        day=day.isoformat(),
                        first=format_date(env, FIRST_DAY),
                        last=format_date(env, last_day(today)),
                    )
                )
