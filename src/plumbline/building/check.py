"""``plumbline check``: does the warehouse still say what landed? Everything is counted again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb

from plumbline.building.dataset import Dataset, resolve
from plumbline.contract import contract
from plumbline.errors import PlumblineError
from plumbline.progress import track


@dataclass(frozen=True)
class _Fact:
    """A table that stands for events: its own count, and what a day of it must agree with."""

    name: str
    count: str
    counted: str
    stamp: str
    days: str = "int_event_days_fingerprinted"


_FACTS = (
    _Fact(
        "int_events_aggregated_to_user_days", "sum(event_count)", "event_count", "event_checksum"
    ),
    _Fact(
        "int_events_aggregated_to_bot_user_days",
        "sum(event_count)",
        "bot_event_count",
        "neighbourhood_checksum",
    ),
    _Fact("int_views_matched", "count(*)", "view_count", "neighbourhood_checksum"),
    _Fact(
        "int_events_aggregated_to_impression_contexts",
        "sum(impression_count)",
        "impression_count",
        "event_checksum",
    ),
    _Fact(
        "int_events_aggregated_to_session_pieces",
        "sum(event_count)",
        "event_count",
        "event_checksum",
    ),
    _Fact(
        "int_events_aggregated_to_conversation_days",
        "sum(message_count)",
        "conversation_message_count",
        "event_checksum",
    ),
    _Fact(
        "int_events_aggregated_to_exposure_days",
        "count(*)",
        "unit_count",
        "exposure_checksum",
        "int_exposure_days_fingerprinted",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One disagreement: what was compared, where, and how it differs."""

    claim: str
    where: str
    detail: str


def _lake_against_record(lake: Path) -> list[Finding]:
    """Rows per table, load and day: read from every lake file again, and compared with the record."""
    findings = []
    with duckdb.connect() as engine, track("Reading the lake", len(contract()), "tables") as bar:
        engine.execute("set TimeZone = 'UTC'")
        record = str(lake / "_landing" / "fingerprints" / "*.parquet")
        for table in contract().values():
            rows = engine.execute(
                f"""
                with
                now as (
                    select
                        parse_filename(filename, true) as load_id,
                        coalesce(cast({table.time} as date), date '1900-01-01') as landed_date,
                        count(*) as row_count
                    from read_parquet($files, union_by_name = true, filename = true)
                    group by all
                ),
                recorded as (
                    select load_id, landed_date, sum(row_count) as row_count
                    from read_parquet($record, union_by_name = true)
                    where table_name = $name
                    group by all
                )
                select load_id, landed_date, coalesce(now.row_count, 0), coalesce(recorded.row_count, 0)
                from now full outer join recorded using (load_id, landed_date)
                where now.row_count is distinct from recorded.row_count
                order by all
                """,
                {
                    "files": str(lake / table.name / "*.parquet"),
                    "record": record,
                    "name": table.name,
                },
            ).fetchall()
            findings += [
                Finding(
                    "the lake holds what landing recorded",
                    f"{table.name}, load {load}, {day}",
                    f"{found} rows in the file, {expected} recorded",
                )
                for load, day, found, expected in rows
            ]
            bar.advance(1, table.name)
    return findings


def _warehouse_against_record(dataset: Dataset) -> list[Finding]:
    """Staging and facts against what landing recorded, and marts against facts."""
    findings = []
    with duckdb.connect(str(dataset.database), read_only=True) as engine:
        for table, load, landed, judged in engine.execute(
            """
            select table_name, load_id, landed_row_count,
                accepted_count + duplicate_count + quarantined_count
            from intermediate.int_loads_reconciled
            where landed_row_count <> accepted_count + duplicate_count + quarantined_count
            order by all
            """
        ).fetchall():
            findings.append(
                Finding(
                    "every landed row has one verdict",
                    f"{table}, load {load}",
                    f"{landed} landed, {judged} judged",
                )
            )
        # From the stored events, not from the fingerprints a build left: a value edited by hand shows here.
        engine.execute(
            """
            create temp table days as
            select event_date, cast(sum(event_checksum) as decimal(38, 0)) as event_checksum
            from intermediate.int_events_resolved group by event_date
            """
        )
        for day, now, built in engine.execute(
            """
            select event_date, days.event_checksum, prints.event_checksum
            from days full outer join intermediate.int_event_days_fingerprinted as prints
                using (event_date)
            where days.event_checksum is distinct from prints.event_checksum
            order by event_date
            """
        ).fetchall():
            findings.append(
                Finding(
                    "stored events are those the facts were built from",
                    f"stg_product__events, {day}",
                    f"checksum {now}, was {built}",
                )
            )
        for fact in _FACTS:
            rows = engine.execute(
                f"""
                with built as (
                    select event_date, {fact.count} as n, min(day_checksum) as low, max(day_checksum) as high
                    from intermediate.{fact.name} group by event_date
                )
                select prints.event_date, prints.{fact.counted}, coalesce(built.n, 0)
                from intermediate.{fact.days} as prints
                left join built using (event_date)
                where coalesce(built.n, 0) <> prints.{fact.counted}
                    or (built.n > 0 and (built.low, built.high)
                        is distinct from (prints.{fact.stamp}, prints.{fact.stamp}))
                order by all
                """
            ).fetchall()
            findings += [
                Finding(
                    "facts stand for exactly the accepted events",
                    f"{fact.name}, {day}",
                    f"{built} counted, {expected} accepted",
                )
                for day, expected, built in rows
            ]
    return findings


def check(dataset: Dataset) -> list[Finding]:
    """All disagreements between lake, landing's record and warehouse.

    Raises:
        PlumblineError: there is no lake or no warehouse to check.
    """
    if not dataset.database.is_file():
        raise PlumblineError(f"{dataset.database} does not exist.", "Run plumbline build first.")
    if not (dataset.lake / "_landing").is_dir():
        raise PlumblineError(f"{dataset.lake} is no lake.", "Run plumbline land first.")
    return _lake_against_record(dataset.lake) + _warehouse_against_record(dataset)


@click.command()
@click.option("--data", default="demo", show_default=True, help="As for plumbline build.")
def command(data: str) -> None:
    """Count everything again: lake, landing's record, staging and facts must agree."""
    dataset = resolve(data, None)
    findings = check(dataset)
    for finding in findings[:50]:
        click.echo(f"{finding.where}: not true that {finding.claim} ({finding.detail})", err=True)
    if findings:
        click.echo(
            f"{len(findings)} disagreements. FORCE=1 make build rebuilds the warehouse from the lake.",
            err=True,
        )
        sys.exit(1)
    click.echo("check: lake, landing's record, staging and facts agree")
