"""A realm with its clients as one Keycloak realm export, written piece by piece: there may be a million."""

from collections.abc import AsyncIterator
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.export_reading import REVOKED_KEYS
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import describe_client, describe_realm
from keyturn_credentials.store.finding import Criteria
from keyturn_credentials.store.search import find_after
from keyturn_credentials.store.transaction import Store
from keyturn_shared.jose import strict_json

_BATCH: Final = 500


async def export_realm(
    store: Store, realm: Realm, *, with_clients: bool, with_secrets: bool, now: float
) -> AsyncIterator[bytes]:
    """JSON, in pieces. Without ``with_secrets`` secrets are masked, as in Keycloak's partial export; with it
    the current and the former secret are there in clear, as in Keycloak's full export.

    Private keys are in neither, nor are secrets of which only the digest is kept: those are masked.
    """
    with_secrets = with_secrets and not realm.keeps_digests_only
    head = strict_json.encode(describe_realm(realm))
    if not with_clients:
        yield head
        return
    yield head[:-1] + b',"clients":'
    after, separator = "", b"["
    while True:
        async with store.read() as reading:
            batch = await find_after(reading, realm.id, Criteria(), after=after, most=_BATCH)
        for client in batch:
            yield separator + strict_json.encode(_describe(client, with_secrets=with_secrets, now=now))
            separator = b","
        if len(batch) < _BATCH:
            break
        after = batch[-1].client_id
    yield b"[]}" if separator == b"[" else b"]}"


def _describe(client: Client, *, with_secrets: bool, now: float) -> dict[str, Any]:
    shown = describe_client(client, show_secret=with_secrets, now=now)
    rotated = client.secrets.rotated
    if with_secrets and rotated is not None and rotated.secret is not None and rotated.is_valid(now):
        shown["attributes"][attributes.ROTATED_SECRET] = rotated.secret.reveal()
    if client.revoked_keys:
        shown[REVOKED_KEYS] = dict(client.revoked_keys)
    return shown
