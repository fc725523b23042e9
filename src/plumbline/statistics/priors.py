"""Empirical-Bayes prior of effects per metric: a spike at nothing and a normal around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Bools,
    Floats,
    Ints,
    Outcome,
    Reason,
    reasons_where,
    together,
)

_GRID = 40
_REFINEMENTS = 30
# Newton's steps for the share, halving where one would leave its bounds, until none moves further than this.
_STEPS = 60
_CLOSE = 1e-9
# Shares lie inside (0, 1): a prior that is sure could never learn.
_EDGE = 2.0**-51


@dataclass(frozen=True)
class EffectPrior:
    """Prior of each metric, shape (metrics,); freeze it when an experiment starts.

    Attributes:
        share: pi1, the share of cells with a real effect.
        deviation: tau, standard deviation of real effects, in the units of the effects.
        cells: finished cells it was fitted on.
        is_fallback: whether there were too few and the given values were taken.
    """

    share: Floats
    deviation: Floats
    cells: Ints
    is_fallback: Bools


def _log_bayes_factor(x: Floats, squared: Floats, tau: Floats) -> Floats:
    """log N(x; 0, se^2 + tau^2) - log N(x; 0, se^2)."""
    ratio = tau * tau / squared
    return np.asarray(x * x / squared * ratio / (2 * (1 + ratio)) - np.log1p(ratio) / 2)


def _best_share(gain: Floats, metric: Ints, start: Floats) -> Floats:
    """Share of each metric that maximises sum log(1 + share gain), by safeguarded Newton steps.

    Args:
        gain: Bayes factor of a real effect against none, less 1, shape (cells,).
        metric: metric of each cell.
        start: where to start from, shape (metrics,), inside (0, 1).
    """
    count = len(start)
    bottom, top, share = np.full(count, _EDGE), np.full(count, 1 - _EDGE), start
    rises = {
        edge: np.bincount(metric, gain / (1 + edge * gain), count) > 0
        for edge in (_EDGE, 1 - _EDGE)
    }
    # A likelihood that only falls or only rises has its best share at an edge.
    at_edge = ~rises[_EDGE] | rises[1 - _EDGE]
    share = np.where(at_edge, np.where(rises[_EDGE], 1 - _EDGE, _EDGE), share)
    for _ in range(_STEPS):
        term = gain / (1 + share[metric] * gain)
        slope = np.bincount(metric, term, count)
        curve = np.bincount(metric, term * term, count)
        bottom = np.where(slope > 0, share, bottom)
        top = np.where(slope > 0, top, share)
        moved = share + slope / np.where(curve > 0, curve, 1.0)
        moved = np.where((moved > bottom) & (moved < top), moved, (bottom + top) / 2)
        moved = np.where(at_edge, share, moved)
        step, share = np.abs(moved - share).max(initial=0.0), moved
        if step < _CLOSE:
            break
    return share


def fit_effect_prior(
    effects: ArrayLike,
    standard_errors: ArrayLike,
    metrics: ArrayLike,
    count: int,
    minimum_cells: int,
    fallback_share: float,
    fallback_deviation: float,
) -> EffectPrior:
    """Maximum-likelihood spike and slab, metric by metric, on finished experiments.

    Estimand: pi1 and tau of effect ~ (1 - pi1) delta_0 + pi1 N(0, tau^2). Model: estimate ~
    N(effect, se^2), cells independent. Formula: profile likelihood; for each tau on a geometric grid
    the likelihood is concave in pi1 and the root of its derivative is found by safeguarded Newton
    steps, then tau is refined by golden
    section. Metrics with fewer than ``minimum_cells`` usable cells get the fallback.
    Source: Johnstone and Silverman (2004); Deng (2015) for A/B tests.

    Args:
        effects, standard_errors: of finished cells, shape (cells,); cells with error 0 are left out.
        metrics: metric of each cell, integers in [0, count).
        count: number of metrics.
        minimum_cells: fewer cells give the fallback.
        fallback_share, fallback_deviation: pi1 and tau of the fallback.
    """
    x, error = together(effects, standard_errors)
    metric = np.asarray(metrics, dtype=np.int64)
    used = error > 0
    x, squared, metric = x[used], error[used] ** 2, metric[used]
    cells = np.bincount(metric, minlength=count)
    size, smallest = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(size, metric, np.abs(x))
    np.minimum.at(smallest, metric, np.sqrt(squared))
    low = np.where(np.isfinite(smallest), smallest, 1.0) / 20
    high = np.maximum(2 * size, 4 * low)

    def profile(tau: Floats, start: Floats) -> tuple[Floats, Floats]:
        """Best share of each metric at its tau, and the log likelihood against the spike alone."""
        gain = np.expm1(np.minimum(_log_bayes_factor(x, squared, tau[metric]), 600.0))
        share = _best_share(gain, metric, start)
        gained = np.bincount(metric, np.log1p(share[metric] * gain), count)
        return share, np.asarray(gained, np.float64)

    ratio = np.log(high / low)
    middle = np.full(count, 0.5)
    nearby = middle

    def likelihood(place: Floats) -> Floats:
        nonlocal nearby
        # The best share of a nearby tau is a good place to start from.
        share, gained = profile(low * np.exp(ratio * place), nearby)
        nearby = np.where((share > _EDGE) & (share < 1 - _EDGE), share, middle)
        return gained

    logs = np.linspace(0, 1, _GRID)
    scores = np.stack([likelihood(np.full(count, place)) for place in logs])
    best = np.clip(scores.argmax(axis=0), 1, _GRID - 2)
    left, right = logs[best - 1], logs[best + 1]
    golden = (np.sqrt(5) - 1) / 2
    one, two = right - golden * (right - left), left + golden * (right - left)
    first, second = likelihood(one), likelihood(two)
    for _ in range(_REFINEMENTS):
        # Of the two inner points one stays inner: only the other is new.
        keep = first >= second
        left, right = np.where(keep, left, one), np.where(keep, two, right)
        new = np.where(keep, right - golden * (right - left), left + golden * (right - left))
        found = likelihood(new)
        one, two = np.where(keep, new, two), np.where(keep, one, new)
        first, second = np.where(keep, found, second), np.where(keep, first, found)
    tau = low * np.exp(ratio * (left + right) / 2)
    share = profile(tau, nearby)[0]
    poor = cells < minimum_cells
    return EffectPrior(
        np.where(poor, fallback_share, share),
        np.where(poor, fallback_deviation, tau),
        cells.astype(np.int64),
        poor,
    )


@dataclass(frozen=True)
class EffectPosterior:
    """Posterior of effects under a spike-and-normal prior, shape of the cells.

    Attributes:
        local_fdr: P(effect is 0 | estimate), the chance that calling it real is false.
        mean, deviation: of the effect if it is real.
    """

    local_fdr: Outcome
    mean: Outcome
    deviation: Outcome

    def probability_above(self, bound: ArrayLike) -> Outcome:
        """P(effect > bound), the spike at 0 included."""
        limit = np.broadcast_to(np.asarray(bound, np.float64), self.mean.values.shape)
        spike = np.where(limit < 0, self.local_fdr.values, 0.0)
        return self._mixed(spike, (self.mean.values - limit))

    def probability_below(self, bound: ArrayLike) -> Outcome:
        """P(effect < bound), the spike at 0 included."""
        limit = np.broadcast_to(np.asarray(bound, np.float64), self.mean.values.shape)
        spike = np.where(limit > 0, self.local_fdr.values, 0.0)
        return self._mixed(spike, (limit - self.mean.values))

    def _mixed(self, spike: Floats, distance: Floats) -> Outcome:
        ok = self.mean.reasons == 0
        z = np.where(ok, distance, 0.0) / np.where(ok, self.deviation.values, 1.0)
        value = spike + (1 - self.local_fdr.values) * special.ndtr(z)
        return Outcome.of(value, self.mean.reasons)


def effect_posterior(
    effect: Outcome, standard_error: Outcome, share: ArrayLike, deviation: ArrayLike
) -> EffectPosterior:
    """Local false discovery rate and posterior of effects.

    Estimand: P(effect = 0 | estimate). Model: as ``fit_effect_prior``. Formula:
    (1 - pi1) N(x; 0, se^2) / ((1 - pi1) N(x; 0, se^2) + pi1 N(x; 0, se^2 + tau^2)); given a real
    effect N(x tau^2 / (tau^2 + se^2), tau^2 se^2 / (tau^2 + se^2)). Because the posterior is a
    martingale, stopping at local fdr <= q keeps the false discovery rate at q, however often one
    looks, if the prior is right. Source: Efron (2001); Deng, Lu, Chen (2016) for looking often.

    Args:
        effect, standard_error: estimates in the units of the prior, as the log ratio.
        share: pi1 in [0, 1), one value or one per cell.
        deviation: tau > 0.
    """
    pi, tau = (
        np.broadcast_to(np.asarray(value, dtype=np.float64), effect.values.shape)
        for value in (share, deviation)
    )
    if ((pi < 0) | (pi >= 1) | (tau <= 0)).any():
        raise ValueError("the share must lie in [0, 1) and the deviation must be positive")
    reasons = np.where(effect.reasons != 0, effect.reasons, standard_error.reasons)
    flat = standard_error.values <= 0
    reasons = np.where(
        reasons != 0, reasons, reasons_where(reasons.shape, (flat, Reason.ZERO_VARIANCE))
    ).astype(np.int8)
    ok = reasons == 0
    squared = np.where(ok, standard_error.values, 1.0) ** 2
    x = np.where(ok, effect.values, 0.0)
    with np.errstate(divide="ignore"):
        odds = np.log(pi) - np.log1p(-pi) + _log_bayes_factor(x, squared, tau)
    shrink = tau**2 / (tau**2 + squared)
    return EffectPosterior(
        Outcome.of(special.expit(-odds), reasons),
        Outcome.of(x * shrink, reasons),
        Outcome.of(np.sqrt(shrink * squared), reasons),
    )
