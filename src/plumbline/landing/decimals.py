"""Doubles to decimals without a detour through text, where that is provably exact."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from plumbline.landing import buffers

# Up to here every integer is a double and its quotient by a power of ten is rounded correctly.
_LARGEST = 10**15


def exact_decimals(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Decimals that the shortest texts of doubles denote.

    With k the integer nearest to x * 10^scale, x is k / 10^scale as written exactly when the
    division gives x back and k has at most 15 digits.

    Args:
        values: array of float64; nulls stay null.
        kind: decimal128 type of at most 18 digits.

    Returns:
        The decimals, or None when some value is not of that form (more decimals than the scale,
        too large, NaN or infinite) and must be judged as text.
    """
    if kind.precision > 18:
        return None
    numbers = buffers.numbers(values, "<f8")
    gaps = buffers.missing(values)
    if gaps is not None:
        numbers = np.where(gaps, 0.0, numbers)
    power = float(10**kind.scale)
    with np.errstate(all="ignore"):
        units = np.rint(numbers * power)
        fine = (units / power == numbers) & (np.abs(units) < min(_LARGEST, 10**kind.precision))
    if not fine.all():
        return None
    low = units.astype(np.int64)
    words = np.empty((len(low), 2), dtype="<i8")
    words[:, 0], words[:, 1] = low, low >> 63
    mask = None
    if gaps is not None:
        mask = pa.array(~gaps).buffers()[1]
    return pa.Array.from_buffers(kind, len(low), [mask, pa.py_buffer(words)])
