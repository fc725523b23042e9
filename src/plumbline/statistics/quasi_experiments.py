"""Questions about treatments that nobody assigned: every method's answer to each, from sums over people.

A question is read for its effect and, through the same code, for outcomes and dates that the treatment cannot
have changed. Inputs are sums by stratum (people alike in what is held equal), and by stack and pair of weeks
for stacked differences. Nothing here makes an association causal; the estimates say what is left of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plumbline.statistics.moments import Moments, two_sum
from plumbline.statistics.observational import (
    Estimate,
    balance_by_propensity,
    e_value_of_difference,
    e_value_of_shares,
    stacked_differences,
    standardised_effect,
    weighted_by_propensity,
)
from plumbline.statistics.outcomes import Bools, Floats, Outcome, Reason

Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]
# What has a value per person and reading, in the order of the moments: the outcome, the same over as many
# days before, and over as many days before that.
WINDOWS = ("outcome", "before", "earlier")
METHODS = ("naive", "stratified", "matched", "ipw", "aipw", "did", "stacked_did")
# A share needs so many expected events and non-events in each group for a normal interval (Cochran's rule).
FEWEST_EVENTS = 5
# Without two people of a kind the variance within a stratum is not known.
FEWEST_IN_STRATUM = 2


@dataclass(frozen=True)
class Reading:
    """One reading of one question, by stratum.

    Attributes:
        untreated, treated: moments of the three windows, shape (strata,).
        propensity: chance of treatment of each stratum, clipped.
        is_share: the outcome is whether there is any.
        has_before, has_earlier: whether earlier windows exist for everybody.
    """

    untreated: Moments
    treated: Moments
    propensity: Floats
    is_share: bool
    has_before: bool
    has_earlier: bool

    @property
    def overlaps(self) -> Bools:
        """Strata with enough people of both kinds."""
        enough = [arm.n >= FEWEST_IN_STRATUM for arm in (self.untreated, self.treated)]
        return np.asarray(enough[0] & enough[1])

    def deviation(self) -> float:
        """Standard deviation of the outcome within the two groups, pooled."""
        arms = [self.untreated.merged(0), self.treated.merged(0)]
        degrees = sum(max(int(arm.n) - 1, 0) for arm in arms)
        return float(np.sqrt(sum(arm.m2(0) for arm in arms) / max(degrees, 1)))


@dataclass(frozen=True)
class Answer:
    """What one method says; ``levels`` are the untreated and the treated value that its estimate compares."""

    effect: Estimate
    untreated: int
    treated: int
    levels: tuple[Outcome, Outcome]
    clipped: float
    pre_trend: Outcome


_NO_TREND = Outcome.of(0.0, np.int8(Reason.NOT_MEASURED))


def _only(moments: Moments, window: int) -> Moments:
    """One window of the moments, as moments of one variable."""
    chosen = slice(window, window + 1)
    return Moments(
        moments.n,
        moments.mean[..., chosen],
        moments.rest[..., chosen],
        moments.products[..., chosen, chosen],
        moments.cubes[..., chosen],
    )


def _unbiased(moments: Moments) -> Moments:
    """Squares times n / (n - 1): a stratum's own mean was fitted, and small strata would hide their noise."""
    factor = moments.n / np.maximum(moments.n - 1, 1)
    return Moments(
        moments.n,
        moments.mean,
        moments.rest,
        moments.products * factor[..., None, None],
        moments.cubes,
    )


def _moments(n: Floats, sums: Floats, products: Floats) -> Moments:
    """Moments from plain sums: shapes (cells,), (cells, v) and (cells, v, v)."""
    size = np.maximum(n, 1.0)
    mean = sums / size[:, None]
    centred = products - sums[:, :, None] * mean[:, None, :]
    for place in range(sums.shape[1]):
        # Below this share of the squares it came from, a variance is rounding.
        square = centred[:, place, place]
        real = square > 1e-12 * products[:, place, place]
        centred[:, place, place] = np.where(real, square, 0.0)
    return Moments(
        n.astype(np.int64), *two_sum(mean, np.zeros_like(mean)), centred, np.zeros_like(mean)
    )


