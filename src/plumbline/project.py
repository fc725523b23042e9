"""Where the project stands, and the paths and settings that its tools share."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from plumbline.errors import PlumblineError


def project_root() -> Path:
    """Folder of the dbt project: ``PLUMBLINE_PROJECT``, else the nearest one above the working
    directory, else the checkout this package was installed from.

    Raises:
        PlumblineError: no ``dbt_project.yml`` with a ``vars.yml`` beside it was found.
    """
    named = os.environ.get("PLUMBLINE_PROJECT")
    here = Path.cwd()
    places = [Path(named)] if named else [here, *here.parents, Path(__file__).resolve().parents[2]]
    for place in places:
        if (place / "dbt_project.yml").is_file() and (place / "vars.yml").is_file():
            return place.resolve()
    raise PlumblineError(
        f"no Plumbline project at {named or here}: dbt_project.yml and vars.yml not found.",
        "Run the command inside the checkout, or set PLUMBLINE_PROJECT to it.",
    )


def mart_areas() -> tuple[str, ...]:
    """Areas of the marts, in order: the folders of ``models/marts``, whose names are their schemas."""
    marts = project_root() / "models" / "marts"
    return tuple(sorted(folder.name for folder in marts.iterdir() if any(folder.glob("*.sql"))))


# The loader in C reads the same YAML ten times as fast; a build of PyYAML may lack it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _variables(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        return dict(loaded["vars"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise PlumblineError(f"{path} is not a valid settings file: {error}.") from error


def variables() -> dict[str, Any]:
    """All variables of ``vars.yml``: settings and the landing contract, as dbt sees them."""
    return _variables(project_root() / "vars.yml")


def setting(name: str) -> Any:
    """One scalar of ``vars.yml``.

    Raises:
        PlumblineError: the name is not a setting.
    """
    found = variables()
    if name not in found:
        raise PlumblineError(f"vars.yml has no setting {name}.")
    return found[name]


def path_from_environment(variable: str, default: str) -> Path:
    """Absolute path named by an environment variable, relative values being taken from the project.

    Args:
        variable: name of the environment variable.
        default: path used when the variable is unset or empty.
    """
    value = os.environ.get(variable) or default
    path = Path(value).expanduser()
    return (path if path.is_absolute() else project_root() / path).resolve()


def lake_path() -> Path:
    """The typed lake (``PLUMBLINE_LAKE``)."""
    return path_from_environment("PLUMBLINE_LAKE", "data/lake")
