"""Keys of a client's inline JWK Set, found like the key set lookup does for clients without a URL."""

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import UnknownKidError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.oauth.cached_client import inline_keys
from keyturn_shared.oauth.trusted_issuers import KeyOwner
from keyturn_shared.projection import ClientProjection, RealmProjection


class InlineKeys:
    """``keyturn_shared.oauth.client_authentication.assertions.KeyLookup`` without downloads."""

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        assert isinstance(client, ClientProjection), "simulated realms trust no issuers"
        inline = inline_keys(client)
        assert inline is not None, "the simulated clients' keys can be read"
        keys = inline.candidates(kid, SIGNATURE_ALGORITHMS[alg])
        if not keys:
            raise UnknownKidError(f"no key for kid {kid!r}")
        return keys
