from odoo import api, fields, models

#: how many lines of old logs are removed at a time
BATCH_SIZE = 10000


# The log of the scheduled action is a subject of its own.
class SalesFollowupRunLine(models.Model):
    """One document in the log of the scheduled action."""

    _inherit = "sales.followup.run.line"

    urgency_date = fields.Date(
        readonly=True, help="The due date, or where there is none the document date."
    )
    codes = fields.Char(
        readonly=True, help="Why it was not sent, as the verdict knows it."
    )

    @api.autovacuum
    def _gc_old_logs(self):
        """Remove the logs of the scheduled action that are older than their company's
        setting; the reminders stay.

        :return: (removed, whether more are waiting), as the vacuum expects
        """
        # plain SQL: a log may hold many thousand lines, and nothing hangs on them
        self.env.cr.execute(
            """
            DELETE FROM sales_followup_run_line WHERE id IN (
                SELECT line.id
                  FROM sales_followup_run_line line
                  JOIN sales_followup_run run ON run.id = line.run_id
                  JOIN res_company company ON company.id = run.company_id
                 WHERE run.origin = 'auto'
                   AND run.state = 'done'
                   AND company.followup_keep_days > 0
                   AND run.date < (NOW() AT TIME ZONE 'UTC')
                                  - MAKE_INTERVAL(days => company.followup_keep_days)
                 LIMIT %s)
            """,
            [BATCH_SIZE],
        )
        removed = self.env.cr.rowcount
        self.invalidate_model()
        return removed, removed == BATCH_SIZE
