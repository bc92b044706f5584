from markupsafe import Markup, escape

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, format_date, plaintext2html

from ...rules.periods import local_day

#: what users may write on a reminder; the rest is history
EDITABLE = frozenset({"note", "next_date", "result_id", "user_id"})

#: what users may say of a reminder they log themselves
LOGGABLE = EDITABLE | {
    "contact_id",
    "template_id",
    "channel",
    "date",
}

#: what the agenda shows of a reminder
PLANNED = frozenset({"next_date", "user_id", "note", "result_id"})


# What may be written, and what is worked out then, is a subject of its own.
class SalesFollowupReminder(models.Model):
    """How reminders are logged: nobody forges or rewrites what was done."""

    _inherit = "sales.followup.reminder"

    @api.model_create_multi
    def create(self, vals_list):
        """Number new reminders, and plan the next ones.

        Users log what they did; only methods of this addon send. Who is not told to
        get the reminder, and when the next one is due, is worked out.
        """
        # EXTENDS 'base'
        self._check_guarded(vals_list)
        numbers = self._draw_numbers(len(vals_list))
        vals_list = [
            {
                **vals,
                "name": number,
                "is_sending": bool(
                    vals.get("is_sending") or vals.get("state") == "outgoing"
                ),
            }
            for vals, number in zip(vals_list, numbers, strict=True)
        ]
        for link in self._get_document_fields():
            self._complete([vals for vals in vals_list if vals.get(link)], link)
        reminders = super().create(vals_list)
        # not asked by itself where no document is mentioned at all
        reminders._check_one_document()
        reminders._check_users(logged=True)
        for link, of_kind in reminders._group_by_document_model().items():
            of_kind[link]._followup_take_up()
        reminders._plan_next()
        return reminders

    def write(self, vals):
        """Move the activity with the next date; refuse to rewrite history."""
        # EXTENDS 'base'
        if not self.env.su and (refused := vals.keys() - EDITABLE):
            raise AccessError(
                self.env._(
                    "What was done stays as it was: %(fields)s cannot be changed. "
                    "Cancel the reminder and log another one.",
                    fields=self._get_labels(refused),
                )
            )
        if vals.get("state") == "outgoing":
            vals = {**vals, "is_sending": True}
        result = super().write(vals)
        if "user_id" in vals:
            self._check_users()
        if PLANNED & vals.keys():
            # who did what was planned is not asked again because of a note
            self._plan_next(renew="next_date" in vals)
        return result

    def unlink(self):
        """Go back to what the reminder before had planned; send nothing any more."""
        # EXTENDS 'base'
        # sudo: emails and activities are technical, and the rights are asked below
        planned = [
            reminders[link]
            for link, reminders in self.sudo()._group_by_document_model().items()
        ]
        emails = self.sudo()._get_waiting_emails()
        result = super().unlink()
        emails.cancel()
        for documents in planned:
            self.env["sales.followup.agenda"]._plan(documents)
        return result

    def _complete(self, vals_list, link):
        """Say who gets new reminders, and when the next one is due, where nobody did.

        :param vals_list: values of new reminders, completed in place
        :param link: the field of their documents
        """
        model = self._get_document_fields()[link]
        # sudo: whether the document may be read is asked of the reminder
        documents = self.env[model].sudo().browse(vals[link] for vals in vals_list)
        default = self.default_get(["channel"]).get("channel")
        by_channel = {}
        for vals in vals_list:
            if "contact_id" not in vals:
                by_channel.setdefault(vals.get("channel", default), []).append(vals)
        for channel, alike in by_channel.items():
            chased = documents.browse(vals[link] for vals in alike)
            contacts = chased._followup_get_recipients(channel)
            for vals in alike:
                vals["contact_id"] = contacts[documents.browse(vals[link])].id
        undated = [vals for vals in vals_list if "next_date" not in vals]
        chased = documents.browse(vals[link] for vals in undated)
        open_documents = chased._followup_filter_open()
        templates = self.env["sales.followup.template"]
        for vals in undated:
            document = documents.browse(vals[link])
            vals["next_date"] = document in open_documents and (
                document._followup_count_days(templates.browse(vals.get("template_id")))
            )

    def _check_users(self, logged=False):
        """Refuse other users who cannot look after these reminders.

        Everybody logs what they did themselves, a manager also what a colleague did;
        and hands over what is theirs to a colleague.

        :param logged: whether they are new
        :raise AccessError: where somebody logs in a colleague's name
        :raise ValidationError: where a user is no colleague
        """
        others = self.filtered(lambda reminder: reminder.user_id != self.env.user)
        if self.env.su or not others.user_id:
            return
        if logged and not self.env.user.has_group("sales_followup.group_manager"):
            raise AccessError(
                self.env._(
                    "You log reminders in your own name; only follow-up managers log "
                    "for a colleague."
                )
            )
        for reminder in others.filtered("user_id"):
            # sudo: whether a colleague may work there does not depend on who looks
            user = reminder.sudo().user_id
            if (
                user.share
                or not user.active
                or reminder.company_id not in user.company_ids
            ):
                raise ValidationError(
                    self.env._(
                        "%(user)s cannot look after reminders of %(company)s; choose "
                        "an active colleague of that company.",
                        user=user.name,
                        company=reminder.sudo().company_id.name,
                    )
                )

    def _get_guarded_fields(self):
        # EXTENDS 'sales_followup'
        return self._get_stored_fields_except(LOGGABLE | {*self._get_document_fields()})

    def _get_guarded_message(self, labels):
        # EXTENDS 'sales_followup'
        return self.env._(
            "A reminder logged by hand cannot have %(fields)s.", fields=labels
        )

    def _get_labels(self, names):
        """Return the labels of fields, for a message."""
        labels = [
            self._fields[name]._description_string(self.env)
            for name in sorted(names)
            if name in self._fields
        ]
        return ", ".join(labels)

    def _draw_numbers(self, count):
        """Draw the numbers of new reminders, by one query where the sequence can.

        :rtype: list of str
        """
        sequence_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "sales_followup.sequence_reminder", raise_if_not_found=True
        )
        # sudo: sequences are for administrators
        sequence = self.env["ir.sequence"].sudo().browse(sequence_id)
        if sequence.implementation != "standard" or sequence.use_date_range:
            return [sequence.next_by_id() for _number in range(count)]
        rows = self.env.execute_query(
            SQL(
                "SELECT NEXTVAL(%s) FROM GENERATE_SERIES(1, %s)",
                f"ir_sequence_{sequence.id:03d}",
                count,
            )
        )
        # the same for all: they are drawn at one time
        prefix, suffix = sequence._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence.padding}d}{suffix}" for [number] in rows]

    # --- what follows -----------------------------------------------------------

    def _plan_next(self, renew=True):
        """Bring the agenda of the documents into line with these reminders.

        :param renew: whether what is not in the agenda is entered there
        """
        for link, reminders in self._group_by_document_model().items():
            self.env["sales.followup.agenda"]._plan(reminders[link], renew)

    def _log_in_chatter(self):
        """Note on the documents what was done, for everybody who works there."""
        for link, reminders in self._group_by_document_model().items():
            bodies = {
                reminder[link].id: reminder._get_log_body() for reminder in reminders
            }
            # sudo: reading the document is enough to remind
            messages = (
                reminders[link]
                .sudo()
                ._message_log_batch(
                    bodies=bodies, author_id=self.env.user.partner_id.id
                )
            )
            logs = {message.res_id: message.id for message in messages}
            for reminder in reminders.sudo():
                reminder.log_message_id = logs[reminder[link].id]

    def _get_log_body(self):
        """Say in the chatter what was done, and when the next reminder is due.

        :rtype: markupsafe.Markup
        """
        channels = dict(self._fields["channel"]._description_selection(self.env))
        parts = [
            self.env._(
                "Reminder %(number)s: %(channel)s",
                number=self.name,
                channel=channels[self.channel],
            )
        ]
        if self.result_id:
            parts.append(self.result_id.name)
        if self.next_date:
            parts.append(
                self.env._(
                    "next reminder on %(date)s",
                    date=format_date(self.env, self.next_date),
                )
            )
        body = escape(", ".join(parts))
        if self.note:
            body += Markup("<br/>") + plaintext2html(self.note)
        return body

    def _get_local_day(self):
        """Return the day of the reminder where its user is.

        :rtype: datetime.date
        """
        return local_day(self.date, self.env.tz)
