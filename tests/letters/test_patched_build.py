"""What prints, tested with the patched wkhtmltopdf as well, where there is one."""

from odoo.tests import tagged

from ..common_letter import PATCHED_FOLDER, PatchedBuild
from . import test_document_printer, test_letter

if PATCHED_FOLDER:

    @tagged("post_install", "-at_install")
    class TestPatchedLetter(PatchedBuild, test_letter.TestLetter):
        pass

    @tagged("post_install", "-at_install")
    class TestPatchedLetters(PatchedBuild, test_letter.TestLetters):
        pass

    @tagged("post_install", "-at_install")
    class TestPatchedLetterDocuments(PatchedBuild, test_letter.TestLetterDocuments):
        pass

    @tagged("post_install", "-at_install")
    class TestPatchedDocumentPrinter(
        PatchedBuild, test_document_printer.TestDocumentPrinter
    ):
        pass
