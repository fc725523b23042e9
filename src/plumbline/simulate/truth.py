"""What was planted and what came out: counted while the rows are made, written as truth.json."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from plumbline.simulate.arrays import Ints


@dataclass(frozen=True)
class Truth:
    """Truth of one run.

    Attributes:
        settings: what the run was asked for.
        expected: exact counts over the rows written (see the README of this package).
        planted: parameters behind them, with the number of trials each was used for.
    """

    settings: dict[str, Any]
    expected: dict[str, Any]
    planted: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write as JSON with sorted keys, so that equal runs give equal bytes."""
        body = {"settings": self.settings, "expected": self.expected, "planted": self.planted}
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(body, default=_plain, option=options))

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Read what :meth:`save` wrote."""
        body = orjson.loads(path.read_bytes())
        return cls(body["settings"], body["expected"], body["planted"])


def _plain(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value)} has no place in the truth file")


class Tally:
    """Counts by path (``("retention", "7", "size")``) and arrays by name, both additive."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.arrays: dict[str, Ints] = {}

    def add(self, *path: str, value: float) -> None:
        """Add a number at a path."""
        self.counts[path] += value.item() if isinstance(value, np.generic) else value  # type: ignore[assignment]

    def add_array(self, name: str, values: Ints) -> None:
        """Add an array to the one of that name."""
        known = self.arrays.get(name)
        self.arrays[name] = values.copy() if known is None else known + values

    def by_index(self, *path: str, names: tuple[str, ...], index: Ints) -> None:
        """Count how often each name occurs; negative indexes are not counted."""
        found = np.bincount(index[index >= 0], minlength=len(names))
        for name, count in zip(names, found, strict=True):
            self.add(*path, name, value=int(count))

    def tree(self) -> dict[str, Any]:
        """All counts as nested dictionaries."""
        root: dict[str, Any] = {}
        for path, value in self.counts.items():
            node = root
            for part in path[:-1]:
                node = node.setdefault(part, {})
            node[path[-1]] = value
        return root
