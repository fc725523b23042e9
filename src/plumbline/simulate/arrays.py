"""Vectorised building blocks: short ids, stable hashes, ragged ranges, Arrow columns from numpy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]

MS_DAY = 86_400_000
_DIGITS = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
_CUBE, _FOURTH = 36**3, 36**4


def _digits(count: int, wide: int) -> npt.NDArray[np.uint8]:
    numbers = np.arange(count)
    places = [numbers // 36**power % 36 for power in reversed(range(wide))]
    return np.ascontiguousarray(_DIGITS[np.stack(places, axis=1)])


# The first three digits behind a one-letter prefix, and the last four, as one 32-bit word each.
_THREE = _digits(_CUBE, 3)
_FOUR = _digits(_FOURTH, 4).view("<u4").ravel()


@cache
def _leading(prefix: str) -> npt.NDArray[np.uint32]:
    words = np.empty((_CUBE, 4), dtype=np.uint8)
    words[:, 0] = ord(prefix)
    words[:, 1:] = _THREE
    return words.view("<u4").ravel()


def stream(seed: int, *names: int) -> np.random.Generator:
    """Independent random generator of one named purpose, so that purposes never disturb another."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *names])))


def hash_uniform(seed: int, *parts: Ints | int) -> Floats:
    """Uniform number in [0, 1) that depends only on its parts: the same pair, the same luck.

    Args:
        seed: seed of the run.
        parts: integers or integer arrays that broadcast together.
    """
    state = np.uint64((seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
    with np.errstate(over="ignore"):
        mixed: Any = np.atleast_1d(state)
        for part in parts:
            mixed = mixed ^ (np.asarray(part).astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93))
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def ranges(counts: Ints) -> Ints:
    """Position inside its group of each row of ``np.repeat(groups, counts)``: 0, 1, 0, 1, 2, ..."""
    total = int(counts.sum())
    starts = np.cumsum(counts) - counts
    return np.asarray(np.arange(total) - np.repeat(starts, counts))


def geometric(rng: np.random.Generator, mean: Floats | float, size: int) -> Ints:
    """Geometric counts from 1 up with the given mean (at least 1), capped at 40."""
    p = 1.0 / np.maximum(np.asarray(mean, dtype=np.float64), 1.0 + 1e-9)
    draws = np.log1p(-rng.random(size)) / np.log1p(-p)
    return np.asarray(np.minimum(1 + draws.astype(np.int64), 40))


def _validity(valid: npt.NDArray[np.bool_] | None) -> tuple[pa.Buffer | None, int]:
    if valid is None or bool(valid.all()):
        return None, 0
    return pa.py_buffer(np.packbits(valid, bitorder="little")), int((~valid).sum())


def text_ids(prefix: str, numbers: Ints) -> pa.Array:
    """Ids such as ``e0000a7``: one letter and six base-36 digits; a negative number is null.

    Two overlapping 32-bit words make an id: ``e000`` and ``00a7`` share their middle digit.
    """
    numbers = np.asarray(numbers)
    valid = numbers >= 0
    safe = (numbers if bool(valid.all()) else np.where(valid, numbers, 0)).astype(np.uint32)
    raw = np.empty(7 * len(numbers) + 8, dtype=np.uint8)
    shape, high = (len(numbers),), safe // np.uint32(_CUBE)
    fourth = safe - safe // np.uint32(_FOURTH) * np.uint32(_FOURTH)
    np.ndarray(shape, "<u4", raw, offset=0, strides=(7,))[:] = _leading(prefix)[high]
    np.ndarray(shape, "<u4", raw, offset=3, strides=(7,))[:] = _FOUR[fourth]
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(7)
    buffer, nulls = _validity(valid)
    return pa.Array.from_buffers(
        pa.string(), len(numbers), [buffer, pa.py_buffer(offsets), pa.py_buffer(raw[:-8])], nulls
    )


def codes(numbers: Ints, names: Sequence[str] | pa.Array) -> pa.Array:
    """Dictionary column from indexes into names; a negative index is null."""
    index = np.ascontiguousarray(numbers, dtype=np.int32)
    buffer, nulls = _validity(index >= 0)
    keys = pa.Array.from_buffers(pa.int32(), len(index), [buffer, pa.py_buffer(index)], nulls)
    texts = names if isinstance(names, pa.Array) else pa.array(list(names), pa.string())
    return pa.DictionaryArray.from_arrays(keys, texts, safe=False)


def times(milliseconds: Ints, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Timestamp column (microseconds, UTC) from milliseconds since 1970."""
    micros = np.asarray(milliseconds, dtype=np.int64) * 1000
    buffer, nulls = _validity(valid)
    return pa.Array.from_buffers(
        pa.timestamp("us"), len(micros), [buffer, pa.py_buffer(micros)], nulls
    )


def decimals(
    scaled: Ints, precision: int, scale: int, valid: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    """Decimal column from integers already multiplied by 10 ** scale."""
    pairs = np.empty((len(scaled), 2), dtype=np.int64)
    pairs[:, 0] = scaled
    pairs[:, 1] = pairs[:, 0] >> 63
    buffer, nulls = _validity(valid)
    return pa.Array.from_buffers(
        pa.decimal128(precision, scale), len(scaled), [buffer, pa.py_buffer(pairs)], nulls
    )


def dates(days: Ints) -> pa.Array:
    """Date column from days since 1970."""
    return pa.array(np.asarray(days, dtype=np.int32)).view(pa.date32())


def pick(rng: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """Index drawn with the given weights (they sum to 1)."""
    edges = np.cumsum(weights)[:-1]
    return np.asarray(np.searchsorted(edges, rng.random(size), side="right"), dtype=np.int8)
