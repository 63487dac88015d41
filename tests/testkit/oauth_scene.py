"""A realm and its clients in memory, with the checks of their tokens and credentials, without a node."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.cached_client import inline_candidates
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.errors import FencedError, ReplayedError
from keyturn_shared.oauth.ports import ReadSet, Subject
from keyturn_shared.oauth.tokens.token_cache import TokenCache
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.oauth.trusted_issuers import KeyOwner
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.clocks import SetClock
from tests.testkit.filled_redis import RING, client_of, projected_key, realm_of

T = TypeVar("T")

SKEW = 20.0  # not the default
CAP = 60
CACHED = 3
BASE_URL = "https://id.example"
REALM_KEY = SigningKey.generate(kid="realm-key")
CLIENT_KEY = SigningKey.generate(kid="client-key")
OTHER_KEY = SigningKey.generate(kid="client-key")
DUMMY_KEYS = DummyKeys()


class Used:
    """Used assertions by issuer and ``jti``, and every use as it was recorded."""

    def __init__(self) -> None:
        self.uses: list[AssertionUse] = []

    async def mark_used(self, use: AssertionUse) -> None:
        if any(use.jti == other.jti and {*use.issuers} & {*other.issuers} for other in self.uses):
            raise ReplayedError(use.jti)
        self.uses.append(use)


@dataclass
class Keys:
    """Keys in the projection; for a client with a JWKS URL, first these, then newer ones."""

    behind_url: tuple[SigningKey, ...] = ()
    newer: tuple[SigningKey, ...] = ()
    asked: list[tuple[str, object, str, frozenset[str]]] = field(default_factory=list)

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        self.asked.append((realm.name, kid, alg, excluded))
        if isinstance(client, ClientProjection) and client.jwks_url is None:
            return inline_candidates(client, kid, alg)
        shown = self.newer if excluded else self.behind_url
        jwks = {"keys": [key.public_jwk for key in shown]}
        return inline_candidates(client_of(REALM, "its-keys", jwks=jwks), kid, alg)


@dataclass
class Scene:
    """``evened``: ids of clients, and subjects, whose read time a refusal took. ``noted``: accepted
    credentials. ``subjects``: clients by their subjects at trusted issuers. ``fenced``: there is no lease.
    ``away``: names of realms and clients that are not in memory."""

    realm: RealmState
    clients: dict[str, ClientState]
    clock: SetClock = field(default_factory=SetClock)
    used: Used = field(default_factory=Used)
    keys: Keys = field(default_factory=Keys)
    evened: list[str] = field(default_factory=list)
    noted: list[tuple[str, str]] = field(default_factory=list)
    subjects: dict[Subject, str] = field(default_factory=dict)
    decisions: int = 1
    leases: int = 0
    fenced: bool = False
    away: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.assertions = AssertionCheck(
            self.keys, RING, self.used, self.clock, lifetime_cap=CAP, clock_skew=SKEW
        )
        self.cache = TokenCache(self.clock.now, CACHED)
        self.tokens = TokenVerifier(
            self,
            self.assertions,
            DUMMY_KEYS,
            self,
            self.clock,
            clock_skew=SKEW,
            at_hand=self,
            cache=self.cache,
        )
        self.authenticator = self._authenticator(administrators=False)
        self.of_administrators = self._authenticator(administrators=True)

    def _authenticator(self, *, administrators: bool) -> Authenticator:
        by_certificate = CertificateCheck(self.keys, None, self.clock, clock_skew=SKEW)
        verifiers = build_verifiers(
            self.assertions, SecretCheck(RING, self.clock), by_certificate, DUMMY_KEYS
        )
        return Authenticator(verifiers, self, administrators=administrators)

    # A read set (``ReadSet``), and its decider (``Decider``).

    async def realm_named(self, name: str) -> RealmState | None:
        return self.realm if name == self.realm.projection.name else None

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        assert realm is self.realm
        return self.clients.get(client_id)

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        assert realm is self.realm
        return self.subjects.get(subject)

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        assert realm is self.realm
        self.evened.append(client_id)
        if subject is not None:
            self.evened.append(subject.name)

    def require_lease(self) -> None:
        self.leases += 1
        if self.fenced:
            raise FencedError("no lease")

    # What is in memory (``StatesAtHand``).

    def realm_at_hand(self, name: str) -> RealmState | None:
        return self.realm if name == self.realm.projection.name and name not in self.away else None

    def client_at_hand(self, realm: RealmState, client_id: str) -> ClientState | None:
        assert realm is self.realm
        return None if client_id in self.away else self.clients.get(client_id)

    def change(self, changed: ClientProjection) -> None:
        """Apply an event about a client."""
        self.clients[changed.client_id].superseded = True
        self.clients[changed.client_id] = ClientState(changed)

    async def decide(self, decision: Callable[[Any], Awaitable[T]]) -> T:
        """Run it as often as requested: a decision is repeated when its reads have changed meanwhile."""
        for _ in range(self.decisions - 1):
            await decision(_Basis(self))
        return await decision(_Basis(self))

    @property
    def read_set(self) -> ReadSet:
        return _Basis(self)

    def note(self, client_uuid: str, name: str) -> None:
        self.noted.append((client_uuid, name))


@dataclass
class _Basis:
    scene: Scene

    async def realm(self, name: str) -> RealmState | None:
        return await self.scene.realm_named(name)

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        return await self.scene.client(realm, client_id)

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        return await self.scene.client_id_of(realm, subject)

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        await self.scene.equalize_time(realm, client_id, subject)


REALM = realm_of("acme", signing_keys=(projected_key(REALM_KEY),))


def client(client_id: str = "worker", **changes: Any) -> ClientProjection:
    """Make a client, by default with an inline key."""
    fields = {"key": CLIENT_KEY} if "authenticator" not in changes else {}
    return client_of(REALM, client_id, **{"uuid": f"uuid-of-{client_id}", **fields, **changes})


def scene(*clients: ClientProjection, **realm: Any) -> Scene:
    projection = realm_of("acme", signing_keys=(projected_key(REALM_KEY),), **realm)
    state = RealmState(projection, RING, BASE_URL)
    return Scene(state, {each.client_id: ClientState(each) for each in clients})


ISSUER = f"{BASE_URL}/realms/acme"


def access_token(made: Scene, typ: str = "at+jwt", key: SigningKey = REALM_KEY, **claims: Any) -> str:
    """Make a valid one for ``worker``; None removes a claim."""
    now = made.clock.time
    stated = {
        "iss": ISSUER,
        "sub": "worker",
        "aud": ISSUER,
        "exp": now + 300,
        "iat": now,
        "jti": "a-token",
        "client_id": "worker",
        "client_uuid": "uuid-of-worker",
    } | claims
    return key.sign_compact(
        key.header_segment(typ), {name: value for name, value in stated.items() if value is not None}
    )


def assertion(made: Scene, typ: str = "JWT", key: SigningKey = CLIENT_KEY, **claims: Any) -> str:
    """Make a valid one of ``worker``; None removes a claim."""
    now = made.clock.time
    stated = {
        "iss": "worker",
        "sub": "worker",
        "aud": ISSUER,
        "exp": now + CAP,
        "iat": now,
        "jti": "an-assertion",
    } | claims
    return key.sign_compact(
        key.header_segment(typ), {name: value for name, value in stated.items() if value is not None}
    )
