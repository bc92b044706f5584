"""A version from before, and a database that was at work with it.

The archive holds what that version's Odoo loads: no tests, translations, demo data,
pictures or tools.
"""

import tarfile
from pathlib import Path

VERSION = "19.0.1.1.0"


def unpack(folder):
    """Unpack the former version; return the folder to look for addons in."""
    archive = Path(__file__).with_name(f"sales_followup-{VERSION}.tar.xz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder
