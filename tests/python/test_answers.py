"""Automatic scores: golden answers, bad input, and a run that scores each answer once or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from conftest import ROOT
from plumbline.answers import SCORER_VERSION, Scores, score, score_answers
from plumbline.answers import scoring as module
from plumbline.answers.command import command
from plumbline.answers.scorer import MAX_CHARACTERS, numbers, sentences, syllables
from plumbline.errors import PlumblineError
from plumbline.landing import lake as store
from plumbline.landing import land
from plumbline.project import setting
from plumbline.simulate.texts import FAULTS, Pool
from warehouse import register, write_rows

SOURCE = "[1] The Halden bridge has 275 metres; it carries the coast road. Built in 1805."
# Answer, source, and what each score must be: groundedness, number mismatch, missing citation, refusal.
GOLDEN: list[tuple[str | None, str | None, tuple[str | None, str | None, str | None, bool]]] = [
    ("The Halden bridge has 275 metres [1]. It was built in 1805 [1].", SOURCE, ("1", "0", "0", False)),
    ("The Halden bridge has 912 metres [1]. It was built in 1805 [1].", SOURCE, ("0.5", "0.5", "0", False)),
    ("The Halden bridge has 275 metres. It was built in 1805.", SOURCE, ("1", "0", "1", False)),
    # A citation after the full stop is one; a question claims nothing.
    ("The Halden bridge carries the coast road. [1] Shall I say more?", SOURCE, ("1", None, "0", False)),
    ("Penguins swim fast. The bridge carries the coast road [1].", SOURCE, ("0.5", None, "0.5", False)),
    ("I'm sorry, but I cannot help with that request.", SOURCE, (None, None, None, True)),
    ("I\u2019m unable to answer that.", SOURCE, (None, None, None, True)),
    ("As an AI language model, I can't do that.", None, (None, None, None, True)),
    # Typography and thousands do not matter; a list mark is no number.
    ("1. It cost 1,200 crowns (1).\n2. It opened in 1805 (1).", "It cost 1200 crowns. Opened in 1805.",
     ("1", "0", "0", False)),
    ("It weighs 3.50 tons [1].", "Its weight: 3,5 tons", ("1", "0", "0", False)),
    # Without a source nothing can be compared.
    ("The bridge has 275 metres.", None, (None, None, None, False)),
    ("The bridge has 275 metres.", "  \n ", (None, None, None, False)),
]  # fmt: skip
# What the rules of this version say of a fixed pool of texts. A change of a rule changes it: then give the
# scorer another version, so that every answer is scored anew, and write the new hash here.
POOL_HASH = "bf70bebfd0e59e4e"


def _found(scores: Scores) -> tuple[Decimal | None, Decimal | None, Decimal | None, bool]:
    return scores.groundedness, scores.number_mismatch, scores.citation_missing, scores.is_refusal


@pytest.mark.parametrize(("answer", "source", "expected"), GOLDEN)
def test_golden_answers(
    answer: str | None,
    source: str | None,
    expected: tuple[str | None, str | None, str | None, bool],
) -> None:
    wanted = tuple(Decimal(e) if isinstance(e, str) else e for e in expected)
    assert _found(score(answer, source)) == wanted


def test_readability_is_flesch_and_repetition_counts_phrases() -> None:
    # 6 words, 1 sentence, 7 syllables: 206.835 - 1.015 * 6 - 84.6 * 7 / 6.
    found = score("The cat sat on the table.", None)
    assert found.readability == Decimal("102.045000")
    assert [syllables(word) for word in ("cat", "table", "made", "idea", "rhythm", "free")] == [
        1, 2, 1, 2, 1, 1,
    ]  # fmt: skip
    # Nine phrases of three words, three of them new.
    assert score("one two three " * 3, None).repetition == Decimal("0.571429")
    assert score("two words", None).repetition is None
    assert score("abcde", "abcdefghij").length_ratio == Decimal("0.5")


def test_a_change_of_the_rules_needs_another_version() -> None:
    pool = Pool(1)
    digest = hashlib.sha256(SCORER_VERSION.encode())
    for answer, source in zip(pool.answers, pool.sources, strict=True):
        digest.update(repr(score(answer, source)).encode())
    for answer, source, _ in GOLDEN:
        digest.update(repr(score(answer, source)).encode())
    assert digest.hexdigest()[:16] == POOL_HASH
    assert setting("answer_scorer_version") == SCORER_VERSION


def test_every_planted_fault_is_told_from_every_other() -> None:
    pool = Pool(7)
    for number, (answer, source) in enumerate(zip(pool.answers, pool.sources, strict=True)):
        fault, found = FAULTS[number // 80], score(answer, source)
        assert found.is_refusal == (fault == "refusal")
        if not found.is_refusal:
            assert found.number_mismatch is not None
            assert (found.number_mismatch > 0) == (fault == "number_mismatch")
            assert found.citation_missing == (1 if fault == "missing_citation" else 0)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "   ", "\x00\x01", "\ud800", "\u200f\u202e\u2066", "\U0001f600" * 50, "[" * 5000,
        "(" * 5000,
        "." * 5000, "\n" * 5000, "1" * 5000, "1,1" * 3000, "-" * 5000, "a" * 10**6, "word " * 10**5,
        "\u6f22\u5b57\u3002\u65e5\u672c\u8a9e\u3067\u3059\u3002", "e\u0301" * 1000, "\ufdfa" * 20_000,
        "I cannot " * 5000, "9" * 400 + ".5", "1.2.3.4, 5,6 or 1'234.50", "\u0661\u0662\u0663", "[1]" * 3000,
        "((((((a, 2020" * 500, "https://" + "x" * 5000,
    ],
)  # fmt: skip
def test_any_text_has_scores_within_their_ranges(text: str | None) -> None:
    for source in (SOURCE, None, "", text):
        found = score(text, source)
        for name in ("groundedness", "number_mismatch", "citation_missing", "repetition"):
            value = getattr(found, name)
            assert value is None or 0 <= value <= 1, name
        assert found.length_ratio is None or 0 <= found.length_ratio < Decimal(10) ** 12
        assert found.readability is None or abs(found.readability) < Decimal(10) ** 12
        assert found == score(text, source)


def test_no_text_takes_longer_than_its_length_allows() -> None:
    """Work is bounded by the longest scored text; what lies behind it changes nothing but the ratio."""
    long = ("The bridge carries 1,234 cars a day (Smith, 2020). " * 10_000)[:MAX_CHARACTERS]
    assert score(long, SOURCE) == score(long + "I cannot 99999. " * 10**5, SOURCE)


def test_sentences_and_numbers() -> None:
    assert sentences("One. Two! [1] [2] Three?\nFour") == ["One.", "Two! [1] [2]", "Three?", "Four"]
    assert numbers("on 2020-01-02, 1,200.50 or 12 345; v1.2 [3]") == [
        Decimal(n) for n in ("2020", "1", "2", "1200.5", "12", "345")
    ]  # fmt: skip


# ---------------------------------------------------------------- the run
NOON = datetime(2026, 3, 1, 12)


def _answer(number: int, text: str | None, **fixed: Any) -> dict[str, Any]:
    return {
        "response_id": f"r{number}", "responded_at": NOON + timedelta(minutes=number), "user_id": "u1",
        "model_version": "m1", "prompt_tokens": 1, "completion_tokens": 1, "latency_ms": 1,
        "cost_usd": Decimal("0.1"), "source_text": SOURCE, "response_text": text,
        "ingested_at": NOON + timedelta(days=1), **fixed,
    }  # fmt: skip


def _scored(lake: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(
            "select response_id, scorer_version, scored_at, groundedness, number_mismatch, is_refusal "
            "from read_parquet($1, union_by_name = true) where response_id is not null order by all",
            [str(lake / "llm_auto_scores" / "*.parquet")],
        ).fetchall()


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "lake"
    good = "The Halden bridge has 275 metres [1]."
    write_rows(folder, "llm_responses", "one", [
        _answer(1, good), _answer(2, None), _answer(3, " "),
        # Copies: the earliest is the answer, whatever file it came with.
        _answer(4, "It has 999 metres [1].", responded_at=NOON + timedelta(days=1)),
        _answer(4, good), _answer(4, good),
    ])  # fmt: skip
    register(folder)
    yield folder


def test_new_answers_are_scored_once(lake: Path) -> None:
    done = score_answers(lake)
    assert done.answers == 3
    first = _scored(lake)
    assert [row[0] for row in first] == ["r1", "r3", "r4"]
    assert {row[4] for row in first} == {Decimal(0), None}
    assert {row[1] for row in first} == {SCORER_VERSION}
    assert all(row[2] == NOON + timedelta(days=1) for row in first if row[0] != "r4" or row[2])
    assert score_answers(lake) == module.Scored(0, None)
    # Registered like a file of a sink: landing knows it and finds nothing wrong.
    report = land(None, lake)
    assert not report.failures
    assert not report.files
    manifest = store.read_manifest(lake)
    assert [row.accepted_count for row in manifest if row.table_name == "llm_auto_scores"] == [3]
    write_rows(lake, "llm_responses", "two", [_answer(5, "I cannot help with that.")])
    register(lake)
    assert score_answers(lake).answers == 1
    assert [row for row in _scored(lake) if row[0] != "r5"] == first


def test_another_version_scores_everything_beside_the_old_rows(lake: Path) -> None:
    score_answers(lake)
    assert score_answers(lake, version="rules-2").answers == 3
    rows = _scored(lake)
    assert len(rows) == 6
    assert sorted({row[1] for row in rows}) == [SCORER_VERSION, "rules-2"]


def test_batches_change_nothing_and_the_same_lake_gives_the_same_bytes(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = score_answers(lake).path
    assert first is not None
    content = first.read_bytes()
    rows = _scored(lake)
    first.unlink()
    for row in (lake / "_landing" / "manifest").glob("*llm_auto_scores*"):
        row.unlink()
    again = score_answers(lake).path
    assert again == first
    assert again.read_bytes() == content
    again.unlink()
    for row in (lake / "_landing" / "manifest").glob("*llm_auto_scores*"):
        row.unlink()
    monkeypatch.setattr(module, "BATCH_ROWS", 1)
    score_answers(lake)
    assert _scored(lake) == rows


def test_a_run_that_dies_leaves_nothing_and_the_next_one_finishes(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 1)
    honest = module._rows
    calls = []

    def dies(batch: pa.RecordBatch, version: str) -> pa.Table:
        calls.append(batch)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return honest(batch, version)

    monkeypatch.setattr(module, "_rows", dies)
    with pytest.raises(PlumblineError, match="No space left"):
        score_answers(lake)
    assert {path.name for path in (lake / "llm_auto_scores").iterdir()} == {store.ANCHOR}
    monkeypatch.setattr(module, "_rows", honest)
    assert score_answers(lake).answers == 3


def test_scores_published_but_not_registered_are_taken_by_the_next_landing(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "land", killed)
    with pytest.raises(KeyboardInterrupt):
        score_answers(lake)
    monkeypatch.undo()
    assert score_answers(lake).answers == 0
    register(lake)
    assert len(_scored(lake)) == 3
    assert any(row.table_name == "llm_auto_scores" for row in store.read_manifest(lake))


def test_a_held_lake_and_no_lake_are_one_clear_line(lake: Path, tmp_path: Path) -> None:
    with store.locked(lake), pytest.raises(PlumblineError, match="landing into"):
        score_answers(lake)
    with pytest.raises(PlumblineError, match="no lake"):
        score_answers(tmp_path / "nowhere")


def test_the_command_says_what_it_did(lake: Path) -> None:
    first = CliRunner().invoke(command, ["--lake", str(lake)])
    assert first.exit_code == 0
    assert f"3 answers scored ({SCORER_VERSION})" in first.output
    assert "No new answers" in CliRunner().invoke(command, ["--lake", str(lake)]).output


# ---------------------------------------------------------------- the shipped sample
def _sample(table: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / "raw" / f"raw_{table}.csv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_shipped_scores_raise_what_ours_raise() -> None:
    """The sample ships scores of the generator's own scorer (sim-1: share of words, not of sentences).

    It is another scorer, so the figures differ; what they raise must be the same.
    """
    texts = {row["response_id"]: row for row in _sample("llm_responses") if row["response_text"]}
    compared = 0
    for row in _sample("llm_auto_scores"):
        if row["response_id"] not in texts or row["scorer_version"] != "sim-1":
            continue
        answer = texts[row["response_id"]]
        found = score(answer["response_text"], answer["source_text"])
        try:
            theirs = [float(row[name]) for name in ("number_mismatch", "citation_missing")]
        except ValueError:
            continue
        if row["is_refusal"] not in ("true", "false") or not all(0 <= x <= 1 for x in theirs):
            continue
        assert found.is_refusal == (row["is_refusal"] == "true")
        if not found.is_refusal:
            assert ((found.number_mismatch or 0) > 0) == (theirs[0] > 0)
            assert (found.citation_missing or 0) == theirs[1]
        compared += 1
    assert compared > 800


def test_scores_go_with_human_ratings_as_much_as_the_planted_faults_do() -> None:
    truth = json.loads((ROOT / "tests" / "fixtures" / "sample_truth.json").read_text("utf-8"))
    planted = truth["planted"]["llm"]["fault_by_response_text"]
    texts = {row["response_id"]: row for row in _sample("llm_responses") if row["response_text"]}
    given: dict[str, dict[str, float]] = {}
    for row in _sample("llm_ratings"):
        if row["rater_kind"] == "user" and row["response_id"] in texts and row["score"] in "12345":
            given.setdefault(row["response_id"], {})[row["rating_id"]] = float(row["score"])
    ratings, ours, theirs = [], [], []
    for response_id, scores in given.items():
        answer = texts[response_id]
        found = score(answer["response_text"], answer["source_text"])
        ratings.append(np.mean(list(scores.values())))
        ours.append((found.number_mismatch or 0) > 0 or (found.citation_missing or 0) > 0)
        theirs.append(planted[answer["response_text"]] in ("number_mismatch", "missing_citation"))
    assert len(ratings) > 60
    found_correlation = spearmanr(ours, ratings).statistic
    planted_correlation = spearmanr(theirs, ratings).statistic
    assert planted_correlation < 0
    assert found_correlation <= planted_correlation + 1e-12
