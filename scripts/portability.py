"""Find SQL that DuckDB and Spark read differently, or that only one of them reads.

Usage: ``python scripts/portability.py [file ...]``; without files, all SQL of the project that must
run on both engines: models, analyses, tests and every macro outside ``macros/cross_db``, the one
place where engine-specific SQL may stand. SQL expressions in the models' YAML are read as well.

Prints ``file:line: rule: message`` for each finding and exits 1 when there is one. A finding that
was looked at and is right as it stands is listed in ``scripts/portability_exceptions.txt`` as
``path:rule:reason``; an exception that excuses nothing any more is a finding itself.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
EXCEPTIONS = Path("scripts/portability_exceptions.txt")
SQL_FOLDERS = ("models", "analyses", "tests/generic", "tests/marts", "tests/macros", "macros")
YAML_FOLDERS = ("models",)
# YAML keys whose text is SQL.
SQL_KEYS = {"expression", "to_expression", "where", "to_where", "filter", "expr"}
# Stands where a Jinja statement stood: it separates what it separated and is no SQL.
STATEMENT = "\x00"

# Offsets in the text at which a rule is broken.
Finder = Callable[[str], Iterator[int]]


@dataclass(frozen=True)
class Rule:
    """One construct that is not portable.

    Args:
        name: identifier used in findings and exceptions.
        find: yields the offset of each occurrence in cleaned SQL (or in Jinja, see ``in_jinja``).
        reason: what differs.
        remedy: what to write instead.
        in_jinja: look at the Jinja code rather than the SQL around it.
    """

    name: str
    find: Finder
    reason: str
    remedy: str
    in_jinja: bool = False


@dataclass(frozen=True)
class Finding:
    """One broken rule at one line of one file."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """One line, as an editor can jump to."""
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


# ---------------------------------------------------------------- reading SQL


def closing(text: str, opening: int) -> int:
    """Offset of the parenthesis that closes the one at ``opening``; the end where none does."""
    depth = 0
    for offset in range(opening, len(text)):
        if text[offset] == "(":
            depth += 1
        elif text[offset] == ")":
            depth -= 1
            if depth == 0:
                return offset
    return len(text)


def split_top(text: str) -> list[str]:
    """Parts of ``text`` between commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for offset, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:offset])
            start = offset + 1
    return [*parts, text[start:]]


def blank(text: str) -> str:
    """``text`` as spaces, its line ends kept."""
    return re.sub(r"[^\n]", " ", text)


# Strings inside Jinja are passed over whole: they may hold Jinja themselves.
JINJA_CODE = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^'\"])*?"
JINJA = re.compile(rf"\{{#.*?#\}}|\{{\{{{JINJA_CODE}\}}\}}|\{{%{JINJA_CODE}%\}}", re.DOTALL)
# Comments and literals have to be told apart in one pass: either may hold the other's mark.
COMMENT_OR_LITERAL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
JINJA_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
# Jinja code whose strings are messages or settings.
JINJA_MESSAGE = re.compile(r"raise_compiler_error|exceptions\.|\blog\(|\bprint\(|\bconfig\(")
# Marks that mean something else in strings of Jinja: paths, patterns, lists of names.
NOT_IN_STRINGS = {
    "unguarded_division",
    "quoted_identifier",
    "nested_value",
    "caret",
    "trailing_comma",
}


@dataclass(frozen=True)
class Cleaned:
    """A file taken apart; every part has the line ends of the file, so offsets give lines.

    Args:
        sql: comments and literals blanked, Jinja expressions replaced by a word that begins with
            ``jinja_`` and names the macro called.
        jinja: only the Jinja code, all else blanked.
        fragments: offset and text of strings inside Jinja expressions, which may be SQL.
        literals: offset and text of SQL literals.
    """

    sql: str
    jinja: str
    fragments: tuple[tuple[int, str], ...]
    literals: tuple[tuple[int, str], ...]


def placeholder(code: str) -> str:
    """Word that stands for a Jinja expression, as long in lines as the expression."""
    called = re.match(r"\{\{-?\s*(?:return\s*\(\s*)?([a-zA-Z_][\w.]*)\s*\(", code)
    name = called.group(1).replace(".", "_") if called else "value"
    return f"jinja_{name}" + "\n" * code.count("\n")


