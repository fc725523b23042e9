"""Every generic data test of tests/generic has rows it lets pass and rows it must catch.

All cases stand in one tiny dbt project, built once, on a copy of the files the warehouse itself
uses. A generic test that catches too little or too much shows by the name of its case.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, dbt_runner

GENERIC = ROOT / "tests" / "generic"


@dataclass(frozen=True)
class Case:
    """One use of a generic test on literal rows."""

    test: str
    name: str
    columns: str
    rows: tuple[str, ...]
    arguments: dict[str, Any]
    caught: int
    column: str | None = None

    @property
    def model(self) -> str:
        """Name of the model that holds the rows."""
        return f"{self.test}__{self.name}"


PERIODS = "owner, starts_on, ends_on"
CASES = (
    Case("unique_grain", "distinct_pairs", "a, b", ("1, 1", "1, 2"), {"columns": ["a", "b"]}, 0),
    Case("unique_grain", "repeated_pair", "a, b", ("1, 1", "1, 1"), {"columns": ["a", "b"]}, 1),
    Case(
        "unique_grain",
        "repeated_null_key",
        "a, b",
        ("1, cast(null as bigint)", "1, null"),
        {"columns": ["a", "b"]},
        1,
    ),
    Case(
        "accepted_range",
        "bounds_and_null_pass",
        "a",
        ("0", "1", "null"),
        {"min_value": 0, "max_value": 1},
        0,
        "a",
    ),
    Case(
        "accepted_range",
        "outside_both_bounds",
        "a",
        ("-1", "2", "1"),
        {"min_value": 0, "max_value": 1},
        2,
        "a",
    ),
    Case(
        "accepted_range",
        "open_bounds",
        "a",
        ("0", "1"),
        {"min_value": 0, "max_value": 2, "inclusive": False},
        1,
        "a",
    ),
    Case(
        "accepted_range",
        "not_a_number_above_a_lower_bound",
        "a",
        ("cast('nan' as double)", "cast('infinity' as double)", "1.0"),
        {"min_value": 0},
        2,
        "a",
    ),
    Case(
        "accepted_range",
        "infinity_below_an_upper_bound",
        "a",
        ("cast('-infinity' as double)", "-1.0"),
        {"max_value": 0},
        1,
        "a",
    ),
    Case(
        "accepted_range",
        "dates",
        "a",
        ("cast('2024-01-01' as date)", "cast('2023-12-31' as date)"),
        {"min_value": "cast('2024-01-01' as date)"},
        1,
        "a",
    ),
    Case("expression_is_true", "identity", "a, b", ("1, 1",), {"expression": "a = b"}, 0),
    Case("expression_is_true", "broken", "a, b", ("1, 2", "1, 1"), {"expression": "a = b"}, 1),
    Case("expression_is_true", "either", "a", ("1", "2"), {"expression": "a = 1 or a = 2"}, 0),
    Case(
        "expression_is_true",
        "undecided",
        "a, b",
        ("1, cast(null as int)",),
        {"expression": "a = b"},
        1,
    ),
    Case("expression_is_true", "of_a_column", "a", ("1", "-1"), {"expression": ">= 0"}, 1, "a"),
    Case("tells_its_rows", "no_row", "a", (), {"message": "a", "stops": False}, 0),
    Case("tells_its_rows", "one_row", "a", ("'mend'",), {"message": "a", "stops": False}, 1),
    Case("not_empty", "one_row", "a", ("1",), {}, 0),
    Case("not_empty", "no_row", "a", (), {}, 1),
    Case(
        "contiguous_dates",
        "each_partition_whole",
        "k, d",
        (
            "1, cast('2024-02-28' as date)",
            "1, cast('2024-02-29' as date)",
            "1, cast('2024-02-29' as date)",
            "2, cast('2024-06-01' as date)",
        ),
        {"column": "d", "partition_by": ["k"]},
        0,
    ),
    Case(
        "contiguous_dates",
        "missing_day",
        "d",
        ("cast('2024-02-28' as date)", "cast('2024-03-01' as date)"),
        {"column": "d"},
        1,
    ),
    Case(
        "contiguous_dates",
        "null_day",
        "d",
        ("cast('2024-02-28' as date)", "null"),
        {},
        1,
        "d",
    ),
    Case(
        "non_overlapping_periods",
        "touching",
        PERIODS,
        ("1, 1, 5", "1, 5, 9", "1, 9, null", "2, 3, 4"),
        {"start": "starts_on", "end": "ends_on", "partition_by": ["owner"]},
        0,
    ),
    Case(
        "non_overlapping_periods",
        "overlapping",
        PERIODS,
        ("1, 1, 5", "1, 4, 9"),
        {"start": "starts_on", "end": "ends_on", "partition_by": "owner"},
        1,
    ),
    Case(
        "non_overlapping_periods",
        "contained_with_one_between",
        PERIODS,
        ("1, 1, 10", "1, 2, 3", "1, 5, 6"),
        {"start": "starts_on", "end": "ends_on", "partition_by": "owner"},
        1,
    ),
    Case(
        "non_overlapping_periods",
        "open_period_followed",
        PERIODS,
        ("1, 1, cast(null as int)", "1, 4, 9"),
        {"start": "starts_on", "end": "ends_on", "partition_by": "owner"},
        1,
    ),
    Case(
        "non_overlapping_periods",
        "backwards_and_unstarted",
        PERIODS,
        ("1, 5, 1", "2, null, 3"),
        {"start": "starts_on", "end": "ends_on", "partition_by": "owner"},
        2,
    ),
    Case(
        "sums_to",
        "weights_to_one",
        "k, w",
        ("1, 0.3", "1, 0.7", "2, 1.0"),
        {"column": "w", "total": 1, "group_by": ["k"]},
        0,
    ),
    Case(
        "sums_to",
        "weights_off",
        "k, w",
        ("1, 0.3", "1, 0.6", "2, 1.0"),
        {"column": "w", "total": 1, "group_by": ["k"]},
        1,
    ),
    Case(
        "sums_to",
        "within_tolerance",
        "w",
        ("0.333333333", "0.333333333", "0.333333333"),
        {"total": 1, "tolerance": 0.00001},
        0,
        "w",
    ),
    Case(
        "sums_to",
        "total_of_the_group",
        "k, w, t",
        ("1, 2, 5", "1, 3, 5", "2, 1, 1", "2, 1, 2"),
        {"column": "w", "total": "t", "group_by": "k"},
        1,
    ),
    Case("sums_to", "nothing_to_sum", "w", ("cast(null as int)",), {"total": 0}, 1, "w"),
    Case(
        "never_increases",
        "funnel",
        "k, s, n",
        ("1, 1, 9", "1, 2, 9", "1, 3, null", "1, 4, 4", "2, 1, 50"),
        {"column": "n", "order_by": "s", "partition_by": ["k"]},
        0,
    ),
    Case(
        "never_increases",
        "rise_after_a_null",
        "k, s, n",
        ("1, 1, 9", "1, 2, null", "1, 3, 10"),
        {"column": "n", "order_by": ["s"], "partition_by": "k"},
        1,
    ),
    Case(
        "reconciles_with",
        "equal_groups",
        "k, n",
        ("1, 3", "2, 0"),
        {
            "to": "ref('facts')",
            "group_by": ["k"],
            "expression": "sum(n)",
            "to_expression": "count(*)",
            "to_group_by": ["fact_key"],
            "to_where": "fact_key = 1",
        },
        0,
    ),
    Case(
        "reconciles_with",
        "missing_group",
        "fact_key",
        ("1", "1", "1"),
        {"to": "ref('facts')", "group_by": "fact_key"},
        1,
    ),
    Case(
        "reconciles_with",
        "null_key",
        "fact_key",
        ("1", "1", "1", "null"),
        {"to": "ref('facts')", "group_by": ["fact_key"], "to_where": "fact_key = 1"},
        1,
    ),
    Case("reconciles_with", "grand_total", "n", ("1", "2", "3", "4"), {"to": "ref('facts')"}, 0),
    Case(
        "reconciles_with",
        "grand_total_off",
        "n",
        ("1", "2", "3"),
        {"to": "ref('facts')", "tolerance": 0.5},
        1,
    ),
    Case(
        "reconciles_with",
        "grand_total_tolerated",
        "n",
        ("1", "2", "3"),
        {"to": "ref('facts')", "tolerance": 1},
        0,
    ),
    Case("required_columns", "all_there", "a, b", ("1, 'x'",), {"columns": ["a", "b"]}, 0),
    Case(
        "required_columns",
        "some_missing",
        "a, b",
        ("1, 'x'", "null, 'x'", "2, null", "null, null"),
        {"columns": ["a", "b"]},
        3,
    ),
)


def rows_as_sql(columns: str, rows: tuple[str, ...]) -> str:
    """Literal rows as a model; no rows give an empty relation of the same columns."""
    names = columns.split(", ")
    if not rows:
        return "select " + ", ".join(f"1 as {name}" for name in names) + " where false"
    return "\nunion all\n".join(
        "select "
        + ", ".join(
            f"{value} as {name}" for value, name in zip(row.split(", "), names, strict=True)
        )
        for row in rows
    )


def write_project(folder: Path) -> None:
    """Write a dbt project with one model and one test per case."""
    (folder / "models").mkdir(parents=True)
    shutil.copytree(GENERIC, folder / "tests" / "generic")
    (folder / "dbt_project.yml").write_text(
        "name: cases\nversion: '1.0.0'\nprofile: cases\n"
        "model-paths: [models]\ntest-paths: [tests]\n"
        "models: {cases: {+materialized: table}}\n"
    )
    (folder / "profiles.yml").write_text(
        "cases:\n  target: duckdb\n  outputs:\n    duckdb: {type: duckdb, threads: 1, path: "
        "\"{{ env_var('PLUMBLINE_DATABASE') }}\"}\n"
    )
    (folder / "models" / "facts.sql").write_text(
        rows_as_sql("fact_key", ("1", "1", "1", "2")), encoding="utf-8"
    )
    described = []
    for case in CASES:
        (folder / "models" / f"{case.model}.sql").write_text(rows_as_sql(case.columns, case.rows))
        test = {case.test: {"name": f"case__{case.model}", "arguments": case.arguments}}
        if case.column:
            described.append(
                {"name": case.model, "columns": [{"name": case.column, "data_tests": [test]}]}
            )
        else:
            described.append({"name": case.model, "data_tests": [test]})
    (folder / "models" / "cases.yml").write_text(yaml.safe_dump({"models": described}))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Result of every case's test, by test name."""
    folder = tmp_path_factory.mktemp("generic")
    write_project(folder / "project")
    finished = dbt_runner(folder)(
        ["build"], env={"DBT_PROFILES_DIR": str(folder / "project")}, project=folder / "project"
    )
    results = folder / "target" / "run_results.json"
    assert results.is_file(), finished.stdout + finished.stderr
    return {
        found["unique_id"].split(".")[2]: found
        for found in json.loads(results.read_text())["results"]
        if found["unique_id"].startswith("test.")
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_generic_test_catches_exactly_the_bad_rows(
    case: Case, outcomes: dict[str, dict[str, Any]]
) -> None:
    outcome = outcomes[f"case__{case.model}"]
    assert outcome["status"] == ("fail" if case.caught else "pass"), outcome["message"]
    assert outcome["failures"] == case.caught


def test_every_generic_test_has_a_passing_and_a_failing_case() -> None:
    names = {path.stem for path in GENERIC.glob("*.sql")}
    assert {case.test for case in CASES if case.caught} == names
    assert {case.test for case in CASES if not case.caught} == names


def test_every_generic_test_is_documented() -> None:
    readme = (GENERIC / "README.md").read_text(encoding="utf-8")
    missing = [path.stem for path in GENERIC.glob("*.sql") if f"## `{path.stem}" not in readme]
    assert not missing
