"""A client's keys: setting them, revoking one, clearing what was fetched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client, KeySource, check_client
from keyturn_credentials.domain.client_keys import is_thumbprint
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.recording import (
    Done,
    record_client,
    require_for_change,
    require_power_over,
)
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.events import ClientKeyRevoked, ClientKeysCacheCleared, ClientKeysChanged

_MAX_REVOKED: Final = 10_000


class ClientKeyOperations:
    """Raises as ``ClientOperations``."""

    def __init__(self, store: Store, projector: Projector) -> None:
        self._store = store
        self._projector = projector

    async def set_keys(
        self,
        actor: Actor,
        realm_name: str,
        client_uuid: str,
        values: Mapping[str, str | None],
        *,
        source: KeySource,
        details: Mapping[str, object] | None = None,
        expected: frozenset[int] | None = None,
    ) -> Done[Client]:
        """Set the attributes that hold keys (None: remove), all at once."""
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, before)
            merged = {
                name: text for name, text in {**before.attributes, **values}.items() if text is not None
            }
            after = check_client(replace(before, attributes=merged, version=before.version + 1))
            await transaction.clients.update(before, after)
            sequence = await record_client(
                transaction,
                self._projector,
                ClientKeysChanged,
                realm,
                before=before,
                after=after,
                details=details,
                source=source,
            )
        return Done(sequence, after)

    async def revoke(
        self,
        actor: Actor,
        realm_name: str,
        client_uuid: str,
        thumbprint: str,
        *,
        expected: frozenset[int] | None = None,
    ) -> Done[Client]:
        """Refuse the key with this RFC 7638 thumbprint for ever, wherever it appears. A key need not be
        known to be revoked: it may be one that a JWKS URL serves next."""
        if not is_thumbprint(thumbprint):
            raise InvalidRequestError("a thumbprint is 43 characters of base64url (RFC 7638, SHA-256)")
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, before)
            # Revoked again, it keeps its first date, and the caller gets a sequence to wait for all the same.
            revoked = {thumbprint: transaction.now, **before.revoked_keys}
            if len(revoked) > _MAX_REVOKED:
                raise InvalidRequestError(f"more than {_MAX_REVOKED} keys of one client are revoked")
            after = replace(before, revoked_keys=revoked, version=before.version + 1)
            await transaction.clients.update(before, after)
            sequence = await record_client(
                transaction,
                self._projector,
                ClientKeyRevoked,
                realm,
                before=before,
                after=after,
                details={"thumbprint": thumbprint},
                thumbprint=thumbprint,
            )
        return Done(sequence, after)

    async def clear_cache(
        self, actor: Actor, realm_name: str, client_uuid: str, *, expected: frozenset[int] | None = None
    ) -> Done[Client]:
        """Key sets whose fetch began before this event are not used for the client any more."""
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, before)
            stamp = await transaction.stamp()
            after = replace(before, keys_not_before=stamp.sequence)
            await transaction.clients.update(before, after)
            sequence = await record_client(
                transaction,
                self._projector,
                ClientKeysCacheCleared,
                realm,
                before=before,
                after=after,
                stamp=stamp,
            )
        return Done(sequence, after)


def certificate_attributes(
    prefix: str, *, certificate: str | None = None, public_key: str | None = None, kid: str | None = None
) -> dict[str, str | None]:
    """The attributes after a certificate or public key was set under ``prefix``. As in Keycloak, it takes the
    place of an inline JWK Set; a JWKS URL still comes first."""
    values: dict[str, str | None] = {
        f"{prefix}.{attributes.CERTIFICATE}": certificate,
        f"{prefix}.{attributes.PUBLIC_KEY}": public_key,
        f"{prefix}.{attributes.KID}": kid,
    }
    if prefix == "jwt.credential":
        values |= {attributes.USE_JWKS_STRING: None, attributes.JWKS_STRING: None}
    return values


def inline_jwks_attributes(jwks: str) -> dict[str, str | None]:
    """The attributes after an inline JWK Set was set."""
    return {
        f"jwt.credential.{attributes.CERTIFICATE}": None,
        f"jwt.credential.{attributes.PUBLIC_KEY}": None,
        f"jwt.credential.{attributes.KID}": None,
        attributes.USE_JWKS_STRING: "true",
        attributes.JWKS_STRING: jwks,
    }
