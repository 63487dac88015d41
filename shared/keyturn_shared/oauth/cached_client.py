"""A client's projection as a node caches it."""

import sys
from typing import Final, Self

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates, KeySet
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.projection import ClientProjection

_MEMBERS: Final = ClientProjection.__struct_fields__
_NO_KEYS: Final = KeySet(())


class CachedClient(ClientProjection, frozen=True, kw_only=True, gc=False):
    """A projection with parsed inline keys and without ``jwks``. A node caches very many, and the text of a
    key would be a quarter of the size. ``inline``: None if the JWK Set cannot be read."""

    inline: KeySet | None = _NO_KEYS

    @classmethod
    def of(cls, projection: ClientProjection) -> Self:
        """Convert a projection for caching."""
        members = {name: getattr(projection, name) for name in _MEMBERS}
        members["jwks"] = None
        members["realm_id"] = sys.intern(projection.realm_id)  # all clients of a realm share one string
        return cls(**members, inline=inline_keys(projection))


def inline_keys(client: ClientProjection) -> KeySet | None:
    """Return the keys in the projection itself, possibly none; None if they cannot be read."""
    if isinstance(client, CachedClient):
        return client.inline
    try:
        return _NO_KEYS if client.jwks is None else KeySet.from_members(client.jwks)
    except InvalidKeySetError:
        return None


def inline_candidates(client: ClientProjection, kid: str | Thumbprint | None, alg: str) -> Candidates:
    """Return the projection's keys that match this ``kid`` and ``alg``, at least one. Raises UnknownKidError,
    and KeysUnavailableError if the keys cannot be read."""
    inline = inline_keys(client)
    if inline is None:
        raise KeysUnavailableError("the client's JWK Set cannot be read")
    algorithm = SIGNATURE_ALGORITHMS.get(alg)
    keys = inline.candidates(kid, algorithm) if algorithm is not None else Candidates()
    if not keys:
        raise UnknownKidError(f"no key for kid {kid!r:.80} and {alg!r:.40}")
    return keys
