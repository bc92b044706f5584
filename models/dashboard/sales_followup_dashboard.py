from collections import defaultdict

from markupsafe import Markup

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..reminders.sales_followup_template import SENDING

#: what is in the future of a document: each next reminder is in one of these
PERIODS = ("overdue", "today", "week", "later")

#: reminders of the user: done by them, or on a document they follow
MINE = Domain("is_mine", "=", True)

#: a document type's card: this, and the code of the type
FORGOTTEN = "forgotten_"

#: code of a document type → how its documents are listed, where Odoo's first choice of
#: a list is another
DOCUMENT_LISTS = {
    "quotation": {"views": {"list": "sale.view_quotation_tree"}},
    "customer_invoice": {
        "views": {
            "list": "account.view_out_invoice_tree",
            "search": "account.view_account_invoice_filter",
        },
        # the list shows the customer if it is told that these are no bills
        "context": {"default_move_type": "out_invoice"},
    },
}


class SalesFollowupDashboard(models.AbstractModel):
    """What a salesperson sees on Monday morning: figures, each with the list behind it.

    The number of queries does not depend on how many reminders there are: all figures
    of reminders come from one query, those of documents from one for each type.
    """

    _name = "sales.followup.dashboard"
    _description = "Follow-up Dashboard"

    # --- what the client asks for -----------------------------------------------

    @api.model
    def get_figures(self):
        """Return the figures of the dashboard, as the user may see them.

        Amounts are lists of dicts with ``amount`` and ``currency_id``, one for each
        company currency: currencies are never added up.

        :return: dict of ``cards``: list of dicts with ``key``, ``section`` (``next``,
            ``sent``, ``forgotten``), ``label``, ``count`` and ``amounts`` at stake; and
            ``people``: a dict of ``columns``, ``rows`` and ``total`` for managers, else
            ``False``
        :raise AccessError: without *Follow-up: User*
        """
        self.env["sales.followup.reminder"].check_access("read")
        is_manager = self._is_manager()
        doc_types = self._get_chased_types()
        rows = self._count_reminders(everybody=is_manager)
        mine = _add_up(row for row in rows if row["is_mine"])
        return {
            "cards": [
                *self._prepare_reminder_cards(mine),
                *self._prepare_forgotten_cards(doc_types),
            ],
            "people": is_manager and self._prepare_people(rows),
        }

    @api.model
    def get_due(self):
        """Return how many of my reminders ask for something now.

        :return: dict of ``overdue``, ``today``, ``failed`` → count
        :raise AccessError: without *Follow-up: User*
        """
        self.env["sales.followup.reminder"].check_access("read")
        figures = _add_up(self._count_reminders(everybody=False))
        return {key: figures[key]["count"] for key in ("overdue", "today", "failed")}

    @api.model
    def get_action(self, key, whose="mine"):
        """Return the list behind a figure.

        :param key: of a card or a column
        :param whose: ``mine``, ``all``, the id of a user, or ``False`` for reminders
            that are nobody's
        :return: dict of an action
        """
        if key.startswith(FORGOTTEN):
            doc_type = self._get_chased_types().filtered(
                lambda doc_type: FORGOTTEN + doc_type.code == key
            )
            return self._prepare_documents_action(doc_type)
        return self._prepare_reminders_action(key, whose)

    def _is_manager(self):
        return self.env.user.has_group("sales_followup.group_manager")

    # --- what is counted --------------------------------------------------------

    def _get_kinds(self):
        """Return what reminders are counted by.

        The days are told as Odoo's own filters do, so that a list stays true when it is
        kept as a favorite, or looked at tomorrow. The week ends as the user's calendar
        shows it.

        :return: dict of key → (label, title of the list, domain)
        """
        date = "next_date"
        next_week = "today =week_start +1w"
        return {
            "overdue": (
                self.env._("Overdue"),
                self.env._("Overdue Reminders"),
                Domain(date, "<", "today"),
            ),
            "today": (
                self.env._("Today"),
                self.env._("Reminders Due Today"),
                Domain(date, "=", "today"),
            ),
            "week": (
                self.env._("This Week"),
                self.env._("Reminders Later This Week"),
                Domain(date, ">", "today") & Domain(date, "<", next_week),
            ),
            "later": (
                self.env._("Later"),
                self.env._("Reminders After This Week"),
                Domain(date, ">=", next_week),
            ),
            "failed": (
                self.env._("Failed"),
                self.env._("Failed Reminders"),
                Domain("state", "=", "failed"),
            ),
            "waiting": (
                self.env._("Waiting for an Answer"),
                self.env._("Waiting for an Answer"),
                Domain(date, ">=", "today")
                & Domain("channel", "in", SENDING)
                & Domain("answer_id", "=", False),
            ),
        }

    def _get_scope(self):
        """Select reminders of open documents, of the companies looked at."""
        return Domain("is_open", "=", True) & Domain(
            "company_id", "in", self.env.companies.ids
        )

    def _get_standing(self, key):
        """Select the reminders of a kind that count: where a document stands is said by
        its last one, which no failed one is."""
        if key == "failed":
            return Domain.TRUE
        return Domain("is_last", "=", True)

    def _count_reminders(self, everybody):
        """Count reminders of every kind, and add up what is at stake, in one query.

        :param everybody: whether those that are not the user's count, too
        :return: list of dicts with ``user_id``, ``user`` (name), ``is_mine``,
            ``currency_id`` and ``figures``: dict of key → (count, amount)
        """
        kinds = {key: domain for key, (_l, _t, domain) in self._get_kinds().items()}
        reminders = self.env["sales.followup.reminder"]
        failed = kinds["failed"]
        planned = Domain("is_last", "=", True) & Domain("next_date", "!=", False)
        domain = self._get_scope() & (planned | failed)
        if not everybody:
            domain &= MINE
        query = reminders._search(domain)
        # of what was selected, whatever did not fail is the last of its document
        conditions = [
            self._get_condition(query, kind if kind == failed else kind & ~failed)
            for kind in kinds.values()
        ]
        is_mine = self._get_condition(query, MINE) if everybody else SQL("TRUE")
        amount = reminders._field_to_sql(query.table, "amount_company", query)
        query.groupby = SQL("1, 2, 3, 4")
        rows = self.env.execute_query(
            query.select(
                reminders._field_to_sql(query.table, "user_id", query),
                _join_user_name(query),
                SQL("(%s) IS TRUE", is_mine),
                _join_company_currency(query),
                *(
                    SQL(
                        "COUNT(*) FILTER (WHERE %(condition)s), "
                        "COALESCE(SUM(%(amount)s) FILTER (WHERE %(condition)s), 0)",
                        condition=condition,
                        amount=amount,
                    )
                    for condition in conditions
                ),
            )
        )
        return [
            {
                "user_id": user_id or False,
                "user": name,
                "is_mine": mine,
                "currency_id": currency_id,
                "figures": {
                    key: (count, amount)
                    for key, count, amount in zip(
                        kinds, figures[::2], figures[1::2], strict=True
                    )
                },
            }
            for user_id, name, mine, currency_id, *figures in rows
        ]

    def _get_condition(self, query, domain):
        """Return what tells in a query of reminders whether a domain selects a row."""
        reminders = self.env["sales.followup.reminder"]
        domain = domain.optimize_full(reminders)
        return domain._to_sql(reminders, query.table, query)

    # --- documents --------------------------------------------------------------

    def _get_chased_types(self):
        """Return the types of documents to chase that the user may read."""
        # all of them at once, as they are asked for one by one afterwards
        doc_types = (
            self.env["sales.followup.document.type"]
            .with_context(active_test=False)
            .search_fetch(Domain.TRUE)
        )
        return doc_types.filtered(
            lambda doc_type: (
                doc_type.active
                and doc_type.chases
                and self.env[doc_type.model].has_access("read")
            )
        )

    def _get_forgotten_domain(self, doc_type):
        """Select my documents to chase that nobody planned to get back to."""
        return (
            doc_type._get_domain()
            & doc_type._get_domain("chase_domain")
            & Domain("followup_next_date", "=", False)
            & Domain("company_id", "in", self.env.companies.ids)
            & Domain("followup_is_mine", "=", True)
        )

    def _count_documents(self, doc_type):
        """Count documents of one type to chase without a next date.

        :return: list of (currency id, count, amount): one for each company currency
        """
        documents = self.env[doc_type.model]
        query = documents._search(self._get_forgotten_domain(doc_type))
        query.groupby = SQL("1")
        amount = documents._followup_company_amount_to_sql(query)
        return self.env.execute_query(
            query.select(
                _join_company_currency(query),
                SQL("COUNT(*)"),
                SQL("COALESCE(SUM(%s), 0)", amount),
            )
        )

    # --- cards ------------------------------------------------------------------

    def _prepare_reminder_cards(self, figures):
        """Return my next reminders, and what became of those that were sent.

        :param figures: dict of key → dict of ``count`` and ``amounts``
        """
        return [
            {
                "key": key,
                "section": "next" if key in PERIODS else "sent",
                "label": label,
                **figures[key],
            }
            for key, (label, _title, _domain) in self._get_kinds().items()
        ]

    def _prepare_forgotten_cards(self, doc_types):
        """Return my documents to chase without a next date, a card for each type."""
        cards = []
        for doc_type in doc_types:
            rows = self._count_documents(doc_type)
            cards.append(
                {
                    "key": FORGOTTEN + doc_type.code,
                    "section": "forgotten",
                    "label": doc_type.name,
                    "count": sum(count for _currency, count, _amount in rows),
                    "amounts": [
                        {"amount": amount, "currency_id": currency_id}
                        for currency_id, _count, amount in rows
                    ],
                }
            )
        return cards

    # --- people -----------------------------------------------------------------

    def _prepare_people(self, rows):
        """Return the table of managers: who has what to do, the most urgent first.

        :param rows: of :meth:`_count_reminders`
        """
        by_user = defaultdict(list)
        for row in rows:
            by_user[row["user_id"]].append(row)
        people = [
            {
                "id": user_id,
                "name": of_user[0]["user"] or self.env._("Nobody"),
                **_prepare_cells(of_user),
            }
            for user_id, of_user in by_user.items()
        ]
        people.sort(
            key=lambda person: (
                -person["cells"]["overdue"],
                -person["cells"]["failed"],
                person["name"],
            )
        )
        return {
            "columns": [
                {"key": key, "label": label}
                for key, (label, _title, _domain) in self._get_kinds().items()
            ],
            "rows": people,
            "total": _prepare_cells(rows),
        }

    # --- lists ------------------------------------------------------------------

    def _prepare_reminders_action(self, key, whose):
        """Return the list of reminders behind a figure, what is due first on top."""
        _label, title, domain = self._get_kinds()[key]
        domain &= self._get_scope() & self._get_standing(key)
        if whose == "mine":
            domain &= MINE
        elif whose == "all":
            title = self.env._("Everybody: %(list)s", list=title)
        else:
            domain &= Domain("user_id", "=", whose)
            user = self.env["res.users"].browse(whose or ())
            title = self.env._(
                "%(user)s: %(list)s",
                # sudo: the name stands in the table already
                user=user.sudo().name or self.env._("Nobody"),
                list=title,
            )
        return self._prepare_action(
            title,
            "sales.followup.reminder",
            domain,
            self.env._("What was done is no longer listed here."),
            views={"list": "sales_followup.sales_followup_reminder_view_list_next"},
            context={"followup_show_failures": key == "failed"},
        )

    def _prepare_documents_action(self, doc_type):
        """Return the list of documents to chase without a next date."""
        return self._prepare_action(
            self.env._("%(type)s Without a Next Date", type=doc_type.name),
            doc_type.model,
            self._get_forgotten_domain(doc_type),
            self.env._("Every document to chase has a next date."),
            **DOCUMENT_LISTS.get(doc_type.code, {}),
        )

    def _prepare_action(
        self, name, model, domain, when_empty, views=None, context=None
    ):
        """Return the list behind a figure.

        :param when_empty: sentence to show where nothing is left
        :param views: dict of kind of view → XML id; Odoo's first choice for the others
        :param context: of the list
        """
        ids = {
            kind: self.env["ir.model.data"]._xmlid_to_res_id(xmlid)
            for kind, xmlid in (views or {}).items()
        }
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [[ids.get(kind, False), kind] for kind in ("list", "form")],
            "search_view_id": [ids.get("search", False), "search"],
            "domain": list(domain),
            "context": context or {},
            "help": Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>')
            % (self.env._("All done"), when_empty),
        }


