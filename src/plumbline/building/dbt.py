"""Runs dbt as a subprocess, shows its progress, and believes nothing but its own record of this run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plumbline.errors import PlumblineError
from plumbline.progress import track
from plumbline.project import project_root


@dataclass
class DbtResult:
    """Outcome of one dbt run.

    Attributes:
        counts: number of nodes by resource type and status.
        failures: one line per failed node: name and message.
        warnings: the same of nodes that warn and stop nothing.
        seconds: execution seconds by node name.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """No node failed."""
        return not self.failures


def dbt_environment(lake: Path, database: Path, state: Path) -> dict[str, str]:
    """Environment in which dbt reads one lake and writes one warehouse."""
    return {
        **os.environ,
        "PLUMBLINE_RAW": "lake",
        "PLUMBLINE_LAKE": str(lake),
        "PLUMBLINE_DATABASE": str(database),
        "DBT_TARGET_PATH": str(state / "target"),
        "DBT_LOG_PATH": str(state / "logs"),
        "DBT_PROFILES_DIR": str(project_root()),
        "DBT_PROJECT_DIR": str(project_root()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
    }


def dbt_executable() -> str:
    """The dbt of the Python environment this runs in."""
    beside = Path(sys.executable).parent / "dbt"
    return str(beside) if beside.exists() else "dbt"


def _follow(process: subprocess.Popen[str], title: str) -> list[str]:
    """Show progress from dbt's JSON log; return messages of level error."""
    errors: list[str] = []
    assert process.stdout is not None
    with track(title, None, "nodes") as bar:
        for line in process.stdout:
            try:
                event: dict[str, Any] = json.loads(line)
            except json.JSONDecodeError:
                if line.strip():
                    errors.append(line.strip())
                continue
            data, info = event.get("data", {}), event.get("info", {})
            # dbt names the total differently for models and tests, and leaves hooks out of it.
            total = data.get("total") or data.get("num_models")
            hook = data.get("node_info", {}).get("resource_type") == "operation"
            if "execution_time" in data and total and not hook:
                bar.total = total
                bar.advance(1, data.get("node_info", {}).get("node_name", ""))
            elif info.get("level") == "error":
                errors.append(str(info.get("msg", "")).strip())
    return errors


def _collect(results_path: Path, invocation_started: float) -> DbtResult:
    if not results_path.is_file() or results_path.stat().st_mtime < invocation_started:
        raise PlumblineError("dbt left no record of this run.", "See the log above.")
    document = json.loads(results_path.read_text(encoding="utf-8"))
    result = DbtResult()
    for node in document["results"]:
        kind, name = node["unique_id"].split(".")[0], node["unique_id"].split(".")[2]
        by_status = result.counts.setdefault(kind, {})
        by_status[node["status"]] = by_status.get(node["status"], 0) + 1
        result.seconds[name] = result.seconds.get(name, 0.0) + float(node["execution_time"])
        told = {"error": result.failures, "fail": result.failures, "runtime error": result.failures,
                "warn": result.warnings}.get(node["status"])  # fmt: skip
        if told is not None:
            message = " ".join(str(node.get("message") or "").split())
            told.append(f"{kind} {name}: {message[:600]}")
    if not result.counts:
        raise PlumblineError("dbt ran nothing.", "Check the selection.")
    return result


def run_dbt_build(arguments: list[str], environment: dict[str, str], title: str) -> DbtResult:
    """Run ``dbt build`` with further arguments and wait for it.

    Raises:
        PlumblineError: dbt stopped before it built anything (settings, parse errors), or it ended with
            an error that no node explains.
    """
    target = Path(environment["DBT_TARGET_PATH"])
    target.mkdir(parents=True, exist_ok=True)
    marker = target / ".started"
    marker.touch()
    started = marker.stat().st_mtime
    command = [
        dbt_executable(),
        "--log-format",
        "json",
        "--log-level-file",
        "none",
        "build",
        *arguments,
    ]
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=project_root(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        errors = _follow(process, title)
        code = process.wait()
    except BaseException:
        # An interrupt must not leave a dbt behind that goes on writing.
        process.terminate()
        process.wait()
        raise
    if code == 2 or (code != 0 and not (target / "run_results.json").is_file()):
        text = next((e for e in errors if e), f"exit code {code}")
        raise PlumblineError(f"dbt could not start the build: {' '.join(text.split())[:800]}")
    result = _collect(target / "run_results.json", started)
    if code != 0 and result.succeeded:
        text = next((e for e in errors if e), "no node failed")
        raise PlumblineError(f"dbt ended with exit code {code}: {text[:800]}")
    return result
