from odoo import api, fields, models
from odoo.fields import Domain

#: what lines of runs tell in words; documents, dates and amounts stay
WORDS = ("last_note", "reason", "email_problem", "letter_problem")


class SalesFollowupReminder(models.Model):
    """The run that made a reminder."""

    _inherit = "sales.followup.reminder"

    run_id = fields.Many2one(
        "sales.followup.run",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    @api.model
    def _get_document_indexes(self, link):
        # EXTENDS 'sales_followup'
        return {
            **super()._get_document_indexes(link),
            # once in a run, however often its batch is started
            "run_once": models.UniqueIndex(
                f"(run_id, {link}) WHERE origin = 'run' AND {link} IS NOT NULL",
                "This run reminded of the document already.",
            ),
        }

    def _anonymize(self):
        """Take the words off the lines of runs, and the letters out of their files."""
        # EXTENDS 'sales_followup'
        lines = self.env["sales.followup.run.line"].search(
            Domain("reminder_id", "in", self.ids)
            | Domain("partner_id", "in", self.partner_id.ids)
            & Domain("company_id", "in", self.company_id.ids)
        )
        runs = self.filtered("attachment_id").run_id.filtered("attachment_id")
        result = super()._anonymize()
        lines.write(dict.fromkeys(WORDS, False))
        for run in runs:
            # made once more, without the letters that are gone
            run.attachment_id.unlink()
            run.page_count = 0
            run._merge_letters()
        return result
