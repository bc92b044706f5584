import logging
from tempfile import TemporaryFile

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import human_size

from ..letters.pdf_appender import PdfAppender

_logger = logging.getLogger(__name__)

#: how many runs with a file are shown below the page
RECENT = 8


# The letters of a run in one file, and what became of them.
class SalesFollowupRun(models.Model):
    """The generated file of a run; :mod:`.sales_followup_run_process` asks for it."""

    _inherit = "sales.followup.run"

    attachment_id = fields.Many2one(
        "ir.attachment",
        string="File",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="All letters of the run, customer by customer.",
    )
    file_name = fields.Char(related="attachment_id.name", string="File Name")
    file_date = fields.Datetime(related="attachment_id.create_date", string="Made on")
    file_size = fields.Integer(related="attachment_id.file_size")
    file_size_text = fields.Char(string="Size", compute="_compute_file")
    file_url = fields.Char(string="Download", compute="_compute_file")
    page_count = fields.Integer(string="Pages", readonly=True, copy=False)
    has_letters = fields.Boolean(compute="_compute_has_letters")
    printed_date = fields.Datetime(string="Printed on", readonly=True, copy=False)
    posted_date = fields.Datetime(string="Posted on", readonly=True, copy=False)
    recent_ids = fields.Many2many(
        "sales.followup.run", string="Generated Files", compute="_compute_recent_ids"
    )

    # --- compute ----------------------------------------------------------------

    @api.depends("attachment_id")
    def _compute_file(self):
        for run in self:
            # sudo: whoever sees the run sees its file
            attachment = run.sudo().attachment_id
            run.file_size_text = attachment and human_size(attachment.file_size)
            run.file_url = attachment and f"/web/content/{attachment.id}?download=true"

    def _compute_has_letters(self):
        # sudo: whoever sees the run may know what it made
        rows = (
            self.env["sales.followup.reminder"]
            .sudo()
            ._read_group(
                [
                    ("run_id", "in", self.ids),
                    ("channel", "=", "letter"),
                    ("state", "!=", "failed"),
                ],
                ["run_id"],
            )
        )
        with_letters = {run.id for [run] in rows}
        for run in self:
            run.has_letters = run._origin.id in with_letters

    def _compute_recent_ids(self):
        recent = self.search([("attachment_id", "!=", False)], limit=RECENT)
        for run in self:
            run.recent_ids = recent - run._origin

    # --- actions ----------------------------------------------------------------

    def action_download(self):
        """Download the merged PDF."""
        if len(self) != 1:
            raise UserError(self.env._("Select one run to download its file."))
        if not self.attachment_id:
            raise UserError(self.env._("Run %(run)s has no file.", run=self.name))
        return {
            "type": "ir.actions.act_url",
            "url": self.file_url,
            "target": "download",
        }

    def action_delete_file(self):
        """Delete the merged PDF; the letters stay on their reminders."""
        self.check_access("write")
        # sudo: the file belongs to the run
        self.sudo().attachment_id.unlink()
        return True

    def action_confirm_printed(self):
        """Note that the letters were printed."""
        return self._confirm_letters("printed_date")

    def action_confirm_posted(self):
        """Note that the letters went to the post."""
        return self._confirm_letters("posted_date")

    def _confirm_letters(self, name):
        """Note a step of the letters' way, once.

        :raise UserError: where there are no letters
        """
        self.check_access("write")
        without = self.filtered(lambda run: not run.has_letters)
        if without:
            raise UserError(
                self.env._(
                    "%(runs)s made no letters.", runs=", ".join(without.mapped("name"))
                )
            )
        # sudo: what became of the letters is no user's to write otherwise
        self.filtered(lambda run: not run[name]).sudo()[name] = fields.Datetime.now()
        return True

    # --- merging ----------------------------------------------------------------

    def _merge_letters(self):
        """Store all letters of the run as one PDF, in the order of its lines: customer
        by customer."""
        lines = self.env["sales.followup.run.line"].search(
            [
                ("run_id", "=", self.id),
                ("channel", "=", "letter"),
                ("reminder_id.attachment_id", "!=", False),
            ]
        )
        if not lines:
            return
        with TemporaryFile() as merged:
            appender = PdfAppender(merged)
            for line in lines:
                self._append(appender, line)
            appender.close()
            if appender.page_count:
                merged.seek(0)
                self._store_file(merged.read(), appender.page_count)

    def _store_file(self, content, page_count):
        """Keep the merged PDF as the file of the run."""
        attachment = self.env["ir.attachment"].create(
            {
                "name": self._get_file_name(),
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        self.write({"attachment_id": attachment.id, "page_count": page_count})

    def _append(self, appender, line):
        """Add the pages of one letter; one that cannot be read costs only itself."""
        attachment = line.reminder_id.attachment_id
        try:
            appender.append(attachment.raw)
        except Exception:
            _logger.exception("Letter %s cannot be merged", line.reminder_id.name)
            line.reason = self.env._(
                "The PDF of the letter cannot be read; it is not in the file."
            )
        # it is read once: the memory is for the next
        attachment.invalidate_recordset(["raw", "datas", "index_content"])

    def _get_file_name(self):
        """Return the name of the merged file: type, date and run, in the language of
        the run's user."""
        self = self.with_context(lang=self.user_id.lang)
        kind = self.type_names if "," not in (self.type_names or ",") else None
        day = fields.Date.to_string(
            self.company_id._followup_local_day(self.launched_date)
        )
        name = f"{kind or self.env._('Letters')} {day} {self.name}"
        return name.replace("/", "-") + ".pdf"
