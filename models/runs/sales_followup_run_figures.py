from odoo import api, fields, models
from odoo.tools import format_amount

from .sales_followup_run_process import INLINE_LIMIT

#: what is counted anew for each look at a run: it depends on its lines, of which a
#: form has far too many to tell it of each change
FIGURES = (
    "line_count",
    "email_count",
    "letter_count",
    "none_count",
    "stopped_count",
    "overruled_count",
    "waiting_count",
    "sent_count",
    "failed_count",
    "skipped_count",
    "reminder_count",
    "progress",
    "email_amount",
    "letter_amount",
    "none_amount",
    "total_amount",
    "type_names",
    "is_background",
    "launch_notes",
)


# What a run comes to is counted by the database.
class SalesFollowupRun(models.Model):
    """Counts and sums of a run; :mod:`.sales_followup_run` has what it is."""

    _inherit = "sales.followup.run"

    line_count = fields.Integer(string="Documents", compute="_compute_counts")
    email_count = fields.Integer(string="E-mails", compute="_compute_counts")
    letter_count = fields.Integer(string="Letters", compute="_compute_counts")
    none_count = fields.Integer(string="Left Out", compute="_compute_counts")
    stopped_count = fields.Integer(
        string="With a Reason against It",
        compute="_compute_counts",
        help="Documents left out because of an objection.",
    )
    overruled_count = fields.Integer(
        string="Overruled",
        compute="_compute_counts",
        help="Documents that are sent despite an objection.",
    )
    waiting_count = fields.Integer(string="To Send", compute="_compute_counts")
    sent_count = fields.Integer(string="Sent", compute="_compute_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_counts")
    skipped_count = fields.Integer(string="Not Sent", compute="_compute_counts")
    reminder_count = fields.Integer(string="Reminders", compute="_compute_counts")
    progress = fields.Float(compute="_compute_counts", help="In percent.")
    email_amount = fields.Char(string="By E-mail", compute="_compute_amounts")
    letter_amount = fields.Char(string="By Letter", compute="_compute_amounts")
    none_amount = fields.Char(string="Amount Left Out", compute="_compute_amounts")
    total_amount = fields.Char(string="Untaxed Amount", compute="_compute_amounts")
    type_names = fields.Char(string="Type", compute="_compute_type_names")
    is_background = fields.Boolean(
        string="In the Background", compute="_compute_launch_notes"
    )
    launch_notes = fields.Text(string="Notes", compute="_compute_launch_notes")

    def _compute_counts(self):
        # sudo: whoever sees the run may know what it comes to
        rows = (
            self.env["sales.followup.run.line"]
            .sudo()
            ._read_group(
                [("run_id", "in", self.ids)],
                ["run_id", "state", "channel", "stops", "reminder_id.state"],
                ["__count"],
            )
        )
        by_run = {}
        for run, *kind, count in rows:
            by_run.setdefault(run.id, []).append((*kind, count))
        for run in self:
            figures = run._sum_up(by_run.get(run._origin.id, ()))
            for name, figure in figures.items():
                run[name] = figure

    def _sum_up(self, rows):
        """Count the lines of one run.

        :param rows: iterable of (state of the line, its channel, what was spoken
            against, state of its reminder, number of such lines)
        :return: dict of field → number
        """
        figures = dict.fromkeys(
            (name for name in FIGURES if name.endswith("_count")), 0
        )
        for state, channel, stops, reminder_state, count in rows:
            figures["line_count"] += count
            figures[f"{channel}_count"] += count
            figures["reminder_count"] += count if reminder_state else 0
            if channel == "none":
                figures["stopped_count"] += count if stops else 0
            elif state == "waiting":
                figures["waiting_count"] += count
            if channel != "none" and stops in ("any", channel):
                figures["overruled_count"] += count
            # an e-mail may come back long after it was sent
            if state == "failed" or reminder_state == "failed":
                figures["failed_count"] += count
            elif state == "done":
                figures["sent_count"] += count
            elif state == "skipped":
                figures["skipped_count"] += count
        chosen = figures["email_count"] + figures["letter_count"]
        finished = chosen - figures["waiting_count"]
        figures["progress"] = 100 * finished / chosen if chosen else 0
        return figures

    def _compute_amounts(self):
        # sudo: as above
        rows = (
            self.env["sales.followup.run.line"]
            .sudo()
            ._read_group(
                [("run_id", "in", self.ids)],
                ["run_id", "currency_id", "channel"],
                ["amount:sum"],
                order="currency_id",
            )
        )
        by_run = {}
        for run, currency, channel, amount in rows:
            by_run.setdefault(run.id, []).append((currency, channel, amount))
        for run in self:
            of_run = by_run.get(run._origin.id, [])
            for kind in ("email", "letter", "none"):
                run[f"{kind}_amount"] = self._format_amounts(
                    (currency, amount)
                    for currency, channel, amount in of_run
                    if channel == kind
                )
            run.total_amount = self._format_amounts(
                (currency, amount) for currency, _channel, amount in of_run
            )

    def _format_amounts(self, amounts):
        """Return the total of each currency: different ones are not added up.

        :param amounts: iterable of (``res.currency``, amount)
        :rtype: str
        """
        totals = {}
        for currency, amount in amounts:
            totals[currency] = totals.get(currency, 0) + amount
        return " + ".join(
            format_amount(self.env, amount, currency)
            for currency, amount in totals.items()
            if currency
        )

    def _compute_type_names(self):
        # sudo: as above
        rows = (
            self.env["sales.followup.run.line"]
            .sudo()
            ._read_group([("run_id", "in", self.ids)], ["run_id", "document_type_id"])
        )
        names = {}
        for run, doc_type in rows:
            if doc_type:
                names.setdefault(run.id, []).append(doc_type.name)
        for run in self:
            run.type_names = ", ".join(names.get(run._origin.id, ()))

    @api.depends_context("lang")
    def _compute_launch_notes(self):
        for run in self:
            run.launch_notes = "\n".join(run._get_launch_notes())
            run.is_background = run.waiting_count > INLINE_LIMIT

    def _get_launch_notes(self):
        """Return what to know before the run is launched.

        :return: list of sentences
        """
        notes = []
        if self.overruled_count:
            notes.append(
                self.env._(
                    "Documents that are sent despite an objection: %(count)s.",
                    count=self.overruled_count,
                )
            )
        # sudo: outgoing mail servers are for administrators
        if self.email_count and not self.env["ir.mail_server"].sudo().search_count(
            [], limit=1
        ):
            notes.append(
                self.env._(
                    "There is no outgoing mail server: the e-mails wait in the queue "
                    "until there is one."
                )
            )
        return notes

    def _forget_figures(self):
        """Have the figures counted anew: lines have changed."""
        self.invalidate_model(FIGURES, flush=False)
