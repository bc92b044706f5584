from . import test_access_rights
from . import test_documents
from . import test_representatives
