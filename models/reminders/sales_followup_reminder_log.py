from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

#: what users may write on a reminder; the rest is history
EDITABLE = frozenset({"note", "next_date", "result_id", "user_id"})

#: what users may say of a reminder they log themselves
LOGGABLE = EDITABLE | {
    "order_id",
    "move_id",
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
        if not self.env.su:
            self._check_loggable(vals_list)
        numbers = self._draw_numbers(len(vals_list))
        vals_list = [
            {**vals, "name": number, "is_sending": vals.get("state") == "outgoing"}
            for vals, number in zip(vals_list, numbers, strict=True)
        ]
        for link in self._get_document_fields():
            self._complete([vals for vals in vals_list if vals.get(link)], link)
        reminders = super().create(vals_list)
        # not asked by itself where no document is mentioned at all
        reminders._check_one_document()
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

    @api.model
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

    @api.model
    def _check_loggable(self, vals_list):
        """Refuse values that only this addon gives: nobody forges what was sent."""
        harmless = {"state": "done", "origin": "manual"}
        for vals in vals_list:
            refused = {
                name
                for name, value in vals.items()
                if name not in LOGGABLE and value and harmless.get(name) != value
            }
            if refused:
                raise AccessError(
                    self.env._(
                        "A reminder logged by hand cannot have %(fields)s.",
                        fields=self._get_labels(refused),
                    )
                )

    @api.model
    def _get_labels(self, names):
        """Give the labels of fields, for a message."""
        labels = [
            self._fields[name]._description_string(self.env)
            for name in sorted(names)
            if name in self._fields
        ]
        return ", ".join(labels)

    @api.model
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
