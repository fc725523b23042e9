"""Experiments: what is planted, who is in which arm, what the registry says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from plumbline.simulate.arrays import MS_DAY, Ints, hash_uniform
from plumbline.simulate.settings import Settings

# Salts keep assignment independent of every other use of the hash.
_SALT = 7001


@dataclass(frozen=True)
class Phase:
    """One phase: days [start, end) from the first day; ``ended`` is false while it runs."""

    number: int
    start: int
    end: int
    expected: tuple[float, ...]
    actual: tuple[float, ...]
    ended: bool
    status: str


@dataclass(frozen=True)
class Trial:
    """One experiment.

    Attributes:
        kind: what is planted (main, segment, null, srm, leak, multi_exposed, peeking, revenue,
            retention, cancel, creator, bot, draft).
        target: what the effect multiplies (chat, depth, ads, activity, cancel, orders or none).
        effects: factor by variation, 1 is none.
        only_platform: index of the one platform with an effect, -1 for all.
    """

    index: int
    experiment_id: str
    name: str
    kind: str
    unit: str
    variations: tuple[str, ...]
    phases: tuple[Phase, ...]
    target: str = "none"
    effects: tuple[float, ...] = (1.0, 1.0)
    only_platform: int = -1
    tags: str = "product"
    extra: dict[str, float] = field(default_factory=dict)

    def phase_on(self, day: int) -> Phase | None:
        """Phase that runs on a day, None outside all."""
        for phase in self.phases:
            if phase.status != "draft" and phase.start <= day < phase.end:
                return phase
        return None

    def arm(self, seed: int, phase: Phase, units: Ints) -> Ints:
        """Variation of each unit in a phase; a pure function of seed, experiment, phase, unit."""
        luck = hash_uniform(seed, _SALT + self.index, phase.number, units)
        return np.asarray(
            np.searchsorted(np.cumsum(phase.actual)[:-1], luck, side="right"), dtype=np.int8
        )

    def factor(self, arm: Ints, platform: Ints) -> Ints:
        """Planted factor of each unit."""
        factor = np.array(self.effects)[arm]
        if self.only_platform >= 0:
            factor = np.where(platform == self.only_platform, factor, 1.0)
        return np.asarray(factor)


_HALF = (0.5, 0.5)


def trials(settings: Settings) -> tuple[Trial, ...]:
    """All experiments of a run; phases are shares of its length."""
    two = ("control", "treatment")

    def phase(
        start: float,
        end: float,
        expected: tuple[float, ...] = _HALF,
        actual: tuple[float, ...] | None = None,
        number: int = 0,
        status: str = "",
    ) -> Phase:
        first = settings.at(start)
        last = max(first + 1, settings.at(end)) if end < 1 else settings.days
        word = status or ("finished" if end < 1 else "running")
        return Phase(number, first, last, expected, actual or expected, end < 1, word)

    rows: list[tuple[str, str, str, tuple[str, ...], tuple[Phase, ...], dict[str, object]]] = [
        ("Prompt starters", "main", "user", two, (phase(0.25, 0.75),),
         {"target": "chat", "effects": (1.0, 1.15), "tags": "chat,onboarding"}),
        ("Longer answers", "segment", "user", two, (phase(0.2, 0.7),),
         {"target": "depth", "effects": (1.0, 1.30), "only_platform": 0, "tags": "chat"}),
        ("Blue button", "null", "user", two, (phase(0.3, 0.8),), {}),
        ("Feed ranking", "srm", "user", two, (phase(0.2, 0.8, _HALF, (0.52, 0.48)),), {}),
        ("Silent flag", "leak", "user", (*two, "holdout"),
         (phase(0.3, 0.7, (0.5, 0.5, 0.0), (0.49, 0.49, 0.02)),), {"effects": (1.0, 1.0, 1.0)}),
        ("Two devices", "multi_exposed", "user", two, (phase(0.3, 0.7),),
         {"extra": {"both_share": 0.03}}),
        ("Endless banner", "peeking", "user", two, (phase(0.15, 1.0),), {}),
        ("Ad format", "revenue", "user", two, (phase(0.35, 1.0),),
         {"target": "ads", "effects": (1.0, 1.25), "tags": "ads"}),
        ("Welcome tour", "retention", "user", two, (phase(0.1, 0.8),),
         {"target": "activity", "effects": (1.0, 1.15), "tags": "onboarding"}),
        ("Cancel flow", "cancel", "user", two, (phase(0.2, 0.9),),
         {"target": "cancel", "effects": (1.0, 1.6), "tags": "billing"}),
        ("Creator badge", "creator", "creator", two, (phase(0.4, 0.9),),
         {"target": "orders", "effects": (1.0, 1.20), "tags": "creators"}),
        ("Warm greeting", "bot", "bot", two, (phase(0.4, 0.85),),
         {"target": "chat", "effects": (1.0, 1.25), "tags": "bots"}),
        ("Phased rollout", "phases", "user", two,
         (phase(0.1, 0.3, (0.9, 0.1), number=0, status="stopped"),
          phase(0.35, 0.6, _HALF, number=1),
          phase(0.8, 1.0, (0.1, 0.9), number=2)),
         {"target": "chat", "effects": (1.0, 1.10)}),
        ("Voice mode", "draft", "user", two, (phase(0.98, 1.0, status="draft"),), {}),
    ]  # fmt: skip
    return tuple(
        Trial(index, f"x{index + 1:02d}", name, kind, unit, variations, phases, **extra)  # type: ignore[arg-type]
        for index, (name, kind, unit, variations, phases, extra) in enumerate(rows)
    )


def registry(settings: Settings, found: tuple[Trial, ...]) -> pa.Table:
    """Rows of ``experiments``: one per variation of each phase, with the state at the end."""
    from plumbline.contract.model import table

    start = settings.day_ms(0) * 1000
    rows: list[dict[str, object]] = []
    for trial in found:
        for phase in trial.phases:
            for place, variation in enumerate(trial.variations):
                opened = start + phase.start * MS_DAY * 1000
                closed = start + phase.end * MS_DAY * 1000
                rows.append({
                    "experiment_id": trial.experiment_id,
                    "phase": phase.number,
                    "variation_id": variation,
                    "name": trial.name,
                    "unit_type": trial.unit,
                    "is_control": place == 0,
                    "expected_weight": f"{phase.expected[place]:.6f}",
                    "started_at": opened,
                    "planned_end_at": closed,
                    "planned_units": max(100, settings.users // 2),
                    "mde_relative": "0.100000",
                    "ended_at": closed if phase.ended else None,
                    "status": phase.status,
                    "tags": trial.tags,
                    "hypothesis": f"{trial.name} moves {trial.target}."
                    if trial.target != "none" else f"{trial.name} does no harm.",
                    "ingested_at": start + 5_000_000,
                })  # fmt: skip
    from plumbline.simulate.rows import from_rows

    return from_rows(rows, table("experiments").schema)
