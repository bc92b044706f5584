import logging
from collections import defaultdict
from typing import NamedTuple

import psycopg2

from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...rules.reps import KEEP, NOBODY, Reps

_logger = logging.getLogger(__name__)

#: follows the Salesperson by itself; journalled so that an undo gives it back
TEAM_FIELD = "team_id"


class Target(NamedTuple):
    """Where representatives are written.

    :param model: technical name of the records' model
    :param lead_field: name of their Salesperson field, or ``None``
    :param reps_field: name of their representatives field, or ``None``
    """

    model: str
    lead_field: str | None
    reps_field: str | None

    @property
    def fields(self):
        """The names of the fields there are."""
        return tuple(name for name in (self.lead_field, self.reps_field) if name)


class SalesFollowupWriter(models.AbstractModel):
    """Writes settled representatives onto many records of one model.

    Whoever calls has decided what shall be written and has locked the records with
    :meth:`_read_locked`. Rights are the caller's duty too: only the two fields of the
    :class:`Target` are written, with elevated rights.
    """

    _name = "sales.followup.rep.writer"
    _description = "Writer of Representatives"

    @api.model
    def _read_locked(self, target, record_ids):
        """Lock records and read who follows them.

        The rows stay locked until the transaction ends; who changed one of them since
        the transaction began makes this fail with a serialization error, which Odoo
        answers by doing the request again from what is then the truth.

        :param target: a :class:`Target`
        :param record_ids: ids, some of which may be gone
        :return: dict of id → :class:`~..rules.reps.Reps` of those that exist
        """
        model = self.env[target.model].sudo()
        model.flush_model(target.fields)
        table = SQL.identifier(model._table)
        # in the order of ids: two changes at once wait for each other, no deadlock
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM %s WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE",
                SQL.identifier(target.lead_field) if target.lead_field else SQL("NULL"),
                table,
                list(record_ids),
            )
        )
        members = self._read_members(target, [row[0] for row in rows])
        return {id_: Reps(lead, members.get(id_, ())) for id_, lead in rows}

    @api.model
    def _read_members(self, target, record_ids):
        """Read the representatives of records, longest in place first where known.

        :return: dict of id → tuple of user ids
        """
        if not target.reps_field:
            return {}
        if target.model == "res.partner":
            reps = self.env["res.partner"].browse(record_ids)._followup_get_reps()
            return {id_: reps[id_].members for id_ in reps}
        field = self.env[target.model]._fields[target.reps_field]
        return dict(
            (id_, tuple(members))
            for id_, members in self.env.execute_query(
                SQL(
                    "SELECT %(record)s, ARRAY_AGG(%(user)s ORDER BY %(user)s)"
                    " FROM %(relation)s WHERE %(record)s = ANY(%(ids)s) GROUP BY 1",
                    record=SQL.identifier(field.column1),
                    user=SQL.identifier(field.column2),
                    relation=SQL.identifier(field.relation),
                    ids=list(record_ids),
                )
            )
        )

    @api.model
    def _write_reps(self, target, before, after, note=None):
        """Write who follows records, in the quickest way that is safe.

        :param target: a :class:`Target`
        :param before: dict of id → :class:`~..rules.reps.Reps`, as
            :meth:`_read_locked` gave it
        :param after: dict of id → what they shall be, only of those that change
        :param note: text that goes with the tracked values into the chatter of each
            record; ``None`` leaves the chatter alone
        :return: dict of id → reason, of the records that could not be written
        """
        if not after:
            return {}
        fast = self.env["sales.followup.rep.writer.sql"]
        if reason := fast._get_obstacle(target):
            _logger.info(
                "%s representatives of %s are written through the ORM: %s",
                len(after),
                target.model,
                reason,
            )
            return self._write_through_orm(target, before, after, note)
        fast._write_reps(target, before, after, note)
        return {}

    @api.model
    def _write_through_orm(self, target, before, after, note):
        """Write records the plain way, those alike together, one by one where one of
        them refuses; see :meth:`_write_reps`."""
        alike = defaultdict(list)
        for record_id, reps in after.items():
            # only what changes: a Salesperson written again would follow again
            alike[reps.changes(before[record_id])].append(record_id)
        failures = {}
        for (lead, members), record_ids in alike.items():
            values = self._prepare_values(target, lead, members)
            if self._try_write(target, record_ids, values, note) is None:
                continue
            for record_id in record_ids:
                if reason := self._try_write(target, [record_id], values, note):
                    failures[record_id] = reason
        return failures

    @api.model
    def _write_teams(self, target, before, after, note=None):
        """Write sales teams that an undo gives back.

        :param before: dict of record id → team id or ``None``
        :param after: the same, of the records that change
        :param note: text for the chatter, or ``None``
        """
        if not after:
            return
        model = self.env[target.model].sudo()
        fast = self.env["sales.followup.rep.writer.sql"]
        if fast._get_obstacle(target):
            alike = defaultdict(list)
            for record_id, team_id in after.items():
                alike[team_id].append(record_id)
            records = model.with_context(**self._get_write_context(note))
            for team_id, record_ids in alike.items():
                records.browse(record_ids).write({TEAM_FIELD: team_id})
            return
        fast._store_teams(model, after)
        if note:
            changes = {id_: [(TEAM_FIELD, before[id_], after[id_])] for id_ in after}
            chatter = self.env["sales.followup.bulk.chatter"]
            chatter._log_changes(target.model, changes, note)

    @api.model
    def _prepare_values(self, target, lead, members):
        """Give the ``write`` values that put these onto a record, where :data:`KEEP`
        leaves a field alone."""
        values = {}
        if target.lead_field and lead is not KEEP:
            values[target.lead_field] = lead or False
        if target.reps_field and members is not KEEP:
            values[target.reps_field] = [Command.set(members)]
        return values

    @api.model
    def _try_write(self, target, record_ids, values, note):
        """Write alike records in a savepoint.

        :return: ``None``, or why it could not be done
        """
        records = (
            self.env[target.model]
            # sudo: the promise is that an Editor needs no right on the documents
            # beyond reading them; only these two fields are written
            .sudo()
            .with_context(**self._get_write_context(note))
            .browse(record_ids)
        )
        try:
            with (
                self.env.cr.savepoint(),
                self.env.protecting(self._get_protected_fields(target), records),
            ):
                if note:
                    records._track_set_log_message(note)
                records.write(values)
                # here: recomputed fields must be flushed in this context, or they
                # log what it says not to log
                records.env.flush_all()
        except (UserError, psycopg2.IntegrityError) as error:
            return str(error)
        if note:
            # now, not at the end of the transaction: memory stays bounded
            records.browse()._track_finalize()
        return None

    @api.model
    def _get_protected_fields(self, target):
        """Give stored fields that Odoo computes from the Salesperson but that have
        nothing to do with who follows: goods do not leave from elsewhere because a
        quotation got another representative.

        :return: list of fields of the target's model
        """
        fields = self.env[target.model]._fields
        return [fields[name] for name in ("warehouse_id",) if name in fields]

    @api.model
    def _get_write_context(self, note):
        """Give the context of plain writes: no mail per record, and where there is no
        ``note`` no tracking either."""
        return {
            "followup_settled": True,
            # one digest a representative instead of one mail a record
            "mail_auto_subscribe_no_notify": True,
            "tracking_disable": not note,
            # an invoice's lines and its "manually modified" mark do not depend on who
            # follows it
            "skip_invoice_sync": True,
            "check_move_validity": False,
            "skip_is_manually_modified": True,
        }

    @api.model
    def _diff(self, before, after):
        """Keep of ``after`` only what differs from ``before``."""
        return {
            id_: reps
            for id_, reps in after.items()
            if not reps.same_people(before.get(id_, NOBODY))
        }
