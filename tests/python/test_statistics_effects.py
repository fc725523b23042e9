"""Priors of effects, effects beyond one test, post-stratification and quasi-experiments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from plumbline.statistics.exposures import diluted_effect, novelty_trend, pairwise_interaction
from plumbline.statistics.means import compare_means, summarise_counts, summarise_mean
from plumbline.statistics.moments import Moments
from plumbline.statistics.observational import (
    covariate_balance,
    difference_in_differences,
    e_value,
    e_value_of_difference,
    stacked_differences,
    weighted_effect,
)
from plumbline.statistics.outcomes import Outcome
from plumbline.statistics.priors import effect_posterior, fit_effect_prior
from plumbline.statistics.stratified import post_stratified

CLIP = (0.02, 0.98)


def outcome(values: Any) -> Outcome:
    return Outcome.of(np.atleast_1d(np.asarray(values, dtype=float)))


# --- priors


def test_prior_recovers_what_was_planted_and_falls_back_where_there_is_little() -> None:
    random = np.random.default_rng(1)
    metric = np.repeat([0, 1, 2], [4000, 4000, 5])
    share, tau = np.array([0.2, 0.6, 0.5])[metric], np.array([0.05, 0.1, 0.1])[metric]
    real = random.random(len(metric)) < share
    error = random.uniform(0.01, 0.03, len(metric))
    effects = np.where(real, random.normal(0, tau), 0) + error * random.normal(size=len(metric))
    prior = fit_effect_prior(effects, error, metric, 4, 30, 0.15, 0.05)
    np.testing.assert_allclose(prior.share[:2], [0.2, 0.6], atol=0.04)
    np.testing.assert_allclose(prior.deviation[:2], [0.05, 0.1], rtol=0.1)
    assert prior.is_fallback.tolist() == [False, False, True, True]
    assert prior.share[2:].tolist() == [0.15, 0.15]
    assert prior.cells.tolist() == [4000, 4000, 5, 0]
    posterior = effect_posterior(outcome(effects[:4000]), outcome(error[:4000]), 0.2, 0.05)
    # Among cells of a given local fdr, that share is false.
    for low, high in ((0.0, 0.05), (0.2, 0.5), (0.5, 0.8)):
        some = (posterior.local_fdr.values >= low) & (posterior.local_fdr.values < high)
        expected = posterior.local_fdr.values[some].mean()
        noise = 4 * np.sqrt(expected * (1 - expected) / some.sum())
        assert abs((~real[:4000])[some].mean() - expected) < noise + 0.01


def test_prior_is_the_maximum_of_the_likelihood() -> None:
    random = np.random.default_rng(2)
    error = np.full(300, 0.02)
    effects = np.where(random.random(300) < 0.3, random.normal(0, 0.06, 300), 0)
    effects = effects + error * random.normal(size=300)
    prior = fit_effect_prior(effects, error, np.zeros(300, int), 1, 1, 0.15, 0.05)

    def log_likelihood(share: float, tau: float) -> float:
        null = stats.norm.pdf(effects, 0, 0.02)
        real = stats.norm.pdf(effects, 0, np.hypot(0.02, tau))
        return float(np.log((1 - share) * null + share * real).sum())

    best = log_likelihood(prior.share[0], prior.deviation[0])
    for share in np.linspace(0.02, 0.98, 30):
        for tau in np.geomspace(0.01, 0.3, 30):
            assert log_likelihood(share, tau) <= best + 1e-9


def test_local_fdr_is_bayes_theorem() -> None:
    posterior = effect_posterior(outcome([0.04, -0.04, 0.0]), outcome([0.01] * 3), 0.15, 0.05)
    null, real = (stats.norm.pdf(0.04, 0, s) for s in (0.01, np.hypot(0.01, 0.05)))
    want = 0.85 * null / (0.85 * null + 0.15 * real)
    np.testing.assert_allclose(posterior.local_fdr.values[:2], want, rtol=1e-12)
    np.testing.assert_allclose(
        posterior.probability_above(0.0).values
        + posterior.probability_below(0.0).values
        + posterior.local_fdr.values,
        1.0,
    )
    np.testing.assert_allclose(
        posterior.probability_above(-0.01).values + posterior.probability_below(-0.01).values, 1.0
    )
    assert posterior.probability_above(0.0).values[0] > 0.98
    undefined = effect_posterior(outcome([0.1]), outcome([0.0]), 0.15, 0.05)
    assert undefined.local_fdr.names()[0] == "zero_variance"
    assert undefined.probability_above(0.0).names()[0] == "zero_variance"
    with pytest.raises(ValueError, match="share"):
        effect_posterior(outcome([0.1]), outcome([0.1]), 1.0, 0.05)


# --- exposures


def test_diluted_effect_is_the_effect_on_everybody_with_less_noise() -> None:
    random = np.random.default_rng(3)
    whole, diluted, errors = [], [], []
    for _ in range(400):
        arms, triggered_arms = [], []
        for shift in (0.0, 0.5):
            triggered = random.random(2000) < 0.1
            values = random.normal(2, 1, 2000) + shift * triggered
            arms.append(summarise_mean(Moments.of_values(values, np.zeros(2000, int), 1)))
            some = values[triggered]
            triggered_arms.append(
                summarise_mean(Moments.of_values(some, np.zeros(len(some), int), 1))
            )
        whole.append(compare_means(*arms, 0.05, True).difference.values[0])
        effect = compare_means(*triggered_arms, 0.05, True)
        result = diluted_effect(
            effect.difference,
            effect.standard_error,
            triggered_arms[0].n + triggered_arms[1].n,
            4000,
            arms[0].estimate,
        )
        diluted.append(result.difference.values[0])
        errors.append(result.standard_error.values[0])
        np.testing.assert_allclose(
            result.relative.values, result.difference.values / arms[0].estimate
        )
    assert abs(np.mean(diluted) - 0.05) < 4 * np.std(diluted) / 20
    assert np.std(diluted) < 0.5 * np.std(whole)
    np.testing.assert_allclose(np.std(diluted), np.mean(errors), rtol=0.1)
    none = diluted_effect(outcome(0.0), outcome(0.1), [0], [10], [1.0])
    assert none.difference.names()[0] == "no_triggered_users"


def test_fading_effects_are_seen_and_steady_ones_are_not() -> None:
    days = np.arange(10)
    effects = np.stack([0.05 - 0.004 * days, np.full(10, 0.03)], axis=1)
    trend = novelty_trend(days, effects, np.full((10, 2), 0.005), 0.05)
    np.testing.assert_allclose(trend.slope.values, [-0.004, 0.0], atol=1e-12)
    np.testing.assert_allclose(trend.first.values, [0.05, 0.03])
    np.testing.assert_allclose(trend.last.values, [0.014, 0.03])
    assert trend.fades.values.tolist() == [1.0, 0.0]
    want = np.sqrt(1 / (np.square(days - 4.5).sum() / 0.005**2))
    np.testing.assert_allclose(trend.slope_error.values, want)
    few = novelty_trend([0, 1], np.ones((2, 1)), np.ones((2, 1)), 0.05)
    assert few.slope.names()[0] == "too_few_periods"


def test_interaction_is_the_difference_of_differences() -> None:
    arms = [summarise_counts(1000, wins) for wins in (100, 110, 120, 160)]
    result = pairwise_interaction(*arms, 0.05)
    np.testing.assert_allclose(result.effect_without.values, 0.01)
    np.testing.assert_allclose(result.effect_with.values, 0.04)
    np.testing.assert_allclose(result.difference.values, 0.03)
    variance = sum(p * (1 - p) / 999 for p in (0.1, 0.11, 0.12, 0.16))
    np.testing.assert_allclose(result.standard_error.values, np.sqrt(variance))
    np.testing.assert_allclose(
        result.p.value.values, 2 * stats.norm.sf(0.03 / np.sqrt(variance)), rtol=1e-9
    )
    empty = pairwise_interaction(*arms[:3], summarise_counts(0, 0), 0.05)
    assert empty.p.value.names()[0] == "no_users"


# --- strata


def strata_moments(values: Any, stratum: Any, count: int) -> Moments:
    return Moments.of_values(values, stratum, count)


def test_post_stratification_removes_imbalance_of_strata() -> None:
    random = np.random.default_rng(4)
    arms = []
    for shares, shift in (([0.5, 0.3, 0.2], 0.0), ([0.3, 0.3, 0.4], 0.2)):
        stratum = random.choice(3, 30_000, p=shares)
        values = np.array([1.0, 5.0, 12.0])[stratum] + shift + random.normal(size=30_000)
        arms.append(summarise_mean(strata_moments(values, stratum, 4)))
    result = post_stratified(*arms, 0.05)
    assert abs(result.difference.values - 0.2) < 4 * result.standard_error.values
    assert result.interval.low < 0.2 < result.interval.high
    np.testing.assert_allclose(
        result.treatment_mean.values - result.control_mean.values, result.difference.values
    )
    assert result.dropped_share == 0
    nothing = post_stratified(*(arm_of_one() for _ in range(2)), 0.05)
    assert nothing.p.value.names() == "no_overlap"


def arm_of_one() -> Any:
    return summarise_mean(Moments.of_mean([1, 0], [3.0, 0.0], [0.0, 0.0]))


# --- quasi-experiments


def confounded(seed: int, users: int = 40_000) -> tuple[Any, Any, Any]:
    """Strata 0..4 drive both treatment and outcome; the true effect is 0.5."""
    random = np.random.default_rng(seed)
    stratum = random.integers(0, 5, users)
    treated = random.random(users) < np.array([0.1, 0.2, 0.4, 0.6, 0.85])[stratum]
    outcome_ = 2.0 * stratum + 0.5 * treated + random.normal(size=users)
    return stratum, treated, outcome_


def split(values: Any, stratum: Any, treated: Any) -> tuple[Moments, Moments]:
    return (
        Moments.of_values(values[~treated], stratum[~treated], 5),
        Moments.of_values(values[treated], stratum[treated], 5),
    )


def test_weighting_recovers_a_planted_effect_where_the_naive_difference_fails() -> None:
    stratum, treated, values = confounded(5)
    result = weighted_effect(*split(values, stratum, treated), CLIP, 0.05)
    assert abs(result.naive.difference.values - 0.5) > 1
    for estimate in (result.inverse_weighted, result.doubly_robust):
        assert (
            abs(estimate.difference.values - 0.5) < 4 * result.doubly_robust.standard_error.values
        )
    assert result.doubly_robust.interval.contains(0.5)
    # Saturated in the strata and unclipped, all of them are standardisation.
    for value in (result.horvitz_thompson, result.doubly_robust.difference):
        np.testing.assert_allclose(
            value.values, result.inverse_weighted.difference.values, atol=1e-9
        )
    assert result.clipped_share == 0
    assert result.dropped_share == 0


def test_doubly_robust_error_equals_the_influence_function_row_by_row() -> None:
    stratum, treated, values = confounded(6, 5000)
    result = weighted_effect(*split(values, stratum, treated), CLIP, 0.05)
    means = np.array(
        [[values[(stratum == s) & (treated == t)].mean() for s in range(5)] for t in (False, True)]
    )
    share = np.array([treated[stratum == s].mean() for s in range(5)])[stratum]
    fitted = means[:, stratum]
    influence = fitted[1] - fitted[0]
    influence = influence + treated * (values - fitted[1]) / share
    influence = influence - ~treated * (values - fitted[0]) / (1 - share)
    np.testing.assert_allclose(result.doubly_robust.difference.values, influence.mean(), rtol=1e-9)
    np.testing.assert_allclose(
        result.doubly_robust.standard_error.values,
        np.sqrt(np.square(influence - influence.mean()).sum()) / len(values),
        rtol=1e-9,
    )
    weight = treated / share + ~treated / (1 - share)
    arms = [values[side] for side in (~treated, treated)]
    weights = [weight[side] for side in (~treated, treated)]
    levels = [np.average(y, weights=w) for y, w in zip(arms, weights, strict=True)]
    np.testing.assert_allclose(
        result.inverse_weighted.difference.values, levels[1] - levels[0], rtol=1e-9
    )
    squared = sum(
        np.square(w * (y - m)).sum() / w.sum() ** 2
        for y, w, m in zip(arms, weights, levels, strict=True)
    )
    np.testing.assert_allclose(
        result.inverse_weighted.standard_error.values, np.sqrt(squared), rtol=1e-9
    )


def test_doubly_robust_interval_covers() -> None:
    covered = [
        weighted_effect(*split(*reordered(confounded(seed, 1500))), CLIP, 0.1)
        .doubly_robust.interval.contains(0.5)
        .item()
        for seed in range(300)
    ]
    assert 0.84 <= np.mean(covered) <= 0.95


def reordered(parts: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    stratum, treated, values = parts
    return values, stratum, treated


def test_strata_without_both_kinds_are_left_out_and_said() -> None:
    untreated = Moments.of_mean([50, 50, 0], [1.0, 2.0, 0.0], [10.0, 10.0, 0.0])
    treated = Moments.of_mean([50, 0, 50], [2.0, 0.0, 9.0], [10.0, 0.0, 10.0])
    result = weighted_effect(untreated, treated, CLIP, 0.05)
    np.testing.assert_allclose(result.doubly_robust.difference.values, 1.0)
    np.testing.assert_allclose(result.dropped_share, 0.5)
    nothing = weighted_effect(untreated[1:], treated[1:], CLIP, 0.05)
    assert nothing.doubly_robust.difference.names() == "no_overlap"
    rare = weighted_effect(
        Moments.of_mean([9990], [1.0], [10.0]), Moments.of_mean([10], [2.0], [10.0]), CLIP, 0.05
    )
    assert rare.clipped_share == 1.0


def test_balance_is_bad_before_and_good_after_weighting() -> None:
    stratum, treated, _ = confounded(7)
    covariate = stratum + np.random.default_rng(8).normal(size=len(stratum)) * 0.1
    balance = covariate_balance(*split(covariate, stratum, treated), CLIP)
    assert balance.before.values > 0.8
    assert abs(balance.after.values) < 0.02
    pooled = np.sqrt((covariate[treated].var(ddof=1) + covariate[~treated].var(ddof=1)) / 2)
    gap = covariate[treated].mean() - covariate[~treated].mean()
    np.testing.assert_allclose(balance.before.values, gap / pooled, rtol=1e-9)


def test_e_values_equal_the_published_ones() -> None:
    # VanderWeele and Ding (2017): risk ratio 3.9 (1.8, 8.7) has E-values 7.26 and 3.0.
    np.testing.assert_allclose(e_value([3.9, 1 / 3.9, 1.8, 1.0]), [7.26, 7.26, 3.0, 1.0], atol=5e-3)
    stratum, treated, values = confounded(9, 3000)
    effect = weighted_effect(*split(values, stratum, treated), CLIP, 0.05).doubly_robust
    point, bound = e_value_of_difference(effect, values.std())
    assert point.values > bound.values >= 1
    np.testing.assert_allclose(
        point.values, e_value(np.exp(0.91 * effect.difference.values / values.std()))[0]
    )


def test_difference_in_differences_uses_the_change_of_each_user() -> None:
    random = np.random.default_rng(10)
    covered, sides = [], []
    for _ in range(300):
        arms = []
        for shift, level in ((0.0, 1.0), (0.3, 4.0)):
            person = random.normal(level, 2, 500)
            rows = [
                person + random.normal(0, 1, 500),
                person + 1 + shift + random.normal(0, 1, 500),
            ]
            arms.append(Moments.of_values(np.stack(rows, axis=1), np.zeros(500, int), 1))
        result = difference_in_differences(*arms, 0.1)
        covered.append(result.interval.contains(0.3)[0])
        sides.append(result.difference.values[0])
        changes = rows[1] - rows[0]
    assert 0.85 <= np.mean(covered) <= 0.95
    np.testing.assert_allclose(np.mean(sides), 0.3, atol=4 * np.std(sides) / np.sqrt(300))
    # The person's own level cancels: its deviation of 2 is not in the error.
    assert np.std(sides) < 1.2 * np.sqrt(2 * changes.var() / 500)


def event_rows(random: Any, effect: float, drift: float) -> tuple[Moments, Moments]:
    times = np.arange(-3, 4)
    arms = []
    for is_treated in (False, True):
        cohort = np.repeat(np.arange(3), 400)
        person = random.normal(cohort[:, None] * 2.0, 1.5, (1200, 1))
        season = np.sin(times + cohort[:, None])
        rows = person + season + random.normal(size=(1200, 7))
        if is_treated:
            rows = rows + effect * (times >= 0) + drift * times
        arms.append(Moments.of_values(rows, cohort, 3))
    return arms[0], arms[1]


def test_stacked_differences_recover_the_effect_and_test_what_came_before() -> None:
    random = np.random.default_rng(11)
    covered, flagged, pre = [], [], []
    for _ in range(300):
        study = stacked_differences(*event_rows(random, 0.4, 0.0), np.arange(-3, 4), -1, 0.1)
        covered.append(bool(study.average.interval.contains(0.4)))
        pre.append(float(study.pre_trend.value.values))
        assert study.by_time.difference.values[2] == 0
        assert study.by_time.standard_error.names()[2] == "zero_variance"
        assert study.pre_trend_degrees == 2
    assert 0.85 <= np.mean(covered) <= 0.95
    # Under parallel trends the p-values are uniform, so the joint test uses the right covariance.
    assert stats.kstest(pre, "uniform").pvalue > 0.001
    for _ in range(50):
        study = stacked_differences(*event_rows(random, 0.4, 0.2), np.arange(-3, 4), -1, 0.1)
        flagged.append(float(study.pre_trend.value.values) < 0.05)
    assert np.mean(flagged) > 0.9
    with pytest.raises(ValueError, match="base"):
        stacked_differences(*event_rows(random, 0.0, 0.0), np.arange(-3, 4), 0, 0.1)
