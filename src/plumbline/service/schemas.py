"""What the service takes and gives. The fields of a creator are those of the table creator_inputs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from plumbline.scoring.reference import Catalogue

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Strict(BaseModel):
    """A body in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Creator(BaseModel):
    """One creator: an id, a day, and any input; unknown fields are named in ``ignored_fields``."""

    model_config = ConfigDict(extra="allow")

    creator_id: Id = Field("anonymous", description="Id; part of the id of a recommendation.")
    score_date: date | None = Field(
        None, description="Day whose reference tables hold and whose week an id carries; today."
    )


def creator_model(catalogue: Catalogue, groups: frozenset[str]) -> type[Creator]:
    """Body of one creator: every input optional, null for missing, within what is possible.

    Args:
        catalogue: names the inputs.
        groups: names of KPIs, under which inputs may be nested.
    """
    fields: dict[str, Any] = {}
    for item in catalogue.inputs:
        text = f"{item.title}: {item.definition}."
        if item.role == "target":
            text += f" Default {item.default_value:g}."
        limits = Field(ge=item.min_value, le=item.max_value, strict=True, allow_inf_nan=False)
        fields[item.field] = (Annotated[float, limits] | None, Field(None, description=text))

    def flat(data: Any) -> Any:
        """Inputs that stand in an object named like a KPI, beside the others."""
        if not isinstance(data, dict):
            return data
        found = {k: v for k, v in data.items() if not (k in groups and isinstance(v, dict))}
        for group in data.keys() - found.keys():
            for field, value in data[group].items():
                if field in found:
                    raise ValueError(f"{field} is given twice")
                found[field] = value
        return found

    checked: Any = model_validator(mode="before")(flat)
    return create_model(
        "CreatorInputs",
        __base__=Creator,
        __validators__={"flat": checked},
        **fields,
    )


class Weights(Strict):
    """Weights to look at; nothing is saved."""

    weights: dict[str, Annotated[float, Field(strict=True, ge=0, le=1000, allow_inf_nan=False)]]


class ActionTaken(Strict):
    """A recommendation that was carried out."""

    creator_id: Id = Field(description="Creator.")
    recommendation_id: Id = Field(description="As /analyze gave it.")
    implemented_on: date = Field(description="Day it was carried out; not in the future.")
    action_id: Id | None = Field(None, description="Left out: a hash of the other three.")


