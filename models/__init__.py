# What only this addon writes.
from . import sales_followup_guarded

# What a document is: data that says where to find it, and a link to it.
from . import sales_followup_document_link
from . import sales_followup_document_type

# Who follows a customer and its documents.
from . import representatives

# Bulk changes of representatives: planned, written, journalled, undone.
from . import changes

# What a reminder is, its texts and its agenda.
from . import reminders

# Whether a reminder would be sent, and why not.
from . import verdict

# Letters and documents on paper.
from . import letters

# The one way by which a reminder leaves the house.
from . import sending

# Many reminders at once: in bulk, and automatically.
from . import runs

# What a manager sees.
from . import dashboard

# Documents that are followed, and the settings: above all wings.
from . import sale_order
from . import account_move
from . import account_move_line
from . import res_config_settings
