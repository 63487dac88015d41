"""Marks assertions as used, those of many requests in one round trip."""

import asyncio
from collections import deque
from typing import Final

from keyturn_shared.errors import KeyturnError, RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, Claim
from keyturn_verifier.errors import BeforeReplayBarrierError, ReplayedError
from keyturn_verifier.metrics import AnswerMetrics

_BATCH: Final = 128
_MAX_WAITING: Final = 10_000

_Waiter = tuple[AssertionUse, asyncio.Future[Claim]]


class AssertionClaims:
    """Claims assertions for this node's requests.

    While a round trip is under way, claims gather for the next one. An answer that was lost is not asked for
    again: whether Redis made the mark is unknown then, and a second claim would look like a replay.
    """

    def __init__(self, registry: AssertionRegistry, metrics: AnswerMetrics) -> None:
        self._registry = registry
        self._sizes = metrics.claims
        self._waiting: deque[_Waiter] = deque()
        self._flight: asyncio.Task[None] | None = None

    async def claim(self, use: AssertionUse) -> None:
        """Mark one assertion as used.

        Raises ReplayedError, BeforeReplayBarrierError, RedisUnavailableError.
        """
        if len(self._waiting) >= _MAX_WAITING:
            raise RedisUnavailableError("too many assertions wait to be marked as used")
        future: asyncio.Future[Claim] = asyncio.get_running_loop().create_future()
        self._waiting.append((use, future))
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        claim = await future
        if claim is Claim.USED:
            raise ReplayedError(use.jti[:80])
        if claim is Claim.BEFORE_BARRIER:
            raise BeforeReplayBarrierError("issued before replay memory was lost")

    async def _fly(self) -> None:
        try:
            await self._claim_waiting()
        finally:
            # At once, not in a callback: a claim that comes in between would find a flight that has ended.
            self._flight = None
            _fail([*self._waiting], RedisUnavailableError("claiming assertions was interrupted"))
            self._waiting.clear()

    async def _claim_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            self._sizes.observe(len(batch))
            try:
                claims = await self._registry.claim([use for use, _ in batch])
            except KeyturnError as error:
                _fail(batch, error)
            except BaseException:  # also cancelled: callers wait for these futures, and nobody else ends them
                _fail(batch, RedisUnavailableError("claiming assertions was interrupted"))
                raise
            else:
                for (_, future), claim in zip(batch, claims, strict=True):
                    if not future.done():
                        future.set_result(claim)


def _fail(batch: list[_Waiter], error: KeyturnError) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
