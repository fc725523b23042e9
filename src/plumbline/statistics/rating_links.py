"""Does a good rating go with paying later: plain, and with like compared with like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.statistics.moments import Moments
from plumbline.statistics.observational import Estimate, WeightedEffect, e_value, weighted_effect
from plumbline.statistics.outcomes import (
    ArrayLike,
    Floats,
    Outcome,
    Reason,
    reasons_where,
    together,
)


@dataclass(frozen=True)
class Links:
    """One entry per outcome, in the order of ``outcomes``.

    Attributes:
        outcomes: names.
        people: people with a low and with a high rating, shape (outcomes, 2).
        successes: those with the outcome, likewise.
        effect: naive and adjusted differences, high minus low.
        risk_e_value: E-value of the adjusted risk ratio.
    """

    outcomes: tuple[str, ...]
    people: Floats
    successes: Floats
    effect: WeightedEffect
    risk_e_value: Outcome

    @property
    def adjusted(self) -> Estimate:
        """The doubly robust difference."""
        return self.effect.doubly_robust


def rating_links(
    outcome: Sequence[str],
    stratum: Sequence[str],
    is_high: ArrayLike,
    people: ArrayLike,
    successes: ArrayLike,
    *,
    clip: tuple[float, float],
    alpha: float,
) -> Links:
    """Difference of the outcome's share between people with a high and with a low rating.

    Estimand: average difference over people of strata that hold both; an association, causal only if
    nothing but the strata decides both rating and outcome. Formulas: ``weighted_effect`` over moments of
    a 0/1 outcome. The E-value is that of (low + adjusted difference) / low, low being the share of people
    with a low rating.

    Args:
        outcome, stratum: of each row, shape (rows,).
        is_high: 1 for people with a high rating, 0 with a low one.
        people, successes: people of the row and those with the outcome.
        clip: lowest and highest propensity.
        alpha: two-sided error of intervals.
    """
    names, strata = sorted(set(outcome)), sorted(set(stratum))
    counts = np.zeros((2, 2, max(len(strata), 1), len(names)))
    at = (
        np.asarray(is_high, dtype=np.int64).reshape(-1),
        np.array([strata.index(name) for name in stratum], dtype=np.int64),
        np.array([names.index(name) for name in outcome], dtype=np.int64),
    )
    size, good = together(people, successes)
    np.add.at(counts[0], at, size)
    np.add.at(counts[1], at, good)
    arms = []
    for arm in (0, 1):
        n, k = counts[0, arm], counts[1, arm]
        share = k / np.maximum(n, 1.0)
        arms.append(Moments.of_mean(n, share, n * share * (1 - share)))
    effect = weighted_effect(arms[0], arms[1], clip, alpha)
    total, won = counts[0].sum(axis=1).T, counts[1].sum(axis=1).T
    base = won[:, 0] / np.maximum(total[:, 0], 1.0)
    shifted = base + effect.doubly_robust.difference.values
    codes = np.where(
        effect.doubly_robust.difference.reasons != 0,
        effect.doubly_robust.difference.reasons,
        reasons_where(base.shape, ((base <= 0) | (shifted <= 0), Reason.RELATIVE_UNDEFINED)),
    )
    ratio = np.where(codes == 0, shifted, 1.0) / np.where(codes == 0, base, 1.0)
    bound = e_value(ratio) if names else np.zeros(0)
    return Links(tuple(names), total, won, effect, Outcome.of(bound.reshape(base.shape), codes))
