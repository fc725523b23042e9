"""From an export of exposures to rows of the landing contract, line by line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from plumbline.errors import PlumblineError

_FORMATS = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
}
_BATCH_ROWS = 50_000
_UTC_WORD = re.compile(r" ?UTC$")


@dataclass(frozen=True)
class Columns:
    """Which columns of an export hold what; the defaults are those of GrowthBook's exposure query.

    Attributes:
        units: columns of the unit's id; the first that is filled counts.
        time: when the unit was exposed.
        experiment: tracking key of the experiment.
        variation: the variation, as the export names it.
    """

    units: tuple[str, ...] = ("user_id", "anonymous_id")
    time: str = "timestamp"
    experiment: str = "experiment_id"
    variation: str = "variation_id"


@dataclass
class Count:
    """What went through.

    Attributes:
        rows: rows and lines written.
        unreadable: lines passed on as they are, for landing to reject and keep.
        experiments: rows by experiment that the registry does not list.
        variations: rows by experiment and variation that its registry does not list.
    """

    rows: int = 0
    unreadable: int = 0
    experiments: Counter[str] = field(default_factory=Counter)
    variations: Counter[tuple[str, str]] = field(default_factory=Counter)


def lines(
    path: Path,
    columns: Columns,
    variations: Mapping[str, Mapping[str, str]],
    known: Mapping[str, set[str]],
    count: Count,
) -> Iterator[bytes]:
    """NDJSON lines of ``experiment_exposures``, one for every row of the export, none left out.

    What the registry does not list goes on as it is and is counted: landing and staging judge it. A line
    that cannot be read goes on as it came, so that landing rejects it and keeps its bytes.

    Args:
        path: CSV, NDJSON or Parquet.
        columns: where things stand.
        variations: by experiment, the variation each name in the export stands for.
        known: ids of the variations of each registered experiment.
        count: is counted up.

    Raises:
        PlumblineError: the file cannot be read or lacks a column.
    """
    for row in _rows(path, columns):
        count.rows += 1
        if isinstance(row, bytes):
            count.unreadable += 1
            yield row
            continue
        experiment = _text(row.get(columns.experiment))
        variation = _text(row.get(columns.variation))
        if isinstance(experiment, str) and experiment not in known:
            count.experiments[experiment] += 1
        elif isinstance(experiment, str) and isinstance(variation, str):
            named = variations[experiment].get(variation)
            if named is None:
                count.variations[experiment, variation] += 1
            variation = named or variation
        unit = next((row[name] for name in columns.units if row.get(name) not in (None, "")), None)
        yield orjson.dumps(
            {
                "experiment_id": experiment,
                "variation_id": variation,
                "unit_id": _text(unit),
                "exposed_at": _time(row.get(columns.time)),
            },
            default=str,
        )


def _text(value: Any) -> Any:
    """Whole numbers as text, as ids are; anything else as it is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _time(value: Any) -> Any:
    """Times of Parquet as text in UTC; BigQuery's word for UTC as a Z."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="microseconds")
    return _UTC_WORD.sub("Z", value) if isinstance(value, str) else value


def _rows(path: Path, columns: Columns) -> Iterator[Mapping[str, Any] | bytes]:
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PlumblineError(
            f"{path} is no export of exposures.", f"Name a file that ends in {', '.join(_FORMATS)}."
        )
    readers = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}
    try:
        yield from readers[kind](path, columns)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise PlumblineError(f"{path} cannot be read: {error}.", "Export it again.") from error


def _check(path: Path, names: Sequence[str], columns: Columns) -> None:
    missing = [
        name for name in (columns.time, columns.experiment, columns.variation) if name not in names
    ]
    if not any(name in names for name in columns.units):
        missing.append(" or ".join(columns.units))
    if missing:
        raise PlumblineError(
            f"{path} has no column {', '.join(missing)}; its columns are {', '.join(names)}.",
            "Say where they are: --time-column, --experiment-column, --variation-column, --unit-column.",
        )


def _csv(path: Path, columns: Columns) -> Iterator[Mapping[str, Any] | bytes]:
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle)
        names = next(reader, [])
        _check(path, names, columns)
        for values in reader:
            if len(values) == len(names):
                yield {name: value or None for name, value in zip(names, values, strict=True)}
            elif values:
                # A torn row is no object; as a list of texts landing rejects it and keeps it.
                yield orjson.dumps(values)


def _ndjson(path: Path, columns: Columns) -> Iterator[Mapping[str, Any] | bytes]:
    checked = False
    with path.open("rb") as handle:
        for raw in handle:
            line = raw.strip()
            if not line:
                continue
            try:
                row = orjson.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                yield line
                continue
            if not checked:
                _check(path, list(row), columns)
                checked = True
            yield row


def _parquet(path: Path, columns: Columns) -> Iterator[Mapping[str, Any] | bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        _check(path, names, columns)
        wanted = (columns.experiment, columns.variation, columns.time, *columns.units)
        for batch in file.iter_batches(_BATCH_ROWS, columns=[n for n in wanted if n in names]):
            table = pa.table(batch)
            place = table.schema.get_field_index(columns.time)
            kind = table.schema.field(place).type
            if pa.types.is_timestamp(kind) and kind.unit == "ns":
                # Python's times end at the microsecond; the rest is cut, as landing does.
                moments = table.column(place).cast(pa.timestamp("us", kind.tz), safe=False)
                table = table.set_column(place, columns.time, moments)
            yield from table.to_pylist()
    except pa.ArrowException as error:
        raise PlumblineError(f"{path} cannot be read: {error}.", "Export it again.") from error
