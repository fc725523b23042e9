"""``plumbline import``."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from plumbline.errors import PlumblineError
from plumbline.importing import exposures as exported
from plumbline.importing.delivery import deliver_lines, deliver_versions, write_csv
from plumbline.importing.growthbook import (
    PLAN_COLUMNS,
    Goals,
    Plan,
    Registry,
    propose_goals,
    read_csv,
    read_plan,
    registry,
)
from plumbline.importing.growthbook_api import KEY_VARIABLE, Experiment, fetch, load
from plumbline.landing.run import inbox_path
from plumbline.project import project_root

_UNKNOWN = 3
_SHOWN = 5


def _pairs(values: Sequence[str], option: str) -> dict[str, str]:
    found = {}
    for value in values:
        name, mark, held = value.partition("=")
        if not (name and mark and held):
            raise PlumblineError(f"{option} {value} is no pair.", f"Write {option} name=value.")
        found[name] = held
    return found


def _share(value: str | None, option: str) -> Decimal | None:
    if value is None:
        return None
    try:
        share = Decimal(value)
    except InvalidOperation as error:
        raise PlumblineError(f"{option} {value} is no number.", "Write 0.05 for 5 %.") from error
    if not 0 <= share < 1:
        raise PlumblineError(f"{option} {value} is no share.", "Write 0.05 for 5 %.")
    return share


def _experiments(file: Path | None, url: str, project: str | None) -> list[Experiment]:
    if file is not None:
        return load(file)
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise PlumblineError(
            f"{KEY_VARIABLE} is not set.",
            "Set it to a key of GrowthBook that may read experiments, or name a saved answer with --file.",
        )
    if url.startswith("http://") and not url.startswith(("http://localhost", "http://127.0.0.1")):
        click.echo(f"warning: {url} is not encrypted; the key travels in the clear.", err=True)
    return fetch(url, key, project=project)


def _seed(name: str) -> list[dict[str, str]]:
    path = project_root() / "seeds" / "reference" / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _write_goals(goals: Goals, path: Path) -> None:
    columns = ("experiment_id", "metric", "role", "priority", "margin_relative", "owner", "reason")
    write_csv(path, columns, ([row[name] for name in columns] for row in goals.rows))
    unmapped = path.with_name(f"{path.stem}_unmapped.csv")
    write_csv(unmapped, ("experiment_id", "growthbook_metric", "role", "why"), goals.unmapped)
    click.echo(
        f"goals: {len(goals.rows)} proposed in {path} ({goals.known} stand in experiment_goals already); "
        f"{len(goals.unmapped)} without a metric here, see {unmapped.name}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _tell_registry(found: Registry, file: Path | None, is_new: bool) -> None:
    state = file.name if file and is_new else "as last imported, nothing written"
    click.echo(f"experiments: {len(found.variations)}, {len(found.rows)} rows: {state}")
    for reason in sorted({reason for _, reason in found.left_out}):
        names = [name for name, why in found.left_out if why == reason]
        click.echo(f"  left out, {reason}: {_listed(names)}")
    if found.conventional:
        click.echo(
            f"  control taken to be the first variation: {_listed(found.conventional)}"
            " (say --control experiment=variation where it is another)"
        )


@click.group()
def command() -> None:
    """Bring in what other tools know, as files in the inbox that landing judges."""


@command.command()
@click.option("--url", envvar="GROWTHBOOK_API_URL", default="https://api.growthbook.io",
              show_default=True, show_envvar=True, help="API host.")  # fmt: skip
@click.option("--project", metavar="ID", help="Read the experiments of one project only.")
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Saved answer of the API in place of the API.")  # fmt: skip
@click.option("--plan", "plan_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help=f"CSV: {', '.join(PLAN_COLUMNS)}.")  # fmt: skip
@click.option("--planned-days", type=click.IntRange(1), help="Planned length of other phases.")
@click.option("--planned-units", type=click.IntRange(1), help="Planned units of other phases.")
@click.option("--mde", metavar="SHARE", help="Smallest relative effect worth finding of others.")
@click.option("--control", "controls", multiple=True, metavar="EXPERIMENT=VARIATION",
              help="Control of an experiment [the first variation].")  # fmt: skip
@click.option("--unit-type", "unit_types", multiple=True, metavar="ATTRIBUTE=TYPE",
              help="What a hash attribute identifies: user, creator or bot.")  # fmt: skip
@click.option("--exposures", "exposure_files", multiple=True,
              type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Export of the exposure query: CSV, NDJSON or Parquet.")  # fmt: skip
@click.option("--variations-by", type=click.Choice(["key", "index", "id", "name"]), default="key",
              show_default=True, help="What the export calls a variation by.")  # fmt: skip
@click.option("--unit-column", "unit_columns", multiple=True,
              default=exported.Columns.units, show_default=True,
              help="Column of the unit's id; the first that is filled counts.")  # fmt: skip
@click.option("--time-column", default=exported.Columns.time, show_default=True)
@click.option("--experiment-column", default=exported.Columns.experiment, show_default=True)
@click.option("--variation-column", default=exported.Columns.variation, show_default=True)
@click.option("--metrics", "metric_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="CSV: growthbook_metric, metric.")  # fmt: skip
@click.option("--guardrail-margin", default="0.05", show_default=True,
              help="How much worse a proposed guardrail may get.")  # fmt: skip
@click.option("--goals", "goals_file", type=click.Path(path_type=Path),
              help="Where to propose goals [experiment_goals_proposed.csv beside the inbox].")  # fmt: skip
@click.option(
    "--inbox", type=click.Path(path_type=Path), help="Inbox [PLUMBLINE_INBOX, data/inbox]."
)
@click.option(
    "--imported-at", metavar="TIMESTAMP", help="Time stamped on the registry's rows [now]."
)
def growthbook(
    *,
    url: str,
    project: str | None,
    file: Path | None,
    plan_file: Path | None,
    planned_days: int | None,
    planned_units: int | None,
    mde: str | None,
    controls: tuple[str, ...],
    unit_types: tuple[str, ...],
    exposure_files: tuple[Path, ...],
    variations_by: str,
    unit_columns: tuple[str, ...],
    time_column: str,
    experiment_column: str,
    variation_column: str,
    metric_file: Path | None,
    guardrail_margin: str,
    goals_file: Path | None,
    inbox: Path | None,
    imported_at: str | None,
) -> None:
    """Bring in experiments of GrowthBook and exports of its exposures.

    The key is read from GROWTHBOOK_API_KEY. Files appear in the inbox whole; plumbline land takes them from
    there. Nothing is written when something about the registry is wrong. Exposures of experiments or
    variations that are not registered are written all the same and named; then the exit code is 3.
    """
    plan = Plan(
        days=planned_days,
        units=planned_units,
        mde=_share(mde, "--mde"),
        controls=_pairs(controls, "--control"),
        unit_types=_pairs(unit_types, "--unit-type"),
        rows=read_plan(plan_file) if plan_file else {},
    )
    margin = _share(guardrail_margin, "--guardrail-margin") or Decimal(0)
    mapped = {
        line["growthbook_metric"]: line["metric"]
        for line in (
            read_csv(metric_file, *[("growthbook_metric", "metric")] * 2) if metric_file else ()
        )
    }
    try:
        moment = datetime.fromisoformat(imported_at) if imported_at else datetime.now(UTC)
    except ValueError as error:
        raise PlumblineError(
            f"--imported-at {imported_at} is no timestamp.", "Write it as 2026-01-31T12:00:00Z."
        ) from error
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    target = (inbox or inbox_path()).resolve()
    experiments = _experiments(file, url, project)
    found = registry(experiments, plan)
    goals = propose_goals(
        experiments,
        found,
        {line["metric"]: line["unit_type"] for line in _seed("experiment_metrics")},
        mapped,
        [(line["experiment_id"], line["metric"]) for line in _seed("experiment_goals")],
        margin,
    )
    written, is_new = deliver_versions(target / "experiments", "growthbook", found.rows, moment)
    _tell_registry(found, written, is_new)
    _write_goals(goals, goals_file or target.parent / "experiment_goals_proposed.csv")
    columns = exported.Columns(unit_columns, time_column, experiment_column, variation_column)
    known = {name: set(names["key"]) for name, names in found.variations.items()}
    by_name = {name: names[variations_by] for name, names in found.variations.items()}
    unknown = False
    for path in exposure_files:
        count = exported.Count()
        rows = exported.lines(path, columns, by_name, known, count)
        place, is_new = deliver_lines(target / "experiment_exposures", "growthbook", rows)
        state = place.name if is_new else "no new rows, nothing written"
        click.echo(f"exposures of {path.name}: {count.rows:,} rows: {state}")
        unknown |= _tell_unknown(count, variations_by)
    if unknown:
        sys.exit(_UNKNOWN)


def _tell_unknown(count: exported.Count, variations_by: str) -> bool:
    if count.unreadable:
        click.echo(
            f"  {count.unreadable:,} lines cannot be read; landing will reject and keep them"
        )
    for experiment, rows in sorted(count.experiments.items()):
        click.echo(
            f"error: {rows:,} exposures of {experiment or 'nothing'}, which is not registered: they land and "
            "are quarantined (no_phase) until it is.",
            err=True,
        )
    for (experiment, variation), rows in sorted(count.variations.items()):
        click.echo(
            f"error: {rows:,} exposures of {experiment} to {variation or 'nothing'}, which is no "
            f"{variations_by} of its variations: they land as a leak. Is --variations-by right?",
            err=True,
        )
    return bool(count.experiments or count.variations)
