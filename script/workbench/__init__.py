"""What script/demo, script/test, script/odoo, script/lint and script/bench share.

The first stage (``cli``, ``problem``, ``console``, ``process``, ``cache``,
``debian`` and ``virtualenv``) uses the standard library only: it prepares the
virtual environment and starts itself again inside it. Everything else runs
there.
"""
