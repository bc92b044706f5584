from odoo.tests import HttpCase, no_retry, tagged

from .common import FollowupCommon

SUITE = "@sales_followup"


def get_suite_id(name):
    """Return how the test runner calls a suite.

    :param name: path of the suite
    :return: its hash, as ``web/tests/test_js.py`` reckons it
    """
    number = 0
    for character in name:
        number = ((number << 5) - number + ord(character)) & 0xFFFFFFFF
    return f"{number:08x}"


@tagged("post_install", "-at_install")
class TestJavaScript(FollowupCommon, HttpCase):
    """What runs in the browser, and what it is told beforehand."""

    @no_retry
    def test_components(self):
        """Run the unit tests of ``static/tests``, and nobody else's."""
        self.browser_js(
            "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
            f"&id={get_suite_id(SUITE)}",
            "",
            "",
            login="admin",
            timeout=180,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" not in message,
        )

    def test_the_session_tells_who_has_reminders(self):
        """The others' pages then need not ask whether there are any."""
        for user, expected in ((self.alice, True), (self.clerk, False)):
            user.password = user.login
            self.authenticate(user.login, user.login)
            session = self.make_jsonrpc_request("/web/session/get_session_info")
            self.assertIs(session["groups"]["sales_followup.group_user"], expected)
