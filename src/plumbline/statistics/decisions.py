"""From the evidence of all cells of an experiment to one status, with the reasons named.

The rules are tried in order and the first that holds gives the status. Thresholds are arguments. What is
tested on several cells of one role in an experiment has its p-values multiplied by their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from plumbline.statistics.outcomes import (
    ArrayLike,
    Bools,
    Codes,
    Floats,
    Interval,
    Ints,
    Outcome,
    Reason,
)


class Status(IntEnum):
    """Status of an experiment, in the order in which the rules are tried."""

    INVALID = 1
    INSUFFICIENT = 2
    ROLLBACK = 3
    CONFLICT = 4
    SHIP = 5
    NO_DIFFERENCE = 6
    STOPPED_UNDERPOWERED = 7
    KEEP_RUNNING = 8

    @property
    def label(self) -> str:
        """Name for tables: lower case."""
        return self.name.lower()


class Role(IntEnum):
    """What a metric is for."""

    GOAL = 0
    GUARDRAIL = 1
    SECONDARY = 2


class Because(IntFlag):
    """Why a status was given; several may hold."""

    LEAK = 1
    SAMPLE_RATIO_MISMATCH = 2
    MULTIPLE_EXPOSURE = 4
    PRE_EXPOSURE_IMBALANCE = 8
    TOO_FEW_DAYS = 16
    TOO_FEW_USERS = 32
    TOO_FEW_EVENTS = 64
    NOTHING_MATURED = 128
    GUARDRAIL_ANYTIME = 256
    GUARDRAIL_LOCAL_FDR = 512
    GOAL_HARMED_ANYTIME = 1024
    GOAL_HARMED_LOCAL_FDR = 2048
    GOAL_HARMED_AT_END = 4096
    GOAL_BETTER_EARLY = 8192
    GOAL_BETTER_AT_END = 16384
    EQUIVALENT = 32768
    STOPPED = 65536
    PAST_PLANNED_END = 131072


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the rules; the names say which comparison they enter.

    Attributes:
        imbalance_p: invalid below this over the number of pre-exposure tests.
        multi_exposed_share, multi_exposed_users: invalid from both on.
        full_days, users, events: least per experiment, arm and arm; below is insufficient.
        alpha_anytime, alpha_end: shares of the error spent at every look and once at the end.
        local_fdr: a cell is called at or below this.
        probability_beyond: least posterior probability of being beyond a margin.
        probability_of_best, loss_share: least P(best), and most expected loss over the control mean,
            to ship at the planned end.
        probability_equivalent: least posterior probability of a negligible uplift.
    """

    imbalance_p: float
    multi_exposed_share: float
    multi_exposed_users: int
    full_days: int
    users: int
    events: int
    alpha_anytime: float
    alpha_end: float
    local_fdr: float
    probability_beyond: float
    probability_of_best: float
    loss_share: float
    probability_equivalent: float


@dataclass(frozen=True)
class Health:
    """Validity and progress of each experiment, arrays of shape (experiments,).

    Attributes:
        leaked, mismatched: users in a closed arm; sample ratio mismatch.
        exposed_users, multi_exposed_users: all users, and those who saw several arms.
        imbalance_p, imbalance_tests: smallest p of pre-exposure differences, and how many were tested.
        full_days: days since the start that are complete.
        matured_users: users whose metric window has closed, all arms.
        at_planned_end: whether the planned end is reached.
        stopped: whether exposure has ended for good.
    """

    leaked: Bools
    mismatched: Bools
    exposed_users: Ints
    multi_exposed_users: Ints
    imbalance_p: Outcome
    imbalance_tests: Ints
    full_days: Ints
    matured_users: Ints
    at_planned_end: Bools
    stopped: Bools


@dataclass(frozen=True)
class Cells:
    """Evidence of treatment cells, arrays of shape (cells,), matured users only.

    Attributes:
        experiment: index in [0, experiments).
        variation: number of the treatment, >= 1; 0 is the control and has no cells.
        role: ``Role`` of the metric.
        is_primary: whether P(best), the loss and equivalence are read from this goal metric.
        good_direction: +1 where more is better, -1 where less is.
        effect: treatment minus control, any scale; only its sign is read.
        anytime_p, fixed_p: two-sided p-values of no effect.
        local_fdr: P(no effect | data).
        harm_p: anytime p-value of "not worse than the margin".
        probability_beyond: posterior probability of being worse than the margin; for goals the
            margin is 0.
        is_non_inferior: whether a guardrail has been shown not to be worse than its margin.
        probability_of_best, expected_loss, control_mean: of the metric, in the good direction.
        probability_equivalent: posterior probability of a negligible relative uplift.
        smallest_users, smallest_events: of the two arms of the cell; events of means are non-zero
            values.
        days_left: until the interval is as narrow as planned.
    """

    experiment: Ints
    variation: Ints
    role: Codes
    is_primary: Bools
    good_direction: Codes
    effect: Outcome
    anytime_p: Outcome
    fixed_p: Outcome
    local_fdr: Outcome
    harm_p: Outcome
    probability_beyond: Outcome
    is_non_inferior: Bools
    probability_of_best: Outcome
    expected_loss: Outcome
    control_mean: Outcome
    probability_equivalent: Outcome
    smallest_users: Ints
    smallest_events: Ints
    days_left: Outcome


