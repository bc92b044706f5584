from odoo.tools import SQL
from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Turn the state of journal lines into positions, exceptions and a progress.

    Lines of one record get one number within their change; what was noted on every
    line is from now on told by how far the change has come.
    """
    if not column_exists(cr, "sales_followup_change_line", "state"):
        return
    cr.execute(
        """
        UPDATE sales_followup_change_line line
           SET position = numbered.position,
               outcome = CASE WHEN line.state IN ('left', 'kept') THEN line.state END
          FROM (SELECT id, DENSE_RANK() OVER (
                           PARTITION BY change_id ORDER BY type_id, model, res_id
                       ) AS position
                  FROM sales_followup_change_line) AS numbered
         WHERE numbered.id = line.id
        """
    )
    cr.execute(
        """
        UPDATE sales_followup_change change SET planned_count = lines.last
          FROM (SELECT change_id, MAX(position) AS last
                  FROM sales_followup_change_line GROUP BY change_id) AS lines
         WHERE lines.change_id = change.id
        """
    )
    cr.execute(
        """
        INSERT INTO sales_followup_change_progress
                    (change_id, applied, undone, changed_count, left_count,
                     undone_count, kept_count, restored_count, hidden_count)
             SELECT id, planned_count,
                    CASE WHEN state = 'undone' THEN planned_count ELSE 0 END,
                    changed_count, left_count, undone_count, kept_count,
                    undone_count, 0
               FROM sales_followup_change
        """
    )
    # a change that was undone in part: the rest is what its author could not see
    cr.execute(
        """
        WITH partly AS (
            SELECT DISTINCT change_id FROM sales_followup_change_line
             WHERE state = 'undone'
            INTERSECT
            SELECT id FROM sales_followup_change WHERE state = 'done'
        ), hidden AS (
            UPDATE sales_followup_change_line line SET outcome = 'hidden'
              FROM partly
             WHERE partly.change_id = line.change_id AND line.state = 'done'
         RETURNING line.change_id, line.position
        )
        UPDATE sales_followup_change_progress progress
           SET undone = progress.applied, hidden_count = counted.number
          FROM (SELECT change_id, COUNT(DISTINCT position) AS number
                  FROM hidden GROUP BY change_id) AS counted
         WHERE counted.change_id = progress.change_id
        """
    )
    _note_customers(cr)
    cr.execute("ALTER TABLE sales_followup_change_line DROP COLUMN state")


def _note_customers(cr):
    """Note whose the records of former changes are, which no line told: an undo gives
    back only what still belongs to the same customer."""
    cr.execute(
        """
        UPDATE sales_followup_change_line line
           SET partner_id = NULLIF(partner.commercial_partner_id, partner.id)
          FROM res_partner partner
         WHERE line.model = 'res.partner' AND partner.id = line.res_id
        """
    )
    cr.execute(
        """
        SELECT DISTINCT type.id, type.model, type.partner_field
          FROM sales_followup_change_line line
          JOIN sales_followup_document_type type ON type.id = line.type_id
        """
    )
    for type_id, model_name, partner_field in cr.fetchall():
        table = model_name.replace(".", "_")
        if not column_exists(cr, table, partner_field):
            continue
        cr.execute(
            SQL(
                """
                UPDATE sales_followup_change_line line SET partner_id = partner.id
                  FROM %(table)s doc
                  JOIN res_partner partner ON partner.id = doc.%(partner)s
                 WHERE line.type_id = %(type)s AND doc.id = line.res_id
                """,
                table=SQL.identifier(table),
                partner=SQL.identifier(partner_field),
                type=type_id,
            )
        )
