"""Arrow's memory as numpy arrays, without the detour that imports pandas for every process."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numbers(array: pa.Array, kind: str) -> npt.NDArray[Any]:
    """Values of an array of fixed width, as they lie in memory; where one is null, any number.

    Args:
        array: array whose values have the width of ``kind``.
        kind: numpy name of the type, such as ``<i8``.
    """
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), kind)
    found: npt.NDArray[Any] = np.frombuffer(data, kind)[array.offset : array.offset + len(array)]
    return found


def missing(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    """Which values are null; None when none is."""
    if not array.null_count:
        return None
    return numbers(array.is_null().cast(pa.uint8()), "|u1").astype(np.bool_)
