from . import test_document_type
from . import test_js
from . import test_morning_tours
from . import test_screens
from . import test_translations
from . import test_wings

from .representatives import *
from .changes import *
from .reminders import *
from .verdict import *
from .letters import *
from .sending import *
from .runs import *
from .dashboard import *
