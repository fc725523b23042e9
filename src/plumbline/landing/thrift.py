"""Thrift's compact protocol, as far as the footer of a Parquet file needs it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, _MAP, STRUCT = range(1, 13)
_NUMBERS = (I16, I32, I64)
# From here a list's size stands in bytes of its own.
_LONG = 15
# A footer nests a handful of levels; more is no footer.
_DEPTH = 16


@dataclass
class Values:
    """A list and the type of its elements."""

    type: int
    items: list[Any]


# A structure: field number -> (type, value).
Struct = dict[int, tuple[int, Any]]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def byte(self) -> int:
        value = self.data[self.position]
        self.position += 1
        return value

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("number too long")

    def signed(self) -> int:
        value = self.unsigned()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind: int, depth: int) -> Any:
        if depth > _DEPTH:
            raise ValueError("nested too deep")
        found: Any
        if kind in _NUMBERS:
            found = self.signed()
        elif kind == BINARY:
            found = self.raw(self.unsigned())
        elif kind == STRUCT:
            found = self.struct(depth + 1)
        elif kind in (LIST, SET):
            head = self.byte()
            size = head >> 4 if head >> 4 < _LONG else self.unsigned()
            of = head & 0x0F
            single = of in (TRUE, FALSE)
            items = [self.byte() if single else self.value(of, depth + 1) for _ in range(size)]
            found = Values(of, items)
        elif kind == BYTE:
            found = self.byte()
        elif kind == DOUBLE:
            found = struct.unpack("<d", self.raw(8))[0]
        else:
            raise ValueError(f"unknown type {kind}")
        return found

    def raw(self, size: int) -> bytes:
        found = self.data[self.position : self.position + size]
        if len(found) != size:
            raise ValueError("text ends early")
        self.position += size
        return found

    def struct(self, depth: int) -> Struct:
        found: Struct = {}
        number = 0
        while head := self.byte():
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self.signed()
            value = kind == TRUE if kind in (TRUE, FALSE) else self.value(kind, depth)
            found[number] = (kind, value)
        return found


def read(data: bytes) -> Struct:
    """Parse one structure.

    Raises:
        ValueError: it is none.
    """
    try:
        return _Reader(data).struct(0)
    except IndexError as error:
        raise ValueError("the structure ends early") from error


def _unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _signed(value: int) -> bytes:
    return _unsigned(value << 1 if value >= 0 else (-value << 1) - 1)


def _value(kind: int, value: Any) -> bytes:
    out: bytes
    if kind in _NUMBERS:
        out = _signed(value)
    elif kind == BINARY:
        out = _unsigned(len(value)) + value
    elif kind == STRUCT:
        out = write(value)
    elif kind in (LIST, SET):
        size = len(value.items)
        long = size >= _LONG
        head = bytes([(_LONG if long else size) << 4 | value.type])
        single = value.type in (TRUE, FALSE, BYTE)
        items = [bytes([i]) if single else _value(value.type, i) for i in value.items]
        out = head + (_unsigned(size) if long else b"") + b"".join(items)
    elif kind == BYTE:
        out = bytes([value])
    else:
        out = struct.pack("<d", value)
    return out


def write(fields: Struct) -> bytes:
    """The bytes of a structure."""
    out, before = [], 0
    for number in sorted(fields):
        kind, value = fields[number]
        if kind in (TRUE, FALSE):
            kind = TRUE if value else FALSE
        step = number - before
        out.append(bytes([step << 4 | kind]) if step < 16 else bytes([kind]) + _signed(number))
        if kind not in (TRUE, FALSE):
            out.append(_value(kind, value))
        before = number
    out.append(b"\0")
    return b"".join(out)
