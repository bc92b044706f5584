from . import test_document_type
from . import test_propagation
from . import test_representatives
from . import test_tours
