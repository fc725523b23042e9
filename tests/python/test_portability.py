"""The portability lint finds what it names, passes what is right, and the project is clean."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import portability

# Rule -> SQL that breaks it, SQL beside it that does not.
EXAMPLES: dict[str, tuple[str, str]] = {
    "unguarded_division": ("select a / b from t", "select a / nullif(b, 0), a / 7 from t"),
    "window_null_order": (
        "select sum(a) over (partition by b order by c, d nulls last) from t",
        "select sum(a) over (order by c nulls last, d desc nulls last rows 6 preceding) from t",
    ),
    "ranking_without_order": (
        "select row_number() over (partition by a) from t",
        "select row_number() over (partition by a order by b nulls last) from t",
    ),
    "float_aggregate": (
        "select sum(cast(a as double)) from t",
        "select cast(sum(a) as double), avg(b) from t",
    ),
    "regexp_replace": ("select regexp_replace(a, 'b', 'c') from t", "select replace(a, 'b', 'c')"),
    "regexp_extract_group": (
        "select regexp_extract(a, '[0-9]+') from t",
        "select regexp_extract(a, '([0-9]+)', 1) from t",
    ),
    "concat": ("select concat(a, b) from t", "select a || b from t"),
    "log": ("select log(a) from t", "select ln(a), log10(a) from t"),
    "moments": ("select skewness(a) from t", "select stddev_samp(a) from t"),
    "day_of_week": ("select dayofweek(a) from t", "select {{ iso_day_of_week('a') }} from t"),
    "day_of_week_part": ("select extract(dow from a) from t", "select extract(week from a) from t"),
    "hash": ("select hash(a) from t", "select {{ dbt.hash('a') }}, md5(a), row_hash from t"),
    "date_subtraction": (
        "select t.end_date - t.start_date from t",
        "select {{ day_diff('start_date', 'end_date') }}, total - part from t",
    ),
    "float_to_text": (
        "select cast(cast(a as double) as string) from t",
        "select cast(cast(a as decimal(18, 6)) as string) from t",
    ),
    "rounding_cast": (
        "select cast(a / 2 as bigint) from t",
        "select cast(floor(a / 2) as bigint), cast(a as bigint) from t",
    ),
    "quoted_identifier": ('select "a" from t', "select a, '\"' as mark from t"),
    "caret": ("select a ^ 2 from t", "select power(a, 2) from t"),
    "first_or_last": (
        "select first(a) from t",
        "select first_value from t",
    ),
    "random": ("select random() from t", "select random_share from t"),
    "clock": ("select current_date", "select known_now, '{{ var(\"x\") }}' as now from t"),
    "clock_in_jinja": ("select '{{ run_started_at }}'", "select {{ as_of_date() }}"),
    "double_colon": ("select a::date from t", "select cast(a as date), 'a::b' from t"),
    "type_name": ("select cast(a as varchar) from t", "select cast(a as string) as text from t"),
    "count_distinct_several": (
        "select count(distinct a, b) from t",
        "select count(distinct coalesce(a, b)) from t",
    ),
    "count_distinct_over": (
        "select count(distinct a) over (partition by b) from t",
        "select count(distinct a) from t",
    ),
    "ignore_nulls": (
        "select last_value(a ignore nulls) over (order by b nulls last) from t",
        "select last_value(a) over (order by b nulls last) from t",
    ),
    "date_text": ("select strftime(a, '%Y') from t", "select cast(a as string) from t"),
    "epoch": ("select epoch_us(a) from t", "select {{ epoch_us('a') }} from t"),
    "json": ("select a ->> 'b' from t", "select {{ json_text('a', 'b') }}, a - b > 0 from t"),
    "series": ("select unnest(a) from t", "select series.sequence from series"),
    "star_except": ("select * exclude (a) from t", "select *, a * b from t"),
    "asof_join": ("select 1 from a asof join b on a.t >= b.t", "select as_of_date from t"),
    "semi_join": ("select 1 from a semi join b on a.i = b.i", "select 1 from a inner join b"),
    "text_search": ("select strpos(a, 'b') from t", "select instr(a, 'b') from t"),
    "rlike": ("select a similar to 'b' from t", "select a like 'b~c' from t"),
    "nvl": ("select nvl(a, b) from t", "select coalesce(a, b) from t"),
    "initcap": ("select initcap(a) from t", "select lower(a) from t"),
    "date_difference": ("select datediff(a, b) from t", "select {{ day_diff('a', 'b') }} from t"),
    "trailing_comma": ("select a, from t", "select a, {% for c in d %}c{% endfor %} from t"),
    "distinct_on": ("select distinct on (a) b from t", "select distinct one from t"),
    "arg_max": ("select arg_max(a, b) from t", "select max_by(a, b) from t"),
    "quantile": (
        "select quantile_cont(a, 0.5) from t",
        "select percentile_cont(0.5) within group (order by a) from t",
    ),
    "text_aggregate": ("select string_agg(a, ',') from t", "select max(a) from t"),
    "nested_value": ("select [a, b] from t", "select {{ names[0] }}, price_list from t"),
    "split": ("select split(a, ',') from t", "select split_part(a, ',', 1) from t"),
    "isfinite": ("select isfinite(a) from t", "select isnan(a) from t"),
    "integer_division": ("select a // 2 from t", "select floor(a / 2) from t"),
    "qualify": ("select a from t qualify b = 1", "select qualifying from t"),
    "sample": ("select a from t using sample 10", "select sample_size from t"),
    "by_name": ("select 1 union all by name select 2", "select 1 union all select 2"),
    "zone": ("select a at time zone 'UTC' from t", "select a_at, 'at' as word from t"),
    "file_function": ("select * from read_parquet('x')", "select * from {{ raw('x') }}"),
    "sha2": ("select sha256(a) from t", "select md5(a) from t"),
    "engine_branch": (
        "{% if target.type == 'spark' %}{% endif %}",
        "select target.kind",
    ),
    "dbt_datediff": (
        "select {{ dbt.datediff('a', 'b', 'month') }}",
        "select {{ dbt.datediff('a', 'b', 'day') }}",
    ),
    "dbt_safe_cast": ("select {{ dbt.safe_cast('a', 'int') }}", "select try_cast(a as int)"),
    "dbt_listagg": ("select {{ dbt.listagg('a') }}", "select {{ listagg_sorted('a') }}"),
    "dbt_equals": ("select {{ dbt.equals('a', 'b') }}", "select a is not distinct from b"),
    "dbt_type": ("select cast(a as {{ dbt.type_float() }})", "select {{ dbt.type_string() }}"),
    "dbt_series": ("{{ dbt.date_spine('day', a, b) }}", "{{ date_spine_days('a', 'b') }}"),
    "backslash": (r"select regexp_extract(a, '(\d)', 1)", "select regexp_extract(a, '([0-9])', 1)"),
}


def rules_broken(sql: str) -> set[str]:
    return {finding.rule for finding in portability.scan_sql(sql, "a.sql")}


def test_every_rule_has_an_example() -> None:
    assert {rule.name for rule in portability.RULES} | {portability.BACKSLASH} == EXAMPLES.keys()


@pytest.mark.parametrize("rule", EXAMPLES)
def test_rule_is_found(rule: str) -> None:
    assert rule in rules_broken(EXAMPLES[rule][0])


@pytest.mark.parametrize("rule", EXAMPLES)
def test_portable_sql_passes(rule: str) -> None:
    assert rules_broken(EXAMPLES[rule][1]) == set()


@pytest.mark.parametrize(
    "sql",
    [
        '-- a::b, current_date and "c"\nselect a from t',
        "/* now() */ select a from t",
        "{# qualify, it's a / b #} select a from t",
        "select 'a::b -- now()' as text_value from t",
        "select '/* ' as opened, a from t where b = ' */ now() '",
        "{{ config(materialized='table', pre_hook=\"{{ f('a / b', now()) }}\") }} select a from t",
        "{% if a is none %}{{ exceptions.raise_compiler_error('no now()') }}{% endif %}",
        "{% set share = a / b %}{% set names = ['x', \"y\"] %}select {{ names[0] }} from t",
        "select sum(a) over (partition by b) from t",
        "select sum(a) over () / nullif(sum(b), 0) from t",
        "select lag(a) over {{ window }} from t",
    ],
)
def test_comments_literals_and_jinja_are_no_sql(sql: str) -> None:
    assert rules_broken(sql) == set()


@pytest.mark.parametrize(
    "divisor",
    [
        "b",
        "0",
        "0.0",
        "(b + 1)",
        "sum(b)",
        "(2 - b)",
        "cast(b as double)",
        "{{ column }}",
        "coalesce(b, 1)",
    ],
)
def test_divisor_that_may_be_zero_is_found(divisor: str) -> None:
    assert "unguarded_division" in rules_broken(f"select a / {divisor} from t")


@pytest.mark.parametrize(
    "divisor",
    [
        "nullif(b, 0)",
        "cast(nullif(b, 0) as double)",
        "1000.0",
        "(nullif(b, 0))",
        "cast(7 as double)",
    ],
)
def test_divisor_that_cannot_be_zero_passes(divisor: str) -> None:
    assert rules_broken(f"select a / {divisor} from t") == set()


def test_sql_in_a_string_of_jinja_is_read() -> None:
    assert rules_broken("select {{ dbt.date_trunc('day', 'now()') }} from t") == {"clock"}


def test_finding_names_the_line_of_the_file() -> None:
    sql = "-- why\n{{ config(\n    a=1\n) }}\n\nselect\n    a::date\nfrom t\n"
    assert [finding.line for finding in portability.scan_sql(sql, "a.sql")] == [7]


def test_expressions_in_yaml_are_read(tmp_path: Path) -> None:
    properties = tmp_path / "model.yml"
    properties.write_text(
        "models:\n  - name: a\n    description: now() is a word\n    data_tests:\n"
        "      - expression_is_true:\n          arguments:\n            expression: a::int = 1\n"
    )
    found = portability.scan_file(properties, tmp_path)
    assert [(finding.line, finding.rule) for finding in found] == [(7, "double_colon")]


def project(folder: Path, sql: str, exceptions: str) -> Path:
    (folder / "models").mkdir()
    (folder / "scripts").mkdir()
    (folder / "models" / "a.sql").write_text(sql)
    (folder / portability.EXCEPTIONS).write_text(exceptions)
    return folder


def test_reviewed_exception_excuses_its_rule_only(tmp_path: Path) -> None:
    root = project(tmp_path, "select a::int, now()", "# why\nmodels/a.sql:clock:an audit column\n")
    assert [finding.rule for finding in portability.check(root)] == ["double_colon"]


def test_exception_that_excuses_nothing_is_a_finding(tmp_path: Path) -> None:
    root = project(tmp_path, "select a", "models/a.sql:clock:an audit column\n")
    assert [finding.rule for finding in portability.check(root)] == [portability.STALE]


@pytest.mark.parametrize("line", ["models/a.sql:clock", "models/a.sql:clock:", "models/a.sql:x:y"])
def test_exception_without_reason_or_rule_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="portability_exceptions"):
        portability.check(project(tmp_path, "select a", line))


def test_macros_of_the_engines_are_left_alone(project_root: Path) -> None:
    engine = project_root / "macros" / "cross_db"
    assert not [path for path in portability.project_files(project_root) if engine in path.parents]


def test_project_is_portable(project_root: Path) -> None:
    assert [str(finding) for finding in portability.check(project_root)] == []
