"""The service: every endpoint, what it refuses, and that nothing a client sends makes it fail."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from conftest import ROOT, isolated_environment
from plumbline.contract.model import contract
from plumbline.errors import PlumblineError
from plumbline.landing.run import land
from plumbline.scoring.reference import FOLDER, TABLES, Reference
from plumbline.scoring.scores import score
from plumbline.service.app import create_app
from plumbline.service.settings import Settings
from test_scoring import GOLDEN

GUIDE = ROOT / "src" / "plumbline" / "service" / "README.md"
KEY = "correct horse battery"


def call(app: FastAPI, method: str, path: str, **more: Any) -> httpx.Response:
    """One request to the application, without a server between."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, **more)

    import asyncio

    return asyncio.run(ask())


def published(path: Path) -> Path:
    """A small published file: a registry, one metric's mart, experiments, the reference tables."""
    connection = duckdb.connect(str(path))
    connection.execute("create schema marts; create schema reference")
    connection.execute("use marts")
    connection.execute(
        "create table dim_metrics as select 'share_of_days' as metric, 'Active days / days' as definition, "
        "'share' as unit, 'up' as good_direction, 'product_analytics' as owner, 'agg_days' as mart, "
        "'active_share' as value_column, 'active_count' as numerator_column, "
        "'day_count' as denominator_column, null as also_in_marts, 'days_share ads' as also_known_as"
    )
    connection.execute(
        "create table agg_days as select date '2026-01-01' + cast(day as integer) as activity_date, "
        "country, cast(day as bigint) as active_count, cast(30 as bigint) as day_count, "
        "case when day = 3 then null else day / 30 end as active_share "
        "from range(30) as days (day) cross join (values ('DE'), ('FR')) as countries (country)"
    )
    for table in ("dim_experiments", "agg_experiment_health", "agg_variation_summaries"):
        connection.execute(
            f"create table {table} as select 'x01' as experiment_id, cast(0 as bigint) as phase"
        )
    connection.execute(
        "create table fct_experiment_decisions as select 'x01' as experiment_id, "
        "cast(0 as bigint) as phase, 'wait' as status, cast(0.5 as decimal(9,6)) as share, "
        "timestamp '2026-01-01 10:00:00' as started_at, cast('nan' as double) as days_left"
    )
    connection.execute("use reference")
    for name in TABLES:
        connection.execute(
            f"create table {name} as select * from read_csv('{ROOT / FOLDER / name}.csv')"
        )
    connection.close()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("service")
    (made / "inbox").mkdir()
    published(made / "published.duckdb")
    return made


@pytest.fixture(scope="module")
def app(folder: Path) -> FastAPI:
    """A service with everything configured."""
    return create_app(Settings(database=folder / "published.duckdb", inbox=folder / "inbox"))


@pytest.fixture(scope="module")
def bare() -> FastAPI:
    """A service with nothing configured: it runs on the shipped tables."""
    return create_app(Settings())


@pytest.fixture(scope="module")
def golden(bare: FastAPI) -> dict[str, Any]:
    return dict(call(bare, "GET", "/demo-data").json())


