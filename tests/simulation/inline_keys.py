"""Keys of a client's inline JWK Set, found as the key set lookup does for clients without a URL."""

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import UnknownKidError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_verifier.held_client import inline_keys


class InlineKeys:
    """``keyturn_verifier.authentication.assertions.KeyLookup`` without downloads."""

    async def find(
        self, realm: RealmProjection, client: ClientProjection, kid: str | None, alg: str
    ) -> tuple[VerificationKey, ...]:
        inline = inline_keys(client)
        assert inline is not None, "the simulated clients' keys can be read"
        keys = inline.candidates(kid, SIGNATURE_ALGORITHMS[alg])
        if not keys:
            raise UnknownKidError(f"no key for kid {kid!r}")
        return keys
