from odoo import fields, models

from ...rules import letter_paper


class ResCompany(models.Model):
    """What letters need to know; other settings are in ``res_company.py``."""

    # Split off only to keep files short: one model, two files.
    _inherit = "res.company"

    followup_window = fields.Selection(
        [
            ("country", "By country"),
            ("left", "On the left"),
            ("right", "On the right"),
        ],
        string="Window of envelopes",
        default="country",
        required=True,
        help="Where the window of your envelopes is: the address on letters is printed "
        "there.",
    )

    def _get_followup_window(self):
        """Return the side of the window of this company's envelopes: ``left`` or
        ``right``."""
        self.ensure_one()
        if self.followup_window == "country":
            return letter_paper.window_side(self.country_id.code)
        return self.followup_window

    def _get_followup_paper(self):
        """Return the paper of this company's letters, a key of ``PAPERS``.

        That of its other prints, for the document goes into the same file; where they
        are on paper of another kind, what is usual in its country.
        """
        self.ensure_one()
        if self.paperformat_id.format in letter_paper.PAPERS:
            return self.paperformat_id.format
        return letter_paper.paper_of_country(self.country_id.code)
