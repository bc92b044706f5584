from contextlib import contextmanager

from odoo.exceptions import UserError

from .common_reminders import RemindersCommon


class BulkCommon(RemindersCommon):
    """Runs as a salesperson makes them, over two levels for quotations.

    A salesperson sees own documents, and those nobody sells: what else is in the
    database stays out of their runs.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user(
            "manager",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_manager",
        )
        cls.series = cls._create_series()
        cls.first = cls._create_template(series=cls.series, name="First")
        cls.last = cls._create_template(series=cls.series, name="Last", next_days=7)
        cls.company = cls.env.company
        cls.env["account.move"].search(
            [("move_type", "=", "out_invoice"), ("invoice_user_id", "=", False)]
        ).invoice_user_id = cls.bob
        cls.env["sale.order"].search([("user_id", "=", False)]).user_id = cls.bob

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_customers(cls, number, **values):
        """Create customers of Alice whom e-mail and letter reach."""
        return cls.env["res.partner"].concat(
            *(
                cls._create_customer(
                    cls.alice,
                    **{
                        "name": f"Customer {index:03d}",
                        "email": f"customer{index}@customer.example.com",
                        "street": "1 Main St",
                        "zip": "94538",
                        "city": "Fremont",
                        **values,
                    },
                )
                for index in range(number)
            )
        )

    @classmethod
    def _create_quotations(cls, number, **values):
        """Create sent quotations, each for a customer of its own."""
        return cls.env["sale.order"].concat(
            *(
                cls._create_quotation(customer)
                for customer in cls._create_customers(number, **values)
            )
        )

    # --- runs -------------------------------------------------------------------

    @classmethod
    def _create_run(cls, user=None, **values):
        """Create a run as a user, Alice if nobody is named."""
        user = user or cls.alice
        return (
            cls.env["sales.followup.run"]
            .with_user(user)
            .with_context(allowed_company_ids=(user.company_id | user.company_ids).ids)
            .create(values)
        )

    @classmethod
    def _propose(cls, user=None, **values):
        """Create a run, and let it propose."""
        run = cls._create_run(user, **values)
        run.action_propose()
        return run

    def _propose_of(self, documents, **values):
        """Propose what Alice can chase; only these documents are sent."""
        run = self._propose(**values)
        link = run.line_ids._get_document_field(documents._name)
        (run.line_ids - self._get_lines(run, documents, link)).action_none()
        return run

    @staticmethod
    def _get_lines(run, documents, link=None):
        """Return the lines of documents in a run."""
        link = link or run.line_ids._get_document_field(documents._name)
        return run.line_ids.filtered(lambda line: line[link] in documents)

    def _process_in_background(self):
        """Let the scheduled action do what it is for."""
        cron = self.env.ref("sales_followup.ir_cron_process_runs")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    @classmethod
    def _reminders(cls, *documents):
        """Return the reminders of documents, whoever made them."""
        reminders = cls.env["sales.followup.reminder"]
        return reminders.union(*(doc.sudo().followup_reminder_ids for doc in documents))

    @classmethod
    def _set_company(cls, **values):
        cls.env.company.write(values)

    @classmethod
    def _blacklist(cls, *customers):
        for customer in customers:
            cls.env["mail.blacklist"]._add(customer.email)

    def _answer(self, document, **values):
        """Let the customer write in the thread of a document."""
        return document.sudo().message_post(
            body="Let us talk.",
            author_id=document.partner_id.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            **values,
        )

    # --- assertions -------------------------------------------------------------

    def assertProposed(self, run, *documents):
        """Assert that a run lists exactly these documents."""
        self.assertEqual(
            {
                (line._get_document()._name, line._get_document().id)
                for line in run.line_ids
            },
            {(document._name, document.id) for document in documents},
        )

    @contextmanager
    def assertRefused(self, *words, error=UserError):
        """Assert that something is refused, and what the refusal says."""
        with self.assertRaises(error) as caught:
            yield
        for word in words:
            self.assertIn(word, str(caught.exception))

    def assertLine(self, line, state, *words):
        """Assert what became of a line, and what its reason says."""
        self.assertEqual(line.state, state, line.reason)
        for word in words:
            self.assertIn(word, line.reason)
        if not words and state == "done":
            self.assertFalse(line.reason)
