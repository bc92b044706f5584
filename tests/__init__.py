from . import test_document_type
from . import test_representatives
