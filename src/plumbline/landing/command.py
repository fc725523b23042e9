"""``plumbline land``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from plumbline.errors import PlumblineError
from plumbline.landing.report import FAILURES, REMEDIES, LandingReport
from plumbline.landing.run import inbox_path, land
from plumbline.project import lake_path

_FAILED = 3
_SHOWN_FILES = 40


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PlumblineError(
            f"--ingested-at {value} is no timestamp.", "Write it as 2026-01-31T12:00:00Z."
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment


def show(report: LandingReport) -> None:
    """Print what a landing did and where to look."""
    console = Console(soft_wrap=True)
    if report.files:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for title in ("file", "table", "status"):
            grid.add_column(title)
        for title in ("accepted", "rejected"):
            grid.add_column(title, justify="right")
        for file in report.files[:_SHOWN_FILES]:
            grid.add_row(
                Text(file.path),
                file.table or "",
                file.status,
                f"{file.accepted:,}",
                f"{file.rejected:,}",
            )
        console.print(grid)
        if len(report.files) > _SHOWN_FILES:
            console.print(f"... and {len(report.files) - _SHOWN_FILES} more files")
    for reason, count in report.reasons.items():
        console.print(Text(f"  {count:>8,} rejected: {reason}"))
    for warning in report.all_warnings:
        console.print(Text(f"warning: {warning}"))
    new = sum(1 for file in report.files if file.status not in FAILURES)
    console.print(
        Text(
            f"{new} new files ({report.known} known): {report.accepted:,} rows accepted, "
            f"{report.rejected:,} lines rejected. Lake: {report.lake}; bad lines: "
            f"{report.lake}/_landing/rejects, files: {report.lake}/_landing/manifest"
        )
    )


@click.command(name="land")
@click.option(
    "--inbox",
    type=click.Path(path_type=Path),
    help="Folder of new files [PLUMBLINE_INBOX, data/inbox].",
)
@click.option(
    "--lake", type=click.Path(path_type=Path), help="Typed lake [PLUMBLINE_LAKE, data/lake]."
)
@click.option("--allow-unreadable", is_flag=True, help="Record unreadable files and go on.")
@click.option("--accept-unterminated", is_flag=True, help="Take a last CSV line without newline.")
@click.option(
    "--replay", is_flag=True, help="Judge kept rejects again after a fix of the contract."
)
@click.option("--ingested-at", metavar="TIMESTAMP", help="Time stamped on rows without one [now].")
def command(
    *,
    inbox: Path | None,
    lake: Path | None,
    allow_unreadable: bool,
    accept_unterminated: bool,
    replay: bool,
    ingested_at: str | None,
) -> None:
    """Land new files: typed Parquet in the lake, bad lines kept with their reason.

    Exits with 3 when a file cannot be landed; the others are landed all the same.
    """
    if inbox is None:
        inbox = inbox_path()
        if not os.environ.get("PLUMBLINE_INBOX") and not inbox.exists():
            # A lake that only sinks feed needs no inbox.
            inbox = None
    report = land(
        inbox,
        lake or lake_path(),
        allow_unreadable=allow_unreadable,
        accept_unterminated=accept_unterminated,
        replay=replay,
        ingested_at=_moment(ingested_at),
    )
    show(report)
    for file in report.failures:
        click.echo(f"error: {file.path}: {file.detail}. {REMEDIES[file.status]}", err=True)
    if report.failures:
        sys.exit(_FAILED)
