"""dbt-autofix against the schemas that dbt-core ships, so that it needs no network.

Run as ``python scripts/autofix.py deprecations --dry-run --json``: the arguments are dbt-autofix's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dbt.jsonschemas
from dbt_autofix import retrieve_schemas
from dbt_autofix.main import app

FOLDER = Path(dbt.jsonschemas.__file__).parent


def shipped(kind: str) -> dict[str, Any]:
    """Newest schema of a kind (``project`` or ``resources``) in the installed dbt-core."""
    newest = max((FOLDER / kind).glob("*.json"))
    schema: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return schema


def main() -> None:
    """Hand the shipped schemas to dbt-autofix and run it."""
    retrieve_schemas.get_fusion_latest_version = lambda client: "shipped with dbt-core"
    retrieve_schemas.get_fusion_yml_schema = lambda client, version: shipped("resources")
    retrieve_schemas.get_fusion_dbt_project_schema = lambda client, version: shipped("project")
    app()


if __name__ == "__main__":
    main()
