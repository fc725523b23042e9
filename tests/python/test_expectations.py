"""The landing gate names planted faults and leaves clean data alone."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from plumbline.contract.model import contract
from plumbline.errors import PlumblineError
from plumbline.landing import expectations as gate
from plumbline.landing.data_docs import offline_page
from plumbline.landing.profile import FRAME_COLUMNS, profile_landing
from plumbline.project import project_root

FIRST_DAY = dt.date(2024, 1, 1)
DAYS = 64
# The last day has only begun; the one before it is the last complete day and is judged.
JUDGED = FIRST_DAY + dt.timedelta(days=DAYS - 2)
PARTIAL = FIRST_DAY + dt.timedelta(days=DAYS - 1)


class World:
    """A small clean product whose tables a test may spoil before they are written to a lake.

    Events have a weekly season (weekends at 60 %), mild growth, users of unequal activity; the
    last day is a quarter of a day.
    """

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.tables: dict[str, pd.DataFrame] = {}
        users = np.array([f"u{n}" for n in range(400)])
        bots = np.array([f"b{n}" for n in range(30)])
        activity = draw.gamma(1.0, 1.0, users.size)
        activity /= activity.sum()
        country_of = draw.choice(["DE", "US", "FR", "BR"], users.size, p=[0.4, 0.3, 0.2, 0.1])
        start = pd.Timestamp(FIRST_DAY)
        season = np.array([1.0, 1.02, 1.0, 0.98, 1.0, 0.6, 0.62])
        level = season[np.arange(DAYS) % 7] * 1.003 ** np.arange(DAYS)
        level[-1] *= 0.25

        def times(per_day: float) -> np.ndarray:
            counts = draw.poisson(per_day * level)
            seconds = draw.uniform(0, 86_400, counts.sum())
            seconds[len(seconds) - counts[-1] :] *= 0.25
            days = np.repeat(np.arange(DAYS), counts)
            return (start + pd.to_timedelta(days * 86_400 + seconds, unit="s")).floor("us").values

        def table(name: str, time: np.ndarray, /, **columns: object) -> None:
            frame = pd.DataFrame({contract()[name].time: time, **columns})
            frame["ingested_at"] = frame[contract()[name].time] + pd.Timedelta(minutes=5)
            self.tables[name] = frame

        at = times(400)
        user = draw.choice(users.size, at.size, p=activity)
        names = ["app_open", "bot_impression", "bot_view", "message_sent"]
        table(
            "events",
            at,
            event_id=[f"e{n}" for n in range(at.size)],
            user_id=users[user],
            session_id=[f"s{n // 5}" for n in range(at.size)],
            event_name=draw.choice(names, at.size, p=[0.2, 0.4, 0.2, 0.2]),
            bot_id=draw.choice(bots, at.size),
            platform=draw.choice(["ios", "android", "web"], at.size, p=[0.5, 0.3, 0.2]),
            country=np.where(draw.random(at.size) < 0.02, None, country_of[user]),
            engaged_seconds=draw.lognormal(3, 0.8, at.size).round(3),
        )
        at = times(120)
        table(
            "llm_responses",
            at,
            response_id=[f"r{n}" for n in range(at.size)],
            user_id=users[draw.choice(users.size, at.size, p=activity)],
            bot_id=draw.choice(bots, at.size),
            model_version=draw.choice(["m1", "m2"], at.size, p=[0.7, 0.3]),
            prompt_tokens=draw.poisson(300, at.size),
            completion_tokens=draw.poisson(150, at.size),
            latency_ms=draw.lognormal(6.5, 0.5, at.size).astype(int),
            cost_usd=draw.gamma(2, 0.001, at.size).round(6),
        )
        responses = self.tables["llm_responses"]
        at = times(60)
        table(
            "llm_ratings",
            at,
            rating_id=[f"g{n}" for n in range(at.size)],
            response_id=draw.choice(responses["response_id"], at.size),
            rater_id=users[draw.choice(users.size, at.size, p=activity)],
            rater_kind=draw.choice(["user", "judge"], at.size, p=[0.6, 0.4]),
            score=draw.choice([1, 2, 3, 4, 5], at.size, p=[0.05, 0.1, 0.2, 0.35, 0.3]),
        )
        at = times(6)
        table(
            "subscription_events",
            at,
            event_id=[f"x{n}" for n in range(at.size)],
            subscription_id=[f"sub{n}" for n in range(at.size)],
            user_id=draw.choice(users, at.size),
            event_type=draw.choice(["started", "renewed"], at.size),
            plan_id="monthly",
            period_count=1,
            period_unit="month",
            amount=9.99,
            currency="EUR",
            store="web",
        )
        born = np.repeat(np.datetime64(start, "us"), users.size)
        table(
            "users", born, user_id=users, signed_up_at=born, role="student", is_internal=False,
            country=country_of,
        )  # fmt: skip
        born = born[: bots.size]
        table(
            "bots", born, bot_id=bots, name=bots, workflow="chat", is_ai_generated=False,
            created_at=born,
        )  # fmt: skip

    def on(self, name: str, day: dt.date = JUDGED) -> np.ndarray:
        """Mask of a table's rows on one day."""
        time = self.tables[name][contract()[name].time]
        return (time.dt.date == day).to_numpy()

    def write(self, lake: Path) -> Path:
        """Write all tables of the contract as typed Parquet."""
        with duckdb.connect(config={"threads": "1"}) as connection:
            for name, table in contract().items():
                frame = self.tables.get(name, pd.DataFrame())
                (lake / name).mkdir(parents=True)
                empty = table.schema.empty_table()
                connection.register("contract_of", empty)
                folder = lake / name
                connection.execute(f"copy contract_of to '{folder}/0-contract.parquet'")
                if frame.empty:
                    continue
                connection.register("landed", frame)
                columns = ", ".join(
                    f"cast({c.name} as {c.type.replace('string', 'varchar')}) as {c.name}"
                    for c in table.columns
                    if c.name in frame
                )
                connection.execute(f"copy (select {columns} from landed) to '{folder}/a.parquet'")
        return lake


