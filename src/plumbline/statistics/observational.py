"""Effects without randomisation: weighting by strata, differences in differences, and their checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.moments import Moments
from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Interval,
    Outcome,
    Reason,
    floats,
    reasons_where,
    together,
)
from plumbline.statistics.tails import PValues, log_chi_square_tail, log_normal_two_sided


@dataclass(frozen=True)
class Estimate:
    """A difference with its normal inference, shape of the cells."""

    difference: Outcome
    standard_error: Outcome
    p: PValues
    interval: Interval

    @staticmethod
    def of(difference: Floats, squared: Floats, reasons: ArrayLike, alpha: float) -> Estimate:
        """From a difference and its squared standard error."""
        codes = np.asarray(reasons, dtype=np.int8)
        flat = np.where((codes == 0) & (squared <= 0), np.int8(Reason.ZERO_VARIANCE), codes)
        error = np.sqrt(np.where(flat == 0, squared, 1.0))
        half = float(special.ndtri(1 - alpha / 2)) * error
        z = np.where(flat == 0, difference, 0.0) / error
        return Estimate(
            Outcome.of(difference, codes),
            Outcome.of(error, flat),
            PValues.of(log_normal_two_sided(z), flat),
            Interval.of(difference - half, difference + half, flat),
        )


@dataclass(frozen=True)
class WeightedEffect:
    """Average effect over users of strata that hold both kinds of users, shape (*cells).

    Attributes:
        naive: difference of plain means over the same users.
        inverse_weighted: Hajek's ratio form of inverse-propensity weighting.
        levels: its means of the untreated and of the treated.
        horvitz_thompson: its unnormalised form, as a check of the weights.
        doubly_robust: augmented inverse-propensity weighting, with its efficient standard error.
        dropped_share: users of strata without both kinds, who are in no estimate.
        clipped_share: users of strata whose propensity was clipped.
    """

    naive: Estimate
    inverse_weighted: Estimate
    levels: tuple[Outcome, Outcome]
    horvitz_thompson: Outcome
    doubly_robust: Estimate
    dropped_share: Floats
    clipped_share: Floats


def weighted_effect(
    untreated: Moments, treated: Moments, clip: tuple[float, float], alpha: float
) -> WeightedEffect:
    """Stratified IPW and AIPW from cell sums.

    Formula: ``weighted_by_propensity`` with e_s = n_T / n in the stratum, clipped.

    Args:
        untreated, treated: moments of the outcome, shape (strata, *cells), one variable.
        clip: lowest and highest propensity.
        alpha: two-sided error of intervals.
    """
    return weighted_by_propensity(
        untreated, treated, np.clip(_treated_share(untreated, treated), *clip), alpha
    )


def _treated_share(untreated: Moments, treated: Moments) -> Floats:
    n_0, n_1 = untreated.n.astype(np.float64), treated.n.astype(np.float64)
    return np.asarray(n_1 / np.maximum(n_0 + n_1, 1.0))


def weighted_by_propensity(
    untreated: Moments, treated: Moments, propensity: ArrayLike, alpha: float
) -> WeightedEffect:
    """Stratified IPW and AIPW from cell sums, with the propensities given.

    Estimand: average treatment effect over kept users. Model: treatment is as good as random within
    strata of confounders, with chance e_s; outcome means saturated in the strata. Formulas: Hajek
    sum w y / sum w by arm with w = 1 / e or 1 / (1 - e), squared error
    sum w^2 (y - mean)^2 / (sum w)^2; AIPW = mean of m_1 - m_0 + t (y - m_1) / e -
    (1 - t) (y - m_0) / (1 - e), squared error from the sum of squares of that influence function.
    Without clipping both agree with standardisation. Source: Hernan and Robins, "What If", chapters
    12 and 13; Robins, Rotnitzky, Zhao (1994).

    Args:
        untreated, treated: moments of the outcome, shape (strata, *cells), one variable.
        propensity: chance of treatment by stratum, in (0, 1) wherever both kinds are; where it is not the
            share of treated it counts as clipped.
        alpha: two-sided error of intervals.
    """
    n_0, n_1 = untreated.n.astype(np.float64), treated.n.astype(np.float64)
    kept = (n_0 > 0) & (n_1 > 0)
    everyone = (n_0 + n_1).sum(axis=0)
    n_0, n_1 = np.where(kept, n_0, 0.0), np.where(kept, n_1, 0.0)
    users = (n_0 + n_1).sum(axis=0)
    empty = np.where(users <= 0, np.int8(Reason.NO_OVERLAP), np.int8(0)).astype(np.int8)
    total = np.maximum(users, 1.0)
    raw = _treated_share(untreated, treated)
    chance = np.where(kept, np.broadcast_to(floats(propensity), raw.shape), 0.5)
    mean_0, mean_1 = (
        np.where(kept, arm.mean[..., 0] + arm.rest[..., 0], 0.0) for arm in (untreated, treated)
    )
    squares_0, squares_1 = (np.where(kept, arm.m2(0), 0.0) for arm in (untreated, treated))
    arms = []
    for n, mean, squares, weight in (
        (n_0, mean_0, squares_0, 1 / (1 - chance)),
        (n_1, mean_1, squares_1, 1 / chance),
    ):
        mass = (n * weight).sum(axis=0)
        mass = np.where(mass > 0, mass, 1.0)
        level = (n * weight * mean).sum(axis=0) / mass
        spread = (weight**2 * (squares + n * (mean - level) ** 2)).sum(axis=0) / mass**2
        crude = (n * mean).sum(axis=0) / np.maximum(n.sum(axis=0), 1.0)
        crude_spread = (squares + n * (mean - crude) ** 2).sum(axis=0) / np.maximum(
            n.sum(axis=0), 1.0
        ) ** 2
        arms.append((level, spread, (n * weight * mean).sum(axis=0) / total, crude, crude_spread))
    gap = mean_1 - mean_0
    size = n_0 + n_1
    plain = (size * gap).sum(axis=0) / total
    # Even where the propensity is not the share itself (clipped, or given), the weighted residuals of an arm
    # sum to 0: outcome means are saturated in the strata.
    residual = squares_1 / chance**2 + squares_0 / (1 - chance) ** 2
    influence = (residual + size * (gap - plain) ** 2).sum(axis=0) / total**2
    clipped = kept & (np.abs(chance - raw) > 1e-12)
    return WeightedEffect(
        Estimate.of(arms[1][3] - arms[0][3], arms[0][4] + arms[1][4], empty, alpha),
        Estimate.of(arms[1][0] - arms[0][0], arms[0][1] + arms[1][1], empty, alpha),
        (Outcome.of(arms[0][0], empty), Outcome.of(arms[1][0], empty)),
        Outcome.of(arms[1][2] - arms[0][2], empty),
        Estimate.of(plain, influence, empty, alpha),
        np.asarray(1 - users / np.maximum(everyone, 1.0)),
        np.asarray((np.where(clipped, size, 0.0)).sum(axis=0) / total),
    )


@dataclass(frozen=True)
class StandardisedEffect:
    """Difference of means of like people, shape (*cells).

    Attributes:
        effect: the weighted mean over strata of the difference.
        levels: weighted means of the untreated and of the treated.
        dropped_share: of the people weighted to (everyone or the treated), those in no estimate.
    """

    effect: Estimate
    levels: tuple[Outcome, Outcome]
    dropped_share: Floats


def standardised_effect(
    untreated: Moments, treated: Moments, of_treated: bool, alpha: float
) -> StandardisedEffect:
    """Stratification, or exact matching on coarsened covariates.

    Estimand: average effect over everyone in kept strata, or over the treated in them (``of_treated``:
    every treated person against the mean of the untreated of the stratum, which is matching). Model:
    treatment is as good as random within strata. Formulas: sum_s w_s (mean_1s - mean_0s), variance
    sum_s w_s^2 (v_1s / n_1s + v_0s / n_0s), with w_s the share of the people weighted to. A stratum counts
    with at least two people of each kind: with one, its variance is not known. Source: Rosenbaum and
    Rubin (1984); Iacus, King, Porro (2012) for coarsened exact matching.

    Args:
        untreated, treated: moments of the outcome, shape (strata, *cells), one variable.
        of_treated: weight strata by their treated people.
        alpha: two-sided error of the interval.
    """
    n_0, n_1 = untreated.n.astype(np.float64), treated.n.astype(np.float64)
    kept = (n_0 > 1) & (n_1 > 1)
    people = n_1 if of_treated else n_0 + n_1
    size = np.where(kept, people, 0.0)
    total = size.sum(axis=0)
    weight = size / np.maximum(total, 1.0)
    empty = np.where(total <= 0, np.int8(Reason.NO_OVERLAP), np.int8(0)).astype(np.int8)
    levels = [
        (weight * (arm.mean[..., 0] + arm.rest[..., 0])).sum(axis=0) for arm in (untreated, treated)
    ]
    spread = sum(
        arm.m2(0) / np.maximum(n * (n - 1), 1.0) for arm, n in ((untreated, n_0), (treated, n_1))
    )
    squared = np.asarray((weight**2 * spread).sum(axis=0))
    return StandardisedEffect(
        Estimate.of(np.asarray(levels[1] - levels[0]), squared, empty, alpha),
        (Outcome.of(levels[0], empty), Outcome.of(levels[1], empty)),
        np.asarray(1 - total / np.maximum(people.sum(axis=0), 1.0)),
    )


@dataclass(frozen=True)
class Balance:
    """Standardised differences of a covariate, shape (*cells)."""

    before: Outcome
    after: Outcome


def covariate_balance(untreated: Moments, treated: Moments, clip: tuple[float, float]) -> Balance:
    """Difference of a covariate's means in standard deviations, before and after weighting.

    Formula: ``balance_by_propensity`` with weights as in ``weighted_effect``.

    Args:
        untreated, treated: moments of the covariate, shape (strata, *cells), one variable.
        clip: lowest and highest propensity.
    """
    propensity = np.clip(_treated_share(untreated, treated), *clip)
    return balance_by_propensity(untreated, treated, propensity, 1)


def balance_by_propensity(
    untreated: Moments, treated: Moments, propensity: ArrayLike, fewest: int
) -> Balance:
    """Difference of a covariate's means in standard deviations, before and after weighting.

    Formula: (mean_1 - mean_0) / sqrt((v_1 + v_0) / 2), with unweighted variances in both; weights
    as in ``weighted_by_propensity``. Undefined where the covariate does not vary. A value beyond 0.1 is
    commonly called imbalance. Source: Austin (2009).

    Args:
        untreated, treated: moments of the covariate, shape (strata, *cells), one variable.
        propensity: chance of treatment by stratum, as in ``weighted_by_propensity``.
        fewest: strata with fewer people of either kind are left out of the weighted difference.
    """
    enough = (untreated.n >= fewest) & (treated.n >= fewest)
    arms = [
        Moments(arm.n * enough, arm.mean, arm.rest, arm.products, arm.cubes)
        for arm in (untreated, treated)
    ]
    effect = weighted_by_propensity(arms[0], arms[1], propensity, 0.05)
    pooled = []
    for arm in (untreated, treated):
        whole = arm.merged(0)
        pooled.append(np.asarray(whole.m2(0) / np.maximum(whole.n - 1, 1)))
    spread = (pooled[0] + pooled[1]) / 2
    whole_0, whole_1 = untreated.merged(0), treated.merged(0)
    gap = (whole_1.mean[..., 0] - whole_0.mean[..., 0]) + (
        whole_1.rest[..., 0] - whole_0.rest[..., 0]
    )
    flat = reasons_where(
        spread.shape,
        ((whole_0.n < 2) | (whole_1.n < 2), Reason.TOO_FEW_USERS),
        (spread <= 0, Reason.ZERO_VARIANCE),
    )
    scale = np.sqrt(np.where(flat == 0, spread, 1.0))
    weighted = effect.inverse_weighted.difference
    after = np.where(flat != 0, flat, weighted.reasons)
    return Balance(Outcome.of(gap / scale, flat), Outcome.of(weighted.values / scale, after))


def e_value(risk_ratio: ArrayLike) -> Floats:
    """How strong unmeasured confounding must be to explain a risk ratio away.

    Estimand: least risk ratio of a confounder with both treatment and outcome. Formula:
    r + sqrt(r (r - 1)) with r the ratio or its inverse, whichever is at least 1.
    Source: VanderWeele and Ding (2017).
    """
    (ratio,) = together(risk_ratio)
    if (ratio <= 0).any():
        raise ValueError("a risk ratio must be positive")
    r = np.maximum(ratio, 1 / ratio)
    return np.asarray(r + np.sqrt(r * (r - 1)))


def e_value_of_shares(effect: Estimate, untreated_share: ArrayLike) -> tuple[Outcome, Outcome]:
    """E-values of a difference of shares and of its interval's end nearer to 0.

    Formula: ``e_value`` of (p_0 + difference) / p_0 with p_0 the untreated share, which is held at its
    estimate for the end of the interval too; 1 where the interval holds 0. Undefined where a share is not
    above 0. Source: VanderWeele and Ding (2017).

    Args:
        effect: difference of shares.
        untreated_share: share among the untreated, as the effect was adjusted.
    """
    share = np.broadcast_to(floats(untreated_share), effect.difference.values.shape)
    low, high = effect.interval.low, effect.interval.high
    near = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    base = effect.standard_error.reasons
    found = []
    for value in (effect.difference.values, near):
        positive = (share > 0) & (share + value > 0)
        flat = np.where((base == 0) & ~positive, np.int8(Reason.ZERO_DENOMINATOR), base)
        ratio = np.where(flat == 0, share + value, 1.0) / np.where(flat == 0, share, 1.0)
        found.append(Outcome.of(e_value(ratio).reshape(share.shape), flat))
    return found[0], found[1]


def e_value_of_difference(
    effect: Estimate, outcome_deviation: ArrayLike
) -> tuple[Outcome, Outcome]:
    """E-values of a difference of means and of its interval's end nearer to 0.

    Formula: risk ratio exp(0.91 d) for a difference of d standard deviations; 1 where the interval
    holds 0. Source: VanderWeele and Ding (2017), table 2; Chinn (2000).

    Args:
        effect: the estimate.
        outcome_deviation: standard deviation of the outcome.
    """
    deviation = np.broadcast_to(floats(outcome_deviation), effect.difference.values.shape)
    flat = np.where(
        effect.standard_error.reasons != 0,
        effect.standard_error.reasons,
        np.where(deviation <= 0, np.int8(Reason.ZERO_VARIANCE), 0),
    ).astype(np.int8)
    scale = np.where(deviation > 0, deviation, 1.0)
    low, high = effect.interval.low, effect.interval.high
    near = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    point, bound = (
        e_value(np.exp(np.clip(0.91 * value / scale, -300, 300))).reshape(scale.shape)
        for value in (effect.difference.values, near)
    )
    return Outcome.of(point, flat), Outcome.of(bound, flat)


def difference_in_differences(untreated: Moments, treated: Moments, alpha: float) -> Estimate:
    """Two groups, two periods, the same users in both periods.

    Estimand: effect on the treated. Model: without treatment both groups would have changed alike.
    Formula: mean change of treated minus that of untreated; variance of each mean change
    (m2_post - 2 c + m2_pre) / (n (n - 1)), so that users need not be independent over time.
    Source: Angrist and Pischke (2009), chapter 5.

    Args:
        untreated, treated: moments of (before, after) per user, shape (*cells), two variables.
        alpha: two-sided error of the interval.
    """
    changes, squared = [], []
    for arm in (untreated, treated):
        contrast = np.array([-1.0, 1.0])
        change, variance = _contrast(arm, contrast[None, :])
        changes.append(change[..., 0])
        squared.append(variance[..., 0, 0])
    few = (untreated.n < 2) | (treated.n < 2)
    reasons = reasons_where(few.shape, (few, Reason.TOO_FEW_USERS))
    return Estimate.of(changes[1] - changes[0], squared[0] + squared[1], reasons, alpha)


def _contrast(moments: Moments, contrasts: Floats) -> tuple[Floats, Floats]:
    """Means and covariance of the means of linear contrasts, shapes (..., c) and (..., c, c)."""
    means = moments.mean @ contrasts.T + moments.rest @ contrasts.T
    size = np.maximum(moments.n * (moments.n - 1.0), 1.0)[..., None, None]
    return np.asarray(means), np.asarray(contrasts @ moments.products @ contrasts.T / size)


@dataclass(frozen=True)
class EventStudy:
    """Stacked difference-in-differences.

    Attributes:
        by_time: effect at each event time, shape (times,); 0 at the base time by construction.
        average: mean effect over event times from 0 on, shape ().
        pre_trend: joint test that all effects before the base time are 0.
        pre_trend_statistic, pre_trend_degrees: its chi-square and degrees of freedom.
    """

    by_time: Estimate
    average: Estimate
    pre_trend: PValues
    pre_trend_statistic: Outcome
    pre_trend_degrees: int


def stacked_differences(
    untreated: Moments, treated: Moments, times: ArrayLike, base: int, alpha: float
) -> EventStudy:
    """Event study over cohorts adopting at different times, each with its own clean controls.

    Estimand: effect on the treated by time since adoption. Model: parallel changes within each
    stack; controls of a cohort are users untreated over its whole window. Formula: within a cohort
    the difference in differences against the base time, with the full covariance over times; stacks
    are averaged with weights n_treated. The pre-trend test is Wald's, chi-square on the times before
    the base. Stacks are taken as independent: a user should serve as control once.
    Source: Cengiz, Dube, Lindner, Zipperer (2019); Wing, Freedman, Hollingsworth (2024) for weights.

    Args:
        untreated, treated: moments per cohort with one variable per event time, shape (cohorts,).
        times: event times, shape (times,), 0 the first treated one.
        base: the event time compared with, before 0.
        alpha: two-sided error of intervals.
    """
    time = np.asarray(times, dtype=np.int64)
    if base >= 0 or base not in time:
        raise ValueError("the base must be one of the times, before 0")
    contrasts = np.eye(len(time)) - (time == base)[None, :]
    usable = (untreated.n > 1) & (treated.n > 1)
    weight = np.where(usable, treated.n, 0).astype(np.float64)
    share = weight / max(weight.sum(), 1.0)
    mean_0, cov_0 = _contrast(untreated, contrasts)
    mean_1, cov_1 = _contrast(treated, contrasts)
    effect = (share[:, None] * (mean_1 - mean_0)).sum(axis=0)
    covariance = (share[:, None, None] ** 2 * (cov_0 + cov_1)).sum(axis=0)
    none = np.int8(0 if usable.any() else Reason.TOO_FEW_USERS)
    codes = np.full(len(time), none)
    # At the base time the effect is 0 by construction and has no error.
    variances = np.diagonal(covariance).copy()
    after = (time >= 0) / max(int((time >= 0).sum()), 1)
    average = Estimate.of(
        np.asarray(after @ effect), np.asarray(after @ covariance @ after), none, alpha
    )
    before = time < base
    degrees = int(before.sum())
    part = covariance[np.ix_(before, before)]
    statistic, reason = 0.0, none
    if degrees and not none:
        values, vectors = np.linalg.eigh(part)
        real = values > 1e-12 * max(values.max(), 1e-300)
        degrees = int(real.sum())
        statistic = float((((vectors.T @ effect[before])[real]) ** 2 / values[real]).sum())
    if not degrees:
        reason = np.int8(Reason.TOO_FEW_PERIODS)
    logs = log_chi_square_tail(statistic, max(degrees, 1)).reshape(())
    return EventStudy(
        Estimate.of(effect, variances, codes, alpha),
        average,
        PValues.of(logs, np.asarray(reason)),
        Outcome.of(statistic, reason),
        degrees,
    )
