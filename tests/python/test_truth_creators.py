"""Creators whose truth is known: golden record, planted validity and gains, and what must not be scored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creator_inputs import weekly_inputs
from plumbline.scoring.reference import Reference
from plumbline.scoring.scores import score
from plumbline.simulate import Settings, simulate
from plumbline.simulate.truth import Truth
from plumbline.statistics.rank_validity import rank_validity
from warehouse import Warehouse, register, write_rows
from worlds import World, _once, _opened

pytestmark = pytest.mark.truth

# Ends on a Tuesday, so that the running week is part of the test.
SETTINGS = Settings(users=20, bots=10, workflows=2, days=120, creators=600, seed=5)
WHO = ("creators", "creator_daily", "creator_assessments", "recommendation_actions")
AS_OF = SETTINGS.as_of - timedelta(days=1)
GOLDEN_KPIS = {
    "sales_performance": 0.58, "shop_conversion": 0.40, "shop_presence": 0.555,
    "engagement": 0.38 + 0.15 + 0.25 + 0.1 * 20 / 30, "content_strategy": 0.485,
    "engagement_growth": 0.5 * 0.6 / 2.5 + 0.3 * 0.35 / 1.3 + 0.2 * 0.65 / 2.5, "discovery": 0.35,
    "audience_fit": 0.53, "brand_fit": 0.65, "trend_fit": 0.49, "image_score": 0.40,
    "reach_visibility": 0.43, "cost_efficiency": 0.9 * 0.3125 + 0.1 * 0.24,
}  # fmt: skip
GOLDEN_OVERALL, GOLDEN_EQUAL = 0.5242626282, 0.4826681460
GOLDEN_ASSESSED = {
    "listing_quality": 0.6, "product_velocity": 0.4, "integration_seamlessness": 0.7,
    "retention_rate": 0.6, "hashtag_performance": 0.4, "search_visibility": 0.3,
    "viral_potential": 0.5, "video_quality": 0.3, "content_freshness": 0.6,
    "posting_consistency": 0.7, "content_diversity": 0.5, "target_demographic_match": 0.6,
    "audience_engagement_quality": 0.5, "follower_quality_score": 0.4, "audience_retention": 0.6,
    "brand_alignment": 0.7, "trust_score": 0.6, "authenticity_score": 0.8,
    "brand_consistency": 0.5, "trend_alignment": 0.4, "timing_score": 0.5, "trend_relevance": 0.6,
    "image_quality": 0.3, "lighting_score": 0.4, "composition_score": 0.5, "color_balance": 0.6,
    "visibility_score": 0.5,
}  # fmt: skip
COUNTS = (
    "posts", "impressions", "views", "unique_viewers", "likes", "comments", "shares",
    "watch_seconds", "video_seconds", "followers", "search_impressions", "recommended_impressions",
    "product_views", "carts", "checkouts_started", "checkouts_completed", "orders",
    "revenue_usd", "spend_usd",
)  # fmt: skip
# Days that give the scores of the golden record from whole numbers. Its funnel cannot come from counts (0.3
# of the carts completed, 0.3 of them started, 0.8 of these completed); 300 of 600 of 1,100 give the same KPI.
# Its revenue, order value and costs come from other amounts and targets with the same ratios.
GOLDEN_DAYS: dict[int, dict[str, Any]] = {
    55: {},
    40: {"likes": 230_000, "views": 300_000},
    27: {"followers": 10_000},
    0: {
        "followers": 10_500, "orders": 2_530, "product_views": 50_600,
        "revenue_usd": 250_470, "spend_usd": 113_850,
        "carts": 1_100, "checkouts_started": 600, "checkouts_completed": 300,
        "likes": 177_100, "comments": 37_950, "shares": 37_950,
        "views": 345_000, "impressions": 11_500_000, "unique_viewers": 9_200_000,
        "recommended_impressions": 230_000, "watch_seconds": 6_900_000,
        "video_seconds": 10_350_000,
    },
}  # fmt: skip
GOLDEN_TARGETS = {
    "target_revenue_usd": Decimal("500940"), "target_aov_usd": Decimal("110"),
    "target_reach": 23_000_000, "target_cpa_usd": Decimal("28.125"),
    "target_cpe_usd": Decimal("0.28125"), "target_cpv_usd": Decimal("0.20625"),
}  # fmt: skip


def _day(creator: str, days_ago: int, **values: Any) -> dict[str, Any]:
    day = AS_OF - timedelta(days=days_ago)
    at = datetime(day.year, day.month, day.day, 23)
    return {
        "creator_id": creator, "activity_date": day, "ingested_at": at,
        **dict.fromkeys(COUNTS, 0), **values,
    }  # fmt: skip


def _record(creator: str, **values: Any) -> dict[str, Any]:
    at = datetime(2026, 1, 1)
    return {
        "creator_id": creator, "updated_at": at, "handle": creator, "category": "study",
        "joined_at": at, "ingested_at": at, **values,
    }  # fmt: skip


def _strangers(lake: Path) -> None:
    """Creators beside the simulated ones."""
    names = ("golden", "empty", "negative", "overfull")
    records = [_record(name, **(GOLDEN_TARGETS if name == "golden" else {})) for name in names]
    write_rows(lake, "creators", "strangers", records)
    days = [_day("golden", ago, **values) for ago, values in GOLDEN_DAYS.items()]
    # Costs of an order of -10: the rows break the contract.
    days += [
        _day("negative", ago, orders=5, views=100, spend_usd=Decimal(-50)) for ago in range(28)
    ]
    # More orders than product views: every row is possible, their ratio is not.
    days += [
        _day("overfull", ago, orders=15, product_views=10, revenue_usd=Decimal(300), carts=20)
        for ago in range(28)
    ]
    write_rows(lake, "creator_daily", "strangers", days)
    at = datetime.combine(AS_OF - timedelta(days=10), datetime.min.time())
    judged = [
        {
            "assessment_id": f"golden-{name}", "creator_id": "golden", "assessed_at": at,
            "attribute": name, "score": Decimal(str(value)), "assessor": "panel", "ingested_at": at,
        }
        for name, value in GOLDEN_ASSESSED.items()
    ]  # fmt: skip
    write_rows(lake, "creator_assessments", "strangers", judged)


def _build(folder: Path) -> None:
    simulate(replace(SETTINGS, tables=WHO), folder / "lake")
    _strangers(folder / "lake")
    register(folder / "lake")
    _opened(folder).models("+path:models/marts/creators")


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> World:
    """600 simulated creators and four strangers; read it, do not write to it."""
    folder = _once(tmp_path_factory, "creators", _build)
    return World(_opened(folder), Truth.load(folder / "lake" / "truth.json"))


def _one(warehouse: Warehouse, sql: str) -> tuple[Any, ...]:
    rows = warehouse.query(sql)
    assert len(rows) == 1, (sql, rows)
    return rows[0]


# ---------------------------------------------------------------- the golden record
def test_the_golden_record_through_the_warehouse(market: World) -> None:
    found = dict(
        market.warehouse.query(
            "select kpi, kpi_score from creators.fct_creator_kpis where creator_id = 'golden' and is_latest"
        )
    )
    assert found.keys() == GOLDEN_KPIS.keys()
    for kpi, wanted in GOLDEN_KPIS.items():
        assert found[kpi] == pytest.approx(wanted, abs=1e-9), kpi
    overall, equal, effect, status, coverage = _one(
        market.warehouse,
        "select overall_score, equal_weight_score, weighting_effect, status, coverage_rate "
        "from creators.fct_creator_scores where creator_id = 'golden' and is_latest",
    )
    assert (overall, equal) == pytest.approx((GOLDEN_OVERALL, GOLDEN_EQUAL), abs=1e-9)
    assert effect == overall - equal
    assert (status, coverage) == ("scored", 1.0)
    tiers = market.warehouse.query(
        "select tier_score, tier_weight from creators.fct_creator_tiers "
        "where creator_id = 'golden' and is_latest order by tier"
    )
    wanted = [(0.52636, 0.55), (0.56595, 0.32), (0.41275, 0.13)]
    assert [tuple(map(float, row)) for row in tiers] == [pytest.approx(x, abs=6e-6) for x in wanted]


def test_warehouse_and_package_agree_to_the_last_bit(market: World) -> None:
    """One creator alone, from the shipped tables, against the same one among hundreds."""
    catalogue = Reference.shipped().on(AS_OF)
    for creator in ("golden", "overfull", "k000040", "k00004b"):
        values = weekly_inputs(market.warehouse, catalogue, creator, AS_OF)
        alone = score(catalogue, values)
        version, overall, equal, focus = _one(
            market.warehouse,
            "select reference_version, overall_score, equal_weight_score, revenue_focus_rate "
            f"from creators.fct_creator_scores where creator_id = '{creator}' and is_latest",
        )
        assert version == catalogue.version
        own = [alone.overall[0], alone.equal[0], alone.revenue_focus[0]]
        assert [overall, equal, focus] == [None if np.isnan(x) else x for x in own]
        parts = dict(
            market.warehouse.query(
                "select kpi || ' ' || component, component_score from creators.fct_creator_components "
                f"where creator_id = '{creator}' and is_latest"
            )
        )
        for place, item in enumerate(catalogue.components):
            told = parts[f"{item.kpi} {item.component}"]
            assert (np.nan if told is None else told) == pytest.approx(
                alone.components[0, place], abs=0, nan_ok=True
            )


# ---------------------------------------------------------------- what must not be scored
def test_an_empty_creator_has_no_score_no_issue_and_no_advice(market: World) -> None:
    empty = [*market.truth.planted["creators"]["empty"], "empty"]
    names = ", ".join(f"'{name}'" for name in empty)
    rows = market.warehouse.query(
        "select overall_score, status, coverage_rate, issue_count, overall_rank, peer_percentile "
        f"from creators.fct_creator_scores where creator_id in ({names})"
    )
    assert len(rows) > len(empty)
    assert set(rows) == {(None, "insufficient data", 0.0, 0, None, None)}
    for mart in ("fct_creator_issues", "fct_creator_recommendations"):
        sql = f"select count(*) from creators.{mart} where creator_id in ({names})"
        assert market.warehouse.query(sql) == [(0,)]


def test_a_cost_below_zero_is_quarantined_and_never_scored(market: World) -> None:
    kept = market.warehouse.query(
        "select quarantine_reason, count(*) from staging.stg_creators__creator_days__judged "
        "where creator_id = 'negative' and verdict = 'quarantined' group by 1"
    )
    assert kept == [("out_of_range:spend_usd", 28)]
    row = _one(
        market.warehouse,
        "select overall_score, status from creators.fct_creator_scores "
        "where creator_id = 'negative' and is_latest",
    )
    assert row == (None, "insufficient data")


def test_a_rate_above_one_is_left_out_and_listed(market: World) -> None:
    listed = market.warehouse.query(
        "select input_field, measured_value from creators.fct_creator_rejections "
        "where creator_id = 'overfull' and is_latest"
    )
    assert listed == [("conversion_rate", 1.5)]
    score_, value = _one(
        market.warehouse,
        "select component_score, measured_value from creators.fct_creator_components "
        "where creator_id = 'overfull' and component = 'conversion_rate' and is_latest",
    )
    assert (score_, value) == (None, None)
    # What cannot be is no advice either.
    sql = (
        "select count(*) from creators.fct_creator_recommendations "
        "where creator_id = 'overfull' and component = 'conversion_rate'"
    )
    assert market.warehouse.query(sql) == [(0,)]


# ---------------------------------------------------------------- validity of weights
def _kpi_matrix(
    market: World, week: date, kpis: list[str]
) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    rows = market.warehouse.query(
        "select creator_id, kpi, kpi_score from creators.fct_creator_kpis "
        f"where week_end_date = date '{week}' and kpi_score is not null"
    )
    held: dict[str, dict[str, float]] = {}
    for creator, kpi, value in rows:
        held.setdefault(creator, {})[kpi] = value
    ids = sorted(name for name, own in held.items() if set(kpis) <= own.keys())
    return ids, np.array([[held[name][kpi] for name in ids] for kpi in kpis])


def test_planted_valid_weights_win_out_of_time_and_useless_ones_do_not(market: World) -> None:
    """Weights by the planted factors that each KPI shows, judged by revenue per follower of the next 28 days.

    Size is drawn apart from the factors and says more of revenue than they do, so it is divided out.
    """
    planted = market.truth.planted["creators"]["factors"]
    shows = {
        "shop_presence": "conversion", "shop_conversion": "funnel", "audience_fit": "engagement",
        "image_score": "content", "trend_fit": "reach",
    }  # fmt: skip
    week = max(
        row[0]
        for row in market.warehouse.query(
            "select distinct week_end_date from creators.agg_weighting_validity"
        )
    )
    ids, scores = _kpi_matrix(market, week, list(shows))
    later = dict(
        market.warehouse.query(
            "select creator_id, revenue_usd / nullif(follower_count, 0) from creators.fct_creator_weeks "
            f"where week_end_date = date '{week + timedelta(days=28)}' and revenue_usd is not null"
        )
    )
    outcome = np.array([float(later.get(name) or 0) for name in ids])
    weights = np.array([planted[shows[kpi]] for kpi in shows])
    noise = np.random.default_rng(7).random(len(ids))
    tried = np.vstack([weights @ scores, scores.mean(axis=0), scores[-1], noise])
    found = rank_validity(tried, outcome, 0.1, 1, 200, 0.95, 3)
    valid, _, reach_only, useless = found.value.spearman
    assert found.gain_low[0] > 0, found.gain
    assert valid > max(reach_only, useless)
    assert found.gain_high[3] < 0
    assert found.low.spearman[3] < 0 < found.high.spearman[3]


def test_validity_is_out_of_time_and_says_so_of_every_weighting(market: World) -> None:
    rows = market.warehouse.query(
        "select week_end_date, weighting_kind, count(*), min(spearman_low), max(spearman_high), "
        "count(spearman_gain) from creators.agg_weighting_validity group by 1, 2 order by 1, 2"
    )
    weeks = sorted({row[0] for row in rows})
    assert all(week + timedelta(days=28) <= AS_OF for week in weeks)
    assert all((b - a).days >= 28 for a, b in pairwise(weeks))
    kinds = {row[1]: row[2] for row in rows if row[0] == weeks[-1]}
    assert kinds == {"given": 1, "equal": 1, "kpi": 13, "benchmark": 1}
    # The published figure is that of the function, on the published scores.
    given, later = np.array(
        market.warehouse.query(f"""
            select scores.overall_score, coalesce(after.revenue_usd, 0)::double
            from creators.fct_creator_scores as scores
            left join creators.fct_creator_weeks as after
                on scores.creator_id = after.creator_id
                and after.week_end_date = scores.week_end_date + 28
            where scores.week_end_date = date '{weeks[-1]}' and scores.overall_score is not null
        """)
    ).T
    again = rank_validity(given[None, :], later, 0.1, 0, 1, 0.95, 1).value
    told = _one(
        market.warehouse,
        "select spearman, ndcg, top_precision from creators.agg_weighting_validity "
        f"where weighting = 'given' and week_end_date = date '{weeks[-1]}'",
    )
    assert told == pytest.approx((again.spearman[0], again.ndcg[0], again.precision[0]), rel=1e-12)


# ---------------------------------------------------------------- what actions brought
def test_the_planted_gain_of_an_action_is_recovered(market: World) -> None:
    planted = market.truth.planted["creators"]
    rows = market.warehouse.query(
        "select component, status, count(*), count(effect) from creators.fct_recommendation_outcomes "
        "group by 1, 2"
    )
    assert {row[0] for row in rows} == {planted["action_component"]}
    assert {row[1] for row in rows} <= {"measured", "waiting"}
    measured = next(row[3] for row in rows if row[1] == "measured")
    count, gain, error, low, high, catalogue, expected, share = _one(
        market.warehouse,
        "select measured_creator_count, measured_gain, measured_gain_error, measured_gain_low, "
        "measured_gain_high, catalogue_gain, expected_gain, measured_share "
        "from creators.agg_recommendation_gains where is_latest and measured_gain is not null",
    )
    assert 20 < count <= measured
    assert abs(gain - planted["action_gain"]) < 4 * error
    assert low < gain < high
    assert low > 0
    # Drawn from the catalogue value towards the measured one, the more the surer that is.
    assert min(float(catalogue), gain) < expected < max(float(catalogue), gain)
    assert share == pytest.approx(1 / (1 + error**2 / (0.5 * float(catalogue)) ** 2))


def test_a_week_knows_only_outcomes_of_the_week_before(market: World) -> None:
    ripe = dict(
        market.warehouse.query(
            "select gains.week_end_date, count(distinct outcomes.creator_id) filter ("
            "where outcomes.after_week_end_date <= gains.week_end_date - 7 and outcomes.effect is not null) "
            "from creators.agg_recommendation_gains as gains "
            "cross join creators.fct_recommendation_outcomes as outcomes "
            "where gains.action = 'boost_sales_conversion' group by 1"
        )
    )
    told = dict(
        market.warehouse.query(
            "select week_end_date, measured_creator_count from creators.agg_recommendation_gains "
            "where action = 'boost_sales_conversion'"
        )
    )
    assert told == ripe
    assert min(told.values()) == 0 < max(told.values())
    # And recommendations use exactly that.
    apart = market.warehouse.query(
        "select count(*), count(*) filter (where advice.expected_gain <> gains.expected_gain) "
        "from creators.fct_creator_recommendations as advice "
        "join creators.agg_recommendation_gains as gains using (week_end_date, action)"
    )
    assert apart[0][0] > 1000
    assert apart[0][1] == 0


def test_at_most_three_and_no_two_for_one_component(market: World) -> None:
    most, least_sure = _one(
        market.warehouse,
        "select max(count), min(confidence) from (select count(*) as count, min(confidence) as confidence "
        "from creators.fct_creator_recommendations group by creator_id, week_end_date)",
    )
    assert most == 3
    assert least_sure >= Reference.shipped().on(AS_OF).setting("min_confidence")
