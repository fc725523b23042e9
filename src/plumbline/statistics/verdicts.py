"""From paired cells and the health of experiments to what a table of decisions holds.

Columns come in as in ``readouts``: arrays by name, texts as objects, numbers as doubles, null as NaN or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from plumbline.statistics.best_mean import best_of_means, probability_of_negligible
from plumbline.statistics.decisions import (
    Because,
    Cells,
    Decisions,
    Health,
    Role,
    Status,
    Thresholds,
    decide,
)
from plumbline.statistics.evidence import (
    anytime_beyond,
    anytime_effect,
    anytime_p,
    log_multinomial_e,
    mixture_variance,
    uplift_sequence,
)
from plumbline.statistics.outcomes import Bools, Floats, Interval, Ints, Outcome, Reason
from plumbline.statistics.power import days_left
from plumbline.statistics.priors import effect_posterior, fit_effect_prior
from plumbline.statistics.proportions import best_of_arms, probability_of_relative_effect_below
from plumbline.statistics.readouts import (
    BINARY,
    Columns,
    Effects,
    compare_cells,
    counts_of,
    nullable,
    rows,
)


@dataclass(frozen=True)
class Rules:
    """How evidence is weighed, beyond the thresholds of ``decide``.

    Attributes:
        alpha: error of intervals.
        concentration: k of the e-value on conversions.
        negligible: relative uplift that counts as no difference.
        non_inferior: anytime p of "worse than the margin or as bad" below which a guardrail is cleared.
        smallest_arm: with fewer users in an arm there is no anytime evidence on means and ratios, which is
            asymptotic.
    """

    alpha: float
    concentration: float
    negligible: float
    non_inferior: float
    smallest_arm: float


@dataclass(frozen=True)
class Evidence:
    """Anytime-valid evidence of cells, shape (cells,).

    Attributes:
        log_e: natural log of the e-value of no effect.
        p: its p-value, valid at every look.
        interval: confidence sequence of the difference.
        relative_low, relative_high: confidence sequence of the relative difference of shares, NaN elsewhere.
        mixing: mixing variance in units of the estimate's.
    """

    log_e: Outcome
    p: Outcome
    interval: Interval
    relative_low: Floats
    relative_high: Floats
    mixing: Floats


def _outcome(values: Floats) -> Outcome:
    """NaN as not measured."""
    missing = np.isnan(values)
    return Outcome.of(
        np.where(missing, 0.0, values), np.where(missing, np.int8(Reason.NOT_MEASURED), np.int8(0))
    )


def anytime_evidence(columns: Columns, effects: Effects, rules: Rules) -> Evidence:
    """Evidence that holds at every look, of the plain or capped view of each cell.

    Shares: Dirichlet-multinomial e-value of equal conversion given the planned split, and its inversion
    for the relative difference. All else: asymptotic confidence sequence, tightest at the planned units.

    Args:
        columns: cells, with treatment_share and planned_unit_count (NaN: the units so far).
        effects: one view per cell, in the order of the cells.
        rules: error and concentration.
    """
    users = columns["control_unit_count"] + columns["treatment_unit_count"]
    planned = np.where(columns["planned_unit_count"] > 0, columns["planned_unit_count"], users)
    mixing = mixture_variance(users, planned, rules.alpha)
    smallest = np.minimum(columns["control_unit_count"], columns["treatment_unit_count"])
    errors = np.where(smallest >= rules.smallest_arm, effects.standard_error, np.nan)
    found = anytime_effect(_outcome(effects.difference), _outcome(errors), mixing, rules.alpha)
    log_e, p = found.log_e, found.p.value
    low, high = np.full(len(users), np.nan), np.full(len(users), np.nan)
    binary = (
        np.isin(columns["kind"], BINARY)
        & (columns["treatment_share"] > 0)
        & (columns["treatment_share"] < 1)
    )
    if binary.any():
        part = rows(columns, binary)
        lost, won, share = (
            part[name]
            for name in ("control_nonzero_count", "treatment_nonzero_count", "treatment_share")
        )
        shares = np.stack([1 - share, share])
        exact = log_multinomial_e(np.stack([lost, won]), shares, rules.concentration)
        values, codes = log_e.values.copy(), log_e.reasons.copy()
        chances = p.values.copy()
        values[binary], codes[binary], chances[binary] = exact, 0, anytime_p(exact).value.values
        log_e, p = Outcome.of(values, codes), Outcome.of(chances, codes)
        sequence = uplift_sequence(lost, won, share, rules.concentration, rules.alpha)
        low[binary], high[binary] = nullable(sequence.low), nullable(sequence.high)
    return Evidence(log_e, p, found.interval, low, high, np.asarray(mixing))


def _best(columns: Columns, effects: Effects, group: Ints, up: Bools) -> tuple[Floats, Floats]:
    """P(best) and expected loss of every treatment among all arms of its experiment and metric."""
    best, loss = effects.probability_better.copy(), effects.loss_if_shipped.copy()
    sizes = np.bincount(group)
    for size in np.unique(sizes[sizes > 1]):
        several = np.flatnonzero(sizes[group] == size)
        members = several[np.argsort(group[several], kind="stable")].reshape(-1, size).T
        first = members[0]
        binary = np.isin(columns["kind"][first], BINARY)
        if binary.any():
            cells = members[:, binary]
            users, wins = (
                np.concatenate(
                    [columns[f"control_{name}"][cells[:1]], columns[f"treatment_{name}"][cells]]
                )
                for name in ("unit_count", "nonzero_count")
            )
            found = best_of_arms(users, wins, 1.0, 1.0, up[cells[0]])
            best[cells], loss[cells] = found.probability_of_best[1:], found.expected_loss[1:]
        cells = members[:, ~binary]
        if cells.size:
            values, errors = (
                np.nan_to_num(
                    np.concatenate(
                        [
                            getattr(effects, f"control_{name}")[cells[:1]],
                            getattr(effects, f"treatment_{name}")[cells],
                        ]
                    )
                )
                for name in ("value", "standard_error")
            )
            compared = best_of_means(values, errors, up[cells[0]])
            best[cells] = nullable(compared.probability_of_best)[1:]
            loss[cells] = nullable(compared.expected_loss)[1:]
    return best, loss


def _equivalence(columns: Columns, effects: Effects, negligible: float) -> Outcome:
    """P(|relative difference| < negligible): of Beta posteriors for shares, else of the log ratio."""
    found = probability_of_negligible(
        _outcome(effects.log_ratio), _outcome(effects.log_ratio_error), negligible
    )
    inside = found.values.copy()
    # Only an interval as narrow as the negligible range can lie inside it: others need no integral.
    exact = found.defined & np.isin(columns["kind"], BINARY)
    exact &= np.nan_to_num(effects.log_ratio_error) < negligible
    if exact.any():
        counts = counts_of(rows(columns, exact))
        above, below = (
            probability_of_relative_effect_below(*counts, 1.0, 1.0, bound)
            for bound in (negligible, -negligible)
        )
        inside[exact] = above - below
    return Outcome.of(inside, found.reasons)


def _views(columns: Columns, alpha: float) -> Effects:
    """The view decisions read: capped where the metric is capped, else plain."""
    found = compare_cells(columns, alpha)
    wanted = np.where(
        np.isin(np.arange(len(columns["kind"])), found.row[found.method == "capped"]),
        "capped",
        "plain",
    )
    kept = found.method == wanted[found.row]
    return Effects(**{name: getattr(found, name)[kept] for name in found.__dataclass_fields__})


def cells_of(columns: Columns, experiment: Ints, rules: Rules) -> tuple[Cells, Effects, Evidence]:
    """Evidence of matured goal and guardrail cells, ready for ``decide``.

    Args:
        columns: cells of ``readouts`` with treatment_share, planned_unit_count, mde_relative, full_days,
            prior_share, prior_deviation and margin_relative.
        experiment: index of the experiment of each cell.
        rules: see there.
    """
    effects = _views(columns, rules.alpha)
    evidence = anytime_evidence(columns, effects, rules)
    up = columns["good_direction"] != "down"
    sign = np.where(up, 1.0, -1.0)
    difference, error = _outcome(effects.difference), _outcome(effects.standard_error)
    harm = Outcome.of(-sign * difference.values, difference.reasons)
    gain = Outcome.of(sign * difference.values, difference.reasons)
    control = np.nan_to_num(effects.control_value)
    margin = columns["margin_relative"] * np.abs(control)
    posterior = effect_posterior(
        _outcome(effects.log_ratio),
        _outcome(effects.log_ratio_error),
        columns["prior_share"],
        columns["prior_deviation"],
    )
    goal = columns["role"] == "goal"
    allowed = np.where(goal, 0.0, columns["margin_relative"])
    below, above = (
        posterior.probability_below(np.log1p(-allowed)),
        posterior.probability_above(np.log1p(allowed)),
    )
    beyond = Outcome.of(np.where(up, below.values, above.values), below.reasons)
    cleared = anytime_beyond(gain, error, -margin, evidence.mixing).value
    labels = columns["metric"].astype(str)
    _, group = np.unique(
        np.char.add(experiment.astype(str), np.char.add("\x1f", labels)), return_inverse=True
    )
    best, loss = _best(columns, effects, group.ravel(), up)
    roles = {"goal": Role.GOAL, "guardrail": Role.GUARDRAIL, "secondary": Role.SECONDARY}
    half = float(special.ndtri(1 - rules.alpha / 2)) * error.values
    smallest = {
        name: np.minimum(columns[f"control_{name}"], columns[f"treatment_{name}"]).astype(np.int64)
        for name in ("unit_count", "nonzero_count")
    }
    cells = Cells(
        experiment=experiment,
        variation=columns["variation_number"].astype(np.int64),
        role=np.array([roles[role] for role in columns["role"]], dtype=np.int8),
        is_primary=columns["is_primary"] > 0,
        good_direction=np.where(up, 1, -1).astype(np.int8),
        effect=difference,
        anytime_p=evidence.p,
        fixed_p=_outcome(effects.p_value),
        local_fdr=posterior.local_fdr,
        harm_p=anytime_beyond(harm, error, margin, evidence.mixing).value,
        probability_beyond=beyond,
        is_non_inferior=cleared.defined & (cleared.values < rules.non_inferior),
        probability_of_best=_outcome(best),
        expected_loss=_outcome(loss),
        control_mean=_outcome(effects.control_value),
        probability_equivalent=_equivalence(columns, effects, rules.negligible),
        smallest_users=smallest["unit_count"],
        smallest_events=smallest["nonzero_count"],
        days_left=days_left(
            columns["full_days"], half, np.nan_to_num(columns["mde_relative"]) * np.abs(control)
        ),
    )
    return cells, effects, evidence


def _health(columns: Columns) -> Health:
    flag = {
        name: columns[name] > 0
        for name in ("is_leaked", "is_mismatched", "is_at_planned_end", "is_stopped")
    }
    count = {
        name: np.nan_to_num(columns[name]).astype(np.int64)
        for name in (
            "exposed_unit_count",
            "multi_exposed_count",
            "imbalance_test_count",
            "full_days",
            "matured_unit_count",
        )
    }
    return Health(
        leaked=flag["is_leaked"],
        mismatched=flag["is_mismatched"],
        exposed_users=count["exposed_unit_count"],
        multi_exposed_users=count["multi_exposed_count"],
        imbalance_p=_outcome(columns["imbalance_p_value"]),
        imbalance_tests=count["imbalance_test_count"],
        full_days=count["full_days"],
        matured_users=count["matured_unit_count"],
        at_planned_end=flag["is_at_planned_end"],
        stopped=flag["is_stopped"],
    )


def _codes(decisions: Decisions) -> npt.NDArray[np.object_]:
    """Names of the reasons that hold, separated by blanks; none where there is none."""
    texts = [
        " ".join(flag.name.lower() for flag in Because if flag.name and flags & flag)
        for flags in decisions.reasons
    ]
    return np.array([text or "none" for text in texts], dtype=object)


def decisions(
    cells: Columns, health: Columns, rules: Mapping[str, float], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """One row per experiment and phase.

    Args:
        cells: matured goal and guardrail cells of all experiments, see ``cells_of``, with experiment_id and
            phase.
        health: one row per experiment and phase, with the columns of ``Health``.
        rules: values of :class:`Rules` by name.
        thresholds: values of ``Thresholds`` by name.
    """
    keys = {
        (name, phase): place
        for place, (name, phase) in enumerate(
            zip(health["experiment_id"], health["phase"], strict=True)
        )
    }
    experiment = np.array(
        [keys[key] for key in zip(cells["experiment_id"], cells["phase"], strict=True)],
        dtype=np.int64,
    )
    found, _, _ = cells_of(cells, experiment, Rules(**rules))
    limits: dict[str, Any] = dict(thresholds)
    made = decide(_health(health), found, Thresholds(**limits))
    names = {
        (place, int(number)): variation
        for place, number, variation in zip(
            experiment, cells["variation_number"], cells["variation_id"], strict=True
        )
    }
    recommended = [
        health["control_variation_id"][place]
        if number == 0
        else names.get((place, int(number)), "none")
        for place, number in enumerate(made.recommended_variation)
    ]
    return {
        "experiment_id": health["experiment_id"],
        "phase": health["phase"],
        "status": made.status_labels(),
        "status_rank": made.status.astype(np.int64),
        "reason_codes": _codes(made),
        "recommended_variation_id": np.array(recommended, dtype=object),
        "probability_best": nullable(made.probability_of_best),
        "expected_loss": nullable(made.expected_loss),
        "loss_threshold": nullable(made.loss_threshold),
        "days_left": np.where(made.status == Status.KEEP_RUNNING, nullable(made.days_left), np.nan),
    }


def sequences(columns: Columns, rules: Mapping[str, float]) -> dict[str, Any]:
    """One row per look: the estimate so far, its anytime-valid interval and its interval for one look only.

    Args:
        columns: cells of ``readouts`` for each look, in any order, with planned_unit_count.
        rules: values of :class:`Rules` by name.
    """
    rule = Rules(**rules)
    effects = _views(columns, rule.alpha)
    evidence = anytime_evidence(columns, effects, rule)
    found: dict[str, Any] = {
        name: columns[name]
        for name in (
            "experiment_id",
            "phase",
            "variation_id",
            "control_variation_id",
            "metric",
            "look_day",
            "kind",
            "role",
            "is_primary",
            "control_unit_count",
            "treatment_unit_count",
        )
    }
    for name in (
        "method",
        "control_value",
        "treatment_value",
        "difference",
        "difference_low",
        "difference_high",
        "relative_difference",
        "p_value",
        "direction",
    ):
        found[name] = getattr(effects, name)
    known = evidence.interval.defined
    found["anytime_low"] = np.where(known, evidence.interval.low, np.nan)
    found["anytime_high"] = np.where(known, evidence.interval.high, np.nan)
    found["anytime_relative_low"] = evidence.relative_low
    found["anytime_relative_high"] = evidence.relative_high
    found["anytime_p_value"] = nullable(evidence.p)
    found["log_e_value"] = nullable(evidence.log_e)
    return found


def frozen_priors(
    columns: Columns, minimum_effects: int, fallback_share: float, fallback_deviation: float
) -> dict[str, Any]:
    """Prior of the log ratio of each metric and day, from what was finished before it.

    Args:
        columns: one row per metric, day on which experiments began (started_day) and effect of an earlier
            one (log_ratio, log_ratio_error); a row without an earlier effect has NaN.
        minimum_effects: fewer effects give the fallback.
        fallback_share, fallback_deviation: share of real effects, and their standard deviation.

    Returns:
        One row per metric and day.
    """
    names, metric = np.unique(columns["metric"].astype(str), return_inverse=True)
    days, day = np.unique(columns["started_day"], return_inverse=True)
    width = max(len(days), 1)
    pairs, group = np.unique(metric.ravel() * width + day.ravel(), return_inverse=True)
    known = ~np.isnan(columns["log_ratio"])
    prior = fit_effect_prior(
        columns["log_ratio"][known],
        columns["log_ratio_error"][known],
        group.ravel()[known],
        len(pairs),
        minimum_effects,
        fallback_share,
        fallback_deviation,
    )
    return {
        "metric": names[pairs // width].astype(object),
        "started_day": days[pairs % width],
        "effect_count": prior.cells,
        "is_fallback": prior.is_fallback,
        "real_share": prior.share,
        "real_deviation": prior.deviation,
    }
