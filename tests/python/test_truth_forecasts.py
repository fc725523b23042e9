"""Forecasts of the shipped sample and of a real product: recounted from people and days, forecast again."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.statistics.forecasts import Settings, forecast_table
from worlds import World

# As configured beside the model.
SETTINGS = Settings(90, 28, 364, 28, 3, 60, 10, 56, 0.5, (0.8, 0.95))
Floats = NDArray[np.float64]
QUANTILES = ("p025", "p10", "p50", "p90", "p975")


class Recount:
    """Series and cohorts from days of people and paid periods, by sets and loops."""

    def __init__(self, active: dict[Any, set[date]], last: date) -> None:
        self.last = last
        self.series: dict[str, dict[date, float]] = {}
        self.steps: Counter[tuple[str, date, date]] = Counter()
        self.first = {person: min(days) for person, days in active.items()}
        calendar = self._days(min(self.first.values()))
        daily, weekly = Counter[date](), Counter[date]()
        for person, days in active.items():
            week = {day + timedelta(days=ahead) for day in days for ahead in range(7)}
            self._add("daily_active_users", self.first[person], days, 1, daily)
            self._add("weekly_active_users", self.first[person], week, 1, weekly)
        new = Counter(self.first.values())
        self.series["daily_active_users"] = {day: daily[day] for day in calendar}
        self.series["weekly_active_users"] = {day: weekly[day] for day in calendar[6:]}
        self.series["new_users"] = {day: new[day] for day in calendar}

    def pay(self, periods: list[tuple[Any, float, date, date | None]]) -> None:
        """Paid periods: person, dollars a month, first day, and the day it no longer holds."""
        by_person: dict[Any, list[tuple[float, set[date]]]] = defaultdict(list)
        for person, price, start, end in periods:
            stop = min(end, self.last + timedelta(days=1)) if end else self.last + timedelta(days=1)
            days = {start + timedelta(days=n) for n in range((stop - start).days)}
            if price > 0 and days:
                by_person[person].append((price, days))
        paying, money = Counter[date](), Counter[date]()
        for person, held in by_person.items():
            days = set().union(*(days for _, days in held))
            begin = min(days)
            self._add("paying_users", begin, days, 1, paying)
            for price, covered in held:
                self._add("mrr_usd", begin, covered, price, money)
            self._add(
                "new_payers", min(begin, self.first.get(person, begin)), {begin}, 1, Counter()
            )
        calendar = self._days(min(paying))
        self.series["paying_users"] = {day: paying[day] for day in calendar}
        self.series["mrr_usd"] = {day: round(money[day], 6) for day in calendar}

    def _days(self, first: date) -> list[date]:
        return [first + timedelta(days=n) for n in range((self.last - first).days + 1)]

    def _add(
        self, metric: str, cohort: date, days: set[date], value: float, total: Counter[date]
    ) -> None:
        for day in days:
            if day > self.last:
                continue
            total[day] += value  # type: ignore[assignment]
            self.steps[metric, cohort, day] += value  # type: ignore[assignment]
            if day < self.last:
                self.steps[metric, cohort, day + timedelta(days=1)] -= value  # type: ignore[assignment]

    def forecast(self) -> dict[str, Any]:
        """The table of forecasts made of what was counted here."""
        rows = [(metric, *item) for metric, days in self.series.items() for item in days.items()]
        names, days, values = (list(column) for column in zip(*rows, strict=True))
        changes = [(key, value) for key, value in self.steps.items() if round(value, 6)]
        return forecast_table(
            names, np.array(days, dtype="datetime64[D]"), values, [key[0] for key, _ in changes],
            np.array([key[1] for key, _ in changes], dtype="datetime64[D]"),
            np.array([key[2] for key, _ in changes], dtype="datetime64[D]"),
            [value for _, value in changes], SETTINGS,
        )  # fmt: skip


@pytest.fixture(scope="module")
def last(sample: World) -> date:
    day: date = sample.warehouse.query("select as_of_date from intermediate.int_as_of")[0][0]
    return day


def days_of_people(sample: World) -> dict[Any, set[date]]:
    active: dict[Any, set[date]] = defaultdict(set)
    for person, day in sample.warehouse.query(
        "select person_key, activity_date from intermediate.int_active_days_spined"
    ):
        active[person].add(day)
    return active


@pytest.fixture(scope="module")
def recount(sample: World, last: date) -> Recount:
    found = Recount(days_of_people(sample), last)
    found.pay(
        sample.warehouse.query(
            "select person_key, monthly_usd::double, started_date, ended_date "
            "from intermediate.int_subscription_periods"
        )
    )
    return found


def test_series_are_what_sets_of_people_say(sample: World, recount: Recount) -> None:
    stored: dict[str, dict[date, float]] = defaultdict(dict)
    for metric, day, value in sample.warehouse.query(
        "select metric, series_date, series_value::double from intermediate.int_series_collected"
    ):
        stored[metric][day] = value
    assert stored.keys() == recount.series.keys()
    for metric, days in recount.series.items():
        assert stored[metric].keys() == days.keys()
        assert [stored[metric][day] for day in days] == pytest.approx(list(days.values()), abs=1e-6)


def test_forecasts_of_the_recount_are_those_published(sample: World, recount: Recount) -> None:
    """Origins and days to come alike: 18,000 back-tested days, 450 forecast ones, five quantiles each."""
    table = recount.forecast()
    told = {
        (metric, origin, target): row
        for row, (metric, origin, target) in enumerate(
            zip(
                table["metric"],
                table["origin_date"].tolist(),
                table["target_date"].tolist(),
                strict=True,
            )
        )
    }
    columns = ", ".join(f"{name}::double" for name in QUANTILES)
    ahead = sample.warehouse.query(
        f"select metric, origin_date, target_date, model, {columns} from growth.fct_forecasts"
    )
    past = sample.warehouse.query(
        f"select metric, origin_date, target_date, model, {columns} from growth.fct_forecast_backtests"
    )
    assert len(ahead) == 5 * 90
    assert len(ahead) + len(past) == len(told)
    places = [told[row[:3]] for row in ahead + past]
    assert [row[3] for row in ahead + past] == table["model"][places].tolist()
    for column, name in enumerate(QUANTILES, start=4):
        stored = np.array([row[column] for row in ahead + past])
        # Optimisers stop where rounding lets them: equal to a thousandth, and nearly all much closer.
        assert stored == pytest.approx(table[name][places], rel=1e-3, abs=1e-3)


def outside(low: Floats, actual: Floats, high: Floats) -> Floats:
    """How far each value lies outside its interval."""
    return np.maximum(0, np.maximum(low - actual, actual - high))


def test_accuracy_is_what_the_backtests_add_up_to(sample: World) -> None:
    rows = sample.warehouse.query(
        "select metric, horizon_days, actual_value, p025, p10, p50, p90, p975, naive_value, naive_scale "
        "from growth.fct_forecast_backtests"
    )
    stored = {
        row[:2]: row[2:]
        for row in sample.warehouse.query(
            "select metric, horizon_days, forecast_count, mase, error_to_naive_ratio, bias_share, "
            "coverage_80_rate, coverage_95_rate, winkler_80_mean, winkler_95_mean, is_better_than_naive "
            "from growth.agg_forecast_accuracy"
        )
    }
    assert len(stored) == 10
    for (metric, horizon), told in stored.items():
        part = np.array(
            [[float(x) for x in row[2:]] for row in rows if row[0] == metric and row[1] <= horizon]
        )
        actual, low, narrow_low, median, narrow_high, high, naive, scale = part.T
        error, other = np.abs(median - actual), np.abs(naive - actual)
        found = (
            len(part), error.sum() / scale.sum(), error.sum() / other.sum(),
            (median - actual).sum() / actual.sum(),
            np.mean((narrow_low <= actual) & (actual <= narrow_high)),
            np.mean((low <= actual) & (actual <= high)),
            np.mean(narrow_high - narrow_low + 10 * outside(narrow_low, actual, narrow_high)),
            np.mean(high - low + 40 * outside(low, actual, high)),
        )  # fmt: skip
        assert found == pytest.approx(told[:-1], rel=1e-9)
        assert told[-1] == (error.sum() < other.sum())


def promised(rows: list[tuple[Any, ...]]) -> dict[tuple[str, int], tuple[int, str, bool | None]]:
    """Separate forecasts and what became of intervals, by series and horizon, from the back-test."""
    found = {}
    for metric in {row[0] for row in rows}:
        for horizon in (28, 90):
            part = [row[1:] for row in rows if row[0] == metric and row[3] <= horizon]
            first, last = min(row[0] for row in part), max(row[1] for row in part)
            separate = (last - first).days // horizon
            narrow, wide, gaussian = (
                np.mean(flags)
                for flags in zip(
                    *((low <= a <= high, lowest <= a <= highest, g)
                      for _, _, _, a, lowest, low, high, highest, g in part),
                    strict=True,
                )
            )  # fmt: skip
            verdict = "as_promised"
            if separate < 3 or gaussian > 0.5:
                verdict = "too_few_forecasts"
            elif narrow < 0.72 or wide < 0.9:
                verdict = "too_narrow"
            elif narrow > 0.88:
                verdict = "too_wide"
            judged = None if verdict == "too_few_forecasts" else verdict == "as_promised"
            found[metric, horizon] = (separate, verdict, judged)
    return found


@pytest.mark.truth
@pytest.mark.parametrize("name", ["world", "sample"])
def test_what_is_called_calibrated_covers_what_it_promises(
    name: str, world: World, sample: World
) -> None:
    """75 days hold one forecast of 28 days after another: nothing is promised there."""
    world = {"world": world, "sample": sample}[name]
    told = promised(
        world.warehouse.query(
            "select metric, origin_date, target_date, horizon_days, actual_value, p025, p10, p90, p975, "
            "is_gaussian_80 from growth.fct_forecast_backtests"
        )
    )
    stored = {
        (metric, horizon): (separate, verdict, judged)
        for metric, horizon, separate, verdict, judged in world.warehouse.query(
            "select metric, horizon_days, separate_forecast_count, interval_verdict, is_calibrated "
            "from growth.agg_forecast_accuracy"
        )
    }
    assert stored == told
    assert len(stored) == 10
    judged = [verdict for _, verdict, flag in stored.values() if flag is not None]
    assert bool(judged) == (name == "sample")
    beside = world.warehouse.query(
        "select distinct metric, case when horizon_days <= 28 then 28 else 90 end, interval_verdict "
        "from growth.fct_forecasts"
    )
    assert {(metric, horizon): verdict for metric, horizon, verdict in beside} == {
        key: verdict for key, (_, verdict, _) in stored.items()
    }


def test_intervals_of_the_sample_hold_what_they_promise(sample: World) -> None:
    """28 days ahead, every series: 80 % intervals hold 72 to 88 % of days, 95 % intervals 90 to 98 %."""
    told = sample.warehouse.query(
        "select metric, coverage_80_rate, coverage_95_rate, interval_verdict, verdict "
        "from growth.agg_forecast_accuracy where horizon_days = 28"
    )
    assert len(told) == 5
    for metric, narrow, wide, promise, worth in told:
        assert 0.72 <= narrow <= 0.88, (metric, narrow)
        assert 0.90 <= wide <= 0.98, (metric, wide)
        assert (promise, worth) == ("as_promised", "better_than_seasonal_naive"), metric


def test_seasonal_naive_is_the_same_weekday_of_the_last_week(
    sample: World, recount: Recount
) -> None:
    rows = sample.warehouse.query(
        "select metric, origin_date, target_date, naive_value::double from growth.fct_forecast_backtests"
    )
    assert len(rows) > 10_000
    for metric, origin, target, naive in rows:
        weeks = -(-(target - origin).days // 7)
        assert naive == pytest.approx(
            recount.series[metric][target - timedelta(weeks=weeks)], abs=1e-5
        )


def test_scenarios_are_linear_in_acquisition(sample: World) -> None:
    held: dict[str, Floats] = {}
    for scenario in ("base", "acquisition_up_10", "acquisition_doubled"):
        held[scenario] = np.array(
            sample.warehouse.query(
                "select structural_value::double, p50::double from growth.fct_scenarios "
                f"where scenario = '{scenario}' order by metric, target_date"
            )
        )
    up, doubled = (held[name][:, 0] - held["base"][:, 0] for name in list(held)[1:])
    assert doubled == pytest.approx(10 * up, abs=1e-4)
    assert (held["acquisition_doubled"] >= held["base"]).all()
    assert (doubled > 0).sum() > 300
    forecast = sample.warehouse.query(
        "select p50::double from growth.fct_forecasts order by metric, target_date"
    )
    assert held["base"][:, 1].tolist() == [value for (value,) in forecast]


def test_people_who_stay_by_loops(sample: World, last: date) -> None:
    """Weeks completed at each past day, and how many went on, from the days of each person."""
    lives: dict[Any, tuple[date, date | None]] = {}
    for person, days in days_of_people(sample).items():
        ordered = [*sorted(days), last + timedelta(days=1)]
        end = next((a for a, b in pairwise(ordered) if (b - a).days > 28), None)
        lives[person] = (ordered[0], end)
    told: dict[tuple[date, int], tuple[int, int]] = {}
    for back in range(28, 28 * 13, 28):
        origin = last - timedelta(days=back)
        watched = origin - timedelta(days=28)
        for ahead in range(1, min(back // 7, 13) + 1):
            size = kept = 0
            for first, end in lives.values():
                weeks = (watched - first).days // 7
                stayed = 10**6 if end is None else (end - first).days // 7
                if first <= watched and weeks >= 1 and stayed >= weeks:
                    size += 1
                    kept += stayed >= weeks + ahead
            if size:
                told[origin, ahead] = (size, kept)
    stored = {
        (origin, ahead): (size, kept)
        for origin, ahead, size, kept in sample.warehouse.query(
            "select origin_date, steps_ahead, customer_count, kept_count "
            "from retention.fct_retention_forecast_backtests where subject = 'people'"
        )
    }
    assert stored == told
    assert len(told) > 30


@pytest.mark.shared
def test_a_real_product_is_forecast_and_judged(shared_data: Path) -> None:
    """Messages of students, as of the last complete day: the forecast runs, and says what it is worth."""
    active: dict[str, set[date]] = defaultdict(set)
    for line in (shared_data / "college_msg.txt").read_text(encoding="ascii").splitlines()[1:]:
        sender, _, second = line.split()
        active[sender].add(datetime.fromtimestamp(int(second), UTC).date())
    end = max(day for days in active.values() for day in days) - timedelta(days=1)
    known = {person: {day for day in days if day <= end} for person, days in active.items()}
    table = Recount({person: days for person, days in known.items() if days}, end).forecast()
    ahead = table["origin_date"] == np.datetime64(end)
    assert ahead.sum() == 3 * 90
    assert np.isfinite(table["p50"][ahead]).all() and (table["p025"] >= 0).all()
    rows = (table["metric"] == "daily_active_users") & np.isfinite(table["actual_value"])
    rows &= table["horizon_days"] <= 28
    assert rows.sum() > 1000
    actual = table["actual_value"][rows]
    error = np.abs(table["p50"][rows] - actual).sum()
    naive = np.abs(table["naive_value"][rows] - actual).sum()
    held = np.mean((table["p10"][rows] <= actual) & (actual <= table["p90"][rows]))
    print(
        f"college, days 1 to 28: error to naive {error / naive:.3f}, 80 % interval holds {held:.3f}"
    )
    # A term that ends is no season: the figure is reported, not promised.
    assert 0 < error / naive < 3
