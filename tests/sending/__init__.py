from . import test_dispatcher
from . import test_email
from . import test_email_files
from . import test_email_pdf
from . import test_email_speed
from . import test_recipients
from . import test_retry
from . import test_smtp
