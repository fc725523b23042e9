"""Promises that are measured: error rates, power, numerical merging, sample ratios of real tests.

Seeds are fixed. ``benchmarks/bench_statistics.py --large`` runs the simulations at ten times the size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from adopted import ADOPTED
from plumbline.statistics.decisions import Status
from plumbline.statistics.means import compare_means, summarise_counts
from plumbline.statistics.moments import Counts, Moments
from plumbline.statistics.operating import Evaluation, Traffic, decision_rates, in_flight_rates
from plumbline.statistics.power import users_per_arm
from plumbline.statistics.proportion_tests import newcombe_interval
from plumbline.statistics.proportions import best_of_arms, compare_proportions
from plumbline.statistics.sample_ratio import check_sample_ratio, mismatch

EVALUATION = Evaluation(
    thresholds=ADOPTED,
    prior_a=1.0,
    prior_b=1.0,
    real_share=0.15,
    real_deviation=0.05,
    concentration=100.0,
    negligible=0.01,
)


def planned_traffic(rate: float, effect: float, looks: int, experiments: int) -> Traffic:
    """Traffic with which a fixed test at 5 % has a power of 80 %."""
    treated = rate * (1 + effect)
    needed = users_per_arm(
        rate * effect, rate * (1 - rate), treated * (1 - treated), 1.0, 0.05, 0.8
    )
    return Traffic(rate, int(np.ceil(needed.values[0] / looks)), looks, experiments)


@pytest.mark.parametrize("expected", [10, 30, 100, 1000])
@pytest.mark.parametrize("rate", [0.05, 0.001])
def test_each_tail_errs_in_at_most_three_percent_of_equal_arms(expected: int, rate: float) -> None:
    """No simulation: every pair of counts that can happen, with its probability."""
    users = round(expected / rate)
    spread = 6 * np.sqrt(expected) + 8
    counts = np.arange(max(0, int(expected - spread)), int(expected + spread) + 1)
    mass = stats.binom.pmf(counts, users, rate)
    control, treatment = (grid.ravel() for grid in np.meshgrid(counts, counts, indexing="ij"))
    weight = np.outer(mass, mass).ravel()
    assert weight.sum() > 1 - 1e-7
    result = compare_proportions(users, control, users, treatment, 1, 1, ())
    # The 2.5 % quantile of the uplift is above 0 exactly where P(T <= C) is below 2.5 %.
    assert weight[result.probability_of_worse < 0.025].sum() <= 0.03
    assert weight[result.probability_of_better < 0.025].sum() <= 0.03
    newcombe = newcombe_interval(users, control, users, treatment, 0.05)
    assert weight[newcombe.low > 0].sum() <= 0.03
    assert weight[newcombe.high < 0].sum() <= 0.03
    relative = compare_means(
        summarise_counts(np.full(control.shape, users), control),
        summarise_counts(np.full(control.shape, users), treatment),
        0.05,
        True,
    ).relative_interval
    assert weight[relative.defined & (relative.low > 0)].sum() <= 0.03
    assert weight[relative.defined & (relative.high < 0)].sum() <= 0.03


@pytest.mark.parametrize(("rate", "effect"), [(0.05, 0.1), (0.001, 0.3)])
def test_daily_looks_call_at_most_five_percent_of_equal_arms(rate: float, effect: float) -> None:
    traffic = planned_traffic(rate, effect, 28, 4000)
    same = decision_rates(traffic, 0.0, EVALUATION, seed=11)
    assert same.called <= 0.05
    real = decision_rates(traffic, effect, EVALUATION, seed=12)
    assert real.share[Status.SHIP] >= 0.75
    assert real.share[Status.ROLLBACK] + real.share[Status.CONFLICT] <= 0.005


def test_a_harmful_treatment_is_rolled_back_and_never_shipped() -> None:
    traffic = planned_traffic(0.05, 0.1, 28, 1000)
    harmed = decision_rates(traffic, -0.2, EVALUATION, seed=13)
    assert harmed.share[Status.ROLLBACK] >= 0.95
    assert harmed.share[Status.SHIP] == 0.0
    # It does not take the whole month.
    assert np.median(harmed.look) <= 21


def test_a_thousand_cells_looked_at_daily_keep_their_false_discovery_rate() -> None:
    traffic = Traffic(rate=0.05, users_per_look=6000, looks=28, experiments=1000)
    rates = in_flight_rates(
        traffic, real_share=0.1, real_deviation=0.05, local_fdr=0.05, portfolios=20, seed=7
    )
    assert rates.false_discovery_rate <= 0.06
    assert rates.power >= 0.24
    assert abs(rates.prior.share[0] - 0.1) < 0.05
    assert abs(rates.prior.deviation[0] - 0.05) < 0.015


def test_variance_survives_values_near_a_billion() -> None:
    random = np.random.default_rng(5)
    values = 1e9 + random.normal(size=100_000)
    exact = np.array(values, dtype=np.longdouble)
    centred = exact - exact.mean()
    moments = Moments.of_values(values, np.zeros(len(values), int), 1)
    want = float((centred**2).sum())
    assert abs(moments.m2(0)[0] / want - 1) < 1e-12
    assert abs(moments.variance(0).values[0] / (want / (len(values) - 1)) - 1) < 1e-9
    assert abs(moments.cubes[0, 0] - float((centred**3).sum())) < 1e-7 * len(values)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_merging_a_hundred_random_partitions_equals_one_pass(offset: float) -> None:
    random = np.random.default_rng(6)
    rows = offset + random.lognormal(size=(50_000, 3))
    whole = Moments.of_values(rows, np.zeros(len(rows), int), 1)
    for partition in range(100):
        parts = int(random.integers(2, 200))
        # Some parts stay empty or hold one user.
        owner = (
            random.integers(0, parts, len(rows))
            if partition % 2
            else np.sort(random.choice(parts, len(rows), p=random.dirichlet(np.full(parts, 0.2))))
        )
        merged = Moments.of_values(rows, owner, parts).merged(0)
        assert merged.n == whole.n[0]
        mean = merged.mean + merged.rest
        np.testing.assert_allclose(mean, (whole.mean + whole.rest)[0], rtol=1e-12)
        np.testing.assert_allclose(merged.products, whole.products[0], rtol=1e-12)
        np.testing.assert_allclose(merged.cubes, whole.cubes[0], rtol=1e-9)


def test_counts_merge_exactly() -> None:
    random = np.random.default_rng(8)
    users = random.integers(0, 10**9, 50)
    counts = Counts.of(users, users // 3)
    assert counts.merged(0).users == users.sum()
    assert (counts + counts).successes.tolist() == (2 * (users // 3)).tolist()


@pytest.mark.shared
def test_real_tests_with_broken_randomisation_are_flagged_and_the_others_not(
    shared_data: Path,
) -> None:
    """Headline tests of one site: in 33 weeks the assignment was broken, in the others it was not."""
    rows = np.loadtxt(shared_data / "upworthy_counts.csv", delimiter=",", skiprows=1, dtype=str)
    tests, owner = np.unique(rows[:, 0], return_inverse=True)
    arm, week, users = rows[:, 2].astype(int), rows[:, 1].astype(int), rows[:, 3].astype(float)
    counts = np.zeros((arm.max() + 1, len(tests)))
    counts[arm, owner] = users
    weights = np.zeros_like(counts)
    weights[arm, owner] = 1.0
    weeks = np.zeros(len(tests), int)
    weeks[owner] = week
    check = check_sample_ratio(counts, weights, concentration=100)
    flagged = mismatch(check, True, p_threshold=0.001, e_threshold=1000)
    broken = (weeks >= 201326) & (weeks <= 201402)
    several = (weights > 0).sum(axis=0) > 1
    assert len(tests) == 4873
    assert broken.sum() == 1055
    assert flagged[broken].mean() >= 0.65
    assert flagged[~broken & several].mean() <= 0.015


def test_swapping_arms_swaps_probabilities_and_losses_bit_for_bit() -> None:
    random = np.random.default_rng(9)
    users = random.integers(0, 10 ** random.integers(1, 9, 4000))
    others = random.integers(0, 10 ** random.integers(1, 9, 4000))
    wins = random.binomial(users, random.uniform(0, 1, 4000) ** 3)
    other_wins = random.binomial(others, random.uniform(0, 1, 4000) ** 3)
    for a, b in ((1.0, 1.0), (0.5, 0.5), (2.7, 31.4)):
        one = compare_proportions(users, wins, others, other_wins, a, b, ())
        two = compare_proportions(others, other_wins, users, wins, a, b, ())
        assert np.array_equal(one.probability_of_better, two.probability_of_worse)
        assert np.array_equal(one.probability_of_worse, two.probability_of_better)
        assert np.array_equal(one.loss_if_shipped, two.loss_if_kept)
        assert np.array_equal(one.loss_if_kept, two.loss_if_shipped)
        # One of the two is 1 minus the other as computed; back again costs at most one rounding.
        gap = np.abs(two.probability_of_better - (1 - one.probability_of_better))
        assert gap.max() <= 2.0**-53


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_chances_of_being_best_sum_to_one(arms: int) -> None:
    random = np.random.default_rng(10)
    users = random.integers(1, 10 ** random.integers(1, 8, (arms, 400)))
    wins = random.binomial(users, 0.03)
    for prior in ((1.0, 1.0), (0.5, 0.5), (1.3, 20.2)):
        result = best_of_arms(users, wins, *prior, True)
        assert np.abs(result.probability_of_best.sum(axis=0) - 1).max() < 1e-9
        worst = best_of_arms(users, users - wins, *reversed(prior), False)
        np.testing.assert_allclose(
            worst.probability_of_best, result.probability_of_best, atol=1e-12
        )
