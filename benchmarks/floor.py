"""The floor: all rows of a bulk change in one set-based SQL statement.

Nothing that keeps the promises of the addon can be much faster than this. For each
record the statement writes what a reader of the database finds afterwards:

- the record's Salesperson and, where the teams differ, sales team, with its access log;
- the salesperson of order lines, which Odoo recomputes, with their access log;
- the relation rows of ``followup_rep_ids``;
- one journal row for each value (Salesperson, representatives and team), in its final
  state;
- with ``chatter``: one message, a tracking value for each of Salesperson, team and
  representatives, and (not on invoices, as in Odoo) the new Salesperson as follower
  with the default subtypes.

It decides nothing (no access check, no preview, no lock, no comparison, no digest), and
it is told beforehand all that does not depend on the record.
"""

from dataclasses import dataclass

from odoo.tools import SQL

_NOTE = "Benchmark"


@dataclass
class Floor:
    """A bulk change to be done by one statement.

    :param env: environment of the editor
    :param data: a :class:`dataset.Data`
    :param model: technical name of the model
    :param lead_field: name of its Salesperson field
    :param selection: SQL condition on the table, alias ``doc``: which records change
    :param keeps_leaver: the leaver stays a representative (assign), or not (replace)
    :param chatter: write messages, tracking values and followers too
    """

    env: object
    data: object
    model: str
    lead_field: str
    selection: SQL
    keeps_leaver: bool = False
    chatter: bool = True

    def prepare(self):
        """Look up what is the same for all records; give the statement."""
        # compiling so large a statement takes longer than running it
        self.env.cr.execute("SET LOCAL jit = off")
        self.records = self.env[self.model].sudo()
        self.reps = self.records._fields["followup_rep_ids"]
        self.has_team = "team_id" in self.records._fields
        parts = [self._documents(), self._names(), self._update(), self._relations()]
        if self.model == "sale.order":
            parts.append(self._order_lines())
        parts.append(self._journal())
        if self.chatter:
            parts += [self._messages(), self._trackings()]
            if self.lead_field == "user_id":
                # Odoo makes the Salesperson follow only where the field bears this name
                parts.append(self._followers())
        return SQL("WITH %s SELECT COUNT(*) FROM doc", SQL(",\n").join(parts))

    def _documents(self):
        """What each record has, and what it gets."""
        kept = (
            SQL("old_reps")
            if self.keeps_leaver
            else SQL("ARRAY_REMOVE(old_reps, %s)", self.data.leaver)
        )
        return SQL(
            """
            doc AS MATERIALIZED (
                SELECT doc.*, ARRAY_APPEND(%(kept)s, %(joiner)s) AS new_reps
                  FROM (SELECT doc.id, doc.%(lead)s AS old_lead, %(team)s AS old_team,
                               doc.company_id, %(partner)s AS partner_id,
                               ARRAY_AGG(rel.%(user)s ORDER BY rel.%(user)s) AS old_reps
                          FROM %(table)s doc
                          JOIN %(relation)s rel ON rel.%(record)s = doc.id
                         WHERE %(selection)s
                      GROUP BY doc.id) AS doc
            )""",
            kept=kept,
            joiner=self.data.joiner,
            lead=SQL.identifier(self.lead_field),
            team=SQL("doc.team_id") if self.has_team else SQL("NULL::int"),
            partner=SQL(
                "NULL::int" if self.model == "res.partner" else "doc.partner_id"
            ),
            table=SQL.identifier(self.records._table),
            selection=self.selection,
            **self._relation(),
        )

    def _names(self):
        """The names of each set of representatives, as tracking values show them."""
        return SQL(
            """
            names AS MATERIALIZED (
                SELECT reps, (SELECT STRING_AGG(partner.name, ', ' ORDER BY position)
                                FROM UNNEST(reps) WITH ORDINALITY AS rep (id, position)
                                JOIN res_users users ON users.id = rep.id
                                JOIN res_partner partner
                                  ON partner.id = users.partner_id
                             ) AS names
                  FROM (SELECT old_reps FROM doc UNION SELECT new_reps FROM doc)
                       AS known (reps)
            )"""
        )

    def _update(self):
        assignments = [
            SQL("%s = %s", SQL.identifier(self.lead_field), self.data.joiner)
        ]
        if self.has_team:
            assignments.append(SQL("team_id = %s", self._new_team().id))
        return SQL(
            """
            updated AS (
                UPDATE %s AS target SET %s, write_uid = %s, write_date = %s
                  FROM doc WHERE target.id = doc.id
            )""",
            SQL.identifier(self.records._table),
            SQL(", ").join(assignments),
            self.env.uid,
            self.env.cr.now(),
        )

    def _order_lines(self):
        return SQL(
            """
            order_lines AS (
                UPDATE sale_order_line line
                   SET salesman_id = %s, write_uid = %s, write_date = %s
                  FROM doc WHERE line.order_id = doc.id
            )""",
            self.data.joiner,
            self.env.uid,
            self.env.cr.now(),
        )

    def _relations(self):
        join = SQL(
            """
            joined AS (
                INSERT INTO %(relation)s (%(record)s, %(user)s)
                     SELECT id, %(joiner)s FROM doc
                ON CONFLICT DO NOTHING
            )""",
            joiner=self.data.joiner,
            **self._relation(),
        )
        if self.keeps_leaver:
            return join
        leave = SQL(
            """
            left_over AS (
                DELETE FROM %(relation)s rel USING doc
                 WHERE rel.%(record)s = doc.id AND rel.%(user)s = %(leaver)s
            )""",
            leaver=self.data.leaver,
            **self._relation(),
        )
        return SQL(",\n").join([leave, join])

    def _journal(self):
        document_types = {
            "sale.order": "sale_order",
            "account.move": "customer_invoice",
        }
        document_type = self.env["sales.followup.document.type"].search(
            [("code", "=", document_types.get(self.model))]
        )
        change = (
            self.env["sales.followup.change"]
            .sudo()
            .create(
                {
                    "operation": "propagate" if document_type else "assign",
                    "state": "done",
                }
            )
        )
        change.flush_recordset()
        values = [
            SQL(
                "(%s, TO_JSONB(ARRAY[old_lead]), %s::jsonb)",
                self.lead_field,
                f"[{self.data.joiner}]",
            ),
            SQL("('followup_rep_ids', TO_JSONB(old_reps), TO_JSONB(new_reps))"),
        ]
        if self.has_team:
            values.append(
                SQL(
                    "('team_id', TO_JSONB(ARRAY[old_team]), %s::jsonb)",
                    f"[{self._new_team().id}]",
                )
            )
        return SQL(
            """
            journal AS (
                INSERT INTO sales_followup_change_line
                            (change_id, position, type_id, model, res_id, company_id,
                             partner_id, field, old_ids, new_ids)
                     SELECT %(change)s, doc.id, %(type)s, %(model)s, doc.id,
                            doc.company_id, %(partner)s, value.*
                       FROM doc, LATERAL (VALUES %(values)s) AS value
            )""",
            change=change.id,
            partner=SQL("doc.partner_id" if document_type else "NULL::int"),
            type=document_type.id or None,
            model=self.model,
            values=SQL(", ").join(values),
        )

    def _messages(self):
        """One message a record, with the columns of a message that Odoo logs."""
        author = self.env.user.partner_id
        return SQL(
            """
            message AS (
                INSERT INTO mail_message
                            (model, res_id, body, message_type, subtype_id, is_internal,
                             author_id, email_from, reply_to, message_id, date,
                             email_add_signature, reply_to_force_new,
                             create_uid, create_date, write_uid, write_date)
                     SELECT %(model)s, id, %(body)s, 'notification', %(subtype)s, TRUE,
                            %(author)s, %(email)s, %(email)s,
                            '<' || id || %(message_id)s, %(now)s, FALSE, FALSE,
                            %(uid)s, %(now)s, %(uid)s, %(now)s
                       FROM doc
                  RETURNING id, res_id
            )""",
            model=self.model,
            body=f"<p>{_NOTE}</p>",
            subtype=self.env.ref("mail.mt_note").id,
            author=author.id,
            email=author.email_formatted,
            message_id="-openerp-message-notify@benchmark.example>",
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    def _trackings(self):
        values = [
            SQL(
                "(%s::int, old_lead, %s::varchar, %s::int, %s::varchar)",
                self._field_id(self.lead_field),
                self._user(self.data.leaver).name,
                self.data.joiner,
                self._user(self.data.joiner).name,
            ),
            SQL(
                "(%s::int, NULL::int, old_names.names, NULL::int, new_names.names)",
                self._field_id("followup_rep_ids"),
            ),
        ]
        if self.has_team:
            new_team = self._new_team()
            values.append(
                SQL(
                    "(%s::int, old_team, %s::varchar, %s::int, %s::varchar)",
                    self._field_id("team_id"),
                    self._team_of(self.data.leaver).name,
                    new_team.id,
                    new_team.name,
                )
            )
        return SQL(
            """
            tracking AS (
                INSERT INTO mail_tracking_value
                            (mail_message_id, field_id,
                             old_value_integer, old_value_char,
                             new_value_integer, new_value_char,
                             create_uid, create_date, write_uid, write_date)
                     SELECT message.id, value.*, %(uid)s, %(now)s, %(uid)s, %(now)s
                       FROM message
                       JOIN doc ON doc.id = message.res_id
                       JOIN names old_names ON old_names.reps = doc.old_reps
                       JOIN names new_names ON new_names.reps = doc.new_reps,
                            LATERAL (VALUES %(values)s) AS value
            )""",
            values=SQL(", ").join(values),
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    def _followers(self):
        subtypes = self.env["mail.message.subtype"]
        _, default_ids, *_ = subtypes._get_auto_subscription_subtypes(self.model)
        return SQL(
            """
            follower AS (
                INSERT INTO mail_followers (res_model, res_id, partner_id)
                     SELECT %(model)s, id, %(partner)s FROM doc
                ON CONFLICT DO NOTHING
                  RETURNING id
            ),
            subscription AS (
                INSERT INTO mail_followers_mail_message_subtype_rel
                            (mail_followers_id, mail_message_subtype_id)
                     SELECT follower.id, subtype.id
                       FROM follower, UNNEST(%(subtypes)s::int[]) AS subtype (id)
            )""",
            model=self.model,
            partner=self._user(self.data.joiner).partner_id.id,
            subtypes=list(default_ids),
        )

    def _relation(self):
        return {
            "relation": SQL.identifier(self.reps.relation),
            "record": SQL.identifier(self.reps.column1),
            "user": SQL.identifier(self.reps.column2),
        }

    def _user(self, user_id):
        return self.env["res.users"].sudo().browse(user_id)

    def _team_of(self, user_id):
        teams = self.env["crm.team"].sudo()
        return teams.search([("member_ids", "in", [user_id])], limit=1)

    def _new_team(self):
        return self._team_of(self.data.joiner)

    def _field_id(self, name):
        return self.env["ir.model.fields"]._get(self.model, name).id


def of_customers(partner_ids):
    """Select the documents of companies and their contacts, for :class:`Floor`."""
    return SQL(
        "doc.partner_id IN (SELECT id FROM res_partner"
        " WHERE commercial_partner_id = ANY(%s))",
        partner_ids,
    )
