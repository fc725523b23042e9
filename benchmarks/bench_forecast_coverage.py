"""What intervals of forecasts hold over many products, where one product says little.

``python benchmarks/bench_forecast_coverage.py [--seeds FIRST-LAST] [--days N]``

Each seed is a product of the size of the shipped sample: generated, landed, and built as far as the accuracy
of its forecasts, about 100 CPU seconds. Printed are the coverage of days 1 to 28 and the Winkler score
(shares of the mean level) by series and over all of them, and the share of series whose 80 % intervals held
72 to 88 % of days.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
from run import measured

from plumbline.simulate import simulate
from plumbline.simulate.sample import SAMPLE

ACCURACY = """
    select metric, coverage_80_rate, coverage_95_rate, winkler_80_sum / actual_sum
    from growth.agg_forecast_accuracy
    where horizon_days = 28 and forecast_count > 0
"""


def accuracy(seed: int, days: int) -> list[tuple[str, float, float, float]]:
    """Coverage of both intervals and Winkler score of each series of one product."""
    with tempfile.TemporaryDirectory() as temporary:
        lake, state = Path(temporary) / "lake", Path(temporary) / "state"
        simulate(replace(SAMPLE, seed=seed, days=days, format="parquet"), lake)
        build = [sys.executable, "-m", "plumbline", "build", "--data", str(lake)]
        measured([*build, "--metric", "forecast_coverage_80_rate"], {"PLUMBLINE_STATE": str(state)})
        with duckdb.connect(str(next(state.rglob("plumbline.duckdb"))), read_only=True) as database:
            return database.execute(ACCURACY).fetchall()


def main() -> None:
    """Print a row a series, and one of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="101-124", help="first and last seed")
    parser.add_argument("--days", type=int, default=SAMPLE.days)
    asked = parser.parse_args()
    first, last = (int(end) for end in asked.seeds.split("-"))
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for seed in range(first, last + 1):
        for metric, *figures in accuracy(seed, asked.days):
            found[metric].append((float(figures[0]), float(figures[1]), float(figures[2])))
            found["all of them"].append(found[metric][-1])
    print(f"{'series':22}{'count':>6}{'80 %':>8}{'95 %':>8}{'winkler':>9}{'72 to 88':>10}")
    for metric, rows in sorted(found.items(), key=lambda item: (len(item[1]), item[0])):
        table = np.array(rows)
        within = np.mean((table[:, 0] >= 0.72) & (table[:, 0] <= 0.88))
        narrow, wide, winkler = table.mean(axis=0)
        print(f"{metric:22}{len(rows):6}{narrow:8.3f}{wide:8.3f}{winkler:9.3f}{within:10.2f}")


if __name__ == "__main__":
    main()
