"""What dbt needs to know of the contract, written from the contract itself.

Properties (sources, seeds, staging models) are always regenerated; SQL is only written where a file is
missing, so that a team may change a model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from plumbline.contract.model import Column, Table
from plumbline.project import variables

_HEADER = "# Written by `plumbline contract --write` from the contract in vars.yml; edit that.\n"

_COPIES = "arrival only separates identical rows."
# How a winner is described, why it wins, and in which order copies stand.
_WINNERS = {
    "earliest": (
        "earliest {time}",
        f"-- The earliest copy wins, then the smallest content hash; {_COPIES}",
        "{time} asc, row_hash asc, ingested_at asc",
    ),
    "latest": (
        "latest {time}",
        f"-- The latest version wins, then the smallest content hash; {_COPIES}",
        "{time} desc, row_hash asc, ingested_at asc",
    ),
    "last_landed": (
        "last landed",
        "-- The copy that landed last wins, then the smallest content hash: delivered again, a row is "
        "corrected.",
        "ingested_at desc, row_hash asc",
    ),
}

_VERDICT_COLUMNS = [
    ("load_id", "Load the row came with."),
    ("landed_date", "UTC day of the business time; 1900-01-01 where it is null."),
]


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as the house style has it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _dump(document: dict[str, Any]) -> str:
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    return _HEADER + text


def _described(columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    return [
        {"name": column.name, "description": column.description, "data_type": column.type}
        for column in columns
    ]


def _source_table(table: Table, in_catalog: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": table.name, "description": table.description}
    if in_catalog:
        # Freshness is asked of the tables that the catalog has, not of those that read as empty.
        entry["config"] = {
            "enabled": "{{ env_var('PLUMBLINE_RAW', 'seed') == 'catalog' "
            f"and '{table.name}' in var('catalog_tables') }}}}"
        }
    if table.flows == "daily":
        # A row dated ahead of its own arrival says nothing about how fresh the source is.
        relation = (
            "{{ source('catalog', '" + table.name + "') }}" if in_catalog else f"raw.{table.name}"
        )
        entry.setdefault("config", {})
        entry["config"] |= {
            "freshness": {
                "warn_after": {"count": variables()["freshness_warn_hours"], "period": "hour"},
                "error_after": {"count": variables()["freshness_error_hours"], "period": "hour"},
            },
            "loaded_at_query": f"select max(cast({table.time} as timestamp)) from {relation} "
            f"where {table.time} <= ingested_at + interval '1' day",
        }
    entry["columns"] = _described(table.columns)
    return entry


def lake_sources(tables: dict[str, Table]) -> str:
    """Sources of the lake: contract tables and landing's own."""
    entries = [_source_table(table, in_catalog=False) for table in tables.values()]
    for name, raw in variables()["landing"].items():
        entries.append(
            {
                "name": name,
                "description": raw["description"],
                "columns": [
                    {"name": c["name"], "description": c["description"], "data_type": c["type"]}
                    for c in raw["columns"]
                ],
            }
        )
    return _dump(
        {
            "sources": [
                {
                    "name": "lake",
                    "description": "Typed Parquet that `plumbline land` wrote (or took over from a "
                    "sink), seen through views that open_raw() makes before every run.",
                    "schema": "raw",
                    # Freshness is asked of the raw data that is read.
                    "config": {"enabled": "{{ env_var('PLUMBLINE_RAW', 'seed') == 'lake' }}"},
                    "loader": "plumbline land",
                    "tables": entries,
                }
            ]
        }
    )


def catalog_sources(tables: dict[str, Table]) -> str:
    """Sources in a team's own catalog."""
    return _dump(
        {
            "sources": [
                {
                    "name": "catalog",
                    "description": "Tables a team already has, under the contract's names.",
                    "loader": "the team's own pipelines",
                    "database": "{{ env_var('PLUMBLINE_CATALOG_DATABASE', 'team_catalog') }}",
                    "schema": "{{ env_var('PLUMBLINE_CATALOG_SCHEMA', 'main') }}",
                    "tables": [_source_table(table, in_catalog=True) for table in tables.values()],
                }
            ]
        }
    )


def raw_seeds(tables: dict[str, Table]) -> str:
    """Types and descriptions of the shipped sample."""
    return _dump(
        {
            "seeds": [
                {
                    "name": f"raw_{table.name}",
                    "description": f"Sample of {table.name}: {table.description}",
                    "config": {"column_types": {c.name: c.type for c in table.columns}},
                    "columns": _described(table.columns),
                }
                for table in tables.values()
            ]
        }
    )


def _grain_test(name: str, key: tuple[str, ...]) -> dict[str, Any]:
    claim = "_".join(column.removesuffix("_id") for column in key)
    return {
        "unique_grain": {
            "name": f"{name}__one_row_per_{claim}",
            "arguments": {"columns": list(key)},
        }
    }


def _model(name: str, description: str, columns: list[dict[str, Any]], tests: list[Any]) -> Any:
    model: dict[str, Any] = {"name": name, "description": description}
    if tests:
        model["data_tests"] = tests
    model["columns"] = columns
    return {"models": [model]}


