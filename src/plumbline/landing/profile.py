"""The landing profile: a small frame that says what landed, day by day.

One row per table, period and measure. DuckDB computes it from SQL that is generated from the
landing contract, so no event ever reaches pandas and the frame's size depends on days and measures.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import os
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from plumbline.contract.model import Column, Table, contract
from plumbline.errors import PlumblineError
from plumbline.progress import track
from plumbline.project import project_root, setting

# Columns of the profile frame.
FRAME_COLUMNS = ("table_name", "period", "day", "measure", "value", "row_count")

# A category below this share of the window, and of the judged day, is left to the stability index.
_KEPT_SHARE = 0.01
_KEPT_SHARE_OF_DAY = 0.02
_KEPT_CATEGORIES = 12
_QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
_WEEK = 7

# period -> measure -> (value, rows behind it)
Measures = dict[str, tuple[float, int]]


@dataclass(frozen=True)
class Reference:
    """Ids of ``table.column`` that ``to_table.to_column`` should know."""

    table: str
    column: str
    to_table: str
    to_column: str

    @property
    def measure(self) -> str:
        """Name of its measure in the profile."""
        return f"known_share:{self.column}->{self.to_table}"


@dataclass(frozen=True)
class ProfileSettings:
    """How far back the profile looks and what it measures; ``expectations/rules.yml`` explains."""

    history_days: int = 57
    detail_days: int = 28
    daily_rows: int = 20
    share_rows: int = 30
    stability_rows: int = 200
    category_limit: int = 60
    lag_days: Mapping[str, int] = field(default_factory=dict)
    not_categories: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    distinct: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()

    @classmethod
    def from_rules(cls, raw: Mapping[str, Any]) -> ProfileSettings:
        """Settings from the ``settings`` block of a rules file.

        Raises:
            PlumblineError: an unknown setting, table or column.
        """
        values = dict(raw)
        tables = contract()
        references = []
        for entry in values.pop("references", ()):
            to_table, _, to_column = str(entry["to"]).partition(".")
            reference = Reference(entry["table"], entry["column"], to_table, to_column)
            ends = ((reference.table, reference.column), (to_table, to_column))
            for table_name, column_name in ends:
                if table_name not in tables or column_name not in tables[table_name].by_name:
                    raise PlumblineError(
                        f"expectations rules: the contract has no {table_name}.{column_name}.",
                        "Correct the entry under settings: references.",
                    )
            references.append(reference)
        for name in ("not_categories", "categories", "distinct"):
            values[name] = tuple(values.get(name, ()))
        try:
            return cls(references=tuple(references), **values)
        except TypeError as error:
            raise PlumblineError(f"expectations rules: {error}.", "See settings.") from error


@dataclass
class TableProfile:
    """What one table looks like.

    Attributes:
        name: table of the contract.
        day: day that is judged, the last complete one.
        is_daily: it has enough rows a day to be judged by the day.
        counts: rows by day over the history, days without rows included, ``day`` last.
        days: measures by day of the detail window, oldest first.
        week: measures of the seven days that end on ``day`` (category and bin shares only).
        window: measures of the whole detail window; of all rows where the table is not daily.
        actors: most distinct actors on one day, or rows where the table names no actor.
    """

    name: str
    day: dt.date
    is_daily: bool
    counts: list[int]
    days: dict[dt.date, Measures] = field(default_factory=dict)
    week: Measures = field(default_factory=dict)
    window: Measures = field(default_factory=dict)
    actors: int = 0


@dataclass
class Profile:
    """The profile of a lake.

    Attributes:
        as_of: last complete day over all tables.
        source: what was profiled, for messages.
        tables: profile by table; a table without any row is missing.
        notes: what could not be profiled and why.
    """

    as_of: dt.date
    source: str
    tables: dict[str, TableProfile]
    notes: list[str] = field(default_factory=list)

    def frame(self) -> pd.DataFrame:
        """The profile as one long frame (columns ``FRAME_COLUMNS``).

        ``period`` is ``day``, ``week`` or ``window``; ``day`` is the last day of the period and
        ``row_count`` the number of rows behind ``value``.
        """
        rows: list[tuple[str, str, dt.date, str, float, int]] = []
        for name, table in self.tables.items():
            first = table.day - dt.timedelta(days=len(table.counts) - 1)
            rows += [
                (name, "day", first + dt.timedelta(days=at), "row_count", float(count), count)
                for at, count in enumerate(table.counts)
            ]
            for day, measures in table.days.items():
                rows += [(name, "day", day, key, *pair) for key, pair in measures.items()]
            for period, measures in (("week", table.week), ("window", table.window)):
                rows += [(name, period, table.day, key, *pair) for key, pair in measures.items()]
        frame = pd.DataFrame(rows, columns=list(FRAME_COLUMNS))
        frame["day"] = pd.to_datetime(frame["day"])
        return frame


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql_type(column: Column) -> str:
    return "varchar" if column.type == "string" else column.type


def _csv_relation(path: Path, table: Table) -> tuple[str, set[str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        header = next(csv.reader(handle), [])
    types = ", ".join(
        f"{_quoted(name)}: "
        f"{_quoted(_sql_type(table.by_name[name]) if name in table.by_name else 'varchar')}"
        for name in header
    )
    relation = (
        f"read_csv({_quoted(str(path))}, columns = {{{types}}}, auto_detect = false, "
        "header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '')"
    )
    return relation, set(header)


class _Source:
    """Views of the landed tables on one DuckDB connection, and the queries over them."""

    def __init__(self, lake: Path | None) -> None:
        self.lake = lake
        self.connection = duckdb.connect(config={"threads": os.environ.get("OMP_NUM_THREADS", "2")})
        self.connection.execute("set enable_progress_bar = false")

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def query(self, sql: str, about: str) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            line = str(error).splitlines()[0]
            raise PlumblineError(
                f"{about} cannot be profiled: {line}.", "Check the table's landed files."
            ) from error

    def open(self, table: Table) -> bool:
        """Create the view of a table with the contract's columns; False when nothing is there."""
        if self.lake is None:
            path = project_root() / "seeds" / "raw" / f"raw_{table.name}.csv"
            if not path.is_file():
                return False
            relation, present = _csv_relation(path, table)
        else:
            files = sorted((self.lake / table.name).glob("*.parquet"))
            files = [file for file in files if not file.name.startswith((".", "_"))]
            if not files:
                return False
            listed = ", ".join(_quoted(str(file)) for file in files)
            relation = f"read_parquet([{listed}], union_by_name = true)"
            about = f"table {table.name}"
            described = self.query(f"describe select * from {relation}", about)
            present = {str(row[0]) for row in described}
        # Personal text is never read: the profile has no use for it.
        columns = ", ".join(
            f"cast({_name(column) if column.name in present else 'null'} as {_sql_type(column)})"
            f" as {_name(column)}"
            for column in table.columns
            if not column.pii
        )
        self.query(
            f"create or replace temp view {_view(table.name)} as select {columns} from {relation}",
            f"table {table.name}",
        )
        return True


