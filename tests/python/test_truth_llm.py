"""What was planted about answers of language models is found again on the simulated warehouse."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm

from bounds import SIGMAS, binomials, scores_are_noise
from plumbline.simulate import llm
from plumbline.simulate.world import MODEL_REGENERATE, MODELS
from worlds import World

pytestmark = pytest.mark.truth

FAULTY = ("number_mismatch", "missing_citation")


def _mixture(world: World, versions: tuple[str, ...]) -> list[tuple[float, float]]:
    """Weight and mean quality of every kind of answer of these versions, by what was drawn."""
    planted, counted = world.truth.planted["llm"], world.truth.expected["llm"]["faults"]
    parts = []
    for version in versions:
        for fault, count in counted[version].items():
            penalty = planted["fault_penalty"] if fault in FAULTY else 0.0
            parts.append((float(count), planted["quality"][version] - penalty))
    total = sum(weight for weight, _ in parts)
    return [(weight / total, mean) for weight, mean in parts]


def _scores(parts: list[tuple[float, float]], shift: float, noise: float) -> tuple[float, float]:
    """Mean and variance of a score: quality, a rater's shift and noise, rounded and held to 1 to 5."""
    spread = float(np.hypot(llm.QUALITY_SD, noise))
    edges = np.array([1.5, 2.5, 3.5, 4.5])
    weights = np.array([weight for weight, _ in parts])
    means = np.array([mean for _, mean in parts])[:, None] + shift
    below = np.hstack(
        [np.zeros((len(parts), 1)), norm.cdf((edges - means) / spread), np.ones((len(parts), 1))]
    )
    chance = weights @ np.diff(below, axis=1)
    values = np.arange(1, 6)
    mean = float(chance @ values)
    return mean, float(chance @ values**2) - mean**2


def test_satisfaction_of_each_version_is_its_planted_quality(world: World) -> None:
    rows = world.warehouse.query(
        "select slice_value, sum(score_sum), sum(rated_count) "
        "from llm_quality.agg_satisfaction__daily_slices where slice_dimension = 'model_version' group by 1"
    )
    assert len(rows) == len(llm.VERSIONS)
    for version, total, rated in rows:
        mean, variance = _scores(_mixture(world, (version,)), 0.0, llm.USER_NOISE)
        error = SIGMAS * np.sqrt(variance / rated)
        assert error < 0.35, "too few ratings to see a bad model"
        assert abs(total / rated - mean) <= error, (version, total / rated, mean)


def test_how_often_each_role_rates_is_planted(world: World) -> None:
    rates = world.truth.planted["llm"]["rating_rate_by_role"]
    rows = world.warehouse.query(
        "select slice_value, sum(rated_count), sum(answer_count) from "
        "llm_quality.agg_satisfaction__daily_slices where slice_dimension = 'role' group by 1"
    )
    cells = binomials(
        (rated, answers, rates[role]) for role, rated, answers in rows if role in rates
    )
    scores_are_noise(cells, at_least=3)


def test_reweighting_undoes_who_rates(world: World) -> None:
    """Teachers rate most: what is recovered is the mean over all answers, by the quality of each version."""
    (found,) = world.warehouse.query(
        "select reweighted_mean_score, reweighted_mean_score_low, reweighted_mean_score_high, mean_score "
        "from llm_quality.agg_satisfaction__slices where slice_dimension = 'all'"
    )
    rows = world.warehouse.query(
        "select slice_value, answer_count from llm_quality.agg_satisfaction__slices "
        "where slice_dimension = 'model_version'"
    )
    means = [_scores(_mixture(world, (version,)), 0.0, llm.USER_NOISE)[0] for version, _ in rows]
    wanted = np.average(means, weights=[answers for _, answers in rows])
    error = (found[2] - found[1]) / (2 * 1.959963984540054)
    assert SIGMAS * error < 0.1
    assert abs(found[0] - wanted) <= SIGMAS * error


