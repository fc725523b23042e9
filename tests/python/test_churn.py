"""Churn: exact attributions, honest judgement, and features that know nothing of the days after them."""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations
from math import comb, nan
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from conftest import ROOT
from plumbline.simulate import world as planted
from plumbline.statistics.churn import (
    CHALLENGER,
    CHAMPION,
    NOT_LOADED,
    TOO_FEW,
    Findings,
    Judgement,
    People,
    Settings,
    deployed,
    evaluate,
    score,
)
from plumbline.statistics.churn_design import Design, Feature, features_of
from plumbline.statistics.churn_models import fit_logistic, fit_trees
from plumbline.statistics.churn_quality import (
    area_low,
    area_under_curve,
    average_precision,
    brier,
    calibration,
    calibration_bins,
    deciles,
    paired_gain,
)
from plumbline.statistics.drivers import effects
from test_frames import Dbt, _config, _module
from worlds import World

# The fixture of the second opinion: accepted events, machines and staff, read from the raw files.
from test_sample_truth import recount  # noqa: F401  isort: skip
from recounted import Recount  # isort: skip

Array = NDArray[np.float64]
HORIZON = 28
FINDINGS = ROOT / "python_models" / "retention" / "py_churn_findings.py"
SCORES = ROOT / "python_models" / "retention" / "py_churn_scores.py"


def _meta(path: Path) -> dict[str, Any]:
    (entry,) = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    found: dict[str, Any] = entry["config"]["meta"]
    return found


SETTINGS = Settings.of(_meta(FINDINGS)["settings"])
JUDGEMENT = Judgement.of(_meta(FINDINGS)["judgement"])


def test_scores_come_from_the_models_that_were_judged() -> None:
    assert _meta(SCORES)["settings"] == _meta(FINDINGS)["settings"]


