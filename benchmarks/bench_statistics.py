"""Cells per CPU second of the statistics package, beside gbstats, and error rates of the decision rule.

``python benchmarks/bench_statistics.py [--cells N] [--gbstats PYTHON] [--large]``

``--gbstats`` is the interpreter of an environment of its own that holds gbstats from PyPI
(``python -m venv DIR && DIR/bin/pip install gbstats``); where it is missing the table says so. ``--large``
also runs the simulations of tests/python/test_statistics_gates.py at ten times their size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from plumbline.statistics.decisions import Status, Thresholds
from plumbline.statistics.evidence import (
    anytime_effect,
    anytime_p,
    log_multinomial_e,
    mixture_variance,
)
from plumbline.statistics.means import compare_means, normal_posterior, summarise_mean
from plumbline.statistics.moments import Moments
from plumbline.statistics.operating import Evaluation, Traffic, decision_rates, in_flight_rates
from plumbline.statistics.power import users_per_arm
from plumbline.statistics.proportions import best_of_arms, compare_proportions
from plumbline.statistics.ratios import summarise_ratio

GATES = {"proportions": 20_000, "means": 200_000}
_PEER = """
import json, sys, time
from importlib.metadata import version
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig
from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
from gbstats.models.statistics import ProportionStatistic, SampleMeanStatistic
cells = json.load(sys.stdin)
def work(make):
    started = time.process_time()
    for control, treatment in cells:
        for kind, config in (
            (EffectBayesianABTest, EffectBayesianConfig()),
            (SequentialTwoSidedTTest, SequentialConfig()),
        ):
            kind(make(*control), make(*treatment), config).compute_result()
    return len(cells) / (time.process_time() - started)
