"""Truth against an independent recount over the written files, and planted chances recovered."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from plumbline.simulate import Settings, Truth, simulate

SETTINGS = Settings(users=900, days=70, seed=11, bots=40, workflows=8, creators=30)
SIGMA = 4.0


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Truth]]:
    """A dirty run, and views of its accepted human rows up to the last complete day."""
    out = tmp_path_factory.mktemp("truth")
    truth = simulate(SETTINGS, out)
    sql = duckdb.connect()
    as_of = truth.expected["as_of"]
    _accepted(sql, out, "events", "event_id", "event_time")
    _accepted(sql, out, "llm_responses", "response_id", "responded_at")
    _accepted(sql, out, "llm_ratings", "rating_id", "rated_at")
    _accepted(sql, out, "subscription_events", "event_id", "event_time")
    _accepted(sql, out, "users", "user_id", "updated_at desc")
    _accepted(sql, out, "identity_links", "anonymous_id", "linked_at")
    _accepted(sql, out, "experiment_exposures", "experiment_id, variation_id, unit_id, exposed_at",
              "exposed_at")  # fmt: skip
    sql.execute(
        f"""
        create table person as
        select e.*, coalesce(e.user_id, l.user_id, e.anonymous_id) as person_id,
            e.event_time::date as day
        from events e left join identity_links l on e.user_id is null
            and e.anonymous_id = l.anonymous_id
        where e.event_time::date <= date '{as_of}';
        create table automated as
        select person_id, day from (
            select person_id, day, count(*) over (partition by person_id, day) as daily,
                sum((event_name = 'message_sent')::int) over (
                    partition by person_id, date_trunc('minute', event_time)) as minutely
            from person
        ) group by all having max(daily) > 2000 or max(minutely) > 20;
        create table human as
        select p.* from person p
        left join users u on u.user_id = p.person_id
        anti join automated a on a.person_id = p.person_id and a.day = p.day
        where not coalesce(u.is_internal, false);
        create table user_day as
        select distinct person_id, day from human
        where event_name in ('message_sent', 'feature_used');
        """
    )
    yield sql, truth
    sql.close()


# Rows that no rule condemns; enough for the kinds of dirt the generator makes.
_GOOD = {
    "events": "event_id is not null and coalesce(user_id, anonymous_id) is not null "
    "and event_name <> '' and event_time between timestamp '1990-01-01' "
    "and ingested_at + interval 1 day and coalesce(engaged_seconds, 0) >= 0 "
    "and coalesce(revenue_usd, 0) >= 0",
    "llm_responses": "latency_ms >= 0 and model_version is not null",
    "llm_ratings": "score between 1 and 5 and rater_kind <> 'robot'",
    "subscription_events": "event_type <> 'paused' and period_count > 0 and user_id is not null",
    "users": "role <> 'pupil' and signed_up_at is not null",
    "identity_links": "user_id is not null",
    "experiment_exposures": "unit_id is not null and experiment_id <> 'x99' "
    "and exposed_at <= ingested_at + interval 1 day",
}


def _accepted(sql: duckdb.DuckDBPyConnection, out: Path, name: str, key: str, order: str) -> None:
    sql.execute(
        f"create table {name} as select * from '{out}/{name}/*.parquet' where {_GOOD[name]} "
        f"qualify row_number() over (partition by {key} order by {order}) = 1"
    )


def pairs(sql: duckdb.DuckDBPyConnection, query: str) -> dict[Any, Any]:
    return dict(sql.sql(query).fetchall())


def one(sql: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = sql.sql(query).fetchone()
    assert found is not None
    return found[0]


def near(successes: float, trials: float, chance: float) -> None:
    """The count lies within four standard deviations of its planted mean."""
    assert trials > 0
    spread = sqrt(trials * chance * (1 - chance))
    assert abs(successes - trials * chance) <= SIGMA * spread + 1e-9, (successes, trials, chance)


@pytest.mark.parametrize("name", sorted(_GOOD))
def test_accepted_rows_recount(run: tuple[duckdb.DuckDBPyConnection, Truth], name: str) -> None:
    sql, truth = run
    told = truth.expected["tables"][name]["accepted"]
    assert one(sql, f"select count(*) from {name}") == told


def test_activity_recounts(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    sql, truth = run
    told = truth.expected
    assert one(sql, "select count(*) from user_day") == told["user_days"]
    daily = pairs(sql, "select day::varchar, count(*) from user_day group by 1")
    assert daily == {day: count for day, count in told["dau"].items() if count}
    named = pairs(sql, "select event_name, count(*) from human group by 1")
    assert named == told["events"]["by_name"]
    assert one(sql, "select count(*) from automated a left join users u on u.user_id = a.person_id "
               "where not coalesce(u.is_internal, false)") == told["automated_user_days"]  # fmt: skip
    assert one(sql, "select count(distinct session_id) from human") == told["sessions"]
    revenue = one(sql, "select (sum(revenue_usd) * 1000000)::bigint from human")
    assert revenue == told["events"]["ad_revenue_micro_usd"]


def test_sessions_are_cut_by_thirty_minutes(
    run: tuple[duckdb.DuckDBPyConnection, Truth],
) -> None:
    sql, truth = run
    cut = one(sql, """
        select count(*) from (select event_time - lag(event_time) over (
            partition by person_id order by event_time) as gap from human)
        where gap is null or gap > interval 30 minute""")  # fmt: skip
    assert cut == truth.expected["sessions"]


def test_bot_counts_recount_and_chances_recover(
    run: tuple[duckdb.DuckDBPyConnection, Truth],
) -> None:
    sql, truth = run
    told, planted = truth.expected["by_bot"], truth.planted["bots"]
    shown = pairs(
        sql, "select bot_id, count(*) from human where event_name = 'bot_impression' group by 1"
    )
    # Attribution by brute force: each view to the latest unused earlier impression in 30 minutes.
    seen: dict[tuple[str, str], list[Any]] = {}
    clicks: dict[str, int] = {}
    unattributed: dict[str, int] = {}
    rows = sql.sql(
        "select person_id, bot_id, event_time, event_name from human "
        "where event_name in ('bot_impression', 'bot_view') order by event_time, event_name"
    ).fetchall()
    for person, bot, at, name in rows:
        stack = seen.setdefault((person, bot), [])
        if name == "bot_impression":
            stack.append(at)
        elif stack and (at - stack[-1]).total_seconds() <= 1800:
            stack.pop()
            clicks[bot] = clicks.get(bot, 0) + 1
        else:
            unattributed[bot] = unattributed.get(bot, 0) + 1
    views = sql.sql("""
        with viewed as (select person_id, bot_id, day, min(event_time) as first from human
            where event_name = 'bot_view' group by all),
        started as (select v.*, exists (select 1 from human m where m.event_name = 'message_sent'
            and m.person_id = v.person_id and m.bot_id = v.bot_id and m.day = v.day
            and m.event_time >= v.first) as chats from viewed v)
        select bot_id, count(*), sum(chats::int) from started group by 1""").fetchall()  # fmt: skip
    viewers = {bot: count for bot, count, _ in views}
    starters = {bot: int(chats) for bot, _, chats in views}
    for place, bot in enumerate(told["bot_id"]):
        assert shown.get(bot, 0) == told["impressions"][place]
        assert clicks.get(bot, 0) == told["clicks"][place]
        assert unattributed.get(bot, 0) == told["unattributed"][place]
        assert viewers.get(bot, 0) == told["viewers"][place]
        assert starters.get(bot, 0) == told["starters"][place]
        if shown.get(bot, 0):
            near(clicks.get(bot, 0), shown[bot], planted["ctr"][place])
        if viewers.get(bot, 0):
            chance = planted["starts_expected"][place] / viewers[bot]
            near(starters.get(bot, 0), viewers[bot], chance)


def test_retention_recounts_and_recovers(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    sql, truth = run
    as_of = truth.expected["as_of"]
    for age, roles in truth.expected["retention"].items():
        found = sql.sql(f"""
            with cohort as (select d.person_id, min(d.day) as first, any_value(u.role) as role
                from user_day d join users u on u.user_id = d.person_id group by 1
                having min(d.day) + {age} <= date '{as_of}')
            select role, count(*), sum((exists (select 1 from user_day d
                where d.person_id = c.person_id and d.day = c.first + {age}))::int)
            from cohort c group by 1""").fetchall()  # fmt: skip
        for role, size, returned in found:
            told = roles[role]
            assert (size, returned) == (told["size"], told["returned"]), (age, role)
            assert abs(returned - told["expected"]) <= SIGMA * sqrt(told["variance"])


def test_message_methods_recover(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    told, planted = run[1].expected["messages"], run[1].planted["product"]
    counts = pairs(
        run[0], "select method, count(*) from human where event_name = 'message_sent' group by 1"
    )
    assert counts == told["by_method"]
    for model, methods in told["follow_ups"].items():
        total = sum(methods.values())
        near(methods["regenerate"], total, planted["regenerate_rate"][model])
        near(methods["continue"], total, planted["continue_rate"])
        near(methods["edit"], total, planted["edit_rate"])
    chats = run[1].expected["chats"]["from_view"]
    for name, rate in (("conversation_reset", "reset_rate"), ("bot_follow", "follow_rate"),
                       ("image_generated", "image_rate")):  # fmt: skip
        near(run[1].expected["events"]["by_name"][name], chats, planted[rate])


def test_exposures_recount_and_arms_recover(
    run: tuple[duckdb.DuckDBPyConnection, Truth],
) -> None:
    sql, truth = run
    as_of = truth.expected["as_of"]
    for trial in truth.planted["experiments"]:
        if trial["unit"] != "user" or trial["kind"] in ("draft", "multi_exposed", "cancel"):
            continue
        for phase in trial["phases"]:
            told = truth.expected["experiments"][trial["experiment_id"]][str(phase["phase"])]
            found = pairs(sql, f"""
                select variation_id, count(distinct coalesce(l.user_id, unit_id))
                from experiment_exposures x left join identity_links l on l.anonymous_id = unit_id
                left join users u on u.user_id = coalesce(l.user_id, unit_id)
                where experiment_id = '{trial["experiment_id"]}'
                and exposed_at >= date '{phase["start"]}' and exposed_at < date '{phase["end"]}'
                and exposed_at::date <= date '{as_of}' and not coalesce(u.is_internal, false)
                group by 1""")  # fmt: skip
            assert found == {name: count for name, count in told["units"].items() if count}
            total = sum(found.values())
            for place, name in enumerate(told["units"]):
                near(found.get(name, 0), total, phase["actual"][place])


def test_planted_effects_change_behaviour(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    truth = run[1]
    arms: dict[str, dict[str, float]] = {}
    for trial in truth.planted["experiments"]:
        if trial["kind"] != "segment":
            continue
        outcomes = truth.expected["experiments"][trial["experiment_id"]]["0"]["outcomes"]
        for arm, platforms in outcomes.items():
            ios = platforms["ios"]
            arms[arm] = {"mean": ios["chat_messages"] / ios["chats"], "n": ios["chats"]}
    # Geometric lengths: variance mean * (mean - 1).
    lift = arms["treatment"]["mean"] - arms["control"]["mean"]
    spread = sqrt(sum(arm["mean"] * (arm["mean"] - 1) / arm["n"] for arm in arms.values()))
    assert abs(lift - 0.3 * 4.0) <= SIGMA * spread


def test_subscription_chances_recover(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    sql, truth = run
    told, planted = truth.expected["billing"], truth.planted["subscriptions"]
    found = pairs(sql, "select event_type, count(*) from subscription_events group by 1")
    assert found == {name: count for name, count in told["events"].items() if count}
    near(told["trials_converted"], told["trials_ended"], planted["trial_converts"])
    for name, plan in told["plans"].items():
        if plan["periods_closed"]:
            # A refund ends a period before anybody can cancel it; those are not counted.
            near(plan["cancelled"], plan["periods_closed"], planted["plans"][name]["cancel"])


def test_subscriptions_are_consistent_lives(
    run: tuple[duckdb.DuckDBPyConnection, Truth],
) -> None:
    sql, _ = run
    assert one(sql, """
        select count(*) from (select event_type, row_number() over (
            partition by subscription_id order by event_time, event_id) as n
            from subscription_events)
        where n = 1 and event_type not in ('trial_started', 'started')""") == 0  # fmt: skip
    assert one(sql, """
        select count(*) from subscription_events s join subscription_events e
        using (subscription_id) where e.event_type = 'expired' and s.event_time > e.event_time
        """) == 0  # fmt: skip
    assert one(sql, "select count(*) from subscription_events where (event_type = 'refunded') "
               "<> (amount < 0)") == 0  # fmt: skip


def test_answers_and_ratings_recover(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    sql, truth = run
    told, planted = truth.expected["llm"], truth.planted["llm"]
    for model, faults in told["faults"].items():
        total = sum(faults.values())
        counted = one(sql, f"select count(*) from llm_responses where model_version = '{model}'")
        assert counted == total
        for fault, chance in planted["fault_rate"][model].items():
            if total:
                near(faults[fault], total, chance)
    labels = planted["fault_by_response_text"]
    texts: dict[str, int] = {}
    for (text,) in sql.sql(
        "select response_text from llm_responses where response_text is not null"
    ).fetchall():
        texts[labels[text]] = texts.get(labels[text], 0) + 1
    assert texts == {name: count for name, count in told["texts"].items() if count}
    for kind in ("human", "judge"):
        rated = told["ratings"][kind]
        sensitivity, specificity = planted[f"{kind}_sensitivity_specificity"]
        near(rated["flagged_faulty"], rated["faulty"], sensitivity)
        near(rated["flagged_clean"], rated["count"] - rated["faulty"], 1 - specificity)
    scores = pairs(sql, "select rater_kind, sum(score) from llm_ratings group by 1")
    assert scores == {kind: rated["score_sum"] for kind, rated in told["ratings"].items()}


def test_creator_weights_drive_next_month(run: tuple[duckdb.DuckDBPyConnection, Truth]) -> None:
    found = run[1].planted["creators"]["spearman_score_next_month"]
    assert found
    assert min(found.values()) > 0
