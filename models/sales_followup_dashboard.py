from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .sales_followup_template import SENDING

#: how many people the table of managers shows
PEOPLE_LIMIT = 30


class SalesFollowupDashboard(models.AbstractModel):
    """What a salesperson sees on Monday morning: figures, each with the list behind it.

    The number of queries does not depend on how many reminders there are.
    """

    _name = "sales.followup.dashboard"
    _description = "Follow-up Dashboard"

    @api.model
    def get_figures(self):
        """Give the cards of the dashboard, as the user may see them.

        :return: dict of ``cards``: list of dicts with ``key``, ``label``, ``count``,
            ``amounts`` (list of amounts at stake with their currency id, one for each
            company currency) and ``action``; and ``people``: the same for each user,
            empty unless the user is a manager
        :raise AccessError: without *Follow-up: User*
        """
        self.env["sales.followup.reminder"].check_access("read")
        return {
            "cards": [
                *self._get_next_cards(),
                self._get_failed_card(),
                self._get_waiting_card(),
                *self._get_forgotten_cards(),
            ],
            "people": self._get_people() if self._is_manager() else [],
        }

    @api.model
    def _is_manager(self):
        return self.env.user.has_group("sales_followup.group_manager")

    # --- domains ----------------------------------------------------------------

    @api.model
    def _get_mine(self):
        """Select reminders of the user: done by them, or on a document they follow."""
        uid = self.env.uid
        links = self.env["sales.followup.reminder"]._get_document_fields()
        return Domain("user_id", "=", uid) | Domain.OR(
            Domain(f"{link}.followup_rep_ids", "in", [uid]) for link in links
        )

    @api.model
    def _get_standing(self):
        """Select the reminders that say where open documents stand."""
        return (
            Domain("is_last", "=", True)
            & Domain("is_open", "=", True)
            & Domain("company_id", "in", self.env.companies.ids)
        )

    @api.model
    def _get_periods(self):
        """Give the periods in which next reminders are counted.

        :return: list of (key, label, domain)
        """
        today = fields.Date.context_today(self)
        # the week ends with Sunday; a list that is short says more than a rolling one
        sunday = today + timedelta(days=6 - today.weekday())
        date = "next_date"
        return [
            ("overdue", self.env._("Overdue"), Domain(date, "<", today)),
            ("today", self.env._("Today"), Domain(date, "=", today)),
            (
                "week",
                self.env._("This Week"),
                Domain(date, ">", today) & Domain(date, "<=", sunday),
            ),
            ("later", self.env._("Later"), Domain(date, ">", sunday)),
        ]

    # --- cards ------------------------------------------------------------------

    @api.model
    def _get_next_cards(self):
        """Give my next reminders: overdue, today, this week, later."""
        domain = self._get_standing() & self._get_mine()
        return [
            self._prepare_reminders_card(key, label, domain & period)
            for key, label, period in self._get_periods()
        ]

    @api.model
    def _get_failed_card(self):
        """Give my reminders that were not sent."""
        domain = Domain("state", "=", "failed") & Domain("is_open", "=", True)
        return self._prepare_reminders_card(
            "failed", self.env._("Failed"), domain & self._get_mine()
        )

    @api.model
    def _get_waiting_card(self):
        """Give what was sent and waits: open, no answer, not yet time to ask again."""
        today = fields.Date.context_today(self)
        domain = (
            self._get_standing()
            & self._get_mine()
            & Domain("channel", "in", SENDING)
            & Domain("answer_id", "=", False)
            & Domain("next_date", ">=", today)
        )
        return self._prepare_reminders_card(
            "waiting", self.env._("Waiting for an Answer"), domain
        )

    @api.model
    def _prepare_reminders_card(self, key, label, domain):
        """Count reminders, and add up what is at stake."""
        rows = self.env["sales.followup.reminder"]._read_group(
            domain, ["company_currency_id"], ["__count", "amount_company:sum"]
        )
        return {
            "key": key,
            "label": label,
            "count": sum(count for _currency, count, _amount in rows),
            "amounts": [
                {"amount": amount, "currency_id": currency.id}
                for currency, _count, amount in rows
            ],
            "action": self._prepare_action(label, "sales.followup.reminder", domain),
        }

    @api.model
    def _get_forgotten_cards(self):
        """Give my documents to chase that nobody planned to get back to."""
        return [
            self._prepare_documents_card(doc_type)
            for doc_type in self.env["sales.followup.document.type"].search(
                [("chases", "=", True)]
            )
            if self.env[doc_type.model].has_access("read")
        ]

    @api.model
    def _prepare_documents_card(self, doc_type):
        """Count documents of one type to chase without a next date."""
        documents = self.env[doc_type.model]
        domain = (
            doc_type._get_domain()
            & doc_type._get_domain("chase_domain")
            & Domain("followup_next_date", "=", False)
            & Domain("company_id", "in", self.env.companies.ids)
            & documents._followup_get_mine_domain()
        )
        rows = documents._read_group(
            domain, ["currency_id"], ["__count", f"{doc_type.amount_field}:sum"]
        )
        label = self.env._("%(type)s Without a Next Date", type=doc_type.name)
        return {
            "key": f"forgotten_{doc_type.code}",
            "label": label,
            "count": sum(count for _currency, count, _amount in rows),
            "amounts": [
                {"amount": amount, "currency_id": currency.id}
                for currency, _count, amount in rows
            ],
            "action": self._prepare_action(label, doc_type.model, domain),
        }

    # --- people -----------------------------------------------------------------

    @api.model
    def _get_people(self):
        """Give for each user how many next reminders are overdue, due and to come."""
        reminders = self.env["sales.followup.reminder"]
        people = {}
        for key, label, period in self._get_periods():
            domain = self._get_standing() & period
            rows = reminders._read_group(
                domain, ["user_id"], ["__count", "amount_company:sum"]
            )
            for user, count, _amount in rows:
                person = people.setdefault(
                    user, {"id": user.id, "name": user.name, "cells": {}}
                )
                person["cells"][key] = {
                    "count": count,
                    "action": self._prepare_action(
                        f"{user.name}: {label}",
                        reminders._name,
                        domain & Domain("user_id", "=", user.id),
                    ),
                }
        ranked = sorted(
            people.values(),
            key=lambda person: (
                -person["cells"].get("overdue", {"count": 0})["count"],
                person["name"],
            ),
        )
        return ranked[:PEOPLE_LIMIT]

    @api.model
    def _prepare_action(self, name, model, domain):
        """Give the list behind a figure."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [[False, "list"], [False, "form"]],
            "domain": list(domain),
        }