proportions = work(lambda n, s: ProportionStatistic(n=n, sum=s))
means = work(lambda n, s: SampleMeanStatistic(n=n, sum=s, sum_squares=s))
json.dump({"version": version("gbstats"), "proportions": proportions, "means": means}, sys.stdout)
"""


def speed(work: Callable[[], object], cells: int) -> float:
    """Cells per CPU second, best of three after one warm-up."""
    work()
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return cells / min(times)


def counts(cells: int, rates: tuple[float, float]) -> tuple[np.ndarray, ...]:
    """Invented counts per cell: 2,000 to 50,000 users an arm, uplifts around 2 %."""
    random = np.random.default_rng(1)
    users = random.integers(2_000, 50_000, (2, cells))
    rate = random.uniform(*rates, cells)
    return (
        users[0],
        random.binomial(users[0], rate),
        users[1],
        random.binomial(users[1], 1.02 * rate),
    )


def proportions(data: tuple[np.ndarray, ...]) -> None:
    """The complete path: P, two losses, three quantiles, P(best) of two arms, e-value."""
    result = compare_proportions(*data, 1.0, 1.0, (0.025, 0.5, 0.975))
    np.stack([result.probability_of_worse, result.probability_of_better])
    conversions = np.stack([data[1], data[3]])
    anytime_p(log_multinomial_e(conversions, np.full(conversions.shape, 0.5), 100.0))


def three_arms(cells: int) -> Callable[[], object]:
    """The complete path of half as many experiments with a control and two treatments."""
    random = np.random.default_rng(3)
    users = random.integers(5_000, 10_000, (3, cells // 2))
    wins = random.binomial(users, random.uniform(0.02, 0.3, cells // 2))

    def work() -> None:
        for arm in (1, 2):
            proportions((users[0], wins[0], users[arm], wins[arm]))
        best_of_arms(users, wins, 1.0, 1.0, True)

    return work


def moments(cells: int) -> tuple[Moments, Moments]:
    """Invented moments of a ratio, two variables an arm."""
    random = np.random.default_rng(2)
    arms = []
    for _ in range(2):
        n = random.integers(1_000, 50_000, cells)
        mean = random.uniform(1, 20, (2, cells))
        cross = 0.5 * n
        arms.append(Moments.of_pair(n, mean[0], mean[1], 4.0 * n, 2.0 * n, cross))
    return arms[0], arms[1]


def gaussian(control: Moments, treatment: Moments, ratio: bool) -> None:
    """Welch, absolute and relative intervals, posterior with losses, confidence sequence."""
    summarise = summarise_ratio if ratio else summarise_mean
    first, second = summarise(control), summarise(treatment)
    result = compare_means(first, second, 0.05, not ratio)
    effect = result.difference, result.standard_error
    normal_posterior(*effect, 0.0, 0.0)
    anytime_effect(*effect, mixture_variance(first.n + second.n, 100_000, 0.05), 0.05)


def peer(python: str, data: tuple[np.ndarray, ...]) -> dict[str, object] | None:
    """Cells per CPU second of gbstats in an environment of its own; None where it is absent."""
    n_c, s_c, n_t, s_t = (array[:500].tolist() for array in data)
    cells = [[[a, b], [c, d]] for a, b, c, d in zip(n_c, s_c, n_t, s_t, strict=True)]
    try:
        done = subprocess.run(
            [python, "-c", _PEER],
            input=json.dumps(cells),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        print(f"gbstats: ABSENT ({detail.strip().splitlines()[-1]}); nothing is compared with it")
        return None
    return dict(json.loads(done.stdout))


def simulations(scale: int) -> dict[str, float]:
    """False calls, power and false discoveries at ``scale`` times the size of the tests."""
    rules = Thresholds(0.001, 0.01, 10, 7, 100, 5, 0.01, 0.04, 0.05, 0.95, 0.95, 0.0025, 0.95)
    evaluation = Evaluation(rules, 1.0, 1.0, 0.15, 0.05, 100.0, 0.01)
    figures = {}
    for rate, effect in ((0.05, 0.1), (0.001, 0.3)):
        treated = rate * (1 + effect)
        n = users_per_arm(rate * effect, rate * (1 - rate), treated * (1 - treated), 1.0, 0.05, 0.8)
        traffic = Traffic(rate, int(np.ceil(n.values[0] / 28)), 28, 4000)
        name = f"rate {rate:.1%}"
        calls, ships = [], []
        for part in range(scale):
            calls.append(decision_rates(traffic, 0.0, evaluation, 1000 + part).called)
            found = decision_rates(traffic, effect, evaluation, 2000 + part)
            ships.append(found.share[Status.SHIP])
        figures[f"{name}: false calls in 28 daily looks"] = float(np.mean(calls))
        figures[f"{name}: power where a fixed test has 0.80"] = float(np.mean(ships))
    for users in (4_000, 6_000, 8_000):
        traffic = Traffic(0.05, users, 28, 1000)
        rates = in_flight_rates(traffic, 0.1, 0.05, 0.05, 20 * scale, 3000)
        figures[f"1,000 cells, {users} users/arm/day: false discovery rate"] = (
            rates.false_discovery_rate
        )
        figures[f"1,000 cells, {users} users/arm/day: power in flight"] = rates.power
    return figures


def run(cells: int, python: str, large: bool) -> dict[str, object]:
    """Measure, print a table, and return all figures."""
    data, rare = counts(cells, (0.02, 0.3)), counts(cells, (0.0, 0.001))
    control, treatment = moments(10 * cells)
    ours = {
        "proportions": speed(lambda: proportions(data), cells),
        "proportions below 0.1 %": speed(lambda: proportions(rare), cells),
        "proportions, three arms": speed(three_arms(cells), cells),
        "means": speed(lambda: gaussian(control, treatment, False), 10 * cells),
        "ratios": speed(lambda: gaussian(control, treatment, True), 10 * cells),
    }
    theirs = peer(python, data)
    print(f"cells per CPU second, one thread, {cells} cells of proportions, {10 * cells} of means")
    for name, value in ours.items():
        line = f"  {name:32s} {value:12,.0f}"
        if name in GATES:
            line += f"   gate {GATES[name]:,}: {'met' if value >= GATES[name] else 'MISSED'}"
        if theirs is not None and name in theirs:
            other = float(str(theirs[name]))
            line += f"   gbstats {theirs['version']}: {other:,.0f} ({value / other:,.0f} times)"
        print(line)
    figures: dict[str, object] = {"cells_per_cpu_second": ours, "gbstats": theirs}
    if large:
        measured = simulations(10)
        figures["simulations"] = measured
        for name, share in measured.items():
            print(f"  {name:58s} {share:.4f}")
    return figures


if __name__ == "__main__":
    # One thread: numpy's linear algebra reads this when it is loaded, hence the second start.
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **single})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--gbstats", default=sys.executable, help="interpreter that has gbstats")
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    run(arguments.cells, arguments.gbstats, arguments.large)
