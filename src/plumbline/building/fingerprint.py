"""What a build depends on, as one hash: code, settings and lake."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import duckdb

from plumbline.project import project_root

# Everything a build reads besides the lake. A change of the dashboard or of a README rebuilds nothing.
_CODE = (
    "models",
    "python_models",
    "macros",
    "seeds/reference",
    "tests/generic",
    "tests/marts",
    "src",
)
_FILES = ("dbt_project.yml", "vars.yml", "profiles.yml", "selectors.yml", "requirements.lock")
_SUFFIXES = {".sql", ".yml", ".csv", ".py", ".md"}
# Settings that say where things stand or how fast they go, not what comes out.
_PLACES = {
    "PLUMBLINE_DATABASE",
    "PLUMBLINE_LAKE",
    "PLUMBLINE_INBOX",
    "PLUMBLINE_STATE",
    "PLUMBLINE_PROJECT",
    "PLUMBLINE_THREADS",
    "PLUMBLINE_MEMORY_LIMIT",
    "PLUMBLINE_REQUIRE",
    "PLUMBLINE_DEBUG",
    "PLUMBLINE_SHARED",
}


def add_files(digest: hashlib._Hash, paths: Iterable[Path], base: Path) -> None:
    """Put names below ``base`` and contents of files into a digest, in the order given."""
    for path in paths:
        digest.update(str(path.relative_to(base)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())


def code_hash() -> str:
    """SHA-256 over models, macros, reference seeds, tests, package and pins, and over the settings of
    the environment that change a result, the engine's version among them.
    """
    root = project_root()
    digest = hashlib.sha256(duckdb.__version__.encode())
    paths = [root / name for name in _FILES if (root / name).is_file()]
    for folder in _CODE:
        found = (p for p in (root / folder).rglob("*") if p.suffix in _SUFFIXES and p.is_file())
        paths.extend(sorted(found))
    add_files(digest, paths, root)
    for name in sorted(os.environ):
        if name.startswith("PLUMBLINE_") and name not in _PLACES:
            digest.update(f"{name}={os.environ[name]}\0".encode())
    return digest.hexdigest()


def lake_hash(lake: Path) -> str:
    """SHA-256 over what landing recorded: every file's content hash, load and verdict."""
    digest = hashlib.sha256()
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select file_id, table_name, load_id, accepted_count, rejected_count, status "
            "from read_parquet($1, union_by_name = true) order by all",
            [str(lake / "_landing" / "manifest" / "*.parquet")],
        ).fetchall()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()