SETTINGS, RULES = gate.load_rules()


def failures(world: World, lake: Path, baseline: dict | None) -> list[gate.Claim]:
    """Failed claims, bounds compared without the library (its verdicts are compared below)."""
    profile = profile_landing(world.write(lake), SETTINGS)
    assert profile.as_of == JUDGED
    found, _ = gate.claims(profile, SETTINGS, RULES, baseline)
    return [claim for claim in found if not claim.holds]


def errors(failed: list[gate.Claim]) -> set[tuple[str, str, str]]:
    return {(c.table, c.period, c.measure) for c in failed if c.severity == "error"}


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> dict:
    lake = World(999).write(tmp_path_factory.mktemp("baseline") / "lake")
    return json.loads(json.dumps(gate.baseline_of(profile_landing(lake, SETTINGS))))


# ------------------------------------------------------------------------------ planted faults


def test_clean_lake_has_no_error(tmp_path: Path, baseline: dict) -> None:
    assert errors(failures(World(1), tmp_path / "lake", baseline)) == set()


def test_halved_volume_on_the_last_complete_day_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(2)
    events = world.tables["events"]
    gone = world.on("events") & (np.arange(len(events)) % 2 == 0)
    world.tables["events"] = events[~gone]
    failed = failures(world, tmp_path / "lake", baseline)
    assert errors(failed) == {("events", "day", "row_count")}
    claim = next(c for c in failed if c.severity == "error")
    assert claim.day == JUDGED
    assert claim.observed < claim.low


def test_doubled_volume_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(3)
    events = world.tables["events"]
    world.tables["events"] = pd.concat([events, events[world.on("events")]])
    failed = failures(world, tmp_path / "lake", baseline)
    assert errors(failed) == {("events", "day", "row_count")}
    assert all(c.high is not None and c.observed > c.high for c in failed if c.severity == "error")


