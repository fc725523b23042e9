"""Rates that a judge gives, corrected by the answers that people labelled too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Interval,
    Outcome,
    Reason,
    reasons_where,
    together,
)


@dataclass(frozen=True)
class LabelledSums:
    """Sums of human labels y and judgements f, each of shape (cells,).

    Attributes:
        labelled, y, yy: answers with a human label, sum of the labels and of their squares.
        paired, pair_y, pair_f, pair_ff, pair_fy: answers with both, and the sums over them.
        judged, f, ff: answers with a judgement alone, and the sums over them.
    """

    labelled: Floats
    y: Floats
    yy: Floats
    paired: Floats
    pair_y: Floats
    pair_f: Floats
    pair_ff: Floats
    pair_fy: Floats
    judged: Floats
    f: Floats
    ff: Floats

    @staticmethod
    def of(*sums: ArrayLike) -> LabelledSums:
        """From the eleven sums in the order of the attributes."""
        return LabelledSums(*together(*sums))


@dataclass(frozen=True)
class Corrected:
    """Mean label with and without the judge, shape (cells,).

    Attributes:
        labels: mean of the labels alone, with ``labels_interval``.
        judge: mean of the judgements alone, biased as the judge is.
        corrected: mean of the labels, moved by what the judge says of the other answers.
        weight: how much the judge counts (lambda), 0 where it does not help.
    """

    labels: Outcome
    labels_interval: Interval
    judge: Outcome
    corrected: Outcome
    interval: Interval
    weight: Outcome


def prediction_powered_mean(sums: LabelledSums, alpha: float, minimum: int) -> Corrected:
    """Prediction-powered mean with tuned lambda (PPI++), labels without a judgement included.

    Estimand: mean label over all answers, labelled at random. Formula: y_bar - lambda (f_bar over paired
    - f_bar over judged alone), with lambda = (cov(y, f) / n) / (var(f) (1 / m + 1 / N)) for n labels of
    which m are paired and N judgements alone, held to [0, 1]; squared error var(y) / n + lambda^2 var(f)
    (1 / m + 1 / N) - 2 lambda cov(y, f) / n. With every label paired (m = n) this is PPI++. Lambda
    minimises the error, so the interval is never wider than that of the labels alone.
    Undefined below ``minimum`` labels; without judgements the labels stand alone (lambda 0).
    Source: Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023); Angelopoulos, Duchi, Zrnic (2023).

    Args:
        sums: labels and judgements.
        alpha: two-sided error of the intervals.
        minimum: fewest labels that give an interval.
    """
    n, m, big = sums.labelled, sums.paired, sums.judged
    size_n, size_m, size_big = (np.maximum(size, 1.0) for size in (n, m, big))
    mean_y = sums.y / size_n
    variance_y = np.maximum(sums.yy - sums.y * mean_y, 0.0) / np.maximum(n - 1, 1.0)
    mean_pair, mean_alone = sums.pair_f / size_m, sums.f / size_big
    both = size_m + np.where(big > 0, big, 0.0)
    mean_f = (sums.pair_f + sums.f) / np.maximum(both, 1.0)
    squares_f = sums.pair_ff + sums.ff - both * mean_f**2
    variance_f = np.maximum(squares_f, 0.0) / np.maximum(both - 1, 1.0)
    covariance = (sums.pair_fy - sums.pair_f * sums.pair_y / size_m) / np.maximum(m - 1, 1.0)
    spread = variance_f * (1 / size_m + 1 / size_big)
    useful = (m >= 2) & (big >= 1) & (spread > 0) & (covariance > 0)
    gain = np.where(useful, covariance, 0.0) / size_n
    weight = np.clip(np.where(useful, gain / np.where(spread > 0, spread, 1.0), 0.0), 0.0, 1.0)
    corrected = mean_y - weight * (mean_pair - mean_alone)
    plain = variance_y / size_n
    # A handful of pairs can claim more than there is: the judge cannot explain all of the labels' variance.
    squared = np.maximum(plain + weight**2 * spread - 2 * weight * gain, 0.01 * plain)
    codes = reasons_where(
        n.shape,
        (n < 1, Reason.NO_USERS),
        (n < minimum, Reason.TOO_FEW_USERS),
        (plain <= 0, Reason.ZERO_VARIANCE),
    )
    empty = reasons_where(n.shape, (n < 1, Reason.NO_USERS))
    z = float(special.ndtri(1 - alpha / 2))
    half, wide = z * np.sqrt(squared), z * np.sqrt(plain)
    everyone = m + big
    return Corrected(
        Outcome.of(mean_y, empty),
        Interval.of(mean_y - wide, mean_y + wide, codes),
        Outcome.of(
            (sums.pair_f + sums.f) / np.maximum(everyone, 1.0),
            reasons_where(n.shape, (everyone < 1, Reason.NO_USERS)),
        ),
        Outcome.of(corrected, empty),
        Interval.of(corrected - half, corrected + half, codes),
        Outcome.of(weight, empty),
    )


@dataclass(frozen=True)
class RoganGladen:
    """Rate of a judge with known errors, shape (cells,)."""

    sensitivity: Outcome
    specificity: Outcome
    rate: Outcome
    interval: Interval


def rogan_gladen(
    true_positive: ArrayLike,
    false_negative: ArrayLike,
    false_positive: ArrayLike,
    true_negative: ArrayLike,
    judged: ArrayLike,
    flagged: ArrayLike,
    alpha: float,
) -> RoganGladen:
    """True rate from an imperfect judge's rate and its confusion with people.

    Formula: (p + sp - 1) / (se + sp - 1), held to [0, 1], with squared error (p (1 - p) / N + r^2 se (1 -
    se) / n_1 + (1 - r)^2 sp (1 - sp) / n_0) / (se + sp - 1)^2. Undefined without labelled answers of both
    kinds, without judgements, and where the judge is no better than a coin (se + sp <= 1).
    Source: Rogan and Gladen (1978).

    Args:
        true_positive, false_negative, false_positive, true_negative: labelled answers, judge against people.
        judged, flagged: answers judged alone, and flagged among them.
        alpha: two-sided error of the interval.
    """
    tp, fn, fp, tn, total, raised = together(
        true_positive, false_negative, false_positive, true_negative, judged, flagged
    )
    ill, well = tp + fn, fp + tn
    sensitivity = tp / np.maximum(ill, 1.0)
    specificity = tn / np.maximum(well, 1.0)
    rate = raised / np.maximum(total, 1.0)
    youden = sensitivity + specificity - 1
    codes = reasons_where(
        tp.shape,
        ((ill < 1) | (well < 1) | (total < 1), Reason.NO_USERS),
        (youden <= 0, Reason.ZERO_DENOMINATOR),
    )
    scale = np.where(codes == 0, youden, 1.0)
    true_rate = np.clip((rate + specificity - 1) / scale, 0.0, 1.0)
    squared = (
        rate * (1 - rate) / np.maximum(total, 1.0)
        + true_rate**2 * sensitivity * (1 - sensitivity) / np.maximum(ill, 1.0)
        + (1 - true_rate) ** 2 * specificity * (1 - specificity) / np.maximum(well, 1.0)
    ) / scale**2
    half = float(special.ndtri(1 - alpha / 2)) * np.sqrt(squared)
    return RoganGladen(
        Outcome.of(sensitivity, reasons_where(tp.shape, (ill < 1, Reason.NO_USERS))),
        Outcome.of(specificity, reasons_where(tp.shape, (well < 1, Reason.NO_USERS))),
        Outcome.of(true_rate, codes),
        Interval.of(np.maximum(true_rate - half, 0.0), np.minimum(true_rate + half, 1.0), codes),
    )
