"""Land an inbox: every new file once, every line accepted or rejected, all or nothing per file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from plumbline.contract.model import contract
from plumbline.errors import PlumblineError
from plumbline.landing import lake as store
from plumbline.landing.inbox import InboxFile, scan
from plumbline.landing.judge import Judge, connect
from plumbline.landing.lake import ManifestRow
from plumbline.landing.pseudonym import missing_salt, salt_for
from plumbline.landing.readers import UnreadableError, first_line, land_csv, land_ndjson
from plumbline.landing.replay import replay_rejects
from plumbline.landing.report import FileReport, LandingReport
from plumbline.landing.worker import Worker
from plumbline.landing.writer import Load, Prepared, fingerprint_rows
from plumbline.progress import track
from plumbline.project import path_from_environment


def inbox_path() -> Path:
    """The inbox (``PLUMBLINE_INBOX``)."""
    return path_from_environment("PLUMBLINE_INBOX", "data/inbox")


def land(
    inbox: Path | None,
    lake: Path,
    *,
    allow_unreadable: bool = False,
    accept_unterminated: bool = False,
    replay: bool = False,
    ingested_at: datetime | None = None,
) -> LandingReport:
    """Land new files of an inbox and register typed Parquet that sinks wrote into the lake.

    Running it again changes nothing. A file that fails is reported, and does not keep the others
    from landing: look at ``failures`` or call ``raise_for_failures``.

    Args:
        inbox: folder of NDJSON, CSV and Parquet files; None to look at the lake only.
        lake: folder of the typed lake; created when it does not exist.
        allow_unreadable: record unreadable files without failing.
        accept_unterminated: take the last line of a CSV file that ends without a newline.
        replay: judge kept rejects again, after a change of the contract.
        ingested_at: UTC time for rows without one; now by default. Naive means UTC.

    Raises:
        PlumblineError: the inbox does not exist, holds the lake or lies in it; another landing
            holds the lake; a salt is needed and not set.
    """
    if inbox is not None and not inbox.is_dir():
        raise PlumblineError(f"the inbox {inbox} is no folder.", "Create it or name another one.")
    if inbox is not None:
        roots = inbox.resolve(), lake.resolve()
        if roots[0].is_relative_to(roots[1]) or roots[1].is_relative_to(roots[0]):
            raise PlumblineError(
                f"the inbox {inbox} and the lake {lake} lie inside one another.",
                "Keep them in separate folders.",
            )
    moment = ingested_at or datetime.now(UTC)
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    store.prepare_lake(lake)
    with store.locked(lake), Worker() as worker:
        run = _Run(
            inbox,
            lake,
            moment,
            worker,
            allow_unreadable=allow_unreadable,
            accept_unterminated=accept_unterminated,
        )
        run.clean()
        run.register_direct()
        run.land_inbox()
        if replay:
            run.replay()
        run.seen.save()
    return run.report


class _Run:
    def __init__(
        self,
        inbox: Path | None,
        lake: Path,
        moment: datetime,
        worker: Worker,
        *,
        allow_unreadable: bool,
        accept_unterminated: bool,
    ) -> None:
        self.inbox, self.lake, self.moment, self.worker = inbox, lake, moment, worker
        self.accept_unterminated = accept_unterminated
        self.report = LandingReport(lake, allow_unreadable=allow_unreadable)
        self.salt = salt_for(inbox)
        self.seen = store.Seen(lake)
        self.manifest = store.read_manifest(lake)
        self.engine = cache(connect)

    def clean(self) -> None:
        removed = store.clean(self.lake, self.manifest)
        if removed:
            self.report.warnings.append(
                f"{len(removed)} files of a landing that died were removed: {removed[0]}"
                f"{' ...' if len(removed) > 1 else ''}."
            )

    # ------------------------------------------------------------ files of sinks
    def register_direct(self) -> None:
        """Check, fingerprint and list files that sinks wrote; judge known ones unchanged."""
        known = {row.path: row for row in self.manifest if row.status == "direct"}
        landed = {(row.table_name, row.load_id) for row in self.manifest if row.status == "ok"}
        found: dict[str, list[Path]] = {}
        present: set[str] = set()
        for name, path in self._lake_files():
            label = f"{name}/{path.name}"
            if label in known:
                present.add(label)
                self._check_direct(path, known[label])
            elif (name, path.stem) not in landed:
                found.setdefault(name, []).append(path)
        for label in sorted(set(known) - present):
            self._fail(label, known[label].table_name, "missing", "it was registered and is gone")
        self._check_landed()
        total = sum(map(len, found.values()))
        if not total:
            return
        with track("Registering", total, "files") as bar:
            for name, paths in found.items():
                rows: list[ManifestRow] = []
                days: list[Any] = []
                for path in paths:
                    if (row := self._inspect(name, path, days)) is not None:
                        rows.append(row)
                    bar.advance(1, f"{name}/{path.name}")
                if rows:
                    self._commit_direct(name, rows, days)

    def _lake_files(self) -> Iterator[tuple[str, Path]]:
        """Parquet files of the table folders; what else lies there is reported."""
        for name in contract():
            for path in sorted((self.lake / name).iterdir()):
                if path.name == store.ANCHOR or path.name.startswith((".", "_")):
                    continue
                label = f"{name}/{path.name}"
                if path.is_symlink():
                    self._fail(label, name, "refused", "a link; the lake holds files only")
                elif path.suffix != ".parquet" or not path.is_file():
                    self.report.warnings.append(f"{label}: left alone; no Parquet file.")
                else:
                    yield name, path

    def _check_direct(self, path: Path, row: ManifestRow) -> None:
        if self._hash(path) == row.file_id:
            self.report.known += 1
        else:
            self._fail(
                row.path, row.table_name, "changed", "its content changed after it was registered"
            )

    def _check_landed(self) -> None:
        for row in self.manifest:
            if row.status == "ok" and row.accepted_count:
                path = self.lake / row.table_name / f"{row.load_id}.parquet"
                if not path.is_file():
                    label = f"{row.table_name}/{path.name}"
                    self._fail(label, row.table_name, "missing", f"the rows of {row.path} are gone")

    def _inspect(self, name: str, path: Path, days: list[Any]) -> ManifestRow | None:
        label = f"{name}/{path.name}"
        try:
            file_id = self._hash(path)
            answer = self.worker.call("inspect", table=name, source=str(path))
        except UnreadableError as error:
            # The build reads every file of the folder, so no option can allow this one.
            self._fail(label, name, "refused", f"{error}; move it out of the lake")
            return None
        except OSError as error:
            self._fail(label, name, "refused", first_line(error))
            return None
        rows = int(answer["rows"])
        days.append((path.stem, answer["days"]))
        self.report.files.append(
            FileReport(label, name, "direct", rows, rows, warnings=list(answer["warnings"]))
        )
        size = path.stat().st_size
        return ManifestRow(
            file_id,
            path.stem,
            label,
            name,
            "parquet",
            size,
            rows,
            rows,
            0,
            "direct",
            None,
            self.moment,
        )

    def _commit_direct(self, name: str, rows: list[ManifestRow], days: list[Any]) -> None:
        """One fingerprint and one manifest file for all new files of a table."""
        mark = hashlib.sha256("".join(row.path + row.file_id for row in rows).encode()).hexdigest()
        stem = store.stem("direct-" + name, mark[:16])
        loads = {
            load_id: {date.fromisoformat(day): (count, total) for day, count, total in entries}
            for load_id, entries in days
        }
        final = store.landing_folder(self.lake, "fingerprints") / f"{stem}.parquet"
        store.publish(store.write_parquet(fingerprint_rows(name, loads), final), final)
        store.write_manifest(self.lake, stem, rows)
        self.manifest += rows

    # ------------------------------------------------------------ inbox
    def land_inbox(self) -> None:
        """Land every file of the inbox that is not known yet."""
        if self.inbox is None:
            return
        inbox = scan(self.inbox)
        self.report.warnings += inbox.warnings
        for path, why in inbox.refused:
            self._fail(path, None, "refused", why)
        new: list[tuple[InboxFile, str]] = []
        for file in inbox.files:
            if file.table is None:
                tables = ", ".join(contract())
                self._fail(file.path, None, "no_table", f"it names no table; tables are {tables}")
                continue
            file_id = self._identify(file)
            if file_id is not None:
                new.append((file, file_id))
        for file, _ in new:
            table = contract()[file.table or ""]
            if self.salt is None and any(column.pseudonymised for column in table.columns):
                raise missing_salt(table.name)
        if not new:
            return
        with track("Landing", len(new), "files") as bar:
            for file, file_id in new:
                self._land(file, file_id)
                bar.advance(1, file.path)

    def _identify(self, file: InboxFile) -> str | None:
        """Hash of a file that is to be landed; None for one that is known or fails."""
        try:
            file_id = self._hash(file.source)
        except OSError as error:
            self._fail(file.path, file.table, "unreadable", first_line(error))
            return None
        for row in self.manifest:
            if row.path == file.path and row.status in ("ok", "duplicate_file"):
                if row.file_id == file_id:
                    self.report.known += 1
                else:
                    self._fail(
                        file.path,
                        file.table,
                        "changed",
                        f"its content changed after it was landed on {row.first_seen_at:%Y-%m-%d}",
                    )
                return None
        return file_id

    def _land(self, file: InboxFile, file_id: str) -> None:
        assert file.table is not None
        size = file.source.stat().st_size
        row = ManifestRow(
            file_id,
            file_id[:16],
            file.path,
            file.table,
            file.format,
            size,
            0,
            0,
            0,
            "ok",
            None,
            self.moment,
        )
        earlier = [
            other
            for other in self.manifest
            if (other.table_name, other.file_id) == (file.table, file_id)
        ]
        taken = next((other for other in earlier if other.status in ("ok", "direct")), None)
        if taken is not None:
            detail = f"same bytes as {taken.path}"
            row = replace(row, load_id=taken.load_id, status="duplicate_file", reason=detail)
            mark = hashlib.sha256(file.path.encode()).hexdigest()[:16]
            self._record(f"{store.stem(file.table, row.load_id)}-copy-{mark}", row)
            self.report.files.append(
                FileReport(file.path, file.table, "duplicate_file", detail=detail)
            )
            return
        name = store.stem(file.table, row.load_id)
        try:
            prepared = self._read(file, row)
        except UnreadableError as error:
            reason = str(error)
            if not any(other.reason == reason and other.path == file.path for other in earlier):
                self._record(name, replace(row, status="unreadable", reason=reason))
            self._fail(file.path, file.table, "unreadable", reason)
            return
        prepared.publish()
        row = replace(
            row,
            line_count=prepared.line_count,
            accepted_count=prepared.accepted,
            rejected_count=prepared.rejected,
        )
        self._record(name, row)
        self.report.files.append(
            FileReport(
                file.path,
                file.table,
                "ok",
                prepared.line_count,
                prepared.accepted,
                prepared.rejected,
                prepared.reasons,
                warnings=prepared.warnings,
            )
        )

    def _read(self, file: InboxFile, row: ManifestRow) -> Prepared:
        load = Load(
            row.file_id,
            row.load_id,
            row.path,
            row.table_name,
            row.format,
            self.moment.isoformat(),
            str(self.lake),
            self.salt,
        )
        before = _version(file.source)
        try:
            if file.format == "parquet":
                answer = self.worker.call("land", load=asdict(load), source=str(file.source))
                prepared = Prepared(**answer)
            else:
                judge = Judge(contract()[row.table_name], load.landed_at, self.engine)
                if file.format == "ndjson":
                    prepared = land_ndjson(load, file.source, judge)
                else:
                    prepared = land_csv(load, file.source, judge, self.accept_unterminated)
        except OSError as error:
            if error.filename is None or Path(os.fsdecode(error.filename)) != file.source:
                raise PlumblineError(
                    f"writing {row.path} into {self.lake} failed: {error.strerror or error};"
                    " nothing of it was landed.",
                    "Free space, then land again.",
                ) from error
            raise UnreadableError(first_line(error)) from error
        if _version(file.source) != before or self._hash(file.source) != row.file_id:
            prepared.discard()
            raise UnreadableError(
                "it changed while it was read; write it as .inprogress, then rename"
            )
        return prepared

    def _record(self, name: str, row: ManifestRow) -> None:
        store.write_manifest(self.lake, name, [row])
        self.manifest.append(row)

    def _fail(self, path: str, table: str | None, status: str, detail: str) -> None:
        self.report.files.append(FileReport(path, table, status, detail=detail))

    def _hash(self, path: Path) -> str:
        """SHA-256 of a file, from the cache while size and modification time stand."""
        stat = path.stat()
        known = self.seen.get(path, stat)
        if known is not None:
            return known
        file_id = store.content_hash(path)
        self.seen.put(path, stat, file_id)
        return file_id

    # ------------------------------------------------------------ rejects
    def replay(self) -> None:
        """Judge kept rejects again."""
        self.report.files += replay_rejects(
            self.lake,
            self.manifest,
            salt=self.salt,
            moment=self.moment,
            engine=self.engine,
            accept_unterminated=self.accept_unterminated,
        )


def _version(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
