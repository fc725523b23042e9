"""Experiments: recounted by loops, recovered where effects were planted, as published for Cookie Cats."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import RunDbt
from plumbline.simulate import Settings
from plumbline.simulate.experiments import trials
from warehouse import Warehouse, register, write_rows
from worlds import World

RESULTS = "experimentation.fct_experiment_results"
DAY = dt.timedelta(days=1)
VIEW, SENT, IMPRESSION = 3, 4, 2


class Recount:
    """Outcomes of one experiment and phase by plain loops, from accepted events and exposures."""

    def __init__(self, warehouse: Warehouse, experiment: str, phase: int) -> None:
        (self.as_of,) = warehouse.query("select as_of_date from intermediate.int_as_of")[0]
        opened, closed = warehouse.query(
            "select min(started_at), coalesce(max(ended_at), timestamp '9999-01-01') from "
            f"staging.stg_experiments__experiments where experiment_id = '{experiment}' and phase = {phase}"
        )[0]
        links = dict(
            warehouse.query(
                "select anonymous_id, user_id from intermediate.int_identity_links_resolved"
            )
        )
        excluded = {
            person
            for (person,) in warehouse.query(
                "select person_id from intermediate.int_persons_described where is_excluded"
            )
        }
        key = dict(
            warehouse.query("select person_id, person_key from intermediate.int_persons_described")
        )
        seen: dict[str, list[tuple[dt.datetime, str]]] = defaultdict(list)
        for unit, variation, at in warehouse.query(
            "select unit_id, variation_id, exposed_at from staging.stg_experiments__exposures "
            f"where experiment_id = '{experiment}'"
        ):
            if opened <= at < closed and at.date() <= self.as_of:
                seen[links.get(unit, unit)].append((at, variation))
        self.units: dict[int, tuple[dt.datetime, str]] = {}
        for person, exposures in seen.items():
            if person not in excluded and len({variation for _, variation in exposures}) == 1:
                self.units[key.get(person, -len(self.units) - 1)] = min(exposures)
        machines = set(
            warehouse.query(
                "select person_key, event_date from intermediate.int_user_days_excluded"
            )
        )
        self.events: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in warehouse.query(
            "select person_key, event_at, event_date, event_code, method_code, bot_key, revenue_micros "
            "from intermediate.int_events_resolved order by event_at, event_code, event_key"
        ):
            if row[0] in self.units and (row[0], row[2]) not in machines and row[2] <= self.as_of:
                self.events[row[0]].append(row[1:])

    def outcomes(
        self, window: tuple[int, int], value: Callable[[list[tuple[Any, ...]]], tuple[int, int]]
    ) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Units, numerator and denominator by arm and cohort; days of the window count from the exposure."""
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for unit, (at, variation) in self.units.items():
            first, last = (
                at.date() + days * DAY for days in (window[0], window[0] + window[1] - 1)
            )
            kept = [
                event for event in self.events[unit] if event[0] >= at and first <= event[1] <= last
            ]
            top, bottom = value(kept)
            for cohort in ("all", "matured") if last <= self.as_of else ("all",):
                for place, number in enumerate((1, top, bottom)):
                    found[variation, cohort][place] += number
        return {cell: (n, top, bottom) for cell, (n, top, bottom) in found.items()}


