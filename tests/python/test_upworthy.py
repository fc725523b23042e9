"""4,873 published headline tests at once: from counts per arm to results and decisions in one build."""

from __future__ import annotations

import csv
import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml

from conftest import ROOT, dbt_runner, meet
from plumbline.frames import arrays, read
from plumbline.statistics.outcomes import Outcome
from plumbline.statistics.priors import effect_posterior, fit_effect_prior
from plumbline.statistics.readouts import results
from plumbline.statistics.splits import split_checks
from plumbline.statistics.verdicts import decisions, frozen_priors
from warehouse import Warehouse, register, write_rows

pytestmark = pytest.mark.shared
MARTS = (
    "dim_experiments",
    "fct_experiment_results",
    "fct_experiment_decisions",
    "agg_experiment_health",
    "agg_effect_priors",
)
TESTS = 4873
# An archive's fault of assignment, found by its keepers: more than a third of these weeks' tests.
FAULTY_WEEKS = range(201326, 201403)


def _monday(week: str) -> dt.datetime:
    # Weeks of a calendar year from 0 on, beginning with Monday.
    return dt.datetime.strptime(f"{week} 1", "%Y%W %w").replace(tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def tests_by_week() -> dict[str, str]:
    """First week of each test."""
    found: dict[str, str] = {}
    for row in _lines():
        found[row["test_id"]] = min(row["week"], found.get(row["test_id"], row["week"]))
    return found


def _lines() -> list[dict[str, str]]:
    shared = meet("shared")
    assert isinstance(shared, Path)
    with (shared / "upworthy_counts.csv").open() as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, tests_by_week: dict[str, str]) -> Warehouse:
    """Registry and counts landed, and everything between them and the decisions built once."""
    folder = tmp_path_factory.mktemp("archive")
    lake = folder / "lake"
    arms: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _lines():
        arms[row["test_id"]].append(row)
    registry, counts = [], []
    for test, rows in arms.items():
        opened = _monday(tests_by_week[test])
        closed = opened + dt.timedelta(days=7)
        share = (Decimal(1) / len(rows)).quantize(Decimal("0.000001"))
        for place, row in enumerate(rows):
            arm = {"experiment_id": test, "phase": 0, "variation_id": f"package_{row['arm']}",
                   "ingested_at": closed}  # fmt: skip
            registry.append(arm | {
                "name": test, "unit_type": "user", "is_control": place == 0,
                "expected_weight": share if place else 1 - share * (len(rows) - 1),
                "started_at": opened, "planned_end_at": closed, "ended_at": closed,
                "planned_units": sum(int(other["impressions"]) for other in rows),
                "mde_relative": Decimal("0.2"), "status": "finished",
            })  # fmt: skip
            counts.append(arm | {
                "metric": "counted_conversion", "exposure_date": opened.date(),
                "unit_count": int(row["impressions"]), "success_count": int(row["clicks"]),
            })  # fmt: skip
    last = max(row["started_at"] for row in registry)
    events = [
        {"event_id": f"e{day}", "event_time": last + dt.timedelta(days=day), "user_id": "reader",
         "event_name": "app_open", "ingested_at": last + dt.timedelta(days=day)}
        for day in range(30)
    ]  # fmt: skip
    write_rows(lake, "experiments", "one", registry)
    write_rows(lake, "experiment_counts", "one", counts)
    write_rows(lake, "events", "one", events)
    register(lake)
    warehouse = Warehouse(folder, dbt_runner(folder), lake)
    warehouse.models(*(f"+{mart}" for mart in MARTS))
    return warehouse


def test_every_test_has_results_health_and_a_decision(archive: Warehouse) -> None:
    rows, cells = archive.query(
        "select count(*), count(p_value) from experimentation.fct_experiment_results "
        "where method = 'plain' and cohort = 'matured' and segment_key = 'all'"
    )[0]
    treatments = len(_lines()) - TESTS
    assert rows == treatments
    # A p-value is missing only where neither arm had a click.
    assert cells >= rows - 5
    found = archive.query(
        """
        select count(distinct results.experiment_id), count(distinct health.experiment_id),
            count(distinct decisions.experiment_id), count(*) filter (decisions.status is null)
        from experimentation.fct_experiment_decisions as decisions
        left join experimentation.fct_experiment_results as results using (experiment_id, phase)
        left join experimentation.agg_experiment_health as health using (experiment_id, phase)
        """
    )
    assert found == [(TESTS, TESTS, TESTS, 0)]
    units, successes = archive.query(
        "select sum(unit_count), 0 from experimentation.agg_experiment_health"
    )[0]
    assert (units, successes) == (sum(int(row["impressions"]) for row in _lines()), 0)