def _scalar(value: float | npt.NDArray[Any]) -> float:
    return float(np.asarray(value).reshape(-1)[0])


def _naive(reading: Reading, alpha: float) -> Answer:
    arms = [_only(reading.untreated, 0).merged(0), _only(reading.treated, 0).merged(0)]
    n = [int(arm.n) for arm in arms]
    means = [_scalar(arm.mean + arm.rest) for arm in arms]
    squared = sum(
        _scalar(arm.m2(0)) / max(size * (size - 1), 1) for arm, size in zip(arms, n, strict=True)
    )
    effect = Estimate.of(np.asarray(means[1] - means[0]), np.asarray(squared), 0, alpha)
    levels = (Outcome.of(means[0]), Outcome.of(means[1]))
    return Answer(effect, n[0], n[1], levels, 0.0, _NO_TREND)


def _used(reading: Reading) -> tuple[int, int]:
    kept = reading.overlaps
    return int(reading.untreated.n[kept].sum()), int(reading.treated.n[kept].sum())


def _standardised(reading: Reading, alpha: float, of_treated: bool) -> Answer:
    found = standardised_effect(
        _only(reading.untreated, 0), _only(reading.treated, 0), of_treated, alpha
    )
    n_0, n_1 = _used(reading)
    return Answer(found.effect, n_0, n_1, found.levels, 0.0, _NO_TREND)


def _weighted(reading: Reading, alpha: float, robust: bool) -> Answer:
    kept = reading.overlaps
    arms = [_unbiased(_only(arm, 0)[kept]) for arm in (reading.untreated, reading.treated)]
    found = weighted_by_propensity(arms[0], arms[1], reading.propensity[kept], alpha)
    clipped = float(found.clipped_share)
    n_0, n_1 = _used(reading)
    if not robust:
        return Answer(found.inverse_weighted, n_0, n_1, found.levels, clipped, _NO_TREND)
    # Its levels are those of standardisation, which its estimate is the difference of.
    levels = standardised_effect(arms[0], arms[1], False, alpha).levels
    return Answer(found.doubly_robust, n_0, n_1, levels, clipped, _NO_TREND)


def _differences(reading: Reading, alpha: float) -> Answer:
    """Two groups, two periods; with a third, earlier one whether they already parted."""
    order = [2, 1, 0] if reading.has_earlier else [1, 0]
    times = np.arange(-len(order) + 1, 1)
    arms = []
    for arm in (reading.untreated, reading.treated):
        whole = arm.merged(0)
        arms.append(
            Moments(
                np.asarray(whole.n)[None],
                whole.mean[None, order],
                whole.rest[None, order],
                whole.products[None][:, order][:, :, order],
                whole.cubes[None, order],
            )
        )
    n = [int(arm.n[0]) for arm in arms]
    if not reading.has_before:
        nothing = Estimate.of(np.asarray(0.0), np.asarray(0.0), Reason.TOO_FEW_PERIODS, alpha)
        empty = Outcome.of(0.0, np.int8(Reason.TOO_FEW_PERIODS))
        return Answer(nothing, n[0], n[1], (empty, empty), 0.0, _NO_TREND)
    study = stacked_differences(arms[0], arms[1], times, -1, alpha)
    after = _scalar(arms[1].mean[0, -1])
    trend = study.pre_trend.value if reading.has_earlier else _NO_TREND
    return Answer(study.average, n[0], n[1], _levels(study.average, after), 0.0, trend)


def _levels(effect: Estimate, after: float) -> tuple[Outcome, Outcome]:
    """What the treated had, and what they would have had without the effect."""
    reasons = effect.difference.reasons
    return (
        Outcome.of(after - effect.difference.values, reasons),
        Outcome.of(np.full(effect.difference.values.shape, after), reasons),
    )


