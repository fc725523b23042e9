"""Answers of the language models: cost, speed, texts with planted faults, ratings, comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from plumbline.simulate.activity import landing
from plumbline.simulate.arrays import Ints, codes, decimals, stream, text_ids, times
from plumbline.simulate.product import FEATURES, Block
from plumbline.simulate.rows import from_columns
from plumbline.simulate.settings import Settings
from plumbline.simulate.texts import CLEAN, FAULTS, Pool
from plumbline.simulate.truth import Tally
from plumbline.simulate.world import MODELS, Users
from plumbline.simulate.writer import Writer

VERSIONS = (*MODELS, "edu-1", "edu-2")
BAD = ("lm-3", "edu-2")
# From this share of the run on, half of the education answers come from the bad edu-2.
BAD_FROM = 0.65
BAD_SHARE = 0.5
MESSAGE_SHARE = 0.15
TEXT_SHARE = 0.25
# Chance of a planted fault by model: unsupported number, missing citation, refusal.
FAULT_RATE = {
    "lm-1": (0.02, 0.02, 0.02), "lm-2": (0.02, 0.015, 0.02), "lm-3": (0.07, 0.05, 0.04),
    "edu-1": (0.025, 0.025, 0.02), "edu-2": (0.09, 0.07, 0.03),
}  # fmt: skip
# Latent quality of an answer on the 1 to 5 scale, before faults.
QUALITY = {"lm-1": 3.9, "lm-2": 4.1, "lm-3": 3.2, "edu-1": 4.1, "edu-2": 3.3}
QUALITY_SD = 0.6
FAULT_PENALTY = 1.3
# Chance that a user rates an answer, by role.
RATING_RATE = (0.10, 0.16, 0.06)
HUMAN_RATE = 0.02
JUDGE_RATE = 0.05
HUMANS = {"human-1": -0.3, "human-2": 0.0, "human-3": 0.1, "human-4": 0.35}
HUMAN_NOISE, USER_NOISE, JUDGE_NOISE = 0.35, 0.8, 0.3
JUDGE_BIAS = 0.4
# Sensitivity and specificity of the hallucination flag.
HUMAN_FLAG, JUDGE_FLAG = (0.95, 0.98), (0.80, 0.93)
COMPARISON_RATE = 0.01
# Added to the log odds of whichever answer stood first.
POSITION_BIAS = 0.5
STRENGTH = 1.2
TIE_RATE = 0.1
SCORER = "sim-1"
PRICE_MICRO = {"lm-1": 2, "lm-2": 3, "lm-3": 2, "edu-1": 4, "edu-2": 3}


@dataclass
class Answers:
    """Answers of one block as parallel arrays."""

    number: Ints
    user: Ints
    at: Ints
    model: Ints
    fault: Ints
    text: Ints
    quality: Ints


class Models:
    """Emits the four tables of language-model answers from the events of a day."""

    def __init__(self, settings: Settings, users: Users, writer: Writer, tally: Tally) -> None:
        self.settings, self.users, self.writer, self.tally = settings, users, writer, tally
        self.pool = Pool(settings.seed)
        self.answers = self.ratings = self.comparisons = 0

    def run(self, day: int, block: Block, number: int) -> None:
        """Answers, ratings, comparisons and automatic scores of one block."""
        rng = stream(self.settings.seed, 30, day, number)
        answers = self._answers(day, block, rng)
        if len(answers.number) == 0:
            return
        self._ratings(day, answers, rng)
        self._comparisons(day, answers, rng)
        self._scores(day, answers, rng)

    def _answers(self, day: int, block: Block, rng: np.random.Generator) -> Answers:
        settings = self.settings
        span, feats = block.facts["messages"], block.facts["features"]
        human = ~block.visits.automated[block.session_visit[block.session[span]]]
        asked = np.flatnonzero(human & (rng.random(span.stop - span.start) < MESSAGE_SHARE))
        places = np.concatenate([span.start + asked, np.arange(feats.start, feats.stop)])
        # Who has not signed in yet has no user id: those answers are not logged.
        places = places[~block.facts["unseen"][places]]
        size = len(places)
        chat = block.bot[places] >= 0
        bad = (day >= settings.at(BAD_FROM)) & (rng.random(size) < BAD_SHARE)
        model = np.where(chat, block.facts["model"][block.bot[places]], np.where(bad, 4, 3))
        rates = np.cumsum(np.array([FAULT_RATE[name] for name in VERSIONS]), axis=1)[model]
        fault = np.asarray((rng.random(size)[:, None] >= rates).sum(axis=1))
        fault = np.where(fault == 3, CLEAN, fault + 1)
        feature = np.where(chat, FEATURES.index("chat"), block.feature[places])
        text = np.where(rng.random(size) < TEXT_SHARE, self.pool.draw(rng, fault), -1)
        user = block.visits.user[block.session_visit[block.session[places]]]
        quality = np.array([QUALITY[name] for name in VERSIONS])[model]
        quality = quality + QUALITY_SD * rng.standard_normal(size)
        quality = quality - FAULT_PENALTY * ((fault == 1) | (fault == 2))
        prompt = np.exp(rng.normal(5.0, 0.6, size)).astype(np.int64) + 5
        completion = np.exp(rng.normal(5.3, 0.5, size)).astype(np.int64) + 3
        latency = (400 + completion * rng.uniform(8, 14, size)).astype(np.int64)
        at = np.minimum(block.time[places] + latency, settings.end_ms)
        price = np.array([PRICE_MICRO[name] for name in VERSIONS])[model]
        number = self.answers + np.arange(size)
        self.answers += size
        columns: dict[str, Any] = {
            "response_id": text_ids("r", number),
            "responded_at": times(at),
            "user_id": text_ids("u", user),
            "session_id": text_ids("s", block.facts["session_base"] + block.session[places]),
            "bot_id": text_ids("b", block.bot[places]),
            "feature": codes(feature, FEATURES),
            "model_version": codes(model, VERSIONS),
            "prompt_tokens": pa.array(prompt),
            "completion_tokens": pa.array(completion),
            "latency_ms": pa.array(latency),
            "cost_usd": decimals((prompt + 3 * completion) * price, 18, 6),
            **self.pool.columns(text),
            "ingested_at": times(landing(settings, rng, at, self.tally, "llm_responses")),
        }
        self.writer.emit("llm_responses", from_columns("llm_responses", columns), day)
        for place, name in enumerate(VERSIONS):
            of = fault[model == place]
            self.tally.by_index("llm", "faults", name, names=FAULTS, index=of)
        self.tally.by_index("llm", "texts", names=FAULTS, index=fault[text >= 0])
        return Answers(number, user, at, model, fault, text, quality)

    def _ratings(self, day: int, answers: Answers, rng: np.random.Generator) -> None:
        size = len(answers.number)
        rate = np.array(RATING_RATE)[self.users.role[answers.user]]
        users = np.flatnonzero(rng.random(size) < rate)
        judged = np.flatnonzero(rng.random(size) < JUDGE_RATE)
        graded = np.flatnonzero(rng.random(size) < HUMAN_RATE)
        # Each graded answer is seen by three of the four people, so that they can be compared.
        left_out = rng.integers(0, 4, len(graded))
        people = np.concatenate([np.where(left_out == k, -1, k) for k in range(4)])
        thrice = np.tile(graded, 4)[people >= 0]
        people = people[people >= 0]
        place = np.concatenate([users, judged, thrice])
        kind = np.repeat([0, 2, 1], [len(users), len(judged), len(thrice)])
        bias = np.concatenate([
            np.zeros(len(users)), np.full(len(judged), JUDGE_BIAS),
            np.array(list(HUMANS.values()))[people],
        ])  # fmt: skip
        noise = np.array([USER_NOISE, HUMAN_NOISE, JUDGE_NOISE])[kind]
        raw = answers.quality[place] + bias + noise * rng.standard_normal(len(place))
        score = np.clip(np.rint(raw), 1, 5).astype(np.int64)
        faulty = (answers.fault[place] == 1) | (answers.fault[place] == 2)
        catches = np.array([HUMAN_FLAG[0], HUMAN_FLAG[0], JUDGE_FLAG[0]])[kind]
        spares = np.array([HUMAN_FLAG[1], HUMAN_FLAG[1], JUDGE_FLAG[1]])[kind]
        luck = rng.random(len(place))
        flagged = np.where(faulty, luck < catches, luck >= spares)
        rater = pa.concat_arrays([
            text_ids("u", answers.user[users]),
            pa.array(["judge-1"] * len(judged), pa.string()),
            pa.array(list(HUMANS), pa.string()).take(pa.array(people, pa.int64())),
        ])  # fmt: skip
        at = answers.at[place] + rng.integers(2_000, 120_000, len(place))
        kept = at < self.settings.end_ms
        keep = pa.array(kept)
        number = self.ratings + np.arange(int(kept.sum()))
        self.ratings += len(number)
        columns = {
            "rating_id": text_ids("q", number),
            "response_id": text_ids("r", answers.number[place][kept]),
            "rater_id": rater.filter(keep),
            "rater_kind": codes(kind[kept], ("user", "human", "judge")),
            "rated_at": times(at[kept]),
            "score": pa.array(score[kept]),
            "is_hallucination": pa.array(flagged[kept], mask=kind[kept] == 0),
            "ingested_at": times(landing(self.settings, rng, at[kept], self.tally, "llm_ratings")),
        }
        self.writer.emit("llm_ratings", from_columns("llm_ratings", columns), day)
        for code, name in enumerate(("user", "human", "judge")):
            of = kept & (kind == code)
            self.tally.add("llm", "ratings", name, "count", value=int(of.sum()))
            self.tally.add("llm", "ratings", name, "score_sum", value=int(score[of].sum()))
            self.tally.add("llm", "ratings", name, "faulty", value=int(faulty[of].sum()))
            if code:
                hit, miss = of & faulty & flagged, of & ~faulty & flagged
                self.tally.add("llm", "ratings", name, "flagged_faulty", value=int(hit.sum()))
                self.tally.add("llm", "ratings", name, "flagged_clean", value=int(miss.sum()))

    def _comparisons(self, day: int, answers: Answers, rng: np.random.Generator) -> None:
        size = len(answers.number)
        count = int(rng.binomial(size, COMPARISON_RATE))
        if size < 2 or count == 0:
            return
        a = rng.integers(0, size, count)
        b = (a + rng.integers(1, size, count)) % size
        first = rng.random(count) < 0.5
        odds = STRENGTH * (answers.quality[a] - answers.quality[b])
        odds = odds + POSITION_BIAS * np.where(first, 1, -1)
        wins = rng.random(count) < 1 / (1 + np.exp(-odds))
        winner = np.where(rng.random(count) < TIE_RATE, 2, np.where(wins, 0, 1))
        judge = rng.random(count) < 0.7
        at = np.maximum(answers.at[a], answers.at[b]) + rng.integers(1000, 600_000, count)
        kept = at < self.settings.end_ms
        number = self.comparisons + np.arange(int(kept.sum()))
        self.comparisons += len(number)
        shown = np.where(first, 0, 1)
        decided = kept & (winner < 2)
        self.tally.add("llm", "comparisons", "decided", value=int(decided.sum()))
        self.tally.add(
            "llm", "comparisons", "first_won", value=int((decided & (winner == shown)).sum())
        )
        columns = {
            "comparison_id": text_ids("w", number),
            "response_a_id": text_ids("r", answers.number[a][kept]),
            "response_b_id": text_ids("r", answers.number[b][kept]),
            "rater_id": codes(np.where(judge, 0, 1)[kept], ("judge-1", "human-2")),
            "rater_kind": codes(np.where(judge, 0, 1)[kept], ("judge", "human")),
            "compared_at": times(at[kept]),
            "shown_first": codes(shown[kept], ("a", "b")),
            "winner": codes(winner[kept], ("a", "b", "tie")),
            "ingested_at": times(landing(self.settings, rng, at[kept])),
        }
        self.writer.emit("llm_comparisons", from_columns("llm_comparisons", columns), day)

    def _scores(self, day: int, answers: Answers, rng: np.random.Generator) -> None:
        held = np.flatnonzero(answers.text >= 0)
        if len(held) == 0:
            return
        at = np.minimum(answers.at[held] + 3_600_000, self.settings.end_ms)
        columns = {
            "response_id": text_ids("r", answers.number[held]),
            "scorer_version": codes(np.zeros(len(held)), (SCORER,)),
            "scored_at": times(at),
            **self.pool.scores(answers.text[held]),
            "ingested_at": times(np.minimum(at + 1000, self.settings.end_ms + 1000)),
        }
        self.writer.emit("llm_auto_scores", from_columns("llm_auto_scores", columns), day)
