"""The ``plumbline`` command: one sub-command per module, imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from plumbline import __version__
from plumbline.errors import PlumblineError

# Sub-command -> module that holds a click command named ``command``.
_COMMANDS = {
    "simulate": "plumbline.simulate.command",
    "land": "plumbline.landing.command",
    "build": "plumbline.building.command",
    "check": "plumbline.building.check",
    "expectations": "plumbline.landing.expectations",
    "docs": "plumbline.building.documentation",
    "contract": "plumbline.contract.command",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


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
