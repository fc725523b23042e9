"""What is true of the repository as a whole: nothing machine-bound, and the layer law."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import conftest
from conftest import ROOT, RunDbt

TEXT_SUFFIXES = {
    ".cfg", ".csv", ".editorconfig", ".gitignore", ".ini", ".json", ".lock", ".md", ".py", ".sh",
    ".sql", ".sqlfluff", ".toml", ".txt", ".yaml", ".yml", "",
}  # fmt: skip
MEBIBYTE = 1024 * 1024


def tracked_files() -> list[Path]:
    """Files git knows; a checkout without git has only what was released."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode != 0:
        skipped = {".venv", "target", "state", "data", "logs"}
        return [
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)
        ]
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Name and text of every tracked text file but this one, which names what is forbidden."""
    return [
        (path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace"))
        for path in tracked_files()
        if path.suffix in TEXT_SUFFIXES and path != Path(__file__).resolve()
    ]


def lines_with(pattern: str, keep: re.Pattern[str] | None = None) -> list[str]:
    """``file:line: text`` of each line that holds the pattern; ``keep`` chooses the files."""
    compiled = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        if keep is None or keep.search(name)
        for number, line in enumerate(text.splitlines(), start=1)
        if compiled.search(line)
    ]


# ---------------------------------------------------------------- nothing bound to a machine


def test_no_path_of_one_machine() -> None:
    assert lines_with(r"(?<![\w.}\"'])/(?:work|home/\w+|root|Users/\w+|opt/pl|mnt)/") == []
    assert lines_with(r"[\"'](?:/work|/home/\w+|/root|/Users/\w+|/opt/pl|/mnt)/") == []
    assert lines_with(r"\b[A-Z]:\\\\?Users") == []


def test_no_package_index_is_named() -> None:
    hosts = r"pypi\.org|pythonhosted\.org|--(?:extra-)?index-url|--find-links\s|--trusted-host"
    builders = re.compile(r"\.lock$|\.txt$|\.toml$|\.sh$|Makefile$|\.ci/|\.ya?ml$|\.cfg$")
    assert lines_with(hosts, builders) == []


def test_no_secret_is_committed() -> None:
    secrets = (
        r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----",
        r"\bAKIA[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b",
        r"\bsk-[A-Za-z0-9]{32,}\b",
        r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.",
        r"(?i)\b(?:password|passwd|secret|api_key|token)\s*[:=]\s*[\"'][^\"'{}\s$<]{12,}[\"']",
    )
    assert [line for secret in secrets for line in lines_with(secret)] == []


def test_raw_sample_stays_small() -> None:
    sizes = {
        path: path.stat().st_size
        for path in tracked_files()
        if (ROOT / "seeds" / "raw") in path.parents
    }
    assert [path.name for path, size in sizes.items() if size > 4 * MEBIBYTE] == []
    assert sum(sizes.values()) <= 12 * MEBIBYTE


def test_no_other_file_is_large() -> None:
    assert [
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if path.stat().st_size > 4 * MEBIBYTE
    ] == []


def test_shell_scripts_stop_at_the_first_error() -> None:
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"]
    for script in scripts:
        assert "set -euo pipefail" in script.read_text(), script.name
        assert os.access(script, os.X_OK), f"{script.name} is not executable"


# ---------------------------------------------------------------- models


def models() -> list[Path]:
    """All SQL and Python models."""
    return [*(ROOT / "models").rglob("*.sql"), *(ROOT / "python_models").rglob("*.py")]


def test_every_model_has_its_yaml_beside_it() -> None:
    found = models()
    assert found
    missing = [path.name for path in found if not path.with_suffix(".yml").is_file()]
    assert missing == []


def test_every_model_yaml_describes_a_model_of_its_name() -> None:
    yamls = [
        path
        for folder in ("models", "python_models")
        for path in (ROOT / folder).rglob("*.yml")
        if not path.name.startswith("_") and (ROOT / "models" / "metrics") not in path.parents
    ]
    stray = [
        path.name
        for path in yamls
        if not any(path.with_suffix(suffix).is_file() for suffix in (".sql", ".py"))
    ]
    assert stray == []


def test_every_daily_mart_is_held_to_the_last_complete_day() -> None:
    daily = {
        path.stem
        for path in (ROOT / "models" / "marts").rglob("*.yml")
        if "- name: activity_date\n" in path.read_text(encoding="utf-8")
    }
    claim = ROOT / "tests" / "marts" / "assert_no_mart_reaches_past_the_last_complete_day.sql"
    listed = set(re.findall(r"'(\w+)'", claim.read_text(encoding="utf-8").split("]")[0]))
    assert daily
    assert listed == daily


def test_no_model_reads_the_clock() -> None:
    clock = r"(?i)\bcurrent_(?:date|timestamp|time)\b|\bnow\s*\(|\brun_started_at\b"
    assert lines_with(clock, re.compile(r"^(?:models|python_models)/.*\.(?:sql|py)$")) == []


def test_every_macro_says_what_it_is_for() -> None:
    documented = "\n".join(path.read_text() for path in (ROOT / "macros").rglob("*.yml"))
    silent = [
        path.name
        for path in (ROOT / "macros").rglob("*.sql")
        if "{#" not in path.read_text() and f"name: {path.stem}\n" not in documented
    ]
    assert silent == []


def test_reference_seeds_read_alike_on_both_engines() -> None:
    """Spark turns an empty cell into the text None and interpolates quotes and backslashes."""
    odd = []
    for seed in (ROOT / "seeds" / "reference").glob("*.csv"):
        for number, line in enumerate(seed.read_text(encoding="utf-8").splitlines(), start=1):
            if "\\" in line or "'" in line or '"' in line or "" in line.split(","):
                odd.append(f"{seed.name}:{number}")
    assert odd == []


# ---------------------------------------------------------------- the layer law, on the manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory, run_dbt_module: RunDbt) -> dict[str, Any]:
    """The manifest dbt writes when it parses this checkout."""
    folder = tmp_path_factory.mktemp("manifest")
    parsed = run_dbt_module(["parse"], env={"DBT_TARGET_PATH": str(folder)})
    assert parsed.returncode == 0, parsed.stdout + parsed.stderr
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return loaded


def parents(manifest: dict[str, Any], kind: str) -> list[tuple[str, str, str]]:
    """Name, path and one parent's id, for every parent of every model that is of ``kind``."""
    return [
        (node["name"], node["original_file_path"], parent)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        for parent in node["depends_on"]["nodes"]
        if parent.startswith(f"{kind}.")
    ]


