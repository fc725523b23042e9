"""GrowthBook's registry and exposures, from a recorded API to the marts of experiments."""

from __future__ import annotations

import csv
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from conftest import RunDbt
from plumbline.cli import main
from plumbline.errors import PlumblineError
from plumbline.importing.exposures import Columns, Count, lines
from plumbline.importing.growthbook import Plan, registry
from plumbline.importing.growthbook_api import fetch, load
from plumbline.landing import land
from warehouse import Warehouse, register, write_rows

KEY = "secret_admin_recorded"
PLAN = ("--planned-days", "14", "--planned-units", "2000", "--mde", "0.1")
OPENED = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    """An experiment as GET /api/v1/experiments lists it."""
    body: dict[str, Any] = {
        "id": f"exp_{name}", "trackingKey": name, "dateCreated": "2025-12-20T09:00:00.000Z",
        "dateUpdated": "2026-01-05T09:00:00.000Z", "name": f"Try {name}", "type": "standard", "project": "",
        "hypothesis": "It, \"surely\", helps", "description": "", "tags": ["chat", "home"],
        "owner": "Ada, growth", "archived": False, "status": "running", "autoRefresh": True,
        "hashAttribute": "id", "hashVersion": 2,
        "variations": [
            {"variationId": f"var_{name}_a", "key": "0", "name": "Control", "description": "",
             "screenshots": []},
            {"variationId": f"var_{name}_b", "key": "1", "name": "Variation 1", "description": "",
             "screenshots": []},
        ],
        "phases": [
            {"name": "Main", "dateStarted": "2026-01-05T00:00:00.000Z", "dateEnded": "",
             "reasonForStopping": "", "seed": name, "coverage": 0.5,
             "trafficSplit": [{"variationId": f"var_{name}_a", "weight": 0.5},
                              {"variationId": f"var_{name}_b", "weight": 0.5}],
             "targetingCondition": ""},
        ],
        "settings": {"datasourceId": "ds_1", "assignmentQueryId": "user_id", "experimentId": name,
                     "statsEngine": "bayesian",
                     "goals": [{"metricId": "messages_14d", "overrides": {}}],
                     "secondaryMetrics": [{"metricId": "met_x1", "overrides": {}}],
                     "guardrails": [{"metricId": "fact__d7", "overrides": {}},
                                    {"metricId": "creator_revenue_28d", "overrides": {}}]},
    }  # fmt: skip
    return body | changes


def stopped_with_phases() -> dict[str, Any]:
    """Three arms in thirds, a phase before, stopped; keyed by words, randomised by creator."""
    arms = [{"variationId": f"v{place}", "key": key, "name": key.title(), "description": "",
             "screenshots": []} for place, key in enumerate(("new", "old", "newer"))]  # fmt: skip
    split = [
        {"variationId": f"v{place}", "weight": weight}
        for place, weight in enumerate((0.3334, 0.3333, 0.3333))
    ]
    thirds = [{"variationId": f"v{place}", "weight": 1 / 3} for place in range(3)]
    phases = [
        {"name": "Ramp", "dateStarted": "2025-11-01T00:00:00.000Z", "dateEnded": "2025-11-08T00:00:00.000Z",
         "coverage": 0.1, "trafficSplit": split},
        {"name": "Main", "dateStarted": "2025-11-08T01:30:00.000+01:30",
         "dateEnded": "2025-11-29T00:00:00.000Z", "coverage": 1, "trafficSplit": thirds},
    ]  # fmt: skip
    return recorded(
        "badge", status="stopped", variations=arms, phases=phases, hashAttribute="creator_id"
    )


EXPERIMENTS = [
    recorded("starters"),
    stopped_with_phases(),
    recorded("idea", status="draft"),
    recorded("bandit", type="multi-armed-bandit"),
    recorded("older", archived=True),
]


