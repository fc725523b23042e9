"""Effects without an experiment: what every method says where the truth is known."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from conftest import ROOT
from plumbline.statistics.moments import Moments
from plumbline.statistics.observational import (
    Estimate,
    balance_by_propensity,
    e_value_of_shares,
    standardised_effect,
    weighted_by_propensity,
    weighted_effect,
)
from plumbline.statistics.quasi_experiments import METHODS, WINDOWS, answers, balances
from worlds import World

SEEDS = 200
# How many of SEEDS intervals may hold the truth if they hold it 95 times in 100 (99.9 % of all runs).
LEAST, MOST = stats.binom.interval(0.999, SEEDS, 0.95)
ALL = "naive stratified matched ipw aipw"
NO_PANELS = {
    name: np.array([], dtype=object if name == "question" else float)
    for name in ("question", "cohort_day", "adoption_day", "is_treated", "first_week", "second_week",
                 "person_count", "first_sum", "product_sum")
}  # fmt: skip


def strata(
    stratum: Any, treated: Any, windows: Any, *, methods: str = ALL, kind: str = "sum",
    before: bool = False, earlier: bool = False, reading: str = "effect",
) -> dict[str, Any]:  # fmt: skip
    """People as the rows of int_causal_strata_summed; ``windows`` has shape (people, 3)."""
    rows: dict[str, list[Any]] = defaultdict(list)
    values = np.asarray(windows, dtype=float).reshape(len(stratum), -1)
    values = np.pad(values, ((0, 0), (0, 3 - values.shape[1])))
    for name in np.unique(stratum):
        here = stratum == name
        share = float(treated[here].mean())
        for side in (False, True):
            mine = values[here & (treated == side)]
            if not len(mine):
                continue
            rows["stratum"].append(str(name))
            rows["is_treated"].append(float(side))
            rows["person_count"].append(float(len(mine)))
            rows["treated_share"].append(share)
            rows["propensity"].append(min(max(share, 0.02), 0.98))
            for i, first in enumerate(WINDOWS):
                rows[f"{first}_sum"].append(mine[:, i].sum())
                for j in range(i, 3):
                    rows[f"{first}_{WINDOWS[j]}_sum"].append((mine[:, i] * mine[:, j]).sum())
    count = len(rows["stratum"])
    fixed = {"question": "q", "reading": reading, "methods": methods, "outcome_kind": kind,
             "has_before": float(before), "has_earlier": float(earlier)}  # fmt: skip
    found = {name: np.array(column) for name, column in rows.items()}
    found |= {
        name: np.array([value] * count, dtype=object if isinstance(value, str) else float)
        for name, value in fixed.items()
    }
    found["stratum"] = found["stratum"].astype(object)
    return found


def told(columns: dict[str, Any], panels: Any = None, minimum: int = 30) -> dict[str, Any]:
    """Answers by method."""
    found = answers(columns, panels or NO_PANELS, confidence=0.95, minimum_people=minimum)
    names = [name for name in found if name != "method"]
    return {
        method: {name: found[name][row] for name in names}
        for row, method in enumerate(found["method"])
    }


def holds(row: dict[str, Any], truth: float) -> bool:
    return bool(row["estimate_low"] <= truth <= row["estimate_high"])


def confounded(seed: int, people: int = 2000) -> tuple[Any, Any, Any]:
    """Six kinds of people; the keener they are, the more they use it and the more they come anyway.

    The effect is 0.2 times the kind, so that everyone and the treated have different mean effects.
    """
    random = np.random.default_rng(seed)
    kind = random.integers(0, 6, people)
    treated = random.random(people) < np.array([0.15, 0.25, 0.35, 0.5, 0.6, 0.7])[kind]
    outcome = 1.5 * kind + 0.2 * kind * treated + random.normal(0, 2, people)
    return kind, treated, outcome


EFFECT_OF_ALL = 0.2 * 2.5


def effect_of_treated(kind: Any, treated: Any) -> float:
    return float(0.2 * kind[treated].mean())


def test_a_confounded_claim_fails_as_it_stands_and_holds_like_with_like() -> None:
    held: dict[str, int] = defaultdict(int)
    for seed in range(SEEDS):
        kind, treated, outcome = confounded(seed)
        rows = told(strata(kind, treated, outcome))
        # The plain difference misses the truth by more than ten of its errors, every time.
        assert rows["naive"]["estimate"] - EFFECT_OF_ALL > 10 * rows["naive"]["standard_error"]
        truth = dict.fromkeys(("stratified", "ipw", "aipw"), 0.2 * kind.mean())
        truth["matched"] = effect_of_treated(kind, treated)
        for method, value in truth.items():
            held[method] += holds(rows[method], value)
    for method in ("stratified", "matched"):
        assert LEAST <= held[method] <= MOST, (method, held[method])
    # These also allow for who happened to be asked (aipw), or take the weights as known (ipw): wider.
    assert held["aipw"] >= LEAST
    assert held["ipw"] >= LEAST


def test_aipw_covers_the_effect_on_people_not_seen() -> None:
    held = 0
    for seed in range(SEEDS):
        rows = told(strata(*confounded(1000 + seed, 600)))
        held += holds(rows["aipw"], EFFECT_OF_ALL)
    assert LEAST <= held <= MOST


def test_where_nothing_is_planted_a_negative_control_finds_nothing_beyond_its_rate() -> None:
    """The outcome is driven by the kind of people alone; so it is before the treatment (a placebo)."""
    called: dict[str, int] = defaultdict(int)
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        kind, treated, _ = confounded(seed)
        share = random.random(len(kind)) < 0.1 + 0.1 * kind
        rows = told(strata(kind, treated, share, kind="any", reading="negative_control"))
        assert rows["naive"]["p_value"] < 0.01
        for method in ("stratified", "matched", "aipw"):
            called[method] += rows[method]["p_value"] < 0.05
    for method, count in called.items():
        assert SEEDS - MOST <= count <= SEEDS - LEAST, (method, count)


def test_shares_values_and_counts_agree() -> None:
    kind, treated, outcome = confounded(3)
    kind = np.where(kind == 5, 5 + treated, kind)  # two kinds that are always, or never, treated
    rows = told(strata(kind, treated, outcome))
    for method, row in rows.items():
        assert row["estimate"] == pytest.approx(row["treated_value"] - row["untreated_value"])
        assert row["used_person_count"] == row["untreated_count"] + row["treated_count"]
        kept = kind < 5 if method != "naive" else kind > -1
        assert row["used_person_count"] == kept.sum()
        assert row["overlap_rate"] == kept.mean()
        assert row["reason"] is None
    assert rows["ipw"]["estimate"] == pytest.approx(rows["stratified"]["estimate"])
    assert rows["aipw"]["estimate"] == pytest.approx(rows["stratified"]["estimate"])


def test_a_clipped_propensity_moves_the_weighted_estimate_and_is_said() -> None:
    random = np.random.default_rng(4)
    kind = np.repeat([0, 1], [4000, 1000])
    treated = np.where(kind == 0, np.arange(5000) < 40, random.random(5000) < 0.5)
    outcome = kind * 3.0 + treated + random.normal(size=5000)
    rows = told(strata(kind, treated, outcome))
    assert rows["ipw"]["clipped_rate"] == rows["aipw"]["clipped_rate"] == 0.8
    assert rows["naive"]["clipped_rate"] == rows["stratified"]["clipped_rate"] == 0
    assert rows["ipw"]["estimate"] != pytest.approx(rows["stratified"]["estimate"])
    assert holds(rows["aipw"], 1.0)


# ---------------------------------------------------------------- changes against changes
def changing(seed: int, effect: float, drift: float) -> dict[str, Any]:
    """Groups on different levels; the treated drift apart by ``drift`` a period, and gain ``effect``."""
    random = np.random.default_rng(seed)
    treated = np.arange(800) % 4 == 0
    level = random.normal(5, 2, 800) + 3 * treated
    periods = [
        level + 0.7 * t + treated * (drift * t + effect * (t == 0)) + random.normal(size=800)
        for t in (0, -1, -2)
    ]
    return strata(
        np.zeros(800, int), treated, np.stack(periods, axis=1), methods="naive did", before=True,
        earlier=True,
    )  # fmt: skip


def test_differences_in_differences_recover_and_tell_when_they_cannot() -> None:
    held, alarms, flagged = 0, 0, 0
    for seed in range(SEEDS):
        row = told(changing(seed, 0.5, 0.0))
        assert not holds(row["naive"], 0.5)
        held += holds(row["did"], 0.5)
        alarms += row["did"]["pre_trend_p_value"] < 0.05
        flagged += told(changing(seed, 0.5, 0.6))["did"]["pre_trend_p_value"] < 0.01
    assert LEAST <= held <= MOST
    assert SEEDS - MOST <= alarms <= SEEDS - LEAST
    assert flagged > 0.99 * SEEDS


def test_without_a_common_past_there_is_no_change() -> None:
    columns = changing(1, 0.5, 0.0)
    columns["has_before"] = columns["has_before"] * 0
    assert told(columns)["did"]["reason"] == "too_few_periods"
    columns = changing(1, 0.5, 0.0)
    columns["has_earlier"] = columns["has_earlier"] * 0
    row = told(columns)["did"]
    assert row["reason"] is None
    assert np.isnan(row["pre_trend_p_value"])


def panels(seed: int, effect: float, drift: float) -> dict[str, Any]:
    """Weeks -2 to 2 of three stacks whose levels, seasons and sizes differ, as int_causal_panels_summed."""
    random = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = defaultdict(list)
    weeks = np.arange(-2, 3)
    for stack in range(3):
        for side, size in ((0, 200), (1, 20 + 10 * stack)):
            person = random.normal(3 + stack, 1, (size, 1))
            values = person + np.cos(weeks + stack) + random.normal(size=(size, 5))
            values = values + side * (effect * (weeks >= 0) + drift * weeks)
            for i, first in enumerate(weeks):
                for j, second in enumerate(weeks):
                    rows["question"].append("q")
                    rows["cohort_day"].append(7.0 * stack)
                    rows["adoption_day"].append(14.0)
                    rows["is_treated"].append(float(side))
                    rows["first_week"].append(float(first))
                    rows["second_week"].append(float(second))
                    rows["person_count"].append(float(size))
                    rows["first_sum"].append(values[:, i].sum())
                    rows["product_sum"].append((values[:, i] * values[:, j]).sum())
    return {
        name: np.array(column, dtype=object if name == "question" else float)
        for name, column in rows.items()
    }


def test_stacked_differences_recover_and_tell_when_they_cannot() -> None:
    columns = changing(0, 0.0, 0.0)
    columns["methods"] = np.array(["stacked_did"] * len(columns["methods"]), dtype=object)
    held, flagged = 0, 0
    for seed in range(SEEDS):
        row = told(columns, panels(seed, 0.4, 0.0))["stacked_did"]
        held += holds(row, 0.4)
        apart = told(columns, panels(seed, 0.4, 1.2))["stacked_did"]
        flagged += apart["pre_trend_p_value"] < 0.01
    assert (row["treated_count"], row["untreated_count"]) == (90, 600)
    assert LEAST <= held <= MOST
    assert flagged > 0.99 * SEEDS
    assert told(columns)["stacked_did"]["reason"] == "no_users"


# ---------------------------------------------------------------- where nothing can be said
def test_what_cannot_be_said_has_a_reason() -> None:
    kind, treated, outcome = confounded(5)
    few = told(strata(kind[:40], treated[:40], outcome[:40]))
    assert {row["reason"] for row in few.values()} == {"too_few_users"}
    assert all(np.isnan(row["estimate"]) for row in few.values())
    apart = told(strata(treated.astype(int), treated, outcome))
    assert apart["naive"]["reason"] is None
    assert apart["aipw"]["reason"] == apart["matched"]["reason"] == "no_overlap"
    rare = told(strata(kind, treated, np.arange(len(kind)) == 7, kind="any"))
    assert {row["reason"] for row in rare.values()} == {"too_few_events"}
    same = told(strata(kind, treated, np.ones(len(kind))))
    assert {row["reason"] for row in same.values()} == {"zero_variance"}
    assert same["naive"]["estimate"] == 0
    assert np.isnan(same["naive"]["p_value"])
    nobody = strata(kind, treated, outcome)
    nobody = {name: column[:1].copy() for name, column in nobody.items()}
    for name in nobody:
        if name.endswith(("_sum", "_count")):
            nobody[name] = nobody[name] * 0
    nobody["treated_share"] = nobody["propensity"] = np.array([np.nan])
    assert {row["reason"] for row in told(nobody).values()} == {"no_users"}
    assert told({name: column[:0] for name, column in nobody.items()}) == {}


def test_wrong_words_are_refused() -> None:
    columns = strata(*confounded(6), methods="naive guess")
    with pytest.raises(ValueError, match="no method is called guess"):
        told(columns)
    with pytest.raises(ValueError, match="confidence"):
        answers(columns, NO_PANELS, confidence=1.5, minimum_people=1)


def test_e_values_of_shares_are_those_of_their_ratio() -> None:
    effect = Estimate.of(np.array([0.29, 0.01]), np.array([0.01**2, 0.02**2]), 0, 0.05)
    point, bound = e_value_of_shares(effect, [0.1, 0.1])
    # VanderWeele and Ding (2017): a risk ratio of 3.9 has E-value 7.26.
    assert point.values[0] == pytest.approx(7.26, abs=0.005)
    assert 1 < bound.values[0] < point.values[0]
    assert bound.values[1] == 1
    none, _ = e_value_of_shares(effect, [0.0, 0.1])
    assert none.names().tolist() == ["zero_denominator", None]


def test_balance_is_bad_before_and_exact_after_where_it_is_held_equal() -> None:
    kind, treated, _ = confounded(8)
    other = np.random.default_rng(9).random(len(kind)) < 0.2 + 0.1 * kind
    rows: dict[str, list[Any]] = defaultdict(list)
    for name, level in (("kind", kind), ("other", other)):
        for stratum in range(6):
            share = float(treated[kind == stratum].mean())
            for value in np.unique(level[kind == stratum]):
                here = (kind == stratum) & (level == value)
                rows["question"].append("q")
                rows["covariate"].append(name)
                rows["covariate_level"].append(str(value))
                rows["stratum"].append(str(stratum))
                rows["is_held_equal"].append(float(name == "kind"))
                rows["propensity"].append(share)
                rows["untreated_count"].append(float((here & ~treated).sum()))
                rows["treated_count"].append(float((here & treated).sum()))
    words = ("question", "covariate", "covariate_level", "stratum")
    found = balances(
        {n: np.array(c, dtype=object if n in words else float) for n, c in rows.items()}
    )
    by = {
        (name, level): row
        for row, (name, level) in enumerate(
            zip(found["covariate"], found["covariate_level"], strict=True)
        )
    }
    before, after = (
        np.array(found[f"standardised_difference_{when}"]) for when in ("before", "after")
    )
    held = np.array(found["is_held_equal"])
    assert np.abs(before[held]).max() > 0.3
    assert np.abs(after[held]).max() < 1e-9
    # What follows from the kind comes into balance with it.
    assert abs(after[by["other", "True"]]) < 0.5 * abs(before[by["other", "True"]])
    place = by["other", "True"]
    spread = (other[treated].var(ddof=1) + other[~treated].var(ddof=1)) / 2
    gap = other[treated].mean() - other[~treated].mean()
    assert before[place] == pytest.approx(gap / np.sqrt(spread))
    assert found["treated_level_count"][place] == (other & treated).sum()
    assert found["untreated_count"][place] == (~treated).sum()


# ---------------------------------------------------------------- a published study
def nhefs() -> tuple[Moments, Moments]:
    """Gain of weight of 1,566 smokers by 16 strata (sex, race, 45 or older, 20 cigarettes or more).

    Sums over the National Health and Nutrition Examination Follow-up Study, as in causaldata 0.1.5 (MIT).
    """
    with (ROOT / "tests" / "fixtures" / "nhefs_strata.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    arms = []
    for side in ("0", "1"):
        mine = [row for row in rows if row["quit"] == side]
        n, total, square = (
            np.array([float(row[name]) for row in mine])
            for name in ("person_count", "gain_sum", "gain_square_sum")
        )
        arms.append(Moments.of_mean(n, total / n, square - total**2 / n))
    return arms[0], arms[1]


@pytest.mark.shared
def test_strata_of_a_published_study_give_its_numbers(shared_data: Path) -> None:
    cases = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    case = {case["id"]: case for case in cases}
    expected = case["saturated_identity_sql"]
    tolerance = expected["tolerance"]["abs"]
    untreated, treated = nhefs()
    share = treated.n / (treated.n + untreated.n)
    assert len(share) == expected["inputs"]["strata"]
    assert share.max() == pytest.approx(expected["inputs"]["max_propensity"], abs=1e-6)
    assert share.min() == pytest.approx(expected["inputs"]["min_propensity"], abs=1e-6)
    found = weighted_effect(untreated, treated, (0.02, 0.98), 0.05)
    wanted = expected["recomputed"]
    assert found.inverse_weighted.difference.values == pytest.approx(wanted["hajek"], abs=tolerance)
    assert found.horvitz_thompson.values == pytest.approx(wanted["horvitz_thompson"], abs=tolerance)
    assert found.doubly_robust.difference.values == pytest.approx(wanted["aipw"], abs=tolerance)
    # The case divides by people less one.
    people = untreated.n.sum() + treated.n.sum()
    error = found.doubly_robust.standard_error.values * np.sqrt(people / (people - 1))
    assert error == pytest.approx(wanted["aipw_se"], abs=5e-7)
    # A single treated person of a stratum has no noise one could know: stratification leaves it out.
    kept = treated.n > 1
    assert 0 < (~kept).sum() < 3
    standardised = standardised_effect(untreated, treated, False, 0.05).effect.difference
    narrow = weighted_effect(untreated[kept], treated[kept], (0.02, 0.98), 0.05)
    assert standardised.values == pytest.approx(
        narrow.doubly_robust.difference.values, abs=tolerance
    )
    crude = case["nhefs_ipw_gformula_aipw"]
    assert found.naive.difference.values == pytest.approx(crude["recomputed"]["crude"], abs=1e-6)
    # Coarse strata move the crude value to where the published model with all confounders has it.
    low, high = crude["published"]["ipw_ci95"]
    assert low < found.inverse_weighted.difference.values < high
    assert found.inverse_weighted.difference.values > crude["published"]["crude"]


def test_propensities_may_be_given() -> None:
    untreated, treated = nhefs()
    share = treated.n / (treated.n + untreated.n)
    own = weighted_effect(untreated, treated, (0.0, 1.0), 0.05)
    given = weighted_by_propensity(untreated, treated, share, 0.05)
    assert given.inverse_weighted.difference.values == own.inverse_weighted.difference.values
    assert given.clipped_share == 0
    flat = weighted_by_propensity(untreated, treated, np.full(16, 0.5), 0.05)
    naive = own.naive.difference.values
    assert flat.inverse_weighted.difference.values == pytest.approx(naive)
    assert flat.clipped_share > 0.9
    balance = balance_by_propensity(untreated, treated, np.full(16, 0.5), 1)
    assert balance.after.values == pytest.approx(balance.before.values)


# ---------------------------------------------------------------- questions are data
def macro_names(name: str) -> set[str]:
    """Words that a macro lists."""
    text = (ROOT / "macros" / "business" / f"{name}.sql").read_text(encoding="utf-8")
    return set(re.findall(r"'([a-z_]+)'", text.split("-#}")[1]))


def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / "reference" / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_questions_name_what_exists() -> None:
    measures = macro_names("causal_measures")
    contract = yaml.safe_load((ROOT / "vars.yml").read_text(encoding="utf-8"))["vars"]["contract"]
    columns = {column["name"]: column for column in contract["events"]["columns"]}
    measures |= {f"{feature}_uses" for feature in columns["feature"]["known"]}
    covariates = macro_names("causal_covariates")
    assert {"active_days", "high_ratings", "generate_quiz_uses"} <= measures
    assert {"role", "chance"} <= covariates
    for row in seed("causal_questions"):
        assert row["outcome"] in measures, row["question"]
        assert row["negative_outcome"] in measures | {"none"}, row["question"]
        assert row["treatment_kind"] != "measure" or row["treatment_name"] in measures
        assert set(row["covariates"].split()) <= covariates, row["question"]
        assert set(row["methods"].split()) <= set(METHODS), row["question"]
        assert {"naive", "aipw"} <= set(row["methods"].split()), "the verdict reads these two"


def test_every_row_can_be_explained() -> None:
    found = defaultdict(set)
    for row in seed("causal_explanations"):
        found[row["kind"]].add(row["code"])
    folder = ROOT / "models" / "intermediate" / "experimentation"
    verdicts = yaml.safe_load((folder / "int_causal_verdicts_reached.yml").read_text("utf-8"))
    [column] = [c for c in verdicts["models"][0]["columns"] if c["name"] == "verdict"]
    assert found["method"] == set(METHODS)
    assert found["reading"] == {"effect", "negative_control", "placebo_date"}
    assert found["verdict"] == set(
        column["data_tests"][0]["accepted_values"]["arguments"]["values"]
    )
    assert found["condition"] == {"little_overlap", "parted_before", "no_value"}


# ---------------------------------------------------------------- the shipped sample, by loops
class People:
    """What the sample's people did, from the facts that the strata are made of."""

    def __init__(self, sample: World) -> None:
        query = sample.warehouse.query
        (self.as_of,) = query("select as_of_date from intermediate.int_as_of")[0]
        self.joined = {
            key: (first, role)
            for key, first, role in query(
                "select person_key, first_active_date, role from intermediate.int_persons_cohorted"
            )
        }
        self.days: dict[int, dict[date, dict[str, int]]] = defaultdict(dict)
        names = ("active_days", "messages", "ratings", "high_ratings", "conversions", "shop_orders",
                 "generate_quiz_uses", "ad_impressions")  # fmt: skip
        rows = query(
            f"select person_key, activity_date, {', '.join(names)} "
            "from intermediate.int_causal_days_measured"
        )
        for key, day, *values in rows:
            self.days[key][day] = dict(zip(names, values, strict=True))

    def total(self, key: int, measure: str, start: date, length: int) -> int:
        """Sum of a measure of a person over days."""
        found = self.days[key]
        days = (start + timedelta(days=n) for n in range(length))
        return sum(found[day][measure] for day in days if day in found)


