"""A fixed pool of short prompts, sources and answers with planted faults, shared by all answers."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from plumbline.simulate.arrays import Ints, decimals, stream

CLEAN, NUMBER, CITATION, REFUSAL = range(4)
FAULTS = ("clean", "number_mismatch", "missing_citation", "refusal")
_PER_FAULT = 80

_SUBJECTS = (
    ("The river Orne", "kilometres long", "flows through the old mill town"),
    ("The Halden bridge", "metres high", "carries the coast road"),
    ("The Lumen library", "thousand books", "opens every weekday"),
    ("Comet Varga", "years per orbit", "was first seen from an island"),
    ("The Brindle school", "pupils", "teaches in two languages"),
    ("Mount Sorrel", "metres tall", "is climbed from the south"),
    ("The Alder orchard", "hectares wide", "grows late apples"),
    ("The Teal harbour", "ships a week", "closes in strong wind"),
)
_NUMBER = re.compile(r"\d+")


class Pool:
    """Eighty texts for each kind of answer; ``index // 80`` is the planted fault.

    Attributes:
        prompts, sources, answers: parallel lists of texts.
    """

    def __init__(self, seed: int) -> None:
        rng = stream(seed, 31)
        self.prompts: list[str] = []
        self.sources: list[str] = []
        self.answers: list[str] = []
        for fault in range(len(FAULTS)):
            for number in range(_PER_FAULT):
                subject, unit, detail = _SUBJECTS[number % len(_SUBJECTS)]
                value, year = (int(x) for x in rng.integers((20, 1800), (900, 2000)))
                said = value + int(rng.integers(7, 300)) if fault == NUMBER else value
                cited = "" if fault == CITATION else " [1]"
                answer = (
                    f"{subject} has {said} {unit} and {detail}{cited}. It dates from {year}{cited}."
                )
                if fault == REFUSAL:
                    answer = f"I'm sorry, but I cannot help with that request about {subject}."
                self.prompts.append(f"What should I know about {subject.lower()}, item {number}?")
                self.sources.append(
                    f"[1] {subject} has {value} {unit}; it {detail}. Built in {year}."
                )
                self.answers.append(answer)
        self._prompts, self._sources, self._answers = (
            pa.array(texts, pa.string()) for texts in (self.prompts, self.sources, self.answers)
        )

    def draw(self, rng: np.random.Generator, fault: Ints) -> Ints:
        """Index of a text with the given fault, one for each answer."""
        return np.asarray(fault * _PER_FAULT + rng.integers(0, _PER_FAULT, len(fault)))

    def columns(self, index: Ints) -> dict[str, pa.Array]:
        """Text columns of ``llm_responses``; a negative index has no texts."""
        keys = pa.array(index.astype(np.int32), mask=index < 0)
        names = ("prompt_text", "source_text", "response_text")
        texts = (self._prompts, self._sources, self._answers)
        return {
            name: pa.DictionaryArray.from_arrays(keys, values)
            for name, values in zip(names, texts, strict=True)
        }

    def labels(self) -> dict[str, str]:
        """Planted fault by answer text: what a detector of faults is judged against."""
        return {answer: FAULTS[place // _PER_FAULT] for place, answer in enumerate(self.answers)}

    def scores(self, index: Ints) -> dict[str, pa.Array]:
        """Score columns of ``llm_auto_scores``."""
        table = np.array([self._score(place) for place in range(len(self.answers))])[index]
        refused = index // _PER_FAULT == REFUSAL
        million = np.rint(table * 1e6).astype(np.int64)
        names = (
            "groundedness", "number_mismatch", "citation_missing", "length_ratio", "readability",
            "repetition",
        )  # fmt: skip
        found = {
            name: decimals(million[:, place], 18 if place in (3, 4) else 9, 6)
            for place, name in enumerate(names)
        }
        return {**found, "is_refusal": pa.array(refused)}

    def _score(self, place: int) -> tuple[float, ...]:
        source, answer = self.sources[place], self.answers[place]
        fault = place // _PER_FAULT
        body = answer.replace("[1]", "")
        stated = _NUMBER.findall(body)
        wrong = sum(number not in _NUMBER.findall(source) for number in stated)
        words = body.lower().replace(".", "").split()
        known = set(re.sub(r"[^a-z0-9 ]", "", source.lower()).split())
        grounded = sum(word in known for word in words) / len(words)
        uncited = 1.0 if fault in (CITATION, REFUSAL) else 0.0
        repeated = 1 - len(set(words)) / len(words)
        mismatch = wrong / len(stated) if stated else 0.0
        return (
            grounded, mismatch, uncited, len(answer) / len(source), 90.0 - len(words), repeated
        )  # fmt: skip
