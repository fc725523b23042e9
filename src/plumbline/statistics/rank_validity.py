"""Rank validity: does the order that a score gives today hold for what comes afterwards?

A score has no unit in which it could be right. What can be checked is its order: the units it puts
first should be those with the largest later outcome. All measures are computed on midranks or on
expectations over ties, so that neither the names nor the order of the rows matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


# Cells of a block of resamples: few calls for few units, and arrays of many stay near the core.
_CELLS = 100_000


class _Order:
    """Units in ascending order of a value, equal values grouped, so that a resample is a sum by group."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        ranked = values[self.order]
        self.begins = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]][: len(ranked)])
        self.values = ranked[self.begins]
        self.group = np.empty(len(values), dtype=np.int64)
        self.group[self.order] = np.repeat(
            np.arange(len(self.begins)), np.diff(np.r_[self.begins, len(values)])
        )
        self.is_plain = len(self.begins) == len(values)
        # The units stand in this order already, one a group: nothing to gather or to add up.
        self.is_same = self.is_plain and bool((self.order == np.arange(len(values))).all())

    def sums(self, of_units: Floats) -> Floats:
        """Sums (samples, groups) of what units have (samples, units)."""
        if self.is_same:
            return of_units
        ranked = np.take(of_units, self.order, axis=1)
        return ranked if self.is_plain else np.add.reduceat(ranked, self.begins, axis=1)

    def units(self, of_groups: Floats) -> Floats:
        """What the group of each unit has (samples, units)."""
        return of_groups if self.is_same else np.take(of_groups, self.group, axis=1)


@dataclass(frozen=True)
class _Outcome:
    """What all scorings of the same units share, for some samples: arrays (samples, units or groups).

    Attributes:
        counts: how often each unit stands in each sample.
        total: units of each sample, (samples, 1).
        ranks: midrank of each unit less the middle, by outcome.
        spread: sum of squares of the ranks, (samples,).
        earned: outcome x count.
        ideal: discounted gain of the best order, (samples,).
        top: units of the top, (samples, 1).
        best: chance of each unit to be among them.
        enough: samples with two distinct units, (samples,).
    """

    counts: Floats
    total: Floats
    ranks: Floats
    spread: Floats
    earned: Floats
    ideal: Floats
    top: Floats
    best: Floats
    enough: npt.NDArray[np.bool_]

    @staticmethod
    def of(later: _Order, counts: Floats, share: float, discounts: Floats) -> _Outcome:
        """From the order by outcome."""
        total = counts.sum(axis=1, keepdims=True)
        weights = later.sums(counts)
        groups = _Groups(weights, total)
        top = np.ceil(np.round(share * total, 9))
        return _Outcome(
            counts=counts,
            total=total,
            ranks=later.units(groups.ranks),
            spread=groups.spread(),
            earned=counts * later.values[later.group],
            ideal=groups.discounted(weights * later.values, discounts),
            top=top,
            best=later.units(groups.in_top(top)),
            enough=np.count_nonzero(counts, axis=1) >= 2,
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
    held = [_Order(row[mask]) for row, mask in zip(scores, seen, strict=True)]
    # Most scorings score the same units: what is asked of their outcomes is asked once.
    masks = {mask.tobytes(): mask for mask in seen}
    later = {key: (_Order(outcome[mask]), mask) for key, mask in masks.items()}

    def measures(counts: Floats) -> Floats:
        """Spearman, NDCG and precision, shape (3, samples, scorings), of counts (samples, units)."""
        known = {
            key: _Outcome.of(order, counts[:, mask], share, discounts)
            for key, (order, mask) in later.items()
        }
        found = [
            _measured(score, known[mask.tobytes()], discounts)
            for score, mask in zip(held, seen, strict=True)
        ]
        return np.array(found).reshape(len(held), 3, len(counts)).transpose(1, 2, 0)

    enough = units >= FEWEST
    value = Measures(*measures(np.ones((1, n)))[:, 0])
    for part in (value.spearman, value.ndcg, value.precision):
        part[~enough] = np.nan
    draws = np.random.default_rng(seed)
    found = np.full((3, replicates, len(scores)), np.nan)
    block = max(_CELLS // max(n, 1), 1)
    for first in range(0, replicates if n >= FEWEST else 0, block):
        samples = min(block, replicates - first)
        counts = [np.bincount(draws.integers(0, n, n), minlength=n) for _ in range(samples)]
        found[:, first : first + samples] = measures(np.array(counts, dtype=np.float64))
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


def _measured(score: _Order, later: _Outcome, discounts: Floats) -> Floats:
    """Spearman, NDCG and precision (3, samples) of units that stand in each sample some times."""
    groups = _Groups(score.sums(later.counts), later.total)
    spread = groups.spread() * later.spread
    common = _products(score.sums(later.counts * later.ranks), groups.ranks)
    reached = groups.discounted(score.sums(later.earned), discounts)
    hits = _products(score.sums(later.counts * later.best), groups.in_top(later.top))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array(
            [
                np.where(spread > 0, common / np.sqrt(spread), np.nan),
                np.where(later.ideal > 0, reached / later.ideal, np.nan),
                hits / later.top[:, 0],
            ]
        )
    found[:, ~later.enough] = np.nan
    return found


def _products(left: Floats, right: Floats) -> Floats:
    """Sum of the products of each sample, (samples,)."""
    return np.asarray(np.einsum("sg,sg->s", left, right))


class _Groups:
    """Groups of equal value in ascending order, (samples, groups), by how many units they hold.

    Attributes:
        ranks: midrank of each group less the middle rank.
    """

    def __init__(self, weights: Floats, total: Floats) -> None:
        self._weights, self._total = weights, total
        upto = np.cumsum(weights, axis=1)
        self._ahead = total - upto
        self.ranks = upto - weights / 2 + 0.5 - (total + 1) / 2
        self._size = np.maximum(weights, 1.0)

    def spread(self) -> Floats:
        """Sum of squares of the ranks of all units, (samples,)."""
        return _products(self._weights, self.ranks**2)

    def discounted(self, gains: Floats, discounts: Floats) -> Floats:
        """Expected discounted gain, best group first, over all orders inside a group; (samples,)."""
        reach = discounts[self._ahead.astype(np.int64)]
        # The units ahead of a group and its own are those ahead of the group before it.
        whole = discounts[self._total.astype(np.int64)]
        before = np.hstack([whole, reach[:, :-1]])
        return _products(gains / self._size, before - reach)

    def in_top(self, top: Floats) -> Floats:
        """Chance of each group's units to be among the first ``top``."""
        return np.clip((top - self._ahead) / self._size, 0.0, 1.0)
