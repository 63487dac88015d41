"""A verifier node: the real cache, follower, lease, membership, decisions and claims."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import ProjectionReader
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.fleet.scripts import Argument
from keyturn_shared.fleet.uses import Use
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.secret import Secret
from keyturn_verifier.authentication.assertions import AssertionCheck
from keyturn_verifier.authentication.authenticator import Authenticator
from keyturn_verifier.authentication.certificates import CertificateCheck
from keyturn_verifier.authentication.decoys import Decoys
from keyturn_verifier.authentication.presented import Presented, PresentedSecret, UnverifiedAssertion
from keyturn_verifier.authentication.replay import AssertionClaims
from keyturn_verifier.authentication.secrets import SecretCheck
from keyturn_verifier.authentication.uses import CredentialUses
from keyturn_verifier.errors import UnknownRealmError, is_unavailable
from keyturn_verifier.metrics import AnswerMetrics, NodeMetrics
from keyturn_verifier.node.cache import StateCache
from keyturn_verifier.node.event_log import StreamReader
from keyturn_verifier.node.follower import Follower
from keyturn_verifier.node.lease import Lease
from keyturn_verifier.node.member import Member
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.node.states import ClientState, StateReader
from tests.simulation.clients import BASE_URL, REALM, RING, Credential
from tests.simulation.inline_keys import InlineKeys
from tests.simulation.process import Process
from tests.simulation.redis_links import RedisLink, SimulatedRedis, SimulatedScripts, SimulatedSubscription
from tests.simulation.settings import (
    ANSWER_SECONDS,
    ASSERTION_LIFETIME,
    LEEWAY,
    MEMBERSHIP_SECONDS,
    RENEWAL_SECONDS,
)
from tests.simulation.surroundings import Surroundings

_NODE_METRICS: Final = NodeMetrics(CollectorRegistry())
_ANSWER_METRICS: Final = AnswerMetrics(CollectorRegistry())
_DECOYS: Final = Decoys()
_CACHED: Final = 3
"""Fewer than there are realms and clients, so that states also leave the cache for want of room."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller sends: a credential, with a signed assertion if it is a key. ``begun``: true time."""

    credential: Credential
    begun: float
    jti: str = ""
    assertion: str = ""

    def presented(self) -> Presented:
        if self.assertion:
            return UnverifiedAssertion(parse_compact(self.assertion), self.credential.client_id)
        secret = Secret(self.credential.secret)
        return PresentedSecret("client_secret_basic", self.credential.client_id, secret)


class _Renewals(SimulatedScripts):
    """Notes when the renewals were sent that were answered with a lease."""

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
        """Nothing is kept."""


class Verifier:
    """One process, composed as ``keyturn_verifier.core`` does it."""

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
        scripts = SimulatedScripts(self.links[0])
        self._renewals = _Renewals(self.links[1], around.loop)
        self.lease = Lease(clock.elapsed)
        self._cache = StateCache(
            ProjectionReader(scripts),
            StateReader(RING, BASE_URL),
            lambda: self.follower.position,
            _NODE_METRICS,
            capacity=_CACHED,
        )
        self.follower = Follower(self._cache, self._moved)
        self.member = Member(
            MembershipChannel(self._renewals, process.name),
            StreamReader(SimulatedRedis(self.links[0])),  # type: ignore[arg-type] # the one command it sends
            self.follower,
            self.lease,
            _NODE_METRICS,
            elapsed=clock.elapsed,
            details=lambda: "{}",
            renewal_seconds=RENEWAL_SECONDS,
            jitter=around.draw.random,
        )
        self._subscription = SimulatedSubscription(self.links[2], self.follower, process, network)
        self._node = Node(self._cache, self.lease, _NODE_METRICS)
        claims = AssertionClaims(AssertionRegistry(scripts, LEEWAY), _ANSWER_METRICS)
        assertions = AssertionCheck(
            InlineKeys(), RING, claims, clock, lifetime_cap=round(ASSERTION_LIFETIME), clock_skew=LEEWAY
        )
        certificates = CertificateCheck(InlineKeys(), None, clock, clock_skew=LEEWAY)
        # Noted, but never written down: it has no part in what is promised.
        uses = CredentialUses(_Nowhere(), clock)
        self._authenticator = Authenticator(assertions, SecretCheck(RING), certificates, _DECOYS, uses, clock)
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self) -> None:
        self._tasks = [
            self.process.spawn(self.member.run()),
            self.process.spawn(self._subscription.run(self.member.joined)),
        ]

    async def leave(self) -> None:
        """SIGTERM: finish the answers under way, leave the fleet, end."""
        self.leaving = True
        await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.member.leave()
        self._around.trace(f"{self.process.name}: left")
        self.process.kill()

    async def answer(self, request: Request) -> str:
        """``accepted``, or the code of the refusal; checked at the moment it is decided."""
        if self.leaving:
            return "closed"
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._answer(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _answer(self, request: Request) -> str:
        presented = request.presented()
        seen: list[ClientState | None] = [None]

        async def decision(basis: Basis) -> None:
            realm = await basis.realm(REALM)
            if realm is None:
                raise UnknownRealmError(REALM)
            seen[0] = await basis.client(realm, presented.client_id)
            await self._authenticator.authenticate(basis, realm, presented)

        code = "accepted"
        try:
            await self._node.decide(decision)
        except KeyturnError as error:
            code = error.code
            if is_unavailable(error):
                return code
        self._check(request, code, seen[0])
        return code

    def _check(self, request: Request, code: str, state: ClientState | None) -> None:
        clock, around = self.process.clock, self._around
        heard = clock.elapsed_at(around.loop.time()) - clock.elapsed_at(self._renewals.heard_from)
        around.invariants.answered(
            self.process.name,
            self.follower.position,
            request.begun,
            request.credential,
            None if state is None else state.projection,
            accepted=code == "accepted",
            code=code,
            heard=heard,
            jti=request.jti,
        )

    def _moved(self, position: Any) -> None:
        self.lease.advance(position)
        self.member.report()
