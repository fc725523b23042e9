"""Lifetimes under a contract: published tables, closed forms, recovery, and the coverage promised."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betaln, hyp2f1

from plumbline.statistics.lifetime import Missing
from plumbline.statistics.lifetime_contractual import (
    discounted_payments,
    expected_payments,
    fit_shifted_beta_geometric,
    hold_out,
    log_likelihood,
    posterior,
    project_renewals,
    renewal_counts,
    renewal_curves,
    survivors_as_counts,
)

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
Array = NDArray[Any]


def fitted(survivors: list[int], minimum_customers: int = 1) -> Any:
    return fit_shifted_beta_geometric(survivors_as_counts(survivors), minimum_customers)


def cohort(
    random: np.random.Generator, alpha: float, beta: float, customers: int, periods: int
) -> list[int]:
    """Survivors of a simulated cohort; a chance to leave each, kept for life."""
    lives = random.geometric(random.beta(alpha, beta, customers))
    return [int((lives > period).sum()) for period in range(periods + 1)]


def rows_of(cohorts: list[tuple[str, str, list[int]]]) -> tuple[Array, ...]:
    """Columns segment, cohort, renewal number, at risk, churned of survivor lists."""
    rows = [
        (segment, name, period, survivors[period - 1], survivors[period - 1] - survivors[period])
        for segment, name, survivors in cohorts
        for period in range(1, len(survivors))
    ]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def test_published_estimates_of_two_segments() -> None:
    # Fader and Hardie (2007): seven renewals of the "regular" and the "high end" customers.
    regular = fitted(REGULAR[:8])
    assert regular.alpha[0] == pytest.approx(0.704, abs=5e-4)
    assert regular.beta[0] == pytest.approx(1.182, abs=5e-4)
    assert regular.log_likelihood[0] == pytest.approx(-1680.3, abs=0.05)
    high_end = fitted(HIGH_END)
    assert high_end.alpha[0] == pytest.approx(0.668, abs=5e-4)
    assert high_end.beta[0] == pytest.approx(3.806, abs=5e-4)
    assert high_end.log_likelihood[0] == pytest.approx(-1611.2, abs=0.05)


@pytest.mark.shared
@pytest.mark.parametrize("case_id", ["sbg_regular", "sbg_regular_4_renewals"])
def test_reference_cases(shared_data: Path, case_id: str) -> None:
    cases = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    case = next(case for case in cases if case["id"] == case_id)
    wanted, inputs = case["recomputed"], case["inputs"]
    survivors = inputs.get("survivors") or inputs["survivors_years_0_12"][:8]
    counts = survivors_as_counts(survivors)
    fit = fit_shifted_beta_geometric(counts, 1)
    for name in ("alpha", "beta"):
        assert getattr(fit, name)[0] == pytest.approx(wanted[name], abs=1e-6)
        assert getattr(fit, name)[0] == pytest.approx(case["published"][name], abs=1e-3)
    assert fit.log_likelihood[0] == pytest.approx(wanted["log_likelihood"], abs=1e-8)
    if "survival_1_12" in wanted:
        curves = renewal_curves(counts, fit, 12, 0.8)
        assert curves.survival[0] == pytest.approx(wanted["survival_1_12"], abs=1e-8)
        assert curves.renewal[0] == pytest.approx(wanted["retention_rate_1_12"], abs=1e-8)
        held = np.array(inputs["survivors_years_0_12"][8:]) / 1000
        missed = np.abs(curves.survival[0][7:] - held) / held
        assert 100 * missed.mean() == pytest.approx(wanted["holdout_mape_8_12_pct"], abs=1e-6)


def test_likelihood_is_that_of_the_customers() -> None:
    # P(leave at t) = B(alpha + 1, beta + t - 1) / B(alpha, beta), one customer at a time.
    alpha, beta, survivors = 0.9, 2.3, [12, 9, 7, 7, 4]
    left = [survivors[t - 1] - survivors[t] for t in range(1, 5)]
    whole = sum(
        count * (betaln(alpha + 1, beta + t) - betaln(alpha, beta)) for t, count in enumerate(left)
    )
    whole += survivors[-1] * (betaln(alpha, beta + 4) - betaln(alpha, beta))
    assert log_likelihood(survivors_as_counts(survivors), alpha, beta)[0] == pytest.approx(whole)
    with pytest.raises(ValueError, match="positive"):
        log_likelihood(survivors_as_counts(survivors), 0.0, 1.0)


def test_no_neighbour_is_likelier_and_the_errors_are_those_of_the_curvature() -> None:
    counts = survivors_as_counts(REGULAR[:8])
    fit = fit_shifted_beta_geometric(counts, 1)
    top = np.log([fit.alpha[0], fit.beta[0]])
    width, bent = 1e-3, np.empty((2, 2))

    def height(move: Array) -> float:
        return float(log_likelihood(counts, *np.exp(top + move))[0])

    for i, one in enumerate(np.eye(2) * width):
        assert height(one) < height(0 * one) > height(-one)
        for j, two in enumerate(np.eye(2) * width):
            corners = height(one + two) - height(one - two) - height(two - one)
            bent[i, j] = (corners + height(-one - two)) / (4 * width**2)
    errors = np.sqrt(np.diag(np.linalg.inv(-bent)))
    assert fit.log_alpha_error[0] == pytest.approx(errors[0], rel=1e-3)
    assert fit.log_beta_error[0] == pytest.approx(errors[1], rel=1e-3)


def test_cohorts_split_shuffled_or_doubled_say_the_same() -> None:
    whole = fitted(REGULAR[:8])
    halves = [("all", "x", [n // 2 for n in REGULAR[:8]])]
    halves += [("all", "y", [n - n // 2 for n in REGULAR[:8]])]
    columns = rows_of(halves)
    order = np.random.default_rng(3).permutation(len(columns[0]))
    split = fit_shifted_beta_geometric(renewal_counts(*(part[order] for part in columns)), 1)
    assert split.alpha[0] == whole.alpha[0]
    double = fitted([2 * n for n in REGULAR[:8]])
    assert double.alpha[0] == pytest.approx(whole.alpha[0], rel=1e-9)
    assert double.log_alpha_error[0] == pytest.approx(whole.log_alpha_error[0] / 2**0.5, rel=1e-6)


def test_a_segment_does_not_depend_on_its_neighbours() -> None:
    columns = rows_of([("a", "x", REGULAR[:8]), ("b", "x", HIGH_END), ("c", "x", [5, 5, 5])])
    fit = fit_shifted_beta_geometric(renewal_counts(*columns), 1)
    assert fit.segments.tolist() == ["a", "b", "c"]
    assert fit.alpha[0] == pytest.approx(fitted(REGULAR[:8]).alpha[0], rel=1e-12)
    assert fit.alpha[1] == pytest.approx(fitted(HIGH_END).alpha[0], rel=1e-12)
    assert fit.reasons.tolist() == [None, None, Missing.NO_CHURN]


@pytest.mark.parametrize(
    ("survivors", "minimum", "reason"),
    [
        ([10, 10, 10], 1, Missing.NO_CHURN),
        ([10, 0, 0], 1, Missing.EVERYBODY_CHURNED_AT_ONCE),
        ([10, 6], 1, Missing.TOO_FEW_PERIODS),
        ([10, 6, 6, 6], 1, Missing.NO_LATER_CHURN),
        ([1, 0], 2, Missing.TOO_FEW_CUSTOMERS),
        ([0, 0], 0, Missing.TOO_FEW_CUSTOMERS),
        ([49, 30, 20], 50, Missing.TOO_FEW_CUSTOMERS),
        ([100000, 50000, 49999, 49998], 1, Missing.ON_THE_EDGE),
    ],
)
def test_data_without_an_answer_say_why(
    survivors: list[int], minimum: int, reason: Missing
) -> None:
    counts = survivors_as_counts(survivors)
    fit = fit_shifted_beta_geometric(counts, minimum)
    assert fit.reasons.tolist() == [reason]
    numbers = (fit.alpha, fit.beta, fit.churn_mean, fit.heterogeneity, fit.log_likelihood)
    assert np.isnan(np.concatenate(numbers)).all()
    assert np.isnan(renewal_curves(counts, fit, 3, 0.8).survival).all()
    assert np.isnan(expected_payments(counts, fit, 0.01, 12, 0.8).low).all()
    segment = counts.segments[:1]
    _, projected = project_renewals(counts, fit, segment, ["g"], [1], [1], [5], 0.8)
    assert np.isnan(projected.high).all()


@pytest.mark.parametrize("survivors", [[100, 50, 25, 13, 6, 3], [10, 9, 7, 2, 0], [1, 1, 0]])
def test_renewal_that_does_not_rise_is_the_geometric_model(survivors: list[int]) -> None:
    fit = fitted(survivors)
    left, risk = survivors[0] - survivors[-1], sum(survivors[:-1])
    assert fit.alike.all()
    assert np.isnan(fit.alpha[0])
    assert fit.churn_mean[0] == pytest.approx(left / risk)
    chance = left / risk
    whole = left * np.log(chance) + (risk - left) * np.log(1 - chance)
    assert fit.log_likelihood[0] == pytest.approx(whole)
    curves = renewal_curves(survivors_as_counts(survivors), fit, 4, 0.8)
    assert curves.renewal[0] == pytest.approx([1 - chance] * 4)
    assert (curves.survival_low <= curves.survival).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"churned": [-1, 0]}, "not negative"),
        ({"churned": [0.5, 0]}, "whole"),
        ({"churned": [11, 0]}, "more churned"),
        ({"periods": [0, 1]}, "start at 1"),
        ({"periods": [2, 2]}, "twice"),
        ({"at_risk": [10, 11]}, "more are at risk"),
        ({"at_risk": [10, np.nan]}, "finite"),
        ({"periods": [1]}, "one length"),
        ({"segments": ["a"]}, "one length"),
    ],
)
def test_counts_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {
        "segments": ["a", "a"], "cohorts": ["x", "x"], "periods": [1, 2],
        "at_risk": [10, 6], "churned": [4, 1],
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        renewal_counts(**{**columns, **change})


@pytest.mark.parametrize("age", [0, 1, 7, 40])
@pytest.mark.parametrize(("alpha", "beta"), [(0.704, 1.182), (0.05, 0.3), (1.0, 1.0)])
def test_discounted_payments_against_the_published_formula(
    alpha: float, beta: float, age: int
) -> None:
    mean, theta, n = alpha / (alpha + beta), 1 / (alpha + beta), age + 1
    for rate in (0.002, 0.1):
        published = (beta + n - 1) / (alpha + beta + n - 1)
        published *= hyp2f1(1, beta + n, alpha + beta + n, 1 / (1 + rate))
        value = discounted_payments(mean, theta, age, rate, None)
        assert value == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.05, 0.3), (8.0, 90.0), (800.0, 9000.0), (0.05, 9e3)]
)
def test_discounted_payments_against_a_plain_sum(alpha: float, beta: float) -> None:
    # Where scipy's 2F1 has lost its digits, or has none.
    mean, theta = alpha / (alpha + beta), 1 / (alpha + beta)
    for rate, long in ((0.1, 500), (0.005, 9000)):
        for age in (0, 40):
            value = discounted_payments(mean, theta, age, rate, None)
            plain = discounted_payments(mean, theta, age, rate, long)
            assert value == pytest.approx(plain, rel=1e-12)


def test_published_residual_lifetimes() -> None:
    # Fader and Hardie (2010): "high end" customers at 10 %. Seven renewals made is their n = 8, not 7.
    fit = fitted(HIGH_END)
    lifetimes = discounted_payments(fit.churn_mean, fit.heterogeneity, [0, 6, 7], 0.1, None)
    assert lifetimes == pytest.approx([5.414, 7.345, 7.530], abs=5e-4)


def test_discounted_payments_of_customers_who_are_alike() -> None:
    # r / (1 - r / (1 + d)), and no jump as theta falls to 0.
    assert discounted_payments(0.2, 0.0, 5, 0.1, None) == pytest.approx(0.8 / (1 - 0.8 / 1.1))
    nearly = discounted_payments(0.2, 1e-9, 5, 0.1, None)
    assert nearly == pytest.approx(0.8 / (1 - 0.8 / 1.1), rel=1e-6)
    assert discounted_payments(0.2, 0.0, 0, 0.0, 3) == pytest.approx(0.8 + 0.64 + 0.512)


def test_a_mean_lifetime_needs_a_discount_or_a_horizon() -> None:
    with pytest.raises(ValueError, match="without a horizon"):
        discounted_payments(0.4, 0.5, 0, 0.0, None)
    with pytest.raises(ValueError, match="horizon must be"):
        discounted_payments(0.4, 0.5, 0, 0.0, 0)
    with pytest.raises(ValueError, match="ages"):
        discounted_payments(0.4, 0.5, -1, 0.1, None)


def test_payments_of_a_new_customer_count_the_first() -> None:
    counts = survivors_as_counts(REGULAR[:8])
    fit = fit_shifted_beta_geometric(counts, 1)
    survival = renewal_curves(counts, fit, 11, 0.8).survival[0]
    twelve = expected_payments(counts, fit, 0.0, 12, 0.8)
    assert twelve.value[0] == pytest.approx(1 + survival.sum())
    assert twelve.low[0] < twelve.value[0] < twelve.high[0]
    assert expected_payments(counts, fit, 0.1, 1, 0.8).value[0] == 1
    for_life = expected_payments(counts, fit, 0.1, None, 0.8)
    by_hand = (
        1 + (renewal_curves(counts, fit, 600, 0.8).survival[0] / 1.1 ** np.arange(1, 601)).sum()
    )
    assert for_life.value[0] == pytest.approx(by_hand, rel=1e-9)
    assert for_life.high[0] - for_life.low[0] == pytest.approx(
        2 * 1.2816 * delta_error(counts, fit), rel=0.05
    )


def delta_error(counts: Any, fit: Any) -> float:
    """Standard error of payments for life at 10 % by the delta method, parameters moved one by one."""
    top, width, slopes = np.log([fit.alpha[0], fit.beta[0]]), 1e-4, []

    def payments(place: Array) -> float:
        alpha, beta = np.exp(place)
        mean, theta = alpha / (alpha + beta), 1 / (alpha + beta)
        return float(1 + discounted_payments(mean, theta, 0, 0.1, None) / 1.1)

    def slope(place: Array) -> Array:
        moves = np.eye(2) * width
        ahead = [log_likelihood(counts, *np.exp(place + move))[0] for move in moves]
        behind = [log_likelihood(counts, *np.exp(place - move))[0] for move in moves]
        return (np.array(ahead) - np.array(behind)) / (2 * width)

    bent = [(slope(top + move) - slope(top - move)) / (2 * width) for move in np.eye(2) * width]
    slopes = [(payments(top + m) - payments(top - m)) / (2 * width) for m in np.eye(2) * width]
    return float(np.sqrt(np.array(slopes) @ np.linalg.inv(-np.array(bent)) @ np.array(slopes)))


@pytest.mark.parametrize(("step", "tolerance"), [(0.4, 2e-4), (0.1, 2e-5)])
@pytest.mark.parametrize(
    "survivors", [REGULAR[:4], [20, 15, 12, 11], [6, 5, 4, 2], [50, 40, 20, 5]]
)
def test_posterior_against_a_plain_grid(
    survivors: list[int], step: float, tolerance: float
) -> None:
    counts = survivors_as_counts(survivors)
    nodes = posterior(counts, fit_shifted_beta_geometric(counts, 1), step)
    cells = (np.arange(1500) + 0.5) / 1500
    mean, theta = cells[:, None], (cells / (1 - cells))[None, :]
    height = np.zeros((1500, 1500))
    for before, (risk, kept) in enumerate(itertools.pairwise(survivors)):
        leave = mean / (1 + before * theta)
        height += (risk - kept) * np.log(leave) + kept * np.log1p(-leave)
    left, risk = survivors[0] - survivors[-1], sum(survivors[:-1])
    alike = left * np.log(mean[:, 0]) + (risk - left) * np.log1p(-mean[:, 0])
    # Prior: one in five that all are alike, else the mean and the polarisation uniform.
    weight = 0.8 * np.exp(height - alike.max()) / 1500**2
    weight_alike = 0.2 * np.exp(alike - alike.max()) / 1500
    whole = weight.sum() + weight_alike.sum()
    flat = nodes.heterogeneity == 0
    assert nodes.weight.sum() == pytest.approx(1)
    assert nodes.weight[flat].sum() == pytest.approx(weight_alike.sum() / whole, abs=tolerance)
    for share in (0, 1):
        # Mean of survival to the first and to the second renewal.
        plain = (weight * (1 - mean) * (1 - mean / (1 + theta)) ** share).sum()
        plain += (weight_alike * (1 - mean[:, 0]) ** (1 + share)).sum()
        ours = (1 - nodes.churn_mean) * (1 - nodes.churn_mean / (1 + nodes.heterogeneity)) ** share
        assert (nodes.weight * ours).sum() == pytest.approx(plain / whole, abs=tolerance)


def test_known_parameters_are_recovered_from_cohorts_of_all_ages() -> None:
    random = np.random.default_rng(20260101)
    planted = {"basic": (0.7, 1.2), "pro": (0.6, 3.8), "team": (2.0, 12.0), "trial": (1.5, 1.0)}
    cohorts = [
        (plan, f"{month:02d}", cohort(random, *truth, 300, 15 - month))
        for plan, truth in planted.items()
        for month in range(14)
    ]
    fit = fit_shifted_beta_geometric(renewal_counts(*rows_of(cohorts)), 50)
    assert fit.fitted.all()
    truth = np.array([planted[plan] for plan in fit.segments])
    for estimate, error, true in (
        (fit.alpha, fit.log_alpha_error, truth[:, 0]),
        (fit.beta, fit.log_beta_error, truth[:, 1]),
    ):
        assert (np.abs(np.log(estimate / true)) < 3 * error).all()
    assert (fit.log_likelihood > fit.geometric_log_likelihood).all()


def test_standard_errors_hold_what_they_promise() -> None:
    random = np.random.default_rng(7)
    cohorts = [(f"{i:03d}", "x", cohort(random, 0.9, 2.5, 1500, 10)) for i in range(150)]
    fit = fit_shifted_beta_geometric(renewal_counts(*rows_of(cohorts)), 50)
    inside = np.abs(np.log(fit.alpha / 0.9)) < 1.2816 * fit.log_alpha_error
    assert 0.72 < inside.mean() < 0.88


@pytest.mark.parametrize("truth", [(0.7, 1.2), (2.0, 10.0), (5.0, 40.0), (4e5, 3.6e6)])
def test_intervals_of_projected_renewals_cover_what_they_promise(
    truth: tuple[float, float],
) -> None:
    # The last truth is as good as geometric: the edge of the model, where normal intervals fail.
    random = np.random.default_rng(11)
    cohorts = [(f"{i:03d}", "x", cohort(random, *truth, 500, 10)) for i in range(150)]
    counts, fit, rows = split(cohorts, 5)
    held = hold_out(counts, fit, *rows, 0.8)
    assert len(held.segments) == 750
    covered = held.covered.astype(float)
    assert 0.72 < covered.mean() < 0.88
    assert abs(held.error.sum() / held.observed.sum()) < 0.04


def split(cohorts: list[tuple[str, str, list[int]]], seen: int) -> tuple[Any, Any, tuple[Any, ...]]:
    """Counts and fit of the first renewals; and segment, age, steps, customers, survivors of the others."""
    counts = renewal_counts(*rows_of([(name, at, kept[: seen + 1]) for name, at, kept in cohorts]))
    rows = [
        (name, seen, period - seen, kept[seen], kept[period])
        for name, _, kept in cohorts
        for period in range(seen + 1, len(kept))
    ]
    return counts, fit_shifted_beta_geometric(counts, 50), tuple(zip(*rows, strict=True))


def test_hold_out_of_the_published_cohort() -> None:
    counts, fit, rows = split([("regular", "all", REGULAR)], 7)
    held = hold_out(counts, fit, *rows, 0.8)
    assert held.steps.tolist() == [1, 2, 3, 4, 5]
    assert held.observed.tolist() == REGULAR[8:]
    assert held.customers.tolist() == [241] * 5
    survival = renewal_curves(counts, fit, 12, 0.8).survival[0]
    assert held.predicted == pytest.approx(241 * survival[7:] / survival[6])
    assert held.error == pytest.approx(held.predicted - held.observed)
    assert held.covered.tolist() == [True] * 5
    assert set(held.reasons) == {None}


def test_hold_out_adds_ages_and_keeps_segments_that_cannot_be_fitted() -> None:
    counts = renewal_counts(*rows_of([("a", "x", REGULAR[:6]), ("b", "x", [9, 8, 7])]))
    fit = fit_shifted_beta_geometric(counts, 50)
    rows = (["b", "a", "a", "a"], [2, 5, 3, 3], [1, 1, 1, 2], [7, 100, 50, 50], [6, 10, 11, 40])
    held = hold_out(counts, fit, *rows, 0.8)
    assert held.segments.tolist() == ["a", "a", "b"]
    assert held.steps.tolist() == [1, 2, 1]
    assert held.customers.tolist() == [150, 50, 7]
    assert held.observed.tolist() == [21, 40, 6]
    assert held.covered.tolist() == [False, True, None]
    assert held.reasons.tolist() == [None, None, Missing.TOO_FEW_CUSTOMERS]
    assert np.isnan(held.predicted[2])
    with pytest.raises(ValueError, match="survivors are between"):
        hold_out(counts, fit, ["a"], [5], [1], [10], [11], 0.8)


def test_projection_adds_customers_of_several_ages() -> None:
    counts = survivors_as_counts(REGULAR[:8])
    fit = fit_shifted_beta_geometric(counts, 1)
    survival = np.concatenate([[1.0], renewal_curves(counts, fit, 9, 0.8).survival[0]])
    groups, total = project_renewals(
        counts, fit, ["all"] * 3, ["g", "h", "g"], [0, 2, 3], [1, 4, 2], [100, 40, 60], 0.8
    )
    assert groups.tolist() == ["g", "h"]
    assert total.value[0] == pytest.approx(100 * survival[1] + 60 * survival[5] / survival[3])
    assert total.value[1] == pytest.approx(40 * survival[6] / survival[2])
    assert (total.low <= total.value).all()
    assert (total.value <= total.high).all()
    assert (total.high <= [160, 40]).all()
    # Whole customers renew.
    assert (total.low == np.floor(total.low)).all()
    with pytest.raises(ValueError, match="not fitted"):
        project_renewals(counts, fit, ["other"], ["g"], [0], [1], [1], 0.8)


def test_more_customers_make_a_rate_surer_and_more_confidence_makes_it_wider() -> None:
    def width(scale: int, level: float) -> float:
        counts = survivors_as_counts([scale * n for n in REGULAR[:8]])
        curves = renewal_curves(counts, fit_shifted_beta_geometric(counts, 1), 9, level)
        return float(curves.survival_high[0, 8] - curves.survival_low[0, 8])

    assert width(4, 0.8) == pytest.approx(width(1, 0.8) / 2, rel=0.03)
    assert width(1, 0.95) > width(1, 0.8)
