from . import followup_rental
from . import sales_followup_document_link
