"""A node's endpoints with a realm in memory, for comparing what nodes answer and record."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, cast

from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.fleet.membership import MembershipStatus, Renewal
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.certificates.headers import CertificateHeader
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secret_cache import SecretCache
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.entities import AbsentState, ClientState, RealmState, State
from keyturn_shared.oauth.metrics import AnswerMetrics, ThrottleMetrics
from keyturn_shared.oauth.sender_constraint.binding import TokenBinding
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.throttling.throttle import FailureLimits, Throttle
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.signed_introspection import IntrospectionSigner
from keyturn_shared.oauth.tokens.token_cache import TokenCache
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.introspect import IntrospectionEndpoint
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.oauth.web.token import TokenEndpoint
from keyturn_shared.position import Position
from keyturn_shared.projection import (
    ClientProjection,
    RealmProjection,
    client_field,
    realm_field,
)
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.replica import Replica
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.forward_auth import ForwardAuthEndpoint
from keyturn_verifier.web.forwarded_request import ForwardedRequests
from keyturn_verifier.web.verify import VerifyEndpoint
from tests.testkit.clocks import SetClock
from tests.testkit.filled_redis import RING, client_of, projected_key, projected_secret, realm_of
from tests.testkit.oauth_scene import BASE_URL, DUMMY_KEYS, REALM_KEY, SKEW, Keys, Used

API: Final = "https://api.example"
SECRETS: Final = ("the-first-secret-of-a-client", "the-second-secret-of-a-client")
CLIENTS: Final = ("worker", "shop", "outsider")
START: Final = 1_000_000.0


class _Memory:
    """States by field. ``away``: fields that are read from elsewhere once more."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.away: set[str] = set()

    def put(self, name: str, state: State | None) -> None:
        former = self.states.pop(name, None)
        if former is not None:
            former.superseded = True
        if state is not None:
            self.states[name] = state

    def cached(self, field: str) -> State | None:
        return None if field in self.away else self.states.get(field)

    async def get(self, field: str) -> State:
        await asyncio.sleep(0)
        self.away.discard(field)
        return self.states.setdefault(field, AbsentState())

    async def read_and_discard(self, field: str) -> None:
        await asyncio.sleep(0)


class _Credentials:
    """The credentials service, to which administrators' requests go."""

    async def __call__(self, request: Request) -> Reply:
        return Reply(299, b"elsewhere")


