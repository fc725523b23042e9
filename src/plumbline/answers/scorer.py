"""Rules that score one answer against its source: no model, no network, no clock, no chance.

What is scored is said once, here, and carries a version: a rule that changes gives answers another score,
so it also gets another :data:`SCORER_VERSION`, and every answer is then scored anew beside its old row.
A score that has nothing to stand on (no source, no numbers, no words) is None, never 0.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

SCORER_VERSION = "rules-1"

# Longer texts are scored on their beginning: one answer must not take the time of a thousand.
MAX_CHARACTERS = 50_000
# A sentence is supported when every number in it stands in the source, and at least this share of its content
# words and numbers ...
SUPPORTED_SHARE = Decimal("0.5")
# ... and a run of so many words counts as one phrase in repetition.
PHRASE_WORDS = 3
_SIX_PLACES = Decimal("0.000001")
_LARGEST = Decimal("999999999999")

# A citation: [1], [2, 3], [a], (1), (Smith, 2020) or a bare address.
_CITATION = re.compile(
    r"\[\^?[\w,;\s-]{1,40}\]|\(\d{1,3}\)|\([^()]{2,60},\s?\d{4}[a-z]?\)|https?://\S+"
)
# Sentences end at . ! ? before white space, at the full stop of Chinese and Japanese, and at line ends.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=[\u3002])\s*|\s*\n+\s*")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_LATIN = re.compile(r"[a-z]+(?:'[a-z]+)*")
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d+(?:[.,']\d+)*(?!\w)")
_LIST_MARK = re.compile(r"(?m)^[ \t]*(?:\d{1,3}[.)]|[-*•])\s+")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:[,']\d{3})+(?:\.\d+)?")
# A space that groups thousands, before it becomes any other space.
_GROUPING_SPACE = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3})")
# Typographic signs as the signs the rules know: quotation marks, apostrophes, minus.
_PLAIN = str.maketrans("\u2018\u2019\u201c\u201d\u2212", "''\"\"-")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_VOWELS = re.compile(r"[aeiouy]+")

# Words that say nothing about what a sentence claims.
_STOP_WORDS = frozenset(
    re.findall(
        "[a-z]+",
        "a about after all also an and any are as at be because been but by can could did do does for from "
        "had has have he her his how i if in into is it its just may more most my no not of on one or other "
        "our out she should so some such than that the their them then there these they this those to under "
        "up was we were what when where which who will with would you your",
    )
)

# Openings by which models decline. They must stand in the first sentences: an answer that quotes a refusal
# further down is none.
_REFUSAL = re.compile(
    r"\b(?:i\s+(?:can(?:no|')?t|can\s?not|am\s+(?:not\s+able|unable)|(?:wo|do)n'?t\s+be\s+able|must\s+decline)"
    r"|i'm\s+(?:not\s+able|unable)|i\s+(?:won'?t|will\s+not|refuse\s+to)"
    r"|(?:unable|not\s+able)\s+to\s+(?:help|assist|answer|comply)"
    r"|(?:can(?:no|')?t|can\s?not)\s+(?:help|assist|comply|provide|answer|discuss|share|do\s+that)"
    r"|as\s+an?\s+(?:ai|language\s+model)[^.]{0,60}(?:can(?:no|')?t|can\s?not|unable)"
    r"|against\s+my\s+(?:guidelines|policy|programming))",
    re.IGNORECASE,
)  # fmt: skip
_REFUSED_WITHIN = 240


@dataclass(frozen=True)
class Scores:
    """Scores of one answer; None where there is nothing to score.

    Attributes:
        groundedness: sentences supported by the source / sentences with content words.
        number_mismatch: numbers of the answer that the source lacks / numbers of the answer.
        citation_missing: claims without a citation / claims.
        length_ratio: characters of the answer / characters of the source.
        readability: Flesch reading ease.
        repetition: three-word phrases that occurred before / three-word phrases.
        is_refusal: the model declined to answer; claims are then not scored.
    """

    groundedness: Decimal | None
    number_mismatch: Decimal | None
    citation_missing: Decimal | None
    length_ratio: Decimal | None
    readability: Decimal | None
    repetition: Decimal | None
    is_refusal: bool


def _share(part: int, whole: int) -> Decimal | None:
    """Part / whole to six places, half to even; None without a whole."""
    return _rounded(Decimal(part) / Decimal(whole)) if whole else None


def _rounded(value: Decimal) -> Decimal:
    return min(max(value, -_LARGEST), _LARGEST).quantize(_SIX_PLACES, ROUND_HALF_EVEN)


def _clean(text: str | None) -> str:
    """Text in one form: compatibility characters composed, controls as spaces, cut to the longest scored."""
    if not text:
        return ""
    # A character may become several: cut first, so that work is bounded, then again.
    grouped = _GROUPING_SPACE.sub(",", text[:MAX_CHARACTERS])
    composed = unicodedata.normalize("NFKC", grouped)[:MAX_CHARACTERS].translate(_PLAIN)
    if composed.isascii():
        return _CONTROLS.sub(" ", composed).strip()
    kept = (
        " " if sign != "\n" and unicodedata.category(sign)[0] == "C" else sign for sign in composed
    )
    return "".join(kept).strip()


def sentences(text: str) -> list[str]:
    """Sentences of a cleaned text; a citation after the full stop belongs to the sentence before it."""
    found: list[str] = []
    for part in _SENTENCE_END.split(_LIST_MARK.sub("", text)):
        piece = part.strip()
        if not piece:
            continue
        lead = _CITATION.match(piece)
        while lead and found:
            found[-1] += " " + lead.group()
            piece = piece[lead.end() :].strip(" .;,")
            lead = _CITATION.match(piece)
        if piece:
            found.append(piece)
    return found


def words(text: str) -> list[str]:
    """Words in lower case, without numbers and citations."""
    return [word.casefold() for word in _WORD.findall(_CITATION.sub(" ", text))]


def content_words(text: str) -> list[str]:
    """Words without those that every sentence has."""
    return [word for word in words(text) if word not in _STOP_WORDS]


def numbers(text: str) -> list[Decimal]:
    """Numbers in digits, without citations and list marks; 1,200 is 1200, and 3.50 is 3.5."""
    found: list[Decimal] = []
    for match in _NUMBER.findall(_LIST_MARK.sub("", _CITATION.sub(" ", text))):
        digits = re.sub("[,']", "", match) if _GROUPED.fullmatch(match) else match
        # A comma that groups no thousands is a decimal comma; two marks are a date or a version.
        digits = digits.replace(",", ".")
        parts = re.split("[.']", digits)
        if len(parts) <= 2:
            found.append(abs(Decimal(".".join(parts))).normalize())
        else:
            found.extend(abs(Decimal(part)).normalize() for part in parts if part.strip("+-"))
    return found


@lru_cache(maxsize=65_536)
def syllables(word: str) -> int:
    """Syllables of an English word: groups of vowels, without a silent final e; at least 1."""
    groups = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    return max(groups, 1)


def _readability(text: str, sentence_count: int) -> Decimal | None:
    """Flesch (1948): 206.835 - 1.015 words / sentences - 84.6 syllables / words, over Latin words."""
    found = _LATIN.findall(_CITATION.sub(" ", text).lower())
    if not found or not sentence_count:
        return None
    count = Decimal(len(found))
    spoken = Decimal(sum(map(syllables, found)))
    return _rounded(
        Decimal("206.835") - Decimal("1.015") * count / sentence_count - Decimal("84.6") * spoken / count
    )  # fmt: skip


def _repetition(text: str) -> Decimal | None:
    spoken = words(text)
    phrases = list(zip(*(spoken[place:] for place in range(PHRASE_WORDS)), strict=False))
    return _share(len(phrases) - len(set(phrases)), len(phrases))


@lru_cache(maxsize=256)
def _known(source: str) -> tuple[frozenset[str], frozenset[Decimal]]:
    """Content words and numbers of a source; many answers share one."""
    return frozenset(content_words(source)), frozenset(numbers(source))


def _is_supported(sentence: str, known_words: frozenset[str], known: frozenset[Decimal]) -> bool:
    content, stated = content_words(sentence), numbers(sentence)
    held = sum(word in known_words for word in content) + len(stated)
    return all(n in known for n in stated) and held >= SUPPORTED_SHARE * (
        len(content) + len(stated)
    )


def score(response_text: str | None, source_text: str | None) -> Scores:
    """Score one answer; the same texts always give the same scores.

    Args:
        response_text: the answer; None or blank has no scores.
        source_text: what it should be grounded in; None or blank leaves claims unscored.
    """
    answer, source = _clean(response_text), _clean(source_text)
    spoken = sentences(answer)
    is_refusal = bool(_REFUSAL.search(answer[:_REFUSED_WITHIN]))
    claims = [
        sentence for sentence in spoken if content_words(sentence) and not sentence.endswith("?")
    ]
    grounded = mismatch = uncited = ratio = None
    if source and answer:
        ratio = _rounded(Decimal(len(answer)) / Decimal(len(source)))
        if not is_refusal:
            known_words, known = _known(source)
            supported = sum(_is_supported(claim, known_words, known) for claim in claims)
            grounded = _share(supported, len(claims))
            stated = numbers(answer)
            mismatch = _share(sum(number not in known for number in stated), len(stated))
            bare = sum(not _CITATION.search(claim) for claim in claims)
            uncited = _share(bare, len(claims))
    return Scores(
        grounded, mismatch, uncited, ratio, _readability(answer, len(spoken)), _repetition(answer), is_refusal
    )  # fmt: skip
