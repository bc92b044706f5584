"""What the tests of faults share.

:mod:`.scene` and :mod:`.worker` run inside processes of Odoo; the rest does not know
Odoo, and looks at it from outside: processes, and what is in the database.
"""
