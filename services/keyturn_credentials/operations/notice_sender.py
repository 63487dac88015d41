"""Sends webhooks about notices, at least once each."""

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import structlog

from keyturn_credentials.domain.notice_webhooks import Delivery, next_attempt
from keyturn_credentials.domain.notices import DeliveryState
from keyturn_credentials.store.notice_deliveries import NoticeDeliveries
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.clock import Clock
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.receiver import Receiver
from keyturn_shared.network.refusal import FetchRefused

AT_ONCE: Final = 8
REQUEST_SECONDS: Final = 10.0
_GONE: Final = 410

_log = structlog.get_logger(__name__)


class Result(StrEnum):
    """Outcome of an attempt. FAILED: it is tried again. GIVEN_UP: it is not, after a day or since the
    receiver answered 410."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given_up"


class NoticeSender:
    """Sends what is due. An attempt is counted before it is made, so that an instance that dies meanwhile
    leaves the webhook to the next attempt, by any instance, with the same ``webhook-id``."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        fetcher: GuardedFetcher,
        receiver: Receiver,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._fetcher = fetcher
        self._receiver = receiver
        self._jitter = jitter
        self._policy = FetchPolicy(
            total_seconds=REQUEST_SECONDS,
            first_byte_seconds=REQUEST_SECONDS,
            allowed_networks=receiver.allowed_networks,
        )

    async def send_due(self) -> list[Result]:
        """Send at most ``AT_ONCE`` webhooks at the same time. Return the outcomes. Raises
        StoreUnavailableError."""
        now = self._clock.now()
        async with self._store.find() as reading:
            due = await NoticeDeliveries(reading.connection).due(now, most=AT_ONCE)
        counted: list[Delivery] = []
        for delivery in due:
            next_at = next_attempt(delivery.attempts + 1, now, self._jitter())
            async with self._store.change(SYSTEM) as transaction:
                if await NoticeDeliveries(transaction.connection).count_attempt(delivery, next_at=next_at):
                    counted.append(delivery)
        async with asyncio.TaskGroup() as group:
            attempts = [group.create_task(self._attempt(delivery)) for delivery in counted]
        results = [attempt.result() for attempt in attempts]
        for delivery, result in zip(counted, results, strict=True):
            await self._note(delivery, result)
        return results

    async def _attempt(self, delivery: Delivery) -> Result:
        signed = self._receiver.keys.headers(delivery.webhook_id, int(self._clock.now()), delivery.body)
        headers = {"Content-Type": "application/json", **signed}
        try:
            status = await self._fetcher.post(
                self._receiver.url, delivery.body, headers=headers, policy=self._policy
            )
            reason = f"status {status}"
        except FetchRefused as refused:
            status, reason = 0, refused.reason.value
        if 200 <= status < 300:
            return Result.DELIVERED
        result = Result.FAILED
        if status == _GONE or delivery.is_too_old(self._clock.now()):
            result = Result.GIVEN_UP
        _log.warning(
            "notice_not_delivered",
            webhook_id=delivery.webhook_id,
            attempt=delivery.attempts + 1,
            reason=reason,
            given_up=result is Result.GIVEN_UP,
        )
        return result

    async def _note(self, delivery: Delivery, result: Result) -> None:
        if result is Result.FAILED:
            return
        state = DeliveryState.DELIVERED if result is Result.DELIVERED else DeliveryState.GIVEN_UP
        async with self._store.change(SYSTEM) as transaction:
            await NoticeDeliveries(transaction.connection).delete(delivery)
            # Of a closing the notice is gone.
            await transaction.notices.note_delivery(delivery.notice_id, state, was=DeliveryState.PENDING)
