"""Quality score of bots: indicators shrunk towards their market, ranked within it, weighed together.

A bot with nine impressions and three clicks has not shown a click-through rate of a third. Each indicator
of a bot is therefore drawn towards the market of its day, the further the less the bot has been used:
empirical Bayes with a Beta prior for shares and a Gamma prior for means of counts (Casella, *An introduction
to empirical Bayes data analysis*, 1985). Repeated use by one person is no independent evidence, so trials
are divided by a design effect (Kish, *Survey sampling*, 1965). The prior comes from moments that no single
bot can move far: a Huber mean and the Paule-Mandel between-bot variance on clipped residuals.

All functions work on flat arrays of one value a row, with the group (day and indicator) of each row beside
them; groups share one pass. Nothing is drawn at random, and rows in the same order give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, gammaincinv

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Residuals beyond so many deviations count as that many: 2.5 keeps 99 % of the efficiency under normality.
CLIP = 2.5
# Mean of min(z, CLIP) squared for a standard normal z, so that the clipped variance is unbiased.
CLIPPED_VARIANCE = 0.9775599834528068
# Bots with fewer effective trials do not shape the prior while enough others do: most of their rates are
# 0 or 1.
ENOUGH_TRIALS = 30.0
ENOUGH_BOTS = 5
# From fewer bots a variance between bots cannot be told; the prior then weighs as much as so many trials.
FEWEST_BOTS = 3
WEAK_PRIOR = 2.0
# Sums that look less variable than independent trials are noise for shares; counts may truly be steadier.
LEAST_EFFECT_SHARE, LEAST_EFFECT_MEAN = 1.0, 0.1
BISECTIONS = 32


@dataclass(frozen=True)
class Shrunk:
    """Indicators after shrinkage, one value a row; NaN where the bot has no trial.

    Attributes:
        raw: numerator / denominator.
        mean: posterior mean, between ``raw`` and the mean of the market.
        low, high: ends of the equal-tailed credible interval.
    """

    raw: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Scores:
    """Score of each bot and day, one value a group.

    Attributes:
        score: weighted mean of the percentiles that were observed, 0 to 1; NaN where none was.
        coverage: share of all weight that was observed, 0 to 1.
        observed: how many indicators were observed.
    """

    score: Floats
    coverage: Floats
    observed: Ints


def places(*keys: npt.NDArray[Any]) -> tuple[Ints, int]:
    """Number of the group of each row, groups being the distinct combinations of the keys in sorted order.

    Args:
        keys: arrays of one length, most significant first.

    Returns:
        Group of each row (0-based) and the number of groups.
    """
    group = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        found, place = np.unique(key, return_inverse=True)
        group = group * len(found) + place
    found, place = np.unique(group, return_inverse=True)
    return place.astype(np.int64), len(found)


def shrink(
    group: Ints,
    is_share: Bools,
    numerator: Floats,
    denominator: Floats,
    units: Floats,
    squared_numerator: Floats,
    cross_product: Floats,
    squared_denominator: Floats,
    level: float,
) -> Shrunk:
    """Empirical-Bayes estimates of ratios of sums, each group with a prior of its own.

    A row is one bot in one group: y successes or messages over n trials, made by ``units`` independent
    units (person-days or people) whose sums of y², y·n and n² are given. With the design effect d of the
    group, y/d of n/d is taken as binomial (``is_share``) or as Poisson.

    Args:
        group: group of each row from :func:`places`; the same group has the same ``is_share``.
        is_share: the ratio is a share (Beta prior) and no mean of counts (Gamma prior).
        numerator: y, at least 0; for shares at most n.
        denominator: n, at least 0; a row with 0 is undefined.
        units: independent units behind the row.
        squared_numerator: sum over units of y².
        cross_product: sum over units of y·n.
        squared_denominator: sum over units of n².
        level: mass of the credible interval, between 0 and 1.

    Raises:
        ValueError: ``level`` is no probability, or a share exceeds 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
    if np.any(is_share & (numerator > denominator)):
        raise ValueError("a share has more successes than trials")
    raw, mean, low, high = (np.full(len(group), np.nan) for _ in range(4))
    seen = denominator > 0
    if not seen.any():
        return Shrunk(raw, mean, low, high)
    group, count = places(group[seen])
    share, y, n = is_share[seen], numerator[seen], denominator[seen]
    rate = y / n
    residual = (
        squared_numerator[seen]
        - 2 * rate * cross_product[seen]
        + rate * rate * squared_denominator[seen]
    )
    effect = _design_effect(group, count, share, rate, n, units[seen], residual)
    trials = n / effect[group]
    centre, strength = _prior(group, count, share, rate, trials)
    successes = centre[group] * strength[group] + rate * trials
    weight = strength[group] + trials
    tail = (1 - level) / 2
    raw[seen], mean[seen] = rate, successes / weight
    for end, mass in ((low, tail), (high, 1 - tail)):
        quantile = np.empty(len(rate))
        quantile[share] = betaincinv(successes[share], (weight - successes)[share], mass)
        quantile[~share] = gammaincinv(successes[~share], mass) / weight[~share]
        end[seen] = quantile
    return Shrunk(raw, mean, low, high)


