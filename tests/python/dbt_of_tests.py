"""dbt as the tests call it: what was parsed for one test serves the others.

The project is the same in all of them; only the file of the database differs. dbt would parse anew for that,
half a minute of a small machine each time, since settings of a connection may affect parsing. The path of the
file does not.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

from dbt.cli.main import cli
from dbt.parser import manifest

_NAME = "partial_parse.msgpack"
_IRRELEVANT = ("path", "database")
_pformat = manifest.pprint.pformat


def _without_place(settings: object) -> str:
    """Settings of a connection as dbt hashes them, less the place of the database."""
    if isinstance(settings, list):
        settings = [pair for pair in settings if pair[0] not in _IRRELEVANT]
    return _pformat(settings)


def _copy(source: Path, target: Path) -> None:
    """Copy in one step, for others may be reading or doing the same."""
    part = target.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source, part)
    part.replace(target)


def main() -> None:
    """Run dbt with the arguments of the process; ``PARSES_OF_TESTS`` is the folder that is shared."""
    folder = os.environ.get("PARSES_OF_TESTS")
    shared = Path(folder) / f"{os.environ.get('PLUMBLINE_RAW', 'seed')}.msgpack" if folder else None
    own = Path(os.environ["DBT_TARGET_PATH"]) / _NAME
    manifest.pprint = SimpleNamespace(pformat=_without_place)
    if shared and shared.exists() and not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        _copy(shared, own)
    try:
        cli()
    finally:
        if shared and not shared.exists() and own.exists():
            _copy(own, shared)


if __name__ == "__main__":
    main()