def test_the_faulty_weeks_are_found_and_the_others_left_alone(
    archive: Warehouse, tests_by_week: dict[str, str]
) -> None:
    flagged: dict[bool, list[bool]] = defaultdict(list)
    for test, is_mismatched in archive.query(
        "select experiment_id, has_sample_ratio_mismatch from experimentation.agg_experiment_health"
    ):
        flagged[int(tests_by_week[test]) in FAULTY_WEEKS].append(is_mismatched)
    assert len(flagged[True]) == 1055 and len(flagged[False]) == TESTS - 1055
    assert np.mean(flagged[True]) >= 0.65
    assert np.mean(flagged[False]) <= 0.015
    # Nothing is decided on a split that was not kept.
    wrong = archive.query(
        "select count(*) from experimentation.agg_experiment_health as health "
        "inner join experimentation.fct_experiment_decisions as decisions using (experiment_id, phase) "
        "where (decisions.status = 'invalid') <> health.has_sample_ratio_mismatch"
    )
    assert wrong == [(0,)]


def test_decisions_are_of_every_kind_and_ship_what_is_better(archive: Warehouse) -> None:
    rows = archive.query(
        """
        select decisions.status, results.relative_difference, results.p_value, decisions.probability_best
        from experimentation.fct_experiment_decisions as decisions
        left join experimentation.fct_experiment_results as results
            on decisions.experiment_id = results.experiment_id and results.method = 'plain'
            and results.cohort = 'matured' and decisions.recommended_variation_id = results.variation_id
        """
    )
    statuses = Counter(status for status, *_ in rows)
    assert {"invalid", "ship", "stopped_underpowered"} <= set(statuses)
    shipped = [row for row in rows if row[0] == "ship"]
    assert len(shipped) > 100
    assert all(relative > 0 and p < 0.04 for _, relative, p, _ in shipped)


def test_priors_learn_from_finished_tests_only(archive: Warehouse) -> None:
    rows = archive.query(
        "select frozen_date, min(effect_count), max(effect_count), max(is_fallback::int), "
        "min(real_share), max(real_share), max(real_deviation) "
        "from experimentation.agg_effect_priors group by frozen_date order by frozen_date"
    )
    first, latest = rows[0], rows[-1]
    assert first[1:4] == (0, 0, 1)
    assert all(low == high for _, low, high, *_ in rows)
    known = [count for _, count, *_ in rows]
    assert known == sorted(known)
    # All that was over by then, whose ratio can be taken and whose split the e-value does not refuse.
    finished = archive.query(
        f"""
        select count(*)
        from python_models.py_experiment_results as results
        inner join experimentation.agg_experiment_health as health using (experiment_id, phase)
        inner join experimentation.dim_experiments as experiments using (experiment_id, phase)
        where results.method = 'plain' and results.cohort = 'matured' and results.log_ratio is not null
            and health.sample_ratio_log_e_value < ln(1000)
            and experiments.closing_date < date '{latest[0]}'
        """
    )
    assert finished == [(latest[2],)] and latest[2] > 10_000
    assert 0 < latest[4] <= latest[5] < 1 and 0.02 < latest[6] < 1


def _tables(archive: Warehouse) -> Callable[..., dict[str, Any]]:
    def table(name: str, *keys: str) -> dict[str, Any]:
        with duckdb.connect(str(archive.database), read_only=True) as connection:
            return arrays(read(connection.sql(f"from {name}"), keys))

    return table


def _settings(model: str) -> Mapping[str, Any]:
    path = ROOT / "python_models" / "experimentation" / f"{model}.yml"
    (found,) = yaml.safe_load(path.read_text())["models"]
    meta: dict[str, Any] = found["config"]["meta"]
    return meta