def percentile_ranks(group: Ints, values: Floats) -> Floats:
    """Mid-rank of each value in its group divided by the size of the group; NaN stays out and stays NaN.

    The top of n distinct values is 1, the bottom 1/n; equal values share the mean of their ranks.

    Args:
        group: group of each row.
        values: one value a row.
    """
    ranks = np.full(len(values), np.nan)
    seen = np.flatnonzero(~np.isnan(values))
    if not len(seen):
        return ranks
    order = seen[np.lexsort((values[seen], group[seen]))]
    sorted_group, sorted_value = group[order], values[order]
    new_group = np.r_[True, sorted_group[1:] != sorted_group[:-1]]
    new_tie = new_group | np.r_[True, sorted_value[1:] != sorted_value[:-1]]
    tie = np.cumsum(new_tie) - 1
    first = np.flatnonzero(new_tie)
    after = np.r_[first[1:], len(order)]
    in_group = np.cumsum(new_group) - 1
    start = np.flatnonzero(new_group)
    size = np.diff(np.r_[start, len(order)])
    middle = (first[tie] + after[tie] + 1) / 2 - start[in_group]
    ranks[order] = middle / size[in_group]
    return ranks


def weigh(group: Ints, count: int, percentiles: Floats, weights: Floats) -> Scores:
    """Weighted mean of the observed percentiles of each group; the weight of missing ones is shared out.

    Args:
        group: bot and day of each row, 0 to ``count - 1``.
        count: number of groups.
        percentiles: one indicator's percentile a row, NaN where it was not observed.
        weights: weight of the row's indicator, not negative.
    """
    seen = ~np.isnan(percentiles)
    total = np.bincount(group, weights, count)
    observed = np.bincount(group[seen], weights[seen], count)
    sums = np.bincount(group[seen], weights[seen] * percentiles[seen], count)
    score = np.full(count, np.nan)
    # A sum of rounded products may pass 1 by the last bit.
    np.divide(sums, observed, out=score, where=observed > 0)
    coverage = np.divide(observed, total, out=np.zeros(count), where=total > 0)
    return Scores(
        np.clip(score, 0.0, 1.0),
        np.clip(coverage, 0.0, 1.0),
        np.bincount(group[seen], minlength=count).astype(np.int64),
    )


def weights_of(
    indicators: npt.NDArray[np.str_], named: npt.NDArray[np.str_], weights: Floats
) -> Floats:
    """Weight of each row's indicator.

    Args:
        indicators: indicator of each row.
        named: indicators that have a weight, sorted, each once.
        weights: their weights.

    Raises:
        ValueError: an indicator has no weight; it would silently stay out of the score.
    """
    unknown = sorted(set(indicators.tolist()) - set(named.tolist()))
    if unknown:
        raise ValueError(f"no weight is given for {', '.join(unknown)}")
    return np.asarray(weights[np.searchsorted(named, indicators)], dtype=np.float64)


def _spread(share: Bools, rate: Floats) -> Floats:
    """Variance of one independent trial: binomial for shares, Poisson for counts."""
    return np.where(share, rate * (1 - rate), rate)