def _add_up(rows):
    """Add up figures over users, but never over currencies.

    :param rows: of ``_count_reminders``
    :return: dict of key → dict of ``count`` and ``amounts``
    """
    counts = defaultdict(int)
    amounts = defaultdict(lambda: defaultdict(float))
    for row in rows:
        for key, (count, amount) in row["figures"].items():
            counts[key] += count
            if count:
                amounts[key][row["currency_id"]] += amount
    figures = defaultdict(lambda: {"count": 0, "amounts": []})
    for key, count in counts.items():
        figures[key] = {"count": count, "amounts": _list_amounts(amounts[key])}
    return figures


def _prepare_cells(rows):
    """Return what a row of the table shows: a count for each column, and the amount at
    stake in the next reminders, whenever they are due."""
    figures = _add_up(rows)
    at_stake = defaultdict(float)
    for period in PERIODS:
        for stake in figures[period]["amounts"]:
            at_stake[stake["currency_id"]] += stake["amount"]
    return {
        "cells": {key: figure["count"] for key, figure in figures.items()},
        "amounts": _list_amounts(at_stake),
    }


def _list_amounts(by_currency):
    return [
        {"amount": amount, "currency_id": currency_id}
        for currency_id, amount in sorted(by_currency.items())
    ]


def _join_company_currency(query):
    """Join the company of the rows, and give its currency."""
    company = query.left_join(
        query.table, "company_id", "res_company", "id", "company_id"
    )
    return SQL.identifier(company, "currency_id")


def _join_user_name(query):
    """Join the user of the rows, and give their name."""
    user = query.left_join(query.table, "user_id", "res_users", "id", "user_id")
    partner = query.left_join(user, "partner_id", "res_partner", "id", "partner_id")
    return SQL.identifier(partner, "name")
