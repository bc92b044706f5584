"""The field type of representatives."""

from odoo import fields


class Representatives(fields.Many2many):
    """The users who follow a record, stored before its lines and contacts.

    ``create`` stores x2many values in the order their fields were defined, and those
    of an addon come last. But who may create an order's lines depends on the order's
    representatives, and a contact takes those of its company.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._sequence = -1
