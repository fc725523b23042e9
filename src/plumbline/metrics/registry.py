"""Reads the registry (``seeds/reference/metric_registry.csv``) and resolves the names people use."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from plumbline.errors import PlumblineError
from plumbline.project import project_root

REGISTRY = Path("seeds") / "reference" / "metric_registry.csv"
# Seeds have no empty cells: engines read those differently.
NONE = "none"


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: the one name it has here.
        definition: what it says, in words.
        unit: what it is counted in (share, users, messages per user, ...).
        good_direction: up, down, or none where neither is good in itself.
        owner: who answers for it.
        model: the mart that holds it.
        value: its column there.
        numerator: column of the numerator, or None where the metric is no ratio of two columns.
        denominator: column of the denominator, or None.
        also_in: marts that hold the same columns at another grain.
        also_known_as: names from other systems that mean this metric.
    """

    name: str
    definition: str
    unit: str
    good_direction: str
    owner: str
    model: str
    value: str
    numerator: str | None
    denominator: str | None
    also_in: tuple[str, ...]
    also_known_as: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Every mart that holds it, its home first."""
        return (self.model, *self.also_in)


def _listed(cell: str) -> tuple[str, ...]:
    return () if cell == NONE else tuple(cell.split(" "))


def _optional(cell: str) -> str | None:
    return None if cell == NONE else cell


@cache
def metrics(path: Path | None = None) -> dict[str, Metric]:
    """All metrics by name, in the order of the registry.

    Args:
        path: the registry; the project's own when left out.

    Raises:
        PlumblineError: the file is missing, or a name or an alias occurs twice.
    """
    file = path or project_root() / REGISTRY
    if not file.is_file():
        raise PlumblineError(f"no metric registry at {file}.", "Restore it from the repository.")
    found: dict[str, Metric] = {}
    taken: dict[str, str] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            metric = Metric(
                name=row["metric"],
                definition=row["definition"],
                unit=row["unit"],
                good_direction=row["good_direction"],
                owner=row["owner"],
                model=row["model"],
                value=row["value_column"],
                numerator=_optional(row["numerator_column"]),
                denominator=_optional(row["denominator_column"]),
                also_in=_listed(row["also_in"]),
                also_known_as=_listed(row["also_known_as"]),
            )
            for name in (metric.name, *metric.also_known_as):
                if name in taken:
                    raise PlumblineError(
                        f"{name} names two metrics: {taken[name]} and {metric.name}.",
                        f"Give each its own name in {REGISTRY.as_posix()}.",
                    )
                taken[name] = metric.name
            found[metric.name] = metric
    return found


def find(name: str, path: Path | None = None) -> Metric:
    """The metric of a name: its own, or one people know from elsewhere.

    Args:
        name: metric or alias; case and hyphens do not matter.
        path: the registry; the project's own when left out.

    Raises:
        PlumblineError: no metric has that name; the nearest ones are named.
    """
    known = metrics(path)
    names = {
        alias: metric for metric in known.values() for alias in (metric.name, *metric.also_known_as)
    }
    wanted = name.strip().lower().replace("-", "_")
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    raise PlumblineError(
        f"no metric is called {name}.",
        f"Did you mean {', '.join(near)}?" if near else "plumbline metrics lists them all.",
    )
