from odoo import Command, api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    followup_allow_clear = fields.Boolean(
        related="company_id.followup_allow_clear", readonly=False
    )
    followup_keep_days = fields.Integer(
        related="company_id.followup_keep_days", readonly=False
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
    followup_editor_group_ids = fields.Many2many(
        "res.groups",
        relation="sales_followup_settings_editor_group_rel",
        string="Groups that may change representatives",
        default=lambda self: self._default_followup_editor_group_ids(),
        domain=lambda self: [
            ("id", "!=", self.env.ref("sales_followup.group_rep_editor").id)
        ],
    )

    @api.model
    def _default_followup_editor_group_ids(self):
        # sudo: group implications; the settings themselves are for administrators
        return self.env.ref("sales_followup.group_rep_editor").sudo().implied_by_ids

    def set_values(self):
        # EXTENDS 'base'
        result = super().set_values()
        editor = self.env.ref("sales_followup.group_rep_editor").sudo()
        if editor.implied_by_ids != self.followup_editor_group_ids:
            editor.implied_by_ids = [Command.set(self.followup_editor_group_ids.ids)]
        return result
