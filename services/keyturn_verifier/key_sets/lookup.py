"""The keys a client's token may have been signed with: what the verifier asks."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.record import Required
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.held_client import inline_keys
from keyturn_verifier.key_sets.channel import KeySetChannel
from keyturn_verifier.key_sets.demands import KeySetDemands
from keyturn_verifier.key_sets.errors import KeysUnavailableError, UnknownKidError
from keyturn_verifier.key_sets.held import HeldKeySet, HeldKeySets
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.standing import Standing, standing_of

_TOUCH_SECONDS: Final = 1.0
_TOUCHES_AT_ONCE: Final = 500
_READS_AT_ONCE: Final = 32

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the keys of one pair of projections come from, when that is a URL."""

    realm: RealmProjection
    client: ClientProjection
    address: KeySetAddress
    keys_not_before: int


class KeySetLookup:
    """Finds keys by kid. ``position``: how far the node has applied the event log.

    Start it to let Redis know which key sets are in use and to follow announcements.
    """

    def __init__(
        self,
        channel: KeySetChannel,
        held: HeldKeySets,
        demands: KeySetDemands,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
        position: Callable[[], Position],
    ) -> None:
        self._channel = channel
        self._held = held
        self._demands = demands
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._position = position
        self._sources: dict[str, _Source] = {}
        self._touched: dict[str, float] = {}
        self._outdated: dict[str, None] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def find(
        self,
        realm: RealmProjection,
        client: ClientProjection,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        besides: frozenset[str] = frozenset(),
    ) -> tuple[VerificationKey, ...]:
        """The keys that a token of the client with this ``kid`` and ``alg`` can mean, at least one; by a
        thumbprint, the key of the client's that has it.

        ``besides``: thumbprints of keys that were tried in vain. They are asked for again like an unknown
        kid, since a client may have put another key under the kid.
        Keys the client has revoked are among them only if there are no others; whoever checks the signature
        refuses them. Raises UnknownKidError, and KeysUnavailableError when that cannot be said.
        """
        useless = client.revoked_thumbprints | besides if besides else client.revoked_thumbprints
        if client.jwks_url is None:
            if besides:
                raise UnknownKidError("the keys that are configured are all there are")
            return _inline(client, kid, alg)
        source = self._source(realm, client, client.jwks_url)
        if alg not in SIGNATURE_ALGORITHMS:
            raise UnknownKidError(f"no key of a JWK Set is for {alg!r:.40}")
        required = Required(self._position().epoch, source.keys_not_before)
        held = self._held.get(source.address.id)
        if held is not None:
            standing = standing_of(held.record, required, self._clock.now(), self._policy)
            if standing is Standing.FRESH or standing is Standing.OUTAGE:
                self._touch(source.address.id, held)
                keys = held.candidates(kid, alg)
                if keys and not all(key.thumbprint in useless for key in keys):
                    return keys
        try:
            return await self._demands.wait(source.address, required, kid, alg, useless)
        except UnknownKidError:
            held = self._held.get(source.address.id)
            if held is not None and not besides and (revoked := held.candidates(kid, alg)):
                return revoked
            raise

    def announced(self, announcement: KeySetFetched) -> None:
        """A key set was fetched somewhere: read it anew if this node holds it, tell those who wait."""
        held = self._held.get(announcement.id)
        if held is not None and held.record.generation < announcement.generation:
            self._outdated[announcement.id] = None
            self._news.set()
        self._demands.announced(announcement.id)

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._forever("touch", self._tell_uses), name="key-sets-touch"),
            asyncio.create_task(self._forever("read", self._read_outdated), name="key-sets-read"),
        ]

    async def stop(self) -> None:
        await end_tasks(*self._tasks)
        self._tasks = []
        await self._demands.stop()

    def _source(self, realm: RealmProjection, client: ClientProjection, url: str) -> _Source:
        """Projections are immutable and replaced whole, so the same objects have the same source."""
        source = self._sources.get(client.uuid)
        if source is not None and source.client is client and source.realm is realm:
            return source
        address = KeySetAddress.of(url, realm.jwks_allowed_networks)
        source = _Source(realm, client, address, max(client.keys_not_before, realm.keys_not_before))
        self._sources.pop(client.uuid, None)
        while len(self._sources) >= self._policy.cached:
            self._sources.pop(next(iter(self._sources)))
        self._sources[client.uuid] = source
        return source

    def _touch(self, key_set_id: str, held: HeldKeySet) -> None:
        elapsed = self._clock.elapsed()
        if elapsed - held.touched_at >= self._policy.idle / 4:
            held.touched_at = elapsed
            self._touched[key_set_id] = held.record.next_poll_at

    async def _tell_uses(self) -> None:
        await asyncio.sleep(_TOUCH_SECONDS)
        while self._touched:
            now = self._clock.now()
            batch = dict(list(self._touched.items())[:_TOUCHES_AT_ONCE])
            await self._channel.touch([(one, due - now) for one, due in batch.items()])
            for one in batch:
                self._touched.pop(one, None)

    async def _read_outdated(self) -> None:
        await self._news.wait()
        self._news.clear()
        while self._outdated:
            batch = list(self._outdated)[:_READS_AT_ONCE]
            for key_set_id, record in zip(batch, await self._channel.read(batch), strict=True):
                self._outdated.pop(key_set_id, None)
                if record is not None and key_set_id in self._held:
                    await self._held.admit(key_set_id, record)
                    self._demands.announced(key_set_id)

    async def _forever(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the loop must come again
                self._metrics.loop_failures.labels(name).inc()
                cause = error.code if isinstance(error, RedisUnavailableError) else repr(error)
                _log.warning("key_set_loop_failed", loop=name, error=cause)
                await asyncio.sleep(1.0)


def _inline(client: ClientProjection, kid: str | Thumbprint | None, alg: str) -> tuple[VerificationKey, ...]:
    inline = inline_keys(client)
    if inline is None:
        raise KeysUnavailableError("the client's JWK Set cannot be read")
    algorithm = SIGNATURE_ALGORITHMS.get(alg)
    keys = inline.candidates(kid, algorithm) if algorithm is not None else ()
    if not keys:
        raise UnknownKidError(f"no key for kid {kid!r:.80} and {alg!r:.40}")
    return keys
