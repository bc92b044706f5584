from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...bounds import check_bounds
from ...rules.cadence import Level, Trigger


# When a template goes out by itself.
class SalesFollowupTemplate(models.Model):
    """Automatic reminders; :mod:`.sales_followup_template` has the texts."""

    _inherit = "sales.followup.template"

    automatic = fields.Boolean(
        copy=False,
        help="Send this e-mail automatically on its day, unless the customer answered "
        "or another rule objects to it.",
    )
    trigger = fields.Selection(
        [
            ("due_date", "Due date"),
            ("document_date", "Document date"),
            ("previous", "Previous reminder"),
        ],
        string="Counted From",
    )
    offset_days = fields.Integer(
        string="Days",
        aggregator=None,
        help="After that date; a negative number means before it.",
    )
    active_from = fields.Date(
        copy=False,
        help="Only documents whose day for this reminder falls on or after this date. "
        "Filled in when the template is switched on, so that old documents are left "
        "alone.",
    )
    min_amount = fields.Float(
        string="Minimum Amount",
        help="Untaxed, in the currency of the company; smaller documents are left out.",
    )

    _min_amount_positive = models.Constraint(
        "CHECK(min_amount >= 0)", "The minimum amount cannot be negative."
    )

    @api.constrains(
        "automatic",
        "trigger",
        "offset_days",
        "active_from",
        "mail_template_id",
        "subject",
        "email_body",
    )
    def _check_automatic(self):
        for template in self.filtered("automatic"):
            if missing := template._get_missing():
                raise ValidationError(
                    self.env._(
                        "Template “%(template)s” cannot go out by itself: %(missing)s.",
                        template=template.name,
                        missing=missing,
                    )
                )

    @api.constrains("offset_days", "active_from")
    def _check_days(self):
        check_bounds(self, "offset_days", "active_from")

    def _get_missing(self):
        """Say what an automatic template lacks, or ``None``."""
        self.ensure_one()
        if not self.subject:
            return self.env._("the e-mail has no subject")
        if not self._has_text("email"):
            return self.env._("the e-mail has no text")
        if not self.trigger:
            return self.env._("choose from which date its days are counted")
        if self.trigger == "previous" and self.offset_days <= 0:
            return self.env._(
                "enter how many days after the previous reminder it is due"
            )
        if self.automatic and not self.active_from:
            return self.env._("enter from which day on it is active")
        return None

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'sales_followup'
        for vals in vals_list:
            self._complete_active_from(vals)
        return super().create(vals_list)

    def write(self, vals):
        """Note the day on which templates are switched on."""
        # EXTENDS 'sales_followup'
        if not vals.get("automatic") or vals.get("active_from"):
            return super().write(vals)
        starting = self.filtered(lambda template: not template.automatic)
        result = super(SalesFollowupTemplate, self - starting).write(vals)
        for today, alike in starting.grouped(lambda t: t._get_today()).items():
            vals_today = {**vals, "active_from": today}
            super(SalesFollowupTemplate, alike).write(vals_today)
        return result

    def _complete_active_from(self, vals):
        """Fill in the day on which a new template is switched on: today."""
        if vals.get("automatic") and not vals.get("active_from"):
            company = self.env["res.company"].browse(vals.get("company_id") or ())
            vals["active_from"] = (company or self.env.company)._followup_today()

    def _get_today(self):
        """Return today in the template's company."""
        company = self.company_id or self.series_id.company_id or self.env.company
        return company._followup_today()

    def _get_level(self):
        """Return the template as the rules of cadence know it.

        :rtype: Level
        """
        self.ensure_one()
        return Level(
            template=self.id,
            trigger=Trigger(self.trigger or "due_date"),
            offset=self.offset_days if self.trigger else None,
            complete=self._get_missing() is None,
            automatic=self.automatic,
            active_from=self.active_from or None,
            min_amount=self.min_amount,
        )
