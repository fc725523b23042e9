"""What a creator should do first, how sure that is, and how to find out whether it worked.

Priority = base gain x headroom of the component x confidence / effort hours: doubling the effort halves it.
Confidence = worth of the evidence grade x coverage of the KPI x n / (n + half), n being the observations
behind the component: it rises with each of them. What is held with too little confidence is not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from plumbline.scoring.diagnosis import Issues
from plumbline.scoring.reference import Action, Catalogue, Floats, Ints
from plumbline.scoring.scores import Bools, Scores
from plumbline.statistics.power import users_per_arm

Objects = npt.NDArray[np.object_]
# No test sees a share of a metric that is next to nothing, and its square would vanish.
_LEAST_BASELINE = 1e-12


@dataclass(frozen=True)
class Recommendations:
    """Recommendations of all creators, one value a recommendation, by creator and place.

    Attributes:
        recommendation_id: see ``recommendation_id``.
        creator: place of the creator in the arrays that were handed over.
        place: 1 is the first thing to do.
        component: place of the component in the catalogue.
        action: name of the entry of the catalogue.
        priority, headroom, confidence: see the module.
        base_gain, effort_hours: of the entry.
        value: money of the window that the gain would bring, times confidence; NaN where nobody can say.
        baseline: primary metric before, in its own unit; NaN where it is not known.
        minimum_effect: absolute difference that the test is to see, never signed.
        sample_size: units per arm; NaN where the baseline is not known or has no variance.
        test_days: days the test runs: those of the entry, or as many as the units need.
        is_feasible: the units are there within ``max_test_days``; false where nobody can say.
        plan_reason: why the plan is not complete (unknown_baseline, no_variance, unknown_traffic), or None.
    """

    recommendation_id: Objects
    creator: Ints
    place: Ints
    component: Ints
    action: Objects
    priority: Floats
    headroom: Floats
    confidence: Floats
    base_gain: Floats
    effort_hours: Floats
    value: Floats
    baseline: Floats
    minimum_effect: Floats
    sample_size: Floats
    test_days: Floats
    is_feasible: Bools
    plan_reason: Objects


def week_of(day: date) -> str:
    """ISO week of a day, as in ``2026-W07``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def recommendation_id(creator_id: str, kpi: str, component: str, version: str, week: str) -> str:
    """Id of a recommendation: the same creator, component, catalogue and week have the same one.

    First 16 hex digits of the SHA-256 of ``creator|kpi.component|version|week``.
    """
    text = f"{creator_id}|{kpi}.{component}|{version}|{week}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def confidence(catalogue: Catalogue, values: Floats, scores: Scores) -> Floats:
    """Confidence (n, components) in the recommendation that answers each component, 0 to 1."""
    items = catalogue.components
    seen = values[:, [catalogue.field_index[item.sample_field] for item in items]]
    known = ~np.isnan(seen)
    sample = np.where(known, seen, 0.0)
    half = np.array([item.half_sample for item in items])
    factor = np.where(known, sample / (sample + half), catalogue.setting("unknown_sample_factor"))
    grade = np.array([catalogue.actions[item.action].confidence for item in items])
    return np.asarray(grade * scores.kpi_coverage[:, catalogue.kpi_of] * factor)


def priorities(catalogue: Catalogue, scores: Scores, confidences: Floats) -> Floats:
    """base gain x headroom of the component x confidence / effort hours, (n, components)."""
    actions = [catalogue.actions[item.action] for item in catalogue.components]
    gain = np.array([action.base_gain for action in actions])
    effort = np.array([action.effort_hours for action in actions])
    return np.asarray(gain * scores.component_headroom * confidences / effort)


def _chosen(catalogue: Catalogue, priority: Floats, allowed: Bools) -> list[tuple[Ints, Ints]]:
    """Creators and components picked in each round: first one a KPI, then what is left.

    Never two for a component of one name, never the same entry of the catalogue twice. Ties go to the
    component that stands first in the catalogue.
    """
    same, same_kpi = catalogue.rivals
    open_, fresh = allowed.copy(), allowed.copy()
    rounds = []
    for _ in range(int(catalogue.setting("max_recommendations"))):
        choice = np.where(np.any(fresh, axis=1, keepdims=True), fresh, open_)
        rows = np.flatnonzero(choice.any(axis=1))
        if not len(rows):
            break
        best = np.argmax(np.where(choice[rows], priority[rows], -1.0), axis=1)
        rounds.append((rows, best))
        open_[rows] &= ~same[best]
        fresh[rows] &= ~(same[best] | same_kpi[best])
    return rounds


