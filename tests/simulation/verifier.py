"""A verifier node: the real cache, event applier, lease, heartbeat, decisions and replay guard."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.claimants import RETURNED_TO
from keyturn_shared.fleet.last_used import Use
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import ProjectionReader
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.fleet.scripts import Argument
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.credentials import (
    Attempt,
    PresentedSecret,
    UnverifiedAssertion,
)
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.last_used import LastUsedRecorder
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.entities import ClientState, RealmState, StateReader
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, UnknownRealmError, is_unavailable
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer, IssuedToken
from keyturn_shared.oauth.tokens.grant import decide_grant
from keyturn_shared.oauth.tokens.token_cache import TokenCache
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.secret import Secret
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replay_guard.guard import ReplayGuard
from keyturn_verifier.replay_guard.memory import ReplayMemory
from keyturn_verifier.replay_guard.partitions import Partition, PartitionedGuard
from keyturn_verifier.replay_guard.restoration import ReplayReturn
from keyturn_verifier.replica.cache import StateCache
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.heartbeat import Heartbeat
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.log_trust import LogTrust
from keyturn_verifier.replica.replica import ReadSet, Replica
from keyturn_verifier.replica.stream_reader import StreamReader
from tests.simulation.access_tokens import HeldToken, Seen, WatchedReplica
from tests.simulation.clients import BASE_URL, REALM, RING, Credential
from tests.simulation.inline_keys import InlineKeys
from tests.simulation.redis_links import RedisLink, SimulatedRedis, SimulatedScripts, SimulatedSubscription
from tests.simulation.settings import (
    ANSWER_SECONDS,
    ASSERTION_LIFETIME,
    LEEWAY,
    LOG_KEYS,
    MEMBERSHIP_SECONDS,
    RENEWAL_SECONDS,
)
from tests.simulation.surroundings import Surroundings
from tests.testkit.simulated_process import Process

_NODE_METRICS: Final = NodeMetrics(CollectorRegistry())
_ANSWER_METRICS: Final = AnswerMetrics(CollectorRegistry())
_DUMMY_KEYS: Final = DummyKeys()
_CACHED: Final = 3
"""Fewer than there are realms and clients, so that states are also evicted."""
_CACHED_TOKENS: Final = 20


@dataclass(frozen=True, slots=True)
class Request:
    """A caller's request: a credential, with a signed assertion if it is a key. ``begun``: true time.
    ``for_token``: it requests an access token."""

    credential: Credential
    begun: float
    jti: str = ""
    assertion: str = ""
    for_token: bool = False

    def attempt(self) -> Attempt:
        if self.assertion:
            return Attempt(UnverifiedAssertion(parse_compact(self.assertion), self.credential.client_id))
        secret = Secret(self.credential.secret)
        return Attempt(PresentedSecret("client_secret_basic", self.credential.client_id, secret))


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A resource server's question whether an access token is valid."""

    token: HeldToken
    begun: float


