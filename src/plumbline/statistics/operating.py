"""Operating characteristics: how often the decision rule is wrong, and how often it sees an effect.

The one place with random draws; the seed is an argument, and the draws are of experiments, never of a
result. Use it before changing a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plumbline.statistics.decisions import (
    Cells,
    Health,
    Role,
    Status,
    Thresholds,
    decide,
)
from plumbline.statistics.evidence import anytime_p, log_multinomial_e
from plumbline.statistics.means import compare_means, summarise_counts
from plumbline.statistics.outcomes import Bools, Floats, Ints, Outcome
from plumbline.statistics.priors import EffectPrior, effect_posterior, fit_effect_prior
from plumbline.statistics.proportion_tests import two_proportion_z
from plumbline.statistics.proportions import (
    compare_proportions,
    probability_of_relative_effect_below,
)

_TERMINAL = (Status.ROLLBACK, Status.CONFLICT, Status.SHIP, Status.NO_DIFFERENCE)


@dataclass(frozen=True)
class Traffic:
    """Simulated experiments with two equal arms and one conversion metric.

    Attributes:
        rate: conversion of the control.
        users_per_look: users of each arm that a look adds.
        looks: looks, one a day; the last is the planned end.
        experiments: how many are simulated.
    """

    rate: float
    users_per_look: int
    looks: int
    experiments: int


@dataclass(frozen=True)
class Evaluation:
    """What the rule is given beyond the data.

    Attributes:
        thresholds: of ``decide``.
        prior_a, prior_b: Beta prior of each rate.
        real_share, real_deviation: spike-and-normal prior of the log ratio.
        concentration: k of the conversion e-value.
        negligible: relative uplift that counts as no difference.
    """

    thresholds: Thresholds
    prior_a: float
    prior_b: float
    real_share: float
    real_deviation: float
    concentration: float
    negligible: float


@dataclass(frozen=True)
class Rates:
    """Shares of simulated experiments by their final status, and by the look at which it came."""

    share: dict[Status, float]
    final: Ints
    look: Ints

    @property
    def called(self) -> float:
        """Share that ended with a call: ship, rollback or conflict."""
        calls = (Status.SHIP, Status.ROLLBACK, Status.CONFLICT)
        return sum(self.share[status] for status in calls)


def _conversions(traffic: Traffic, effect: Floats, seed: int) -> tuple[Ints, Ints]:
    """Cumulative conversions of control and treatment, shape (looks, experiments)."""
    random = np.random.default_rng(seed)
    shape = (traffic.looks, traffic.experiments)
    control = random.binomial(traffic.users_per_look, traffic.rate, shape)
    treated = random.binomial(traffic.users_per_look, traffic.rate * (1 + effect), shape)
    return control.cumsum(axis=0), treated.cumsum(axis=0)


def decision_rates(traffic: Traffic, effect: float, evaluation: Evaluation, seed: int) -> Rates:
    """Final status of simulated experiments that are judged at every look.

    Estimand: chance of each final status at a true relative effect; with effect 0 the false calls.
    An experiment stops at the first look whose status is a call or ``no_difference``; what never
    stops has the status of its last look. Everything goes through ``decide``.

    Args:
        traffic: what is simulated.
        effect: true relative effect of the treatment.
        evaluation: priors and thresholds.
        seed: of the draws.
    """
    lost, won = _conversions(traffic, np.full(traffic.experiments, effect), seed)
    looks, count = lost.shape
    users = np.repeat(traffic.users_per_look * np.arange(1, looks + 1), count)
    s_c, s_t = lost.ravel(), won.ravel()
    cells = conversion_cells(users, s_c, users, s_t, evaluation)
    day = np.repeat(np.arange(1, looks + 1), count)
    no = np.zeros(len(day), dtype=np.bool_)
    health = Health(
        leaked=no,
        mismatched=no,
        exposed_users=2 * users,
        multi_exposed_users=np.zeros(len(day), np.int64),
        imbalance_p=Outcome.of(np.ones(len(day))),
        imbalance_tests=np.ones(len(day), np.int64),
        full_days=day,
        matured_users=2 * users,
        at_planned_end=day == looks,
        stopped=no,
    )
    status = decide(health, cells, evaluation.thresholds).status.reshape(looks, count)
    terminal = np.isin(status, _TERMINAL)
    first = np.where(terminal.any(axis=0), terminal.argmax(axis=0), looks - 1)
    final = status[first, np.arange(count)].astype(np.int64)
    share = {code: float(np.mean(final == code)) for code in Status}
    return Rates(share, final, first + 1)


def conversion_cells(
    control_users: Ints,
    control_successes: Ints,
    treatment_users: Ints,
    treatment_successes: Ints,
    evaluation: Evaluation,
) -> Cells:
    """Evidence of one conversion goal per experiment, two arms of equal planned weight.

    Estimand: what ``decide`` reads. Sources: the functions it calls, ``log_multinomial_e`` for the
    anytime p-value, ``two_proportion_z`` for the fixed one, ``effect_posterior`` on the log ratio.

    Args:
        control_users, control_successes, treatment_users, treatment_successes: shape (cells,).
        evaluation: priors and thresholds.
    """
    counts = (control_users, control_successes, treatment_users, treatment_successes)
    e = evaluation
    beta = compare_proportions(*counts, e.prior_a, e.prior_b, ())
    welch = compare_means(
        summarise_counts(control_users, control_successes),
        summarise_counts(treatment_users, treatment_successes),
        0.05,
        True,
    )
    effect = effect_posterior(
        welch.log_ratio, welch.log_ratio_error, e.real_share, e.real_deviation
    )
    conversions = np.stack([control_successes, treatment_successes])
    log_e = log_multinomial_e(conversions, np.full(conversions.shape, 0.5), e.concentration)
    n = len(control_users)
    # Only an interval as narrow as the negligible range can lie inside it.
    narrow = welch.log_ratio.defined & (welch.log_ratio_error.values < e.negligible)
    equivalent = np.zeros(n)
    if narrow.any():
        n_c, s_c, n_t, s_t = (array[narrow] for array in counts)
        above, below = (
            probability_of_relative_effect_below(n_c, s_c, n_t, s_t, e.prior_a, e.prior_b, bound)
            for bound in (e.negligible, -e.negligible)
        )
        equivalent[narrow] = above - below
    none = np.zeros(n, np.int8)
    return Cells(
        experiment=np.arange(n),
        variation=np.ones(n, np.int64),
        role=np.full(n, Role.GOAL, np.int8),
        is_primary=np.ones(n, np.bool_),
        good_direction=np.ones(n, np.int8),
        effect=welch.difference,
        anytime_p=anytime_p(log_e).value,
        fixed_p=two_proportion_z(*counts).p.value,
        local_fdr=effect.local_fdr,
        harm_p=Outcome.of(np.ones(n)),
        probability_beyond=effect.probability_below(0.0),
        is_non_inferior=np.ones(n, np.bool_),
        probability_of_best=Outcome.of(beta.probability_of_better),
        expected_loss=Outcome.of(beta.loss_if_shipped),
        control_mean=Outcome.of(beta.control_mean),
        probability_equivalent=Outcome.of(equivalent),
        smallest_users=np.minimum(control_users, treatment_users).astype(np.int64),
        smallest_events=np.minimum(control_successes, treatment_successes).astype(np.int64),
        days_left=Outcome.of(np.zeros(n), none),
    )


@dataclass(frozen=True)
class InFlight:
    """Local-fdr calls over many cells that are looked at every day.

    Attributes:
        false_discovery_rate: mean over portfolios of false calls per call (0 without calls).
        power: share of real effects that are called.
        prior: fitted on an earlier portfolio.
    """

    false_discovery_rate: float
    power: float
    prior: EffectPrior


def in_flight_rates(
    traffic: Traffic,
    real_share: float,
    real_deviation: float,
    local_fdr: float,
    portfolios: int,
    seed: int,
) -> InFlight:
    """False discoveries and power of calling a cell the first day its local fdr is low.

    Estimand: false discovery rate over cells of a portfolio, and power over its real effects. Each
    portfolio has ``traffic.experiments`` cells, ``real_share`` of them with effects
    N(0, real_deviation^2) on the log ratio; the prior is fitted on one more, finished portfolio and
    frozen, as in production.

    Args:
        traffic: size of a portfolio.
        real_share, real_deviation: truth.
        local_fdr: a cell is called at or below this.
        portfolios: how many are simulated.
        seed: of the draws.
    """
    history_real, lost, won = _portfolio(traffic, real_share, real_deviation, seed)
    users = traffic.users_per_look * traffic.looks
    estimate, error = _log_ratio(np.full(len(history_real), users), lost[-1], won[-1])
    kept = estimate.defined
    prior = fit_effect_prior(
        estimate.values[kept],
        error.values[kept],
        np.zeros(int(kept.sum()), np.int64),
        1,
        minimum_cells=1,
        fallback_share=real_share,
        fallback_deviation=real_deviation,
    )
    false_rates, found, existing = [], 0, 0
    for portfolio in range(1, portfolios + 1):
        real, lost, won = _portfolio(traffic, real_share, real_deviation, seed + portfolio)
        n = np.repeat(traffic.users_per_look * np.arange(1, traffic.looks + 1), len(real))
        estimate, error = _log_ratio(n, lost.ravel(), won.ravel())
        posterior = effect_posterior(estimate, error, prior.share, prior.deviation)
        low = posterior.local_fdr.defined & (posterior.local_fdr.values <= local_fdr)
        called = low.reshape(lost.shape).any(axis=0)
        false_rates.append(float((called & ~real).sum() / max(called.sum(), 1)))
        found, existing = found + int((called & real).sum()), existing + int(real.sum())
    return InFlight(float(np.mean(false_rates)), found / max(existing, 1), prior)


def _portfolio(
    traffic: Traffic, real_share: float, real_deviation: float, seed: int
) -> tuple[Bools, Ints, Ints]:
    random = np.random.default_rng([seed, 1])
    real = np.arange(traffic.experiments) < round(real_share * traffic.experiments)
    effect = np.where(real, random.normal(0.0, real_deviation, traffic.experiments), 0.0)
    return real, *_conversions(traffic, np.expm1(effect), seed)


def _log_ratio(users: Ints, lost: Ints, won: Ints) -> tuple[Outcome, Outcome]:
    result = compare_means(summarise_counts(users, lost), summarise_counts(users, won), 0.05, True)
    return result.log_ratio, result.log_ratio_error
