"""Properties that hold for any input, closed forms recomputed another way, and degenerate inputs."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from plumbline.statistics.best_mean import best_of_means, probability_of_negligible
from plumbline.statistics.capping import capped_moments, pooled_caps
from plumbline.statistics.covariates import adjust_means, adjust_ratios
from plumbline.statistics.evidence import (
    anytime_beyond,
    anytime_effect,
    anytime_p,
    hybrid_rejects,
    log_multinomial_e,
    mixture_variance,
    uplift_sequence,
)
from plumbline.statistics.means import (
    RelativeMethod,
    Summary,
    compare_means,
    normal_posterior,
    summarise_counts,
    summarise_mean,
)
from plumbline.statistics.moments import Moments, clt_weak
from plumbline.statistics.multiplicity import benjamini_hochberg, e_benjamini_hochberg, holm
from plumbline.statistics.outcomes import Interval, Outcome, Reason
from plumbline.statistics.power import days_left, detectable_effect, power_of_test, users_per_arm
from plumbline.statistics.proportion_tests import (
    newcombe_interval,
    two_proportion_z,
    wilson_interval,
)
from plumbline.statistics.proportions import (
    absolute_effect_quantiles,
    best_of_arms,
    compare_proportions,
    probability_of_relative_effect_below,
)
from plumbline.statistics.quantiles import (
    clustered_design_effect,
    quantile_ranks,
    summarise_quantile,
)
from plumbline.statistics.ratios import summarise_ratio
from plumbline.statistics.sample_ratio import check_sample_ratio
from plumbline.statistics.segments import shrink_segments
from plumbline.statistics.tails import (
    log_chi_square_tail,
    log_normal_two_sided,
    log_student_two_sided,
    student_quantile,
)

LEVELS = (0.025, 0.5, 0.975)


@st.composite
def counts(draw: st.DrawFn, most: int = 10**6) -> tuple[int, int]:
    users = draw(st.integers(1, most))
    return users, draw(st.integers(0, users))


@st.composite
def samples(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    seed, size = draw(st.integers(0, 2**32 - 1)), draw(st.integers(2, 60))
    scale = 10.0 ** draw(st.integers(-3, 3))
    return np.random.default_rng(seed).lognormal(1.0, 0.7, size) * scale


def no_nan(result: object) -> None:
    """Every array of a result is finite, and blank where it is undefined."""
    if isinstance(result, Outcome):
        assert np.isfinite(result.values).all()
        assert (result.values[~result.defined] == 0).all()
    elif isinstance(result, Interval):
        assert np.isfinite(result.low).all()
        assert np.isfinite(result.high).all()
        assert (result.low <= result.high).all()
    elif dataclasses.is_dataclass(result):
        for field in dataclasses.fields(result):
            no_nan(getattr(result, field.name))
    elif isinstance(result, np.ndarray) and result.dtype.kind == "f":
        assert np.isfinite(result).all()


def plain(values: np.ndarray[Any, Any]) -> Summary:
    return summarise_mean(Moments.of_values(values, np.zeros(len(values), int), 1))


# --- proportions


@settings(max_examples=80, deadline=None)
@given(counts(), counts(), st.sampled_from([(1.0, 1.0), (0.5, 0.5), (2.3, 40.1)]))
def test_order_of_arms_does_not_matter(
    one: tuple[int, int], two: tuple[int, int], prior: tuple[float, float]
) -> None:
    there = compare_proportions(*one, *two, *prior, LEVELS)
    back = compare_proportions(*two, *one, *prior, LEVELS)
    assert there.probability_of_better[0] == back.probability_of_worse[0]
    assert there.loss_if_shipped[0] == back.loss_if_kept[0]
    assert 0 <= there.probability_of_better[0] <= 1
    low, middle, high = there.relative_quantiles[:, 0]
    assert low < middle < high
    np.testing.assert_allclose(
        (1 + back.relative_quantiles[::-1]) * (1 + there.relative_quantiles), 1, rtol=1e-6
    )
    no_nan(there)


@settings(max_examples=60, deadline=None)
@given(counts(10**5), counts(10**5), st.sampled_from([(1.0, 1.0), (0.5, 0.5), (3.2, 17.9)]))
def test_probabilities_equal_an_independent_quadrature(
    one: tuple[int, int], two: tuple[int, int], prior: tuple[float, float]
) -> None:
    """The trapezoidal rule in the log odds of p: spectral there, and shares no code."""
    a, b = prior[0] + one[1], prior[1] + one[0] - one[1]
    c, d = prior[0] + two[1], prior[1] + two[0] - two[1]
    centre, spread = np.log(a / b), np.sqrt(1 / a + 1 / b)
    odds = np.linspace(centre - 60 * spread - 9, centre + 60 * spread + 9, 20_001)
    p, rest = special.expit(odds), special.expit(-odds)
    logs = a * special.log_expit(odds) + b * special.log_expit(-odds)
    density = np.exp(logs - logs.max())
    density /= density.sum()
    below = np.where(p < 0.5, special.betainc(c, d, p), 1 - special.betainc(d, c, rest))
    kernel = np.exp(
        c * special.log_expit(odds) + d * special.log_expit(-odds) - special.betaln(c, d)
    )
    lost = (p - c / (c + d)) * below + kernel / (c + d)
    got = compare_proportions(*one, *two, *prior, ())
    assert abs(got.probability_of_worse[0] - (density * below).sum()) < 1e-11
    assert abs(got.loss_if_shipped[0] - (density * lost).sum()) < 1e-10


@settings(max_examples=60, deadline=None)
@given(counts(), counts())
def test_quantiles_and_distribution_function_are_inverse(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    quantiles = compare_proportions(*one, *two, 1, 1, LEVELS).relative_quantiles[:, 0]
    for level, value in zip(LEVELS, quantiles, strict=True):
        assert value > -1
        found = probability_of_relative_effect_below(*one, *two, 1, 1, value)
        assert abs(found[0] - level) < 1e-8
    absolute = absolute_effect_quantiles(*one, *two, 1, 1, LEVELS)[:, 0]
    assert (np.diff(absolute) > 0).all()
    assert (np.sign(absolute) == np.sign(quantiles)).all() or np.abs(quantiles).min() < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(500, 10**5), st.floats(0.02, 0.98), st.integers(2, 50))
def test_more_data_gives_narrower_intervals(users: int, rate: float, factor: int) -> None:
    wins = round(users * rate)
    few = (users, wins, users, wins)
    many = tuple(factor * count for count in few)
    for width in (
        lambda data: np.ptp(compare_proportions(*data, 1, 1, LEVELS).relative_quantiles),
        lambda data: newcombe_interval(*data, 0.05).width[0],
        lambda data: wilson_interval(*data[:2], 0.05).width[0],
    ):
        assert width(many) < width(few)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_best_arm_does_not_depend_on_the_order_of_arms(arms: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    users = random.integers(1, 10**5, (arms, 1))
    wins = random.binomial(users, random.uniform(0, 0.2))
    order = random.permutation(arms)
    one, two = (best_of_arms(users[o], wins[o], 1, 1, True) for o in (np.arange(arms), order))
    np.testing.assert_allclose(one.probability_of_best[order], two.probability_of_best, atol=1e-12)
    np.testing.assert_allclose(one.expected_loss[order], two.expected_loss, atol=1e-12)
    assert abs(one.probability_of_best.sum() - 1) < 1e-9
    no_nan(one)


def test_cells_of_any_shape_are_answered_place_by_place() -> None:
    users, wins = np.array([[100, 2000, 30], [4, 500, 9]]), np.array([[7, 90, 0], [4, 1, 3]])
    other = wins[::-1] % 4
    whole = compare_proportions(users, wins, users, other, 1, 1, LEVELS)
    assert whole.relative_quantiles.shape == (3, 2, 3)
    below = probability_of_relative_effect_below(users, wins, users, other, 1, 1, 0.1)
    absolute = absolute_effect_quantiles(users, wins, users, other, 1, 1, (0.5,))
    best = best_of_arms([users, users, users], [wins, other, wins], 1, 1, True)
    for place in np.ndindex(2, 3):
        cell = (users[place], wins[place], users[place], other[place])
        alone = compare_proportions(*cell, 1, 1, LEVELS)
        np.testing.assert_allclose(
            whole.probability_of_better[place], alone.probability_of_better[0], rtol=1e-13
        )
        index = (slice(None), *place)
        np.testing.assert_allclose(whole.relative_quantiles[index], alone.relative_quantiles[:, 0])
        np.testing.assert_allclose(
            below[place], probability_of_relative_effect_below(*cell, 1, 1, 0.1)[0], rtol=1e-9
        )
        np.testing.assert_allclose(
            absolute[index], absolute_effect_quantiles(*cell, 1, 1, (0.5,))[:, 0], rtol=1e-9
        )
        rows = [[wins[place]], [other[place]], [wins[place]]]
        one = best_of_arms([[users[place]]] * 3, rows, 1, 1, True)
        np.testing.assert_allclose(
            best.probability_of_best[index], one.probability_of_best[:, 0], rtol=1e-9
        )
    several = probability_of_relative_effect_below(100, 7, 100, 9, 1, 1, [-0.5, 0.0, 0.5])
    assert (np.diff(several) > 0).all()


# --- means


@settings(max_examples=80, deadline=None)
@given(samples(), samples())
def test_welch_equals_scipy_and_swapping_negates(
    one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]
) -> None:
    result, back = (
        compare_means(plain(one), plain(two), 0.1, True),
        compare_means(plain(two), plain(one), 0.1, True),
    )
    want = stats.ttest_ind(two, one, equal_var=False)
    np.testing.assert_allclose(result.p.value.values[0], want.pvalue, rtol=1e-9)
    np.testing.assert_allclose(result.statistic.values[0], want.statistic, rtol=1e-9)
    bounds = want.confidence_interval(0.9)
    np.testing.assert_allclose(
        [result.interval.low[0], result.interval.high[0]], bounds, rtol=1e-7, atol=1e-12
    )
    assert result.difference.values[0] == -back.difference.values[0]
    assert result.p.value.values[0] == back.p.value.values[0]
    if (result.relative_method == back.relative_method).all() and (
        result.relative_method == RelativeMethod.LOG_RATIO
    ).all():
        product = (1 + result.relative_interval.low) * (1 + back.relative_interval.high)
        np.testing.assert_allclose(product, 1, rtol=1e-9)
    posterior = normal_posterior(result.difference, result.standard_error, 0.0, 0.0)
    mirrored = normal_posterior(back.difference, back.standard_error, 0.0, 0.0)
    assert posterior.probability_of_better.values == mirrored.probability_of_worse.values
    assert posterior.loss_if_shipped.values == mirrored.loss_if_kept.values


@settings(max_examples=80, deadline=None)
@given(samples(), samples(), st.integers(-6, 6))
def test_relative_effects_do_not_depend_on_the_unit(
    one: np.ndarray[Any, Any], two: np.ndarray[Any, Any], power: int
) -> None:
    scale = 2.0**power
    base = compare_means(plain(one), plain(two), 0.05, True)
    scaled = compare_means(plain(one * scale), plain(two * scale), 0.05, True)
    np.testing.assert_array_equal(base.relative_method, scaled.relative_method)
    for first, second in (
        (base.relative.values, scaled.relative.values),
        (base.relative_interval.low, scaled.relative_interval.low),
        (base.relative_interval.high, scaled.relative_interval.high),
        (base.p.value.values, scaled.p.value.values),
    ):
        np.testing.assert_allclose(first, second, rtol=1e-9)
    np.testing.assert_allclose(scale * base.difference.values, scaled.difference.values, rtol=1e-9)


@settings(max_examples=80, deadline=None)
@given(samples(), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_split_and_merge_changes_nothing(
    values: np.ndarray[Any, Any], parts: int, seed: int
) -> None:
    owner = np.random.default_rng(seed).integers(0, parts, len(values))
    whole = Moments.of_values(values, np.zeros(len(values), int), 1)[0]
    merged = Moments.of_values(values, owner, parts).merged(0)
    np.testing.assert_allclose(merged.m2(0), whole.m2(0), rtol=1e-12)
    np.testing.assert_allclose(merged.mean + merged.rest, whole.mean + whole.rest, rtol=1e-14)
    np.testing.assert_allclose(whole.m2(0), len(values) * np.var(values), rtol=1e-9)
    np.testing.assert_allclose(merged.skewness(0).values, stats.skew(values), rtol=1e-6, atol=1e-9)


def test_fieller_equals_brute_force_and_covers() -> None:
    random = np.random.default_rng(3)
    z = stats.norm.ppf(0.975)
    for _ in range(50):
        base, gap = random.uniform(1, 3), random.uniform(-2, 2)
        error_c, error_t = random.uniform(0.05, 0.45, 2)
        control = Summary(
            np.array([1]),
            np.array([base]),
            np.zeros(1),
            np.array([error_c**2]),
            np.zeros(1, np.int8),
        )
        treatment = dataclasses.replace(
            control, estimate=np.array([base + gap]), variance=np.array([error_t**2])
        )
        interval = compare_means(control, treatment, 0.05, False).relative_interval
        for root in (interval.low[0], interval.high[0]):
            spread = np.sqrt(error_t**2 + (1 + root) ** 2 * error_c**2)
            assert abs(abs(base + gap - (1 + root) * base) - z * spread) < 1e-9
        assert interval.low[0] < gap / base < interval.high[0]


def test_normal_losses_equal_numerical_integrals() -> None:
    for mean, error in ((0.3, 1.0), (-2.0, 0.7), (5.0, 0.5)):
        posterior = normal_posterior(
            Outcome.of(np.array([mean])), Outcome.of(np.array([error])), 0.0, 0.5
        )
        m, s = posterior.mean.values[0], posterior.deviation.values[0]
        x = np.linspace(m - 12 * s, m + 12 * s, 400_001)
        density = stats.norm.pdf(x, m, s) * (x[1] - x[0])
        np.testing.assert_allclose(
            posterior.loss_if_shipped.values[0], (np.maximum(-x, 0) * density).sum(), rtol=1e-6
        )
        np.testing.assert_allclose(
            posterior.loss_if_kept.values[0], (np.maximum(x, 0) * density).sum(), rtol=1e-6
        )
        np.testing.assert_allclose(posterior.quantile(0.9).values[0], stats.norm.ppf(0.9, m, s))


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_best_mean_equals_simulation_and_two_arms_their_closed_form(arms: int) -> None:
    random = np.random.default_rng(12)
    means = random.normal(1e6, 1, (arms, 30))
    errors = 10 ** random.uniform(-2, 0.5, (arms, 30))
    result = best_of_means(means, errors, True)
    np.testing.assert_allclose(result.probability_of_best.values.sum(axis=0), 1, atol=1e-12)
    draws = random.normal(means, errors, (20_000, arms, 30))
    share = (draws.argmax(axis=1)[:, None, :] == np.arange(arms)[:, None]).mean(axis=0)
    np.testing.assert_allclose(result.probability_of_best.values, share, atol=0.02)
    best = draws.max(axis=1)
    loss = (best[:, None, :] - draws).mean(axis=0)
    np.testing.assert_allclose(result.expected_loss.values, loss, atol=0.15)
    np.testing.assert_allclose(result.expected_best.values, best.mean(axis=0), atol=0.15)
    lowest = best_of_means(-means, errors, False)
    np.testing.assert_allclose(
        lowest.probability_of_best.values, result.probability_of_best.values, atol=1e-12
    )
    if arms == 2:
        posterior = normal_posterior(
            Outcome.of(means[1] - means[0]), Outcome.of(np.hypot(*errors)), 0.0, 0.0
        )
        np.testing.assert_allclose(
            result.probability_of_best.values[1],
            posterior.probability_of_better.values,
            rtol=1e-9,
            atol=1e-14,
        )
        np.testing.assert_allclose(
            result.expected_loss.values,
            np.stack([posterior.loss_if_kept.values, posterior.loss_if_shipped.values]),
            rtol=1e-8,
            atol=1e-13,
        )
    unknown = best_of_means([[1.0], [2.0]], [[0.1], [0.0]], True)
    assert unknown.expected_best.names()[0] == "zero_variance"


def test_negligible_effects_of_many_users_are_those_of_the_exact_posterior() -> None:
    counts_ = (400_000, 40_000, 400_000, 40_100)
    result = compare_means(
        summarise_counts(*counts_[:2]), summarise_counts(*counts_[2:]), 0.05, True
    )
    got = probability_of_negligible(result.log_ratio, result.log_ratio_error, 0.01)
    above, below = (
        probability_of_relative_effect_below(*counts_, 1, 1, bound) for bound in (0.01, -0.01)
    )
    np.testing.assert_allclose(got.values, above - below, atol=1e-4)
    nothing = compare_means(summarise_counts(9, 0), summarise_counts(9, 1), 0.05, True)
    undefined = probability_of_negligible(nothing.log_ratio, nothing.log_ratio_error, 0.01)
    assert undefined.names()[0] == "relative_undefined"


def test_tails_equal_scipy_and_go_on_where_it_underflows() -> None:
    x = np.array([0.0, 0.5, 3.0, 30.0, 300.0, 1200.0])
    for df in (1, 2, 7, 40):
        np.testing.assert_allclose(
            log_chi_square_tail(x, df)[:5], stats.chi2.logsf(x[:5], df), rtol=1e-9, atol=1e-14
        )
    for size in (1500.0, 5000.0):
        # With one and with two degrees of freedom there are closed forms.
        np.testing.assert_allclose(
            log_chi_square_tail(size, 1), log_normal_two_sided(np.sqrt(size)), rtol=1e-12
        )
        np.testing.assert_allclose(log_chi_square_tail(size, 2), -size / 2, rtol=1e-12)
    for df in (3.0, 50.0, 1e4):
        t = np.array([0.0, 1.0, 10.0])
        np.testing.assert_allclose(
            log_student_two_sided(t, df), np.log(2) + stats.t.logsf(t, df), rtol=1e-9, atol=1e-12
        )
    # Where Student's tail underflows: against the normal one, corrected to first order.
    z, df = 45.0, 1e9
    correction = (z**3 + z) / (4 * df) * z
    np.testing.assert_allclose(
        log_student_two_sided(z, df), log_normal_two_sided(z) + correction, rtol=1e-6
    )
    # Two degrees of freedom have a closed form at any distance: P = 1 - t / sqrt(t^2 + 2).
    far = np.array([1e150])
    np.testing.assert_allclose(log_student_two_sided(far, 2.0), -2 * np.log(far), rtol=1e-9)
    df = np.array([1.5, 30.0, 399.0, 401.0, 5000.0, 1e9])
    for level in (0.9, 0.975, 0.9995):
        np.testing.assert_allclose(student_quantile(level, df), stats.t.ppf(level, df), rtol=1e-11)


# --- ratios, covariates, caps, quantiles


def pair_of(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Moments:
    return Moments.of_values(np.stack([x, y], axis=1), np.zeros(len(x), int), 1)


def test_ratio_error_equals_a_bootstrap_of_users() -> None:
    random = np.random.default_rng(4)
    sessions = random.poisson(3, 3000) + 1.0
    clicks = random.binomial(sessions.astype(int), random.beta(2, 5, 3000)).astype(float)
    summary = summarise_ratio(pair_of(clicks, sessions))
    draws = random.integers(0, 3000, (4000, 3000))
    ratios = clicks[draws].sum(axis=1) / sessions[draws].sum(axis=1)
    np.testing.assert_allclose(np.sqrt(summary.squared_error[0]), ratios.std(), rtol=0.04)
    np.testing.assert_allclose(summary.estimate[0], clicks.sum() / sessions.sum())


def test_covariates_reduce_variance_by_the_squared_correlation_and_move_nothing() -> None:
    random = np.random.default_rng(5)
    arms = []
    for shift in (0.0, 0.3):
        before = random.normal(5, 2, 40_000)
        arms.append(pair_of(1.2 * before + random.normal(shift, 1.5, 40_000), before))
    adjusted = adjust_means(*arms)
    correlation = 1.2 * 2 / np.hypot(1.2 * 2, 1.5)
    assert abs(adjusted.variance_reduction.values[0] - correlation**2) < 0.01
    result = compare_means(adjusted.control, adjusted.treatment, 0.05, True)
    assert abs(result.difference.values[0] - 0.3) < 4 * result.standard_error.values[0]
    # A covariate that does not vary changes nothing.
    flat = [pair_of(random.normal(size=50), np.ones(50)) for _ in range(2)]
    same = adjust_means(*flat)
    assert same.theta[0] == 0
    unadjusted = compare_means(*(summarise_mean(arm) for arm in flat), 0.05, True)
    after = compare_means(same.control, same.treatment, 0.05, True)
    assert after.difference.values[0] == unadjusted.difference.values[0]
    np.testing.assert_allclose(after.standard_error.values, unadjusted.standard_error.values)


def test_covariates_of_ratios_reduce_variance_and_keep_the_difference_unbiased() -> None:
    random = np.random.default_rng(6)
    differences, plain_differences, errors = [], [], []
    for _ in range(200):
        arms = []
        for _arm in range(2):
            taste = random.beta(4, 8, 2000)
            sessions, before = random.poisson(4, (2, 2000)) + 1
            rows = [
                random.binomial(sessions, taste),
                sessions,
                random.binomial(before, taste),
                before,
            ]
            arms.append(
                Moments.of_values(np.stack(rows, axis=1).astype(float), np.zeros(2000, int), 1)
            )
        adjusted = adjust_ratios(*arms)
        assert 0.02 < adjusted.variance_reduction.values[0] < 0.5
        result = compare_means(adjusted.control, adjusted.treatment, 0.05, False)
        differences.append(result.difference.values[0])
        errors.append(result.standard_error.values[0])
        before_result = compare_means(*(summarise_ratio(arm) for arm in arms), 0.05, False)
        plain_differences.append(before_result.difference.values[0])
    assert abs(np.mean(differences)) < 4 * np.std(differences) / np.sqrt(200)
    np.testing.assert_allclose(np.std(differences), np.mean(errors), rtol=0.15)
    assert np.std(differences) < np.std(plain_differences)


def test_caps_are_pooled_quantiles_and_capped_moments_stand_beside_uncapped_ones() -> None:
    random = np.random.default_rng(7)
    values = np.where(random.random(9000) < 0.6, 0.0, random.lognormal(2, 1.5, 9000))
    metric = random.integers(0, 3, 9000)
    caps = pooled_caps(values, metric, 4, 0.999)
    for index in range(3):
        some = values[(metric == index) & (values != 0)]
        np.testing.assert_allclose(caps.values[index], np.quantile(some, 0.999), rtol=1e-12)
    assert caps.names()[3] == "too_few_events"
    raw, capped = capped_moments(values, metric, 3, caps.values[:3])
    for index in range(3):
        some = values[metric == index]
        np.testing.assert_allclose(raw.mean[index, 0], some.mean())
        np.testing.assert_allclose(
            capped.mean[index, 0], np.minimum(some, caps.values[index]).mean()
        )
    assert pooled_caps(np.zeros(5), np.zeros(5, int), 1, 0.999).names()[0] == "too_few_events"


def test_rank_intervals_of_quantiles_cover_and_clusters_widen_them() -> None:
    random = np.random.default_rng(8)
    ranks = quantile_ranks(2000, 0.9, 0.05, 1.0)
    values = np.sort(random.exponential(size=(3000, 2000)), axis=1)
    low, high = values[:, ranks.lower[0] - 1], values[:, ranks.upper[0] - 1]
    truth = np.log(10)
    covered = ((low <= truth) & (truth <= high)).mean()
    assert 0.94 <= covered <= 0.965
    error = np.sqrt(
        summarise_quantile(2000, 2000, values[:, ranks.point[0] - 1], low, high, 0.05).squared_error
    )
    np.testing.assert_allclose(error.mean(), values[:, ranks.point[0] - 1].std(), rtol=0.05)
    users = np.repeat(np.arange(400), 5)
    effect = clustered_design_effect(
        np.repeat(random.normal(size=400), 5), users, np.zeros(2000, int), 2, 0.9
    )
    # Five equal values a user are one value.
    np.testing.assert_allclose(effect, [5.0, 1.0], rtol=0.02)
    alone = clustered_design_effect(
        random.normal(size=2000), np.arange(2000), np.zeros(2000, int), 1, 0.5
    )
    assert alone[0] == 1.0
    assert quantile_ranks(20, 0.99, 0.05, 1.0).reasons[0] == Reason.TOO_FEW_USERS


# --- evidence


def test_e_values_average_to_one_under_the_null() -> None:
    shares = np.array([0.2, 0.3, 0.5])
    total, n = 0.0, 25
    for one in range(n + 1):
        for two in range(n + 1 - one):
            row = np.array([[one], [two], [n - one - two]])
            mass = stats.multinomial.pmf(row[:, 0], n, shares)
            total += mass * float(np.exp(log_multinomial_e(row, shares[:, None], 7.0))[0])
    assert abs(total - 1) < 1e-10


def test_e_values_of_few_and_of_many_counts_join() -> None:
    near = np.array([[4990.0, 4995.0, 5001.0, 5010.0], [4990.0, 4995.0, 5001.0, 5010.0]])
    shares = np.full(near.shape, 0.5)
    values = log_multinomial_e(near, shares, 100.0)
    exact = [
        special.betaln(50 + a, 50 + b) - special.betaln(50, 50) + (a + b) * np.log(2)
        for a, b in near.T
    ]
    np.testing.assert_allclose(values, exact, atol=1e-9)
    assert (np.diff(values) < 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000), st.floats(0.1, 0.9))
def test_uplift_sequence_is_the_inversion_of_the_e_value_test(
    lost: int, won: int, share: float
) -> None:
    sequence = uplift_sequence(lost, won, share, 100.0, 0.05)
    counts_, shares = np.array([[lost], [won]]), np.array([[1 - share], [share]])
    rejected = anytime_p(log_multinomial_e(counts_, shares, 100.0)).value.values[0] < 0.05
    low = sequence.low.values[0]
    high = sequence.high.values[0] if sequence.high.defined[0] else np.inf
    assert low <= high
    assert rejected == (not low <= 0 <= high)
    estimate = won / lost * (1 - share) / share - 1 if lost else np.inf
    if won:
        assert low - 1e-9 <= estimate <= high + 1e-9
    no_nan(sequence)


def test_confidence_sequence_covers_at_every_look() -> None:
    random = np.random.default_rng(9)
    looks = np.arange(1, 41) * 50
    paths = random.normal(size=(2, 2000, 2000)).cumsum(axis=2)[:, :, looks - 1] / looks
    difference = Outcome.of(paths[1] - paths[0])
    error = Outcome.of(np.broadcast_to(np.sqrt(2 / looks), difference.values.shape))
    mixing = mixture_variance(2 * looks, 4000, 0.05)
    result = anytime_effect(difference, error, mixing, 0.05)
    outside = (result.interval.low > 0) | (result.interval.high < 0)
    assert outside.any(axis=1).mean() <= 0.05
    np.testing.assert_array_equal(outside, result.p.value.values < 0.05)
    beyond = anytime_beyond(difference, error, 0.0, mixing)
    assert (beyond.value.values < 0.05).any(axis=1).mean() <= 0.05
    # Looking every day at a fixed test is what this is for.
    naive = np.abs(difference.values) > 1.96 * error.values
    assert naive.any(axis=1).mean() > 0.2


def test_hybrid_spends_alpha_in_two_parts() -> None:
    early, late = (
        compare_means(
            summarise_counts([1000] * 4, [100] * 4),
            summarise_counts([1000] * 4, wins),
            0.05,
            True,
        ).p
        for wins in ([100, 100, 150, 150], [100, 135, 100, 135])
    )
    np.testing.assert_array_equal(
        hybrid_rejects(early, late, [True, True, False, False], 0.01, 0.04),
        [False, True, True, True],
    )
    np.testing.assert_array_equal(
        hybrid_rejects(early, late, False, 0.01, 0.04), [False, False, True, True]
    )


# --- many tests, segments, power


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_families_are_adjusted_apart(tests: int, families: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    p, family = random.beta(0.5, 1, tests), random.integers(0, families, tests)
    for function in (holm, benjamini_hochberg):
        adjusted = function(p, family)
        for one in np.unique(family):
            some = family == one
            np.testing.assert_allclose(adjusted[some], function(p[some], np.zeros(some.sum(), int)))
        assert (adjusted >= p * (1 - 1e-15)).all()
    np.testing.assert_allclose(
        benjamini_hochberg(p, np.zeros(tests, int)), stats.false_discovery_control(p), rtol=1e-12
    )
    log_e = np.log(0.5 / np.sqrt(p))
    kept = e_benjamini_hochberg(log_e, np.zeros(tests, int), 0.1)
    order = np.sort(log_e)[::-1]
    passing = [k for k in range(1, tests + 1) if np.exp(order[k - 1]) >= tests / (0.1 * k)]
    assert kept.sum() == (max(passing) if passing else 0)


def test_segments_of_one_effect_are_pulled_together_and_of_many_left_apart() -> None:
    random = np.random.default_rng(10)
    group = np.repeat([0, 1], 200)
    truth = np.where(group == 0, 0.02, random.normal(0.02, 0.05, 400))
    error = random.uniform(0.01, 0.03, 400)
    result = shrink_segments(truth + error * random.normal(size=400), error, group, 3)
    assert result.tau_squared[0] < 2e-4
    assert abs(np.sqrt(result.tau_squared[1]) - 0.05) < 0.01
    raw = np.square(error * 0 + (result.shrunk.values - truth))
    assert raw[group == 0].mean() < np.square(error[group == 0]).mean()
    assert raw[group == 1].mean() < np.square(error[group == 1]).mean()
    assert result.mean.names()[2] == "no_users"
    weight = 1 / (error[group == 1] ** 2 + result.tau_squared[1])
    spread = result.mean.values[1]
    x = truth * 0 + result.shrunk.values
    assert np.isfinite(x).all()
    np.testing.assert_allclose(1 / np.sqrt(weight.sum()), result.mean_error.values[1], rtol=1e-9)
    assert 0 < spread < 0.05
    no_nan(result)


def test_power_of_the_planned_size_is_the_planned_power() -> None:
    n = users_per_arm(0.01, 0.05 * 0.95, 0.06 * 0.94, 2.0, 0.05, 0.8).values[0]
    error = np.sqrt(0.05 * 0.95 / n + 0.06 * 0.94 / (2 * n))
    np.testing.assert_allclose(power_of_test(0.01, error, 0.05), 0.8, atol=1e-5)
    np.testing.assert_allclose(
        detectable_effect(n, 2 * n, 0.05 * 0.95, 0.06 * 0.94, 0.05, 0.8).values, 0.01
    )
    random = np.random.default_rng(11)
    draws = random.normal(0.01, error, 100_000)
    assert abs((np.abs(draws / error) > 1.959964).mean() - 0.8) < 0.005
    left = days_left(10, 0.02, [0.01, 0.02, 0.05, 0.0])
    np.testing.assert_allclose(left.values, [30, 0, 0, 0])
    assert left.names().tolist() == [None, None, None, "unbounded"]


# --- degenerate inputs

ZERO, MANY = Moments.of_mean(0, 0.0, 0.0), Moments.of_mean(50, 3.0, 20.0)
ONE, SAME = Moments.of_mean(1, 3.0, 0.0), Moments.of_mean(50, 3.0, 0.0)
NEGATIVE = Moments.of_mean(50, -3.0, 20.0)
NOISY = Moments.of_mean(4, 0.1, 20.0)


@pytest.mark.parametrize(
    ("control", "treatment", "p_reason", "relative_reason"),
    [
        (ZERO, MANY, "no_users", "no_users"),
        (MANY, ZERO, "no_users", "no_users"),
        (ONE, MANY, "too_few_users", "too_few_users"),
        (MANY, ONE, "too_few_users", "too_few_users"),
        (SAME, SAME, "zero_variance", "zero_variance"),
        (SAME, MANY, None, None),
        (NEGATIVE, MANY, None, "relative_undefined"),
        (MANY, NEGATIVE, None, None),
        (NOISY, MANY, None, "relative_undefined"),
        (MANY, MANY, None, None),
    ],
)
def test_what_is_undefined_says_why(
    control: Moments, treatment: Moments, p_reason: str | None, relative_reason: str | None
) -> None:
    result = compare_means(summarise_mean(control), summarise_mean(treatment), 0.05, True)
    assert result.p.value.names()[0] == p_reason
    assert result.p.log10.names()[0] == p_reason
    assert result.relative.names()[0] == relative_reason
    assert result.relative.reasons[0] == result.relative_interval.reasons[0]
    assert (result.relative_method[0] == RelativeMethod.UNDEFINED) == (relative_reason is not None)
    no_nan(result)
    posterior = normal_posterior(result.difference, result.standard_error, 0.0, 0.0)
    assert posterior.probability_of_better.names()[0] == p_reason
    no_nan(posterior)
    sequence = anytime_effect(result.difference, result.standard_error, 0.3, 0.05)
    assert sequence.p.value.names()[0] == p_reason
    no_nan(sequence)
    masked = result.p.value.masked()
    assert bool(np.ma.getmaskarray(masked)[0]) == (p_reason is not None)


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5), (0.3, 7.7)])
@pytest.mark.parametrize(
    "cell",
    [
        (0, 0, 0, 0),
        (0, 0, 10, 3),
        (10, 0, 10, 0),
        (10, 10, 10, 10),
        (10, 0, 10, 10),
        (10**9, 0, 1, 1),
        (1, 0, 10**9, 10**9),
        (10**9, 500_000_000, 10**9, 500_000_001),
        (0, 0, 861_469_667, 32),
        (4, 4, 105_000, 91_851),
    ],
)
def test_any_counts_have_a_posterior(cell: tuple[int, ...], prior: tuple[float, float]) -> None:
    result = compare_proportions(*cell, *prior, LEVELS)
    no_nan(result)
    assert abs(result.probability_of_better[0] + result.probability_of_worse[0] - 1) < 1e-15
    assert (np.diff(result.relative_quantiles[:, 0]) > 0).all()
    no_nan(
        best_of_arms(
            np.array([cell[0], cell[2], 5])[:, None],
            np.array([cell[1], cell[3], 2])[:, None],
            *prior,
            True,
        )
    )


def test_no_conversions_are_a_coin_flip_and_not_an_error() -> None:
    result = compare_proportions(500, 0, 500, 0, 1, 1, LEVELS)
    assert result.probability_of_better[0] == 0.5
    assert abs(result.relative_quantiles[1, 0]) < 1e-9
    assert result.mean_relative_effect.names()[0] == "infinite_mean"
    assert two_proportion_z(500, 0, 500, 0).z.names()[0] == "zero_variance"
    assert two_proportion_z(0, 0, 500, 0).p.value.names()[0] == "no_users"
    assert newcombe_interval(0, 0, 5, 1, 0.05).reasons[0] == Reason.NO_USERS
    interval = wilson_interval(10, 0, 0.05)
    assert interval.low[0] == 0
    sequence = uplift_sequence(0, 0, 0.5, 100.0, 0.05)
    assert sequence.low.values[0] == -1
    assert sequence.high.names()[0] == "unbounded"


def test_ratios_without_a_denominator_and_sums_of_nothing_are_undefined() -> None:
    ratio = summarise_ratio(Moments.of_pair(20, 1.0, 0.0, 5.0, 0.0, 0.0))
    assert Reason(ratio.reasons[0]) == Reason.ZERO_DENOMINATOR
    no_nan(compare_means(ratio, ratio, 0.05, False))
    empty = adjust_means(*(Moments.of_pair(0, 0.0, 0.0, 0.0, 0.0, 0.0) for _ in range(2)))
    assert empty.variance_reduction.names()[0] == "no_users"
    check = check_sample_ratio([[0], [0]], [[0.5], [0.5]], 100)
    assert check.p.value.names()[0] == "no_users"
    alone = check_sample_ratio([[10], [4]], [[1.0], [0.0]], 100)
    assert alone.p.value.names()[0] == "zero_weight"
    assert alone.leaked_users[0] == 4


def test_p_values_are_never_zero() -> None:
    result = compare_means(
        summarise_counts(10**9, 10**8), summarise_counts(10**9, 2 * 10**8), 0.05, True
    )
    assert result.p.value.values[0] > 0
    assert result.p.log10.values[0] < -1e6
    assert two_proportion_z(10**9, 10**8, 10**9, 2 * 10**8).p.value.values[0] > 0


def test_heavy_tails_are_flagged() -> None:
    np.testing.assert_array_equal(
        clt_weak([354, 356, 10_000], [1.0, 1.0, 10.0]), [True, False, True]
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: compare_proportions(10, 11, 10, 1, 1, 1, ()),
        lambda: compare_proportions(10, -1, 10, 1, 1, 1, ()),
        lambda: compare_proportions(10, 1, 10, 1, 0, 1, ()),
        lambda: compare_proportions(10, float("nan"), 10, 1, 1, 1, ()),
        lambda: compare_proportions(10, 1, 10, 1, 1, 1, (0.0,)),
        lambda: two_proportion_z(5, 6, 5, 1),
        lambda: log_multinomial_e([[5], [1]], [[1.0], [0.0]], 100),
        lambda: check_sample_ratio([[-1], [1]], [[0.5], [0.5]], 100),
        lambda: holm([1.2], [0]),
        lambda: users_per_arm(0.1, 1, 1, 1, 1.5, 0.8),
        lambda: uplift_sequence(1, 1, 1.0, 100, 0.05),
        lambda: probability_of_relative_effect_below(10, 1, 10, 1, 1, 1, -1.0),
    ],
)
def test_impossible_inputs_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        call()
