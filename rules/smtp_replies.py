"""What a mail server said when it refused an e-mail."""

import ast
import re
from dataclasses import dataclass

#: code and words of a reply, as Python's ``smtplib`` puts them into its errors
REPLY = re.compile(r"""\((\d{3}), (b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*")""")


@dataclass(frozen=True)
class Reply:
    """A refusal.

    :param code: three digits: 4xx for now, 5xx for good
    :param words: the server's
    """

    code: int
    words: str

    @property
    def is_final(self) -> bool:
        """Tell whether the same e-mail will be refused again."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()


def find_replies(error: str | None) -> list[Reply]:
    r"""Read a server's replies out of an error's text; each of them once.

    >>> error = "SMTPRecipientsRefused: {'a@b.example': (550, b'5.1.1 No such user')}"
    >>> [str(reply) for reply in find_replies(error)]
    ['550 5.1.1 No such user']
    >>> find_replies("[Errno 111] Connection refused")
    []
    """
    found = [
        Reply(int(code), _read(words)) for code, words in REPLY.findall(error or "")
    ]
    return list(dict.fromkeys(found))


def _read(words: str) -> str:
    """Turn the source of a bytes literal into one line of text."""
    text = ast.literal_eval(words).decode("utf-8", errors="replace")
    return " ".join(text.split())
