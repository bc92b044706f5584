"""The addon's checkout, and how Odoo and pytest reach it."""

import hashlib
from pathlib import Path

from . import cache

MODULE = "sales_followup"
ROOT = Path(__file__).resolve().parents[2]
# Folders and files which an installed addon does not read.
_NOT_LOADED = {"script", "tests", "benchmarks", "LICENSE", "pyproject.toml"}


def key():
    """Tell checkouts apart: each has databases and links of its own."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def folder():
    return cache.folder() / "checkouts" / key()


def addons():
    """Return a folder in which the checkout appears under the module's name.

    Odoo takes a module's name from its folder. The link is outside the checkout,
    because Odoo's export of terms follows links, and would go round in circles.
    """
    return _linked(folder() / "addons", {MODULE: ROOT})


def plain_tests():
    """Return a folder with what is tested without Odoo.

    Reached through the checkout itself, ``rules`` would belong to a package
    whose ``__init__`` imports Odoo.
    """
    return _linked(
        folder() / "plain", {name: ROOT / name for name in ("rules", "script")}
    )


def _linked(parent, links):
    parent.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        link = parent / name
        if not link.is_symlink() or Path(link.readlink()) != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return parent


def fingerprint():
    """Return a digest of the files Odoo loads, to know when to upgrade."""
    digest = hashlib.sha256()
    for path in sorted(_loaded_files(ROOT)):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _loaded_files(parent):
    for path in parent.iterdir():
        if path.name.startswith((".", "__pycache__")) or path.suffix in (".md", ".pyc"):
            continue
        if parent == ROOT and path.name in _NOT_LOADED:
            continue
        if path.is_dir():
            yield from _loaded_files(path)
        else:
            yield path
