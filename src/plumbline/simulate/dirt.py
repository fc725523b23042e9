"""What goes wrong on the way: copies and wrong rows, added beside the clean rows and counted.

Dirt never changes a clean row: a wrong row is a spoiled *copy* of a good one under another id.
So what a warehouse must accept is exactly what was clean.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from plumbline.contract.model import contract
from plumbline.simulate.arrays import Ints, stream
from plumbline.simulate.rows import contracted
from plumbline.simulate.settings import Settings

# Share of rows that come again: identical, landing later, or with a later business time as well.
IDENTICAL_RATE = 0.004
RELANDED_RATE = 0.002
RETIMED_RATE = 0.0005
# Share of rows spoiled for each (table, reason, way).
WRONG_RATE = 0.00015

_DAY_US = 86_400_000_000
_FUTURE = "future"
_ANCIENT = "ancient"
_BLANK = "blank"
# table -> (reason, columns touched, what they become). One rule broken by each row.
WAYS: dict[str, tuple[tuple[str, tuple[str, ...], Any], ...]] = {
    "events": (
        ("missing:event_id", ("event_id",), None),
        ("missing:user_id", ("user_id", "anonymous_id"), None),
        ("missing:event_name", ("event_name",), _BLANK),
        ("out_of_range:event_time", ("event_time",), _FUTURE),
        ("out_of_range:event_time", ("event_time",), _ANCIENT),
        ("out_of_range:engaged_seconds", ("engaged_seconds",), "-5"),
        ("out_of_range:revenue_usd", ("revenue_usd",), "-1"),
    ),
    "identity_links": (("missing:user_id", ("user_id",), None),),
    "users": (
        ("unknown:role", ("role",), "pupil"),
        ("missing:signed_up_at", ("signed_up_at",), None),
    ),
    "bots": (("missing:workflow", ("workflow",), None),),
    "bot_tags": (("missing:tag", ("tag",), _BLANK),),
    "experiment_exposures": (
        ("missing:unit_id", ("unit_id",), None),
        ("no_phase", ("experiment_id",), "x99"),
        ("out_of_range:exposed_at", ("exposed_at",), _FUTURE),
    ),
    "subscription_events": (
        ("unknown:event_type", ("event_type",), "paused"),
        ("out_of_range:period_count", ("period_count",), 0),
        ("missing:user_id", ("user_id",), None),
    ),
    "orders": (
        ("out_of_range:gross_amount", ("gross_amount",), "-5"),
        ("unknown:kind", ("kind",), "gift"),
    ),
    "acquisition_costs": (("out_of_range:spend_amount", ("spend_amount",), "-20"),),
    "llm_responses": (
        ("out_of_range:latency_ms", ("latency_ms",), -1),
        ("missing:model_version", ("model_version",), None),
    ),
    "llm_ratings": (
        ("out_of_range:score", ("score",), 7),
        ("unknown:rater_kind", ("rater_kind",), "robot"),
    ),
    "llm_comparisons": (("unknown:winner", ("winner",), "both"),),
    "llm_auto_scores": (("out_of_range:groundedness", ("groundedness",), "1.5"),),
    "creators": (("out_of_range:target_cpa_usd", ("target_cpa_usd",), "-10"),),
    "creator_daily": (
        ("out_of_range:spend_usd", ("spend_usd",), "-10"),
        ("out_of_range:views", ("views",), -3),
    ),
    "creator_assessments": (("out_of_range:score", ("score",), "1.4"),),
    "recommendation_actions": (("missing:recommendation_id", ("recommendation_id",), None),),
}
# Tables whose row may come again with a later business time; elsewhere that is another row.
_RETIMED = {"events": "event_time", "subscription_events": "event_time"}
# Which call of a table shows every kind of dirt in the sample.
_FORCED_CALL = 2
# The registry is written by hand, once.
_NEVER = {"experiments"}


class Spoiler:
    """Adds copies and wrong rows at the stated rates and counts them exactly.

    Attributes:
        duplicates: copies by table and kind.
        wrong: rows to be quarantined by table and reason.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.duplicates: dict[str, Counter[str]] = defaultdict(Counter)
        self.wrong: dict[str, Counter[str]] = defaultdict(Counter)
        self._calls: Counter[str] = Counter()
        self._order = {name: place for place, name in enumerate(contract())}

    def spoil(self, name: str, rows: pa.Table) -> list[pa.Table]:
        """Copies and wrong rows to land beside the clean ones."""
        if self.settings.dirty == 0 or name in _NEVER:
            return []
        self._calls[name] += 1
        rng = stream(self.settings.seed, 90, self._order[name], self._calls[name])
        # The sample is too small for chance: it shows every kind of dirt at least once.
        forced = self.settings.format == "seed" and self._calls[name] == _FORCED_CALL
        parts = []
        for kind, rate in (
            ("identical", IDENTICAL_RATE),
            ("relanded", RELANDED_RATE),
            ("retimed", RETIMED_RATE),
        ):
            if kind == "retimed" and name not in _RETIMED:
                continue
            count = self._count(rng, rows.num_rows, rate, forced and kind == "identical")
            if count:
                chosen = np.unique(rng.integers(0, rows.num_rows, count))
                parts.append(self._again(name, rows, chosen, kind, rng))
                self.duplicates[name][kind] += len(chosen)
        for reason, columns, value in WAYS.get(name, ()):
            count = self._count(rng, rows.num_rows, WRONG_RATE, forced)
            if count:
                chosen = np.unique(rng.integers(0, rows.num_rows, count))
                parts.append(_wrong(name, rows.take(pa.array(chosen)), columns, value))
                self.wrong[name][reason] += len(chosen)
        return parts

    def _count(self, rng: np.random.Generator, size: int, rate: float, forced: bool) -> int:
        count = int(rng.binomial(size, min(1.0, rate * self.settings.dirty)))
        return max(count, 1) if forced else count

    def _again(
        self, name: str, rows: pa.Table, chosen: Ints, kind: str, rng: np.random.Generator
    ) -> pa.Table:
        copies = rows.take(pa.array(chosen))
        if kind == "identical":
            return copies
        end = self.settings.end_ms * 1000
        later = rng.integers(60_000, 2 * _DAY_US // 1000, len(chosen)) * 1000
        landed = _micros(copies, "ingested_at")
        copies = _set(copies, "ingested_at", _timestamp(np.minimum(landed + later, end)))
        if kind == "retimed":
            column = _RETIMED[name]
            moved = _micros(copies, column) + rng.integers(1, 60, len(chosen)) * 1_000_000
            copies = _set(copies, column, _timestamp(moved))
        return copies


def _micros(rows: pa.Table, column: str) -> Ints:
    return np.asarray(pc.cast(rows.column(column), pa.int64()).to_numpy())


def _timestamp(micros: Ints) -> pa.Array:
    return pa.array(micros.astype(np.int64)).view(pa.timestamp("us"))


def _set(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    place = rows.schema.get_field_index(column)
    kind = rows.schema.field(column).type
    if pa.types.is_dictionary(kind):
        values = values.cast(pa.string()).dictionary_encode()
    return rows.set_column(place, rows.schema.field(column), pa.chunked_array([values]))


def _wrong(name: str, rows: pa.Table, columns: tuple[str, ...], value: Any) -> pa.Table:
    definition = contracted(name)
    size = rows.num_rows
    if len(definition.key) == 1 and definition.key[0] not in columns:
        # Another id: this row is nobody's copy.
        key = rows.column(definition.key[0]).cast(pa.string()).combine_chunks()
        rows = _set(rows, definition.key[0], pc.binary_join_element_wise(key, "x", ""))
    for column in columns:
        kind = definition.by_name[column].arrow
        if value in (_FUTURE, _ANCIENT):
            shift = 400 * _DAY_US
            moved = (
                _micros(rows, "ingested_at") + shift if value == _FUTURE else np.full(size, _DAY_US)
            )
            rows = _set(rows, column, _timestamp(moved))
            continue
        if value is None:
            rows = _set(rows, column, pa.nulls(size, kind))
            continue
        filled = "" if value == _BLANK else value
        if pa.types.is_decimal(kind):
            filled = Decimal(filled)
        rows = _set(rows, column, pa.array([filled] * size, kind))
    return rows
