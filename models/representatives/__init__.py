from . import sales_followup_followed
from . import sales_followup_mixin
from . import res_users
from . import res_partner
from . import ir_actions
from . import res_company
