"""What every function of the package returns: arrays of values, and reasons where there is none.

An undefined result is not a number. It is a place in an array whose reason is not ``Reason.DEFINED``;
the value stored there is 0, so that no NaN and no infinity can leak into a table, and
``Outcome.masked`` hides it. Publish ``masked()`` and ``names()``: null with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.int8]
ArrayLike: TypeAlias = npt.ArrayLike

# Smallest p-value that is stored: a probability is never printed as exactly 0.
SMALLEST_PROBABILITY = float(np.finfo(np.float64).tiny)


class Reason(IntEnum):
    """Why a value does not exist. ``DEFINED`` means that it does."""

    DEFINED = 0
    NO_USERS = 1
    TOO_FEW_USERS = 2
    TOO_FEW_EVENTS = 3
    ZERO_VARIANCE = 4
    ZERO_DENOMINATOR = 5
    RELATIVE_UNDEFINED = 6
    INFINITE_MEAN = 7
    UNBOUNDED = 8
    NO_OVERLAP = 9
    TOO_FEW_PERIODS = 10
    NO_TRIGGERED_USERS = 11
    ZERO_WEIGHT = 12
    NOT_MEASURED = 13

    @property
    def label(self) -> str:
        """Name for tables: lower case, as in ``relative_undefined``."""
        return self.name.lower()


def floats(values: ArrayLike) -> Floats:
    """Array of doubles. Raises ``ValueError`` for NaN or infinite input: inputs are counts and sums."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("inputs must be finite numbers; leave out cells that are missing")
    return array


def together(*values: ArrayLike) -> list[Floats]:
    """Arrays of doubles of one common shape (at least one dimension), checked to be finite."""
    shaped = np.broadcast_arrays(*(np.atleast_1d(floats(value)) for value in values))
    return [np.asarray(array, dtype=np.float64) for array in shaped]


def reasons_where(shape: tuple[int, ...], *cases: tuple[Any, Reason]) -> Codes:
    """Reason codes of ``shape``: of the conditions that hold at a place the first one wins."""
    codes = np.zeros(shape, dtype=np.int8)
    for condition, reason in reversed(cases):
        codes = np.where(condition, np.int8(reason), codes)
    return codes


@dataclass(frozen=True)
class Outcome:
    """Values of shape (...), each with the reason why it is undefined or ``Reason.DEFINED``.

    ``values`` is 0 wherever it is undefined.
    """

    values: Floats
    reasons: Codes

    @staticmethod
    def of(values: ArrayLike, reasons: ArrayLike | None = None) -> Outcome:
        """Outcome of ``values``; what is undefined, by its reason, is blanked."""
        array = np.asarray(values, dtype=np.float64)
        codes = np.zeros(array.shape, np.int8) if reasons is None else np.asarray(reasons, np.int8)
        codes = np.broadcast_to(codes, array.shape)
        blanked = np.where(codes == Reason.DEFINED, array, 0.0)
        if not np.isfinite(blanked).all():
            raise FloatingPointError("a value that claims to be defined is not a finite number")
        return Outcome(blanked, codes)

    @property
    def defined(self) -> Bools:
        """Where a value exists."""
        return np.asarray(self.reasons == Reason.DEFINED)

    def masked(self) -> np.ma.MaskedArray[Any, np.dtype[np.float64]]:
        """Values as a masked array: undefined places are masked, so that they become null."""
        return np.ma.MaskedArray(self.values, mask=~self.defined)

    def names(self) -> npt.NDArray[np.object_]:
        """Reason of each undefined value as text, None where the value is defined."""
        labels = np.array([None, *(reason.label for reason in Reason if reason)], dtype=object)
        return np.asarray(labels[self.reasons.astype(np.int64)], dtype=object)

    def __getitem__(self, index: Any) -> Outcome:
        return Outcome(np.asarray(self.values[index]), np.asarray(self.reasons[index]))


@dataclass(frozen=True)
class Interval:
    """Lower and upper bounds of shape (...), both 0 where ``reasons`` says that there is no interval."""

    low: Floats
    high: Floats
    reasons: Codes

    @staticmethod
    def of(low: ArrayLike, high: ArrayLike, reasons: ArrayLike | None = None) -> Interval:
        """Interval of two arrays; what is undefined, by its reason, is blanked."""
        lower, upper = Outcome.of(low, reasons), Outcome.of(high, reasons)
        return Interval(lower.values, upper.values, lower.reasons)

    @property
    def defined(self) -> Bools:
        """Where an interval exists."""
        return np.asarray(self.reasons == Reason.DEFINED)

    @property
    def width(self) -> Floats:
        """Upper minus lower bound; 0 where there is no interval."""
        return np.asarray(self.high - self.low)

    def contains(self, value: ArrayLike) -> Bools:
        """Whether the interval exists and holds ``value``."""
        inside = (self.low <= np.asarray(value)) & (np.asarray(value) <= self.high)
        return np.asarray(self.defined & inside)
