from . import sales_followup_document_dialog

from . import base_partner_merge
from . import sales_followup_anonymize
from . import sales_followup_assign
from . import sales_followup_propagate
from . import sales_followup_propagate_line
from . import sales_followup_remind
from . import sales_followup_amend
from . import sales_followup_cancel
from . import sales_followup_preview
from . import sales_followup_verdict
from . import sales_followup_forecast
