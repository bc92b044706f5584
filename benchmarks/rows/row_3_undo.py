from contextlib import contextmanager

from goals import Ratio
from measure import Way
from product import assign

from odoo.tools import SQL

from .row_1_assign import Assign
from .row_2_orders import Orders

#: what a change leaves behind that its undo does not take away; the rest cascades
TRACES = (
    "mail_message",
    "mail_followers",
    "sales_followup_change",
    "sales_followup_assign",
    "sales_followup_propagate",
)


class Undo:
    """Undo a change made and committed before, some records of which changed since.

    The change is measured in the same rounds, where none was made before. This is the
    only row that commits; afterwards all is as it was.
    """

    goals = (Ratio("undo", "apply", at_most=1.3),)
    remarks = ()

    def ways(self):
        records = self.options.records
        return [
            Way("apply", self.apply, records),
            Way("undo", self.undo, records, around=self.around),
        ]

    def begin(self, env, turn, records):
        """Prepare a change.

        :return: (function that does it and gives the change, ids of the records)
        """
        raise NotImplementedError

    def apply(self, trial):
        do, record_ids = self.begin(trial.env, trial.turn, trial.records)
        trial.records = len(record_ids)
        with trial.lap():
            do()

    def undo(self, trial):
        change_id, trial.records = trial.prepared
        change = trial.env["sales.followup.change"].browse(change_id)
        with trial.lap():
            change.action_undo()

    @contextmanager
    def around(self, bench, turn, records):
        """Commit a change; afterwards undo it and remove its traces."""
        with bench.as_editor() as env:
            first_ids = {table: _next_id(env, table) for table in TRACES}
            do, record_ids = self.begin(env, turn, records)
            change = do()
            env.flush_all()
            meddled_ids = record_ids[::20]
            self.set_lead(env, meddled_ids, self.data.colleague)
        yield change.id, len(record_ids)
        with bench.as_editor() as env:
            self.set_lead(env, meddled_ids, self.data.joiner)
            env["sales.followup.change"].browse(change.id).action_undo()
            env.flush_all()
            for table, first_id in first_ids.items():
                env.cr.execute(
                    SQL(
                        "DELETE FROM %s WHERE id >= %s", SQL.identifier(table), first_id
                    )
                )

    def set_lead(self, env, record_ids, user_id):
        """Change the lead as another user would, and as fast as possible."""
        env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                SQL.identifier(env[self.model]._table),
                SQL.identifier(self.lead_field),
                user_id,
                record_ids,
            )
        )
        env.invalidate_all()


class UndoAssign(Undo, Assign):
    code = "3a"
    title = "undo of a bulk assign, some rows changed since"
    model = "res.partner"
    lead_field = "user_id"

    def begin(self, env, turn, records):
        partner_ids = self.data.partner_ids(records, turn)
        return lambda: assign(env, partner_ids, self.data.joiner).change_id, partner_ids


class UndoOrders(Undo, Orders):
    code = "3b"
    title = "undo of a propagation to sale orders, some rows changed since"

    def begin(self, env, turn, records):
        partner_ids, document_ids = self.find(env, turn, records)
        wizard = self.preview(env, partner_ids)
        env.flush_all()
        env.invalidate_all()

        def do():
            wizard.action_apply()
            return wizard.change_id

        return do, document_ids


def _next_id(env, table):
    [[next_id]] = env.execute_query(
        SQL("SELECT COALESCE(MAX(id), 0) + 1 FROM %s", SQL.identifier(table))
    )
    return next_id