def test_strict_and_mild_raters_are_told_apart(world: World) -> None:
    planted = world.truth.planted["llm"]
    parts = _mixture(world, llm.VERSIONS)
    expected = {
        name: _scores(parts, bias, llm.HUMAN_NOISE)[0]
        for name, bias in planted["human_bias"].items()
    }
    middle = float(np.mean(list(expected.values())))
    expected["judge-1"] = _scores(parts, planted["judge_bias"], llm.JUDGE_NOISE)[0]
    rows = world.warehouse.query(
        "select rater_id, rater_bias, rater_bias_low, rater_bias_high from llm_quality.agg_rater_biases"
    )
    assert {row[0] for row in rows} == set(expected)
    for rater, bias, low, high in rows:
        error = (high - low) / (2 * 1.959963984540054)
        # People overlap by thousands of grades, the judge with them by about a hundred answers.
        assert error < (0.08 if rater == "judge-1" else 0.02)
        assert abs(bias - (expected[rater] - middle)) <= SIGMAS * error, (rater, bias)


def test_what_stands_first_wins_as_often_as_planted(world: World) -> None:
    """Log odds of +0.5 for the first, on top of 1.2 x the difference of two answers of the same day."""
    rows = world.warehouse.query(
        "select sum(first_won_count), sum(decided_count), min(first_won_rate_low) "
        "from llm_quality.agg_position_agreements"
    )
    won, decided, low = rows[0]
    parts = _mixture(world, llm.VERSIONS)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    chance = 0.0
    for first_weight, first in parts:
        for second_weight, second in parts:
            gap = first - second + np.sqrt(2) * llm.QUALITY_SD * nodes
            odds = llm.STRENGTH * gap + llm.POSITION_BIAS
            chance += first_weight * second_weight * float(weights @ (1 / (1 + np.exp(-odds))))
    error = SIGMAS * np.sqrt(chance * (1 - chance) / decided)
    assert error < chance - 0.5, "too few verdicts to tell the bias from none"
    assert abs(won / decided - chance) <= error
    assert low > 0.5


def test_planted_faults_are_found_with_known_precision_and_recall(world: World) -> None:
    """Rules find every planted fault; what is short of 1 is what two of three graders see otherwise."""
    sees, spares = llm.HUMAN_FLAG
    caught_chance = sees**2 * (3 - 2 * sees)
    alarm_chance = (1 - spares) ** 2 * (3 - 2 * (1 - spares))
    rows = {
        name: (graded, raised, flagged, caught, low)
        for name, graded, raised, flagged, caught, low in world.warehouse.query(
            "select signal_name, graded_count, raised_count, hallucinated_count, caught_count, "
            "signal_recall_low "
            "from llm_quality.agg_hallucination_signals where slice_dimension = 'all'"
        )
    }
    graded, raised, flagged, caught, recall_low = rows["any_text_signal"]
    assert raised >= 25
    # One chance in a million a side. A graded answer at the end of the run may have fewer than three graders.
    assert caught >= binom.ppf(1e-6, raised, caught_chance)
    assert flagged - caught <= binom.ppf(1 - 1e-6, graded - raised, alarm_chance)
    assert recall_low > 0.75
    numbers, citations = rows["number_mismatch"], rows["missing_citation"]
    # Each kind finds its own: together they are all, and neither raises on the faults of the other.
    assert numbers[1] + citations[1] == raised
    assert numbers[3] + citations[3] == caught


