"""The ``plumbline`` command: one sub-command per module, imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from plumbline import __version__
from plumbline.errors import PlumblineError

# Sub-command -> module that holds a click command named ``command``, and what help says of it. Said here,
# so that a list of commands need not import them all.
_COMMANDS = {
    "build": (
        "plumbline.building.command",
        "Land new files, judge them, build and test every mart.",
    ),
    "land": (
        "plumbline.landing.command",
        "Land new files: typed Parquet, bad lines with a reason.",
    ),
    "score-answers": (
        "plumbline.answers.command",
        "Score new answers of language models by rules.",
    ),
    "import": ("plumbline.importing.command", "Bring experiments of GrowthBook into the inbox."),
    "check": ("plumbline.building.check", "Count everything again: lake, record, staging, facts."),
    "expectations": ("plumbline.landing.expectations", "Judge the landing as a whole."),
    "simulate": ("plumbline.simulate.command", "Write an invented company and the truth about it."),
    "metrics": ("plumbline.metrics.command", "Say what a metric means and which column holds it."),
    "serve": ("plumbline.service.command", "Score creators and read marts over HTTP."),
    "docs": ("plumbline.building.documentation", "Write the documentation site as one file."),
    "contract": ("plumbline.contract.command", "Keep what dbt knows in step with vars.yml."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Lazy)
@click.version_option(__version__, prog_name="plumbline")
def main() -> None:
    """An open analytics warehouse for AI products: land, build, check."""


def run() -> None:
    """Entry point: a :class:`PlumblineError` becomes one line and exit code 2."""
    try:
        main(standalone_mode=True)
    except PlumblineError as error:
        if os.environ.get("PLUMBLINE_DEBUG"):
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