@dataclass(frozen=True)
class Decisions:
    """One row per experiment, shape (experiments,).

    Attributes:
        status: ``Status`` codes.
        reasons: ``Because`` flags.
        recommended_variation: the treatment to ship; 0 (control) for a rollback; -1 for none.
        probability_of_best, expected_loss: of the recommended or else the best treatment.
        loss_threshold: most expected loss allowed for it.
        days_left: defined while it keeps running.
    """

    status: Codes
    reasons: Ints
    recommended_variation: Ints
    probability_of_best: Outcome
    expected_loss: Outcome
    loss_threshold: Outcome
    days_left: Outcome

    def status_labels(self) -> npt.NDArray[np.object_]:
        """Status as text."""
        labels = np.array(["", *(status.label for status in Status)], dtype=object)
        return np.asarray(labels[self.status.astype(np.int64)], dtype=object)

    def reason_labels(self) -> list[list[str]]:
        """Names of the reasons that hold, in the order of the rules; one list per experiment."""
        flags, inverse = np.unique(self.reasons, return_inverse=True)
        names = [[(flag.name or "").lower() for flag in Because if value & flag] for value in flags]
        return [names[place] for place in inverse]


def non_inferior(interval: Interval, good_direction: ArrayLike, margin: ArrayLike) -> Bools:
    """Whether an effect is shown not to be worse than a margin.

    Estimand: effect in the good direction > -margin. Formula: the harmful end of the interval lies
    inside the margin; False where there is no interval. Source: Schuirmann (1987), one side.

    Args:
        interval: of the effect, in the units of the margin.
        good_direction: +1 where more is better, -1 where less is.
        margin: allowed harm, >= 0.
    """
    worst = np.where(np.asarray(good_direction) > 0, interval.low, -interval.high)
    return np.asarray(interval.defined & (worst > -np.asarray(margin, dtype=np.float64)))


def _neutral(outcome: Outcome, value: float) -> Floats:
    """Values, with what is undefined replaced by something that decides nothing."""
    return np.asarray(np.where(outcome.defined, outcome.values, value))


class _Groups:
    """Reductions of cells to (experiment, variation) pairs and of these to experiments."""

    def __init__(self, experiment: Ints, variation: Ints, experiments: int) -> None:
        span = int(variation.max(initial=0)) + 1
        keys, self.cell = np.unique(experiment * span + variation, return_inverse=True)
        self.experiment = keys // span
        self.variation = keys % span
        self.pairs, self.experiments = len(keys), experiments

    def any_cell(self, condition: Bools) -> Bools:
        """Whether any cell of a pair fulfils the condition."""
        return np.asarray(np.bincount(self.cell, condition, self.pairs) > 0)

    def any_pair(self, condition: Bools) -> Bools:
        """Whether any pair of an experiment fulfils the condition."""
        return np.asarray(np.bincount(self.experiment, condition, self.experiments) > 0)

    def all_pairs(self, condition: Bools) -> Bools:
        """Whether an experiment has pairs and all fulfil the condition."""
        count = np.bincount(self.experiment, minlength=self.experiments)
        held = np.bincount(self.experiment, condition, self.experiments)
        return np.asarray((count > 0) & (held == count))


