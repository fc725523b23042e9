"""Settings of the service, from the environment; each has a safe default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.errors import PlumblineError


@dataclass(frozen=True)
class Settings:
    """What one running service was told.

    Attributes:
        database: published DuckDB file, opened for each question; None for none.
        inbox: folder that landing reads, for actions that were carried out; None for none.
        api_key: what a client must send, or None for an open service.
        max_bytes: largest body of a request.
        max_creators: most creators of one batch.
    """

    database: Path | None = None
    inbox: Path | None = None
    api_key: str | None = None
    max_bytes: int = 1024 * 1024
    max_creators: int = 1000

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``PLUMBLINE_SERVICE_DATABASE``, ``_INBOX``, ``_API_KEY``, ``_MAX_BYTES``, ``_MAX_CREATORS``.

        Raises:
            PlumblineError: a limit is no positive number.
        """
        env = os.environ if environment is None else environment

        def path(name: str) -> Path | None:
            value = env.get(f"PLUMBLINE_SERVICE_{name}", "")
            return Path(value).expanduser() if value else None

        def limit(name: str, default: int) -> int:
            value = env.get(f"PLUMBLINE_SERVICE_{name}", "")
            if not value:
                return default
            if not value.isdigit() or int(value) == 0:
                raise PlumblineError(
                    f"PLUMBLINE_SERVICE_{name} is {value}.", "Set it to a positive whole number."
                )
            return int(value)

        plain = Settings()
        return Settings(
            database=path("DATABASE"),
            inbox=path("INBOX"),
            api_key=env.get("PLUMBLINE_SERVICE_API_KEY") or None,
            max_bytes=limit("MAX_BYTES", plain.max_bytes),
            max_creators=limit("MAX_CREATORS", plain.max_creators),
        )
