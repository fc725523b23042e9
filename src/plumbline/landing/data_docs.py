"""Great Expectations at work: one suite a table, its verdicts, and Data Docs that stay offline.

The library is imported here, inside functions only, because its import costs seconds.
"""

from __future__ import annotations

import datetime as dt
import html
import logging
import os
import shutil
import warnings
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from plumbline.landing.expectations import Claim

_SEVERITY = {"error": "critical", "warning": "warning"}

# Elements that load or run something, or need a script; the pages read well without them.
_DROPPED = {"script", "style", "link", "img", "iframe", "footer", "svg", "button", "form", "input"}
_VOID = {"link", "img", "input", "br", "hr", "meta", "col", "wbr", "source", "area", "base"}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
th, td { border: 1px solid #8886; padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
th { background: #8882; }
ul { padding-left: 1.2rem; }
.badge, code { background: #8882; border-radius: 3px; padding: 0 0.25rem; }
.error { color: #c0271d; font-weight: 600; }
.warning { color: #a66300; font-weight: 600; }
.passed, .text-success { color: #1b7a3d; font-weight: 600; }
.text-danger { color: #c0271d; font-weight: 600; }
.fa-check-circle::before { content: "\\2713"; }
.fa-times::before { content: "\\2717"; }
.fa-exclamation-triangle::before { content: "\\26A0"; }
nav ul { columns: 20rem; list-style: none; }
nav li { break-inside: avoid; font-size: 0.85rem; }
.sticky > .mb-3, .btn-group, a[data-toggle="collapse"] { display: none; }
""".strip()

_HEAD = (
    # The policy makes the promise hold in the browser: nothing is loaded, whatever the page says.
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    f"<style>{_STYLE}</style>"
)


class _Offline(HTMLParser):
    """Copies a page without anything that runs or loads, and without links to other hosts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._inside or tag in _DROPPED:
            if tag not in _VOID:
                self._inside.append(tag)
            return
        kept = "".join(
            f" {name}" if value is None else f' {name}="{html.escape(value)}"'
            for name, value in attrs
            if not self._loads(name, value or "")
        )
        self.parts.append(f"<{tag}{kept}>")
        if tag == "head":
            self.parts.append(_HEAD)

    @staticmethod
    def _loads(name: str, value: str) -> bool:
        if name.startswith("on") or name in ("src", "srcset", "style", "background"):
            return True
        return name == "href" and value.strip().lower().startswith(("http:", "https:", "//"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._inside and tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            # Tags left open inside a dropped element end with it.
            if tag in self._inside:
                while self._inside.pop() != tag:
                    pass
        elif tag not in _VOID and tag not in _DROPPED:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")


def offline_page(page: str) -> str:
    """A Data Docs page that makes no request: no script, no outside asset, own styles."""
    parser = _Offline()
    parser.feed(page)
    parser.close()
    lines = (line.rstrip() for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def _great_expectations() -> Any:
    """The library, without telemetry, log noise or deprecation chatter."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
    return great_expectations


def _context(gx: Any, site: Path) -> Any:
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={
            "landing": {
                "class_name": "SiteBuilder",
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(site),
                },
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "show_how_to_buttons": False,
            }
        },
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def validate(claims: list[Claim], site: Path, as_of: dt.date) -> list[dict[str, Any]]:
    """Let Great Expectations validate claims and write its Data Docs.

    Each table becomes one suite over a frame of one row, whose columns are the judged measures; a
    claim is the expectation that the column's value lies between its bounds.

    Args:
        claims: what is expected (bounds, severity, reason).
        site: folder of the Data Docs; replaced.
        as_of: judged day, for the pages.

    Returns:
        One result per claim, in order: the claim's fields, its ``key`` and ``success``.
    """
    gx = _great_expectations()
    if site.exists():
        shutil.rmtree(site)
    site.mkdir(parents=True)
    by_table: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_table[claim.table].append(claim)
    success: dict[tuple[str, str, str], bool] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = _context(gx, site)
        source = context.data_sources.add_pandas("landing_profile")
        for of_table in by_table.values():
            success |= _validate_table(gx, context, source, str(as_of), of_table)
        context.build_data_docs()
    for page in site.rglob("*.html"):
        page.write_text(offline_page(page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(site / "static", ignore_errors=True)

    results = []
    for claim in claims:
        results.append(
            {
                "key": claim.key,
                "success": success[claim.table, claim.column, f"{claim.kind} {claim.severity}"],
                "table": claim.table,
                "period": claim.period,
                "day": claim.day.isoformat(),
                "measure": claim.measure,
                "kind": claim.kind,
                "severity": claim.severity,
                "observed": claim.observed,
                "expected": claim.expected,
                "low": claim.low,
                "high": claim.high,
                "reason": claim.reason,
                "remedy": claim.remedy,
            }
        )
    _write_index(site, results, as_of)
    return results


def _validate_table(
    gx: Any,
    context: Any,
    source: Any,
    run_name: str,
    claims: list[Claim],
) -> dict[tuple[str, str, str], bool]:
    """Verdicts on the claims of one table, by table, column and claim."""
    table = claims[0].table
    frame = pd.DataFrame([{claim.column: float(claim.observed) for claim in claims}])
    batch = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("profile")
    # The largest value of a one-row column is the value; unlike the row-wise expectation this one
    # shows it in the Data Docs and costs a fifth.
    expectations = [
        gx.expectations.ExpectColumnMaxToBeBetween(
            column=claim.column,
            min_value=float(claim.low),
            max_value=None if claim.high is None else float(claim.high),
            severity=_SEVERITY[claim.severity],
            notes=claim.reason,
            meta={"claim": f"{claim.kind} {claim.severity}", "remedy": claim.remedy},
        )
        for claim in claims
    ]
    suite = context.suites.add(gx.ExpectationSuite(name=table, expectations=expectations))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=table, data=batch, suite=suite)
    )
    outcome = definition.run(
        batch_parameters={"dataframe": frame},
        result_format="SUMMARY",
        run_id=gx.RunIdentifier(run_name=run_name),
    )
    configs = ((result.expectation_config, bool(result.success)) for result in outcome.results)
    return {(table, c.kwargs["column"], c.meta["claim"]): passed for c, passed in configs}


def _write_index(site: Path, results: list[dict[str, Any]], as_of: dt.date) -> None:
    """First page: what failed, and per table the pages of Great Expectations."""

    def cell(value: object) -> str:
        text = f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
        return f"<td>{html.escape(text)}</td>"

    failed = [result for result in results if not result["success"]]
    failed.sort(key=lambda r: (r["severity"], r["table"], r["measure"]))
    names = ("table", "period", "day", "measure", "observed", "low", "high", "reason", "remedy")
    failures = "".join(
        f'<tr><td class="{r["severity"]}">{r["severity"]}</td>'
        + "".join(cell(r[name]) for name in names)
        + "</tr>"
        for r in failed
    )
    if failed:
        head = "".join(f"<th>{name}</th>" for name in ("severity", *names))
        failures = f"<table><tr>{head}</tr>{failures}</table>"
    else:
        failures = '<p class="passed">Every expectation holds.</p>'
    pages = {page.relative_to(site).parts[1]: page for page in site.glob("validations/**/*.html")}
    tables = ""
    for table, page in sorted(pages.items()):
        of_table = [result for result in results if result["table"] == table]
        wrong = sum(1 for result in of_table if not result["success"])
        link = html.escape(page.relative_to(site).as_posix())
        tables += (
            f'<tr><td><a href="{link}">{html.escape(table)}</a></td>'
            f"{cell(len(of_table))}{cell(wrong)}"
            f'<td><a href="expectations/{html.escape(table)}.html">suite</a></td></tr>'
        )
    page_text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="UTF-8">'
        f"<title>Landing expectations</title>{_HEAD}</head><body>"
        f"<h1>Landing expectations on {as_of}</h1>"
        f"<p>{len(results)} expectations, {len(failed)} failed.</p>{failures}"
        "<h2>Tables</h2><table><tr><th>table</th><th>expectations</th><th>failed</th>"
        f"<th>suite</th></tr>{tables}</table></body></html>\n"
    )
    (site / "index.html").write_text(page_text, encoding="utf-8")
