from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL

from ...rules.changes import Stay, Undo, find_moved_since, give_back
from .sales_followup_change import PARTNER_TARGET
from .sales_followup_change_process import BATCH_SIZE, get_users

#: states of a change of which something may be undone
UNDOABLE = ("done", "cancelled")


class SalesFollowupChange(models.Model):
    """The undo of a bulk change: what nobody changed since is given back."""

    _inherit = "sales.followup.change"

    undo_outlook = fields.Text(
        string="What the Undo Does",
        compute="_compute_undo_outlook",
        help="How many records come back, and why others stay.",
    )

    # --- beforehand -------------------------------------------------------------

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_undo_outlook(self):
        for change in self:
            change.undo_outlook = change._get_undo_outlook()

    def _get_undo_outlook(self):
        """Say what an undo would do now, by the judgement that does it."""
        self.ensure_one()
        # sudo: the journal; what the user may see of the records is asked as the user
        change = self.sudo()
        if change.state not in UNDOABLE or not change._has_lines_to_undo():
            return self.env._("There is nothing to undo.")
        reasons = Counter()
        total = back = 0
        for batch in change._read_undo_batches():
            read = change._read_writable(batch, is_undo=True, lock=False)
            for undo in change._judge_undo(batch, read).values():
                total += 1
                back += undo.why is None
                if undo.why:
                    reasons[change._get_stay_label(undo.why, is_undo=True)] += 1
        sentences = [
            self.env._(
                "%(back)s of %(total)s records come back as they were before.",
                back=back,
                total=total,
            )
        ]
        if reasons:
            sentences.append(
                self.env._(
                    "%(count)s do not, or not in full: %(reasons)s.",
                    count=total - back,
                    reasons=self._format_reasons(reasons),
                )
            )
        return "\n".join(sentences)

    def _read_undo_batches(self):
        """Read all records that an undo would look at, batch by batch."""
        progress = self._get_progress()
        is_late = bool(progress.hidden_count)
        start = 0 if is_late else progress.undone
        while start < progress.applied:
            end = min(start + BATCH_SIZE, progress.applied)
            yield from self._read_batches(start, end, is_late)
            start = end

    def _format_reasons(self, reasons):
        """Return reasons with how often each occurs, the most frequent first."""
        return ", ".join(
            self.env._("%(reason)s (%(count)s)", reason=reason, count=count)
            for reason, count in Counter(reasons).most_common()
        )

    def action_open_undo(self):
        """Show what an undo would do, to be confirmed or left.

        :raise AccessError: unless *Representatives: Editor*
        """
        self.ensure_one()
        self.env["res.partner"]._followup_check_rep_editor()
        view = self.env.ref("sales_followup.sales_followup_change_view_form_undo")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Undo Change"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(view.id, "form")],
            "target": "new",
        }

    # --- undoing ----------------------------------------------------------------

    def action_undo(self):
        """Restore every value of these changes that nobody changed since.

        Undoing twice does nothing more. What was left alone is told on the lines.

        :return: an action telling how many records were restored and left
        :raise AccessError: unless *Representatives: Editor*
        """
        self.env["res.partner"]._followup_check_rep_editor()
        self.check_access("read")
        undone = self.filtered(lambda change: change._undo())
        return (undone or self)._get_undo_notification(bool(undone))

    def _get_undo_notification(self, is_news):
        """Tell what the undo of these changes did.

        :param is_news: whether anything was undone just now
        """
        # sudo: the journal, of changes that the user may read
        running = self.sudo().filtered(lambda change: change.state == "running")
        message, is_warning = self.env._("There is nothing to undo."), False
        if running:
            message = self.env._(
                "%(count)s records are being restored in the background; you will be "
                "told when it is done.",
                count=sum(running.progress_ids.mapped("changed_count")),
            )
        elif is_news:
            message, is_warning = self._get_undo_result()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info"
                if running or not is_news
                else "warning"
                if is_warning
                else "success",
                "message": message,
                "sticky": is_warning,
                "next": {
                    "type": "ir.actions.act_window_close",
                    "next": {"type": "ir.actions.client", "tag": "soft_reload"},
                },
            },
        }

    def _get_undo_result(self):
        """Say what became of the undo of these changes.

        :return: (sentences, whether something was left)
        """
        # sudo: the journal, of changes that the user may read
        changes = self.sudo()
        progress = changes.progress_ids
        kept = sum(changes.mapped("kept_count"))
        hidden = sum(progress.mapped("hidden_count"))
        undone = sum(changes.mapped("undone_count"))
        sentences = [
            self.env._(
                "%(undone)s of %(total)s records are as before.",
                undone=undone,
                total=undone + kept + hidden,
            )
        ]
        if kept:
            sentences.append(
                self.env._(
                    "%(count)s stay, or stay in part: %(reasons)s.",
                    count=kept,
                    reasons=self._format_reasons(changes._count_kept_reasons()),
                )
            )
        if hidden:
            sentences.append(
                self.env._(
                    "%(count)s that you may not see are still to be undone by somebody "
                    "else.",
                    count=hidden,
                )
            )
        return " ".join(sentences), bool(kept or hidden)

    def _count_kept_reasons(self):
        """Count the records of these changes that an undo left alone, by reason."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT reason, COUNT(DISTINCT (change_id, position))
                  FROM sales_followup_change_line
                 WHERE change_id = ANY(%s) AND reason IS NOT NULL
                   AND (outcome = 'kept' OR outcome IS NULL)
              GROUP BY reason
                """,
                self.ids,
            )
        )
        return dict(rows)

    def _undo(self):
        """Undo a change, once: another call finds nothing to do.

        :return: whether there was something to undo
        """
        self.ensure_one()
        # sudo: nobody writes the journal by hand; action_undo checked the Editor
        change = self.sudo()
        progress = change._get_progress()
        try:
            change.lock_for_update()
            progress.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody is undoing this change right now; look again soon."
                )
            ) from error
        change.invalidate_recordset()
        progress.invalidate_recordset()
        if progress.queued and change.state in UNDOABLE:
            change._close(progress)
        if change.state not in UNDOABLE or not progress.changed_count:
            return False
        if not change._has_lines_to_undo():
            raise UserError(
                self.env._(
                    "The journal of %(change)s was removed after the time set for it; "
                    "it can no longer be undone.",
                    change=change.display_name,
                )
            )
        values = {"is_undo": True, "is_late": bool(progress.hidden_count)}
        if values["is_late"] or not progress.undone:
            values |= {"restored_count": 0, "hidden_count": 0}
        progress.write(values)
        if progress.is_late:
            change._mark_all("undone", None)
        elif not progress.undone:
            # an undo before this one restored nothing, and said why
            progress.kept_count = 0
            change._forget_reasons()
        change._start(is_undo=True)
        return True

    def _has_lines_to_undo(self):
        """Tell whether the journal still has lines that an undo may look at."""
        return bool(
            self.env["sales.followup.change.line"].search_count(
                [("change_id", "=", self.id), ("outcome", "in", (False, "hidden"))],
                limit=1,
            )
        )

    def _finish_undo(self, progress):
        """Close an undo of which every record was looked at.

        What the user may not see waits for somebody who does; and a change of which
        nothing could be given back stays *done*, so that it can be tried again once
        the later change that stood in the way is undone.
        """
        self._mark_all("unseen", "hidden")
        is_vain = not (progress.restored_count or progress.undone_count)
        is_vain = is_vain and not progress.hidden_count
        values = {
            "state": "done" if progress.hidden_count or is_vain else "undone",
            "undone_count": progress.undone_count,
            "kept_count": progress.kept_count,
        }
        if not is_vain:
            values["undo_user_id"] = self.env.uid
            values["undo_date"] = fields.Datetime.now()
        self.write(values)
        self.env["sales.followup.digest"]._notify(self, undo=True)
        if is_vain:
            self._mark_all("kept", None)
            progress.undone = 0
        progress.is_undo = False

    def _mark_all(self, outcome, new_outcome):
        """Turn one exception of lines into another."""
        self.env.cr.execute(
            SQL(
                "UPDATE sales_followup_change_line SET outcome = %s"
                " WHERE change_id = %s AND outcome = %s",
                new_outcome,
                self.id,
                outcome,
            )
        )
        self.env["sales.followup.change.line"].invalidate_model(["outcome"])

    def _forget_reasons(self):
        self.env.cr.execute(
            "UPDATE sales_followup_change_line SET reason = NULL"
            " WHERE change_id = %s AND outcome IS NULL AND reason IS NOT NULL",
            [self.id],
        )
        self.env["sales.followup.change.line"].invalidate_model(["reason"])

    def _find_late_end(self, size):
        """Return the position of the last of the next records that an earlier undo
        could not see; 0 at the end."""
        rows = self.env.execute_query(
            SQL(
                "SELECT MAX(position) FROM (SELECT DISTINCT position"
                " FROM sales_followup_change_line"
                " WHERE change_id = %s AND outcome = 'hidden'"
                " ORDER BY position LIMIT %s) AS batch",
                self.id,
                size,
            )
        )
        return rows[0][0] or 0

    # --- a batch ----------------------------------------------------------------

    def _judge_undo(self, batch, read):
        """Judge what an undo makes of each record.

        :param read: what :meth:`_read_writable` returned
        :return: dict of record id → :class:`~..rules.changes.Undo`
        """
        current, stays = read
        premises = self._read_premises(batch, current)
        living = self._get_living(batch.planned)
        judged = {}
        for record_id, plan in batch.planned.items():
            now = current.get(record_id)
            stay = stays.get(record_id) or find_moved_since(
                plan.premises, premises[record_id]
            )
            if stay:
                judged[record_id] = Undo(now, False, False, stay)
                continue
            judged[record_id] = undo = give_back(
                now,
                plan.old,
                plan.new,
                living,
                is_customer=batch.target == PARTNER_TARGET,
                keeps_lead=premises[record_id].lead_kept
                and not plan.premises.lead_kept,
            )
            if plan.gone and not undo.why:
                judged[record_id] = undo._replace(why=Stay.FIELD_GONE)
        return judged

    def _undo_batch(self, batch):
        """Restore each value that is still as this change left it.

        :return: Counter of the counters of the progress
        """
        target, _type, planned = batch
        read = current, _stays = self._read_writable(batch, is_undo=True)
        judged = self._judge_undo(batch, read)
        teams = self._get_teams_to_restore(batch, judged)
        failures, _moved = self.env["sales.followup.rep.writer"]._write_reps(
            target,
            current,
            {id_: judged[id_].reps for id_ in current},
            self._get_note(),
            teams,
        )
        counts = Counter()
        marks = {"kept": {}, "unseen": {}, "undone": {}}
        for record_id, plan in planned.items():
            undo = judged[record_id]
            if undo.why is Stay.UNSEEN:
                marks["unseen"] |= dict.fromkeys(plan.get_line_ids())
                counts["hidden_count"] += 1
                continue
            reason = failures.get(record_id) or (
                undo.why and self._get_stay_label(undo.why, is_undo=True)
            )
            counts["kept_count" if reason else "undone_count"] += 1
            back = _get_lines_given_back(target, plan, undo)
            if record_id in failures:
                back = set()
            elif plan.team and record_id in teams:
                back.add(plan.team[0])
            counts["restored_count"] += len(back)
            kept = dict.fromkeys(set(plan.get_line_ids()) - back, reason)
            marks["kept"] |= kept
            marks["undone"] |= dict.fromkeys(back)
        if not self._get_progress().is_late:
            # that all of them are is what the progress says
            del marks["undone"]
        for outcome, reasons in marks.items():
            self._mark(outcome, reasons)
        return counts

    def _get_living(self, planned):
        """Return the ids of users of old values who still exist and are internal."""
        ids = {id_ for plan in planned.values() for id_ in get_users(plan.old)}
        users = self.env["res.users"].sudo().browse(ids).exists()
        return set(users.filtered(lambda user: not user.share).ids)

    def _get_teams_to_restore(self, batch, judged):
        """Return the sales team that records get back with their Salesperson, where it
        is as the change left it.

        :return: dict of record id → team id or ``None``
        """
        planned = batch.planned
        led = [id_ for id_, undo in judged.items() if undo.lead and planned[id_].team]
        if not led:
            return {}
        now = self.env["sales.followup.rep.writer"]._read_teams(batch.target, led)
        teams = {
            id_: planned[id_].team[1]
            for id_ in led
            if id_ in now and now[id_] == planned[id_].team[2]
        }
        # sudo: teams of other companies are teams nevertheless
        known = self.env["crm.team"].sudo().browse({*teams.values()} - {None})
        living = {None, *known.exists().ids}
        return {id_: team for id_, team in teams.items() if team in living}


def _get_lines_given_back(target, plan, undo):
    """Return the ids of the lines whose values an undo gives back."""
    given = {target.lead_field: undo.lead, target.reps_field: undo.members}
    return {line_id for name, line_id in plan.line_ids.items() if given[name]}
