from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


# Rights that follow the documents are a subject of their own.
class SalesFollowupReminder(models.Model):
    """Who sees reminders: who may read their documents, and managers."""

    _inherit = "sales.followup.reminder"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Find only reminders on documents the user may read; managers find all."""
        # EXTENDS 'base'
        if not bypass_access and not self._sees_all():
            domain = Domain(domain) & self._get_readable_domain()
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _sees_all(self):
        """Tell whether no document is looked at to grant access."""
        return self.env.su or self.env.user.has_group("sales_followup.group_manager")

    def _get_readable_domain(self):
        """Select reminders on documents whose record rules let the user read them."""
        return Domain.OR(
            Domain(name, "any", Domain.TRUE)
            for name, model in self._get_document_fields().items()
            if self.env[model].has_access("read")
        )

    def _check_access(self, operation):
        """Ask the document: who may not read it has no reminder of it."""
        # EXTENDS 'base'
        result = super()._check_access(operation)
        if self._sees_all() or not self.ids:
            return result
        forbidden = result[0] if result else self.browse()
        asked = (self - forbidden).filtered("id")
        hidden = self.browse()
        for name, reminders in asked.sudo()._group_by_document_model().items():
            documents = reminders[name].sudo(False)
            readable = documents._filtered_access("read")
            hidden |= reminders.filtered(
                lambda reminder, name=name, readable=readable: (
                    reminder[name].id not in readable._ids
                )
            ).sudo(False)
        if not hidden:
            return result
        return forbidden | hidden, lambda: AccessError(
            self.env._("You may not see the documents of these reminders.")
        )
