"""A realm: a tenant with clients, signing keys and policies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.secrets import RotationPolicy
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES

DEFAULT_ACCESS_TOKEN_LIFESPAN: Final = 300
MAX_ACCESS_TOKEN_LIFESPAN: Final = 86_400
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}\Z")


@dataclass(frozen=True, slots=True)
class Realm:
    """``document``: all other fields of Keycloak's RealmRepresentation, kept as given. ``version`` counts
    its changes; ``keys_not_before`` is the sequence of the last clearing of its key cache."""

    id: str
    name: str
    enabled: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    keys_not_before: int = 0

    @property
    def access_token_lifespan(self) -> int:
        """Seconds."""
        value = self.document.get("accessTokenLifespan")
        return value if isinstance(value, int) else DEFAULT_ACCESS_TOKEN_LIFESPAN

    @property
    def keeps_digests_only(self) -> bool:
        return attributes.is_true(self.attributes, attributes.DIGEST_ONLY)

    @property
    def allowed_networks(self) -> tuple[str, ...]:
        return attributes.words(self.attributes, attributes.JWKS_ALLOWED_NETWORKS)

    @property
    def strict_audience(self) -> bool:
        return attributes.is_true(self.attributes, attributes.STRICT_AUDIENCE)


class KeyState(StrEnum):
    """NEXT is published before it is used, ACTIVE signs, RETIRING only verifies what it signed before."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"


@dataclass(frozen=True, slots=True)
class RealmKey:
    """A signing key of a realm.

    ``certificate``: self-signed, as the base64 of its DER. ``sealed_private_jwk`` opens with the encryption
    keys in the context ``signing-key:<kid>``; a retiring key has none. Times are NumericDate seconds.
    """

    kid: str
    realm_id: str
    alg: str
    state: KeyState
    public_jwk: Mapping[str, Any]
    certificate: str
    sealed_private_jwk: str | None
    created_at: float
    state_since: float


def check_realm(realm: Realm) -> Realm:
    """The realm itself. Raises InvalidRequestError for what a realm must not be."""
    if not _NAME.match(realm.name):
        raise InvalidRequestError("a realm's name has 1 to 255 letters, digits, '.', '_', '~' and '-'")
    lifespan = realm.document.get("accessTokenLifespan", DEFAULT_ACCESS_TOKEN_LIFESPAN)
    if type(lifespan) is not int or not 1 <= lifespan <= MAX_ACCESS_TOKEN_LIFESPAN:
        raise InvalidRequestError(f"accessTokenLifespan is 1 to {MAX_ACCESS_TOKEN_LIFESPAN} seconds")
    RotationPolicy.from_attributes({}, realm.attributes)
    alg = realm.attributes.get(attributes.SIGNING_KEY_ALG, "").strip()
    if alg and alg not in ASYMMETRIC_NAMES:
        raise InvalidRequestError(
            f"{attributes.SIGNING_KEY_ALG} is none of {', '.join(sorted(ASYMMETRIC_NAMES))}"
        )
    for network in realm.allowed_networks:
        try:
            ip_network(network)
        except ValueError:
            raise InvalidRequestError(
                f"{attributes.JWKS_ALLOWED_NETWORKS}: {network!r} is no network"
            ) from None
    return realm
