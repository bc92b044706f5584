"""Every decision of the addon, as plain Python: no ORM, no clock, no database.

Models fetch facts, call a rule and write what it answers. The same function
serves a form, an import, a bulk change, its preview and its undo.
"""
