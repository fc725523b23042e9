"""Every public function of the statistics says what it estimates and from where, and is in the table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from plumbline.statistics.means import MeanComparison

# Other areas of the package keep their own tables.
MODULES = [
    "best_mean",
    "breakdowns",
    "capping",
    "covariates",
    "decisions",
    "evidence",
    "exposures",
    "means",
    "moments",
    "multiplicity",
    "observational",
    "operating",
    "power",
    "priors",
    "proportion_tests",
    "proportions",
    "quantiles",
    "quasi_experiments",
    "ratios",
    "sample_ratio",
    "segments",
    "stratified",
    "tails",
    "uplift",
]


def functions(project_root: Path) -> list[tuple[str, ast.FunctionDef]]:
    folder = project_root / "src" / "plumbline" / "statistics"
    found = []
    for module in MODULES:
        tree = ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.append((module, node))
    return found


def test_every_public_function_is_in_the_table(project_root: Path) -> None:
    readme = (project_root / "src" / "plumbline" / "statistics" / "README.md").read_text("utf-8")
    missing = [
        f"{module}.{node.name}"
        for module, node in functions(project_root)
        if f"`{node.name}`" not in readme
    ]
    assert missing == []
    assert all(f"**{module}.py**" in readme for module in MODULES)


def test_every_docstring_names_estimand_formula_or_source(project_root: Path) -> None:
    words = ("Estimand", "Formula", "Source")
    silent = [
        f"{module}.{node.name}"
        for module, node in functions(project_root)
        if not any(word in (ast.get_docstring(node) or "") for word in words)
    ]
    assert silent == []


def test_no_threshold_and_no_prior_has_a_default(project_root: Path) -> None:
    allowed = {"summarise_mean", "summarise_ratio"}
    defaults = [
        f"{module}.{node.name}"
        for module, node in functions(project_root)
        if (node.args.defaults or any(node.args.kw_defaults)) and node.name not in allowed
    ]
    assert defaults == []


def test_the_example_of_the_readme_runs(project_root: Path) -> None:
    readme = (project_root / "src" / "plumbline" / "statistics" / "README.md").read_text("utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    result = names["result"]
    assert isinstance(result, MeanComparison)
    assert result.p.value.names().tolist() == [None, "zero_variance"]
    assert result.p.value.masked()[0] == pytest.approx(0.0018, abs=5e-5)
