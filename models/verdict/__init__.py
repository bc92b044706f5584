from . import sales_followup_mixin
from . import sales_followup_facts
from . import sales_followup_judge
from . import res_partner
