"""One attempt: from a claim to the new record in Redis, and the announcement of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.address import host_of
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_verifier.key_sets.attempts import Attempt, confirmed, failed, keep_seconds, with_keys
from keyturn_verifier.key_sets.channel import Claim, KeySetChannel
from keyturn_verifier.key_sets.download import Download, DownloadError
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy

Announce = Callable[[KeySetFetched], Awaitable[None]]

_PARSED_AT_ONCE: Final = 16 * 1024
"""Bytes of a body that are parsed on the event loop, a millisecond or two; more goes to a thread."""

_log = structlog.get_logger(__name__)


class KeySetFetcher:
    """Makes attempts. Whatever the client's server does, an attempt ends with a record: only Redis' failure
    is an error (RedisUnavailableError)."""

    def __init__(
        self,
        channel: KeySetChannel,
        download: Download,
        announce: Announce,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._download = download
        self._announce = announce
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._draw = draw

    async def run(self, claim: Claim, *, conditional: bool = True) -> KeySetRecord | None:
        """Fetch and store. The record stored, or None when the claim ran out meanwhile.

        ``conditional``: whether a 304 will do. After a clearing of caches it does not.
        """
        attempt = Attempt(claim.generation, claim.as_of, self._clock.now(), self._draw())
        began = self._clock.elapsed()
        record = await self._fetch(claim.record, attempt, conditional=conditional)
        self._metrics.fetch_seconds.observe(self._clock.elapsed() - began)
        changed = record.content != claim.record.content
        now = self._clock.now()
        stored = await self._channel.store(
            claim,
            record,
            changed=changed,
            keep=keep_seconds(record, now, self._policy),
            due_in=record.next_poll_at - now,
        )
        if not stored.stored:
            self._metrics.fetches.labels("superseded").inc()
            return None
        outcome = record.failure or ("changed" if changed else "unchanged")
        self._metrics.fetches.labels(outcome).inc()
        if changed or stored.awaited:
            await self._tell(KeySetFetched(claim.id, record.generation))
        return record

    async def _fetch(self, record: KeySetRecord, attempt: Attempt, *, conditional: bool) -> KeySetRecord:
        conditional = conditional and bool(record.keys)
        try:
            async with asyncio.timeout(self._policy.fetch_timeout):
                answer = await self._download(
                    record.address,
                    etag=record.etag if conditional else None,
                    last_modified=record.last_modified if conditional else None,
                    proven=bool(record.keys) and not record.failures,
                )
            if answer.status == 304:
                if not conditional:
                    raise DownloadError("not_modified", "304 to a request without conditions")
                return confirmed(record, attempt, answer.headers, self._policy)
            keys = await self._parse(answer.body)
        except DownloadError as error:
            return self._failed(record, attempt, error.reason, error.detail)
        except TimeoutError:
            detail = f"no complete answer within {self._policy.fetch_timeout:g} s"
            return self._failed(record, attempt, "timeout", detail)
        except InvalidKeySetError as error:
            return self._failed(record, attempt, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - a failure of ours counts as one of the URL: it backs off
            _log.exception("key_set_fetch_broke", key_set=record.address.id)
            return self._failed(record, attempt, "internal_error", type(error).__name__)
        for skipped in keys.skipped:
            self._metrics.skipped_keys.labels(skipped.reason.value).inc()
        if not keys.keys:
            detail = f"no usable key; {len(keys.skipped)} skipped"
            return self._failed(record, attempt, "no_usable_keys", detail)
        return with_keys(record, attempt, keys, answer.headers, self._policy)

    async def _parse(self, body: bytes) -> KeySet:
        def parse() -> KeySet:
            return KeySet.from_json(body, max_bytes=self._policy.max_bytes, max_keys=self._policy.max_keys)

        return parse() if len(body) <= _PARSED_AT_ONCE else await asyncio.to_thread(parse)

    def _failed(self, record: KeySetRecord, attempt: Attempt, reason: str, detail: str) -> KeySetRecord:
        _log.info("key_set_fetch_failed", key_set=record.address.id, host=host_of(record.url), reason=reason)
        return failed(record, attempt, reason, detail, self._policy)

    async def _tell(self, announcement: KeySetFetched) -> None:
        try:
            await self._announce(announcement)
        except Exception as error:  # noqa: BLE001 - whoever waits looks at the record by himself soon
            self._metrics.loop_failures.labels("announce").inc()
            _log.warning("key_set_not_announced", error=repr(error))
