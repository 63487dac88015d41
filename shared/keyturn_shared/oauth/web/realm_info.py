"""``GET /realms/{realm}``: a realm in brief, for Keycloak's adapters and libraries."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import AdministratorElsewhereError, UnavailableError
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.web.errors import common_error
from keyturn_shared.oauth.web.messages import Elsewhere, Reply, Request, json_reply

_KEYCLOAK_ALGORITHM = "RS256"


class RealmInfoEndpoint:
    """Describes a realm and its signing key. ``elsewhere``: answers for realms whose tokens this service does
    not sign."""

    def __init__(self, decider: Decider, elsewhere: Elsewhere | None = None) -> None:
        self._decider = decider
        self._elsewhere = elsewhere

    async def __call__(self, request: Request) -> Reply:
        async def decision(read_set: ReadSet) -> dict[str, object]:
            return describe(await require_realm(read_set, request.realm))

        try:
            return json_reply(200, await self._decider.decide(decision))
        except KeyturnError as error:
            if self._elsewhere is not None and isinstance(error, AdministratorElsewhereError):
                return await self._elsewhere(request)
            reply = common_error(error)
            if reply is None:
                raise
            return reply


def describe(realm: RealmState) -> dict[str, object]:
    """Describe a realm like Keycloak. ``public_key``: the RSA key of RS256, if the realm has one. Raises
    AdministratorElsewhereError, and UnavailableError while the realm has no active key."""
    signer = realm.signers.get(_KEYCLOAK_ALGORITHM, realm.signer)
    if signer is None:
        if realm.projection.administers:
            raise AdministratorElsewhereError(realm.projection.name)
        raise UnavailableError("the realm has no active signing key")
    public_key = signer.key.verification_key.public_key
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuer = realm.urls.issuer
    return {
        "realm": realm.projection.name,
        "public_key": base64.b64encode(der).decode(),
        "token-service": f"{issuer}/protocol/openid-connect",
        "account-service": f"{issuer}/account",
        "tokens-not-before": realm.projection.not_before,
    }