# ---------------------------------------------------------------- attributions
def _cover_weighted(node: dict[str, Any], row: Array, known: frozenset[int]) -> float:
    """Expected raw score of a tree when only some columns are known: other splits by their rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        taken = left if row[node["split_feature"]] <= node["threshold"] else right
        return _cover_weighted(taken, row, known)
    covers = [
        float(child.get("internal_count", child.get("leaf_count"))) for child in (left, right)
    ]
    parts = [_cover_weighted(child, row, known) for child in (left, right)]
    return (covers[0] * parts[0] + covers[1] * parts[1]) / sum(covers)


def _brute_force(trees: list[dict[str, Any]], row: Array) -> Array:
    """Shapley values over all subsets of columns, and the score with none known at the end."""
    width = len(row)
    worth = {
        frozenset(subset): sum(_cover_weighted(tree, row, frozenset(subset)) for tree in trees)
        for size in range(width + 1)
        for subset in combinations(range(width), size)
    }
    values = np.zeros(width + 1)
    for column in range(width):
        others = [subset for subset in worth if column not in subset]
        values[column] = sum(
            (worth[subset | {column}] - worth[subset]) / (width * comb(width - 1, len(subset)))
            for subset in others
        )
    values[width] = worth[frozenset()]
    return values


@pytest.mark.shared
def test_tree_attributions_are_shapley_values(shared_data: Path) -> None:
    """The published identity: 5 trees of 8 leaves on 4 columns against all 16 subsets."""
    cases = json.loads((shared_data / "lifecycle_cases.json").read_text(encoding="utf-8"))["cases"]
    (case,) = [case for case in cases if case["id"] == "tree_shap_exactness"]
    tolerance = case["tolerance"]["abs"]
    random = np.random.default_rng(0)
    matrix = random.normal(size=(600, 4))
    labels = (random.random(600) < expit(matrix[:, 0] - matrix[:, 1] * matrix[:, 2])).astype(float)
    model = fit_trees(matrix, labels, rounds=5, leaves=8, rate=0.1, least=20)
    trees = [tree["tree_structure"] for tree in model.booster.dump_model()["tree_info"]]
    assert len(trees) == 5
    rows = matrix[:25]
    told = np.asarray([_brute_force(trees, row) for row in rows])
    # Leaves count rows; the booster weighs splits by them.
    np.testing.assert_allclose(model.contributions(rows), told[:, :4], atol=tolerance, rtol=0)
    assert model.base() == pytest.approx(told[0, 4], abs=tolerance)
    many = random.normal(size=(30_000, 4))
    summed = model.contributions(many).sum(axis=1) + model.base()
    np.testing.assert_allclose(summed, model.log_odds(many), atol=tolerance, rtol=0)


def test_contributions_add_up_to_the_prediction() -> None:
    people, features = _process(seed=1, count=1500)
    train = people.only(["train"])
    design = Design.learn(features, train.columns, False)
    matrix, tests = design.matrix(train.columns), design.matrix(people.only(["test"]).columns)
    logistic = fit_logistic(matrix, train.churned, 1.0)
    trees = fit_trees(matrix, train.churned, 50, 8, 0.1, 20)
    for model, tolerance in ((logistic, 1e-9), (trees, 1e-6)):
        parts = model.contributions(tests)
        assert np.ptp(parts) > 0.1
        for summed in (parts, design.by_feature(parts), design.by_driver(parts)[1]):
            total = summed.sum(axis=1) + model.base()
            np.testing.assert_allclose(total, model.log_odds(tests), atol=tolerance, rtol=0)


def test_logistic_regression_stands_where_its_gradient_is_zero() -> None:
    random = np.random.default_rng(3)
    matrix = random.normal(size=(400, 3))
    labels = (random.random(400) < expit(0.3 + matrix @ [1.0, -0.5, 0.0])).astype(float)
    model = fit_logistic(matrix, labels, 2.0)
    residual = expit(model.log_odds(matrix)) - labels
    np.testing.assert_allclose(matrix.T @ residual + 2.0 * model.beta, 0, atol=1e-8)
    assert residual.sum() == pytest.approx(0, abs=1e-8)
    separable = (matrix[:, 0] > 0).astype(float)
    assert np.isfinite(fit_logistic(matrix, separable, 1.0).beta).all()
    with pytest.raises(ValueError, match="both kinds"):
        fit_logistic(matrix, np.ones(400), 1.0)
    with pytest.raises(ValueError, match="penalty"):
        fit_logistic(matrix, labels, 0.0)


# ---------------------------------------------------------------- measures
@pytest.mark.parametrize("levels", [3, 50, 10_000])
def test_measures_agree_with_scikit_learn(levels: int) -> None:
    random = np.random.default_rng(levels)
    chances = np.round(random.random(500) * levels) / levels
    labels = (random.random(500) < chances).astype(float)
    assert area_under_curve(labels, chances) == pytest.approx(roc_auc_score(labels, chances))
    assert average_precision(labels, chances) == pytest.approx(
        average_precision_score(labels, chances)
    )
    assert brier(labels, chances) == pytest.approx(brier_score_loss(labels, chances))


def test_an_area_is_told_with_its_spread() -> None:
    """Hanley and McNeil (1982): an area without a mistake has no spread, 0.5 of few people much."""
    assert area_low(1.0, 20, 30, 0.95) == 1.0
    assert area_low(0.9, 50, 50, 0.95) < area_low(0.9, 5000, 5000, 0.95) < 0.9
    assert np.isnan(area_low(nan, 0, 9, 0.95))
    random = np.random.default_rng(8)
    found = []
    for _ in range(2000):
        scores = np.concatenate([random.normal(1, 1, 40), random.normal(0, 1, 60)])
        labels = np.repeat([1.0, 0.0], [40, 60])
        found.append(area_low(area_under_curve(labels, scores), 40, 60, 0.95))
    # The true area of two normals one deviation apart; 2,000 trials, three standard errors.
    true = 0.7602499389065233
    assert np.mean(np.asarray(found) <= true) == pytest.approx(0.95, abs=3 * 0.0049 + 0.01)


def test_calibration_finds_what_was_twisted() -> None:
    random = np.random.default_rng(5)
    log_odds = random.normal(0, 1.5, 20_000)
    labels = (random.random(20_000) < expit(log_odds)).astype(float)
    # The slope's standard error at this size is about 0.017.
    right = calibration(labels, expit(log_odds))
    assert right.slope == pytest.approx(1, abs=0.06)
    assert right.intercept == pytest.approx(0, abs=0.06)
    assert calibration(labels, expit(2 * log_odds)).slope == pytest.approx(0.5, abs=0.03)
    assert calibration(labels, expit(log_odds - 0.7)).intercept == pytest.approx(0.7, abs=0.06)
    flat = calibration(labels, np.full(20_000, 0.5))
    assert np.isnan(flat.slope)
    assert np.isfinite(flat.intercept)
    assert np.isnan(calibration(np.ones(5), np.full(5, 0.3)).intercept)


def test_bins_and_deciles_hold_everybody_once() -> None:
    random = np.random.default_rng(6)
    chances = np.round(random.random(203), 2)
    labels = (random.random(203) < chances).astype(float)
    bins = calibration_bins(labels, chances, 10)
    assert bins.row_count.sum() == 203
    assert bins.churned_count.sum() == labels.sum()
    assert (bins.row_count * bins.predicted).sum() == pytest.approx(chances.sum())
    assert (np.diff(bins.low) >= 0).all()
    place = deciles(chances)
    assert set(place) == set(range(1, 11))
    assert np.bincount(place.astype(int))[1:].max() <= 21
    assert chances[place == 1].min() >= chances[place == 2].max()
    assert calibration_bins(labels[:3], chances[:3], 10).row_count.tolist() == [1, 1, 1]


def test_a_gain_holds_zero_between_equals_and_not_between_better_and_worse() -> None:
    random = np.random.default_rng(7)
    chances = random.random(1000)
    labels = (random.random(1000) < chances).astype(float)
    noise = [np.clip(chances + random.normal(0, 0.05, 1000), 0, 1) for _ in range(2)]
    _, low, high = paired_gain(labels, noise[0], noise[1], 500, 0.95, 1)
    assert low < 0 < high
    gain, low, high = paired_gain(labels, np.full(1000, labels.mean()), chances, 500, 0.95, 1)
    assert 0 < low < gain < high
    assert paired_gain(labels, noise[0], chances, 500, 0.95, 1) == paired_gain(
        labels, noise[0], chances, 500, 0.95, 1
    )


# ---------------------------------------------------------------- the planted process
def _process(seed: int, count: int, days: int = 196) -> tuple[People, list[Feature]]:
    """The generator's own chances to stay and to be active, day by day, and features counted from them.

    People join on any day; a class decides when they leave for good and how often they come.
    """
    random = np.random.default_rng(seed)
    klass = random.choice(3, count, p=planted.CLASS_SHARE)
    role = random.choice(3, count, p=planted.ROLE_SHARE)
    joined = random.integers(0, days, count)
    stays = random.geometric(np.asarray(planted.CLASS_LEAVE)[klass])
    chance = np.asarray(planted.CLASS_ACTIVE)[klass] * np.asarray(planted.ROLE_ACTIVITY)[role]
    when = np.arange(days)
    here = (when >= joined[:, None]) & (when < (joined + stays)[:, None])
    active = here & (random.random((count, days)) < chance[:, None])
    active[np.arange(count), joined] = True
    rows: dict[str, list[NDArray[Any]]] = defaultdict(list)
    last = days - 1
    snapshots = {"score": [last], "test": [last - HORIZON]}
    snapshots["train"] = [last - 2 * HORIZON - 14 * step for step in range(6)]
    for purpose, places in snapshots.items():
        for day in places:
            lately = active[:, max(0, day - HORIZON + 1) : day + 1]
            who = np.flatnonzero(lately.any(axis=1))
            past = active[who, : day + 1]
            silent = ~active[who, day + 1 : day + 1 + HORIZON].any(axis=1)
            rows["purpose"].append(np.full(len(who), purpose))
            rows["churned"].append(np.full(len(who), nan) if day == last else silent.astype(float))
            rows["recency_days"].append(past[:, ::-1].argmax(axis=1))
            rows["tenure_days"].append(day - past.argmax(axis=1))
            for name, length in (("active_days", 28), ("active_days_7", 7), ("active_days_14", 14)):
                rows[name].append(past[:, -length:].sum(axis=1))
            rows["lifetime_active_days"].append(past.sum(axis=1))
            rows["role"].append(np.asarray(planted.ROLES, dtype=object)[role[who]])
            for name in ("messages_per_active_day", "ads_per_active_day"):
                rows[name].append(random.exponential(3, len(who)))
            rows["country"].append(random.choice(np.asarray(["US", "DE", "IN"], object), len(who)))
            # Far past the snapshot: what a feature made of the last day ever seen would say.
            ever = active[who].shape[1] - 1 - active[who, ::-1].argmax(axis=1)
            rows["last_seen_as_of_now"].append(last - ever)
    whole = {name: np.concatenate(parts) for name, parts in rows.items()}
    numbers = {
        name: values if values.dtype == object else values.astype(float)
        for name, values in whole.items()
        if name not in ("purpose", "churned")
    }
    return People(numbers, whole["purpose"], whole["churned"]), _features()


def _features() -> list[Feature]:
    lines = (ROOT / "seeds" / "reference" / "driver_features.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in lines.splitlines()[1:]]
    return features_of(*([row[place] for row in rows] for place in range(3)))


@pytest.fixture(scope="module")
def steady() -> tuple[People, Findings]:
    """Five months of a steady product of 12,000 people, judged."""
    people, features = _process(seed=11, count=12_000)
    return people, evaluate(people, features, SETTINGS, JUDGEMENT)


def test_planted_churn_is_foretold(steady: tuple[People, Findings]) -> None:
    people, found = steady
    size = len(people.only(["test"]).churned)
    assert size > 1500
    for kind in (CHAMPION, CHALLENGER):
        assert found.of("model", kind, "all", "area_under_curve") > 0.7
        assert found.of("model", kind, "all", "recency_skill") > 0
        lift = found.of("model", kind, "all", "top_decile_churned_count")
        assert lift / found.of("model", kind, "all", "top_decile_count") > 0.8
    # Near 1: a standard error of the slope is about 2 / sqrt(people) here; three of them.
    slope = found.of("model", CHAMPION, "all", "calibration_slope")
    assert slope == pytest.approx(1, abs=3 * 2 / np.sqrt(size))


def test_planted_drivers_are_recovered(steady: tuple[People, Findings]) -> None:
    """What was planted moves predictions most, the role least of it, and the noise less than that."""
    people, found = steady

    def weight(driver: str, kind: str = CHAMPION) -> float:
        return found.of("driver", kind, driver, "mean_absolute_contribution")

    assert min(weight("frequency"), weight("recency")) > 3 * weight("role") > 0
    assert weight("role") > max(weight("depth"), weight("place"), weight("money"))
    assert found.of("feature", CHAMPION, "recency_days", "direction") == 1
    # Features of how often somebody came repeat each other: their sign is that of one of them alone.
    rows = people.only(["test"])
    names = ("recency_days", "active_days", "role", "messages_per_active_day", "country")
    told = effects(
        rows.columns,
        [feature for feature in _features() if feature.name in names],
        {"churn": ("odds_ratio", rows.churned)},
        penalty=1.0, minimum_people=30, confidence=0.99,
    )  # fmt: skip
    place = {key: n for n, key in enumerate(zip(told.feature, told.level, strict=True))}
    recency, frequency = (place[name, "one_deviation"] for name in names[:2])
    assert told.adjusted_low[recency] > 1 > told.adjusted_high[frequency]
    # The planted advantage of teachers is 1.1 times the activity: little, and never the other way.
    assert told.naive_low[place["role", "teacher"]] < 1
    noise = place["messages_per_active_day", "one_deviation"]
    assert told.adjusted_low[noise] < 1 < told.adjusted_high[noise]


def test_shuffled_features_cost_what_they_told(steady: tuple[People, Findings]) -> None:
    """Permutation check: shuffling a planted feature hurts, shuffling noise does not."""
    _, found = steady
    for kind in (CHAMPION, CHALLENGER):
        losses = {
            name: found.of("feature", kind, name, "permutation_loss")
            for name in ("recency_days", "messages_per_active_day", "country", "ads_per_active_day")
        }
        recency = losses.pop("recency_days")
        assert recency > 0.02
        assert max(abs(loss) for loss in losses.values()) < recency / 10


def test_shuffled_outcomes_are_not_foretold() -> None:
    people, features = _process(seed=12, count=4000)
    random = np.random.default_rng(1)
    churned = people.churned.copy()
    for purpose in ("train", "test"):
        rows = np.flatnonzero(people.purpose == purpose)
        churned[rows] = random.permutation(churned[rows])
    found = evaluate(People(people.columns, people.purpose, churned), features, SETTINGS, JUDGEMENT)
    labels = churned[people.purpose == "test"]
    ones = labels.sum()
    # Standard error of the area when nothing is told, four of them for two models.
    error = np.sqrt((len(labels) + 1) / (12 * ones * (len(labels) - ones)))
    for kind in (CHAMPION, CHALLENGER):
        assert abs(found.of("model", kind, "all", "area_under_curve") - 0.5) < 4 * error
    assert deployed(found.model_name, found.metric, np.asarray(found.value)) == CHAMPION


def test_a_feature_that_knows_the_future_stands_out() -> None:
    people, features = _process(seed=13, count=3000)
    trap = [*features, Feature("last_seen_as_of_now", "recency", "log")]
    sound = evaluate(people, features, SETTINGS, JUDGEMENT)
    leaky = evaluate(people, trap, SETTINGS, JUDGEMENT)
    assert leaky.of("feature", CHAMPION, "last_seen_as_of_now", "single_area_low") > 0.95
    assert leaky.of("model", CHAMPION, "all", "area_under_curve_low") > 0.97
    names = {
        name
        for section, name in zip(sound.section, sound.name, strict=True)
        if section == "feature"
    }
    assert max(sound.of("feature", CHAMPION, name, "single_area_low") for name in names) < 0.95
    assert sound.of("model", CHAMPION, "all", "area_under_curve_low") < 0.97


# ---------------------------------------------------------------- champion and challenger
def _curved(seed: int, count: int) -> People:
    """Churn that no straight line sees: high at both ends of a number."""
    random = np.random.default_rng(seed)
    value = random.normal(size=2 * count)
    churned = (random.random(2 * count) < np.where(np.abs(value) > 1, 0.9, 0.1)).astype(float)
    purpose = np.repeat(["train", "test"], count)
    return People(
        {"recency_days": random.exponential(1, 2 * count), "weekend_share": value}, purpose, churned
    )


def test_a_challenger_takes_over_when_it_is_surely_better() -> None:
    found = evaluate(_curved(1, 1500), _features(), SETTINGS, JUDGEMENT)
    assert found.of("model", CHALLENGER, "all", "brier_gain_low") > 0
    assert found.of("model", CHALLENGER, "all", "is_deployed") == 1
    assert found.of("model", CHAMPION, "all", "is_deployed") == 0
    assert deployed(found.model_name, found.metric, np.asarray(found.value)) == CHALLENGER


def test_same_people_same_findings_and_scores() -> None:
    people, features = _process(seed=14, count=1200)
    first, second = (evaluate(people, features, SETTINGS, JUDGEMENT) for _ in range(2))
    assert repr(first.columns()) == repr(second.columns())
    for kind in (CHAMPION, CHALLENGER):
        scores = [score(people, features, kind, SETTINGS) for _ in range(2)]
        np.testing.assert_array_equal(scores[0].log_odds, scores[1].log_odds)
        assert (scores[0].reasons == scores[1].reasons).all()


def test_a_score_says_what_adds_to_it() -> None:
    people, features = _process(seed=15, count=1500)
    found = score(people, features, CHAMPION, SETTINGS)
    assert len(found.chance) == (people.purpose == "score").sum()
    np.testing.assert_allclose(found.base + found.contribution, found.log_odds, atol=1e-9)
    np.testing.assert_allclose(expit(found.log_odds), found.chance, atol=1e-12)
    known = np.nan_to_num(found.added, nan=0.0)
    assert (known[:, 0] >= known[:, 1]).all()
    assert (known >= 0).all()
    assert ((found.reasons == "none") == np.isnan(found.added)).all()
    # Who has just been here is at no risk because of it.
    recency = people.columns["recency_days"][people.purpose == "score"]
    first = found.reasons[:, 0]
    assert (first[recency > 20] == "recency_days").mean() > 0.9
    assert not (found.reasons[recency == 0] == "recency_days").any()


@pytest.mark.parametrize("missing", [ImportError("no wheel"), OSError("libgomp.so.1: not found")])
def test_without_lightgbm_the_champion_stays(
    monkeypatch: pytest.MonkeyPatch, missing: Exception
) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "lightgbm":
                raise missing

    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    people, features = _process(seed=16, count=800)
    found = evaluate(people, features, SETTINGS, JUDGEMENT)
    reasons = dict(zip(found.model_name, found.reason, strict=True))
    assert reasons[CHALLENGER] == NOT_LOADED
    assert reasons[CHAMPION] == "none"
    assert found.of("model", CHAMPION, "all", "is_deployed") == 1
    assert "feature" in found.section


def test_too_few_people_are_not_scored() -> None:
    people, features = _process(seed=17, count=60)
    found = evaluate(people, features, SETTINGS, JUDGEMENT)
    assert set(found.reason) == {TOO_FEW}
    kind = deployed(found.model_name, found.metric, np.asarray(found.value))
    assert kind is None
    scores = score(people, features, kind, SETTINGS)
    assert np.isnan(scores.chance).all()
    assert set(scores.reason) == {TOO_FEW}
    nobody = People(
        {feature.name: np.empty(0) for feature in features}, np.empty(0, str), np.empty(0)
    )
    assert set(evaluate(nobody, features, SETTINGS, JUDGEMENT).reason) == {TOO_FEW}
    assert score(nobody, features, CHAMPION, SETTINGS).chance.shape == (0,)


def test_a_level_nobody_was_trained_on_and_a_missing_number_are_no_surprise() -> None:
    features = features_of(["a", "b"], ["x", "x"], ["log", "category"])
    columns = {"a": np.asarray([1.0, nan, 3.0, 8.0]), "b": np.asarray(["u", "v", "u", "v"], object)}
    design = Design.learn(features, columns, False)
    strange = {"a": np.asarray([nan]), "b": np.asarray(["w"], object)}
    matrix = design.matrix(strange)
    assert np.isnan(matrix[0, 0])
    assert fit_logistic(design.matrix(columns), np.asarray([0.0, 1, 0, 1]), 1.0).contributions(
        matrix
    )[0, 0] == pytest.approx(0)
    with pytest.raises(ValueError, match="unknown transform"):
        Design.learn(features_of(["a"], ["x"], ["sqrt"]), columns, False)


# ---------------------------------------------------------------- drivers
def test_effects_tell_a_cause_from_its_company() -> None:
    """Heavy use makes people stay; teachers are heavy users and nothing else. Alone, both seem to work."""
    random = np.random.default_rng(21)
    count = 6000
    teacher = random.random(count) < 0.4
    use = random.normal(size=count) + 1.2 * teacher
    columns = {
        "weekend_share": use,
        "role": np.where(teacher, "teacher", "student").astype(object),
        "edit_share": random.normal(size=count),
    }
    stays = (random.random(count) < expit(-0.5 + 1.0 * use)).astype(float)
    stays[:500] = nan
    minutes = 5 + 3 * use + random.normal(size=count) * (1 + np.abs(use))
    outcomes = {"stays": ("odds_ratio", stays), "minutes": ("difference", minutes)}
    features = features_of(
        ["weekend_share", "role", "edit_share"],
        ["habit", "role", "answers"],
        ["plain", "category", "plain"],
    )
    found = effects(columns, features, outcomes, penalty=0.01, minimum_people=30, confidence=0.999)
    row = {
        (o, f): place for place, (o, f) in enumerate(zip(found.outcome, found.feature, strict=True))
    }
    role, noise = row["stays", "role"], row["stays", "edit_share"]
    assert found.level[role] == "teacher"
    assert found.person_count[role] == count - 500
    assert found.naive_low[role] > 1
    assert found.adjusted_low[role] < 1 < found.adjusted_high[role]
    assert found.adjusted_low[noise] < 1 < found.adjusted_high[noise]
    spread = use[500:].std()
    cause = row["stays", "weekend_share"]
    assert found.adjusted_low[cause] < np.exp(spread) < found.adjusted_high[cause]
    told = row["minutes", "weekend_share"]
    assert found.adjusted_low[told] < 3 * use.std() < found.adjusted_high[told]
    assert (
        found.adjusted_low[row["minutes", "role"]] < 0 < found.adjusted_high[row["minutes", "role"]]
    )
    assert found.contribution[cause] > 5 * found.contribution[noise]


def test_intervals_of_effects_hold_the_truth_as_often_as_they_say() -> None:
    features = features_of(["a", "b"], ["x", "y"], ["plain", "plain"])
    random = np.random.default_rng(22)
    held = []
    for _ in range(300):
        a = random.normal(size=400)
        b = 0.6 * a + random.normal(size=400)
        labels = (random.random(400) < expit(0.8 * b)).astype(float)
        found = effects({"a": a, "b": b}, features, {"y": ("odds_ratio", labels)}, 0.001, 30, 0.9)
        held.append(found.adjusted_low[0] <= 1 <= found.adjusted_high[0])
    # 300 trials at 90 %: standard error 0.0173, three of them.
    assert np.mean(held) == pytest.approx(0.9, abs=0.052)


def test_outcomes_of_few_people_have_no_effects() -> None:
    features = features_of(["a"], ["x"], ["plain"])
    columns = {"a": np.arange(40.0)}
    rare = np.zeros(40)
    rare[:5] = 1
    assert effects(columns, features, {"y": ("odds_ratio", rare)}, 1.0, 30, 0.95).outcome == []
    none = {"a": np.empty(0)}
    assert effects(none, features, {"y": ("difference", np.empty(0))}, 1.0, 30, 0.95).outcome == []
    with pytest.raises(ValueError, match="unknown kind"):
        effects(columns, features, {"y": ("ratio", rare)}, 1.0, 30, 0.95)


# ---------------------------------------------------------------- the warehouse
def _compiled(sample: World, model: str) -> str:
    compiled = sample.warehouse.folder / "target" / "compiled"
    (path,) = (p for p in compiled.rglob(f"{model}.sql") if not p.parent.suffix)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def copied(sample: World, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The shipped sample's warehouse, to write to; under its own name, which compiled SQL uses."""
    path = tmp_path / sample.warehouse.database.name
    shutil.copy(sample.warehouse.database, path)
    with duckdb.connect(str(path)) as connection:
        yield connection


