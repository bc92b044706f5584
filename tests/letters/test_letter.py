from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import HttpCase, TransactionCase, tagged

from odoo.addons.base.models import ir_actions_report

from ...models.letters import sales_followup_letter, sales_followup_letter_press
from ...rules.letter_paper import WINDOWS
from ..common_letter import IMAGE, SENTENCE, LetterCommon, get_links, read_pdf

LONG_ADDRESS = {
    "street": "Avenue of the united craftswomen and craftsmen 123456, yard 7",
    "street2": "Stairway B, fourth floor, second door on the left hand side..",
    "city": "Saint Bartholomew at the Great Upper and Lower Lauterach Lake",
    "zip": "A-87654321",
}


def _lines(count):
    """Return paragraphs of one line each, in whatever typeface."""
    return f"<p>{SENTENCE}</p>" * count


@tagged("post_install", "-at_install")
class TestLetter(LetterCommon, TransactionCase):
    """One letter. Nothing here has a web server: letters need none."""

    # --- the window of the envelope ---------------------------------------------

    def _assert_address_in_window(self, page, side, *lines):
        box = WINDOWS[side]
        pieces = page.within(*box)
        self.assertAlmostEqual(min(piece.left for piece in pieces), box.left, delta=3)
        self.assertAlmostEqual(min(piece.top for piece in pieces), box.top, delta=3)
        self.assertInBox(pieces, box, tolerance=0)
        self.assertInOrder("\n".join(piece.text for piece in pieces), *lines)

    def test_address_is_in_the_window_on_either_side_of_any_paper(self):
        for paper in ("base.paperformat_euro", "base.paperformat_us"):
            for side in ("left", "right"):
                with self.subTest(side=side, paper=paper):
                    self.company.paperformat_id = self.env.ref(paper)
                    self.company.followup_window = side
                    [page] = self._print_one()
                    self._assert_address_in_window(
                        page,
                        side,
                        f"{self.company.name} · 14 rue de la République · 69003 Lyon",
                        "Martin & Fils",
                        "127 avenue Foch",
                        "75016 Paris",
                    )

    def test_long_address_stays_in_the_window(self):
        company = self._create_customer(
            self.alice,
            name="Company for extraordinarily long names and their many sons",
            country_id=self.env.ref("base.at").id,
            **LONG_ADDRESS,
        )
        contact = self._create_contact(
            company,
            name="Professor Doctor Maximiliane-Theodora of Hohenstein-Oberlauterach",
            type="contact",
        )
        for side in ("left", "right"):
            with self.subTest(side=side):
                self.company.followup_window = side
                [page] = self._print_one(contact=contact)
                text = " ".join(piece.text for piece in page.within(*WINDOWS[side]))
                self.assertInOrder(
                    text, "their many sons", "Oberlauterach", "yard 7", "AUSTRIA"
                )
                self._assert_address_in_window(page, side)

    def test_address_of_a_person_names_the_company_first(self):
        contact = self._create_contact(self.customer, name="Claire Fontaine")
        [page] = self._print_one(contact=contact)
        self._assert_address_in_window(
            page, "right", "Martin & Fils", "Attn. Claire Fontaine", "127 avenue Foch"
        )

    def test_country_is_named_abroad_only_in_the_language_of_the_sender(self):
        self.env["res.lang"]._activate_lang("it_IT")
        germany = self.env.ref("base.de")
        germany.with_context(lang="it_IT").name = "Germania"
        self.assertNotIn("FRANCE", self._print_one()[0].text)
        self.customer.country_id = germany
        text = self._print_one(lang="it_IT")[0].text
        self.assertIn("GERMANY", text)
        self.company.partner_id.lang = "it_IT"
        self.assertIn("GERMANIA", self._print_one()[0].text)

    def test_address_is_in_the_order_of_its_post(self):
        province = self.env["res.country.state"].search(
            [("country_id.code", "=", "IT"), ("code", "=", "RM")]
        )
        self.customer.write(
            {
                "country_id": province.country_id.id,
                "state_id": province.id,
                "zip": "00184",
                "city": "Roma",
            }
        )
        [page] = self._print_one()
        self._assert_address_in_window(
            page, "right", "127 avenue Foch", "00184 Roma RM", "ITALY"
        )

    def test_return_address_never_loses_its_street(self):
        self.company.name = "The Company of Extraordinarily Long Names " * 4
        for side in ("left", "right"):
            with self.subTest(side=side):
                self.company.followup_window = side
                [page] = self._print_one()
                text = " ".join(piece.text for piece in page.within(*WINDOWS[side]))
                self.assertInOrder(
                    text, "The Company", "14 rue de la République", "69003 Lyon"
                )

    def test_letter_whose_characters_have_no_font_fails_with_the_reason(self):
        # no font has characters for private use of the last plane
        self.customer.street = "1 \U0010fffd road"
        with self.assertRaisesRegex(UserError, "No font .*\U0010fffd"):
            self._print_one()

    def test_text_that_runs_from_the_right_is_set_so(self):
        [page] = self._print_one()
        self.assertLess(page.within(*WINDOWS["right"])[-2].right, 160)
        self.customer.write({"name": "שלום", "street": "רחוב"})
        [page] = self._print_one("<p>שלום לכם</p>")
        html = self.renderer._render_letter_html(
            self._prepare_letter("<p>שלום לכם</p>")
        )
        self.assertIn('class="o_letter_body" dir="rtl"', html)
        street = page.within(*WINDOWS["right"])[-2]
        self.assertGreater(street.right, 160)

    def test_letter_is_folded_twice_on_any_paper(self):
        for paper in ("base.paperformat_euro", "base.paperformat_us"):
            self.company.paperformat_id = self.env.ref(paper)
            html = self.renderer._render_letter_html(self._prepare_letter("Short."))
            self.assertEqual(html.count('o_letter_fold"'), 2)

    def test_window_and_paper_come_from_settings_else_from_the_country(self):
        for code, side, paper in (
            ("fr", "right", "A4"),
            ("it", "right", "A4"),
            ("de", "left", "A4"),
            ("uk", "left", "A4"),
            ("us", "left", "Letter"),
        ):
            with self.subTest(country=code):
                self.company.partner_id.country_id = self.env.ref(f"base.{code}")
                self.company.paperformat_id = False
                self.assertEqual(self.company._get_followup_window(), side)
                self.assertEqual(self.company._get_followup_paper(), paper)
        self.company.followup_window = "right"
        self.company.paperformat_id = self.env.ref("base.paperformat_euro")
        self.assertEqual(self.company._get_followup_window(), "right")
        self.assertEqual(self.company._get_followup_paper(), "A4")

    # --- what stands on it ------------------------------------------------------

    def test_short_letter_is_one_page_with_everything_in_its_place(self):
        [page] = self._print_one(
            f"<p>Dear Sir,</p><p>{SENTENCE}</p><p>Yours sincerely,</p>",
            subject="Your new desks",
        )
        self.assertAlmostEqual(page.width, 210, delta=0.5)
        self.assertAlmostEqual(page.height, 297, delta=0.5)
        self.assertInOrder(
            page.text,
            "Desks since 1962",
            self.company.name,
            "75016 Paris",
            "Lyon, March 12, 2026",
            "Your new desks",
            "Dear Sir,",
            SENTENCE.strip(),
            "Yours sincerely,",
            "Alice",
            "Sales Manager",
            "+33 4 72 00 00 01 · alice@example.com",
            f"Enclosure: Quotation {self.order.name}",
            "Registered in Lyon under 402 117 832",
        )
        self.assertIn("04 72 00 00 00", page.text)
        self.assertNotIn("Page 1", page.text)

    def test_us_letter_has_its_size(self):
        self.company.paperformat_id = self.env.ref("base.paperformat_us")
        [page] = self._print_one()
        self.assertAlmostEqual(page.width, 215.9, delta=0.5)
        self.assertAlmostEqual(page.height, 279.4, delta=0.5)
        footer = page.find("Registered in Lyon")
        self.assertLess(footer.bottom, 279.4 - 5)
        self.assertGreater(footer.top, 279.4 - 30)

    def test_reference_tells_number_dates_and_total_of_a_quotation(self):
        self.order.write({"date_order": "2026-02-10", "validity_date": "2026-04-30"})
        text = self._print_one()[0].text
        for row in (
            f"Quotation {self.order.name}",
            "Quotation date 02/10/2026",
            "Valid until 04/30/2026",
            "Your reference PO 118",
        ):
            self.assertIn(row, text)
        self.assertIn("Total", text)
        self.assertInOrder(text, f"Quotation {self.order.name}", "Alice", "Enclosure")

    def test_reference_of_an_order_does_not_speak_of_a_quotation(self):
        self.order.state = "sale"
        text = self._print_one()[0].text
        self.assertNotIn("Quotation", text)
        self.assertNotIn("Valid until", text)
        self.assertIn(f"Enclosure: Order {self.order.name}", text)

    def test_reference_of_an_invoice_tells_what_is_due(self):
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_date="2026-02-10",
            invoice_date_due="2026-03-10",
            price_unit=1234.5,
        )
        text = self._print_one(document=invoice)[0].text
        self.assertIn(f"Invoice {invoice.name}", text)
        self.assertIn("Due date 03/10/2026", text)
        self.assertRegex(text, r"Amount due \D*1,234.50")
        self.assertNotIn("Total", text)
        self.assertIn(f"Enclosure: Invoice {invoice.name}", text)

    def test_invoice_says_where_it_is_paid(self):
        bank = self.env["res.bank"].create({"name": "Bank", "bic": "AGRIFRPP"})
        account = self.env["res.partner.bank"].create(
            {
                "acc_number": "FR7630006000011234567890189",
                "bank_id": bank.id,
                "partner_id": self.company.partner_id.id,
                "allow_out_payment": True,
            }
        )
        invoice = self._create_invoice(self.customer, invoice_date="2026-02-10")
        invoice.partner_bank_id = account
        invoice.action_post()
        text = self._print_one(document=invoice)[0].text
        self.assertInOrder(text, "IBAN FR76 3000 6000", "BIC AGRIFRPP")

    def test_dates_and_amounts_are_in_the_language_and_the_currency_given(self):
        for code in ("fr_FR", "it_IT"):
            self.env["res.lang"]._activate_lang(code)
        dollar = self.env.ref("base.USD")
        dollar.active = True
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_date="2026-02-10",
            price_unit=1234.5,
            currency_id=dollar.id,
        )
        french, italian = self._print(
            self._prepare_letter(document=invoice, lang="fr_FR"),
            self._prepare_letter(document=invoice, lang="it_IT"),
        )
        self.assertIn("12 mars 2026", french[0].text)
        self.assertIn("10/02/2026", french[0].text)
        self.assertRegex(french[0].text, r"\$ ?1 234,50|1 234,50 ?\$")
        self.assertIn("12 marzo 2026", italian[0].text)
        self.assertRegex(italian[0].text, r"\$ ?1\.234,50|1\.234,50 ?\$")

    def test_unknown_language_falls_back(self):
        self.assertIn("March 12, 2026", self._print_one(lang="xx_XX")[0].text)

    def test_closing_is_printed_where_the_text_has_none(self):
        text = self._print_one(closing="Yours faithfully,")[0].text
        self.assertInOrder(text, SENTENCE.strip(), "Yours faithfully,", "Alice")

    def test_company_without_layout_still_has_a_letterhead(self):
        self.company.write(
            {
                "company_details": False,
                "report_footer": False,
                "report_header": False,
                "phone": "04 72 00 00 09",
            }
        )
        [page] = self._print_one()
        head = " ".join(piece.text for piece in page.within(0, 0, 210, 43))
        self.assertInOrder(head, self.company.name, "14 rue de la République")
        self.assertGreater(page.find("04 72 00 00 09").top, 270)

    def test_logo_takes_the_place_of_the_name(self):
        self.company.logo = IMAGE
        [page] = self._print_one()
        self.assertEqual(page.images, 1)

    # --- pages ------------------------------------------------------------------

    def test_long_letter_has_numbers_and_the_company_on_every_page(self):
        for lines, count in ((30, 2), (60, 3), (115, 5)):
            with self.subTest(pages=count):
                pages = self._print_one(_lines(lines))
                self.assertEqual(len(pages), count)
                for number, page in enumerate(pages, start=1):
                    self.assertIn(f"Page {number} of {count}", page.text)
                    self.assertIn("Registered in Lyon", page.text)
                self.assertIn("04 72 00 00 00", pages[0].text)
                for page in pages[1:]:
                    self.assertNotIn("04 72 00 00 00", page.text)
                    self.assertTrue(page.text.startswith(self.company.name))

    def test_text_keeps_clear_of_footers_and_is_complete(self):
        words = [f"word{number}" for number in range(2500)]
        pages = self._print_one(f"<p>{' '.join(words)}</p>")
        printed = " ".join(
            piece.text
            for page in pages
            for piece in page.within(20, 25, 180, page.height - 33 - 25)
        )
        self.assertEqual([w for w in printed.split() if w.startswith("word")], words)

    def _assert_signed_with_text(self, pages, text):
        [signed] = [page for page in pages if "Sales Manager" in page.text]
        self.assertInOrder(signed.text, text, "Alice", "Sales Manager", "Enclosure")

    def test_signature_is_never_alone_on_a_page(self):
        letters = [
            self._prepare_letter(
                f"{_lines(count)}<p>The last paragraph.</p><p>Yours,</p>"
            )
            for count in range(8, 32)
        ]
        printed = self._print(*letters)
        self.assertEqual({len(pages) for pages in printed}, {1, 2})
        for pages in printed:
            self._assert_signed_with_text(pages, "The last paragraph.")

    def test_signature_is_not_alone_after_text_of_one_paragraph_either(self):
        bodies = [
            shape % (SENTENCE * count)
            for count in range(20, 60, 4)
            for shape in ("<p>%s</p>", "<div><div>%s</div></div>", "%s")
        ]
        bodies += ["<br>".join([SENTENCE] * count) for count in range(18, 40, 3)]
        bodies += [
            f"<{tag}>{f'<{row}>{SENTENCE}</{row}>' * count}</{tag}>"
            for tag, row in (("ul", "li"), ("ol", "li"))
            for count in range(18, 40, 3)
        ]
        cells = "<tr><td>Desk</td><td>100.00</td></tr>"
        bodies += [f"<table>{cells * count}</table>" for count in range(18, 40, 3)]
        printed = self._print(*map(self._prepare_letter, bodies))
        self.assertEqual({len(pages) for pages in printed}, {1, 2})
        for body, pages in zip(bodies, printed, strict=True):
            with self.subTest(body=body[:20], length=len(body)):
                last = "100.00" if "100.00" in body else "sent you."
                self._assert_signed_with_text(pages, last)

    def test_wide_text_stays_between_the_margins_and_shrinks_nothing(self):
        self.company.followup_window = "left"
        [page] = self._print_one(
            f"<p>{'Donaudampfschifffahrtsgesellschaft' * 8}</p>"
            '<table style="width: 3000px"><tr><td style="width: 2500px">Desk</td>'
            '<td width="500">100.00</td></tr></table>'
            '<p style="white-space: nowrap; width: 2000px">' + SENTENCE * 4 + "</p>"
            f'<img src="data:image/png;base64,{IMAGE.decode()}" style="width: 4000px">'
        )
        self.assertInBox(page.pieces, (22.5, 0, 167.5, 297), tolerance=1)
        self.assertIn("100.00", page.text)
        self.assertEqual(page.text.count("sent you."), 4)
        self.assertAlmostEqual(page.find("Martin").left, 22.5, delta=0.5)

    # --- what it must not do ----------------------------------------------------

    def test_nothing_in_a_text_is_evaluated(self):
        text = self._print_one(
            '<p>{{ 40 + 2 }} ${40 + 2}</p><p t-out="40 + 2">as typed</p>',
            subject="{{ 40 + 2 }}",
            closing="<b>{{ 40 + 2 }}</b>",
        )[0].text
        self.assertNotIn("42", text.replace("402 117", ""))
        self.assertInOrder(text, "{{ 40 + 2 }}", "as typed", "<b>{{ 40 + 2 }}</b>")

    def test_links_of_a_text_are_kept_and_no_others(self):
        [result] = self.renderer._render_pdf(
            [
                self._prepare_letter(
                    '<p>See <a href="https://example.com/x">here</a></p>'
                )
            ]
        )
        self.assertEqual(get_links(result), ["https://example.com/x"])

    def _count_images(self, source, **values):
        return self._print_one(f'<p>A <img src="{source}"> B</p>', **values)[0].images

    def test_only_images_that_the_signer_may_see_are_printed(self):
        public = self._create_image(public=True)
        secret = self._create_image()
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        self.assertEqual(self._count_images(f"/web/image/{public.id}"), 1)
        self.assertEqual(self._count_images(f"{base}/web/image/{public.id}-a/x"), 0)
        self.assertEqual(self._count_images(f"{base}/web/image/{public.id}"), 1)
        self.assertEqual(self._count_images("http://192.0.2.1/image.png"), 0)
        self.assertEqual(self._count_images("/web/image/999999999"), 0)
        letter = self._prepare_letter(f'<img src="/web/image/{secret.id}">')
        [result] = self.renderer.sudo()._render_pdf([letter])
        self.assertEqual(read_pdf(result)[0].images, 0)

    def test_waiting_for_scripts_is_left_out_for_letters_only(self):
        arguments = []

        def run(args):
            arguments.append(args)
            return original(args)

        original = ir_actions_report._run_wkhtmltopdf
        with patch.object(ir_actions_report, "_run_wkhtmltopdf", run):
            self._print_one()
        [args] = arguments
        self.assertEqual(args[args.index("--javascript-delay") + 1], "1")
        plain = self.env["ir.actions.report"]._build_wkhtmltopdf_args(
            self.env.ref("base.paperformat_euro"), False
        )
        self.assertEqual(plain[plain.index("--javascript-delay") + 1], "1000")

    # --- preview ----------------------------------------------------------------

    def test_preview_shows_the_whole_letter(self):
        html = self.renderer.with_user(self.alice)._render_letter_html(
            self._prepare_letter("<p>Dear Sir,</p><p>Some text.</p>")
        )
        self.assertInOrder(
            html,
            "04 72 00 00 00",
            "Martin &amp; Fils",
            self.order.name,
            "March 12, 2026",
            "Dear Sir,",
            "Some text.",
            "Alice",
            "Enclosure",
            "Registered in Lyon",
        )
        self.assertNotIn("<html", html)


