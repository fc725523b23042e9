"""Every macro is documented with the arguments it has."""

from __future__ import annotations

import re
from pathlib import Path

import yaml


def _signatures(folder: Path) -> dict[str, list[str]]:
    """Arguments of each macro, by name; what a cross_db macro dispatches to is part of it."""
    found = {}
    for path in folder.rglob("*.sql"):
        for name, arguments in re.findall(
            r"\{%-?\s*macro\s+(\w+)\(([^)]*)\)", path.read_text("utf-8")
        ):
            if "__" not in name:
                found[name] = [
                    part.split("=")[0].strip() for part in arguments.split(",") if part.strip()
                ]
    return found


def test_every_macro_is_documented_with_its_arguments(project_root: Path) -> None:
    macros = project_root / "macros"
    entries = yaml.safe_load((macros / "_macros.yml").read_text("utf-8"))["macros"]
    documented = {
        entry["name"]: [argument["name"] for argument in entry.get("arguments", [])]
        for entry in entries
    }
    assert documented == _signatures(macros)


def test_every_entry_says_what_and_of_which_type(project_root: Path) -> None:
    entries = yaml.safe_load((project_root / "macros" / "_macros.yml").read_text("utf-8"))["macros"]
    for entry in entries:
        assert entry["description"].endswith("."), entry["name"]
        for argument in entry.get("arguments", []):
            assert argument["type"] and argument["description"].endswith("."), entry["name"]


def test_a_macro_stands_in_the_file_of_its_name(project_root: Path) -> None:
    names = {path.stem for path in (project_root / "macros").rglob("*.sql")}
    assert set(_signatures(project_root / "macros")) == names
