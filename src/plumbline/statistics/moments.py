"""Sufficient statistics that add: counts, and centred moments that merge by Chan's rule.

A mean is kept as a rounded part and a small remainder (``mean`` + ``rest``), because the rounding
error of a mean near 1e9 would otherwise be larger than the differences of means that a merge squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from plumbline.statistics.outcomes import (
    ArrayLike,
    Codes,
    Floats,
    Ints,
    Outcome,
    Reason,
    floats,
    reasons_where,
)


@dataclass(frozen=True)
class Counts:
    """Users and, of these, successes; integer arrays of one shape. ``+`` adds them."""

    users: Ints
    successes: Ints

    @staticmethod
    def of(users: ArrayLike, successes: ArrayLike) -> Counts:
        """Counts of array-likes; raises ``ValueError`` unless 0 <= successes <= users."""
        n, s = np.broadcast_arrays(np.atleast_1d(users), np.atleast_1d(successes))
        if ((s < 0) | (s > n)).any():
            raise ValueError("successes must lie between 0 and users")
        return Counts(n.astype(np.int64), s.astype(np.int64))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.users + other.users, self.successes + other.successes)

    def merged(self, axis: int) -> Counts:
        """Sum along one axis."""
        return Counts(self.users.sum(axis=axis), self.successes.sum(axis=axis))


@dataclass(frozen=True)
class Moments:
    """Centred moments of v variables per user, for cells of shape (...).

    Attributes:
        n: users, shape (...).
        mean: means, shape (..., v); the exact mean is ``mean + rest``.
        rest: what rounding took off ``mean``, shape (..., v).
        products: sums of (y_i - mean_i)(y_j - mean_j), shape (..., v, v).
        cubes: sums of (y_i - mean_i)^3, shape (..., v); 0 where it was not measured.
    """

    n: Ints
    mean: Floats
    rest: Floats
    products: Floats
    cubes: Floats

    @staticmethod
    def of_values(values: ArrayLike, cells: ArrayLike, count: int) -> Moments:
        """Moments of raw user values, in two passes.

        Args:
            values: shape (users,) or (users, v).
            cells: cell of each user, integers in [0, count).
            count: number of cells.
        """
        rows = floats(values)
        rows = rows[:, None] if rows.ndim == 1 else rows
        cell = np.asarray(cells, dtype=np.int64)
        n = np.bincount(cell, minlength=count).astype(np.int64)
        size = np.maximum(n, 1)[:, None]
        width = rows.shape[1]

        def total(columns: Floats) -> Floats:
            sums = [np.bincount(cell, columns[:, j], count) for j in range(columns.shape[1])]
            return np.stack(sums, axis=1)

        mean = total(rows) / size
        rest = total(rows - mean[cell]) / size
        centred = (rows - mean[cell]) - rest[cell]
        products = np.empty((count, width, width))
        for j in range(width):
            products[:, j, :] = total(centred * centred[:, [j]])
        return Moments(n, *two_sum(mean, rest), products, total(centred**3))

    @staticmethod
    def of_mean(n: ArrayLike, mean: ArrayLike, m2: ArrayLike, m3: ArrayLike = 0.0) -> Moments:
        """One variable: users, mean, centred sum of squares, and of cubes (0: not measured)."""
        users, means, squares, cubes = np.broadcast_arrays(
            *(np.atleast_1d(floats(array)) for array in (n, mean, m2, m3))
        )
        return Moments(
            users.astype(np.int64),
            means[..., None].copy(),
            np.zeros((*means.shape, 1)),
            squares[..., None, None].copy(),
            cubes[..., None].copy(),
        )

    @staticmethod
    def of_pair(
        n: ArrayLike,
        mean_first: ArrayLike,
        mean_second: ArrayLike,
        m2_first: ArrayLike,
        m2_second: ArrayLike,
        cross: ArrayLike,
    ) -> Moments:
        """Two variables: numerator and denominator of a ratio, or outcome and covariate."""
        users, *parts = np.broadcast_arrays(
            *(
                np.atleast_1d(floats(array))
                for array in (n, mean_first, mean_second, m2_first, m2_second, cross)
            )
        )
        first, second, xx, yy, xy = parts
        products = np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)
        mean = np.stack([first, second], axis=-1)
        zeros = np.zeros_like(mean)
        return Moments(users.astype(np.int64), mean, zeros, products, zeros)

    @property
    def variables(self) -> int:
        """Number of variables v."""
        return int(self.mean.shape[-1])

    def __getitem__(self, index: Any) -> Moments:
        """Cells by index (of the leading axes)."""
        return Moments(
            self.n[index],
            self.mean[index],
            self.rest[index],
            self.products[index],
            self.cubes[index],
        )

    def __add__(self, other: Moments) -> Moments:
        """Merge cell by cell.

        Formulas, with d = mean_b - mean_a: products add d_i d_j n_a n_b / n; cubes add
        d^3 n_a n_b (n_a - n_b) / n^2 + 3 d (n_a m2_b - n_b m2_a) / n.
        Source: Chan, Golub, LeVeque (1983); Pebay (2008).
        """
        n = self.n + other.n
        size = np.maximum(n, 1).astype(np.float64)[..., None]
        a, b = self.n[..., None].astype(np.float64), other.n[..., None].astype(np.float64)
        gap = (other.mean - self.mean) + (other.rest - self.rest)
        # An empty cell has mean 0, which is nobody's mean.
        gap = np.where((a > 0) & (b > 0), gap, 0.0)
        base = np.where(a > 0, self.mean, other.mean)
        small = np.where(a > 0, self.rest, other.rest) + gap * b / size
        weight = a * b / size
        products = self.products + other.products
        products = products + (gap[..., :, None] * gap[..., None, :]) * weight[..., None]
        squares = np.diagonal(self.products, axis1=-2, axis2=-1)
        other_squares = np.diagonal(other.products, axis1=-2, axis2=-1)
        cubes = self.cubes + other.cubes
        cubes = cubes + gap**3 * weight * (a - b) / size
        cubes = cubes + 3 * gap * (a * other_squares - b * squares) / size
        return Moments(n, *two_sum(base, small), products, cubes)

    def merged(self, axis: int) -> Moments:
        """Merge all cells along one leading axis, pairwise, so that errors grow with its logarithm."""
        left = self._moved(axis)
        while left.n.shape[0] > 1:
            half = left.n.shape[0] // 2
            merged = left[:half] + left[half : 2 * half]
            if left.n.shape[0] % 2:
                merged = _joined(merged, left[2 * half :])
            left = merged
        return left[0]

    def _moved(self, axis: int) -> Moments:
        lead = axis % self.n.ndim
        return Moments(
            np.moveaxis(self.n, lead, 0),
            np.moveaxis(self.mean, lead, 0),
            np.moveaxis(self.rest, lead, 0),
            np.moveaxis(self.products, lead, 0),
            np.moveaxis(self.cubes, lead, 0),
        )

    def m2(self, variable: int) -> Floats:
        """Centred sum of squares of one variable, shape (...)."""
        return np.asarray(self.products[..., variable, variable])

    def variance(self, variable: int) -> Outcome:
        """Unbiased variance m2 / (n - 1) of one variable; undefined below two users."""
        few = self.n < 2
        value = self.m2(variable) / np.maximum(self.n - 1, 1)
        return Outcome.of(value, user_reasons(self.n, few))

    def skewness(self, variable: int) -> Outcome:
        """Skewness m3 / n / (m2 / n)^1.5 of one variable; undefined where m2 is 0."""
        m2 = self.m2(variable)
        flat = m2 <= 0
        size = np.maximum(self.n, 1)
        value = self.cubes[..., variable] / size / np.where(flat, 1.0, m2 / size) ** 1.5
        reasons = reasons_where(
            self.n.shape, (self.n < 1, Reason.NO_USERS), (flat, Reason.ZERO_VARIANCE)
        )
        return Outcome.of(value, reasons)


def user_reasons(n: Ints, few: Any) -> Codes:
    """Reasons of arms. Formula: NO_USERS where n is 0, TOO_FEW_USERS where ``few`` holds."""
    return reasons_where(np.shape(n), (n < 1, Reason.NO_USERS), (few, Reason.TOO_FEW_USERS))


def two_sum(large: Floats, small: Floats) -> tuple[Floats, Floats]:
    """Rounded sum and its exact error.

    Formula: the error is (large - (total - v)) + (small - v) with v = total - large. Source: Knuth.
    """
    total = large + small
    virtual = total - large
    return total, (large - (total - virtual)) + (small - virtual)


def _joined(first: Moments, second: Moments) -> Moments:
    return Moments(
        np.concatenate([first.n, second.n]),
        np.concatenate([first.mean, second.mean]),
        np.concatenate([first.rest, second.rest]),
        np.concatenate([first.products, second.products]),
        np.concatenate([first.cubes, second.cubes]),
    )


def clt_weak(n: ArrayLike, skewness: ArrayLike) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether a normal approximation of the mean is weak: n < 355 skewness^2, per arm.

    Source: Kohavi, Deng, Longbotham, Xu (2014), "Seven rules of thumb", rule 7.
    """
    return np.asarray(floats(n) < 355 * floats(skewness) ** 2)
