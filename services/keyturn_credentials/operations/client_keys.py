"""A client's keys: setting them, revoking one, clearing fetched ones."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.bounds import check_attribute, check_attributes
from keyturn_credentials.domain.client import Client, KeySource, check_client
from keyturn_credentials.domain.client_keys import check_revoked, is_thumbprint, keys_of
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, Permission
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_shared.events import ClientKeyRevoked, ClientKeysCacheCleared, ClientKeysChanged


class ClientKeyOperations:
    """Operations on a client's keys. They raise the errors of ``Changes``, InvalidRequestError and
    LimitReachedError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def set_keys(
        self,
        target: ClientTarget,
        permission: Permission,
        values: Mapping[str, str | None],
        *,
        source: KeySource,
        details: Mapping[str, object] | None = None,
    ) -> Done[Client]:
        """Set the attributes that contain keys (None: remove), all at once."""

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            after = with_keys(client, values)
            event = partial(ClientKeysChanged, source=source)
            return Change(after=after, event=event, value=after, details=details)

        return await self._changes.change_client(target, permission, decide)

    async def revoke(
        self, target: ClientTarget, thumbprint: str, *, seen: Collection[str] = ()
    ) -> Done[Client]:
        """Refuse the key with this RFC 7638 thumbprint forever, wherever it appears.

        The key need not be known: a JWKS URL may serve it next. Fewer unknown keys than known ones can be
        revoked. ``seen``: thumbprints of the keys that the client's URL served last.
        """

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            after = with_revoked_key(client, thumbprint, seen, now)
            event = partial(ClientKeyRevoked, thumbprint=thumbprint)
            return Change(after=after, event=event, value=after, details={"thumbprint": thumbprint})

        return await self._changes.change_client(target, CONFIGURE_CLIENTS, decide)

    async def clear_cache(self, target: ClientTarget) -> Done[Client]:
        """Stop using the client's key sets whose fetch began before this event."""

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            return Change(after=client, event=ClientKeysCacheCleared, value=client, clears_keys=True)

        return await self._changes.change_client(target, CONFIGURE_CLIENTS, decide, is_revision=False)


def with_keys(client: Client, values: Mapping[str, str | None]) -> Client:
    """Return the client with these attributes (None: without). Raises InvalidRequestError."""
    merged = {name: text for name, text in {**client.attributes, **values}.items() if text is not None}
    for name, text in merged.items():
        if name in values:
            check_attribute(name, text)
    check_attributes(merged)
    return check_client(replace(client, attributes=merged))


def with_revoked_key(client: Client, thumbprint: str, seen: Collection[str], now: float) -> Client:
    """Return the client with this key revoked. Raises InvalidRequestError and LimitReachedError."""
    if not is_thumbprint(thumbprint):
        raise InvalidRequestError(
            "a thumbprint must be the base64url of 32 bytes: 43 characters (RFC 7638, SHA-256)"
        )
    # Revoked again, it keeps its first date, and the caller still gets a sequence to wait for.
    revoked = {thumbprint: now, **client.revoked_keys}
    own = thumbprint in seen or any(key.thumbprint == thumbprint for key in keys_of(client).keys)
    check_revoked(client.revoked_keys, revoked, own=own)
    return replace(client, revoked_keys=revoked)


def certificate_attributes(
    prefix: str, *, certificate: str | None = None, public_key: str | None = None, kid: str | None = None
) -> dict[str, str | None]:
    """Return the attributes for a certificate or public key under ``prefix``. As in Keycloak, it replaces an
    inline JWK Set; a JWKS URL still takes precedence."""
    values: dict[str, str | None] = {
        f"{prefix}.{attributes.CERTIFICATE}": certificate,
        f"{prefix}.{attributes.PUBLIC_KEY}": public_key,
        f"{prefix}.{attributes.KID}": kid,
    }
    if prefix == "jwt.credential":
        values |= {attributes.USE_JWKS_STRING: None, attributes.JWKS_STRING: None}
    return values


def inline_jwks_attributes(jwks: str) -> dict[str, str | None]:
    """Return the attributes for an inline JWK Set."""
    return {
        f"jwt.credential.{attributes.CERTIFICATE}": None,
        f"jwt.credential.{attributes.PUBLIC_KEY}": None,
        f"jwt.credential.{attributes.KID}": None,
        attributes.USE_JWKS_STRING: "true",
        attributes.JWKS_STRING: jwks,
    }
