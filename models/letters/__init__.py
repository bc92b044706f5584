from . import sales_followup_document_printer
from . import sales_followup_letter_content
from . import sales_followup_letter_press
from . import sales_followup_letter
from . import ir_actions_report
from . import res_company
