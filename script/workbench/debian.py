"""What comes from Debian's archive: Odoo 19 itself, and programs it uses."""

import os
import platform
import re
import shutil
import sysconfig
from pathlib import Path

from . import cache
from .console import step
from .problem import Problem
from .process import output, run_logged, run_logged_or_fail

ODOO_PACKAGE = "odoo-19"
# Odoo's package holds links into these; their files go into the same tree.
LINKED_PACKAGES = (
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
_SOURCE = """\
Types: {kind}
URIs: {site}
Suites: {suite}
Components: main
Signed-By: {keyring}
"""
_KEYRING = "/usr/share/keyrings/debian-archive-keyring"
_HAVE_ODOO = (
    "Set the environment variable ODOO_HOME to the folder of an Odoo 19.0 you have"
    " (a checkout of its branch 19.0, or an unpacked archive)."
)


def install(packages, purpose):
    """Install Debian packages as the superuser, else say which are missing."""
    missing = f"Missing for {purpose}: {', '.join(packages)}."
    if not shutil.which("apt-get"):
        raise Problem(missing, "Install these programs with your system's means.")
    if os.geteuid() != 0:
        raise Problem(
            missing, f"As the superuser: apt-get install {' '.join(packages)}"
        )
    log = cache.logs() / "apt-install.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    with cache.locked("apt-install", "installing Debian packages"):
        step(f"Installing Debian packages for {purpose}: {' '.join(packages)}")
        run_logged([*apt, "update"], log, "Reading package lists", env=env)
        run_logged_or_fail(
            [*apt, "install", "--yes", "--no-install-recommends", *packages],
            log,
            "Installing Debian packages",
            remedy=f"Install what {purpose} needs by hand, then start again.",
            env=env,
        )


def ensure_odoo():
    """Return the folder holding the package ``odoo``, downloaded once."""
    found = _cached_odoo()
    if not found:
        with cache.locked("odoo", "downloading Odoo"):
            found = _cached_odoo() or _download_odoo()
    return found / "usr/lib/python3/dist-packages"


def _cached_odoo():
    versions = [
        path for path in cache.folder().glob("odoo-19*") if path.suffix != ".unfinished"
    ]
    return max(versions, key=lambda path: path.stat().st_mtime, default=None)


def _download_odoo():
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Problem("Odoo 19 is not here, and this is no Debian system.", _HAVE_ODOO)
    cache.require_space(4, "Odoo 19 with its databases")
    step("Downloading Odoo 19 from Debian (130 MB, 1.2 GB unpacked)")
    options = _private_apt(cache.folder() / "apt", "deb", "sid", remedy=_HAVE_ODOO)
    log = cache.logs() / "odoo-download.log"
    run_logged_or_fail(
        ["apt-get", *options, "update"],
        log,
        "Reading Debian's package lists",
        remedy=_HAVE_ODOO,
    )
    version = _candidate_version(options)
    target = cache.folder() / f"odoo-{version}"
    with cache.building(target) as tree:
        _unpack(options, tree, log)
        _mend_links(tree)
    return target


def download_source(package, folder, log):
    """Download the source of this Debian's package into ``folder``, unpacked.

    :raise Problem: where there is no apt, no mirror, or the download fails
    """
    if not shutil.which("apt-get"):
        raise Problem("This is no Debian system.")
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    options = _private_apt(folder / "apt", "deb-src", suite)
    for title, command in (
        ("Reading Debian's lists of sources", ["update"]),
        (f"Downloading {package}", ["source", "--download-only", package]),
    ):
        run_logged_or_fail(["apt-get", *options, *command], log, title, cwd=folder)
    for archive in folder.glob("*.orig.tar.?z*"):
        shutil.unpack_archive(archive, folder)


def _private_apt(folder, kind, suite, remedy=""):
    """Return options that let apt work in ``folder`` without the system's sources.

    Signatures are checked as ever; what the machine's own configuration says
    about proxies and certificates stays in force.
    """
    for name in ("lists/partial", "cache/archives/partial", "sources"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    source = folder / "sources" / f"{suite}.sources"
    source.write_text(
        _SOURCE.format(
            kind=kind,
            site=_debian_site(folder, remedy),
            suite=suite,
            keyring=_keyring(remedy),
        )
    )
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": source.parent,
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        # Neither pinning nor sandboxing by the system's apt user applies here.
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "APT::Update::Error-Mode": "any",
        "Acquire::Retries": "2",
    }
    return [word for name in settings for word in ("-o", f"{name}={settings[name]}")]


def _debian_site(folder, remedy):
    """Return where this machine gets Debian from, as its own apt is told."""
    empty = folder / "empty"
    (empty / "partial").mkdir(parents=True, exist_ok=True)
    listed = output(
        ["apt-get", "-o", f"Dir::State::Lists={empty}", "--print-uris", "update"]
    )
    sites = re.findall(r"'(\S+/debian)/?/dists/[^/']+/InRelease'", listed)
    if not sites:
        raise Problem("apt's sources here name no mirror of Debian.", remedy)
    return sites[0]


def _keyring(remedy):
    for suffix in (".pgp", ".gpg"):
        if Path(_KEYRING + suffix).exists():
            return _KEYRING + suffix
    raise Problem(
        "Debian's archive keys are not on this machine.",
        f"Install the package debian-archive-keyring. {remedy}".strip(),
    )


def _candidate_version(options):
    shown = output(["apt-cache", *options, "show", "--no-all-versions", ODOO_PACKAGE])
    version = re.search(r"^Version: (?:\d+:)?(19\.0\S*)$", shown, re.MULTILINE)
    if not version:
        raise Problem(f"Debian's archive has no package {ODOO_PACKAGE}.", _HAVE_ODOO)
    return version[1]


def _unpack(options, tree, log):
    archives = tree / "archives"
    archives.mkdir()
    download = ["apt-get", *options, "download"]
    run_logged_or_fail([*download, ODOO_PACKAGE], log, "Downloading Odoo", cwd=archives)
    for package in LINKED_PACKAGES:
        run_logged([*download, package], log, f"Downloading {package}", cwd=archives)
    for archive in archives.glob("*.deb"):
        run_logged_or_fail(
            ["dpkg", "-x", str(archive), str(tree)],
            log,
            f"Unpacking {archive.name.split('_')[0]}",
        )
    shutil.rmtree(archives)


def _mend_links(tree):
    """Put the icon font where links lead to a file its package no longer has."""
    package = Path(sysconfig.get_path("purelib")) / "xstatic/pkg/font_awesome"
    fonts = {font.name: font for font in (package / "data/fonts").iterdir()}
    for folder, _folders, names in os.walk(tree / "usr/lib/python3/dist-packages"):
        for name in fonts.keys() & set(names):
            link = Path(folder, name)
            if link.is_symlink() and not link.exists():
                link.unlink()
                shutil.copy(fonts[name], link)


# Programs, any of which will do, and the package that brings one.
PROGRAMS = {
    "chromium": ("google-chrome", "chromium", "chromium-browser"),
    "wkhtmltopdf": ("wkhtmltopdf",),
    "poppler-utils": ("pdftotext",),
    "nodejs": ("node",),
    "npm": ("npm",),
}


def require_programs(packages, purpose):
    """Install what is missing of ``packages`` (keys of PROGRAMS)."""
    missing = [
        package
        for package in packages
        if not any(shutil.which(program) for program in PROGRAMS[package])
    ]
    if missing:
        # Without any font, pages and letters would show empty boxes.
        install([*missing, "fonts-dejavu-core"], purpose)
