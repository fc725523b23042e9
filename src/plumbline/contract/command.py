"""``plumbline contract``: keep what dbt knows of the contract in step with vars.yml."""

from __future__ import annotations

import click

from plumbline.contract.model import contract
from plumbline.contract.scaffold import documents
from plumbline.errors import PlumblineError
from plumbline.project import project_root


@click.command()
@click.option("--write", is_flag=True, help="Write the files; without it, only compare.")
def command(write: bool) -> None:
    """Write sources, seeds and staging of every contract table, or say what is out of step."""
    root = project_root()
    properties, sql = documents(contract(), root)
    stale = [p for p, text in properties.items() if not p.is_file() or p.read_text() != text]
    missing = [p for p in sql if not p.is_file()]
    if not write:
        if stale or missing:
            names = ", ".join(str(p.relative_to(root)) for p in [*stale, *missing][:5])
            raise PlumblineError(
                f"{len(stale) + len(missing)} files are not what vars.yml says: {names} ...",
                "Run plumbline contract --write.",
            )
        click.echo(f"contract: {len(properties) + len(sql)} files agree with vars.yml")
        return
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(properties[path], encoding="utf-8")
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql[path], encoding="utf-8")
    click.echo(f"contract: wrote {len(stale)} property files and {len(missing)} new models")