class Api(BaseHTTPRequestHandler):
    """Pages of two; the second page is refused once with 429, the third fails once with 503."""

    refused: ClassVar[set[int]] = set()
    asked: ClassVar[list[tuple[str, str | None]]] = []
    answer: tuple[int, bytes, dict[str, str]] | None = None

    def do_GET(self) -> None:
        cls = type(self)
        cls.asked.append((self.path, self.headers.get("Authorization")))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if cls.answer is not None:
            self._send(*cls.answer)
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self._send(401, b'{"message": "API key not found"}', {})
        elif parts.path != "/api/v1/experiments":
            self._send(404, b"no such page", {})
        else:
            offset = int(query.get("offset", 0))
            trouble = {2: (429, {"Retry-After": "7"}), 4: (503, {})}
            if offset in trouble and offset not in cls.refused:
                cls.refused.add(offset)
                status, headers = trouble[offset]
                self._send(status, b"", headers)
                return
            page = EXPERIMENTS[offset : offset + 2]
            more = offset + 2 < len(EXPERIMENTS)
            body = {"experiments": page, "limit": 2, "offset": offset, "count": len(page),
                    "total": len(EXPERIMENTS), "hasMore": more,
                    "nextOffset": offset + 2 if more else None}  # fmt: skip
            self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silence."""


@pytest.fixture
def api() -> Iterator[tuple[str, type[Api]]]:
    class Fresh(Api):
        refused: ClassVar[set[int]] = set()
        asked: ClassVar[list[tuple[str, str | None]]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Fresh) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Fresh
        server.shutdown()


def run(*arguments: str | Path, key: str | None = KEY) -> Result:
    environment = {"GROWTHBOOK_API_KEY": key, "GROWTHBOOK_API_URL": None}
    return CliRunner().invoke(main, ["import", "growthbook", *map(str, arguments)], env=environment)


def rows_of(inbox: Path, table: str) -> list[dict[str, Any]]:
    files = sorted((inbox / table).glob("*"))
    assert all(file.suffix == ".ndjson" for file in files)
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def saved(folder: Path, *experiments: dict[str, Any]) -> Path:
    path = folder / "experiments.json"
    path.write_text(json.dumps({"experiments": experiments}))
    return path


# ---------------------------------------------------------------- the API


def test_all_pages_are_read_with_the_key_and_trouble_is_waited_out(
    api: tuple[str, type[Api]],
) -> None:
    url, server = api
    waited: list[float] = []
    found = fetch(url, KEY, page_size=2, sleep=waited.append)
    assert [experiment["id"] for experiment in found] == [e["id"] for e in EXPERIMENTS]
    assert {authorization for _, authorization in server.asked} == {f"Bearer {KEY}"}
    offsets = [parse_qs(urlsplit(path).query)["offset"][0] for path, _ in server.asked]
    assert offsets == ["0", "2", "2", "4", "4"]
    # What the server asks for, then the first step of its own.
    assert waited == [7.0, 1.0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, b"", {}), "refuses the key"),
        ((403, b"", {}), "refuses the key"),
        ((404, b"", {}), "no API at"),
        ((302, b"", {"Location": "https://elsewhere.example/"}), "redirects to https://elsewhere"),
        ((200, b"<html>", {}), "no JSON"),
        ((200, b"[1]", {}), "no JSON object"),
        ((200, b'{"features": []}', {}), "holds no experiments"),
        ((200, b'{"experiments": [{"name": "x"}]}', {}), "no experiment of GrowthBook"),
        (
            (200, b'{"experiments": [], "hasMore": true, "nextOffset": 0}', {}),
            "not where they begin",
        ),
        ((200, b'{"experiments": [], "total": 3, "hasMore": false}', {}), "the list changed"),
        ((400, b"", {}), "answered 400"),
        ((500, b"", {}), "answered 500, 3 times"),
    ],
)
def test_an_answer_that_is_of_no_use_is_named(
    api: tuple[str, type[Api]], answer: tuple[int, bytes, dict[str, str]], said: str
) -> None:
    url, server = api
    server.answer = answer
    with pytest.raises(PlumblineError) as caught:
        fetch(url, KEY, attempts=3, sleep=lambda _: None)
    assert said in str(caught.value) and KEY not in str(caught.value)
    assert caught.value.remedy


def test_silence_is_an_error_after_the_last_try(api: tuple[str, type[Api]]) -> None:
    waited: list[float] = []
    with pytest.raises(PlumblineError, match=r"did not answer .* 4 times"):
        fetch("http://127.0.0.1:9", KEY, attempts=4, timeout=0.2, sleep=waited.append)
    assert waited == [1.0, 2.0, 4.0]
    with pytest.raises(PlumblineError, match="no address"):
        fetch("ftp://127.0.0.1", KEY)


def test_the_command_reads_the_api_and_says_what_it_did(
    api: tuple[str, type[Api]], tmp_path: Path
) -> None:
    url, server = api
    server.refused |= {2, 4}
    inbox = tmp_path / "in" / "inbox"
    done = run("--url", url, "--inbox", inbox, *PLAN)
    assert done.exit_code == 0, done.output
    assert KEY not in done.output
    assert "experiments: 3, 10 rows" in done.output
    assert "left out, a draft: idea" in done.output and "a bandit" in done.output
    assert "control taken to be the first variation: badge, older, starters" in done.output
    without = run("--url", url, "--inbox", inbox, *PLAN, key=None)
    assert isinstance(without.exception, PlumblineError)
    assert "GROWTHBOOK_API_KEY is not set" in str(without.exception)


# ---------------------------------------------------------------- the registry


def test_rows_of_the_registry() -> None:
    plan = Plan(days=14, units=2000, mde=None, controls={"badge": "old"},
                rows={("badge", None): {"mde_relative": "0.2"},
                      ("badge", 1): {"planned_end_at": "2025-12-01", "planned_units": "90"},
                      ("starters", None): {"mde_relative": "0.1"}})  # fmt: skip
    found = registry([recorded("starters"), stopped_with_phases()], plan)
    assert found.conventional == ["starters"]
    rows = {(row["experiment_id"], row["phase"], row["variation_id"]): row for row in found.rows}
    assert len(rows) == 8
    starters = rows["starters", 0, "1"]
    assert starters == {
        "experiment_id": "starters", "phase": 0, "variation_id": "1", "name": "Try starters",
        "unit_type": "user", "is_control": False, "expected_weight": "0.500000",
        "started_at": "2026-01-05 00:00:00.000000", "planned_end_at": "2026-01-19 00:00:00.000000",
        "planned_units": "2000", "mde_relative": "0.1", "ended_at": None, "status": "running",
        "tags": "chat,home", "hypothesis": 'It, "surely", helps',
    }  # fmt: skip
    assert [rows["badge", 0, key]["is_control"] for key in ("new", "old", "newer")] == [
        False, True, False,
    ]  # fmt: skip
    # Thirds are three decimals that add up to 1; times are UTC.
    assert [rows["badge", 1, key]["expected_weight"] for key in ("new", "old", "newer")] == [
        "0.333334", "0.333333", "0.333333",
    ]  # fmt: skip
    main_phase = rows["badge", 1, "old"]
    assert main_phase["started_at"] == "2025-11-08 00:00:00.000000"
    assert main_phase["planned_end_at"] == "2025-12-01 00:00:00.000000"
    assert main_phase["ended_at"] == "2025-11-29 00:00:00.000000"
    assert (rows["badge", 0, "old"]["status"], main_phase["status"]) == ("finished", "stopped")
    assert main_phase["unit_type"] == "creator"


@pytest.mark.parametrize(
    ("experiment", "plan", "said"),
    [
        (recorded("a"), Plan(), "1 experiments have no plan: a"),
        (recorded("a"), Plan(14, 10, 1, {"a": "2"}), "no variation 2 to be its control"),
        (recorded("a"), Plan(14, 10, 1, {"b": "0"}), "does not list: b"),
        (recorded("a", hashAttribute="tenant"), Plan(14, 10, 1), "randomises tenant"),
        (recorded("a", variations=[]), Plan(14, 10, 1), "no variations"),
        (recorded("a", phases=[{"dateStarted": "soon"}]), Plan(14, 10, 1), "soon is no timestamp"),
        (recorded("a", phases=[{"dateStarted": ""}]), Plan(14, 10, 1), "no start"),
        (recorded("a", phases=[{"dateStarted": "2026-01-05"}]), Plan(14, 10, 1), "no share"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(experiment: dict[str, Any], plan: Plan, said: str) -> None:
    with pytest.raises(PlumblineError, match=said):
        registry([experiment], plan)


def test_two_experiments_under_one_key_are_refused() -> None:
    with pytest.raises(PlumblineError, match="logged as a"):
        registry([recorded("a"), recorded("a", id="exp_2")], Plan(14, 10, 1))  # type: ignore[arg-type]


def test_a_key_that_was_taken_over_belongs_to_the_one_that_runs() -> None:
    both = [recorded("a", id="exp_2"), recorded("a", archived=True), recorded("b", archived=True)]
    found = registry(both, Plan(14, 10, 1))  # type: ignore[arg-type]
    assert len(found.rows) == 4 and set(found.variations) == {"a", "b"}
    assert found.left_out == [("a", "archived, and its key is another's now")]


def test_nothing_is_written_when_something_is_wrong(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    export = tmp_path / "exposures.csv"
    export.write_text("who,timestamp,experiment_id,variation_id\nu1,2026-01-06,starters,0\n")
    failed = run("--file", saved(tmp_path, recorded("starters")), "--inbox", inbox)
    assert isinstance(failed.exception, PlumblineError)
    assert not inbox.exists()
    failed = run("--file", saved(tmp_path, recorded("starters")), "--inbox", inbox, *PLAN,
                 "--exposures", export)  # fmt: skip
    assert "no column user_id or anonymous_id" in str(failed.exception)
    assert not list((inbox / "experiment_exposures").glob("*"))


def test_the_same_registry_is_written_once_and_a_change_again(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"

    def imported(at: str, **changes: Any) -> Result:
        return run("--file", saved(tmp_path, recorded("starters", **changes)), "--inbox", inbox, *PLAN,
                   "--imported-at", at)  # fmt: skip

    assert imported("2026-01-06T00:00:00Z").exit_code == 0
    assert "nothing written" in imported("2026-01-07T00:00:00Z").output
    assert len(rows_of(inbox, "experiments")) == 2
    assert imported("2026-01-08T00:00:00Z", status="stopped").exit_code == 0
    # Back to what it was: an older file says the same, but not the latest.
    assert imported("2026-01-09T00:00:00Z").exit_code == 0
    rows = rows_of(inbox, "experiments")
    assert [row["status"] for row in rows[::2]] == ["running", "stopped", "running"]
    assert [row["ingested_at"][:10] for row in rows[::2]] == [
        "2026-01-06",
        "2026-01-08",
        "2026-01-09",
    ]
    late = imported("2026-01-07T00:00:00Z", status="stopped")
    assert "is later than this import" in str(late.exception)


# ---------------------------------------------------------------- files of answers


def test_saved_answers_of_every_shape_are_read(tmp_path: Path) -> None:
    one, two = recorded("a"), recorded("b")
    shapes = {
        "page": json.dumps({"experiments": [one, two]}),
        "list": json.dumps([one, two]),
        "pages": json.dumps([{"experiments": [one]}, {"experiments": [two]}]),
        "single": json.dumps({"experiment": one}) + "\n" + json.dumps({"experiment": two}),
        "lines": json.dumps(one) + "\n" + json.dumps(two) + "\n",
    }
    for name, text in shapes.items():
        path = tmp_path / name
        path.write_text(text)
        assert [experiment["trackingKey"] for experiment in load(path)] == ["a", "b"], name
    for text in ("nonsense", '{"x": 1}', "[3]"):
        path = tmp_path / "bad"
        path.write_text(text)
        with pytest.raises(PlumblineError):
            load(path)


# ---------------------------------------------------------------- goals


def test_goals_are_proposed_and_what_has_no_metric_is_listed(tmp_path: Path) -> None:
    mapping = tmp_path / "metrics.csv"
    mapping.write_text("growthbook_metric,metric\nfact__d7,retention_d7\n")
    inbox = tmp_path / "data" / "inbox"
    done = run("--file", saved(tmp_path, recorded("starters"), recorded("x01")), "--inbox", inbox, *PLAN,
               "--metrics", mapping, "--guardrail-margin", "0.02")  # fmt: skip
    assert done.exit_code == 0, done.output
    with (tmp_path / "data" / "experiment_goals_proposed.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0] == {
        "experiment_id": "starters", "metric": "messages_14d", "role": "goal", "priority": "1",
        "margin_relative": "0", "owner": "Ada growth", "reason": "Goal in GrowthBook",
    }  # fmt: skip
    assert [(row["experiment_id"], row["metric"], row["margin_relative"]) for row in rows] == [
        ("starters", "messages_14d", "0"), ("starters", "retention_d7", "0.02"),
        ("x01", "messages_14d", "0"), ("x01", "retention_d7", "0.02"),
    ]  # fmt: skip
    with (tmp_path / "data" / "experiment_goals_proposed_unmapped.csv").open() as handle:
        unmapped = list(csv.reader(handle))[1:]
    assert ["starters", "met_x1", "secondary", "not mapped"] in unmapped
    assert ["starters", "creator_revenue_28d", "guardrail", "of another unit type"] in unmapped
    assert len(unmapped) == 4


# ---------------------------------------------------------------- exposures


def taken(path: Path, by: str = "key", columns: Columns | None = None) -> tuple[list[Any], Count]:
    found = registry([recorded("starters"), stopped_with_phases()], Plan(14, 10, 1))  # type: ignore[arg-type]
    count = Count()
    rows = lines(
        path,
        columns or Columns(),
        {name: names[by] for name, names in found.variations.items()},
        {name: set(names["key"]) for name, names in found.variations.items()},
        count,
    )
    return [row if row == b"{broken" else json.loads(row) for row in rows], count


def test_exposures_of_every_format_are_the_same_rows(tmp_path: Path) -> None:
    at = "2026-01-06 10:00:00.250000"
    given = [
        {"user_id": "u1", "anonymous_id": "d1", "timestamp": at, "experiment_id": "starters",
         "variation_id": "1"},
        {"user_id": None, "anonymous_id": "d2", "timestamp": at, "experiment_id": "badge",
         "variation_id": "0"},
    ]  # fmt: skip
    expected = [
        {"experiment_id": "starters", "variation_id": "1", "unit_id": "u1", "exposed_at": at},
        {"experiment_id": "badge", "variation_id": "new", "unit_id": "d2", "exposed_at": at},
    ]
    with (tmp_path / "a.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(given[0]))
        writer.writeheader()
        writer.writerows(given)
    (tmp_path / "a.ndjson").write_text(
        "\n".join(
            json.dumps(row | {"variation_id": int(str(row["variation_id"]))}) for row in given
        )
    )
    moment = dt.datetime.fromisoformat(at)
    typed = pa.Table.from_pylist([row | {"timestamp": moment} for row in given])
    zoned = typed.column("timestamp").cast(pa.timestamp("ns", "UTC"))
    pq.write_table(typed.set_column(2, "timestamp", zoned), tmp_path / "a.parquet")
    for name in ("a.csv", "a.ndjson", "a.parquet"):
        rows, count = taken(tmp_path / name, "index")
        assert rows == expected, name
        assert count.rows == 2 and not count.variations and not count.experiments


@pytest.mark.parametrize(
    ("by", "named"), [("key", "old"), ("index", "1"), ("id", "v1"), ("name", "Old")]
)
def test_variations_are_found_by_what_the_export_calls_them(
    tmp_path: Path, by: str, named: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"who,at,test,arm\nc1,2026-01-06 10:00:00 UTC,badge,{named}\nc2,x,badge,what\n")
    columns = Columns(("who",), "at", "test", "arm")
    rows, count = taken(path, by, columns)
    assert rows[0] == {"experiment_id": "badge", "variation_id": "old", "unit_id": "c1",
                       "exposed_at": "2026-01-06 10:00:00Z"}  # fmt: skip
    # An unknown one goes on under its name and is counted.
    assert rows[1]["variation_id"] == "what"
    assert count.variations == {("badge", "what"): 1}


def test_no_line_of_an_export_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "user_id,timestamp,experiment_id,variation_id\nu1,t,starters\nu1,t,starters,0\n\n"
    )
    rows, count = taken(path)
    assert rows[0] == ["u1", "t", "starters"] and count.unreadable == 1 and count.rows == 2
    path = tmp_path / "a.ndjson"
    good = {"user_id": "u1", "timestamp": "t", "experiment_id": "starters", "variation_id": "0"}
    path.write_text(json.dumps(good) + "\n{broken\n" + json.dumps({"user_id": 7}) + "\n")
    rows, count = taken(path)
    assert rows[1] == b"{broken"
    assert rows[2] == {
        "experiment_id": None,
        "variation_id": None,
        "unit_id": "7",
        "exposed_at": None,
    }
    assert (count.rows, count.unreadable) == (3, 1)
    with pytest.raises(PlumblineError, match="no export"):
        taken(tmp_path / "a.xlsx")


def test_from_the_export_to_the_marts(tmp_path: Path, run_dbt: RunDbt) -> None:
    """Registry imported twice, the second time stopped; exposures good, unknown, torn and repeated."""
    inbox, lake = tmp_path / "data" / "inbox", tmp_path / "lake"
    export = tmp_path / "exposures.csv"
    body = ["user_id,anonymous_id,timestamp,experiment_id,variation_id"]
    body += [f"u{n},,2026-01-{6 + n % 3:02d}T08:00:00Z,starters,{n % 2}" for n in range(40)]
    body += ["u1,,2026-01-09T08:00:00Z,starters,0", ",d9,2026-01-09T08:00:00Z,starters,1"]
    body += ["u3,,2026-01-09T08:00:00Z,starters,7", "u4,,2026-01-09T08:00:00Z,elsewhere,0"]
    body += ["u5,,never,starters,0", "u6,torn"]
    export.write_text("\n".join(body) + "\n")
    first = run("--file", saved(tmp_path, recorded("starters")), "--inbox", inbox, *PLAN,
                "--imported-at", "2026-01-10T00:00:00Z", "--exposures", export)  # fmt: skip
    assert first.exit_code == 3
    assert "1 exposures of elsewhere, which is not registered" in first.output
    assert "1 exposures of starters to 7, which is no key" in first.output
    ended = recorded("starters", status="stopped")
    ended["phases"][0]["dateEnded"] = "2026-01-19T00:00:00.000Z"
    again = run("--file", saved(tmp_path, ended), "--inbox", inbox, *PLAN, "--control", "starters=1",
                "--imported-at", "2026-01-20T00:00:00Z", "--exposures", export)  # fmt: skip
    assert again.exit_code == 3 and "no new rows" in again.output
    assert len(list((inbox / "experiment_exposures").iterdir())) == 1
    land(inbox, lake).raise_for_failures()
    watched = [
        {"event_id": f"e{day}", "event_time": OPENED + dt.timedelta(days=day), "user_id": "u0",
         "event_name": "app_open", "ingested_at": OPENED + dt.timedelta(days=day)}
        for day in range(20)
    ]  # fmt: skip
    write_rows(lake, "events", "one", watched)
    register(lake)
    warehouse = Warehouse(tmp_path, run_dbt, lake)
    warehouse.models("+dim_experiments", "+fct_experiment_exposures", "+int_landed_rows_counted")
    assert warehouse.query(
        "select experiment_id, phase, registry_status, control_variation_id, planned_unit_count, "
        "closing_date from experimentation.dim_experiments"
    ) == [("starters", 0, "stopped", "1", 2000, dt.date(2026, 1, 19))]
    units = warehouse.query(
        "select variation_id, count(*), count(*) filter (is_multi_exposed) "
        "from experimentation.fct_experiment_exposures group by 1 order by 1"
    )
    # u1 saw both; u3 saw an arm that nobody registered after its own.
    assert units == [("0", 20, 0), ("1", 21, 2)]
    counted = {
        (verdict, reason): int(rows)
        for verdict, reason, rows in warehouse.query(
            "select verdict, quarantine_reason, sum(row_count) from intermediate.int_landed_rows_counted "
            "where table_name = 'experiment_exposures' group by all"
        )
    }
    assert counted[("accepted", "none")] == 43 and counted[("quarantined", "no_phase")] == 1
    rejected = warehouse.query(
        "select reason, count(*) from raw.landing_rejects where table_name = 'experiment_exposures' "
        "group by 1 order by 1"
    )
    assert rejected == [("invalid:exposed_at", 1), ("not_an_object", 1)]