COUNTED = ("int_churn_days_counted", "int_churn_visits_counted", "int_churn_records_counted")
# What features are made of, and the day of a row.
READ = {
    "int_user_days_classified": "event_date",
    "int_sessions_aggregated_to_user_days": "session_date",
    "int_bot_user_days_human": "event_date",
    "int_payments_aggregated_to_person_days": "activity_date",
    "int_subscription_events_stated": "cast(event_at as date)",
    "int_actions_recorded": "action_date",
}
MEASURES = (
    "recency_days, tenure_days, lifetime_active_days, active_days, new_message_count, "
    "session_count, order_count, engaged_ms"
)


def test_features_do_not_know_what_comes_after_them(
    sample: World, copied: duckdb.DuckDBPyConnection
) -> None:
    """Everything after the test snapshot is taken out of what features read: not one of them moves."""
    (last,) = copied.execute(
        "select max(snapshot_date) from intermediate.int_churn_snapshots_dated where purpose = 'test'"
    ).fetchone() or (None,)
    assert isinstance(last, date)
    gone = 0
    for name, day in READ.items():
        whole = f"intermediate.{name}"
        copied.execute(f"create temp table held as select * from {whole}")
        (kind,) = copied.execute(
            "select table_type from information_schema.tables where table_name = ?", [name]
        ).fetchone() or ("",)
        copied.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {whole}")
        copied.execute(f"create table {whole} as select * from held where {day} <= ?", [last])
        for (count,) in copied.execute(
            f"select count(*) from held where {day} > ?", [last]
        ).fetchall():
            gone += count
        copied.execute("drop table held")
    assert gone > 1000
    before = copied.execute(
        "select * from intermediate.int_churn_features_assembled where snapshot_date <= ? order by all",
        [last],
    ).fetchall()
    for model in (*COUNTED, "int_churn_features_assembled"):
        copied.execute(
            f"create or replace table intermediate.{model} as {_compiled(sample, model)}"
        )
    after = copied.execute(
        "select * from intermediate.int_churn_features_assembled where snapshot_date <= ? order by all",
        [last],
    ).fetchall()
    assert len(before) > 500
    assert before == after