def recommend(
    catalogue: Catalogue,
    values: npt.ArrayLike,
    scores: Scores,
    issues: Issues,
    creator_ids: Sequence[str] | npt.NDArray[np.object_],
    day: date | Sequence[date],
) -> Recommendations:
    """At most ``max_recommendations`` a creator, most urgent first.

    Args:
        catalogue: what is valid on the day, with learnt gains if there are any (``with_measured``).
        values: inputs (n, fields) that were scored.
        scores, issues: results of ``score`` and ``diagnose`` for them.
        creator_ids: (n,) ids; part of the id of the recommendation.
        day: day of the scores, one for all or one a creator; its week is part of the id.
    """
    held = np.asarray(values, dtype=np.float64).reshape(-1, len(catalogue.fields))
    sure = confidence(catalogue, held, scores)
    priority = priorities(catalogue, scores, sure)
    allowed = issues.found & (sure >= catalogue.setting("min_confidence")) & (priority > 0)
    rounds = _chosen(catalogue, priority, allowed)
    creator = np.concatenate([rows for rows, _ in rounds] or [np.zeros(0, np.int64)])
    component = np.concatenate([best for _, best in rounds] or [np.zeros(0, np.int64)])
    order = np.lexsort((component, -priority[creator, component], creator))
    creator, component = creator[order].astype(np.int64), component[order].astype(np.int64)
    actions = _Actions(catalogue, component)
    weeks = [week_of(day)] * len(held) if isinstance(day, date) else [week_of(own) for own in day]
    items = catalogue.components
    certain, gain = sure[creator, component], actions.number("base_gain")
    value = actions.inputs([action.value_field for action in actions.items], held, creator)
    return Recommendations(
        recommendation_id=np.array(
            [
                recommendation_id(
                    str(creator_ids[n]),
                    items[c].kpi,
                    items[c].component,
                    catalogue.version,
                    weeks[n],
                )
                for n, c in zip(creator.tolist(), component.tolist(), strict=True)
            ],
            dtype=object,
        ),
        creator=creator,
        place=_places(creator),
        component=component,
        action=actions.text("action"),
        priority=priority[creator, component],
        headroom=scores.component_headroom[creator, component],
        confidence=certain,
        base_gain=gain,
        effort_hours=actions.number("effort_hours"),
        value=value * gain * certain,
        **_plans(catalogue, held, creator, actions),
    )


class _Actions:
    """Entries of the catalogue that answer the components of recommendations, one value a recommendation."""

    def __init__(self, catalogue: Catalogue, component: Ints) -> None:
        self._catalogue, self._component = catalogue, component
        self.items = [catalogue.actions[item.action] for item in catalogue.components]

    def number(self, name: str) -> Floats:
        """A number of the entry."""
        held = np.array([getattr(item, name) for item in self.items], dtype=np.float64)
        return np.asarray(held[self._component])

    def text(self, name: str) -> Objects:
        """A text of the entry."""
        held = np.array([getattr(item, name) for item in self.items], dtype=object)
        return np.asarray(held[self._component])

    def inputs(self, fields: Sequence[str | None], values: Floats, creator: Ints) -> Floats:
        """The input of each creator that the entry names; NaN for none."""
        index = self._catalogue.field_index
        places = [-1 if name is None else index[name] for name in fields]
        columns = np.array(places, dtype=np.int64)[self._component]
        return np.where(columns >= 0, values[creator, np.maximum(columns, 0)], np.nan)


def _places(creator: Ints) -> Ints:
    """1, 2, 3 within each creator, whose rows stand together."""
    if not len(creator):
        return creator
    begins = np.flatnonzero(np.r_[True, creator[1:] != creator[:-1]])
    lengths = np.diff(np.r_[begins, len(creator)])
    return np.asarray(np.arange(len(creator)) - np.repeat(begins, lengths) + 1, dtype=np.int64)


def _plans(
    catalogue: Catalogue, values: Floats, creator: Ints, actions: _Actions
) -> dict[str, Any]:
    """Test plan of each recommendation: two arms of one size, two-sided normal test.

    Variance of a unit by the spread of the metric: share m (1 - m), count m, amount (variation m)^2; the
    treatment has that of the improved metric. Formula of n: ``users_per_arm``.
    """
    baseline = actions.inputs([item.primary_metric for item in actions.items], values, creator)
    relative = actions.number("mde_relative")
    sign = np.where(actions.text("metric_direction") == "down", -1.0, 1.0)
    spread = actions.text("metric_spread")
    variation = actions.number("metric_variation")
    planned = actions.number("test_days")
    effect = np.abs(baseline) * relative
    after = baseline * (1.0 + sign * relative)

    def variance(mean: Floats) -> Floats:
        share = np.clip(mean, 0.0, 1.0)
        found = np.where(spread == "share", share * (1.0 - share), (variation * mean) ** 2)
        return np.asarray(np.where(spread == "count", mean, found))

    before, then = variance(baseline), variance(after)
    known = ~np.isnan(baseline)
    usable = known & (np.abs(baseline) >= _LEAST_BASELINE) & (before + then > 0)
    alpha, power = catalogue.setting("test_alpha"), catalogue.setting("test_power")
    needed = np.full(len(creator), np.nan)
    if usable.any():
        found = users_per_arm(effect[usable], before[usable], then[usable], 1.0, alpha, power)
        needed[usable] = np.ceil(found.values)
    units = actions.inputs([item.unit_field for item in actions.items], values, creator)
    daily = np.where(units >= 1, units, np.nan) / catalogue.setting("window_days")
    days = np.maximum(planned, np.ceil(2.0 * needed / daily))
    feasible = days <= catalogue.setting("max_test_days")
    reason = np.full(len(creator), None, dtype=object)
    reason[np.isnan(daily)] = "unknown_traffic"
    reason[~usable] = "no_variance"
    reason[~known] = "unknown_baseline"
    return {
        "baseline": baseline,
        "minimum_effect": effect,
        "sample_size": needed,
        "test_days": np.where(np.isnan(days), planned, days),
        "is_feasible": np.asarray(feasible),
        "plan_reason": reason,
    }


def stopping_rule(catalogue: Catalogue, action: Action, days: float) -> str:
    """In words, when a test ends; the same for every reader."""
    return (
        f"Fixed horizon: read {action.primary_metric} once, after {int(days)} days and the full sample size, "
        f"at a two-sided error of {catalogue.setting('test_alpha'):g}. Looking earlier decides nothing; "
        "stop before only for harm."
    )
