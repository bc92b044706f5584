import io
import re
from collections import Counter

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open
from odoo.tools.translate import trans_export

MODULE = "sales_followup"
LANGUAGES = ("fr", "it")

#: what a translation must take over as it is: placeholders and tags
FIXED = re.compile(r"%\(\w+\)\w|%%|</?\w[^>]*>")

#: French sets off these with a space that does not break
LOOSE_FRENCH = re.compile(r"[ \w][?!»]| [:;]|«[ \w]")


def _read(name):
    with file_open(f"{MODULE}/i18n/{name}") as file:
        return polib.pofile(file.read())


def _get_terms(catalogue):
    """Return the terms of a catalogue, but those of demo data: not every database has
    them."""
    return {
        entry.msgid
        for entry in catalogue
        if not all("_demo" in where for where, _line in entry.occurrences)
    }


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = _read(f"{MODULE}.pot")

    def _assert_none(self, is_wrong, languages=LANGUAGES):
        """Assert that no translation is wrong, and show those that are."""
        wrong = [
            f"{language}: {entry.msgid!r} → {entry.msgstr!r}"
            for language in languages
            for entry in _read(f"{language}.po")
            if is_wrong(entry)
        ]
        self.assertFalse(wrong, "\n".join(wrong))

    def test_template_is_what_an_export_gives_now(self):
        exported = io.BytesIO()
        trans_export(False, [MODULE], exported, "po", self.env)
        now = _get_terms(polib.pofile(exported.getvalue().decode()))
        self.assertSetEqual(now, _get_terms(self.template), "i18n/ wants an export")

    def test_each_language_has_every_term_and_no_other(self):
        terms = {entry.msgid for entry in self.template}
        for language in LANGUAGES:
            with self.subTest(language=language):
                catalogue = _read(f"{language}.po")
                self.assertSetEqual({entry.msgid for entry in catalogue}, terms)

    def test_no_translation_is_empty_or_fuzzy(self):
        self._assert_none(lambda entry: entry.fuzzy or not entry.msgstr.strip())

    def test_translations_take_over_placeholders_and_tags(self):
        self._assert_none(
            lambda entry: (
                Counter(FIXED.findall(entry.msgid))
                != Counter(FIXED.findall(entry.msgstr))
            )
        )

    def test_french_spaces_do_not_break(self):
        self._assert_none(lambda entry: LOOSE_FRENCH.search(entry.msgstr), ["fr"])

    def test_a_term_of_each_kind_comes_out_translated(self):
        """Python code, view, menu, field, selection, record."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms([MODULE], ["fr_FR"])
        french = self.env(context={**self.env.context, "lang": "fr_FR"})
        wizard = french["sales.followup.assign"]
        menu = french.ref("sales_followup.sales_followup_change_menu")
        doc_type = french.ref("sales_followup.document_type_quotation")
        operations = dict(wizard._fields["operation"]._description_selection(french))
        arch = wizard.get_view(view_type="form")["arch"]
        self.assertEqual(menu.name, "Commerciaux")
        self.assertEqual(doc_type.name, "Devis")
        self.assertEqual(
            wizard._fields["user_ids"]._description_string(french), "Commerciaux"
        )
        self.assertEqual(operations["replace"], "Remplacer un commercial")
        self.assertIn("Inchangé, ou le commercial suivant", arch)
        self.assertEqual(wizard.new()._get_missing()[:12], "Sélectionnez")
