"""An incremental build equals a full refresh, whatever arrived in whatever order."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import dbt_runner
from warehouse import MARTS, Warehouse, register, write_rows

START = datetime(2026, 3, 1)
EVENTS = (
    "bot_impression",
    "bot_view",
    "message_sent",
    "feature_used",
    "app_open",
    "brand_new_event",
)
STORED = (
    "staging.stg_product__events__judged",
    "staging.stg_product__event_ids",
    "staging.stg_product__event_contexts",
    "intermediate.int_views_matched",
    "intermediate.int_events_aggregated_to_bot_user_days",
    "intermediate.int_events_aggregated_to_user_days",
    "intermediate.int_events_aggregated_to_impression_contexts",
    "intermediate.int_events_aggregated_to_session_pieces",
    "intermediate.int_events_aggregated_to_conversation_days",
)

FACTS = (
    "+stg_product__event_ids",
    "+stg_product__event_contexts",
    "+int_events_aggregated_to_bot_user_days",
    "+int_events_aggregated_to_user_days",
    "+int_events_aggregated_to_impression_contexts",
    "+int_events_aggregated_to_session_pieces",
    "+int_events_aggregated_to_conversation_days",
)


# Marts that stand on all of them.
READERS = (
    "+fct_user_days",
    "+fct_sessions",
    "+path:models/marts/core",
    "+agg_bot_engagement__daily",
)


def _event(dice: random.Random, number: int) -> dict[str, Any]:
    moment = START + timedelta(seconds=dice.randrange(12 * 86_400))
    user = dice.choice(["u1", "u2", "u3", None])
    return {
        "event_id": f"e{number}",
        "event_time": dice.choice([moment, moment, moment, moment, None])
        if number % 17 == 0
        else moment,
        "user_id": user,
        "anonymous_id": None if user else dice.choice(["a1", "a2"]),
        "event_name": dice.choice(EVENTS),
        "bot_id": dice.choice(["b1", "b2", None]),
        # Ids that several people send, for days on end or not at all.
        "session_id": dice.choice(["s1", f"s{number // 8}", None]),
        "conversation_id": dice.choice(["c1", f"c{number // 5}", None]),
        "feature": dice.choice(["chat", "flashcards", "brand_new_feature", None]),
        "method": dice.choice(["generate", "regenerate", None]),
        "source": dice.choice(["feed", "search", None]),
        "ingested_at": START + timedelta(days=30),
    }


def _history(dice: random.Random, steps: int) -> list[list[dict[str, Any]]]:
    """Batches in which ids come back: unchanged, on another day, earlier, later, broken."""
    seen: list[dict[str, Any]] = []
    batches = []
    for _ in range(steps):
        batch = []
        for _ in range(dice.randrange(5, 40)):
            if seen and dice.random() < 0.35:
                row = dict(dice.choice(seen))
                change = dice.randrange(5)
                if change == 1 and row["event_time"]:
                    row["event_time"] += timedelta(hours=dice.randrange(-60, 60))
                elif change == 2:
                    row["ingested_at"] += timedelta(hours=1)
                elif change == 3:
                    row["bot_id"] = "b3"
                elif change == 4:
                    row["event_time"] = datetime(1980, 1, 1)
            else:
                row = _event(dice, len(seen))
                seen.append(row)
            batch.append(row)
        batches.append(batch)
    return batches


def _stored(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    return {name: warehouse.contents(name) for name in STORED}


SEEDS = [int(seed) for seed in os.environ.get("PLUMBLINE_TRUTH_SEEDS", "1").split(",")]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history_gives_the_rows_of_a_full_refresh(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    lake = tmp_path / "lake"
    step = Warehouse(tmp_path / "step", dbt_runner(tmp_path / "step"), lake)
    whole = Warehouse(tmp_path / "whole", dbt_runner(tmp_path / "whole"), lake)
    links = [{"anonymous_id": "a1", "user_id": "u1", "linked_at": START, "ingested_at": START}]
    for number, batch in enumerate(_history(dice, 3)):
        write_rows(lake, "events", f"batch{number}", batch)
        if number == 1:
            # A link that comes late moves what was already counted to another person.
            write_rows(lake, "identity_links", "late", links)
        register(lake)
        step.models(*FACTS)
    step.models(*FACTS, *READERS)
    whole.models(*FACTS, *READERS)
    assert _stored(step) == _stored(whole)
    marts = step.hashes(MARTS)
    assert len(marts) > len(READERS)
    assert marts == whole.hashes(MARTS)
    verdicts = dict(
        step.query(
            "select verdict, sum(row_count) from intermediate.int_landed_rows_counted "
            "where table_name = 'events' group by all"
        )
    )
    assert set(verdicts) == {"accepted", "duplicate", "quarantined"}

    # What was done to the stored tables by hand is undone by the next ordinary run.
    expected = _stored(step)
    with duckdb.connect(str(step.database)) as connection:
        connection.execute(
            "delete from staging.stg_product__events__judged where event_key % 3 = 0"
        )
        connection.execute(
            "delete from intermediate.int_events_aggregated_to_user_days where event_count > 1"
        )
        connection.execute(
            "delete from intermediate.int_events_aggregated_to_session_pieces where session_key is null"
        )
        connection.execute(
            "update intermediate.int_events_aggregated_to_conversation_days set message_count = 9 "
            "where new_message_count = 1"
        )
        connection.execute(
            "insert into intermediate.int_views_matched from intermediate.int_views_matched limit 3"
        )
    step.models(*FACTS)
    assert _stored(step) == expected

    # Nothing new: nothing moves.
    before = step.hashes(("staging", "intermediate"))
    step.models(*FACTS)
    assert step.hashes(("staging", "intermediate")) == before


def test_a_vanished_day_leaves_no_rows_behind(tmp_path: Path) -> None:
    dice = random.Random(5)
    rows = [_event(dice, number) for number in range(60)]
    both, one = tmp_path / "both", tmp_path / "one"
    late = [
        {**row, "event_id": f"x{i}", "event_time": datetime(2026, 3, 20, 1), "user_id": "u9"}
        for i, row in enumerate(rows[:5])
    ]
    write_rows(both, "events", "first", rows)
    write_rows(both, "events", "second", late)
    write_rows(one, "events", "first", rows)
    register(both)
    register(one)
    step = Warehouse(tmp_path / "step", dbt_runner(tmp_path / "step"), both)
    step.models(*FACTS)
    step.lake = one
    step.models(*FACTS)
    whole = Warehouse(tmp_path / "whole", dbt_runner(tmp_path / "whole"), one)
    whole.models(*FACTS)
    assert _stored(step) == _stored(whole)


def test_keys_of_another_engine_version_are_refused_until_a_full_refresh(tmp_path: Path) -> None:
    dice = random.Random(7)
    lake = tmp_path / "lake"
    write_rows(lake, "events", "first", [_event(dice, number) for number in range(40)])
    register(lake)
    warehouse = Warehouse(tmp_path / "wh", dbt_runner(tmp_path / "wh"), lake)
    judged = "+stg_product__events__judged"
    warehouse.models(judged)
    expected = warehouse.contents(STORED[0])
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("update staging.stg_product__events__judged set key_version = 1")
    refused = warehouse.dbt("run", "--select", judged, check=False)
    assert "built by another version of the engine" in refused
    warehouse.dbt("run", "--full-refresh", "--select", judged)
    assert warehouse.contents(STORED[0]) == expected
