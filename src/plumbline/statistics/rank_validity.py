"""Rank validity: does the order that a score gives today hold for what comes afterwards?

A score has no unit in which it could be right. What can be checked is its order: the units it puts
first should be those with the largest later outcome. All measures are computed on midranks or on
expectations over ties, so that neither the names nor the order of the rows matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plumbline.statistics.outcomes import Floats, Ints

# Fewer units than this have no order worth an interval.
FEWEST = 10


@dataclass(frozen=True)
class Measures:
    """One value a scoring: NaN where too few units have a score, or nothing varies.

    Attributes:
        spearman: rank correlation of score and outcome, -1 to 1.
        ndcg: normalised discounted cumulative gain of the whole list, 0 to 1.
        precision: share of the best units by score that are among the best by outcome.
    """

    spearman: Floats
    ndcg: Floats
    precision: Floats


@dataclass(frozen=True)
class Validity:
    """Rank validity of several scorings of the same units, shape (scorings,).

    Attributes:
        units: units with a score.
        value, low, high: measures with their bootstrap interval.
        gain, gain_low, gain_high: Spearman less that of the reference scoring, with its interval from
            the same resamples; NaN for the reference itself.
    """

    units: Ints
    value: Measures
    low: Measures
    high: Measures
    gain: Floats
    gain_low: Floats
    gain_high: Floats


class _Order:
    """Units in ascending order of a value, equal values grouped, so that a resample is a sum by group."""

    def __init__(self, values: Floats) -> None:
        self.values, self.group = np.unique(values, return_inverse=True)

    def weights(self, counts: Floats) -> Floats:
        return np.bincount(self.group, weights=counts, minlength=len(self.values)).astype(
            np.float64
        )


def rank_validity(
    scores: Floats,
    outcome: Floats,
    share: float,
    reference: int,
    replicates: int,
    level: float,
    seed: int,
) -> Validity:
    """Spearman, NDCG and precision at the top of each scoring, with percentile bootstrap intervals.

    Estimand: agreement of the order by score with the order by later outcome among the units of one
    date. Spearman is the correlation of midranks. NDCG takes the outcome itself as gain and
    1 / log2(position + 1) as discount over the whole list (Jarvelin and Kekalainen, 2002). Precision
    compares the best ceil(share x n) of both orders. Equal values count as every order among them on
    average. Intervals resample units; one resample serves all scorings, so that their difference
    from the reference scoring has an interval as well (Efron and Tibshirani, 1993, chapter 13).

    Args:
        scores: shape (scorings, units); NaN where a unit has no score. Larger is better.
        outcome: shape (units,), finite and not negative.
        share: of units that count as the top, in (0, 1].
        reference: scoring the others are compared with.
        replicates: bootstrap resamples.
        level: mass of the intervals.
        seed: of the resamples. Units are put in an order by content first, so that the same units
            give the same interval however they are named.

    Raises:
        ValueError: an outcome is negative or not finite, or a setting is out of range.
    """
    if not np.isfinite(outcome).all() or (outcome < 0).any():
        raise ValueError("outcomes must be finite and not negative")
    if not (0 < share <= 1 and 0 < level < 1 and replicates > 0):
        raise ValueError("share and level must lie inside (0, 1], replicates above 0")
    order = np.lexsort((*np.nan_to_num(scores, nan=-np.inf), outcome))
    scores, outcome = scores[:, order], outcome[order]
    seen = ~np.isnan(scores)
    units = np.asarray(seen.sum(axis=1), dtype=np.int64)
    n = len(outcome)
    discounts = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, n + 2)))]
    held = [
        (_Order(row[mask]), _Order(outcome[mask]), mask)
        for row, mask in zip(scores, seen, strict=True)
    ]
    enough = units >= FEWEST
    value = _measures(held, np.ones(n), share, discounts)
    for part in (value.spearman, value.ndcg, value.precision):
        part[~enough] = np.nan
    draws = np.random.default_rng(seed)
    found = np.full((3, replicates, len(scores)), np.nan)
    for replicate in range(replicates if n >= FEWEST else 0):
        counts = np.bincount(draws.integers(0, n, n), minlength=n).astype(np.float64)
        again = _measures(held, counts, share, discounts)
        found[:, replicate] = again.spearman, again.ndcg, again.precision
    found[:, :, ~enough] = np.nan
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = (Measures(*(_quantile(part, tail) for part in found)) for tail in tails)
    against = found[0] - found[0][:, [reference]]
    against[:, reference] = np.nan
    gain = value.spearman - value.spearman[reference]
    gain[reference] = np.nan
    return Validity(
        units, value, low, high, gain, _quantile(against, tails[0]), _quantile(against, tails[1])
    )


def _quantile(replicates: Floats, tail: float) -> Floats:
    """Quantile of each column; NaN where most resamples had no value."""
    found = np.full(replicates.shape[1], np.nan)
    for place, column in enumerate(replicates.T):
        known = column[~np.isnan(column)]
        if 2 * len(known) > len(column):
            found[place] = np.quantile(known, tail)
    return found


def _measures(
    held: list[tuple[_Order, _Order, np.ndarray]], counts: Floats, share: float, discounts: Floats
) -> Measures:
    found = np.array(
        [_measured(score, later, counts[mask], share, discounts) for score, later, mask in held]
    ).reshape(len(held), 3)
    return Measures(found[:, 0], found[:, 1], found[:, 2])


def _measured(
    score: _Order, later: _Order, counts: Floats, share: float, discounts: Floats
) -> tuple[float, float, float]:
    """Spearman, NDCG and precision of units that stand in the sample ``counts`` times."""
    total = counts.sum()
    if np.count_nonzero(counts) < 2:
        return float("nan"), float("nan"), float("nan")
    by_score, by_outcome = score.weights(counts), later.weights(counts)
    rank_score, rank_outcome = _midranks(by_score), _midranks(by_outcome)
    middle = (total + 1) / 2
    spread = float(by_score @ (rank_score - middle) ** 2) * float(
        by_outcome @ (rank_outcome - middle) ** 2
    )
    common = float(
        counts @ ((rank_score[score.group] - middle) * (rank_outcome[later.group] - middle))
    )
    spearman = common / np.sqrt(spread) if spread > 0 else float("nan")

    gains = np.bincount(
        score.group, weights=counts * later.values[later.group], minlength=len(by_score)
    )
    reached = _discounted(np.asarray(gains, dtype=np.float64), by_score, discounts)
    ideal = _discounted(by_outcome * later.values, by_outcome, discounts)
    ndcg = reached / ideal if ideal > 0 else float("nan")

    top = np.ceil(round(share * total, 9))
    chosen, best = _in_top(by_score, top)[score.group], _in_top(by_outcome, top)[later.group]
    return spearman, ndcg, float(counts @ (chosen * best)) / top


def _midranks(weights: Floats) -> Floats:
    return np.asarray(np.cumsum(weights) - weights / 2 + 0.5)


def _ahead(weights: Floats) -> Floats:
    """Units of a larger value than each group."""
    return np.asarray(weights.sum() - np.cumsum(weights))


def _discounted(gains: Floats, weights: Floats, discounts: Floats) -> float:
    """Expected discounted gain, best group first, over all orders inside a group."""
    ahead = _ahead(weights).astype(np.int64)
    room = discounts[ahead + weights.astype(np.int64)] - discounts[ahead]
    return float((gains / np.maximum(weights, 1.0)) @ room)


def _in_top(weights: Floats, top: float) -> Floats:
    """Chance of each group's units to be among the first ``top``."""
    return np.clip((top - _ahead(weights)) / np.maximum(weights, 1.0), 0.0, 1.0)
