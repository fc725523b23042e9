"""A marketplace through the scoring functions: seconds and memory for scores, issues and recommendations.

``python benchmarks/bench_scoring.py [--creators 50000]``

Every creator has its own inputs, a tenth of them missing. CPU seconds of one pass (user and system, one
thread) and the peak memory of the process beyond what it holds before.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from datetime import date
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from plumbline.scoring.diagnosis import diagnose, peer_quartiles
from plumbline.scoring.recommendations import recommend
from plumbline.scoring.reference import Catalogue, Reference
from plumbline.scoring.scores import score

DAY = date(2026, 7, 1)
Result = TypeVar("Result")


def marketplace(catalogue: Catalogue, count: int, missing: float = 0.1) -> np.ndarray:
    """Inputs (count, fields) drawn evenly over what is plausible."""
    rng = np.random.default_rng(1)
    values = np.empty((count, len(catalogue.fields)))
    for place, item in enumerate(catalogue.inputs):
        top = 3.0 if item.kind == "change" else min(item.max_value, 20_000.0)
        values[:, place] = rng.uniform(max(item.min_value, -1.0), top, count)
    values[rng.random(values.shape) < missing] = np.nan
    return values


def timed(what: str, work: Callable[[], Result]) -> Result:
    begun = time.process_time()
    found = work()
    print(f"{what:<16} {time.process_time() - begun:>8.2f} CPU s")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--creators", type=int, default=50_000)
    count = parser.parse_args().creators
    catalogue = Reference.shipped().on(DAY)
    values = marketplace(catalogue, count)
    ids = [f"k{row}" for row in range(count)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scores = timed("scores", lambda: score(catalogue, values))
    band = np.arange(count) % len(catalogue.bands)
    peers = timed("peers", lambda: peer_quartiles(scores.components, band, 20))
    issues = timed("issues", lambda: diagnose(catalogue, values, scores, peers))
    advice = timed(
        "recommendations", lambda: recommend(catalogue, values, scores, issues, ids, DAY)
    )
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{count} creators, {len(advice.creator)} recommendations, {peak:.0f} MiB more at the peak"
    )


if __name__ == "__main__":
    main()