def _name(column: Column | str) -> str:
    return f'"{column if isinstance(column, str) else column.name}"'


def _view(table_name: str) -> str:
    return f'"landed_{table_name}"'


def _daily_counts(source: _Source, table: Table) -> dict[dt.date, int]:
    """Rows by day of the business time, oldest day first."""
    time, earliest = _name(table.time), setting("earliest_event_time")
    return {
        row[0]: int(row[1])
        for row in source.query(
            f"""
            select cast({time} as date) as day, count(*) from {_view(table.name)}
            where {time} >= timestamp {_quoted(str(earliest))} group by day order by day
            """,
            f"table {table.name}",
        )
    }


def _last_begun_day(source: _Source, table: Table, days: Iterable[dt.date]) -> dt.date | None:
    """Last day that has begun: the last one with a row that is not dated after it landed.

    A row from the future does not prove that its day has begun, else one wrong client clock would
    make today look complete. Only the last days with rows are read, more only where all of them
    lie in the future.
    """
    listed = sorted(days)
    time, reach = _name(table.time), 4
    while listed:
        since = listed[-reach] if reach < len(listed) else listed[0]
        found: dt.date | None = source.query(
            f"""
            select max(cast({time} as date)) from {_view(table.name)}
            where {time} >= timestamp '{since}' and (ingested_at is null or {time} <= ingested_at)
            """,
            f"table {table.name}",
        )[0][0]
        if found is not None or since == listed[0]:
            return found
        reach *= 8
    return None


