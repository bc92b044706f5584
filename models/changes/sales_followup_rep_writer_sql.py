from collections import defaultdict

from odoo import models
from odoo.tools import SQL

#: What a plain write of these fields would go through, and the SQL does not.
SKIPPED_METHODS = {
    None: (
        "write",
        "_write",
        "_write_multi",
        "_compute_team_id",
        "_mail_track",
        "_message_auto_subscribe",
        "_message_auto_subscribe_followers",
        "_message_create",
        "_message_log",
        "_message_log_batch",
        "_message_track",
        "_message_track_post_template",
        "_track_finalize",
        "_track_subtype",
        "_track_template",
    ),
    "mail.message": ("create",),
    "mail.followers": ("create",),
    "mail.tracking.value": ("create",),
}

#: What changes along with the Salesperson: models whose records do, and fields.
FOLLOWING_MODELS = {"sale.order": ("sale.order.line",)}
FOLLOWING_FIELDS = ("team_id", "salesman_id")

#: Modules whose overrides of the mail models are known; ours looks at what customers
#: write only.
KNOWN_MAIL_MODULES = frozenset(
    {"account", "base", "mail", "sms", "rating", "sales_followup"}
)


class SalesFollowupFastWriter(models.AbstractModel):
    """Writes representatives with set-based SQL.

    It does what ``write`` does for these fields: values, access log, recomputed fields
    (the sales team and the lines' salesperson in sets, anything else through the ORM),
    and the chatter through :class:`SalesFollowupBulkChatter`. It skips the Python
    overrides of :data:`SKIPPED_METHODS`; :meth:`_get_obstacle` says when one of them
    is not known to be harmless, and the caller then takes the plain way.
    """

    _name = "sales.followup.rep.writer.sql"
    _description = "Fast Writer of Representatives"

    # --- when it may be used ----------------------------------------------------

    def _get_known_modules(self, model_name):
        """Return the modules whose overrides of :data:`SKIPPED_METHODS` have been read:
        none of them does anything when only Salesperson and representatives change.

        An addon that overrides one of these methods in the same spirit adds its name.

        :param model_name: technical name of the records' model
        :return: set of module names; empty for a model that nobody looked at
        """
        return {
            "res.partner": set(
                "account base base_geolocalize base_vat l10n_dk_nemhandel l10n_in mail "
                "mail_plugin partnership portal sales_followup snailmail "
                "website_partner website_sale".split()
            ),
            "sale.order": set(
                "account base event_sale l10n_fi_sale mail portal sale sale_management "
                "sale_project sale_stock sales_followup".split()
            ),
            "account.move": set(
                "account base l10n_sa mail portal purchase sale sales_followup".split()
            ),
            "purchase.order": set(
                "account base mail portal purchase purchase_requisition purchase_stock "
                "sales_followup".split()
            ),
        }.get(model_name, set())

    def _get_obstacle(self, target):
        """Return why records must be written through the ORM, for the log, or ``None``.

        :param target: a :class:`~..sales_followup_document_type.Target`
        """
        if not self._get_known_modules(target.model):
            return "this model's own logic is not known"
        return (
            self._get_unknown_override(target)
            or self._get_constraint(target)
            or self._get_automation(target)
        )

    def _get_unknown_override(self, target):
        """Name a method that some unknown module overrides, or ``None``."""
        modules = self._get_known_modules(target.model)
        for model_name, methods in SKIPPED_METHODS.items():
            known = KNOWN_MAIL_MODULES if model_name else modules
            model_class = self.env.registry[model_name or target.model]
            for method in methods:
                for definer in model_class.mro():
                    if method not in vars(definer):
                        continue
                    module = vars(definer)[method].__module__
                    if module.startswith("odoo.addons.base_automation."):
                        continue  # a patch; _get_automation looks closer
                    addon = module.removeprefix("odoo.addons.").split(".")[0]
                    if addon not in known and not module.startswith("odoo.orm."):
                        return f"{module} overrides {model_class._name}.{method}"
        return None

    def _get_constraint(self, target):
        """Name a Python constraint or inverse on the written fields, or ``None``."""
        model = self.env[target.model]
        for check in model._constraint_methods:
            names = check._constrains
            if not callable(names) and set(names) & set(target.fields):
                return f"constraint {check.__name__}"
        for name in target.fields:
            if model._fields[name].inverse:
                return f"inverse of {name}"
        return None

    def _get_automation(self, target):
        """Name an automation rule that watches the written fields, or ``None``."""
        if "base.automation" not in self.env:
            return None
        models = [target.model, *FOLLOWING_MODELS.get(target.model, ())]
        # sudo: rules are read by administrators only, but run for everybody
        rules = (
            self.env["base.automation"]
            .sudo()
            .search(
                [
                    ("model_id.model", "in", models),
                    ("trigger", "not in", ("on_webhook", "on_unlink", "on_change")),
                    ("trigger", "not =like", "on_time%"),
                    ("trigger", "not =like", "on_message%"),
                ]
            )
        )
        for rule in rules:
            watched = set(rule.trigger_field_ids.mapped("name"))
            if not watched or watched & {*target.fields, *FOLLOWING_FIELDS}:
                return f"automation rule “{rule.name}”"
        return None

    # --- how it writes ----------------------------------------------------------

    def _write_reps(self, target, before, after, note=None, teams=None):
        """Write who follows records; see ``sales.followup.rep.writer._write_reps``.

        :return: dict of id → (old, new) sales team id, where it moved
        """
        leads = {
            id_: reps.lead
            for id_, reps in after.items()
            if target.lead_field and reps.lead != before[id_].lead
        }
        members = {
            id_: reps.members
            for id_, reps in after.items()
            if target.reps_field and set(reps.members) != set(before[id_].members)
        }
        moved = self._compute_teams(target, leads, teams or {})
        self._write_rows(target, before, after, moved)
        if leads:
            self._recompute(target, leads, moved)
        if members:
            self._write_members(target, members)
        records = self.env[target.model].sudo().browse(after)
        records.invalidate_recordset([*target.fields, "write_uid", "write_date"])
        if note:
            changes = defaultdict(list)
            for id_ in members:
                values = (before[id_].members, after[id_].members)
                changes[id_].append((target.reps_field, *values))
            for id_, lead in leads.items():
                changes[id_].append((target.lead_field, before[id_].lead, lead))
            for id_, move in moved.items():
                changes[id_].append((self._get_team_field(target), *move))
            chatter = self.env["sales.followup.bulk.chatter"]
            chatter._log_changes(target.model, changes, note)
            if target.lead_field == "user_id":
                # Odoo makes the Salesperson follow where the field bears this name
                chatter._subscribe(target.model, leads)
        return moved

    def _write_rows(self, target, before, after, moved):
        """Write each record's own row, once: Salesperson, sales team, access log.

        The access log is written where only the relation table changes, too: that is
        what makes a concurrent change collide instead of mix.
        """
        model = self.env[target.model].sudo()
        columns = {}
        if target.lead_field:
            columns[target.lead_field] = [after[id_].lead for id_ in after]
        if moved:
            name = self._get_team_field(target)
            current = dict(self._read_teams(target, after))
            columns[name] = [
                moved[id_][1] if id_ in moved else current[id_][0] for id_ in after
            ]
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s doc
                   SET %(assignments)s write_uid = %(uid)s, write_date = %(now)s
                  FROM UNNEST(%(arrays)s) AS new (%(names)s)
                 WHERE doc.id = new.id
                """,
                table=SQL.identifier(model._table),
                assignments=SQL().join(
                    SQL("%s = %s, ", SQL.identifier(name), SQL.identifier("new", name))
                    for name in columns
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
                arrays=SQL(", ").join(
                    SQL("%s::int[]", values)
                    for values in (list(after), *columns.values())
                ),
                names=SQL(", ").join(map(SQL.identifier, ("id", *columns))),
            )
        )

    def _recompute(self, target, leads, moved):
        """Recompute what Odoo computes from the Salesperson, once it is written."""
        model = self.env[target.model].sudo()
        records = model.browse(leads)
        names = [target.lead_field]
        if moved:
            names.append(self._get_team_field(target))
        records.invalidate_recordset(names, flush=False)
        with self.env.protecting(self._get_protected_fields(target), records):
            records.modified(names)
        if team_field := self._get_team_field(target):
            self.env.remove_to_compute(model._fields[team_field], records)
        if target.model == "sale.order":
            self._write_line_salespersons(records)

    def _get_protected_fields(self, target):
        """Return stored fields that Odoo computes from the Salesperson but that have
        nothing to do with who follows: goods do not leave from elsewhere, and an
        opportunity stays in its stage, because somebody else looks after it.

        :return: list of fields of the target's model
        """
        known = self.env[target.model]._fields
        return [
            known[name]
            for name in ("warehouse_id", "company_id", "stage_id")
            if name in known and known[name].compute and known[name].store
        ]

    def _write_members(self, target, members):
        """Write the representatives.

        :param members: dict of record id → tuple of user ids, in order of arrival
        """
        model = self.env[target.model].sudo()
        field = model._fields[target.reps_field]
        pairs = [(id_, user) for id_, users in members.items() for user in users]
        names = {
            "relation": SQL.identifier(field.relation),
            "record": SQL.identifier(field.column1),
            "user": SQL.identifier(field.column2),
            "ids": list(members),
            "record_ids": [pair[0] for pair in pairs],
            "user_ids": [pair[1] for pair in pairs],
        }
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM %(relation)s rel
                 WHERE rel.%(record)s = ANY(%(ids)s)
                   AND NOT EXISTS (
                       SELECT FROM UNNEST(%(record_ids)s::int[], %(user_ids)s::int[])
                                AS new (record_id, user_id)
                        WHERE new.record_id = rel.%(record)s
                          AND new.user_id = rel.%(user)s)
                """,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(relation)s (%(record)s, %(user)s)
                     SELECT new.record_id, new.user_id
                       FROM UNNEST(%(record_ids)s::int[], %(user_ids)s::int[])
                            WITH ORDINALITY AS new (record_id, user_id, arrival)
                   ORDER BY new.arrival
                ON CONFLICT DO NOTHING
                """,
                **names,
            )
        )
        model.browse(members).modified([target.reps_field])

    def _write_line_salespersons(self, orders):
        """Copy the Salesperson onto the order lines, as the related field would."""
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sale_order_line line
                   SET salesman_id = doc.user_id,
                       write_uid = doc.write_uid, write_date = doc.write_date
                  FROM sale_order doc
                 WHERE doc.id = line.order_id AND doc.id = ANY(%s)
             RETURNING line.id
                """,
                orders.ids,
            )
        )
        lines = self.env["sale.order.line"].browse(row[0] for row in rows)
        self.env.remove_to_compute(lines._fields["salesman_id"], lines)
        lines.invalidate_recordset(
            ["salesman_id", "write_uid", "write_date"], flush=False
        )

    # --- sales team -------------------------------------------------------------

    def _get_team_field(self, target):
        """Return the name of the sales team that Odoo computes from the Salesperson of
        these records, or ``None``."""
        field = self.env[target.model]._fields.get("team_id")
        follows = (
            field
            and target.lead_field
            and field.comodel_name == "crm.team"
            and field.store
            and field.compute == "_compute_team_id"
            and target.lead_field in self.env.registry.field_depends[field]
        )
        return field.name if follows else None

    def _read_teams(self, target, record_ids):
        """Read the sales teams of records.

        :return: list of (id, (team id, all that a computed team depends on besides the
            Salesperson)); empty where records have no team that follows it
        """
        team_field = self._get_team_field(target)
        if not team_field:
            return []
        model = self.env[target.model]
        names = [
            name
            for name in (team_field, "company_id", "move_type", "type")
            if name in model._fields and model._fields[name].store
        ]
        model.flush_model(names)
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM %s WHERE id = ANY(%s)",
                SQL(", ").join(map(SQL.identifier, names)),
                SQL.identifier(model._table),
                list(record_ids),
            )
        )
        return [(id_, (team_id, tuple(rest))) for id_, team_id, *rest in rows]

    def _compute_teams(self, target, leads, wanted):
        """Compute the sales teams that go with new Salespersons, by Odoo's own compute,
        once for records alike.

        :param leads: dict of record id → user id or ``None``
        :param wanted: dict of record id → team id, not to be computed
        :return: dict of record id → (old, new) team id, where it moves
        """
        team_field = self._get_team_field(target)
        if not leads or not team_field:
            return {}
        model = self.env[target.model].sudo()
        alike = defaultdict(list)
        moved = {}
        for id_, (team_id, key) in self._read_teams(target, leads):
            if id_ in wanted:
                moved[id_] = (team_id, wanted[id_])
            else:
                alike[leads[id_], team_id, key].append(id_)
        samples = model.browse([ids[0] for ids in alike.values()])
        for sample, (kind, ids) in zip(samples, alike.items(), strict=True):
            lead, old_team, _key = kind
            # computed on a record in memory: nothing is written, and nothing logged
            virtual = model.new({target.lead_field: lead}, origin=sample)
            virtual._compute_team_id()
            new_team = virtual[team_field]._origin.id or None
            moved |= dict.fromkeys(ids, (old_team, new_team))
        return {id_: move for id_, move in moved.items() if move[0] != move[1]}
