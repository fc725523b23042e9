"""The lake on disk: folders, anchors, atomic writes, the lock and the landing's own tables."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from plumbline.contract.model import Column, contract
from plumbline.errors import PlumblineError
from plumbline.project import variables

ANCHOR = "0-contract.parquet"
LANDING = "_landing"
IN_PROGRESS = ".inprogress"
# Footer key of files landing wrote: what a dead run left behind is told from what a sink wrote.
FILE_ID_KEY = b"plumbline.file_id"
# Footer key of the column names of a CSV file, without which its kept lines could not be read.
HEADER_KEY = b"plumbline.header"
# Only a file named like a load can be one that landing wrote; a sink may use such a name too.
_OWN_STEM = re.compile(r"[0-9a-f]{16}(?:-r\d+)?")
_GENERATION = re.compile(r"(.+?)(?:-r(\d+))?")


def landing_schema(name: str) -> pa.Schema:
    """Arrow schema of ``landing_manifest``, ``landing_rejects`` or ``landing_fingerprints``."""
    raws = variables()["landing"][name]["columns"]
    columns = [Column(raw["name"], raw["type"], raw["description"]) for raw in raws]
    return pa.schema([pa.field(column.name, column.arrow) for column in columns])


def landing_folder(lake: Path, name: str) -> Path:
    """Folder of one of the landing's own tables (``manifest``, ``rejects``, ``fingerprints``)."""
    return lake / LANDING / name


def fsync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def temporary(final: Path) -> Path:
    """Name a file carries until it is whole; no glob of the lake matches it."""
    return final.with_name(f".{final.name}{IN_PROGRESS}")


def publish(temporary_path: Path, final: Path) -> None:
    """Rename a whole, synced file to its final name."""
    temporary_path.replace(final)
    fsync_folder(final.parent)


def sync(path: Path) -> None:
    """Flush a closed file to disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def write_parquet(table: pa.Table, final: Path) -> Path:
    """Write a small table whole under its temporary name, synced; returns that name."""
    path = temporary(final)
    pq.write_table(table, path, compression="zstd", compression_level=3)
    sync(path)
    return path


def prepare_lake(lake: Path) -> None:
    """Create every table folder with its ``0-contract.parquet``: zero rows in today's schema.

    The anchor lets a glob over an empty folder bind and gives columns that older files lack.
    It is rewritten only where the contract has changed.
    """
    folders = {lake / name: table.schema for name, table in contract().items()}
    for name in ("manifest", "rejects", "fingerprints"):
        folders[landing_folder(lake, name)] = landing_schema(f"landing_{name}")
    for folder, schema in folders.items():
        anchor = folder / ANCHOR
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if anchor.is_file():
                with suppress(pa.ArrowInvalid, OSError):
                    if pq.read_schema(anchor).equals(schema):
                        continue
            publish(write_parquet(schema.empty_table(), anchor), anchor)
        except OSError as error:
            raise PlumblineError(
                f"the lake {lake} cannot be written: {error.strerror or error}.",
                "Free space or name another folder with --lake or PLUMBLINE_LAKE.",
            ) from error


@contextmanager
def locked(lake: Path) -> Iterator[None]:
    """Hold the lake for one landing.

    Raises:
        PlumblineError: another process holds it; the message names that process.
    """
    path = lake / LANDING / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            raise PlumblineError(
                f"process {holder} is landing into {lake} right now.",
                "Wait until it has ended.",
            ) from error
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        try:
            yield
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


@dataclass(frozen=True)
class ManifestRow:
    """One row of ``landing_manifest``; the fields are its columns."""

    file_id: str
    load_id: str
    path: str
    table_name: str
    format: str
    byte_count: int
    line_count: int
    accepted_count: int
    rejected_count: int
    status: str
    reason: str | None
    first_seen_at: datetime


def stem(table: str, load_id: str) -> str:
    """Name of the landing's files about one load."""
    return f"{table}--{load_id}"


def family(load_id: str) -> tuple[str, int]:
    """Load of a file and how many replays after it this load is (0 for the load itself)."""
    match = _GENERATION.fullmatch(load_id)
    assert match is not None
    return match[1], int(match[2] or 0)


