from odoo import models
from odoo.tools import SQL

from ...rules.changes import Stay

ACTIVITY = "mail.activity"


# What goes along with a record is a subject of its own.
class SalesFollowupChange(models.Model):
    """A complete handover: what else of a user goes to their successor, on the records
    that a change gives to that successor."""

    _inherit = "sales.followup.change"

    def _select_activities(self, records, user_id):
        """Return the SQL that selects the open activities of a user on records.

        The preview counts with it, and the plan is made of it. Activities that were
        done stay whoever's they were.

        :param records: SQL of a query with the columns ``model``, ``res_id`` and
            ``position``
        :param user_id: id of the user
        """
        self.env[ACTIVITY].flush_model()
        return SQL(
            """
            SELECT activity.id, record.position
              FROM mail_activity activity
              JOIN (%s) AS record
                ON record.model = activity.res_model
               AND record.res_id = activity.res_id
             WHERE activity.active AND activity.user_id = %s
            """,
            records,
            user_id,
        )

    def _plan_activities(self, leaver_id, joiner_id):
        """Add lines that give the open activities of a user, on the records planned so
        far, to another.

        :param leaver_id: id of the user whose activities they are
        :param joiner_id: id of the user whose they become
        """
        self.ensure_one()
        planned = SQL(
            "SELECT DISTINCT model, res_id, position FROM sales_followup_change_line"
            " WHERE change_id = %s AND model <> %s",
            self.id,
            ACTIVITY,
        )
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO sales_followup_change_line
                            (change_id, position, model, res_id, owner_position, field,
                             old_ids, new_ids)
                     SELECT %(change)s,
                            %(start)s + ROW_NUMBER() OVER (ORDER BY position, id),
                            %(model)s, id, position, 'user_id', %(old)s, %(new)s
                       FROM (%(activities)s) AS activity
                  RETURNING id
                """,
                change=self.id,
                start=self.planned_count,
                model=ACTIVITY,
                old=f"[{leaver_id}]",
                new=f"[{joiner_id}]",
                activities=self._select_activities(planned, leaver_id),
            )
        )
        self.planned_count += len(rows)
        self.invalidate_recordset(["line_ids"])

    def _find_parted(self, batch):
        """Find what no longer goes along: it was closed, or its record was left alone.

        :return: dict of record id → :class:`~..rules.changes.Stay`
        """
        if batch.target.model != ACTIVITY:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.res_id, activity.active IS NOT TRUE
                  FROM sales_followup_change_line line
             LEFT JOIN mail_activity activity ON activity.id = line.res_id
                 WHERE line.change_id = %(change)s AND line.model = %(model)s
                   AND line.res_id = ANY(%(ids)s)
                   AND (activity.active IS NOT TRUE OR EXISTS (
                           SELECT FROM sales_followup_change_line owner
                            WHERE owner.change_id = line.change_id
                              AND owner.position = line.owner_position
                              AND owner.outcome IN ('left', 'kept')))
                """,
                change=self.id,
                model=ACTIVITY,
                ids=list(batch.planned),
            )
        )
        return {id_: Stay.CLOSED if closed else Stay.PARTED for id_, closed in rows}
