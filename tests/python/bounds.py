"""Bounds for tests that recover planted truth.

A count with planted mean m and variance v is held to four standard deviations (a false alarm in
16,000). The largest of k such deviations is held to the two-sided Bonferroni quantile for ALPHA. A bound
says nothing when it is wide, so the tests also hold the bound itself to the deviation it must see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

SIGMAS = 4.0
ALPHA = 1e-4
# Below this variance the binomial is too skewed for a normal bound five deviations out; such cells are
# left to the exact counts and to the pooled test.
ENOUGH = 25.0


def recovers(found: float, mean: float, variance: float, sees: float) -> None:
    """The count is within its error, and the error is small enough to see a relative deviation."""
    reach = SIGMAS * sqrt(variance)
    assert reach <= sees * mean, f"too few to see {sees:.1%}: the bound is {reach / mean:.2%}"
    assert abs(found - mean) <= reach, (found, mean, sqrt(variance))


class Cell(NamedTuple):
    """A binomial count beside its planted mean and variance."""

    found: float
    mean: float
    variance: float

    @property
    def score(self) -> float:
        return (self.found - self.mean) / sqrt(self.variance)


def binomials(rows: Iterable[tuple[float, float, float]]) -> list[Cell]:
    """Cells of (successes, trials, chance)."""
    return [Cell(found, n * p, n * p * (1 - p)) for found, n, p in rows]


def family_bound(size: int) -> float:
    """Deviation that the largest of so many exceeds with probability ALPHA."""
    return NormalDist().inv_cdf(1 - ALPHA / (2 * size))


def scores_are_noise(cells: Iterable[Cell], at_least: int) -> None:
    """No large cell is off, and they scatter together as much as chance says, not more.

    The sum of k squared scores has mean k. Its variance is 2k plus (1 - 6pq)/npq a cell, at most 1/ENOUGH:
    2k(1 + 0.02) bounds it, and five of these deviations cover the right tail of a chi-square as well.
    """
    scores = [cell.score for cell in cells if cell.variance >= ENOUGH]
    total, size = sum(score**2 for score in scores), len(scores)
    assert size >= at_least
    assert max(map(abs, scores)) <= family_bound(size)
    assert total <= size + 5 * sqrt(2.04 * size), (total, size)


def pooled(cells: Sequence[Cell], sees: float) -> None:
    """All cells together."""
    recovers(
        sum(cell.found for cell in cells), sum(cell.mean for cell in cells),
        sum(cell.variance for cell in cells), sees,
    )  # fmt: skip
