"""A client: Keycloak's ClientRepresentation as a value, with the parts keyturn understands as properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.authenticators import DEFAULT_AUTHENTICATOR, RULES
from keyturn_credentials.domain.federated_identity import read_identity
from keyturn_credentials.domain.roles import Role, roles_of
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.secrets import ClientSecrets
from keyturn_credentials.domain.service_account import ServiceAccount
from keyturn_credentials.domain.token_ending import next_generation, read_not_before
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS, AuthenticatorId
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.projection import MAX_NAME_LENGTH, FederatedIdentity, SecretTransport, subject_field

MAX_ASSERTION_LIFETIME: Final = 3600
MAX_TOKEN_LIFESPAN: Final = 86_400
_SERVICE_ACCOUNTS: Final = UUID("4f3c1c9e-9a35-4b0e-8d5b-6f1f0d7a2e61")
"""Namespace of the ids of service accounts (RFC 9562 section 5.5)."""


@dataclass(frozen=True, slots=True)
class Client:
    """``document``: the fields of ClientRepresentation without a column of their own, stored as given.

    ``version`` counts changes (the ETag). ``keys_not_before``: sequence of the last clearing of its key
    cache. ``revoked_keys``: RFC 7638 thumbprint to NumericDate seconds of revocation; it only grows.
    ``token_generation``: how often all its tokens were ended. ``revoked_tokens``: digests of individually
    revoked tokens, to their expiry. ``keys_since``: NumericDate seconds since when it has its present keys,
    None if it does not authenticate by keys.
    """

    uuid: str
    realm_id: str
    client_id: str
    enabled: bool = True
    authenticator: AuthenticatorId = DEFAULT_AUTHENTICATOR
    attributes: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    secrets: ClientSecrets = field(default_factory=ClientSecrets)
    revoked_keys: Mapping[str, float] = field(default_factory=dict)
    keys_not_before: int = 0
    version: int = 1
    token_generation: int = 0
    revoked_tokens: Mapping[str, float] = field(default_factory=dict)
    service_account: ServiceAccount = field(default_factory=ServiceAccount)
    keys_since: float | None = None

    @property
    def is_confidential(self) -> bool:
        """True if it authenticates at all: public and bearer-only clients do not."""
        return is_confidential(self.document)

    @property
    def needs_secret(self) -> bool:
        """True if it authenticates with a secret."""
        return self.is_confidential and CLIENT_AUTHENTICATORS[self.authenticator].needs_secret

    @property
    def has_own_keys(self) -> bool:
        """True if it authenticates with keys of its own."""
        return self.is_confidential and CLIENT_AUTHENTICATORS[self.authenticator].credential == "keys"

    @property
    def signs_with_secret(self) -> bool:
        """True if verifiers need its secret itself, not only a digest."""
        return CLIENT_AUTHENTICATORS[self.authenticator].signs_with_secret

    @property
    def service_accounts_enabled(self) -> bool:
        """True if it may request tokens for itself, which is the default here."""
        return has_service_account(self.document)

    @property
    def has_full_scope(self) -> bool:
        """True if its tokens may have every role of its service account, which is the default."""
        return self.document.get("fullScopeAllowed") is not False

    @property
    def secret_transport(self) -> SecretTransport:
        match self.attributes.get(attributes.SECRET_TRANSPORT, "").strip():
            case "" | "any":
                return "any"
            case "basic" | "client_secret_basic":
                return "basic"
            case "post" | "client_secret_post":
                return "post"
            case _:
                raise InvalidRequestError(
                    f"{attributes.SECRET_TRANSPORT} must be client_secret_basic or client_secret_post"
                )

    @property
    def signing_alg(self) -> str | None:
        """The only algorithm its assertions may use; None for Keycloak's ``any``."""
        alg = self.attributes.get(attributes.SIGNING_ALG, "").strip()
        return None if alg in ("", "any") else alg

    @property
    def max_assertion_lifetime(self) -> int | None:
        return _number(self.attributes, attributes.SIGNING_MAX_EXP, MAX_ASSERTION_LIFETIME)

    @property
    def access_token_lifespan(self) -> int | None:
        return _number(self.attributes, attributes.ACCESS_TOKEN_LIFESPAN, MAX_TOKEN_LIFESPAN)

    @property
    def not_before(self) -> int:
        """NumericDate seconds; tokens issued before it are refused."""
        return read_not_before(self.document)

    @property
    def access_token_alg(self) -> str | None:
        """The only algorithm its access tokens may be signed with."""
        return self.attributes.get(attributes.ACCESS_TOKEN_ALG, "").strip() or None

    @property
    def has_plain_token_type(self) -> bool | None:
        """True if its access tokens have the type ``JWT``; None if its realm decides."""
        return attributes.has_plain_token_type(self.attributes)

    @property
    def service_account_id(self) -> str:
        """Id of its service account, which is ``sub`` of its tokens: constant, and unique to this client."""
        return self.service_account.id or account_id_from(self.uuid)

    @property
    def admin_roles(self) -> frozenset[Role]:
        return roles_of(self.attributes)

    @property
    def federated(self) -> FederatedIdentity | None:
        """Its identity at a trusted issuer, if that is how it authenticates."""
        uses_it = self.is_confidential and CLIENT_AUTHENTICATORS[self.authenticator].credential == "issuer"
        return read_identity(self.attributes) if uses_it else None

    @property
    def subject_field(self) -> str | None:
        """Field of the projection by which its subject leads to it; None without an exact subject."""
        identity = self.federated
        if identity is None or identity.is_pattern:
            return None
        return subject_field(self.realm_id, identity.alias, identity.subject)

    @property
    def jwks_url(self) -> str | None:
        """The URL of its keys. As in Keycloak, it may be relative to ``rootUrl``."""
        if not attributes.is_true(self.attributes, attributes.USE_JWKS_URL):
            return None
        url = self.attributes.get(attributes.JWKS_URL, "").strip()
        if url.startswith("/"):
            url = str(self.document.get("rootUrl") or "").rstrip("/") + url
        return url or None