def test_judged_rows_are_read_by_their_own_views_only(manifest: dict[str, Any]) -> None:
    strangers = []
    for name, path, parent in parents(manifest, "model"):
        judged = parent.split(".")[-1]
        if not judged.endswith("__judged") or not path.startswith("models/staging/"):
            continue
        entity = judged.removesuffix("__judged")
        if name not in {entity, f"{entity}__duplicates", f"{entity}__quarantine"}:
            strangers.append(f"{name} reads {judged}")
    assert strangers == []


def test_raw_seeds_are_read_by_staging_only(manifest: dict[str, Any]) -> None:
    readers = [
        f"{name} reads {parent}"
        for name, path, parent in parents(manifest, "seed")
        if parent.split(".")[-1].startswith("raw_") and not path.startswith("models/staging/")
    ]
    assert readers == []


def test_a_staging_model_reads_one_raw_table(manifest: dict[str, Any]) -> None:
    read: dict[str, set[str]] = {}
    for name, _path, parent in parents(manifest, "seed"):
        if parent.split(".")[-1].startswith("raw_"):
            read.setdefault(name, set()).add(parent)
    assert read
    several = {name for name, tables in read.items() if len(tables) > 1}
    # Counts and fingerprints every table by day; that is its one idea.
    assert several <= {"stg_landing__cells"}


# ---------------------------------------------------------------- locks


def project_requirements(extra: str = "") -> list[str]:
    """Requirements of pyproject.toml, with those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"].get(extra, [])]


def missing_requirements(required: list[str]) -> set[str]:
    """Distributions in the closure of ``required`` that are not installed or do not fit."""
    missing: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = [Requirement(text) for text in required]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            missing.add(name)
            continue
        if not requirement.specifier.contains(installed.version, prereleases=True):
            missing.add(f"{name} {installed.version}")
        for text in installed.requires or []:
            child = Requirement(text)
            environments = [
                {**default_environment(), "extra": extra} for extra in ("", *requirement.extras)
            ]
            if child.marker is None or any(map(child.marker.evaluate, environments)):
                queue.append(child)
    return missing


def test_environment_lacks_only_the_parser_that_downloads() -> None:
    assert missing_requirements(project_requirements("dev")) == {"dbt-core-experimental-parser"}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_names_every_requirement_with_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    wanted = project_requirements("dev" if "dev" in lock else "")
    assert {canonicalize_name(Requirement(item).name) for item in wanted} <= pinned
    assert "dbt-core-experimental-parser" not in pinned
    pins = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_core_lock_is_part_of_the_dev_lock() -> None:
    pins = {
        lock: set(re.findall(r"^[a-z0-9-]+==[^ ;\\]+", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    }
    assert pins["requirements.lock"] <= pins["requirements-dev.lock"]


def tiny_wheel(folder: Path) -> Path:
    """A package of nothing but its name, as a wheel: a zip file of three texts."""
    wheel = folder / "plumbline_tiny-1.0-py3-none-any.whl"
    info = "plumbline_tiny-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: plumbline-tiny\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def pip(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run pip of this environment, without the user's configuration."""
    return subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
        check=False,
    )


