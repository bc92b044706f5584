from itertools import takewhile

from odoo import fields, models
from odoo.tools import SQL


# The log of the scheduled action is a subject of its own.
class SalesFollowupRun(models.Model):
    """What a run of the scheduled action did, and has still to do;
    :mod:`.sales_followup_automatic` works on it."""

    _inherit = "sales.followup.run"

    is_planned = fields.Boolean(
        string="Planned to the End",
        readonly=True,
        copy=False,
        help="All that is due is in the log.",
    )
    position = fields.Json(
        readonly=True,
        copy=False,
        help="Which template an interrupted run planned last, and where to go on.",
    )

    def _change_state(self, former, state):
        """Leave the logs of the scheduled action alone: the setting stops it."""
        # EXTENDS 'sales_followup'
        runs = self.filtered(lambda run: run.origin == "run")
        return super(SalesFollowupRun, runs)._change_state(former, state)

    def _get_next_lines(self, busy, limit):
        """Give what is to be sent next, the most urgent first.

        One document of each customer comes first, that with the oldest due date:
        where a customer is reminded once in some days, that one goes.

        :param busy: lines to pass over
        :return: lines on one model of documents
        """
        self.ensure_one()
        lines = self.env["sales.followup.run.line"]
        lines.flush_model()
        links = [
            SQL("line.%s IS NULL", SQL.identifier(link))
            for link in lines._get_document_fields()
        ]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id
                  FROM sales_followup_run_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.run_id = %(run)s
                   AND line.state = 'waiting'
                   AND line.id <> ALL(%(busy)s)
              ORDER BY ROW_NUMBER() OVER (
                            PARTITION BY partner.commercial_partner_id
                            ORDER BY line.urgency_date, line.id),
                       %(kinds)s, line.urgency_date, line.id
                 LIMIT %(limit)s
                """,
                run=self.id,
                busy=busy.ids,
                kinds=SQL(", ").join(links),
                limit=limit,
            )
        )
        found = lines.browse(id_ for [id_] in rows)
        kinds = [line._get_document()._name for line in found]
        alike = list(takewhile(lambda kind: kind == kinds[0], kinds))
        return found[: len(alike)]

    def _close_log(self):
        """Close the log; one that tells nothing is not kept."""
        for run in self:
            if run.line_ids:
                run.write({"state": "done", "finished_date": fields.Datetime.now()})
            else:
                run.state = "draft"
                run.unlink()

    def _abandon_log(self):
        """Close an interrupted run: what it had still to send is planned by another."""
        self.line_ids.filtered(lambda line: line.state == "waiting").unlink()
        self._close_log()
