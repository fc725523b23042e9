"""Order-free fingerprints of rows, day by day, without a detour through an engine.

Definition (version ``mix64-1``; it may never change under that name, for lakes keep the sums):

- A row is its key columns in the contract's order, then its business time.
- A text is cut into words of 8 bytes of its UTF-8, little-endian, the last one filled with zero
  bytes; its length in bytes follows as one more word. Null is the single word 2^64 - 1.
- A whole number is one word; a date or a time is the microseconds since 1970 as one word, where
  null is the word 2^63. Any other type is its text.
- The hash starts as ``_START``; each word w makes it ``h = (h xor w) * _STEP; h ^= h >> 32``; at
  the end ``h *= _LAST; h ^= h >> 29``. All arithmetic is modulo 2^64.
- The fingerprint of a day is the sum of the hashes of its rows, as an exact integer.

So it depends on no engine, version or machine, not on the order of rows and not on how they are
cut into files. It finds rows that were lost, doubled or changed by accident; it is no defence
against somebody who forges rows.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from plumbline.contract.model import Table
from plumbline.landing import buffers

VERSION = b"mix64-1"
# Footer key of fingerprint files: which definition their sums follow.
VERSION_KEY = b"plumbline.fingerprint"

_Words = npt.NDArray[np.uint64]
_Numbers = npt.NDArray[np.int64]

_START = 0x9E3779B97F4A7C15
_STEP = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_NULL_TEXT = np.uint64(2**64 - 1)
_NULL_NUMBER = -(2**63)
_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_NO_DAY = (date(1900, 1, 1) - _EPOCH).days
# Few enough rows at a time for the work to stay in the processor's cache, and few enough for
# sums of their 32-bit halves to be exact in a double.
_ROWS = 16_384
# Days a chunk may span before they are sorted instead of counted in place.
_SPAN = 200_000
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def _mix(state: _Words, words: _Words) -> _Words:
    state = (state ^ words) * _STEP
    state ^= state >> _HALF
    return state


def _single(column: Any) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, array.type)
    if pt.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array


def _text(state: _Words, array: pa.Array) -> _Words:
    """State after the texts of an array."""
    if not pt.is_string(array.type) and not pt.is_large_string(array.type):
        array = array.cast(pa.string())
    count = len(array)
    if array.null_count == count:
        return _mix(state, np.full(count, _NULL_TEXT))
    _, offset_buffer, data = array.buffers()
    kind = "<i8" if pt.is_large_string(array.type) else "<i4"
    offsets = np.frombuffer(offset_buffer, kind)[array.offset : array.offset + count + 1]
    low, high = int(offsets[0]), int(offsets[-1])
    starts = offsets[:-1].astype(np.int64) - low
    lengths = np.diff(offsets).astype(np.int64)
    missing = buffers.missing(array)
    if missing is not None:
        lengths[missing] = 0
    # Room for a whole word at the last byte.
    raw = np.zeros(high - low + 8, np.uint8)
    if high > low:
        raw[: high - low] = np.frombuffer(data, np.uint8)[low:high]
    words: _Words = np.ndarray((high - low + 1,), "<u8", buffer=raw, strides=(1,))
    shortest, longest = int(lengths.min()), int(lengths.max())
    # Ids of one length lie at equal distances, which is cheaper to walk than to look up.
    regular = shortest == longest and missing is None and shortest > 0
    done = 0
    while done < longest:
        if shortest >= done + 8:
            found = words[done::shortest][:count] if regular else words[starts + done]
            state = _mix(state, found)
        elif shortest > done:
            state = _mix(state, words[starts + done] & _MASKS[np.minimum(lengths - done, 8)])
        else:
            rows = np.flatnonzero(lengths > done)
            part = words[starts[rows] + done] & _MASKS[np.minimum(lengths[rows] - done, 8)]
            state[rows] = _mix(state[rows], part)
        done += 8
    ends = lengths.astype(np.uint64)
    if missing is not None:
        ends[missing] = _NULL_TEXT
    return _mix(state, ends)


def _numbers(array: pa.Array) -> _Numbers | None:
    """Whole numbers, dates and times as 64-bit numbers; None for other types."""
    if pt.is_date32(array.type):
        kind, factor = "<i4", _DAY_US
    elif pt.is_int64(array.type) or (pt.is_timestamp(array.type) and array.type.unit == "us"):
        kind, factor = "<i8", 1
    else:
        return None
    # A date far beyond any calendar wraps; it is refused when its day is named.
    numbers: _Numbers = buffers.numbers(array, kind).astype(np.int64) * factor
    missing = buffers.missing(array)
    if missing is not None:
        numbers[missing] = _NULL_NUMBER
    return numbers


def _days(moments: _Numbers, missing: npt.NDArray[np.bool_] | None) -> _Numbers:
    days = moments // _DAY_US
    if missing is not None:
        days[missing] = _NO_DAY
    return days


def fingerprint(table: Table, rows: pa.Table) -> list[tuple[date, int, int]]:
    """Count and order-free hash of rows by UTC day of the business time, days ascending.

    Args:
        table: contract of the rows.
        rows: at least the key columns and the business time, in the contract's types.

    Raises:
        OverflowError: a day lies outside the years 1 to 9999.
    """
    found: dict[int, tuple[int, int]] = {}
    names = [*table.key, table.time]
    whole = {name: _single(rows.column(name)) for name in names}
    for start in range(0, rows.num_rows, _ROWS):
        arrays = [whole[name].slice(start, _ROWS) for name in names]
        count = len(arrays[0])
        state: _Words = np.full(count, _START, np.uint64)
        for array in arrays:
            numbers = _numbers(array)
            whole_words = None if numbers is None else numbers.view(np.uint64)
            state = _text(state, array) if whole_words is None else _mix(state, whole_words)
        state *= _LAST
        state ^= state >> np.uint64(29)
        time = arrays[-1]
        moments = _numbers(time)
        if moments is None:
            raise TypeError(f"{table.name}.{table.time} is {time.type}, not a date or a time")
        days = _days(moments, buffers.missing(time))
        first, last = int(days.min()), int(days.max())
        if last - first < _SPAN:
            groups, distinct = days - first, None
        else:
            distinct, groups = np.unique(days, return_inverse=True)
        counts = np.bincount(groups)
        lows = np.bincount(groups, weights=(state & _LOW).astype(np.float64))
        highs = np.bincount(groups, weights=(state >> _HALF).astype(np.float64))
        for group in np.flatnonzero(counts).tolist():
            day = first + group if distinct is None else int(distinct[group])
            number, total = found.get(day, (0, 0))
            added = int(lows[group]) + (int(highs[group]) << 32)
            found[day] = (number + int(counts[group]), total + added)
    return [(_EPOCH + timedelta(days=day), *found[day]) for day in sorted(found)]