def decide(health: Health, cells: Cells, thresholds: Thresholds) -> Decisions:
    """Status of every experiment; the first rule that holds wins.

    1 ``invalid``: leak, sample ratio mismatch, multiple exposure, pre-exposure imbalance.
    2 ``insufficient``: too few full days, users or events per arm, or nothing matured.
    3 ``rollback``: a guardrail beyond its margin (anytime test, or local fdr with the posterior
      probability of being beyond it), or a goal harmed by the same test while no goal of that
      variation is better.
    4 ``conflict``: in one variation one goal is better and another worse, by the tests of 3 or 5.
    5 ``ship``: early if a goal has local fdr *and* anytime p on its side and every guardrail is
      non-inferior; at the planned end if the fixed p, P(best) and the expected loss all agree; never
      with a goal harmed.
    6 ``no_difference``: the primary goal of every variation is equivalent to the control.
    7 ``stopped_underpowered``: over without an answer. 8 ``keep_running``, with days left.

    Formulas: p-values are multiplied by the number of cells of the role in the experiment (Bonferroni).
    Error: under no effect the anytime test calls at most alpha_anytime, the fixed test at the end
    alpha_end / 2 (only gains ship), and the local-fdr rule at most
    local_fdr pi1 / ((1 - local_fdr)(1 - pi1)) of experiments, by Ville's inequality.

    Args:
        health: per experiment.
        cells: per experiment, variation and metric; secondary metrics are ignored.
        thresholds: see there.
    """
    t, count = thresholds, len(health.full_days)
    groups = _Groups(cells.experiment, cells.variation, count)
    goal = cells.role == Role.GOAL
    guardrail = cells.role == Role.GUARDRAIL
    tests = np.ones(len(goal))
    for role in (goal, guardrail):
        number = np.bincount(cells.experiment, role, count)
        tests = np.where(role, number[cells.experiment], tests)
    anytime = _neutral(cells.anytime_p, 1.0) * tests < t.alpha_anytime
    harmful = _neutral(cells.harm_p, 1.0) * tests < t.alpha_anytime
    at_end = health.at_planned_end[cells.experiment]
    fixed = at_end & (_neutral(cells.fixed_p, 1.0) * tests < t.alpha_end)
    real = _neutral(cells.local_fdr, 1.0) <= t.local_fdr
    beyond = real & (_neutral(cells.probability_beyond, 0.0) >= t.probability_beyond)
    signed = _neutral(cells.effect, 0.0) * cells.good_direction
    good, bad = signed > 0, signed < 0
    best, loss = _neutral(cells.probability_of_best, 0.0), _neutral(cells.expected_loss, np.inf)
    allowed = t.loss_share * np.abs(_neutral(cells.control_mean, 0.0))
    posterior = ~cells.is_primary | ((best >= t.probability_of_best) & (loss <= allowed))

    facts: dict[Because, Bools] = {
        Because.GUARDRAIL_ANYTIME: groups.any_cell(guardrail & harmful),
        Because.GUARDRAIL_LOCAL_FDR: groups.any_cell(guardrail & bad & beyond),
        Because.GOAL_HARMED_ANYTIME: groups.any_cell(goal & bad & anytime),
        Because.GOAL_HARMED_LOCAL_FDR: groups.any_cell(goal & bad & beyond),
        Because.GOAL_HARMED_AT_END: groups.any_cell(goal & bad & fixed),
        Because.GOAL_BETTER_EARLY: groups.any_cell(goal & good & anytime & real),
        Because.GOAL_BETTER_AT_END: groups.any_cell(goal & good & fixed & posterior),
    }
    better = facts[Because.GOAL_BETTER_EARLY] | facts[Because.GOAL_BETTER_AT_END]
    harmed = facts[Because.GOAL_HARMED_ANYTIME] | facts[Because.GOAL_HARMED_LOCAL_FDR]
    worse = harmed | facts[Because.GOAL_HARMED_AT_END]
    broken = facts[Because.GUARDRAIL_ANYTIME] | facts[Because.GUARDRAIL_LOCAL_FDR]
    unproved = groups.any_cell(guardrail & ~cells.is_non_inferior)
    # An early gain needs its guardrails cleared; at the planned end it is enough that none is broken.
    early = facts[Because.GOAL_BETTER_EARLY] & ~unproved
    shippable = (early | facts[Because.GOAL_BETTER_AT_END]) & ~worse & ~broken
    equivalent = _neutral(cells.probability_equivalent, 0.0) >= t.probability_equivalent
    primary = goal & cells.is_primary
    level = groups.any_cell(primary & equivalent)

    invalid = {
        Because.LEAK: health.leaked,
        Because.SAMPLE_RATIO_MISMATCH: health.mismatched,
        Because.MULTIPLE_EXPOSURE: (health.multi_exposed_users >= t.multi_exposed_users)
        & (health.multi_exposed_users >= t.multi_exposed_share * health.exposed_users),
        Because.PRE_EXPOSURE_IMBALANCE: _neutral(health.imbalance_p, 1.0)
        < t.imbalance_p / np.maximum(health.imbalance_tests, 1),
    }
    # Guardrails without events must not keep a goal from being judged.
    judged = goal | ~groups.any_pair(groups.any_cell(goal))[cells.experiment]
    no_cells = np.bincount(cells.experiment, minlength=count) == 0
    insufficient = {
        Because.TOO_FEW_DAYS: health.full_days < t.full_days,
        Because.TOO_FEW_USERS: groups.any_pair(
            groups.any_cell(judged & (cells.smallest_users < t.users))
        ),
        Because.TOO_FEW_EVENTS: groups.any_pair(
            groups.any_cell(judged & (cells.smallest_events < t.events))
        ),
        Because.NOTHING_MATURED: (health.matured_users < 1) | no_cells,
    }
    over = health.stopped | health.at_planned_end
    outcomes = [
        (Status.INVALID, np.logical_or.reduce(list(invalid.values()))),
        (Status.INSUFFICIENT, np.logical_or.reduce(list(insufficient.values()))),
        (Status.ROLLBACK, groups.any_pair(broken | (harmed & ~better))),
        (Status.CONFLICT, groups.any_pair(better & worse)),
        (Status.SHIP, groups.any_pair(shippable)),
        (Status.NO_DIFFERENCE, groups.all_pairs(level)),
        (Status.STOPPED_UNDERPOWERED, over),
    ]
    status = np.full(count, Status.KEEP_RUNNING, dtype=np.int8)
    for code, condition in reversed(outcomes):
        status = np.where(condition, np.int8(code), status)
    reasons = _reasons(status, groups, facts, invalid, insufficient, health)
    return _rows(status, reasons, groups, cells, primary, shippable, (best, loss, allowed))


