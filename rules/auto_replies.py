"""Which e-mails nobody wrote: absences, acknowledgements, mass mailings."""

from collections.abc import Mapping

#: headers that only automatic replies have
MARKERS = frozenset({"x-autoreply", "x-autorespond", "x-autoresponder"})

#: what ``Precedence`` says of mails that want no reply, and are none
PRECEDENCES = frozenset({"auto_reply", "auto-reply", "bulk", "junk"})


def is_auto_reply(headers: Mapping[str, str]) -> bool:
    """Tell whether a machine answered an e-mail: nobody read it.

    ``X-Auto-Response-Suppress`` says nothing of it: Exchange and Odoo put it on what
    people write, too.

    :param headers: of the e-mail, maybe one several times; case does not matter

    >>> is_auto_reply({"Auto-Submitted": "auto-replied (vacation)"})
    True
    >>> is_auto_reply({"Auto-Submitted": "no", "Subject": "Out of office?"})
    False
    """
    return any(
        _says_machine(name.lower(), str(value).strip().lower())
        for name, value in headers.items()
    )


def _says_machine(name: str, value: str) -> bool:
    """Tell whether one header, in small letters, says that a machine wrote."""
    if name == "auto-submitted":
        words = value.partition(";")[0].split()
        return bool(words) and words[0] != "no"
    if name == "precedence":
        return value in PRECEDENCES
    return name in MARKERS or (name == "return-path" and value == "<>")
