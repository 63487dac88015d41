"""Wiring of a verifier without its HTTP: everything that follows the fleet, caches states and checks
credentials."""

import contextlib
import os
import secrets
from importlib.metadata import version

from prometheus_client import CollectorRegistry

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.claimants import RETURNED_TO
from keyturn_shared.fleet.failures import FailureRegistry
from keyturn_shared.fleet.last_used import LastUsedRegistry
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import ProjectionReader
from keyturn_shared.fleet.refusals import RefusalRegistry
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose import strict_json
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.last_used import LastUsedRecorder
from keyturn_shared.oauth.client_authentication.refusals import RefusalRecorder
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.entities import StateReader
from keyturn_shared.oauth.metrics import AnswerMetrics, ThrottleMetrics
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.throttling.throttle import Throttle
from keyturn_shared.oauth.tokens.token_cache import TokenCache
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.position import Position
from keyturn_shared.realm_rings import FleetRing, RealmRings
from keyturn_shared.redis_client import connect
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.runtime.supervisor import Supervisor
from keyturn_shared.tracing.configuration import open_tracing
from keyturn_verifier.key_set_service import KeySetService
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replay_guard.guard import ReplayGuard
from keyturn_verifier.replay_guard.memory import ReplayMemory
from keyturn_verifier.replay_guard.partitions import Partition, PartitionedGuard
from keyturn_verifier.replay_guard.restoration import ReplayReturn
from keyturn_verifier.replica.cache import StateCache
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.heartbeat import Heartbeat
from keyturn_verifier.replica.lease import Lease, LeaseState
from keyturn_verifier.replica.log_trust import LogTrust
from keyturn_verifier.replica.replica import Replica
from keyturn_verifier.replica.stream_reader import StreamReader
from keyturn_verifier.replica.subscription import Subscription
from keyturn_verifier.replica.traced_applier import TracedApplier
from keyturn_verifier.settings import VerifierSettings

_MEMBERSHIP_SECONDS = 2.0


