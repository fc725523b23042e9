"""Tiny lakes and warehouses for tests: write rows, land them, build, look."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from plumbline.contract import table
from plumbline.landing import land
from plumbline.project import mart_areas

Row = Mapping[str, Any]


def write_rows(lake: Path, table_name: str, load: str, rows: Iterable[Row]) -> None:
    """Write rows as a sink would: typed Parquet straight into the lake, then registered."""
    schema = table(table_name).schema
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    folder = lake / table_name
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(full, schema=schema), folder / f"{load}.parquet")


def register(lake: Path) -> None:
    """Let landing take over what was written."""
    land(None, lake).raise_for_failures()


class Warehouse:
    """One dbt database over one lake."""

    def __init__(
        self, folder: Path, run_dbt: Callable[..., subprocess.CompletedProcess[str]], lake: Path
    ):
        self.folder, self.lake, self._run = folder, lake, run_dbt
        self.database = folder / "plumbline.duckdb"

    def dbt(self, *args: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
        """Run dbt in lake mode; fail the test with dbt's own words when it fails."""
        done = self._run(
            list(args),
            env={"PLUMBLINE_RAW": "lake", "PLUMBLINE_LAKE": str(self.lake), **(env or {})},
        )
        output = done.stdout + done.stderr
        if check and done.returncode != 0:
            raise AssertionError(output[-6000:])
        return output

    def models(self, *select: str) -> None:
        """Build seeds and models without the data tests, all of them or a selection."""
        chosen = ["--select", *select] if select else []
        self.dbt("build", "--exclude-resource-type", "test", "unit_test", *chosen)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def contents(
        self, relation: str, columns: Sequence[str] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a relation in an order that content alone decides."""
        return self.query(
            f"select {', '.join(columns) if columns else '*'} from {relation} order by all"
        )

    def hashes(self, schemas: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Row count and order-free hash of every table of the schemas."""
        chosen = ", ".join(repr(schema) for schema in schemas)
        names = self.query(
            "select schema_name || '.' || table_name from duckdb_tables() "
            f"where schema_name in ({chosen}) order by 1"
        )
        return self.digests({name: f"from {name}" for (name,) in names})

    def digests(self, queries: Mapping[str, str]) -> dict[str, tuple[int, str]]:
        """Row count and order-free hash of what each query returns, by its name."""
        found = {}
        # One connection for all: opening the file takes longer than a table does.
        with duckdb.connect(str(self.database), read_only=True) as connection:
            for name, query in queries.items():
                ((rows, digest),) = connection.execute(
                    f"select count(*), coalesce(sum(hash(t))::varchar, '') from ({query}) as t"
                ).fetchall()
                found[name] = (int(rows), str(digest))
        return found


MARTS = mart_areas()
# What remembers from build to build, and the marts that stand nearest to it.
REMEMBERED = ("+config.materialized:incremental", "+path:models/marts/core", "+fct_user_days")