class NodeInMemory:
    """The endpoints of a node. ``keeps``: it keeps what it has verified."""

    def __init__(self, *, keeps: bool) -> None:
        self.clock = SetClock(START)
        self.memory = _Memory()
        self.registry = CollectorRegistry()
        self.noted: list[tuple[str, str]] = []
        self.realm = realm_of("acme", signing_keys=(projected_key(REALM_KEY),))
        self.clients: dict[str, ClientProjection] = {}
        self.put_realm(self.realm)
        for name in CLIENTS:
            audiences = (API,) if name == "shop" else ()
            self.put_client(
                client_of(
                    self.realm,
                    name,
                    uuid=f"uuid-of-{name}",
                    secrets=secrets_of(f"uuid-of-{name}", SECRETS[:1]),
                    resource_audiences=audiences,
                )
            )
        self.application = self._build(keeps)

    def put_realm(self, realm: RealmProjection) -> None:
        self.memory.put(realm_field(self.realm.name), None)
        self.memory.put(realm_field(realm.name), RealmState(realm, RING, BASE_URL))
        self.realm = realm

    def put_client(self, client: ClientProjection) -> None:
        self.clients[client.client_id] = client
        self.memory.put(client_field(client.realm_id, client.client_id), ClientState(client))

    def remove_client(self, name: str) -> None:
        self.clients.pop(name, None)
        self.memory.put(client_field(self.realm.id, name), None)

    def note(self, client_uuid: str, name: str) -> None:
        self.noted.append((client_uuid, name))

    def metrics(self) -> dict[str, float]:
        """Return the counts of outcomes."""
        return {
            f"{sample.name} {sorted(sample.labels.items())}": sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and "node" not in sample.name and sample.value
        }

    async def ask(self, path: str, headers: list[tuple[bytes, bytes]], body: bytes, query: bytes) -> Reply:
        realm, route = self.application.find(path)
        request = Request("POST", path, realm, query, headers, body, "192.0.2.1")
        at_once = self.application.reply_at_once(route, request)
        return at_once or await self.application.reply(route, request)

    def _build(self, keeps: bool) -> VerifierApplication:
        clock, used = self.clock, Used()
        self.lease = Lease(clock.elapsed)
        self.lease.advance(Position(1, 1))
        self.hold_lease()
        replica = Replica(cast("Any", self.memory), self.lease, NodeMetrics(self.registry))
        assertions = AssertionCheck(Keys(), RING, used, clock, lifetime_cap=60, clock_skew=SKEW)
        by_certificate = CertificateCheck(Keys(), None, clock, clock_skew=SKEW)
        authenticator = Authenticator(
            build_verifiers(assertions, SecretCheck(RING, clock), by_certificate, DUMMY_KEYS), self
        )
        verifier = TokenVerifier(
            replica,
            assertions,
            DUMMY_KEYS,
            self,
            clock,
            clock_skew=SKEW,
            at_hand=replica if keeps else None,
            cache=TokenCache(clock.now, 4) if keeps else None,
        )
        metrics = AnswerMetrics(self.registry)
        addresses = CallerAddress(TrustedProxies(()))
        throttle = Throttle(
            FailureLimits(per_client=3, window_seconds=30.0),
            None,
            ThrottleMetrics(self.registry),
            clock.elapsed,
        )
        log = AuthenticationLog(metrics, throttle, addresses)
        known = KnownCallers(replica, authenticator, log, SecretCache(clock.now, 4)) if keeps else None
        certificates = CertificateSource(CertificateHeader())
        dpop = DpopCheck(used, clock, clock_skew=SKEW)
        possession = PossessionCheck(dpop)
        callers = Callers(replica, authenticator, verifier, certificates, possession, log, known)
        numbers = iter(range(10**6))
        issuer = AccessTokenIssuer(clock, lambda size: next(numbers).to_bytes(size, "big"))
        binding, elsewhere = TokenBinding(dpop, None), _Credentials()
        token = TokenEndpoint(
            replica, authenticator, certificates, binding, issuer, addresses, log, elsewhere, known
        )
        introspect = IntrospectionEndpoint(
            replica, callers, verifier, IntrospectionSigner(clock), metrics, elsewhere, known
        )
        verify = VerifyEndpoint(replica, callers, verifier, metrics)
        forwarded = ForwardedRequests(TrustedProxies(()))
        forward = ForwardAuthEndpoint(replica, verifier, certificates, possession, forwarded, metrics)
        at_once = forward.at_once if keeps else None
        routes = {
            "protocol/openid-connect/token": Route(
                token, ("POST",), 9999, at_once=token.at_once if keeps else None
            ),
            "protocol/openid-connect/token/introspect": Route(
                introspect, ("POST",), 9999, at_once=introspect.at_once if keeps else None
            ),
            "verify": Route(verify, ("POST",), 9999),
            "forward-auth": Route(forward, None, 9999, at_once=at_once),
            "forward-auth/": Route(forward, None, 9999, at_once=at_once),
        }
        return VerifierApplication(routes, Starlette(), metrics)

    def hold_lease(self) -> None:
        renewal = Renewal(MembershipStatus.RENEWED, Position(1, 1), lease_seconds=1e9)
        self.lease.note(renewal, asked_at=self.clock.elapsed(), reported=Position(1, 1))


def secrets_of(uuid: str, secrets: Iterable[str], ends: float | None = None) -> tuple[Any, ...]:
    """Make the projected secrets of a client; the last one ends at ``ends``."""
    known = [projected_secret(uuid, each) for each in secrets]
    return (*known[:-1], replace(known[-1], not_after=ends))
