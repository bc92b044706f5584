import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg2.errors import OperationalError

from odoo import SUPERUSER_ID, models
from odoo.tools import SQL

from ...rules.changes import Premises, Stay, carry_out, find_moved, is_as
from ...rules.reps import KEEP, Reps
from ..sales_followup_document_type import Target
from .sales_followup_change import PARTNER_TARGET, as_list

_logger = logging.getLogger(__name__)

#: how many records are locked, written and forgotten at a time
BATCH_SIZE = 5000

#: follows the Salesperson by itself; journalled so that an undo gives it back
TEAM_FIELD = "team_id"


class Batch(NamedTuple):
    """Records of one kind to be done or undone together.

    :param target: where their representatives are
    :param type: their ``sales.followup.document.type``; empty for customers, and where
        it was deleted
    :param planned: dict of record id → :class:`Planned`
    """

    target: Target
    type: models.BaseModel
    planned: dict


@dataclass
class Planned:
    """What the journal lines of one record say.

    :param premises: what the plan was based on
    :param line_ids: dict of field name → line id
    :param old: :class:`~..rules.reps.Reps` before the change, with :data:`KEEP` for
        what the change does not touch
    :param new: the same, after the change
    :param seen: ``old`` with the values that the change leaves but relies on
    :param team: line id, old and new sales team id, where the change moved the team
    :param gone: ids of lines whose field does not exist any more
    """

    premises: Premises
    line_ids: dict = field(default_factory=dict)
    old: Reps = Reps(KEEP, KEEP)
    new: Reps = Reps(KEEP, KEEP)
    seen: Reps = Reps(KEEP, KEEP)
    team: tuple | None = None
    gone: list = field(default_factory=list)

    def get_line_ids(self):
        """Return the ids of all lines of the record."""
        teams = [self.team[0]] if self.team else []
        return [*self.line_ids.values(), *teams, *self.gone]


