"""Small tables in and out of dbt Python models, alike on every engine.

A Python model reads with :func:`read`, calls one function of the package and returns :func:`write`. Rows
come sorted by their key, because engines return them in any order and a result must not depend on it. A long
result is written part by part (:func:`write_parts`), so that it is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from plumbline.errors import PlumblineError

# Doubles hold every whole number up to here.
_WHOLE = 2**53
# Powers of ten up to here are doubles without rounding.
_EXACT_SCALE = 22


def scan(relation: Any) -> pa.Table:
    """Rows of a dbt relation in whatever order they come, for results that do not depend on it.

    Args:
        relation: what ``dbt.ref(...)`` returned: a DuckDB relation or a Spark data frame.
    """
    if hasattr(relation, "to_arrow_table"):
        found: pa.Table = relation.to_arrow_table()
    else:
        found = relation.toArrow()  # Spark
    return found


def read(relation: Any, keys: Sequence[str]) -> pa.Table:
    """Rows of a dbt relation, sorted by its key.

    Args:
        relation: what ``dbt.ref(...)`` returned: a DuckDB relation or a Spark data frame.
        keys: columns that identify a row.

    Raises:
        PlumblineError: a key column is missing, or two rows share a key (their order would be chance).
    """
    found = scan(relation)
    missing = [key for key in keys if key not in found.schema.names]
    if missing:
        raise PlumblineError(
            f"a Python model reads a table without {', '.join(missing)}.",
            "Name the key columns of the table it reads.",
        )
    found = found.sort_by([(key, "ascending") for key in keys])
    distinct = found.group_by(list(keys)).aggregate([]).num_rows if found.num_rows else 0
    if distinct != found.num_rows:
        raise PlumblineError(
            f"{found.num_rows - distinct} rows share their key ({', '.join(keys)}).",
            "Name all columns of the key of the table that the Python model reads.",
        )
    return found


def numbers(table: pa.Table, column: str) -> NDArray[np.float64]:
    """A numeric column as doubles; null is NaN.

    Args:
        table: table from :func:`read`.
        column: integer, decimal or double column.
    """
    values = table.column(column)
    if pa.types.is_decimal(values.type):
        values = pa.chunked_array([_doubles(chunk) for chunk in values.chunks], pa.float64())
    if not pa.types.is_floating(values.type):
        values = values.cast(pa.float64(), safe=False)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _doubles(values: pa.Array) -> pa.Array:
    """Decimals as the nearest doubles; the direct cast is off by one in the last place for some."""
    kind = values.type
    if pa.types.is_decimal128(kind) and 0 <= kind.scale <= _EXACT_SCALE and values.buffers()[1]:
        halves = np.frombuffer(values.buffers()[1], dtype="<i8").reshape(-1, 2)
        low, high = halves[values.offset : values.offset + len(values)].T
        null = np.asarray(values.is_null().to_numpy(zero_copy_only=False))
        # What lies below a null is anything.
        if (null | ((np.abs(low) <= _WHOLE) & (high == low >> 63))).all():
            # Both sides are exact, so that the division rounds once: to the nearest double.
            return pa.array(low / 10.0**kind.scale, mask=null)
    return values.cast(pa.string()).cast(pa.float64())


def texts(table: pa.Table, column: str) -> NDArray[np.str_]:
    """A text column as an array of strings.

    Raises:
        PlumblineError: a text is null.
    """
    values = table.column(column)
    if values.null_count:
        raise PlumblineError(f"column {column} has {values.null_count} nulls.", "Name the unknown.")
    return np.asarray(values.to_pylist(), dtype=np.str_)


def write(session: Any, columns: Mapping[str, Any], schema: pa.Schema) -> Any:
    """The result of a Python model in its declared schema; NaN leaves as null.

    Args:
        session: second argument of the model.
        columns: one array or list a column, equally long, by the names of the schema.
        schema: what the model promises.

    Raises:
        PlumblineError: the columns are not those of the schema.
    """
    result = _table(columns, schema)
    if hasattr(session, "createDataFrame"):  # Spark
        return session.createDataFrame(result.to_pandas())
    return result


def write_parts(session: Any, parts: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Any:
    """The result of a Python model whose rows are made part by part.

    DuckDB takes each part when it is made, so that only one is in memory; Spark takes all at once.

    Args:
        session: second argument of the model.
        parts: columns of each part, as :func:`write` takes them; none for an empty result.
        schema: what the model promises.

    Raises:
        PlumblineError: the columns of a part are not those of the schema.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        for columns in parts:
            yield from _table(columns, schema).to_batches()

    if hasattr(session, "createDataFrame"):  # Spark
        whole = pa.Table.from_batches(batches(), schema=schema)
        return session.createDataFrame(whole.to_pandas())
    return pa.RecordBatchReader.from_batches(schema, batches())


def _table(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    if set(columns) != set(schema.names):
        odd = sorted(set(columns) ^ set(schema.names))
        raise PlumblineError(
            f"a Python model returns other columns than its schema: {', '.join(odd)}.",
            "Let columns and schema name the same.",
        )
    arrays = [_array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks().cast(kind)
    if isinstance(values, pa.Array):
        return values.cast(kind)
    held = np.asarray(values)
    if not held.size:
        # Without a value there is no telling what it would have been: numpy says double.
        return pa.array([], type=kind)
    if held.dtype.kind == "f":
        return pa.array(held, mask=np.isnan(held)).cast(kind)
    if held.dtype.kind == "O" and isinstance(held[0], Decimal):
        return pa.array(list(values), type=kind)
    return pa.array(held.tolist(), type=kind)


def arrays(table: pa.Table) -> dict[str, NDArray[Any]]:
    """Columns as arrays by name: texts as objects, null as None; numbers and booleans as doubles with NaN.

    Dates and times are left out: what Python needs of them, SQL gives as a number of days.

    Args:
        table: table from :func:`read`.
    """
    found: dict[str, NDArray[Any]] = {}
    for name in table.schema.names:
        kind = table.schema.field(name).type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            found[name] = np.asarray(table.column(name).to_pylist(), dtype=object)
        elif pa.types.is_boolean(kind):
            held = table.column(name).cast(pa.int8()).cast(pa.float64())
            found[name] = np.asarray(held.to_numpy(zero_copy_only=False), dtype=np.float64)
        elif not pa.types.is_temporal(kind):
            found[name] = numbers(table, name)
    return found
