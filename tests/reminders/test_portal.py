from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo.tests import HttpCase, tagged

from ..common_reminders import RemindersCommon

#: a picture of one pixel
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortal(HttpCase, RemindersCommon):
    """What a customer without an account sees and does by the button of the e-mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(require_payment=False, require_signature=True)
        cls.reminder = cls._remind(cls.order, note="Stubborn, pays late")
        cls._remind(cls.order, channel="phone", note="Still stubborn")
        mail = cls.env["mail.mail"].search(
            [("mail_message_id", "=", cls.reminder.message_id.id)]
        )
        [cls.button] = [
            link.get("href")
            for link in html.fromstring(mail.body_html).iter("a")
            if "/mail/view" in link.get("href")
        ]

    def _get_proofs(self):
        """Return what the button says of who presses it."""
        query = parse_qs(urlsplit(self.button).query)
        return {
            "token": query["access_token"][0],
            "pid": int(query["pid"][0]),
            "hash": query["hash"][0],
        }

    def _open(self):
        """Press the button."""
        parts = urlsplit(self.button)
        return self.url_open(f"{parts.path}?{parts.query}")

    def test_button_opens_the_quotation(self):
        page = self._open()
        self.assertEqual(page.status_code, 200)
        self.assertIn(f"/my/orders/{self.order.id}", page.url)
        self.assertIn(self.order.name, page.text)

    def test_page_and_thread_keep_notes_back(self):
        self.assertNotIn("tubborn", self._open().text)
        data = self.make_jsonrpc_request(
            "/mail/chatter_fetch",
            {
                "thread_model": "sale.order",
                "thread_id": self.order.id,
                "fetch_params": {},
                **self._get_proofs(),
            },
        )
        self.assertIn(self.reminder.message_id.id, data["messages"])
        self.assertIn("Dear Azure Interior", str(data))
        self.assertNotIn("tubborn", str(data))

    def test_comment_is_an_answer(self):
        self.make_jsonrpc_request(
            "/mail/message/post",
            {
                "thread_model": "sale.order",
                "thread_id": self.order.id,
                "post_data": {
                    "body": "Is the price still valid?",
                    "message_type": "comment",
                    "subtype_xmlid": "mail.mt_comment",
                },
                **self._get_proofs(),
            },
        )
        answer = self.reminder.answer_id
        self.assertIn("Is the price still valid?", answer.body)
        self.assertEqual(answer.author_id, self.customer)

    def test_signature_is_an_answer(self):
        self.make_jsonrpc_request(
            f"/my/orders/{self.order.id}/accept",
            {
                "access_token": self._get_proofs()["token"],
                "name": "Azure",
                "signature": SIGNATURE,
            },
        )
        self.assertEqual(self.order.state, "sale")
        self.assertIn("Azure", self.reminder.answer_id.body)

    def test_refusal_is_an_answer(self):
        self.url_open(
            f"/my/orders/{self.order.id}/decline",
            data={
                "access_token": self._get_proofs()["token"],
                "decline_message": "Too expensive",
                "csrf_token": self._get_csrf_token(),
            },
        )
        self.assertEqual(self.order.state, "cancel")
        self.assertIn("Too expensive", self.reminder.answer_id.body)

    def _get_csrf_token(self):
        page = html.fromstring(self._open().content)
        return page.xpath("//input[@name='csrf_token']/@value")[0]

    def test_looking_at_it_is_no_answer(self):
        self._open()
        self.assertFalse(self.reminder.answer_id)
