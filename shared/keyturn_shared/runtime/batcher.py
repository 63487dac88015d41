"""Batching of concurrent requests into one call."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from keyturn_shared.tasks import end_tasks

T = TypeVar("T")
R = TypeVar("R")
_Waiter = tuple[T, asyncio.Future[R]]


async def _at_once() -> None:
    """No pause."""


class Batcher(Generic[T, R]):
    """Makes one call at a time; items submitted meanwhile go into the next one.

    ``call`` gets at most ``max_batch`` items, in order, and returns a result for each. Its error reaches only
    the items of its batch. Items whose caller was cancelled are left out. ``pause`` is awaited before each
    call; items submitted meanwhile join it. ``refuse`` makes the error for items beyond ``max_waiting``, and
    for all once it is closed.
    """

    def __init__(
        self,
        call: Callable[[list[T]], Awaitable[Sequence[R]]],
        *,
        max_batch: int,
        max_waiting: int,
        refuse: Callable[[str], Exception],
        pause: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._call = call
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._refuse = refuse
        self._pause = pause
        self._waiting: deque[_Waiter[T, R]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def submit(self, item: T) -> asyncio.Future[R]:
        """Submit an item, and return its future result. Raises the error of ``refuse``."""
        if self._closed:
            raise self._refuse("the batcher is closed")
        if len(self._waiting) >= self._max_waiting:
            raise self._refuse("too many items are waiting")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    async def close(self) -> None:
        """End the current call, and refuse everything from now on."""
        self._closed = True
        await end_tasks(self._task)
        self._fail(self._waiting, self._refuse("the batcher was closed"))

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._pause()
                if batch := self._take():
                    await self._answer(batch)
        finally:
            # At once, not in a callback: an item submitted in between would find a task that has ended.
            self._task = None
            self._fail(self._waiting, self._refuse("the call was interrupted"))
            self._waiting.clear()

    def _take(self) -> list[_Waiter[T, R]]:
        batch: list[_Waiter[T, R]] = []
        while self._waiting and len(batch) < self._max_batch:
            waiter = self._waiting.popleft()
            if not waiter[1].done():
                batch.append(waiter)
        return batch

    async def _answer(self, batch: list[_Waiter[T, R]]) -> None:
        try:
            results = await self._call([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiting callers must get it
            self._fail(batch, error)
        except BaseException:  # cancelled: nothing else ends the futures that callers await
            self._fail(batch, self._refuse("the call was interrupted"))
            raise

    def _fail(self, waiters: Iterable[_Waiter[T, R]], error: Exception) -> None:
        for _, future in waiters:
            if not future.done():
                future.set_exception(error)
