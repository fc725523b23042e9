"""Pseudonyms: what personal identifiers become before they reach the lake."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from plumbline.errors import PlumblineError
from plumbline.project import project_root

SALT_VARIABLE = "PLUMBLINE_PSEUDONYM_SALT"
# Public on purpose: the shipped sample holds invented people only.
_PUBLIC_SALT = "plumbline-public-sample"
# Marks a value in a kept reject that is a pseudonym already: a replay must not hash it twice.
MARK = "pseudonym:"
# Marks a kept reject whose bytes could not be masked and are therefore not kept.
WITHHELD = "withheld:"


def salt_for(inbox: Path | None) -> str | None:
    """Salt of the environment; for an inbox shipped with the project a fixed public one.

    Returns None when a real inbox has no salt: an error only once a table needs it.
    """
    salt = os.environ.get(SALT_VARIABLE)
    if salt or inbox is None:
        return salt or None
    root = project_root()
    shipped = (root / "seeds" / "raw", root / "examples")
    return _PUBLIC_SALT if any(inbox.resolve().is_relative_to(place) for place in shipped) else None


def missing_salt(table: str) -> PlumblineError:
    """The error of a table with pseudonymised columns and no salt."""
    return PlumblineError(
        f"{table} holds personal identifiers and {SALT_VARIABLE} is not set.",
        f"Set {SALT_VARIABLE} to a long secret that stays the same for the life of the lake.",
    )


def digest(salt: str, text: bytes) -> str:
    """First 32 hex digits of HMAC-SHA256."""
    return hmac.new(salt.encode(), text, hashlib.sha256).hexdigest()[:32]


def pseudonym(salt: str, value: str | None) -> str | None:
    """Pseudonym of one identifier; null and blank stay as they are, so that they are judged."""
    if value is None or not value.strip():
        return value
    return digest(salt, value.encode("utf-8", "surrogatepass"))


def withheld(salt: str, line: bytes) -> str:
    """Stand-in for bytes that may hold an identifier: their length and keyed hash, not the bytes.

    Whoever holds the salt and the delivered file can still find the line it stands for.
    """
    return f"{WITHHELD}{len(line)} bytes:{digest(salt, line)}"
