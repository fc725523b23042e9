"""Every value fault a producer can send: it gets its one verdict and reason, and harms nothing beside it.

One inbox holds all faults, each between two good rows; it is landed and built once.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import dbt_runner
from plumbline.contract import contract
from plumbline.landing import land
from warehouse import MARTS, Warehouse

ARRIVED = datetime(2026, 1, 15, 12)
CANARY = "canary-7f3a-private-text"
SQL_TEXT = "'); drop table staging.stg_product__events__judged; --"
ABSENT = object()


@dataclass(frozen=True)
class Bare:
    """A JSON literal that ``json.dumps`` would not write."""

    text: str


@dataclass(frozen=True)
class Fault:
    """One bad row.

    Attributes:
        name: what is wrong.
        table: table of the contract.
        changes: cells that differ from a good row; ABSENT leaves a cell out.
        verdict: rejected (landing could not read the value) or quarantined (it breaks a rule).
        reason: the reason it must carry.
    """

    name: str
    table: str
    changes: dict[str, Any]
    verdict: str
    reason: str


@dataclass
class Template:
    """How to write a good row of a table.

    Attributes:
        key: column that identifies a row.
        mark: column that carries the name of the row, so that it is found whatever its fate.
        cells: the other cells.
        folder: format of the file.
    """

    key: str
    mark: str
    cells: dict[str, Any]
    format: str = "ndjson"
    rows: list[dict[str, Any]] = field(default_factory=list)


def templates() -> dict[str, Template]:
    moment = "2026-01-10T10:00:00Z"
    return {
        "events": Template(
            "event_id",
            "conversation_id",
            {
                "event_time": moment,
                "event_name": "message_sent",
                "bot_id": "b1",
                "engaged_seconds": 1.5,
            },
        ),
        "users": Template(
            "user_id",
            "acquisition_channel",
            {"updated_at": moment, "signed_up_at": moment, "role": "student", "is_internal": False},
        ),
        "bot_tags": Template("bot_id", "tag", {"valid_from": moment, "valid_to": None}),
        "subscription_events": Template(
            "event_id",
            "subscription_id",
            {
                "event_time": moment,
                "store": "web",
                "user_id": "u1",
                "event_type": "started",
                "plan_id": "plus",
                "period_count": 1,
                "period_unit": "month",
                "amount": Bare("9.990001"),
                "currency": "USD",
            },
        ),
        "orders": Template(
            "order_id",
            "product_id",
            {
                "ordered_at": moment,
                "user_id": "u1",
                "kind": "coins",
                "gross_amount": "5.000001",
                "refunded_amount": "0",
                "currency": "USD",
            },
            format="csv",
        ),
        "llm_ratings": Template(
            "rating_id",
            "response_id",
            {"rater_id": "u1", "rater_kind": "user", "rated_at": moment, "score": 5},
        ),
        "llm_auto_scores": Template(
            "response_id",
            "scorer_version",
            {"scored_at": moment, "groundedness": 1, "is_refusal": False},
        ),
        "creator_assessments": Template(
            "assessment_id",
            "assessor",
            {"creator_id": "c1", "assessed_at": moment, "attribute": "humour", "score": 0},
        ),
    }


def _faults() -> list[Fault]:
    found = []

    def add(name: str, table: str, verdict: str, reason: str, **changes: Any) -> None:
        found.append(Fault(name, table, changes, verdict, reason))

    # Ids and other required cells.
    for name, value in {"null": None, "empty": "", "blank": "  ", "absent": ABSENT}.items():
        add(f"event_id_{name}", "events", "quarantined", "missing:event_id", event_id=value)
        add(f"user_id_{name}", "events", "quarantined", "missing:user_id", user_id=value)
    add("event_name_null", "events", "quarantined", "missing:event_name", event_name=None)
    add("payer_null", "subscription_events", "quarantined", "missing:user_id", user_id=None)
    add("role_null", "users", "quarantined", "missing:role", role=None)

    # Amounts that are no amounts: JSON words, overflow, text that other readers take for numbers.
    for name, value in {
        "nan_word": Bare("NaN"),
        "infinity_word": Bare("Infinity"),
        "minus_infinity_word": Bare("-Infinity"),
        "overflow": Bare("1e400"),
        "nan_text": "NaN",
        "infinity_text": "Infinity",
        "overflow_text": "1e400",
        "hexadecimal": "0x10",
        "underscores": "1_000",
    }.items():
        add(f"amount_{name}", "subscription_events", "rejected", "invalid:amount", amount=value)
    for value in ("NaN", "inf", "1e400", "0x10", "1_000", "12,5"):
        add(f"csv_amount_{value}", "orders", "rejected", "invalid:gross_amount", gross_amount=value)
    add(
        "attention_nan",
        "events",
        "rejected",
        "invalid:engaged_seconds",
        engaged_seconds=Bare("NaN"),
    )

    # Amounts of the wrong sign or size.
    out = "quarantined"
    add("negative_charge", "subscription_events", out, "out_of_range:amount", amount=-5)
    add(
        "positive_refund",
        "subscription_events",
        out,
        "out_of_range:amount",
        event_type="refunded",
        amount=5,
    )
    add("no_periods", "subscription_events", out, "out_of_range:period_count", period_count=0)
    add("negative_order", "orders", out, "out_of_range:gross_amount", gross_amount="-5")
    add("refund_above_order", "orders", out, "out_of_range:refunded_amount", refunded_amount="6")
    add("negative_attention", "events", out, "out_of_range:engaged_seconds", engaged_seconds=-1)
    add(
        "attention_above_a_day",
        "events",
        out,
        "out_of_range:engaged_seconds",
        engaged_seconds=86401,
    )
    add(
        "negative_ad_revenue",
        "events",
        out,
        "out_of_range:revenue_usd",
        revenue_usd=Bare("-0.000001"),
    )

    # Times.
    add("time_null", "events", out, "missing:event_time", event_time=None)
    add(
        "time_before_1990",
        "events",
        out,
        "out_of_range:event_time",
        event_time="1970-01-01T00:00:00Z",
    )
    add("time_2099", "events", out, "out_of_range:event_time", event_time="2099-01-01T00:00:00Z")
    # A day ahead of its arrival is a wrong clock; an instant less is tolerated (see the good rows).
    add(
        "time_ahead_of_arrival",
        "events",
        out,
        "out_of_range:event_time",
        event_time="2026-01-16T12:00:00.000001Z",
    )
    for name, value in {
        "infinity": "infinity",
        "word": "yesterday",
        "30_february": "2026-02-30T10:00:00Z",
        "hour_25": "2026-01-10T25:00:00Z",
    }.items():
        add(f"time_{name}", "events", "rejected", "invalid:event_time", event_time=value)
    add(
        "tag_ends_before_it_begins",
        "bot_tags",
        out,
        "out_of_range:valid_to",
        valid_to="2026-01-09T00:00:00Z",
    )

    # Codes of closed lists, scores and rates.
    add("unknown_role", "users", out, "unknown:role", role="wizard")
    add("unknown_event_type", "subscription_events", out, "unknown:event_type", event_type="gifted")
    add("unknown_kind", "orders", out, "unknown:kind", kind="barter")
    add("unknown_rater", "llm_ratings", out, "unknown:rater_kind", rater_kind="cat")
    add("score_0", "llm_ratings", out, "out_of_range:score", score=0)
    add("score_6", "llm_ratings", out, "out_of_range:score", score=6)
    add("score_between", "llm_ratings", "rejected", "invalid:score", score=Bare("4.5"))
    add(
        "rate_above_1",
        "llm_auto_scores",
        out,
        "out_of_range:groundedness",
        groundedness=Bare("1.000001"),
    )
    add("rate_below_0", "creator_assessments", out, "out_of_range:score", score=Bare("-0.000001"))
    return found


FAULTS = _faults()

# Display names as people write them: none of them may change on the way.
NAMES = {
    "emoji": "Ada \U0001f469\u200d\U0001f680 \u2728",
    "arabic": "\u0645\u0631\u062d\u0628\u0627",
    "right_to_left_override": "abc\u202efdp.exe",
    "zero_width": "A\u200bda",
    "composed": "Caf\u00e9",
    "decomposed": "Cafe\u0301",
    "sql": SQL_TEXT,
    "markup": "<script>alert(1)</script>",
    "formula": "=1+1",
}


def _named(place: str, fault: Fault) -> str:
    # The closing sign keeps one name from being the start of another.
    return f"{place}:{fault.name};"


def _line(row: dict[str, Any]) -> str:
    cells = []
    for name, value in row.items():
        if value is not ABSENT:
            text = value.text if isinstance(value, Bare) else json.dumps(value)
            cells.append(f"{json.dumps(name)}: {text}")
    return "{" + ", ".join(cells) + "}"


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(_line(row) + "\n" for row in rows), encoding="utf-8")


def _fill(inbox: Path) -> int:
    """Write the inbox; returns the number of lines in it."""
    tables = templates()

    def good(table: str, name: str, **changes: Any) -> dict[str, Any]:
        template = tables[table]
        row = {template.key: name, **template.cells, template.mark: name}
        if table == "events":
            # A person of its own: all in one minute from one person would be a machine.
            row["user_id"] = name
        return {**row, **changes}

    for fault in FAULTS:
        rows = tables[fault.table].rows
        rows.append(good(fault.table, _named("before", fault)))
        rows.append({**good(fault.table, _named("fault", fault)), **fault.changes})
        rows.append(good(fault.table, _named("after", fault)))
    events = tables["events"].rows
    events += [
        good(
            "events", "within_tolerance", event_time="2026-01-16T12:00:00Z", event_name="app_open"
        ),
        good("events", "without_zone", event_time="2026-01-10T10:00:00"),
        good("events", "other_zone", event_time="2026-01-10T01:30:00+02:00"),
        good("events", "unknown_name", event_name="brand_new_event"),
        good("events", "sql_text", bot_id=SQL_TEXT),
        # 90 days late: beyond any window one might look back.
        good("events", "very_late", event_time="2025-10-12T10:00:00Z", user_id="latecomer"),
        # The same event twice in one file, and once more, earlier, in another.
        good("events", "copied", event_time="2026-01-10T11:00:00Z", user_id="copier"),
        good("events", "copied", event_time="2026-01-10T11:00:00Z", user_id="copier"),
    ]
    tables["subscription_events"].rows += [
        good("subscription_events", "proper_refund", event_type="refunded", amount=-5),
        good("subscription_events", "free_start", amount=0),
    ]
    second = [
        good("events", "copied", event_time="2026-01-09T11:00:00Z", user_id="copier"),
        good("events", "in_second_file"),
    ]
    bots = [
        {
            "bot_id": f"bot_{name}",
            "updated_at": "2026-01-01T00:00:00Z",
            "creator_id": SQL_TEXT if name == "sql" else "c1",
            "name": text,
            "workflow": "chat",
            "is_ai_generated": False,
            "created_at": "2026-01-01T00:00:00Z",
        }
        for name, text in NAMES.items()
    ]
    # Private text in every column that the contract calls private, so that a leak shows by its content.
    private = {
        "creators": {
            "creator_id": "c1",
            "updated_at": "2026-01-01T00:00:00Z",
            "handle": CANARY,
            "category": "study",
            "joined_at": "2026-01-01T00:00:00Z",
        },
        "llm_responses": {
            "response_id": "r1",
            "responded_at": "2026-01-10T10:00:00Z",
            "user_id": "u1",
            "model_version": "m1",
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "latency_ms": 1,
            "cost_usd": 0,
            "prompt_text": CANARY,
            "source_text": CANARY,
            "response_text": CANARY,
        },
    }
    files = {f"{name}.{template.format}": template.rows for name, template in tables.items()}
    files |= {"events/resent.ndjson": second, "bots.ndjson": bots}
    files |= {f"{name}.ndjson": [row] for name, row in private.items()}
    for path, rows in files.items():
        _write(inbox / path, rows)
    return sum(map(len, files.values()))


@dataclass
class Landed:
    """The built warehouse, and how many lines went in."""

    warehouse: Warehouse
    lines: int
    output: str

    def fate(self, table: str, name: str) -> list[tuple[str, str]]:
        """Verdicts and reasons of the rows of this name."""
        model = f"staging.{contract()[table].staging_model}"
        quoted = name.replace("'", "''")
        found = self.warehouse.query(
            "select 'rejected', reason from staging.stg_landing__rejects "
            f"where table_name = '{table}' and contains(payload, '{quoted}') "
            f"union all select 'quarantined', quarantine_reason from {model}__quarantine as t "
            f"where contains(cast(t as varchar), '{quoted}') "
            f"union all select 'duplicate', 'none' from {model}__duplicates as t "
            f"where contains(cast(t as varchar), '{quoted}')"
        )
        if table == "events":
            # Accepted events carry keys in place of texts.
            found += self.warehouse.query(
                "select 'accepted', 'none' from staging.stg_product__events "
                f"where conversation_key = (select any_value(conversation_key) "
                f"from staging.stg_product__events__typed where conversation_id = '{quoted}')"
            )
        else:
            found += self.warehouse.query(
                f"select 'accepted', 'none' from {model} as t where contains(cast(t as varchar), '{quoted}')"
            )
        return found


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landed]:
    folder = tmp_path_factory.mktemp("faults")
    inbox, lake = folder / "inbox", folder / "lake"
    inbox.mkdir()
    lines = _fill(inbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_PSEUDONYM_SALT", "a-salt-of-this-test")
        land(inbox, lake, ingested_at=ARRIVED).raise_for_failures()
    warehouse = Warehouse(folder, dbt_runner(folder), lake)
    # Data tests run as well: faults that are few and well kept apart must not stop a build.
    output = warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    yield Landed(warehouse, lines, output)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.table}-{fault.name}")
def test_a_fault_has_its_one_verdict_and_its_neighbours_are_accepted(
    landed: Landed, fault: Fault
) -> None:
    assert landed.fate(fault.table, _named("fault", fault)) == [(fault.verdict, fault.reason)]
    for neighbour in ("before", "after"):
        assert landed.fate(fault.table, _named(neighbour, fault)) == [("accepted", "none")]


def test_every_line_is_in_exactly_one_verdict(landed: Landed) -> None:
    rows = landed.warehouse.query(
        "select line_count, accepted_count + duplicate_count + rejected_count + quarantined_count "
        "from core.fct_loads"
    )
    assert all(lines == verdicts for lines, verdicts in rows)
    assert sum(lines for lines, _ in rows) == landed.lines


def test_counts_by_verdict_are_those_of_the_faults_written(landed: Landed) -> None:
    (counts,) = landed.warehouse.query(
        "select sum(rejected_count), sum(quarantined_count), sum(duplicate_count) from core.fct_loads"
    )
    rejected = sum(fault.verdict == "rejected" for fault in FAULTS)
    assert counts == (rejected, len(FAULTS) - rejected, 2)


def test_money_of_good_rows_is_kept_to_the_last_digit(landed: Landed) -> None:
    charged = sum(fault.table == "subscription_events" for fault in FAULTS) * 2
    ordered = sum(fault.table == "orders" for fault in FAULTS) * 2
    sums = landed.warehouse.query(
        "select (select sum(amount) from staging.stg_billing__subscription_events), "
        "(select sum(gross_amount) from staging.stg_billing__orders)"
    )
    assert sums == [(charged * Decimal("9.990001") - 5, ordered * Decimal("5.000001"))]


def test_a_refund_may_be_negative_and_a_start_may_cost_nothing(landed: Landed) -> None:
    assert landed.fate("subscription_events", "proper_refund") == [("accepted", "none")]
    assert landed.fate("subscription_events", "free_start") == [("accepted", "none")]


def test_a_reject_keeps_the_line_as_it_came(landed: Landed) -> None:
    [(payload,)] = landed.warehouse.query(
        "select payload from staging.stg_landing__rejects where contains(payload, 'fault:amount_overflow;')"
    )
    assert '"amount": 1e400' in payload


def test_a_time_without_a_zone_is_utc_and_an_offset_is_applied(landed: Landed) -> None:
    rows = landed.warehouse.query(
        "select conversation_id, event_time, event_date from staging.stg_product__events__typed "
        "where conversation_id in ('without_zone', 'other_zone') order by 1"
    )
    assert [(name, moment) for name, moment, _ in rows] == [
        ("other_zone", datetime(2026, 1, 9, 23, 30)),
        ("without_zone", datetime(2026, 1, 10, 10)),
    ]
    assert [str(day) for *_, day in rows] == ["2026-01-09", "2026-01-10"]


def test_a_clock_a_day_ahead_is_tolerated(landed: Landed) -> None:
    assert landed.fate("events", "within_tolerance") == [("accepted", "none")]


def test_an_unknown_event_name_is_kept_and_counted(landed: Landed) -> None:
    assert landed.fate("events", "unknown_name") == [("accepted", "none")]
    assert landed.warehouse.query(
        "select sum(unknown_event_count) from intermediate.int_user_days_classified"
    ) == [(1,)]


def test_of_copies_across_files_the_earliest_counts_once(landed: Landed) -> None:
    assert sorted(landed.fate("events", "copied")) == [
        ("accepted", "none"),
        ("duplicate", "none"),
        ("duplicate", "none"),
    ]
    assert landed.warehouse.query(
        "select cast(activity_date as varchar), message_count from growth.fct_user_days "
        "where person_id = 'copier'"
    ) == [("2026-01-09", 1)]


def test_an_event_90_days_late_counts_on_its_own_day(landed: Landed) -> None:
    assert landed.warehouse.query(
        "select cast(activity_date as varchar) from growth.fct_user_days where person_id = 'latecomer'"
    ) == [("2025-10-12",)]
    # The calendar begins with it, and the three quiet months in between are days with nobody.
    first, days, quiet = landed.warehouse.query(
        "select cast(min(activity_date) as varchar), count(*), "
        "count(*) filter (where daily_active_users = 0) from growth.agg_active_users__daily"
    )[0]
    assert (first, days, quiet) == ("2025-10-12", 96, 93)


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_stored_as_it_was_written(landed: Landed, kind: str) -> None:
    assert landed.warehouse.query(
        f"select bot_name from core.dim_bots where bot_id = 'bot_{kind}'"
    ) == [(NAMES[kind],)]


def test_composed_and_decomposed_names_share_a_key(landed: Landed) -> None:
    names = landed.warehouse.query(
        "select count(distinct bot_name), count(distinct bot_name_key) from core.dim_bots "
        "where bot_id in ('bot_composed', 'bot_decomposed')"
    )
    assert names == [(2, 1)]


def test_sql_in_a_value_is_data(landed: Landed) -> None:
    assert landed.warehouse.query(
        "select creator_id from core.dim_bots where bot_id = 'bot_sql'"
    ) == [(SQL_TEXT,)]
    quoted = SQL_TEXT.replace("'", "''")
    assert landed.warehouse.query(
        f"select sum(message_count) from engagement.agg_bot_engagement__daily where bot_id = '{quoted}'"
    ) == [(1,)]
    [(rows,)] = landed.warehouse.query("select count(*) from staging.stg_product__events__judged")
    assert rows > 0


def _wrong_columns(
    warehouse: Warehouse, types: tuple[str, ...], condition: str
) -> list[tuple[str, str]]:
    """Columns of marts, of some types, with a value under a condition; one query a mart."""
    columns = warehouse.query(
        "select schema_name || '.' || table_name, list(column_name) from duckdb_columns() "
        f"where list_contains({list(MARTS)}, schema_name) and list_contains({list(types)}, data_type) "
        "group by all order by 1"
    )
    assert len(columns) > 50
    wrong = []
    for table, names in columns:
        counts = ", ".join(f"count(*) filter (where {condition.format(name)})" for name in names)
        (found,) = warehouse.query(f"select {counts} from {table}")
        wrong += [(table, name) for name, count in zip(names, found, strict=True) if count]
    return wrong


def test_no_number_of_a_mart_is_nan_or_infinite(landed: Landed) -> None:
    assert _wrong_columns(landed.warehouse, ("DOUBLE", "FLOAT"), "not isfinite({})") == []


def test_private_text_reaches_no_mart(landed: Landed) -> None:
    leaks = f"contains({{}}, '{CANARY}')"
    assert _wrong_columns(landed.warehouse, ("VARCHAR",), leaks) == []
    # The texts are there, one layer further in, and the handle is nowhere in clear.
    assert landed.warehouse.query(
        f"select count(*) from staging.stg_llm__responses where prompt_text = '{CANARY}'"
    ) == [(1,)]
    assert landed.warehouse.query(
        f"select count(*) from staging.stg_creators__creators where handle = '{CANARY}' or handle is null"
    ) == [(0,)]


def test_freshness_ignores_a_row_dated_in_the_future(landed: Landed) -> None:
    landed.warehouse.dbt("source", "freshness", "--select", "source:lake.events", check=False)
    [report] = landed.warehouse.folder.rglob("sources.json")
    [result] = json.loads(report.read_text())["results"]
    # 2099 is in the lake, and says nothing: the newest plausible row does.
    assert result["max_loaded_at"].startswith("2026-01-16T12:00:00")