def test_a_changed_hash_is_refused(tmp_path: Path) -> None:
    wheel = tiny_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    changed = ("0" if digest[0] != "0" else "1") + digest[1:]
    outcomes = {}
    for name, value in (("right", digest), ("changed", changed)):
        lock = tmp_path / f"{name}.lock"
        lock.write_text(f"plumbline-tiny==1.0 --hash=sha256:{value}\n")
        outcomes[name] = pip(
            ["install", "--dry-run", "--no-deps", "--require-hashes", "--no-index",
             "--find-links", str(tmp_path), "--requirement", str(lock)]
        )  # fmt: skip
    assert outcomes["right"].returncode == 0, outcomes["right"].stderr
    assert outcomes["changed"].returncode != 0
    assert "DO NOT MATCH" in outcomes["changed"].stderr


# ---------------------------------------------------------------- tasks


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make build" in readme
    assert "make test" in readme


@pytest.mark.skipif(shutil.which("make") is None, reason="no make found")
def test_make_alone_lists_every_task() -> None:
    listed = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    tasks = set(re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE))
    assert tasks >= {
        "help", "build", "test", "simulate", "land", "expectations", "docs", "bench", "truth",
        "lint", "clean",
    }  # fmt: skip


def old_python(folder: Path) -> Path:
    """A command that says of itself it is Python 3.8."""
    command = folder / "python3.8"
    command.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1 ;; *) echo 3.8 ;; esac\n')
    command.chmod(0o755)
    return command


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = subprocess.run(
        [str(ROOT / "scripts" / "setup.sh"), "core"],
        env={**os.environ, "PYTHON": str(old_python(tmp_path))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "needs Python 3.11 or newer" in refused.stderr


@pytest.mark.parametrize(
    ("required", "outcome"),
    [("", pytest.skip.Exception), ("java", pytest.skip.Exception), ("shared, java", BaseException)],
)
def test_a_required_need_fails_where_it_would_be_skipped(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setitem(conftest.NEEDS, "shared", (lambda: None, "not found"))
    monkeypatch.setenv("PLUMBLINE_REQUIRE", required)
    with pytest.raises(outcome) as raised:
        conftest.meet("shared")
    assert isinstance(raised.value, pytest.fail.Exception) == ("shared" in required)


def suite_runner() -> ModuleType:
    """``scripts/test.py`` as a module; its name would hide the standard library's ``test``."""
    spec = importlib.util.spec_from_file_location("suite_runner", ROOT / "scripts" / "test.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["suite_runner"] = module
    spec.loader.exec_module(module)
    return module


def test_suites_are_counted_from_what_they_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runner = suite_runner()
    junit, results = tmp_path / "pytest.xml", tmp_path / "run_results.json"
    junit.write_text(
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
        '<testcase name="c"><skipped message="no Java runtime found"/></testcase>'
        "</testsuite></testsuites>"
    )
    statuses = ["success", "pass", "warn", "fail", "error", "skipped"]
    results.write_text(json.dumps({"results": [{"status": status} for status in statuses]}))
    monkeypatch.setattr(runner, "PYTEST_REPORT", junit)
    monkeypatch.setattr(runner, "BUILD_REPORT", results)
    outcomes = {"pytest": runner.from_junit(1, ""), "build": runner.from_dbt(1, "")}
    lines = runner.table(outcomes).splitlines()
    assert "    1 skipped: no Java runtime found" in lines
    assert lines[-1] == "4 passed, 3 failed, 2 skipped"


def test_a_suite_that_wrote_nothing_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runner = suite_runner()
    monkeypatch.setattr(runner, "PYTEST_REPORT", tmp_path / "none.xml")
    monkeypatch.setattr(runner, "BUILD_REPORT", tmp_path / "none.json")
    assert runner.from_junit(0, "").failed == 1
    assert runner.from_dbt(0, "").failed == 1
