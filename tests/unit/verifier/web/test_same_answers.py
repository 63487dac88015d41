"""What is answered from memory is answered as if each request had been checked fully.

Two nodes get the same changes and requests: one keeps what it has verified, and answers without waiting where
it can; the other does everything each time.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, cast
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.fleet.membership import MembershipStatus, Renewal
from keyturn_shared.jose.signing import SigningKey
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
    token_digest,
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
from tests.testkit.oauth_scene import BASE_URL, CLIENT_KEY, DUMMY_KEYS, OTHER_KEY, REALM_KEY, SKEW, Keys, Used

API: Final = "https://api.example"
SECRETS: Final = ("the-first-secret-of-a-client", "the-second-secret-of-a-client")
CLIENTS: Final = ("worker", "shop", "outsider")
START: Final = 1_000_000.0
ENDPOINTS: Final = "/protocol/openid-connect"


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


class _Node:
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


# -- what happens

Step = Callable[[_Node], Any]


def change(name: str, **members: Any) -> Step:
    def step(node: _Node) -> None:
        client = node.clients.get(name)
        if client is not None:
            node.put_client(replace(client, **members))

    return step


def of_realm(**members: Any) -> Step:
    return lambda node: node.put_realm(replace(node.realm, **members))


def recreate(name: str) -> Step:
    def step(node: _Node) -> None:
        uuid = f"new-uuid-of-{name}"
        node.remove_client(name)
        node.put_client(client_of(node.realm, name, uuid=uuid, secrets=secrets_of(uuid, SECRETS[:1])))

    return step


def remove(name: str) -> Step:
    return lambda node: node.remove_client(name)


def end_tokens(name: str) -> Step:
    def step(node: _Node) -> None:
        client = node.clients.get(name)
        if client is not None:
            node.put_client(replace(client, token_generation=client.token_generation + 1))

    return step


def shift(seconds: float) -> Step:
    def step(node: _Node) -> None:
        node.clock.time += seconds

    return step


def forget(name: str) -> Step:
    return lambda node: node.memory.away.add(client_field(node.realm.id, name))


_OTHER_REALM_KEY: Final = SigningKey.generate(kid="realm-key-2")


def _of_client(name: str) -> dict[str, dict[str, Any]]:
    """Return members of a client that change, by what that means."""
    return {
        "disabling": {"enabled": False},
        "enabling": {"enabled": True},
        "rotation": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS[1:])},
        "overlap": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS, START + 40)},
        "the other order": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS[::-1], START + 40)},
        "no secret": {"secrets": ()},
        "transport": {"secret_transport": "post"},
        "any transport": {"secret_transport": "any"},
        "no service account": {"service_accounts_enabled": False},
        "a service account": {"service_accounts_enabled": True},
        "notBefore": {"not_before": int(START) + 1},
        "audiences": {"resource_audiences": (API,)},
        "no audiences": {"resource_audiences": ()},
        "promotion": {"administers": True},
        "demotion": {"administers": False},
        "plain tokens": {"plain_token_type": True},
        "typed tokens": {"plain_token_type": False},
        "certificate binding": {"mtls_bound_tokens": True},
        "key binding": {"dpop_bound_tokens": True},
        "no binding": {"mtls_bound_tokens": False, "dpop_bound_tokens": False},
        "a key": {"authenticator": "client-jwt", "jwks": {"keys": [CLIENT_KEY.public_jwk]}},
        "a secret again": {"authenticator": "client-secret"},
        "revocation": {"revoked_tokens": {token_digest("plain"): START + 300}},
    }


CHANGES: Final[dict[str, Step]] = {
    **{
        f"{label} of {name}": change(name, **members)
        for name in CLIENTS
        for label, members in _of_client(name).items()
    },
    **{f"end of the tokens of {name}": end_tokens(name) for name in CLIENTS},
    **{f"recreation of {name}": recreate(name) for name in CLIENTS},
    **{f"removal of {name}": remove(name) for name in CLIENTS},
    **{f"eviction of {name}": forget(name) for name in CLIENTS},
    "realm disabled": of_realm(enabled=False),
    "realm enabled": of_realm(enabled=True),
    "open introspection": of_realm(open_introspection=True),
    "closed introspection": of_realm(open_introspection=False),
    "realm of administrators": of_realm(administers=True),
    "ordinary realm": of_realm(administers=False),
    "realm's notBefore": of_realm(not_before=int(START) + 1),
    "realm's tokens ended": of_realm(token_generation=1),
    "realm's other key": of_realm(signing_keys=(projected_key(_OTHER_REALM_KEY),)),
    "realm's key again": of_realm(signing_keys=(projected_key(REALM_KEY),)),
    "realm renamed": of_realm(name="renamed"),
    "realm's name again": of_realm(name="acme"),
    "a while": shift(31.0),
    "a long while": shift(400.0),
    "clock set back": shift(-60.0),
    "lease lost": lambda node: node.lease.void(),
    "lease held": _Node.hold_lease,
}


def access_token(jti: str, *, typ: str = "at+jwt", key: SigningKey = REALM_KEY, **claims: Any) -> str:
    stated = {
        "iss": f"{BASE_URL}/realms/acme",
        "sub": "worker",
        "aud": f"{BASE_URL}/realms/acme",
        "exp": int(START) + 300,
        "iat": int(START),
        "jti": jti,
        "client_id": "worker",
        "client_uuid": "uuid-of-worker",
        "scope": "read write",
    } | claims
    return key.sign_compact(
        key.header_segment(typ), {name: value for name, value in stated.items() if value is not None}
    )


TOKENS: Final = {
    "plain": access_token("plain"),
    "for the API": access_token("api", aud=[API, "other"]),
    "for the shop": access_token("shop", aud="shop"),
    "of the outsider": access_token("o", client_id="outsider", client_uuid="uuid-of-outsider", aud=API),
    "of nobody": access_token("n", client_id="nobody", client_uuid=None),
    "without uuid": access_token("u", client_uuid=None),
    "of no client": access_token("c", client_id=None),
    "of type JWT": access_token("t", typ="JWT"),
    "of another type": access_token("x", typ="logout+jwt"),
    "bound to a key": access_token("k", cnf={"jkt": "x"}),
    "bound to a certificate": access_token("m", cnf={"x5t#S256": "x"}, aud=API),
    "oddly bound": access_token("w", cnf={"other": "x"}),
    "bound to nothing": access_token("e", cnf={}),
    "not yet valid": access_token("f", nbf=int(START) + 30),
    "of the future": access_token("g", iat=int(START) + 30),
    "expired": access_token("p", exp=int(START) - 100),
    "without end": access_token("q", exp=None),
    "of a higher generation": access_token("h", generation=1),
    "of the other key": access_token("r", key=_OTHER_REALM_KEY),
    "forged": access_token("s", key=SigningKey.generate(kid="realm-key")),
    "long": access_token("l", padding="x" * 5000),
    "with a role": access_token("v", realm_access={"roles": ["admin"]}),
    "of another realm": access_token("z", iss=f"{BASE_URL}/realms/other"),
    "of the renamed realm": access_token("y", iss=f"{BASE_URL}/realms/renamed"),
    "signed by a client": OTHER_KEY.sign_compact(
        OTHER_KEY.header_segment("JWT"),
        {"iss": "worker", "sub": "worker", "aud": API, "exp": int(START) + 60, "jti": "own"},
    ),
    "none": "",
    "no token": "a.b.c",
    "not ASCII": "é\u0130",
}
_EVEN: Final = st.sampled_from([*["acme"] * 8, "renamed", "other"])
_TOKENS: Final = st.sampled_from([*sorted(TOKENS), *["plain", "for the API"] * 8])


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


_AUTHORIZATION: Final = st.one_of(
    st.builds(basic, st.sampled_from(CLIENTS), st.sampled_from([*SECRETS[:1] * 6, *SECRETS, "wrong"])),
    st.sampled_from(["Basic x", "Basic", "Negotiate x"]),
    st.builds(lambda name: f"Bearer {TOKENS[name]}", _TOKENS),
)
_PARAMETERS: Final = st.lists(
    st.sampled_from(
        [
            ("client_id", "worker"),
            ("client_id", "shop"),
            ("client_id", ""),
            ("client_secret", SECRETS[0]),
            ("client_assertion", "x"),
            ("client_assertion_type", "x"),
            ("token_type_hint", "refresh_token"),
            ("scope", "read"),
            ("resource", API),
            ("token", "again"),
            ("grant_type", "password"),
        ]
    ),
    max_size=1,
)
_FIELDS: Final = st.lists(
    st.sampled_from(
        [
            (b"accept", b"application/json"),
            (b"accept", b"application/token-introspection+jwt;q=0.1"),
            (b"dpop", b"x"),
            (b"dpop", b"x"),
            (b"authorization", b"Basic x"),
            (b"content-type", b"text/plain"),
            (b"x-forwarded-for", b"198.51.100.1"),
        ]
    ),
    max_size=2,
)
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")

Sent = tuple[str, list[tuple[bytes, bytes]], bytes, bytes]


@st.composite
def _requests(draw: st.DrawFn) -> Sent:
    realm = draw(_EVEN)
    kind = draw(st.sampled_from(["introspect", "token", "verify", "forward-auth", "forward-auth/x"]))
    headers = list(draw(_FIELDS)) if draw(st.integers(0, 3)) == 0 else []
    if kind.startswith("forward-auth"):
        scheme = draw(st.sampled_from([*["Bearer"] * 5, "bearer ", "DPoP", "Basic"]))
        text = f"{scheme} {TOKENS[draw(_TOKENS)]}".encode("latin-1", "ignore")
        headers.append((b"authorization", text))
        named = draw(
            st.lists(st.sampled_from([("audience", API), ("scope", "read"), ("scope", "admin")]), max_size=2)
        )
        headers += [(f"x-keyturn-require-{name}".encode(), value.encode()) for name, value in named]
        return f"/realms/{realm}/{kind}", headers, b"", urlencode(named).encode()
    if draw(st.integers(0, 9)):
        headers.append((b"authorization", draw(_AUTHORIZATION).encode("latin-1", "ignore")))
    parameters = draw(_PARAMETERS)
    if kind == "verify":
        names = draw(st.lists(_TOKENS, max_size=6))
        body: dict[str, Any] = {"tokens": [TOKENS[name] for name in names], **dict(parameters)}
        optional = {"audience": API, "single_use": True, "x5t#S256": "x"}
        body |= {
            name: optional[name] for name in draw(st.lists(st.sampled_from(sorted(optional)), max_size=1))
        }
        return f"/realms/{realm}/verify", headers, json.dumps(body).encode(), b""
    if not any(name == b"content-type" for name, _ in headers):
        headers.append(_FORM)
    if kind == "token":
        form = urlencode([("grant_type", "client_credentials"), *parameters])
        return f"/realms/{realm}{ENDPOINTS}/token", headers, form.encode(), b""
    form = urlencode([("token", TOKENS[draw(_TOKENS)]), *parameters])
    return f"/realms/{realm}{ENDPOINTS}/token/introspect", headers, form.encode(), b""


def shown(reply: Reply) -> tuple[int, Any, Any]:
    """Return an answer without its signatures, which are made of random numbers."""
    body: Any = reply.body
    if b"access_token" in body:
        body = json.loads(body)
        body["access_token"] = _claims(body["access_token"])
    elif (b"content-type", b"application/token-introspection+jwt") in reply.headers:
        body = _claims(body.decode())
    return reply.status, sorted(reply.headers), body


def _claims(token: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@settings(max_examples=150, deadline=None)
@given(
    requests=st.lists(_requests(), min_size=1, max_size=6),
    changes=st.lists(st.sampled_from(sorted(CHANGES)), max_size=12),
)
def test_the_same_is_answered_and_recorded_with_everything_in_memory_or_nothing(
    requests: list[Sent], changes: list[str]
) -> None:
    asyncio.run(_compare(requests, changes))


async def _compare(requests: list[Sent], changes: list[str]) -> None:
    keeping, plain = _Node(keeps=True), _Node(keeps=False)
    for change_name in ("", *changes):
        if change_name:
            for node in (keeping, plain):
                CHANGES[change_name](node)
        for sent in (*requests, *requests):  # the second time, more is known
            answers = [shown(await node.ask(*sent)) for node in (keeping, plain)]
            assert answers[0] == answers[1], sent
            assert keeping.metrics() == plain.metrics(), sent
            assert keeping.noted == plain.noted, sent
