from datetime import datetime, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import ormcache

from ...bounds import check_bounds
from ...rules.periods import local_day

#: addons that chase invoices by themselves
DUNNING_ADDONS = frozenset(
    {
        "account_followup",
        "account_credit_control",
        "account_invoice_overdue_reminder",
        "account_invoice_overdue_warn",
    }
)

#: how much of a calendar is read at a time: mostly the next days will do
CALENDAR = timedelta(weeks=4)

#: nobody plans business days beyond; "never" is a day as any other
HORIZON = timedelta(days=3660)


# What a company decided about reminders.
class ResCompany(models.Model):
    """Settings of reminders, and the company's own day."""

    _inherit = "res.company"

    followup_automatic = fields.Boolean(string="Automatic reminders", default=True)
    followup_next_days = fields.Integer(string="Days to the next reminder", default=15)
    followup_attach_files = fields.Boolean(string="Attach the document's own PDF files")
    followup_min_days = fields.Integer(string="Days between two reminders", default=0)
    followup_business_days = fields.Boolean(string="Only on business days")

    _followup_next_days_positive = models.Constraint(
        "CHECK(followup_next_days >= 0)",
        "The next reminder comes after a number of days, 0 or more.",
    )
    _followup_min_days_positive = models.Constraint(
        "CHECK(followup_min_days >= 0)",
        "Between two reminders lies a number of days, 0 or more.",
    )

    @api.constrains("followup_next_days", "followup_min_days")
    def _check_followup_days(self):
        check_bounds(self, "followup_next_days", "followup_min_days")

    def _followup_get_zone(self):
        """Return the time zone of the company: that of its working calendar.

        :rtype: pytz timezone
        """
        self.ensure_one()
        # sudo: whoever makes a document may know where its company is
        company = self.sudo()
        name = company.resource_calendar_id.tz or company.partner_id.tz or "UTC"
        return pytz.timezone(name)

    def _followup_local_day(self, instant):
        """Return the day of an instant where the company is.

        :param instant: naive UTC datetime
        :rtype: datetime.date
        """
        return local_day(instant, self._followup_get_zone())

    def _followup_get_day(self, value):
        """Return a date as it is, and of an instant the day where the company is.

        :rtype: datetime.date
        """
        return self._followup_local_day(value) if isinstance(value, datetime) else value

    def _followup_today(self):
        """Return today where the company is.

        :rtype: datetime.date
        """
        return self._followup_local_day(fields.Datetime.now())

    def _followup_get_start(self, day):
        """Return when a day begins where the company is.

        :rtype: naive UTC datetime
        """
        midnight = self._followup_get_zone().localize(fields.Datetime.to_datetime(day))
        return midnight.astimezone(pytz.utc).replace(tzinfo=None)

    def _followup_get_business_days(self, today):
        """Return what tells the company's business days, from today on.

        :return: callable of a date, or ``None`` where every day will do
        """
        # sudo: the settings and the calendar of the company are not for everybody
        company = self.sudo()
        if not company.followup_business_days or not company.resource_calendar_id:
            return None
        horizon = today + HORIZON
        known = {}

        def is_business_day(day):
            if day > horizon:
                return True
            if day not in known:
                known.update(company._followup_read_calendar(day))
            return known[day]

        return is_business_day

    def _followup_read_calendar(self, start):
        """Read from the calendar of the company on which days it works.

        :param start: the first day; some weeks are read
        :return: dict of date → whether it is a business day
        """
        zone = self._followup_get_zone()
        unusual = self.resource_calendar_id._get_unusual_days(
            zone.localize(fields.Datetime.to_datetime(start)),
            zone.localize(fields.Datetime.to_datetime(start + CALENDAR)),
            company_id=self,
        )
        days = (start + timedelta(days=number) for number in range(CALENDAR.days))
        return {day: not unusual[fields.Date.to_string(day)] for day in days}

    @ormcache()
    def _followup_has_other_dunning(self):
        """Tell whether another addon chases invoices by itself."""
        modules = self.env["ir.module.module"].sudo()
        return bool(
            modules.search_count(
                [("name", "in", list(DUNNING_ADDONS)), ("state", "=", "installed")],
                limit=1,
            )
        )
