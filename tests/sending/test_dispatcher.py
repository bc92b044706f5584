from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged

from ...models.sending.sales_followup_dispatcher import Request
from ...rules.verdict import Mode
from ..common_reminders import RemindersCommon


@tagged("post_install", "-at_install")
class TestConflicts(RemindersCommon):
    """What several want to send at a time; script/tests/test_faults.py has them do it
    as processes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quotation = cls._create_quotation()
        cls.template = cls._get_template(cls.quotation)

    def _dispatch(self):
        order = Request(self.quotation, self.template, "email", {"origin": "run"})
        outcomes = self.env["sales.followup.dispatcher"]._dispatch([order], Mode.BULK)
        return outcomes[self.quotation]

    def _fail(self, *args):
        try:
            raise SerializationFailure("could not serialize access")
        except SerializationFailure as conflict:
            # pylint: disable-next=translation-required
            raise UserError("Failed to render") from conflict

    def test_conflict_behind_another_error_is_no_failure(self):
        emailer = self.env.registry["sales.followup.emailer"]
        with (
            patch.object(emailer, "_enqueue", self._fail),
            self.assertRaises(SerializationFailure),
        ):
            self._dispatch()
        self.assertFalse(self.quotation.followup_reminder_ids)

    def test_dialog_refuses_what_was_sent_since_it_was_opened(self):
        dialog = self._open_remind(self.quotation)
        self.assertEqual(self._dispatch().state, "sent")
        with self.assertRaisesRegex(UserError, "sent on .* already"):
            dialog.action_apply()
        self.assertEqual(len(self.quotation.followup_reminder_ids), 1)

    def test_dialog_opened_again_sends_what_was_sent(self):
        self._dispatch()
        reminder = self._remind(self.quotation)
        self.assertEqual(reminder.template_id, self.template)
        self.assertEqual(len(self.quotation.followup_reminder_ids), 2)

    def test_dialog_refuses_when_the_customer_answers_meanwhile(self):
        dialog = self._open_remind(self.quotation)
        self.quotation.message_post(
            body="Give me a week.",
            message_type="email",
            author_id=self.customer.id,
            subtype_xmlid="mail.mt_comment",
        )
        with self.assertRaisesRegex(UserError, "answered"):
            dialog.action_apply()
        self.assertFalse(self.quotation.followup_reminder_ids)
