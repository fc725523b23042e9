"""Private columns by name and lineage: no mart names one, and none reaches a mart under another name.

That no private text reaches a mart by content is asserted on landed rows in test_staging_faults.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from conftest import RunDbt
from plumbline.contract import contract

PRIVATE = sorted(
    {column.name for table in contract().values() for column in table.columns if column.pii}
)


@pytest.fixture(scope="module")
def manifest(run_dbt_module: RunDbt, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("manifest")
    done = run_dbt_module(["--warn-error", "parse"], env={"DBT_TARGET_PATH": str(target)})
    assert done.returncode == 0, done.stdout + done.stderr
    parsed: dict[str, Any] = json.loads((target / "manifest.json").read_text())
    return parsed


def _models(manifest: dict[str, Any], folder: str) -> list[dict[str, Any]]:
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith(f"{folder}/")
    ]


def _words(sql: str) -> set[str]:
    return set(re.findall(r"[a-z_][a-z0-9_]*", sql.lower()))


def test_the_contract_names_private_columns() -> None:
    assert {"handle", "prompt_text", "source_text", "response_text"} <= set(PRIVATE)


def test_no_mart_has_a_private_column(manifest: dict[str, Any]) -> None:
    marts = _models(manifest, "marts")
    assert marts
    found = [
        (node["name"], column)
        for node in marts
        for column in node["columns"]
        if any(private in column for private in PRIVATE)
    ]
    assert found == []


def test_every_column_of_a_mart_is_listed(manifest: dict[str, Any]) -> None:
    # A contract makes the list above complete: a column that it lacks cannot be built.
    for node in _models(manifest, "marts"):
        assert node["config"]["contract"]["enforced"], node["name"]
        assert node["columns"], node["name"]


def test_no_private_column_is_read_where_marts_are_made(manifest: dict[str, Any]) -> None:
    found = [
        (node["name"], sorted(_words(node["raw_code"]) & set(PRIVATE)))
        for node in _models(manifest, "marts")
        if _words(node["raw_code"]) & set(PRIVATE)
    ]
    assert found == []


def test_no_model_gives_a_private_column_another_name(manifest: dict[str, Any]) -> None:
    """What is derived from a text may be a number; the text itself keeps its name, so that it is found."""
    renamed = re.compile(
        rf"\b(?:{'|'.join(PRIVATE)})\s+as\s+(?!(?:string|varchar|{'|'.join(PRIVATE)})\b)",
        re.IGNORECASE,
    )
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    found = [(node["name"], renamed.findall(node["raw_code"])) for node in models]
    assert [entry for entry in found if entry[1]] == []
