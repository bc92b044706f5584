from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Unite the representatives before the generic SQL moves the references."""
        # EXTENDS 'base'
        dst_partner.sudo()._followup_absorb_reps(src_partners.sudo())
        return super()._update_foreign_keys(src_partners, dst_partner)
