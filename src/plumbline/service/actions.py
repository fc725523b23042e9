"""Actions that were carried out, landed as files of the contract's table ``recommendation_actions``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import date
from pathlib import Path

import orjson

from plumbline.service.problems import Problem

TABLE = "recommendation_actions"


def action_id(creator_id: str, recommendation_id: str, implemented_on: date) -> str:
    """Id of an action that nobody named: the same report, sent twice, is one action."""
    text = f"{creator_id}|{recommendation_id}|{implemented_on.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_writable(inbox: Path) -> bool:
    """Whether an action could be landed now."""
    return inbox.is_dir() and os.access(inbox, os.W_OK)


def land_action(inbox: Path, row: dict[str, str]) -> tuple[str, bool]:
    """Write one action into the inbox, whole or not at all.

    The file is written beside its place under a name that landing leaves alone, brought to disk, and then
    linked to its name, which fails where the name exists.

    Args:
        inbox: folder that landing reads.
        row: action_id, creator_id, recommendation_id, implemented_on.

    Returns:
        Path below the inbox, and whether the file is new.

    Raises:
        Problem: 409 where the id exists with other content, 503 where the inbox cannot be written to.
    """
    name = hashlib.sha256(row["action_id"].encode()).hexdigest()[:32] + ".ndjson"
    content = orjson.dumps(row) + b"\n"
    folder = inbox / TABLE
    target = folder / name
    shown = f"{TABLE}/{name}"
    try:
        if not inbox.is_dir():
            raise FileNotFoundError(inbox)
        folder.mkdir(exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(draft, 0o644)  # noqa: PTH101 - a name from mkstemp
            os.link(draft, target)
        except FileExistsError:
            if target.read_bytes() != content:
                raise Problem(
                    409,
                    "conflict",
                    "An action of that id was reported with other content.",
                    [("action_id", "exists with other content")],
                ) from None
            return shown, False
        finally:
            Path(draft).unlink(missing_ok=True)
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise Problem(503, "inbox_unavailable", "The action could not be written.") from error
    return shown, True
