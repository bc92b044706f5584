from . import test_instalments
from . import test_judge
from . import test_standing
from . import test_too_early
from . import test_verdict_tours
