from odoo import api, fields, models


class SalesFollowupMixin(models.AbstractModel):
    """Whether a reminder of a document would be sent, and what keeps it from it."""

    _inherit = "sales.followup.mixin"

    followup_outlook = fields.Char(
        string="Next Automatic Reminder",
        compute="_compute_followup_outlook",
        groups="sales_followup.group_user",
        help="Whether the next reminder is sent automatically, and when.",
    )

    # Without dependencies: it is asked for by forms alone, after each saving.
    @api.depends_context("uid", "lang")
    def _compute_followup_outlook(self):
        documents = self._origin
        types = documents._followup_get_types() if documents else {}
        chased = documents.filtered(types.get)
        judge = self.env["sales.followup.judge"]
        judged = judge._judge(chased, explain=True) if chased else {}
        for document in self:
            judgement = judged.get(document._origin)
            document.followup_outlook = (
                judgement and document._origin._followup_tell_outlook(*judgement)
            )

    def _followup_tell_outlook(self, template, verdict):
        """Return in one line whether a reminder of this document is sent automatically.

        :param template: ``sales.followup.template`` whose turn it is
        :param verdict: :class:`~..rules.verdict.Verdict`, ``None`` where it has no turn
        :rtype: str
        """
        self.ensure_one()
        judge = self.env["sales.followup.judge"]
        if verdict is None or verdict.send or verdict.next_date:
            return judge._answer(template, verdict)
        currency = self.sudo().company_id.currency_id
        reasons = [judge._explain(reason, currency) for reason in verdict.reasons]
        return self.env._("No: %(reasons)s", reasons=" ".join(reasons))

    # --- obstacles --------------------------------------------------------------

    def _followup_get_objections(self):
        """Say what else speaks against reminding of these documents: for other addons.

        By itself nothing is sent then; a person is told, and may overrule it.

        :return: dict of document → list of sentences, in the language of the context;
            documents that nothing speaks against need not be in it
        """
        return {}

    def _followup_get_circumstances(self, due_dates):
        """Return what makes it too early to remind of these documents, or needless.

        :param due_dates: dict of document → date or ``None``
        :return: dict of document → dict of ``payable_on``, ``delivery_on``,
            ``waits_for_us`` and ``credit``, as :class:`~..rules.verdict.Document` has
            them; what is not in it does not apply
        """
        return {}

    def _followup_get_next_template(self):
        """Suggest the next level of the document's series; after the last, the last.

        :return: ``sales.followup.template``, empty where no series fits
        """
        self.ensure_one()
        return self.env["sales.followup.judge"]._suggest(self)[self]

    def _followup_get_obstacles(self, channel, template, contact=None):
        """Say what keeps an e-mail or a letter about these documents from going out.

        :param channel: ``email`` or ``letter``
        :param template: ``sales.followup.template`` to send
        :param contact: ``res.partner`` to send to; empty: who the rule says
        :return: dict of document → a sentence with the remedy, ``None`` where all is
            well
        """
        refusals = self._followup_get_refusals(template)
        recipients = self._followup_get_recipients(channel)
        reachable = self._followup_get_reachable(channel)
        obstacles = {}
        for document in self:
            recipient = contact or recipients[document]
            problem = contact and document._followup_get_contact_problem(contact)
            if refusals[document] or problem:
                obstacles[document] = refusals[document] or problem
            elif not template.sudo()._has_text(channel):
                obstacles[document] = self.env._(
                    "Template “%(template)s” has no text for this channel; write one, "
                    "or choose another template.",
                    template=template.sudo().name,
                )
            elif not recipient or not reachable(recipient.sudo()):
                obstacles[document] = document._followup_get_unreachable_message(
                    channel
                )
            else:
                obstacles[document] = None
        return obstacles

    def _followup_get_refusals(self, template):
        """Say which documents nothing is sent about, or not with this template.

        :param template: ``sales.followup.template`` to send, maybe empty
        :return: dict of document → a sentence with the remedy, or ``None``
        """
        situations = self._followup_get_situations()
        # sudo: whoever may remind may know what the template is for
        template = template.sudo()
        refusals = dict.fromkeys(self)
        for document in self:
            doc_type = situations[document].type
            if not situations[document].is_open:
                refusals[document] = document._followup_get_closed_message()
            elif not template:
                refusals[document] = self.env._(
                    "Choose a template for the reminder of %(document)s.",
                    document=document.display_name,
                )
            elif template.document_type_id != doc_type:
                refusals[document] = self.env._(
                    "Template “%(template)s” is for %(type)s; choose one for "
                    "%(document)s (%(other)s).",
                    template=template.name,
                    type=template.document_type_id.name,
                    document=document.display_name,
                    other=doc_type.name,
                )
        return refusals

    def _followup_get_closed_message(self):
        """Say that nothing is sent about a closed document, and what can be done."""
        return self.env._(
            "%(document)s is not open any more, so nothing is sent about it. You can "
            "still log what you did by phone or otherwise.",
            document=self.display_name,
        )

    def _followup_get_unreachable_message(self, channel):
        """Say that the customer has no address for a channel, and what can be done."""
        # sudo: the customer's name is on the document anyway
        customer = self.sudo().partner_id.display_name
        if not customer:
            return self.env._(
                "%(document)s has no customer yet; enter one first.",
                document=self.display_name,
            )
        # sudo: as above
        candidates = self.sudo()._followup_get_candidates()
        if candidates and not any(candidates.mapped("active")):
            return self.env._(
                "%(customer)s is archived, so nothing about %(document)s can be sent. "
                "Restore the contact, or choose a follow-up contact.",
                customer=customer,
                document=self.display_name,
            )
        if channel == "email":
            return self.env._(
                "%(customer)s has no valid e-mail address for %(document)s. Enter one "
                "on the contact, choose a follow-up contact who has one, or send a "
                "letter instead.",
                customer=customer,
                document=self.display_name,
            )
        return self.env._(
            "%(customer)s has no postal address for %(document)s. Enter one on the "
            "contact, or choose a follow-up contact who has one.",
            customer=customer,
            document=self.display_name,
        )
