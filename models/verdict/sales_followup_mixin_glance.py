from odoo import api, fields, models


# What a form says in one line.
class SalesFollowupMixin(models.AbstractModel):
    """What the form of a document says at a glance."""

    _inherit = "sales.followup.mixin"

    followup_outlook = fields.Char(
        string="Next Automatic Reminder",
        compute="_compute_followup_outlook",
        groups="sales_followup.group_user",
        help="Whether the next reminder is sent automatically, and when.",
    )

    # Without dependencies: it is asked for by forms alone, after each saving.
    @api.depends_context("uid", "lang")
    def _compute_followup_outlook(self):
        documents = self._origin
        types = documents._followup_get_types() if documents else {}
        chased = documents.filtered(types.get)
        judge = self.env["sales.followup.judge"]
        judged = judge._judge(chased, explain=True) if chased else {}
        for document in self:
            judgement = judged.get(document._origin)
            document.followup_outlook = (
                judgement and document._origin._followup_tell_outlook(*judgement)
            )

    def _followup_tell_outlook(self, template, verdict):
        """Return in one line whether a reminder of this document is sent automatically.

        :param template: ``sales.followup.template`` whose turn it is
        :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` where it has no turn
        :rtype: str
        """
        self.ensure_one()
        judge = self.env["sales.followup.judge"]
        if verdict is None or verdict.send or verdict.next_date:
            return judge._answer(template, verdict)
        currency = self.sudo().company_id.currency_id
        reasons = [judge._explain(reason, currency) for reason in verdict.reasons]
        return self.env._("No: %(reasons)s", reasons=" ".join(reasons))
