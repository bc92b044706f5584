from . import test_document_printer
from . import test_letter
from . import test_pdf_appender
from . import test_patched_build
