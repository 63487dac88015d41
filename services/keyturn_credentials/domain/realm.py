"""A realm: a tenant with clients, signing keys and policies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.notice_lead import read_lead
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.token_ending import next_generation, read_not_before
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES

DEFAULT_ACCESS_TOKEN_LIFESPAN: Final = 300
MAX_ACCESS_TOKEN_LIFESPAN: Final = 86_400
MAX_NETWORKS: Final = 100
"""Private networks of a realm; each is compared with every address of a JWKS URL."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}\Z")


@dataclass(frozen=True, slots=True)
class Realm:
    """``document``: all other fields of Keycloak's RealmRepresentation, stored as given.

    ``version`` counts its changes; ``keys_not_before`` is the sequence of the last clearing of its key cache;
    ``token_generation`` counts how often all tokens of the realm were ended.
    """

    id: str
    name: str
    enabled: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    keys_not_before: int = 0
    token_generation: int = 0

    @property
    def access_token_lifespan(self) -> int:
        """Lifespan in seconds."""
        value = self.document.get("accessTokenLifespan")
        return value if isinstance(value, int) else DEFAULT_ACCESS_TOKEN_LIFESPAN

    @property
    def keeps_digests_only(self) -> bool:
        return attributes.is_true(self.attributes, attributes.DIGEST_ONLY)

    @property
    def allowed_networks(self) -> tuple[str, ...]:
        return attributes.words(self.attributes, attributes.JWKS_ALLOWED_NETWORKS)

    @property
    def not_before(self) -> int:
        """NumericDate seconds; tokens issued before it are refused."""
        return read_not_before(self.document)

    @property
    def has_open_introspection(self) -> bool:
        """True if any client of the realm may ask about any token."""
        return attributes.is_true(self.attributes, attributes.OPEN_INTROSPECTION)

    @property
    def is_unfinished(self) -> bool:
        """True while the import that creates the realm is not complete."""
        return attributes.is_true(self.attributes, attributes.UNFINISHED_IMPORT)

    @property
    def strict_audience(self) -> bool:
        return attributes.is_true(self.attributes, attributes.STRICT_AUDIENCE)

    @property
    def has_plain_token_type(self) -> bool:
        """True if access tokens have the type ``JWT`` unless their client says otherwise. The default is the
        opposite of Keycloak's (RFC 9068 section 2.1)."""
        return attributes.has_plain_token_type(self.attributes) is True

    @property
    def strict_assertion_lifetime(self) -> bool:
        """True if an assertion's declared lifetime must not exceed the limit either."""
        return attributes.is_true(self.attributes, attributes.STRICT_ASSERTION_LIFETIME)


class KeyState(StrEnum):
    """NEXT is published before use, ACTIVE signs, RETIRING only verifies what it signed before."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"


class KeyPurpose(StrEnum):
    """CLIENTS: every node has the private key, and signs tokens with it. ADMINISTRATORS: only this service
    has it, and the admin API accepts no other tokens."""

    CLIENTS = "clients"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True, slots=True)
class RealmKey:
    """A signing key of a realm.

    ``certificate``: self-signed, as the base64 of its DER. ``sealed_private_jwk`` is encrypted under the
    encryption keys in the context ``signing-key:<kid>``; a retiring key has none. Times are NumericDate
    seconds.
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
    purpose: KeyPurpose = KeyPurpose.CLIENTS


def end_tokens(before: Realm, after: Realm, now: float) -> Realm:
    """Return the changed realm, with its earlier tokens ended if the change implies that."""
    generation = next_generation(
        before.token_generation,
        may_before=before.enabled,
        may_after=after.enabled,
        not_before=(before.not_before, after.not_before),
        now=now,
    )
    return replace(after, token_generation=generation)


def check_realm(realm: Realm) -> Realm:
    """Return the realm. Raises InvalidRequestError if it is invalid."""
    if not _NAME.match(realm.name):
        raise InvalidRequestError(
            "a realm name must be 1 to 255 characters long: letters, digits, '.', '_', '~' or '-'"
        )
    lifespan = realm.document.get("accessTokenLifespan", DEFAULT_ACCESS_TOKEN_LIFESPAN)
    if type(lifespan) is not int or not 1 <= lifespan <= MAX_ACCESS_TOKEN_LIFESPAN:
        raise InvalidRequestError(f"accessTokenLifespan must be 1 to {MAX_ACCESS_TOKEN_LIFESPAN} seconds")
    RotationRules.from_attributes({}, realm.attributes)
    read_lead(realm.attributes)
    alg = realm.attributes.get(attributes.SIGNING_KEY_ALG, "").strip()
    if alg and alg not in ASYMMETRIC_NAMES:
        raise InvalidRequestError(
            f"{attributes.SIGNING_KEY_ALG} must be one of {', '.join(sorted(ASYMMETRIC_NAMES))}"
        )
    for further in attributes.words(realm.attributes, attributes.FURTHER_KEY_ALGS):
        if further not in ASYMMETRIC_NAMES:
            raise InvalidRequestError(
                f"{attributes.FURTHER_KEY_ALGS}: {further!r} is not one of"
                f" {', '.join(sorted(ASYMMETRIC_NAMES))}"
            )
    if len(realm.allowed_networks) > MAX_NETWORKS:
        raise InvalidRequestError(
            f"{attributes.JWKS_ALLOWED_NETWORKS} has {len(realm.allowed_networks)} networks;"
            f" at most {MAX_NETWORKS} are allowed"
        )
    for network in realm.allowed_networks:
        try:
            ip_network(network)
        except ValueError:
            raise InvalidRequestError(
                f"{attributes.JWKS_ALLOWED_NETWORKS}: {network!r} is not a valid network (CIDR)"
            ) from None
    return realm
