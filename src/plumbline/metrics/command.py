"""``plumbline metrics``: which column holds a metric, what it means, and how to build just that."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from plumbline.metrics.registry import Metric, find, metrics


def _schema(model: str) -> str:
    """Schema of a mart: its folder."""
    from plumbline.project import project_root

    files = sorted((project_root() / "models" / "marts").glob(f"*/{model}.sql"))
    return files[0].parent.name if files else "marts"


def _describe(metric: Metric) -> str:
    column = f"{_schema(metric.model)}.{metric.model}.{metric.value}"
    lines = [
        metric.name,
        f"  {metric.definition}",
        f"  column          {column}",
    ]
    if metric.numerator and metric.denominator:
        lines.append(f"  formula         {metric.numerator} / {metric.denominator}")
    lines.append(f"  unit            {metric.unit}")
    lines.append(
        f"  good direction  {'neither' if metric.good_direction == 'none' else metric.good_direction}"
    )
    lines.append(f"  owner           {metric.owner}")
    if metric.also_in:
        lines.append(f"  other grains    {', '.join(metric.also_in)}")
    if metric.also_known_as:
        lines.append(f"  also known as   {', '.join(metric.also_known_as)}")
    lines.append(f"  build just this make build METRIC={metric.name}")
    return "\n".join(lines)


@click.command()
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the metrics, or say what one of them means and which column holds it.

    NAME is a metric or a name it had elsewhere (bot_ctr).
    """
    if name:
        click.echo(_describe(find(name)))
        return
    table = Table(title="Metrics", title_justify="left")
    for heading in ("metric", "column", "unit", "good"):
        table.add_column(heading, overflow="fold")
    for metric in metrics().values():
        good = "" if metric.good_direction == "none" else metric.good_direction
        table.add_row(metric.name, f"{metric.model}.{metric.value}", metric.unit, good)
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table)
    console.print("plumbline metrics <name> says what one means.")
