"""Judges corrected by people: closed forms, coverage by simulation, and real judgements subsampled."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.statistics.judges import (
    Corrected,
    LabelledSums,
    prediction_powered_mean,
    rogan_gladen,
)
from plumbline.statistics.outcomes import Reason

Array = NDArray[np.float64]


def _corrected(y: Array, f: Array, alone: Array) -> Corrected:
    """Rows of draws: labels with their judgements, and judgements alone; shape (draws, answers)."""
    n = np.full(len(y), y.shape[1])
    sums = LabelledSums.of(
        n, y.sum(1), (y * y).sum(1), n, y.sum(1), f.sum(1), (f * f).sum(1), (f * y).sum(1),
        np.full(len(y), alone.shape[1]), alone.sum(1), (alone * alone).sum(1),
    )  # fmt: skip
    return prediction_powered_mean(sums, 0.05, 10)


def test_it_is_the_published_estimator_where_every_label_has_a_judgement() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random((1, 120)) < 0.3).astype(float)
    f = np.where(rng.random(y.shape) < 0.85, y, 1 - y)
    alone = (rng.random((1, 900)) < 0.35).astype(float)
    n, big = 120, 900
    pooled = np.concatenate([f[0], alone[0]]).var(ddof=1)
    covariance = np.cov(y[0], f[0])[0, 1]
    weight = covariance / (pooled * (1 + n / big))
    value = y.mean() - weight * (f.mean() - alone.mean())
    squared = (
        y[0].var(ddof=1) / n + weight**2 * pooled * (1 / n + 1 / big) - 2 * weight * covariance / n
    )
    found = _corrected(y, f, alone)
    assert found.weight.values[0] == pytest.approx(weight, rel=1e-12)
    assert found.corrected.values[0] == pytest.approx(value, rel=1e-12)
    assert found.interval.width[0] == pytest.approx(
        2 * 1.959963984540054 * np.sqrt(squared), rel=1e-9
    )


@pytest.mark.parametrize("accuracy", [0.5, 0.75, 0.95])
def test_intervals_cover_and_are_never_wider_than_labels_alone(accuracy: float) -> None:
    rng = np.random.default_rng(2)
    draws, rate = 2000, 0.3
    y = (rng.random((draws, 150)) < rate).astype(float)
    f = np.where(rng.random(y.shape) < accuracy, y, 1 - y)
    hidden = (rng.random((draws, 1500)) < rate).astype(float)
    alone = np.where(rng.random(hidden.shape) < accuracy, hidden, 1 - hidden)
    found = _corrected(y, f, alone)
    covered = found.interval.contains(rate).mean()
    # Nominal 95 % less four standard errors of 2,000 draws, and what a tuned weight and n = 150 cost.
    assert covered >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / draws) - 0.01
    assert (found.interval.width <= found.labels_interval.width * (1 + 1e-12)).all()
    gain = 1 - found.interval.width.mean() / found.labels_interval.width.mean()
    if accuracy == 0.95:
        assert gain > 0.4
    if accuracy == 0.5:
        # A coin says nothing: it must not count.
        assert found.weight.values.mean() < 0.1
        assert gain < 0.02


def test_labels_without_a_judgement_count_too() -> None:
    """Of 600 labels only 100 have a judgement; leaving the others out would double the width."""
    rng = np.random.default_rng(3)
    draws, rate = 1000, 0.25
    y = (rng.random((draws, 600)) < rate).astype(float)
    f = np.where(rng.random((draws, 100)) < 0.9, y[:, :100], 1 - y[:, :100])
    hidden = (rng.random((draws, 3000)) < rate).astype(float)
    alone = np.where(rng.random(hidden.shape) < 0.9, hidden, 1 - hidden)
    paired = y[:, :100]
    found = prediction_powered_mean(
        LabelledSums.of(
            np.full(draws, 600), y.sum(1), y.sum(1), np.full(draws, 100), paired.sum(1), f.sum(1),
            f.sum(1), (f * paired).sum(1), np.full(draws, 3000), alone.sum(1), alone.sum(1),
        ), 0.05, 10,
    )  # fmt: skip
    assert found.interval.contains(rate).mean() >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / draws) - 0.01
    assert found.interval.width.mean() < found.labels_interval.width.mean()
    assert found.interval.width.mean() < 0.7 * _corrected(paired, f, alone).interval.width.mean()


def test_what_is_missing_is_said() -> None:
    zero = [0.0] * 11
    few = [5.0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    flat = [50.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    found = prediction_powered_mean(
        LabelledSums.of(*np.array([zero, few, flat]).T), 0.05, 10
    )  # fmt: skip
    assert found.corrected.reasons.tolist() == [Reason.NO_USERS, 0, 0]
    assert found.interval.reasons.tolist() == [
        Reason.NO_USERS, Reason.TOO_FEW_USERS, Reason.ZERO_VARIANCE,
    ]  # fmt: skip
    assert found.weight.values[1] == 0
    assert found.judge.reasons.tolist() == [Reason.NO_USERS] * 3


def test_rogan_gladen_undoes_known_errors_and_knows_a_coin() -> None:
    # 20 % true; the judge catches 80 % and spares 90 %: it flags 0.2 * 0.8 + 0.8 * 0.1 = 24 %.
    found = rogan_gladen([80, 50, 0], [20, 50, 0], [40, 50, 1], [360, 50, 9], 10_000, 2_400, 0.05)
    assert found.sensitivity.values[0] == pytest.approx(0.8)
    assert found.specificity.values[0] == pytest.approx(0.9)
    assert found.rate.values[0] == pytest.approx(0.2)
    assert found.interval.contains(0.2)[0]
    assert found.rate.reasons.tolist() == [0, Reason.ZERO_DENOMINATOR, Reason.NO_USERS]


def test_rogan_gladen_covers() -> None:
    rng = np.random.default_rng(5)
    draws, rate = 2000, 0.3
    ill = rng.binomial(400, rate, draws)
    hits, alarms = rng.binomial(ill, 0.8), rng.binomial(400 - ill, 0.07)
    flagged = rng.binomial(5000, rate * 0.8 + (1 - rate) * 0.07, draws)
    found = rogan_gladen(hits, ill - hits, alarms, 400 - ill - alarms, 5000, flagged, 0.05)
    assert found.interval.contains(rate).mean() >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / draws) - 0.01


@pytest.mark.shared
def test_real_judges_are_narrower_and_cover_in_repeated_subsampling(shared_data: Path) -> None:
    """419 pairs with a gold label: 120 are labelled, the judge saw all; the truth is the share over all."""
    with (shared_data / "llmbar_judgements.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["strategy"] == "Swap"]
    rng = np.random.default_rng(6)
    for judge in ("GPT-4", "PaLM2", "ChatGPT"):
        said = [row for row in rows if row["judge"] == judge]
        assert len(said) == 419
        y = np.array([row["gold_label"] == "1" for row in said], dtype=float)
        f = np.array([row["winner_order_1"] == "1" for row in said], dtype=float)
        truth = y.mean()
        order = np.array([rng.permutation(419) for _ in range(2000)])
        labelled, others = order[:, :120], order[:, 120:]
        found = _corrected(y[labelled], f[labelled], f[others])
        # Drawing without replacement from 419 makes the normal interval too wide, never too narrow.
        assert found.interval.contains(truth).mean() >= 0.95
        widths = found.interval.width.mean(), found.labels_interval.width.mean()
        assert (found.interval.width <= found.labels_interval.width * (1 + 1e-12)).all()
        # What a judge can give at best: sqrt(1 - r^2 N / (n + N)) of the width, r their correlation.
        best = np.sqrt(1 - np.corrcoef(y, f)[0, 1] ** 2 * 299 / 419)
        assert widths[0] / widths[1] == pytest.approx(best, abs=0.02), judge
        assert np.abs(found.corrected.values.mean() - truth) < 0.005