def fields(answer: httpx.Response) -> list[str]:
    """Fields that a problem names, after a look at its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    return [each["field"] for each in body["errors"]]


# ---------------------------------------------------------------- scoring


def test_the_demo_record_is_the_golden_record(golden: dict[str, Any]) -> None:
    assert {name: float(value) for name, value in GOLDEN.items()} == {
        name: value for name, value in golden.items() if name != "creator_id"
    }


@pytest.mark.parametrize("source", ["app", "bare"])
def test_analysis_gives_the_bits_of_the_scoring_function(
    request: pytest.FixtureRequest, source: str, golden: dict[str, Any]
) -> None:
    app: FastAPI = request.getfixturevalue(source)
    found = call(app, "POST", "/analyze", json=golden).json()
    catalogue = Reference.shipped(ROOT / FOLDER).on(date(2026, 7, 1))
    values = np.full((1, len(catalogue.fields)), np.nan)
    for name, value in GOLDEN.items():
        values[0, catalogue.field_index[name]] = float(value)
    wanted = score(catalogue, values)
    assert found["overall_score"] == wanted.overall[0]
    assert abs(found["overall_score"] - 0.5242626282) < 5e-11
    assert [kpi["score"] for kpi in found["kpis"]] == wanted.kpis[0].tolist()
    assert [part["score"] for part in found["components"]] == wanted.components[0].tolist()
    assert [tier["score"] for tier in found["tiers"]] == wanted.tiers[0].tolist()
    assert found["reference_version"] == catalogue.version
    assert found["status"] == "scored" and found["level"] == "medium" and found["coverage"] == 1.0
    assert sum(kpi["headroom"] for kpi in found["kpis"]) == pytest.approx(found["headroom"])


def test_an_analysis_says_what_to_do_and_how_to_test_it(
    app: FastAPI, golden: dict[str, Any]
) -> None:
    asked = {**golden, "cart_count": 2800, "score_date": "2026-07-01"}
    found = call(app, "POST", "/analyze", json=asked).json()
    assert found["score_week"] == "2026-W27"
    advice = found["recommendations"]
    assert 0 < len(advice) <= 3 and [item["place"] for item in advice] == [1, 2, 3]
    assert found["effort_hours"] == sum(item["effort_hours"] for item in advice)
    assert len(found["success_metrics"]) == len(found["next_steps"]) == 3
    plan = next(i for i in advice if i["action"] == "reduce_cart_abandonment")["test_plan"]
    assert plan["unit"] == "cart" and plan["days"] == 14 and plan["is_feasible"] is True
    assert plan["baseline"] == 0.7 and plan["sample_size_per_arm"] > 0
    metric = next(m for m in found["success_metrics"] if m["metric"] == plan["primary_metric"])
    assert metric["target"] == pytest.approx(0.7 * 0.88)
    assert found["issues"] == sorted(found["issues"], key=lambda issue: -issue["impact"])
    assert len(found["bottlenecks"]) == 3
    again = call(app, "POST", "/analyze", json=asked).json()
    assert again == found


def test_the_ends_of_what_is_possible_are_answered(bare: FastAPI, golden: dict[str, Any]) -> None:
    limits = call(bare, "GET", "/weights").json()["inputs"]
    creators = [
        {**golden, item["field"]: value}
        for item in limits
        for value in (item["min_value"], item["max_value"], 5e-324, 1e-160, 1e-13)
        if item["min_value"] <= value
    ]
    everything = [{i["field"]: i[end] for i in limits} for end in ("min_value", "max_value")]
    for start in range(0, len(creators), 100):
        batch = {"creators": [*creators[start : start + 100], *everything]}
        answer = call(bare, "POST", "/analyze-batch", json=batch)
        assert answer.status_code == 200, answer.text
        for found in answer.json():
            assert 0 <= found["overall_score"] <= 1
            for item in found["recommendations"]:
                assert item["test_plan"]["days"] >= 1 and item["priority"] > 0


def test_an_empty_creator_has_insufficient_data(bare: FastAPI) -> None:
    found = call(bare, "POST", "/analyze", json={}).json()
    assert found["status"] == "insufficient data"
    assert found["overall_score"] is None and found["recommendations"] == []
    nulls = dict.fromkeys(GOLDEN)
    assert call(bare, "POST", "/analyze", json=nulls).json() == found
    compared = call(bare, "POST", "/compare-algorithms", json={}).json()
    assert compared["weighting_effect"] is None and compared["percentage_change"] is None


def test_the_weighting_effect_is_called_no_improvement(
    bare: FastAPI, golden: dict[str, Any]
) -> None:
    found = call(bare, "POST", "/compare-algorithms", json=golden).json()
    assert found["percentage_change"] == pytest.approx(8.62, abs=0.005)
    assert abs(found["equal_weight_score"] - 0.4826681460) < 5e-11
    effect = found["overall_score"] - found["equal_weight_score"]
    assert found["weighting_effect"] == pytest.approx(effect, abs=1e-15)
    assert found["is_improvement"] is None and "not whether they are better" in found["explanation"]
    path, _, place = found["explanation_url"].partition("#")
    page = call(bare, "GET", path)
    assert page.status_code == 200 and f'id="{place}"' in page.text


def test_a_batch_gives_the_answers_of_its_creators_alone(
    bare: FastAPI, golden: dict[str, Any]
) -> None:
    creators = [
        {**golden, "creator_id": "a", "score_date": "2026-07-01"},
        {"creator_id": "b", "score_date": "2026-07-01", "odd": 1},
        {**golden, "creator_id": "c", "cpa": 1, "score_date": "2026-03-01"},
    ]
    found = call(bare, "POST", "/analyze-batch", json={"creators": creators}).json()
    alone = [call(bare, "POST", "/analyze", json=creator).json() for creator in creators]
    assert found == alone
    assert [item["score_week"] for item in found] == ["2026-W27", "2026-W27", "2026-W09"]


def test_a_batch_names_the_creator_at_fault(bare: FastAPI) -> None:
    answer = call(bare, "POST", "/analyze-batch", json={"creators": [{}, {"cpa": -1}]})
    assert answer.status_code == 422 and fields(answer) == ["creators.1.cpa"]
    old = {"creators": [{}, {"score_date": "1980-01-01"}]}
    assert fields(call(bare, "POST", "/analyze-batch", json=old)) == ["creators.1.score_date"]
    assert fields(call(bare, "POST", "/analyze-batch", json={"creators": []})) == ["creators"]
    small = create_app(Settings(max_creators=2))
    answer = call(small, "POST", "/analyze-batch", json={"creators": [{}] * 3})
    assert answer.status_code == 422 and fields(answer) == ["creators"]


def test_unknown_fields_are_listed_and_groups_and_aliases_are_read(
    bare: FastAPI, golden: dict[str, Any]
) -> None:
    found = call(bare, "POST", "/analyze", json={**golden, "zodiac": "leo", "age": None}).json()
    assert found["ignored_fields"] == ["age", "zodiac"]
    shop = ("listing_quality", "product_velocity", "integration_seamlessness")
    rest = {name: value for name, value in golden.items() if name not in shop}
    for name in ("tiktok_shop", "shop_presence"):
        group = {field: golden[field] for field in shop} | {"colour": 1}
        nested = call(bare, "POST", "/analyze", json={**rest, name: group}).json()
        assert nested["overall_score"] == found["overall_score"]
        assert nested["ignored_fields"] == ["colour"]
    kpi = next(k for k in found["kpis"] if k["kpi"] == "shop_presence")
    assert kpi["also_known_as"] == ["tiktok_shop"]
    twice = call(bare, "POST", "/analyze", json={**golden, "tiktok_shop": {"listing_quality": 0.1}})
    assert twice.status_code == 422


def test_weights_may_be_tried_and_are_not_kept(bare: FastAPI) -> None:
    creators = call(bare, "GET", "/demo-creators").json()
    before = call(bare, "GET", "/weights").json()
    asked = {"creators": creators, "weights": {"tiktok_shop": 1.0}}
    found = call(bare, "POST", "/compare-weights", json=asked).json()
    assert call(bare, "GET", "/weights").json() == before
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert found["weights"]["shop_presence"] == pytest.approx(1.0 / 1.9)
    rows = {row["creator_id"]: row for row in found["creators"]}
    demo = rows["Demo record"]
    weights = {kpi["kpi"]: kpi["weight"] for kpi in before["kpis"]} | {"shop_presence": 1.0}
    wanted = sum(weights[k] * s for k, s in demo["kpis"].items()) / sum(weights.values())
    assert demo["reweighted_score"] == pytest.approx(wanted, abs=1e-12)
    scores = [row["reweighted_score"] for row in found["creators"]]
    for row in found["creators"]:
        assert row["reweighted_rank"] == 1 + sum(x > row["reweighted_score"] for x in scores)
    nothing = dict.fromkeys((kpi["kpi"] for kpi in before["kpis"]), 0)
    answer = call(bare, "POST", "/compare-weights", json={"creators": [{}], "weights": nothing})
    assert answer.status_code == 422 and fields(answer) == ["weights"]
    odd = call(bare, "POST", "/compare-weights", json={"creators": [{}], "weights": {"fame": 1}})
    assert odd.status_code == 422 and fields(odd) == ["weights.fame"]


def test_the_weights_are_those_of_the_tables(app: FastAPI) -> None:
    found = call(app, "GET", "/weights").json()
    assert found["tiers"] == {"1": 0.55, "2": 0.32, "3": 0.13}
    assert sum(kpi["weight"] for kpi in found["kpis"]) == pytest.approx(1)
    assert sum(len(kpi["components"]) for kpi in found["kpis"]) == 48


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ('{"cpa": -10}', 422, "cpa"),
        ('{"conversion_rate": 1.0000001}', 422, "conversion_rate"),
        ('{"cpa": NaN}', 422, "cpa"),
        ('{"cpa": Infinity}', 422, "cpa"),
        ('{"cpa": -Infinity}', 422, "cpa"),
        ('{"cpa": 1e400}', 422, "cpa"),
        ('{"total_revenue": 1e300}', 422, "total_revenue"),
        ('{"cpa": "12"}', 422, "cpa"),
        ('{"cpa": true}', 422, "cpa"),
        ('{"cpa": [1]}', 422, "cpa"),
        ('{"cpa": {"usd": 1}}', 422, "cpa"),
        ('{"roi": -1.5}', 422, "roi"),
        ('{"target_cpa": 0}', 422, "target_cpa"),
        ('{"creator_id": 7}', 422, "creator_id"),
        ('{"creator_id": ""}', 422, "creator_id"),
        ('{"creator_id": "a\\u0000b"}', 422, "creator_id"),
        ('{"creator_id": "\\ud800"}', 422, "creator_id"),
        ('{"score_date": "yesterday"}', 422, "score_date"),
        ('{"score_date": "1980-01-01"}', 422, "score_date"),
        ("[1, 2]", 422, "body"),
        ("null", 422, "body"),
        ("", 422, "body"),
        ("{", 400, "body"),
        ('{"cpa": 1,}', 400, "body"),
    ],
)
def test_bad_input_names_its_field(bare: FastAPI, body: str, status: int, field: str) -> None:
    for path in ("/analyze", "/compare-algorithms"):
        answer = call(
            bare, "POST", path, content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == status, answer.text
        assert fields(answer) == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"cpa": ' + b"9" * 5000 + b"}", b"\xff\xfe", b"\x00",
        b'{"\\ud800": 1}', b'{"a":' * 2000 + b"1" + b"}" * 2000,
    ],
)  # fmt: skip
def test_strange_bodies_are_refused_or_ignored(bare: FastAPI, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = call(bare, "POST", "/analyze", content=body, headers=headers)
    assert answer.status_code in (200, 400, 422), answer.text


def test_bodies_of_ten_megabytes_are_refused_whether_or_not_they_say_so(bare: FastAPI) -> None:
    big = b'{"note": "' + b"x" * 10_000_000 + b'"}'
    headers = {"content-type": "application/json"}
    answer = call(bare, "POST", "/analyze", content=big, headers=headers)
    assert answer.status_code == 413 and fields(answer) == ["body"]

    async def pieces() -> Any:
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    answer = call(bare, "POST", "/analyze", content=pieces(), headers=headers)
    assert answer.status_code == 413 and fields(answer) == ["body"]
    within = b'{"note": "' + b"x" * 1_000_000 + b'"}'
    found = call(bare, "POST", "/analyze", content=within, headers=headers)
    assert found.json()["ignored_fields"] == ["note"]


def test_unknown_addresses_and_methods_are_problems(bare: FastAPI) -> None:
    answer = call(bare, "GET", "/nothing")
    assert answer.status_code == 404 and answer.json()["type"] == "not_found"
    answer = call(bare, "GET", "/analyze")
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"


def test_a_key_guards_everything_but_pages_and_health(folder: Path) -> None:
    guarded = create_app(Settings(api_key=KEY, database=folder / "published.duckdb"))
    for path in ("/", "/weights-view", "/docs", "/health", "/openapi.json", "/static/style.css"):
        assert call(guarded, "GET", path).status_code == 200, path
    for path in ("/weights", "/demo-data", "/metrics", "/v1/metrics", "/v1/experiments"):
        answer = call(guarded, "GET", path)
        assert answer.status_code == 401 and answer.json()["type"] == "unauthorized", path
        wrong = {"X-API-Key": "x" + KEY}
        assert call(guarded, "GET", path, headers=wrong).status_code == 401
        assert call(guarded, "GET", path, headers={"X-API-Key": KEY}).status_code == 200, path
        bearer = {"Authorization": f"Bearer {KEY}"}
        assert call(guarded, "GET", path, headers=bearer).status_code == 200
    assert call(guarded, "POST", "/analyze", json={}).status_code == 401
    assert call(guarded, "GET", "/static/../weights").status_code == 401


# ---------------------------------------------------------------- actions


def test_an_action_is_landed_once_and_landing_takes_it_in(
    app: FastAPI, folder: Path, tmp_path: Path, clean_environment: None
) -> None:
    asked = {
        "creator_id": "k1",
        "recommendation_id": "0123456789abcdef",
        "implemented_on": "2026-07-01",
    }
    first = call(app, "POST", "/actions", json=asked)
    again = call(app, "POST", "/actions", json=asked)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["action_id"] == again.json()["action_id"]
    assert again.json()["status"] == "already landed"
    file = folder / "inbox" / first.json()["file"]
    row = json.loads(file.read_text(encoding="utf-8"))
    table = contract()["recommendation_actions"]
    assert set(row) == {column.name for column in table.columns if column.name != "ingested_at"}
    assert row == {**asked, "action_id": first.json()["action_id"]}
    other = {**asked, "action_id": row["action_id"], "creator_id": "k2"}
    answer = call(app, "POST", "/actions", json=other)
    assert answer.status_code == 409 and fields(answer) == ["action_id"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    report = land(folder / "inbox", tmp_path / "lake")
    landed = {item.table: item.accepted for item in report.files}
    assert landed == {"recommendation_actions": 1}


def test_actions_that_cannot_be_are_refused(app: FastAPI, bare: FastAPI, tmp_path: Path) -> None:
    asked = {"creator_id": "k1", "recommendation_id": "r", "implemented_on": "2026-07-01"}
    later = (date.today() + timedelta(days=3)).isoformat()
    for change, field in (
        ({"implemented_on": later}, "implemented_on"),
        ({"implemented_on": "1500-01-01"}, "implemented_on"),
        ({"creator_id": "x" * 201}, "creator_id"),
        ({"recommendation_id": None}, "recommendation_id"),
        ({"mood": 1}, "mood"),
        ({"action_id": "a\nb"}, "action_id"),
    ):
        answer = call(app, "POST", "/actions", json={**asked, **change})
        assert answer.status_code == 422 and fields(answer) == [field]
    answer = call(bare, "POST", "/actions", json=asked)
    assert answer.status_code == 503 and answer.json()["type"] == "no_inbox"
    gone = create_app(Settings(inbox=tmp_path / "gone"))
    answer = call(gone, "POST", "/actions", json=asked)
    assert answer.status_code == 503 and answer.json()["type"] == "inbox_unavailable"
    assert not (tmp_path / "gone").exists()


# ---------------------------------------------------------------- published marts


def test_metrics_are_listed_and_read_by_date_slice_and_page(app: FastAPI) -> None:
    listed = call(app, "GET", "/v1/metrics").json()["metrics"]
    assert [row["metric"] for row in listed] == ["share_of_days"]
    found = call(app, "GET", "/v1/metrics/share_of_days", params={"limit": 7}).json()
    assert found["date_column"] == "activity_date" and found["slices"] == ["country"]
    assert len(found["rows"]) == 7 and found["next_offset"] == 7
    rows, offset = [], 0
    while offset is not None:
        page = call(app, "GET", "/v1/metrics/ads", params={"limit": 7, "offset": offset}).json()
        rows += page["rows"]
        offset = page["next_offset"]
    assert len(rows) == 60 and len({(r["activity_date"], r["country"]) for r in rows}) == 60
    first = next(row for row in rows if row["activity_date"] == "2026-01-03")
    assert first["active_share"] == 2 / 30 and first["active_count"] == 2
    assert all(row["active_share"] is None for row in rows if row["active_count"] == 3)
    asked = [("from", "2026-01-10"), ("to", "2026-01-12"), ("slice", "country:FR")]
    found = call(app, "GET", "/v1/metrics/share_of_days", params=asked).json()
    assert [row["activity_date"] for row in found["rows"]] == [
        "2026-01-10", "2026-01-11", "2026-01-12",
    ]  # fmt: skip
    assert {row["country"] for row in found["rows"]} == {"FR"} and found["next_offset"] is None


def test_experiments_are_listed_and_shown(app: FastAPI) -> None:
    (row,) = call(app, "GET", "/v1/experiments").json()["experiments"]
    assert row["status"] == "wait" and row["share"] == 0.5 and row["days_left"] is None
    assert row["started_at"] == "2026-01-01T10:00:00"
    found = call(app, "GET", "/v1/experiments/x01").json()
    assert found["experiment_id"] == "x01"
    assert all(len(found[part]) == 1 for part in ("phases", "decisions", "health", "variations"))


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/metrics/unknown", 404, None),
        ("/v1/metrics/a'b", 422, "name"),
        ("/v1/metrics/ads?slice=country", 422, "slice"),
        ("/v1/metrics/ads?slice=active_share:1", 422, "slice"),
        ("/v1/metrics/ads?slice=country%22;drop:1", 422, "slice"),
        ("/v1/metrics/ads?from=soon", 422, "from"),
        ("/v1/metrics/ads?limit=0", 422, "limit"),
        ("/v1/metrics/ads?limit=999999", 422, "limit"),
        ("/v1/metrics/ads?offset=-1", 422, "offset"),
        ("/v1/experiments/unknown", 404, None),
        ("/v1/experiments/x01'%20or%20'1'='1", 404, None),
    ],
)
def test_questions_that_do_not_fit_are_refused(
    app: FastAPI, path: str, status: int, field: str | None
) -> None:
    answer = call(app, "GET", path)
    assert answer.status_code == status, answer.text
    assert fields(answer) == ([field] if field else [])


def test_without_a_warehouse_the_answer_says_so(bare: FastAPI, tmp_path: Path) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"no database" * 100)
    for path in ("/v1/metrics", "/v1/metrics/ads", "/v1/experiments", "/v1/experiments/x"):
        answer = call(bare, "GET", path)
        assert answer.status_code == 503 and answer.json()["type"] == "no_database"
        for name in ("gone.duckdb", "broken.duckdb"):
            other = create_app(Settings(database=tmp_path / name))
            answer = call(other, "GET", path)
            assert answer.status_code == 503, name
            assert answer.json()["type"] == "database_unavailable"
            assert str(tmp_path) not in answer.text
    assert call(other, "POST", "/analyze", json={}).status_code == 200
    assert call(other, "GET", "/health").json()["database"] == "unavailable"


def test_a_new_published_version_is_seen_without_a_restart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        published(tmp_path / name / "warehouse.duckdb")
    connection = duckdb.connect(str(tmp_path / "two" / "warehouse.duckdb"))
    connection.execute("update marts.dim_metrics set definition = 'Changed'")
    connection.execute(
        "update reference.creator_kpis set weight = 0.25 where position = 1; "
        "update reference.creator_kpis set weight = 0.20 where position = 2"
    )
    connection.close()
    current = tmp_path / "current"
    current.symlink_to("one")
    served = create_app(Settings(database=current / "warehouse.duckdb"))
    version = call(served, "GET", "/weights").json()["reference_version"]
    swapped = tmp_path / "swapped"
    swapped.symlink_to("two")
    swapped.replace(current)
    (metric,) = call(served, "GET", "/v1/metrics").json()["metrics"]
    assert metric["definition"] == "Changed"
    served.state.service.engine._looked = -1e9  # what a few seconds do
    found = call(served, "GET", "/weights").json()
    assert found["reference_version"] != version and found["kpis"][0]["weight"] == 0.25
    assert call(served, "GET", "/health").json()["reference_source"] == "warehouse"


# ---------------------------------------------------------------- operation


def test_health_says_what_the_service_stands_on(app: FastAPI, bare: FastAPI) -> None:
    found = call(app, "GET", "/health").json()
    assert (found["status"], found["database"], found["inbox"]) == ("ok", "ok", "ok")
    assert found["reference_source"] == "warehouse"
    shipped = call(bare, "GET", "/health").json()
    assert shipped["database"] == shipped["inbox"] == "not configured"
    # Read from the warehouse or from the files: the same tables, the same version.
    assert found["reference_version"] == shipped["reference_version"]


def test_counters_tell_addresses_apart_and_strangers_cannot_make_up_labels(
    golden: dict[str, Any],
) -> None:
    counted = create_app(Settings())
    call(counted, "POST", "/analyze", json=golden)
    call(counted, "POST", "/analyze", json={"cpa": -1})
    for number in range(5):
        call(counted, "GET", f"/made-up-{number}")
    text = call(counted, "GET", "/metrics").text
    assert 'plumbline_requests_total{method="POST",path="/analyze",status="200"} 1.0' in text
    assert 'plumbline_requests_total{method="POST",path="/analyze",status="422"} 1.0' in text
    assert 'plumbline_requests_total{method="GET",path="other",status="404"} 5.0' in text
    assert "plumbline_creators_scored_total 1.0" in text
    assert 'plumbline_request_seconds_count{method="POST",path="/analyze"} 2.0' in text
    assert "made-up" not in text


def test_two_hundred_requests_at_once_get_the_answers_of_one(
    bare: FastAPI, golden: dict[str, Any]
) -> None:
    import asyncio

    bodies = [
        {**golden, "creator_id": f"c{n}", "total_revenue": 50 * n, "score_date": "2026-07-01"}
        for n in range(200)
    ]
    bodies[77] = {"cpa": -1}

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=bare)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await asyncio.gather(*(client.post("/analyze", json=b) for b in bodies))

    answers = asyncio.run(ask())
    assert [a.status_code for a in answers] == [422 if n == 77 else 200 for n in range(200)]
    for n in (0, 1, 99, 199):
        assert answers[n].json() == call(bare, "POST", "/analyze", json=bodies[n]).json()


def test_the_headers_forbid_everything_from_elsewhere(bare: FastAPI) -> None:
    for path in ("/", "/weights-view", "/docs"):
        answer = call(bare, "GET", path)
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        assert re.findall(r"(?:src|href)=\"(?!/)[^\"#]+", answer.text) == []
        for link in re.findall(r"(?:src|href)=\"(/static/[^\"]+)", answer.text):
            assert call(bare, "GET", link).status_code == 200, link


def test_settings_come_from_the_environment() -> None:
    found = Settings.from_environment(
        {"PLUMBLINE_SERVICE_API_KEY": "k", "PLUMBLINE_SERVICE_MAX_BYTES": "5", "OTHER": "x"}
    )
    assert (found.api_key, found.max_bytes, found.database) == ("k", 5, None)
    for value in ("0", "-1", "many"):
        with pytest.raises(PlumblineError, match="MAX_CREATORS"):
            Settings.from_environment({"PLUMBLINE_SERVICE_MAX_CREATORS": value})


# ---------------------------------------------------------------- the OpenAPI document


def statuses_of(operation: Any, examples: int, may_lack_a_warehouse: bool) -> set[int]:
    """Statuses of generated requests of one operation, fitting ones and odd ones."""
    found: set[int] = set()
    kinds = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    fitting, odd = (operation.as_strategy(generation_mode=kind) for kind in kinds)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=fitting | odd)
    def probe(case: Any) -> None:
        answer = case.call()
        found.add(answer.status_code)
        missing = answer.status_code == 503 and may_lack_a_warehouse
        assert answer.status_code < 500 or missing, answer.text

    probe()
    return found


@pytest.mark.parametrize(("name", "examples"), [("app", 10), ("bare", 4)])
def test_no_generated_request_makes_it_fail(
    request: pytest.FixtureRequest, name: str, examples: int
) -> None:
    """schemathesis makes requests from the document: none may end in a 5xx that is not announced."""
    served: FastAPI = request.getfixturevalue(name)
    schema = schemathesis.openapi.from_asgi("/openapi.json", served)
    seen = {
        operation.label: statuses_of(operation, examples, name == "bare")
        for operation in (result.ok() for result in schema.get_all_operations())
    }
    assert len(seen) >= 14
    assert {400, 422} & seen["POST /analyze"]
    assert any(200 in statuses for statuses in seen.values())


def test_every_answer_is_described(bare: FastAPI) -> None:
    document = bare.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            if method == "post":
                assert {"400", "413", "422"} <= set(operation["responses"]), path
    fields_ = document["components"]["schemas"]["CreatorInputs"]["properties"]
    assert set(GOLDEN) <= set(fields_)
    assert fields_["cpa"]["anyOf"][0]["minimum"] == 0


def test_answers_have_the_fields_that_are_described(app: FastAPI, golden: dict[str, Any]) -> None:
    from plumbline.service import schemas

    asked = {"creators": [golden, {}], "weights": {}}
    for path, body, model in (
        ("/analyze", golden, schemas.Analysis),
        ("/analyze", {}, schemas.Analysis),
        ("/compare-algorithms", golden, schemas.Comparison),
        ("/compare-weights", asked, schemas.WeightComparison),
    ):
        answer = call(app, "POST", path, json=body).json()
        assert model.model_validate(answer).model_dump(mode="json") == answer, path
    for path, model in (
        ("/weights", schemas.WeightTable),
        ("/health", schemas.Health),
        ("/v1/metrics", schemas.MetricList),
        ("/v1/metrics/ads", schemas.MetricRows),
        ("/v1/experiments", schemas.ExperimentList),
        ("/v1/experiments/x01", schemas.ExperimentDetail),
    ):
        answer = call(app, "GET", path).json()
        assert model.model_validate(answer).model_dump(mode="json") == answer, path


# ---------------------------------------------------------------- the process


class Served:
    """``plumbline serve`` as a process."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.log = folder / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plumbline", "serve", "--port", str(port), *arguments],
                cwd=folder,
                env=isolated_environment(folder, env),
                stderr=log,
                stdout=log,
            )
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                httpx.get(self.address + "/health", timeout=5)
                return
            except httpx.HTTPError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise TimeoutError(self.log.read_text())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("served")
    running = Served(
        place,
        "--database", str(folder / "published.duckdb"), "--inbox", str(folder / "inbox"),
        PLUMBLINE_SERVICE_API_KEY=KEY,
    )  # fmt: skip
    yield running
    if running.process.poll() is None:
        running.end()


