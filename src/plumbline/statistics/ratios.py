"""Ratios of two per-user sums, with the user (or the randomised cluster) as the unit."""

from __future__ import annotations

import numpy as np

from plumbline.statistics.means import Summary
from plumbline.statistics.moments import Moments, user_reasons
from plumbline.statistics.outcomes import Codes, Floats, Reason


def summarise_ratio(moments: Moments, numerator: int = 0, denominator: int = 1) -> Summary:
    """Summary of mean(numerator) / mean(denominator) per arm.

    Estimand: ratio of totals. Model: independent users, both sums vary. Formula: linearise,
    z_i = (m_i - R d_i) / mean_d, so the per-user variance is
    (m2_m - 2 R c_md + R^2 m2_d) / ((n - 1) mean_d^2). With clusters (creators, bots, schools) in
    place of users and their user counts as denominator, the same formula gives the per-user mean of
    a cluster experiment. Compare with ``compare_means(..., allow_log_ratio=False)``: Fieller.
    Source: Deng, Knoblich, Lu (2018), "Applying the delta method in metric analytics".
    """
    top = moments.mean[..., numerator] + moments.rest[..., numerator]
    bottom = moments.mean[..., denominator] + moments.rest[..., denominator]
    empty = bottom == 0
    safe = np.where(empty, 1.0, bottom)
    ratio = top / safe
    return Summary(
        moments.n,
        np.asarray(ratio),
        np.zeros_like(ratio),
        linearised_variance(moments, numerator, denominator, ratio) / safe**2,
        _ratio_reasons(moments, empty),
    )


def linearised_variance(
    moments: Moments, numerator: int, denominator: int, ratio: Floats
) -> Floats:
    """Variance of m_i - R d_i per user, shape (...), at least 0.

    Formula: (m2_m - 2 R c_md + R^2 m2_d) / (n - 1).
    """
    products = moments.products
    total = (
        products[..., numerator, numerator]
        - 2 * ratio * products[..., numerator, denominator]
        + ratio**2 * products[..., denominator, denominator]
    )
    return np.asarray(np.maximum(total, 0.0) / np.maximum(moments.n - 1, 1))


def _ratio_reasons(moments: Moments, empty: Floats) -> Codes:
    codes = user_reasons(moments.n, moments.n < 2)
    return np.where((codes == 0) & empty, np.int8(Reason.ZERO_DENOMINATOR), codes).astype(np.int8)