def _stacked(panels: Columns, question: str, alpha: float) -> Answer:
    rows = {name: values[panels["question"] == question] for name, values in panels.items()}
    weeks = np.unique(rows["first_week"]).astype(np.int64)
    stacks, stack = np.unique(
        np.stack([rows["cohort_day"], rows["adoption_day"]], axis=1), axis=0, return_inverse=True
    )
    if not len(stacks):
        nothing = Estimate.of(np.asarray(0.0), np.asarray(0.0), Reason.NO_USERS, alpha)
        empty = Outcome.of(0.0, np.int8(Reason.NO_USERS))
        return Answer(nothing, 0, 0, (empty, empty), 0.0, _NO_TREND)
    stack = stack.reshape(-1)
    arms = []
    for side in (False, True):
        n, width = np.zeros(len(stacks)), len(weeks)
        sums, products = np.zeros((len(stacks), width)), np.zeros((len(stacks), width, width))
        of_side = (rows["is_treated"] > 0) == side
        first = np.searchsorted(weeks, rows["first_week"][of_side])
        second = np.searchsorted(weeks, rows["second_week"][of_side])
        place = stack[of_side]
        n[place] = rows["person_count"][of_side]
        sums[place, first] = rows["first_sum"][of_side]
        products[place, first, second] = rows["product_sum"][of_side]
        arms.append(_moments(n, sums, products))
    study = stacked_differences(arms[0], arms[1], weeks, -1, alpha)
    usable = (arms[0].n > 1) & (arms[1].n > 1)
    used = [int(arm.n[usable].sum()) for arm in arms]
    whole = arms[1][usable].merged(0) if usable.any() else arms[1][0]
    after = float((whole.mean + whole.rest)[weeks >= 0].mean())
    levels = _levels(study.average, after)
    return Answer(study.average, used[0], used[1], levels, 0.0, study.pre_trend.value)


def _readings(strata: Columns) -> dict[tuple[str, str], tuple[list[str], Reading]]:
    """Readings with the methods asked for, in the order of their names."""
    found = {}
    names = zip(strata["question"], strata["reading"], strict=True)
    key = np.array(["\x1f".join(pair) for pair in names], dtype=object)
    for name in sorted(set(key.tolist())):
        rows = {column: values[key == name] for column, values in strata.items()}
        labels, place = np.unique(rows["stratum"].astype(str), return_inverse=True)
        arms, count = [], len(labels)
        propensity = np.full(count, 0.5)
        known = ~np.isnan(rows["propensity"])
        propensity[place[known]] = rows["propensity"][known]
        for side in (False, True):
            mine = (rows["is_treated"] > 0) == side
            n, sums, products = np.zeros(count), np.zeros((count, 3)), np.zeros((count, 3, 3))
            n[place[mine]] = rows["person_count"][mine]
            for i, first in enumerate(WINDOWS):
                sums[place[mine], i] = rows[f"{first}_sum"][mine]
                for j, second in enumerate(WINDOWS):
                    pair = f"{first}_{second}" if i <= j else f"{second}_{first}"
                    products[place[mine], i, j] = rows[f"{pair}_sum"][mine]
            arms.append(_moments(n, sums, products))
        question, reading = str(rows["question"][0]), str(rows["reading"][0])
        found[question, reading] = (
            str(rows["methods"][0]).split(),
            Reading(
                arms[0],
                arms[1],
                propensity,
                str(rows["outcome_kind"][0]) == "any",
                bool(rows["has_before"][0] > 0),
                bool(rows["has_earlier"][0] > 0),
            ),
        )
    return found


def _answer(method: str, reading: Reading, panels: Columns, question: str, alpha: float) -> Answer:
    if method == "naive":
        return _naive(reading, alpha)
    if method in ("stratified", "matched"):
        return _standardised(reading, alpha, method == "matched")
    if method in ("ipw", "aipw"):
        return _weighted(reading, alpha, method == "aipw")
    if method == "did":
        return _differences(reading, alpha)
    return _stacked(panels, question, alpha)


