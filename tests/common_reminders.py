from .common_documents import DocumentsCommon

#: which shipped document type a document of a model is, if nobody says otherwise
TYPE_CODES = {"sale.order": "quotation", "account.move": "customer_invoice"}


class RemindersCommon(DocumentsCommon):
    """Series, templates and reminders, made as a salesperson makes them.

    Messages are on: what reminders leave in chatter and mailbox is their point. The
    templates attach no PDF unless a test asks for it, as printing takes a browser.
    """

    @classmethod
    def default_env_context(cls):
        return {"no_reset_password": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(
            cls.alice,
            name="Azure Interior",
            email="azure@customer.example.com",
            street="4557 De Silva St",
            zip="94538",
            city="Fremont",
            country_id=cls.env.ref("base.us").id,
        )

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_series(cls, code="quotation", **values):
        """Create a series for a shipped document type, before all others."""
        return cls.env["sales.followup.series"].create(
            {
                "name": f"Series of {code}",
                "sequence": -1,
                "document_type_id": cls._type(code).id,
                **values,
            }
        )

    @classmethod
    def _create_template(cls, code="quotation", series=None, **values):
        """Create a level of a series, with texts for e-mail and letter."""
        series = series or cls._create_series(code)
        return cls.env["sales.followup.template"].create(
            {
                "name": f"Level {len(series.template_ids) + 1}",
                "sequence": 10 * (len(series.template_ids) + 1),
                "series_id": series.id,
                "subject": "Reminder of {{ object.name }}",
                "email_body": '<p>Dear <t t-out="object.partner_id.name"/>,</p>'
                '<p>what about <t t-out="object.name"/>?</p>',
                "letter_body": '<p>Dear <t t-out="object.partner_id.name"/>,</p>'
                '<p>we wrote <t t-out="object.name"/> for you.</p>',
                "attach_document": False,
                **values,
            }
        )

    @classmethod
    def _create_quotation(cls, customer=None, **values):
        """Create a quotation that was sent, and whose answer is awaited."""
        return cls._create_order(customer or cls.customer, state="sent", **values)

    @classmethod
    def _get_template(cls, document):
        """Return a template that fits a document, the same for all of its model."""
        code = TYPE_CODES[document._name]
        if document._name == "sale.order" and document.state == "sale":
            code = "sale_order"
        name = f"Follow-up {code}"
        return cls.env["sales.followup.template"].search(
            [("name", "=", name), ("document_type_id", "=", cls._type(code).id)],
            limit=1,
        ) or cls._create_template(code, name=name)

    # --- reminding --------------------------------------------------------------

    @classmethod
    def _open_remind(cls, document, user=None, channel="email", **values):
        """Open the dialog on a document as a salesperson, Alice if nobody is named."""
        link = cls.env["sales.followup.reminder"]._get_document_field(document._name)
        if channel in ("email", "letter"):
            values.setdefault("template_id", cls._get_template(document).id)
        user = user or cls.alice
        return (
            cls.env["sales.followup.remind"]
            .with_user(user)
            .with_context(allowed_company_ids=(user.company_id | user.company_ids).ids)
            .create({link: document.id, "channel": channel, **values})
        )

    @classmethod
    def _remind(cls, document, user=None, channel="email", **values):
        """Remind of a document by the dialog, as a salesperson.

        :param user: who reminds; Alice if nobody is named
        :param values: more of the dialog: ``template_id``, ``note``, ``next_date``, …
        :return: the reminder that was made
        """
        before = document.sudo().followup_reminder_ids
        cls._open_remind(document, user, channel, **values).action_apply()
        return document.sudo().followup_reminder_ids - before
