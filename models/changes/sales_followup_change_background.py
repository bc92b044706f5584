import logging
from datetime import timedelta

from markupsafe import Markup
from psycopg2.errors import OperationalError

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: how many records are locked, written and committed at a time in the background:
#: about a second's work, for nobody who opens one of them shall wait longer
BATCH_SIZE = 1000

#: how often a batch is tried again when the database refuses it, with half the records
#: each time, before the change is left for later
MAX_CONFLICTS = 5

#: when to look again for a change that somebody else holds, or that always conflicts
PATIENCE = timedelta(minutes=1)


# Working in the background is a subject of its own.
class SalesFollowupChange(models.Model):
    """Changes too big to wait for: a scheduled action does or undoes them, in committed
    batches, one after the other in the order in which they were asked for.

    Where a change stands is in its progress alone, which each batch locks: a killed
    worker loses the batch it was at and no more, several workers take a change each.
    """

    _inherit = "sales.followup.change"

    # --- actions ----------------------------------------------------------------

    def action_pause(self):
        """Have the scheduled action stop after the batch it is at.

        :raise AccessError: unless *Representatives: Editor*
        """
        changes = self._check_manageable()
        changes.filtered(lambda change: change.state == "running").state = "paused"
        changes._note_counts()

    def action_resume(self):
        """Have the scheduled action go on, on behalf of the current user.

        :raise AccessError: unless *Representatives: Editor*
        """
        changes = self._check_manageable()
        for change in changes.filtered(lambda change: change.state == "paused"):
            change.write({"state": "running", "failure_reason": False})
            change._queue()

    def action_cancel(self):
        """Stop for good: what was done stays, and can be undone; of an undo, what was
        not yet undone stays as the change left it.

        :raise AccessError: unless *Representatives: Editor*
        """
        changes = self._check_manageable()
        for change in changes.filtered(
            lambda change: change.state in ("planned", "running", "paused")
        ):
            change.write(
                {
                    "state": "done" if change.is_undo else "cancelled",
                    "failure_reason": False,
                }
            )
        # the batch under way is still to be counted
        changes._trigger()

    def _check_manageable(self):
        """Return these changes for writing, to whom may manage them.

        :raise AccessError: unless *Representatives: Editor*
        """
        self.env["res.partner"]._followup_check_rep_editor()
        self.check_access("read")
        # sudo: nobody writes the journal by hand
        return self.sudo()

    # --- queueing ---------------------------------------------------------------

    def _is_big(self):
        """Tell whether the work at hand is too much for the user to wait for."""
        limit = self.company_id.followup_background_from
        is_undo = self._get_progress().is_undo
        return 0 < limit < (self.changed_count if is_undo else self.planned_count)

    def _queue(self):
        """Leave the work to the scheduled action, on behalf of the current user."""
        self._get_progress().write(
            {
                "queued": fields.Datetime.now(),
                "user_id": self.env.uid,
                "company_ids": self.env.companies.ids,
            }
        )
        self._trigger()

    def _trigger(self, delay=None):
        """Have the scheduled action go on as soon as this is committed.

        :param delay: ``timedelta`` from now
        """
        # sudo: scheduled actions are for administrators
        cron = self.env.ref("sales_followup.ir_cron_process_changes").sudo()
        cron._trigger(delay and fields.Datetime.now() + delay)

    # --- the scheduled action ---------------------------------------------------

    @api.model
    def _cron_process(self):
        """Do what changes have left, batch by batch, each committed."""
        crons = self.env["ir.cron"]
        aside, conflicts = self.browse(), 0
        self._close_stopped()
        crons._commit_progress(remaining=self._count_waiting())
        while change := self._take_next(aside):
            try:
                done = change._as_author()._process_queued(BATCH_SIZE >> conflicts)
                left = crons._commit_progress(done, remaining=self._count_waiting())
                conflicts = 0
            except OperationalError:
                # somebody changed what the batch was about: nothing of it was written
                self.env.cr.rollback()
                _logger.info("A batch of %s is repeated", change, exc_info=True)
                left = True
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    aside |= change
                    conflicts = 0
            except Exception as error:
                self.env.cr.rollback()
                _logger.exception("%s cannot go on", change)
                change._fail(str(error) or repr(error))
                left = crons._commit_progress()
            if not left:
                return
        if aside:
            self._trigger(PATIENCE)
        crons._commit_progress(remaining=0)

    def _take_next(self, aside):
        """Lock and return the next change in the background that nobody else is at.

        :param aside: changes to leave for later
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT progress.change_id
                  FROM sales_followup_change_progress progress
                  JOIN sales_followup_change change ON change.id = progress.change_id
                 WHERE progress.queued IS NOT NULL AND change.state = 'running'
                   AND NOT change.id = ANY(%s)
              ORDER BY progress.queued, progress.id
                 LIMIT 1
            FOR NO KEY UPDATE OF progress SKIP LOCKED
                """,
                aside.ids,
            )
        )
        return self.browse(rows[0] if rows else ())

    def _count_waiting(self):
        """Count the records that changes in the background have left."""
        self.env.flush_all()
        [(count,)] = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(SUM(GREATEST(1,
                           CASE WHEN progress.is_undo
                                THEN progress.applied - progress.undone
                                ELSE change.planned_count - progress.applied END)), 0)
                  FROM sales_followup_change_progress progress
                  JOIN sales_followup_change change ON change.id = progress.change_id
                 WHERE progress.queued IS NOT NULL AND change.state = 'running'
                """
            )
        )
        return int(count)

    def _as_author(self):
        """Return this change as the user on whose behalf it is done."""
        progress = self._get_progress()
        user = progress.user_id
        companies = [i for i in progress.company_ids or () if i in user.company_ids.ids]
        return (
            self.with_user(user or self.env.user)
            .with_context(
                lang=user.lang,
                tz=user.tz,
                allowed_company_ids=companies or user.company_id.ids,
            )
            # sudo: nobody writes the journal by hand; what the user may see of the
            # records is asked as the user
            .sudo()
        )

    def _process_queued(self, size):
        """Do the next batch in the background.

        :return: how many records were processed, 1 for the end
        """
        self.ensure_one()
        progress = self._get_progress()
        if problem := self._get_author_problem(progress.user_id):
            self._fail(problem)
            return 1
        done = self._process(size)
        if not done:
            progress.queued = False
            self._tell_author(progress)
        return done or 1

    def _get_author_problem(self, user):
        """Return why a change cannot go on on behalf of a user, or ``None``."""
        if user.active and user.has_group("sales_followup.group_rep_editor"):
            return None
        return self.env._(
            "%(user)s may no longer change representatives. An Editor can resume this "
            "change.",
            user=user.name or self.env._("Its author"),
        )

    def _fail(self, reason):
        """Pause a change that cannot go on, and say why.

        :param reason: a sentence
        """
        self.write({"state": "paused", "failure_reason": reason})
        self._note_counts()
        self._tell_author(self._get_progress())

    def _note_counts(self):
        """Bring the counts of changes that stopped up to date."""
        for change in self:
            progress = change._get_progress()
            change.write(
                {
                    "changed_count": progress.changed_count,
                    "left_count": progress.left_count,
                    "undone_count": progress.undone_count,
                    "kept_count": progress.kept_count,
                }
            )

    def _close_stopped(self):
        """Close changes that were cancelled while a batch was under way."""
        progress = self.env["sales.followup.change.progress"].sudo()
        stopped = progress.search(
            [
                ("queued", "!=", False),
                ("change_id.state", "in", ("done", "undone", "cancelled")),
            ]
        ).try_lock_for_update()
        for each in stopped:
            each.change_id._close(each)

    def _close(self, progress):
        """Close this change, which was cancelled, after its last batch.

        :param progress: its progress, which the caller has locked
        """
        progress.write(
            {
                "queued": False,
                "is_undo": False,
                "is_stopped": progress.is_stopped or self.state == "cancelled",
            }
        )
        self._note_counts()

    # --- telling ----------------------------------------------------------------

    def _tell_author(self, progress):
        """Tell the user on whose behalf a change was done that it ended, or stopped."""
        user = progress.user_id
        if not user.active:
            return
        change = self.with_context(lang=user.lang)
        message, is_warning = change._get_result()
        user._bus_send(
            "simple_notification",
            {
                "type": "warning" if is_warning else "success",
                "title": change.display_name,
                "message": message,
                "sticky": True,
            },
        )
        url = f"{self.get_base_url()}/odoo/followup-changes/{self.id}"
        self.env["mail.thread"].with_context(lang=user.lang).message_notify(
            subject=change.display_name,
            body=Markup("<p>%s</p><p><a href='%s'>%s</a></p>")
            % (message, url, change.display_name),
            partner_ids=user.partner_id.ids,
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _get_result(self):
        """Say what became of this change.

        :return: (sentences, whether something was left)
        """
        self.ensure_one()
        if self.failure_reason:
            return self.failure_reason, True
        if self.undone_count or self.kept_count:
            return self._get_undo_result()
        message = self.env._(
            "%(changed)s of %(total)s records changed.",
            changed=self.changed_count,
            total=self.planned_count,
        )
        if self.left_count:
            message += " " + self.env._(
                "%(count)s were left alone; the reason is on their lines.",
                count=self.left_count,
            )
        return message, bool(self.left_count)
