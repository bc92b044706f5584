from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ...rules.bounds import MOST_DAYS, shift
from ...toasts import toast


# What is done with a reminder in a click or two is a subject of its own.
class SalesFollowupReminder(models.Model):
    """The desk: remind again, log a call, postpone, call, hand over."""

    _inherit = "sales.followup.reminder"

    telephone = fields.Char(
        compute="_compute_telephone",
        help="Of the recipient, else of the customer.",
    )
    may_change = fields.Boolean(
        compute="_compute_may_change",
        help="It is my reminder, or I am a follow-up manager.",
    )

    @api.depends("contact_id.phone", "partner_id.phone")
    def _compute_telephone(self):
        for reminder in self:
            # sudo: the recipient may be a contact the user does not look after
            people = reminder.sudo()
            reminder.telephone = people.contact_id.phone or people.partner_id.phone

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_may_change(self):
        rightful = self._origin._filtered_access("write")
        for reminder in self:
            reminder.may_change = reminder._origin in rightful

    # --- one click --------------------------------------------------------------

    def action_remind(self):
        """Open the dialog that reminds of the same document again."""
        return self._open_dialog("email")

    def action_log_call(self):
        """Open the dialog that logs a call about the same document."""
        return self._open_dialog("phone")

    def _open_dialog(self, channel):
        self.ensure_one()
        document = self._get_document()
        link = self._get_document_field(document._name)
        values = {link: document.id}
        if channel == "phone":
            values["channel"] = channel
        action = self.env["sales.followup.remind"]._get_action(**values)
        if channel == "phone":
            action["name"] = self.env._("Log a Call")
        return action

    def action_postpone(self, days):
        """Get back to the customers a number of days from today.

        Only the latest reminder of an open document is postponed, as it alone says when
        to get back; others, and those of colleagues, stay as they are.

        :param days: from today on
        :return: action that tells what was done
        :raise UserError: where the number is no such thing, or nothing can be postponed
        """
        if type(days) is not int or not 0 < days <= MOST_DAYS:
            raise UserError(
                self.env._(
                    "Postpone by a number of days between 1 and %(most)s.",
                    most=MOST_DAYS,
                )
            )
        return self._postpone(shift(fields.Date.context_today(self), days))

    def _postpone(self, day):
        """Move the next date, and the activity with it.

        :param day: of the next reminder
        :return: action that tells what was done
        """
        standing = self.filtered(
            lambda reminder: (
                reminder.is_last and reminder.is_open and reminder.state != "cancelled"
            )
        )
        if not standing:
            raise UserError(
                self.env._(
                    "Nothing to postpone: only the latest reminder of an open document "
                    "says when to get back to the customer."
                )
            )
        return self._amend({"next_date": day}, standing)

    def _amend(self, values, concerned=None):
        """Change reminders as far as the user may.

        :param values: dict for :meth:`write`
        :param concerned: those of them it is about, if not all
        :return: action that tells what was done, and how many stay as they are
        :raise AccessError: where the user may change none of them
        """
        concerned = self if concerned is None else concerned
        mine = concerned._filtered_access("write")
        if not mine:
            raise AccessError(
                self.env._(
                    "These are reminders of colleagues: only they and follow-up "
                    "managers change them."
                )
            )
        names = mine[:2].mapped("name")
        mine.write(values)
        message = self._describe_amendment(values, len(mine))
        if kept := len(self) - len(mine):
            message += " " + self.env._(
                "%(kept)s stay as they are: of colleagues, or not the latest.",
                kept=kept,
            )
        links = ()
        if len(mine) == 1:
            message = f"{message} %s"
            links = [(names[0], mine._get_address())]
        return toast(message, kind="warning" if kept else "success", links=links)

    def _describe_amendment(self, values, count):
        """Return a sentence about what was changed; percent signs are doubled, as the
        client puts links in."""
        if day := values.get("next_date"):
            text = self.env._(
                "Next reminder on %(day)s: %(count)s.",
                day=format_date(self.env, day),
                count=count,
            )
        elif user_id := values.get("user_id"):
            user = self.env["res.users"].browse(user_id)
            text = self.env._(
                "Handed over to %(user)s: %(count)s.", user=user.name, count=count
            )
        else:
            text = self.env._("Changed reminders: %(count)s.", count=count)
        return text.replace("%", "%%")

    def _get_address(self):
        """Return where the reminder is seen in the web client."""
        self.ensure_one()
        return f"/odoo/reminders/{self.id}"

    # --- several at once --------------------------------------------------------

    def action_amend_date(self):
        """Ask for the day to get back to these customers."""
        return self._open_amend("postpone", self.env._("Postpone"))

    def action_amend_user(self):
        """Ask for the colleague who looks after these reminders from now on."""
        return self._open_amend("hand_over", self.env._("Hand Over"))

    def action_amend_result(self):
        """Ask for what came of these reminders."""
        return self._open_amend("result", self.env._("Set Result"))

    def _open_amend(self, operation, title):
        self.check_access("read")
        wizard = self.env["sales.followup.amend"].create(
            {"operation": operation, "reminder_ids": [Command.set(self.ids)]}
        )
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }
