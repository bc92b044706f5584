"""The addon's main job once, on Odoo's own demo data, with what changed."""

from workbench.inside import odoo_environment


def main():
    with odoo_environment() as env:
        print(env["ir.module.module"].search_count([("state", "=", "installed")]))


if __name__ == "__main__":
    main()
