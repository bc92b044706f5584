from odoo import api, models
from odoo.tools import plaintext2html

from ...rules.recipients import choose

ACTIVITY_TYPE = "sales_followup.mail_activity_type_reminder"
FAILURE_TYPE = "sales_followup.mail_activity_type_failed"


class SalesFollowupAgenda(models.AbstractModel):
    """Keeps one activity a document: when its customer is to be reminded next.

    The activity follows the last reminder, and goes when the document is done with.
    """

    _name = "sales.followup.agenda"
    _description = "Agenda of Next Reminders"

    def _plan(self, documents, renew=True):
        """Bring the activities of these documents into line with their last reminders.

        :param documents: recordset of one model that has the follow-up mixin
        :param renew: whether there is a new activity where none is left, as somebody
            did what it asked for
        """
        if not self._get_type_id():
            return
        # sudo: reading a document is enough to remind, writing on it is not needed
        documents = documents.sudo()
        last = documents._followup_get_last_reminders()
        pending = self._filter_pending(documents, last)
        activities = self._get_activities(documents)
        new, obsolete = [], self.env["mail.activity"].sudo()
        for document in documents:
            present = activities.get(document.id, obsolete.browse())
            reminder = last.get(document)
            if document in pending and reminder.next_date:
                values = self._prepare_values(document, reminder)
                self._move(present[:1], values)
                obsolete |= present[1:]
                if renew and not present:
                    new.append(values)
            else:
                obsolete |= present
        obsolete.unlink()
        # no e-mail about it: who reminds knows, and the agenda shows it
        quiet = self.env["mail.activity"].with_context(mail_activity_quick_update=True)
        quiet.sudo().create(new)

    def _filter_pending(self, documents, last):
        """Return the documents whose last reminder still waits for something.

        A quotation that was confirmed is done with, though the order is open.

        :param last: dict of document → its last reminder
        """
        situations = documents._followup_get_situations()
        return documents.filtered(
            lambda document: (
                situations[document].is_open
                and document in last
                and last[document].document_type_id == situations[document].type
            )
        )

    def _prepare_values(self, document, reminder):
        """Return the values of the activity that a reminder asks for."""
        return {
            "activity_type_id": self._get_type_id(),
            "res_model_id": self.env["ir.model"]._get_id(document._name),
            "res_id": document.id,
            # else it is written once more
            "res_name": document.display_name,
            "date_deadline": reminder.next_date,
            "user_id": self._get_user(document, reminder).id,
            "summary": reminder.result_id.name or reminder.template_id.name,
            "note": plaintext2html(reminder.note) if reminder.note else False,
        }

    def _get_user(self, document, reminder):
        """Return who looks after the next reminder: who reminded, or if they left the
        document's Salesperson, one of its representatives, else who works now.

        :return: ``res.users``, empty where nobody is there, as in a scheduled action
        """
        return (
            choose(
                (
                    reminder.user_id,
                    document[document._followup_lead_field],
                    *document.followup_rep_ids,
                    self.env.user,
                ),
                lambda user: user.active and not user.share,
            )
            or reminder.user_id.browse()
        )

    def _move(self, activity, values):
        """Write what differs: a new date, another user."""
        if not activity:
            return
        fixed = {"activity_type_id", "res_model_id", "res_id", "res_name"}
        changed = {
            name: value
            for name, value in values.items()
            if name not in fixed
            and activity._fields[name].convert_to_write(activity[name], activity)
            != value
        }
        if changed:
            activity.with_context(mail_activity_quick_update=True).write(changed)

    def _get_type_id(self, name=ACTIVITY_TYPE):
        """Return the id of the activities' own type, without a query.

        :return: ``False`` while the addon is being installed, or where somebody deleted
            the type: reminders do without activities then
        """
        return self.env["ir.model.data"]._xmlid_to_res_id(name)

    def _get_activities(self, documents):
        """Return the next-reminder activities of documents.

        :return: dict of document id → ``mail.activity``, as superuser
        """
        found = self._find_activities(documents, [self._get_type_id()])
        return dict(found.grouped("res_id"))

    def _find_activities(self, documents, type_ids):
        """Find activities of some types.

        :return: ``mail.activity``, as superuser
        """
        # sudo: the activity may be somebody else's
        return (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("activity_type_id", "in", type_ids),
                ],
                order="id",
            )
        )

    def _close_finished(self, documents):
        """Close the activities of those documents that are open no more, and empty
        their next dates."""
        # sudo: where a document stands does not depend on who looks
        dated = documents.sudo().filtered("followup_last_reminder_id")
        if dated:
            self.env.add_to_compute(documents._fields["followup_next_date"], dated)
        next_id, failure_id = self._get_type_id(), self._get_type_id(FAILURE_TYPE)
        # this is asked while the addon is being installed, too
        type_ids = [type_id for type_id in (next_id, failure_id) if type_id]
        if not type_ids:
            return
        by_type = self._find_activities(documents, type_ids).grouped(
            lambda activity: activity.activity_type_id.id
        )
        if alerts := by_type.get(failure_id):
            alerted = documents.browse(alerts.mapped("res_id"))
            self.env["sales.followup.reminder"]._settle_finished(alerted)
        if not (activities := by_type.get(next_id)):
            return
        planned = documents.browse(activities.mapped("res_id")).sudo()
        last = planned._followup_get_last_reminders()
        finished = planned - self._filter_pending(planned, last)
        activities.filtered(lambda activity: activity.res_id in finished.ids).unlink()

    @api.autovacuum
    def _close_left_over(self):
        """Close what no event told of: a document type that was changed, an import."""
        for model in (
            self.env["sales.followup.reminder"]._get_document_fields().values()
        ):
            self._close_finished(self._get_planned(self.env[model]))

    def _get_planned(self, documents):
        """Return the documents of a model that have an activity or a next date.

        :param documents: the model
        """
        # sudo: whoever looks
        rows = (
            self.env["mail.activity"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", documents._name),
                    ("activity_type_id", "=", self._get_type_id()),
                ],
                aggregates=["res_id:array_agg"],
            )
        )
        dated = documents.sudo().search([("followup_next_date", "!=", False)])
        return documents.browse(rows[0][0]).exists() | dated.sudo(False)
