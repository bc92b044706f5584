import logging
from smtplib import SMTPServerDisconnected

from markupsafe import Markup, escape

from odoo import SUPERUSER_ID, api, models, modules
from odoo.modules.registry import Registry
from odoo.tools import format_amount, is_html_empty, split_every

_logger = logging.getLogger(__name__)

#: how many e-mails are written at a time
BATCH_SIZE = 500

#: how many earlier e-mails about a document its reminder names
MAX_REFERENCES = 3


def _one_line(text):
    """Return a text as a header takes it, whatever people call themselves."""
    return " ".join((text or "").split())


class SalesFollowupEmailer(models.AbstractModel):
    """Sends reminders by e-mail, through the thread of their documents.

    As Odoo's composer does for many records: the message stays in the chatter, each
    recipient has a delivery status, and an answer comes back to the document. Followers
    get no copy.
    """

    _name = "sales.followup.emailer"
    _description = "E-mails of Reminders"

    def _send(self, reminders, at_once):
        """Make the e-mails of outgoing reminders; those that are written already, and
        failed, go into the queue again.

        :param reminders: ``sales.followup.reminder`` of the channel e-mail
        :param at_once: send them right after the commit, instead of leaving them to
            Odoo's queue
        :raise UserError: where a text or a document cannot be rendered
        """
        mails = reminders.filtered("message_id")._queue_again()
        written = mails.mail_message_id
        mails |= self._enqueue(
            reminders.filtered(lambda r: r.message_id not in written)
        )
        if at_once:
            self._deliver_after_commit(mails)

    def _enqueue(self, reminders):
        """Make the e-mails of outgoing reminders, and leave them to Odoo's queue.

        :return: ``mail.mail``, as superuser
        """
        mails = self.env["mail.mail"].sudo()
        for link, of_kind in reminders._group_by_document_model().items():
            for template, alike in of_kind.grouped("template_id").items():
                for ids in split_every(BATCH_SIZE, alike.ids):
                    mails |= self._enqueue_batch(alike.browse(ids), link, template)
        return mails.filtered(lambda mail: mail.state == "outgoing")

    def _enqueue_batch(self, reminders, link, template):
        """Make the e-mails of reminders of one template."""
        contacts = {reminder[link]: reminder.contact_id for reminder in reminders}
        documents = reminders[link]
        documents.check_access("read")
        if template.mail_template_id.email_layout_xmlid:
            self._prepare_customers(documents)
        langs = documents._followup_get_langs(contacts, template, "email")
        recipients = {
            reminder[link].id: reminder.contact_id.id for reminder in reminders
        }
        texts = template._render_email(langs, recipients)
        headers = template._render_email_headers(langs, recipients)
        files = self._get_attachments(reminders, link, template)
        reply_to = documents._notify_get_reply_to_batch(
            defaults={r[link].id: self._get_email_from(r) for r in reminders},
            author_ids={r[link].id: self._get_author(r).id for r in reminders},
        )
        references = self._get_references(documents)
        blacklist = reminders.contact_id._followup_get_blacklisted()
        vals_list = [
            {
                **self._prepare_mail_values(
                    reminder,
                    reminder[link],
                    template,
                    texts[reminder[link].id],
                    references.get(reminder[link].id, ()),
                ),
                "body_html": self._wrap(
                    reminder,
                    reminder[link],
                    template,
                    texts[reminder[link].id][1],
                    langs[reminder[link].id],
                ),
                "attachment_ids": [(6, 0, files[reminder].ids)],
                "reply_to": _one_line(reply_to[reminder[link].id]),
                # what the template says goes before
                **headers[reminder[link].id],
                **self._prepare_refusal(reminder.sudo().contact_id, blacklist),
            }
            for reminder in reminders
        ]
        # sudo: reading the document is enough to send a message on it
        mails = self.env["mail.mail"].sudo().create(vals_list)
        self._notify(mails)
        documents._message_mail_after_hook(mails)
        for reminder, mail in zip(reminders.sudo(), mails, strict=True):
            reminder.message_id = mail.mail_message_id
        reminders._sync_delivery()
        return mails

    def _prepare_customers(self, documents):
        """Do at once for all customers what the buttons of their e-mails need: whoever
        has no account may sign up, where that is open to everybody."""
        if "access_token" not in documents._fields:
            return
        # sudo: the customers' accounts, which links are made for
        customers = documents.sudo().partner_id
        customers.fetch(["signup_type"])
        strangers = customers.filtered(lambda customer: not customer.user_ids)
        if self.env["res.users"]._get_signup_invitation_scope() == "b2c":
            strangers.signup_prepare()

    # --- handing over to the server ---------------------------------------------

    def _deliver_after_commit(self, mails):
        """Send e-mails when this transaction is committed: none goes out for a reminder
        that is not kept.

        What the server says is on the reminders afterwards. It never reaches the user
        as an error: the reminder is there, and trying again would make a second one.

        :param mails: outgoing ``mail.mail``
        """
        if modules.module.current_test:
            # nothing is committed in tests
            self._deliver(mails)
            return
        ids, dbname, context = mails.ids, self.env.cr.dbname, self.env.context

        @self.env.cr.postcommit.add
        def deliver():
            try:
                with Registry(dbname).cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, context)
                    env[self._name]._deliver(env["mail.mail"].browse(ids))
            except Exception:  # whatever it was, Odoo's queue sends what is left
                _logger.exception("E-mails of reminders stay in the queue")

    def _deliver(self, mails):
        """Send e-mails now; each is committed once the server has decided on it.

        Where the connection breaks off, the e-mail that was under way has failed, and
        the others get a new one.
        """
        while waiting := mails.exists().filtered(lambda mail: mail.state == "outgoing"):
            try:
                waiting.send(auto_commit=not modules.module.current_test)
            except SMTPServerDisconnected:
                _logger.info(
                    "The server broke off; sending what is left", exc_info=True
                )
                if (
                    mails.exists().filtered(lambda mail: mail.state == "outgoing")
                    == waiting
                ):
                    raise
            else:
                # left outgoing are those that wait for their time
                return

    # --- what is sent -----------------------------------------------------------

    def _prepare_mail_values(self, reminder, document, template, texts, earlier=()):
        """Return the values of a reminder's ``mail.mail`` but its files and layout.

        :param texts: (subject, body), rendered
        :param earlier: ids of the e-mails about the document, the last one last
        """
        subject, body = texts
        company = document.company_id or self.env.company
        headers = document._notify_by_email_get_headers()
        if earlier:
            headers["In-Reply-To"] = earlier[-1]
        values = {
            # a header is one line, whatever customers call their order
            "subject": _one_line(subject),
            "body": body,
            "model": document._name,
            "res_id": document.id,
            "message_type": "email_outgoing",
            # a reply takes over the subtype: it shall not become an internal note
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment"),
            "author_id": self._get_author(reminder).id,
            "email_from": self._get_email_from(reminder),
            "mail_server_id": template.mail_template_id.mail_server_id.id,
            "recipient_ids": [(4, reminder.contact_id.id)],
            "record_company_id": company.id,
            "record_alias_domain_id": company.sudo().alias_domain_id.id,
            "headers": repr(headers),
            # the message stays in the chatter when the e-mail goes
            "is_notification": True,
            "auto_delete": True,
        }
        message_id = self.env["mail.message"]._get_message_id(values)
        references = " ".join((*earlier, message_id))
        return {**values, "message_id": message_id, "references": references}

    def _get_author(self, reminder):
        """Return who writes: the user of the reminder, else its company; the current
        user may be a scheduled action's.

        :rtype: res.partner
        """
        # sudo: a company's partner may be read by few
        return reminder.user_id.partner_id or reminder.company_id.sudo().partner_id

    def _get_references(self, documents):
        """Return which e-mails about documents the customer may have: mail programs put
        a reminder below them.

        :return: dict of document id → their ids as in the headers, the last one last
        """
        # sudo: reading the document is enough to write about it
        messages = self.env["mail.message"].sudo()
        found = messages._read_group(
            [
                ("model", "=", documents._name),
                ("res_id", "in", documents.ids),
                ("message_type", "in", ("comment", "email", "email_outgoing")),
                ("subtype_id.internal", "=", False),
                ("subtype_id", "!=", False),
                ("is_internal", "=", False),
                ("message_id", "!=", False),
            ],
            ["res_id"],
            ["id:array_agg"],
        )
        last = {res_id: sorted(ids)[-MAX_REFERENCES:] for res_id, ids in found}
        known = messages.browse(number for ids in last.values() for number in ids)
        known.fetch(["message_id"])
        return {
            res_id: [_one_line(messages.browse(number).message_id) for number in ids]
            for res_id, ids in last.items()
        }

    def _get_email_from(self, reminder):
        """Return the sender of a reminder: its user, else its company."""
        return _one_line(
            reminder.user_id.sudo().email_formatted
            or reminder.company_id.sudo().email_formatted
        )

    def _wrap(self, reminder, document, template, body, lang):
        """Put the text into the layout: logo, button to the document, signature."""
        layout = template.mail_template_id.email_layout_xmlid
        if not layout:
            return body
        contact = reminder.sudo().contact_id
        author = self._get_author(reminder)
        # the e-mail says which company writes, as Odoo's own about documents do
        document = document.with_context(email_notification_force_footer=True)
        kind, name = document._followup_get_names(lang)
        message_values = {
            "author_id": author.id,
            "email_add_signature": True,
            "email_layout_xmlid": layout,
            "model": document._name,
            "res_id": document.id,
            "partner_ids": contact.ids,
            # what it has not need not be looked for
            "subtype_id": False,
            "tracking_value_ids": False,
        }
        message = self.env["mail.message"].new(
            {
                "body": body,
                "author_id": author.id,
                "email_add_signature": True,
            }
        )
        # one recipient, who is a customer: as the composer describes it for many
        recipient = {
            "active": True,
            "email_normalized": contact.email_normalized,
            "groups": [],
            "id": contact.id,
            "is_follower": False,
            "lang": lang,
            "name": contact.name,
            "notif": "email",
            "share": True,
            "type": "customer",
            "uid": False,
            "ushare": False,
        }
        for _lang, values, group in document._notify_get_classified_recipients_iterator(
            message,
            [recipient],
            msg_vals=message_values,
            model_description=kind,
            force_email_lang=lang,
            force_record_name=name,
            subtitles=self._get_subtitles(document, lang),
        ):
            self._give_access(document, group)
            values |= self._prepare_signature(reminder)
            return document._notify_by_email_render_layout(
                message, group, msg_vals=message_values, render_values=values
            )
        return body

    def _prepare_signature(self, reminder):
        """Return who signs, as the layout wants it: the user with their signature, who
        may have none, else the company."""
        if reminder.user_id:
            signature = reminder.user_id.sudo().signature
        else:
            signature = escape(reminder.company_id.sudo().name)
        if is_html_empty(signature):
            return {"signature": "", "email_add_signature": False}
        signature = Markup("<div>-- <br/>%s</div>") % signature  # as Odoo has it
        return {"signature": signature, "email_add_signature": True}

    def _get_subtitles(self, document, lang):
        """Return what the head of the e-mail says of the document, where Odoo says what
        is no longer true: the total of an invoice of which only a part is due.

        :return: list of str, or ``None`` for what Odoo says
        """
        due = document.followup_due_amount
        total = document.amount_total if "amount_total" in document._fields else None
        if not due or due == total:
            return None
        amount = format_amount(self.env, due, document.currency_id, lang_code=lang)
        return [f"{document.name} - {document.partner_id.name}", amount]

    def _give_access(self, document, group):
        """Let the recipient open the document, as its PDF goes along anyway.

        Odoo gives a button to the document's own contact, with what it takes to sign
        up as that contact; others get one that merely shows the document.

        :param group: dict describing the recipient, for the layout; it is changed
        """
        if group["has_button_access"] or "access_token" not in document._fields:
            return
        # sudo: reading the document is enough to show it to somebody
        token = document.sudo()._portal_ensure_token()
        group["has_button_access"] = True
        group["button_access"]["url"] = document._notify_get_action_link(
            "view", model=document._name, res_id=document.id, access_token=token
        )

    # --- delivery ---------------------------------------------------------------

    def _prepare_refusal(self, contact, blacklist):
        """Return the state of an e-mail that must not go out."""
        if contact._followup_get_addresses() & blacklist:
            return {"state": "cancel", "failure_type": "mail_bl"}
        if not contact.email_normalized:
            return {"state": "exception", "failure_type": "mail_email_invalid"}
        return {}

    def _notify(self, mails):
        """Return each e-mail a delivery status, as the chatter shows it."""
        self.env["mail.notification"].sudo().create(
            [
                {**values, "res_partner_id": mail.recipient_ids.id}
                for mail, values in zip(
                    mails, mails._get_notification_values(), strict=True
                )
            ]
        )
