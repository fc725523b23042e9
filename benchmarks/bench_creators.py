"""A marketplace of creators in one build: CPU seconds, wall clock and peak memory.

Run it as ``python benchmarks/bench_creators.py [CREATORS] [DAYS] [--keep DIR]``: it generates and lands
creators with their daily facts, judgements and carried-out recommendations, then runs one ``dbt build`` of
the marts of creators with all they stand on, data tests included, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from plumbline.landing import land
from plumbline.project import project_root
from plumbline.simulate import Settings, simulate

TABLES = ("creators", "creator_daily", "creator_assessments", "recommendation_actions")
# Not named like a schema in it.
DATABASE = "warehouse.duckdb"
MARTS = ("scores", "kpis", "components", "issues", "recommendations")


def _lake(folder: Path, creators: int, days: int) -> Path:
    lake = folder / "lake"
    if not lake.exists():
        simulate(
            Settings(users=20, bots=10, workflows=2, days=days, creators=creators, tables=TABLES),
            lake,
        )
        land(None, lake).raise_for_failures()
    return lake


def _build(folder: Path, lake: Path) -> dict[str, float]:
    environment = {
        **os.environ,
        "PLUMBLINE_RAW": "lake",
        "PLUMBLINE_LAKE": str(lake),
        "PLUMBLINE_DATABASE": str(folder / DATABASE),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "OMP_NUM_THREADS": "1",
    }
    command = [
        *(
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "build",
            "--profiles-dir",
            ".",
        ),
        *("--select", "+path:models/marts/creators", "--exclude-resource-type", "unit_test"),
        # Tests that also read models of other areas cannot run here.
        *("--indirect-selection", "buildable"),
    ]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=project_root(), env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout[-4000:] + done.stderr[-4000:])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": round(used.ru_maxrss / 1024),
    }


def _slowest(folder: Path, count: int = 12) -> dict[str, float]:
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    spent = {row["unique_id"].split(".")[2]: row["execution_time"] for row in results["results"]}
    ordered = sorted(spent.items(), key=lambda item: -item[1])[:count]
    return {name: round(seconds, 1) for name, seconds in ordered}


def _rows(folder: Path) -> dict[str, int]:
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        return {
            f"fct_creator_{name}": int(
                connection.execute(f"select count(*) from creators.fct_creator_{name}").fetchall()[
                    0
                ][0]
            )
            for name in MARTS
        }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("creators", type=int, nargs="?", default=50_000)
    parser.add_argument("days", type=int, nargs="?", default=75)
    parser.add_argument("--keep", type=Path, help="folder to keep lake and database in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = _build(folder, _lake(folder, asked.creators, asked.days))
        told = {"creators": asked.creators, "days": asked.days, **figures}
        told |= {"rows": _rows(folder), "slowest_seconds": _slowest(folder)}
        print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
