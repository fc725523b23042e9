"""``plumbline simulate``: write an invented company and the truth about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from plumbline.errors import PlumblineError
from plumbline.project import project_root
from plumbline.simulate.engine import simulate, users_for
from plumbline.simulate.sample import write_sample
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Truth

_DEFAULT = Settings()


@click.command()
@click.option("--users", default=_DEFAULT.users, show_default=True, help="Registered users.")
@click.option("--events", type=int, help="Choose the users so that about this many events come.")
@click.option("--days", default=_DEFAULT.days, show_default=True, help="Days; the last is partial.")
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the tables and truth.json."
)
@click.option("--bots", default=_DEFAULT.bots, show_default=True, help="AI characters.")
@click.option("--workflows", default=_DEFAULT.workflows, show_default=True, help="Product lines.")
@click.option("--creators", default=_DEFAULT.creators, show_default=True, help="Creators.")
@click.option("--start", default="2026-01-01", show_default=True, help="First day.")
@click.option(
    "--dirty", default=1.0, show_default=True,
    help="Multiplier of the rates of duplicates and wrong rows; 0 is clean.",
)  # fmt: skip
@click.option(
    "--format", "fmt", default="parquet", show_default=True,
    type=click.Choice(["parquet", "csv", "ndjson"]),
    help="parquet is the typed lake; csv and ndjson are an inbox for landing.",
)  # fmt: skip
@click.option("--table", "tables", multiple=True, help="Only this table; may be repeated.")
@click.option("--sample", is_flag=True, help="Rewrite the shipped sample (seeds/raw) instead.")
def command(
    users: int, events: int | None, days: int, seed: int, out: Path | None, bots: int,
    workflows: int, creators: int, start: str, dirty: float, fmt: str, tables: tuple[str, ...],
    sample: bool,
) -> None:  # fmt: skip
    """Write a company that does not exist, and truth.json that says what its marts must find."""
    if sample:
        root = project_root()
        truth = write_sample(
            root / "seeds" / "raw", root / "tests" / "fixtures" / "sample_truth.json"
        )
        _summary(truth, root / "seeds" / "raw")
        return
    if out is None:
        raise PlumblineError("simulate needs a folder to write to.", "Name it with --out.")
    try:
        first = datetime.strptime(start, "%Y-%m-%d").date()
    except ValueError as error:
        raise PlumblineError(f"--start {start} is not a date.", "Write YYYY-MM-DD.") from error
    settings = Settings(
        users=users, days=days, seed=seed, bots=bots, workflows=workflows, creators=creators,
        start=first, dirty=dirty, format=fmt, tables=tables,
    )  # fmt: skip
    if events is not None:
        if events < 1000:
            raise PlumblineError(f"--events {events} is too few.", "Ask for at least 1000.")
        settings = replace(settings, users=users_for(settings, events))
    _summary(simulate(settings, out), out)


def _summary(truth: Truth, out: Path) -> None:
    tables = truth.expected["tables"]
    rows = sum(table["landed"] for table in tables.values())
    wrong = sum(table["quarantined"] for table in tables.values())
    copies = sum(table["duplicates"] for table in tables.values())
    click.echo(
        f"{rows:,} rows in {len(tables)} tables ({copies:,} duplicates, {wrong:,} wrong rows), "
        f"{truth.settings['users']:,} users, as of {truth.expected['as_of']}: {out}"
    )
