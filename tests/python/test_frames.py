"""Tables in and out of Python models; and every Python model run without dbt, over the shipped sample."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from conftest import ROOT
from plumbline.errors import PlumblineError
from plumbline.frames import numbers, read, texts, write, write_parts
from worlds import World


class DuckRelation:
    """A relation as dbt hands it out on DuckDB."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def to_arrow_table(self) -> pa.Table:
        return self.table


class SparkFrame:
    """A data frame as dbt hands it out on Spark."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def toArrow(self) -> pa.Table:  # noqa: N802
        return self.table


class SparkSession:
    """Takes what a model returns on Spark."""

    def createDataFrame(self, frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:  # noqa: N802
        return "spark", frame


def table_of(**columns: Sequence[Any]) -> pa.Table:
    return pa.table(dict(columns))


# ---------------------------------------------------------------- read
@pytest.mark.parametrize("wrap", [DuckRelation, SparkFrame])
def test_rows_come_in_the_order_of_their_key(wrap: type[DuckRelation]) -> None:
    shuffled = table_of(place=["b", "a", "b", "a"], age=[1, 2, 0, 1], n=[4, 2, 3, 1])
    assert read(wrap(shuffled), ["place", "age"])["n"].to_pylist() == [1, 2, 3, 4]
    assert read(wrap(shuffled), ["age", "place"])["n"].to_pylist() == [3, 1, 4, 2]


def test_an_empty_table_has_its_columns() -> None:
    empty = pa.schema([("place", pa.string()), ("n", pa.int64())]).empty_table()
    found = read(DuckRelation(empty), ["place"])
    assert found.num_rows == 0
    assert numbers(found, "n").dtype == np.float64
    assert numbers(found, "n").shape == texts(found, "place").shape == (0,)


def test_a_missing_key_column_is_named() -> None:
    with pytest.raises(PlumblineError, match="without week, year"):
        read(DuckRelation(table_of(day=[1])), ["day", "week", "year"])


def test_rows_that_share_their_key_are_counted() -> None:
    rows = table_of(place=["a", "a", "a", "b"], n=[1, 2, 3, 4])
    with pytest.raises(PlumblineError, match=r"2 rows share their key \(place\)"):
        read(DuckRelation(rows), ["place"])
    assert read(DuckRelation(rows), ["place", "n"]).num_rows == 4


def test_two_null_keys_are_the_same_key() -> None:
    with pytest.raises(PlumblineError, match="1 rows share"):
        read(DuckRelation(table_of(place=["a", None, None])), ["place"])


# ---------------------------------------------------------------- columns
@pytest.mark.parametrize(
    "values",
    [
        pa.array([2, None, -3], pa.int64()),
        pa.array([Decimal("2"), None, Decimal("-3")], pa.decimal128(38, 0)),
        pa.array([2.0, None, -3.0], pa.float64()),
    ],
)
def test_numbers_are_doubles_and_null_is_nan(values: pa.Array) -> None:
    found = numbers(pa.table({"n": values}), "n")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [2.0, np.nan, -3.0])


def test_a_decimal_is_read_to_the_last_place() -> None:
    money = pa.array([Decimal("0.1"), Decimal("12345678901.234567")], pa.decimal128(18, 6))
    found = numbers(pa.table({"n": money}), "n")
    assert found.tolist() == [0.1, 12345678901.234567]


def test_decimals_are_the_nearest_doubles_whatever_their_size() -> None:
    draws = np.random.default_rng(3)
    texts_ = [
        f"{sign}{whole}.{part:06d}"
        for size in (0, 3, 6, 9, 11)
        for sign in ("", "-")
        for whole, part in zip(
            draws.integers(0, 10**size, 40), draws.integers(0, 10**6, 40), strict=True
        )
    ]
    given: list[Decimal | None] = [Decimal(text) for text in texts_]
    # Wider than a whole number that a double holds: nothing may be taken for exact.
    wide = [*given, None, Decimal(2**60), Decimal("-987654321098765.432109")]
    for values in (given, [None, *given], wide):
        held = pa.chunked_array([pa.array(values, pa.decimal128(38, 6)).slice(1)] * 2)
        found = numbers(pa.table({"n": held}), "n")
        asked = [np.nan if value is None else float(str(value)) for value in values[1:]] * 2
        np.testing.assert_array_equal(found, asked)


def test_a_sum_wider_than_a_double_is_rounded() -> None:
    wide = pa.array([2**53 + 1], pa.int64())
    assert numbers(pa.table({"n": wide}), "n").tolist() == [float(2**53)]


def test_texts_are_texts_and_null_is_refused() -> None:
    found = texts(table_of(place=["b", "", "ä"]), "place")
    assert found.tolist() == ["b", "", "ä"]
    with pytest.raises(PlumblineError, match="column place has 2 nulls"):
        texts(table_of(place=["b", None, None]), "place")


# ---------------------------------------------------------------- write in parts
PARTS = pa.schema([("place", pa.string()), ("n", pa.int64())])


def test_parts_are_made_when_they_are_taken_and_stand_below_each_other() -> None:
    made: list[int] = []

    def parts() -> Iterator[dict[str, Any]]:
        for number in range(3):
            made.append(number)
            yield {"place": ["a", "b"], "n": np.array([number, number + 1])}

    reader = write_parts(None, parts(), PARTS)
    assert made == []
    assert reader.read_next_batch().to_pydict() == {"place": ["a", "b"], "n": [0, 1]}
    assert made == [0]
    with duckdb.connect() as connection:
        rest = connection.execute("select place, n from reader order by all").fetchall()
    assert rest == [("a", 1), ("a", 2), ("b", 2), ("b", 3)]


def test_no_parts_are_a_table_without_rows_and_an_odd_part_is_refused() -> None:
    assert write_parts(None, [], PARTS).read_all().schema == PARTS
    with pytest.raises(PlumblineError, match="other columns"):
        write_parts(None, [{"place": ["a"]}], PARTS).read_all()


# ---------------------------------------------------------------- write
SCHEMA = pa.schema(
    [("day", pa.date32()), ("n", pa.int64()), ("rate", pa.float64()), ("usd", pa.decimal128(18, 6)),
     ("place", pa.string()), ("is_new", pa.bool_())]
)  # fmt: skip
ROW = {
    "day": date(2026, 1, 31),
    "n": 3,
    "rate": 0.5,
    "usd": Decimal("1.25"),
    "place": "a",
    "is_new": True,
}


def test_every_kind_of_array_becomes_its_declared_type() -> None:
    told = pa.Table.from_pylist([ROW, {**ROW, "n": 4, "rate": None}], schema=SCHEMA)
    columns = {
        "day": told["day"],
        "n": np.array([3, 4]),
        "rate": np.array([0.5, np.nan]),
        "usd": np.array([Decimal("1.25"), Decimal("1.25")], dtype=object),
        "place": np.array(["a", "a"]),
        "is_new": np.array([True, True]),
    }
    found = write(None, columns, SCHEMA)
    assert found.equals(told)
    assert found.schema.equals(SCHEMA)
    lists = {name: told[name].to_pylist() for name in ("usd", "place", "is_new", "n")}
    assert write(None, columns | lists | {"day": told["day"].combine_chunks()}, SCHEMA).equals(told)


def test_nan_leaves_as_null_and_whole_doubles_as_integers() -> None:
    schema = pa.schema([("n", pa.int64())])
    found = write(None, {"n": np.array([2.0, np.nan])}, schema)
    assert found["n"].to_pylist() == [2, None]
    with pytest.raises(pa.ArrowInvalid):
        write(None, {"n": np.array([2.5])}, schema)


def test_nothing_becomes_an_empty_column_of_its_declared_type() -> None:
    """A product without creators, say: numpy calls an empty list doubles, whatever it stands for."""
    schema = pa.schema(
        [
            ("day", pa.date32()),
            ("name", pa.string()),
            ("sum", pa.decimal128(18, 6)),
            ("is_good", pa.bool_()),
        ]
    )
    for empty in ([], np.array([]), np.empty(0, dtype=object)):
        found = write(None, dict.fromkeys(schema.names, empty), schema)
        assert found.schema == schema and found.num_rows == 0


def test_columns_that_the_schema_does_not_name_are_named() -> None:
    with pytest.raises(
        PlumblineError, match=r"other columns than its schema: extra, rate$|extra, rate"
    ):
        write(
            None, {"n": [1], "extra": [1]}, pa.schema([("n", pa.int64()), ("rate", pa.float64())])
        )


def test_spark_takes_a_frame_of_the_same_rows() -> None:
    schema = pa.schema([("n", pa.int64()), ("rate", pa.float64())])
    engine, frame = write(SparkSession(), {"n": [1, 2], "rate": [0.5, 1.5]}, schema)
    assert engine == "spark"
    assert frame.to_dict("list") == {"n": [1, 2], "rate": [0.5, 1.5]}


# ---------------------------------------------------------------- every Python model
MODELS = sorted((ROOT / "python_models").glob("**/*.py"))


SETTINGS = yaml.safe_load((ROOT / "vars.yml").read_text(encoding="utf-8"))["vars"]


class Config:
    """dbt's view of a model's YAML, as far as a Python model may ask."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def get(self, name: str, default: Any = None) -> Any:
        return self.config.get(name, default)

    def meta_get(self, name: str, default: Any = None) -> Any:
        found = self.config.get("meta", {}).get(name, default)
        # dbt renders settings in YAML before a model sees them.
        setting = (
            re.fullmatch(r"\{\{ var\('(\w+)'\) \}\}", found) if isinstance(found, str) else None
        )
        return SETTINGS[setting.group(1)] if setting else found