def clean(text: str) -> Cleaned:
    """Take a dbt SQL file apart into what the rules look at."""
    fragments: list[tuple[int, str]] = []
    sql_parts: list[str] = []
    jinja_parts: list[str] = []
    # Offsets are into parts whose line ends agree with the file, so lines can be counted in each.
    position = 0
    # A commented line may hold Jinja, and Jinja may hold two dashes: comments of whole lines go
    # first, the rest after the Jinja.
    text = re.sub(r"(?m)^[ \t]*--[^\n]*", lambda found: blank(found.group()), text)
    for found in JINJA.finditer(text):
        between = text[position : found.start()]
        sql_parts.append(between)
        jinja_parts.append(blank(between))
        code = found.group()
        if code.startswith("{#"):
            sql_parts.append(blank(code))
            jinja_parts.append(blank(code))
        else:
            jinja_parts.append(code)
            is_expression = code.startswith("{{")
            sql_parts.append(
                placeholder(code) if is_expression else STATEMENT + "\n" * code.count("\n")
            )
            carries_sql = is_expression or re.match(r"\{%-?\s*(set|do)\b", code)
            if carries_sql and not JINJA_MESSAGE.search(code):
                fragments += [
                    (found.start() + string.start(), string.group(1) or string.group(2) or "")
                    for string in JINJA_STRING.finditer(code)
                ]
        position = found.end()
    sql_parts.append(text[position:])
    jinja_parts.append(blank(text[position:]))
    literals: list[tuple[int, str]] = []

    def drop(found: re.Match[str]) -> str:
        body = found.group()
        if not body.startswith("'"):
            return blank(body)
        literals.append((found.start(), body))
        return "'" + blank(body[1:-1]) + "'"

    sql = COMMENT_OR_LITERAL.sub(drop, "".join(sql_parts))
    return Cleaned(sql.lower(), "".join(jinja_parts), tuple(fragments), tuple(literals))


# ---------------------------------------------------------------- finders


