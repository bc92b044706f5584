from contextlib import contextmanager

from goals import Queries, Ratio
from measure import Trial, Way
from product import FIRST_REMINDER, remind_by_email, write_without_files
from session import rolled_back

from . import Row

RECORDS = 1_000
#: what a ready e-mail consists of
MAIL_FIELDS = (
    "subject",
    "body",
    "body_html",
    "model",
    "res_id",
    "message_type",
    "subtype_id",
    "author_id",
    "email_from",
    "reply_to",
    "mail_server_id",
    "recipient_ids",
    "record_company_id",
    "record_alias_domain_id",
    "headers",
    "is_notification",
    "auto_delete",
    "message_id",
    "references",
)


class Emails(Row):
    """Remind by e-mail, other customers each, and leave the e-mails to Odoo's queue.

    Ours is all that a scheduled action does about documents it judged: lock, ask the
    verdict again, make reminder, next activity and e-mail. The floor is told what to
    write: it merely creates the e-mails that ours made, with their messages in the
    chatter and their delivery status, all at once by the ORM.
    """

    code = "7"
    title = "enqueue e-mail reminders, without PDF"
    tables = (
        "sale_order",
        "res_partner",
        "mail_activity",
        "mail_followers",
        "mail_mail",
        "mail_mail_res_partner_rel",
        "mail_message",
        "mail_message_res_partner_rel",
        "mail_notification",
        "sales_followup_reminder",
    )
    goals = (
        Ratio("peer", "ours", at_least=25),
        Ratio("send_mail_batch", "ours", at_least=6),
        Ratio("composer", "ours"),
        Ratio("ours", "floor", at_most=2),
        Queries("ours", at_most=0.2),
    )
    remarks = (
        "peer: what OCA account_credit_control ends up in, a message posted on each"
        " document with the template, which notifies its recipient",
        "send_mail_batch keeps no message in the chatter and no delivery status",
    )

    def ways(self):
        sample = min(self.options.sample, 200)
        return [
            Way("ours", self.ours, RECORDS, su=True),
            Way("floor", self.floor, RECORDS, su=True, around=self.around),
            Way("peer", self.peer, sample, su=True, slow=True),
            Way("send_mail_batch", self.send_in_batch, sample, su=True, slow=True),
            Way("composer", self.compose, sample, su=True, slow=True),
        ]

    def ours(self, trial):
        quotations, template = self._prepare(trial)
        with trial.lap():
            remind_by_email(quotations, template, self.data.leaver)

    @contextmanager
    def around(self, bench, turn, records):
        """Have ours make the e-mails, in a transaction of its own: yields values."""
        with rolled_back(bench.registry, self.data.editor, bench.context()) as env:
            trial = Trial(env(su=True), self.data, turn, records)
            values = self._get_values(*self._prepare(trial))
        yield values

    def floor(self, trial):
        self._prepare(trial)
        with trial.lap():
            created = trial.env["mail.mail"].create(trial.prepared)
            trial.env["mail.notification"].create(
                [
                    {
                        **notification,
                        "res_partner_id": mail.recipient_ids.id,
                    }
                    for mail, notification in zip(
                        created, created._get_notification_values(), strict=True
                    )
                ]
            )

    def _get_values(self, quotations, template):
        """Return the values of the e-mails that ours makes."""
        reminders = remind_by_email(quotations, template, self.data.leaver)
        mails = reminders.message_id.mail_ids
        assert len(mails) == len(quotations)
        return mails._read_format(MAIL_FIELDS, load=None)

    def peer(self, trial):
        quotations, template = self._prepare(trial)
        with trial.lap():
            for quotation in quotations:
                quotation.message_post_with_source(
                    template.mail_template_id,
                    email_layout_xmlid=template.mail_template_id.email_layout_xmlid,
                    subtype_xmlid="mail.mt_comment",
                )

    def send_in_batch(self, trial):
        quotations, template = self._prepare(trial)
        mail_template = template.mail_template_id
        with trial.lap():
            mail_template.send_mail_batch(
                quotations.ids, email_layout_xmlid=mail_template.email_layout_xmlid
            )

    def compose(self, trial):
        quotations, template = self._prepare(trial)
        with trial.lap():
            composer = (
                trial.env["mail.compose.message"]
                .with_context(active_ids=quotations.ids)
                .create(
                    {
                        "composition_mode": "mass_mail",
                        "model": quotations._name,
                        "template_id": template.mail_template_id.id,
                    }
                )
            )
            composer._action_send_mail()

    def _prepare(self, trial):
        """Return the quotations and the template of a trial."""
        template = write_without_files(trial.env, FIRST_REMINDER)
        ids = self.data.quotation_ids(trial.records, trial.turn)
        env = trial.env(context={**trial.env.context, "mail_notify_force_send": False})
        return env["sale.order"].browse(ids), env[template._name].browse(template.id)
