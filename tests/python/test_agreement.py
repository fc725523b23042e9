"""Agreement of raters: published values, plain counting, and raters of a known strictness."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.statistics.agreement import (
    cohen_kappa,
    coincidences,
    krippendorff_alpha,
    rater_effects,
)
from plumbline.statistics.outcomes import Reason

VALUES = np.arange(1.0, 6.0)


def _case(folder: Path, name: str) -> dict[str, Any]:
    document = json.loads((folder / "lifecycle_cases.json").read_text(encoding="utf-8"))
    return next(case for case in document["cases"] if case["id"] == name)


@pytest.mark.shared
def test_alpha_equals_the_published_example(shared_data: Path) -> None:
    case = _case(shared_data, "krippendorff_alpha")
    rows = case["inputs"]["observers_by_units"]
    ratings = [[np.nan if score is None else score for score in row] for row in rows]
    matrix = coincidences(ratings, VALUES)
    for level, published in case["published"].items():
        found = krippendorff_alpha(matrix, VALUES, level)
        assert float(found.values) == pytest.approx(published, abs=case["tolerance"]["alpha"])
        assert float(found.values) == pytest.approx(case["recomputed"][level], abs=1e-8)


@pytest.mark.shared
def test_kappa_equals_the_worked_examples(shared_data: Path) -> None:
    case = _case(shared_data, "cohen_kappa")
    found = cohen_kappa(case["inputs"]["tables"], 0.05)
    assert found.kappa.values == pytest.approx(case["published"]["kappa"], abs=1e-4)
    assert (found.interval.low < found.kappa.values).all()
    assert (found.interval.high > found.kappa.values).all()


def test_ordinal_alpha_equals_counting_pairs_one_by_one() -> None:
    rng = np.random.default_rng(4)
    ratings = rng.integers(1, 6, (4, 60)).astype(float)
    ratings[rng.random(ratings.shape) < 0.3] = np.nan
    pairs: Counter[tuple[float, float]] = Counter()
    for unit in ratings.T:
        held = unit[~np.isnan(unit)]
        for a, b in permutations(range(len(held)), 2):
            pairs[held[a], held[b]] += 1 / (len(held) - 1)
    totals = {v: sum(n for (a, _), n in pairs.items() if a == v) for v in VALUES}
    n = sum(totals.values())

    def distance(a: float, b: float) -> float:
        low, high = min(a, b), max(a, b)
        between = sum(totals[v] for v in VALUES if low <= v <= high)
        return float((between - (totals[a] + totals[b]) / 2) ** 2) if a != b else 0.0

    observed = sum(count * distance(a, b) for (a, b), count in pairs.items()) / n
    expected = sum(
        totals[a] * totals[b] * distance(a, b) for a in VALUES for b in VALUES
    ) / (n * (n - 1))  # fmt: skip
    found = krippendorff_alpha(coincidences(ratings, VALUES), VALUES, "ordinal")
    assert float(found.values) == pytest.approx(1 - observed / expected, rel=1e-12)


def test_agreement_says_why_there_is_none() -> None:
    nobody = krippendorff_alpha(np.zeros((5, 5)), VALUES, "ordinal")
    alike = krippendorff_alpha(np.diag([8.0, 0, 0, 0, 0]), VALUES, "ordinal")
    assert nobody.reasons == Reason.TOO_FEW_USERS
    assert alike.reasons == Reason.ZERO_VARIANCE
    kappas = cohen_kappa([[[0, 0], [0, 0]], [[9, 0], [0, 0]], [[9, 0], [0, 1]]], 0.05)
    assert kappas.kappa.reasons.tolist() == [Reason.NO_USERS, Reason.ZERO_VARIANCE, 0]
    assert kappas.kappa.values[2] == 1
    assert kappas.interval.reasons[2] == Reason.ZERO_VARIANCE


def test_kappa_interval_covers_the_true_kappa() -> None:
    """Two raters with known error: in 2,000 tables of 200 answers a 95 % interval misses about 100."""
    rng = np.random.default_rng(7)
    share = np.array([[0.55, 0.08], [0.12, 0.25]])
    row, column = share.sum(axis=1), share.sum(axis=0)
    chance = (row * column).sum()
    truth = (np.trace(share) - chance) / (1 - chance)
    tables = rng.multinomial(200, share.ravel(), 2000).reshape(-1, 2, 2)
    covered = cohen_kappa(tables, 0.05).interval.contains(truth).mean()
    # Four standard errors of a share of 2,000, and the approximation of large samples.
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / 2000) - 0.005 <= covered <= 0.97


def _sums(scores: np.ndarray[Any, Any]) -> tuple[Any, Any, Any, float]:
    """Weights, differences and squares of pairs, and the degrees of freedom, by plain loops."""
    size = scores.shape[1]
    weights, gaps, squares = (np.zeros((size, size)) for _ in range(3))
    grades = answers = 0
    for answer in scores:
        held = np.flatnonzero(~np.isnan(answer))
        if len(held) < 2:
            continue
        grades, answers = grades + len(held), answers + 1
        for k, other in permutations(held.tolist(), 2):
            weights[k, other] += 1 / len(held)
            gaps[k, other] += (answer[k] - answer[other]) / len(held)
            squares[k, other] += (answer[k] - answer[other]) ** 2 / len(held)
    return weights, gaps, squares, float(grades - answers - (size - 1))


def test_rater_effects_equal_least_squares_over_every_grade() -> None:
    rng = np.random.default_rng(11)
    bias = np.array([-0.4, 0.0, 0.3, 0.5, 0.2])
    scores = rng.normal(3, 1, (80, 1)) + bias + rng.normal(0, 0.4, (80, 5))
    scores[rng.random(scores.shape) < 0.4] = np.nan
    reference = np.array([True, True, True, False, False])
    found = rater_effects(*_sums(scores), reference, 0.05)
    kept = [row for row in scores if (~np.isnan(row)).sum() > 1]
    design, values = [], []
    for number, row in enumerate(kept):
        for rater in np.flatnonzero(~np.isnan(row)):
            line = np.zeros(len(kept) + 5)
            line[number] = line[len(kept) + rater] = 1
            design.append(line)
            values.append(row[rater])
    solved, *_ = np.linalg.lstsq(np.array(design), np.array(values), rcond=None)
    effect = solved[len(kept) :]
    assert found.effect.values == pytest.approx(effect - effect[reference].mean(), abs=1e-9)
    residual = np.array(values) - np.array(design) @ solved
    freedom = len(values) - len(kept) - 4
    sigma = residual @ residual / freedom
    inverse = np.linalg.pinv(np.array(design).T @ np.array(design))[len(kept) :, len(kept) :]
    contrast = np.eye(5) - np.where(reference, 1 / 3, 0.0)
    error = np.sqrt(np.diag(contrast @ inverse @ contrast.T) * sigma)
    assert found.standard_error.values == pytest.approx(error, rel=1e-6)


def test_intervals_of_rater_effects_cover_the_planted_strictness() -> None:
    rng = np.random.default_rng(12)
    bias = np.array([-0.3, 0.0, 0.1, 0.35])
    hits = 0
    for _ in range(300):
        scores = rng.normal(3, 1, (60, 1)) + bias + rng.normal(0, 0.5, (60, 4))
        scores[np.arange(60), rng.integers(0, 4, 60)] = np.nan
        found = rater_effects(*_sums(scores), np.ones(4, dtype=bool), 0.05)
        hits += int(found.interval.contains(bias - bias.mean()).sum())
    # 1,200 intervals, correlated by fours: four standard errors of 300 independent ones.
    assert abs(hits / 1200 - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / 300)


def test_a_rater_without_common_answers_has_no_effect() -> None:
    weights = np.array([[0, 2.0, 0], [2.0, 0, 0], [0, 0, 0]])
    gaps = np.array([[0, 1.0, 0], [-1.0, 0, 0], [0, 0, 0]])
    found = rater_effects(weights, gaps, np.abs(gaps), 1.0, [True, True, False], 0.05)
    assert found.effect.reasons.tolist() == [0, 0, Reason.NO_OVERLAP]
    assert found.effect.values[:2] == pytest.approx([0.25, -0.25])
    nobody = rater_effects(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0)), 0, [], 0.05)
    assert nobody.effect.values.shape == (0,)
