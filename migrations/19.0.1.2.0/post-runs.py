"""The scheduled action that sends automatic reminders calls the run.

Its record is not updated by itself, as people may have changed when it runs.
"""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE ir_act_server server
           SET model_id = model.id
          FROM ir_model model, ir_cron cron, ir_model_data data
         WHERE model.model = 'sales.followup.run'
           AND data.module = 'sales_followup'
           AND data.name = 'ir_cron_send_automatic'
           AND data.model = 'ir.cron'
           AND cron.id = data.res_id
           AND server.id = cron.ir_actions_server_id
        """
    )
