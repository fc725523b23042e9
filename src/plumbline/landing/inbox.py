"""What lies in the inbox: which file belongs to which table, and what is left alone."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from plumbline.contract.model import contract

FORMATS = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
}
_LEFT_ALONE = (".tmp", ".inprogress")
# Notes people keep beside data; not worth a warning.
_NOTES = (".md", ".yml", ".yaml")


@dataclass(frozen=True)
class InboxFile:
    """One file to land.

    Attributes:
        path: path below the inbox, with ``/``; bytes that are no UTF-8 are shown escaped.
        source: where it lies.
        table: its table, or None when nothing in its name says so.
        format: ndjson, csv or parquet.
    """

    path: str
    source: Path
    table: str | None
    format: str


@dataclass
class Inbox:
    """All files below an inbox, sorted by path; ``refused`` pairs a path with the reason."""

    files: list[InboxFile] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def table_of(path: str) -> str | None:
    """Table a path below the inbox names: its first folder, else the start of the file name.

    A prefix ``raw_`` is dropped; of several tables that fit, the longest name wins
    (``creator_daily_1.csv`` is no ``creators``).

    Example:
        >>> table_of("events/2026-01-01.ndjson"), table_of("raw_events-part3.parquet")
        ('events', 'events')
    """
    folder, _, rest = path.partition("/")
    tables = sorted(contract(), key=len, reverse=True)
    if rest and folder.lower().removeprefix("raw_") in tables:
        return folder.lower().removeprefix("raw_")
    name = path.rpartition("/")[2].lower().removeprefix("raw_")
    for table in tables:
        if re.match(rf"{re.escape(table)}(?![a-z])", name):
            return table
    return None


def _shown(path: Path, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def scan(root: Path) -> Inbox:
    """List an inbox without opening a file.

    Files in progress (``.tmp``, ``.inprogress``, leading dot or underscore) are left alone. Links
    that leave the inbox, and what is no regular file, are refused by name.
    """
    inbox = Inbox()
    root = root.resolve()
    _walk(root, root, inbox)
    inbox.files.sort(key=lambda file: file.path)
    return inbox


def _walk(folder: Path, root: Path, inbox: Inbox) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith((".", "_")) or entry.name.lower().endswith(_LEFT_ALONE):
            continue
        shown = _shown(path, root)
        if entry.is_symlink():
            target = path.resolve()
            if not target.is_relative_to(root):
                inbox.refused.append((shown, "a link that leaves the inbox"))
                continue
            if not target.exists():
                inbox.refused.append((shown, "a link to nothing"))
                continue
            if target.is_dir():
                # Its files are met at their own place.
                continue
        if entry.is_dir():
            _walk(path, root, inbox)
            continue
        if not stat.S_ISREG(entry.stat().st_mode):
            inbox.refused.append((shown, "not a regular file"))
            continue
        kind = FORMATS.get(path.suffix.lower())
        if kind is None:
            if path.suffix.lower() not in _NOTES:
                inbox.warnings.append(
                    f"{shown}: left alone; landing reads {', '.join(sorted(FORMATS))}."
                )
            continue
        inbox.files.append(InboxFile(shown, path, table_of(shown), kind))
