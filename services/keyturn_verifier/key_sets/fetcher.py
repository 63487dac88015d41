"""One fetch attempt: from a lease to the new record in Redis and its announcement."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_set_address import Document, KeySetAddress, host_of
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_verifier.key_sets.documents import jwks_uri_of, read_bundle
from keyturn_verifier.key_sets.download import Download, Downloaded, DownloadError
from keyturn_verifier.key_sets.metrics import CHANGED, SUPERSEDED, UNCHANGED, KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.record_transitions import (
    Attempt,
    confirmed,
    failed,
    keep_seconds,
    skipped_members,
    with_keys,
)
from keyturn_verifier.key_sets.redis_repository import FetchLease, KeySetRepository

Announce = Callable[[KeySetFetched], Awaitable[None]]

_PARSED_AT_ONCE: Final = 16 * 1024
"""Bodies up to this many bytes are parsed on the event loop, in a millisecond or two; larger ones in a
thread."""

_log = structlog.get_logger(__name__)


class KeySetFetcher:
    """Makes attempts. Whatever the client's server does, an attempt ends with a record. The only error is
    RedisUnavailableError."""

    def __init__(
        self,
        channel: KeySetRepository,
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

    async def run(self, lease: FetchLease, *, conditional: bool = True) -> KeySetRecord | None:
        """Fetch and store a key set. Return the stored record, or None when the lease ran out meanwhile.
        ``conditional``: accept a 304. It is False after a cache was cleared."""
        attempt = Attempt(lease.generation, lease.as_of, self._clock.now(), self._draw())
        began = self._clock.elapsed()
        record = await self._fetch(lease.record, attempt, conditional=conditional)
        self._metrics.fetch_seconds.observe(self._clock.elapsed() - began)
        changed = record.content != lease.record.content
        now = self._clock.now()
        stored = await self._channel.store(
            lease,
            record,
            changed=changed,
            keep=keep_seconds(record, now, self._policy),
            due_in=record.next_poll_at - now,
        )
        if not stored.stored:
            self._metrics.fetches.labels(SUPERSEDED).inc()
            return None
        outcome = record.failure or (CHANGED if changed else UNCHANGED)
        self._metrics.fetches.labels(outcome).inc()
        if changed or stored.awaited:
            await self._try_announcing(KeySetFetched(lease.id, record.generation))
        return record

    async def _fetch(self, record: KeySetRecord, attempt: Attempt, *, conditional: bool) -> KeySetRecord:
        # An ETag is that of one URL, and metadata may name another one each time.
        conditional = conditional and bool(record.keys) and record.document != "openid-configuration"
        try:
            async with asyncio.timeout(self._policy.fetch_timeout):
                answer = await self._obtain(record, conditional=conditional)
            if answer.status == 304:
                if not conditional:
                    raise DownloadError("not_modified", "304 to a request without conditions")
                return confirmed(record, attempt, answer.headers, self._policy)
            keys = await self._parse(answer.body, record.document)
        except DownloadError as error:
            return self._failed(record, attempt, error.reason, error.detail)
        except TimeoutError:
            detail = f"no complete response within {self._policy.fetch_timeout:g} s"
            return self._failed(record, attempt, "timeout", detail)
        except InvalidKeySetError as error:
            return self._failed(record, attempt, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - a failure of ours counts as one of the URL: it backs off
            _log.exception("key_set_fetch_broke", key_set=record.address.id)
            return self._failed(record, attempt, "internal_error", type(error).__name__)
        for skipped in keys.skipped:
            self._metrics.skipped_keys.labels(skipped.reason.value).inc()
        if keys.skipped and skipped_members(keys) != record.skipped_members:
            _log.warning(
                "key_set_keys_skipped",
                key_set=record.address.id,
                host=host_of(record.url),
                count=len(keys.skipped),
                keys=[msgspec.to_builtins(each) for each in skipped_members(keys)],
            )
        if not keys.keys:
            detail = f"no usable key; {len(keys.skipped)} skipped{_reasons(keys)}"
            return self._failed(record, attempt, "no_usable_keys", detail)
        return with_keys(record, attempt, keys, answer.headers, self._policy)

    async def _obtain(self, record: KeySetRecord, *, conditional: bool) -> Downloaded:
        """Download the document with the keys, by way of the issuer's metadata if the address is theirs. Both
        requests have the same guards."""
        address, proven = record.address, bool(record.keys) and not record.failures
        if record.document == "openid-configuration":
            metadata = await self._download(address, etag=None, last_modified=None, proven=proven)
            address = KeySetAddress(jwks_uri_of(metadata.body, record.issuer), record.networks)
        return await self._download(
            address,
            etag=record.etag if conditional else None,
            last_modified=record.last_modified if conditional else None,
            proven=proven,
        )

    async def _parse(self, body: bytes, document: Document) -> KeySet:
        read = read_bundle if document == "spiffe-bundle" else KeySet.from_json

        def parse() -> KeySet:
            return read(body, max_bytes=self._policy.max_bytes, max_keys=self._policy.max_keys)

        return parse() if len(body) <= _PARSED_AT_ONCE else await asyncio.to_thread(parse)

    def _failed(self, record: KeySetRecord, attempt: Attempt, reason: str, detail: str) -> KeySetRecord:
        _log.info("key_set_fetch_failed", key_set=record.address.id, host=host_of(record.url), reason=reason)
        return failed(record, attempt, reason, detail, self._policy)

    async def _try_announcing(self, announcement: KeySetFetched) -> None:
        try:
            await self._announce(announcement)
        except Exception as error:  # noqa: BLE001 - nodes that wait read the record themselves soon
            self._metrics.loop_failures.labels("announce").inc()
            _log.warning("key_set_not_announced", error=repr(error))


def _reasons(keys: KeySet) -> str:
    named = sorted({skipped.reason.value for skipped in keys.skipped})
    return f": {', '.join(named)}" if named else ""
