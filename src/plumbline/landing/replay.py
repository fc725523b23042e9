"""Judge kept rejects again, after a change of the contract or of the rules."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from plumbline.contract.model import Table, contract
from plumbline.landing import lake as store
from plumbline.landing.judge import Judge
from plumbline.landing.lake import ManifestRow
from plumbline.landing.pseudonym import WITHHELD, missing_salt
from plumbline.landing.readers import split
from plumbline.landing.report import FileReport
from plumbline.landing.rows import CsvRecords, CsvRows, JsonRows, TextRows
from plumbline.landing.writer import Load, LoadWriter
from plumbline.project import setting

if TYPE_CHECKING:
    import duckdb


def replay_rejects(
    lake: Path,
    manifest: list[ManifestRow],
    *,
    salt: str | None,
    moment: datetime,
    engine: Callable[[], duckdb.DuckDBPyConnection],
    accept_unterminated: bool = False,
) -> list[FileReport]:
    """Release every kept line that parses today.

    The released rows of a file become a load of their own, ``<load>-r1`` (``-r2``, ...), so that
    no file of the lake is ever rewritten. The lines move with them: the manifest row of the first
    load gives up as many lines and rejects as the row of the new load gains lines and rows, both
    in one file. So ``line_count = accepted_count + rejected_count`` holds for every load, and the
    sums per file stay what they were.

    Cut lines (``too_long:row``) and withheld ones stay: what they held is not kept.

    Returns:
        One report per file that gave rows.
    """
    families: dict[tuple[str, str], list[ManifestRow]] = defaultdict(list)
    for row in manifest:
        if row.status == "ok":
            families[row.table_name, store.family(row.load_id)[0]].append(row)
    reports = []
    for (name, base), rows in sorted(families.items()):
        rows.sort(key=lambda row: store.family(row.load_id)[1])
        if rows[0].rejected_count and name in contract():
            report = _replay(
                lake,
                contract()[name],
                base,
                rows,
                salt=salt,
                moment=moment,
                engine=engine,
                accept_unterminated=accept_unterminated,
            )
            if report is not None:
                reports.append(report)
    return reports


def _replay(
    lake: Path,
    table: Table,
    base: str,
    rows: list[ManifestRow],
    *,
    salt: str | None,
    moment: datetime,
    engine: Callable[[], duckdb.DuckDBPyConnection],
    accept_unterminated: bool,
) -> FileReport | None:
    first, last = rows[0], rows[-1]
    number = store.family(last.load_id)[1]
    load_id = f"{base}-r{number + 1}"
    if salt is None and any(column.pseudonymised for column in table.columns):
        raise missing_salt(table.name)
    path = store.landing_folder(lake, "rejects") / f"{store.stem(table.name, last.load_id)}.parquet"
    kept = pq.ParquetFile(path)
    notes = kept.metadata.metadata or {}
    header = json.loads(notes[store.HEADER_KEY]) if store.HEADER_KEY in notes else None
    load = Load(
        first.file_id,
        load_id,
        first.path,
        table.name,
        first.format,
        moment.isoformat(),
        str(lake),
        salt,
    )
    judge = Judge(table, load.landed_at, engine)
    released: Counter[str] = Counter()
    count = 0
    with LoadWriter(table, load, judge, header) as writer:
        for batch in kept.iter_batches(batch_size=5_000, use_threads=False):
            rejects = batch.to_pylist()
            count += len(rejects)
            open_rows = [r for r in rejects if _can_be_judged(r, accept_unterminated)]
            accepted, reasons = _judge(
                table, judge, open_rows, header=header, salt=salt, kind=first.format
            )
            writer.accept(accepted)
            still = {id(open_rows[index]): reason for index, reason in reasons}
            judged = {id(row) for row in open_rows}
            for reject in rejects:
                if id(reject) not in judged:
                    writer.keep(reject)
                elif id(reject) in still:
                    writer.keep({**reject, "reason": still[id(reject)]})
                else:
                    released[reject["reason"]] += 1
        prepared = writer.close(count)
    if not released:
        prepared.discard()
        return None
    freed = sum(released.values())
    prepared.publish()
    shortened = replace(
        first, line_count=first.line_count - freed, rejected_count=first.rejected_count - freed
    )
    gained = replace(
        first,
        load_id=load_id,
        line_count=freed,
        accepted_count=freed,
        rejected_count=0,
        reason="replay of rejects",
        first_seen_at=moment,
    )
    store.write_manifest(lake, store.stem(table.name, base), [shortened, *rows[1:], gained])
    # The new rejects file, if any line is left, has taken its place with the manifest.
    path.unlink()
    return FileReport(
        first.path,
        table.name,
        "replayed",
        freed,
        freed,
        0,
        detail=f"{shortened.rejected_count} lines stay rejected",
    )


def _can_be_judged(reject: dict[str, Any], accept_unterminated: bool) -> bool:
    if reject["reason"] == "too_long:row" or reject["payload"].startswith(WITHHELD):
        return False
    return accept_unterminated or reject["reason"] != "torn_row"


def _judge(
    table: Table,
    judge: Judge,
    rejects: list[dict[str, Any]],
    *,
    header: list[str] | None,
    salt: str | None,
    kind: str,
) -> tuple[pa.Table, list[tuple[int, str]]]:
    lines = [
        bytes.fromhex(reject["payload"])
        if reject["payload_encoding"] == "hex"
        else reject["payload"].encode("utf-8")
        for reject in rejects
    ]
    masks = any(column.pseudonymised for column in table.columns)
    rows: TextRows
    if kind == "csv" and not masks:
        cutter = CsvRecords(len(header or []), int(setting("max_line_bytes")))
        records = []
        for line in lines:
            found = list(cutter.feed(enumerate(line.split(b"\n")), last=True))
            record = found[0]
            if len(found) > 1:
                record.reason = "invalid_csv"
            records.append(record)
        rows = CsvRows(table, header or [], salt).read(records) if records else TextRows({}, [])
    else:
        rows = JsonRows(table, salt, replay=True).read(lines)
    return split(judge.judge_text(rows.table(table)))
