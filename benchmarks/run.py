"""All claims about speed and memory, measured: generating, landing, building, one more day.

``python benchmarks/run.py [--sizes 1m,10m] [--keep DIR]`` prints a table and writes
``benchmarks/results.json``. Every figure is CPU seconds (user + system) of a process of its own, so that
a busy machine changes it little; peak memory is that process's. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from bench_landing import run as landing

from plumbline.project import mart_areas

ROOT = Path(__file__).resolve().parents[1]
STAGING = ("stg_product__events__judged", "stg_product__event_ids", "stg_product__event_contexts")
FACTS = (
    "int_event_days_fingerprinted",
    "int_views_matched",
    "int_events_aggregated_to_bot_user_days",
    "int_events_aggregated_to_user_days",
    "int_events_aggregated_to_impression_contexts",
    "int_events_aggregated_to_session_pieces",
    "int_events_aggregated_to_conversation_days",
)
# Models between facts and marts, and marts, of the activity areas.
AREAS = tuple(area for area in mart_areas() if area != "core")


@dataclass
class Cost:
    """CPU seconds, wall seconds and peak resident memory of one process."""

    cpu: float
    wall: float
    peak_mib: float


def measured(command: list[str], env: dict[str, str]) -> Cost:
    """Run a command to its end and say what it cost.

    Raises:
        RuntimeError: it failed; its last words are in the message.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = os.times().elapsed
        process = subprocess.Popen(
            command, env={**os.environ, **env}, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = os.times().elapsed - start
        if os.waitstatus_to_exitcode(status) != 0:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {output.read()[-3000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


class Bench:
    """One size: its lake, its warehouse, and what it cost to make them."""

    def __init__(self, size: str, folder: Path):
        number, unit = re.fullmatch(r"(\d+)([km])", size).groups()  # type: ignore[union-attr]
        self.events = int(number) * (1_000 if unit == "k" else 1_000_000)
        self.size, self.folder, self.lake = size, folder, folder / "lake"
        self.figures: dict[str, Any] = {}

    def environment(self, lake: Path, name: str) -> dict[str, str]:
        state = self.folder / name
        state.mkdir(exist_ok=True)
        return {
            "PLUMBLINE_RAW": "lake",
            "PLUMBLINE_LAKE": str(lake),
            "PLUMBLINE_DATABASE": str(state / "plumbline.duckdb"),
            "DBT_TARGET_PATH": str(state / "target"),
            "DBT_LOG_PATH": str(state / "logs"),
            "DBT_PROFILES_DIR": str(ROOT),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "PLUMBLINE_THREADS": "2",
        }

    def plumbline(self, *args: str) -> Cost:
        return measured([sys.executable, "-m", "plumbline", *args], {"PLUMBLINE_THREADS": "2"})

    def dbt(self, lake: Path, name: str, *args: str) -> Cost:
        dbt = str(Path(sys.executable).with_name("dbt"))
        return measured([dbt, "--quiet", *args], self.environment(lake, name))

    def simulate(self) -> None:
        cost = self.plumbline("simulate", "--events", str(self.events), "--out", str(self.lake))
        rows = duckdb.sql(f"select count(*) from '{self.lake}/events/*.parquet'").fetchone()
        assert rows is not None
        self.figures["events"] = rows[0]
        self.figures["generate_all_tables"] = vars(cost) | {"events_per_cpu_s": rows[0] / cost.cpu}
        cost = self.plumbline("land", "--lake", str(self.lake))
        self.figures["register_direct_files"] = vars(cost) | {
            "events_per_cpu_s": rows[0] / cost.cpu
        }

    def build(self) -> None:
        self.dbt(self.lake, "full", "seed")
        cost = self.dbt(self.lake, "full", "run")
        self.figures["dbt_run_all_models"] = vars(cost)
        cost = self.dbt(self.lake, "full", "test", "--select", "test_type:data")
        self.figures["dbt_data_tests"] = vars(cost)
        again = self.dbt(self.lake, "full", "run")
        self.figures["dbt_run_nothing_new"] = vars(again)

    def unit(self) -> float:
        """CPU seconds of touching all columns of the deduplicated typed staging table once, warm."""
        script = (
            "import duckdb, os, sys\n"
            "c = duckdb.connect(sys.argv[1], read_only=True); c.execute('set threads = 2')\n"
            "cols = [r[0] for r in c.execute('describe staging.stg_product__events').fetchall()\n"
            "        if r[0] != 'row_checksum']\n"
            "q = 'select ' + ', '.join(f'max({n})' for n in cols) + ' from staging.stg_product__events'\n"
            "c.execute(q).fetchall(); best = 1e9\n"
            "for _ in range(5):\n"
            "    t = sum(os.times()[:2]); c.execute(q).fetchall()\n"
            "    best = min(best, sum(os.times()[:2]) - t)\n"
            "print(best)\n"
        )
        database = self.environment(self.lake, "full")["PLUMBLINE_DATABASE"]
        done = subprocess.run(
            [sys.executable, "-c", script, database], capture_output=True, text=True, check=True
        )
        return float(done.stdout.strip().splitlines()[-1])

    def sql(self) -> None:
        """CPU of the SQL itself, model by model, and in units of one scan."""
        # Compiled against an empty warehouse, so that every model is one full refresh.
        self.dbt(self.lake, "empty", "compile", "--select", "path:models")
        state = self.folder / "full"
        compiled = self.folder / "empty" / "target" / "compiled" / "plumbline" / "models"
        # A copy, so that the measured statements never touch the built warehouse.
        copy = self.folder / "sql" / "plumbline.duckdb"
        copy.parent.mkdir(exist_ok=True)
        copy.unlink(missing_ok=True)
        shutil.copyfile(state / "plumbline.duckdb", copy)
        names = [*STAGING, *FACTS]
        found = {path.stem: path for path in compiled.rglob("*.sql")}
        for area in AREAS:
            names += sorted(
                path.stem
                for path in compiled.rglob("*.sql")
                if path.parent.name == area and path.stem not in names
            )
        script = (
            "import duckdb, json, os, resource, sys\n"
            "c = duckdb.connect(sys.argv[1])\n"
            "c.execute(\"set threads = 2; set memory_limit = '4GB'; set TimeZone = 'UTC'\")\n"
            "c.execute('set enable_progress_bar = false')\n"
            "c.execute('create schema bench'); out = {}\n"
            "for name, path, kind in json.loads(sys.stdin.read()):\n"
            "    t = sum(os.times()[:2])\n"
            "    c.execute(f'create {kind} bench.{name} as ' + open(path).read())\n"
            "    out[name] = sum(os.times()[:2]) - t\n"
            "    c.execute(f'drop {kind} bench.{name}')\n"
            "print(json.dumps([out, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))\n"
        )
        manifest = self.folder / "empty" / "target" / "manifest.json"
        nodes = json.loads(manifest.read_text())["nodes"]
        kinds = {
            node["name"]: "view" if node["config"]["materialized"] == "view" else "table"
            for node in nodes.values()
            if node["resource_type"] == "model"
        }
        work = json.dumps([(name, str(found[name]), kinds[name]) for name in names])
        done = subprocess.run(
            [sys.executable, "-c", script, str(copy)],
            input=work,
            capture_output=True,
            text=True,
            check=True,
        )
        seconds, peak = json.loads(done.stdout.strip().splitlines()[-1])
        unit = self.unit()
        staging = sum(seconds[name] for name in STAGING)
        facts = sum(seconds[name] for name in FACTS)
        marts = sum(seconds.values()) - staging - facts
        self.figures["sql"] = {
            "unit_cpu_s": unit,
            "staging_cpu_s": staging,
            "facts_cpu_s": facts,
            "marts_cpu_s": marts,
            "staging_in_units": staging / unit,
            "staging_to_marts_in_units": (facts + marts) / unit,
            "peak_mib": peak,
            "models": seconds,
        }

    def one_more_day(self) -> None:
        """Build all but the last day's files, then land that day: what the incremental models cost."""
        short = self.folder / "short"
        shutil.rmtree(short, ignore_errors=True)
        shutil.rmtree(self.folder / "day", ignore_errors=True)
        shutil.copytree(self.lake, short)
        shutil.rmtree(short / "_landing")
        held = []
        for folder in sorted(p for p in short.iterdir() if p.is_dir()):
            last = sorted(p for p in folder.glob("*.parquet") if p.stem != "0-contract")[-1:]
            held += [(path, path.read_bytes()) for path in last if len(list(folder.iterdir())) > 2]
        for path, _ in held:
            path.unlink()
        models = ["--select", *STAGING, *FACTS]
        self.plumbline("land", "--lake", str(short))
        self.dbt(short, "day", "seed")
        self.dbt(short, "day", "run")
        idle = self.dbt(short, "day", "run", *models)
        for path, content in held:
            path.write_bytes(content)
        land = self.plumbline("land", "--lake", str(short))
        day = self.dbt(short, "day", "run", *models)
        full = self.dbt(short, "day", "run", "--full-refresh", *models)
        whole_full = self.dbt(short, "day", "run", "--full-refresh")
        self.figures["one_more_day"] = {
            "land_cpu_s": land.cpu,
            "idle_cpu_s": idle.cpu,
            "incremental_cpu_s": day.cpu,
            "full_refresh_cpu_s": full.cpu,
            "whole_full_refresh_cpu_s": whole_full.cpu,
            # dbt's own start and parse are the same in all three, and no part of the question.
            "ratio_without_dbt": (day.cpu - idle.cpu) / (full.cpu - idle.cpu),
        }


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1m,10m")
    parser.add_argument(
        "--keep", type=Path, help="folder for lakes and warehouses; temporary by default"
    )
    parser.add_argument("--steps", default="simulate,build,sql,one_more_day")
    options = parser.parse_args()
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_average": os.getloadavg()}
    with tempfile.TemporaryDirectory() as temporary:
        base = options.keep or Path(temporary)
        if "simulate" in options.steps:
            print("landing 1,500,000 events (NDJSON, Parquet)", flush=True)
            figures["landing"] = landing(1_500_000)
            print(json.dumps(figures["landing"]), flush=True)
        for size in options.sizes.split(","):
            folder = base / size
            folder.mkdir(parents=True, exist_ok=True)
            bench = Bench(size, folder)
            for step in options.steps.split(","):
                print(f"{size}: {step}", flush=True)
                getattr(bench, step)()
                print(json.dumps(bench.figures, default=float)[-900:], flush=True)
            figures[size] = bench.figures
            if not options.keep:
                shutil.rmtree(folder)
    target = ROOT / "benchmarks" / "results.json"
    target.write_text(json.dumps(figures, indent=2, default=float) + "\n", encoding="utf-8")
    print(f"written: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