def test_missing_day_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(4)
    world.tables["llm_responses"] = world.tables["llm_responses"][~world.on("llm_responses")]
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert ("llm_responses", "day", "row_count") in failed


def test_lost_week_of_a_small_table_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(4)
    subscriptions = world.tables["subscription_events"]
    week = subscriptions["event_time"] >= pd.Timestamp(JUDGED - dt.timedelta(days=6))
    world.tables["subscription_events"] = subscriptions[~week]
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert failed == {("subscription_events", "week", "row_count")}


def test_emptied_table_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(4)
    del world.tables["subscription_events"]
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert failed == {("subscription_events", "window", "row_count")}


def test_column_suddenly_null_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(5)
    events = world.tables["events"]
    blank = world.on("events") & (np.random.default_rng(5).random(len(events)) < 0.4)
    events.loc[blank, "platform"] = None
    assert errors(failures(world, tmp_path / "lake", baseline)) == {
        ("events", "day", "null_share:platform")
    }


def test_column_null_since_long_is_named_by_the_baseline(tmp_path: Path, baseline: dict) -> None:
    world = World(5)
    events = world.tables["events"]
    events.loc[np.random.default_rng(5).random(len(events)) < 0.4, "platform"] = None
    assert errors(failures(world, tmp_path / "lake", baseline)) == {
        ("events", "window", "null_share:platform")
    }


def test_vanished_category_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(6)
    events = world.tables["events"]
    lost = world.on("events") & (events["event_name"] == "message_sent").to_numpy()
    world.tables["events"] = events[~lost]
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert ("events", "day", "category_share:event_name=message_sent") in failed


def test_category_that_appears_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(7)
    events = world.tables["events"]
    new = world.on("events") & (np.random.default_rng(7).random(len(events)) < 0.3)
    events.loc[new, "platform"] = "visionos"
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert ("events", "day", "category_share:platform=visionos") in failed


def test_shifted_latency_is_named(tmp_path: Path, baseline: dict) -> None:
    world = World(8)
    responses = world.tables["llm_responses"]
    responses.loc[world.on("llm_responses"), "latency_ms"] *= 3
    assert errors(failures(world, tmp_path / "lake", baseline)) == {
        ("llm_responses", "day", "quantile:latency_ms:p50")
    }


def test_week_of_another_shape_is_named_by_the_stability_index(
    tmp_path: Path, baseline: dict
) -> None:
    world = World(8)
    responses = world.tables["llm_responses"]
    week = responses["responded_at"] >= pd.Timestamp(JUDGED - dt.timedelta(days=6))
    # The median stays; the spread does not.
    spread = (responses["latency_ms"] / 665.0) ** 3 * 665
    responses.loc[week, "latency_ms"] = spread[week].astype(int)
    failed = errors(failures(world, tmp_path / "lake", baseline))
    assert ("llm_responses", "week", "stability:latency_ms") in failed


def test_unknown_bots_are_named(tmp_path: Path, baseline: dict) -> None:
    world = World(9)
    events = world.tables["events"]
    unknown = world.on("events") & (np.random.default_rng(9).random(len(events)) < 0.3)
    events.loc[unknown, "bot_id"] = "nobody"
    assert errors(failures(world, tmp_path / "lake", baseline)) == {
        ("events", "day", "known_share:bot_id->bots")
    }


def test_a_new_version_warns_but_stops_nothing(tmp_path: Path, baseline: dict) -> None:
    world = World(9)
    responses = world.tables["llm_responses"]
    responses.loc[world.on("llm_responses"), "model_version"] = "m3"
    failed = failures(world, tmp_path / "lake", baseline)
    assert errors(failed) == set()
    assert ("llm_responses", "category_share:model_version=m3") in {
        (c.table, c.measure) for c in failed if c.kind == "presence"
    }


