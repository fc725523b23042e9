"""Churn of 100,000 people with 30 features: what fitting, judging, scoring and explaining cost.

Run it as ``python benchmarks/bench_churn.py [PEOPLE]``; every figure has its own process, on one thread.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

# Set before numpy is loaded, which reads it once.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import yaml
from scipy.special import expit

from plumbline.statistics.churn import Judgement, People, Settings, evaluate, fit, score
from plumbline.statistics.churn_design import Design, Feature, features_of

ROOT = Path(__file__).resolve().parents[1]
FEATURES = 30
CATEGORIES = 4
PARTS = (
    "nothing",
    "fit_logistic",
    "fit_gradient_boosting",
    "explain_logistic",
    "explain_gradient_boosting",
)
WHOLE = ("evaluate", "score_logistic", "score_gradient_boosting")


def _people(count: int) -> tuple[People, list[Feature]]:
    """As many people to learn from, to test on and to score; five numbers and a category matter."""
    random = np.random.default_rng(1)
    rows = 3 * count
    columns: dict[str, Any] = {}
    for place in range(FEATURES - CATEGORIES):
        columns[f"n{place:02d}"] = random.gamma(1.0, 3.0, rows)
    for place in range(CATEGORIES):
        levels = np.asarray([f"level_{number}" for number in range(3 + 2 * place)], dtype=object)
        columns[f"c{place}"] = random.choice(levels, rows)
    signal = sum((-1) ** place * np.log1p(columns[f"n{place:02d}"]) for place in range(5))
    chance = expit(signal - np.mean(signal) + (columns["c0"] == "level_0"))
    churned = (random.random(rows) < chance).astype(float)
    purpose = np.repeat(["train", "test", "score"], count)
    churned[purpose == "score"] = np.nan
    names = list(columns)
    kinds = ["category" if name.startswith("c") else "log" for name in names]
    drivers = ["recency", *(f"driver_{number % 8}" for number in range(1, FEATURES))]
    return People(columns, purpose, churned), features_of(names, drivers, kinds)


def _measure(step: str, count: int) -> dict[str, float]:
    """CPU seconds of one step, and the peak memory of its process, data included."""
    meta = yaml.safe_load(
        (ROOT / "python_models/retention/py_churn_findings.yml").read_text("utf-8")
    )
    given = meta["models"][0]["config"]["meta"]
    settings, judgement = Settings.of(given["settings"]), Judgement.of(given["judgement"])
    people, features = _people(count)
    action, _, kind = step.partition("_")
    train = people.only(["train"])
    design = Design.learn(features, train.columns, False)
    if action == "explain":
        model, matrix = fit(kind, design, train, settings), design.matrix(train.columns)
    start = sum(os.times()[:2])
    if action == "fit":
        fit(kind, design, train, settings)
    elif action == "explain":
        parts = design.by_feature(model.contributions(matrix))
        worst = np.abs(parts.sum(axis=1) + model.base() - model.log_odds(matrix)).max()
        assert worst < 1e-6, worst
    elif action == "evaluate":
        evaluate(people, features, settings, judgement)
    elif action == "score":
        score(people, features, kind, settings)
    used = sum(os.times()[:2]) - start
    return {
        "cpu_seconds": round(used, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def run(count: int) -> dict[str, Any]:
    """Cost of every step by name; ``nothing`` is the data alone."""
    found: dict[str, Any] = {"people": count, "features": FEATURES}
    for step in (*PARTS, *WHOLE):
        done = subprocess.run(
            [sys.executable, __file__, "--measure", step, str(count)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[step] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(_measure(sys.argv[2], int(sys.argv[3]))))
    else:
        print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000), indent=2))