def _halves(cells: Mapping[str, Any], random: np.random.Generator) -> list[dict[str, Any]]:
    """Each arm's impressions parted at random in two: the same headline tested twice."""
    clean = {}
    for arm in ("control", "treatment"):
        users, won = (
            cells[f"{arm}_{name}"].astype(np.int64) for name in ("unit_count", "nonzero_count")
        )
        half = users // 2
        part = random.hypergeometric(won, users - won, half)
        clean[arm] = [(half, part), (users - half, won - part)]
    found = []
    for place in (0, 1):
        (n_c, s_c), (n_t, s_t) = clean["control"][place], clean["treatment"][place]
        usable = np.minimum(s_c, s_t) >= 5
        s_c, s_t, n_c, n_t = (np.where(usable, v, 5).astype(float) for v in (s_c, s_t, n_c, n_t))
        found.append({
            "usable": usable,
            "effect": np.log(s_t / n_t) - np.log(s_c / n_c),
            "error": np.sqrt(1 / s_t - 1 / n_t + 1 / s_c - 1 / n_c),
        })  # fmt: skip
    return found


def test_shrunken_effects_repeat_better_and_what_is_called_real_is(archive: Warehouse) -> None:
    """Half of the readers tell what the other half does: priors of halves, judged by the other half."""
    cells = _tables(archive)(
        "intermediate.int_decision_cells_assembled", "experiment_id", "variation_id"
    )
    one, two = _halves(cells, np.random.default_rng(20150424))
    both = one["usable"] & two["usable"]
    assert both.sum() > 10_000
    x, error = one["effect"][both], one["error"][both]
    prior = fit_effect_prior(x, error, np.zeros(len(x)), 1, 10, 0.15, 0.05)
    posterior = effect_posterior(
        Outcome.of(x), Outcome.of(error), float(prior.share[0]), float(prior.deviation[0])
    )
    fdr = posterior.local_fdr.values
    shrunk = (1 - fdr) * posterior.mean.values
    other = two["effect"][both]
    # What the halves differ by is noise of both: only the first half's is reduced by shrinking.
    noise = np.mean(two["error"][both] ** 2)
    raw_loss, shrunk_loss = (np.mean((other - guess) ** 2) - noise for guess in (x, shrunk))
    assert shrunk_loss < 0.6 * raw_loss
    called = fdr <= 0.05
    assert called.sum() > 200
    wrong_sign = np.mean(np.sign(other[called]) != np.sign(x[called]))
    # Half of the false calls and a few real ones, which the smaller half misses, change their sign.
    assert wrong_sign < 0.05
    by_p = (np.abs(x / error) > 1.96) & ~called
    assert np.mean(np.sign(other[by_p]) != np.sign(x[by_p])) > wrong_sign


def test_the_whole_archive_is_computed_cell_by_array(archive: Warehouse) -> None:
    """All Python of the build, in CPU seconds: arrays of cells, nothing cell by cell."""
    table = _tables(archive)
    key = ("experiment_id", "phase")
    spent: dict[str, float] = {}

    def timed(name: str, run: Callable[[], Any]) -> None:
        begun = time.process_time()
        run()
        spent[name] = time.process_time() - begun

    cells = table("intermediate.int_experiment_cells_paired", *key, "variation_id", "cohort")
    arms = table("intermediate.int_experiment_arms_counted", *key, "variation_id")
    judged = table("intermediate.int_decision_cells_assembled", *key, "variation_id")
    health = table("intermediate.int_experiment_health_judged", *key)
    finished = table("intermediate.int_finished_effects_paired", "metric", "started_day",
                     "finished_experiment_id", "finished_phase", "finished_variation_id")  # fmt: skip
    rules = _settings("py_experiment_decisions")
    prior = _settings("py_effect_priors")
    timed("results", lambda: results(cells, 0.05))
    timed("splits", lambda: split_checks(arms, 100.0))
    timed("priors", lambda: frozen_priors(finished, prior["minimum_effects"], prior["fallback_share"],
                                          prior["fallback_deviation"]))  # fmt: skip
    timed("decisions", lambda: decisions(judged, health, rules["rules"], rules["thresholds"]))
    print({name: round(seconds, 2) for name, seconds in spent.items()}, len(finished["log_ratio"]))
    # Ten times what it takes here: a loop over cells would take a hundred times as long.
    assert len(cells["kind"]) / spent["results"] > 1_000
    assert len(judged["kind"]) / spent["decisions"] > 1_000
    assert len(arms["unit_count"]) / spent["splits"] > 10_000
    assert spent["priors"] < 120
