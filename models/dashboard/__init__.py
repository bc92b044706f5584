from . import sales_followup_dashboard
from . import sales_followup_report
from . import ir_http
