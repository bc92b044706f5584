from odoo import Command, api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    followup_allow_clear = fields.Boolean(
        related="company_id.followup_allow_clear", readonly=False
    )
    followup_keep_days = fields.Integer(
        related="company_id.followup_keep_days", readonly=False
    )
    followup_background_from = fields.Integer(
        related="company_id.followup_background_from", readonly=False
    )
    followup_automatic = fields.Boolean(
        related="company_id.followup_automatic", readonly=False
    )
    followup_min_days = fields.Integer(
        related="company_id.followup_min_days", readonly=False
    )
    followup_business_days = fields.Boolean(
        related="company_id.followup_business_days", readonly=False
    )
    followup_next_days = fields.Integer(
        related="company_id.followup_next_days", readonly=False
    )
    followup_attach_files = fields.Boolean(
        related="company_id.followup_attach_files", readonly=False
    )
    followup_window = fields.Selection(
        related="company_id.followup_window", readonly=False
    )
    followup_warning = fields.Text(
        string="Warnings", compute="_compute_followup_warning"
    )
    followup_editor_group_ids = fields.Many2many(
        "res.groups",
        relation="sales_followup_settings_editor_group_rel",
        string="Groups that may change representatives",
        default=lambda self: self._default_followup_editor_group_ids(),
        domain=lambda self: [
            ("id", "!=", self.env.ref("sales_followup.group_rep_editor").id)
        ],
    )

    def _default_followup_editor_group_ids(self):
        # sudo: group implications; the settings themselves are for administrators
        return self.env.ref("sales_followup.group_rep_editor").sudo().implied_by_ids

    followup_alias_warning = fields.Char(
        string="Answers by E-mail", compute="_compute_followup_alias_warning"
    )

    @api.depends("company_id")
    def _compute_followup_alias_warning(self):
        """Say that customers' answers cannot arrive, whoever sends the reminders."""
        for settings in self:
            settings.followup_alias_warning = (
                not settings.company_id.alias_domain_id
                and self.env._(
                    "%(company)s has no alias domain: answers to reminders go to their "
                    "sender's mailbox, do not stop further reminders, and e-mails that "
                    "come back are not noticed.",
                    company=settings.company_id.name,
                )
            )

    @api.depends("followup_automatic")
    def _compute_followup_warning(self):
        for settings in self:
            settings.followup_warning = "\n".join(settings._get_followup_warnings())

    def _get_followup_warnings(self):
        """Say what keeps automatic reminders from going out.

        :return: list of sentences
        """
        if not self.followup_automatic:
            return []
        warnings = []
        # sudo: the settings are for administrators, what they warn of is technical
        cron = self.env.ref(
            "sales_followup.ir_cron_send_automatic", raise_if_not_found=False
        ).sudo()
        if not cron.active:
            warnings.append(
                self.env._("The scheduled action that sends them is switched off.")
            )
        if not self.env["ir.mail_server"].sudo().search_count([], limit=1):
            warnings.append(self.env._("There is no outgoing mail server."))
        if self.env["res.company"]._followup_has_other_dunning():
            warnings.append(
                self.env._(
                    "Another app chases invoices by itself; ours are not sent "
                    "automatically."
                )
            )
        return warnings

    def set_values(self):
        # EXTENDS 'base'
        result = super().set_values()
        editor = self.env.ref("sales_followup.group_rep_editor").sudo()
        if editor.implied_by_ids != self.followup_editor_group_ids:
            editor.implied_by_ids = [Command.set(self.followup_editor_group_ids.ids)]
        return result
