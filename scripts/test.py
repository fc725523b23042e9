"""Run the suites of the house and end with a table of what ran.

Usage: ``python scripts/test.py [--only lint,pytest,build]``; ``make test`` runs all.

Each suite's whole output goes to ``state/logs/<suite>.log``; of a failed one the tail is printed.
The last line reads ``N passed, N failed, N skipped``. Linters and tests write below ``state/test``
or in temporary folders; the build rebuilds the demo as ``make build`` does. Exit code 1 when anything
failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LOGS = ROOT / "state" / "logs"
WORK = ROOT / "state" / "test"
PYTEST_REPORT = WORK / "pytest.xml"
BUILD_REPORT = ROOT / "state" / "demo" / "target" / "run_results.json"
TAIL_LINES = 60
# Longer than any suite takes on two busy cores; a suite that hangs must not hang its caller.
TIME_LIMIT_SECONDS = 3600


@dataclass
class Outcome:
    """Counts of one suite, and why anything was skipped."""

    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def skipped_count(self) -> int:
        """How many were skipped."""
        return sum(self.skipped.values())


def exit_code_only(code: int, _log: str) -> Outcome:
    """A linter is one check: it is clean or it is not."""
    return Outcome(passed=int(code == 0), failed=int(code != 0))


def from_junit(code: int, _log: str) -> Outcome:
    """Counts of pytest's XML report; a run that broke off counts as a failure of its own."""
    report = PYTEST_REPORT
    if not report.is_file():
        return Outcome(failed=1)
    outcome = Outcome()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            outcome.skipped[skip.get("message") or "no reason given"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        else:
            outcome.passed += 1
    if code != 0 and outcome.failed == 0:
        outcome.failed = 1
    return outcome


def from_dbt(code: int, _log: str) -> Outcome:
    """Counts of dbt's nodes: models, seeds, data tests and unit tests of this very run."""
    report = BUILD_REPORT
    if not report.is_file():
        return Outcome(failed=1)
    outcome = Outcome()
    for result in json.loads(report.read_text(encoding="utf-8"))["results"]:
        status = result["status"]
        if status in ("success", "pass", "warn", "no-op"):
            outcome.passed += 1
        elif status == "skipped":
            outcome.skipped["stands on a node that failed"] += 1
        else:
            outcome.failed += 1
    if outcome.passed == 0 or (code != 0 and outcome.failed == 0):
        outcome.failed += 1
    return outcome


def from_autofix(code: int, log: str) -> Outcome:
    """``dbt-autofix --dry-run`` exits 0 even when it would change a file, so its answer is read."""
    changes = [
        line
        for line in log.splitlines()
        if line.startswith("{") and json.loads(line).get("mode") == "dry_run"
    ]
    clean = code == 0 and not changes
    return Outcome(passed=int(clean), failed=int(not clean))


def tool(name: str) -> str:
    """Path of a command of this interpreter's environment."""
    return str(BIN / name)


@dataclass(frozen=True)
class Suite:
    """One command, the group it belongs to, and how its outcome is counted."""

    name: str
    group: str
    command: tuple[str, ...]
    count: Callable[[int, str], Outcome] = exit_code_only
    report: Path | None = None


PYTHON_PATHS = ("src", "tests/python", "scripts")
SQL_PATHS = ("models", "analyses", "tests/marts")


def paths(*names: str) -> tuple[str, ...]:
    """Those of the named folders that exist."""
    return tuple(name for name in names if (ROOT / name).exists())


def suites() -> list[Suite]:
    """All suites in the order they run: the quick and telling ones first."""
    workers = os.environ.get("PLUMBLINE_TEST_WORKERS", "2")
    parallel: tuple[str, ...] = ()
    if workers != "0":
        # In the order of collection (slow files first, see conftest), not by number of tests.
        parallel = ("-n", workers, "--dist", "loadfile", "--no-loadscope-reorder")
    python = paths(*PYTHON_PATHS, "benchmarks", "python_models")
    return [
        Suite("ruff", "lint", (tool("ruff"), "check", *python)),
        Suite("ruff-format", "lint", (tool("ruff"), "format", "--check", *python)),
        Suite("mypy", "lint", (tool("mypy"),)),
        Suite("portability", "lint", (sys.executable, "scripts/portability.py")),
        Suite("dbt-parse", "lint", (tool("dbt"), "--warn-error", "--no-partial-parse", "parse")),
        Suite("dbt-bouncer", "lint", (tool("dbt-bouncer"), "run", "--show-all-failures")),
        Suite(
            "dbt-autofix",
            "lint",
            (sys.executable, "scripts/autofix.py", "deprecations", "--dry-run", "--json"),
            from_autofix,
        ),
        Suite(
            "sqlfluff",
            "lint",
            (
                tool("sqlfluff"),
                "lint",
                "--disable-progress-bar",
                "--processes",
                "2",
                *paths(*SQL_PATHS),
            ),
        ),
        Suite(
            "pytest",
            "pytest",
            (sys.executable, "-m", "pytest", "-q", f"--junitxml={PYTEST_REPORT}", *parallel),
            from_junit,
            PYTEST_REPORT,
        ),
        Suite(
            "build",
            "build",
            (tool("plumbline"), "build", "--data", "demo", "--force"),
            from_dbt,
            BUILD_REPORT,
        ),
    ]


def environment(suite: Suite) -> dict[str, str]:
    """Environment of one suite: a developer's settings change no result, and nothing reports home.

    The linters parse below ``state/test``. The build goes where ``make build`` puts the demo.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PLUMBLINE_") or name in ("PLUMBLINE_REQUIRE", "PLUMBLINE_SHARED")
    }
    env = {
        **kept,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "160",
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    if suite.group == "lint":
        env |= {
            "PLUMBLINE_DATABASE": str(WORK / "plumbline.duckdb"),
            "DBT_PROFILES_DIR": str(ROOT),
            "DBT_TARGET_PATH": str(WORK / "target"),
            "DBT_LOG_PATH": str(WORK / "logs"),
        }
    if suite.name == "dbt-bouncer":
        # Where it looks for the manifest; dbt itself must not see it.
        env["DBT_PROJECT_DIR"] = str(WORK)
    return env


def run(suite: Suite, heartbeat_seconds: float = 60.0) -> Outcome:
    """Run one suite and write its log; every minute a line says that it is still at work."""
    log = LOGS / f"{suite.name}.log"
    # What an earlier run left must not be counted as this one's.
    if suite.report is not None:
        suite.report.unlink(missing_ok=True)
    print(f"  {suite.name:<14}", end="", flush=True)
    started = time.monotonic()
    done = threading.Event()

    def tell() -> None:
        while not done.wait(heartbeat_seconds):
            print(f" {time.monotonic() - started:.0f} s ...", end="", flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    with log.open("w", encoding="utf-8") as stream:
        stream.write(f"$ {' '.join(suite.command)}\n")
        stream.flush()
        try:
            code = subprocess.run(
                suite.command,
                cwd=ROOT,
                env=environment(suite),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            stream.write(f"\nstopped after {TIME_LIMIT_SECONDS} s\n")
            code = 124
        except FileNotFoundError as error:
            stream.write(f"\n{error}\n")
            code = 127
    done.set()
    teller.join()
    text = log.read_text(encoding="utf-8", errors="replace")
    outcome = suite.count(code, text)
    outcome.seconds = time.monotonic() - started
    verdict = "FAILED" if outcome.failed else "ok" if outcome.passed else "skipped"
    print(f" {verdict} ({outcome.seconds:.0f} s)", flush=True)
    if outcome.failed:
        lines = text.splitlines()
        print(f"--- last lines of {log.relative_to(ROOT)}")
        print("\n".join(lines[-TAIL_LINES:]))
        print("---", flush=True)
    return outcome


def table(outcomes: dict[str, Outcome]) -> str:
    """The closing table and, alone on the last line, the totals."""
    lines = [
        f"{'suite':<14} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}",
        "-" * 48,
    ]
    for name, outcome in outcomes.items():
        lines.append(
            f"{name:<14} {outcome.passed:>7} {outcome.failed:>7} "
            f"{outcome.skipped_count:>8} {outcome.seconds:>8.0f}"
        )
        for reason, count in outcome.skipped.most_common():
            lines.append(f"    {count} skipped: {re.sub(r'^Skipped: ', '', reason)}")
    passed = sum(outcome.passed for outcome in outcomes.values())
    failed = sum(outcome.failed for outcome in outcomes.values())
    skipped = sum(outcome.skipped_count for outcome in outcomes.values())
    return "\n".join([*lines, "", f"{passed} passed, {failed} failed, {skipped} skipped"])


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen suites; 0 when nothing failed."""
    known = suites()
    choices = list(dict.fromkeys([suite.group for suite in known] + [s.name for s in known]))
    parser = argparse.ArgumentParser(description="Run the suites and end with a table.")
    parser.add_argument(
        "--only", default="", help=f"comma-separated suites or groups: {', '.join(choices)}"
    )
    only = {name for name in parser.parse_args(arguments).only.split(",") if name}
    if unknown := only - set(choices):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; known are {', '.join(choices)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    chosen = [suite for suite in known if not only or {suite.name, suite.group} & only]
    print(f"running {len(chosen)} suites; logs are in {LOGS.relative_to(ROOT)}", flush=True)
    outcomes = {suite.name: run(suite) for suite in chosen}
    # A caller that has more to say first asks for the table in a file.
    summary = os.environ.get("PLUMBLINE_SUMMARY")
    if summary:
        Path(summary).write_text(table(outcomes) + "\n", encoding="utf-8")
    else:
        print(f"\n{table(outcomes)}", flush=True)
    return 1 if any(outcome.failed for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