def test_the_guide_has_a_call_of_every_endpoint_and_each_works(
    served: Served, golden: dict[str, Any]
) -> None:
    """The calls of the guide are run as they stand there, in order, in one program."""
    text = GUIDE.read_text(encoding="utf-8")
    calls = re.findall(r"```python\n(.*?)```", text, re.S)
    address = re.search(r"BASE = \"(http://[^\"]+)\"", text)
    assert address is not None
    program = "\n".join(calls).replace(address[1], served.address)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PLUMBLINE_KEY": KEY, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    described = httpx.get(served.address + "/openapi.json").json()["paths"]
    for path in described:
        place = re.sub(r"\\\{\w+\\\}", r"[\\w{}-]+", re.escape(path))
        assert re.search(rf"[\"']{place}[\"'?]", program), f"the guide has no call of {path}"


def test_requests_at_once_over_real_connections(served: Served, golden: dict[str, Any]) -> None:
    headers = {"X-API-Key": KEY}
    with httpx.Client(base_url=served.address, headers=headers, timeout=60) as client:

        def one(number: int) -> tuple[int, float]:
            answer = client.post("/analyze", json={**golden, "total_revenue": number})
            return answer.status_code, answer.json()["overall_score"]

        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(one, range(200)))
    assert {status for status, _ in found} == {200}
    scores = [value for _, value in found]
    assert scores == sorted(scores) and len(set(scores)) == 200