def staging_properties(table: Table) -> dict[str, str]:
    """Properties of the four staging models of one table, by model name."""
    name = table.staging_model
    columns = _described(table.columns)
    verdict = [{"name": n, "description": d} for n, d in _VERDICT_COLUMNS]
    required = [column.name for column in table.columns if column.required]
    keys = ", ".join(table.key)
    reason = {
        "name": "quarantine_reason",
        "description": "First rule of the contract the row breaks.",
    }
    judged_extra = [
        {"name": "row_hash", "description": "Content of the row without ingested_at."},
        reason,
        {"name": "verdict", "description": "accepted, duplicate or quarantined."},
    ]
    return {
        name: _dump(
            _model(
                name,
                f"One row per {keys}. {table.description} Accepted rows only.",
                [*columns, *verdict],
                [
                    _grain_test(name, table.key),
                    {
                        "required_columns": {
                            "name": f"{name}__required_columns_present",
                            "arguments": {"columns": required},
                        }
                    },
                ],
            )
        ),
        f"{name}__judged": _dump(
            _model(
                f"{name}__judged",
                f"One row per landed row of {table.name}, with the verdict on it.",
                [*columns, *verdict, *judged_extra],
                [],
            )
        ),
        f"{name}__duplicates": _dump(
            _model(
                f"{name}__duplicates",
                f"One row per landed copy of a {table.name} row that another copy won over "
                f"({_WINNERS[table.winner][0].format(time=table.time)}, then content).",
                [*columns, *verdict],
                [],
            )
        ),
        f"{name}__quarantine": _dump(
            _model(
                f"{name}__quarantine",
                f"One row per landed row of {table.name} that breaks a rule of the contract, as it came.",
                [*columns, *verdict, reason],
                [],
            )
        ),
    }


def _listed(names: list[str], indent: str = "    ") -> str:
    return ",\n".join(f"{indent}{name}" for name in names)


def staging_sql(table: Table) -> dict[str, str]:
    """SQL of the four staging models of one table, by model name."""
    name = table.staging_model
    partition = ", ".join(table.key)
    _, why, first = _WINNERS[table.winner]
    order = "\n                ".join(
        f"{term} nulls last," for term in first.format(time=table.time).split(", ")
    )
    judged = f"""{{{{ config(materialized='table') }}}}

with

landed as (

    select * from {{{{ raw('{table.name}') }}}}

),

judged as (

    select
        {{{{ contract_columns('{table.name}') }}}},
        load_id,
        {{{{ landed_date('{table.name}') }}}} as landed_date,
        {{{{ row_hash('{table.name}') }}}} as row_hash,
        {{{{ judgement('{table.name}') }}}} as quarantine_reason
    from landed

),

{why}
-- A quarantined row does not compete with good ones.
ranked as (

    select
        *,
        row_number() over (
            partition by
                {partition},
                case when quarantine_reason is null then 1 else 0 end
            order by
                {order}
                load_id asc nulls last
        ) as copy_rank
    from judged

)

select
    {{{{ contract_columns('{table.name}') }}}},
    load_id,
    landed_date,
    row_hash,
    quarantine_reason,
    case
        when quarantine_reason is not null then 'quarantined'
        when copy_rank > 1 then 'duplicate'
        else 'accepted'
    end as verdict
from ranked
"""

    def slice_of(verdict: str, extra: list[str]) -> str:
        return (
            f"select\n    {{{{ contract_columns('{table.name}') }}}},\n"
            f"{_listed(['load_id', 'landed_date', *extra])}\n"
            f"from {{{{ ref('{name}__judged') }}}}\nwhere verdict = '{verdict}'\n"
        )

    return {
        name: slice_of("accepted", []),
        f"{name}__judged": judged,
        f"{name}__duplicates": slice_of("duplicate", []),
        f"{name}__quarantine": slice_of("quarantined", ["quarantine_reason"]),
    }


def catalog_mapping(table: Table) -> str:
    """SQL that maps a team's table onto the contract's columns and types."""
    columns = [f"cast({c.name} as {c.type}) as {c.name}" for c in table.columns]
    optional = [c.name for c in table.columns if not c.required]
    example = (optional or [table.columns[0].name])[0]
    return (
        "-- Inside each cast stands your column, after it the contract's. A column that you rename,\n"
        "-- convert or lack (then write null) has to be named below, as in\n"
        f"-- catalog_table('{table.name}', mapped=['{example}']); "
        "all others must be there in a fitting type.\n"
        f"select\n{_listed(columns)}\nfrom {{{{ catalog_table('{table.name}') }}}}\n"
    )


def catalog_properties(table: Table) -> str:
    """Properties of a catalog mapping."""
    name = f"map_catalog__{table.name}"
    return _dump(
        _model(
            name,
            f"One row per row of the catalog's {table.name}, in the contract's columns and types.",
            _described(table.columns),
            [],
        )
    )


def documents(tables: dict[str, Table], root: Path) -> tuple[dict[Path, str], dict[Path, str]]:
    """All files the contract determines.

    Returns:
        Two maps from path to text: properties, always written, and SQL, written where missing.
    """
    staging = root / "models" / "staging"
    properties = {
        staging / "_lake__sources.yml": lake_sources(tables),
        staging / "catalog" / "_catalog__sources.yml": catalog_sources(tables),
        root / "seeds" / "raw" / "_seeds.yml": raw_seeds(tables),
    }
    sql: dict[Path, str] = {}
    for table in tables.values():
        mapping = staging / "catalog" / f"map_catalog__{table.name}"
        properties[mapping.with_suffix(".yml")] = catalog_properties(table)
        sql[mapping.with_suffix(".sql")] = catalog_mapping(table)
        # The events are big enough to be stored by key and rebuilt by day: their models are their own.
        if table.name == "events":
            continue
        folder = staging / table.source
        for model, text in staging_properties(table).items():
            properties[folder / f"{model}.yml"] = text
        for model, text in staging_sql(table).items():
            sql[folder / f"{model}.sql"] = text
    return properties, sql
