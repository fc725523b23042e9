"""What a landing did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from plumbline.errors import PlumblineError

# Outcomes that make a landing fail; only the first can be allowed.
FAILURES = ("unreadable", "refused", "no_table", "changed", "missing")


@dataclass
class FileReport:
    """What became of one file.

    Attributes:
        path: path below the inbox (below the lake for status ``direct``).
        table: its table, None when it names none.
        status: ``ok``, ``direct``, ``duplicate_file``, ``replayed``, or a failure:
            ``unreadable``, ``refused`` (leaves the inbox), ``no_table``, ``changed`` (other content
            than was landed under this path), ``missing`` (a file a sink wrote is gone).
        line_count: non-blank lines or rows.
        accepted: rows in the lake.
        rejected: lines in rejects.
        reasons: rejected lines by reason.
        detail: why it failed, or whose duplicate it is.
        warnings: what is odd about it.
    """

    path: str
    table: str | None
    status: str
    line_count: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    detail: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass
class LandingReport:
    """What a landing did: the files it met for the first time, and all failures.

    Attributes:
        lake: folder of the lake.
        files: one entry per file that is new or failed.
        known: files that were landed before and were left as they are.
        warnings: what is odd apart from single files.
        allow_unreadable: unreadable files do not fail the landing.
    """

    lake: Path
    files: list[FileReport] = field(default_factory=list)
    known: int = 0
    warnings: list[str] = field(default_factory=list)
    allow_unreadable: bool = False

    @property
    def accepted(self) -> int:
        """Rows that reached the lake in this run."""
        return sum(file.accepted for file in self.files)

    @property
    def rejected(self) -> int:
        """Lines that went to rejects in this run."""
        return sum(file.rejected for file in self.files)

    @property
    def reasons(self) -> dict[str, int]:
        """Rejected lines of this run by reason, most frequent first."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.reasons)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def all_warnings(self) -> list[str]:
        """Warnings of the run and of its files."""
        return [*self.warnings, *(text for file in self.files for text in file.warnings)]

    @property
    def failures(self) -> list[FileReport]:
        """Files that make the landing fail."""
        return [
            file
            for file in self.files
            if file.status in FAILURES
            and not (file.status == "unreadable" and self.allow_unreadable and file.detail)
        ]

    def raise_for_failures(self) -> None:
        """Stop where a file failed.

        Raises:
            PlumblineError: names the first failed file, the reason and how many more there are.
        """
        failed = self.failures
        if failed:
            more = f" ({len(failed) - 1} more)" if len(failed) > 1 else ""
            raise PlumblineError(
                f"{failed[0].path}: {failed[0].detail}{more}.", REMEDIES[failed[0].status]
            )


REMEDIES = {
    "unreadable": "Deliver the file again, remove it, or pass --allow-unreadable.",
    "refused": "Put the file itself into the inbox.",
    "no_table": "Name the file or its folder after its table.",
    "changed": "Deliver new content under a new name; the lake keeps what it took.",
    "missing": "Put the file back; the lake never gives up what it took.",
    "direct": "Write it in the contract's types, or move it to the inbox.",
}
