"""Two groups of people that nobody assigned: how far apart are they, as they are and like with like?

A metric is a ratio of two sums over people (a mean where every denominator is 1). The person is the unit, so
a person's days and events may depend on each other as they like. All inputs are sums over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.special import ndtr

from plumbline.statistics.outcomes import (
    SMALLEST_PROBABILITY,
    ArrayLike,
    Bools,
    Floats,
    Interval,
    Outcome,
    Reason,
    floats,
    reasons_where,
)

# Below this share of the squares it came from, a variance is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class PersonSums:
    """Sums over people of numerator y and denominator x, each of shape (...).

    ``people`` is their number; ``yy``, ``xx`` and ``yx`` are sums of squares and products.
    """

    people: Floats
    y: Floats
    x: Floats
    yy: Floats
    xx: Floats
    yx: Floats

    @staticmethod
    def of(
        people: ArrayLike, y: ArrayLike, x: ArrayLike, yy: ArrayLike, xx: ArrayLike, yx: ArrayLike
    ) -> PersonSums:
        """Sums as arrays of doubles. Raises ``ValueError`` for NaN or infinite input."""
        return PersonSums(*(floats(value) for value in (people, y, x, yy, xx, yx)))

    def over_strata(self) -> PersonSums:
        """Sums over axis 1."""
        return PersonSums(*(part.sum(axis=1) for part in self._parts()))

    def placed(self, shape: tuple[int, ...], place: tuple[ArrayLike, ...]) -> PersonSums:
        """Sums of shape ``shape``, rows added at ``place``; 0 where there is no row."""
        parts = []
        for part in self._parts():
            array = np.zeros(shape)
            np.add.at(array, tuple(np.asarray(axis) for axis in place), part)
            parts.append(array)
        return PersonSums(*parts)

    def _parts(self) -> tuple[Floats, ...]:
        return self.people, self.y, self.x, self.yy, self.xx, self.yx


@dataclass(frozen=True)
class Comparison:
    """Group a against group b, one place per cell and adjustment, cells in the order of their names.

    ``people``, ``numerator``, ``denominator`` and ``value`` have a last axis of two: a, then b.
    """

    cells: tuple[tuple[str, str], ...]
    adjustment: tuple[str, ...]
    people: Floats
    numerator: Floats
    denominator: Floats
    value: Outcome
    coverage: Outcome
    difference: Outcome
    interval: Interval
    relative_difference: Outcome
    p_value: Outcome

    def columns(self) -> dict[str, Any]:
        """Columns of a table: one row per cell and adjustment; what is undefined is masked or None."""
        sided: dict[str, Any] = {}
        for place, side in enumerate("ab"):
            sided |= {
                f"people_{side}_count": self.people[:, place].astype(np.int64),
                f"numerator_{side}": self.numerator[:, place],
                f"denominator_{side}": self.denominator[:, place],
                f"value_{side}": self.value[:, place].masked().filled(np.nan),
            }
        return sided | {
            "comparison": [cell[0] for cell in self.cells],
            "metric": [cell[1] for cell in self.cells],
            "adjustment": list(self.adjustment),
            "coverage_rate": self.coverage.masked().filled(np.nan),
            "difference": self.difference.masked().filled(np.nan),
            "difference_low": np.where(self.interval.defined, self.interval.low, np.nan),
            "difference_high": np.where(self.interval.defined, self.interval.high, np.nan),
            "relative_difference": self.relative_difference.masked().filled(np.nan),
            "p_value": self.p_value.masked().filled(np.nan),
            "reason": self.p_value.names().tolist(),
        }


def _divide(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)


def _residual_variance(sums: PersonSums, ratio: Floats) -> Floats:
    """Sample variance over people of y - ratio * x; 0 where it is not more than rounding."""
    square = sums.yy - 2 * ratio * sums.yx + ratio**2 * sums.xx
    mean = _divide(sums.y - ratio * sums.x, sums.people)
    spread = square - sums.people * mean**2
    real = spread > ROUNDING * (sums.yy + ratio**2 * sums.xx)
    return np.where(real, _divide(spread, np.maximum(sums.people - 1, 1)), 0.0)


def _raw(sums: PersonSums) -> tuple[Floats, Floats, Floats, Floats]:
    """Numerator, denominator, variance of their ratio, people; of shape (cells, 2)."""
    whole = sums.over_strata()
    ratio = _divide(whole.y, whole.x)
    variance = _divide(whole.people * _residual_variance(whole, ratio), whole.x**2)
    return whole.y, whole.x, variance, whole.people


def _adjusted(sums: PersonSums) -> tuple[Floats, Floats, Floats, Floats]:
    """As :func:`_raw`, both groups weighted to the mix of strata of the two together.

    The combined ratio estimator of stratified sampling (Cochran, Sampling Techniques, 6.11): strata that
    hold at least two people of each group count, with the number of people of both as weight.
    """
    common = (sums.people >= 2).all(axis=2, keepdims=True)
    size = np.where(common, sums.people, 0.0).sum(axis=2, keepdims=True)
    weight = _divide(size, size.sum(axis=1, keepdims=True))
    total = size.sum(axis=(1, 2))[:, None]
    numerator = (weight * _divide(sums.y, sums.people)).sum(axis=1)
    denominator = (weight * _divide(sums.x, sums.people)).sum(axis=1)
    ratio = _divide(numerator, denominator)
    variances = weight**2 * _divide(_residual_variance(sums, ratio[:, None, :]), sums.people)
    variance = _divide(variances.sum(axis=1), denominator**2)
    people = np.where(common, sums.people, 0.0).sum(axis=1)
    return numerator * total, denominator * total, variance, people


def compare_groups(
    comparison: Sequence[str],
    metric: Sequence[str],
    stratum: Sequence[str],
    side: Sequence[str],
    sums: PersonSums,
    *,
    confidence: float,
    minimum_people: int,
) -> Comparison:
    """Difference a - b of ratios of sums over people, raw and adjusted for strata, of every cell.

    The variance of a ratio is that of its linearisation over people (delta method); the interval is normal.
    *Adjusted* weights each group to the same mix of strata; people in strata that only one group has
    enough of are left out, and ``coverage`` is the share of people that stay. Swapping the labels a and b
    changes the sign of the difference and nothing else, to the last bit.

    Args:
        comparison, metric: a cell is a pair of these; each of shape (rows,).
        stratum: stratum within a cell, shape (rows,).
        side: ``a`` or ``b``, shape (rows,).
        sums: sums over the people of the row, shape (rows,).
        confidence: coverage of the interval, in (0, 1).
        minimum_people: a group of fewer people is not compared.

    Raises:
        ValueError: a side is neither a nor b, the confidence is no probability, or a number is not finite.
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    if set(side) - {"a", "b"}:
        raise ValueError("a side is a or b")
    cells = sorted(set(zip(comparison, metric, strict=True)))
    strata = sorted(set(stratum))
    cell_place = {cell: place for place, cell in enumerate(cells)}
    stratum_place = {name: place for place, name in enumerate(strata)}
    dense = sums.placed(
        (len(cells), len(strata), 2),
        (
            np.array([cell_place[c] for c in zip(comparison, metric, strict=True)], dtype=np.int64),
            np.array([stratum_place[name] for name in stratum], dtype=np.int64),
            np.array([0 if name == "a" else 1 for name in side], dtype=np.int64),
        ),
    )
    estimates = [
        np.stack(pair) for pair in zip(_raw(dense), _adjusted(dense), strict=True)
    ]  # each (2 adjustments, cells, 2 sides)
    numerator, denominator, variance, people = (part.reshape(-1, 2) for part in estimates)
    everyone = np.tile(dense.people.sum(axis=(1, 2)), 2)
    is_adjusted = np.repeat([False, True], len(cells))
    result = _compared(
        numerator, denominator, variance, people, is_adjusted, confidence, minimum_people
    )
    coverage = Outcome.of(_divide(people.sum(axis=1), everyone))
    return Comparison(
        tuple((str(c), str(m)) for c, m in cells) * 2,
        ("raw",) * len(cells) + ("adjusted",) * len(cells),
        people, numerator, denominator, result[0], coverage, *result[1:],
    )  # fmt: skip


