"""``plumbline expectations``: Great Expectations judges the landing profile.

The landing profile says what landed; the rules (data in ``expectations/rules.yml``) turn history
and a stored baseline into bounds; Great Expectations validates the profile against these bounds and
renders its Data Docs. Rows are not judged here: keys, ranges and lists belong to dbt's tests.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
import math
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from plumbline.contract.model import table as contract_table
from plumbline.errors import PlumblineError
from plumbline.landing.profile import (
    Measures,
    Profile,
    ProfileSettings,
    TableProfile,
    profile_landing,
    write_profile,
)
from plumbline.project import lake_path, path_from_environment, project_root

_KINDS = ("volume", "share", "presence", "quantile", "stability", "reference", "rows")
_PERIODS = ("day", "week", "window")
_SEVERITIES = ("error", "warning")
# Scales the median absolute deviation to the standard deviation of a normal distribution.
_MAD_TO_SIGMA = 1.4826
# History below these lengths has no season, or nothing at all, to compare with.
_SEASON_DAYS = 21
_LEAST_DAYS = 8
_LEAST_WEEKS = 5
_WEEK = 7
# A common category is gone when its share falls below this part of what it was.
_GONE = 0.1
# Bins that hold less than this share of the baseline are pooled before the index of stability.
_POOLED_SHARE = 0.02
_BASELINE_FORMAT = 1
# Standard errors of sample quantiles of a normal distribution, times the root of the sample size,
# and how many standard deviations lie between its 5 % and its 95 % quantile.
_QUANTILE_NOISE = {"p05": 2.11, "p50": 1.25, "p95": 2.11}
_TAILS, _TAILS_APART = ("p05", "p95"), 3.29
# Standard errors of sample quantiles of a normal distribution, times the root of the sample size,
# and how many standard deviations lie between its 5 % and its 95 % quantile.
_QUANTILE_NOISE = {"p05": 2.11, "p50": 1.25, "p95": 2.11}
_TAILS, _TAILS_APART = ("p05", "p95"), 3.29


@dataclass(frozen=True)
class Rule:
    """One rule of ``expectations/rules.yml``; its head explains the fields."""

    measure: str
    kind: str
    period: tuple[str, ...]
    severity: str
    reason: str
    remedy: str
    floor: float = 0.0
    spread: float = 0.0
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One thing the gate expects: a value of the profile within bounds.

    Attributes:
        table: table of the contract.
        period: ``day``, ``week`` or ``window``, ending on ``day``.
        measure: what is judged.
        kind: kind of the rule.
        severity: ``error`` or ``warning``.
        observed: value of the profile.
        expected: centre of what history or baseline lead to expect.
        low: inclusive lower bound.
        high: inclusive upper bound, None where there is none.
        reason: why the bound stands.
        remedy: what to do when it fails.
    """

    table: str
    period: str
    day: dt.date
    measure: str
    kind: str
    severity: str
    observed: float
    expected: float
    low: float
    high: float | None
    reason: str
    remedy: str

    @property
    def key(self) -> str:
        """What is judged, whatever the severity and the day."""
        return f"{self.table}|{self.period}|{self.measure}|{self.kind}"

    @property
    def column(self) -> str:
        """Column of the one-row frame that holds the value."""
        if self.period == "day":
            return f"{self.measure} on {self.day}"
        return f"{self.measure} in the {self.period} to {self.day}"

    @property
    def holds(self) -> bool:
        """The value lies within its bounds."""
        return self.low <= self.observed and (self.high is None or self.observed <= self.high)