def _is_number(column: Column) -> bool:
    return column.type == "bigint" or column.type.startswith("decimal")


def _is_bounded(column: Column) -> bool:
    return column.min is not None and column.max is not None and column.max - column.min <= 20


def _bin_sql(column: Column) -> str:
    """SQL of the histogram bin of a number, as text that sorts by eye.

    Scores keep their value, shares fall into tenths, other numbers into half octaves: bins that
    need no look at the data, so that two profiles always share them.
    """
    name = _name(column)
    if _is_bounded(column):
        if column.type == "bigint":
            return f"cast({name} as varchar)"
        assert column.min is not None and column.max is not None
        width = (column.max - column.min) / 10
        at = f"least(floor((cast({name} as double) - {column.min}) / {width}), 9)"
        return f"cast(cast({at} as integer) as varchar)"
    return (
        f"case when {name} > 0 then cast(cast(floor(log2(cast({name} as double)) * 2) as integer)"
        f" as varchar) when {name} = 0 then 'zero' when {name} < 0 then 'negative' end"
    )


@dataclass
class _Plan:
    """Columns of one table by what is measured on them."""

    optional: list[Column]
    distinct: list[Column]
    numbers: list[Column]
    closed: list[Column]
    open: list[Column]
    actor: Column | None


def _plan(table: Table, settings: ProfileSettings) -> _Plan:
    columns = [column for column in table.columns if not column.pii and column.name != table.time]
    texts = [column for column in columns if column.type == "string"]
    closed = [
        column for column in columns if column.type == "boolean" or (column.values or column.known)
    ]
    open_lists = [
        column
        for column in texts
        if column not in closed
        and column.max_length is None
        and column.name not in settings.not_categories
        and (not column.name.endswith("_id") or column.name in settings.categories)
    ]
    distinct = [table.by_name[name] for name in settings.distinct if name in table.by_name]
    return _Plan(
        optional=[c for c in columns if not c.required and c.name != "ingested_at"],
        distinct=distinct,
        numbers=[c for c in columns if _is_number(c) and c.name not in table.key],
        closed=closed,
        open=open_lists,
        actor=distinct[0] if distinct else None,
    )


@dataclass(frozen=True)
class _Scope:
    """SQL of the rows that are measured and of the day they are grouped by."""

    day: str
    where: str

    @classmethod
    def of(cls, table: Table, profile: TableProfile, settings: ProfileSettings) -> _Scope:
        """The detail window by day, or all rows at once of a table too small for days."""
        time = _name(table.time)
        where = f"{time} < timestamp '{profile.day + dt.timedelta(days=1)}'"
        if not profile.is_daily:
            return cls("cast(null as date)", where)
        first = profile.day - dt.timedelta(days=settings.detail_days - 1)
        return cls(f"cast({time} as date)", f"{where} and {time} >= timestamp '{first}'")


def _figures(plan: _Plan) -> dict[str, str]:
    """SQL aggregate by figure; the figure's name says what it is."""
    figures = {"rows": "count(*)"}
    figures |= {f"filled:{c.name}": f"count({_name(c)})" for c in plan.optional}
    figures |= {f"distinct:{c.name}": f"approx_count_distinct({_name(c)})" for c in plan.distinct}
    wanted = list(_QUANTILES.values())
    figures |= {
        f"quantile:{c.name}": f"approx_quantile(cast({_name(c)} as double), {wanted})"
        for c in plan.numbers
    }
    return figures


