"""What the rows about propagation to documents have in common."""

from floor import Floor, of_customers
from measure import Way
from product import preview_replace

from odoo.fields import Command

from . import Row


class DocumentsRow(Row):
    """Put the joiner in the leaver's place on documents of some customers.

    :cvar kind: ``orders`` or ``invoices``
    :cvar chatter: log in the chatter of each document
    """

    kind = "orders"
    model = "sale.order"
    type_code = "sale_order"
    lead_field = "user_id"
    chatter = True

    def ways(self):
        records, sample = self.options.records, self.options.sample
        return [
            Way("ours", self.ours, records),
            Way("floor", self.floor, records),
            # sudo: an Editor need not have any right on invoices, our wizard does
            # without; it makes the plain way faster, if anything
            Way("plain", self.plain, sample, su=True),
            Way("plain, no mails", self.plain_without_mails, sample, su=True),
        ]

    def ours(self, trial):
        partner_ids = self.choose(trial)[0]
        self.prepare(trial.env)
        with trial.lap("preview"):
            wizard = preview_replace(
                trial.env,
                partner_ids,
                self.type_code,
                self.data.leaver,
                self.data.joiner,
                self.chatter,
            )
        # two requests of the web client: the second starts with an empty cache
        trial.env.invalidate_all()
        with trial.lap("apply"):
            wizard.action_apply()
        return wizard.change_id

    def prepare(self, env):
        """Set up what the wizard needs, unmeasured."""

    def floor(self, trial):
        partner_ids = self.choose(trial)[0]
        floor = Floor(
            trial.env,
            self.data,
            self.model,
            self.lead_field,
            of_customers(partner_ids),
            chatter=self.chatter,
        )
        statement = floor.prepare()
        with trial.lap():
            [[changed]] = trial.env.execute_query(statement)
        assert changed == trial.records

    def plain(self, trial):
        self._write(trial, trial.env)

    def plain_without_mails(self, trial):
        context = {"mail_auto_subscribe_no_notify": True}
        self._write(trial, trial.env(context={**trial.env.context, **context}))

    def _write(self, trial, env):
        documents = env[self.model].browse(self.choose(trial)[1])
        with trial.lap():
            documents.write(
                {
                    self.lead_field: self.data.joiner,
                    "followup_rep_ids": [
                        Command.unlink(self.data.leaver),
                        Command.link(self.data.joiner),
                    ],
                }
            )

    def choose(self, trial):
        """Give (ids of customers, ids of all their documents), others at each turn."""
        partner_ids = self.data.partner_ids_with(self.kind, trial.records, trial.turn)
        cr = trial.env.cr
        cr.execute(
            f"""
            SELECT doc.id FROM {trial.env[self.model]._table} doc
              JOIN res_partner partner ON partner.id = doc.partner_id
             WHERE partner.commercial_partner_id = ANY(%s)
          ORDER BY doc.id
            """,
            [partner_ids],
        )
        document_ids = [id_ for (id_,) in cr.fetchall()]
        trial.records = len(document_ids)
        return partner_ids, document_ids
