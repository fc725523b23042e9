"""What a run is asked for, and the calendar that follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from plumbline.errors import PlumblineError
from plumbline.simulate.arrays import MS_DAY, Floats

# Shares by weekday (Monday first) with mean 1: how busy a day is, how many people sign up.
ACTIVITY_SEASON = (1.04, 1.05, 1.04, 1.02, 0.98, 0.90, 0.97)
SIGN_UP_SEASON = (1.06, 1.05, 1.03, 1.00, 0.97, 0.92, 0.97)
# Sign-ups of the last day relative to the first.
SIGN_UP_GROWTH = 2.0
# Length of the last, partial day.
LAST_DAY_MS = 12 * 3_600_000


@dataclass(frozen=True)
class Settings:
    """One run of the generator.

    Attributes:
        users: registered users.
        days: calendar days; the last one is partial (it ends at noon UTC).
        seed: any integer; the same settings and seed give the same bytes.
        bots, workflows, creators: sizes of the catalogue.
        start: first day.
        dirty: multiplier of all rates of duplicates and wrong rows; 0 gives clean data.
        late_rate: share of rows that land one to five days after their time.
        format: parquet (typed lake), csv or ndjson (inbox).
        tables: tables to write, all when empty.
        block_user_days: active user-days held in memory at a time.
        pace: multiplies the daily chance to be active.
        volume: multiplies cards and ads per session.
        commerce: multiplies the shares of subscribers and buyers.
    """

    users: int = 2000
    days: int = 90
    seed: int = 1
    bots: int = 200
    workflows: int = 20
    creators: int = 40
    start: date = date(2026, 1, 1)
    dirty: float = 1.0
    late_rate: float = 0.01
    format: str = "parquet"
    tables: tuple[str, ...] = ()
    block_user_days: int = 40_000
    pace: float = 1.0
    volume: float = 1.0
    commerce: float = 1.0

    def __post_init__(self) -> None:
        """Refuse sizes that cannot give a world.

        Raises:
            PlumblineError: a setting is out of its range.
        """
        checks = (
            (self.users >= 20, "users", "at least 20"),
            (14 <= self.days <= 3650, "days", "14 to 3650"),
            (0 <= self.seed < 2**63, "seed", "0 to 2**63 - 1"),
            (10 <= self.bots <= 1_000_000, "bots", "10 to 1,000,000"),
            (1 <= self.workflows <= self.bots, "workflows", "1 to the number of bots"),
            (4 <= self.creators <= 100_000, "creators", "4 to 100,000"),
            (0 <= self.dirty <= 10, "dirty", "0 to 10"),
            (0 <= self.late_rate <= 0.5, "late_rate", "0 to 0.5"),
            (self.format in ("parquet", "csv", "ndjson", "seed"), "format", "parquet, csv, ndjson"),
            (0.1 <= self.pace <= 1.2, "pace", "0.1 to 1.2"),
            (0.1 <= self.volume <= 5, "volume", "0.1 to 5"),
            (0 <= self.commerce <= 5, "commerce", "0 to 5"),
            (self.block_user_days >= 100, "block_user_days", "at least 100"),
        )
        for good, name, range_ in checks:
            if not good:
                raise PlumblineError(
                    f"simulate: {name} {getattr(self, name)} is out of range.",
                    f"Use {range_}.",
                )

    @cached_property
    def first_day(self) -> int:
        """First day, in days since 1970."""
        return (self.start - date(1970, 1, 1)).days

    @property
    def end_ms(self) -> int:
        """Moment the data ends: noon of the last day, in milliseconds since 1970."""
        return self.day_ms(self.days - 1) + LAST_DAY_MS

    @property
    def as_of(self) -> date:
        """Last complete day."""
        return self.start + timedelta(days=self.days - 2)

    def day_ms(self, day: int) -> int:
        """Midnight of a day counted from the start, in milliseconds since 1970."""
        return (self.first_day + day) * MS_DAY

    def date_of(self, day: int) -> date:
        """Calendar date of a day counted from the start."""
        return self.start + timedelta(days=day)

    def at(self, share: float) -> int:
        """Day at a share of the whole time, never before the second day."""
        return max(1, min(self.days - 1, round(share * self.days)))

    def season(self, by_weekday: tuple[float, ...]) -> Floats:
        """Seasonal factor of every day."""
        weekday = (self.start.weekday() + np.arange(self.days)) % 7
        return np.asarray(np.array(by_weekday)[weekday])

    def described(self) -> dict[str, Any]:
        """The settings as plain values, for the truth file."""
        return {**asdict(self), "start": self.start.isoformat(), "tables": list(self.tables)}
