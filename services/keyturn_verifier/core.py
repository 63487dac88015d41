"""The verifier without its HTTP: everything that follows the fleet, keeps states and checks, composed."""

import asyncio
import contextlib
import os
import secrets
from importlib.metadata import version

from prometheus_client import CollectorRegistry

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.failures import FailureRegistry
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import ProjectionReader
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.fleet.uses import CredentialUseRegistry
from keyturn_shared.jose import strict_json
from keyturn_shared.position import Position
from keyturn_shared.redis_client import connect
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.authentication.assertions import AssertionCheck
from keyturn_verifier.authentication.authenticator import Authenticator
from keyturn_verifier.authentication.certificates import CertificateCheck
from keyturn_verifier.authentication.decoys import Decoys
from keyturn_verifier.authentication.replay import AssertionClaims
from keyturn_verifier.authentication.secrets import SecretCheck
from keyturn_verifier.authentication.uses import CredentialUses
from keyturn_verifier.key_set_service import KeySetService
from keyturn_verifier.metrics import AnswerMetrics, NodeMetrics, ThrottleMetrics
from keyturn_verifier.node.cache import StateCache
from keyturn_verifier.node.event_log import StreamReader
from keyturn_verifier.node.follower import Follower
from keyturn_verifier.node.lease import Lease, LeaseState
from keyturn_verifier.node.member import Member
from keyturn_verifier.node.node import Node
from keyturn_verifier.node.states import StateReader
from keyturn_verifier.node.subscription import Subscription
from keyturn_verifier.possession.dpop import DpopCheck
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.throttling.throttle import Throttle
from keyturn_verifier.tokens.verification import TokenVerifier

_MEMBERSHIP_SECONDS = 2.0


class VerifierCore:
    """One member of the fleet. Start it, ask ``node``, ``authenticator`` and ``verifier``, stop it."""

    def __init__(self, settings: VerifierSettings, clock: Clock, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._clock = clock
        ring = settings.fleet_ring()
        self.node_metrics = NodeMetrics(registry)
        self.answer_metrics = AnswerMetrics(registry)
        # Two runs under one name must not answer for each other: each is a member by itself.
        self.member_id = f"{settings.node_id}.{secrets.token_hex(3)}"
        self._redis = connect(settings.redis_url)
        # Renewals have their own connection and a shorter limit, so that nothing holds them up.
        self._membership = connect(settings.redis_url, answer_seconds=_MEMBERSHIP_SECONDS)
        scripts = RedisScripts(self._redis)
        self.lease = Lease(
            clock.elapsed, max_staleness=settings.max_staleness, serve_stale=settings.serve_stale
        )
        self._cache = StateCache(
            ProjectionReader(scripts),
            StateReader(ring, settings.base_url, settings.mtls_base_url),
            lambda: self.follower.position,
            self.node_metrics,
            capacity=settings.cached_clients,
        )
        self.follower = Follower(self._cache, self._moved)
        self.member = Member(
            MembershipChannel(RedisScripts(self._membership), self.member_id),
            StreamReader(self._redis),
            self.follower,
            self.lease,
            self.node_metrics,
            elapsed=clock.elapsed,
            details=self._details,
            renewal_seconds=settings.renewal_seconds,
        )
        self._subscription = Subscription(settings.redis_url, self.follower)
        self.key_sets = KeySetService(
            settings, self._redis, clock, registry, self.member_id, lambda: self.follower.position
        )
        self.node = Node(self._cache, self.lease, self.node_metrics)
        keys = self.key_sets.require_lookup()
        claims = AssertionClaims(AssertionRegistry(scripts, settings.clock_skew), self.answer_metrics)
        assertions = AssertionCheck(
            keys,
            ring,
            claims,
            clock,
            lifetime_cap=settings.assertion_max_lifetime,
            clock_skew=settings.clock_skew,
        )
        certificates = CertificateCheck(
            keys, settings.client_authorities(clock), clock, clock_skew=settings.clock_skew
        )
        self._uses = CredentialUses(CredentialUseRegistry(self._redis), clock)
        decoys = Decoys()
        self.authenticator = Authenticator(
            assertions, SecretCheck(ring), certificates, decoys, self._uses, clock
        )
        self.dpop = DpopCheck(claims, clock, clock_skew=settings.clock_skew)
        self.verifier = TokenVerifier(
            self.node, assertions, decoys, self._uses, clock, clock_skew=settings.clock_skew
        )
        self.throttle = Throttle(
            settings.failure_limits(),
            FailureRegistry(scripts, settings.failure_window),
            ThrottleMetrics(registry),
            clock.elapsed,
        )
        self.node_metrics.observe(lease_left=lambda: self.lease.left, cached=lambda: len(self._cache))
        self._fixed_details = self._describe()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to follow the fleet. Redis may be away: until the node has joined it answers nothing."""
        self._tasks = [
            asyncio.create_task(self.member.run(), name="member"),
            asyncio.create_task(self._subscription.run(self.member.joined), name="subscription"),
            asyncio.create_task(self._uses.run(), name="credential-uses"),
        ]
        await self.key_sets.start()

    async def stop(self) -> None:
        """Leave the fleet, after the last answer."""
        await end_tasks(*self._tasks)
        await self.throttle.stop()
        await self.key_sets.stop()
        await self.member.leave()
        for client in (self._redis, self._membership):
            with contextlib.suppress(OSError):
                await client.aclose()

    async def not_ready(self) -> dict[str, str]:
        """What keeps this node from answering; nothing when it may."""
        state = self.lease.state
        if state is LeaseState.HELD:
            return {}
        if state is LeaseState.STALE and self.member.joined.is_set():
            return {}
        return {"lease": self.member.last_error or "not held"}

    def _moved(self, position: Position) -> None:
        self.lease.advance(position)
        self.node_metrics.position.set(position.sequence)
        self.node_metrics.epoch.set(position.epoch)
        self.member.report()

    def _describe(self) -> dict[str, object]:
        url = self._settings.node_url
        return {
            "name": self._settings.node_id,
            "version": version("keyturn"),
            "base_url": None if url is None else str(url).rstrip("/"),
            "pid": os.getpid(),
            "started_at": self._clock.now(),
            "serves_stale": self._settings.serve_stale,
        }

    def _details(self) -> str:
        return strict_json.encode(
            {
                **self._fixed_details,
                "cached_states": len(self._cache),
                "jumps": self.follower.jumps,
                "last_error": self.member.last_error,
            }
        ).decode()