def _reasons(
    status: Codes,
    groups: _Groups,
    facts: dict[Because, Bools],
    invalid: dict[Because, Any],
    insufficient: dict[Because, Any],
    health: Health,
) -> Ints:
    """Flags of the facts that belong to the status that was given."""
    flags = np.zeros(len(status), dtype=np.int64)
    tested = np.isin(status, (Status.ROLLBACK, Status.CONFLICT, Status.SHIP))
    for group, holds in (
        (invalid, status == Status.INVALID),
        (insufficient, status == Status.INSUFFICIENT),
    ):
        for flag, condition in group.items():
            flags |= np.where(holds & condition, int(flag), 0)
    for flag, pairs in facts.items():
        flags |= np.where(tested & groups.any_pair(pairs), int(flag), 0)
    flags |= np.where(status == Status.NO_DIFFERENCE, int(Because.EQUIVALENT), 0)
    over = status == Status.STOPPED_UNDERPOWERED
    flags |= np.where(over & health.stopped, int(Because.STOPPED), 0)
    flags |= np.where(over & health.at_planned_end, int(Because.PAST_PLANNED_END), 0)
    return flags


def _rows(
    status: Codes,
    reasons: Ints,
    groups: _Groups,
    cells: Cells,
    primary: Bools,
    shippable: Bools,
    posterior: tuple[Floats, Floats, Floats],
) -> Decisions:
    """The figures of the treatment that is recommended, or else of the best one."""
    count = len(status)
    best, _, allowed = posterior
    if groups.pairs == 0:
        none = Outcome.of(np.zeros(count), np.full(count, Reason.NOT_MEASURED, np.int8))
        nobody = np.full(count, -1, dtype=np.int64)
        return Decisions(status, reasons, nobody, none, none, none, none)
    # One row per pair: its primary goal cell; ties go to the lower variation.
    row = np.full(groups.pairs, -1, dtype=np.int64)
    places = np.flatnonzero(primary)
    row[groups.cell[places]] = places
    known = row >= 0
    score = np.where(known, best[row], -1.0) + np.where(shippable, 2.0, 0.0)
    order = np.lexsort((-groups.variation, score, groups.experiment))
    chosen = np.full(count, -1, dtype=np.int64)
    chosen[groups.experiment[order]] = order
    has_pair = chosen >= 0
    cell = np.where(has_pair, row[chosen], -1)
    found = cell >= 0
    recommended = np.full(count, -1, dtype=np.int64)
    recommended = np.where(status == Status.ROLLBACK, 0, recommended)
    ships = (status == Status.SHIP) & has_pair
    recommended = np.where(ships, groups.variation[chosen], recommended)

    def pick(outcome: Outcome) -> Outcome:
        missing = np.where(found, outcome.reasons[cell], np.int8(Reason.NOT_MEASURED))
        return Outcome.of(np.where(missing == 0, outcome.values[cell], 0.0), missing)

    days = pick(cells.days_left)
    running = status == Status.KEEP_RUNNING
    waiting = np.where(running, days.reasons, np.int8(Reason.NOT_MEASURED))
    limit = Outcome.of(allowed, cells.control_mean.reasons)
    return Decisions(
        status,
        reasons,
        recommended,
        pick(cells.probability_of_best),
        pick(cells.expected_loss),
        pick(limit),
        Outcome.of(days.values, waiting),
    )