def is_confidential(document: Mapping[str, Any]) -> bool:
    return not (document.get("publicClient") or document.get("bearerOnly"))


def has_service_account(document: Mapping[str, Any]) -> bool:
    return is_confidential(document) and document.get("serviceAccountsEnabled") is not False


KeySource = Literal["certificate", "jwks", "jwks_url"]


def check_client(client: Client) -> Client:
    """Return the client. Raises InvalidRequestError if it is invalid."""
    identifier = client.client_id
    if not 0 < len(identifier) <= MAX_NAME_LENGTH:
        raise InvalidRequestError(
            f"clientId has {len(identifier)} characters; it must have 1 to {MAX_NAME_LENGTH}"
        )
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in identifier):
        raise InvalidRequestError("clientId must not contain a control character")
    if client.signing_alg is not None:
        _check_signing_alg(client.authenticator, client.signing_alg)
    if client.access_token_alg is not None and client.access_token_alg not in ASYMMETRIC_NAMES:
        raise InvalidRequestError(
            f"{attributes.ACCESS_TOKEN_ALG} must be one of {', '.join(sorted(ASYMMETRIC_NAMES))}"
        )
    RULES[client.authenticator].check(client.attributes)
    # Each is checked by reading it.
    _ = (
        RotationRules.from_attributes(client.attributes, {}),
        client.secret_transport,
        client.max_assertion_lifetime,
        client.access_token_lifespan,
        client.admin_roles,
    )
    return client


def end_tokens(before: Client, after: Client, now: float) -> Client:
    """Return the changed client, with its earlier tokens ended if the change implies that."""
    generation = next_generation(
        before.token_generation,
        may_before=before.enabled and before.service_accounts_enabled,
        may_after=after.enabled and after.service_accounts_enabled,
        not_before=(before.not_before, after.not_before),
        now=now,
    )
    return replace(after, token_generation=generation)


@lru_cache(maxsize=4096)
def account_id_from(client_uuid: str) -> str:
    return str(uuid5(_SERVICE_ACCOUNTS, client_uuid))


def _check_signing_alg(authenticator: AuthenticatorId, alg: str) -> None:
    allowed = CLIENT_AUTHENTICATORS[authenticator].algorithms
    if alg not in ASYMMETRIC_NAMES | SYMMETRIC_NAMES:
        raise InvalidRequestError(f"{attributes.SIGNING_ALG}: {alg!r} is not a known algorithm")
    if allowed and alg not in allowed:
        raise InvalidRequestError(f"{attributes.SIGNING_ALG}: {alg} cannot be used with {authenticator}")


def _number(source: Mapping[str, str], name: str, most: int) -> int | None:
    text = source.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= most:
        raise InvalidRequestError(f"{name} must be 1 to {most} seconds")
    return int(text)