def _measures(figures: Mapping[str, Any]) -> Measures:
    """Null shares, distinct counts and quantiles from one row of :func:`_figures`."""
    count = int(figures["rows"])
    measures: Measures = {}
    for key, value in figures.items():
        kind, _, column = key.partition(":")
        if kind == "filled":
            measures[f"null_share:{column}"] = ((count - int(value)) / count, count)
        elif kind == "distinct":
            measures[key] = (float(value), count)
        elif kind == "quantile":
            filled = int(figures.get(f"filled:{column}", count))
            for label, number in zip(_QUANTILES, value or (), strict=False):
                if number is not None and math.isfinite(number):
                    measures[f"{key}:{label}"] = (number, filled)
    return measures


def _over_days(days: Iterable[Measures]) -> Measures:
    """The window's null shares (exact) and quantiles (of a typical day) from those of its days."""
    weighted: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    typical: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for measures in days:
        for key, (value, count) in measures.items():
            if key.startswith("null_share:"):
                weighted[key][0] += value * count
                weighted[key][1] += count
            elif key.startswith("quantile:"):
                typical[key].append((value, count))
    over: Measures = {key: (share / n, int(n)) for key, (share, n) in weighted.items()}
    for key, pairs in typical.items():
        over[key] = (statistics.median(v for v, _ in pairs), sum(count for _, count in pairs))
    return over


def _measure_table(
    source: _Source,
    table: Table,
    profile: TableProfile,
    settings: ProfileSettings,
    notes: list[str],
) -> None:
    """Fill the day, week and window measures of one table: two scans of the rows in question."""
    plan = _plan(table, settings)
    scope = _Scope.of(table, profile, settings)
    figures = _figures(plan)
    selected = source.query(
        f"select {scope.day} as day, {', '.join(figures.values())}"
        f" from {_view(table.name)} where {scope.where} group by day order by day",
        f"table {table.name}",
    )
    rows = [(row[0], dict(zip(figures, row[1:], strict=True))) for row in selected]
    total = sum(int(row["rows"]) for _, row in rows)
    if profile.is_daily:
        profile.days = {day: _measures(row) for day, row in rows}
        profile.window = _over_days(profile.days.values())
    else:
        for _, row in rows:
            profile.window = {
                key: pair for key, pair in _measures(row).items() if not key.startswith("distinct:")
            }
    profile.window["row_count"] = (float(total), total)
    actor = f"distinct:{plan.actor.name}" if plan.actor else "rows"
    profile.actors = max((int(row[actor]) for _, row in rows), default=0) or total

    values = _value_counts(source, table, profile, plan.open)
    kept = list(plan.closed)
    for column in plan.open:
        if values[column.name] <= settings.category_limit:
            kept.append(column)
        else:
            notes.append(
                f"{table.name}.{column.name} has {values[column.name]:,} values: "
                "not judged as a category."
            )
    if total:
        mixes = {f"category_share:{c.name}=": _name(c) for c in kept}
        mixes |= {f"bin_share:{c.name}=": _bin_sql(c) for c in plan.numbers}
        if mixes:
            _measure_mix(source, table, profile, scope, mixes)


def _value_counts(
    source: _Source, table: Table, profile: TableProfile, columns: list[Column]
) -> dict[str, int]:
    """Distinct values by column: of the last week, or of all rows of a table too small for days."""
    if not columns:
        return {}
    figures = ", ".join(f"approx_count_distinct({_name(column)})" for column in columns)
    where = "true"
    if profile.is_daily:
        since = profile.day - dt.timedelta(days=_WEEK - 1)
        where = f"{_name(table.time)} >= timestamp '{since}'"
    sql = f"select {figures} from {_view(table.name)} where {where}"
    row = source.query(sql, f"table {table.name}")[0]
    return {column.name: int(count) for column, count in zip(columns, row, strict=True)}