class _Renewals(SimulatedScripts):
    """Notes when renewals were sent that were answered with a lease."""

    heard_from: float = float("-inf")

    def __init__(self, link: RedisLink, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(link)
        self._loop = loop

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        sent = self._loop.time()
        reply = await super().run(name, keys, arguments)
        if name == "renew" and reply[0] == b"renewed":
            self.heard_from = max(self.heard_from, sent)
        return reply


class _Nowhere:
    async def write(self, uses: Mapping[Use, float]) -> None:
        """Discard the uses."""


class Verifier:
    """One process, wired like ``keyturn_verifier.core``."""

    def __init__(self, process: Process, around: Surroundings) -> None:
        self.process = process
        self.leaving = False
        self._around = around
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        network, clock = around.network, process.clock
        self.links = [
            RedisLink(process, network, around.redis, limit=limit)
            for limit in (ANSWER_SECONDS, MEMBERSHIP_SECONDS, ANSWER_SECONDS)
        ]
        if around.other_redis is not None:
            self.links += [
                RedisLink(process, network, around.other_redis, limit=limit)
                for limit in (ANSWER_SECONDS, MEMBERSHIP_SECONDS)
            ]
        scripts = SimulatedScripts(self.links[0])
        self._renewals = _Renewals(self.links[1], around.loop)
        self.lease = Lease(clock.elapsed)
        log = LogTrust(LOG_KEYS.verification(), _NODE_METRICS, elapsed=clock.elapsed)
        self._cache = StateCache(
            ProjectionReader(scripts),
            log.projection,
            StateReader(RING, BASE_URL),
            lambda: self.applier.position,
            _NODE_METRICS,
            capacity=_CACHED,
        )
        self.applier = EventApplier(self._cache, log, self._moved)
        self.heartbeat = Heartbeat(
            MembershipChannel(self._renewals, process.name),
            StreamReader(SimulatedRedis(self.links[0])),  # type: ignore[arg-type]  # the one command it sends
            self.applier,
            self.lease,
            log,
            _NODE_METRICS,
            elapsed=clock.elapsed,
            details=lambda: json.dumps(
                {RETURNED_TO: self._replay_return.returned_to, **self._claims.details}
            ),
            partition=lambda partitioning, epoch: self._claims.apply(partitioning, epoch),
            renewal_seconds=RENEWAL_SECONDS,
            jitter=around.draw.random,
        )
        self._subscription = SimulatedSubscription(self.links[2], self.applier, process, network)
        self._replica = Replica(self._cache, self.lease, _NODE_METRICS)
        registry = AssertionRegistry(scripts, LEEWAY, claimant=process.name)
        memory = ReplayMemory(clock.elapsed)
        bringing = AssertionRegistry(self._renewals, LEEWAY)
        self._replay_return = ReplayReturn(
            bringing, memory, self.heartbeat.report, elapsed=clock.elapsed, jitter=around.draw.random
        )
        first = ReplayGuard(registry, memory, _ANSWER_METRICS)
        self._claims = claims = PartitionedGuard(
            first,
            self._make_partition,
            elapsed=clock.elapsed,
            remembers=ASSERTION_LIFETIME + 3 * LEEWAY,
        )
        self._assertions = AssertionCheck(
            InlineKeys(), RING, claims, clock, lifetime_cap=round(ASSERTION_LIFETIME), clock_skew=LEEWAY
        )
        certificates = CertificateCheck(InlineKeys(), None, clock, clock_skew=LEEWAY)
        # Recorded, but never written: it is not part of the guarantee.
        self._last_used = LastUsedRecorder(_Nowhere(), clock)
        verifiers = build_verifiers(self._assertions, SecretCheck(RING, clock), certificates, _DUMMY_KEYS)
        self._authenticator = Authenticator(verifiers, self._last_used)
        self._tokens = TokenCache(clock.now, _CACHED_TOKENS)
        self._issuer = AccessTokenIssuer(clock, around.draw.randbytes)
        self._tasks: list[asyncio.Task[Any]] = []

    def _make_partition(self, number: int) -> Partition:
        around, clock = self._around, self.process.clock
        is_elsewhere = around.redis_of(number) is not around.redis
        scripts, renewals = (
            SimulatedScripts(link) for link in (self.links[3:] if is_elsewhere else self.links[:2])
        )
        layout, memory = Layout(number), ReplayMemory(clock.elapsed)
        registry = AssertionRegistry(scripts, LEEWAY, layout, claimant=self.process.name)
        bringing = AssertionRegistry(renewals, LEEWAY, layout)
        return Partition(
            number,
            MembershipChannel(renewals, self.process.name, layout),
            ReplayGuard(registry, memory, _ANSWER_METRICS),
            lambda report: ReplayReturn(
                bringing, memory, report, elapsed=clock.elapsed, jitter=around.draw.random
            ),
            elapsed=clock.elapsed,
            renewal_seconds=RENEWAL_SECONDS,
            jitter=around.draw.random,
        )

    def start(self) -> None:
        self._tasks = [
            self.process.spawn(self.heartbeat.task.run()),
            self.process.spawn(self._subscription.run(self.heartbeat.joined)),
            self.process.spawn(self._replay_return.task.run()),
        ]

    async def leave(self) -> None:
        """SIGTERM: finish current answers, leave the fleet, end."""
        self.leaving = True
        await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._claims.close()
        await self.heartbeat.leave()
        self._around.trace(f"{self.process.name}: left")
        self.process.kill()

    async def answer(self, request: Request | TokenRequest) -> str:
        """Return ``accepted``, or the code of the refusal; checked at the moment of its decision."""
        if self.leaving:
            return "closed"
        self._under_way += 1
        self._idle.clear()
        try:
            if isinstance(request, TokenRequest):
                return await self._answer_token(request)
            return await self._answer(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _answer(self, request: Request) -> str:
        attempt = request.attempt()
        seen: list[ClientState | None] = [None]
        issued: tuple[RealmState, ClientState, IssuedToken] | None = None

        async def decision(read_set: ReadSet) -> None:
            nonlocal issued
            realm = await read_set.realm(REALM)
            if realm is None:
                raise UnknownRealmError(REALM)
            seen[0] = state = await read_set.client(realm, attempt.client_id)
            await self._authenticator.authenticate(read_set, realm, attempt)
            if request.for_token and state is not None:
                grant = decide_grant(realm.profile(state.projection), None, ())
                issued = realm, state, self._issuer.issue(realm, state.projection, grant)

        code = "accepted"
        try:
            await self._replica.decide(decision)
        except KeyturnError as error:
            code = error.code
            if isinstance(error, BeforeReplayBarrierError):
                self._around.invariants.refused_by_barrier()
            if is_unavailable(error):
                return code
        self._check(request, code, seen[0])
        if issued is not None and code == "accepted":
            self._hand_out(*issued)
        return code

    def _hand_out(self, realm: RealmState, client: ClientState, issued: IssuedToken) -> None:
        around, claims = self._around, parse_compact(issued.token).claims
        versions = around.invariants.versions_of(client.projection, realm.projection)
        if versions is not None:
            around.tokens.append(
                HeldToken(client.projection.client_id, issued.token, claims["jti"], claims["iat"], *versions)
            )

    async def _answer_token(self, request: TokenRequest) -> str:
        replica, clock, around = WatchedReplica(self._replica), self.process.clock, self._around
        verifier = TokenVerifier(
            replica,
            self._assertions,
            _DUMMY_KEYS,
            self._last_used,
            clock,
            clock_skew=LEEWAY,
            at_hand=replica,
            cache=self._tokens,
        )
        code = "token_accepted"
        try:
            text = request.token.text
            token = verifier.verify_at_once(REALM, text) or await verifier.verify_access_token(REALM, text)
            replica.seen = Seen(token.realm, token.client)
        except KeyturnError as error:
            code = error.code
            if is_unavailable(error):
                return code
        seen = replica.seen
        assert seen is not None, "an answer rests on something"
        around.invariants.token_answered(
            self.process.name,
            self.applier.position,
            request.begun,
            request.token,
            None if seen.client_state is None else seen.client_state.projection,
            None if seen.realm_state is None else seen.realm_state.projection,
            code=code,
            heard=self._seconds_since_heard(),
            ending=around.wallet.ending,
        )
        return code

    def _seconds_since_heard(self) -> float:
        """Return the seconds by the node's correct clock since it sent the last renewal that was answered."""
        clock, now = self.process.clock, self._around.loop.time()
        return clock.elapsed_at(now) - clock.elapsed_at(self._renewals.heard_from)

    def _check(self, request: Request, code: str, state: ClientState | None) -> None:
        self._around.invariants.answered(
            self.process.name,
            self.applier.position,
            request.begun,
            request.credential,
            None if state is None else state.projection,
            accepted=code == "accepted",
            code=code,
            heard=self._seconds_since_heard(),
            jti=request.jti,
        )

    def _moved(self, position: Any) -> None:
        self.lease.advance(position)
        self._replay_return.moved(position)
        self.heartbeat.report()
