"""Marts about answers of language models, counted again in plain Python; real judgements through them."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from conftest import dbt_runner
from plumbline.project import setting
from plumbline.statistics.control_charts import Rules
from plumbline.statistics.quality_tables import (
    judged_rates,
    link_columns,
    quality_charts,
    rater_agreements,
    rater_biases,
    satisfaction_columns,
)
from plumbline.statistics.satisfaction import RatioSums, satisfaction
from warehouse import Warehouse, register, write_rows
from worlds import World

Z95 = 1.959963984540054


class Answer(NamedTuple):
    """An accepted answer to somebody who counts."""

    response_id: str
    at: datetime
    day: date
    person: Any
    role: str
    feature: str
    version: str
    bot: str
    latency: int
    cost: Decimal
    score: int | None


def _as_of(sample: World) -> date:
    found: date = sample.warehouse.query("select as_of_date from intermediate.int_as_of")[0][0]
    return found


def _answers(sample: World) -> list[Answer]:
    """Answers that count, from accepted rows, by the words of the definition."""
    query, last = sample.warehouse.query, _as_of(sample)
    people = {
        person_id: (key, role)
        for person_id, key, role in query(
            "select person_id, person_key, role from intermediate.int_persons_described where not is_excluded"
        )
    }
    machines = set(query("select person_key, event_date from intermediate.int_user_days_excluded"))
    ratings: dict[str, tuple[Any, ...]] = {}
    for response_id, at, rating_id, score in query(
        "select response_id, rated_at, rating_id, score from staging.stg_llm__ratings "
        "where rater_kind = 'user' order by rated_at, rating_id desc"
    ):
        if at.date() <= last:
            ratings[response_id] = (rating_id, score)
    found = []
    for response_id, at, user, feature, version, bot, latency, cost in query(
        "select response_id, responded_at, user_id, feature, model_version, bot_id, latency_ms, cost_usd "
        "from staging.stg_llm__responses"
    ):
        if user not in people or at.date() > last or (people[user][0], at.date()) in machines:
            continue
        key, role = people[user]
        found.append(
            Answer(
                response_id, at, at.date(), key, role, feature or "unknown", version, bot or "none",
                latency, cost, ratings.get(response_id, (None, None))[1],
            )
        )  # fmt: skip
    assert len(found) > 3000
    return found


def _value(answer: Answer, dimension: str) -> str:
    return {
        "all": "all", "feature": answer.feature, "model_version": answer.version, "role": answer.role,
        "bot": answer.bot,
    }[dimension]  # fmt: skip


def test_satisfaction_of_every_slice_counted_again(sample: World) -> None:
    answers, last = _answers(sample), _as_of(sample)
    window = int(setting("trailing_window_days"))
    asked: Counter[tuple[date, str, str]] = Counter()
    rated: Counter[tuple[date, str, str]] = Counter()
    for answer in answers:
        for ahead in range(window):
            cell = (answer.day + timedelta(days=ahead), answer.feature, answer.role)
            asked[cell] += 1
            rated[cell] += answer.score is not None

    def weight(answer: Answer, day: date) -> int:
        cell = (day, answer.feature, answer.role)
        return (2000 * asked[cell] + rated[cell]) // (2 * rated[cell])

    expected: dict[tuple[Any, ...], list[Any]] = defaultdict(
        lambda: [set(), 0, 0, set(), 0, 0, 0, 0]
    )
    for answer in answers:
        for days, end in ((1, answer.day), (window, last)):
            if answer.day <= end - timedelta(days=days):
                continue
            for dimension in ("all", "feature", "model_version", "role", "bot"):
                cell = expected[days, end, dimension, _value(answer, dimension)]
                cell[0].add(answer.person)
                cell[1] += 1
                if answer.score is not None:
                    cell[2] += 1
                    cell[3].add(answer.person)
                    cell[4] += answer.score <= 2
                    cell[5] += answer.score
                    cell[6] += weight(answer, end)
                    cell[7] += weight(answer, end) * answer.score
    columns = (
        "slice_dimension, slice_value, asking_user_count, answer_count, rated_count, rating_user_count, "
        "low_count, score_sum, weight_sum, weighted_score_sum, mean_score, reweighted_mean_score"
    )
    found = sample.warehouse.query(
        f"select 1, activity_date, {columns} from llm_quality.agg_satisfaction__daily_slices "
        f"union all select window_days, window_end_date, {columns} from llm_quality.agg_satisfaction__slices"
    )
    assert len(found) == len(expected)
    for days, end, dimension, value, *figures in found:
        cell = expected[days, end, dimension, value]
        told = [len(cell[0]), cell[1], cell[2], len(cell[3]), *cell[4:]]
        assert [int(figure) for figure in figures[:8]] == told, (days, end, dimension, value)
        if cell[2]:
            assert figures[8] == pytest.approx(cell[5] / cell[2])
            assert figures[9] == pytest.approx(cell[7] / cell[6])
        else:
            assert figures[8] is None
            assert figures[9] is None


def test_intervals_have_the_person_as_unit(sample: World) -> None:
    """Of the trailing window, by plain loops over people."""
    answers, last = _answers(sample), _as_of(sample)
    first = last - timedelta(days=int(setting("trailing_window_days")))
    people: dict[Any, list[int]] = defaultdict(list)
    for answer in answers:
        if answer.day > first and answer.score is not None:
            people[answer.person].append(answer.score)
    total, count = sum(map(sum, people.values())), sum(map(len, people.values()))
    ratio = total / count
    squares = sum((sum(scores) - ratio * len(scores)) ** 2 for scores in people.values())
    error = sqrt(len(people) / (len(people) - 1) * squares) / count
    found = sample.warehouse.query(
        "select mean_score, mean_score_low, mean_score_high from llm_quality.agg_satisfaction__slices "
        "where slice_dimension = 'all'"
    )[0]
    assert found == pytest.approx((ratio, ratio - Z95 * error, ratio + Z95 * error))


def test_costs_and_percentiles_counted_again(sample: World) -> None:
    cells: dict[tuple[Any, ...], list[Answer]] = defaultdict(list)
    for answer in _answers(sample):
        for dimension in ("all", "feature", "model_version", "bot"):
            cells[answer.day, dimension, _value(answer, dimension)].append(answer)

    def rank(values: list[int], share: int) -> int:
        return sorted(values)[max(ceil(share * len(values) / 100), 1) - 1]

    found = sample.warehouse.query(
        "select activity_date, slice_dimension, slice_value, answer_count, cost_usd, latency_ms, "
        "latency_ms_p50, latency_ms_p90, latency_ms_p99, cost_micros_p50, cost_micros_p90, cost_micros_p99 "
        "from llm_quality.agg_answer_costs__daily_slices"
    )
    assert len(found) == len(cells)
    for day, dimension, value, count, cost, latency, *percentiles in found:
        held = cells[day, dimension, value]
        slow = [answer.latency for answer in held]
        dear = [int(answer.cost * 1_000_000) for answer in held]
        assert (count, cost, latency) == (len(held), sum(a.cost for a in held), sum(slow))
        assert percentiles == [rank(v, s) for v in (slow, dear) for s in (50, 90, 99)]


def test_reactions_counted_again(sample: World) -> None:
    """Each answer against every later event of the person."""
    answers = _answers(sample)
    codes = {"message": 4, "reset": 5, "regenerate": 2, "edit": 4}
    keys = dict(
        sample.warehouse.query(
            "select distinct bot_id, bot_key from intermediate.int_answers_described "
            "where bot_key is not null"
        )
    )
    events: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for person, at, bot, event, method in sample.warehouse.query(
        "select person_key, event_at, bot_key, event_code, method_code from intermediate.int_events_resolved "
        "where event_date <= (select as_of_date from intermediate.int_as_of)"
    ):
        events[person].append((at, bot, event, method))
    expected: Counter[str] = Counter()
    soon = timedelta(seconds=int(setting("answer_reaction_seconds")))
    gap = timedelta(seconds=int(setting("session_gap_seconds")))
    for answer in answers:
        after = [e for e in events[answer.person] if answer.at < e[0] <= answer.at + gap]
        expected["answers"] += 1
        expected["abandoned"] += not after
        if answer.bot == "none":
            continue
        here = [e for e in after if e[0] <= answer.at + soon and e[1] == keys[answer.bot]]
        expected["chats"] += 1
        sent = [e[3] for e in here if e[2] == codes["message"]]
        expected["regenerated"] += codes["regenerate"] in sent
        expected["edited"] += codes["edit"] in sent
        expected["reset"] += any(e[2] == codes["reset"] for e in here)
    found = sample.warehouse.query(
        "select sum(answer_count), sum(abandoned_count), sum(chat_answer_count), sum(regenerated_count), "
        "sum(edited_count), sum(reset_count) from llm_quality.agg_answer_reactions__daily "
        "where slice_dimension = 'all'"
    )[0]
    names = ("answers", "abandoned", "chats", "regenerated", "edited", "reset")
    assert tuple(map(int, found)) == tuple(expected[name] for name in names)
    assert all(expected[name] for name in names if name != "reset")


def test_outcomes_and_confusions_counted_again(sample: World) -> None:
    kept, last = {answer.response_id for answer in _answers(sample)}, _as_of(sample)
    refused = dict(
        sample.warehouse.query(
            "select response_id, bool_or(is_refusal) from staging.stg_llm__auto_scores group by 1"
        )
    )
    grades: dict[str, dict[str, tuple[str, int, bool]]] = defaultdict(dict)
    for response_id, rater, kind, score, flag in sample.warehouse.query(
        "select response_id, rater_id, rater_kind, score, is_hallucination from staging.stg_llm__ratings "
        f"where rater_kind <> 'user' and rated_at < date '{last}' + 1 order by rated_at, rating_id desc"
    ):
        grades[response_id][rater] = (kind, score, flag)
    outcome: Counter[str] = Counter()
    pairs: Counter[tuple[str, str, str, str]] = Counter()
    for response_id, given in grades.items():
        flags = [flag for kind, _, flag in given.values() if kind == "human"]
        if flags and response_id in kept:
            wrong = 2 * sum(flags) > len(flags)
            outcome["refused" if refused.get(response_id) else "wrong" if wrong else "right"] += 1
        for rater, (_, score, flag) in given.items():
            for other, (kind, theirs, their_flag) in given.items():
                if other != rater and kind == "human":
                    pairs["score", rater, str(theirs), str(score)] += 1
                    said = ["no", "yes"]
                    pairs["hallucination", rater, said[their_flag], said[flag]] += 1
    found = sample.warehouse.query(
        "select refused_count, hallucinated_count, supported_count "
        "from llm_quality.agg_hallucinations__slices where slice_dimension = 'all'"
    )[0]
    assert found == (outcome["refused"], outcome["wrong"], outcome["right"])
    table = sample.warehouse.query(
        "select subject, rater_id, human_value, rater_value, pair_count from llm_quality.agg_rater_confusions"
    )
    assert {row[:4]: row[4] for row in table} == dict(pairs)


# ---------------------------------------------------------------- shrinking
def test_a_cell_with_few_ratings_is_drawn_to_its_family() -> None:
    rng = np.random.default_rng(8)
    sizes = np.array([3] * 200 + [400] * 200)
    truth = rng.normal(3.8, 0.3, 400)
    y = np.array([rng.normal(mean, 1, n).sum() for mean, n in zip(truth, sizes, strict=True)])
    x = sizes.astype(float)
    spread = (x - 1) + y**2 / x
    sums = RatioSums.of(x, y, x, spread, x, y)
    found = satisfaction(["bots"] * 400, sums, sums, alpha=0.05, minimum=2)
    raw, drawn = found.raw.values - truth, found.shrunk.values - truth
    assert (drawn[:200] ** 2).mean() < 0.4 * (raw[:200] ** 2).mean()
    assert np.abs(drawn[200:] - raw[200:]).max() < 0.05
    covered = found.shrunk_interval.contains(truth).mean()
    assert abs(covered - 0.95) <= 4 * sqrt(0.95 * 0.05 / 400)


def test_every_table_of_a_product_without_answers_is_empty() -> None:
    none, text = np.zeros(0), np.zeros(0, dtype=object)
    names = (
        "rating_user_count score_sum rated_count score_square_sum rated_square_sum score_rated_sum "
        "weight_sum weighted_score_sum weighted_score_square_sum weight_square_sum "
        "weighted_score_weight_sum window_days day_number graded_count hallucinated_count judged_count "
        "judge_flag_count paired_count flagged_hallucination_count missed_hallucination_count "
        "flagged_supported_count passed_supported_count score other_score grade_count human_grade_count "
        "pair_count is_human answer_count figure_sum base_answer_count base_sum base_square_sum is_high "
        "person_count success_count"
    )
    words = (
        "slice_dimension rater_id rater_kind other_rater_id other_rater_kind flag other_flag metric "
        "model_version outcome stratum"
    )
    rows: dict[str, Any] = dict.fromkeys(names.split(), none) | dict.fromkeys(words.split(), text)
    rules = Rules(0.5, 5.0, 0.2, 3.0, 2.0)
    tables = (
        satisfaction_columns(rows, 0.05, 5), judged_rates(rows, 0.05, 20), rater_agreements(rows, 0.05),
        rater_biases(rows, rows, 0.05), quality_charts(rows, rules), link_columns(rows, (0.02, 0.98), 0.05),
    )  # fmt: skip
    for table in tables:
        assert {len(column) for column in table.values()} == {0}


# ---------------------------------------------------------------- real judgements
NOON = datetime(2026, 3, 1, 12)
LANDED = NOON + timedelta(days=9)


class Judgements:
    """Rows of the contract for the file of judgements, and its own counts."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        gold = {(row["subset"], row["instance"]): row["gold_label"] for row in rows}
        self.number = {pair: place for place, pair in enumerate(sorted(gold))}
        self.verdicts: list[dict[str, Any]] = []
        self.ratings: list[dict[str, Any]] = []
        self.expected: dict[str, Counter[str]] = defaultdict(Counter)
        self.table: Counter[str] = Counter()
        for pair, label in gold.items():
            self._verdict(self.number[pair], "gold", "human", 0, label)
            self._rating(self.number[pair], "gold", "human", label == "1")
        for row in rows:
            self._judged(row)

    def _judged(self, row: dict[str, str]) -> None:
        place, judge = (
            self.number[row["subset"], row["instance"]],
            f"{row['judge']}/{row['strategy']}",
        )
        said = (row["winner_order_1"], row["winner_order_2"])
        count = self.expected[judge]
        for order, winner in enumerate(said):
            self._verdict(place, judge, "judge", order, winner)
            count["compared"] += 1
            count["right"] += winner == row["gold_label"]
            count["decided"] += winner in ("1", "2")
            count["first"] += winner == "12"[order]
        count["swapped"] += 1
        count["consistent"] += said[0] == said[1] and said[0] in ("1", "2")
        if judge == "GPT-4/Swap":
            self._rating(place, judge, "judge", said[0] == "1")
            self.table[row["gold_label"] + said[0]] += 1

    def _verdict(self, place: int, rater: str, kind: str, order: int, winner: str) -> None:
        # In the second order the second answer is shown first; the file names answers, not places.
        self.verdicts.append({
            "comparison_id": f"w{len(self.verdicts)}", "response_a_id": f"r{place:03d}-1",
            "response_b_id": f"r{place:03d}-2", "rater_id": rater, "rater_kind": kind,
            "compared_at": NOON, "shown_first": "ab"[order],
            "winner": {"1": "a", "2": "b"}.get(winner, "tie"), "ingested_at": LANDED,
        })  # fmt: skip

    def _rating(self, place: int, rater: str, kind: str, first_is_better: bool) -> None:
        self.ratings.append({
            "rating_id": f"q{len(self.ratings)}", "response_id": f"r{place:03d}-2", "rater_id": rater,
            "rater_kind": kind, "rated_at": NOON, "score": 2 if first_is_better else 4,
            "is_hallucination": first_is_better, "ingested_at": LANDED,
        })  # fmt: skip

    def responses(self) -> list[dict[str, Any]]:
        """Both answers of every pair, and a later one that makes the day of the verdicts complete."""
        ids = [f"r{place:03d}-{side}" for place in self.number.values() for side in (1, 2)]
        return [
            {
                "response_id": name, "responded_at": NOON + timedelta(days=2 * (name == "later")),
                "user_id": "u1", "model_version": "m1", "prompt_tokens": 1, "completion_tokens": 1,
                "latency_ms": 1, "cost_usd": Decimal(0), "ingested_at": LANDED,
            }
            for name in (*ids, "later")
        ]  # fmt: skip


