from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Unite the representatives before the generic SQL moves the references, and
        keep the longer pause."""
        # EXTENDS 'base'
        # sudo: who merges customers need not follow them
        kept, others = dst_partner.sudo(), src_partners.sudo()
        kept._followup_absorb_reps(others)
        pauses = (kept | others).mapped("followup_pause_until")
        kept.followup_pause_until = max(filter(None, pauses), default=False)
        return super()._update_foreign_keys(src_partners, dst_partner)
