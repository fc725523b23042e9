"""CUPED: variance reduction by what was known of each user before exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plumbline.statistics.means import Summary, summarise_mean
from plumbline.statistics.moments import Moments
from plumbline.statistics.outcomes import Codes, Floats, Outcome, Reason
from plumbline.statistics.ratios import linearised_variance, summarise_ratio


@dataclass(frozen=True)
class Adjusted:
    """Covariate-adjusted arms, ready for ``compare_means``.

    Attributes:
        control, treatment: summaries whose estimates are adjusted to the pooled covariate mean.
        theta: regression coefficient; 0 where the covariate does not vary.
        variance_reduction: 1 - adjusted / unadjusted squared error of the difference.
    """

    control: Summary
    treatment: Summary
    theta: Floats
    variance_reduction: Outcome


def _residual(summary: Summary, theta: Floats, gap: Floats, variance: Floats) -> Summary:
    """Arm whose estimate loses theta times its covariate's distance from the pooled mean."""
    return Summary(
        summary.n, summary.estimate, summary.rest - theta * gap, variance, summary.reasons
    )


def variance_reduction(
    before: tuple[Summary, Summary], after: tuple[Summary, Summary], reasons: Codes
) -> Outcome:
    """Share of the squared error of a difference that ``after`` lacks.

    Formula: 1 - after / before; undefined where ``before`` has none.
    """
    old = before[0].squared_error + before[1].squared_error
    new = after[0].squared_error + after[1].squared_error
    codes = np.where((reasons == 0) & (old <= 0), np.int8(Reason.ZERO_VARIANCE), reasons)
    return Outcome.of(1 - new / np.where(old > 0, old, 1.0), codes)


def adjust_means(control: Moments, treatment: Moments) -> Adjusted:
    """CUPED for means; variable 0 is the outcome, variable 1 the pre-exposure covariate.

    Estimand: difference of means, unchanged. Model: randomised arms, so the covariate has one
    mean. Formula: theta = sum over arms of c_yx / sum over arms of m2_x (0 if that is 0), the
    pooled *within*-arm slope of analysis of covariance; the adjusted mean is
    mean_y - theta (mean_x - pooled mean_x); the per-user variance is that of y - theta x.
    Source: Deng, Xu, Kohavi, Walker (2013); within-arm pooling as in ANCOVA.
    """
    squares = control.products[..., 1, 1] + treatment.products[..., 1, 1]
    cross = control.products[..., 0, 1] + treatment.products[..., 0, 1]
    theta = np.where(squares > 0, cross / np.where(squares > 0, squares, 1.0), 0.0)
    plain = summarise_mean(control), summarise_mean(treatment)
    share, gap = _pooling(control, treatment, 1)
    adjusted = tuple(
        _residual(summary, theta, gap * weight, linearised_variance(arm, 0, 1, theta))
        for arm, summary, weight in zip(
            (control, treatment), plain, (-share, 1 - share), strict=True
        )
    )
    codes = np.where(plain[0].reasons != 0, plain[0].reasons, plain[1].reasons)
    after = adjusted[0], adjusted[1]
    return Adjusted(*after, theta, variance_reduction(plain, after, codes))


def _pooling(control: Moments, treatment: Moments, variable: int) -> tuple[Floats, Floats]:
    """Treatment's share of users, and the difference of the arms' means of one variable."""
    share = treatment.n / np.maximum(control.n + treatment.n, 1)
    gap = treatment.mean[..., variable] - control.mean[..., variable]
    return share, gap + (treatment.rest[..., variable] - control.rest[..., variable])


def adjust_ratios(control: Moments, treatment: Moments) -> Adjusted:
    """CUPED for ratios; variables are numerator, denominator, and both before exposure.

    Estimand: difference of ratios of totals. Formula: both ratios are linearised,
    u = (m - R d) / mean_d in the arm and v = (x_m - Q x_d) / pooled mean of x_d with Q the pooled
    ratio before exposure; theta = sum c_uv / sum m2_v within arms (0 if that is 0, or if nobody had
    a denominator before); the adjusted ratio is R - theta mean(v), since v has pooled mean 0.
    Source: as ``adjust_means``, with the delta method of Deng, Knoblich, Lu (2018).
    """
    plain = summarise_ratio(control), summarise_ratio(treatment)
    n = np.maximum(control.n + treatment.n, 1)
    pooled = (
        (control.mean + control.rest) * control.n[..., None]
        + (treatment.mean + treatment.rest) * treatment.n[..., None]
    ) / n[..., None]
    has_pre = pooled[..., 3] != 0
    bottom = np.where(has_pre, pooled[..., 3], 1.0)
    ratio = pooled[..., 2] / bottom
    cross, squares = np.zeros(n.shape), np.zeros(n.shape)
    parts = []
    for arm, summary in zip((control, treatment), plain, strict=True):
        outcome = np.zeros((*n.shape, 4))
        mean_d = arm.mean[..., 1] + arm.rest[..., 1]
        safe = np.where(mean_d != 0, mean_d, 1.0)
        outcome[..., 0], outcome[..., 1] = 1 / safe, -summary.estimate / safe
        before = np.zeros((*n.shape, 4))
        before[..., 2], before[..., 3] = 1 / bottom, -ratio / bottom
        before *= has_pre[..., None]
        cross = cross + np.einsum("...i,...ij,...j->...", outcome, arm.products, before)
        squares = squares + np.einsum("...i,...ij,...j->...", before, arm.products, before)
        parts.append((outcome, before))
    theta = np.where(squares > 0, cross / np.where(squares > 0, squares, 1.0), 0.0)
    adjusted = []
    for arm, summary, (outcome, before) in zip((control, treatment), plain, parts, strict=True):
        weights = outcome - theta[..., None] * before
        total = np.einsum("...i,...ij,...j->...", weights, arm.products, weights)
        variance = np.maximum(total, 0.0) / np.maximum(arm.n - 1, 1)
        shift = ((arm.mean + arm.rest - pooled) * before).sum(axis=-1)
        adjusted.append(_residual(summary, theta, shift, variance))
    codes = np.where(plain[0].reasons != 0, plain[0].reasons, plain[1].reasons)
    after = adjusted[0], adjusted[1]
    return Adjusted(*after, theta, variance_reduction(plain, after, codes))
