"""Requests that wait at the same time are scored together: one creator costs nearly as much as fifty.

The scoring functions give the same bits for one creator and for many, so nobody can tell from an answer
whose neighbour a request was. The call is short and runs between requests, not in a thread: a thread that
computes takes the interpreter away from every read and write of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batcher(Generic[Asked, Answer]):
    """Calls a function of many with whatever has come in since its last call.

    Args:
        work: answers in the order of what was asked; milliseconds for ``most`` of them.
        most: largest batch.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer]], most: int = 64) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """The answer to one.

        Raises:
            Exception: what the function raised for the batch.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            # Whoever has sent a request by now is read first, and scored in the same call.
            await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = self._work([asked for asked, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                # A client that has gone waits for nothing.
                if not future.done():
                    future.set_result(answer)
