"""Access tokens that were verified, so that a token is verified once: a bounded cache by digest.

An entry rests on the states of its realm and client (``WeakStates``). An event that changes either of them
marks that state as superseded, and with it everything that rests on it. Times are compared at every use.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any, Final

from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.tokens.addressees import named_audiences
from keyturn_shared.oauth.weak_states import WeakStates

MAX_CACHED_BYTES: Final = 4096
"""Length of the longest token that is cached. With the number of entries, it bounds the cache's memory."""


_PARTS_OF_ONE: Final = 32
"""Members and elements up to which a token counts as one: each takes some sixty bytes, however short."""


class VerifiedAccessToken:
    """A verified access token of a realm.

    ``claims``: those that its client would still get; shared, so never change them. ``introspection``: the
    answer in JSON, kept by the endpoint that gives it.
    """

    __slots__ = (
        "_addressees",
        "_is_open",
        "_nested",
        "_states",
        "_weak_states",
        "claims",
        "client_id",
        "introspection",
        "realm_name",
        "refused_from",
        "valid_from",
        "weight",
    )

    def __init__(
        self,
        realm: RealmState,
        client: ClientState,
        claims: dict[str, Any],
        *,
        valid_from: float,
        refused_from: float,
        parts: int = 0,
    ) -> None:
        """``valid_from``, ``refused_from``: seconds since 1970 between which its times allow its use.
        ``parts``: how many members and elements its claims have, which is what they take memory for."""
        self.weight = 1 + parts // _PARTS_OF_ONE
        self._weak_states = WeakStates(realm, client)
        self._states: tuple[RealmState, ClientState] | None = (realm, client)
        self._is_open = realm.projection.open_introspection
        self.realm_name: str = realm.projection.name
        self.client_id: str = client.projection.client_id
        self.claims = claims
        self.valid_from = valid_from
        self.refused_from = refused_from
        self.introspection: bytes | None = None
        # Most tokens are seen once, so what only a second use needs is found out then.
        self._addressees: frozenset[str] | None = None
        self._nested: tuple[str, ...] | None = None

    @property
    def is_current(self) -> bool:
        """True while no event has changed its realm or its client."""
        return self._weak_states.is_current

    @property
    def realm(self) -> RealmState:
        return self._weak_states.realm

    @property
    def client(self) -> ClientState:
        return self._weak_states.client

    def let_states_go(self) -> None:
        """Hold its states no longer: whoever has them in memory does, while they are current."""
        self._states = None

    @property
    def is_bound(self) -> bool:
        """True if whoever presents it must prove possession (``cnf``)."""
        return self.claims.get("cnf") is not None

    def names_audience(self, audience: str) -> bool:
        """Return whether ``aud`` is or has this audience (RFC 9068 section 4)."""
        return names_audience(self.claims, audience)

    def is_for(self, caller: str, represented: Collection[str]) -> bool:
        """Return whether this caller may ask about it (see ``is_addressed``)."""
        if caller == self.client_id or self._is_open:
            return True
        named = self._addressees
        if named is None:
            named = self._addressees = named_audiences(self.realm, self.claims)
        return not named or caller in named or not named.isdisjoint(represented)

    def introspected(self) -> dict[str, Any]:
        """Return the claims that introspection shows, which protocol mappers decide. Shared, like
        ``claims``."""
        return self.realm.profile(self.client.projection).introspected(self.claims)

    def own_claims(self) -> dict[str, Any]:
        """Return a copy of the claims that its receiver may change."""
        nested = self._nested
        if nested is None:
            nested = self._nested = tuple(
                name for name, value in self.claims.items() if isinstance(value, dict | list)
            )
        claims = dict(self.claims)
        for name in nested:
            claims[name] = _copied(claims[name])
        return claims


class TokenCache:
    """The ``capacity`` most recently used of them; 0: none. A token of very many parts counts as several.
    ``now``: seconds since 1970.

    It holds nothing that a reader of the process's memory could present: of a token only its SHA-256. A
    refusal is never cached, nor is a token that a client signed itself, which may be good only once.
    """

    def __init__(self, now: Callable[[], float], capacity: int) -> None:
        self._now = now
        self._capacity = capacity
        self._weight = 0
        self._tokens: OrderedDict[bytes, VerifiedAccessToken] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._tokens)

    def find(self, realm_name: str, digest: bytes) -> VerifiedAccessToken | None:
        """Return the token with this digest if all that its verification rests on still holds. The caller
        must hold a lease at the same instant."""
        token = self._look(realm_name, digest)
        if token is None:
            self.misses += 1
        else:
            self.hits += 1
        return token

    def equalize_time(self, caller: str, represented: Collection[str]) -> None:
        """Spend the time in which a token is found that is not for this caller."""
        digest = next(reversed(self._tokens), None)
        if digest is None:
            return
        latest = self._look(self._tokens[digest].realm_name, digest)
        if latest is not None:
            latest.is_for(caller, represented)

    def _look(self, realm_name: str, digest: bytes) -> VerifiedAccessToken | None:
        token = self._tokens.get(digest)
        if token is None:
            return None
        now = self._now()
        if not token.is_current or now >= token.refused_from:
            self._drop(digest)
            return None
        if token.realm_name != realm_name or now < token.valid_from:
            return None
        self._tokens.move_to_end(digest)
        return token

    def keep(self, digest: bytes, text: str, token: VerifiedAccessToken) -> None:
        """Keep a token that was verified with these states. ``text``: the whole token."""
        if self._capacity <= 0 or len(text) > MAX_CACHED_BYTES:
            return
        self._drop(digest)
        token.let_states_go()
        self._tokens[digest] = token
        self._weight += token.weight
        while self._weight > self._capacity:
            self._weight -= self._tokens.popitem(last=False)[1].weight

    def _drop(self, digest: bytes) -> None:
        token = self._tokens.pop(digest, None)
        if token is not None:
            self._weight -= token.weight


def digest_of(token: str) -> bytes:
    """Return the digest by which a token is kept."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def names_audience(claims: Mapping[str, Any], audience: str) -> bool:
    """Return whether ``aud`` is or has this audience."""
    named = claims.get("aud")
    return bool(named == audience or (isinstance(named, list) and audience in named))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
