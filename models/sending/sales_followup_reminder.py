from odoo import models
from odoo.exceptions import UserError

from ...rules.verdict import Mode
from ..reminders.sales_followup_template import SENDING
from .sales_followup_dispatcher import Request


# Sending is a subject of its own, and long enough for a file of its own.
class SalesFollowupReminder(models.Model):
    """How reminders go out; :mod:`.sales_followup_reminder` has what they are."""

    _inherit = "sales.followup.reminder"

    def _remind(self, documents, values, send=True, overruled=()):
        """Remind of documents: log what was done, or send it.

        What is sent goes through the dispatcher: it locks documents and customers, and
        asks the verdict.

        :param documents: recordset of one kind of documents the user may read
        :param values: dict of ``channel`` and any of ``template_id``, ``contact_id``,
            ``note``, ``result_id``, ``date``, ``next_date``, ``user_id``, the same for
            all; the next date is worked out where it is not given
        :param send: whether an e-mail or letter is sent, or was sent otherwise and is
            merely logged
        :param overruled: keys of the verdict's reasons to send against, see
            :attr:`~..rules.verdict.Reason.key`
        :return: the reminders
        :raise UserError: where one of them cannot be sent; nothing is made then
        """
        documents.check_access("read")
        self.check_access("create")
        contact = self.env["res.partner"].browse(values.get("contact_id") or ())
        documents._followup_check_recipient(contact)
        prepared = self._prepare_values(values)
        if send and values["channel"] in SENDING:
            self._check_sendable(documents, values)
            return self._send(documents, prepared, overruled)
        return self._log(documents, prepared)

    def _log(self, documents, values):
        """Log what was done about documents.

        :return: the reminders
        """
        link = self._get_document_field(documents._name)
        # sudo: the rights were checked, and users log no state by themselves
        reminders = self.sudo().create(
            [{**values, link: document.id, "state": "done"} for document in documents]
        )
        reminders = reminders.sudo(False)
        reminders._log_in_chatter()
        if values["channel"] in SENDING:
            reminders._settle_alerts()
            self.env["sales.followup.dispatcher"]._touch_customers(documents)
        return reminders

    def _send(self, documents, values, overruled):
        """Send reminders of documents, all or none.

        :return: the reminders
        :raise UserError: naming the documents that cannot be sent, and why
        """
        if not documents:
            return self.browse()
        channel = values["channel"]
        template = self.env["sales.followup.template"].browse(values["template_id"])
        with self.env.cr.savepoint():
            outcomes = self.env["sales.followup.dispatcher"]._dispatch(
                [
                    Request(
                        document=document,
                        template=template,
                        channel=channel,
                        values=values,
                        overruled=frozenset(overruled),
                    )
                    for document in documents
                ],
                Mode.MANUAL,
                wait=True,
            )
            self._check_outcomes(outcomes)
        return self.concat(*(outcomes[document].reminder for document in documents))

    def _check_outcomes(self, outcomes):
        """Refuse to send only some: an address that is refused is noted on the
        reminder, everything else is told the person.

        :param outcomes: dict of document → outcome
        """
        failed = {
            document: outcome.reasons
            for document, outcome in outcomes.items()
            if outcome.state == "failed"
            and not (outcome.reminder and outcome.reminder.message_id)
        }
        if failed:
            raise UserError(
                "\n".join(text for reasons in failed.values() for text in reasons)
            )
        refused = [
            f"{document.display_name}: {' '.join(outcome.reasons)}"
            for document, outcome in outcomes.items()
            if outcome.state == "refused"
        ]
        if refused:
            raise UserError(
                self.env._(
                    "Not sent, as something came up:\n%(reasons)s\n"
                    "To send it all the same, open the dialog again: it shows what "
                    "there is against it.",
                    reasons="\n".join(refused),
                )
            )

    def _prepare_values(self, values):
        """Return the values of new reminders; without a recipient, the rule says who
        gets it."""
        prepared = {"user_id": self.env.uid, **values}
        if not prepared.get("contact_id"):
            prepared.pop("contact_id", None)
        return prepared

    def _check_sendable(self, documents, values):
        """Say what keeps an e-mail or a letter from going out.

        :raise UserError: naming document or customer, and the remedy
        """
        template = self.env["sales.followup.template"].browse(values.get("template_id"))
        problems = [
            problem
            for document, problem in documents._followup_get_obstacles(
                values["channel"],
                template,
                self.env["res.partner"].browse(values.get("contact_id") or ()),
            ).items()
            if problem
        ]
        if problems:
            raise UserError("\n".join(problems))