def matches(pattern: str) -> Finder:
    """Finder of a regular expression."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def find(text: str) -> Iterator[int]:
        for found in compiled.finditer(text):
            yield found.start()

    return find


def calls(*names: str) -> Finder:
    """Finder of calls of the named functions; a method or a column of that name is not one."""
    return matches(rf"(?<![\w.])(?:{'|'.join(names)})\s*\(")


def call_bodies(text: str, names: str) -> Iterator[tuple[int, str, int]]:
    """Offset, arguments and end of each call of a function whose name matches ``names``."""
    for found in re.finditer(rf"(?<![\w.])(?:{names})\s*\(", text):
        end = closing(text, found.end() - 1)
        yield found.start(), text[found.end() : end], end


def unguarded_division(text: str) -> Iterator[int]:
    """Divisions by something that may be zero; a number other than zero may not."""
    safe = re.compile(
        r"[\s\x00]*(?:(?!0+(?:\.0+)?\b)\d+(?:\.\d+)?\b"
        r"|[\s(]*(?:nullif\s*\(|cast\s*\(\s*(?:nullif\s*\(|[1-9])|jinja_(?:safe_divide|number_var)))"
    )
    for found in re.finditer(r"(?<![/*])/(?![/*])", text):
        if not safe.match(text, found.end()):
            yield found.start()


FRAME = re.compile(r"\b(?:rows|range|groups)\s+(?:between|unbounded|current|\d|interval|jinja_)")
WINDOW = re.compile(r"\bover\s*\(|\bwindow\s+\w+\s+as\s*\(")


def window_bodies(text: str) -> Iterator[tuple[int, str]]:
    """Offset and body of each window definition."""
    for found in WINDOW.finditer(text):
        yield found.start(), text[found.end() : closing(text, found.end() - 1)]


def window_without_null_order(text: str) -> Iterator[int]:
    """Windows one of whose sort keys does not say ``nulls last``."""
    for start, body in window_bodies(text):
        order = re.search(r"\border\s+by\b", body)
        if order is None:
            continue
        keys = FRAME.split(body[order.end() :])[0]
        for key in split_top(keys):
            if not re.search(r"\bnulls\s+last\s*$", key.replace(STATEMENT, " ").strip()):
                yield start
                break


RANKED = "row_number|rank|dense_rank|ntile|lag|lead|first_value|last_value|nth_value"


def ranking_without_order(text: str) -> Iterator[int]:
    """Window functions whose result hangs on the order of rows, without one."""
    for start, _body, end in call_bodies(text, RANKED):
        over = re.match(r"\)\s*over\s*\(", text[end:])
        if over is None:
            continue
        opening = end + over.end() - 1
        window = text[opening + 1 : closing(text, opening)]
        if not re.search(r"\border\s+by\b|\bjinja_|^\s*\w+\s*$", window):
            yield start


AGGREGATES = r"sum|avg|mean|var_\w+|variance|stddev\w*|corr|covar_\w+|regr_\w+"
TO_FLOAT = re.compile(r"\bas\s+(?:double|float|real)\b")


def float_aggregate(text: str) -> Iterator[int]:
    """Aggregates over a value that was cast to a floating type inside the call."""
    for start, body, _end in call_bodies(text, AGGREGATES):
        if TO_FLOAT.search(body):
            yield start


def distinct_of_several(text: str) -> Iterator[int]:
    """``count(distinct a, b)``."""
    for start, body, _end in call_bodies(text, "count"):
        if re.match(r"\s*distinct\b", body) and len(split_top(body)) > 1:
            yield start


def distinct_over_window(text: str) -> Iterator[int]:
    """``count(distinct a) over (...)``."""
    for start, body, end in call_bodies(text, "count|sum|avg"):
        if re.match(r"\s*distinct\b", body) and re.match(r"\)\s*over\b", text[end:]):
            yield start


def regexp_extract_without_group(text: str) -> Iterator[int]:
    """``regexp_extract`` with two arguments."""
    for start, body, _end in call_bodies(text, "regexp_extract"):
        if len(split_top(body)) < 3:
            yield start


def float_to_text(text: str) -> Iterator[int]:
    """A cast to text of what was cast to a floating type."""
    for start, body, _end in call_bodies(text, "cast|try_cast"):
        inner = re.search(r"\bas\s+string\s*$", body)
        if inner and TO_FLOAT.search(body[: inner.start()]):
            yield start


def rounding_cast(text: str) -> Iterator[int]:
    """A cast to an integer type of what was just cast to a floating type or divided."""
    for start, body, _end in call_bodies(text, "cast|try_cast"):
        target = re.search(r"\bas\s+(?:bigint|int|integer|smallint)\s*$", body)
        if target is None:
            continue
        value = body[: target.start()]
        if (TO_FLOAT.search(value) or "/" in value) and not re.match(
            r"[\s\x00(]*(?:floor|ceil|ceiling|round|count)\s*\(", value
        ):
            yield start


# ---------------------------------------------------------------- the rules

ONE_SIDE = "only one engine has it"
RULES: tuple[Rule, ...] = (
    # Silently different
    Rule(
        "unguarded_division",
        unguarded_division,
        "x / 0 is infinite on DuckDB and null or an error on Spark",
        "write safe_divide(a, b), or divide by nullif(b, 0)",
    ),
    Rule(
        "window_null_order",
        window_without_null_order,
        "nulls sort last on DuckDB and first on Spark",
        "end every sort key of a window with nulls last",
    ),
    Rule(
        "ranking_without_order",
        ranking_without_order,
        "without an order each run may number the rows differently",
        "order by a key and a tie-breaker, nulls last",
    ),
    Rule(
        "float_aggregate",
        float_aggregate,
        "a sum of doubles depends on the order in which threads add",
        "aggregate bigint or decimal and cast the result once",
    ),
    Rule(
        "regexp_replace",
        calls("regexp_replace"),
        "replaces the first match on DuckDB and all on Spark",
        "use a macro of macros/cross_db, or replace()",
    ),
    Rule(
        "regexp_extract_group",
        regexp_extract_without_group,
        "without a group it returns group 0 on DuckDB and group 1 on Spark",
        "name the group as third argument",
    ),
    Rule(
        "concat",
        calls("concat"),
        "skips nulls on DuckDB and returns null on Spark",
        "write ||",
    ),
    Rule("log", calls("log"), "base 10 on DuckDB, base e on Spark", "write ln() or log10()"),
    Rule(
        "moments",
        calls("skewness", "kurtosis"),
        "of the sample on DuckDB, of the population on Spark",
        "compute it in the statistics package",
    ),
    Rule(
        "day_of_week",
        calls("dayofweek", "isodow", "dayofweek_iso", "weekday", "dow"),
        "days are numbered from 0 or from 1, from Sunday or from Monday",
        "use the macro iso_day_of_week",
    ),
    Rule(
        "day_of_week_part",
        matches(r"\bextract\s*\(\s*(?:dow|isodow|dayofweek|dayofweek_iso|weekday)\b"),
        "days are numbered from 0 or from 1, from Sunday or from Monday",
        "use the macro iso_day_of_week",
    ),
    Rule("hash", calls("hash"), "each engine has its own hash", "write dbt.hash(...) or md5()"),
    Rule(
        "date_subtraction",
        matches(
            r"_date\s*-\s*(?:\w+\.)?\w+_date\b|\bas\s+date\s*\)\s*-\s*(?:cast\b|(?:\w+\.)?\w+_date\b)"
        ),
        "a whole number on DuckDB, an interval on Spark",
        "use the macro day_diff",
    ),
    Rule(
        "float_to_text",
        float_to_text,
        "the engines print floating numbers differently",
        "cast to decimal before casting to string",
    ),
    Rule(
        "rounding_cast",
        rounding_cast,
        "a cast to an integer rounds on DuckDB and truncates on Spark",
        "say floor(), ceil() or round() inside the cast",
    ),
    Rule(
        "quoted_identifier",
        matches(r'"'),
        'Spark reads "x" as the text x',
        "write plain lower-case names",
    ),
    Rule(
        "caret",
        matches(r"\^|\*\*"),
        "^ is a power on DuckDB and an exclusive or on Spark, ** is no operator there",
        "write power(a, b)",
    ),
    Rule(
        "first_or_last",
        calls("first", "last", "arbitrary", "mode"),
        "which row it takes is left to the engine",
        "write max_by or min_by with a key that has no ties",
    ),
    Rule(
        "random",
        calls("random", "rand", "uuid", "gen_random_uuid"),
        "a rebuild gives other rows",
        "derive it from a key with md5()",
    ),
    Rule(
        "clock",
        matches(
            r"\b(?:current_date|current_timestamp|current_time|localtimestamp|localtime)\b"
            r"|(?<![\w.])(?:now|today|getdate|sysdate|get_current_timestamp|"
            r"transaction_timestamp|unix_timestamp)\s*\("
        ),
        "a rebuild tomorrow gives other rows",
        "use the as_of date",
    ),
    Rule(
        "clock_in_jinja",
        matches(
            r"\brun_started_at\b|\bdatetime\.(?:now|utcnow|today)\b|\bdbt\.(?:current_timestamp|snapshot_get_time)\b"
        ),
        "a rebuild tomorrow gives other rows",
        "use the as_of date",
        in_jinja=True,
    ),
    # Fails on one side
    Rule("double_colon", matches(r"::"), "Spark versions differ on it", "write cast(x as type)"),
    Rule(
        "type_name",
        matches(
            r"\bas\s+(?:varchar|char|text|bpchar|hugeint|uhugeint|ubigint|uinteger|utinyint|"
            r"usmallint|uuid|blob|bytea|json|timestamptz|timestamp_ntz|timestamp_s|int8|int4|"
            r"numeric|float|float4|float8|real|bool)\s*(?:\)|\()"
        ),
        "the type is unknown to one engine or has another width",
        "write string, bigint, int, double, boolean, date, timestamp or decimal(p, s)",
    ),
    Rule(
        "count_distinct_several",
        distinct_of_several,
        ONE_SIDE,
        "count the rows of a select distinct",
    ),
    Rule(
        "count_distinct_over",
        distinct_over_window,
        ONE_SIDE,
        "aggregate first, then join",
    ),
    Rule(
        "ignore_nulls", matches(r"\bignore\s+nulls\b"), ONE_SIDE, "filter nulls before the window"
    ),
    Rule(
        "date_text",
        calls("strftime", "date_format", "strptime", "to_date", "to_char"),
        "the format languages differ",
        "cast, or use a macro of macros/cross_db",
    ),
    Rule(
        "epoch",
        calls(
            "epoch",
            "epoch_us",
            "epoch_ms",
            "epoch_ns",
            "unix_micros",
            "unix_millis",
            "to_timestamp",
            "from_unixtime",
            "timestamp_micros",
            "make_timestamp",
        ),
        ONE_SIDE,
        "use the macro epoch_us or another of macros/cross_db",
    ),
    Rule(
        "json",
        matches(
            r"(?<![\w.])(?:json_extract_string|json_extract|get_json_object|json_value|json_query|"
            r"from_json|to_json|json_object|json_array|json_tuple)\s*\(|->>?"
        ),
        ONE_SIDE,
        "raw data is typed before it arrives; use a macro of macros/cross_db",
    ),
    Rule(
        "series",
        calls(
            "unnest", "explode", "posexplode", "generate_series", "sequence", "generate_subscripts"
        ),
        ONE_SIDE,
        "use the macro date_spine_days or another of macros/cross_db",
    ),
    Rule(
        "star_except",
        matches(r"\*\s*(?:exclude|except|replace|rename)\b"),
        ONE_SIDE,
        "name the columns",
    ),
    Rule("asof_join", matches(r"\basof\b"), ONE_SIDE, "join on the period"),
    Rule(
        "semi_join",
        matches(r"\b(?:semi|anti)\s+join\b"),
        ONE_SIDE,
        "write where [not] exists (...)",
    ),
    Rule(
        "text_search",
        calls(
            "strpos",
            "rlike",
            "regexp_like",
            "regexp_matches",
            "regexp_full_match",
            "starts_with",
            "startswith",
            "ends_with",
            "endswith",
            "prefix",
            "suffix",
        ),
        ONE_SIDE,
        "write instr(), like or contains()",
    ),
    Rule(
        "rlike",
        matches(r"\b(?:rlike|regexp|similar\s+to)\s+'|\s!?~{1,2}\*?\s"),
        ONE_SIDE,
        "write like",
    ),
    Rule("nvl", calls("nvl", "nvl2", "isnull"), ONE_SIDE, "write coalesce()"),
    Rule("initcap", calls("initcap"), ONE_SIDE, "leave the text as it came"),
    Rule(
        "date_difference",
        calls(
            "datediff",
            "date_diff",
            "datesub",
            "date_sub",
            "dateadd",
            "date_add",
            "age",
            "months_between",
            "timestampdiff",
        ),
        "arguments or meaning differ",
        "use the macro day_diff or dbt.dateadd",
    ),
    Rule(
        "trailing_comma",
        matches(r",\s*(?:\)|\b(?:from|where|group\s+by|order\s+by|having|union)\b)"),
        "an error on Spark",
        "drop the comma",
    ),
    Rule("distinct_on", matches(r"\bdistinct\s+on\b"), ONE_SIDE, "rank, and keep row 1"),
    Rule("arg_max", calls("arg_max", "arg_min", "argmax", "argmin"), ONE_SIDE, "write max_by()"),
    Rule(
        "quantile",
        calls(
            "quantile",
            "quantile_cont",
            "quantile_disc",
            "approx_quantile",
            "percentile",
            "percentile_approx",
            "approx_percentile",
        ),
        "only one engine has it, or the answer is approximate",
        "write percentile_cont(p) within group (order by x)",
    ),
    Rule(
        "text_aggregate",
        calls("string_agg", "listagg", "group_concat"),
        ONE_SIDE,
        "use a macro of macros/cross_db",
    ),
    Rule(
        "nested_value",
        matches(
            r"\[|\{|(?<![\w.])(?:list|list_\w+|array|array_\w+|collect_list|collect_set|struct|"
            r"struct_\w+|named_struct|map|map_\w+|sort_array)\s*\("
        ),
        "lists and structs are spelled differently",
        "keep them out of models",
    ),
    Rule(
        "split",
        calls("split", "string_split", "str_split"),
        "text or pattern",
        "write split_part()",
    ),
    Rule("isfinite", calls("isfinite", "isinf"), ONE_SIDE, "use the test accepted_range"),
    Rule(
        "integer_division",
        matches(r"//|(?<=\s)div(?=\s)"),
        ONE_SIDE,
        "write floor(a / nullif(b, 0))",
    ),
    Rule("qualify", matches(r"\bqualify\b"), "older Spark lacks it", "filter in the next step"),
    Rule(
        "sample",
        matches(r"\busing\s+sample\b|\btablesample\b"),
        "not repeatable",
        "take a bucket of md5()",
    ),
    Rule(
        "by_name",
        matches(r"\bunion\s+(?:all\s+)?by\s+name\b|\bpositional\s+join\b"),
        ONE_SIDE,
        "list the columns",
    ),
    Rule(
        "zone",
        matches(r"\bat\b"),
        "at is a reserved word, and at time zone is not on Spark",
        "use the macro reporting_date, or another name",
    ),
    Rule(
        "file_function",
        calls(
            "read_parquet",
            "read_csv",
            "read_csv_auto",
            "read_json",
            "read_text",
            "parquet_scan",
            "glob",
        ),
        ONE_SIDE,
        "read the relation that raw() names",
    ),
    Rule(
        "sha2", calls("sha256", "sha2", "md5_number", "md5_number_lower"), ONE_SIDE, "write md5()"
    ),
    # Jinja
    Rule(
        "engine_branch",
        matches(r"\btarget\.(?:type|name)\b|\badapter\.type\b"),
        "only macros/cross_db may know the engine",
        "call a dispatched macro",
        in_jinja=True,
    ),
    Rule(
        "dbt_datediff",
        matches(r"\bdbt\.datediff\s*\((?![^)]*['\"](?:day|second|year)['\"])"),
        "weeks, months, quarters, hours and minutes are counted differently",
        "use day_diff, or arithmetic on year and month",
        in_jinja=True,
    ),
    Rule(
        "dbt_safe_cast",
        matches(r"\bdbt\.safe_cast\b"),
        "raises on both engines",
        "write try_cast(x as type)",
        in_jinja=True,
    ),
    Rule(
        "dbt_listagg",
        matches(r"\bdbt\.listagg\b"),
        "Spark ignores the order",
        "use a macro of macros/cross_db",
        in_jinja=True,
    ),
    Rule(
        "dbt_equals",
        matches(r"\bdbt\.equals\b"),
        "null-safe only behind a flag",
        "write is not distinct from",
        in_jinja=True,
    ),
    Rule(
        "dbt_type",
        matches(r"\bdbt\.type_(?:float|numeric)\b"),
        "32 bits, or an unstated scale",
        "write double or decimal(p, s)",
        in_jinja=True,
    ),
    Rule(
        "dbt_series",
        matches(r"\bdbt\.(?:date_spine|get_intervals_between|generate_series|get_powers_of_two)\b"),
        "runs a query while compiling, and the end is left out",
        "use the macro date_spine_days",
        in_jinja=True,
    ),
)
BACKSLASH = "backslash"
BACKSLASH_MESSAGE = "a backslash is itself on DuckDB and an escape on Spark; write [0-9], never \\d"
STALE = "stale_exception"


# ---------------------------------------------------------------- scanning


def line_of(text: str, offset: int) -> int:
    """Line number, from 1, of an offset."""
    return text.count("\n", 0, offset) + 1


def scan_sql(text: str, path: str, first_line: int = 1) -> list[Finding]:
    """Findings in one dbt SQL text, whose first line has the number ``first_line``."""
    cleaned = clean(text)
    found: set[Finding] = set()

    def add(line: int, name: str, message: str) -> None:
        found.add(Finding(path, line + first_line - 1, name, message))

    for rule in RULES:
        message = f"{rule.reason}; {rule.remedy}"
        scanned = cleaned.jinja if rule.in_jinja else cleaned.sql
        for offset in rule.find(scanned):
            add(line_of(scanned, offset), rule.name, message)
        if rule.in_jinja or rule.name in NOT_IN_STRINGS:
            continue
        for start, fragment in cleaned.fragments:
            for _ in rule.find(COMMENT_OR_LITERAL.sub("''", fragment).lower()):
                add(line_of(text, start), rule.name, message)
    for offset, literal in cleaned.literals:
        if "\\" in literal:
            add(line_of(cleaned.sql, offset), BACKSLASH, BACKSLASH_MESSAGE)
    return sorted(found, key=lambda finding: (finding.line, finding.rule))


def sql_in_yaml(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each SQL expression of a properties file, whatever its depth."""

    def walk(node: yaml.Node) -> Iterator[tuple[int, str]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                is_sql = isinstance(key, yaml.ScalarNode) and key.value in SQL_KEYS
                if is_sql and isinstance(value, yaml.ScalarNode):
                    yield value.start_mark.line + 1, value.value
                else:
                    yield from walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from walk(item)

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None:
        yield from walk(root)


def scan_file(path: Path, root: Path = ROOT) -> list[Finding]:
    """Findings in one SQL or YAML file."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(root).as_posix()
    if path.suffix == ".sql":
        return scan_sql(text, name)
    return [finding for line, sql in sql_in_yaml(text) for finding in scan_sql(sql, name, line)]


def project_files(root: Path = ROOT) -> list[Path]:
    """Files whose SQL must be portable."""
    files = [path for folder in SQL_FOLDERS for path in (root / folder).rglob("*.sql")]
    files += [path for folder in YAML_FOLDERS for path in (root / folder).rglob("*.yml")]
    return sorted(path for path in files if (root / "macros" / "cross_db") not in path.parents)


def read_exceptions(root: Path = ROOT) -> dict[tuple[str, str], int]:
    """Line of each reviewed exception, by path and rule.

    Raises:
        ValueError: a line is not ``path:rule:reason``, or names a rule there is not.
    """
    file = root / EXCEPTIONS
    known = {rule.name for rule in RULES} | {BACKSLASH}
    exceptions: dict[tuple[str, str], int] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        path, _, rest = line.partition(":")
        rule, _, reason = rest.partition(":")
        if not reason.strip():
            raise ValueError(f"{EXCEPTIONS}:{number}: not path:rule:reason")
        if rule.strip() not in known:
            raise ValueError(f"{EXCEPTIONS}:{number}: no rule is called {rule.strip()}")
        exceptions[path.strip(), rule.strip()] = number
    return exceptions


def check(root: Path = ROOT) -> list[Finding]:
    """Findings of the whole project that no exception excuses, and exceptions that excuse none."""
    exceptions = read_exceptions(root)
    found = [finding for path in project_files(root) for finding in scan_file(path, root)]
    used = {(finding.path, finding.rule) for finding in found} & exceptions.keys()
    open_findings = [f for f in found if (f.path, f.rule) not in used]
    stale = [
        Finding(
            EXCEPTIONS.as_posix(), line, STALE, f"{path} no longer breaks {rule}; drop the line"
        )
        for (path, rule), line in exceptions.items()
        if (path, rule) not in used
    ]
    return open_findings + stale


def main(arguments: list[str] | None = None) -> int:
    """Print the findings; 0 when there is none."""
    parser = argparse.ArgumentParser(description="Find SQL that is not portable.")
    parser.add_argument("files", nargs="*", type=Path, help="files to scan without exceptions")
    files = parser.parse_args(arguments).files
    try:
        found = (
            [finding for path in files for finding in scan_file(path.resolve())]
            if files
            else check()
        )
    except (ValueError, OSError, yaml.YAMLError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    scanned = len(files) or len(project_files())
    print(f"portability: {len(found)} findings in {scanned} files, {len(RULES) + 1} rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