def _too_little(answer: Answer, reading: Reading, is_share: bool, minimum: int) -> Reason:
    """Why an answer is not given though it could be computed."""
    fewest = min(answer.untreated, answer.treated)
    people = int(reading.untreated.n.sum() + reading.treated.n.sum())
    if people == 0:
        return Reason.NO_USERS
    if answer.effect.difference.reasons.any():
        return Reason(int(np.asarray(answer.effect.difference.reasons).reshape(-1)[0]))
    if fewest < minimum:
        return Reason.TOO_FEW_USERS
    if not is_share:
        return Reason.DEFINED
    arms = (_only(reading.untreated, 0).merged(0), _only(reading.treated, 0).merged(0))
    share = sum(_scalar(arm.mean) * int(arm.n) for arm in arms) / people
    if fewest * min(share, 1 - share) < FEWEST_EVENTS:
        return Reason.TOO_FEW_EVENTS
    return Reason.DEFINED


def _value(outcome: Outcome) -> float:
    return _scalar(outcome.values) if bool(np.asarray(outcome.defined).all()) else np.nan


def _row(answer: Answer, reading: Reading, method: str, minimum: int) -> dict[str, Any]:
    is_share = reading.is_share and method not in ("did", "stacked_did")
    reason = _too_little(answer, reading, is_share, minimum)
    people = int(reading.untreated.n.sum() + reading.treated.n.sum())
    if method == "stacked_did":
        people = answer.untreated + answer.treated
    numbers = dict.fromkeys(
        ("untreated_value", "treated_value", "estimate", "standard_error", "estimate_low",
         "estimate_high", "p_value", "e_value", "e_value_low", "pre_trend_p_value"), np.nan,
    )  # fmt: skip
    if reason == Reason.DEFINED:
        effect = answer.effect
        evidence = (
            e_value_of_shares(effect, max(_value(answer.levels[0]), 0.0))
            if is_share
            else e_value_of_difference(effect, reading.deviation())
        )
        has_error = bool(np.asarray(effect.interval.defined).all())
        numbers = {
            "untreated_value": _value(answer.levels[0]),
            "treated_value": _value(answer.levels[1]),
            "estimate": _value(effect.difference),
            "standard_error": _value(effect.standard_error),
            "estimate_low": _scalar(effect.interval.low) if has_error else np.nan,
            "estimate_high": _scalar(effect.interval.high) if has_error else np.nan,
            "p_value": _value(effect.p.value),
            "e_value": _value(evidence[0]),
            "e_value_low": _value(evidence[1]),
            "pre_trend_p_value": _value(answer.pre_trend),
        }
        reason = Reason(int(np.asarray(effect.p.value.reasons).reshape(-1)[0]))
    used = answer.untreated + answer.treated
    return {
        "method": method,
        "person_count": people,
        "untreated_count": answer.untreated,
        "treated_count": answer.treated,
        "used_person_count": used,
        "overlap_rate": used / people if people else np.nan,
        "clipped_rate": answer.clipped if used else np.nan,
        **numbers,
        "reason": None if reason == Reason.DEFINED else reason.label,
    }


