from odoo.addons.sales_followup.hooks import add_reminder_columns


def migrate(cr, version):
    """Reminders are new: no document has one."""
    add_reminder_columns(cr)
