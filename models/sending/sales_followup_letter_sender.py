from odoo import models


class SalesFollowupLetterSender(models.AbstractModel):
    """Prints reminders as letters: the letter, then the document, in one PDF."""

    _name = "sales.followup.letter.sender"
    _description = "Letters of Reminders"

    def _send(self, reminders, at_once=True):
        """Make the PDF of outgoing reminders, and store it on them.

        :param reminders: ``sales.followup.reminder`` of the channel letter
        :param at_once: as for e-mails; a letter is there when it is made
        :raise UserError: where a text or a document cannot be rendered
        """
        for link, of_kind in reminders._group_by_document_model().items():
            for template, alike in of_kind.grouped("template_id").items():
                self._print_batch(alike, link, template)
        reminders._log_in_chatter()
        reminders._settle_alerts()

    def _print_batch(self, reminders, link, template):
        """Print reminders of one template."""
        letters = self._prepare_letters(reminders, link, template)
        renderer = self.env["sales.followup.letter"]
        printer = self.env["sales.followup.document.printer"]
        documents = printer._render_documents(reminders[link])
        pdfs = [
            renderer._merge(letter, documents[reminder[link]], reminder[link])
            for reminder, letter in zip(
                reminders, renderer._render_pdf(letters), strict=True
            )
        ]
        # sudo: the file belongs to the reminder, whose history no user writes
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": self._get_file_name(reminder),
                        "raw": pdf,
                        "mimetype": "application/pdf",
                        "res_model": reminder._name,
                        "res_id": reminder.id,
                    }
                    for reminder, pdf in zip(reminders, pdfs, strict=True)
                ]
            )
        )
        for reminder, attachment in zip(reminders.sudo(), attachments, strict=True):
            reminder.write({"attachment_id": attachment.id, "state": "done"})

    def _prepare_letters(self, reminders, link, template):
        """Return what the letters say, as ``sales.followup.letter`` wants it."""
        contacts = {reminder[link]: reminder.contact_id for reminder in reminders}
        langs = reminders[link]._followup_get_langs(contacts, template, "letter")
        recipients = {
            reminder[link].id: reminder.contact_id.id for reminder in reminders
        }
        bodies = template._render_letter(langs, recipients)
        subjects = template._render_subject(langs, recipients)
        return [
            {
                "document": reminder[link],
                "contact": reminder.sudo().contact_id,
                "subject": subjects[reminder[link].id],
                "body": bodies[reminder[link].id],
                "user": reminder.user_id,
                "date": reminder._get_local_day(),
                "lang": langs[reminder[link].id],
            }
            for reminder in reminders
        ]

    def _get_file_name(self, reminder):
        """Return the name of a letter's file."""
        document = reminder._get_document()
        name = f"{reminder.name} {document.display_name}".replace("/", "-")
        return f"{name}.pdf"
