"""What a build works on: the demo, a simulated warehouse, or a team's own lake."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from plumbline.building.fingerprint import add_files
from plumbline.errors import PlumblineError
from plumbline.progress import say
from plumbline.project import path_from_environment, project_root

_SIZE = re.compile(r"(\d+)([km])", re.IGNORECASE)


@dataclass(frozen=True)
class Dataset:
    """One body of raw data and where its build lives.

    Attributes:
        name: short name, also of the state folder.
        lake: typed lake.
        state: folder of the warehouse, logs and reports.
        inbox: files to land first, or None.
        events: number of events to simulate where the lake does not exist, or None.
    """

    name: str
    lake: Path
    state: Path
    inbox: Path | None = None
    events: int | None = None

    @property
    def database(self) -> Path:
        """The DuckDB file that the build writes."""
        return self.state / "plumbline.duckdb"


def _content_name(folder: Path) -> str:
    """Short name of the CSV files of a folder by what is in them."""
    digest = hashlib.sha256()
    add_files(digest, sorted(folder.glob("*.csv")), folder)
    return digest.hexdigest()[:12]


def resolve(data: str, inbox: Path | None) -> Dataset:
    """Dataset named by ``--data``.

    Args:
        data: ``demo`` (the shipped sample), a size such as ``1m`` or ``100k`` (simulated once, then
            kept), or the path of a lake.
        inbox: folder of files to land into the lake first.

    Raises:
        PlumblineError: the name is none of these.
    """
    root, state = project_root(), path_from_environment("PLUMBLINE_STATE", "state")
    if data == "demo":
        sample = root / "seeds" / "raw"
        # A lake keeps what it took, so a new sample gets a lake of its own.
        lake = root / "data" / "demo" / _content_name(sample)
        return Dataset("demo", lake, state / "demo", inbox or sample)
    size = _SIZE.fullmatch(data)
    if size:
        events = int(size[1]) * (1_000 if size[2].lower() == "k" else 1_000_000)
        if not 1_000 <= events <= 100_000_000:
            raise PlumblineError(
                f"--data {data}: {events:,} events are out of range.", "Choose 1k to 100m."
            )
        name = data.lower()
        return Dataset(name, root / f"data/{name}/lake", state / name, inbox, events)
    lake = Path(data).expanduser()
    lake = (lake if lake.is_absolute() else Path.cwd() / lake).resolve()
    if not lake.is_dir() and inbox is None:
        raise PlumblineError(
            f"--data {data}: neither demo, nor a size such as 1m, nor a folder at {lake}.",
            "Name a lake folder, or give --inbox to land into a new one.",
        )
    # Two lakes of one name must not share a warehouse.
    name = re.sub(r"[^A-Za-z0-9]+", "-", str(lake)).strip("-").lower()
    return Dataset(name, lake, state / name, inbox)


def fill(dataset: Dataset, allow_unreadable: bool, accept_unterminated: bool) -> None:
    """Simulate the lake where it is missing, land new files, register what sinks wrote, score new answers."""
    from plumbline.answers import score_answers
    from plumbline.landing import land
    from plumbline.landing.command import show

    if dataset.name == "demo" and not dataset.lake.is_dir():
        # Lakes of earlier samples are of no further use.
        shutil.rmtree(dataset.lake.parent, ignore_errors=True)
    if dataset.events is not None and not (dataset.lake / "truth.json").is_file():
        from plumbline.simulate import Settings, simulate, users_for

        say(f"Simulating about {dataset.events:,} events into {dataset.lake} (kept for next time)")
        settings = Settings()
        simulate(replace(settings, users=users_for(settings, dataset.events)), dataset.lake)
    report = land(
        dataset.inbox,
        dataset.lake,
        allow_unreadable=allow_unreadable,
        accept_unterminated=accept_unterminated,
    )
    if report.files or report.all_warnings:
        show(report)
    report.raise_for_failures()
    score_answers(dataset.lake)