def test_corrected_rates_hold_the_drawn_share_of_faults(world: World) -> None:
    sees, spares = llm.HUMAN_FLAG
    faults = world.truth.expected["llm"]["faults"]
    drawn = sum(of[name] for of in faults.values() for name in FAULTY)
    share = drawn / sum(sum(of.values()) for of in faults.values())
    caught = sees**2 * (3 - 2 * sees)
    alarms = (1 - spares) ** 2 * (3 - 2 * (1 - spares))
    wanted = share * caught + (1 - share) * alarms
    row = world.warehouse.query(
        "select hallucination_rate, hallucination_rate_low, hallucination_rate_high, "
        "corrected_hallucination_rate, corrected_hallucination_rate_low, corrected_hallucination_rate_high, "
        "judge_flag_rate, judge_flag_count, judged_count, judge_sensitivity, judge_specificity, "
        "rogan_gladen_rate_low, rogan_gladen_rate_high, graded_count "
        "from llm_quality.agg_hallucinations__slices where slice_dimension = 'all'"
    )[0]
    error = np.sqrt(wanted * (1 - wanted) / row[13])
    assert SIGMAS * error < 0.5 * wanted
    assert abs(row[0] - wanted) <= SIGMAS * error
    assert abs(row[3] - wanted) <= SIGMAS * error
    # Corrected is not wider than labels alone; Wilson's is another interval, so the plain width is compared.
    assert row[5] - row[4] <= 2 * 1.96 * np.sqrt(row[0] * (1 - row[0]) / (row[13] - 1)) * (1 + 1e-3)
    # The judge alone is off, as planted.
    judge_sees, judge_spares = llm.JUDGE_FLAG
    raw = share * judge_sees + (1 - share) * (1 - judge_spares)
    assert abs(row[6] - raw) <= SIGMAS * np.sqrt(raw * (1 - raw) / row[8])
    assert row[6] > row[2]
    assert row[11] <= wanted <= row[12]


def _alerts(world: World, where: str) -> list[tuple[Any, ...]]:
    return world.warehouse.query(
        "select metric, model_version, activity_date, chart, is_worse from llm_quality.fct_quality_alerts "
        f"where {where} order by all"
    )


def test_the_bad_version_is_found_within_three_days(world: World) -> None:
    begun = date.fromisoformat(world.truth.planted["llm"]["bad_from"])
    for metric in ("mean_score", "low_rating_rate", "faulty_text_rate"):
        found = _alerts(world, f"model_version = 'edu-2' and metric = '{metric}' and is_worse")
        assert found, metric
        assert begun <= found[0][2] <= begun + timedelta(days=2), (metric, found[0])


def test_versions_that_did_not_change_rarely_alarm(world: World) -> None:
    """At most one false start in 465 days of a chart, as for a known base; four deviations of that count."""
    for chart in ("shewhart", "cusum", "ewma"):
        days, alarms = world.warehouse.query(
            f"select count(*), count(*) filter (where is_new_{chart}_signal) "
            "from llm_quality.agg_quality_charts__daily where base_kind = 'own_first_days'"
        )[0]
        assert days > 200
        allowed = days / 465
        assert alarms <= allowed + SIGMAS * np.sqrt(allowed), chart


def test_people_ask_the_bad_model_again_most(world: World) -> None:
    rows = dict(
        world.warehouse.query(
            "select slice_value, sum(regenerated_count) / sum(chat_answer_count) "
            "from llm_quality.agg_answer_reactions__daily where slice_dimension = 'model_version' "
            "group by 1 having sum(chat_answer_count) > 0"
        )
    )
    planted = dict(zip(MODELS, MODEL_REGENERATE, strict=True))
    assert set(rows) == set(planted)
    assert max(rows, key=lambda name: rows[name]) == max(planted, key=lambda name: planted[name])
    assert rows["lm-3"] > 1.5 * max(rate for name, rate in rows.items() if name != "lm-3")


def test_ratings_do_not_make_people_pay_where_none_was_planted(world: World) -> None:
    rows = world.warehouse.query(
        "select outcome, adjusted_difference_low, adjusted_difference_high, high_person_count, "
        "low_person_count "
        "from llm_quality.agg_rating_links order by 1"
    )
    assert [row[0] for row in rows] == ["active_on_the_day_before", "subscription_started"]
    for outcome, low, high, satisfied, others in rows:
        assert satisfied > 300
        assert others > 100
        # Two intervals of 95 %, widened to four standard errors: the seed of the world is free.
        middle, half = (low + high) / 2, (high - low) / 2 * SIGMAS / 1.959963984540054
        assert middle - half <= 0 <= middle + half, outcome