def answers(
    strata: Columns, panels: Columns, *, confidence: float, minimum_people: int
) -> dict[str, list[Any]]:
    """One row per question, reading and method asked for, as columns; NaN and None where there is nothing.

    Methods: ``naive`` difference of means of everyone; ``stratified`` and ``matched``
    (``standardised_effect``, of everyone and of the treated); ``ipw`` and ``aipw``
    (``weighted_by_propensity``); ``did`` (two periods, with a third as test of what came before) and
    ``stacked_did`` (``stacked_differences``), both for the effect on the treated. Stratified methods use
    strata with at least two people of each kind; stacked differences are of the question's effect only.
    E-values: of the ratio of shares, otherwise of the difference in standard deviations.
    Source: see ``observational``.

    Args:
        strata: one row per question, reading, stratum and side, with methods, outcome_kind, has_before,
            has_earlier, propensity (clipped), person_count, and sums and products of
            ``WINDOWS`` (``outcome_sum``, ``outcome_before_sum`` and so on).
        panels: one row per question, stack (cohort_day, adoption_day), side and pair of weeks, with
            person_count, first_sum and product_sum.
        confidence: coverage of intervals, in (0, 1).
        minimum_people: a group of fewer is not compared.

    Raises:
        ValueError: a method has no name here, or the confidence is no probability.
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    rows = []
    for (question, name), (methods, reading) in _readings(strata).items():
        if unknown := set(methods) - set(METHODS):
            raise ValueError(f"{question}: no method is called {', '.join(sorted(unknown))}")
        for method in methods:
            if method == "stacked_did" and name != "effect":
                continue
            answer = _answer(method, reading, panels, question, 1 - confidence)
            rows.append(
                {"question": question, "reading": name}
                | _row(answer, reading, method, minimum_people)
            )
    return _columns(rows, ANSWER_COLUMNS)


ANSWER_COLUMNS = (
    "question", "reading", "method", "person_count", "untreated_count", "treated_count",
    "used_person_count", "overlap_rate", "clipped_rate", "untreated_value", "treated_value", "estimate",
    "standard_error", "estimate_low", "estimate_high", "p_value", "e_value", "e_value_low",
    "pre_trend_p_value", "reason",
)  # fmt: skip


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


BALANCE_COLUMNS = (
    "question", "covariate", "covariate_level", "is_held_equal", "untreated_count", "treated_count",
    "untreated_level_count", "treated_level_count", "standardised_difference_before",
    "standardised_difference_after", "reason",
)  # fmt: skip


def balances(levels: Columns) -> dict[str, list[Any]]:
    """How alike treated and untreated people are, level by level, before and after weighting.

    Formula: ``balance_by_propensity`` of whether a person is at the level, weighted as in ``answers`` (strata
    with at least two people of each kind). Source: Austin (2009).

    Args:
        levels: one row per question, covariate, level and stratum, with is_held_equal, propensity of the
            stratum (clipped), untreated_count and treated_count.
    """
    rows: list[dict[str, Any]] = []
    for question in sorted(set(levels["question"].tolist())):
        mine = {name: values[levels["question"] == question] for name, values in levels.items()}
        rows += _balance_rows(question, mine)
    return _columns(rows, BALANCE_COLUMNS)


def _balance_rows(question: str, mine: Columns) -> list[dict[str, Any]]:
    strata, place = np.unique(mine["stratum"].astype(str), return_inverse=True)
    names = list(zip(mine["covariate"].tolist(), mine["covariate_level"].tolist(), strict=True))
    pairs = sorted(set(names))
    cell = np.array([pairs.index(name) for name in names])
    # Everyone is at exactly one level of a covariate, so the levels of one count everyone.
    one = mine["covariate"] == pairs[0][0]
    propensity = np.full((len(strata), 1), 0.5)
    propensity[place, 0] = mine["propensity"]
    arms, people, at_level = [], [], []
    for side in ("untreated_count", "treated_count"):
        n = np.bincount(place[one], mine[side][one], len(strata))
        held = np.zeros((len(strata), len(pairs)))
        np.add.at(held, (place, cell), mine[side])
        share = held / np.maximum(n, 1)[:, None]
        arms.append(Moments.of_mean(n[:, None], share, n[:, None] * share * (1 - share)))
        people.append(int(n.sum()))
        at_level.append(held.sum(axis=0).astype(np.int64).tolist())
    found = balance_by_propensity(arms[0], arms[1], propensity, FEWEST_IN_STRATUM)
    return [
        {
            "question": question,
            "covariate": covariate,
            "covariate_level": level,
            "is_held_equal": bool(mine["is_held_equal"][cell == number][0]),
            "untreated_count": people[0],
            "treated_count": people[1],
            "untreated_level_count": at_level[0][number],
            "treated_level_count": at_level[1][number],
            "standardised_difference_before": _value(found.before[number]),
            "standardised_difference_after": _value(found.after[number]),
            "reason": found.after.names()[number],
        }
        for number, (covariate, level) in enumerate(pairs)
    ]
