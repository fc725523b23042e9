"""Physical lines of a file in bounded memory, however long one of them is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass
class Chunk:
    """Lines of one block.

    Attributes:
        numbers: line numbers in the file, from 1.
        lines: the non-blank lines without their newline (a carriage return may remain).
        too_long: number and first ``max_bytes`` bytes of lines that are longer than that.
        unterminated: the last line of ``lines`` ends with the file instead of a newline.
    """

    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    too_long: list[tuple[int, bytes]] = field(default_factory=list)
    unterminated: bool = False
    keep_blank: bool = False

    def add(self, number: int, line: bytes, max_bytes: int) -> None:
        """Take one line; a blank one is nobody's row and is left out unless it is asked for."""
        if (not line or line.isspace()) and not (self.keep_blank and len(line) <= max_bytes):
            return
        if len(line) > max_bytes:
            self.too_long.append((number, line[:max_bytes]))
        else:
            self.numbers.append(number)
            self.lines.append(line)

    @property
    def count(self) -> int:
        """Non-blank lines of the chunk."""
        lines = len(self.lines)
        if self.keep_blank:
            lines = sum(1 for line in self.lines if line and not line.isspace())
        return lines + len(self.too_long)


def read_lines(
    stream: BinaryIO, max_bytes: int, block_bytes: int = BLOCK_BYTES, keep_blank: bool = False
) -> Iterator[Chunk]:
    """Yield the lines of a binary stream, block by block.

    A byte order mark at the start is dropped. Memory stays near ``block_bytes + max_bytes``: of a
    longer line only the first ``max_bytes`` bytes are held while the rest is skipped. With
    ``keep_blank`` blank lines are yielded too, for they may stand inside a quoted CSV field.
    """
    number = 0
    carry = b""
    kept: bytes | None = None
    kept_blank = False
    first = True
    while block := stream.read(block_bytes):
        if first:
            first = False
            block = block.removeprefix(_BOM)
        chunk = Chunk(keep_blank=keep_blank)
        if kept is not None:
            head, newline, block = block.partition(b"\n")
            kept_blank = kept_blank and (not head or head.isspace())
            if not newline:
                continue
            number += 1
            if not kept_blank:
                chunk.too_long.append((number, kept))
            kept = None
        pieces = (carry + block).split(b"\n")
        carry = pieces.pop()
        lengths = list(map(len, pieces))
        plain = pieces and min(lengths) > 0 and max(lengths) <= max_bytes
        if plain and not any(map(bytes.isspace, pieces)):
            chunk.numbers = list(range(number + 1, number + len(pieces) + 1))
            chunk.lines = pieces
            number += len(pieces)
            pieces = []
        for piece in pieces:
            number += 1
            chunk.add(number, piece, max_bytes)
        if len(carry) > max_bytes:
            kept, kept_blank, carry = carry[:max_bytes], carry.isspace(), b""
        yield chunk
    last = Chunk(keep_blank=keep_blank)
    if kept is not None and not kept_blank:
        last.too_long.append((number + 1, kept))
    elif carry:
        last.add(number + 1, carry, max_bytes)
        last.unterminated = last.count > 0
    yield last
