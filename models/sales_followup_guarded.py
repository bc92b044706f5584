from odoo import api, models
from odoo.exceptions import AccessError


class SalesFollowupGuarded(models.AbstractModel):
    """Values that only methods of this addon write, as superuser.

    ``readonly=True``, a view's domain or its groups protect nothing from RPC and
    import. A model names its guarded fields, and asks :meth:`_check_guarded` first
    thing in ``create`` and ``write``. Defaults are a third way to a value: those of the
    caller's context reach even what is created as superuser, and everybody may keep
    defaults of their own; guarded fields take neither.
    """

    _name = "sales.followup.guarded"
    _description = "Values Only the Addon Writes"

    def _get_guarded_fields(self):
        """Return the names of the fields that no user writes: override it.

        :rtype: set of str
        """
        return frozenset()

    def _get_stored_fields_except(self, names):
        """Return what is guarded where users write nothing but some fields.

        :param names: of the fields that users may write
        :rtype: set of str
        """
        free = {*names, *models.MAGIC_COLUMNS}
        return {
            name
            for name, field in self._fields.items()
            if name not in free and (field.store or field.inverse)
        }

    def _get_guarded_message(self, labels):
        """Say that a user may not write some fields, and what to do instead.

        :param labels: of the fields, separated by commas
        """
        return self.env._(
            "%(fields)s: only the program writes this; leave it out.", fields=labels
        )

    @api.model
    def default_get(self, fields):
        """Give guarded fields the default of their field, nobody else's."""
        # EXTENDS 'base'
        guarded = self._get_guarded_fields()
        keys = {f"default_{name}" for name in guarded}
        cleaned = self
        if not keys.isdisjoint(self.env.context):
            context = {k: v for k, v in self.env.context.items() if k not in keys}
            # pylint: disable-next=context-overridden
            cleaned = self.with_context(context)
        values = super(SalesFollowupGuarded, cleaned).default_get(
            [name for name in fields if name not in guarded]
        )
        for name in guarded.intersection(fields):
            if (own := cleaned._get_own_default(name)) is not None:
                values[name] = own
        return values

    def _get_own_default(self, name):
        """Return what the program says a field is at first, as for ``write``."""
        field = self._fields[name]
        if not field.default:
            return None
        value = field.convert_to_cache(field.default(self), self, validate=False)
        return field.convert_to_write(field.convert_to_record(value, self), self)

    def _check_guarded(self, vals_list, records=None):
        """Refuse guarded values of a user; one that changes nothing may pass, as in a
        file that was exported before.

        :param vals_list: values for ``create`` or ``write``
        :param records: those that are written; ``None`` where they are created
        :raise AccessError: naming the fields
        """
        if self.env.su:
            return
        guarded = self._get_guarded_fields()
        refused = {
            name
            for vals in vals_list
            for name in guarded.intersection(vals)
            if self._is_forged(name, vals[name], records)
        }
        if refused:
            labels = sorted(
                self._fields[name]._description_string(self.env) for name in refused
            )
            raise AccessError(self._get_guarded_message(", ".join(labels)))

    def _is_forged(self, name, value, records):
        """Tell whether a value differs from what a guarded field has by itself."""
        field = self._fields[name]
        if field.type in ("one2many", "many2many"):
            return bool(value)
        if records is None:
            return bool(value) and value != self._get_own_default(name)
        # sudo: whether a value differs does not depend on who looks
        records = records.sudo()
        return any(
            field.convert_to_cache(value, record)
            != field.convert_to_cache(record[name], record)
            for record in records
        )