def test_the_last_day_seen_as_of_now_fails_the_build(
    sample: World, copied: duckdb.DuckDBPyConnection
) -> None:
    """The trap: recency counted to the last active day ever. The claim fails and names the feature."""
    claim = (
        ROOT / "tests" / "marts" / "assert_no_feature_of_churn_knows_the_outcome.sql"
    ).read_text(encoding="utf-8")
    limits = yaml.safe_load((ROOT / "vars.yml").read_text(encoding="utf-8"))["vars"]
    claim = claim.replace("{{ ref('agg_churn_evaluations') }}", "retention.agg_churn_evaluations")
    for name in ("churn_feature_area_max", "churn_model_area_max"):
        claim = claim.replace(f"{{{{ number_var('{name}') }}}}", str(limits[name]))
    assert "{{" not in claim

    def judged() -> list[tuple[Any, ...]]:
        found = _module(FINDINGS).model(Dbt(copied, _config(FINDINGS)), copied)
        copied.register("findings", found)
        copied.execute(
            "create or replace table python_models.py_churn_findings as select * from findings"
        )
        mart = _compiled(sample, "agg_churn_evaluations")
        copied.execute(f"create or replace table retention.agg_churn_evaluations as {mart}")
        return copied.execute(claim).fetchall()

    assert judged() == []
    copied.execute(
        "update intermediate.int_churn_features_assembled as held set recency_days = "
        "date_diff('day', persons.last_active_date, clock.as_of_date) "
        "from intermediate.int_persons_cohorted as persons, "
        "intermediate.int_persons_described as described, intermediate.int_as_of as clock "
        "where described.person_key = persons.person_key and described.person_id = held.person_id"
    )
    assert {row[1] for row in judged() if row[0] == CHAMPION} == {"recency_days"}


