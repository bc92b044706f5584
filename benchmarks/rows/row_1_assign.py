from floor import Floor
from goals import Queries, Ratio
from measure import Way
from product import assign

from odoo.tools import SQL

from . import Row


class Assign(Row):
    """Give customers a new lead, who joins the representatives in place.

    One customer in ten has a contact that follows it: ours and the floor change the
    contact too, and count the customer alone.
    """

    code = "1"
    title = "bulk assign, journal and chatter"
    tables = (
        "res_partner",
        "res_partner_followup_rep_rel",
        "mail_message",
        "mail_tracking_value",
        "mail_followers",
        "mail_followers_mail_message_subtype_rel",
        "sales_followup_change_line",
    )
    goals = (
        Ratio("peer", "ours", at_least=30),
        Ratio("ours", "floor", at_most=2),
        Queries("ours", at_most=0.05),
    )
    remarks = (
        "peer: what OCA server_action_mass_edit ends up in, a plain write in the"
        " default context, which notifies each assignment; it keeps no journal",
    )

    def ways(self):
        return [
            Way("ours", self.ours, self.options.records),
            Way("floor", self.floor, self.options.records),
            Way("peer", self.peer, self.options.sample, slow=True),
        ]

    def ours(self, trial):
        partner_ids = self.data.partner_ids(trial.records, trial.turn)
        with trial.lap():
            assign(trial.env, partner_ids, self.data.joiner)

    def floor(self, trial):
        partner_ids = self.data.partner_ids(trial.records, trial.turn)
        floor = Floor(
            trial.env,
            self.data,
            "res.partner",
            "user_id",
            SQL("doc.commercial_partner_id = ANY(%s)", partner_ids),
            keeps_leaver=True,
        )
        statement = floor.prepare()
        with trial.lap():
            [[changed]] = trial.env.execute_query(statement)
        assert changed >= trial.records

    def peer(self, trial):
        """The wizard of OCA's server_action_mass_edit writes the value on all selected
        records at once. Its code is not used here; this is the same write."""
        partner_ids = self.data.partner_ids(trial.records, trial.turn)
        partners = trial.env["res.partner"].browse(partner_ids)
        with trial.lap():
            partners.write({"user_id": self.data.joiner})
