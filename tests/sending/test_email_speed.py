from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_qweb import IrQweb

from ...models.sending.sales_followup_dispatcher import Request
from ...rules.verdict import Mode
from ..common_reminders import RemindersCommon

LANGS = ("en_US", "fr_FR", "it_IT")
#: cannot be divided by the price of the odd one out
DIVISION = '<p><t t-out="1 / (object.amount_untaxed - 99)"/></p>'


@tagged("post_install", "-at_install")
class TestEmailSpeed(RemindersCommon):
    """What makes many e-mails cheap changes none of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quotations = cls._create_quotations(3)
        cls.template = cls._get_template(cls.quotations[0])

    @classmethod
    def _create_quotations(cls, count, **values):
        """Create quotations, each for a customer of its own."""
        return cls.env["sale.order"].concat(
            *(
                cls._create_quotation(
                    cls._create_customer(
                        cls.alice, email=f"{count}.{number}@customer.example.com"
                    ),
                    **values,
                )
                for number in range(count)
            )
        )

    def _dispatch(self, documents, template=None):
        """Send as the scheduled action does; give dict of document → outcome."""
        orders = [
            Request(
                document,
                template or self.template,
                "email",
                {"origin": "run", "user_id": self.alice.id},
            )
            for document in documents
        ]
        return self.env["sales.followup.dispatcher"]._dispatch(orders, Mode.BULK)

    # --- texts are compiled once ------------------------------------------------

    def _count_compiled(self, function):
        """Return how many texts were compiled while a function ran; views are none, and
        what Odoo does to see whether a text is harmless."""
        compiled = []
        generate = IrQweb._generate_code

        def count(qweb, template):
            is_trial = "raise_on_forbidden_code_for_model" in qweb.env.context
            if isinstance(template, etree._Element) and not is_trial:
                compiled.append(template)
            return generate(qweb, template)

        with patch.object(IrQweb, "_generate_code", count):
            function()
        return len(compiled)

    def test_text_is_compiled_once(self):
        template = self._create_template(
            email_body='<p><t t-if="object.name">what about it?</t></p>'
        )
        for quotations, count in ((self.quotations[:2], 1), (self.quotations[2:], 0)):
            compiled = self._count_compiled(
                lambda quotations=quotations: self._dispatch(quotations, template)
            )
            self.assertEqual(compiled, count)

    def test_changed_text_is_compiled_anew(self):
        template = self._create_template(
            email_body='<p><t t-if="object.name">the first text</t></p>'
        )
        langs = dict.fromkeys(self.quotations.ids, "en_US")
        template._render_email(langs)
        template.email_body = '<p><t t-if="object.name">the second text</t></p>'
        for _subject, body in template._render_email(langs).values():
            self.assertIn("the second text", body)

    def test_shipped_texts_are_those_that_odoo_renders(self):
        for lang in LANGS:
            self.env["res.lang"]._activate_lang(lang)
        self.env["ir.module.module"]._load_module_terms(["sales_followup"], LANGS[1:])
        documents = {
            "quotation": self.quotations,
            "sale_order": self.env["sale.order"].concat(
                *(self._create_order(self.customer, state="sale") for _n in range(2))
            ),
            "customer_invoice": self.env["account.move"].concat(
                *(self._create_invoice(self.customer, post=True) for _n in range(2))
            ),
        }
        seen = set()
        for code, name in (
            ("quotation", "quotation"),
            ("sale_order", "order"),
            ("customer_invoice", "invoice"),
        ):
            for level in (1, 2, 3):
                template = self.env.ref(f"sales_followup.template_{name}_{level}")
                self.assertEqual(template.document_type_id.code, code)
                email = template.mail_template_id
                for lang in LANGS:
                    with self.subTest(template=template.name, lang=lang):
                        langs = dict.fromkeys(documents[code].ids, lang)
                        # the zone of days is the company's
                        zone = self.env.company._followup_get_zone().zone
                        bodies = email.with_context(tz=zone)._render_field(
                            "body_html", list(langs), res_ids_lang=langs
                        )
                        ours = template.with_user(self.alice)._render_email(langs)
                        for res_id, (_subject, body) in ours.items():
                            self.assertEqual(body, bodies[res_id])
                            seen.add(body)
        # each document, text and language has one of its own
        self.assertEqual(len(seen), 3 * 3 * (3 + 2 + 2))

    def test_kept_text_gives_nobody_more_rights(self):
        renderer = self.env["mail.render.mixin"].with_context(
            followup_compile_once=True
        )
        source = '<p t-if="object.name"><t t-out="object.access_token"/></p>'
        args = (source, "sale.order", self.quotations.ids)
        self.assertTrue(renderer._render_template_qweb(*args))
        self.assertFalse(self.alice.has_group("mail.group_mail_template_editor"))
        for _again in range(2):
            with self.assertRaises(AccessError):
                renderer.with_user(self.alice)._render_template_qweb(*args)

    def test_other_texts_are_compiled_as_ever(self):
        source = '<p t-if="object.name"><t t-out="object.name"/></p>'
        renderer = self.env["mail.render.mixin"]
        compiled = self._count_compiled(
            lambda: renderer._render_template_qweb(
                source, "sale.order", self.quotations.ids
            )
        )
        self.assertEqual(compiled, len(self.quotations))

    # --- sets -------------------------------------------------------------------

    @mute_logger(
        "odoo.addons.mail.models.mail_render_mixin",
        "odoo.addons.base.models.ir_qweb",
    )
    def test_text_that_fails_costs_only_its_document(self):
        template = self._create_template(email_body=DIVISION)
        bad = self._create_quotation(self._create_customer(email="bad@example.com"))
        bad.order_line.price_unit = 99
        outcomes = self._dispatch(self.quotations | bad, template)
        self.assertEqual(outcomes[bad].state, "failed")
        self.assertIn("division by zero", outcomes[bad].reasons[0])
        self.assertFalse(outcomes[bad].reminder.message_id)
        for quotation in self.quotations:
            self.assertEqual(outcomes[quotation].state, "sent")
            self.assertEqual(
                outcomes[quotation].reminder.message_id.res_id, quotation.id
            )

    def test_queries_do_not_grow_with_the_number(self):
        counts = []
        for number in (10, 30):
            quotations = self._create_quotations(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            outcomes = self._dispatch(quotations)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual({outcome.state for outcome in outcomes.values()}, {"sent"})
        self.assertLessEqual(counts[1] - counts[0], 2, f"{counts} for 10 and 30")

    # --- what is written only once ----------------------------------------------

    def test_customer_who_may_sign_up_is_not_written_again(self):
        customer = self.quotations[0].partner_id
        customer.signup_prepare()
        self.env.flush_all()
        with self.assertQueryCount(0):
            customer.signup_prepare()
            self.env.flush_all()
        self.assertEqual(customer.signup_type, "signup")
        customer.signup_prepare(signup_type="reset")
        self.assertEqual(customer.signup_type, "reset")

    def test_numbers_are_those_of_the_sequence(self):
        sequence = self.env.ref("sales_followup.sequence_reminder")
        for prefix, suffix, padding in (
            ("R%(year)s/", "", 5),
            (False, "/%(month)s", 0),
        ):
            sequence.write({"prefix": prefix, "suffix": suffix, "padding": padding})
            sequence.invalidate_recordset()
            following = sequence.number_next_actual
            self.assertEqual(
                self.env["sales.followup.reminder"]._draw_numbers(2),
                [sequence.get_next_char(following + step) for step in range(2)],
            )

    def test_document_types_are_asked_for_anew_when_they_change(self):
        doc_types = self.env["sales.followup.document.type"].with_user(self.alice)
        quotation = self._type("quotation")
        self.assertIn(quotation, doc_types._get_chased("sale.order"))
        copy = quotation.copy({"code": "copy", "sequence": -1})
        self.assertEqual(doc_types._get_chased("sale.order")[0], copy)
        copy.sequence = 1000
        self.assertEqual(doc_types._get_chased("sale.order")[-1], copy)
        copy.chase_domain = "[(0, '=', 1)]"
        self.assertNotIn(copy, doc_types._get_chased("sale.order"))
        quotation.active = False
        self.assertNotIn(quotation, doc_types._get_chased("sale.order"))
        copy.chase_domain = "[]"
        copy.unlink()
        self.assertNotIn(copy, doc_types._get_chased("sale.order"))
