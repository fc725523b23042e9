"""What a build made, and where to look."""

from __future__ import annotations

import sys

import duckdb
from rich.console import Console
from rich.table import Table

from plumbline.building.dataset import Dataset
from plumbline.building.dbt import DbtResult
from plumbline.metrics import Metric
from plumbline.project import mart_areas, project_root

# A warning is named on its own and is no failure.
_PASSED = {"success", "pass", "warn"}


def _console() -> Console:
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)


def _loads(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(title="What landed", title_justify="left")
    for name in ("table", "lines", "accepted", "duplicates", "rejected", "quarantined"):
        table.add_column(name, justify="left" if name == "table" else "right")
    rows = connection.execute(
        """
        select table_name, sum(line_count), sum(accepted_count), sum(duplicate_count),
            sum(rejected_count), sum(quarantined_count)
        from core.fct_loads group by table_name order by sum(line_count) desc, table_name
        """
    ).fetchall()
    for name, *counts in rows:
        table.add_row(name, *(f"{int(count):,}" for count in counts))
    return table


def _marts(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(title="Marts", title_justify="left")
    table.add_column("mart")
    table.add_column("rows", justify="right")
    table.add_column("what a row is")
    rows = connection.execute(
        """
        select schema_name, table_name, estimated_size, coalesce(comment, '')
        from duckdb_tables()
        where list_contains(?, schema_name)
        order by schema_name, table_name
        """,
        [list(mart_areas())],
    ).fetchall()
    for schema, name, size, comment in rows:
        table.add_row(f"{schema}.{name}", f"{size:,}", comment.split(". ")[0].split(": ")[0])
    return table


def show_failures(dataset: Dataset, result: DbtResult) -> None:
    """Name every failed node with its message."""
    console = _console()
    console.print(f"\n[bold red]Build failed:[/] {len(result.failures)} of its nodes")
    for line in result.failures:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print(f"Compiled SQL and results: {_relative(dataset, 'target')}")


def _relative(dataset: Dataset, name: str) -> str:
    path = dataset.state / name
    root = project_root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def show_summary(dataset: Dataset, result: DbtResult | None, seconds: float) -> None:
    """Print what stands in the warehouse, the latest complete day, and where to look next."""
    console = _console()
    with duckdb.connect(str(dataset.database), read_only=True) as connection:
        console.print()
        console.print(_loads(connection))
        console.print(_marts(connection))
        row = connection.execute(
            "select activity_date, daily_active_users, weekly_active_users, monthly_active_users "
            "from growth.agg_active_users__daily order by activity_date desc limit 1"
        ).fetchone()
    if row is not None:
        weekly = "n/a" if row[2] is None else f"{row[2]:,}"
        monthly = "n/a" if row[3] is None else f"{row[3]:,}"
        console.print(f"Last complete day {row[0]}: DAU {row[1]:,}, WAU {weekly}, MAU {monthly}")
    if result is not None:
        console.print(_tally(result, seconds))
        _show_warnings(console, result)
    console.print("Where to look:")
    places = [
        ("warehouse", "plumbline.duckdb", "duckdb -readonly, or any BI tool that reads DuckDB"),
        (
            "landing report",
            "expectations/data_docs/index.html",
            "Great Expectations on what landed",
        ),
    ]
    for label, name, what in places:
        if (dataset.state / name).exists():
            console.print(f"  {label:<15} {_relative(dataset, name)}  ({what})", soft_wrap=True)
    console.print("  documentation   make docs, then open state/docs/index.html", soft_wrap=True)


def _show_warnings(console: Console, result: DbtResult) -> None:
    """What is no reason to stop, but for somebody to look."""
    if result.warnings:
        console.print(f"[bold yellow]Warnings:[/] {len(result.warnings)}")
    for line in result.warnings:
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _tally(result: DbtResult, seconds: float) -> str:
    parts = []
    for kind, by_status in sorted(result.counts.items()):
        good = sum(count for status, count in by_status.items() if status in _PASSED)
        parts.append(f"{good:,} of {sum(by_status.values()):,} {kind.replace('_', ' ')}s")
    return f"Built in {seconds:.0f} s: {', '.join(parts)} good"


def show_metric(dataset: Dataset, metric: Metric, result: DbtResult, seconds: float) -> None:
    """Print where a metric stands after a build of its lineage alone."""
    console = _console()
    with duckdb.connect(str(dataset.database), read_only=True) as connection:
        found = connection.execute(
            "select schema_name, estimated_size from duckdb_tables() where table_name = ?",
            [metric.model],
        ).fetchone()
    schema, rows = found if found else ("marts", 0)
    console.print(f"\n{metric.name}: {metric.definition}", soft_wrap=True)
    console.print(f"  column     {schema}.{metric.model}.{metric.value} ({rows:,} rows)")
    if metric.numerator and metric.denominator:
        console.print(f"  formula    {metric.numerator} / {metric.denominator}")
    console.print(_tally(result, seconds))
    _show_warnings(console, result)
    console.print(
        f"  warehouse  {_relative(dataset, 'plumbline.duckdb')}  (other marts stand as they were)",
        soft_wrap=True,
    )
