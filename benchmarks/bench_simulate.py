"""How fast the generator writes, and how much memory it takes, each size in its own process."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from plumbline.contract.model import contract
from plumbline.simulate import Settings, simulate, users_for
events, days, bots, workflows, tables = int(sys.argv[2]), *map(int, sys.argv[3:6]), sys.argv[6]
only = tuple(tables.split(",")) if tables else ()
settings = Settings(days=days, bots=bots, workflows=workflows, users=2000, tables=only)
users = users_for(settings, events)  # also reads the contract: starting up is not timed
contract()
settings = Settings(days=days, bots=bots, workflows=workflows, users=users, tables=only)
started, wall = time.process_time(), time.perf_counter()
truth = simulate(settings, Path(sys.argv[1]))
cpu, wall = time.process_time() - started, time.perf_counter() - wall
tables = truth.expected["tables"]
written = tables["events"]["landed"]
rows = sum(table["landed"] for table in tables.values())
print(json.dumps({
    "users": users, "events": written, "rows": rows,
    "cpu_seconds": round(cpu, 2), "wall_seconds": round(wall, 2),
    "events_per_cpu_second": round(written / cpu),
    "rows_per_cpu_second": round(rows / cpu),
    "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
"""


def run(
    events: int, days: int = 60, bots: int = 5000, workflows: int = 2000, tables: str = "events"
) -> dict[str, float]:
    """Simulate about ``events`` events in a process of its own.

    Args:
        events: wanted number of events.
        days, bots, workflows: size of the world.
        tables: comma-separated tables to write; empty writes all.

    Returns:
        Users, events and rows written, CPU and wall seconds, events and rows per CPU second
        (generating and writing), peak resident memory in MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        sizes = [str(value) for value in (events, days, bots, workflows)]
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, folder, *sizes, tables],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--all-tables", action="store_true", help="write all 18 tables")
    given = parser.parse_args()
    for events in given.events:
        tables = "" if given.all_tables else "events"
        print(json.dumps(run(events, given.days, tables=tables)))


if __name__ == "__main__":
    main()