def _sums(group: Ints, count: int, values: Floats) -> Floats:
    return np.bincount(group, values, count).astype(np.float64)


def _design_effect(
    group: Ints,
    count: int,
    share: Bools,
    rate: Floats,
    trials: Floats,
    units: Floats,
    residual: Floats,
) -> Floats:
    """How much more the sums of a group vary than independent trials: the median over its bots."""
    told = trials * _spread(share, rate)
    able = (units > 1) & (told > 0)
    effect = np.ones(len(rate))
    corrected = np.maximum(residual, 0.0) * units / np.where(able, units - 1, 1.0)
    np.divide(corrected, told, out=effect, where=able)
    # Bots with ten expected events or more tell it; the others only where there are no such bots.
    rich = able & (told >= 10)
    has_rich = _sums(group[rich], count, np.ones(int(rich.sum()))) >= ENOUGH_BOTS
    used = np.where(has_rich[group], rich, able)
    median = _group_medians(group[used], count, effect[used])
    is_share = _sums(group, count, share.astype(np.float64)) > 0
    least = np.where(is_share, LEAST_EFFECT_SHARE, LEAST_EFFECT_MEAN)
    return np.maximum(np.where(np.isnan(median), 1.0, median), least)


def _group_medians(group: Ints, count: int, values: Floats) -> Floats:
    """Median of each group; NaN for a group without values."""
    order = np.lexsort((values, group))
    size = np.bincount(group, minlength=count)
    start = np.cumsum(size) - size
    medians = np.full(count, np.nan)
    some = size > 0
    low = order[start[some] + (size[some] - 1) // 2]
    high = order[start[some] + size[some] // 2]
    medians[some] = (values[low] + values[high]) / 2
    return medians


def _prior(
    group: Ints, count: int, share: Bools, rate: Floats, trials: Floats
) -> tuple[Floats, Floats]:
    """Mean of each group's prior and how many trials it is worth."""
    everything = _sums(group, count, trials)
    enough = trials >= ENOUGH_TRIALS
    has_enough = _sums(group, count, enough.astype(np.float64)) >= ENOUGH_BOTS
    used = np.where(has_enough[group], enough, True)
    place, r, m = group[used], rate[used], trials[used]
    is_share = _sums(group, count, share.astype(np.float64)) > 0
    bots = _sums(place, count, np.ones(len(place)))
    centre = _bounded(_group_medians(place, count, r), is_share, everything)
    low = np.zeros(count)
    high = np.zeros(count)
    np.maximum.at(high, place, (r - centre[place]) ** 2)
    for _ in range(BISECTIONS):
        between = (low + high) / 2
        # The mean moves with the variance by little, so one step of it keeps up with the halving.
        variance = between[place] + _spread(is_share, centre)[place] / m
        clipped = np.clip((r - centre[place]) / np.sqrt(variance), -CLIP, CLIP)
        too_small = _sums(place, count, clipped * clipped) > CLIPPED_VARIANCE * (bots - 1)
        low, high = np.where(too_small, between, low), np.where(too_small, high, between)
        step = _sums(place, count, clipped / np.sqrt(variance)) / _sums(place, count, 1 / variance)
        centre = _bounded(centre + step, is_share, everything)
    between = (low + high) / 2
    # A market of equal bots knows their common value no better than all their trials together.
    strength = everything.copy()
    np.divide(_spread(is_share, centre), between, out=strength, where=between > 0)
    strength = np.where(is_share, strength - 1, strength)
    strength = np.clip(strength, WEAK_PRIOR, np.maximum(everything, WEAK_PRIOR))
    strength = np.where(bots < FEWEST_BOTS, WEAK_PRIOR, strength)
    # Half an event (Jeffreys) is the least a prior holds: with less, the mean of what is left can lie outside
    # the interval around it.
    rarer = np.where(is_share, np.minimum(centre, 1 - centre), centre)
    return centre, np.maximum(strength, 0.5 / rarer)


def _bounded(centre: Floats, is_share: Bools, trials: Floats) -> Floats:
    """The mean of a prior kept off its bounds by half an event in all trials."""
    margin = 0.5 / (trials + 1)
    return np.clip(centre, margin, np.where(is_share, 1 - margin, np.inf))
