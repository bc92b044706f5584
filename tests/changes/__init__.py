from . import test_assign
from . import test_bulk_writing
from . import test_change_survival
from . import test_change_tours
from . import test_digest
from . import test_journal
from . import test_preview_access
from . import test_propagation
