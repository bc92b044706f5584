from odoo import api, fields, models
from odoo.fields import Domain

from ...rules.verdict import Customer, Settings, judge_customer


# What a form says in one line.
class ResPartner(models.Model):
    """What the form of a customer says at a glance about all its documents."""

    _inherit = "res.partner"

    followup_last_date = fields.Datetime(
        string="Last Reminder",
        compute="_compute_followup_glance",
        groups="sales_followup.group_user",
        help="Of any document of this customer that you may see.",
    )
    followup_next_date = fields.Date(
        string="Next Reminder",
        compute="_compute_followup_glance",
        groups="sales_followup.group_user",
        help="The earliest one planned on an open document of this customer.",
    )
    followup_outlook = fields.Char(
        string="Automatic Reminders",
        compute="_compute_followup_glance",
        groups="sales_followup.group_user",
        help="Whether this customer gets automatic reminders.",
    )

    # Without dependencies: it is asked for by forms alone, after each saving.
    @api.depends_context("uid", "lang", "company")
    def _compute_followup_glance(self):
        for partner in self:
            customer = partner._origin.commercial_partner_id
            reminders = customer._followup_get_glance() if customer else {}
            partner.followup_last_date = reminders.get("last")
            partner.followup_next_date = reminders.get("next")
            partner.followup_outlook = customer and customer._followup_tell_outlook()

    def _followup_get_glance(self):
        """Return when this customer was last reminded, and when it is to be next.

        :return: dict of ``last`` and ``next``
        """
        self.ensure_one()
        reminders = self.env["sales.followup.reminder"]
        last = reminders.search(
            [
                ("partner_id.commercial_partner_id", "=", self.id),
                ("state", "in", ("done", "outgoing")),
            ],
            order="date desc, id desc",
            limit=1,
        )
        if not last:
            return {}
        models = reminders._get_document_fields().values()
        planned = filter(None, map(self._followup_get_next_planned, models))
        return {"last": last.date, "next": min(planned, default=False)}

    def _followup_get_next_planned(self, model):
        """Return the earliest next reminder of this customer's open documents.

        :param model: name of the model of these documents
        :rtype: date, or ``False``
        """
        documents = self.env[model]
        return documents.search(
            documents._followup_get_open_domain()
            & Domain("partner_id.commercial_partner_id", "=", self.id)
            & Domain("followup_next_date", "!=", False),
            order="followup_next_date",
            limit=1,
        ).followup_next_date

    def _followup_tell_outlook(self):
        """Return in one line whether this customer gets automatic reminders.

        :rtype: str
        """
        self.ensure_one()
        company = self.env.company
        reasons = judge_customer(
            Customer(self.followup_exclude, self.followup_pause_until or None),
            # sudo: the switch of the company is not for everybody
            Settings(automatic=company.sudo().followup_automatic),
            company._followup_today(),
        )
        if reasons:
            return self.env["sales.followup.judge"]._explain(reasons[0])
        return self.env._("As each document says.")
