"""Warehouses that many tests read and none writes, built once for all workers of a run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import ROOT, dbt_runner
from plumbline.landing import land
from plumbline.simulate import Settings, simulate, users_for
from plumbline.simulate.truth import Truth
from warehouse import Warehouse

EVENTS = 1_000_000
SEEDS = [int(seed) for seed in os.environ.get("PLUMBLINE_TRUTH_SEEDS", "1").split(",")]


class World(NamedTuple):
    """One run: its warehouse and its truth."""

    warehouse: Warehouse
    truth: Truth


def _once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """Folder that one worker fills while the others wait; a worker that fails leaves it to the next."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            build(folder)
            (folder / "done").touch()
    return folder


def _simulated(seed: int) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        settings = Settings(days=75, seed=seed)
        settings = replace(settings, users=users_for(settings, EVENTS))
        truth = simulate(settings, folder / "lake")
        assert 0.9 * EVENTS < truth.expected["tables"]["events"]["landed"] < 1.15 * EVENTS
        land(None, folder / "lake").raise_for_failures()
        _opened(folder).models()

    return build


def _sampled(folder: Path) -> None:
    land(ROOT / "seeds" / "raw", folder / "lake").raise_for_failures()
    _opened(folder).models()


def _opened(folder: Path) -> Warehouse:
    return Warehouse(folder, dbt_runner(folder), folder / "lake")


@pytest.fixture(scope="session", params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """About a million events of 75 days, landed as a sink writes them; read it, do not write to it."""
    folder = _once(tmp_path_factory, f"world{request.param}", _simulated(request.param))
    return World(_opened(folder), Truth.load(folder / "lake" / "truth.json"))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The shipped sample, landed from its CSV files; read it, do not write to it."""
    folder = _once(tmp_path_factory, "sample", _sampled)
    return World(_opened(folder), Truth.load(ROOT / "tests" / "fixtures" / "sample_truth.json"))
