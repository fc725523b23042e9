"""Errors a user can act on: one line that names what is wrong and what to do."""

from __future__ import annotations


class PlumblineError(Exception):
    """A failure with a remedy; the command line prints it as one line, without a traceback.

    Args:
        message: what is wrong, naming the file, line, column or setting.
        remedy: what the user can do about it, in the imperative.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())