# Doing a change is a subject of its own.
class SalesFollowupChange(models.Model):
    """How a change is done, batch by batch; :mod:`.sales_followup_change` says what."""

    _inherit = "sales.followup.change"

    def _apply(self, wait=False):
        """Do a planned change, once: another call finds nothing to do.

        :param wait: whether it is done before this returns, whatever its size; else a
            big one is left to the scheduled action, and is *running* meanwhile
        """
        self.ensure_one()
        if self.state == "planned":
            self._start(is_undo=False, wait=wait)

    def _start(self, is_undo, wait=False):
        """Begin to do or undo this change, which the caller has locked or just made.

        It is done at once, or in the background where it is too big to wait for.

        :param is_undo: whether it is undone
        """
        self._get_progress().is_undo = is_undo
        self.state = "running"
        if not wait and self._is_big():
            self._queue()
            return
        while self._process():
            pass

    def _process(self, size=BATCH_SIZE):
        """Do or undo the next records, or finish where none is left.

        :param size: how many records at most
        :return: how many were processed; 0 at the end
        """
        progress = self._get_progress()
        start = progress.undone if progress.is_undo else progress.applied
        if progress.is_late:
            start = 0
        end = self._find_end(progress, start, size)
        if not end:
            self._finish(progress)
            return 0
        counts = self._process_range(progress, start, end)
        values = {name: progress[name] + count for name, count in counts.items()}
        if not progress.is_late:
            values["undone" if progress.is_undo else "applied"] = end
        progress.write(values)
        self.env.flush_all()
        # what is written is not needed any more: memory stays that of one batch
        self.env.invalidate_all(flush=False)
        return max(sum(counts.values()), 1)

    def _find_end(self, progress, start, size):
        """Return the position of the last record of the next batch; 0 at the end."""
        if progress.is_late:
            return self._find_late_end(size)
        last = progress.applied if progress.is_undo else self.planned_count
        return min(start + size, last) if start < last else 0

    def _process_range(self, progress, start, end):
        """Process the records after ``start`` up to ``end``, by position.

        An error that nobody foresaw leaves alone the record that causes it.

        :return: dict of counter of the progress → number
        """
        try:
            with self.env.cr.savepoint():
                return self._process_records(progress, start, end)
        except OperationalError:
            # a conflict with another transaction: all of it is repeated
            raise
        except Exception as error:
            if end - start == 1:
                _logger.exception("Record %s of %s cannot be written", end, self)
                return self._set_aside(progress, start, end, str(error) or repr(error))
        middle = (start + end) // 2
        return self._process_range(progress, start, middle) + self._process_range(
            progress, middle, end
        )

    def _process_records(self, progress, start, end):
        """Process records without a net; see :meth:`_process_range`."""
        counts = Counter()
        for batch in self._read_batches(start, end, progress.is_late):
            process = self._undo_batch if progress.is_undo else self._apply_batch
            counts += process(batch)
        return counts

    def _set_aside(self, progress, start, end, reason):
        """Leave a record alone that cannot be written."""
        counts = Counter()
        for batch in self._read_batches(start, end, progress.is_late):
            line_ids = [i for p in batch.planned.values() for i in p.get_line_ids()]
            outcome = "kept" if progress.is_undo else "left"
            self._mark(outcome, dict.fromkeys(line_ids, reason))
            counts[f"{outcome}_count"] += len(batch.planned)
        return counts

    def _finish(self, progress):
        """Close a change of which every record was processed."""
        if progress.is_undo:
            self._finish_undo(progress)
            return
        self.write(
            {
                "state": "done",
                "changed_count": progress.changed_count,
                "left_count": progress.left_count,
            }
        )
        self.env["sales.followup.digest"]._notify(self)

    def _get_told_lines(self):
        """Return the SQL condition on lines (alias ``line``) that this change, or the
        undo under way, wrote just now."""
        progress = self._get_progress()
        if progress.is_undo and progress.is_late:
            return SQL("line.outcome = 'undone'")
        last = progress.undone if progress.is_undo else progress.applied
        return SQL("line.outcome IS NULL AND line.position <= %s", last)

    # --- reading the plan -------------------------------------------------------

    def _read_batches(self, start, end, is_late=False):
        """Read the lines of the records after ``start`` up to ``end``, by position.

        :param is_late: read those that an earlier undo could not see
        :return: list of :class:`Batch`
        """
        waiting = SQL("outcome = 'hidden'" if is_late else "outcome IS NULL")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT model, type_id, res_id, partner_id, company_id, lead_kept, id,
                       field, old_ids, new_ids, expected
                  FROM sales_followup_change_line
                 WHERE change_id = %s AND position > %s AND position <= %s AND %s
              ORDER BY position, id
                """,
                self.id,
                start,
                end,
                waiting,
            )
        )
        kinds = {}
        for model_name, type_id, *row in rows:
            kinds.setdefault((model_name, type_id), []).append(row)
        return [self._prepare_batch(*kind, kinds[kind]) for kind in kinds]

    def _prepare_batch(self, model_name, type_id, rows):
        """Put lines of one model and type together by record.

        :rtype: Batch
        """
        names = {row[5] for row in rows} | {n for row in rows for n in row[8] or ()}
        target = self._get_target(model_name, names)
        planned = {}
        for res_id, partner_id, company_id, kept, line_id, name, *values in rows:
            plan = planned.get(res_id)
            if plan is None:
                premises = Premises(partner_id, company_id, bool(kept))
                plan = planned[res_id] = Planned(premises)
            old, new, expected = values
            if name in target.fields:
                plan.line_ids[name] = line_id
                plan.old = _with_value(target, plan.old, name, old)
                plan.new = _with_value(target, plan.new, name, new)
                for seen, ids in {name: old, **(expected or {})}.items():
                    plan.seen = _with_value(target, plan.seen, seen, ids)
            elif name == TEAM_FIELD:
                plan.team = (line_id, *(next(iter(ids), None) for ids in (old, new)))
            else:
                plan.gone.append(line_id)
        doc_type = self.env["sales.followup.document.type"].sudo().browse(type_id or ())
        return Batch(target, doc_type, planned)

    def _get_target(self, model_name, field_names):
        """Return the :class:`~..sales_followup_document_type.Target` that lines with
        these fields write to; their type may have been changed since, or deleted."""
        if model_name == "res.partner":
            return PARTNER_TARGET
        known = self.env[model_name]._fields if model_name in self.env else {}
        found = {
            known[name].type: name
            for name in field_names
            if name in known and known[name].comodel_name == "res.users"
        }
        return Target(model_name, found.get("many2one"), found.get("many2many"))

    # --- doing a batch ----------------------------------------------------------

    def _apply_batch(self, batch):
        """Write the records that are as planned, leave the others alone.

        :return: Counter of the counters of the progress
        """
        target, _type, planned = batch
        current, stays = self._read_writable(batch)
        premises = self._read_premises(batch, current)
        stays |= self._find_unfit(batch)
        after = {}
        for record_id, plan in planned.items():
            if record_id not in current or record_id in stays:
                continue
            if plan.gone:
                stays[record_id] = Stay.FIELD_GONE
            elif not is_as(current[record_id], plan.seen):
                stays[record_id] = Stay.CHANGED
            elif moved := find_moved(plan.premises, premises[record_id]):
                stays[record_id] = moved
            else:
                after[record_id] = carry_out(current[record_id], plan.new)
        failures, moved_teams = self.env["sales.followup.rep.writer"]._write_reps(
            target, current, after, self._get_note()
        )
        self._journal_teams(batch, moved_teams)
        reasons = {id_: self._get_stay_label(stay) for id_, stay in stays.items()}
        reasons |= failures
        self._mark(
            "left",
            {
                line_id: reason
                for record_id, reason in reasons.items()
                for line_id in planned[record_id].get_line_ids()
            },
        )
        return Counter(
            changed_count=len(planned) - len(reasons), left_count=len(reasons)
        )

    def _get_note(self):
        """Return the text for the chatter of each record, or ``None``."""
        if not self.log_in_chatter:
            return None
        if self.reason:
            return f"{self.display_name}: {self.reason}"
        return self.display_name

    def _read_writable(self, batch, is_undo=False, lock=True):
        """Lock the planned records that exist and that the user may see.

        :param is_undo: whether to undo them
        :param lock: ``False`` merely to look at them
        :return: (dict of record id → current :class:`~..rules.reps.Reps`, dict of
            record id → :class:`~..rules.changes.Stay` of the others)
        """
        target, _type, planned = batch
        if target.model not in self.env or not target.fields:
            return {}, dict.fromkeys(planned, Stay.GONE)
        writer = self.env["sales.followup.rep.writer"]
        read = writer._read_locked if lock else writer._read
        current = read(target, planned)
        visible = self._get_visible(target.model, list(current))
        if is_undo and self.user_id.id == self.env.uid:
            # those who handed their own documents over may take them back
            companies = {None, *self.env.companies.ids}
            visible |= {
                id_ for id_ in current if planned[id_].premises.company in companies
            }
        stays = self._find_parted(batch)
        stays |= dict.fromkeys(planned.keys() - current.keys(), Stay.GONE)
        stays |= dict.fromkeys(current.keys() - visible, Stay.UNSEEN)
        return {id_: current[id_] for id_ in current if id_ in visible}, stays

    def _get_visible(self, model_name, record_ids):
        """Return the ids among ``record_ids`` that the current user may read.

        Contacts follow their company whatever the user may see of them: a user who may
        read the company counts as reading them.
        """
        if self.env.uid == SUPERUSER_ID:
            return set(record_ids)
        model = self.env[model_name].sudo(False).with_context(active_test=False)
        if not model.has_access("read"):
            return set()
        if model_name != "res.partner":
            return set(model._search([("id", "in", record_ids)]))
        companies = {
            partner.id: partner.commercial_partner_id.id
            for partner in model.sudo().browse(record_ids)
        }
        ids = {*companies.keys(), *companies.values()}
        readable = set(model._search([("id", "in", list(ids))]))
        return {id_ for id_, company in companies.items() if {id_, company} & readable}

    def _read_premises(self, batch, record_ids):
        """Read what the records would be judged by now.

        :return: dict of record id → :class:`~..rules.changes.Premises`
        """
        target, doc_type, planned = batch
        record_ids = list(record_ids)
        if not record_ids:
            return {}
        if target == PARTNER_TARGET:
            partners = self.env["res.partner"]
            partners.flush_model(["commercial_partner_id", "company_id"])
            rows = self.env.execute_query(
                SQL(
                    "SELECT id, NULLIF(commercial_partner_id, id), company_id"
                    " FROM res_partner WHERE id = ANY(%s)",
                    record_ids,
                )
            )
            return {id_: Premises(*row) for id_, *row in rows}
        if not doc_type.available:
            # deleted, or its app gone: nothing says any more what it was judged by
            return {id_: planned[id_].premises for id_ in record_ids}
        return self.env["sales.followup.propagation"]._fetch_premises(
            doc_type, record_ids, self.scope
        )

    def _find_unfit(self, batch):
        """Find the records whose planned users may no longer be put onto them.

        :return: dict of record id → :class:`~..rules.changes.Stay`
        """
        permitted = self.env["res.users"]._followup_permitted_by_company()
        unfit = {}
        for record_id, plan in batch.planned.items():
            # a customer is everybody's; a document belongs to its company
            is_customer = batch.target == PARTNER_TARGET
            company_id = None if is_customer else plan.premises.company
            added = get_users(plan.new) - get_users(plan.old)
            if added - permitted.get(company_id, frozenset()):
                unfit[record_id] = Stay.UNFIT
        return unfit

    def _journal_teams(self, batch, moved):
        """Note the sales teams that moved with the Salesperson, for the undo.

        :param moved: dict of record id → (old, new) team id
        """
        if not moved:
            return
        rows = [
            (min(batch.planned[id_].line_ids.values()), as_list(old), as_list(new))
            for id_, (old, new) in moved.items()
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sales_followup_change_line
                            (change_id, position, type_id, model, res_id, company_id,
                             field, old_ids, new_ids)
                     SELECT line.change_id, line.position, line.type_id, line.model,
                            line.res_id, line.company_id, %(team)s, row->1, row->2
                       FROM JSONB_ARRAY_ELEMENTS(%(rows)s::jsonb) AS row
                       JOIN sales_followup_change_line line
                         ON line.id = (row->>0)::int
                """,
                team=TEAM_FIELD,
                rows=json.dumps(rows),
            )
        )

    def _mark(self, outcome, reasons):
        """Note on lines that their values are an exception.

        :param outcome: an outcome of lines, or ``None``
        :param reasons: dict of line id → why, or ``None``
        """
        if not reasons:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE sales_followup_change_line line
                   SET outcome = %s, reason = new.reason
                  FROM UNNEST(%s::int[], %s::text[]) AS new (id, reason)
                 WHERE line.id = new.id
                """,
                outcome,
                list(reasons),
                list(reasons.values()),
            )
        )

    def _get_stay_label(self, stay, is_undo=False):
        """Return the sentence that tells why a record stays as it is."""
        match stay:
            case Stay.GONE:
                return self.env._("The record does not exist any more")
            case Stay.FIELD_GONE:
                return self.env._("The field does not exist any more")
            case Stay.UNSEEN:
                return self.env._("You may not see this record")
            case Stay.CUSTOMER:
                return self.env._("It belongs to another customer now")
            case Stay.COMPANY:
                return self.env._("It belongs to another company now")
            case Stay.SCOPE:
                return self.env._("It is no longer one of the documents asked for")
            case Stay.SELLER if is_undo:
                return self.env._("Its Salesperson is kept by now")
            case Stay.SELLER:
                return self.env._("Whether its Salesperson is kept changed since")
            case Stay.UNFIT:
                return self.env._(
                    "A representative was archived or left the company since"
                )
            case Stay.CLOSED:
                return self.env._("It was done or closed since")
            case Stay.PARTED:
                return self.env._("The record it belongs to stays as it is")
            case Stay.FORMER_GONE:
                return self.env._("The former representative is gone")
        if is_undo:
            return self.env._("Changed since by somebody else")
        return self.env._("Changed since the preview")


def _with_value(target, reps, name, ids):
    """Return ``reps`` with the value of a field, as lines hold it."""
    if name == target.lead_field:
        return reps._replace(lead=next(iter(ids or ()), None))
    return reps._replace(members=tuple(ids or ()))


def get_users(reps):
    """Return the ids of all users that a plan names."""
    members = () if reps.members is KEEP else reps.members
    return {id_ for id_ in (reps.lead, *members) if id_ and id_ is not KEEP}
