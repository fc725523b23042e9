"""Scores the answers of a lake that have no scores of today's scorer yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from plumbline.answers.scorer import SCORER_VERSION, Scores, score
from plumbline.contract.model import table
from plumbline.errors import PlumblineError
from plumbline.landing import lake as store
from plumbline.landing import land
from plumbline.progress import track

TABLE = "llm_auto_scores"
BATCH_ROWS = 2_000
_NAMES = (
    "groundedness", "number_mismatch", "citation_missing", "length_ratio", "readability", "repetition",
    "is_refusal",
)  # fmt: skip

# Answers with a text and without a row of this scorer. Of several copies of an answer the one that staging
# keeps is scored: the earliest, then the one with the smallest content, whatever file it came with.
_NEW = """
with fresh as (
    select
        response_id,
        min({
            'answered': responded_at, 'answer': md5(response_text), 'source': md5(coalesce(source_text, '')),
            'name': filename, 'row': file_row_number
        }) as kept
    from read_parquet($responses, union_by_name = true, filename = true, file_row_number = true,
                      hive_partitioning = false)
    where response_id is not null and responded_at is not null and response_text is not null
        and response_id not in (
            select response_id from read_parquet($scores, union_by_name = true, hive_partitioning = false)
            where scorer_version = $version and response_id is not null
        )
    group by response_id
)
select response_id, kept.name as file_name, kept.row as file_row
from fresh
"""
_TEXTS = """
select
    answers.response_id,
    -- The moment from which the answer could be scored: a clock would give another row each time.
    greatest(answers.responded_at, answers.ingested_at) as scored_at,
    answers.response_text,
    answers.source_text
from read_parquet($responses, union_by_name = true, filename = true, file_row_number = true,
                  hive_partitioning = false) as answers
inner join fresh
    on answers.filename = fresh.file_name and answers.file_row_number = fresh.file_row
"""


@dataclass(frozen=True)
class Scored:
    """Outcome of a run.

    Attributes:
        answers: answers scored now.
        path: lake file they stand in; None when there was nothing to score.
    """

    answers: int
    path: Path | None


def _batches(lake: Path, version: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """New answers a batch at a time, in the order of the lake's files; with each the number of all."""
    responses = str(lake / "llm_responses" / "*.parquet")
    with duckdb.connect() as connection:
        # One thread keeps the order of the files, so that the same lake gives the same bytes.
        connection.execute("set threads = 1")
        connection.execute("set preserve_insertion_order = true")
        connection.execute("set memory_limit = '1GB'")
        with suppress(duckdb.Error):
            connection.execute("set temp_directory = $1", [str(lake / store.LANDING / "scoring")])
        try:
            connection.execute(
                f"create temporary table fresh as {_NEW}",
                {
                    "responses": responses,
                    "scores": str(lake / TABLE / "*.parquet"),
                    "version": version,
                },
            )
            counted = connection.execute("select count(*) from fresh").fetchone()
            count = int(counted[0]) if counted else 0
            if not count:
                return
            reader = connection.execute(_TEXTS, {"responses": responses}).to_arrow_reader(
                BATCH_ROWS
            )
            for batch in reader:
                yield count, batch
        except duckdb.Error as error:
            raise PlumblineError(
                f"the answers of {lake} cannot be read: {str(error).splitlines()[0]}",
                "Run plumbline land, which names the file.",
            ) from error


def _rows(batch: pa.RecordBatch, version: str) -> pa.Table:
    """Rows of the contract for one batch of answers."""
    schema = table(TABLE).schema
    found: list[Scores] = [
        score(answer, source)
        for answer, source in zip(
            batch.column("response_text").to_pylist(),
            batch.column("source_text").to_pylist(),
            strict=True,
        )
    ]
    moments = batch.column("scored_at")
    columns = {
        "response_id": batch.column("response_id"),
        "scorer_version": pa.array([version] * len(found), pa.string()),
        "scored_at": moments,
        "ingested_at": moments,
        **{
            name: pa.array([getattr(scores, name) for scores in found], schema.field(name).type)
            for name in _NAMES
        },
    }
    arrays = [columns[field.name].cast(field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def score_answers(lake: Path, *, version: str = SCORER_VERSION) -> Scored:
    """Score every answer with a text that this scorer has not scored, and register the rows as landing does.

    The rows go to one new file of ``llm_auto_scores``, written under a temporary name a batch at a time and
    renamed when it is whole: a run that dies leaves nothing, a second run finds nothing to do. Memory is
    bounded by a batch and the ids of new answers.

    Args:
        lake: folder of the typed lake.
        version: scorer version of the rows.

    Raises:
        PlumblineError: there is no lake, another process holds it, or its files cannot be read.
    """
    if not (lake / "llm_responses" / store.ANCHOR).is_file():
        raise PlumblineError(f"{lake} is no lake.", "Land something into it first: plumbline land.")
    with store.locked(lake):
        path, count = _write(lake, version)
    if path is not None:
        # A file of a sink, as any other: fingerprinted and listed, so that the build sees that it is new.
        land(None, lake).raise_for_failures()
    return Scored(count, path)


def _write(lake: Path, version: str) -> tuple[Path | None, int]:
    """The file of new scores under its final name, or None; and its rows."""
    draft = store.temporary(lake / TABLE / f"scored-{version}.parquet")
    digest = hashlib.sha256(version.encode())
    writer: pq.ParquetWriter | None = None
    done = 0
    try:
        with ExitStack() as shown:
            bar: track | None = None
            for count, batch in _batches(lake, version):
                bar = bar or shown.enter_context(track("Scoring answers", count, "answers"))
                rows = _rows(batch, version)
                for response_id in rows.column("response_id").to_pylist():
                    digest.update(response_id.encode("utf-8", "surrogatepass") + b"\0")
                writer = writer or pq.ParquetWriter(
                    draft, rows.schema, compression="zstd", store_decimal_as_integer=True
                )
                writer.write_table(rows)
                done += rows.num_rows
                bar.advance(rows.num_rows)
        if writer is None:
            return None, 0
        writer.close()
        writer = None
        store.sync(draft)
        final = lake / TABLE / f"scored-{version}-{digest.hexdigest()[:12]}.parquet"
        store.publish(draft, final)
    except OSError as error:
        raise PlumblineError(
            f"writing scores into {lake} failed: {error.strerror or error}; nothing was scored.",
            "Free space, then score again.",
        ) from error
    finally:
        if writer is not None:
            writer.close()
        draft.unlink(missing_ok=True)
    return final, done
