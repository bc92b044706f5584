from goals import Ratio
from measure import Way
from product import assign

from .row_1_assign import Assign
from .row_2_orders import Orders


class UndoAssign(Assign):
    """Undo a bulk assign, after somebody gave every twentieth customer another lead."""

    code = "3a"
    title = "undo of a bulk assign, some rows changed since"
    goals = (Ratio("ours", "ours", at_most=1.3, way_lap="undo", base_lap="apply"),)
    remarks = ()

    def ways(self):
        return [Way("ours", self.ours, self.options.records)]

    def ours(self, trial):
        partner_ids = self.data.partner_ids(trial.records, trial.turn)
        with trial.lap("apply"):
            wizard = assign(trial.env, partner_ids, self.data.joiner)
        change = wizard.change_id
        interfere(trial.env, "res.partner", "user_id", partner_ids, self.data)
        with trial.lap("undo"):
            change.action_undo()


class UndoOrders(Orders):
    """Undo a propagation, after somebody gave every twentieth order another lead."""

    code = "3b"
    title = "undo of a propagation to sale orders, some rows changed since"
    goals = (
        Ratio("ours", "ours", at_most=1.3, way_lap="undo", base_lap="apply"),
        Ratio("ours", "ours", way_lap="undo", base_lap="preview"),
    )

    def ways(self):
        return [Way("ours", self.ours, self.options.records)]

    def ours(self, trial):
        change = super().ours(trial)
        document_ids = self.choose(trial)[1]
        interfere(trial.env, self.model, self.lead_field, document_ids, self.data)
        with trial.lap("undo"):
            change.action_undo()


def interfere(env, model, lead_field, record_ids, data):
    """Change the lead of every twentieth record, as if another user had done so."""
    env.cr.execute(
        f"UPDATE {env[model]._table} SET {lead_field} = %s WHERE id = ANY(%s)",
        [data.colleague, record_ids[::20]],
    )
    env.invalidate_all()
