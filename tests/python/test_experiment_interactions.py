"""Experiments that share units: planted interactions are found, null pairs are left alone."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from plumbline.statistics.interactions import GROUPS, interactions
from worlds import World

Values = npt.NDArray[np.float64]


def row(name: str, kind: str, **groups: tuple[Values, Values]) -> dict[str, Any]:
    """Sums about a pivot of the values (and denominators) of the four groups."""
    pivot = {"numerator_pivot": 3.0, "denominator_pivot": 2.0 if kind == "ratio" else 0.0}
    cell: dict[str, Any] = {
        "experiment_id": name, "phase": 0.0, "variation_id": "t", "other_experiment_id": "o",
        "other_phase": 0.0, "other_variation_id": "s", "metric": "m", "kind": kind, "scale": 2.0, **pivot,
    }  # fmt: skip
    for group, (numerator, denominator) in groups.items():
        y, d = numerator * 2.0 - 3.0, denominator - pivot["denominator_pivot"]
        cell |= {
            f"{group}_unit_count": float(len(y)), f"{group}_sum_y": y.sum(), f"{group}_sum_yy": (y * y).sum(),
            f"{group}_sum_yyy": (y**3).sum(), f"{group}_sum_d": d.sum(), f"{group}_sum_yd": (y * d).sum(),
            f"{group}_sum_dd": (d * d).sum(),
        }  # fmt: skip
    return cell


def columns(*rows: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    return {
        name: np.array(
            [cell[name] for cell in rows], dtype=object if isinstance(value, str) else float
        )
        for name, value in rows[0].items()
    }


def drawn(
    random: np.random.Generator, size: int, means: dict[str, float]
) -> dict[str, tuple[Values, Values]]:
    return {group: (random.normal(means[group], 1.0, size), np.zeros(size)) for group in GROUPS}


def test_the_interaction_is_the_difference_of_the_two_effects() -> None:
    random = np.random.default_rng(1)
    groups = {
        group: (random.normal(5, 1 + place, 40 + 10 * place), np.zeros(40 + 10 * place))
        for place, group in enumerate(GROUPS)
    }
    found = interactions(columns(row("a", "mean", **groups)), 0.05, 30)
    mean = {group: values.mean() for group, (values, _) in groups.items()}
    assert found["effect_without_other"][0] == pytest.approx(mean["treated"] - mean["neither"])
    assert found["effect_beside_other"][0] == pytest.approx(mean["both"] - mean["other"])
    expected = mean["both"] - mean["other"] - mean["treated"] + mean["neither"]
    squared = [values.var(ddof=1) / len(values) for values, _ in groups.values()]
    assert found["interaction"][0] == pytest.approx(expected)
    assert found["standard_error"][0] == pytest.approx(np.sqrt(sum(squared)))
    assert [found[f"{group}_unit_count"][0] for group in GROUPS] == [40, 50, 60, 70]
    middle = (found["interaction_low"][0] + found["interaction_high"][0]) / 2
    assert middle == pytest.approx(expected)
    assert found["adjusted_p_value"][0] == found["p_value"][0] and found["reason"][0] is None


def test_pairs_that_leave_each_other_alone_are_left_alone_and_planted_ones_found() -> None:
    """400 pairs with strong effects of both treatments, 40 of them with an interaction of 0.5."""
    random = np.random.default_rng(7)
    cells = []
    for number in range(400):
        planted = 0.5 if number < 40 else 0.0
        means = {"neither": 1.0, "treated": 1.4, "other": 0.5, "both": 0.9 + planted}
        cells.append(row(f"e{number:03d}", "mean", **drawn(random, 300, means)))
    found = interactions(columns(*cells), 0.05, 30)
    null = found["p_value"][40:]
    # Of 360 null pairs 18 are expected below 0.05; 99.9 % of such draws lie within 5 to 32.
    assert 5 <= (null < 0.05).sum() <= 32
    assert abs(np.mean(null) - 0.5) < 3.3 * np.sqrt(1 / 12 / 360)
    inside = (found["interaction_low"][:40] < 0.5) & (found["interaction_high"][:40] > 0.5)
    assert inside.sum() >= 34
    called = found["adjusted_p_value"] <= 0.05
    # 0.5 is 4.3 standard errors: nearly all are found, and few of what is called is not there.
    assert called[:40].sum() >= 34
    assert called[40:].sum() <= 0.15 * called.sum()


def test_a_ratio_is_compared_by_units() -> None:
    random = np.random.default_rng(3)
    groups = {}
    for group, rate in zip(GROUPS, (0.2, 0.2, 0.2, 0.5), strict=True):
        shown = random.poisson(6, 800).astype(float)
        groups[group] = (random.binomial(shown.astype(int), rate).astype(float), shown)
    found = interactions(columns(row("a", "ratio", **groups), row("b", "mean", **groups)), 0.05, 30)
    ratio = {group: top.sum() / bottom.sum() for group, (top, bottom) in groups.items()}
    assert found["effect_beside_other"][0] == pytest.approx(ratio["both"] - ratio["other"])
    assert found["interaction_low"][0] < 0.3 < found["interaction_high"][0]
    assert found["interaction"][1] == pytest.approx(
        sum(sign * groups[g][0].mean() for sign, g in zip((1, -1, -1, 1), GROUPS, strict=True))
    )


def test_what_cannot_be_said_has_a_reason() -> None:
    random = np.random.default_rng(5)
    means = dict.fromkeys(GROUPS, 1.0)
    few = drawn(random, 60, means) | {"both": (random.normal(1, 1, 29), np.zeros(29))}
    none = drawn(random, 60, means) | {"other": (np.zeros(0), np.zeros(0))}
    flat = {group: (np.ones(50), np.zeros(50)) for group in GROUPS}
    found = interactions(
        columns(*(row(n, "mean", **g) for n, g in zip("abc", (few, none, flat), strict=True))),
        0.05,
        30,
    )
    assert list(found["reason"]) == ["too_few_users", "no_users", "zero_variance"]
    assert np.isnan(found["p_value"]).all() and np.isnan(found["adjusted_p_value"]).all()
    assert np.isnan(found["interaction"][:2]).all() and found["interaction"][2] == 0
    nothing = {name: values[:0] for name, values in columns(row("a", "mean", **flat)).items()}
    assert all(len(values) == 0 for values in interactions(nothing, 0.05, 30).values())


def test_pairs_of_the_sample_are_recounted(sample: World) -> None:
    """Units and effects of every pair by loops over who saw what."""
    warehouse = sample.warehouse
    seen: dict[tuple[str, int], dict[Any, str]] = defaultdict(dict)
    for experiment, phase, kind, unit, variation in warehouse.query(
        "select experiment_id, phase, unit_type, unit_id, variation_id "
        "from experimentation.fct_experiment_exposures where is_analysed"
    ):
        seen[experiment, phase][kind, unit] = variation
    key = {
        (kind, unit): number
        for kind, unit, number in warehouse.query(
            "select distinct unit_type, unit_id, unit_key from intermediate.int_units_assigned"
        )
    }
    value = {
        (experiment, phase, unit): top
        for experiment, phase, unit, top in warehouse.query(
            "select measured.experiment_id, measured.phase, measured.unit_key, measured.numerator_value "
            "from intermediate.int_units_measured as measured "
            "inner join intermediate.int_experiment_metrics_assigned as metrics "
            "using (experiment_id, phase, metric) cross join intermediate.int_as_of "
            "where metrics.is_primary and matured_date <= as_of_date"
        )
    }
    control = {
        (experiment, phase): variation
        for experiment, phase, variation in warehouse.query(
            "select experiment_id, phase, control_variation_id from experimentation.dim_experiments"
        )
    }
    rows = warehouse.query(
        """
        select pairs.experiment_id, phase, variation_id, other_experiment_id, other_phase,
            other_variation_id, [neither_unit_count, other_unit_count, treated_unit_count, both_unit_count],
            interaction, kind, cast(scale as double)
        from experimentation.agg_experiment_interactions as pairs
        inner join intermediate.int_experiment_metrics_assigned as metrics
            using (experiment_id, phase, metric)
        """
    )
    tested = 0
    for (
        experiment,
        phase,
        arm,
        other,
        other_phase,
        other_arm,
        units,
        interaction,
        kind,
        scale,
    ) in rows:
        own, theirs = (experiment, phase), (other, other_phase)
        groups = []
        for mine, beside in product((control[own], arm), (control[theirs], other_arm)):
            groups.append([
                value[*own, key[unit]]
                for unit, variation in seen[own].items()
                if variation == mine and seen[theirs].get(unit) == beside
                and (*own, key[unit]) in value
            ])  # fmt: skip
        assert units == [len(group) for group in groups]
        if interaction is not None and kind != "ratio":
            neither, second, first, both = (sum(g) / len(g) / scale for g in groups)
            assert interaction == pytest.approx(both - second - first + neither, abs=1e-9)
            tested += 1
    assert len(rows) > 20 and tested > 0
