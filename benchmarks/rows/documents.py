"""What the rows about propagation to documents have in common."""

from floor import Floor, of_customers
from measure import Way
from product import preview_replace

from odoo.fields import Command
from odoo.tools import SQL

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
            Way("plain", self.plain, sample, slow=True, su=True),
            Way(
                "plain, no mails",
                self.plain_without_mails,
                sample,
                slow=True,
                su=True,
            ),
        ]

    def ours(self, trial):
        partner_ids, _document_ids = self.choose(trial)
        self.prepare(trial.env)
        with trial.lap("preview"):
            wizard = self.preview(trial.env, partner_ids)
        # two requests of the web client: the second starts with an empty cache
        trial.env.invalidate_all()
        with trial.lap("apply"):
            wizard.action_apply()

    def prepare(self, env):
        """Set up what the wizard needs, unmeasured."""

    def preview(self, env, partner_ids):
        return preview_replace(
            env,
            partner_ids,
            self.type_code,
            self.data.leaver,
            self.data.joiner,
            self.chatter,
        )

    def floor(self, trial):
        partner_ids, _document_ids = self.choose(trial)
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
        _partner_ids, document_ids = self.choose(trial)
        documents = env[self.model].browse(document_ids)
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
        """Choose what a trial works on; note how many documents that are.

        :return: as :meth:`find`
        """
        found = self.find(trial.env, trial.turn, trial.records)
        trial.records = len(found[1])
        return found

    def find(self, env, turn, records):
        """Return (ids of customers, ids of their documents), others at each turn."""
        partner_ids = self.data.partner_ids_with(self.kind, records, turn)
        rows = env.execute_query(
            SQL(
                """
                SELECT doc.id FROM %s doc
                  JOIN res_partner partner ON partner.id = doc.partner_id
                 WHERE partner.commercial_partner_id = ANY(%s)
              ORDER BY doc.id
                """,
                SQL.identifier(env[self.model]._table),
                partner_ids,
            )
        )
        return partner_ids, [id_ for (id_,) in rows]
