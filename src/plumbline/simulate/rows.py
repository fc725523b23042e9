"""Arrow tables of the contract from columns or from a handful of Python rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa

from plumbline.contract.model import Table, table


@cache
def contracted(name: str) -> Table:
    """Table of the contract, looked up once: rows are made thousands of times."""
    return table(name)


def from_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Typed table from a few Python rows; decimals as text, timestamps as microseconds."""
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_decimal(field.type):
            values = [None if value is None else Decimal(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def from_columns(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """Table of the contract from Arrow columns; a column not given is null.

    String columns may be dictionary encoded: Parquet then stores them without encoding again.
    """
    wanted = contracted(name).schema
    size = len(next(iter(columns.values())))
    unknown = set(columns) - set(wanted.names)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(size, field.type)
        for field in wanted
    ]
    return pa.Table.from_arrays(arrays, names=wanted.names)