def _compared(
    numerator: Floats,
    denominator: Floats,
    variance: Floats,
    people: Floats,
    is_adjusted: Bools,
    confidence: float,
    minimum_people: int,
) -> tuple[Outcome, Outcome, Interval, Outcome, Outcome]:
    """Values, difference, interval, relative difference and p-value of shape (places, 2) or (places,)."""
    empty = reasons_where(
        people.shape,
        ((people == 0) & is_adjusted[:, None], Reason.NO_OVERLAP),
        (people == 0, Reason.NO_USERS),
        (denominator == 0, Reason.ZERO_DENOMINATOR),
    )
    value = Outcome.of(_divide(numerator, denominator), empty)
    error = np.sqrt(variance.sum(axis=1))
    first_reason = np.where(empty[:, 0] != 0, empty[:, 0], empty[:, 1])
    few = (people < minimum_people).any(axis=1)
    codes = np.where(first_reason != 0, first_reason, np.where(few, Reason.TOO_FEW_USERS, 0))
    difference = Outcome.of(value.values[:, 0] - value.values[:, 1], codes)
    flat = np.where(codes != 0, codes, np.where(error == 0, Reason.ZERO_VARIANCE, 0))
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    interval = Interval.of(difference.values - reach, difference.values + reach, flat)
    no_base = np.where(
        codes != 0, codes, np.where(value.values[:, 1] == 0, Reason.RELATIVE_UNDEFINED, 0)
    )
    relative = Outcome.of(_divide(difference.values, value.values[:, 1]), no_base)
    chance = 2 * ndtr(-_divide(np.abs(difference.values), error))
    return (
        value,
        difference,
        interval,
        relative,
        Outcome.of(np.maximum(chance, SMALLEST_PROBABILITY), flat),
    )