class VerifierCore:
    """One verifier of the fleet. Start it, use ``replica`` and ``verifier``, stop it."""

    def __init__(self, settings: VerifierSettings, clock: Clock, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._clock = clock
        rings = settings.realm_rings()
        self.node_metrics = NodeMetrics(registry)
        self.answer_metrics = AnswerMetrics(registry)
        # Two runs of one node must not answer for each other, so each run has an id of its own.
        self.member_id = f"{settings.node_id}.{secrets.token_hex(3)}"
        self._redis = connect(settings.redis_url)
        # Renewals have their own connection and a shorter time limit, so nothing delays them.
        self._membership = connect(settings.redis_url, answer_seconds=_MEMBERSHIP_SECONDS)
        scripts = RedisScripts(self._redis)
        self.lease = Lease(
            clock.elapsed,
            longest_seconds=settings.max_lease_seconds,
            max_staleness=settings.max_staleness,
            serve_stale=settings.serve_stale,
        )
        self._log = LogTrust(settings.log_keys(), self.node_metrics, elapsed=clock.elapsed)
        self._cache = StateCache(
            ProjectionReader(scripts),
            self._log.projection,
            StateReader(rings, settings.base_url, settings.mtls_base_url),
            lambda: self.applier.position,
            self.node_metrics,
            capacity=settings.cached_clients,
        )
        self._tracing = open_tracing(
            enabled=settings.tracing,
            service="keyturn-verifier",
            instance=self.member_id,
            registry=registry,
        )
        self.applier = self._make_applier()
        self.heartbeat = Heartbeat(
            MembershipChannel(RedisScripts(self._membership), self.member_id),
            StreamReader(self._redis),
            self.applier,
            self.lease,
            self._log,
            self.node_metrics,
            elapsed=clock.elapsed,
            details=self._details,
            partition=lambda partitioning, epoch: self._claims.apply(partitioning, epoch),
            renewal_seconds=settings.renewal_seconds,
        )
        self._subscription = Subscription(
            settings.redis_url, self.applier, self.heartbeat.joined, clock.elapsed
        )
        self.key_sets = KeySetService(
            settings, self._redis, clock, registry, self.member_id, lambda: self.applier.position
        )
        self.replica = Replica(self._cache, self.lease, self.node_metrics)
        keys = self.key_sets.require_lookup()
        assertion_registry = AssertionRegistry(scripts, settings.clock_skew, claimant=self.member_id)
        memory = ReplayMemory(clock.elapsed)
        # Use the connection that reported the new epoch: another one may still lead to a former primary.
        bringing = AssertionRegistry(RedisScripts(self._membership), settings.clock_skew)
        self._replay_return = ReplayReturn(bringing, memory, self.heartbeat.report, elapsed=clock.elapsed)
        first = ReplayGuard(assertion_registry, memory, self.answer_metrics)
        self._claims = claims = PartitionedGuard(
            first,
            self._make_partition,
            elapsed=clock.elapsed,
            remembers=settings.assertion_max_lifetime + 3 * settings.clock_skew,
        )
        assertions = AssertionCheck(
            keys,
            rings,
            claims,
            clock,
            lifetime_cap=settings.assertion_max_lifetime,
            clock_skew=settings.clock_skew,
        )
        certificates = CertificateCheck(
            keys, settings.client_authorities(clock), clock, clock_skew=settings.clock_skew
        )
        self._last_used = LastUsedRecorder(LastUsedRegistry(self._redis), clock)
        self.refusals = RefusalRecorder(RefusalRegistry(self._redis), clock)
        dummy_keys = DummyKeys()

        def make_authenticator(rings: RealmRings) -> Authenticator:
            verifiers = build_verifiers(assertions, SecretCheck(rings, clock), certificates, dummy_keys)
            return Authenticator(verifiers, self._last_used)

        self.make_authenticator = make_authenticator
        """Build the authenticator of a node. A process with public keys only cannot authenticate clients."""
        self._tokens = TokenCache(clock.now, settings.cached_tokens)
        self.dpop = DpopCheck(claims, clock, clock_skew=settings.clock_skew)
        self.verifier = TokenVerifier(
            self.replica,
            assertions,
            dummy_keys,
            self._last_used,
            clock,
            clock_skew=settings.clock_skew,
            at_hand=self.replica,
            cache=self._tokens,
        )
        self.throttle = Throttle(
            settings.failure_limits(),
            FailureRegistry(scripts, settings.failure_window),
            ThrottleMetrics(registry),
            clock.elapsed,
        )
        self.node_metrics.observe(lease_left=lambda: self.lease.left, cached=lambda: len(self._cache))
        self.node_metrics.observe_tokens(self._tokens)
        self._fixed_details = self._describe()
        self._supervisor = Supervisor(registry)
        self._supervisor.add(
            self.heartbeat.task, self._subscription.task, self._last_used.task, self._replay_return.task
        )
        self._supervisor.watch(*self.key_sets.tasks)

    def watch(self, *tasks: SupervisedTask) -> None:
        """Watch tasks that the application starts and stops."""
        self._supervisor.watch(*tasks)

    def run(self, *tasks: SupervisedTask) -> None:
        """Run tasks from the start to the stop of this node."""
        self._supervisor.add(*tasks)

    async def start(self) -> None:
        """Start following the fleet. Redis may be unavailable: until the node has joined, it refuses
        requests."""
        await self._supervisor.start()
        await self.key_sets.start()

    async def stop(self) -> None:
        """Leave the fleet. Call it after the last answer."""
        await self._supervisor.stop()
        await self.throttle.stop()
        await self._claims.close()
        await self.key_sets.stop()
        await self.heartbeat.leave()
        for client in (self._redis, self._membership):
            with contextlib.suppress(OSError):
                await client.aclose()
        if self._tracing is not None:
            await self._tracing.close()

    async def not_ready(self) -> dict[str, str]:
        """Return the reasons why this node cannot answer; empty when it can."""
        if ended := self._supervisor.not_ready():
            return ended
        state = self.lease.state
        if state is LeaseState.HELD:
            return {}
        if state is LeaseState.STALE and self.heartbeat.joined.is_set():
            return {}
        return {"lease": self.heartbeat.last_error or "not held"}

    def _make_applier(self) -> EventApplier:
        if self._tracing is None:
            return EventApplier(self._cache, self._log, self._moved)
        return TracedApplier(self._cache, self._log, self._moved, self._tracing.tracer)

    def _make_partition(self, number: int) -> Partition:
        layout, skew, elapsed = Layout(number), self._settings.clock_skew, self._clock.elapsed
        memory = ReplayMemory(elapsed)
        renewals = RedisScripts(self._membership)
        registry = AssertionRegistry(RedisScripts(self._redis), skew, layout, claimant=self.member_id)
        bringing = AssertionRegistry(renewals, skew, layout)
        return Partition(
            number,
            MembershipChannel(renewals, self.member_id, layout),
            ReplayGuard(registry, memory, self.answer_metrics),
            lambda report: ReplayReturn(bringing, memory, report, elapsed=elapsed),
            elapsed=elapsed,
            renewal_seconds=self._settings.renewal_seconds,
        )

    def _moved(self, position: Position) -> None:
        self.lease.advance(position)
        self.node_metrics.position.set(position.sequence)
        self.node_metrics.epoch.set(position.epoch)
        self._replay_return.moved(position)
        self.heartbeat.report()

    def _describe(self) -> dict[str, object]:
        url, rings = self._settings.node_url, self._settings.realm_rings()
        return {
            "name": self._settings.node_id,
            "version": version("keyturn"),
            "base_url": None if url is None else str(url).rstrip("/"),
            "pid": os.getpid(),
            "started_at": self._clock.now(),
            "serves_stale": self._settings.serve_stale,
            "certificate_methods": list(self._settings.certificate_capabilities().methods),
            # Ids only: of a node with another key, the clients are refused. A limited node has none.
            "fleet_keys": list(rings.key_ids) if isinstance(rings, FleetRing) else None,
        }

    def _details(self) -> str:
        return strict_json.encode(
            {
                **self._fixed_details,
                "clock": self._clock.now(),
                "cached_states": len(self._cache),
                "jumps": self.applier.jumps,
                RETURNED_TO: self._replay_return.returned_to,
                **self._claims.details,
                "last_error": self.heartbeat.last_error,
            }
        ).decode()
