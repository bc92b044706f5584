import re
from functools import partial

from markupsafe import Markup, escape

from odoo import api, models
from odoo.tools import format_amount, format_date, html2plaintext, is_html_empty

from ...rules import letter_paper
from ...rules.letter_body import clean_html, prepare_body

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

    @api.model
    def _prepare_letter(self, letter):
        """Give the values of the template of one letter, in its language.

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
        return {
            "layout": layout,
            "top": letter_paper.MARGIN_TOP,
            "style": self._prepare_style(company),
            "sender": self._get_sender_line(company),
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
            "subject": letter.subject or title,
            "body": Markup(body),
            "tail": Markup(tail),
            "closing": letter.closing,
            "signer": signer.name,
            "signature": self._get_signature_lines(signer),
            "enclosure": self.env._("Enclosure: %(document)s", document=title),
        }

    @api.model
    def _get_company(self, letter):
        """Give the company that sends a letter, in the letter's language."""
        company = letter.document.company_id or letter.user.company_id
        # sudo: what stands on letters is no secret, even of a company that the
        # user has no access to
        return company.sudo().with_context(lang=letter.lang)

    @api.model
    def _get_date_line(self, date, company):
        """Give the line of place and date."""
        date = format_date(self.env, date, date_format="long")
        if not company.city:
            return date
        return self.env._("%(city)s, %(date)s", city=company.city, date=date)

    @api.model
    def _get_signature_lines(self, user):
        """Give what is printed below the name of who signs."""
        reach = [user.phone, user.email]
        lines = [user.partner_id.function, " · ".join(filter(None, reach))]
        return [line for line in lines if line]

    # --- addresses --------------------------------------------------------------

    @api.model
    def _get_address_lines(self, contact, company):
        """Give the address for the window of the envelope.

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

    @api.model
    def _get_street_lines(self, partner):
        """Give the address of a partner without name and country."""
        address, values = partner._prepare_display_address(without_company=True)
        values["country_name"] = values["country_code"] = ""
        lines = (" ".join(line.split()) for line in (address % values).splitlines())
        return [line for line in lines if line]

    @api.model
    def _get_sender_line(self, company):
        """Give name and address of the company, in one line."""
        return " · ".join([company.name, *self._get_street_lines(company.partner_id)])

    # --- the document -----------------------------------------------------------

    @api.model
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

    @api.model
    def _get_reference(self, document):
        """Give the lines that face the address: tuples of label and value.

        Override to tell of another model, or more.
        """
        facts = {
            "sale.order": self._get_order_facts,
            "account.move": self._get_invoice_facts,
        }.get(document._name)
        rows = facts(document) if facts else []
        return [(label, value) for label, value in rows if value]

    @api.model
    def _get_order_facts(self, order):
        number, date = (
            (self.env._("Order"), self.env._("Order date"))
            if order.state == "sale"
            else (self.env._("Quotation"), self.env._("Date"))
        )
        valid_until = order.state != "sale" and order.validity_date
        return [
            (number, order.name),
            (date, format_date(self.env, order.date_order)),
            (self.env._("Valid until"), format_date(self.env, valid_until)),
            (self.env._("Your reference"), order.client_order_ref),
            (self.env._("Total"), self._format_amount(order, order.amount_total)),
        ]

    @api.model
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
        ]

    @api.model
    def _format_amount(self, document, amount):
        return format_amount(self.env, amount, document.currency_id)

    # --- the company ------------------------------------------------------------

    @api.model
    def _prepare_stationery(self, letter):
        """Give the values of the letterhead and the footer of a letter's company."""
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

    @api.model
    def _get_details(self, company):
        """Give name and address of the company as HTML."""
        if not company.is_company_details_empty:
            return company.company_details
        lines = [company.name, *self._get_street_lines(company.partner_id)]
        return Markup("<br/>").join(lines)

    @api.model
    def _get_footer(self, company):
        """Give what stands at the end of every page, as HTML."""
        if not is_html_empty(company.report_footer):
            return company.report_footer
        reach = (company.phone, company.email, company.website, company.vat)
        return escape(" · ".join(filter(None, reach)))

    @api.model
    def _get_logo(self, company):
        """Give the logo as a ``data:`` URI, or nothing where there is none yet.

        Not its original: that may have the size of a photograph.
        """
        image = not company.uses_default_logo and company.partner_id.image_512
        return image and self._get_data_uri(image)

    @api.model
    def _get_fitting_size(self, html, width, height, largest):
        lines = html2plaintext(html).splitlines()
        return letter_paper.fitting_size(lines, width, height, largest, smallest=4.5)

    @api.model
    def _prepare_style(self, company):
        """Give the company's colour, and its typeface with what may stand in for it."""
        color = company.primary_color or ""
        font = (company.font or "Lato").replace("_", " ")
        return {
            "color": color if _COLOR.fullmatch(color) else "#212529",
            "font": f"'{font}', {letter_paper.TYPEFACES}",
        }

    @api.model
    def _get_layout(self, company):
        return letter_paper.Layout(
            company._get_followup_paper(), company._get_followup_window()
        )

    # --- images -----------------------------------------------------------------

    @api.model
    def _find_image(self, source, user):
        """Give an image of this database as a ``data:`` URI.

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

    @api.model
    def _get_data_uri(self, image):
        renderer = self.env["ir.qweb"].with_context(webp_as_jpg=True)
        return renderer._get_converted_image_data_uri(image)