def test_features_by_loops(sample: World, recount: Recount) -> None:  # noqa: F811
    """Features and outcomes of every person of two snapshots, counted one event at a time."""
    days: dict[str, set[date]] = defaultdict(set)
    wrote: dict[tuple[str, date], int] = defaultdict(int)
    bots: dict[tuple[str, date], set[str]] = defaultdict(set)
    for event in recount.people():
        if event.name in ("message_sent", "feature_used"):
            days[event.person].add(event.day)
        if event.name == "message_sent" and event.method != "regenerate":
            wrote[event.person, event.day] += 1
            if event.bot:
                bots[event.person, event.day].add(event.bot)
    seen = 0
    for back, is_known in ((HORIZON, True), (0, False)):
        snapshot = recount.as_of - timedelta(days=back)
        window = [snapshot - timedelta(days=place) for place in range(HORIZON)]
        ahead = [snapshot + timedelta(days=place + 1) for place in range(HORIZON)]
        told = []
        for person, active in days.items():
            if not active & set(window):
                continue
            past = {day for day in active if day <= snapshot}
            lately = past & set(window)
            told.append(
                (
                    person,
                    (not active & set(ahead)) if is_known else None,
                    (snapshot - max(past)).days,
                    (snapshot - min(past)).days,
                    len(past),
                    len(lately),
                    len(past & set(window[:7])),
                    2 * len(past & set(window[:14])) - len(lately),
                    sum(day.isoweekday() >= 6 for day in lately) / len(lately),
                    sum(wrote[person, day] for day in window) / len(lately),
                    len(set[str]().union(*(bots[person, day] for day in window))) / len(lately),
                )
            )
        found = sample.warehouse.query(
            "select person_id, is_churned, recency_days, tenure_days, lifetime_active_days, "
            "active_days, active_days_7, active_days_trend, weekend_share, messages_per_active_day, "
            "chatted_bots_per_active_day from intermediate.int_churn_features_assembled "
            f"where snapshot_date = date '{snapshot}' order by person_id"
        )
        assert found == sorted(told)
        seen += len(found)
    assert seen > 250


