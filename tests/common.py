from lxml import etree

from odoo import Command
from odoo.tools.safe_eval import safe_eval

from odoo.addons.base.tests.common import BaseCommon


class FollowupCommon(BaseCommon):
    """Users of every role, and factories for customers and their documents.

    ``BaseCommon`` keeps the chatter silent; tests about messages override
    :meth:`default_env_context`.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = cls._create_salesperson("alice")
        cls.bob = cls._create_salesperson("bob")
        cls.carol = cls._create_salesperson("carol")
        cls.editor = cls._create_user(
            "editor",
            "base.group_partner_manager",
            "sales_team.group_sale_salesman_all_leads",
            "sales_followup.group_rep_editor",
        )
        cls.clerk = cls._create_user("clerk", "base.group_partner_manager")
        cls.portal = cls._create_user("portal_user", "base.group_portal")

    # --- factories --------------------------------------------------------------

    @classmethod
    def _create_user(cls, login, *groups, **values):
        """Create a user of exactly these groups."""
        group_ids = [cls.env.ref(group).id for group in groups]
        if "base.group_portal" not in groups:
            group_ids.append(cls.env.ref("base.group_user").id)
        return cls.env["res.users"].create(
            {
                "name": login.replace("_", " ").title(),
                "login": f"followup_{login}",
                "email": f"{login}@example.com",
                "group_ids": [Command.set(group_ids)],
                **values,
            }
        )

    @classmethod
    def _create_salesperson(cls, login, **values):
        """Create a salesperson limited to own documents."""
        return cls._create_user(
            login,
            "sales_team.group_sale_salesman",
            "sales_followup.group_user",
            **values,
        )

    @classmethod
    def _create_customer(cls, *reps, **values):
        """Create a company; the first of ``reps`` leads."""
        return cls.env["res.partner"].create(
            {
                "name": "Customer",
                "is_company": True,
                "followup_rep_ids": [Command.set([user.id for user in reps])],
                **values,
            }
        )

    @classmethod
    def _create_contact(cls, company, **values):
        return cls.env["res.partner"].create(
            {"name": "Contact", "parent_id": company.id, **values}
        )

    @classmethod
    def _create_order(cls, customer, state="draft", **values):
        """Create an order of one line in a state, by plain writes: no side effects."""
        product = cls.env["product.product"].search(
            [("name", "=", "Follow-up Product")], limit=1
        ) or cls.env["product.product"].create(
            {"name": "Follow-up Product", "list_price": 100, "type": "service"}
        )
        order = cls.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": 1})
                ],
                **values,
            }
        )
        if state == "sale":
            order.action_confirm()
        elif state != "draft":
            order.state = state
        return order

    @classmethod
    def _get_filter_domain(cls, view, name, user):
        """Return the domain of a filter of a search view, as ``user`` gets it."""
        model = cls.env[cls.env.ref(view).model].with_user(user)
        arch = etree.fromstring(model.get_view(cls.env.ref(view).id, "search")["arch"])
        [domain] = arch.xpath(f"//filter[@name='{name}']/@domain")
        return safe_eval(domain, {"uid": user.id})

    # --- assertions -------------------------------------------------------------

    def assertReps(self, record, *users, lead="first"):
        """Assert who follows a record; on a customer the first of ``users`` leads."""
        record.invalidate_recordset()
        record = record.sudo()
        self.assertEqual(
            set(record.followup_rep_ids.mapped("login")),
            {user.login for user in users},
            f"representatives of {record.display_name}",
        )
        if isinstance(lead, str):
            lead = users[0] if users else self.env["res.users"]
        if lead is not None:
            lead_field = getattr(record, "_followup_lead_field", "user_id")
            self.assertEqual(record[lead_field].login, lead.login)