def messages(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    return sum(event[2] == SENT and event[3] != 2 for event in events), 0


def active(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    return int(any(event[2] in (SENT, 8) for event in events)), 0


def active_days(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    return len({event[1] for event in events if event[2] in (SENT, 8)}), 0


def advertisements(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    return sum(event[5] or 0 for event in events), 0


def chat_starts(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    """Days of a person and a bot with a message at or after the first view, and with a view."""
    first: dict[tuple[Any, ...], dt.datetime] = {}
    started = set()
    for at, day, code, _, bot, *_ in events:
        if code == VIEW and bot is not None:
            first.setdefault((day, bot), at)
    for at, day, code, _, bot, *_ in events:
        if code == SENT and (day, bot) in first and at >= first[day, bot]:
            started.add((day, bot))
    return len(started), len(first)


def clicks(events: list[tuple[Any, ...]]) -> tuple[int, int]:
    """Impressions, and those whose next card or page of the bot is a view within 30 minutes.

    A view may come the day after the window: such clicks are left to the tolerance of the test.
    """
    last: dict[Any, tuple[int, dt.datetime]] = {}
    clicked = shown = 0
    for at, _, code, _, bot, *_ in events:
        if code not in (IMPRESSION, VIEW) or bot is None:
            continue
        shown += code == IMPRESSION
        before = last.get(bot)
        if (
            code == VIEW
            and before
            and before[0] == IMPRESSION
            and at - before[1] <= dt.timedelta(minutes=30)
        ):
            clicked += 1
        last[bot] = (code, at)
    return clicked, shown


CASES: list[tuple[str, tuple[int, int], Callable[..., tuple[int, int]], float]] = [
    ("messages_7d", (0, 7), messages, 1),
    ("messages_14d", (0, 14), messages, 1),
    ("retention_d1", (1, 1), active, 1),
    ("retention_d7", (7, 1), active, 1),
    ("participation_14d", (0, 14), active_days, 1),
    ("ad_revenue_14d", (0, 14), advertisements, 1e6),
    ("chat_start_rate_14d", (0, 14), chat_starts, 1),
    ("click_through_rate_14d", (0, 14), clicks, 1),
]


@pytest.mark.parametrize(("experiment", "phase"), [("x01", 0), ("x06", 0), ("x08", 0), ("x13", 1)])
def test_results_are_recounted(sample: World, experiment: str, phase: int) -> None:
    recount = Recount(sample.warehouse, experiment, phase)
    compared = 0
    for metric, window, value, scale in CASES:
        expected = recount.outcomes(window, value)
        rows = sample.warehouse.query(
            " union all ".join(
                f"select cohort, {name}, {arm}_unit_count, {arm}_numerator, {arm}_denominator from {RESULTS} "
                f"where experiment_id = '{experiment}' and phase = {phase} and metric = '{metric}' "
                "and method = 'plain' and segment_key = 'all'"
                for arm, name in (
                    ("control", "control_variation_id"),
                    ("treatment", "variation_id"),
                )
            )
        )
        assert len(rows) == 4
        for cohort, arm, units, numerator, denominator in rows:
            n, top, bottom = expected[arm, cohort]
            assert units == n, (metric, cohort, arm)
            # A view shortly after midnight of the last day clicks an impression of that day.
            slack = 1 if metric == "click_through_rate_14d" else 1e-9
            assert numerator == pytest.approx(top / scale, abs=slack), (metric, cohort, arm)
            if metric.endswith("rate_14d"):
                assert denominator == bottom, (metric, cohort, arm)
            compared += 1
    assert compared == 4 * len(CASES)


def test_the_last_look_is_the_matured_result(sample: World) -> None:
    wrong, looked = sample.warehouse.query(
        f"""
        with looks as (
            select *, row_number() over (
                partition by experiment_id, phase, variation_id, metric order by activity_date desc
            ) as look_rank
            from experimentation.fct_experiment_sequences
        )
        select
            count(case when looks.control_unit_count <> results.control_unit_count
                or looks.treatment_unit_count <> results.treatment_unit_count
                or looks.difference is distinct from results.difference
                or looks.p_value is distinct from results.p_value then 1 end),
            count(*)
        from looks
        inner join {RESULTS} as results using (experiment_id, phase, variation_id, metric, method)
        where look_rank = 1 and cohort = 'matured' and segment_key = 'all'
        """
    )[0]
    assert wrong == 0 and looked > 200


def effect(world: World, experiment: str, metric: str, **where: str) -> dict[str, Any]:
    """One row of results by column names."""
    wanted = {"experiment_id": experiment, "metric": metric, "cohort": "matured", "method": "plain",
              "segment_key": "all", "segment_value": "all", "phase": "0"} | where  # fmt: skip
    columns = ("control_value", "treatment_value", "relative_difference", "relative_low", "relative_high",
               "p_value", "direction", "control_unit_count", "treatment_unit_count",
               "is_clt_weak")  # fmt: skip
    condition = " and ".join(f"{name} = '{value}'" for name, value in wanted.items())
    (row,) = world.warehouse.query(f"select {', '.join(columns)} from {RESULTS} where {condition}")
    return dict(zip(columns, row, strict=True))


def decision(world: World, experiment: str, phase: int = 0) -> tuple[str, str]:
    (row,) = world.warehouse.query(
        "select status, reason_codes from experimentation.fct_experiment_decisions "
        f"where experiment_id = '{experiment}' and phase = {phase}"
    )
    return row


@pytest.mark.truth
def test_planted_effects_are_recovered(world: World) -> None:
    """What was multiplied lies within the interval: chats, revenue, activity, cancelling."""
    # Windows of 14 days reach past the end of the phase, when nothing is planted any more: of 15 % at least
    # the share of window days inside it is left, more where people come early in their window.
    chat = effect(world, "x01", "chat_start_rate_14d")
    (inside,) = world.warehouse.query(
        "select avg(least(14, date_diff('day', e.exposure_date, p.closed_at::date)) / 14.0) "
        "from intermediate.int_units_described as e "
        "inner join intermediate.int_experiment_phases_bounded as p using (experiment_id, phase) "
        "where e.experiment_id = 'x01'"
    )[0]
    assert 0 < chat["relative_low"] < 0.15 and chat["relative_high"] > 0.15 * float(inside)
    assert decision(world, "x01")[0] == "ship"
    assert 0 < effect(world, "x08", "ad_revenue_14d")["relative_low"] < 0.25
    assert effect(world, "x08", "ad_revenue_14d")["relative_high"] > 0.25
    days = effect(world, "x09", "participation_14d")
    assert (
        0 < days["relative_low"] < 0.15 < days["relative_high"]
        and decision(world, "x09")[0] == "ship"
    )
    cancel = effect(world, "x10", "cancellations_28d")
    assert cancel["relative_low"] < 0.6 < cancel["relative_high"] and cancel["direction"] == "harm"
    assert decision(world, "x10")[0] != "ship"


@pytest.mark.truth
def test_an_effect_on_one_platform_shows_there(world: World) -> None:
    depth = {
        name: effect(world, "x02", "messages_14d", segment_key="platform", segment_value=name)
        for name in ("ios", "android", "web")
    }
    assert depth["ios"]["relative_difference"] > max(
        depth[name]["relative_difference"] for name in ("android", "web")
    )
    assert depth["ios"]["p_value"] < 0.05
    assert all(
        depth[name]["relative_low"] < 0 < depth[name]["relative_high"]
        for name in ("android", "web")
    )


@pytest.mark.truth
def test_nothing_is_found_where_nothing_was_planted(world: World) -> None:
    """A/A experiments are never shipped or rolled back; of their many cells about 5 % have p < 0.05."""
    for experiment in ("x03", "x07"):
        assert decision(world, experiment)[0] not in ("ship", "rollback", "conflict", "invalid")
    # Corrected for their number, an A/A experiment has a false call among its metrics in 5 % of cases, for
    # goals and for secondary metrics: of six such families two are called with 3 %, three with 0.2 %.
    called, cells = world.warehouse.query(
        "select count(distinct case when adjusted_p_value < 0.05 then experiment_id || adjustment end), "
        f"count(adjusted_p_value) from {RESULTS} "
        "where experiment_id in ('x03', 'x04', 'x07') and method = 'plain' "
        "and cohort = 'matured' and segment_key = 'all'"
    )[0]
    assert cells >= 75 and called <= 2
    worth, ranked = world.warehouse.query(
        "select count(case when is_targeting_worth_it then 1 end), count(qini) "
        "from experimentation.fct_uplift_rankings where experiment_id in ('x03', 'x04', 'x07')"
    )[0]
    # Six rankings at 2.5 % above 0: two or more in 1 % of cases.
    assert ranked >= 5 and worth <= 1
    trends = dict(
        world.warehouse.query(
            "select trend, count(*) from experimentation.fct_effect_trends where day_count > 3 group by trend"
        )
    )
    # Every planted effect lasts: of 14 trends at 1 % two or more are called in 1 % of cases.
    assert trends["steady"] >= 10 and sum(trends.values()) - trends["steady"] <= 1


@pytest.mark.truth
def test_faults_of_the_set_up_are_caught(world: World) -> None:
    truth = world.truth.expected["experiments"]
    assert decision(world, "x05") == ("invalid", "leak")
    leaked, multi = (
        world.warehouse.query(
            f"select {column} from experimentation.agg_experiment_health where experiment_id = '{name}'"
        )[0][0]
        for name, column in (("x05", "leaked_count"), ("x06", "multi_exposed_count"))
    )
    assert leaked == truth["x05"]["0"]["units"]["holdout"]
    assert multi == truth["x06"]["0"]["multi_exposed_units"]
    assert decision(world, "x06") == ("invalid", "multiple_exposure")
    # Honest splits pass; 52 to 48 needs more units than this world has (see the test of planned shares).
    p = dict(
        world.warehouse.query(
            "select experiment_id, sample_ratio_p_value from experimentation.agg_experiment_health "
            "where phase = 0"
        )
    )
    assert min(p[name] for name in ("x01", "x02", "x03", "x07", "x08")) > 0.001


@pytest.mark.truth
def test_units_are_those_that_were_exposed(world: World) -> None:
    """Units by arm are the generator's own, all phases of all experiments of people."""
    compared = 0
    for experiment, phases in world.truth.expected["experiments"].items():
        for phase, told in phases.items():
            if not told.get("multi_exposed_units") and "units" in told:
                found = dict(
                    world.warehouse.query(
                        "select variation_id, count(*) from experimentation.fct_experiment_exposures "
                        "where is_analysed "
                        f"and experiment_id = '{experiment}' and phase = {phase} group by variation_id"
                    )
                )
                assert found == told["units"], experiment
                compared += 1
    assert compared >= 12


@pytest.mark.truth
def test_creators_and_bots_are_their_own_units(world: World) -> None:
    """38 creators are 38 units, however many days and orders they have; too few to decide."""
    creators = effect(world, "x11", "product_conversion_28d")
    truth = world.truth.expected["experiments"]["x11"]["0"]["units"]
    assert (creators["control_unit_count"], creators["treatment_unit_count"]) == tuple(
        truth.values()
    )
    assert creators["relative_low"] < 0.2 < creators["relative_high"] and creators["is_clt_weak"]
    assert decision(world, "x11") == ("insufficient", "too_few_users")
    bots = effect(world, "x12", "chat_start_rate_14d", method="adjusted")
    assert 0 < bots["relative_low"] < 0.25 < bots["relative_high"]


def test_planned_shares_are_checked(tmp_path: Path, run_dbt: RunDbt) -> None:
    """The generator's own 52 to 48, and 60 honest splits, from landing to health and decision.

    With 30,000 units the chi-square is about 48 (sd 14): p < 0.001 needs 10.8. Of 60 honest splits
    none fails at 0.001 with 94 %, at most one with 99.8 %.
    """
    settings = Settings(users=40_000, days=60, seed=3)
    (planted,) = [trial for trial in trials(settings) if trial.kind == "srm"]
    opened = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    registry, exposures = [], []

    def run(name: str, arms: np.ndarray[Any, Any]) -> None:
        registry.extend(
            {"experiment_id": name, "phase": 0, "variation_id": arm, "name": name, "unit_type": "user",
             "is_control": arm == "control", "expected_weight": Decimal("0.5"), "started_at": opened,
             "planned_units": 30_000, "mde_relative": Decimal("0.05"), "planned_end_at": opened + DAY,
             "ended_at": opened + DAY, "status": "finished", "ingested_at": opened}
            for arm in ("control", "treatment")
        )  # fmt: skip
        exposures.extend(
            {"experiment_id": name, "variation_id": "treatment" if arm else "control", "unit_id": f"u{unit}",
             "exposed_at": opened + dt.timedelta(seconds=unit), "ingested_at": opened + DAY}
            for unit, arm in enumerate(arms.tolist())
        )  # fmt: skip

    run("skewed", planted.arm(settings.seed, planted.phases[0], np.arange(30_000)))
    rng = np.random.default_rng(3)
    for number in range(60):
        run(f"honest{number:02d}", rng.integers(0, 2, 1_000))
    events = [
        {"event_id": f"e{day}", "event_time": opened + day * DAY, "user_id": "u1", "event_name": "app_open",
         "ingested_at": opened + day * DAY}
        for day in range(40)
    ]  # fmt: skip
    lake = tmp_path / "lake"
    write_rows(lake, "experiments", "one", registry)
    write_rows(lake, "experiment_exposures", "one", exposures)
    write_rows(lake, "events", "one", events)
    register(lake)
    warehouse = Warehouse(tmp_path, run_dbt, lake)
    warehouse.models("+agg_experiment_health", "+fct_experiment_decisions")
    health = dict(
        warehouse.query(
            "select experiment_id, has_sample_ratio_mismatch from experimentation.agg_experiment_health"
        )
    )
    assert health.pop("skewed") is True
    assert len(health) == 60 and sum(health.values()) <= 1
    assert warehouse.query(
        "select status, reason_codes from experimentation.fct_experiment_decisions "
        "where experiment_id = 'skewed'"
    ) == [("invalid", "sample_ratio_mismatch")]


def test_triggered_units_and_strata_are_recounted(sample: World) -> None:
    """Who is triggered, by loops; and quantiles, tags and strata hold the units they say."""
    recount = Recount(sample.warehouse, "x01", 0)
    met = {
        unit
        for unit, (at, _) in recount.units.items()
        if any(
            event[0] >= at and event[2] == VIEW and event[4] is not None
            and event[1] <= at.date() + 13 * DAY
            for event in recount.events[unit]
        )
    }  # fmt: skip
    triggered = {
        arm: sum(variation == arm for unit, (_, variation) in recount.units.items() if unit in met)
        for arm in ("control", "treatment")
    }
    found = sample.warehouse.query(
        "select triggered_control_unit_count, triggered_treatment_unit_count, "
        "control_unit_count, treatment_unit_count from experimentation.fct_triggered_effects "
        "where experiment_id = 'x01' and metric = 'retention_d1'"
    )
    assert len(found) == 1 and found[0][:2] == (triggered["control"], triggered["treatment"])
    assert sum(found[0][2:]) == len(recount.units) > sum(found[0][:2]) > 0
    units, tags, wrong = sample.warehouse.query(
        """
        with strata as (
            select experiment_id, phase, variation_id, metric, cohort, segment_key, sum(unit_count) as n
            from intermediate.int_experiment_statistics_summed
            where segment_key in ('all', 'stratum', 'half', 'role', 'workflow')
            group by all
        )
        select count(*), count(distinct strata.segment_key), count(case when strata.n <> whole.n then 1 end)
        from strata
        inner join strata as whole using (experiment_id, phase, variation_id, metric, cohort)
        where whole.segment_key = 'all'
        """
    )[0]
    assert wrong == 0 and units > 1000 and tags == 5


def test_effects_by_age_are_recounted(sample: World) -> None:
    """What units did on one day after exposure, and on none besides, for units whose day is over."""
    recount = Recount(sample.warehouse, "x03", 0)
    compared = 0
    for age in (0, 1, 6, 13):
        (row,) = sample.warehouse.query(
            "select control_unit_count, control_value, treatment_unit_count, treatment_value "
            "from experimentation.agg_effects__age "
            f"where experiment_id = 'x03' and metric = 'messages_14d' and age_days = {age}"
        )
        outcome = recount.outcomes((age, 1), messages)
        for place, arm in enumerate(("control", "treatment")):
            n, top, _ = outcome[arm, "matured"]
            assert row[2 * place] == n
            assert row[2 * place + 1] == pytest.approx(top / n, abs=1e-12)
            compared += 1
    assert compared == 8


@pytest.mark.shared
def test_cookie_cats_from_landing_to_decision(
    shared_data: Path, tmp_path: Path, run_dbt: RunDbt
) -> None:
    """A published A/B test of 90,189 players, from raw rows to the decision."""
    opened = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    registry = [
        {"experiment_id": "gate", "phase": 0, "variation_id": arm, "name": "First gate", "unit_type": "user",
         "is_control": arm == "gate_30", "expected_weight": Decimal("0.5"), "started_at": opened,
         "planned_units": 90_000, "mde_relative": Decimal("0.05"),
         "planned_end_at": opened + DAY, "ended_at": opened + DAY, "status": "finished",
         "ingested_at": opened}
        for arm in ("gate_30", "gate_40")
    ]  # fmt: skip
    exposures, events = [], []

    def play(user: str, day: int) -> None:
        at = opened + day * DAY + dt.timedelta(hours=9)
        events.append({"event_id": f"{user}-{day}", "event_time": at, "user_id": user,
                       "event_name": "feature_used",
                       "feature": "flashcards", "ingested_at": at})  # fmt: skip

    with (shared_data / "cookie_cats.csv").open() as handle:
        for row in csv.DictReader(handle):
            user, at = f"p{row['userid']}", opened + dt.timedelta(hours=8)
            exposures.append({"experiment_id": "gate", "variation_id": row["version"], "unit_id": user,
                              "exposed_at": at, "ingested_at": at})  # fmt: skip
            for day in (1, 7):
                if row[f"retention_{day}"].lower() == "true":
                    play(user, day)
    for day in range(40):
        play("watcher", day)
    lake = tmp_path / "lake"
    write_rows(lake, "experiments", "one", registry)
    write_rows(lake, "experiment_exposures", "one", exposures)
    write_rows(lake, "events", "one", events)
    register(lake)
    warehouse = Warehouse(tmp_path, run_dbt, lake)
    warehouse.models(
        "+fct_experiment_results", "+fct_experiment_decisions", "+agg_experiment_health"
    )
    found = {
        metric: rest
        for metric, *rest in warehouse.query(
            f"""
            select metric, control_unit_count, treatment_unit_count, round(100 * control_value, 4),
                round(100 * treatment_value, 4), p_value, direction
            from {RESULTS}
            where segment_key = 'all' and cohort = 'matured' and method = 'plain'
                and metric in ('retention_d1', 'retention_d7')
            """
        )
    }
    assert found["retention_d1"][:4] == [44_700, 45_489, 44.8188, 44.2283]
    assert found["retention_d7"][:4] == [44_700, 45_489, 19.0201, 18.2000]
    assert found["retention_d7"][4] == pytest.approx(0.00155, abs=1e-5)
    assert found["retention_d7"][5] == "harm"
    (health,) = warehouse.query(
        "select round(sample_ratio_p_value, 4), is_valid, leaked_count, multi_exposed_count "
        "from experimentation.agg_experiment_health"
    )
    assert health == (0.0086, True, 0, 0)
    ((status, recommended),) = warehouse.query(
        "select status, recommended_variation_id from experimentation.fct_experiment_decisions"
    )
    # 4.3 % fewer players on day 7: fewer days of play, so the later gate is not shipped.
    assert (
        status in ("rollback", "insufficient", "stopped_underpowered") and recommended != "gate_40"
    )