@tagged("post_install", "-at_install")
class TestLetters(LetterCommon, TransactionCase):
    """Many letters in one run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.press = type(cls.env["sales.followup.letter.press"])

    def test_letters_of_several_companies_and_papers_are_not_mixed_up(self):
        other = self.env["res.company"].create({"name": "Bay Chairs Inc."})
        other.partner_id.country_id = self.env.ref("base.us")
        other.write(
            {
                "paperformat_id": self.env.ref("base.paperformat_us").id,
                "report_footer": "<p>A footer of the Bay</p>",
            }
        )
        self.alice.company_ids = [Command.link(other.id)]
        foreign = self._create_order(
            self.customer, company_id=other.id, user_id=self.alice.id
        )
        documents = [self.order, foreign, self.order, foreign, self.order]
        printed = self._print(
            *(
                self._prepare_letter(
                    f"<p>Letter number {number}.</p>" + _lines(number * 15),
                    document=document,
                )
                for number, document in enumerate(documents)
            )
        )
        for number, (document, pages) in enumerate(
            zip(documents, printed, strict=True)
        ):
            footer = "A footer of the Bay" if document == foreign else "Registered in"
            width = 215.9 if document == foreign else 210
            self.assertIn(f"Letter number {number}.", pages[0].text)
            self.assertIn(document.name, pages[0].text)
            for page in pages:
                self.assertAlmostEqual(page.width, width, delta=0.5)
                self.assertIn(footer, page.text)
        self.assertEqual([len(pages) for pages in printed], [1, 2, 2, 3, 3])

    def test_more_letters_than_one_run_prints(self):
        letters = [self._prepare_letter(f"Number {n}.") for n in range(5)]
        runs = []
        original = self.press._run_wkhtmltopdf

        def run(press, paper, html):
            runs.append(html)
            return original(press, paper, html)

        with (
            patch.object(sales_followup_letter, "BATCH_SIZE", 2),
            patch.object(self.press, "_run_wkhtmltopdf", run),
        ):
            printed = self._print(*letters)
        self.assertEqual(len(runs), 3)
        for number, [page] in enumerate(printed):
            self.assertIn(f"Number {number}.", page.text)

    def test_letter_that_cannot_be_written_fails_alone(self):
        gone = self.customer.copy()
        gone.unlink()
        before, broken, after = self.renderer._render_pdf(
            [
                self._prepare_letter("Before."),
                self._prepare_letter(contact=gone),
                self._prepare_letter("After."),
            ]
        )
        self.assertIsInstance(broken, Exception)
        self.assertIn("Before.", read_pdf(before)[0].text)
        self.assertIn("After.", read_pdf(after)[0].text)

    def test_letter_that_cannot_be_printed_fails_alone(self):
        original = self.press._run_wkhtmltopdf

        def run(press, paper, html):
            if "BROKEN" in html:
                raise ValueError("out of paper")
            return original(press, paper, html)

        letters = [self._prepare_letter(f"Number {n}.") for n in range(7)]
        letters[4]["body"] += "BROKEN"
        with patch.object(self.press, "_run_wkhtmltopdf", run):
            results = self.renderer._render_pdf(letters)
        self.assertEqual(str(results.pop(4)), "out of paper")
        for number, result in zip((0, 1, 2, 3, 5, 6), results, strict=True):
            self.assertIn(f"Number {number}.", read_pdf(result)[0].text)

    def test_wrong_size_is_noticed_and_put_right(self):
        for factor in (1.0, 2.0):
            with (
                self.subTest(factor=factor),
                patch.dict(
                    sales_followup_letter_press._scales, {False: factor, True: factor}
                ),
            ):
                [page] = self._print_one()
                self.assertAlmostEqual(page.find("Martin").left, 112.5, delta=0.5)

    def test_without_wkhtmltopdf_the_message_says_so(self):
        reports = type(self.env["ir.actions.report"])
        with (
            patch.object(reports, "get_wkhtmltopdf_state", lambda self: "install"),
            self.assertRaisesRegex(UserError, "wkhtmltopdf"),
        ):
            self.renderer._render_pdf([self._prepare_letter()])

    def test_no_letters_are_no_work(self):
        self.assertEqual(self.renderer._render_pdf([]), [])


@tagged("post_install", "-at_install")
class TestLetterDocuments(LetterCommon, HttpCase):
    """The documents that go with letters, as Odoo prints them."""

    def _read_documents(self, documents):
        printed = self.printer.with_user(self.alice)._render_documents(documents)
        return {document: read_pdf(content) for document, content in printed.items()}

    def _store_pdf(self, invoice, content):
        self.env["ir.attachment"].create(
            {
                "name": "issued.pdf",
                "raw": content,
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        invoice.invalidate_recordset(["invoice_pdf_report_id"])

    def test_letter_comes_before_its_document(self):
        [letter] = self.renderer._render_pdf([self._prepare_letter()])
        documents = self.printer._render_documents(self.order)
        merged = self.renderer._merge(letter, documents[self.order])
        self.assertEqual(
            len(read_pdf(merged)), 1 + len(read_pdf(documents[self.order]))
        )
        self.assertIn("Sales Manager", read_pdf(merged)[0].text)
        self.assertNotIn("Sales Manager", read_pdf(merged)[-1].text)

    def test_several_documents_are_printed_one_by_one(self):
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        orders = self.order + self._create_order(self.customer, user_id=self.alice.id)
        printed = self._read_documents(orders) | self._read_documents(invoice)
        self.assertEqual(list(printed), [*orders, invoice])
        self.assertTrue(all(printed.values()))

    def test_document_is_in_the_language_of_its_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        bodies = []
        reports = type(self.env["ir.actions.report"])

        def run(reports, html, **options):
            bodies.extend(html)
            return original(reports, html, **options)

        original = reports._run_wkhtmltopdf
        with patch.object(reports, "_run_wkhtmltopdf", run):
            self.printer._render_documents(self.order)
        [body] = bodies
        self.assertIn('data-oe-lang="fr_FR"', body)
        self.assertIn(self.order.name, body)

    def test_issued_invoice_is_not_printed_again(self):
        invoice = self._create_invoice(self.customer, post=True)
        [issued] = self.renderer._render_pdf([self._prepare_letter("As issued.")])
        self._store_pdf(invoice, issued)
        self.assertEqual(self.printer._render_documents(invoice), {invoice: issued})

    def test_broken_document_is_named(self):
        invoice = self._create_invoice(self.customer, post=True)
        self._store_pdf(invoice, b"%PDF-1.4 torn")
        with self.assertRaisesRegex(UserError, invoice.name):
            self.printer._render_documents(invoice)

    def test_document_that_cannot_be_printed_is_named(self):
        entry = self._create_invoice(self.customer, post=True)
        entry.move_type = "entry"
        with self.assertRaisesRegex(UserError, entry.name):
            self.printer._render_documents(entry)

    def test_broken_pdf_cannot_be_merged_and_the_message_says_which(self):
        [letter] = self.renderer._render_pdf([self._prepare_letter()])
        for content in (b"", b"<html></html>", letter[: len(letter) // 2], b"%PDF"):
            with (
                self.subTest(content=content[:10]),
                self.assertRaisesRegex(UserError, self.order.name),
            ):
                self.renderer._merge(letter, content, self.order)
        failed = UserError("no address")
        with self.assertRaisesRegex(UserError, "no address"):
            self.renderer._merge(failed, letter)

    def test_waiting_time_that_somebody_chose_is_kept_for_documents(self):
        arguments = []

        def run(args):
            arguments.append(args[args.index("--javascript-delay") + 1])
            return original(args)

        original = ir_actions_report._run_wkhtmltopdf
        with patch.object(ir_actions_report, "_run_wkhtmltopdf", run):
            self.printer._render_documents(self.order)
            self.env["ir.config_parameter"].set_param("report.print_delay", "37")
            self.printer._render_documents(self.order)
        self.assertEqual(arguments, ["1", "37"])
