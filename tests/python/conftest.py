"""Fixtures every test may use, and the one place that knows what a test may lack.

A test that needs something a machine may not have says so with a marker (``shared``, ``java``,
``browser``). Where the need is not met the test is skipped with the reason; where
``PLUMBLINE_REQUIRE`` names the need (``shared,java,browser``), it fails instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# Before anything imports numpy: sums of several threads differ in their last bits.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

# Warehouses of which a run needs one: fixtures `world` and `sample`.
pytest_plugins = ["worlds"]

ROOT = Path(__file__).resolve().parents[2]
DBT = Path(__file__).resolve().with_name("dbt_of_tests.py")
# Folder of what dbt parsed for one test and others take over; workers of a run share it.
PARSES = "PARSES_OF_TESTS"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RunDbt = Callable[..., "subprocess.CompletedProcess[str]"]


def find_shared_data() -> Path | None:
    """Folder of the shared reference data: ``PLUMBLINE_SHARED``, else beside the checkout."""
    named = os.environ.get("PLUMBLINE_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def find_java() -> str | None:
    """Path of a Java runtime that starts, else None."""
    java = shutil.which("java")
    if java is None:
        return None
    started = subprocess.run([java, "-version"], capture_output=True, check=False)
    return java if started.returncode == 0 else None


def find_browser() -> str | None:
    """Path of a Chromium browser, else None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


NEEDS: dict[str, tuple[Callable[[], object | None], str]] = {
    "shared": (find_shared_data, "shared reference data not found"),
    "java": (find_java, "no Java runtime found"),
    "browser": (find_browser, "no Chromium browser found"),
}


def required_needs() -> set[str]:
    """Needs whose absence is a failure rather than a skip (``PLUMBLINE_REQUIRE``)."""
    named = os.environ.get("PLUMBLINE_REQUIRE", "")
    return {need.strip() for need in named.split(",") if need.strip()}


def meet(need: str) -> object:
    """What a test needs; where it is missing the test is skipped, or fails if it is required."""
    find, reason = NEEDS[need]
    found = find()
    if found is None and need in required_needs():
        pytest.fail(f"{reason}, and PLUMBLINE_REQUIRE names {need}", pytrace=False)
    if found is None:
        pytest.skip(reason)
    return found


def pytest_configure(config: pytest.Config) -> None:
    """A misspelt need would silently allow the skips it was meant to forbid."""
    if unknown := required_needs() - NEEDS.keys():
        raise pytest.UsageError(
            f"PLUMBLINE_REQUIRE names unknown needs: {', '.join(sorted(unknown))}; "
            f"known are {', '.join(NEEDS)}"
        )
    # Workers inherit the folder of the process that started them, which also takes it away.
    if PARSES not in os.environ:
        os.environ[PARSES] = tempfile.mkdtemp(prefix="plumbline-parses-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(PARSES), ignore_errors=True))


# Files that build warehouses, slowest first: started last, one of them would keep a worker busy alone.
SLOW = (
    "test_incremental",
    "test_incremental_experiments",
    "test_raw_modes",
    "test_same_input_same_output",
    "test_build_command",
    "test_truth",
    "test_truth_retention",
    "test_truth_growth",
    "test_truth_engagement",
    "test_truth_bots",
    "test_truth_revenue",
    "test_truth_causal",
    "test_truth_churn",
    "test_truth_llm",
    "test_truth_forecasts",
    "test_experiments",
    "test_truth_creators",
    "test_billing_oddities",
    "test_upworthy",
    "test_import_growthbook",
    "test_llm_quality",
    "test_lifetime_cdnow",
    "test_lifetime_forecasts",
    "test_creators",
    "test_causal",
    "test_churn",
    "test_subscriptions",
    "test_group_comparisons",
    "test_fixtures",
    "test_landing",
    "test_staging_faults",
    "test_college_messages",
    "test_college_retention",
    "test_frames",
    "test_damage",
    "test_sample_truth",
    "test_service",
    "test_service_pages",
    "test_expectations",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first; within a file the order stays."""
    rank = {name: number for number, name in enumerate(SLOW)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(SLOW)))


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    for need in NEEDS:
        if request.node.get_closest_marker(need):
            meet(need)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Root of the checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared reference data; skips (or fails) where it is absent."""
    found = meet("shared")
    assert isinstance(found, Path)
    return found


@pytest.fixture(scope="session")
def browser() -> str:
    """Path of a Chromium browser; skips (or fails) where there is none."""
    return str(meet("browser"))


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove every ``PLUMBLINE_*`` variable for the length of the test."""
    for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
        monkeypatch.delenv(name)


def isolated_environment(folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Environment in which dbt reads this checkout but writes only below ``folder``.

    ``PLUMBLINE_*`` variables of the caller are dropped, so a developer's settings change no test.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    return {
        **kept,
        # The default, said: to dbt, a variable that is set differs from one that is not, and it parses anew.
        "PLUMBLINE_RAW": "seed",
        "PLUMBLINE_DATABASE": str(folder / "plumbline.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_PROFILES_DIR": str(ROOT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # Nobody reads it, and it costs a sixth of a run.
        "DBT_LOG_LEVEL_FILE": "none",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
        **extra,
    }


def dbt_runner(folder: Path) -> RunDbt:
    """``run_dbt`` that keeps database, target and logs below ``folder``."""

    def run(
        args: Sequence[str],
        env: Mapping[str, str] | None = None,
        project: Path = ROOT,
        timeout: float = 900,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(DBT), "--no-use-colors", *args],
            cwd=project,
            env=isolated_environment(folder, env or {}) | ({} if project == ROOT else {PARSES: ""}),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def run_dbt(tmp_path: Path) -> RunDbt:
    """``run_dbt(args, env=None, project=root)``: dbt as a subprocess with its own database, target
    and logs below ``tmp_path``; calls of one test share them. ``env`` overrides.
    """
    return dbt_runner(tmp_path)


@pytest.fixture(scope="module")
def run_dbt_module(tmp_path_factory: pytest.TempPathFactory) -> RunDbt:
    """Like ``run_dbt``, with one database for all tests of a module."""
    return dbt_runner(tmp_path_factory.mktemp("dbt"))
