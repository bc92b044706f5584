from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .sales_followup_rep_writer import TEAM_FIELD

#: Modules whose overrides of the methods below have been read for each model: none of
#: them does anything when only Salesperson and representatives change.
KNOWN_MODULES = {
    "res.partner": frozenset(
        "account base base_geolocalize base_vat l10n_dk_nemhandel l10n_in mail "
        "mail_plugin partnership portal sales_followup snailmail website_partner "
        "website_sale".split()
    ),
    "sale.order": frozenset(
        "account base event_sale l10n_fi_sale mail portal sale sale_management "
        "sale_project sale_stock sales_followup".split()
    ),
    "account.move": frozenset(
        "account base l10n_sa mail portal purchase sale sales_followup".split()
    ),
    "purchase.order": frozenset(
        "account base mail portal purchase purchase_requisition purchase_stock "
        "sales_followup".split()
    ),
}

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
    (the sales team and the lines' salesperson in sets, whatever else through the ORM),
    and the chatter through :class:`SalesFollowupBulkChatter`. It skips the Python
    overrides of :data:`SKIPPED_METHODS`; :meth:`_get_obstacle` says when one of them
    is not known to be harmless, and the caller then takes the plain way.
    """

    _name = "sales.followup.rep.writer.sql"
    _description = "Fast Writer of Representatives"

    # --- when it may be used ----------------------------------------------------

    @api.model
    def _get_obstacle(self, target):
        """Say why records must be written through the ORM.

        :param target: a :class:`~.sales_followup_rep_writer.Target`
        :return: a reason for the log, or ``None``
        """
        if target.model not in KNOWN_MODULES:
            return "this model's own logic is not known"
        return (
            self._get_unknown_override(target)
            or self._get_constraint(target)
            or self._get_automation(target)
        )

    @api.model
    def _get_unknown_override(self, target):
        """Name a method that some unknown module overrides, or ``None``."""
        for model_name, methods in SKIPPED_METHODS.items():
            known = KNOWN_MAIL_MODULES if model_name else KNOWN_MODULES[target.model]
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

    @api.model
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

    @api.model
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

    @api.model
    def _write_reps(self, target, before, after, note=None):
        """Write who follows records; see ``sales.followup.writer._write_reps``."""
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
        changes = defaultdict(list)
        for id_ in members:
            values = (before[id_].members, after[id_].members)
            changes[id_].append((target.reps_field, *values))
        for id_, lead in leads.items():
            changes[id_].append((target.lead_field, before[id_].lead, lead))
        if leads:
            for id_, teams in self._write_leads(target, leads).items():
                changes[id_].append(("team_id", *teams))
        if members:
            self._write_members(target, members)
        records = self.env[target.model].sudo().browse(after)
        records.invalidate_recordset([*target.fields, "write_uid", "write_date"])
        if note:
            chatter = self.env["sales.followup.bulk.chatter"]
            chatter._log_changes(target.model, changes, note)
            if target.lead_field == "user_id":
                # Odoo makes the Salesperson follow where the field bears this name
                chatter._subscribe(target.model, leads)

    @api.model
    def _write_leads(self, target, leads):
        """Write the Salesperson and what is computed from it.

        :param leads: dict of record id → user id or ``None``
        :return: dict of record id → (old, new) sales team, where that changes
        """
        model = self.env[target.model].sudo()
        teams = self._read_teams(target, leads)
        self._update_column(model, target.lead_field, leads)
        records = model.browse(leads)
        records.invalidate_recordset([target.lead_field], flush=False)
        writer = self.env["sales.followup.rep.writer"]
        with self.env.protecting(writer._get_protected_fields(target), records):
            records.modified([target.lead_field])
        if target.model == "sale.order":
            self._write_line_salespersons(records)
        return self._write_teams(target, records, leads, teams)

    @api.model
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
        self._touch(model, list(members))
        model.browse(members).modified([target.reps_field])

    @api.model
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

    @api.model
    def _has_team(self, target):
        """Tell whether the records have a sales team computed from the Salesperson."""
        field = self.env[target.model]._fields.get("team_id")
        return bool(
            field
            and field.store
            and field.compute == "_compute_team_id"
            and target.model in ("sale.order", "account.move")
        )

    @api.model
    def _read_teams(self, target, leads):
        """Read the teams records have: dict of id → (team id, company id)."""
        if not self._has_team(target):
            return {}
        model = self.env[target.model]
        model.flush_model(["team_id", "company_id"])
        rows = self.env.execute_query(
            SQL(
                "SELECT id, team_id, company_id FROM %s WHERE id = ANY(%s)",
                SQL.identifier(model._table),
                list(leads),
            )
        )
        return {id_: (team_id, company_id) for id_, team_id, company_id in rows}

    @api.model
    def _write_teams(self, target, records, leads, teams):
        """Recompute the sales team with Odoo's own compute, once for records alike.

        A team depends on the former team, the Salesperson and the company alone, so
        one record of each such kind tells it for all of them.

        :return: dict of record id → (old, new) team id, where that changes
        """
        if not teams:
            return {}
        field = records._fields["team_id"]
        pending = self.env.records_to_compute(field)
        alike = defaultdict(list)
        for record in pending & records:
            alike[(leads[record.id], *teams[record.id])].append(record.id)
        self.env.remove_to_compute(field, pending & records)
        # without tracking: the new team is logged together with the Salesperson
        samples = records.with_context(tracking_disable=True).browse(
            [ids[0] for ids in alike.values()]
        )
        samples.invalidate_recordset(["team_id"], flush=False)
        self.env.add_to_compute(field, samples)
        new_teams = {}
        for sample, ids in zip(samples, alike.values(), strict=True):
            new_team = sample.team_id.id or None
            new_teams.update(
                (id_, new_team) for id_ in ids if teams[id_][0] != new_team
            )
        samples.flush_recordset(["team_id"])
        self._store_teams(records.browse(), new_teams)
        return {id_: (teams[id_][0], new_team) for id_, new_team in new_teams.items()}

    @api.model
    def _store_teams(self, model, teams):
        """Write sales teams.

        :param teams: dict of record id → team id or ``None``
        """
        self._update_column(model, TEAM_FIELD, teams)
        records = model.browse(teams)
        records.invalidate_recordset([TEAM_FIELD], flush=False)
        records.modified([TEAM_FIELD])

    # --- SQL --------------------------------------------------------------------

    @api.model
    def _update_column(self, model, column, values):
        """Set a column of many rows and their access log.

        :param values: dict of id → integer or ``None``
        """
        if not values:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s doc
                   SET %(column)s = new.value, write_uid = %(uid)s, write_date = %(now)s
                  FROM UNNEST(%(ids)s::int[], %(values)s::int[]) AS new (id, value)
                 WHERE doc.id = new.id
                """,
                table=SQL.identifier(model._table),
                column=SQL.identifier(column),
                uid=self.env.uid,
                now=self.env.cr.now(),
                ids=list(values),
                values=list(values.values()),
            )
        )

    @api.model
    def _touch(self, model, record_ids):
        """Note in the access log that rows of a relation table changed: that is also
        what makes a concurrent change of them collide instead of mix."""
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET write_uid = %s, write_date = %s"
                " WHERE id = ANY(%s) AND write_date IS DISTINCT FROM %s",
                SQL.identifier(model._table),
                self.env.uid,
                self.env.cr.now(),
                record_ids,
                self.env.cr.now(),
            )
        )
