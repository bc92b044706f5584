"""Make a database ready for people: started as a program with the names of steps."""

import sys

from workbench.console import step
from workbench.inside import odoo_environment

LANGUAGES = ("fr_FR", "it_IT")
# Of the page to log in, and of the web client.
BUNDLES = (
    "web.assets_frontend",
    "web.assets_frontend_minimal",
    "web.assets_frontend_lazy",
    "web.assets_web",
)


def languages(env):
    """Have French and Italian beside English."""
    wanted = env["res.lang"].with_context(active_test=False)
    missing = wanted.search([("code", "in", LANGUAGES), ("active", "=", False)])
    if missing:
        step("Loading French and Italian")
        values = {"lang_ids": [(6, 0, missing.ids)]}
        env["base.language.install"].create(values).lang_install()


def address(env, url):
    """Have links lead to this address, and letters take their style from it."""
    parameters = env["ir.config_parameter"]
    parameters.set_param("web.base.url", url)
    # Odoo would take the address by which an administrator comes.
    parameters.set_param("web.base.url.freeze", "True")
    parameters.set_param("report.url", url)


def pages(env):
    """Build what the first page needs, so that nobody waits for it."""
    step("Building the pages")
    for name in BUNDLES:
        bundle = env["ir.qweb"]._get_asset_bundle(name, css=True, js=True)
        bundle.js()
        bundle.css()


def main(names):
    steps = {"languages": languages, "pages": pages}
    with odoo_environment() as env:
        for name in names:
            if name in steps:
                steps[name](env)
            else:
                address(env, name)
            # What is done need not be done again if somebody stops here.
            env.cr.commit()


if __name__ == "__main__":
    main(sys.argv[1:])
