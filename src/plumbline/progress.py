"""One way to show long work: a live bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

# Seconds between two plain lines, so that a log of an hour stays readable.
_PLAIN_INTERVAL = 5.0


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


class track:  # noqa: N801 (reads as a statement: ``with track(...) as bar``)
    """Context manager that shows count, rate and time left of one piece of work.

    Args:
        title: what is going on.
        total: expected count, or None when it is not known.
        unit: what is counted, in the plural.

    Example:
        >>> with track("Landing", total=3, unit="files") as bar:
        ...     for _ in range(3):
        ...         bar.advance(1)
    """

    def __init__(self, title: str, total: int | None, unit: str) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.done = 0
        self._started = self._spoken = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> track:
        self._started = self._spoken = time.monotonic()
        console = Console(file=sys.stderr)
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[figures]}"),
                console=console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, figures="")
        return self

    def _figures(self) -> str:
        elapsed = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / elapsed
        of = f"/{self.total:,}" if self.total else ""
        left = ""
        if self.total and rate > 0 and self.done < self.total:
            left = f", {_clock((self.total - self.done) / rate)} left"
        return f"{self.done:,}{of} {self.unit}, {rate:,.0f}/s{left}"

    def advance(self, count: int, note: str = "") -> None:
        """Count ``count`` more units as done; ``note`` names what was just finished."""
        self.done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, figures=f"{self._figures()} {note}")
        elif time.monotonic() - self._spoken >= _PLAIN_INTERVAL:
            self._spoken = time.monotonic()
            print(f"{self.title}: {self._figures()}", file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is None:
            took = _clock(time.monotonic() - self._started)
            print(f"{self.title}: {self._figures()} in {took}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """One line about what is going on, on standard error like all progress."""
    print(text, file=sys.stderr, flush=True)
