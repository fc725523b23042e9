"""Strata, days since exposure, triggers, orders of treatment: what is planted is found, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plumbline.statistics.breakdowns import age_effects, effect_trends, triggered_effects
from plumbline.statistics.readouts import results
from plumbline.statistics.uplift import qini_ranking, uplift_rankings, uplift_steps

Array = np.ndarray[Any, Any]
LETTERS = ("y", "d", "x", "z", "k")
PRODUCTS = ("yy", "yd", "yx", "yz", "dd", "dx", "dz", "xx", "xz", "zz", "yyy", "kk", "kkk")


def sums(values: dict[str, Array]) -> dict[str, float]:
    """Sums of one arm about 0 under the names of the warehouse."""
    zero = np.zeros(len(values["y"]))
    full = {letter: values.get(letter, zero) for letter in LETTERS} | {"k": values["y"]}
    found = {f"sum_{letter}": full[letter].sum() for letter in LETTERS}
    for name in PRODUCTS:
        found[f"sum_{name}"] = np.prod([full[letter] for letter in name], axis=0).sum()
    return found | {
        "unit_count": len(zero),
        "nonzero_count": np.count_nonzero(values["y"]),
        "before_count": 0,
        "max_value": float(values["y"].max(initial=0)),
        "quantile_value": np.nan, "quantile_low": np.nan, "quantile_high": np.nan,
    }  # fmt: skip


def cell(
    name: str,
    kind: str,
    segment: tuple[str, str],
    control: dict[str, Array],
    treatment: dict[str, Array],
) -> dict[str, Any]:
    """One row as ``paired_arms`` makes it."""
    row: dict[str, Any] = {
        "experiment_id": name, "phase": 0.0, "variation_id": "t", "control_variation_id": "c", "metric": "m",
        "segment_key": segment[0], "segment_value": segment[1], "cohort": "matured", "kind": kind,
        "role": "goal", "is_primary": 1.0, "good_direction": "up", "is_capped": 0.0, "scale": 1.0,
        "cap": np.nan, "quantile_level": 0.0, "numerator_pivot": 0.0, "denominator_pivot": 0.0,
        "before_numerator_pivot": 0.0, "before_denominator_pivot": 0.0,
    }  # fmt: skip
    for arm, values in (("control", control), ("treatment", treatment)):
        row |= {f"{arm}_{key}": value for key, value in sums(values).items()}
    return row


def columns(table: list[dict[str, Any]]) -> dict[str, Array]:
    return {
        key: np.array(
            [row[key] for row in table], dtype=object if isinstance(table[0][key], str) else float
        )
        for key in table[0]
    }


def of_method(found: dict[str, Any], method: str) -> dict[str, Any]:
    (row,) = np.flatnonzero((found["method"] == method) & (found["segment_key"] == "all"))
    return {key: values[row] for key, values in found.items()}


@pytest.mark.parametrize("kind", ["mean", "ratio"])
def test_stratified_views_equal_the_formula_on_units(kind: str) -> None:
    rng = np.random.default_rng(5)
    arms, strata = [], []
    for size in (400, 500):
        stratum = rng.integers(0, 3, size)
        strata.append(stratum)
        arms.append(
            {"y": rng.poisson(2 + 3 * stratum).astype(float), "d": 1.0 + rng.poisson(1 + stratum)}
        )
    table = [cell("e", kind, ("all", "all"), *arms)]
    for number in range(3):
        parts = [
            {key: values[stratum == number] for key, values in arm.items()}
            for arm, stratum in zip(arms, strata, strict=True)
        ]
        table.append(cell("e", kind, ("stratum", f"s{number}"), *parts))
    row = of_method(results(columns(table), 0.05), "stratified")
    weights = np.bincount(np.concatenate(strata)) / 900
    values, errors = [], []
    for arm, stratum in zip(arms, strata, strict=True):
        groups = [{key: v[stratum == s] for key, v in arm.items()} for s in range(3)]
        top = sum(w * g["y"].mean() for w, g in zip(weights, groups, strict=True))
        bottom = sum(w * g["d"].mean() for w, g in zip(weights, groups, strict=True))
        ratio = top / bottom if kind == "ratio" else 0.0
        spread = [(g["y"] - ratio * g["d"]).var(ddof=1) / len(g["y"]) for g in groups]
        base = bottom if kind == "ratio" else 1.0
        values.append(top / base)
        errors.append(sum(w**2 * v for w, v in zip(weights, spread, strict=True)) / base**2)
    assert row["control_value"] == pytest.approx(values[0], rel=1e-12)
    assert row["treatment_value"] == pytest.approx(values[1], rel=1e-12)
    assert row["standard_error"] == pytest.approx(np.sqrt(sum(errors)), rel=1e-10)
    assert 0 < row["variance_reduction"] < 1


def test_stratified_views_leave_nobody_out() -> None:
    """A stratum that one arm lacks, and thin ones, are put together: the weights are those of all units."""
    rng = np.random.default_rng(6)
    control, treatment = ({"y": rng.normal(5, 1, size)} for size in (300, 300))
    table = [cell("e", "mean", ("all", "all"), control, treatment)]
    cuts = {"big": (200, 220), "thin": (3, 40)}
    at = [0, 0]
    for name, sizes in cuts.items():
        parts = [
            {"y": arm["y"][start : start + size]}
            for arm, start, size in zip((control, treatment), at, sizes, strict=True)
        ]
        at = [start + size for start, size in zip(at, sizes, strict=True)]
        table.append(cell("e", "mean", ("stratum", name), *parts))
    row = of_method(results(columns(table), 0.05), "stratified")
    # What is left (97 and 40) takes in the thin one (3 and 40).
    groups = [
        (control["y"][:200], treatment["y"][:220]),
        (control["y"][200:], treatment["y"][220:]),
    ]
    weights = [420 / 600, 180 / 600]
    expected = sum(w * (t.mean() - c.mean()) for w, (c, t) in zip(weights, groups, strict=True))
    assert row["difference"] == pytest.approx(expected, rel=1e-10)
    assert row["reason"] is None


def test_small_clusters_are_not_adjusted() -> None:
    """Below 30 units an arm the adjusted interval of a ratio would be too narrow: null with the reason."""
    rng = np.random.default_rng(7)
    for size, reason in ((19, "too_few_users"), (40, None)):
        arms = [{name: rng.poisson(30, size).astype(float) for name in "ydxz"} for _ in range(2)]
        found = results(columns([cell("e", "ratio", ("all", "all"), *arms)]), 0.05)
        assert of_method(found, "adjusted")["reason"] == reason
        assert of_method(found, "plain")["reason"] is None


def ages(effects: list[float], size: int, seed: int, kind: str = "mean") -> dict[str, Array]:
    """Poisson use around 4 a day, times 1 + effect of the day in the treatment."""
    rng = np.random.default_rng(seed)
    table = []
    for age, effect in enumerate(effects):
        arms = [
            {"y": rng.poisson(4 * factor, size).astype(float), "d": np.ones(size)}
            for factor in (1, 1 + effect)
        ]
        table.append(cell("e", kind, ("all", "all"), *arms) | {"age_days": float(age)})
    return columns(table)


def test_effects_by_age_are_those_of_the_day() -> None:
    table = ages([0.5, 0.0], 500, 1)
    found = age_effects(table, 0.05)
    for place in range(2):
        control, treatment = (
            table[f"{arm}_sum_y"][place] / 500 for arm in ("control", "treatment")
        )
        assert found["difference"][place] == pytest.approx(treatment - control, rel=1e-12)
        assert found["relative_difference"][place] == pytest.approx(treatment / control - 1)
    assert found["difference_low"][0] > 0 and found["reason"][0] is None


def test_a_novelty_fades_and_a_lasting_effect_is_steady() -> None:
    days = 14
    fading = effect_trends(ages([0.4 * 0.8**day for day in range(days)], 4000, 2), 0.01)
    assert fading["trend"].tolist() == ["fades"] and fading["slope_per_day"][0] < 0
    growing = effect_trends(ages([0.02 * day for day in range(days)], 4000, 3), 0.01)
    assert growing["trend"].tolist() == ["changes"] and growing["slope_per_day"][0] > 0
    few = effect_trends(ages([0.2, 0.2], 4000, 4), 0.01)
    assert few["trend"].tolist() == ["unknown"] and few["reason"][0] == "too_few_periods"
    # Of 200 lasting effects at most as many are called as chance allows with 99.9 %: 2 expected, 8.
    called = sum(
        effect_trends(ages([0.2] * days, 300, 100 + seed), 0.01)["trend"][0] != "steady"
        for seed in range(200)
    )
    assert called <= 8


def test_the_triggered_effect_is_diluted_with_less_noise() -> None:
    """Only a fifth can be affected, by 1.0: the effect on all is 0.2, less noisy than comparing all."""
    rng = np.random.default_rng(8)
    arms = []
    for effect in (0.0, 1.0):
        trigger = rng.random(20_000) < 0.2
        arms.append((trigger, rng.normal(10, 3, 20_000) + effect * trigger))
    spread = [values.var(ddof=1) / len(values) for _, values in arms]
    inner = [values[trigger] for trigger, values in arms]
    table = {
        "experiment_id": np.array(["e"], object), "phase": np.array([0.0]),
        "variation_id": np.array(["t"], object), "metric": np.array(["m"], object),
        "control_unit_count": np.array([20_000.0]), "treatment_unit_count": np.array([20_000.0]),
        "triggered_control_unit_count": np.array([float(len(inner[0]))]),
        "triggered_treatment_unit_count": np.array([float(len(inner[1]))]),
        "control_value": np.array([arms[0][1].mean()]),
        "triggered_difference": np.array([inner[1].mean() - inner[0].mean()]),
        "triggered_standard_error": np.array(
            [np.sqrt(sum(values.var(ddof=1) / len(values) for values in inner))]
        ),
    }  # fmt: skip
    found = triggered_effects(table, 0.05)
    # In theory 0.2 sqrt(2 x 9 / 4,000) = 0.0134, and 0.0300 for all; 3.3 errors hold 99.9 %.
    error = 0.2 * np.sqrt(2 * 9 / 4000)
    assert found["diluted_difference"][0] == pytest.approx(0.2, abs=3.3 * error)
    assert found["diluted_standard_error"][0] == pytest.approx(error, rel=0.05)
    assert found["diluted_standard_error"][0] < 0.6 * np.sqrt(sum(spread))
    missing = triggered_effects(table | {"triggered_standard_error": np.array([np.nan])}, 0.05)
    assert np.isnan(missing["diluted_difference"][0]) and missing["reason"][0] == "too_few_users"


def test_qini_is_the_area_between_two_curves() -> None:
    """By hand: shares 1/2, 1/4, 1/4 and effects 0, 4, 2, treated in the order of their scores."""
    curve = qini_ranking(
        np.array([1.0, 3.0, 2.0]), np.array([0.0, 4.0, 2.0]), np.full(3, 0.1),
        np.array([20.0, 10.0, 10.0]), np.zeros(3, np.int64), 1,
    )  # fmt: skip
    assert curve.order.tolist() == [1, 2, 0]
    assert curve.cumulative_gain.tolist() == [1.0, 1.5, 1.5]
    area = (0 + 1) / 2 / 4 + (1 + 1.5) / 2 / 4 + 1.5 / 2
    assert curve.qini[0] == pytest.approx(area - 1.5 / 2)
    nodes = np.interp(np.linspace(0, 1, 100_001), [0, 0.25, 0.5, 1], [0, 1, 1.5, 1.5])
    assert curve.qini[0] == pytest.approx(nodes.mean() - 0.75, abs=1e-4)


def halves(effects: list[float], size: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return columns(
        [
            cell("e", "mean", ("half", f"{half} s{number}"),
                 {"y": rng.normal(5, 2, size)}, {"y": rng.normal(5 + effect, 2, size)})
            for number, effect in enumerate(effects)
            for half in "ab"
        ]
    )  # fmt: skip


def test_uplift_is_ranked_only_where_it_differs() -> None:
    found = uplift_rankings(halves([0.0, 0.0, 1.0, 0.0], 400, 9), 0.05)
    # Perfect knowledge: a quarter first, which holds all of 0.25: area 0.03125 + 0.1875 - 0.125.
    assert found["qini_low"][0] < 0.09375 < found["qini_high"][0] and found["qini_low"][0] > 0
    steps = uplift_steps(halves([0.0, 0.0, 1.0, 0.0], 400, 9), 0.05)
    assert set(steps["stratum"][steps["step_rank"] == 1]) == {"s2"}
    assert steps["cumulative_share"][steps["step_rank"] == 4] == pytest.approx(1.0)
    # The same effect everywhere, 400 times: nominal 2.5 % lie above 0; 99.9 % of binomials are below 6 %.
    above = sum(
        uplift_rankings(halves([0.5] * 4, 60, 1000 + seed), 0.05)["qini_low"][0] > 0
        for seed in range(400)
    )
    assert above <= 24


def test_goals_without_enough_units_have_a_reason() -> None:
    found = uplift_rankings(halves([0.0, 1.0], 5, 10), 0.05)
    assert found["reason"].tolist() == ["too_few_users"] and np.isnan(found["qini"][0])
    assert len(uplift_steps(halves([0.0, 1.0], 5, 10), 0.05)["stratum"]) == 0
