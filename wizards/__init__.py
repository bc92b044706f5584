from . import base_partner_merge
from . import sales_followup_assign
from . import sales_followup_propagate
from . import sales_followup_propagate_line
from . import sales_followup_remind
from . import sales_followup_cancel
from . import sales_followup_preview
