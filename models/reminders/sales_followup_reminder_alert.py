from odoo import fields, models
from odoo.tools import plaintext2html

from ...rules.recipients import choose
from .sales_followup_agenda import FAILURE_TYPE


# Asking somebody to look after failures.
class SalesFollowupReminder(models.Model):
    """The activities that failed reminders leave for somebody."""

    _inherit = "sales.followup.reminder"

    alert_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="Asks somebody to look after the failure.",
    )

    def _alert(self):
        """Ask somebody to look after reminders that failed: one activity each, on the
        document; where a template cannot be written, one for all its reminders."""
        for reminder in self:
            note = plaintext2html(reminder.failure_reason or "")
            # sudo: reading the document is enough to remind
            activity = reminder.sudo().alert_id
            if activity.active:
                activity.note = note
                continue
            if shared := reminder._find_shared_alert():
                reminder.sudo().alert_id = shared
                continue
            document = reminder._get_document().sudo()
            document = document.with_context(mail_activity_quick_update=True)
            reminder.sudo().alert_id = document.activity_schedule(
                FAILURE_TYPE,
                user_id=reminder._get_responsible().id,
                summary=self.env._("Reminder %(number)s failed", number=reminder.name),
                note=note,
            )

    def _find_shared_alert(self):
        """Find the activity that asks to mend the text of this reminder already.

        :return: ``mail.activity``, empty where it is another failure
        """
        # sudo: the activity may be somebody else's
        reminders = self.sudo()
        if not reminders.is_unwritable:
            return reminders.alert_id.browse()
        others = reminders.search(
            [
                ("template_id", "=", reminders.template_id.id),
                ("is_unwritable", "=", True),
                ("alert_id.active", "=", True),
                ("id", "!=", reminders.id),
            ],
            limit=1,
        )
        if activity := others.alert_id:
            activity.summary = self.env._(
                "Template “%(template)s” cannot be written",
                template=reminders.template_id.name,
            )
        return activity

    def _settle_alerts(self):
        """Ask nobody any more to look after failures on the documents of these
        reminders, which went out after all."""
        for link, reminders in self._group_by_document_model().items():
            self._find_alerted(link, reminders[link])._withdraw_alerts()

    def _settle_finished(self, documents):
        """Ask nobody any more to look after failures on documents that are done with:
        a quotation that was confirmed is, though the order is open.

        :param documents: recordset of one model that has the follow-up mixin
        """
        link = self._get_document_field(documents._name)
        alerted = self._find_alerted(link, documents)
        if not alerted:
            return
        chased = alerted[link]
        still_open, types = chased._followup_filter_open(), chased._followup_get_types()
        alerted.filtered(
            lambda reminder: (
                reminder[link] not in still_open
                or reminder.document_type_id != types[reminder[link]]
            )
        )._withdraw_alerts()

    def _find_alerted(self, link, documents):
        """Return reminders that failed, and that somebody was asked to look after.

        :param link: the field of the documents
        """
        # sudo: reminders that the user may not see count, too
        return self.sudo().search(
            [(link, "in", documents.ids), ("alert_id", "!=", False)]
        )

    def _withdraw_alerts(self):
        """Take the activities away that nobody has done yet, but for those that other
        reminders share."""
        # sudo: as above
        reminders = self.sudo()
        alerts = reminders.alert_id.filtered("active")
        if not alerts:
            return
        reminders.alert_id = False
        shared = reminders.search([("alert_id", "in", alerts.ids)]).alert_id
        (alerts - shared).unlink()

    def _get_responsible(self):
        """Return who looks after this reminder when it failed.

        :return: ``res.users``, empty where nobody follows document and customer
        """
        document = self._get_document().sudo()
        customer = document.partner_id.commercial_partner_id
        return (
            choose(
                (
                    self.user_id,
                    document._followup_get_sender(),
                    customer.user_id,
                    *customer.followup_rep_ids,
                ),
                lambda user: user.active and not user.share,
            )
            or self.env["res.users"]
        )
