"""How good predicted chances of a yes-or-no outcome are: order, size, and what to compare them with."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from plumbline.statistics.churn_models import fit_logistic
from plumbline.statistics.outcomes import Floats

_EDGE = 1e-12


def area_under_curve(labels: Floats, scores: Floats) -> float:
    """Chance that a row with label 1 scores above one with label 0, ties half; NaN without both.

    Mann-Whitney form of the area under the receiver operating characteristic (Hanley, McNeil 1982).
    """
    ones = float(labels.sum())
    zeros = len(labels) - ones
    if not ones or not zeros:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def area_low(area: float, ones: float, zeros: float, confidence: float) -> float:
    """Lower bound, one-sided, of an area under the curve (Hanley, McNeil 1982); NaN where the area is.

    Args:
        area: area under the curve.
        ones, zeros: rows with label 1 and 0.
        confidence: chance that the bound lies below the true area.
    """
    if not np.isfinite(area):
        return float("nan")
    above, below = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (ones - 1) * (above - area**2) + (zeros - 1) * (below - area**2)
    error = float(np.sqrt(max(spread, 0.0) / (ones * zeros)))
    return area - NormalDist().inv_cdf(confidence) * error


def average_precision(labels: Floats, scores: Floats) -> float:
    """Sum over score levels of precision times the rise of recall; NaN without a label 1."""
    if not labels.sum():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    recall = hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * hits[last] / (last + 1)).sum())


def brier(labels: Floats, chances: Floats) -> float:
    """Mean squared distance of chance and outcome (Brier 1950)."""
    return float(((chances - labels) ** 2).mean())


@dataclass(frozen=True)
class Calibration:
    """Logistic recalibration (Cox 1958): slope 1 and intercept 0 are perfect.

    Attributes:
        slope: of the outcome's log odds on the predicted ones; below 1 the chances are too extreme.
        intercept: what must be added to the predicted log odds, at slope 1; above 0 they are too low.
    """

    slope: float
    intercept: float


def calibration(labels: Floats, chances: Floats) -> Calibration:
    """Slope and intercept; NaN where labels are all alike, slope also where chances are."""
    if not 0 < labels.mean() < 1:
        return Calibration(float("nan"), float("nan"))
    predicted = logit(np.clip(chances, _EDGE, 1 - _EDGE))
    shift = fit_logistic(np.empty((len(labels), 0)), labels, 1.0, predicted).intercept
    deviation = float(predicted.std())
    if deviation < 1e-9:
        return Calibration(float("nan"), shift)
    standard = ((predicted - predicted.mean()) / deviation)[:, None]
    # The ridge is there for separable outcomes only; it moves nothing that is printed.
    try:
        fitted = fit_logistic(standard, labels, 1e-9)
    except ValueError:  # chances that part the outcomes without a mistake have no finite slope
        return Calibration(float("nan"), shift)
    return Calibration(float(fitted.beta[0]) / deviation, shift)


@dataclass(frozen=True)
class Bins:
    """Rows in the order of their chance, cut into bins of equal size; arrays of one value a bin."""

    row_count: Floats
    predicted: Floats
    churned_count: Floats
    low: Floats
    high: Floats


def calibration_bins(labels: Floats, chances: Floats, count: int) -> Bins:
    """Predicted beside observed in ``count`` bins, fewer when there are fewer rows."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    return Bins(
        np.asarray([len(part) for part in parts], dtype=np.float64),
        np.asarray([chances[part].mean() for part in parts]),
        np.asarray([labels[part].sum() for part in parts]),
        np.asarray([chances[part].min() for part in parts]),
        np.asarray([chances[part].max() for part in parts]),
    )


def deciles(chances: Floats) -> Floats:
    """1 for the tenth at highest risk to 10, in the order of the rows among ties."""
    place = np.empty(len(chances), dtype=np.float64)
    place[np.argsort(-chances, kind="stable")] = np.arange(len(chances))
    return np.asarray(np.floor(place * 10 / max(len(chances), 1)) + 1)


def paired_gain(
    labels: Floats, held: Floats, other: Floats, draws: int, confidence: float, seed: int
) -> tuple[float, float, float]:
    """Brier score of ``held`` less that of ``other`` on the same rows, with its bootstrap interval.

    Args:
        labels: outcomes, shape (rows,).
        held, other: chances of the two models, shape (rows,).
        draws: resamples of rows.
        confidence: coverage of the percentile interval (Efron 1979).
        seed: of the resamples.

    Returns:
        gain (above 0: ``other`` is better), lower and upper bound.
    """
    gains = (held - labels) ** 2 - (other - labels) ** 2
    random = np.random.default_rng(seed)
    means = np.asarray(
        [gains[random.integers(0, len(gains), len(gains))].mean() for _ in range(draws)]
    )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(gains.mean()), float(low), float(high)


def chance_of(log_odds: Floats) -> Floats:
    """Chances from log odds."""
    return np.asarray(expit(log_odds))
