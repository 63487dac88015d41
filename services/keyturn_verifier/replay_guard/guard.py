"""Marks assertions as used, those of many requests in one round trip."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import (
    AssertionRegistry,
    AssertionUse,
    MarkedUses,
    UnexpectedClaimantError,
    UseOutcome,
)
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, ReplayedError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.runtime.batcher import Batcher
from keyturn_verifier.replay_guard.memory import ReplayMemory

_BATCH: Final = 128
_MAX_WAITING: Final = 10_000
_ADMISSION_SECONDS: Final = 0.1
_ADMISSION_ATTEMPTS: Final = 20


class ReplayGuard:
    """Marks assertions as used for this node's requests.

    While a round trip is in progress, further assertions queue for the next one. A lost reply is not
    requested again: the mark may have been made, and a second attempt would look like a replay. A node that
    has just joined waits briefly for the relay to admit it.

    This node remembers a mark before it reports success.
    """

    def __init__(
        self,
        registry: AssertionRegistry,
        memory: ReplayMemory,
        metrics: AnswerMetrics,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._memory = memory
        self._sleep = sleep
        self._sizes = metrics.claims
        self._batcher: Batcher[AssertionUse, UseOutcome] = Batcher(
            self._mark_batch,
            max_batch=_BATCH,
            max_waiting=_MAX_WAITING,
            refuse=lambda reason: RedisUnavailableError(f"marking assertions: {reason}"),
        )

    async def mark_used(self, use: AssertionUse) -> None:
        """Mark one assertion as used. Raises ReplayedError, BeforeReplayBarrierError,
        RedisUnavailableError."""
        outcome = await self._batcher.submit(use)
        if outcome is UseOutcome.USED:
            raise ReplayedError(use.jti[:80])
        if outcome is UseOutcome.BEFORE_BARRIER:
            raise BeforeReplayBarrierError("issued before replay memory was lost")

    async def close(self) -> None:
        """Stop marking assertions."""
        await self._batcher.close()

    async def _mark_batch(self, uses: list[AssertionUse]) -> tuple[UseOutcome, ...]:
        self._sizes.observe(len(uses))
        marked = await self._mark_when_admitted(uses)
        marks = [
            mark
            for outcome, its_marks in zip(marked.outcomes, marked.marks, strict=True)
            if outcome is UseOutcome.MARKED
            for mark in its_marks
        ]
        if not self._memory.note(marked.epoch, marks):
            raise RedisUnavailableError("marked in a past epoch")
        return marked.outcomes

    async def _mark_when_admitted(self, uses: list[AssertionUse]) -> MarkedUses:
        for _ in range(_ADMISSION_ATTEMPTS):
            with suppress(UnexpectedClaimantError):
                return await self._registry.mark_used(uses)
            await self._sleep(_ADMISSION_SECONDS)
        return await self._registry.mark_used(uses)