def test_activation_thresholds_by_sets(sample: World, recount: Recount) -> None:  # noqa: F811
    """Messages within 3 days against the fourth week, both halves together."""
    days: dict[str, set[date]] = defaultdict(set)
    wrote: dict[tuple[str, date], int] = defaultdict(int)
    for event in recount.people():
        if event.name in ("message_sent", "feature_used"):
            days[event.person].add(event.day)
        if event.name == "message_sent" and event.method != "regenerate":
            wrote[event.person, event.day] += 1
    counts = [[0, 0, 0, 0] for _ in range(10)]
    for person, active in days.items():
        first = min(active)
        if first + timedelta(days=HORIZON) > recount.as_of:
            continue
        times = sum(wrote[person, first + timedelta(days=age)] for age in range(3))
        stayed = any(first + timedelta(days=age) in active for age in range(22, 29))
        for place in range(10):
            side = 0 if times >= place + 1 else 2
            counts[place][side] += 1
            counts[place][side + 1] += stayed
    told = [tuple(row) for row in counts]
    sides = ("reached_count", "reached_retained_count", "other_count", "other_retained_count")
    columns = ", ".join(f"choose_{side} + measure_{side}" for side in sides)
    found = sample.warehouse.query(
        f"select {columns} from retention.agg_activation_thresholds "
        "where event_name = 'new_message' and window_days = 3 order by threshold_count"
    )
    assert found == told
    assert sample.warehouse.query(
        "select count(*) from retention.agg_activation_thresholds where is_chosen"
    ) > [(0,)]


def test_a_product_without_people_builds_all_the_same(copied: duckdb.DuckDBPyConnection) -> None:
    for name in ("int_churn_features_assembled", "int_driver_newcomers_assembled"):
        copied.execute(f"delete from intermediate.{name}")
    for path in (FINDINGS, SCORES, FINDINGS.with_name("py_driver_effects.py")):
        module = _module(path)
        found = module.model(Dbt(copied, _config(path)), copied)
        assert found.schema.equals(module.SCHEMA)
        if path == FINDINGS:
            assert set(found["reason"].to_pylist()) == {TOO_FEW}
            copied.register("found", found)
            copied.execute("create or replace table python_models.py_churn_findings as from found")
        else:
            assert found.num_rows == 0
