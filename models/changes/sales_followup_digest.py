from odoo import models
from odoo.tools import SQL

from .sales_followup_change_process import TEAM_FIELD

#: how many records a digest links
LINK_COUNT = 20


class SalesFollowupDigest(models.AbstractModel):
    """Tells new representatives what a bulk change gave them: one message each."""

    _name = "sales.followup.digest"
    _description = "Digest of New Representatives"

    def _notify(self, change, undo=False):
        """Send one notification to each user whom a change or its undo put in charge.

        The author and archived users get none. A representative who takes over the lead
        is told: that is news, too.

        :param change: the ``sales.followup.change`` that was done or undone
        :param undo: whether it was undone
        """
        gains = self._get_gains(change, undo)
        # sudo: a user of another company is told too
        users = self.env["res.users"].sudo().browse(gains).exists().filtered("active")
        for user in users - self.env.user:
            self._send(change, user, gains[user.id], undo)

    def _get_gains(self, change, undo):
        """Return what each user gained.

        :return: dict of user id → list of (model, document type id or ``None``, number
            of records, ids of the first of them)
        """
        old, new = ("new_ids", "old_ids") if undo else ("old_ids", "new_ids")
        rows = self.env.execute_query(
            SQL(
                """
                WITH gained AS (
                    SELECT DISTINCT person.id::int AS user_id,
                           line.model, line.type_id, line.res_id
                      FROM sales_followup_change_line line,
                           JSONB_ARRAY_ELEMENTS(line.%(new)s) AS person (id)
                     WHERE line.change_id = %(change)s AND %(told)s
                       AND line.field <> %(team)s
                       AND NOT COALESCE(line.%(old)s, '[]') @> person.id
                ), numbered AS (
                    SELECT *, ROW_NUMBER() OVER (
                                  PARTITION BY user_id
                                  ORDER BY type_id NULLS FIRST, res_id) AS number
                      FROM gained
                )
                SELECT user_id, model, type_id, COUNT(*),
                       ARRAY_AGG(res_id ORDER BY res_id)
                           FILTER (WHERE number <= %(limit)s)
                  FROM numbered
              GROUP BY user_id, model, type_id
              ORDER BY user_id, type_id NULLS FIRST
                """,
                old=SQL.identifier(old),
                new=SQL.identifier(new),
                change=change.id,
                told=change._get_told_lines(),
                team=TEAM_FIELD,
                limit=LINK_COUNT,
            )
        )
        gains = {}
        for user_id, *gain in rows:
            gains.setdefault(user_id, []).append(gain)
        return gains

    def _send(self, change, user, gains, undo):
        """Notify one user of all that is new for them, in their language."""
        thread = self.env["mail.thread"].with_context(lang=user.lang)
        body = thread.env["ir.qweb"]._render(
            "sales_followup.digest",
            {
                "intro": self._get_intro(thread.env, change, undo),
                "sections": [
                    self._prepare_section(thread.env, user, *gain) for gain in gains
                ],
            },
            minimal_qcontext=True,
        )
        thread.message_notify(
            subject=thread.env._("You have new customers or documents to follow"),
            body=body,
            partner_ids=user.partner_id.ids,
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _get_intro(self, env, change, undo):
        """Return the digest's first sentence, in the language of ``env``."""
        names = {
            "author": self.env.user.name,
            "change": change.with_env(env).display_name,
        }
        if undo:
            return env._(
                "%(author)s undid “%(change)s”. You are in charge again of:", **names
            )
        return env._("%(author)s put you in charge (%(change)s). New for you:", **names)

    def _prepare_section(self, env, user, model_name, type_id, count, record_ids):
        """Return the values of one kind of records for the digest's template.

        Only records that the user may see are named and linked.
        """
        records = (
            env[model_name]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
            .browse(record_ids or [])
        )
        doc_type = env["sales.followup.document.type"].sudo().browse(type_id or ())
        return {
            "label": doc_type.name
            or (
                env._("Customers")
                if model_name == "res.partner"
                else env._("Activities")
            ),
            "count": count,
            "links": [
                {
                    "name": record.display_name,
                    "url": f"{record.get_base_url()}/mail/view"
                    f"?model={model_name}&res_id={record.id}",
                }
                # an activity has no page of its own
                for record in records._filtered_access("read")
                if model_name != "mail.activity"
            ],
        }