class FieldError(BaseModel):
    """One field at fault."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="What a program can branch on.")
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class TierScore(BaseModel):
    """Score of a tier."""

    tier: int
    weight: float
    score: float | None
    coverage: float
    level: str | None


class KpiScore(BaseModel):
    """Score of a KPI."""

    kpi: str
    also_known_as: list[str]
    title: str
    tier: int
    weight: float
    score: float | None
    coverage: float = Field(description="Share of the weight of its components that was observed.")
    level: str | None
    headroom: float | None = Field(description="In points of the overall score.")


class ComponentScore(BaseModel):
    """Score of a component."""

    kpi: str
    component: str
    title: str
    weight: float = Field(description="Share of the KPI.")
    score: float | None
    headroom: float | None


class Issue(BaseModel):
    """A component below its threshold."""

    kpi: str
    component: str
    title: str
    score: float
    severity: str
    cause: str
    impact: float = Field(description="KPI weight x component weight x (1 - score).")


class TestPlan(BaseModel):
    """How to find out whether a recommendation worked."""

    primary_metric: str
    unit: str
    direction: str
    baseline: float | None
    minimum_detectable_effect: float | None = Field(description="Absolute.")
    minimum_detectable_effect_relative: float
    sample_size_per_arm: int | None
    days: int
    is_feasible: bool | None = Field(description="Null where the traffic is not known.")
    reason: str | None = Field(description="Why the plan is not complete.")
    stopping_rule: str


class Recommendation(BaseModel):
    """One thing to do."""

    recommendation_id: str
    place: int
    kpi: str
    component: str
    action: str
    title: str
    what_to_do: list[str]
    priority: float
    headroom: float
    base_gain: float
    confidence: float
    evidence_grade: str
    effort_hours: float
    expected_value_usd: float | None
    test_plan: TestPlan


class SuccessMetric(BaseModel):
    """What must move, from where to where."""

    metric: str
    baseline: float | None
    target: float | None


class Analysis(BaseModel):
    """Everything about one creator."""

    creator_id: str
    status: str = Field(description="scored or insufficient data.")
    score_week: str
    reference_version: str
    overall_score: float | None
    coverage: float
    level: str | None
    headroom: float | None
    revenue_focus: float | None
    equal_weight_score: float | None
    weighting_effect: float | None
    tiers: list[TierScore]
    kpis: list[KpiScore]
    components: list[ComponentScore]
    bottlenecks: list[str]
    issues: list[Issue]
    recommendations: list[Recommendation]
    effort_hours: float
    success_metrics: list[SuccessMetric]
    next_steps: list[str]
    ignored_fields: list[str]


class Comparison(BaseModel):
    """Overall score under the given weights and under equal ones."""

    creator_id: str
    status: str
    reference_version: str
    overall_score: float | None
    equal_weight_score: float | None
    weighting_effect: float | None
    percentage_change: float | None
    is_improvement: None = Field(None, description="Always null: see explanation.")
    explanation: str
    explanation_url: str
    ignored_fields: list[str]


class RankedCreator(BaseModel):
    """A creator under three sets of weights."""

    creator_id: str
    overall_score: float | None
    equal_weight_score: float | None
    reweighted_score: float | None
    rank: int | None
    equal_weight_rank: int | None
    reweighted_rank: int | None
    kpis: dict[str, float | None]


class WeightComparison(BaseModel):
    """Creators under other weights; nothing is saved."""

    reference_version: str
    weights: dict[str, float]
    creators: list[RankedCreator]


class WeightedKpi(BaseModel):
    """A KPI, its weight, and its components."""

    kpi: str
    also_known_as: list[str]
    title: str
    tier: int
    weight: float
    is_revenue: bool
    meaning: str
    components: list[dict[str, Any]]


class WeightTable(BaseModel):
    """The weights that hold today."""

    reference_version: str
    tiers: dict[str, float]
    kpis: list[WeightedKpi]
    levels: list[dict[str, Any]]
    inputs: list[dict[str, Any]]


class ActionLanded(BaseModel):
    """An action that now waits for the next landing."""

    action_id: str
    status: str = Field(description="landed, or already landed.")
    file: str


class Health(BaseModel):
    """Whether the service works, and on what."""

    status: str
    version: str
    reference_version: str
    reference_source: str = Field(description="warehouse or shipped.")
    database: str = Field(description="ok, unavailable or not configured.")
    inbox: str = Field(description="ok, unavailable or not configured.")


class MetricSummary(BaseModel):
    """A metric of the registry."""

    metric: str
    definition: str
    unit: str
    good_direction: str
    owner: str
    mart: str
    value_column: str
    numerator_column: str | None
    denominator_column: str | None


class MetricList(BaseModel):
    """Metrics of the published version."""

    metrics: list[MetricSummary]


class MetricRows(BaseModel):
    """Values of a metric, a page of them."""

    metric: MetricSummary
    date_column: str | None
    slices: list[str] = Field(description="Columns that ``slice`` may name.")
    rows: list[dict[str, Any]]
    offset: int
    limit: int
    next_offset: int | None


class ExperimentList(BaseModel):
    """Decisions on all experiments."""

    experiments: list[dict[str, Any]]


class ExperimentDetail(BaseModel):
    """One experiment: registry, decisions, health and results of its goals."""

    experiment_id: str
    phases: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    health: list[dict[str, Any]]
    variations: list[dict[str, Any]]
