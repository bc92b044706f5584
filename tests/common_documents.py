from odoo import Command, fields

from .common import FollowupCommon


class DocumentsCommon(FollowupCommon):
    """Invoices and propagations, with journals and accounts of their own: the tests
    need no chart of accounts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accounting = {}
        cls._create_accounting(cls.env.company)

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_accounting(cls, company):
        """Return a company what it takes to post an invoice."""
        country = cls.env.ref("base.us")
        if not company.account_fiscal_country_id:
            company.account_fiscal_country_id = country

        def account(code, kind):
            return cls.env["account.account"].create(
                {
                    "name": f"Follow-up {kind}",
                    "code": f"{code}{company.id}",
                    "account_type": kind,
                    "reconcile": kind in ("asset_receivable", "liability_payable"),
                    "company_ids": [Command.set(company.ids)],
                }
            )

        accounts = {
            "receivable": account("FUR", "asset_receivable"),
            "payable": account("FUP", "liability_payable"),
            "sale": account("FUI", "income"),
            "purchase": account("FUE", "expense"),
        }
        journals = {
            kind: cls.env["account.journal"].create(
                {
                    "name": f"Follow-up {kind} {company.name}",
                    "code": f"FU{kind[0].upper()}",
                    "type": kind,
                    "company_id": company.id,
                    "default_account_id": accounts[kind].id,
                }
            )
            for kind in ("sale", "purchase")
        }
        cls.accounting[company] = (accounts, journals)

    @classmethod
    def _create_invoice(cls, customer, move_type="out_invoice", post=False, **values):
        """Create an invoice of 100.00 without taxes, drafted or posted."""
        company = cls.env["res.company"].browse(
            values.pop("company_id", cls.env.company.id)
        )
        kind = "sale" if move_type.startswith("out_") else "purchase"
        accounts, journals = cls.accounting[company]
        customer.with_company(company).write(
            {
                "property_account_receivable_id": accounts["receivable"].id,
                "property_account_payable_id": accounts["payable"].id,
            }
        )
        line = {
            "name": "Work",
            "quantity": 1,
            "price_unit": values.pop("price_unit", 100),
            "account_id": accounts[kind].id,
            "tax_ids": [Command.clear()],
        }
        if post:
            values.setdefault("invoice_date", fields.Date.today())
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": move_type,
                    "partner_id": customer.id,
                    "journal_id": journals[kind].id,
                    "invoice_line_ids": [Command.create(line)],
                    **values,
                }
            )
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def _set_created(cls, record, moment):
        """Say when a record was created; no ``write`` can."""
        record.flush_recordset()
        cls.env.cr.execute(
            f"UPDATE {record._table} SET create_date = %s WHERE id = ANY(%s)",
            [moment, record.ids],
        )
        record.invalidate_recordset(["create_date"])

    @classmethod
    def _type(cls, code):
        """Return the shipped document type of that code."""
        return cls.env.ref(f"sales_followup.document_type_{code}")

    @classmethod
    def _types(cls, *codes):
        types = cls.env["sales.followup.document.type"]
        return types.union(*(cls._type(code) for code in codes))

    # --- propagation ------------------------------------------------------------

    @classmethod
    def _create_propagation(cls, customers, user=None, types=(), **values):
        """Create the wizard as an Editor would, with the shipped types ticked or the
        given codes."""
        if types:
            values["type_ids"] = [Command.set(cls._types(*types).ids)]
        user = user or cls.editor
        companies = user.company_id | user.company_ids
        return (
            cls.env["sales.followup.propagate"]
            .with_user(user)
            .with_context(allowed_company_ids=companies.ids)
            .create({"partner_ids": [Command.set(customers.ids)], **values})
        )

    @classmethod
    def _preview(cls, customers, **values):
        wizard = cls._create_propagation(customers, **values)
        wizard.action_preview()
        return wizard

    @classmethod
    def _propagate(cls, customers, **values):
        """Preview and apply: the change made."""
        wizard = cls._preview(customers, **values)
        wizard.action_apply()
        return wizard.change_id

    # --- assertions -------------------------------------------------------------

    def _previewed(self, wizard, status="change"):
        """Return the documents of a preview as a set of (model, id)."""
        lines = wizard.line_ids.filtered(lambda line: line.status == status)
        return {(line.model, line.res_id) for line in lines}

    def assertPreviewed(self, wizard, *documents, status="change"):
        """Assert that exactly these documents are in a preview."""
        self.assertEqual(
            self._previewed(wizard, status),
            {(document._name, document.id) for document in documents},
        )

    def assertSkipped(self, wizard, document, reason):
        """Assert that a preview skips a document, and why."""
        line = wizard.line_ids.filtered(
            lambda line: (line.model, line.res_id) == (document._name, document.id)
        )
        self.assertEqual((line.status, line.reason), ("skip", reason))