def test_a_body_in_pieces_is_stopped_at_the_limit(served: Served) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"note": "'
        for _ in range(200):
            yield b"x" * 65_536
        yield b'"}'

    try:
        answer = httpx.post(
            served.address + "/analyze", content=pieces(), headers={"X-API-Key": KEY}, timeout=60
        )
        assert answer.status_code == 413
    except httpx.TransportError:
        # Answered and closed while the client was still sending.
        assert '"status": 413' in served.log.read_text()
    assert httpx.get(served.address + "/health").status_code == 200


def test_a_request_that_has_begun_is_answered_before_the_end(
    served: Served, golden: dict[str, Any]
) -> None:
    creators = [{**golden, "creator_id": f"c{n}"} for n in range(300)]
    found: list[int] = []
    body = json.dumps({"creators": creators}).encode()
    assert len(body) < 1024 * 1024

    def ask() -> None:
        question = urllib.request.Request(
            served.address + "/analyze-batch",
            data=body,
            headers={"X-API-Key": KEY, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(question, timeout=60) as answer:
            found.append(len(json.loads(answer.read())))

    thread = threading.Thread(target=ask)
    thread.start()
    # The log has a line of a request once it is answered; the counter knows those on their way.
    end = time.monotonic() + 30
    while time.monotonic() < end and thread.is_alive():
        text = httpx.get(served.address + "/metrics", headers={"X-API-Key": KEY}).text
        if "plumbline_requests_active 2.0" in text:
            break
    code = served.end()
    thread.join(60)
    assert found == [300]
    assert code in (0, -signal.SIGTERM)


def test_the_log_is_one_object_a_line_and_holds_no_inputs(served: Served) -> None:
    if served.process.poll() is None:
        served.end()
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert {"request_id", "method", "path", "status", "milliseconds", "bytes", "time"} <= set(
        requests[0]
    )
    assert any(line["path"] == "/health" and line["status"] == 200 for line in requests)
    assert [line for line in lines if line["level"] == "error"] == []
    assert KEY not in served.log.read_text()
    assert any(line["message"] == "stopped" for line in lines)


def test_without_the_extra_the_command_says_what_to_install() -> None:
    program = (
        "import importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'uvicorn' else real(name, *a); "
        "import sys; sys.argv = ['plumbline', 'serve']; from plumbline.cli import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 2
    assert "needs uvicorn" in done.stderr and "plumbline[service]" in done.stderr
