"""CPU seconds and memory of forecasting many series with their back-tests.

``python benchmarks/bench_forecasts.py [--series N] [--days N]``

Each series is forecast 90 days ahead and back-tested from every third day of the last 180, with intervals:
the work of the warehouse, without the cohort convolution, which belongs to one product. It runs in a process
of its own on one thread; memory is the peak of the process, with the libraries beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time

import numpy as np


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(count: int, days: int) -> dict[str, float]:
    """Measure, print, and return the figures."""
    started = time.process_time()
    from plumbline.statistics.forecasts import Settings, backtest

    loading, before = time.process_time() - started, peak_mib()
    settings = Settings(90, 28, 364, 28, 3, 60, 10, 56, 0.5, (0.8, 0.95))
    random = np.random.default_rng(1)
    week = random.normal(0, 0.2, (count, 7))[:, np.arange(days) % 7]
    level = np.log(random.uniform(50, 5000, count))[:, None]
    wander = np.cumsum(random.normal(0, 0.01, (count, days)), axis=1)
    series = np.round(np.exp(level + week + wander + random.normal(0, 0.06, (count, days))))
    started = time.process_time()
    origins = forecasts = better = 0
    for values in series:
        result = backtest(values, settings)
        there = np.isfinite(result.actual)
        origins += len(result.origins)
        forecasts += int(there.sum())
        error = np.abs(result.quantiles[2] - result.actual)[there].sum()
        better += int(error < np.abs(result.naive - result.actual)[there].sum())
    spent = time.process_time() - started
    figures = {
        "series": count,
        "days": days,
        "origins": origins,
        "back_tested_days": forecasts,
        "better_than_seasonal_naive": better,
        "loading_cpu_seconds": round(loading, 2),
        "cpu_seconds": round(spent, 2),
        "libraries_mib": round(before),
        "peak_mib": round(peak_mib()),
    }
    print(json.dumps(figures, indent=2))
    return figures


if __name__ == "__main__":
    # One thread: numpy's linear algebra reads this when it is loaded, hence the second start.
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **single})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    run(options.series, options.days)