# ------------------------------------------------------------------------------ no false alarm


def test_partial_last_day_is_not_judged(tmp_path: Path, baseline: dict) -> None:
    world = World(10)
    events = world.tables["events"]
    world.tables["events"] = events[
        ~world.on("events", PARTIAL) | (np.arange(len(events)) % 9 == 0)
    ]
    failed = failures(world, tmp_path / "lake", baseline)
    assert errors(failed) == set()
    assert {claim.day for claim in failed} <= {JUDGED}


def test_one_wrong_clock_does_not_complete_the_day(tmp_path: Path, baseline: dict) -> None:
    world = World(11)
    events = world.tables["events"]
    landed = events["ingested_at"].copy()
    events.loc[events.index[-1], "event_time"] += pd.Timedelta(hours=20)
    events["ingested_at"] = landed
    assert errors(failures(world, tmp_path / "lake", baseline)) == set()


@pytest.mark.parametrize("shift", range(1, 8))
def test_weekday_season_does_not_alarm(shift: int) -> None:
    """Whatever weekday is judged: weekends at half the volume are no news."""
    season = [1.0, 1.0, 1.0, 1.0, 1.0, 0.45, 0.4]
    draw = np.random.default_rng(shift)
    counts = [int(draw.poisson(500 * season[(at + shift) % 7])) for at in range(57)]
    outlook = gate._outlook(counts[:-1], season=True)
    assert outlook is not None
    low, _, high = outlook.band(floor=1.6, spread=5)
    assert low <= counts[-1] <= high
    # And the band is narrow enough to notice a lost half.
    assert counts[-1] / 2 < low


def test_error_alarms_on_clean_lakes_are_rare(tmp_path: Path, baseline: dict) -> None:
    """40 clean lakes: were 1 % of runs to alarm, more than 2 would do so once in 130 times."""
    alarms = []
    for seed in range(100, 140):
        lake = tmp_path / "lake"
        alarms.append(errors(failures(World(seed), lake, baseline)))
        shutil.rmtree(lake)
    assert sum(1 for alarm in alarms if alarm) <= 2, [alarm for alarm in alarms if alarm]


# ------------------------------------------------------------------------------ bounds


def test_stability_index_of_known_mixes() -> None:
    same, bins = gate.stability_index({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5})
    assert (same, bins) == (0.0, 2)
    index, _ = gate.stability_index({"a": 0.5, "b": 0.5}, {"a": 0.75, "b": 0.25})
    expected = 0.25 * np.log(1.5) + -0.25 * np.log(0.5)
    assert index == pytest.approx(expected, rel=1e-12)
    gone, _ = gate.stability_index({"a": 0.5, "b": 0.5}, {"a": 1.0})
    assert np.isfinite(gone)
    assert gone > 1


def test_short_history_is_not_judged() -> None:
    assert gate._outlook([100] * 7, season=True) is None
    assert gate._outlook([], season=True) is None
    assert gate._outlook([100] * 10, season=True) is not None


# ------------------------------------------------------------------------------ the profile


def test_profile_stays_small_and_counts_right(tmp_path: Path) -> None:
    world = World(12)
    lake = world.write(tmp_path / "lake")
    profile = profile_landing(lake, SETTINGS)
    frame = profile.frame()
    assert tuple(frame.columns) == FRAME_COLUMNS
    days_times_measures = SETTINGS.history_days + SETTINGS.detail_days * 60
    assert len(frame) < len(profile.tables) * days_times_measures
    assert len(frame) < 8_000
    events = world.tables["events"]
    of_day = frame[(frame.table_name == "events") & (frame.day == pd.Timestamp(JUDGED))]
    value = of_day[of_day.period == "day"].set_index("measure")["value"]
    judged = events[world.on("events")]
    assert value["row_count"] == len(judged)
    assert value["null_share:country"] == pytest.approx(judged["country"].isna().mean())
    share = (judged["platform"] == "ios").mean()
    assert value["category_share:platform=ios"] == pytest.approx(share)
    assert value["known_share:bot_id->bots"] == 1.0
    median = judged["engaged_seconds"].median()
    assert value["quantile:engaged_seconds:p50"] == pytest.approx(median, rel=0.05)
    assert value["distinct:user_id"] == pytest.approx(judged["user_id"].nunique(), rel=0.1)