class Dbt:
    """First argument of a Python model: relations of a finished warehouse by their names."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, config: Config) -> None:
        self.connection, self.config, self.asked = connection, config, set[str]()

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        self.asked.add(name)
        schemas = self.connection.execute(
            "select table_schema from information_schema.tables where table_name = ?", [name]
        ).fetchall()
        assert len(schemas) == 1, f"{name} is the name of {len(schemas)} relations"
        return self.connection.sql(f"select * from {schemas[0][0]}.{name}")


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _config(path: Path) -> Config:
    (entry,) = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    assert entry["name"] == path.stem
    return Config(entry.get("config", {}))


def test_there_are_python_models() -> None:
    assert MODELS


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_returns_what_it_declares_and_what_the_warehouse_holds(
    sample: World, path: Path
) -> None:
    module = _module(path)
    with duckdb.connect(str(sample.warehouse.database), read_only=True) as connection:
        dbt = Dbt(connection, _config(path))
        found = module.model(dbt, connection)
        if isinstance(found, pa.RecordBatchReader):
            found = found.read_all()
        assert isinstance(found, pa.Table)
        assert found.schema.equals(module.SCHEMA)
        assert dbt.asked
        names = ", ".join(found.schema.names)
        held = connection.execute(
            f"select {names} from python_models.{path.stem} order by all"
        ).fetchall()
        assert held == connection.execute(f"select {names} from found order by all").fetchall()