def read_table(folder: Path) -> pa.Table:
    """All rows of one of the landing's own tables, in the order of the file names."""
    files = sorted(folder.glob("*.parquet"))
    schema = pq.read_schema(folder / ANCHOR).remove_metadata()
    return pa.concat_tables([_shaped(pq.ParquetFile(file).read(), schema) for file in files])


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table in a schema; columns it lacks are null."""
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def read_manifest(lake: Path) -> list[ManifestRow]:
    """The manifest; empty for a lake that has none yet."""
    folder = landing_folder(lake, "manifest")
    if not (folder / ANCHOR).is_file():
        return []
    return [ManifestRow(**row) for row in read_table(folder).to_pylist()]


def write_manifest(lake: Path, name: str, rows: list[ManifestRow]) -> None:
    """Write one manifest file: the step that makes a load known."""
    schema = landing_schema("landing_manifest")
    table = pa.Table.from_pylist([vars(row) for row in rows], schema=schema)
    final = landing_folder(lake, "manifest") / f"{name}.parquet"
    publish(write_parquet(table, final), final)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clean(lake: Path, manifest: list[ManifestRow]) -> list[str]:
    """Remove what a dead run left: files in progress and files no manifest row speaks of.

    Files that a sink wrote are never touched: only those whose footer says that landing wrote them, and
    copies of an input, whose name is the beginning of their own hash.

    Returns:
        Paths below the lake of the removed files.
    """
    removed: list[Path] = []
    known = {(row.table_name, row.load_id) for row in manifest}
    generation: dict[tuple[str, str], int] = {}
    for row in manifest:
        base, number = family(row.load_id)
        key = (row.table_name, base)
        generation[key] = max(generation.get(key, 0), number)
    for name in contract():
        for path in sorted((lake / name).glob("*.parquet")):
            if not _OWN_STEM.fullmatch(path.stem) or (name, path.stem) in known:
                continue
            with suppress(pa.ArrowInvalid, OSError):
                notes = pq.read_metadata(path).metadata or {}
                if FILE_ID_KEY in notes or content_hash(path).startswith(path.stem):
                    removed.append(path)
    stems = {path.stem for path in landing_folder(lake, "manifest").glob("*.parquet")}
    stems |= {stem(*key) for key in known}
    removed += [
        path
        for path in sorted(landing_folder(lake, "fingerprints").glob("*.parquet"))
        if path.name != ANCHOR and path.stem not in stems
    ]
    for path in sorted(landing_folder(lake, "rejects").glob("*.parquet")):
        if path.name == ANCHOR:
            continue
        table, _, load_id = path.stem.partition("--")
        base, number = family(load_id)
        if generation.get((table, base)) != number:
            removed.append(path)
    folders = [lake / name for name in contract()]
    folders += [landing_folder(lake, name) for name in ("manifest", "rejects", "fingerprints")]
    removed += [path for folder in folders for path in folder.glob(f".*{IN_PROGRESS}")]
    for path in removed:
        path.unlink()
    return [path.relative_to(lake).as_posix() for path in removed]


class Seen:
    """Size, modification time and hash of files met before, so that a re-run reads only new ones.

    A cache: when it is lost, files are hashed again.
    """

    def __init__(self, lake: Path) -> None:
        self._path = lake / LANDING / "seen.json"
        self._changed = False
        self._entries: dict[str, list[Any]] = {}
        with suppress(OSError, ValueError):
            loaded = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(loaded, dict):
                self._entries = loaded

    def get(self, path: Path, stat: os.stat_result) -> str | None:
        """Hash of an unchanged file."""
        entry = self._entries.get(str(path))
        if entry and entry[:2] == [stat.st_size, stat.st_mtime_ns]:
            return str(entry[2])
        return None

    def put(self, path: Path, stat: os.stat_result, file_id: str) -> None:
        """Remember a file."""
        self._entries[str(path)] = [stat.st_size, stat.st_mtime_ns, file_id]
        self._changed = True

    def save(self) -> None:
        """Write the cache if it has changed."""
        if self._changed:
            path = temporary(self._path)
            path.write_text(json.dumps(self._entries), encoding="utf-8", errors="surrogateescape")
            path.replace(self._path)
