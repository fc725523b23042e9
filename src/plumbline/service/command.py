"""``plumbline serve``."""

from __future__ import annotations

import gc
import importlib.util
import logging.config
from dataclasses import replace
from pathlib import Path

import click

from plumbline.errors import PlumblineError
from plumbline.service.settings import Settings

NEEDS = ("fastapi", "uvicorn", "prometheus_client")
_GRACE_SECONDS = 20
# An answer is hundreds of small objects, none of which refers back: by the defaults, the collector would look
# through the young ones ten times for a batch, and through all of them while clients wait.
_COLLECT_AFTER = (50_000, 20, 50)


@click.command(name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    help="Published DuckDB file to read [PLUMBLINE_SERVICE_DATABASE].",
)
@click.option(
    "--inbox",
    type=click.Path(path_type=Path),
    help="Folder of landing for reported actions [PLUMBLINE_SERVICE_INBOX].",
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)
def command(
    host: str, port: int, database: Path | None, inbox: Path | None, log_level: str
) -> None:
    """Score creators and read published marts over HTTP, with pages for people.

    A key that clients must send is set by PLUMBLINE_SERVICE_API_KEY only: arguments are seen by others.
    """
    if missing := [name for name in NEEDS if importlib.util.find_spec(name) is None]:
        raise PlumblineError(
            f"the service needs {', '.join(missing)}.",
            "Install the extra: pip install 'plumbline[service]'.",
        )
    import uvicorn

    from plumbline.service.app import create_app
    from plumbline.service.middleware import log_configuration

    settings = Settings.from_environment()
    settings = replace(
        settings, database=database or settings.database, inbox=inbox or settings.inbox
    )
    configuration = log_configuration(log_level)
    logging.config.dictConfig(configuration)
    app = create_app(settings)
    # What is loaded by now stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    # On a signal: no new requests, those begun are answered, then the end.
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=configuration,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
