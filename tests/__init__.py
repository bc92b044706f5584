from . import test_digest
from . import test_document_type
from . import test_documents
from . import test_journal
from . import test_preview_access
from . import test_propagation
from . import test_representatives
from . import test_tours
