"""The decision rule as a truth table: one row per rule, each changed from the same quiet experiment."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adopted import ADOPTED
from plumbline.statistics.decisions import (
    Because,
    Cells,
    Decisions,
    Health,
    Role,
    Status,
    decide,
    non_inferior,
)
from plumbline.statistics.outcomes import Interval, Outcome

QUIET_HEALTH: dict[str, Any] = {
    "leaked": False,
    "mismatched": False,
    "exposed_users": 20_000,
    "multi_exposed_users": 0,
    "imbalance_p": 0.5,
    "imbalance_tests": 4,
    "full_days": 10,
    "matured_users": 15_000,
    "at_planned_end": False,
    "stopped": False,
}
QUIET_CELL: dict[str, Any] = {
    "variation": 1,
    "role": Role.GOAL,
    "is_primary": True,
    "good_direction": 1,
    "effect": 0.01,
    "anytime_p": 1.0,
    "fixed_p": 0.5,
    "local_fdr": 0.9,
    "harm_p": 1.0,
    "probability_beyond": 0.3,
    "is_non_inferior": True,
    "probability_of_best": 0.7,
    "expected_loss": 0.001,
    "control_mean": 0.1,
    "probability_equivalent": 0.2,
    "smallest_users": 7000,
    "smallest_events": 700,
    "days_left": 12.0,
}
GUARD = {"role": Role.GUARDRAIL, "is_primary": False}
BETTER = {"anytime_p": 0.001, "local_fdr": 0.01}
WORSE = {"effect": -0.01, **BETTER}
AT_END = {"at_planned_end": True}
WON_AT_END = {"fixed_p": 0.03, "probability_of_best": 0.985, "expected_loss": 0.0001}


def health(rows: list[dict[str, Any]]) -> Health:
    full = [{**QUIET_HEALTH, **row} for row in rows]
    columns = {name: np.array([row[name] for row in full]) for name in QUIET_HEALTH}
    columns["imbalance_p"] = Outcome.of(columns["imbalance_p"])
    return Health(**columns)


def cells(rows: list[tuple[int, dict[str, Any]]]) -> Cells:
    full = [{**QUIET_CELL, **row} for _, row in rows]
    columns: dict[str, Any] = {"experiment": np.array([index for index, _ in rows], dtype=int)}
    for field in dataclasses.fields(Cells):
        if field.name == "experiment":
            continue
        values = [row[field.name] for row in full]
        if "Outcome" in str(field.type):
            missing = np.array([13 if value is None else 0 for value in values], np.int8)
            columns[field.name] = Outcome.of([value or 0.0 for value in values], missing)
        else:
            columns[field.name] = np.array(values, dtype=type(QUIET_CELL[field.name]))
    return Cells(**columns)


def one(changes: dict[str, Any], *rows: dict[str, Any]) -> Decisions:
    return decide(health([changes]), cells([(0, row) for row in rows]), ADOPTED)


TABLE: list[tuple[Status, Because | None, dict[str, Any], list[dict[str, Any]]]] = [
    (Status.KEEP_RUNNING, None, {}, [{}]),
    (Status.INVALID, Because.LEAK, {"leaked": True}, [BETTER]),
    (Status.INVALID, Because.SAMPLE_RATIO_MISMATCH, {"mismatched": True}, [BETTER]),
    (Status.INVALID, Because.MULTIPLE_EXPOSURE, {"multi_exposed_users": 200}, [{}]),
    (Status.KEEP_RUNNING, None, {"multi_exposed_users": 199}, [{}]),
    (Status.KEEP_RUNNING, None, {"multi_exposed_users": 9, "exposed_users": 500}, [{}]),
    (Status.INVALID, Because.PRE_EXPOSURE_IMBALANCE, {"imbalance_p": 0.0002}, [{}]),
    (Status.KEEP_RUNNING, None, {"imbalance_p": 0.0004}, [{}]),
    (Status.INSUFFICIENT, Because.TOO_FEW_DAYS, {"full_days": 6}, [WORSE]),
    (Status.INSUFFICIENT, Because.TOO_FEW_USERS, {}, [{"smallest_users": 99}]),
    (Status.INSUFFICIENT, Because.TOO_FEW_EVENTS, {}, [{"smallest_events": 4}]),
    (Status.INSUFFICIENT, Because.NOTHING_MATURED, {"matured_users": 0}, [{}]),
    (Status.INSUFFICIENT, Because.NOTHING_MATURED, {}, []),
    # A guardrail with few events does not hold up the goal.
    (Status.SHIP, Because.GOAL_BETTER_EARLY, {}, [BETTER, {**GUARD, "smallest_events": 0}]),
    (Status.ROLLBACK, Because.GUARDRAIL_ANYTIME, {}, [BETTER, {**GUARD, "harm_p": 0.002}]),
    (
        Status.ROLLBACK,
        Because.GUARDRAIL_LOCAL_FDR,
        {},
        [{}, {**GUARD, "effect": -1.0, "local_fdr": 0.04, "probability_beyond": 0.96}],
    ),
    (
        Status.KEEP_RUNNING,
        None,
        {},
        [{}, {**GUARD, "effect": -1.0, "local_fdr": 0.04, "probability_beyond": 0.9}],
    ),
    (Status.ROLLBACK, Because.GOAL_HARMED_ANYTIME, {}, [{"effect": -0.01, "anytime_p": 0.009}]),
    (
        Status.ROLLBACK,
        Because.GOAL_HARMED_LOCAL_FDR,
        {},
        [{"effect": -0.01, "local_fdr": 0.05, "probability_beyond": 0.95}],
    ),
    # More cancellations are harm: the direction comes from the registry.
    (
        Status.ROLLBACK,
        Because.GOAL_HARMED_ANYTIME,
        {},
        [{"good_direction": -1, "anytime_p": 0.009}],
    ),
    (Status.SHIP, Because.GOAL_BETTER_EARLY, {}, [{**WORSE, "good_direction": -1}]),
    (
        Status.CONFLICT,
        Because.GOAL_BETTER_EARLY,
        {},
        [{**BETTER, "anytime_p": 0.001}, {**WORSE, "is_primary": False}],
    ),
    (
        Status.CONFLICT,
        Because.GOAL_HARMED_AT_END,
        AT_END,
        [{**WON_AT_END, "fixed_p": 0.01}, {"effect": -0.1, "fixed_p": 0.01, "is_primary": False}],
    ),
    (Status.SHIP, Because.GOAL_BETTER_EARLY, {}, [BETTER]),
    # Either of the two early tests alone is not enough.
    (Status.KEEP_RUNNING, None, {}, [{"anytime_p": 0.001}]),
    (Status.KEEP_RUNNING, None, {}, [{"local_fdr": 0.01}]),
    (Status.KEEP_RUNNING, None, {}, [BETTER, {**GUARD, "is_non_inferior": False}]),
    # At the planned end a guardrail needs only not to be broken.
    (
        Status.SHIP,
        Because.GOAL_BETTER_AT_END,
        AT_END,
        [WON_AT_END, {**GUARD, "is_non_inferior": False}],
    ),
    (
        Status.STOPPED_UNDERPOWERED,
        Because.PAST_PLANNED_END,
        AT_END,
        [{**WON_AT_END, "fixed_p": 0.04}],
    ),
    (
        Status.STOPPED_UNDERPOWERED,
        Because.PAST_PLANNED_END,
        AT_END,
        [{**WON_AT_END, "probability_of_best": 0.94}],
    ),
    (
        Status.STOPPED_UNDERPOWERED,
        Because.PAST_PLANNED_END,
        AT_END,
        [{**WON_AT_END, "expected_loss": 0.0003}],
    ),
    # The fixed test counts at the planned end only.
    (Status.KEEP_RUNNING, None, {}, [WON_AT_END]),
    # Two goals share the error.
    (
        Status.STOPPED_UNDERPOWERED,
        Because.PAST_PLANNED_END,
        AT_END,
        [WON_AT_END, {"is_primary": False}],
    ),
    (Status.NO_DIFFERENCE, Because.EQUIVALENT, {}, [{"probability_equivalent": 0.95}]),
    (Status.STOPPED_UNDERPOWERED, Because.STOPPED, {"stopped": True}, [{}]),
    # Secondary metrics decide nothing.
    (Status.KEEP_RUNNING, None, {}, [{}, {**WORSE, "role": Role.SECONDARY, "is_primary": False}]),
]


@pytest.mark.parametrize(("status", "because", "changes", "rows"), TABLE)
def test_first_rule_that_holds_gives_the_status(
    status: Status, because: Because | None, changes: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    result = one(changes, *rows)
    assert Status(result.status[0]) == status
    if because is None:
        assert result.reasons[0] == 0
    else:
        assert Because(int(result.reasons[0])) & because
        assert because.name is not None
        assert because.name.lower() in result.reason_labels()[0]
    recommended = {Status.SHIP: 1, Status.ROLLBACK: 0}.get(status, -1)
    assert result.recommended_variation[0] == recommended
    assert result.days_left.defined[0] == (status == Status.KEEP_RUNNING)


def test_every_status_and_every_reason_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(Status)
    assert {row[1] for row in TABLE} - {None} == set(Because)


def test_all_experiments_at_once_equal_one_at_a_time() -> None:
    together = decide(
        health([row[2] for row in TABLE]),
        cells([(index, cell) for index, row in enumerate(TABLE) for cell in row[3]]),
        ADOPTED,
    )
    assert together.status.tolist() == [int(row[0]) for row in TABLE]
    assert together.status_labels()[0] == "keep_running"
    alone = [one(row[2], *row[3]) for row in TABLE]
    assert together.reasons.tolist() == [int(result.reasons[0]) for result in alone]
    for name in ("probability_of_best", "expected_loss", "loss_threshold", "days_left"):
        got = getattr(together, name)
        want = [getattr(result, name) for result in alone]
        assert got.values.tolist() == [float(result.values[0]) for result in want]
        assert got.reasons.tolist() == [int(result.reasons[0]) for result in want]


def test_the_best_of_several_treatments_is_recommended() -> None:
    rows = [
        {**BETTER, "variation": 1, "probability_of_best": 0.2},
        {**BETTER, "variation": 2, "probability_of_best": 0.7, "expected_loss": 0.0002},
        {"variation": 3, "probability_of_best": 0.9},
    ]
    result = one({}, *rows)
    assert Status(result.status[0]) == Status.SHIP
    # The third has the best chance but has not passed the tests.
    assert result.recommended_variation[0] == 2
    assert result.probability_of_best.values[0] == 0.7
    assert result.expected_loss.values[0] == 0.0002
    assert result.loss_threshold.values[0] == pytest.approx(0.00025)


def test_more_tests_need_more_evidence() -> None:
    nearly = {"effect": -0.01, "anytime_p": 0.004}
    assert Status(one({}, nearly).status[0]) == Status.ROLLBACK
    # Three goal cells: 0.004 times three is not below 0.01.
    others = [{"variation": 2}, {"variation": 3}]
    assert Status(one({}, nearly, *others).status[0]) == Status.KEEP_RUNNING


def test_undefined_evidence_decides_nothing() -> None:
    nothing = dict.fromkeys(
        (
            "effect",
            "anytime_p",
            "fixed_p",
            "local_fdr",
            "harm_p",
            "probability_beyond",
            "probability_of_best",
            "expected_loss",
            "control_mean",
            "probability_equivalent",
            "days_left",
        )
    )
    for changes in ({}, AT_END):
        result = one(changes, nothing, {**nothing, **GUARD})
        assert result.status[0] in (Status.KEEP_RUNNING, Status.STOPPED_UNDERPOWERED)
        assert not result.probability_of_best.defined[0]


def test_the_harmful_end_of_the_interval_must_lie_inside_the_margin() -> None:
    interval = Interval.of([-0.01, -0.03, -0.03, 0.0], [0.03, 0.01, 0.01, 0.0], [0, 0, 0, 4])
    got = non_inferior(interval, [1, 1, -1, 1], 0.02)
    assert got.tolist() == [True, False, True, False]


def test_no_experiments_and_no_cells_are_fine() -> None:
    empty = decide(health([{}, {"leaked": True}]), cells([]), ADOPTED)
    assert empty.status.tolist() == [Status.INSUFFICIENT, Status.INVALID]
