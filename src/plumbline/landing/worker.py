"""Parquet is decoded in a child process: a page that crashes the decoder costs one file only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from plumbline.contract.model import table as contract_table
from plumbline.landing.judge import Judge, connect
from plumbline.landing.readers import UnreadableError, inspect_direct, land_parquet
from plumbline.landing.writer import Load


class Worker:
    """One child that serves many files; it starts when first needed and again after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            if kind is not None:
                self._process.kill()
            self._end()

    def call(self, task: str, **request: Any) -> dict[str, Any]:
        """Run ``land`` or ``inspect`` in the child.

        Raises:
            UnreadableError: the file is damaged, or the child died of it.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from plumbline.landing.worker import main; main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="surrogateescape",
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"task": task, **request}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise UnreadableError(f"the reader {self._end()} on it")
        result: dict[str, Any] = json.loads(answer)
        if "unreadable" in result:
            raise UnreadableError(result["unreadable"])
        return result

    def _end(self) -> str:
        assert self._process is not None
        if self._process.stdin is not None:
            self._process.stdin.close()
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        if code < 0:
            return f"crashed ({signal.Signals(-code).name})"
        return f"ended with code {code}"


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer requests, one JSON object a line, until there are no more."""
    engine = cache(connect)
    # Registering needs neither an engine nor a time, so one judge serves all files of a table.
    judges = cache(lambda name: Judge(contract_table(name), "1970-01-01", engine))
    for line in requests:
        request = json.loads(line)
        source = Path(request["source"])
        try:
            if request["task"] == "land":
                load = Load(**request["load"])
                judge = Judge(contract_table(load.table), load.landed_at, engine)
                result = vars(land_parquet(load, source, judge))
            else:
                result = inspect_direct(source, judges(request["table"]))
        except UnreadableError as error:
            result = {"unreadable": str(error)}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def main() -> None:
    """Entry point of the child."""
    # Libraries that print must not talk into the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with open(0, encoding="utf-8", errors="surrogateescape") as requests:
        serve(requests, answers)
