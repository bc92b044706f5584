"""Demo reminders that tell of e-mails and letters that were sent."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE sales_followup_reminder reminder SET is_sending = TRUE
          FROM ir_model_data data
         WHERE data.module = 'sales_followup'
           AND data.model = 'sales.followup.reminder'
           AND data.res_id = reminder.id
           AND reminder.channel IN ('email', 'letter')
        """
    )
