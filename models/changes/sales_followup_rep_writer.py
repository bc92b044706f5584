import logging
from collections import defaultdict

import psycopg2

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...rules.reps import KEEP, NOBODY, Reps

_logger = logging.getLogger(__name__)


class SalesFollowupWriter(models.AbstractModel):
    """Writes settled representatives onto many records of one model: the one door.

    The caller has decided what shall be written and has locked the records with
    :meth:`_read_locked`. Rights are the caller's duty too: only the two fields of the
    :class:`~..sales_followup_document_type.Target`, and the sales team that follows
    the Salesperson, are written, with elevated rights.
    """

    _name = "sales.followup.rep.writer"
    _description = "Writer of Representatives"

    # --- reading ----------------------------------------------------------------

    def _read_locked(self, target, record_ids):
        """Lock records and read who follows them.

        The rows stay locked until the transaction ends. If somebody changed one of
        them since the transaction began, this fails with a serialization error, which
        Odoo answers by repeating the request from what is then the truth.

        :param target: a :class:`~..sales_followup_document_type.Target`
        :param record_ids: ids, some of which may be gone
        :return: dict of id → :class:`~..rules.reps.Reps` of those that exist
        """
        return self._read(target, record_ids, SQL("FOR NO KEY UPDATE"))

    def _read(self, target, record_ids, lock=SQL()):  # noqa: B008 it never changes
        """Read who follows records; see :meth:`_read_locked`."""
        model = self.env[target.model].sudo()
        model.flush_model(target.fields)
        # in the order of ids: two changes at once wait for each other, no deadlock
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM %s WHERE id = ANY(%s) ORDER BY id %s",
                SQL.identifier(target.lead_field) if target.lead_field else SQL("NULL"),
                SQL.identifier(model._table),
                list(record_ids),
                lock,
            )
        )
        members = self._read_members(target, [row[0] for row in rows])
        return {id_: Reps(lead, members.get(id_, ())) for id_, lead in rows}

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

    def _read_teams(self, target, record_ids):
        """Read the sales teams of records.

        :return: dict of id → team id or ``None``; empty where they have no sales team
            that follows the Salesperson
        """
        fast = self.env["sales.followup.rep.writer.sql"]
        return {id_: team for id_, (team, _key) in fast._read_teams(target, record_ids)}

    # --- writing ----------------------------------------------------------------

    def _write_reps(self, target, before, after, note=None, teams=None):
        """Write who follows records, in the quickest way that is safe.

        :param target: a :class:`~..sales_followup_document_type.Target`
        :param before: dict of id → :class:`~..rules.reps.Reps`, as
            :meth:`_read_locked` returned it
        :param after: dict of id → what they shall be; those that do not differ are
            passed over
        :param note: text that goes with the tracked values into the chatter of each
            record; ``None`` leaves the chatter alone
        :param teams: dict of id → the sales team that a record shall have instead of
            the one that follows its Salesperson
        :return: (dict of id → reason, of the records that could not be written; dict
            of id → (old, new) sales team id, where it moved)
        """
        after = {
            id_: reps
            for id_, reps in after.items()
            if not reps.same_people(before.get(id_, NOBODY))
        }
        if not after:
            return {}, {}
        fast = self.env["sales.followup.rep.writer.sql"]
        if reason := fast._get_obstacle(target):
            _logger.info(
                "%s representatives of %s are written through the ORM: %s",
                len(after),
                target.model,
                reason,
            )
            return self._write_through_orm(target, before, after, note, teams)
        return {}, fast._write_reps(target, before, after, note, teams)

    def _write_through_orm(self, target, before, after, note, teams=None):
        """Write records the plain way, those alike together, one by one where one of
        them refuses; see :meth:`_write_reps`."""
        old_teams = self._read_teams(target, after)
        alike = defaultdict(list)
        for record_id, reps in after.items():
            # only what changes: a Salesperson written again would follow again
            team = (teams or {}).get(record_id, KEEP)
            alike[(*reps.changes(before[record_id]), team)].append(record_id)
        failures = {}
        for (lead, members, team), record_ids in alike.items():
            values = self._prepare_values(target, lead, members)
            if team is not KEEP:
                values[self._get_team_field(target)] = team or False
            if self._try_write(target, record_ids, values, note) is None:
                continue
            for record_id in record_ids:
                if reason := self._try_write(target, [record_id], values, note):
                    failures[record_id] = reason
        moved = {
            id_: (old_teams[id_], team)
            for id_, team in self._read_teams(target, old_teams).items()
            if old_teams[id_] != team
        }
        return failures, moved

    def _get_team_field(self, target):
        """Return the name of the sales team field that follows the Salesperson."""
        return self.env["sales.followup.rep.writer.sql"]._get_team_field(target)

    def _prepare_values(self, target, lead, members):
        """Return the ``write`` values that put these onto a record, where :data:`KEEP`
        leaves a field alone."""
        values = {}
        if target.lead_field and lead is not KEEP:
            values[target.lead_field] = lead or False
        if target.reps_field and members is not KEEP:
            values[target.reps_field] = [Command.set(members)]
        return values

    def _try_write(self, target, record_ids, values, note):
        """Write alike records in a savepoint.

        :return: ``None``, or why it could not be done
        """
        protected = self.env["sales.followup.rep.writer.sql"]._get_protected_fields(
            target
        )
        records = (
            self.env[target.model]
            # sudo: the promise is that an Editor needs no right on the documents
            # beyond reading them; only these two fields are written
            .sudo()
            .with_context(**self._get_write_context(note))
            .browse(record_ids)
        )
        try:
            with self.env.cr.savepoint(), self.env.protecting(protected, records):
                if note and hasattr(records, "_track_set_log_message"):
                    records._track_set_log_message(note)
                records.write(values)
                # here: recomputed fields must be flushed in this context, or they
                # log what it says not to log
                records.env.flush_all()
        except (UserError, psycopg2.IntegrityError) as error:
            return str(error)
        if note and hasattr(records, "_track_finalize"):
            # now, not at the end of the transaction: memory stays bounded
            records.browse()._track_finalize()
        return None

    def _get_write_context(self, note):
        """Return the context of plain writes: no mail per record, and without a
        ``note`` no tracking either."""
        return {
            "followup_settled": True,
            # one digest a representative instead of one mail a record
            "mail_auto_subscribe_no_notify": True,
            "mail_activity_quick_update": True,
            "tracking_disable": not note,
            # an invoice's lines and its "manually modified" mark do not depend on who
            # follows it
            "skip_invoice_sync": True,
            "check_move_validity": False,
            "skip_is_manually_modified": True,
        }
