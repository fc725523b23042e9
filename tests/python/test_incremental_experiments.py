"""The day of exposure is read once: later builds read those days again whose inputs changed, and no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from conftest import dbt_runner
from warehouse import Row, Warehouse, register, write_rows

FACT = "intermediate.int_events_aggregated_to_exposure_days"
STORED = (
    "intermediate.int_exposure_days_fingerprinted",
    FACT,
    "intermediate.int_exposure_days_measured",
)
# Added to a count that no measure is made of: a row that still has it was not written again.
MARK = 1000


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 1) + timedelta(days=day - 1, hours=hour, minutes=minute)


def _event(event_id: str, moment: datetime, user: str | None, **cells: Any) -> Row:
    return {
        "event_id": event_id,
        "event_time": moment,
        "user_id": user,
        "event_name": "message_sent",
        "ingested_at": _at(40, 0),
        **cells,
    }


def _exposure(experiment: str, unit: str, moment: datetime, variation: str = "a") -> Row:
    return {
        "experiment_id": experiment,
        "variation_id": variation,
        "unit_id": unit,
        "exposed_at": moment,
        "ingested_at": _at(40, 0),
    }


def _registered(experiment: str, unit_type: str, **cells: Any) -> list[Row]:
    return [
        {
            "experiment_id": experiment,
            "phase": 0,
            "variation_id": variation,
            "name": experiment,
            "unit_type": unit_type,
            "is_control": variation == "a",
            "expected_weight": Decimal("0.5"),
            "started_at": _at(1, 0),
            "planned_end_at": _at(30, 0),
            "planned_units": 100,
            "mde_relative": Decimal("0.1"),
            "status": "running",
            "ingested_at": _at(40, 0),
            **cells,
        }
        for variation in ("a", "b")
    ]


def _bot(bot: str, creator: str, updated_at: datetime) -> Row:
    return {
        "bot_id": bot,
        "updated_at": updated_at,
        "creator_id": creator,
        "name": bot,
        "workflow": "chat",
        "is_ai_generated": False,
        "created_at": _at(1, 0),
        "ingested_at": _at(40, 0),
    }


def _internal(user: str) -> Row:
    return {
        "user_id": user,
        "updated_at": _at(17, 0),
        "signed_up_at": _at(1, 0),
        "role": "student",
        "is_internal": True,
        "ingested_at": _at(40, 0),
    }


def _first() -> dict[str, list[Row]]:
    # Somebody who is in no experiment, so that every day has neighbours.
    events = [
        _event(f"open{day}", _at(day, 8), "u0", event_name="app_open") for day in range(1, 18)
    ]
    events += [
        _event("u1_before", _at(2, 9), "u1"),
        _event("u1_after", _at(2, 11), "u1"),
        _event("u5_before", _at(2, 9), "u5"),
        _event("u2_early_before", _at(3, 9), "u2"),
        _event("u2_early_after", _at(3, 11), "u2"),
        _event("u2_after", _at(4, 11), "u2"),
        _event("u2_later", _at(4, 12), "u2"),
        _event("a1_after", _at(6, 11), None, anonymous_id="a1"),
        _event("u9_after", _at(6, 12), "u9"),
        _event("u3_after", _at(8, 13), "u3"),
        _event("u4_after", _at(10, 11), "u4"),
        _event("u7_there", _at(10, 11), "u7"),
        _event("u7_bot", _at(12, 11), "u7", bot_id="b1"),
        _event("u4_bot", _at(12, 12), "u4", bot_id="b1"),
        _event("u4_b2", _at(14, 11), "u4", bot_id="b2"),
        _event("u4_b3", _at(14, 12), "u4", bot_id="b3"),
        _event("u8_after", _at(16, 11), "u8"),
        _event("u6_after", _at(17, 11), "u6"),
        _event("u6_moved", _at(17, 12), "u6"),
    ]
    return {
        "events": events,
        "experiments": [
            *_registered("people", "user"),
            *_registered("short", "user"),
            *_registered("bots", "bot"),
            *_registered("creators", "creator"),
        ],
        "experiment_exposures": [
            _exposure("people", "u1", _at(2, 10)),
            _exposure("people", "u5", _at(2, 10)),
            _exposure("people", "u2", _at(4, 10)),
            _exposure("people", "a1", _at(6, 10)),
            _exposure("people", "u3", _at(8, 10)),
            _exposure("people", "u4", _at(10, 10)),
            _exposure("people", "u6", _at(17, 10)),
            _exposure("short", "u8", _at(16, 10)),
            _exposure("bots", "b1", _at(12, 10)),
            _exposure("creators", "k1", _at(14, 10)),
        ],
        "bots": [
            _bot("b1", "k2", _at(1, 0)),
            _bot("b2", "k1", _at(1, 0)),
            _bot("b3", "k2", _at(1, 0)),
        ],
    }


def _second() -> dict[str, list[Row]]:
    return {
        "events": [
            # The next day closes day 17.
            _event("open18", _at(18, 8), "u0", event_name="app_open"),
            _event("u4_late", _at(10, 15), "u4"),
            {**_event("u1_after", _at(2, 11), "u1"), "ingested_at": _at(41, 0)},
        ],
        "experiment_exposures": [
            # An earlier exposure comes late: the day of exposure moves from day 4 to day 3.
            _exposure("people", "u2", _at(3, 10)),
            # A second variation: the unit is left out, and day 8 has none.
            _exposure("people", "u3", _at(8, 12), "b"),
            # Logged again, and copied: neither moves the first exposure.
            _exposure("people", "u4", _at(12, 10)),
            _exposure("people", "u4", _at(10, 10)),
        ],
    }


def _third() -> dict[str, list[Row]]:
    return {
        "identity_links": [
            {
                "anonymous_id": "a1",
                "user_id": "u9",
                "linked_at": _at(6, 9),
                "ingested_at": _at(41, 0),
            }
        ],
        # A unit that is no customer, and one who met an exposed bot on day 12.
        "users": [_internal("u1"), _internal("u7")],
        # The creator exposed on day 14 turns out to have had one bot more.
        "bots": [_bot("b3", "k1", _at(13, 0))],
        # The phase turns out to have ended before the exposure of day 16.
        "experiments": _registered(
            "short", "user", ended_at=_at(15, 0), status="stopped", ingested_at=_at(41, 0)
        ),
        # A copy that says the event was earlier wins: day 17 loses it.
        "events": [_event("u6_moved", _at(15, 12), "u6")],
    }


def _land(lake: Path, load: str, tables: dict[str, list[Row]]) -> None:
    for name, rows in tables.items():
        write_rows(lake, name, load, rows)
    register(lake)


def _build(warehouse: Warehouse) -> None:
    if not warehouse.database.is_file():
        warehouse.dbt("seed", "--exclude", "path:seeds/raw")
    warehouse.dbt("run", "--select", "+int_exposure_days_measured")


def _mark(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute(
            f"update {FACT} set conversation_reset_count = conversation_reset_count + {MARK}"
        )


def _days(warehouse: Warehouse) -> tuple[set[int], set[int]]:
    """Days in March that stand as they were marked, and those built since; takes the marks away."""
    days = warehouse.query(
        f"select day(event_date), min(conversation_reset_count), max(conversation_reset_count) "
        f"from {FACT} group by event_date"
    )
    assert all(low // MARK == high // MARK for _, low, high in days), "half a day was rebuilt"
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute(
            f"update {FACT} set conversation_reset_count = conversation_reset_count - {MARK} "
            f"where conversation_reset_count >= {MARK}"
        )
    kept = {day for day, low, _ in days if low >= MARK}
    return kept, {day for day, _, _ in days} - kept


def _stored(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    return {name: warehouse.contents(name) for name in STORED}


def test_only_days_of_exposure_that_changed_are_read_again(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    step = Warehouse(tmp_path / "step", dbt_runner(tmp_path / "step"), lake)
    whole = Warehouse(tmp_path / "whole", dbt_runner(tmp_path / "whole"), lake)

    _land(lake, "first", _first())
    _build(step)
    assert _days(step) == (set(), {2, 4, 6, 8, 10, 12, 14, 16})

    _mark(step)
    _land(lake, "second", _second())
    _build(step)
    assert _days(step) == ({2, 6, 12, 14, 16}, {3, 10, 17})

    _mark(step)
    _land(lake, "third", _third())
    _build(step)
    assert _days(step) == ({3, 10}, {2, 6, 12, 14, 17})

    _build(whole)
    expected = _stored(whole)
    assert _stored(step) == expected
    messages = whole.query(
        "select units.unit_id, days.messages "
        "from intermediate.int_exposure_days_measured as days "
        "inner join intermediate.int_units_assigned as units "
        "using (experiment_id, phase, unit_type, unit_key) order by all"
    )
    # Of u5 nothing was seen after its exposure: it has zeros in the fact and no outcome.
    assert messages == [("b1", 1), ("k1", 2), ("u2", 1), ("u4", 2), ("u6", 1), ("u9", 2)]

    # What was done to the fact by hand is undone by the next build; nothing new moves nothing else.
    _mark(step)
    with duckdb.connect(str(step.database)) as connection:
        connection.execute(f"delete from {FACT} where event_date = date '2026-03-02'")
        connection.execute(f"insert into {FACT} from {FACT} where event_date = date '2026-03-10'")
        connection.execute(
            f"update {FACT} set day_checksum = 1 where event_date = date '2026-03-06'"
        )
        connection.execute(
            f"insert into {FACT} (experiment_id, event_date) values ('people', date '2026-03-01')"
        )
    _build(step)
    assert _days(step) == ({3, 12, 14, 17}, {2, 6, 10})
    assert _stored(step) == expected
