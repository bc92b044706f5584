import json

from odoo.tests import tagged

from ..common_automatic import AutomaticCommon


@tagged("post_install", "-at_install")
class TestCandidatesOrder(AutomaticCommon):
    """How what is due is found: the oldest first, page by page, by the latest level."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second, cls.third = cls._create_levels(0, 10, 20)

    def _walk(self, template, size, position=None):
        """Return the pages of what may be due, each with the position after it."""
        return list(
            self.automatic._walk_candidates(template, position=position, size=size)
        )

    def _log(self, document, template=None, **values):
        """Log a reminder as if a level was made by phone."""
        return self.env["sales.followup.reminder"].create(
            {
                "order_id": document.id,
                "template_id": template and template.id,
                **values,
            }
        )

    # --- order and pages --------------------------------------------------------

    def test_oldest_due_date_comes_first(self):
        """Whichever was created first."""
        late, soon, never = (self._create_due(day) for day in (-1, -5, 30))
        again = self._create_due(-1)
        [[found, _position]] = self._walk(self.first, 100)
        mine = late | soon | never | again
        found = found.filtered(lambda document: document in mine)
        self.assertEqual(found.ids, [soon.id, late.id, again.id])

    def test_pages_tell_each_document_once(self):
        documents = self._create_due(-3)
        for day in (-3, -3, -1, -2, 0):
            documents |= self._create_due(day)
        pages = self._walk(self.first, 2)
        found = [document.id for page, _position in pages for document in page]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(set(documents.ids), set(found))
        self.assertLessEqual(max(len(page) for page, _position in pages), 2)

    def test_position_is_kept_as_json(self):
        """Who was interrupted goes on where they were."""
        for day in (-4, -2, -3):
            self._create_due(day)
        once = self._create_due(-1)
        self._log(once, self.first)
        for template in (self.first, self.second):
            pages = self._walk(template, 1)
            for number, (_page, position) in enumerate(pages):
                kept = json.loads(json.dumps(position))
                left = [page for page, _position in self._walk(template, 1, kept)]
                self.assertEqual(
                    left, [page for page, _position in pages[number + 1 :]]
                )

    # --- the latest level -------------------------------------------------------

    def test_level_of_document_follows_its_reminders(self):
        document = self._create_due()
        self.assertFalse(document.followup_template_id)
        self._log(document, self.first, date="2026-03-10 08:00:00")
        self.assertEqual(document.followup_template_id, self.first)
        second = self._log(document, self.second, date="2026-03-11 08:00:00")
        self.assertEqual(document.followup_template_id, self.second)
        # a call without template is no level
        self._log(document, date="2026-03-12 08:00:00")
        self.assertEqual(document.followup_template_id, self.second)
        second._cancel("A mistake")
        self.assertEqual(document.followup_template_id, self.first)

    def test_level_of_document_ends_with_its_cycle(self):
        document = self._create_due()
        self._log(document, self.first)
        document.action_cancel()
        document.action_draft()
        document.action_quotation_sent()
        self.assertFalse(document.followup_template_id)
        self._log(document, self.second)
        self.assertEqual(document.followup_template_id, self.second)

    def test_passed_levels_are_not_looked_at(self):
        """However many documents got them, they cost nothing."""
        document = self._create_due(-30)
        self._log(document, self.second)
        for template, may_be_due in [
            (self.first, False),
            (self.second, False),
            (self.third, True),
        ]:
            with self.subTest(template.offset_days):
                found = self._find_candidates(template)
                self.assertEqual(document in found, may_be_due)

    def test_level_of_another_series_is_not_looked_at(self):
        other = self._create_levels(0)
        document = self._create_due(-30)
        self._log(document, other)
        self.assertNotIn(document, self._find_candidates(self.first))
        # a series that is switched off is none
        other.series_id.active = False
        self.assertIn(document, self._find_candidates(self.first))
