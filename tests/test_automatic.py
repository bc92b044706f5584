from odoo.tests import tagged

from .common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestAutomatic(AutomaticCommon):
    """Reminders that nobody presses a button for."""

    def test_smoke(self):
        first, second = self._create_levels(0, 7)
        order = self._create_due()
        run = self._run()
        self.assertSent(order, first)
        self.assertLogged(run, order, "done")
        self.assertFalse(self._run())
        self._run_on(7)
        self.assertSent(order, first, second)
