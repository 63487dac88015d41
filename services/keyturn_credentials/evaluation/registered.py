"""Credentials that are registered for a client, and whether any of them can be accepted. Pure."""

from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.jose.errors import UnknownKidError
from keyturn_shared.oauth.cached_client import inline_keys
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    IssuerDisabledError,
    KeyRevokedError,
    SecretExpiredError,
    WrongIssuerError,
    WrongSecretError,
)
from keyturn_shared.projection import ClientProjection


def require_credential(realm: RealmState, client: ClientProjection, now: float) -> None:
    """Require a credential that a request of the client could be accepted with. Raises WrongSecretError,
    SecretExpiredError, UnknownKidError, KeyRevokedError, WrongIssuerError and IssuerDisabledError for a
    client that can only be refused. What a JWKS URL has is not looked up."""
    kind = CLIENT_AUTHENTICATORS[client.authenticator].credential
    if kind == "secret":
        _require_secret(client, now)
    elif kind == "issuer":
        _require_issuer(realm, client)
    elif kind == "keys" or client.x509_self_signed:
        _require_keys(client)


def _require_secret(client: ClientProjection, now: float) -> None:
    by_mac = CLIENT_AUTHENTICATORS[client.authenticator].signs_with_secret
    usable = [secret for secret in client.secrets if secret.sealed is not None or not by_mac]
    if not usable:
        raise WrongSecretError("the client has no secret")
    if all(secret.not_after is not None and now >= secret.not_after for secret in usable):
        raise SecretExpiredError("the client has no other secret")


def _require_issuer(realm: RealmState, client: ClientProjection) -> None:
    alias = None if client.federated is None else client.federated.alias
    issuer = next((each for each in realm.projection.trusted_issuers if each.alias == alias), None)
    if issuer is None:
        raise WrongIssuerError("the realm has no such identity provider")
    if not issuer.enabled:
        raise IssuerDisabledError(issuer.alias)


def _require_keys(client: ClientProjection) -> None:
    if client.jwks_url is not None:
        return
    inline = inline_keys(client)
    if inline is None or not inline.keys:
        raise UnknownKidError("the client has no keys")
    if all(key.thumbprint in client.revoked_thumbprints for key in inline.keys):
        raise KeyRevokedError("the client has no other key")