@dataclass
class ExpectationsReport:
    """Outcome of one run of the landing gate.

    Attributes:
        as_of: last complete day.
        results: one entry per expectation, ``success`` decided by Great Expectations.
        notes: what was not judged, and what was done with the baseline.
        baseline: file that was compared with or written.
        result_path: JSON result.
        docs_path: first page of the Data Docs.
    """

    as_of: dt.date
    results: list[dict[str, Any]]
    notes: list[str]
    baseline: Path
    result_path: Path
    docs_path: Path
    profile_rows: int = 0

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Failed expectations, errors first; a warning is left out where its error failed too."""
        failed = [result for result in self.results if not result["success"]]
        errors = {result["key"] for result in failed if result["severity"] == "error"}
        kept = [r for r in failed if r["severity"] == "error" or r["key"] not in errors]
        return sorted(kept, key=lambda r: (r["severity"], r["table"], r["measure"], r["period"]))

    @property
    def passed(self) -> bool:
        """No expectation of severity error failed."""
        return not any(result["severity"] == "error" for result in self.failed)


# ------------------------------------------------------------------------------------- rules


def load_rules(path: Path | None = None) -> tuple[ProfileSettings, list[Rule]]:
    """Settings and rules of a rules file (default ``expectations/rules.yml``).

    Raises:
        PlumblineError: the file is missing, or a rule has an unknown field or value.
    """
    path = path or project_root() / "expectations" / "rules.yml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PlumblineError(f"{path} is missing.", "Restore it from the repository.") from error
    except yaml.YAMLError as error:
        raise PlumblineError(f"{path} is not valid YAML: {error}.") from error
    rules = []
    for number, entry in enumerate(raw["rules"], start=1):
        period = entry.get("period", ())
        values = {**entry, "period": (period,) if isinstance(period, str) else tuple(period)}
        values["unless"] = tuple(entry.get("unless", ()))
        values["unless"] = tuple(entry.get("unless", ()))
        try:
            rule = Rule(**values)
        except TypeError as error:
            raise PlumblineError(f"{path}: rule {number}: {error}.") from error
        for name, value, allowed in (
            ("kind", (rule.kind,), _KINDS),
            ("severity", (rule.severity,), _SEVERITIES),
            ("period", rule.period, _PERIODS),
        ):
            if not value or not set(value) <= set(allowed):
                raise PlumblineError(
                    f"{path}: rule {number} ({rule.measure}): {name} {', '.join(value)} is not one "
                    f"of {', '.join(allowed)}."
                )
        rules.append(rule)
    return ProfileSettings.from_rules(raw.get("settings", {})), rules


def _like(measure: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(measure, pattern.replace("[", "[[]"))


def _matching(rules: Sequence[Rule], kind: str, period: str, measure: str) -> list[Rule]:
    """First rule of each severity."""
    found: dict[str, Rule] = {}
    for rule in rules:
        applies = rule.kind == kind and period in rule.period and _like(measure, rule.measure)
        if applies and not any(_like(measure, pattern) for pattern in rule.unless):
            found.setdefault(rule.severity, rule)
    return list(found.values())


# ------------------------------------------------------------------------------------- bounds


def _sigma(values: Sequence[float]) -> float:
    """Robust standard deviation."""
    if not values:
        return 0.0
    centre = statistics.median(values)
    return _MAD_TO_SIGMA * statistics.median(abs(value - centre) for value in values)


@dataclass(frozen=True)
class _Outlook:
    """What to expect of one count: centres on the log scale and their standard deviation."""

    centres: tuple[float, ...]
    sigma: float

    def band(self, floor: float, spread: float) -> tuple[float, float, float]:
        """(low, expected, high) of the count."""
        half = max(math.log(floor), spread * self.sigma)
        low = math.exp(min(self.centres) - half) - 1
        high = math.exp(max(self.centres) + half) - 1
        return max(low, 0.0), math.exp(self.centres[0]) - 1, high


def _outlook(counts: Sequence[int], season: bool) -> _Outlook | None:
    """Expectation of the next count after ``counts``; None when the history is too short.

    With a season the next day is expected where the same weekday of each of the last four weeks
    points, moved by the median weekly growth; the median of the four forgives one odd week. The
    noise of a day comes from the week-on-week changes, which neither season nor growth touch.
    """
    logs = [math.log(count + 1) for count in counts]
    # Counting noise: no history can be steadier than a Poisson count.
    poisson = 1 / max(statistics.median(counts[-28:]), 1.0) if counts else 1.0
    if season and len(logs) >= _SEASON_DAYS:
        changes = [logs[at] - logs[at - _WEEK] for at in range(_WEEK, len(logs))][-35:]
        growth = statistics.median(changes)
        noise = _sigma(changes) / math.sqrt(2)
        weeks = range(1, min(4, len(logs) // _WEEK) + 1)
        centre = statistics.median(logs[-_WEEK * k] + k * growth for k in weeks)
        return _Outlook((centre,), math.sqrt(1.4 * noise**2 + 2 * poisson))
    if len(logs) >= (_LEAST_DAYS if season else _LEAST_WEEKS - 1):
        recent = logs[-14:] if season else logs[-8:]
        centres = [statistics.median(recent)]
        if season:
            centres.append(logs[-_WEEK])
        return _Outlook(tuple(centres), math.sqrt(1.4 * _sigma(recent) ** 2 + 2 * poisson))
    return None


def _centres(history: Sequence[tuple[dt.date, float]], day: dt.date) -> list[float]:
    """Median of the history, and of the same weekday where it was seen often enough."""
    centres = [statistics.median(value for _, value in history)]
    same = [value for at, value in history if at.weekday() == day.weekday()]
    if len(same) >= 3:
        centres.append(statistics.median(same))
    return centres


def _binomial(share: float, rows: float) -> float:
    """Standard deviation of a share among ``rows``; never 0, for a share of 0 may be luck."""
    return math.sqrt(max(share * (1 - share), 1 / max(rows, 1)) / max(rows, 1))


# ------------------------------------------------------------------------------------- claims


class _Judge:
    """Turns a profile, the rules and a baseline into claims."""

    def __init__(
        self,
        profile: Profile,
        settings: ProfileSettings,
        rules: Sequence[Rule],
        baseline: Mapping[str, Any] | None,
    ) -> None:
        self.profile, self.settings, self.rules = profile, settings, rules
        self.tables: Mapping[str, Any] = (baseline or {}).get("tables", {})
        self.accepted: Mapping[str, Any] = (baseline or {}).get("accepted", {})
        self.claims: list[Claim] = []
        self.notes: list[str] = []

    def judge(self) -> list[Claim]:
        for name, stored in self.tables.items():
            if stored.get("row_count", [0])[0] > 0:
                self._rows(name)
        for table in self.profile.tables.values():
            self._volumes(table)
            if table.is_daily:
                self._days(table)
            self._window(table)
        return self.claims

    def _claim(
        self,
        subject: tuple[str, str, str, str],
        observed: float,
        bounds: Callable[[Rule], tuple[float, float, float | None]],
    ) -> None:
        """One claim per severity.

        Args:
            subject: table, period, measure and kind.
            observed: value of the profile.
            bounds: (low, expected, high) for a rule.
        """
        table, period, measure, kind = subject
        of = self.profile.tables.get(table)
        day = of.day if of else self.profile.as_of
        for rule in _matching(self.rules, kind, period, f"{table}.{measure}"):
            low, expected, high = bounds(rule)
            claim = Claim(
                table, period, day, measure, kind, rule.severity, observed, expected, low, high,
                rule.reason, rule.remedy,
            )  # fmt: skip
            self.claims.append(self._as_accepted(claim, rule))

    def _as_accepted(self, claim: Claim, rule: Rule) -> Claim:
        """Widen the bounds by a level that a person accepted while history still disagrees."""
        entry = self.accepted.get(claim.key)
        if entry is None:
            return claim
        age = (claim.day - dt.date.fromisoformat(entry["day"])).days
        if not 0 <= age <= self.settings.history_days:
            return claim
        level = float(entry["value"])
        if claim.kind in ("volume", "quantile"):
            room = max(abs(level) * (max(rule.floor, 1.0) - 1), abs(claim.observed) * 1e-9)
        else:
            room = rule.floor
        high = None if claim.high is None else max(claim.high, level + room)
        return Claim(**{**asdict(claim), "low": min(claim.low, level - room), "high": high})

    # -- counts

    def _rows(self, name: str) -> None:
        table = self.profile.tables.get(name)
        observed = table.window["row_count"][0] if table else 0.0
        expected = float(self.tables[name]["row_count"][0])
        self._claim(
            (name, "window", "row_count", "rows"), observed, lambda _: (1.0, expected, None)
        )

    def _volumes(self, table: TableProfile) -> None:
        if table.is_daily:
            outlook = _outlook(table.counts[:-1], season=True)
            period, observed = "day", table.counts[-1]
        else:
            counts = table.counts[len(table.counts) % _WEEK :]
            weeks = [sum(counts[at : at + _WEEK]) for at in range(0, len(counts), _WEEK)]
            if len(weeks) < _LEAST_WEEKS or statistics.median(weeks) < self.settings.daily_rows:
                return
            outlook = _outlook(weeks[:-1], season=False)
            period, observed = "week", weeks[-1]
        if outlook is None:
            self.notes.append(
                f"{table.name}: {len(table.counts)} days are too few to judge its volume."
            )
            return
        self._claim(
            (table.name, period, "row_count", "volume"),
            float(observed),
            lambda rule: outlook.band(rule.floor, rule.spread),
        )

    # -- the judged day against the days before

    def _days(self, table: TableProfile) -> None:
        today = table.days.get(table.day, {})
        for measure, (observed, rows) in today.items():
            if rows < self.settings.share_rows:
                continue
            history = [
                (day, measures[measure][0])
                for day, measures in table.days.items()
                if day < table.day
                and measure in measures
                and measures[measure][1] >= self.settings.share_rows
            ]
            if len(history) < _LEAST_DAYS:
                continue
            kind = measure.partition(":")[0]
            if kind == "distinct":
                outlook = _outlook([round(value) for _, value in history], season=True)
                if outlook is not None and len(history) >= _SEASON_DAYS:
                    self._claim(
                        (table.name, "day", measure, "volume"),
                        observed,
                        lambda rule, o=outlook: o.band(rule.floor, rule.spread),  # type: ignore[misc]
                    )
            elif kind == "quantile":
                self._quantile(table, "day", measure, (observed, rows), history)
            else:
                self._share(table, "day", measure, (observed, rows), history)

    def _share(
        self,
        table: TableProfile,
        period: str,
        measure: str,
        observed: tuple[float, int],
        history: Sequence[tuple[dt.date, float]],
    ) -> None:
        """Claims on a share; ``history`` is past days, or the one value of the baseline."""
        value, rows = observed
        centres = _centres(history, table.day)
        sigma = _sigma([share for _, share in history])
        # With few days the spread of the days is unknown: count actors instead of rows then.
        independent = rows if len(history) >= 14 else min(rows, table.actors)
        sigma = max(sigma, _binomial(min(max(centres[0], 0.0), 1.0), independent))

        def band(rule: Rule) -> tuple[float, float, float | None]:
            half = max(rule.floor, rule.spread * sigma)
            return max(min(centres) - half, 0.0), centres[0], min(max(centres) + half, 1.0)

        kind = measure.partition(":")[0]
        if kind == "known_share":

            def floor(rule: Rule) -> tuple[float, float, float | None]:
                return band(rule)[0], centres[0], None

            self._claim((table.name, period, measure, "reference"), value, floor)
            return
        self._claim((table.name, period, measure, "share"), value, band)
        if kind == "category_share":

            def presence(rule: Rule) -> tuple[float, float, float | None]:
                share, least = centres[0], min(centres)
                margin = max(rule.floor, rule.spread * sigma)
                # Gone: it was common, and so few are left that luck does not explain it.
                low = _GONE * least if least >= margin else 0.0
                # New: it was next to nothing on every day, and now takes a share.
                unheard = max(past for _, past in history) < _GONE * rule.floor
                return low, share, max(centres) + margin if unheard else 1.0

            self._claim((table.name, period, measure, "presence"), value, presence)

    def _quantile(
        self,
        table: TableProfile,
        period: str,
        measure: str,
        observed: tuple[float, int],
        history: Sequence[tuple[dt.date, float]],
    ) -> None:
        """Claims on a quantile: by ratio, or by a part of the range where the contract has one."""
        value, rows = observed
        _, name, label = measure.split(":")
        column = contract_table(table.name).by_name[name]
        tails = [table.window.get(f"quantile:{name}:{end}", (value, 0))[0] for end in _TAILS]
        centres = _centres(history, table.day)
        noise = _QUANTILE_NOISE[label] / math.sqrt(max(rows, 1))
        if column.min is not None and column.max is not None and column.max - column.min <= 20:
            # The tails of a score or a share jump between few values; the stability index sees them.
            if label != "p50":
                return
            extent = column.max - column.min
            spread_of_days = _sigma([past for _, past in history])
            sigma = max(spread_of_days, noise * (tails[1] - tails[0]) / _TAILS_APART)

            def within(rule: Rule) -> tuple[float, float, float | None]:
                half = max((rule.floor - 1) / 2 * extent, rule.spread * sigma)
                return min(centres) - half, centres[0], max(centres) + half

            self._claim((table.name, period, measure, "quantile"), value, within)
            return
        if min(value, tails[0], *(past for _, past in history)) < 0:
            return
        # A little is added before ratios are taken: a quantile near 0 has none, and of a count
        # "one instead of none" is no news.
        shift = max(0.01 * tails[1], 3.0 if column.type == "bigint" else 1e-9)
        logs = [math.log(past + shift) for _, past in history]
        width = math.log(tails[1] + shift) - math.log(tails[0] + shift)
        sigma = max(_sigma(logs), noise * width / _TAILS_APART)

        def ratio(rule: Rule) -> tuple[float, float, float | None]:
            factor = math.exp(max(math.log(rule.floor), rule.spread * sigma))
            low = (min(centres) + shift) / factor - shift
            return max(low, 0.0), centres[0], (max(centres) + shift) * factor - shift

        self._claim((table.name, period, measure, "quantile"), value, ratio)

    # -- the window against the baseline

    def _window(self, table: TableProfile) -> None:
        stored: Measures = {
            key: (float(value), int(rows))
            for key, (value, rows) in self.tables.get(table.name, {}).items()
        }
        for measure, (value, rows) in table.window.items():
            kind = measure.partition(":")[0]
            if rows < self.settings.share_rows:
                continue
            if kind == "known_share" and measure not in stored:
                # Nothing to compare with yet: all ids should be known, up to the rule's floor.
                stored[measure] = (1.0, rows)
            if kind in ("null_share", "known_share") and measure in stored:
                self._share(
                    table, "window", measure, (value, rows), [(table.day, stored[measure][0])]
                )
            elif kind == "quantile" and measure in stored and rows >= self.settings.stability_rows:
                history = [(table.day, stored[measure][0])]
                self._quantile(table, "window", measure, (value, rows), history)
        if not stored:
            return
        for family in sorted(_families({*table.window, *stored})):
            self._mix(table, family, stored)

    def _mix(self, table: TableProfile, family: str, stored: Measures) -> None:
        """Claims on the shares of one column: each common value, and the mix as a whole."""
        kind, _, column = family.partition(":")
        before = _family(stored, family)
        rows_before = max((rows for _, rows in before.values()), default=0)
        window = _family(table.window, family)
        period, now = (
            ("week", _family(table.week, family)) if table.is_daily else ("window", window)
        )
        if kind == "category_share" and len({*before, *window}) <= self.settings.category_limit:
            rows = max((rows for _, rows in window.values()), default=0)
            if min(rows, rows_before) >= self.settings.share_rows:
                for label in sorted({*before, *window}):
                    share, then = window.get(label, (0.0, 0))[0], before.get(label, (0.0, 0))[0]
                    if max(share, then) >= 0.01:
                        self._share(
                            table, "window", f"{family}{label}", (share, rows), [(table.day, then)]
                        )
        rows = max((rows for _, rows in now.values()), default=0)
        if min(rows, rows_before) < self.settings.stability_rows or len({*before, *now}) < 2:
            return
        index, bins = stability_index(
            {label: pair[0] for label, pair in before.items()},
            {label: pair[0] for label, pair in now.items()},
        )
        # Under no change the index is about 2 / n times a chi-squared of bins - 1. Rows that one
        # actor makes on one day count once in n, for they are much alike.
        actors = table.actors * (_WEEK if table.is_daily else 1)
        unit = 2 / max(min(actors, rows), 1)
        usual, sigma = (bins - 1) * unit, math.sqrt(2 * (bins - 1)) * unit
        self._claim(
            (table.name, period, f"stability:{column[:-1]}", "stability"),
            index,
            lambda rule: (0.0, 0.0, rule.floor + usual + rule.spread * sigma),
        )


def _families(measures: set[str]) -> Iterator[str]:
    shares = (m for m in measures if m.startswith(("category_share:", "bin_share:")))
    yield from {measure.partition("=")[0] + "=" for measure in shares}


def _family(measures: Measures, prefix: str) -> Measures:
    return {key[len(prefix) :]: pair for key, pair in measures.items() if key.startswith(prefix)}


def stability_index(before: Mapping[str, float], now: Mapping[str, float]) -> tuple[float, int]:
    """Population stability index of two mixes, and the number of bins it was taken over.

    Args:
        before: share by label in the baseline, summing to 1.
        now: share by label in the judged period, summing to 1.

    Returns:
        ``sum((now - before) * ln(now / before))`` over the labels, rare ones pooled; 0 means equal,
        0.1 a slight and 0.25 a major shift. A label that one side lacks counts as a tenth of a
        pooled bin, so the index stays finite.
    """
    pooled: dict[str, list[float]] = {}
    for label in {*before, *now}:
        shares = before.get(label, 0.0), now.get(label, 0.0)
        name = label if max(shares) >= _POOLED_SHARE else ""
        cell = pooled.setdefault(name, [0.0, 0.0])
        cell[0] += shares[0]
        cell[1] += shares[1]
    least = _POOLED_SHARE * _GONE
    terms = []
    for then, share in pooled.values():
        then, share = max(then, least), max(share, least)  # noqa: PLW2901 (floors of the pair)
        terms.append((share - then) * math.log(share / then))
    return math.fsum(terms), len(pooled)


def claims(
    profile: Profile,
    settings: ProfileSettings,
    rules: Sequence[Rule],
    baseline: Mapping[str, Any] | None,
) -> tuple[list[Claim], list[str]]:
    """Everything the rules expect of a profile, with bounds, and what they could not judge.

    Args:
        profile: the landing profile.
        settings: settings of the rules file.
        rules: rules in order of precedence.
        baseline: stored baseline (see :func:`baseline_of`), None before the first run.
    """
    judge_of = _Judge(profile, settings, rules, baseline)
    return judge_of.judge(), judge_of.notes


# ------------------------------------------------------------------------------------- baseline


def baseline_of(profile: Profile, accepted: Sequence[Claim] = ()) -> dict[str, Any]:
    """The profile's window as a baseline, ready for JSON.

    Args:
        profile: profile to keep.
        accepted: claims that failed and that a person accepts as the new level.
    """
    return {
        "format": _BASELINE_FORMAT,
        "as_of": profile.as_of.isoformat(),
        "tables": {
            name: {
                key: [float(f"{value:.6g}"), rows]
                for key, (value, rows) in sorted(table.window.items())
            }
            for name, table in profile.tables.items()
        },
        "accepted": {
            claim.key: {"value": claim.observed, "day": claim.day.isoformat()} for claim in accepted
        },
    }


def _read_baseline(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != _BASELINE_FORMAT:
            raise ValueError(f"format {stored['format']}")
        return dict(stored)
    except (ValueError, KeyError, TypeError) as error:
        raise PlumblineError(
            f"{path} is not a baseline of this version: {error}.",
            "Replace it deliberately: plumbline expectations --accept-baseline.",
        ) from error


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(path)


# ------------------------------------------------------------------------------------- judging


def judge(
    lake: Path | None,
    state: Path,
    baseline: Path | None = None,
    accept_baseline: bool = False,
) -> ExpectationsReport:
    """Profile what landed and let Great Expectations judge the profile.

    Args:
        lake: folder of the typed lake; None for the shipped sample in ``seeds/raw``.
        state: folder for the results (``<state>/expectations/``).
        baseline: baseline file; default the committed one for the sample, else
            ``<state>/expectations/baseline.json``, stored by the first run without errors.
        accept_baseline: replace the baseline by what is there now and accept its failures.

    Returns:
        The report; profile, JSON result and Data Docs are on disk.

    Raises:
        PlumblineError: nothing to judge, or a file that cannot be read.
    """
    from plumbline.landing.data_docs import validate

    settings, rules = load_rules()
    folder = state / "expectations"
    if baseline is None and lake is None:
        baseline = project_root() / "expectations" / "baseline_sample.json"
    path = baseline or folder / "baseline.json"
    stored = None if accept_baseline else _read_baseline(path)

    profile = profile_landing(lake, settings)
    write_profile(profile, folder / "landing_profile.parquet")
    notes = list(profile.notes)
    if accept_baseline:
        stored = baseline_of(profile)
        failed = [c for c in claims(profile, settings, rules, stored)[0] if not c.holds]
        stored = baseline_of(profile, failed)
        _write_json(path, stored)
        accepted = len({claim.key for claim in failed})
        notes.append(f"baseline {path} replaced; {accepted} deviations from history accepted.")

    first = stored is None
    expected, unjudged = claims(profile, settings, rules, stored)
    notes += unjudged
    results = validate(expected, folder / "data_docs", profile.as_of)
    report = ExpectationsReport(
        as_of=profile.as_of,
        results=results,
        notes=notes,
        baseline=path,
        result_path=folder / "result.json",
        docs_path=folder / "data_docs" / "index.html",
        profile_rows=len(profile.frame()),
    )
    if first and report.passed:
        _write_json(path, baseline_of(profile))
        notes.append(f"first run: baseline stored in {path}; later runs compare with it.")
    elif first:
        notes.append("first run with errors: no baseline stored.")
    _write_json(report.result_path, _result(report, profile))
    return report


def _result(report: ExpectationsReport, profile: Profile) -> dict[str, Any]:
    by_severity = {
        severity: sum(1 for r in report.failed if r["severity"] == severity)
        for severity in _SEVERITIES
    }
    return {
        "passed": report.passed,
        "as_of": report.as_of.isoformat(),
        "source": profile.source,
        "baseline": str(report.baseline),
        "expectations": len(report.results),
        "failed": by_severity,
        "profile_rows": report.profile_rows,
        "failures": report.failed,
        "results": report.results,
        "notes": report.notes,
    }


def _figure(value: float | None) -> str:
    if value is None:
        return "any"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def failure_line(result: Mapping[str, Any]) -> str:
    """One failed expectation in words: table, period, measure, observed, expected, remedy."""
    period = (
        result["day"] if result["period"] == "day" else f"{result['period']} to {result['day']}"
    )
    bounds = f"at least {_figure(result['low'])}"
    if result["high"] is not None:
        bounds = f"{_figure(result['low'])} to {_figure(result['high'])}"
    return (
        f"{result['severity']}: {result['table']}, {period}, {result['measure']}: "
        f"observed {_figure(result['observed'])}, expected {bounds}. {result['remedy']}"
    )


@click.command("expectations")
@click.option(
    "--lake",
    type=click.Path(path_type=Path, file_okay=False),
    help="Typed lake to judge (default: PLUMBLINE_LAKE).",
)
@click.option("--sample", is_flag=True, help="Judge the shipped sample in seeds/raw instead.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for results and baseline (default: PLUMBLINE_STATE, else state).",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Baseline file (default: among the results; for --sample the committed one).",
)
@click.option("--accept-baseline", is_flag=True, help="Replace the baseline by what is there now.")
def command(
    lake: Path | None,
    sample: bool,
    state: Path | None,
    baseline: Path | None,
    accept_baseline: bool,
) -> None:
    """Judge what landed: volumes, null and category shares, distributions, cross-table counts.

    Exit code 0: no error; 1: an expectation of severity error failed; 2: usage or input.
    """
    if sample and lake is not None:
        raise click.UsageError("--sample and --lake exclude each other.")
    report = judge(
        None if sample else (lake or lake_path()),
        state or path_from_environment("PLUMBLINE_STATE", "state"),
        baseline,
        accept_baseline,
    )
    for note in report.notes:
        click.echo(f"note: {note}")
    for result in report.failed:
        click.echo(failure_line(result))
    errors = sum(1 for result in report.failed if result["severity"] == "error")
    click.echo(
        f"{len(report.results)} expectations on {report.as_of}: "
        f"{errors} errors, {len(report.failed) - errors} warnings."
    )
    click.echo(f"Result: {report.result_path}  Data Docs: {report.docs_path}")
    if not report.passed:
        sys.exit(1)
