from . import base_partner_merge
from . import sales_followup_assign
from . import sales_followup_propagate
from . import sales_followup_propagate_line