@pytest.fixture(scope="module")
def people(sample: World) -> People:
    return People(sample)


@pytest.fixture(scope="module")
def questions() -> dict[str, dict[str, Any]]:
    path = ROOT / "seeds" / "reference" / "causal_questions.csv"
    with path.open(encoding="utf-8") as lines:
        return {row["question"]: row for row in csv.DictReader(lines)}


def band(value: int, edges: tuple[tuple[int, str], ...]) -> str:
    return next((name for least, name in reversed(edges) if value >= least), "")


RECOUNTED = ("quiz_first_week", "quiz_third_week", "teacher_depth", "rating_subscription",
             "good_rating_subscription")  # fmt: skip


@pytest.mark.parametrize("question", RECOUNTED)
def test_strata_of_the_sample_are_what_plain_loops_count(
    sample: World, people: People, questions: dict[str, dict[str, Any]], question: str
) -> None:
    asked = questions[question]
    number = {name: int(value) for name, value in asked.items() if value.lstrip("-").isdigit()}
    readings = [("effect", asked["outcome"], asked["outcome_kind"], number["outcome_start_day"],
                 number["outcome_days"], 0)]  # fmt: skip
    if asked["negative_outcome"] != "none":
        readings.append(
            ("negative_control", asked["negative_outcome"], asked["negative_kind"],
             number["negative_start_day"], number["negative_days"], 0)
        )  # fmt: skip
    if number["placebo_days"]:
        shift = number["placebo_days"]
        readings.append(
            ("placebo_date", asked["outcome"], asked["outcome_kind"],
             number["outcome_start_day"] - shift, number["outcome_days"], shift)
        )  # fmt: skip
    horizon = max(
        number["treatment_days"],
        number["outcome_start_day"] + number["outcome_days"],
        number["negative_start_day"] + number["negative_days"],
    )
    counted: dict[Any, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for key, (first, role) in people.joined.items():
        zero = first + timedelta(days=number["index_delay_days"])
        if zero + timedelta(days=horizon - 1) > people.as_of:
            continue
        if asked["treatment_kind"] == "role":
            if role not in (asked["treatment_level"], asked["untreated_level"]):
                continue
            is_treated = role == asked["treatment_level"]
        else:
            amount = people.total(key, asked["treatment_name"], zero, number["treatment_days"])
            is_treated = amount >= number["treatment_threshold"]
        if asked["population"] == "raters" and not people.total(
            key, "ratings", zero, number["treatment_days"]
        ):
            continue
        if asked["population"] == "unconverted" and people.total(
            key, "conversions", first - timedelta(days=400), 400
            + number["index_delay_days"] + number["outcome_start_day"],
        ):  # fmt: skip
            continue
        chance = people.total(key, "active_days", zero, number["treatment_days"])
        for reading, outcome, kind, start, length, shift in readings:
            past = people.total(
                key, "active_days", zero - timedelta(days=shift + number["history_days"]),
                number["history_days"],
            )  # fmt: skip
            level = {
                "role": role,
                "chance": band(chance, (*((n, str(n)) for n in range(8)), (8, "8 to 10"),
                                        (11, "11 to 14"), (15, "15 or more"))),
                "use_before": band(past, ((0, "0"), (1, "1"), (2, "2 to 3"), (4, "4 or more"))),
            }  # fmt: skip
            stratum = ", ".join(
                level[name] if name in asked["covariates"].split() else "any"
                for name in ("role", "country", "platform", "acquisition_channel", "tenure",
                             "use_before", "messages_before", "chance")
            )  # fmt: skip
            value = people.total(key, outcome, zero + timedelta(days=start), length)
            before = people.total(key, outcome, zero - timedelta(days=shift + length), length)
            if kind == "any":
                value, before = int(value > 0), int(before > 0)
            cell = counted[reading, stratum, is_treated]
            for place, part in enumerate((1, value, value * value, value * before)):
                cell[place] += part
    stored = {
        (reading, stratum, side): [float(n), float(y), float(yy), float(yb)]
        for reading, stratum, side, n, y, yy, yb in sample.warehouse.query(
            "select reading, stratum, is_treated, person_count, outcome_sum, outcome_outcome_sum, "
            "outcome_before_sum from intermediate.int_causal_strata_summed "
            f"where question = '{question}'"
        )
    }
    assert len(stored) > 5
    assert stored == dict(counted)
