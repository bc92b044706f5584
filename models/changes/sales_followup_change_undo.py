from odoo import fields, models
from odoo.exceptions import LockError, UserError

from ...rules import reps as rule
from .sales_followup_change import PARTNER_TARGET, get_values, merge, to_sets


class SalesFollowupChange(models.Model):
    """The undo of a bulk change: what nobody changed since is given back."""

    _inherit = "sales.followup.change"

    def action_undo(self):
        """Restore every value of these changes that nobody changed since.

        Undoing twice does nothing more. What was left alone is told on the lines.

        :return: an action telling how many records were restored and left
        :raise AccessError: unless *Representatives: Editor*
        """
        self.env["res.partner"]._followup_check_rep_editor()
        self.check_access("read")
        for change in self:
            change._undo()
        return self._get_undo_notification()

    def _get_undo_notification(self):
        kept = sum(self.mapped("kept_count"))
        message = self.env._(
            "%(undone)s records are as they were before.",
            undone=sum(self.mapped("undone_count")),
        )
        if kept:
            message += " " + self.env._(
                "%(kept)s were changed since by somebody else and stay as they are.",
                kept=kept,
            )
        hidden = any(change.state == "done" for change in self)
        if hidden:
            message += " " + self.env._(
                "Records that you may not see are still to be undone by somebody else."
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if kept or hidden else "success",
                "message": message,
                "sticky": bool(kept or hidden),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _undo(self):
        """Undo a change, once: another call finds nothing to do."""
        self.ensure_one()
        # sudo: nobody writes the journal by hand; action_undo checked the Editor
        change = self.sudo()
        try:
            change.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody is undoing this change right now; look again soon."
                )
            ) from error
        change.invalidate_recordset(["state"])
        if change.state != "done":
            return
        if not change._count_lines("done"):
            raise UserError(
                self.env._(
                    "The journal of %(change)s was removed after the time set for it; "
                    "it can no longer be undone.",
                    change=change.display_name,
                )
            )
        counts = change._process("done", change._undo_batch)
        change.write(
            {
                "state": change._release_hidden_lines(),
                "undone_count": change.undone_count + counts["undone"],
                "kept_count": change.kept_count + counts["kept"],
                "undo_user_id": self.env.uid,
                "undo_date": fields.Datetime.now(),
            }
        )
        self.env["sales.followup.digest"]._notify(change, undo=True)

    def _release_hidden_lines(self):
        """Leave to somebody who sees more what this user's undo could not reach.

        :return: the state the change is in after the undo
        """
        self.env.cr.execute(
            """
            UPDATE sales_followup_change_line SET state = 'done'
             WHERE change_id = %s AND state = 'hidden'
            """,
            [self.id],
        )
        hidden = self.env.cr.rowcount
        self.line_ids.invalidate_recordset(["state"])
        return "done" if hidden else "undone"

    def _undo_batch(self, target, planned):
        """Restore each value that is still as this change left it."""
        current, reasons, hidden = self._read_writable(target, planned)
        living = self._get_living(planned)
        fast = self.env["sales.followup.rep.writer.sql"]
        teams = fast._read_teams(target, current)
        after, restored = {}, {}
        for record_id, now in current.items():
            plan = planned[record_id]
            same = [
                name
                for name, new in plan.new.items()
                if get_values(target, now, [name]) == to_sets({name: new})
            ]
            names = [name for name in same if plan.has_living(name, living)]
            if len(same) < len(plan.new):
                reasons[record_id] = self.env._("Changed since by somebody else")
            elif len(names) < len(plan.new):
                reasons[record_id] = self.env._("Who was there before is gone")
            restored[record_id] = names
            after[record_id] = self._get_restored(target, now, plan, names, living)
        failures = self._write_changed(target, current, after)
        reasons |= failures
        restored = {id_: restored[id_] for id_ in restored if id_ not in failures}
        moved = self._restore_teams(target, planned, restored, teams)
        outcome = {"undone": {}, "kept": {}, "hidden": {}}
        for record_id, plan in planned.items():
            if record_id in hidden:
                outcome["hidden"][record_id] = plan.get_line_ids()
                continue
            lines = {
                line_id: name in restored.get(record_id, ())
                for name, line_id in plan.line_ids.items()
            }
            lines |= dict.fromkeys(plan.gone, False)
            if plan.teams:
                lines[plan.teams[0]] = record_id in moved
            for line_id, done in lines.items():
                state = "undone" if done else "kept"
                outcome[state].setdefault(record_id, []).append(line_id)
        return outcome, reasons

    def _get_living(self, planned):
        """Give the ids of the users of old values who still exist and are internal."""
        ids = {
            id_
            for plan in planned.values()
            for values in plan.old.values()
            for id_ in values
        }
        users = self.env["res.users"].sudo().browse(ids).exists()
        return set(users.filtered(lambda user: not user.share).ids)

    def _get_restored(self, target, now, plan, names, living):
        """Give who follows a record once the named values are given back."""
        old = {
            name: tuple(id_ for id_ in plan.old[name] if id_ in living)
            for name in names
        }
        new = {name: plan.new[name] for name in names}
        # a value that stays counts as changed since, so that the rule leaves it
        nobody = {name: (0,) for name in plan.new if name not in names}
        restore = rule.restore_customer if target == PARTNER_TARGET else rule.restore
        return restore(
            now, merge(target, now, old), merge(target, now, {**new, **nobody})
        )

    def _restore_teams(self, target, planned, restored, teams):
        """Give records back the sales team they had, where it is as the change left it.

        :param restored: dict of record id → names of its values that were restored
        :param teams: dict of record id → (team id, company id) before the undo
        :return: ids of the records that have it back
        """
        wanted = {
            id_: plan.teams[1]
            for id_, plan in planned.items()
            if plan.teams and id_ in restored and teams[id_][0] == plan.teams[2]
        }
        existing = set(
            self.env["crm.team"].sudo().browse({*wanted.values()} - {None}).exists().ids
        )
        wanted = {
            id_: team_id
            for id_, team_id in wanted.items()
            if team_id is None or team_id in existing
        }
        fast = self.env["sales.followup.rep.writer.sql"]
        now = {id_: team[0] for id_, team in fast._read_teams(target, wanted).items()}
        # only where the former team was chosen by hand does computing it give another
        self.env["sales.followup.rep.writer"]._write_teams(
            target,
            now,
            {id_: team_id for id_, team_id in wanted.items() if now[id_] != team_id},
            self.display_name if self.log_in_chatter else None,
        )
        return set(wanted)
