"""``plumbline docs``: the documentation site as one HTML file."""

from __future__ import annotations

import shutil
import subprocess

import click

from plumbline.building.dataset import resolve
from plumbline.building.dbt import dbt_environment, dbt_executable
from plumbline.errors import PlumblineError
from plumbline.progress import say
from plumbline.project import path_from_environment, project_root


@click.command()
@click.option("--data", default="demo", show_default=True, help="Warehouse to document.")
def command(data: str) -> None:
    """Write state/docs/index.html: every model and column with its lineage, in one file."""
    dataset = resolve(data, None)
    if not dataset.database.is_file():
        raise PlumblineError(
            f"{dataset.database} does not exist.",
            "Run make build first: the site shows its tables.",
        )
    root = project_root()
    say("Generating the documentation site")
    # A full parse: the site must not show what an earlier state of the files left behind.
    done = subprocess.run(
        [dbt_executable(), "--no-partial-parse", "docs", "generate", "--static"],
        env=dbt_environment(dataset.lake, dataset.database, dataset.state),
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    page = dataset.state / "target" / "static_index.html"
    if done.returncode != 0 or not page.is_file():
        raise PlumblineError(f"dbt docs generate failed: {(done.stdout + done.stderr)[-1500:]}")
    target = path_from_environment("PLUMBLINE_STATE", "state") / "docs"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(page, target / "index.html")
    click.echo(f"Documentation: {target / 'index.html'} (one file; open it in a browser)")
