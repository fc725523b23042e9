"""The shipped sample: one fixed small run as CSV seeds, with its truth beside the tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from plumbline.simulate.engine import Run
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Truth
from plumbline.simulate.writer import copy_text

SAMPLE = Settings(
    users=400,
    days=200,
    seed=20260101,
    bots=40,
    workflows=6,
    creators=12,
    start=date(2026, 1, 1),
    format="seed",
    pace=0.48,
    volume=0.5,
    commerce=3.0,
    dirty=0.7,
)


def write_sample(seeds: Path, truth_path: Path) -> Truth:
    """Write ``raw_<table>.csv`` of every table and the truth of the sample.

    Args:
        seeds: folder of the raw seeds.
        truth_path: JSON file for the truth; tests read it, the warehouse never does.
    """
    run = Run(SAMPLE, seeds)
    truth = run.go()
    seeds.mkdir(parents=True, exist_ok=True)
    for name, rows in run.writer.collected().items():
        copy_text(rows, seeds / f"raw_{name}.csv", name, "csv")
    truth.save(truth_path)
    return truth
