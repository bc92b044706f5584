import logging
import threading
import time
from contextlib import contextmanager
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError, ValidationError
from odoo.service.model import retrying
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ...models.changes.sales_followup_change import PARTNER_TARGET
from ...models.sales_followup_document_type import Target
from ...rules.reps import Reps
from ..common_documents import DocumentsCommon

ORDER_TARGET = Target("sale.order", "user_id", "followup_rep_ids")
INVOICE_TARGET = Target("account.move", "invoice_user_id", "followup_rep_ids")
PURCHASE_TARGET = Target("purchase.order", "user_id", None)

WRITER_LOGGER = "odoo.addons.sales_followup.models.changes.sales_followup_rep_writer"


class BulkWritingCommon(DocumentsCommon):
    @classmethod
    def default_env_context(cls):
        # messages and followers are part of what is compared
        return {"no_reset_password": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(cls.alice, cls.bob)
        cls.teams = cls.env["crm.team"].create(
            [
                {"name": f"Team of {user.name}", "member_ids": [Command.set(user.ids)]}
                for user in (cls.alice, cls.carol)
            ]
        )

    @classmethod
    def _create_carols_orders(cls, number, **values):
        product = cls._create_order(cls.customer).order_line.product_id
        line = Command.create({"product_id": product.id})
        return cls.env["sale.order"].create(
            [
                {
                    "partner_id": cls.customer.id,
                    "user_id": cls.carol.id,
                    "followup_rep_ids": [Command.set(cls.carol.ids)],
                    "order_line": [line],
                    **values,
                }
            ]
            * number
        )

    @contextmanager
    def _only_through_orm(self):
        """Have everything written through the ORM."""
        fast = self.registry["sales.followup.rep.writer.sql"]
        with patch.object(fast, "_get_obstacle", lambda self, target: "for a test"):
            yield

    def _get_obstacle(self, target):
        return self.env["sales.followup.rep.writer.sql"]._get_obstacle(target)


@tagged("post_install", "-at_install", "depends_on_apps")
class TestFastWriterIsPlainWriter(BulkWritingCommon):
    """What the fast writer leaves behind is compared with what the ORM does."""

    maxDiff = None

    def _read(self, records):
        """Read all that is stored about records: dict of id → dict of values."""
        names = [
            name
            for name, field in records._fields.items()
            if field.store
            and field.type not in ("binary", "one2many")
            and name != "write_date"
        ]
        return {values.pop("id"): values for values in records.read(names)}

    def _get_lines(self, record):
        """Return the lines of a document."""
        for name in ("order_line", "line_ids"):
            if name in record._fields:
                return record[name]
        return record.browse()

    def _photograph(self, record):
        """Take down everything about a record that a write may change."""
        self.env.flush_all()
        self.env.invalidate_all()
        record = record.sudo()
        lines = self._get_lines(record)
        return {
            "values": self._read(record)[record.id],
            "lines": list(self._read(lines).values()),
            "followers": {
                (follower.partner_id, tuple(follower.subtype_ids.sorted("id").ids))
                for follower in record.message_follower_ids
            },
            "messages": record.message_ids,
        }

    def _develop(self, before, after):
        """Return what changed from one photograph to another."""
        messages = after["messages"] - before["messages"]
        return {
            "values": _differences(before["values"], after["values"]),
            "lines": [
                _differences(*pair)
                for pair in zip(before["lines"], after["lines"], strict=True)
            ],
            "followers": after["followers"] - before["followers"],
            "unfollowers": before["followers"] - after["followers"],
            "messages": [
                {
                    "body": message.body,
                    "author": message.author_id,
                    "from": message.email_from,
                    "type": message.message_type,
                    "subtype": message.subtype_id,
                    "internal": message.is_internal,
                    "notified": message.notified_partner_ids,
                    "writer": message.create_uid,
                    "trackings": {
                        (
                            tracking.field_id.name,
                            tracking.old_value_integer,
                            tracking.old_value_char,
                            tracking.new_value_integer,
                            tracking.new_value_char,
                        )
                        for tracking in message.sudo().tracking_value_ids
                        # an invoice's "user_id" is its "invoice_user_id" again
                        if message.env[message.model]
                        ._fields[tracking.field_id.name]
                        .store
                    },
                }
                for message in messages.sorted("id")
            ],
        }

    def _age(self, *records):
        """Say that records were written long ago: what is written now shows."""
        for record in records:
            for rows in (record, self._get_lines(record)):
                rows.flush_recordset()
                self.cr.execute(
                    f"UPDATE {rows._table} SET write_date = '2020-01-01'"
                    " WHERE id = ANY(%s)",
                    [rows.ids],
                )
                rows.invalidate_recordset(["write_date"])

    def _compare(self, target, twins, after, note):
        """Write one of each pair of twins the plain way and the other the fast way.

        :param twins: list of pairs of records alike
        :param after: what they shall have
        :param note: text for their chatter, or ``None``
        :return: what changed, by pair, the same for both
        """
        self.assertIsNone(self._get_obstacle(target))
        for pair in twins:
            self._age(*pair)
        writers = (
            self.env["sales.followup.rep.writer"].with_user(self.editor).sudo(),
            self.env["sales.followup.rep.writer.sql"].with_user(self.editor).sudo(),
        )
        changes = []
        for writer, records in zip(writers, zip(*twins, strict=True), strict=True):
            photographs = [self._photograph(record) for record in records]
            ids = [record.id for record in records]
            before = writer.env["sales.followup.rep.writer"]._read_locked(target, ids)
            wanted = dict.fromkeys(ids, after)
            if writer._name == "sales.followup.rep.writer":
                failures, _teams = writer._write_through_orm(
                    target, before, wanted, note
                )
                self.assertFalse(failures)
            else:
                wanted = {
                    id_: reps
                    for id_, reps in wanted.items()
                    if not reps.same_people(before[id_])
                }
                writer._write_reps(target, before, wanted, note)
                writer.env.flush_all()  # as whoever writes in batches does
            changes.append(
                [
                    self._develop(photograph, self._photograph(record))
                    for photograph, record in zip(photographs, records, strict=True)
                ]
            )
        for plain, fast in zip(*changes, strict=True):
            self.assertEqual(fast, plain)
        return changes[0]

    def _get_twins(self, create):
        return [create() for _number in range(2)]

    def _create_order_of(self, user, state="draft"):
        return self._create_order(
            self.customer,
            state,
            user_id=user.id,
            followup_rep_ids=[Command.set(user.ids)],
        )

    def _create_invoice_of(self, user, **values):
        return self._create_invoice(
            self.customer,
            invoice_user_id=user.id,
            followup_rep_ids=[Command.set(user.ids)],
            **values,
        )

    def test_orders(self):
        twins = [
            self._get_twins(lambda: self._create_order_of(self.carol)),
            self._get_twins(lambda: self._create_order_of(self.carol, "sale")),
            self._get_twins(lambda: self._create_order_of(self.bob, "cancel")),
            self._get_twins(lambda: self._create_order_of(self.env["res.users"])),
            self._get_twins(lambda: self._create_order_of(self.alice)),
        ]
        after = Reps(self.alice.id, (self.alice.id, self.bob.id))
        changes = self._compare(ORDER_TARGET, twins, after, "A note")
        first = changes[0]
        self.assertEqual(first["values"]["user_id"][1][0], self.alice.id)
        self.assertEqual(first["values"]["team_id"][1][0], self.teams[0].id)
        self.assertEqual(first["values"]["write_uid"][1][0], self.editor.id)
        self.assertEqual(first["lines"][0]["salesman_id"][1][0], self.alice.id)
        self.assertIn(
            self.alice.partner_id, {partner for partner, _ids in first["followers"]}
        )
        [message] = first["messages"]
        self.assertIn("A note", message["body"])
        self.assertEqual(message["author"], self.editor.partner_id)
        self.assertEqual(
            {tracking[0] for tracking in message["trackings"]},
            {"user_id", "followup_rep_ids", "team_id"},
        )

    def test_orders_without_a_note(self):
        twins = [
            self._get_twins(lambda: self._create_order_of(self.carol)),
            self._get_twins(lambda: self._create_order_of(self.carol, "sale")),
        ]
        after = Reps(self.alice.id, (self.alice.id, self.bob.id))
        for change in self._compare(ORDER_TARGET, twins, after, None):
            self.assertFalse(change["messages"])
            self.assertFalse(change["followers"])
            self.assertIn("team_id", change["values"])

    def test_orders_left_to_nobody(self):
        twins = [
            self._get_twins(lambda: self._create_order_of(self.carol)),
            self._get_twins(lambda: self._create_order_of(self.alice, "sale")),
        ]
        self._compare(ORDER_TARGET, twins, Reps(), "A note")

    def test_orders_that_keep_their_seller(self):
        twins = [self._get_twins(lambda: self._create_order_of(self.carol, "sale"))]
        after = Reps(self.carol.id, (self.alice.id, self.bob.id))
        [change] = self._compare(ORDER_TARGET, twins, after, "A note")
        self.assertNotIn("user_id", change["values"])
        self.assertFalse(change["followers"])

    def test_invoices(self):
        twins = [
            self._get_twins(lambda: self._create_invoice_of(self.carol)),
            self._get_twins(lambda: self._create_invoice_of(self.carol, post=True)),
            self._get_twins(
                lambda: self._create_invoice_of(self.bob, move_type="out_refund")
            ),
            self._get_twins(
                lambda: self._create_invoice_of(self.bob, move_type="in_invoice")
            ),
        ]
        after = Reps(self.alice.id, (self.alice.id, self.bob.id))
        changes = self._compare(INVOICE_TARGET, twins, after, "A note")
        for change in changes[:3]:
            self.assertEqual(change["values"]["team_id"][1][0], self.teams[0].id)
        for change in changes:
            self.assertNotIn("is_manually_modified", change["values"])
            self.assertEqual(len(change["messages"]), 1)

    def test_customers(self):
        twins = [
            self._get_twins(lambda: self._create_customer(self.carol)),
            self._get_twins(lambda: self._create_customer(self.bob, self.carol)),
            self._get_twins(lambda: self._create_customer()),
        ]
        after = Reps(self.alice.id, (self.carol.id, self.alice.id))
        for change in self._compare(PARTNER_TARGET, twins, after, "A note"):
            self.assertEqual(len(change["messages"]), 1)

    def test_customers_without_a_note(self):
        twins = [self._get_twins(lambda: self._create_customer(self.carol))]
        after = Reps(self.alice.id, (self.carol.id, self.alice.id))
        [change] = self._compare(PARTNER_TARGET, twins, after, None)
        self.assertFalse(change["messages"])

    def test_purchase_orders(self):
        if "purchase.order" not in self.env:
            self.skipTest("needs purchase")
        twins = [
            list(
                self.env["purchase.order"].create(
                    [{"partner_id": self.customer.id, "user_id": self.carol.id}] * 2
                )
            )
        ]
        self._compare(PURCHASE_TARGET, twins, Reps(self.alice.id), "A note")


@tagged("post_install", "-at_install", "depends_on_apps")
class TestWayOfWriting(BulkWritingCommon):
    """When records go through the ORM, and what happens then."""

    def test_known_models_are_written_fast_and_nothing_is_logged(self):
        order = self._create_carols_orders(1)
        for target in (PARTNER_TARGET, ORDER_TARGET, INVOICE_TARGET):
            self.assertIsNone(self._get_obstacle(target))
        with self.assertNoLogs(WRITER_LOGGER, logging.INFO):
            self._propagate(self.customer, types=("quotation",))
        self.assertReps(order, self.alice, self.bob)

    # the super() is of the method made here
    # pylint: disable-next=missing-return
    def test_override_by_an_unknown_module_runs_and_the_log_names_it(self):
        order = self._create_carols_orders(1)
        model = self.registry["sale.order"]
        written = []

        def write(self, vals):
            written.append((self.ids, set(vals)))
            return super(model, self).write(vals)

        write.__module__ = "odoo.addons.unknown_module.models.sale_order"
        with (
            patch.object(model, "write", write, create=True),
            self.assertLogs(WRITER_LOGGER, logging.INFO) as logs,
        ):
            self._propagate(self.customer, types=("quotation",))
        self.assertIn("odoo.addons.unknown_module", logs.output[0])
        self.assertIn("sale.order.write", logs.output[0])
        self.assertIn((order.ids, {"user_id", "followup_rep_ids"}), written)
        self.assertReps(order, self.alice, self.bob)

    # the super() is of the method made here
    # pylint: disable-next=missing-return
    def test_override_of_the_chatter_by_an_unknown_module_is_respected(self):
        model = self.registry["mail.message"]

        def create(self, vals_list):
            return super(model, self).create(vals_list)

        create.__module__ = "odoo.addons.unknown_module.models.mail_message"
        with patch.object(model, "create", create, create=True):
            for target in (PARTNER_TARGET, ORDER_TARGET, INVOICE_TARGET):
                self.assertIn("unknown_module", self._get_obstacle(target))

    # the super() is of the method made here
    # pylint: disable-next=missing-return
    def test_override_of_another_model_is_no_obstacle(self):
        model = self.registry["sale.order"]

        def write(self, vals):
            return super(model, self).write(vals)

        write.__module__ = "odoo.addons.unknown_module.models.sale_order"
        with patch.object(model, "write", write, create=True):
            self.assertIsNone(self._get_obstacle(INVOICE_TARGET))

    def test_constraint_runs_and_who_refuses_stops_no_other(self):
        orders = self._create_carols_orders(4)
        refusing = orders[1]
        refusal = "This one stays with Carol."

        @api.constrains("user_id")
        def _check_salesperson(self):
            if refusing in self:
                raise ValidationError(refusal)

        model = self.registry["sale.order"]
        checks = [*self.env["sale.order"]._constraint_methods, _check_salesperson]
        with (
            patch.object(model, "_constraint_methods", checks),
            self.assertLogs(WRITER_LOGGER, logging.INFO) as logs,
        ):
            change = self._propagate(self.customer, types=("quotation",))
        self.assertIn("_check_salesperson", logs.output[0])
        for order in orders - refusing:
            self.assertReps(order, self.alice, self.bob)
        self.assertReps(refusing, self.carol)
        self.assertEqual((change.changed_count, change.left_count), (3, 1))
        lines = change.line_ids.filtered(lambda line: line.res_id == refusing.id)
        self.assertEqual(set(lines.mapped("state")), {"left"})
        self.assertEqual(set(lines.mapped("reason")), {"This one stays with Carol."})

    def test_constraint_on_another_field_is_no_obstacle(self):
        @api.constrains("client_order_ref")
        def _check_reference(self):
            pass

        model = self.registry["sale.order"]
        checks = [*self.env["sale.order"]._constraint_methods, _check_reference]
        with patch.object(model, "_constraint_methods", checks):
            self.assertIsNone(self._get_obstacle(ORDER_TARGET))

    def test_refusal_at_undo_keeps_that_record_only(self):
        orders = self._create_carols_orders(3)
        change = self._propagate(self.customer, types=("quotation",))
        refusing = orders[1]
        refusal = "This one stays with Alice."

        @api.constrains("user_id")
        def _check_salesperson(self):
            if refusing in self:
                raise ValidationError(refusal)

        model = self.registry["sale.order"]
        checks = [*self.env["sale.order"]._constraint_methods, _check_salesperson]
        with patch.object(model, "_constraint_methods", checks):
            change.action_undo()
        for order in orders - refusing:
            self.assertReps(order, self.carol)
        self.assertReps(refusing, self.alice, self.bob)
        self.assertEqual((change.undone_count, change.kept_count), (2, 1))

    def test_orm_changes_the_same_as_the_fast_way(self):
        fast, plain = self._create_carols_orders(1), self._create_carols_orders(1)
        wizard = self._preview(self.customer, types=("quotation",))
        wizard.line_ids.filtered(lambda line: line.res_id == plain.id).selected = False
        wizard.action_apply()
        with self._only_through_orm():
            change = self._propagate(self.customer, types=("quotation",))
        self.assertEqual(set(change.line_ids.mapped("res_id")), {plain.id})
        for order in (fast, plain):
            self.assertReps(order, self.alice, self.bob)
            self.assertEqual(order.team_id, self.teams[0])
            self.assertEqual(order.order_line.salesman_id, self.alice)
        with self._only_through_orm():
            change.action_undo()
        self.assertReps(plain, self.carol)

    def test_chatter_stays_silent_where_asked(self):
        for way in (self._only_through_orm(), mute_logger(WRITER_LOGGER)):
            order = self._create_carols_orders(1)
            before = order.message_ids
            with way:
                self._propagate(
                    self.customer, types=("quotation",), log_in_chatter=False
                )
            order.invalidate_recordset()
            self.assertReps(order, self.alice, self.bob)
            self.assertEqual(order.message_ids, before)

    # --- automation rules -------------------------------------------------------

    def _create_rule(self, model, *field_names):
        """Create an automation rule that notes what it saw on the record."""
        if "base.automation" not in self.env:
            self.skipTest("needs base_automation")
        model_id = self.env["ir.model"]._get_id(model)
        watched = [self.env["ir.model.fields"]._get(model, n).id for n in field_names]
        rule = self.env["base.automation"].create(
            {
                "name": "Follow-up rule",
                "model_id": model_id,
                "trigger": "on_create_or_write",
                "trigger_field_ids": [Command.set(watched)],
                "action_server_ids": [
                    Command.create(
                        {
                            "name": "note it",
                            "model_id": model_id,
                            "state": "code",
                            "code": "env['res.partner'].sudo().create([{'name': "
                            "'seen %s' % record.id} for record in records])",
                        }
                    )
                ],
            }
        )
        self.addCleanup(rule.unlink)
        return rule

    def _count_seen(self, record):
        return self.env["res.partner"].search_count(
            [("name", "=", f"seen {record.id}")]
        )

    def test_automation_rule_on_the_salesperson_runs(self):
        self._create_rule("sale.order", "user_id")
        orders = self._create_carols_orders(2)
        seen = [self._count_seen(order) for order in orders]
        with self.assertLogs(WRITER_LOGGER, logging.INFO) as logs:
            self._propagate(self.customer, types=("quotation",))
        self.assertIn("Follow-up rule", logs.output[0])
        for order, before in zip(orders, seen, strict=True):
            self.assertReps(order, self.alice, self.bob)
            self.assertGreater(self._count_seen(order), before)

    def test_automation_rule_on_the_computed_team_runs(self):
        self._create_rule("sale.order", "team_id")
        order = self._create_carols_orders(1)
        before = self._count_seen(order)
        self._propagate(self.customer, types=("quotation",))
        self.assertEqual(order.team_id, self.teams[0])
        self.assertGreater(self._count_seen(order), before)

    def test_automation_rule_on_the_lines_salesperson_runs(self):
        self._create_rule("sale.order.line", "salesman_id")
        order = self._create_carols_orders(1)
        before = self._count_seen(order.order_line)
        self._propagate(self.customer, types=("quotation",))
        self.assertEqual(order.order_line.salesman_id, self.alice)
        self.assertGreater(self._count_seen(order.order_line), before)

    def test_automation_rule_on_another_field_is_no_obstacle(self):
        self._create_rule("sale.order", "client_order_ref")
        self.assertIsNone(self._get_obstacle(ORDER_TARGET))


@tagged("post_install", "-at_install")
class TestBulkCost(BulkWritingCommon):
    """Ten times as many documents cost about the same number of queries."""

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def _measure(self, number):
        """Return the numbers of queries of preview, apply and undo."""
        orders = self._create_carols_orders(number)
        wizard = self._create_propagation(self.customer, types=("quotation",))
        preview = self._count_queries(wizard.action_preview)
        self.assertGreaterEqual(wizard.selected_count, number)
        apply = self._count_queries(wizard.action_apply)
        self.assertReps(orders[-1], self.alice, self.bob)
        undo = self._count_queries(wizard.change_id.action_undo)
        self.assertReps(orders[-1], self.carol)
        return {"preview": preview, "apply": apply, "undo": undo}

    def _watch(self, table):
        """Have the database note each update or deletion of a row of a table."""
        self.env.cr.execute(
            f"""
            CREATE TEMP TABLE IF NOT EXISTS written (name text, id int);
            CREATE OR REPLACE FUNCTION pg_temp.note_writing() RETURNS trigger AS $$
                BEGIN
                    INSERT INTO written VALUES (TG_TABLE_NAME, OLD.id);
                    RETURN NULL;
                END
            $$ LANGUAGE plpgsql;
            CREATE TRIGGER note_writing AFTER UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION pg_temp.note_writing();
            """
        )

    def _get_writings(self, table):
        """Return how often each row was written since, by id."""
        self.env.cr.execute(
            "SELECT id, COUNT(*) FROM written WHERE name = %s GROUP BY id", [table]
        )
        return dict(self.env.cr.fetchall())

    def test_each_row_is_written_once(self):
        orders = self._create_carols_orders(3)
        wizard = self._preview(self.customer, types=("quotation",))
        self.env.flush_all()
        self._watch("sales_followup_change_line")
        self._watch("sale_order")
        wizard.action_apply()
        self.assertReps(orders[0], self.alice, self.bob)
        self.assertEqual(
            self._get_writings("sale_order"),
            dict.fromkeys(wizard.line_ids.mapped("res_id"), 1),
        )
        self.assertEqual(
            {line.field for line in wizard.change_id.line_ids},
            {"user_id", "team_id", "followup_rep_ids"},
        )
        wizard.change_id.action_undo()
        self.assertReps(orders[0], self.carol)
        self.assertEqual(
            set(self._get_writings("sale_order").values()),
            {2},
        )
        self.assertFalse(self._get_writings("sales_followup_change_line"))

    def test_cost_does_not_grow_with_the_number_of_documents(self):
        self._measure(1)  # fills caches of the registry
        few, many = self._measure(20), self._measure(200)
        for step, queries in many.items():
            with self.subTest(step=step):
                self.assertLessEqual(queries, few[step] + 10)


@tagged("post_install", "-at_install")
class TestConcurrency(TransactionCase):
    """Overlapping changes in transactions of their own, on committed records.

    The records are made and removed through cursors of their own, and the test's
    cursor is left unused: what it holds nobody else sees, and would have to wait for.
    """

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            users = env["res.users"].create(
                [
                    {"name": name, "login": f"followup_concurrent_{name}"}
                    for name in ("first", "second", "third")
                ]
            )
            customer = env["res.partner"].create(
                {"name": "Concurrent", "followup_rep_ids": [Command.set(users[0].ids)]}
            )
            order = env["sale.order"].create(
                {
                    "partner_id": customer.id,
                    "user_id": users[1].id,
                    "followup_rep_ids": [Command.set(users[1].ids)],
                }
            )
            wizards = self._create_wizards(env, customer, users)
            self.user_ids, self.customer_id = users.ids, customer.id
            self.order_id, self.wizard_ids = order.id, wizards.ids
        self.addCleanup(self._clean_up)

    def _get_env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})

    def _create_wizards(self, env, customer, users):
        """Preview two changes of the same order: align, and a replacement."""
        quotation = env.ref("sales_followup.document_type_quotation")
        values = {
            "partner_ids": [Command.set(customer.ids)],
            "type_ids": [Command.set(quotation.ids)],
        }
        wizards = env["sales.followup.propagate"].create(
            [
                values,
                {
                    **values,
                    "mode": "replace",
                    "old_user_id": users[1].id,
                    "new_user_id": users[2].id,
                },
            ]
        )
        for wizard in wizards:
            wizard.action_preview()
        return wizards

    def _clean_up(self):
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            wizards = env["sales.followup.propagate"].browse(self.wizard_ids).exists()
            changes = wizards.change_id
            wizards.unlink()
            changes.unlink()
            env["sale.order"].browse(self.order_id).unlink()
            users = env["res.users"].browse(self.user_ids)
            partners = users.partner_id | env["res.partner"].browse(self.customer_id)
            users.unlink()
            partners.unlink()

    def _get_wizard(self, env, index):
        return env["sales.followup.propagate"].browse(self.wizard_ids[index])

    def _wait_until_blocked(self, pid):
        """Wait until the connection with that process id waits for a lock."""
        for _attempt in range(200):
            with self.registry.cursor() as cr:
                cr.execute(
                    "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [pid]
                )
                if cr.fetchone():
                    return
            time.sleep(0.05)
        self.fail("the second change did not wait for the first")

    def test_second_of_two_overlapping_changes_sees_what_the_first_did(self):
        ready, errors, pids = threading.Event(), [], []

        def apply_second():
            threading.current_thread().dbname = self.registry.db_name
            try:
                with self.registry.cursor() as cr:
                    env = self._get_env(cr)
                    cr.execute("SELECT pg_backend_pid()")
                    pids.append(cr.fetchone()[0])
                    ready.set()
                    # what Odoo does with a request
                    retrying(lambda: self._get_wizard(env, 1).action_apply(), env)
            except BaseException as error:  # noqa: BLE001 told to the test below
                errors.append(error)
                ready.set()

        with self.registry.cursor() as cr, mute_logger("odoo.sql_db"):
            self._get_wizard(self._get_env(cr), 0).action_apply()
            thread = threading.Thread(target=apply_second)
            with patch("odoo.service.model.time.sleep"):
                thread.start()
                ready.wait(10)
                self._wait_until_blocked(pids[0])
                # two real transactions are what this is about
                # pylint: disable-next=invalid-commit
                cr.commit()
                thread.join(30)
        self.assertFalse(thread.is_alive())
        self.assertEqual(errors, [])
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            order = env["sale.order"].browse(self.order_id)
            self.assertEqual(order.user_id.id, self.user_ids[0])
            self.assertEqual(order.followup_rep_ids.ids, self.user_ids[:1])
            first, second = (self._get_wizard(env, n).change_id for n in range(2))
            self.assertEqual((first.changed_count, first.left_count), (1, 0))
            self.assertEqual((second.changed_count, second.left_count), (0, 1))
            self.assertEqual(set(second.line_ids.mapped("state")), {"left"})

    def test_transaction_that_began_before_a_change_fails_instead_of_mixing(self):
        with self.registry.cursor() as old, self.registry.cursor() as new:
            old.execute("SELECT 1")
            self._get_wizard(self._get_env(new), 0).action_apply()
            new.commit()
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.SerializationFailure),
            ):
                self._get_wizard(self._get_env(old), 1).action_apply()
            old.rollback()

    def test_same_preview_applied_twice_at_once_is_refused(self):
        with self.registry.cursor() as one, self.registry.cursor() as other:
            self._get_wizard(self._get_env(one), 0).action_apply()
            with self.assertRaisesRegex(UserError, "being applied"):
                self._get_wizard(self._get_env(other), 0).action_apply()
            other.rollback()
            one.commit()

    def test_same_change_undone_twice_at_once_is_refused(self):
        with self.registry.cursor() as cr:
            self._get_wizard(self._get_env(cr), 0).action_apply()
        with self.registry.cursor() as one, self.registry.cursor() as other:
            self._get_wizard(self._get_env(one), 0).change_id.action_undo()
            with self.assertRaisesRegex(UserError, "undoing"):
                self._get_wizard(self._get_env(other), 0).change_id.action_undo()
            other.rollback()
            one.commit()
        with self.registry.cursor() as cr:
            order = self._get_env(cr)["sale.order"].browse(self.order_id)
            self.assertEqual(order.followup_rep_ids.ids, self.user_ids[1:2])


def _differences(before, after):
    """Return the values that differ: name → (before, after)."""
    return {
        name: (before[name], after[name])
        for name in before
        if before[name] != after[name]
    }
