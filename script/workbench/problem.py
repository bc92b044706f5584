"""Errors a person can do something about."""


class Problem(Exception):
    """Something is wrong outside this program; printed without a traceback.

    The message says what is wrong, ``remedy`` what to do about it and ``log``
    where the details are.
    """

    def __init__(self, message, remedy="", log=None):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.log = log

    def __str__(self):
        lines = [f"Problem: {self.message}"]
        if self.remedy:
            lines.append(f"What to do: {self.remedy}")
        if self.log:
            lines.append(f"Details: {self.log}")
        return "\n".join(lines)