@pytest.mark.shared
def test_real_judgements_through_the_marts_are_the_counts_of_the_file(
    shared_data: Path, tmp_path: Path
) -> None:
    """27,235 verdict pairs of 65 judges and prompts on 419 pairs of answers with a gold preference."""
    with (shared_data / "llmbar_judgements.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 27_235
    file = Judgements(rows)
    assert len(file.number) == 419
    lake = tmp_path / "lake"
    write_rows(lake, "llm_responses", "answers", file.responses())
    write_rows(lake, "llm_comparisons", "verdicts", file.verdicts)
    write_rows(lake, "llm_ratings", "ratings", file.ratings)
    register(lake)
    warehouse = Warehouse(tmp_path, dbt_runner(tmp_path), lake)
    warehouse.models("+agg_position_agreements", "+agg_rater_confusions", "+agg_rater_agreements")
    found = warehouse.query(
        "select rater_id, human_compared_count, human_agreeing_count, decided_count, first_won_count, "
        "swapped_pair_count, consistent_pair_count, judge_accuracy, position_agreement_rate "
        "from llm_quality.agg_position_agreements where rater_kind = 'judge'"
    )
    names = ("compared", "right", "decided", "first", "swapped", "consistent")
    assert {row[0] for row in found} == set(file.expected)
    for judge, *counts, accuracy, agreement in found:
        told = file.expected[judge]
        assert counts == [told[name] for name in names], judge
        assert accuracy == told["right"] / told["compared"]
        assert agreement == told["consistent"] / told["swapped"]
    table = file.table
    confusion = {
        f"{1 if human == 'yes' else 2}{1 if judge == 'yes' else 2}": count
        for human, judge, count in warehouse.query(
            "select human_value, rater_value, pair_count from llm_quality.agg_rater_confusions "
            "where subject = 'hallucination' and rater_id = 'GPT-4/Swap'"
        )
    }
    assert confusion == dict(table)
    kappa = warehouse.query(
        "select pair_count, agreement_rate, agreement from llm_quality.agg_rater_agreements "
        "where subject = 'hallucination' and rater_id = 'GPT-4/Swap' and other_rater_id = 'humans'"
    )[0]
    same = table["11"] + table["22"]
    gold = (table["11"] + table["12"]) / 419
    judge_share = (table["11"] + table["21"]) / 419
    chance = gold * judge_share + (1 - gold) * (1 - judge_share)
    assert kappa[:2] == (419, same / 419)
    assert kappa[2] == pytest.approx((same / 419 - chance) / (1 - chance))
