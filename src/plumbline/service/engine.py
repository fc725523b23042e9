"""From the fields of requests to scores and back: the one place where the service calls scoring."""

from __future__ import annotations

import bisect
import math
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from plumbline.scoring.diagnosis import Cause, Issues, Severity, diagnose
from plumbline.scoring.recommendations import Recommendations, recommend, stopping_rule, week_of
from plumbline.scoring.reference import MILLIONTHS, Catalogue, Floats, Reference
from plumbline.scoring.scores import Scores, bottlenecks, levels, score
from plumbline.service.warehouse import Warehouse

NO_DATA = "insufficient data"
EXPLANATION = (
    "A weighting effect says how far the weights move the score, not whether they are better: on random "
    "scores it is 0 on average. What shows that weights are good is how well they rank creators by the "
    "revenue of the following 28 days."
)
EXPLANATION_URL = "/docs#weighting-effect"
_REFRESH_SECONDS = 5.0
_SEVERITIES = {int(item): item.name.lower() for item in Severity}
_CAUSES = {int(item): item.name.lower() for item in Cause}


def today() -> date:
    """Day in UTC."""
    return datetime.now(UTC).date()


def slug(title: str) -> str:
    """Name made of a title: ``TikTok Shop`` is ``tiktok_shop``."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def aliases(catalogue: Catalogue) -> dict[str, str]:
    """Other names of KPIs, made of their titles, and the KPI each means."""
    names = {item.kpi for item in catalogue.kpis}
    return {slug(k.title): k.kpi for k in catalogue.kpis if slug(k.title) not in names}


def number(value: float) -> float | None:
    """A score for JSON: null for none."""
    return None if math.isnan(value) else float(value)


@dataclass(frozen=True)
class Request:
    """One creator to score: id, day (today when left out) and the inputs that were given."""

    creator_id: str
    day: date
    values: Mapping[str, float | None]
    ignored: tuple[str, ...] = ()


class Engine:
    """Scores by the reference tables of the published warehouse, else by the shipped ones.

    Args:
        warehouse: the published warehouse, or None.
    """

    def __init__(self, warehouse: Warehouse | None) -> None:
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._looked = -math.inf
        self._seen: object = None
        self._held: tuple[Reference, dict[int, Catalogue], list[date]] | None = None
        self.source = "shipped"

    @property
    def reference(self) -> Reference:
        """The reference tables; looked at anew when another version was published."""
        return self._current()[0]

    def _current(self) -> tuple[Reference, dict[int, Catalogue], list[date]]:
        with self._lock:
            if self._held is None or time.monotonic() - self._looked > _REFRESH_SECONDS:
                self._looked = time.monotonic()
                self._refresh()
            assert self._held is not None
            return self._held

    def _refresh(self) -> None:
        version = self._warehouse.version() if self._warehouse else None
        if self._held is not None and version == self._seen:
            return
        tables = self._warehouse.reference_tables() if self._warehouse and version else None
        self.source = "shipped" if tables is None else "warehouse"
        found = Reference.shipped() if tables is None else Reference.of(tables)
        self._held, self._seen = (found, {}, found.changes()), version

    def catalogue(self, day: date | None = None) -> Catalogue:
        """What is valid on a day, today when left out.

        Raises:
            PlumblineError: nothing is.
        """
        return self._period(day or today())[1]

    def _period(self, day: date) -> tuple[int, Catalogue]:
        """Number of the period in which nothing changes that holds the day, and what is valid in it."""
        reference, known, changes = self._current()
        number_ = bisect.bisect_right(changes, day)
        if number_ not in known:
            known[number_] = reference.on(day)
        return number_, known[number_]

    def scored(
        self, requests: Sequence[Request]
    ) -> list[tuple[Catalogue, list[int], Floats, Scores]]:
        """Scores by period: places of the requests in it, their inputs and their scores."""
        groups: dict[int, tuple[Catalogue, list[int]]] = {}
        for n, request in enumerate(requests):
            number_, catalogue = self._period(request.day)
            groups.setdefault(number_, (catalogue, []))[1].append(n)
        found = []
        for catalogue, own in groups.values():
            values = _values(catalogue, [requests[n] for n in own])
            found.append((catalogue, own, values, score(catalogue, values)))
        return found

    def analyse(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Everything about each creator, in the order of the requests."""
        answers: list[dict[str, Any]] = [{} for _ in requests]
        for catalogue, own, values, scores in self.scored(requests):
            asked = [requests[n] for n in own]
            issues = diagnose(catalogue, values, scores)
            ids = [request.creator_id for request in asked]
            days = [request.day for request in asked]
            advice = recommend(catalogue, values, scores, issues, ids, days)
            words = _Words(catalogue, scores, issues, advice)
            for row, n in enumerate(own):
                answers[n] = words.analysis(row, asked[row])
        return answers

    def compare(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Given weights beside equal ones, for each creator."""
        answers: list[dict[str, Any]] = [{} for _ in requests]
        for catalogue, own, _, scores in self.scored(requests):
            for row, n in enumerate(own):
                effect, equal = number(scores.weighting_effect[row]), number(scores.equal[row])
                answers[n] = {
                    "creator_id": requests[n].creator_id,
                    "status": _status(scores, row),
                    "reference_version": catalogue.version,
                    "overall_score": number(scores.overall[row]),
                    "equal_weight_score": equal,
                    "weighting_effect": effect,
                    "percentage_change": 100 * effect / equal
                    if effect is not None and equal
                    else None,
                    "is_improvement": None,
                    "explanation": EXPLANATION,
                    "explanation_url": EXPLANATION_URL,
                    "ignored_fields": list(requests[n].ignored),
                }
        return answers

    def reweigh(self, requests: Sequence[Request], weights: Mapping[str, float]) -> dict[str, Any]:
        """Creators under other weights of KPIs; a KPI that is not named keeps its own.

        Raises:
            KeyError: a weight is of no KPI.
            ValueError: no weight is above 0.
        """
        catalogue = self.catalogue()
        named = {**{k.kpi: k.kpi for k in catalogue.kpis}, **aliases(catalogue)}
        chosen = {named[name]: weight for name, weight in weights.items()}
        kpis = tuple(
            replace(item, weight=round(chosen.get(item.kpi, item.weight / MILLIONTHS) * MILLIONTHS))
            for item in catalogue.kpis
        )
        total = sum(item.weight for item in kpis)
        if total == 0:
            raise ValueError("at least one weight must be above 0")
        values = _values(catalogue, requests)
        given, other = score(catalogue, values), score(replace(catalogue, kpis=kpis), values)
        ranks = [_ranks(each) for each in (given.overall, given.equal, other.overall)]
        return {
            "reference_version": catalogue.version,
            "weights": {item.kpi: item.weight / total for item in kpis},
            "creators": [
                {
                    "creator_id": request.creator_id,
                    "overall_score": number(given.overall[row]),
                    "equal_weight_score": number(given.equal[row]),
                    "reweighted_score": number(other.overall[row]),
                    "rank": ranks[0][row],
                    "equal_weight_rank": ranks[1][row],
                    "reweighted_rank": ranks[2][row],
                    "kpis": {
                        item.kpi: number(given.kpis[row, k])
                        for k, item in enumerate(catalogue.kpis)
                    },
                }
                for row, request in enumerate(requests)
            ],
        }

    def weights(self) -> dict[str, Any]:
        """The reference tables that hold today, as a page or a program wants them."""
        catalogue = self.catalogue()
        other = {kpi: [name] for name, kpi in aliases(catalogue).items()}
        return {
            "reference_version": catalogue.version,
            "tiers": {
                str(tier): sum(k.weight for k in catalogue.kpis if k.tier == tier) / MILLIONTHS
                for tier in catalogue.tiers
            },
            "kpis": [
                {
                    "kpi": item.kpi,
                    "also_known_as": other.get(item.kpi, []),
                    "title": item.title,
                    "tier": item.tier,
                    "weight": item.weight / MILLIONTHS,
                    "is_revenue": item.is_revenue,
                    "meaning": item.meaning,
                    "components": [
                        {
                            "component": part.component,
                            "title": part.title,
                            "weight": part.weight / MILLIONTHS,
                            "transform": part.transform,
                            "fields": list(part.fields),
                            "target_field": part.target_field,
                            "sample_field": part.sample_field,
                            "low": part.low,
                            "high": part.high,
                            "rule": {
                                "measure": part.measure,
                                "direction": part.direction,
                                "issue_threshold": part.issue_threshold,
                                "severe_threshold": part.severe_threshold,
                            },
                        }
                        for part in catalogue.components
                        if part.kpi == item.kpi
                    ],
                }
                for item in catalogue.kpis
            ],
            "levels": [{"level": x.level, "min_score": x.min_score} for x in catalogue.levels],
            "inputs": [
                {
                    "field": item.field,
                    "title": item.title,
                    "role": item.role,
                    "kind": item.kind,
                    "min_value": item.min_value,
                    "max_value": item.max_value,
                    "default_value": item.default_value if item.role == "target" else None,
                    "definition": item.definition,
                }
                for item in catalogue.inputs
            ],
        }


def _values(catalogue: Catalogue, requests: Sequence[Request]) -> Floats:
    """Inputs (n, fields); NaN where none was given."""
    values = np.full((len(requests), len(catalogue.fields)), np.nan)
    for row, request in enumerate(requests):
        for field, value in request.values.items():
            if value is not None and field in catalogue.field_index:
                values[row, catalogue.field_index[field]] = value
    return values


def _ranks(scores: Floats) -> list[int | None]:
    """1 for the best; equal scores share a rank; None without a score."""
    known = scores[~np.isnan(scores)]
    return [None if np.isnan(x) else 1 + int((known > x).sum()) for x in scores]


def _status(scores: Scores, row: int) -> str:
    return NO_DATA if np.isnan(scores.overall[row]) else "scored"


def _cells(values: Floats) -> list[Any]:
    """Values as plain numbers, None for NaN; of the shape of the array."""
    found = values.astype(object)
    found[np.isnan(values)] = None
    return list(found.tolist())


def _zipped(*tables: list[Any]) -> list[list[tuple[Any, ...]]]:
    """Tables of one shape as one table of tuples."""
    return [list(zip(*rows, strict=True)) for rows in zip(*tables, strict=True)]


class _Words:
    """Arrays of one scored period as the fields of answers; arrays become plain numbers once for all rows."""

    def __init__(
        self, catalogue: Catalogue, scores: Scores, issues: Issues, advice: Recommendations
    ) -> None:
        self.catalogue, self.scores, self.issues, self.advice = catalogue, scores, issues, advice
        other = {kpi: [name] for name, kpi in aliases(catalogue).items()}
        self.kpi_words = [
            {
                "kpi": item.kpi,
                "also_known_as": other.get(item.kpi, []),
                "title": item.title,
                "tier": item.tier,
                "weight": item.weight / MILLIONTHS,
            }
            for item in catalogue.kpis
        ]
        self.component_words = [
            {
                "kpi": item.kpi,
                "component": item.component,
                "title": item.title,
                "weight": item.weight / MILLIONTHS,
            }
            for item in catalogue.components
        ]
        self.tier_words = [
            {
                "tier": tier,
                "weight": sum(k.weight for k in catalogue.kpis if k.tier == tier) / MILLIONTHS,
            }
            for tier in catalogue.tiers
        ]
        self.kpi_cells = _zipped(
            _cells(scores.kpis),
            _cells(scores.kpi_coverage),
            levels(catalogue, scores.kpis).tolist(),
            _cells(scores.kpi_headroom),
        )
        self.tier_cells = _zipped(
            _cells(scores.tiers),
            _cells(scores.tier_coverage),
            levels(catalogue, scores.tiers).tolist(),
        )
        self.component_cells = _zipped(_cells(scores.components), _cells(scores.component_headroom))
        self.overall_levels = levels(catalogue, scores.overall)
        self.narrow = bottlenecks(catalogue, scores).tolist()
        self.begins = np.searchsorted(advice.creator, np.arange(len(scores.overall) + 1)).tolist()

    def analysis(self, row: int, request: Request) -> dict[str, Any]:
        scores, kpis = self.scores, self.catalogue.kpis
        advice = [self._recommendation(n) for n in range(self.begins[row], self.begins[row + 1])]
        overall = number(scores.overall[row])
        return {
            "creator_id": request.creator_id,
            "status": _status(scores, row),
            "score_week": week_of(request.day),
            "reference_version": self.catalogue.version,
            "overall_score": overall,
            "coverage": float(scores.coverage[row]),
            "level": self.overall_levels[row],
            "headroom": None if overall is None else 1.0 - overall,
            "revenue_focus": number(scores.revenue_focus[row]),
            "equal_weight_score": number(scores.equal[row]),
            "weighting_effect": number(scores.weighting_effect[row]),
            "tiers": self._tiers(row),
            "kpis": self._kpis(row),
            "components": self._components(row),
            "bottlenecks": [kpis[k].kpi for k in self.narrow[row] if k >= 0],
            "issues": self._issues(row),
            "recommendations": advice,
            "effort_hours": float(sum(item["effort_hours"] for item in advice)),
            "success_metrics": [_success(item["test_plan"]) for item in advice],
            "next_steps": [_step(item) for item in advice] or [_nothing(overall)],
            "ignored_fields": list(request.ignored),
        }

    def _tiers(self, row: int) -> list[dict[str, Any]]:
        return [
            {**words, "score": score_, "coverage": coverage, "level": level}
            for words, (score_, coverage, level) in zip(
                self.tier_words, self.tier_cells[row], strict=True
            )
        ]

    def _kpis(self, row: int) -> list[dict[str, Any]]:
        return [
            {**words, "score": score_, "coverage": coverage, "level": level, "headroom": headroom}
            for words, (score_, coverage, level, headroom) in zip(
                self.kpi_words, self.kpi_cells[row], strict=True
            )
        ]

    def _components(self, row: int) -> list[dict[str, Any]]:
        return [
            {**words, "score": score_, "headroom": headroom}
            for words, (score_, headroom) in zip(
                self.component_words, self.component_cells[row], strict=True
            )
        ]

    def _issues(self, row: int) -> list[dict[str, Any]]:
        own = self.issues.severity[row]
        there = np.flatnonzero(own)
        found = [
            {
                "kpi": (item := self.catalogue.components[c]).kpi,
                "component": item.component,
                "title": item.title,
                "score": score_,
                "severity": _SEVERITIES[severity],
                "cause": _CAUSES[cause],
                "impact": impact,
            }
            for c, score_, severity, cause, impact in zip(
                there.tolist(),
                self.scores.components[row, there].tolist(),
                own[there].tolist(),
                self.issues.cause[row, there].tolist(),
                self.issues.impact[row, there].tolist(),
                strict=True,
            )
        ]
        return sorted(found, key=lambda issue: -issue["impact"])

    def _recommendation(self, n: int) -> dict[str, Any]:
        advice = self.advice
        item = self.catalogue.components[advice.component[n]]
        action = self.catalogue.actions[advice.action[n]]
        size = number(advice.sample_size[n])
        return {
            "recommendation_id": advice.recommendation_id[n],
            "place": int(advice.place[n]),
            "kpi": item.kpi,
            "component": item.component,
            "action": action.action,
            "title": action.title,
            "what_to_do": list(action.what_to_do),
            "priority": float(advice.priority[n]),
            "headroom": float(advice.headroom[n]),
            "base_gain": float(advice.base_gain[n]),
            "confidence": float(advice.confidence[n]),
            "evidence_grade": action.evidence_grade,
            "effort_hours": float(advice.effort_hours[n]),
            "expected_value_usd": number(advice.value[n]),
            "test_plan": {
                "primary_metric": action.primary_metric,
                "unit": action.unit,
                "direction": action.metric_direction,
                "baseline": number(advice.baseline[n]),
                "minimum_detectable_effect": number(advice.minimum_effect[n]),
                "minimum_detectable_effect_relative": action.mde_relative,
                "sample_size_per_arm": None if size is None else int(size),
                "days": int(advice.test_days[n]),
                "is_feasible": None if advice.plan_reason[n] else bool(advice.is_feasible[n]),
                "reason": advice.plan_reason[n],
                "stopping_rule": stopping_rule(self.catalogue, action, advice.test_days[n]),
            },
        }


def _success(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What must move: the metric from its baseline by the least effect the test sees."""
    baseline, effect = plan["baseline"], plan["minimum_detectable_effect"]
    sign = -1.0 if plan["direction"] == "down" else 1.0
    target = None if baseline is None else baseline + sign * effect
    return {"metric": plan["primary_metric"], "baseline": baseline, "target": target}


def _step(item: Mapping[str, Any]) -> str:
    plan = item["test_plan"]
    return (
        f"{item['title']}: {item['what_to_do'][0].lower()} first; about {item['effort_hours']:g} hours, "
        f"then watch {plan['primary_metric']} for {plan['days']} days."
    )


def _nothing(overall: float | None) -> str:
    if overall is None:
        return "Send more inputs: the overall score needs KPIs of at least half of the weight."
    return "Nothing is urgent: no component is below its threshold with enough confidence to act."