def test_twice_the_events_give_no_more_rows(tmp_path: Path) -> None:
    world = World(13)
    small = len(profile_landing(world.write(tmp_path / "small"), SETTINGS).frame())
    world.tables["events"] = pd.concat([world.tables["events"]] * 2)
    large = len(profile_landing(world.write(tmp_path / "large"), SETTINGS).frame())
    assert large == small


def test_personal_text_is_never_profiled(tmp_path: Path) -> None:
    frame = profile_landing(World(14).write(tmp_path / "lake"), SETTINGS).frame()
    personal = {c.name for table in contract().values() for c in table.columns if c.pii}
    named = {re.split("[:=]", measure)[1] for measure in frame.measure if ":" in measure}
    assert personal
    assert not personal & named


def test_missing_lake_and_damaged_file_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PlumblineError, match="does not exist"):
        profile_landing(tmp_path / "none", SETTINGS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PlumblineError, match="holds no rows"):
        profile_landing(tmp_path / "empty", SETTINGS)
    lake = World(15).write(tmp_path / "lake")
    (lake / "events" / "bad.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(PlumblineError, match="table events"):
        profile_landing(lake, SETTINGS)


def test_sample_csv_is_profiled_like_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(16)
    of_lake = profile_landing(world.write(tmp_path / "lake"), SETTINGS).frame()
    raw = tmp_path / "project" / "seeds" / "raw"
    raw.mkdir(parents=True)
    with duckdb.connect() as connection:
        for name in contract():
            connection.execute(
                f"copy (from read_parquet('{tmp_path}/lake/{name}/*.parquet', union_by_name=true)) "
                f"to '{raw}/raw_{name}.csv' (header)"
            )
    monkeypatch.setattr("plumbline.landing.profile.project_root", lambda: tmp_path / "project")
    of_sample = profile_landing(None, SETTINGS).frame()
    exact = ~of_lake.measure.str.startswith(("quantile", "distinct"))
    keys = ["table_name", "period", "day", "measure"]
    merged = of_lake[exact].merge(of_sample, on=keys, how="left", suffixes=("", "_of_sample"))
    assert (merged.value == merged.value_of_sample).all()


def test_shipped_baseline_fits_the_shipped_sample() -> None:
    stored = json.loads(
        (project_root() / "expectations" / "baseline_sample.json").read_text(encoding="utf-8")
    )
    profile = profile_landing(None, SETTINGS)
    found, _ = gate.claims(profile, SETTINGS, RULES, stored)
    assert {claim.kind for claim in found} == set(gate._KINDS)
    assert errors([claim for claim in found if not claim.holds]) == set()


# ------------------------------------------------------------------------------ rules as data


def test_unknown_kind_in_the_rules_is_named(tmp_path: Path) -> None:
    text = (
        "rules:\n- {measure: '*', kind: magic, period: day, severity: error, reason: r, remedy: r}"
    )
    rules = tmp_path / "rules.yml"
    rules.write_text(text, encoding="utf-8")
    with pytest.raises(PlumblineError, match=r"rule 1 .*magic"):
        gate.load_rules(rules)


def test_every_rule_gives_reason_and_remedy() -> None:
    assert all(rule.reason.endswith(".") and rule.remedy.endswith(".") for rule in RULES)
    assert {rule.kind for rule in RULES} == set(gate._KINDS)


# ------------------------------------------------------------------------------ the command


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A clean lake, and the same lake a day of whose platforms is 40 % null."""
    folder = tmp_path_factory.mktemp("lakes")
    world = World(20)
    clean = world.write(folder / "clean")
    events = world.tables["events"]
    events.loc[world.on("events") & (np.arange(len(events)) % 5 < 2), "platform"] = None
    return clean, world.write(folder / "spoiled")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(gate.command, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_command_stores_compares_and_accepts(tmp_path: Path, spoiled: tuple[Path, Path]) -> None:
    clean, bad = spoiled
    folder = tmp_path / "expectations"

    code, output = run("--lake", clean, "--state", tmp_path)
    assert code == 0, output
    assert "first run: baseline stored" in output
    assert (folder / "landing_profile.parquet").is_file()
    stored = (folder / "baseline.json").read_bytes()

    code, output = run("--lake", clean, "--state", tmp_path)
    assert code == 0, output
    assert "first run" not in output

    code, output = run("--lake", bad, "--state", tmp_path)
    assert code == 1
    line = next(line for line in output.splitlines() if line.startswith("error:"))
    assert f"events, {JUDGED}, null_share:platform: observed 0.4" in line
    assert "expected 0 to 0.15. Ask the producer" in line
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert result["passed"] is False
    assert result["failed"]["error"] == 1
    assert [f["measure"] for f in result["failures"] if f["severity"] == "error"] == [
        "null_share:platform"
    ]
    # The library's verdict is the plain comparison with the printed bounds.
    for entry in result["results"]:
        high = np.inf if entry["high"] is None else entry["high"]
        assert entry["success"] == (entry["low"] <= entry["observed"] <= high), entry
    assert (folder / "baseline.json").read_bytes() == stored

    code, output = run("--lake", bad, "--state", tmp_path, "--accept-baseline")
    assert code == 0, output
    assert "replaced" in output
    assert (folder / "baseline.json").read_bytes() != stored
    code, output = run("--lake", bad, "--state", tmp_path)
    assert code == 0, output


def test_data_docs_load_nothing_from_outside(tmp_path: Path, spoiled: tuple[Path, Path]) -> None:
    report = gate.judge(spoiled[1], tmp_path)
    pages = list(report.docs_path.parent.rglob("*.html"))
    assert report.docs_path in pages
    assert len(pages) > len({result["table"] for result in report.results})
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img|iframe)\b", text), page
        assert not re.search(r"""(src|href|url|@import)\s*[=(]?\s*["']?\s*(https?:)?//""", text), (
            page
        )
        assert "default-src 'none'" in text
        for link in re.findall(r'href="([^"#]+)"', text):
            assert (page.parent / link).is_file(), (page, link)
    index = report.docs_path.read_text(encoding="utf-8")
    assert "null_share:platform" in index
    of_events = next(page for page in pages if page.parts[-4:-3] == ("events",))
    assert "null_share:platform" in of_events.read_text(encoding="utf-8")


def test_first_run_with_errors_stores_no_baseline(
    tmp_path: Path, spoiled: tuple[Path, Path]
) -> None:
    report = gate.judge(spoiled[1], tmp_path)
    assert not report.passed
    assert not report.baseline.exists()


def test_offline_page_keeps_text_and_inner_links() -> None:
    page = (
        "<!DOCTYPE html><html><head><link href='https://x.example/a.css'><style>a{}</style></head>"
        "<body onload='f()'><script>if (1 < 2) {}</script><a href='https://x.example'>out</a>"
        "<a href='other.html'>in</a><img src='//x.example/i.png'><p>1 &lt; 2</p></body></html>"
    )
    text = offline_page(page)
    assert "x.example" not in text
    assert "onload" not in text
    assert '<a href="other.html">in</a>' in text
    assert "<p>1 &lt; 2</p>" in text
    assert "<a>out</a>" in text


def test_usage_errors_exit_2(tmp_path: Path) -> None:
    code, output = run("--sample", "--lake", tmp_path)
    assert code == 2
    assert "exclude each other" in output
