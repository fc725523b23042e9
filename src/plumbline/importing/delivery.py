"""Files into the inbox: whole or not at all, and the same content only once."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from plumbline.errors import PlumblineError

_DIGITS = 16


@contextmanager
def _whole(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file that landing leaves alone (.tmp) until it is renamed; removed when something fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".tmp", prefix=".", dir=folder)
    except OSError as error:
        raise PlumblineError(
            f"{folder} cannot be written: {error}.", "Name another --inbox."
        ) from error
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def _publish(file: IO[bytes], draft: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    draft.chmod(0o644)
    draft.replace(target)


def deliver_lines(folder: Path, name: str, lines: Iterable[bytes]) -> tuple[Path, bool]:
    """Write lines as ``<name>-<hash of the content>.ndjson``.

    Returns:
        The file, and whether it is new: the same content is written once.
    """
    digest, written = hashlib.sha256(), 0
    with _whole(folder) as (file, draft):
        for line in lines:
            file.write(line + b"\n")
            digest.update(line + b"\n")
            written += 1
        target = folder / f"{name}-{digest.hexdigest()[:_DIGITS]}.ndjson"
        is_new = written > 0 and not target.exists()
        if is_new:
            _publish(file, draft, target)
    return target, is_new


def deliver_versions(
    folder: Path, name: str, rows: Sequence[Mapping[str, Any]], moment: datetime
) -> tuple[Path | None, bool]:
    """Write rows of a registry, stamped with the moment, unless the latest file of that name says the same.

    Of two versions of a row that land, the later ``ingested_at`` holds; what goes back to an older state is
    therefore written again.

    Args:
        folder: folder of the table in the inbox.
        name: start of the file's name; the moment and a hash of the content follow.
        rows: contract columns without ``ingested_at``.
        moment: UTC.

    Returns:
        The file that holds the rows, and whether it is new; None where there are no rows.
    """
    if not rows:
        return None, False
    plain = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    digest = hashlib.sha256(plain).hexdigest()[:_DIGITS]
    before = sorted(folder.glob(f"{name}-*Z-*.ndjson")) if folder.is_dir() else []
    if before and before[-1].stem.endswith(digest):
        return before[-1], False
    naive = moment.replace(tzinfo=None)
    stamp = naive.isoformat(sep=" ", timespec="microseconds")
    target = folder / f"{name}-{naive:%Y%m%dT%H%M%S%f}Z-{digest}.ndjson"
    if before and before[-1].name > target.name:
        raise PlumblineError(
            f"{before[-1].name} is later than this import, which it would correct.",
            "Set the clock, or say --imported-at.",
        )
    with _whole(folder) as (file, draft):
        for row in rows:
            file.write(orjson.dumps({**row, "ingested_at": stamp}) + b"\n")
        _publish(file, draft, target)
    return target, True


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a small CSV file in one step."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with _whole(path.parent) as (file, draft):
        file.write(text.getvalue().encode())
        _publish(file, draft, path)
