from datetime import timedelta

from freezegun import freeze_time

from odoo import fields

from .common_reminders import RemindersCommon


class AutomaticCommon(RemindersCommon):
    """Templates that go out by themselves, and the scheduled action that sends them.

    The shipped series step aside: documents follow those of the test only. Time stands
    still at noon (UTC) of the first day, until :meth:`_on` moves it.
    """

    #: a Tuesday
    FIRST_DAY = fields.Date.to_date("2026-03-10")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sales.followup.series"].search([]).active = False
        cls.env.company.write(
            {
                "followup_automatic": True,
                "followup_min_days": 0,
                "followup_business_days": False,
            }
        )
        cls.env.company.resource_calendar_id.tz = "UTC"
        # whatever demo data and others have there is not ours to chase
        cls.automatic = cls.env["sales.followup.run"]

    def setUp(self):
        super().setUp()
        self._stand_still(0)

    # --- time -------------------------------------------------------------------

    def _stand_still(self, day, at="12:00:00"):
        """Let time stand still on a day, counted from the first one."""
        clock = freeze_time(f"{self._day(day)} {at}")
        clock.start()
        self.addCleanup(clock.stop)

    @classmethod
    def _day(cls, number):
        """Return a day, counted from the first one."""
        return cls.FIRST_DAY + timedelta(days=number)

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_level(cls, offset=0, trigger="due_date", **values):
        """Create an automatic template that is switched on since long ago."""
        return cls._create_template(
            **{
                "automatic": True,
                "trigger": trigger,
                "offset_days": offset,
                "active_from": "2020-01-01",
                **values,
            }
        )

    @classmethod
    def _create_levels(cls, *offsets, code="quotation", **values):
        """Create a series of automatic templates, counted from the due date."""
        series = cls._create_series(code)
        levels = cls.env["sales.followup.template"]
        for offset in offsets:
            levels |= cls._create_level(offset, code=code, series=series, **values)
        return levels

    @classmethod
    def _create_due(cls, day=0, customer=None, **values):
        """Create a quotation that was sent, and is valid until a day."""
        return cls._create_quotation(
            customer, **{"validity_date": cls._day(day), **values}
        )

    # --- running ----------------------------------------------------------------

    @classmethod
    def _run(cls, companies=None):
        """Do what the scheduled action does, without committing.

        :return: the runs that were made, each the log of one company
        """
        runs = cls.env["sales.followup.run"]
        known = runs.search([])
        domain = [("followup_automatic", "=", True)]
        for company in companies or cls.env["res.company"].search(domain):
            for _step in cls.automatic._in_company(company)._send_due():
                cls.env.flush_all()
        cls.env.invalidate_all()
        return runs.search([]) - known

    def _run_on(self, day, **values):
        """Do what the scheduled action does on a day."""
        with freeze_time(f"{self._day(day)} {values.pop('at', '12:00:00')}"):
            return self._run(**values)

    @classmethod
    def _find_candidates(cls, template):
        """Return the documents that may be due for a template."""
        automatic = cls.automatic._in_company(cls.env.company)
        found = cls.env[template.document_type_id.model]
        for documents, _position in automatic._walk_candidates(template):
            found |= documents
        return found

    # --- what was sent ----------------------------------------------------------

    @classmethod
    def _sent(cls, *documents):
        """Return the reminders of documents that went out by themselves, in order."""
        return cls.env["sales.followup.reminder"].concat(
            *(
                document.followup_reminder_ids.filtered(
                    lambda reminder: (
                        reminder.origin == "auto" and reminder.state != "failed"
                    )
                ).sorted("id")
                for document in documents
            )
        )

    def assertSent(self, document, *templates):
        """Assert which levels went out by themselves, in order."""
        self.assertEqual(
            [reminder.template_id for reminder in self._sent(document)],
            list(templates),
        )

    def assertLogged(self, run, document, state, *words):
        """Assert what the log of a run says about a document."""
        link = run.line_ids._get_document_field(document._name)
        line = run.line_ids.filtered(lambda line: line[link] == document)
        self.assertEqual(line.state, state)
        for word in words:
            self.assertIn(word, line.reason)

    def assertNotSent(self, document, *words):
        """Assert that nothing goes out today, and what the log says why."""
        run = self._run()
        self.assertFalse(self._sent(document))
        self.assertLogged(run, document, "skipped", *words)

    def assertRefused(self, document, template, *words):
        """Assert what the verdict says today against a template."""
        judge = self.env["sales.followup.judge"]
        verdict = judge._judge(document, templates={document: template})[document][1]
        self.assertFalse(verdict.send)
        currency = document.company_id.currency_id
        text = " ".join(judge._explain(one, currency) for one in verdict.reasons)
        for word in words:
            self.assertIn(word, text)

    # --- what customers do ------------------------------------------------------

    @classmethod
    def _answer(cls, document, **values):
        """Let the customer write in the thread of a document."""
        return document.message_post(
            **{
                "body": "Let us talk about it.",
                "author_id": document.partner_id.id,
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                **values,
            },
        )