def _measure_mix(
    source: _Source,
    table: Table,
    profile: TableProfile,
    scope: _Scope,
    expressions: Mapping[str, str],
) -> None:
    """Category and bin shares (measure -> SQL of the value) of one table.

    One scan with one grouping set a column, so a column more costs a small hash table, not a scan.
    """
    keys = list(expressions)
    selected = ", ".join(
        f"cast({sql} as varchar) as c{at}" for at, sql in enumerate(expressions.values())
    )
    sets = ", ".join(f"(day, c{at})" for at in range(len(keys)))
    which = " ".join(f"when grouping(c{at}) = 0 then {at}" for at in range(len(keys)))
    label = " ".join(f"when grouping(c{at}) = 0 then c{at}" for at in range(len(keys)))
    rows = source.query(
        f"""
        with landed as (
            select {scope.day} as day, {selected} from {_view(table.name)} where {scope.where}
        )
        select * from (
            select day, case {which} end as which, case {label} end as label, count(*) as n
            from landed group by grouping sets ({sets})
        ) where label is not null
        order by which, day, label
        """,
        f"table {table.name}",
    )
    counts: dict[str, dict[dt.date | None, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for day, which_one, value, count in rows:
        counts[keys[which_one]][day][value] = int(count)
    week_from = profile.day - dt.timedelta(days=_WEEK - 1)
    for measure, by_day in counts.items():
        everything = _summed(by_day.values())
        for value, pair in _shares(everything).items():
            profile.window[f"{measure}{value}"] = pair
        if not profile.is_daily:
            continue
        of_week = _summed(c for d, c in by_day.items() if d is not None and d >= week_from)
        for value, pair in _shares(of_week).items():
            profile.week[f"{measure}{value}"] = pair
        if measure.startswith("category_share:"):
            for value in _kept_categories(everything, by_day.get(profile.day, {})):
                _share_by_day(profile, f"{measure}{value}", value, by_day)


def _share_by_day(
    profile: TableProfile,
    measure: str,
    value: str,
    by_day: Mapping[dt.date | None, Mapping[str, int]],
) -> None:
    for day, measures in profile.days.items():
        of_day = by_day.get(day, {})
        rows = sum(of_day.values())
        if rows:
            measures[measure] = (of_day.get(value, 0) / rows, rows)


def _summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for part in parts:
        for label, count in part.items():
            total[label] += count
    return dict(total)


def _shares(counts: Mapping[str, int]) -> Measures:
    total = sum(counts.values())
    return {label: (count / total, total) for label, count in sorted(counts.items())}


def _kept_categories(everything: Mapping[str, int], judged: Mapping[str, int]) -> list[str]:
    total, of_day = sum(everything.values()), max(sum(judged.values()), 1)
    kept = [
        label
        for label, count in everything.items()
        if count >= _KEPT_SHARE * total or judged.get(label, 0) >= _KEPT_SHARE_OF_DAY * of_day
    ]
    # The most common ones, and whatever is common on the judged day.
    kept.sort(key=lambda label: (-judged.get(label, 0) / of_day - everything[label] / total, label))
    return sorted(kept[:_KEPT_CATEGORIES])


def _measure_reference(
    source: _Source,
    reference: Reference,
    table: Table,
    profile: TableProfile,
    settings: ProfileSettings,
) -> None:
    """Share of a table's ids that the owning table knows, by day and over the window.

    Unknown ids are found among the distinct ones, so the join never sees events; their rows are
    counted only where there are any.
    """
    scope = _Scope.of(table, profile, settings)
    column, to_column = _name(reference.column), _name(reference.to_column)
    about = f"table {table.name}"
    source.query(
        f"""
        create or replace temp table unknown_ids as
        select id from (
            select distinct {column} as id from {_view(table.name)}
            where {scope.where} and {column} is not null
        )
        where id not in (
            select {to_column} from {_view(reference.to_table)} where {to_column} is not null
        )
        """,
        about,
    )
    unknown_rows = "0"
    if source.query("select count(*) from unknown_ids", about)[0][0]:
        unknown_rows = f"count(*) filter (where {column} in (select id from unknown_ids))"
    known, total = 0, 0
    for day, rows, unknown in source.query(
        f"select {scope.day} as day, count({column}), {unknown_rows} from {_view(table.name)}"
        f" where {scope.where} group by day order by day",
        about,
    ):
        known += int(rows) - int(unknown)
        total += int(rows)
        if rows and day in profile.days:
            share = (int(rows) - int(unknown)) / int(rows)
            profile.days[day][reference.measure] = (share, int(rows))
    if total:
        profile.window[reference.measure] = (known / total, total)


def _as_of(source: _Source, days: Mapping[str, Mapping[dt.date, int]], about: str) -> dt.date:
    """Last complete day: ``PLUMBLINE_AS_OF``, else the day before the last one that has begun."""
    named = os.environ.get("PLUMBLINE_AS_OF")
    if named:
        try:
            return dt.date.fromisoformat(named)
        except ValueError as error:
            raise PlumblineError(
                f"PLUMBLINE_AS_OF is {named!r}, not a date.", "Write it as YYYY-MM-DD."
            ) from error
    tables = [table for name, table in contract().items() if days.get(name)]
    begun = [
        _last_begun_day(source, table, days[table.name])
        for table in tables
        if table.by_name[table.time].observed
    ]
    last = max((day for day in begun if day is not None), default=None)
    if last is None:
        raise PlumblineError(f"{about} holds no rows to judge.", "Land data first: plumbline land.")
    return last - dt.timedelta(days=1)


def profile_landing(lake: Path | None, settings: ProfileSettings) -> Profile:
    """Profile a lake, or the shipped sample.

    Args:
        lake: folder of the typed lake (``<lake>/<table>/*.parquet``); None for ``seeds/raw``.
        settings: what to measure and how far back.

    Returns:
        The profile up to the last complete day: ``PLUMBLINE_AS_OF``, else the day before the last
        one that any table has begun.

    Raises:
        PlumblineError: the lake does not exist, holds no rows or has a file that cannot be read.
    """
    name = "the sample in seeds/raw" if lake is None else f"the lake {lake}"
    if lake is not None and not lake.is_dir():
        raise PlumblineError(f"{name} does not exist.", "Name it with --lake, or land data first.")
    tables = contract()
    with _Source(lake) as source, track("Profiling", total=len(tables), unit="tables") as bar:
        found = [table for table in tables.values() if source.open(table)]
        counted = {table.name: _daily_counts(source, table) for table in found}
        profile = Profile(_as_of(source, counted, name), name, {})
        bare = [table.name for table in tables.values() if not counted.get(table.name)]
        if bare:
            profile.notes.append(f"no rows to judge in {', '.join(bare)}.")
        for table in found:
            day = profile.as_of - dt.timedelta(days=int(settings.lag_days.get(table.name, 0)))
            by_day = {at: count for at, count in counted[table.name].items() if at <= day}
            if by_day:
                # Days before the table's first row are not history.
                oldest = max(min(by_day), day - dt.timedelta(days=settings.history_days - 1))
                span = (day - oldest).days + 1
                counts = [by_day.get(oldest + dt.timedelta(days=at), 0) for at in range(span)]
                recent = counts[-settings.detail_days :]
                daily = statistics.median(recent) >= settings.daily_rows
                judged = TableProfile(table.name, day, daily, counts)
                profile.tables[table.name] = judged
                _measure_table(source, table, judged, settings, profile.notes)
            bar.advance(1, table.name)
        bar.advance(len(tables) - len(found))
        for reference in settings.references:
            if reference.table in profile.tables and reference.to_table in profile.tables:
                of_table = profile.tables[reference.table]
                _measure_reference(source, reference, tables[reference.table], of_table, settings)
    return profile


def write_profile(profile: Profile, path: Path) -> None:
    """Write the profile frame as Parquet, replacing an earlier one in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    profile.frame().to_parquet(temporary, index=False)
    temporary.replace(path)
