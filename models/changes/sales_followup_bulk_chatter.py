from odoo import models
from odoo.tools import SQL

TRACKING_COLUMNS = (
    "field_id",
    "old_value_integer",
    "old_value_char",
    "new_value_integer",
    "new_value_char",
)


class SalesFollowupBulkChatter(models.AbstractModel):
    """Logs tracked values in the chatter of many records.

    Odoo logs tracked values one record at a time. Here the first message is made by
    Odoo and the others are copies of its row, so that they have whatever columns and
    defaults Odoo gives; tracking values are prepared by Odoo once for each distinct
    change.
    """

    _name = "sales.followup.bulk.chatter"
    _description = "Chatter of Bulk Changes"

    def _log_changes(self, model_name, changes, note):
        """Log one message with its tracked values on each record.

        :param model_name: model of the records
        :param changes: dict of record id → list of (field name, old value, new value),
            a value being a user or team id, a tuple of user ids, or ``None``
        :param note: text of the message
        """
        model = self.env[model_name].sudo()
        tracked = model._track_get_fields()
        changes = {
            id_: [change for change in record_changes if change[0] in tracked]
            for id_, record_changes in changes.items()
        }
        changes = {id_: kept for id_, kept in changes.items() if kept}
        if not changes:
            return
        messages = self._create_messages(model, list(changes), note)
        self._create_trackings(model, changes, messages)
        model.browse(changes).invalidate_recordset(["message_ids"], flush=False)

    def _create_messages(self, model, record_ids, note):
        """Create one log message a record: dict of record id → message id."""
        first = model.browse(record_ids[0])._message_log(body=note)
        first.flush_recordset()
        columns = [
            SQL.identifier(name)
            for name, field in first._fields.items()
            if field.store
            and field.column_type
            and name not in ("id", "res_id", "message_id")
        ]
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mail_message (res_id, message_id, %(columns)s)
                     SELECT record.id,
                            REPLACE(message_id, '<', '<' || record.id || '-'),
                            %(columns)s
                       FROM mail_message first,
                            UNNEST(%(record_ids)s::int[]) AS record (id)
                      WHERE first.id = %(first)s
                  RETURNING res_id, id
                """,
                columns=SQL(", ").join(columns),
                record_ids=record_ids[1:],
                first=first.id,
            )
        )
        return {record_ids[0]: first.id, **dict(rows)}

    def _create_trackings(self, model, changes, messages):
        """Create the tracking values that go with the messages."""
        prepared = {}
        rows = []
        for record_id, record_changes in changes.items():
            for change in record_changes:
                if change not in prepared:
                    prepared[change] = self._prepare_tracking(model, *change)
                rows.append((messages[record_id], *prepared[change]))
        arrays = [list(column) for column in zip(*rows, strict=True)]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mail_tracking_value
                            (mail_message_id, %(columns)s,
                             create_uid, create_date, write_uid, write_date)
                     SELECT new.*, %(uid)s, %(now)s, %(uid)s, %(now)s
                       FROM UNNEST(%(messages)s::int[], %(fields)s::int[],
                                   %(old_ids)s::int[], %(old_names)s::text[],
                                   %(new_ids)s::int[], %(new_names)s::text[]) AS new
                """,
                columns=SQL(", ").join(map(SQL.identifier, TRACKING_COLUMNS)),
                uid=self.env.uid,
                now=self.env.cr.now(),
                messages=arrays[0],
                fields=arrays[1],
                old_ids=arrays[2],
                old_names=arrays[3],
                new_ids=arrays[4],
                new_names=arrays[5],
            )
        )

    def _prepare_tracking(self, model, field_name, old, new):
        """Return the columns of a tracking value, as Odoo prepares them.

        :return: tuple in the order of :data:`TRACKING_COLUMNS`
        """
        info = model.fields_get([field_name], ["string", "type", "selection"])
        comodel = self.env[model._fields[field_name].comodel_name].sudo()
        values = self.env["mail.tracking.value"]._create_tracking_values(
            comodel.browse(old or ()),
            comodel.browse(new or ()),
            field_name,
            info[field_name],
            model,
        )
        return tuple(values.get(column) for column in TRACKING_COLUMNS)

    def _subscribe(self, model_name, leads):
        """Make each new Salesperson a follower, as Odoo does on assignment.

        :param leads: dict of record id → user id or ``None``
        """
        users = self.env["res.users"].sudo().browse({*leads.values()} - {None})
        partners = {user.id: user.partner_id.id for user in users if user.active}
        pairs = [
            (record_id, partners[lead])
            for record_id, lead in leads.items()
            if lead in partners
        ]
        subtypes = self.env["mail.message.subtype"]
        _, default_subtype_ids, *_ = subtypes._get_auto_subscription_subtypes(
            model_name
        )
        self.env["mail.followers"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH follower AS (
                    INSERT INTO mail_followers (res_model, res_id, partner_id)
                         SELECT %(model)s, new.record_id, new.partner_id
                           FROM UNNEST(%(record_ids)s::int[], %(partner_ids)s::int[])
                                AS new (record_id, partner_id)
                    ON CONFLICT DO NOTHING
                      RETURNING id
                )
                INSERT INTO mail_followers_mail_message_subtype_rel
                            (mail_followers_id, mail_message_subtype_id)
                     SELECT follower.id, subtype.id
                       FROM follower, UNNEST(%(subtype_ids)s::int[]) AS subtype (id)
                """,
                model=model_name,
                record_ids=[pair[0] for pair in pairs],
                partner_ids=[pair[1] for pair in pairs],
                subtype_ids=list(default_subtype_ids),
            )
        )
        records = self.env[model_name].sudo().browse(leads)
        records.invalidate_recordset(
            ["message_follower_ids", "message_partner_ids"], flush=False
        )
