from odoo import api, models


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    @api.model
    def get_bindings(self, model_name):
        """Offer *Remove all representatives* only where the company allows it."""
        # EXTENDS 'base'
        bindings = super().get_bindings(model_name)
        if model_name == "res.partner" and not self.env.company.followup_allow_clear:
            clear = self.env["ir.model.data"]._xmlid_to_res_id(
                "sales_followup.res_partner_action_clear_reps", raise_if_not_found=False
            )
            bindings = {
                binding_type: [action for action in actions if action["id"] != clear]
                for binding_type, actions in bindings.items()
            }
        return bindings
