from odoo.tests import HttpCase, no_retry, tagged

SUITE = "@sales_followup"


def get_suite_id(name):
    """Give how the test runner calls a suite.

    :param name: path of the suite
    :return: its hash, as ``web/tests/test_js.py`` reckons it
    """
    number = 0
    for character in name:
        number = ((number << 5) - number + ord(character)) & 0xFFFFFFFF
    return f"{number:08x}"


@tagged("post_install", "-at_install")
class TestJavaScript(HttpCase):
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
