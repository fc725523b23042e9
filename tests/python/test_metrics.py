"""The metric registry: every ratio of every mart is one metric, and every metric is what it says it is."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT
from plumbline.errors import PlumblineError
from plumbline.metrics import find, metrics
from plumbline.metrics.command import command
from plumbline.metrics.registry import REGISTRY
from worlds import World

# Names people know from the systems this warehouse replaces, and the one column each stands in.
KNOWN = {
    "bot_ctr": "agg_bot_engagement__daily.click_through_rate",
    "chat_start_rate": "agg_bot_engagement__daily.chat_start_rate",
    "chat_depth_user": "agg_user_engagement__daily.chat_depth_per_user",
    "user_retention_d1": "agg_new_user_retention__daily.d1_retention_rate",
    "user_retention_d3": "agg_new_user_retention__daily.d3_retention_rate",
    "user_retention_d7": "agg_new_user_retention__daily.d7_retention_rate",
    "bot_ranking_by_tier": "fct_bot_ranks.tier_rank",
    "ltv": "agg_ltv__cohorts.ltv",
    "payment_rate": "agg_revenue__daily.payment_rate",
    "subscribe_dau_rate": "agg_revenue__daily.subscribe_dau_rate",
    "uplift": "fct_experiment_results.relative_difference",
    "win_rate": "fct_experiment_results.probability_better",
    "variation_summary": "agg_variation_summaries.value",
    "arpu_by_tag": "agg_revenue_attribution__daily_segment.attributed_arpu",
}
# Doubles that are no metric: order statistics and bounds, and what a fitted model or a test says of itself.
NO_METRIC = re.compile(
    r".*_(p50|p90|low|high|error|percentile|likelihood|correlation)|p_value|percentile|alpha|beta"
    r"|(mean_)?silhouette|stability|(raw|shrunk|measured|threshold)_value|relative_difference"
    r"|(numerator|denominator)_[ab]|(order_rate|spend)_(shape|scale|scale_shape|scale_days)|dropout_[ab]"
    r"|(predicted|expected)_(orders|renewals)|(horizon|lifetime)_payments|period_days"
    # What a comparison of two arms says beside its effect.
    r"|(control|treatment)_(value|numerator|denominator|mean|standard_error|deviation)|standard_error"
    r"|.*_?p_value(_log10)?|.*log_e_value|(sample_ratio_)?chi_square|(standardised_)?difference|(raw|common)_effect"
    r"|effect_(without|beside)_other|effect_deviation|real_(share|deviation)|expected_(loss|share|weight)"
    r"|loss_(if_shipped|if_kept|threshold)|triggered_(control_value|difference)|diluted_relative"
    r"|(first|last|measured|expected)_effect|slope_per_day|cumulative_(share|gain)|random_gain"
    r"|(raw_)?probability_better|variance_reduction|mde_relative|days_left|power"
    # What a model of churn says of itself, and what goes with an outcome beside its adjusted effect.
    r"|(strongest|single)_feature_area|calibration_(slope|intercept)|brier_gain|permutation_loss"
    r"|mean_absolute_contribution|.*_log_odds|log_odds|naive_effect|outcome_total"
    # What the plan of a test and the outcome of an action are made of.
    r"|baseline_value|minimum_effect|metric_(before|after)|expected_after"
    # What a question about effects says beside its estimate, method by method.
    r"|(un)?treated_value|estimate|e_value|clipped_rate"
    r"|(standardised_difference|largest_imbalance)_(before|after)"
    # Points of a control chart: the metric of the row names what they are.
    r"|(daily|base|ewma|standardised)_value|ewma_limit|evidence"
    # Features that groups of alike bots were made of, over the trailing window.
    r"|trailing_.*"
)
# A value repeated beside what it explains, registered where it is at home.
REPEATED = {"fct_bot_alerts.quality_score", "agg_group_comparisons.coverage_rate"}


def _marts() -> dict[str, dict[str, str]]:
    """Columns of every mart, with their types."""
    found = {}
    for file in sorted((ROOT / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", []):
            found[model["name"]] = {c["name"]: c["data_type"] for c in model["columns"]}
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_people_know_is_one_column(name: str) -> None:
    metric = find(name)
    assert f"{metric.model}.{metric.value}" == KNOWN[name]


def test_every_metric_stands_in_a_column_of_a_mart() -> None:
    marts = _marts()
    for metric in metrics().values():
        for model in metric.models:
            columns = {metric.value, metric.numerator, metric.denominator} - {None}
            assert model in marts, (metric.name, model)
            assert columns <= marts[model].keys(), (metric.name, model)


def test_no_column_is_two_metrics() -> None:
    places = Counter(
        (model, metric.value) for metric in metrics().values() for model in metric.models
    )
    assert {place: n for place, n in places.items() if n > 1} == {}


def test_every_ratio_of_a_mart_is_a_metric() -> None:
    """A rate nobody registered would be a second definition of something, or one without an owner."""
    held = {(model, metric.value) for metric in metrics().values() for model in metric.models}
    loose = [
        f"{model}.{column}"
        for model, columns in _marts().items()
        for column, kind in columns.items()
        if kind == "double"
        and not NO_METRIC.fullmatch(column)
        and (model, column) not in held
        and f"{model}.{column}" not in REPEATED
    ]
    assert loose == []


def test_metrics_of_one_formula_and_one_home_are_one_metric() -> None:
    """The same columns of the same mart under two names would be two definitions of one thing."""
    formulas = Counter(
        (m.model, m.numerator, m.denominator) for m in metrics().values() if m.numerator
    )
    assert {formula: n for formula, n in formulas.items() if n > 1} == {}


def test_owners_are_groups() -> None:
    groups = yaml.safe_load((ROOT / "models" / "_groups.yml").read_text(encoding="utf-8"))
    assert {m.owner for m in metrics().values()} <= {group["name"] for group in groups["groups"]}


def test_every_ratio_is_its_numerator_over_its_denominator(sample: World) -> None:
    """On every row of every mart that holds it, and not by being null throughout."""
    tried = 0
    for metric in metrics().values():
        if not (metric.numerator and metric.denominator):
            continue
        for model in metric.models:
            schema = sample.warehouse.query(
                f"select schema_name from duckdb_tables() where table_name = '{model}'"
            )[0][0]
            wrong, right = sample.warehouse.query(f"""
                select
                    count(*) filter (where {metric.value} is distinct from told),
                    count(*) filter (where {metric.value} = told)
                from (
                    select {metric.value}, {metric.numerator}::double
                        / nullif({metric.denominator}::double, 0) as told
                    from {schema}.{model}
                )""")[0]
            assert (metric.name, model, wrong) == (metric.name, model, 0)
            assert right > 0, f"{model}.{metric.value} is null on every row of the sample"
            tried += 1
    assert tried > 10


# ---------------------------------------------------------------- reading it
def _registry(folder: Path, **changes: str) -> Path:
    """A registry of two metrics; the second is changed."""
    with (ROOT / REGISTRY).open(newline="", encoding="utf-8") as lines:
        first, second, *_ = list(csv.DictReader(lines))
    rows: list[dict[str, Any]] = [first, {**second, **changes}]
    path = folder / "registry.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_two_models_that_define_one_metric_are_refused(tmp_path: Path) -> None:
    first = next(iter(metrics()))
    path = _registry(tmp_path, metric=first, model="agg_user_engagement__daily")
    with pytest.raises(PlumblineError, match=f"{first} names two metrics"):
        metrics(path)


def test_an_alias_that_means_two_metrics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlumblineError, match="bot_ctr names two metrics"):
        metrics(_registry(tmp_path, also_known_as="bot_ctr"))


def test_a_name_nobody_has_names_the_nearest() -> None:
    with pytest.raises(PlumblineError, match=r"no metric is called bot_crt.*bot_ctr"):
        find("bot_crt")


def test_a_missing_registry_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlumblineError, match="no metric registry"):
        metrics(tmp_path / "none.csv")


def test_the_command_tells_column_formula_and_build() -> None:
    told = CliRunner().invoke(command, ["Bot-CTR"], catch_exceptions=False).output
    assert "engagement.agg_bot_engagement__daily.click_through_rate" in told
    assert "clicked_impression_count / impression_count" in told
    assert "make build METRIC=bot_click_through_rate" in told


def test_the_command_lists_every_metric() -> None:
    told = CliRunner().invoke(command, [], catch_exceptions=False).output
    assert all(name in told for name in metrics())
