import functools
import logging
import re
import subprocess
from functools import partial

import lxml.html
from markupsafe import Markup, escape

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date, html2plaintext, is_html_empty

from ...rules import letter_address, letter_paper, letter_text
from ...rules.letter_body import clean_html, prepare_body

_logger = logging.getLogger(__name__)

_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}")
_LOCAL_IMAGE = re.compile(
    r"/web/image/(?:(?P<model>[a-z][\w.]*)/)?(?P<id>\d+)(?:-\w+)?(?:/(?P<field>\w+))?"
)


class SalesFollowupLetterContent(models.AbstractModel):
    """What stands on a letter: the values of its templates."""

    _name = "sales.followup.letter.content"
    _description = "Content of Letters"

    @api.model
    def _render(self, template, values):
        """Render one of the templates of letters."""
        return self.env["ir.qweb"]._render(
            f"sales_followup.{template}", values, minimal_qcontext=True
        )

    # --- the letter -------------------------------------------------------------

    def _prepare_letter(self, letter):
        """Return the values of the template of one letter, in its language.

        :param letter: a ``Letter``, see ``sales.followup.letter``
        """
        # sudo: who signs, and how to reach them, is told whoever prints the letter
        signer = letter.user.sudo()
        self = self.with_context(lang=letter.lang, tz=signer.tz)
        company = self._get_company(letter)
        layout = self._get_layout(company)
        # as they were given, perhaps with more rights than the user's
        document = letter.document.with_context(lang=letter.lang, tz=signer.tz)
        contact = letter.contact.with_context(lang=letter.lang)
        title = self._get_document_title(document)
        find_image = partial(self._find_image, user=letter.user)
        body, tail = prepare_body(letter.body, find_image)
        address = self._get_address_lines(contact, company)
        sender, sender_size = letter_paper.fit_sender(
            company.name, self._get_street_lines(company.partner_id), layout.sender
        )
        direction = self.env["res.lang"]._get_data(code=letter.lang).direction
        text_direction = letter_text.get_direction(html2plaintext(letter.body))
        return {
            "layout": layout,
            "top": letter_paper.MARGIN_TOP,
            "style": self._prepare_style(company),
            "sender": sender,
            "sender_size": sender_size,
            "direction": direction,
            "text_direction": text_direction or direction,
            "direction_of": letter_text.get_direction,
            "address": address,
            "address_size": letter_paper.fitting_size(
                address,
                layout.address.width,
                layout.address.height,
                largest=10.5,
                smallest=5,
            ),
            "reference": self._get_reference(document),
            "date": self._get_date_line(letter.date, company),
            "subject": " ".join((letter.subject or title).split()),
            "body": Markup(body),
            "tail": Markup(tail),
            "closing": letter.closing,
            "signer": signer.name,
            "signature": self._get_signature_lines(signer),
            "enclosure": self.env._("Enclosure: %(document)s", document=title),
        }

    def _get_company(self, letter):
        """Return the company that sends a letter, in the letter's language."""
        company = letter.document.company_id or letter.user.company_id
        # sudo: what stands on letters is no secret, even of a company that the
        # user has no access to
        return company.sudo().with_context(lang=letter.lang)

    def _get_date_line(self, date, company):
        """Return the line of place and date."""
        date = format_date(self.env, date, date_format="long")
        if not company.city:
            return date
        return self.env._("%(city)s, %(date)s", city=company.city, date=date)

    def _get_signature_lines(self, user):
        """Return what is printed below the name of who signs."""
        reach = [user.phone, user.email]
        lines = [user.partner_id.function, " · ".join(filter(None, reach))]
        return [line for line in lines if line]

    def _check_fonts(self, parts):
        """Raise where no font of the server has a character of a letter: it would be
        printed without it.

        :param parts: HTML of the letter
        """
        text = "".join(
            lxml.html.fragment_fromstring(part, create_parent="div").text_content()
            for part in parts
        )
        missing = ""
        # fonts may have been installed since they were looked at
        for coverage in (_read_coverage, _read_coverage_again):
            if (covered := coverage()) is None:
                return
            if not (missing := letter_text.find_unprintable(text, covered)):
                return
        raise UserError(
            self.env._(
                "No font on the server has these characters of the letter: "
                "%(characters)s. Install a font that has them, and try again.",
                characters=" ".join(missing[:20]),
            )
        )

    # --- addresses --------------------------------------------------------------

    def _get_address_lines(self, contact, company):
        """Return the address for the window of the envelope.

        The company's name, the person's, then the address as the post of its country
        wants it; abroad, the country last, in capitals and in the language of the
        country the letter is posted in.
        """
        name = contact.name
        firm = contact.commercial_company_name
        if not name or name == firm:
            names = [firm or contact.display_name]
        elif firm:
            names = [firm, self.env._("Attn. %(name)s", name=name)]
        else:
            names = [name]
        lines = names + self._get_street_lines(contact)
        country = contact.country_id
        if country and country != company.country_id:
            lang = company.partner_id.lang or "en_US"
            lines.append(country.with_context(lang=lang).name.upper())
        return lines

    def _get_street_lines(self, partner):
        """Return the address of a partner without name and country."""
        country_format, values = partner._prepare_display_address(without_company=True)
        values["country_name"] = values["country_code"] = ""
        return letter_address.format_address(
            letter_address.get_format(partner.country_id.code, country_format), values
        )

    # --- the document -----------------------------------------------------------

    def _get_document_title(self, document):
        """Say what the document is, with its number."""
        if document._name == "sale.order":
            if document.state == "sale":
                return self.env._("Order %(number)s", number=document.name)
            return self.env._("Quotation %(number)s", number=document.name)
        if document._name == "account.move" and document.state == "posted":
            if document.move_type == "out_invoice":
                return self.env._("Invoice %(number)s", number=document.name)
            return f"{document.type_name} {document.name}"
        return document.display_name

    def _get_reference(self, document):
        """Return the lines that face the address: tuples of label and value.

        Override to tell of another model, or more.
        """
        facts = {
            "sale.order": self._get_order_facts,
            "account.move": self._get_invoice_facts,
        }.get(document._name)
        rows = facts(document) if facts else []
        return [(label, value) for label, value in rows if value]

    def _get_order_facts(self, order):
        number, date = (
            (self.env._("Order"), self.env._("Order date"))
            if order.state == "sale"
            else (self.env._("Quotation"), self.env._("Quotation date"))
        )
        valid_until = order.state != "sale" and order.validity_date
        return [
            (number, order.name),
            (date, format_date(self.env, order.date_order)),
            (self.env._("Valid until"), format_date(self.env, valid_until)),
            (self.env._("Your reference"), order.client_order_ref),
            (self.env._("Total"), self._format_amount(order, order.amount_total)),
        ]

    def _get_invoice_facts(self, move):
        total = self._format_amount(move, move.amount_total)
        due = self._format_amount(move, move.followup_due_amount)
        return [
            (self.env._("Invoice"), move.name),
            (self.env._("Invoice date"), format_date(self.env, move.invoice_date)),
            (self.env._("Due date"), format_date(self.env, move.followup_due_date)),
            (self.env._("Your reference"), move.ref),
            (self.env._("Total"), total if total != due else ""),
            (self.env._("Amount due"), due),
            *self._get_payment_facts(move),
        ]

    def _get_payment_facts(self, move):
        """Return where and under which reference an invoice is paid."""
        # sudo: the account is printed on the invoice, too
        bank = move.sudo().partner_bank_id
        iban = letter_text.group_iban(bank.acc_number)
        reference = move.payment_reference
        return [
            (self.env._("IBAN"), iban),
            (self.env._("Account"), "" if iban else bank.acc_number),
            (self.env._("BIC"), bank.bank_bic),
            (
                self.env._("Payment reference"),
                reference if reference not in (move.name, move.ref) else "",
            ),
        ]

    def _format_amount(self, document, amount):
        return format_amount(self.env, amount, document.currency_id)

    # --- the company ------------------------------------------------------------

    def _prepare_stationery(self, letter):
        """Return the values of the letterhead and the footer of a letter's company."""
        self = self.with_context(lang=letter.lang)
        company = self._get_company(letter)
        find_image = partial(self._find_image, user=letter.user)
        details = clean_html(self._get_details(company), find_image)
        footer = clean_html(self._get_footer(company), find_image)
        return {
            "layout": self._get_layout(company),
            "style": self._prepare_style(company),
            "company": company.name,
            "company_size": letter_paper.fitting_size(
                [company.name], 78, 10, largest=17, smallest=9
            ),
            "logo": self._get_logo(company),
            "tagline": Markup(clean_html(company.report_header, find_image)),
            "details": Markup(details),
            "details_size": self._get_fitting_size(details, 80, 30, largest=8),
            "footer": Markup(footer),
            "footer_size": self._get_fitting_size(footer, 165, 20, largest=7.5),
        }

    def _get_details(self, company):
        """Return name and address of the company as HTML."""
        if not company.is_company_details_empty:
            return company.company_details
        lines = [company.name, *self._get_street_lines(company.partner_id)]
        return Markup("<br/>").join(lines)

    def _get_footer(self, company):
        """Return what stands at the end of every page, as HTML."""
        if not is_html_empty(company.report_footer):
            return company.report_footer
        reach = (company.phone, company.email, company.website, company.vat)
        return escape(" · ".join(filter(None, reach)))

    def _get_logo(self, company):
        """Return the logo as a ``data:`` URI, or nothing where there is none yet.

        Not its original: that may have the size of a photograph.
        """
        image = not company.uses_default_logo and company.partner_id.image_512
        return image and self._get_data_uri(image)

    def _get_fitting_size(self, html, width, height, largest):
        lines = html2plaintext(html).splitlines()
        return letter_paper.fitting_size(lines, width, height, largest, smallest=4.5)

    def _prepare_style(self, company):
        """Return the company's colour, and its typeface with stand-ins."""
        color = company.primary_color or ""
        font = (company.font or "Lato").replace("_", " ")
        return {
            "color": color if _COLOR.fullmatch(color) else "#212529",
            "font": f"'{font}', {letter_paper.TYPEFACES}",
        }

    def _get_layout(self, company):
        return letter_paper.Layout(
            company._get_followup_paper(), company._get_followup_window()
        )

    # --- images -----------------------------------------------------------------

    def _find_image(self, source, user):
        """Return an image of this database as a ``data:`` URI.

        Nothing is fetched from elsewhere while letters are printed.

        :param source: its address
        :param user: who signs the letter: what they must not see is not printed, even
            if the system prints for them
        :return: ``None`` where there is no such image
        """
        match = _LOCAL_IMAGE.match(source.removeprefix(self.get_base_url()))
        if not match:
            return None
        model = self.env.get(match["model"] or "ir.attachment")
        name = match["field"] or "datas"
        field = model is not None and model._fields.get(name)
        if not field or field.type != "binary":
            return None
        record = model.browse(int(match["id"])).exists()
        if not record or not (
            record.has_access("read") and record.with_user(user).has_access("read")
        ):
            return None
        image = record.with_user(user)[name]
        return image and self._get_data_uri(image)

    def _get_data_uri(self, image):
        renderer = self.env["ir.qweb"].with_context(webp_as_jpg=True)
        return renderer._get_converted_image_data_uri(image)


@functools.cache
def _read_coverage():
    """Return the characters that the fonts of the server have, as a set of code points;
    ``None`` where fontconfig cannot tell."""
    command = ["fc-list", "--format=%{charset}\n"]
    try:
        result = subprocess.run(command, capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        _logger.info("The fonts of the server are not known", exc_info=True)
        return None
    return letter_text.parse_coverage(result.stdout.decode()) or None


def _read_coverage_again():
    _read_coverage.cache_clear()
    return _read_coverage()
