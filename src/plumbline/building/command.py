"""``plumbline build``: land, judge, build and test, and say what came out."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import duckdb

from plumbline.building.dataset import Dataset, fill, resolve
from plumbline.building.dbt import DbtResult, dbt_environment, run_dbt_build
from plumbline.building.fingerprint import code_hash, lake_hash
from plumbline.building.summary import show_failures, show_metric, show_summary
from plumbline.errors import PlumblineError
from plumbline.metrics import find
from plumbline.progress import say
from plumbline.project import project_root


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Hold the state folder; a second build says who holds it instead of waiting or mixing."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            raise PlumblineError(
                f"{state} is being built by {holder}.", "Wait for it, or stop it first."
            ) from None
        handle.truncate(0)
        handle.write(f"process {os.getpid()}")
        handle.flush()
        yield


def _last_build(state: Path) -> dict[str, Any]:
    record = state / "build.json"
    if not record.is_file():
        return {}
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, TypeError):
        return {}


def _judge_landing(dataset: Dataset) -> None:
    """Great Expectations on the landing profile, in a process of its own: its import costs seconds."""
    command = [sys.executable, "-m", "plumbline", "expectations"]
    command += ["--lake", str(dataset.lake), "--state", str(dataset.state)]
    if dataset.name == "demo":
        command += ["--baseline", str(project_root() / "expectations" / "baseline_sample.json")]
    code = subprocess.run(command, check=False).returncode
    if code != 0:
        raise PlumblineError(
            "the landing profile breaks its expectations (above); nothing was built.",
            "Mend the input, or accept a deliberate change with plumbline expectations "
            "--accept-baseline.",
        )


def _write_record(state: Path, record: dict[str, Any]) -> None:
    path = state / "build.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def build(
    dataset: Dataset,
    force: bool = False,
    expectations: bool = True,
    unit_tests: bool = True,
    allow_unreadable: bool = False,
    accept_unterminated: bool = False,
    metric: str | None = None,
) -> int:
    """Bring the warehouse of a dataset up to date.

    Args:
        dataset: what to build from, and where.
        force: rebuild everything even where nothing changed.
        expectations: judge the landing profile first.
        unit_tests: run dbt unit tests when code changed.
        allow_unreadable: go on when a landed file cannot be read.
        accept_unterminated: take a last CSV line without a line end.
        metric: build only the mart of this metric, what it stands on, and their tests.

    Returns:
        0 built or nothing to do, 1 a model or test failed.

    Raises:
        PlumblineError: the job could not be done at all (input, settings, another build running).
    """
    wanted = find(metric) if metric else None
    with _locked(dataset.state):
        began = time.monotonic()
        fill(dataset, allow_unreadable, accept_unterminated)
        code, lake = code_hash(), lake_hash(dataset.lake)
        last = _last_build(dataset.state)
        if (
            not force
            and dataset.database.is_file()
            and (last.get("code"), last.get("lake"), last.get("status")) == (code, lake, "ok")
        ):
            say(
                "Nothing changed since the last build (code, settings and lake): skipped. FORCE=1 rebuilds."
            )
            show_summary(dataset, None, time.monotonic() - began)
            return 0
        full = force or last.get("code") != code or not dataset.database.is_file()
        # Whatever happens now, the record of the last good build no longer describes this file.
        _write_record(dataset.state, {"status": "building"})
        if expectations:
            _judge_landing(dataset)
        arguments = ["--full-refresh"] if full else []
        if not unit_tests or not full:
            # Unit tests judge code: while the code stands still they have nothing new to say.
            arguments += ["--exclude-resource-type", "unit_test"]
        title = "Building" if full else "Building what changed"
        if wanted:
            # A test that reads another mart as well would judge one that is not built now.
            arguments += ["--select", f"+{wanted.model}", "--indirect-selection", "buildable"]
            title = f"Building what {wanted.name} stands on"
        environment = dbt_environment(dataset.lake, dataset.database, dataset.state)
        result: DbtResult = run_dbt_build(arguments, environment, title)
        if not result.succeeded:
            _write_record(dataset.state, {"status": "failed"})
            show_failures(dataset, result)
            return 1
        if wanted:
            # The other marts still say what they said before: the next whole build must not be skipped.
            _write_record(dataset.state, {"status": "partial"})
            show_metric(dataset, wanted, result, time.monotonic() - began)
            return 0
        _write_record(
            dataset.state,
            {"status": "ok", "code": code, "lake": lake, "engine": duckdb.__version__},
        )
        show_summary(dataset, result, time.monotonic() - began)
        return 0


@click.command()
@click.option(
    "--data", default="demo", show_default=True, help="demo, a size (100k, 1m, 10m), or a lake."
)
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Land these files first.",
)
@click.option(
    "--metric", help="Build only what this metric stands on (plumbline metrics lists them)."
)
@click.option("--force", is_flag=True, help="Rebuild everything even where nothing changed.")
@click.option(
    "--expectations/--no-expectations", default=True, help="Judge the landing profile first."
)
@click.option(
    "--unit-tests/--no-unit-tests", default=True, help="Run dbt unit tests when code changed."
)
@click.option("--allow-unreadable", is_flag=True, help="Go on when a landed file cannot be read.")
@click.option(
    "--accept-unterminated", is_flag=True, help="Take the last CSV line without a line end."
)
def command(
    data: str,
    inbox: Path | None,
    metric: str | None,
    force: bool,
    expectations: bool,
    unit_tests: bool,
    allow_unreadable: bool,
    accept_unterminated: bool,
) -> None:
    """Land new files, judge them, build every mart and run every data test."""
    dataset = resolve(data, inbox)
    sys.exit(
        build(
            dataset,
            force,
            expectations,
            unit_tests,
            allow_unreadable,
            accept_unterminated,
            metric,
        )
    )
