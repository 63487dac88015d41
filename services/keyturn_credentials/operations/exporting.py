"""Export of a realm with its clients in Keycloak's format, written piece by piece: there may be a million."""

from collections.abc import AsyncIterator
from typing import Any

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.export_reading import REVOKED_KEYS
from keyturn_credentials.domain.given_roles import as_user
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import describe_client, describe_realm
from keyturn_credentials.domain.rotation_rules import DEFAULT_OVERLAP_SECONDS, RotationRules
from keyturn_credentials.domain.service_account import ServiceAccount
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.search_query import Criteria
from keyturn_shared.jose import strict_json


async def export_realm(
    queries: Queries, realm: Realm, *, with_clients: bool, with_secrets: bool, now: float
) -> AsyncIterator[bytes]:
    """Export as JSON, in pieces. Without ``with_secrets``, secrets are masked, as in Keycloak's partial
    export.

    With it the current and the former secret are included in plain text, as in Keycloak's full export.
    Private keys are never included, and secrets with a stored digest only are always masked.
    """
    with_secrets = with_secrets and not realm.keeps_digests_only
    head = strict_json.encode(_describe_realm(realm))
    if not with_clients:
        yield head
        return
    yield head[:-1] + b',"clients":'
    separator = b"["
    users: list[dict[str, Any]] = []
    async for client in queries.all_clients(realm, Criteria()):
        if client.service_account != ServiceAccount():
            users.append(as_user(realm, client))
        yield separator + strict_json.encode(_describe(client, realm, with_secrets=with_secrets, now=now))
        separator = b","
    yield b"[]" if separator == b"[" else b"]"
    yield (b',"users":' + strict_json.encode(users) if users else b"") + b"}"


def _describe_realm(realm: Realm) -> dict[str, Any]:
    """Represent a realm with the type of its tokens: an export without it is read as one of Keycloak's, where
    the other type is the default."""
    shown = describe_realm(realm, with_catalogue=True)
    is_rfc9068 = "false" if realm.has_plain_token_type else "true"
    shown["attributes"] = {**shown["attributes"], attributes.ACCESS_TOKEN_TYPE_RFC9068: is_rfc9068}
    return shown


def _describe(client: Client, realm: Realm, *, with_secrets: bool, now: float) -> dict[str, Any]:
    shown = describe_client(client, realm, show_secret=with_secrets, now=now)
    rotated = client.secrets.rotated
    if with_secrets and rotated is not None and rotated.secret is not None and rotated.is_valid(now):
        shown["attributes"][attributes.ROTATED_SECRET] = rotated.secret.reveal()
        if rotated.expires_at is None:
            shown["attributes"][attributes.ROTATED_EXPIRES] = str(int(now) + _overlap(client, realm))
    if client.revoked_keys:
        shown[REVOKED_KEYS] = dict(client.revoked_keys)
    return shown


def _overlap(client: Client, realm: Realm) -> int:
    """Return the seconds for which a former secret is exported that has no end, because the client has not
    used the new one. The rotation itself is not exported, and the client must have time."""
    try:
        return RotationRules.from_attributes(client.attributes, realm.attributes).overlap
    except InvalidRequestError:  # an earlier build wrote some that are invalid
        return DEFAULT_OVERLAP_SECONDS
