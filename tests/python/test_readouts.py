"""Readouts of experiments from sums alone, held to the raw values they stand for and to published tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from plumbline.statistics.capping import pooled_caps
from plumbline.statistics.covariates import adjust_ratios
from plumbline.statistics.moments import Moments
from plumbline.statistics.plans import plans, segment_effects
from plumbline.statistics.readouts import (
    Effects,
    adjusted_p_values,
    compare_cells,
    moments_of,
    results,
    rows,
)
from plumbline.statistics.splits import imbalances, split_checks
from plumbline.statistics.verdicts import decisions, frozen_priors, sequences

LETTERS = "ydxz"
RULES = {
    "alpha": 0.05,
    "concentration": 100,
    "negligible": 0.01,
    "non_inferior": 0.05,
    "smallest_arm": 30,
}
THRESHOLDS = {
    "imbalance_p": 0.001,
    "multi_exposed_share": 0.01,
    "multi_exposed_users": 10,
    "full_days": 7,
    "users": 100,
    "events": 5,
    "alpha_anytime": 0.01,
    "alpha_end": 0.04,
    "local_fdr": 0.05,
    "probability_beyond": 0.95,
    "probability_of_best": 0.95,
    "loss_share": 0.0025,
    "probability_equivalent": 0.95,
}


def cell(kind: str, control: Any, treatment: Any, **described: Any) -> dict[str, np.ndarray]:
    """One cell as SQL makes it, from whole values of units: columns y, d, x, z (missing ones are 0)."""
    arms = {
        "control": np.atleast_2d(np.asarray(control)),
        "treatment": np.atleast_2d(np.asarray(treatment)),
    }
    arms = {
        name: np.pad(v.T if v.shape[0] > 4 else v, ((0, 4 - min(v.shape)), (0, 0)))
        for name, v in arms.items()
    }
    pooled = np.concatenate([arms["control"], arms["treatment"]], axis=1)
    pivots = np.floor(pooled.mean(axis=1)).astype(object)
    scale = described.get("scale", 1)
    found: dict[str, Any] = {
        "experiment_id": "e",
        "phase": 0.0,
        "variation_id": "t",
        "control_variation_id": "c",
        "metric": "m",
        "segment_key": "all",
        "segment_value": "all",
        "cohort": "matured",
        "kind": kind,
        "measure": "x",
        "role": "goal",
        "is_primary": 1.0,
        "margin_relative": 0.0,
        "good_direction": "up",
        "is_capped": 0.0,
        "scale": float(scale),
        "quantile_level": 0.0,
        "variation_number": 1.0,
        "treatment_share": 0.5,
        "planned_unit_count": 1000.0,
        "mde_relative": 0.1,
        "full_days": 20.0,
        "prior_share": 0.15,
        "prior_deviation": 0.05,
        "look_day": 3.0,
        "numerator_pivot": pivots[0],
        "denominator_pivot": pivots[1],
        "before_numerator_pivot": pivots[2],
        "before_denominator_pivot": pivots[3],
    }
    cap = described.get("cap", np.nan)
    for name, values in arms.items():
        centred = dict(zip(LETTERS, values.astype(object) - pivots[:, None], strict=True))
        if not np.isnan(cap):
            centred["k"] = np.minimum(values[0], int(cap)).astype(object) - pivots[0]
        found[f"{name}_unit_count"] = values.shape[1]
        found[f"{name}_nonzero_count"] = int((values[0] != 0).sum())
        found[f"{name}_before_count"] = int((values[2] != 0).sum())
        found[f"{name}_max_value"] = int(values[0].max())
        for quantile in ("value", "low", "high"):
            found[f"{name}_quantile_{quantile}"] = np.nan
        for i, a in enumerate(centred):
            found[f"{name}_sum_{a}"] = centred[a].sum()
            for b in list(centred)[i:]:
                found[f"{name}_sum_{a}{b}"] = (centred[a] * centred[b]).sum()
            found[f"{name}_sum_{a * 3}"] = (centred[a] ** 3).sum()
    found |= {"cap": cap} | described
    return {
        key: np.array([value], dtype=object if isinstance(value, str) else np.float64)
        for key, value in found.items()
    }


def stacked(*cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([one[name] for one in cells]) for name in cells[0]}


def only(effects: Effects, method: str) -> dict[str, Any]:
    (place,) = np.flatnonzero(effects.method == method)
    return {name: getattr(effects, name)[place] for name in effects.__dataclass_fields__}


@pytest.fixture(scope="module")
def draws() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    arms = []
    for n, lift in ((700, 1.0), (640, 1.2)):
        before = random.poisson(6, n)
        sessions = 1 + random.poisson(3, n)
        numerator = random.poisson(before * lift + sessions)
        arms.append(np.stack([numerator, sessions, before, 1 + random.poisson(2, n)]))
    return arms[0], arms[1]


def test_moments_of_sums_are_moments_of_values(draws: tuple[np.ndarray, np.ndarray]) -> None:
    """Large values around a far reference lose nothing: variance of 1e9 + noise to 1e-9."""
    control = draws[0].copy()
    control[0] = control[0] + 10**9
    treatment = draws[1].copy()
    treatment[0] = treatment[0] + 10**9
    columns = cell("mean", control, treatment)
    ours = moments_of(columns, "control", "yx")
    truth = Moments.of_values(control[[0, 2]].T, np.zeros(control.shape[1], int), 1)
    np.testing.assert_allclose(ours.products, truth.products, rtol=1e-9)
    np.testing.assert_allclose(ours.mean, truth.mean, rtol=1e-15)
    assert ours.skewness(0).values[0] == pytest.approx(
        stats.skew(control[0].astype(float) - 1e9), rel=1e-6
    )


def test_means_are_welch(draws: tuple[np.ndarray, np.ndarray]) -> None:
    found = only(compare_cells(cell("mean", *draws, scale=1000), 0.05), "plain")
    welch = stats.ttest_ind(draws[1][0], draws[0][0], equal_var=False)
    assert found["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
    assert found["difference"] == pytest.approx(
        (draws[1][0].mean() - draws[0][0].mean()) / 1000, rel=1e-12
    )
    low, high = welch.confidence_interval(0.95)
    assert (found["difference_low"], found["difference_high"]) == pytest.approx(
        (low / 1000, high / 1000), rel=1e-9
    )
    assert found["relative_difference"] == pytest.approx(
        draws[1][0].mean() / draws[0][0].mean() - 1, rel=1e-12
    )
    assert found["direction"] == "gain"
    assert found["control_numerator"] == pytest.approx(draws[0][0].sum() / 1000)


def test_shares_are_the_pooled_z_test_and_the_exact_posterior() -> None:
    control, treatment = np.repeat([1, 0], [120, 880]), np.repeat([1, 0], [165, 835])
    found = only(compare_cells(cell("proportion", control, treatment), 0.05), "plain")
    pooled = 285 / 2000
    z = 0.045 / np.sqrt(pooled * (1 - pooled) * 2 / 1000)
    assert found["p_value"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-9)
    random = np.random.default_rng(1)
    better = random.beta(166, 836, 400_000) > random.beta(121, 881, 400_000)
    assert found["probability_better"] == pytest.approx(better.mean(), abs=0.002)
    assert found["control_value"] == 0.12 and found["treatment_value"] == 0.165


def test_more_cancellations_is_harm() -> None:
    """The same counts, read in both directions: probabilities and losses change sides."""
    control, treatment = np.repeat([1, 0], [40, 460]), np.repeat([1, 0], [70, 430])
    up = only(compare_cells(cell("proportion", control, treatment), 0.05), "plain")
    down = only(
        compare_cells(cell("proportion", control, treatment, good_direction="down"), 0.05), "plain"
    )
    assert up["direction"] == "gain" and down["direction"] == "harm"
    assert down["probability_better"] == pytest.approx(1 - up["probability_better"], abs=1e-12)
    assert down["loss_if_shipped"] == up["loss_if_kept"] > down["loss_if_kept"]


def test_a_gain_of_a_fifth_becomes_certain_with_more_units() -> None:
    """The chance to win must not stay where it is while the sample grows."""
    random = np.random.default_rng(3)
    wins = []
    for n in (100, 10_000, 1_000_000):
        arms = [random.gamma(0.5, 10_000 * lift, n).astype(np.int64) for lift in (1.0, 1.2)]
        wins.append(only(compare_cells(cell("mean", *arms), 0.05), "plain")["probability_better"])
    assert wins[0] < 0.99 and wins[0] < wins[1] <= wins[2] and wins[2] > 1 - 1e-9


def test_ratios_and_their_adjustment(draws: tuple[np.ndarray, np.ndarray]) -> None:
    effects = compare_cells(cell("ratio", *draws), 0.05)
    plain, adjusted = only(effects, "plain"), only(effects, "adjusted")
    assert plain["treatment_value"] == pytest.approx(
        draws[1][0].sum() / draws[1][1].sum(), rel=1e-12
    )
    assert plain["control_denominator"] == draws[0][1].sum()
    moments = [Moments.of_values(arm.T, np.zeros(arm.shape[1], int), 1) for arm in draws]
    expected = adjust_ratios(moments[0], moments[1])
    assert adjusted["variance_reduction"] == pytest.approx(
        expected.variance_reduction.values[0], rel=1e-9
    )
    assert adjusted["standard_error"] ** 2 == pytest.approx(
        (expected.control.squared_error + expected.treatment.squared_error)[0], rel=1e-9
    )


def test_adjustment_takes_out_the_square_of_the_correlation(
    draws: tuple[np.ndarray, np.ndarray],
) -> None:
    effects = compare_cells(cell("mean", *draws), 0.05)
    plain, adjusted = only(effects, "plain"), only(effects, "adjusted")
    correlation = np.mean([np.corrcoef(arm[0], arm[2])[0, 1] for arm in draws])
    assert adjusted["variance_reduction"] == pytest.approx(correlation**2, abs=0.02)
    assert adjusted["standard_error"] < plain["standard_error"]
    assert abs(adjusted["difference"] - plain["difference"]) < 4 * plain["standard_error"]


def test_capped_values_are_cut_and_stand_beside_the_others(
    draws: tuple[np.ndarray, np.ndarray],
) -> None:
    control, treatment = (arm[0].copy() for arm in draws)
    treatment[0] = 100_000
    values = np.concatenate([control, treatment])
    cap = np.floor(pooled_caps(values, np.zeros(len(values), int), 1, 0.999).values[0])
    effects = compare_cells(cell("mean", control, treatment, cap=cap, is_capped=1.0), 0.05)
    assert list(effects.method) == ["plain", "capped", "adjusted"]
    assert only(effects, "capped")["treatment_value"] == pytest.approx(
        np.minimum(treatment, cap).mean(), rel=1e-12
    )
    assert only(effects, "plain")["treatment_value"] == pytest.approx(treatment.mean(), rel=1e-12)
    assert only(effects, "plain")["is_clt_weak"] and not only(effects, "capped")["is_clt_weak"]


def test_quantiles_without_bounds_have_a_reason() -> None:
    known = {
        f"{arm}_quantile_{name}": value
        for arm in ("control", "treatment")
        for name, value in (("value", 10.0), ("low", 8.0), ("high", 13.0))
    }
    found = only(
        compare_cells(cell("quantile", [1, 2, 3, 4, 5], [2, 3, 4, 5, 6], **known), 0.05), "plain"
    )
    assert found["difference"] == 0 and found["standard_error"] > 0 and found["reason"] is None
    known["treatment_quantile_low"] = np.nan
    found = only(
        compare_cells(cell("quantile", [1, 2, 3, 4, 5], [2, 3, 4, 5, 6], **known), 0.05), "plain"
    )
    assert np.isnan(found["p_value"]) and found["reason"] == "too_few_users"


def test_nothing_undefined_is_a_number() -> None:
    """One unit, or nobody who did anything: null with a reason, and never a p-value of 0."""
    flat = only(compare_cells(cell("mean", np.zeros(10, int), np.zeros(12, int)), 0.05), "plain")
    assert (
        flat["reason"] == "zero_variance"
        and np.isnan(flat["p_value"])
        and flat["direction"] == "none"
    )
    assert flat["relative_reason"] is not None and np.isnan(flat["relative_difference"])
    lone = only(compare_cells(cell("mean", [5], [7, 8]), 0.05), "plain")
    assert lone["reason"] == "too_few_users"
    far = only(
        compare_cells(cell("mean", np.arange(5000) % 2, 10**6 + np.arange(5000) % 2), 0.05), "plain"
    )
    assert 0 < far["p_value"] < 1e-300 and far["p_value_log10"] < -1000


def test_families_are_corrected_apart() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.01, 0.04])
    family = np.array(["a", "a", "a", "b", "b"])
    found = adjusted_p_values(p, family, np.array([True, True, True, False, False]))
    np.testing.assert_allclose(found[[0, 1, 3, 4]], [0.02, 0.04, 0.02, 0.04])
    assert np.isnan(found[2])


def test_rows_keep_the_order_of_cells(draws: tuple[np.ndarray, np.ndarray]) -> None:
    cells = stacked(
        cell("ratio", *draws, metric="r"),
        cell("proportion", [1, 0, 1], [0, 0, 1], metric="p"),
        cell("mean", *draws, metric="m"),
    )
    found = results(cells, 0.05)
    assert list(zip(found["metric"], found["method"], strict=True)) == [
        ("r", "plain"),
        ("r", "adjusted"),
        ("p", "plain"),
        ("p", "adjusted"),
        ("m", "plain"),
        ("m", "adjusted"),
    ]
    alone = results(rows(cells, cells["metric"] == "m"), 0.05)
    assert found["p_value"][4] == alone["p_value"][0]


def health(**changed: Any) -> dict[str, np.ndarray]:
    row = {
        "experiment_id": "e",
        "phase": 0.0,
        "control_variation_id": "c",
        "is_leaked": 0.0,
        "is_mismatched": 0.0,
        "is_at_planned_end": 0.0,
        "is_stopped": 0.0,
        "exposed_unit_count": 8000.0,
        "multi_exposed_count": 0.0,
        "imbalance_p_value": 0.5,
        "imbalance_test_count": 5.0,
        "full_days": 20.0,
        "matured_unit_count": 8000.0,
    } | changed
    return {
        k: np.array([v], dtype=object if isinstance(v, str) else np.float64) for k, v in row.items()
    }


def shares(control: int, treatment: int, n: int = 4000, **described: Any) -> dict[str, np.ndarray]:
    counts = (np.repeat([1, 0], [s, n - s]) for s in (control, treatment))
    return cell("proportion", *counts, **described)


GUARD = {
    "metric": "g",
    "role": "guardrail",
    "is_primary": 0.0,
    "margin_relative": 0.1,
    "good_direction": "down",
}


@pytest.mark.parametrize(
    ("cells", "state", "status", "recommended"),
    [
        (stacked(shares(400, 560), shares(1600, 1500, **GUARD)), {}, "ship", "t"),
        (stacked(shares(400, 560), shares(400, 700, **GUARD)), {}, "rollback", "c"),
        (stacked(shares(400, 290), shares(400, 400, **GUARD)), {}, "rollback", "c"),
        (shares(400, 230, good_direction="down"), {}, "ship", "t"),
        (shares(400, 420), {}, "keep_running", "none"),
        (shares(400, 420), {"is_at_planned_end": 1.0}, "stopped_underpowered", "none"),
        (shares(400, 560), {"is_leaked": 1.0}, "invalid", "none"),
        (shares(400, 560), {"is_mismatched": 1.0}, "invalid", "none"),
        (shares(400, 560), {"multi_exposed_count": 80.0}, "invalid", "none"),
        (shares(400, 560), {"multi_exposed_count": 79.0}, "ship", "t"),
        (shares(400, 560), {"imbalance_p_value": 0.0001}, "invalid", "none"),
        (shares(400, 560), {"full_days": 6.0}, "insufficient", "none"),
        (shares(4, 30, n=99), {}, "insufficient", "none"),
        (shares(1_000_000, 1_000_100, n=2_000_000), {}, "no_difference", "none"),
        (
            stacked(shares(400, 560), shares(600, 420, metric="h", is_primary=0.0)),
            {},
            "conflict",
            "none",
        ),
    ],
)
def test_status(
    cells: dict[str, np.ndarray], state: dict[str, float], status: str, recommended: str
) -> None:
    found = decisions(cells, health(**state), RULES, THRESHOLDS)
    assert (found["status"][0], found["recommended_variation_id"][0]) == (status, recommended)
    assert (status in ("keep_running", "stopped_underpowered")) or found["reason_codes"][
        0
    ] != "none"


def test_an_experiment_without_cells_is_insufficient() -> None:
    found = decisions(
        rows(shares(4, 5), np.array([False])), health(full_days=0.0), RULES, THRESHOLDS
    )
    assert found["status"][0] == "insufficient" and np.isnan(found["days_left"][0])


def test_the_best_of_three_arms_is_recommended() -> None:
    cells = stacked(
        shares(400, 560, variation_id="t1"),
        shares(400, 700, variation_id="t2", variation_number=2.0),
    )
    found = decisions(cells, health(), RULES, THRESHOLDS)
    assert found["recommended_variation_id"][0] == "t2" and found["probability_best"][0] > 0.99
    random = np.random.default_rng(2)
    values = [random.poisson(mean, 3000) for mean in (10.0, 11.0, 10.9)]
    cells = stacked(
        *(
            cell("mean", values[0], values[i], variation_id=f"t{i}", variation_number=float(i))
            for i in (1, 2)
        )
    )
    found = decisions(cells, health(), RULES, THRESHOLDS)
    means, errors = ([getattr(v, f)() for v in values] for f in ("mean", "std"))
    sample = random.normal(means, np.array(errors) / np.sqrt(3000), (400_000, 3))
    best = np.bincount(sample.argmax(axis=1), minlength=3) / len(sample)
    assert found["probability_best"][0] == pytest.approx(best.max(), abs=0.003)


def test_looking_daily_at_nothing_calls_seldom() -> None:
    """A/A, 28 looks: the interval for one look excludes 0 in many runs, the anytime one hardly ever."""
    random = np.random.default_rng(11)
    once = anytime = 0
    for _ in range(60):
        days = [random.poisson(3, (28, 40)) for _ in range(2)]
        looks = [
            cell(
                "mean",
                *(arm[: day + 1].ravel() for arm in days),
                look_day=float(day),
                planned_unit_count=2240.0,
            )
            for day in range(28)
        ]
        found = sequences(stacked(*looks), RULES)
        once += bool(((found["difference_low"] > 0) | (found["difference_high"] < 0)).any())
        anytime += bool(((found["anytime_low"] > 0) | (found["anytime_high"] < 0)).any())
        assert (found["anytime_low"] <= found["difference_low"]).all()
    assert once >= 10 and anytime <= 4


def test_priors_know_only_their_own_history() -> None:
    random = np.random.default_rng(4)
    effects = random.normal(0, 0.2, 40)
    columns = {
        "metric": np.array(["m"] * 41, dtype=object),
        "started_day": np.array([20_470.0] * 40 + [20_480.0]),
        "log_ratio": np.append(effects, np.nan),
        "log_ratio_error": np.append(np.full(40, 0.01), np.nan),
    }
    found = frozen_priors(columns, 10, 0.15, 0.05)
    assert list(found["effect_count"]) == [40, 0] and list(found["is_fallback"]) == [False, True]
    assert (
        found["real_deviation"][0] == pytest.approx(0.2, rel=0.3) and found["real_share"][0] > 0.8
    )
    assert (found["real_share"][1], found["real_deviation"][1]) == (0.15, 0.05)


def test_splits_by_segment() -> None:
    """Cookie Cats in all; a fault in one country is found there, corrected for the number of countries."""

    def arms(segment: str, *counts: int) -> list[tuple[Any, ...]]:
        key = "all" if segment == "all" else "country"
        return [
            ("e", 0.0, key, segment, count, weight)
            for count, weight in zip(counts, (0.5, 0.5, 0.0), strict=True)
        ]

    data = [
        *arms("all", 44_700, 45_489, 0),
        *arms("DE", 500, 500, 0),
        *arms("FR", 600, 400, 3),
        *arms("US", 0, 0, 0),
    ]
    names = (
        "experiment_id",
        "phase",
        "segment_key",
        "segment_value",
        "unit_count",
        "expected_weight",
    )
    columns = {
        name: np.array(values, dtype=object if isinstance(values[0], str) else np.float64)
        for name, values in zip(names, zip(*data, strict=True), strict=True)
    }
    found = split_checks(columns, 100)
    assert found["p_value"][0] == pytest.approx(0.0086, abs=5e-5)
    assert list(found["leaked_count"]) == [0, 0, 3, 0]
    assert found["adjusted_p_value"][2] == pytest.approx(2 * found["p_value"][2]) and np.isnan(
        found["p_value"][3]
    )
    assert np.isnan(found["adjusted_p_value"][0]) and found["reason"][3] == "no_users"


def test_imbalance_is_welch_before_exposure(draws: tuple[np.ndarray, np.ndarray]) -> None:
    found = imbalances(cell("mean", *draws), 0.05)
    welch = stats.ttest_ind(draws[1][2], draws[0][2], equal_var=False)
    assert found["p_value"][0] == pytest.approx(welch.pvalue, rel=1e-9)
    assert found["control_mean"][0] == pytest.approx(draws[0][2].mean(), rel=1e-12)


def test_segments_that_differ_by_chance_share_one_effect() -> None:
    """Equal effects are drawn together; one segment that stands out keeps most of what sets it apart."""

    def columns(effects: list[float], error: float) -> dict[str, np.ndarray]:
        n = len(effects)
        texts = {
            "experiment_id": "e",
            "variation_id": "t",
            "metric": "m",
            "segment_key": "country",
            "good_direction": "up",
        }
        found = {name: np.array([value] * n, dtype=object) for name, value in texts.items()}
        return found | {
            "segment_value": np.array([str(i) for i in range(n)], dtype=object),
            "phase": np.zeros(n),
            "log_ratio": np.array(effects),
            "log_ratio_error": np.full(n, error),
            "control_unit_count": np.full(n, 100.0),
            "treatment_unit_count": np.full(n, 100.0),
        }

    alike = segment_effects(columns([0.02, -0.02, 0.01, -0.01], 0.05))
    np.testing.assert_allclose(alike["shrunk_effect"], 0.0, atol=1e-12)
    apart = segment_effects(columns([0.0, 0.0, 0.0, 0.4], 0.05))
    assert (
        0.25 < apart["shrunk_effect"][3] < apart["raw_effect"][3]
        and apart["heterogeneity_p_value"][0] < 1e-6
    )
    assert len(segment_effects(columns([0.1], 0.05))["raw_effect"]) == 0


def test_a_planned_sample_has_the_planned_power() -> None:
    """With the units it needs, simulated experiments see the effect in 80 % of cases."""
    base = {
        "experiment_id": np.array(["e"], dtype=object),
        "phase": np.zeros(1),
        "metric": np.array(["m"], dtype=object),
        "variation_id": np.array(["t"], dtype=object),
        "control_value": np.array([10.0]),
        "control_standard_error": np.array([4.0 / np.sqrt(500)]),
        "control_unit_count": np.array([500.0]),
        "treatment_unit_count": np.array([500.0]),
        "mde_relative": np.array([0.05]),
    }
    found = plans(base, 0.05, 0.8)
    n = int(found["needed_units_per_arm"][0])
    assert n == pytest.approx((1.959964 + 0.841621) ** 2 * 2 * 16 / 0.5**2, abs=1)
    random = np.random.default_rng(8)
    means = [random.normal(mean, 4 / np.sqrt(n), 40_000) for mean in (10.0, 10.5)]
    seen = np.abs(means[1] - means[0]) / (4 * np.sqrt(2 / n)) > 1.959964
    assert seen.mean() == pytest.approx(0.8, abs=0.01)
    assert found["power"][0] < 0.8 and found["detectable_relative"][0] > 0.05
    none = plans(base | {"mde_relative": np.array([np.nan])}, 0.05, 0.8)
    assert np.isnan(none["needed_units_per_arm"][0]) and none["reason"][0] == "unbounded"
